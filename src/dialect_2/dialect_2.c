/* What the messages of version 2 do. joining.c has those that make and end sessions; here are the others. */
#include "dialect_2/dialect_2.h"

#include "dialect/rules.h"
#include "dialect_2/answers.h"
#include "dialect_2/joining.h"
#include "dialect_2/message_2.h"
#include "dialect_2/seat_house.h"
#include "dialect_2/seat_peer.h"

#include <assert.h>
#include <errno.h>

/* ---- Faults ---- */

/* After this the two ends do not agree any more, and the session ends with the connection. */
static dialect_verdict end_for_fault(participant *p, const char *why)
{
    counter_add(&participant_hall(p)->counters->invalid_messages, 1);
    answers_error(p, ANSWER_INVALID, true);
    participant_host_of(p)->close(p, PARTICIPANT_INVALID_MESSAGES, why);
    return DIALECT_GO_ON;
}

/* ---- Numbered messages ---- */

/* protocol/README.md, 2.5. */
typedef enum turn_of {
    TURN_NOW,    /* it is the next one */
    TURN_WAS,    /* it was taken already: acknowledge it again */
    TURN_NOT_YET /* one before it is missing */
} turn_of;

static turn_of look_at_number(const seat *s, uint64_t n)
{
    return n <= s->received ? TURN_WAS : n == s->received + 1 ? TURN_NOW : TURN_NOT_YET;
}

static signal_kind kind_of(const message_2 *m)
{
    switch (m->type) {
    case MESSAGE_2_OFFER:
        return SIGNAL_OFFER;
    case MESSAGE_2_ANSWER:
        return SIGNAL_ANSWER;
    case MESSAGE_2_CANDIDATE:
        return SIGNAL_CANDIDATE;
    default:
        return SIGNAL_DATA;
    }
}

static void pass_signal(participant *p, seat *s, const message_2 *m)
{
    const room_member *to = NULL;
    if (m->to.len > 0) {
        to = room_manager_find_peer(s->peer.member, m->to);
        if (to == NULL || to == s->peer.member) {
            answers_refusal(s, ANSWER_NO_SUCH_PEER, m->n);
            return;
        }
    }
    const struct iovec body = slice_to_iovec(m->payload);
    const room_signal signal = {.kind = (int)kind_of(m), .count = 1, .parts = &body, .to = to};
    int result = rules_signal(p, s->house->hall, &s->peer, &signal);
    if (result != 0)
        answers_refusal(s, result == -ENOSPC ? ANSWER_QUEUE_FULL : ANSWER_BUSY, m->n);
}

static void update_data(seat *s, const message_2 *m)
{
    if (seat_set_data(s, m->data))
        room_manager_changed(s->house->hall->manager, &s->peer);
    else
        answers_refusal(s, ANSWER_BUSY, m->n);
}

static dialect_verdict on_numbered(participant *p, seat *s, const message_2 *m)
{
    switch (look_at_number(s, m->n)) {
    case TURN_WAS:
        seat_acknowledge(s);
        return DIALECT_GO_ON;
    case TURN_NOT_YET:
        return end_for_fault(p, "a number is missing");
    case TURN_NOW:
        break;
    }
    seat_take(s, m->n);
    if (m->type == MESSAGE_2_UPDATE)
        update_data(s, m);
    else
        pass_signal(p, s, m);
    return DIALECT_GO_ON;
}

/* ---- Messages ---- */

/* A message that can't be read. One whose number can be read uses that up. */
static dialect_verdict on_unreadable(participant *p, const message_2 *m, message_2_fault fault)
{
    static const answer_code codes[] = {
        [MESSAGE_2_INVALID] = ANSWER_INVALID,
        [MESSAGE_2_TOO_LARGE] = ANSWER_TOO_LARGE,
        [MESSAGE_2_UNSUPPORTED] = ANSWER_UNSUPPORTED,
        [MESSAGE_2_NO_MEMORY] = ANSWER_BUSY,
    };
    seat *s = seat_of(p);
    bool is_numbered = s != NULL && m->has_n;
    if (is_numbered && look_at_number(s, m->n) == TURN_NOT_YET)
        return end_for_fault(p, "a number is missing");
    if (is_numbered && look_at_number(s, m->n) == TURN_NOW) {
        seat_take(s, m->n);
        answers_refusal(s, codes[fault], m->n);
    } else if (!is_numbered) {
        answers_error(p, codes[fault], false);
    }
    return rules_count_invalid(p);
}

