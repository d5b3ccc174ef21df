#include "session/session.h"

#include <assert.h>

void session_send_error(session *s, slice json)
{
    struct iovec part = {(void *)(uintptr_t)json.data, json.len};
    (void)connection_send(&s->connection, WS_OPCODE_TEXT, &part, 1);
}

void session_log(log_level level, const char *namespace_, const char *event, const session *s,
                 const log_field *fields, size_t count)
{
    assert(count == 0 || (fields != NULL && count <= SESSION_LOG_MAX_FIELDS));
    if (!log_is_on(level))
        return;
    log_field all[LOG_MAX_FIELDS] = {LOG_NUMBER("conn", s->connection.id)};
    size_t known = 1;
    if (session_is_joined(s)) {
        all[known++] = LOG_PRIVATE("room", room_member_room(s->peer.member));
        all[known++] = LOG_PRIVATE("user", room_member_user(s->peer.member));
    }
    for (size_t i = 0; i < count; i++)
        all[known++] = fields[i];
    log_event(level, namespace_, event, all, known);
}
