#include "session/rules.h"

#include "base/wipe.h"
#include "dialect_1/message_1.h"
#include "protocol/json_text.h"
#include "session/guessing.h"
#include "session/session.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

static const char log_namespace[] = "HomeCall_Signal_Session";

/* PROTOCOL.md, rule 5: the connection goes on, unless its peer sends more invalid messages than FAULT_BURST
 * allows. */
static connection_verdict answer_invalid(session *s)
{
    session_group *group = session_group_of(s);
    counter_add(&group->counters.invalid_messages, 1);
    session_log(LOG_INFO, log_namespace, "invalid message", s, NULL, 0);
    session_send_error(s, MESSAGE_INVALID);
    if (!token_bucket_take(&s->faults, group->shared->limits.faults, net_loop_now_ms(group->loop)))
        connection_close(&s->connection, CLOSE_REASON_INVALID_MESSAGES, "too many invalid messages");
    return CONNECTION_GO_ON;
}

/* There is no memory for what the message asks for. That is no fault of the peer, but the server can only go
 * on without this connection. */
static connection_verdict close_without_memory(session *s)
{
    session_log(LOG_WARN, log_namespace, "out of memory", s, NULL, 0);
    connection_close(&s->connection, CLOSE_REASON_NO_MEMORY, "out of memory");
    return CONNECTION_GO_ON;
}

/* The shard that the room of this codeword belongs to. It is chosen by the upper half of the hash. The table
 * of a shard uses the lower half, which is spread evenly in each shard. */
static int shard_of(const session_shared *shared, slice room)
{
    uint64_t upper = room_hash(&shared->hash, ROOM_SPACE_ROOMS, room) >> 32;
    return (int)(upper * (uint64_t)shared->shards >> 32);
}

/* Is the sender in a room, and does its message name that room or none? */
static bool is_in_room_of(const session *s, const message *m)
{
    return session_is_joined(s) &&
           (m->room.len == 0 || slice_equals(m->room, room_member_room(s->peer.member)));
}

static void leave_room(session *s, session_leave how)
{
    if (!session_is_joined(s))
        return;
    session_group *group = session_group_of(s);
    counter_add(&group->counters.leaves[how], 1);
    session_log(LOG_INFO, log_namespace, "left", s, NULL, 0);
    const room_leaving leaving = {.why = ROOM_NEWS_LEFT, .now_ms = net_loop_now_ms(group->loop)};
    room_manager_leave(group->rooms.manager, &s->peer, &leaving);
}

/* Is it in this room, as this user? */
static bool is_joined_as(const session *s, slice room, slice user)
{
    return session_is_joined(s) && slice_equals(room, room_member_room(s->peer.member)) &&
           slice_equals(user, room_member_user(s->peer.member));
}

/* Count and log what the RoomManager has returned for a join. */
static void report_join(const session *s, const message *m, int result)
{
    static const char *const events[] = {
        [ROOM_JOINED] = "joined",
        [ROOM_WAITING] = "waiting before a full room",
        [ROOM_FULL] = "room is full",
    };
    session_counters *counters = &session_group_of(s)->counters;
    if (result != ROOM_WAITING) /* that is counted when the wait ends, in session_peer.c */
        counter_add(&counters->joins[result == ROOM_JOINED ? SESSION_JOIN_JOINED : SESSION_JOIN_FULL], 1);
    if (session_may_log(s, LOG_INFO))
        LOG(LOG_INFO, log_namespace, events[result], LOG_NUMBER("conn", s->connection.id),
            LOG_PRIVATE("room", m->room), LOG_PRIVATE("user", m->user));
}

static connection_verdict enter_room(session *s, const message *m)
{
    session_group *group = session_group_of(s);
    room_join join = {.room = m->room, .user = m->user, .now_ms = net_loop_now_ms(group->loop)};
    char *room_text = json_text_encode(m->room, &join.room_json.len);
    char *user_text = json_text_encode(m->user, &join.user_json.len);
    join.room_json.data = room_text;
    join.user_json.data = user_text;

    int result = -ENOMEM;
    if (room_text != NULL && user_text != NULL)
        result = room_manager_join(group->rooms.manager, &s->peer, &join);
    wipe_and_free(room_text, join.room_json.len);
    wipe_and_free(user_text, join.user_json.len);
    if (result < 0)
        return close_without_memory(s);
    report_join(s, m, result);
    if (result == ROOM_FULL)
        session_send_error(s, MESSAGE_ROOM_IS_FULL);
    return result == ROOM_WAITING ? CONNECTION_HOLD : CONNECTION_GO_ON;
}

