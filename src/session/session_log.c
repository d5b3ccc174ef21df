#include "session/session_log.h"

void session_log(log_level level, const char *namespace_, const char *event, const session *s,
                 const log_field *fields, size_t count)
{
    if (!log_is_on(level))
        return;
    log_field all[LOG_MAX_FIELDS] = {LOG_NUMBER("conn", s->connection.id)};
    size_t known = 1;
    if (room_peer_is_joined(&s->peer)) {
        all[known++] = LOG_PRIVATE("room", room_member_room(s->peer.member));
        all[known++] = LOG_PRIVATE("user", room_member_user(s->peer.member));
    }
    for (size_t i = 0; i < count && known < LOG_MAX_FIELDS; i++)
        all[known++] = fields[i];
    log_event(level, namespace_, event, all, known);
}
