#include "session/session.h"

#include "base/clock.h"

#include <assert.h>

static const char log_namespace[] = "HomeCall_Signal_Session";

void session_send_error(session *s, slice json)
{
    struct iovec part = {(void *)(uintptr_t)json.data, json.len};
    (void)connection_send(&s->connection, WS_OPCODE_TEXT, &part, 1);
}

/* Lines about a client were left out until now. */
static void log_left_out(const session *s, client_account *client)
{
    uint32_t left_out = atomic_exchange_explicit(&client->left_out, 0, memory_order_relaxed);
    if (left_out > 0)
        LOG(LOG_WARN, log_namespace, "lines about this client's address were left out",
            LOG_NUMBER("conn", s->connection.id), LOG_NUMBER("lines", left_out));
}

bool session_may_log(const session *s, log_level level)
{
    client_account *client = session_client(s);
    if (!log_is_on(level))
        return false;
    if (client == NULL)
        return true;
    session_shared *shared = session_group_of(s)->shared;
    /* Not the loop's time: while the session is detached, that loop is another thread's. */
    if (!shared_bucket_take(&client->log_lines, shared->limits.log_lines, 1, clock_monotonic_us())) {
        atomic_fetch_add_explicit(&client->left_out, 1, memory_order_relaxed);
        atomic_fetch_add_explicit(&shared->lines_left_out, 1, memory_order_relaxed);
        return false;
    }
    log_left_out(s, client);
    return true;
}

void session_log(log_level level, const char *namespace_, const char *event, const session *s,
                 const log_field *fields, size_t count)
{
    assert(count == 0 || (fields != NULL && count <= SESSION_LOG_MAX_FIELDS));
    if (!session_may_log(s, level))
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
