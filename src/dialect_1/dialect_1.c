/* The rules of protocol/README.md, "Version 1", one handler for each type of message. */
#include "dialect_1/dialect_1.h"

#include "dialect/participant_peer.h"
#include "dialect/rules.h"
#include "dialect_1/message_1.h"
#include "dialect_1/remote_1.h"
#include "dialect_1/signal_1.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

static const char log_namespace[] = "HomeCall_Signal_Rooms";

static signal_kind kind_of(message_type type)
{
    return (signal_kind)(type - MESSAGE_OFFER + SIGNAL_OFFER);
}

/* ---- What the rooms do with a participant ---- */

static bool send_signal(room_peer *peer, const room_signal *signal, const room_member *from)
{
    participant *p = participant_of_peer(peer);
    if (signal->whole.len > 0) {
        const struct iovec whole = slice_to_iovec(signal->whole);
        return participant_host_of(p)->send_signal(p, &whole, 1);
    }
    struct iovec parts[MESSAGE_SIGNAL_PARTS];
    signal_1_id id;
    signal_1_lay_out(parts, signal, from, &id);
    return participant_host_of(p)->send_signal(p, parts, MESSAGE_SIGNAL_PARTS);
}

static void on_refused(room_peer *peer, const room_member *was)
{
    (void)was;
    participant *p = participant_of_peer(peer);
    rules_report_refused(p);
    (void)participant_say(p, MESSAGE_ROOM_IS_FULL);
    participant_host_of(p)->resume(p);
}

static void on_replaced(room_peer *peer, const room_member *was)
{
    participant *p = participant_of_peer(peer);
    assert(p->peer.member == NULL);
    LOG_PARTICIPANT(LOG_INFO, log_namespace, "taken over", p, LOG_PRIVATE("room", room_member_room(was)),
                    LOG_PRIVATE("user", room_member_user(was)));
    if (!room_member_is_waiting(was))
        counter_add(&participant_hall(p)->counters->leaves[SESSION_LEAVE_TAKEN_OVER], 1);
    participant_host_of(p)->close(p, PARTICIPANT_TAKEN_OVER, "the user joined from a new connection");
}

/* ---- Messages ---- */

/* Is the sender in a room, and does its message name that room or none? */
static bool is_in_room_of(const participant *p, const message *m)
{
    return participant_is_joined(p) &&
           (m->room.len == 0 || slice_equals(m->room, room_member_room(p->peer.member)));
}

/* Is it in this room, as this user? */
static bool is_joined_as(const participant *p, slice room, slice user)
{
    return participant_is_joined(p) && slice_equals(room, room_member_room(p->peer.member)) &&
           slice_equals(user, room_member_user(p->peer.member));
}

/* `why_json` is owned by the caller; NULL where there was no memory for it. */
static dialect_verdict refuse(participant *p, const char *why_json)
{
    if (why_json == NULL)
        return rules_close_without_memory(p);
    struct iovec parts[MESSAGE_REFUSAL_PARTS];
    message_encode_refusal(parts, slice_of_text(why_json));
    (void)participant_host_of(p)->send(p, parts, MESSAGE_REFUSAL_PARTS);
    return DIALECT_GO_ON;
}

static dialect_verdict enter_room(participant *p, const message *m)
{
    char *why_json;
    if (!rules_is_allowed(p, ROOM_SPACE_ROOMS, m->room, m->user, &why_json)) {
        dialect_verdict verdict = refuse(p, why_json);
        free(why_json);
        return verdict;
    }
    int result = rules_join(p, &p->peer, ROOM_SPACE_ROOMS, m->room, m->user);
    if (result < 0)
        return rules_close_without_memory(p);
    if (result == ROOM_FULL)
        (void)participant_say(p, MESSAGE_ROOM_IS_FULL);
    return result == ROOM_WAITING ? DIALECT_HOLD : DIALECT_GO_ON;
}

/* protocol/README.md, 1.1 */
static dialect_verdict on_join(participant *p, dialect_hall *hall, const message *m)
{
    (void)hall;
    if (is_joined_as(p, m->room, m->user))
        return DIALECT_GO_ON;
    if (participant_host_of(p)->is_overloaded(p))
        return rules_refuse_overloaded(p);
    if (participant_is_joined(p))
        rules_leave(p, SESSION_LEAVE_MOVED);
    dialect_verdict verdict;
    return rules_may_join_here(p, ROOM_SPACE_ROOMS, m->room, &verdict) ? enter_room(p, m) : verdict;
}

