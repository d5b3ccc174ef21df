#include "dialect_2/taking.h"

#include "dialect/rules.h"
#include "dialect_2/answers.h"
#include "dialect_2/joining.h"

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

static void pass_signal(participant *p, seat *s, const message_2 *m)
{
    const room_member *to = NULL;
    if (m->to.len > 0) {
        to = room_manager_find_peer(s->peer->member, m->to);
        if (to == NULL || to == s->peer->member) {
            answers_refusal(s, ANSWER_NO_SUCH_PEER, m->n);
            return;
        }
    }
    const struct iovec body = slice_to_iovec(m->payload);
    const room_signal signal = {.kind = (int)message_2_kind(m), .count = 1, .parts = &body, .to = to};
    dialect_hall *hall = s->house->hall;
    if (log_is_on(LOG_INFO))
        hall->is_quiet = !participant_host_of(p)->may_log(p, LOG_INFO);
    int result = room_manager_signal(hall->manager, s->peer, &signal, hall->now_ms(hall));
    if (result != 0)
        answers_refusal(s, result == -ENOSPC ? ANSWER_QUEUE_FULL : ANSWER_BUSY, m->n);
}

static void update_data(seat *s, const message_2 *m)
{
    if (seat_set_data(s, m->data))
        room_manager_changed(s->house->hall->manager, s->peer);
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

bool taking_refusal(participant *p, seat *s, uint64_t n, message_2_fault fault)
{
    switch (look_at_number(s, n)) {
    case TURN_NOT_YET:
        (void)end_for_fault(p, "a number is missing");
        return false;
    case TURN_NOW:
        seat_take(s, n);
        answers_refusal(s, answers_code_of(fault), n);
        break;
    case TURN_WAS:
        break;
    }
    return true;
}

/* ---- Messages ---- */

dialect_verdict taking_message(participant *p, seat *s, const message_2 *m)
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