/* Some thread of the server is late with its work, so no more is taken on: the client may come again later.
 */
static connection_verdict refuse_overloaded(session *s)
{
    session_log(LOG_INFO, log_namespace, "join refused: overloaded", s, NULL, 0);
    connection_close(&s->connection, CLOSE_REASON_OVERLOADED, "overloaded");
    return CONNECTION_GO_ON;
}

/* PROTOCOL.md, rule 1 */
static connection_verdict on_join(session *s, const message *m)
{
    if (is_joined_as(s, m->room, m->user))
        return CONNECTION_GO_ON;
    if (session_group_is_overloaded(session_group_of(s)))
        return refuse_overloaded(s);
    leave_room(s, SESSION_LEAVE_MOVED);

    const session_group *group = session_group_of(s);
    int shard = shard_of(group->shared, m->room);
    if (shard != group->shard) {
        s->join.next_shard = (uint8_t)shard;
        return CONNECTION_HAND_OVER;
    }
    int held = guessing_hold(s, m->room);
    if (held < 0)
        return close_without_memory(s);
    return held > 0 ? CONNECTION_HOLD_MESSAGE : enter_room(s, m);
}

/* PROTOCOL.md, rule 4. The sender leaves, whatever `user` the message names. */
static connection_verdict on_leave(session *s, const message *m)
{
    if (is_in_room_of(s, m))
        leave_room(s, SESSION_LEAVE_LEFT);
    return CONNECTION_GO_ON;
}

/* Refuse a signal whose sender is not in that room. It is an attempt like others, so it is counted and logged
 * (rule 3). */
static void refuse_outside_room(session *s, const message *m)
{
    session_counters *counters = &session_group_of(s)->counters;
    counter_add(&counters->signals[m->type - MESSAGE_OFFER][ROOM_SIGNAL_REFUSED], 1);
    counter_add(&counters->not_in_room, 1);
    LOG_SESSION(LOG_INFO, log_namespace, "refused", s, LOG_LITERAL("kind", message_type_name(m->type)),
                LOG_NUMBER("bytes", m->payload.len),
                LOG_LITERAL("why", !session_is_joined(s) ? "not in a room" : "another room"));
    session_send_error(s, MESSAGE_JOIN_FIRST);
}

/* PROTOCOL.md, rules 2 and 3 */
static connection_verdict on_signal(session *s, const message *m)
{
    if (!is_in_room_of(s, m)) {
        refuse_outside_room(s, m);
        return CONNECTION_GO_ON;
    }

    const struct iovec body = {.iov_base = (void *)(uintptr_t)m->payload.data, .iov_len = m->payload.len};
    session_group *group = session_group_of(s);
    const room_signal signal = {.kind = (int)m->type, .count = 1, .parts = &body};
    if (log_is_on(LOG_INFO))
        group->rooms.is_quiet = !session_may_log(s, LOG_INFO);
    int result = room_manager_signal(group->rooms.manager, &s->peer, &signal, net_loop_now_ms(group->loop));
    if (result == -ENOSPC)
        session_send_error(s, MESSAGE_QUEUE_IS_FULL);
    else if (result < 0)
        return close_without_memory(s);
    return CONNECTION_GO_ON;
}

/* The client reports a fault. That is logged, but only so often that a client can't fill the log. The text
 * may contain a codeword or a user name, so it is logged as private. */
static connection_verdict on_client_error(session *s, const message *m)
{
    session_group *group = session_group_of(s);
    counter_add(&group->counters.client_errors, 1);
    if (token_bucket_take(&s->reports, group->shared->limits.faults, net_loop_now_ms(group->loop)))
        LOG_SESSION(LOG_INFO, log_namespace, "the client reports", s, LOG_NUMBER("bytes", m->text.len),
                    LOG_PRIVATE("message", m->text));
    return CONNECTION_GO_ON;
}

static connection_verdict (*const handlers[])(session *s, const message *m) = {
    [MESSAGE_JOIN] = on_join,     [MESSAGE_LEAVE] = on_leave,      [MESSAGE_OFFER] = on_signal,
    [MESSAGE_ANSWER] = on_signal, [MESSAGE_CANDIDATE] = on_signal, [MESSAGE_ERROR] = on_client_error,
};

connection_verdict rules_handle(connection *c, bool is_text, slice data)
{
    session *s = session_of(c);
    assert(connection_is_open(c));
    message m;
    if (!is_text || message_decode(data, session_group_of(s)->shared->limits.max_name_bytes, &m) != 0)
        return answer_invalid(s);
    return handlers[m.type](s, &m);
}
