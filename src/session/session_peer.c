#include "session/session_peer.h"

#include "dialect_1/message_1.h"
#include "session/session.h"

#include <assert.h>

static const char log_namespace[] = "HomeCall_Signal_Rooms";

/* The body of a signal is the raw JSON of its payload, in one part. */
static bool send_signal(room_peer *peer, const room_signal *signal, const room_member *from)
{
    assert(signal->count == 1);
    session *s = session_of_peer(peer);
    struct iovec parts[MESSAGE_SIGNAL_PARTS];
    const slice payload = {signal->parts[0].iov_base, signal->parts[0].iov_len};
    message_encode_signal(parts, (message_type)signal->kind, room_member_room_json(from),
                          room_member_user_json(from), payload);
    if (!connection_send(&s->connection, WS_OPCODE_TEXT, parts, MESSAGE_SIGNAL_PARTS))
        return false;
    connection_time_message(&s->connection);
    return true;
}

static void probe(room_peer *peer)
{
    connection_ping(&session_of_peer(peer)->connection);
}

/* Only what was read in a later millisecond counts: bytes that were read in the same one may have come before
 * the ping. A pong in the same millisecond counts all the same: on_pong calls room_manager_on_alive(). */
static bool is_alive_since(const room_peer *peer, uint64_t since_ms)
{
    const session *s = session_of_peer((room_peer *)(uintptr_t)peer);
    return connection_has_read_since(&s->connection, since_ms);
}

static void on_admitted(room_peer *peer)
{
    session *s = session_of_peer(peer);
    assert(session_is_joined(s));
    counter_add(&session_group_of(s)->counters.joins[SESSION_JOIN_JOINED], 1);
    session_log(LOG_INFO, log_namespace, "joined", s, NULL, 0);
    connection_resume(&s->connection);
}

static void on_refused(room_peer *peer)
{
    session *s = session_of_peer(peer);
    counter_add(&session_group_of(s)->counters.joins[SESSION_JOIN_FULL], 1);
    session_log(LOG_INFO, log_namespace, "room is full", s, NULL, 0);
    session_send_error(s, MESSAGE_ROOM_IS_FULL);
    connection_resume(&s->connection);
}

static void on_replaced(room_peer *peer, const room_member *was)
{
    session *s = session_of_peer(peer);
    assert(s->peer.member == NULL);
    LOG_SESSION(LOG_INFO, log_namespace, "taken over", s, LOG_PRIVATE("room", room_member_room(was)),
                LOG_PRIVATE("user", room_member_user(was)));
    if (!room_member_is_waiting(was))
        counter_add(&session_group_of(s)->counters.leaves[SESSION_LEAVE_TAKEN_OVER], 1);
    connection_close(&s->connection, CLOSE_REASON_TAKEN_OVER, "the user joined from a new connection");
}

static void on_dropped(room_peer *peer)
{
    session *s = session_of_peer(peer);
    assert(s->peer.member == NULL); /* so on_end counts no second leave */
    counter_add(&session_group_of(s)->counters.leaves[SESSION_LEAVE_SILENT], 1);
    connection_drop(&s->connection, CLOSE_REASON_SILENT, "silent while a newcomer waited");
}

static uint32_t account_of(const room_peer *peer)
{
    return session_of_peer((room_peer *)(uintptr_t)peer)->account;
}

static uint64_t id_of(const room_peer *peer)
{
    return session_of_peer((room_peer *)(uintptr_t)peer)->connection.id;
}

const room_peer_face session_peer_face = {
    .kinds = 1U << MESSAGE_OFFER | 1U << MESSAGE_ANSWER | 1U << MESSAGE_CANDIDATE,
    .version = 1,
    .has_users = true,
    .keeps_queue = true,
    .send = send_signal,
    .probe = probe,
    .is_alive_since = is_alive_since,
    .on_admitted = on_admitted,
    .on_refused = on_refused,
    .on_replaced = on_replaced,
    .on_dropped = on_dropped,
    .account = account_of,
    .id = id_of,
};
