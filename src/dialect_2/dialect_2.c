/* What the messages of version 2 do: joining.c has those that make and end sessions, taking.c the others. */
#include "dialect_2/dialect_2.h"

#include "dialect/rules.h"
#include "dialect_2/answers.h"
#include "dialect_2/joining.h"
#include "dialect_2/message_2.h"
#include "dialect_2/seat_house.h"
#include "dialect_2/seat_peer.h"
#include "dialect_2/taking.h"
#include "dialect_2/unjoined.h"

/* ---- Messages ---- */

/* A message that can't be read. One whose number can be read uses that up. */
static dialect_verdict on_unreadable(participant *p, const message_2 *m, message_2_fault fault)
{
    seat *s = seat_of(p);
    if (s == NULL || !m->has_n)
        answers_error(p, answers_code_of(fault), false);
    else if (!taking_refusal(p, s, m->n, fault))
        return DIALECT_GO_ON;
    return rules_count_invalid(p);
}

static dialect_verdict on_message(participant *p, dialect_hall *hall, bool is_text, slice data)
{
    message_2 m;
    m.has_n = false;
    int fault = is_text ? message_2_decode(data, hall->limits->max_name_bytes, &m) : MESSAGE_2_INVALID;
    if (fault != 0)
        return on_unreadable(p, &m, (message_2_fault)fault);
    seat *s = seat_of(p);
    return s == NULL ? unjoined_message(p, &m, joining_join) : taking_message(p, s, &m);
}

/* ---- The connection ---- */

static void on_pong(participant *p)
{
    const dialect_hall *hall = participant_hall(p);
    seat *s = seat_of(p);
    if (s != NULL && room_peer_is_joined(s->peer))
        room_manager_on_alive(hall->manager, s->peer, hall->now_ms(hall));
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
            .kinds = SEAT_PEER_KINDS,
            .version = 2,
        },
    .name = "2",
    .subprotocol = "homecall.2",
    .tells_ice_servers = true,
    .on_message = on_message,
    .on_pong = on_pong,
    .on_ping = answers_tick,
    .on_end = joining_lose,
    .say_goodbye = unjoined_goodbye,
    .open_hall = seat_house_open,
    .close_hall = seat_house_close,
    .next_due_ms = seat_house_next_due_ms,
    .tick = seat_house_tick,
};
