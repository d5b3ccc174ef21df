#include "session/session_peer.h"

#include "session/rules.h"
#include "session/session_log.h"

static const char log_namespace[] = "HomeCall_Signal_Rooms";

static session *session_of(room_peer *peer)
{
    return (session *)((char *)peer - offsetof(session, peer));
}

static const session *const_session_of(const room_peer *peer)
{
    return (const session *)((const char *)peer - offsetof(session, peer));
}

static bool send_signal(room_peer *peer, const struct iovec *parts, int count)
{
    session *s = session_of(peer);
    if (!connection_send(&s->connection, WS_OPCODE_TEXT, parts, count))
        return false;
    connection_time_message(&s->connection);
    return true;
}

static void probe(room_peer *peer)
{
    connection_ping(&session_of(peer)->connection);
}

/* What was read in the very millisecond of the question may have come before it, and would pass for an
 * answer; the pong that is the answer is told by room_manager_on_alive(), however soon it comes. */
static bool is_alive_since(const room_peer *peer, uint64_t since_ms)
{
    return connection_has_read_since(&const_session_of(peer)->connection, since_ms);
}

static void on_admitted(room_peer *peer)
{
    session *s = session_of(peer);
    counter_add(&session_host_of(s)->counters.joins[SESSION_JOIN_JOINED], 1);
    session_log(LOG_INFO, log_namespace, "joined", s, NULL, 0);
    connection_resume(&s->connection);
}

static void on_refused(room_peer *peer)
{
    session *s = session_of(peer);
    counter_add(&session_host_of(s)->counters.joins[SESSION_JOIN_FULL], 1);
    session_log(LOG_INFO, log_namespace, "room is full", s, NULL, 0);
    rules_send_error(s, "Room is full");
    connection_resume(&s->connection);
}

static void on_replaced(room_peer *peer, const room_member *was)
{
    session *s = session_of(peer);
    if (room_member_is_waiting(was)) {
        session_log(LOG_INFO, log_namespace, "taken over", s, NULL, 0);
    } else {
        counter_add(&session_host_of(s)->counters.leaves[SESSION_LEAVE_TAKEN_OVER], 1);
        LOG(LOG_INFO, log_namespace, "taken over", LOG_NUMBER("conn", s->connection.id),
            LOG_PRIVATE("room", room_member_room(was)), LOG_PRIVATE("user", room_member_user(was)));
    }
    connection_close(&s->connection, CLOSE_REASON_TAKEN_OVER, "the user joined from a new connection");
}

static void on_dropped(room_peer *peer)
{
    session *s = session_of(peer);
    counter_add(&session_host_of(s)->counters.leaves[SESSION_LEAVE_SILENT], 1);
    connection_drop(&s->connection, CLOSE_REASON_SILENT, "silent while a newcomer waited");
}

static uint64_t id(const room_peer *peer)
{
    return const_session_of(peer)->connection.id;
}

const room_peer_face session_peer_face = {
    .send = send_signal,
    .probe = probe,
    .is_alive_since = is_alive_since,
    .on_admitted = on_admitted,
    .on_refused = on_refused,
    .on_replaced = on_replaced,
    .on_dropped = on_dropped,
    .id = id,
};
