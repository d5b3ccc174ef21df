#include "dialect/dialect.h"

#include <assert.h>

bool participant_say(participant *p, slice json)
{
    const struct iovec part = slice_to_iovec(json);
    return participant_host_of(p)->send(p, &part, 1);
}

void participant_end_it(participant *p, participant_end end, const char *text)
{
    const dialect *d = dialect_of(p);
    if (d->say_goodbye != NULL)
        d->say_goodbye(p, end, text);
    else
        d->host->close(p, end, text);
}

void participant_log(log_level level, const char *namespace_, const char *event, const participant *p,
                     const log_field *fields, size_t count)
{
    assert(count == 0 || (fields != NULL && count <= PARTICIPANT_LOG_MAX_FIELDS));
    const participant_host *host = participant_host_of(p);
    if (!host->may_log(p, level))
        return;
    log_field all[LOG_MAX_FIELDS] = {LOG_NUMBER("conn", host->id(p))};
    size_t known = 1;
    if (participant_is_joined(p)) {
        all[known++] = LOG_PRIVATE("room", room_member_room(p->peer.member));
        all[known++] = LOG_PRIVATE("user", room_member_user(p->peer.member));
    }
    for (size_t i = 0; i < count; i++)
        all[known++] = fields[i];
    log_frequent_event(level, namespace_, event, all, known);
}