static dialect_verdict on_unjoined(participant *p, const message_2 *m)
{
    switch (m->type) {
    case MESSAGE_2_JOIN:
        return joining_join(p, m);
    case MESSAGE_2_PING:
        answers_pong(p);
        return DIALECT_GO_ON;
    case MESSAGE_2_PONG:
        return DIALECT_GO_ON;
    default:
        answers_error(p, ANSWER_NOT_JOINED, false);
        return rules_count_invalid(p);
    }
}

static dialect_verdict on_joined(participant *p, seat *s, const message_2 *m)
{
    if (m->type != MESSAGE_2_PONG)
        seat_forget_former(s); /* so it has got "joined" */
    if (m->has_ack && !outbox_acknowledge(&s->outbox, &s->house->bounds, m->ack))
        return end_for_fault(p, "it acknowledges what it was not told");
    switch (m->type) {
    case MESSAGE_2_JOIN:
        return end_for_fault(p, "it has joined already");
    case MESSAGE_2_LEAVE:
        joining_leave(p, m->text);
        return DIALECT_GO_ON;
    case MESSAGE_2_PING:
        answers_pong(p);
        return DIALECT_GO_ON;
    case MESSAGE_2_PONG:
    case MESSAGE_2_ACK:
        return DIALECT_GO_ON;
    default:
        return on_numbered(p, s, m);
    }
}

static dialect_verdict on_message(participant *p, dialect_hall *hall, bool is_text, slice data)
{
    message_2 m;
    m.has_n = false;
    int fault = is_text ? message_2_decode(data, hall->limits->max_name_bytes, &m) : MESSAGE_2_INVALID;
    if (fault != 0)
        return on_unreadable(p, &m, (message_2_fault)fault);
    seat *s = seat_of(p);
    return s == NULL ? on_unjoined(p, &m) : on_joined(p, s, &m);
}

/* ---- The connection ---- */

static void on_pong(participant *p)
{
    const dialect_hall *hall = participant_hall(p);
    seat *s = seat_of(p);
    if (s != NULL && room_peer_is_joined(&s->peer))
        room_manager_on_alive(hall->manager, &s->peer, hall->now_ms(hall));
}

static void say_goodbye(participant *p, participant_end end, const char *text)
{
    const participant_host *host = participant_host_of(p);
    bool is_restart = end == PARTICIPANT_STOPS;
    answers_goaway(p, is_restart, host->id(p) * UINT64_C(2654435761) >> 8);
    host->close(p, is_restart ? PARTICIPANT_RESTARTS : end, text);
}

const dialect dialect_2 = {
    .face =
        {
            .send = seat_peer_send,
            .probe = seat_peer_probe,
            .is_alive_since = seat_peer_is_alive_since,
            .away_since_ms = seat_peer_away_since_ms,
            .on_admitted = seat_peer_on_admitted,
            .on_entered = seat_peer_on_entered,
            .on_refused = seat_peer_on_refused,
            .on_dropped = seat_peer_on_dropped,
            .on_news = seat_peer_on_news,
            .on_gone = seat_peer_on_gone,
            .account = seat_peer_account,
            .id = seat_peer_id,
            .kinds = SIGNAL_BIT(SIGNAL_OFFER) | SIGNAL_BIT(SIGNAL_ANSWER) | SIGNAL_BIT(SIGNAL_CANDIDATE) |
                     SIGNAL_BIT(SIGNAL_DATA),
            .version = 2,
        },
    .name = "2",
    .subprotocol = "homecall.2",
    .tells_ice_servers = true,
    .on_message = on_message,
    .on_pong = on_pong,
    .on_ping = answers_tick,
    .on_end = joining_lose,
    .say_goodbye = say_goodbye,
    .open_hall = seat_house_open,
    .close_hall = seat_house_close,
    .next_due_ms = seat_house_next_due_ms,
    .tick = seat_house_tick,
};