/* protocol/README.md, 1.4. The sender leaves, whatever `user` the message names. */
static dialect_verdict on_leave(participant *p, dialect_hall *hall, const message *m)
{
    (void)hall;
    if (is_in_room_of(p, m))
        rules_leave(p, SESSION_LEAVE_LEFT);
    return DIALECT_GO_ON;
}

static void on_queue_full(participant *p)
{
    (void)participant_say(p, MESSAGE_QUEUE_IS_FULL);
}

/* Pass on a signal of one who may. `whole` is its message, where the others get just that; else empty. */
static dialect_verdict pass_on(participant *p, dialect_hall *hall, message_type type, slice payload,
                               slice whole)
{
    const struct iovec body = slice_to_iovec(payload);
    const room_signal signal = {.kind = (int)kind_of(type), .count = 1, .parts = &body, .whole = whole};
    int result = rules_signal(p, hall, &p->peer, &signal);
    if (result == -ENOSPC)
        on_queue_full(p);
    else if (result < 0)
        return rules_close_without_memory(p);
    return DIALECT_GO_ON;
}

/* protocol/README.md, 1.2 and 1.3 */
static dialect_verdict on_signal(participant *p, dialect_hall *hall, const message *m)
{
    if (!is_in_room_of(p, m)) {
        rules_refuse_signal(p, kind_of(m->type), m->payload.len,
                            !participant_is_joined(p) ? "not in a room" : "another room");
        (void)participant_say(p, MESSAGE_JOIN_FIRST);
        return DIALECT_GO_ON;
    }
    return pass_on(p, hall, m->type, m->payload, (slice){NULL, 0});
}

static dialect_verdict on_client_error(participant *p, dialect_hall *hall, const message *m)
{
    (void)hall;
    rules_report_client_error(p, m->text);
    return DIALECT_GO_ON;
}

static dialect_verdict (*const handlers[])(participant *p, dialect_hall *hall, const message *m) = {
    [MESSAGE_JOIN] = on_join,     [MESSAGE_LEAVE] = on_leave,      [MESSAGE_OFFER] = on_signal,
    [MESSAGE_ANSWER] = on_signal, [MESSAGE_CANDIDATE] = on_signal, [MESSAGE_ERROR] = on_client_error,
};

/* Read every message, and do what it says. Apart from on_message(), whose stack needs no names then. */
static __attribute__((noinline)) dialect_verdict take_any(participant *p, dialect_hall *hall, bool is_text,
                                                          slice data)
{
    message m;
    if (!is_text || message_decode(data, hall->limits->max_name_bytes, &m) != 0)
        return rules_answer_invalid(p, MESSAGE_INVALID);
    return handlers[m.type](p, hall, &m);
}

static dialect_verdict on_message(participant *p, dialect_hall *hall, bool is_text, slice data)
{
    if (is_text && participant_is_joined(p)) {
        slice room_json, user_json;
        usual_signal s;
        room_member_names_json(p->peer.member, &room_json, &user_json);
        if (message_read_usual(data, room_json, user_json, &s))
            return pass_on(p, hall, s.type, s.payload, s.is_as_passed_on ? data : (slice){NULL, 0});
    }
    return take_any(p, hall, is_text, data);
}

const dialect dialect_1 = {
    .face =
        {
            .send = send_signal,
            .probe = participant_peer_probe,
            .is_alive_since = participant_peer_is_alive_since,
            .on_admitted = participant_peer_on_admitted,
            .on_refused = on_refused,
            .on_replaced = on_replaced,
            .on_dropped = participant_peer_on_dropped,
            .account = participant_peer_account,
            .id = participant_peer_id,
            .kinds = SIGNAL_1_KINDS,
            .has_users = true,
            .keeps_queue = true,
            .version = 1,
        },
    .name = "1",
    .on_message = on_message,
    .on_pong = participant_peer_on_pong,
    .on_end = participant_peer_on_end,
    .remote = &remote_1,
    .on_queue_full_there = on_queue_full,
};
