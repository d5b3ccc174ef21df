#include "session/rules.h"

#include "protocol/json_text.h"
#include "protocol/message.h"
#include "session/session.h"

#include <errno.h>
#include <stdlib.h>

static const char log_namespace[] = "HomeCall_Signal_Session";

/* PROTOCOL.md, rule 5: the connection goes on, unless its peer does nothing else. */
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

/* The environment's fault, not the peer's: shed this one connection. */
static connection_verdict shed(session *s)
{
    session_log(LOG_WARN, log_namespace, "out of memory", s, NULL, 0);
    connection_close(&s->connection, CLOSE_REASON_NO_MEMORY, "out of memory");
    return CONNECTION_GO_ON;
}

/* The share of the rooms that a codeword belongs to. The upper half of its hash decides; the tables of a
 * shard use the lower half, which stays evenly spread within the shard. */
static int shard_of(const session_shared *shared, slice room)
{
    uint64_t upper = keyed_hash_of(&shared->hash, room) >> 32;
    return (int)(upper * (uint64_t)shared->shards >> 32);
}

/* Is the sender in a room, and does its message name no other? */
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
    room_manager_leave(group->rooms.manager, &s->peer);
}

static bool is_joined_as(const session *s, slice room, slice user)
{
    return session_is_joined(s) && slice_equals(room, room_member_room(s->peer.member)) &&
           slice_equals(user, room_member_user(s->peer.member));
}

/* What the RoomManager said to a join: for the counters and the log. */
static void tell_join(const session *s, const message *m, int result)
{
    static const char *const events[] = {
        [ROOM_JOINED] = "joined",
        [ROOM_WAITING] = "waiting before a full room",
        [ROOM_FULL] = "room is full",
    };
    session_counters *counters = &session_group_of(s)->counters;
    if (result != ROOM_WAITING) /* how that ends is told later */
        counter_add(&counters->joins[result == ROOM_JOINED ? SESSION_JOIN_JOINED : SESSION_JOIN_FULL], 1);
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
    free(room_text);
    free(user_text);
    if (result < 0)
        return shed(s);
    tell_join(s, m, result);
    if (result == ROOM_FULL)
        session_send_error(s, MESSAGE_ROOM_IS_FULL);
    return result == ROOM_WAITING ? CONNECTION_HOLD : CONNECTION_GO_ON;
}

/* PROTOCOL.md, rule 1 */
static connection_verdict on_join(session *s, const message *m)
{
    if (is_joined_as(s, m->room, m->user))
        return CONNECTION_GO_ON;
    leave_room(s, SESSION_LEAVE_MOVED);

    const session_group *group = session_group_of(s);
    int shard = shard_of(group->shared, m->room);
    if (shard != group->shard) {
        s->next_shard = shard;
        return CONNECTION_HAND_OVER;
    }
    return enter_room(s, m);
}

/* PROTOCOL.md, rule 4. Who leaves is who sent it: a `user` in the message is as little asked as a `from`. */
static connection_verdict on_leave(session *s, const message *m)
{
    if (is_in_room_of(s, m))
        leave_room(s, SESSION_LEAVE_LEFT);
    return CONNECTION_GO_ON;
}

/* A signal from one who is not in that room is an attempt as well, and is told like the others (rule 3). */
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

    struct iovec parts[MESSAGE_SIGNAL_PARTS];
    message_encode_signal(parts, m->type, room_member_room_json(s->peer.member),
                          room_member_user_json(s->peer.member), m->payload);
    session_group *group = session_group_of(s);
    const room_signal signal = {.kind = (int)m->type, .count = MESSAGE_SIGNAL_PARTS, .parts = parts};
    int result = room_manager_signal(group->rooms.manager, &s->peer, &signal, net_loop_now_ms(group->loop));
    if (result == -ENOSPC)
        session_send_error(s, MESSAGE_QUEUE_IS_FULL);
    else if (result < 0)
        return shed(s);
    return CONNECTION_GO_ON;
}

/* The client reports a fault: for the log, at a rate that can't fill it. Its text may name a room or a user,
 * so it is shown like one. */
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
    message m;
    if (!is_text || message_decode(data, session_group_of(s)->shared->limits.max_name_bytes, &m) != 0)
        return answer_invalid(s);
    return handlers[m.type](s, &m);
}
