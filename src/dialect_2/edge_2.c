/* Messages are read here, and faults counted. What they do to the session is done by its owner, in the order
 * in which they go there. What needs no session is answered here. */
#include "dialect_2/edge_2.h"

#include "dialect/rules.h"
#include "dialect_2/answers.h"
#include "dialect_2/dialect_2.h"
#include "dialect_2/extra_2.h"
#include "dialect_2/remote_2.h"
#include "dialect_2/seat_house.h"
#include "dialect_2/seat_peer.h"
#include "dialect_2/unjoined.h"

#include <assert.h>
#include <stdlib.h>

static const char log_namespace[] = "HomeCall_Signal_Session";

/* ---- What its client says ---- */

/* A message that can't go on its way would leave a gap behind it. So the connection ends, and its client
 * comes back and says it again. */
static void forward(participant *p, const message_2 *m, int fault)
{
    extra_writer w = {.len = 0};
    bool is_quiet = log_is_on(LOG_INFO) && !participant_host_of(p)->may_log(p, LOG_INFO);
    const struct iovec body = fault == 0 ? slice_to_iovec(extra_2_payload_of(m)) : (struct iovec){NULL, 0};
    const room_signal signal = {.kind = (int)message_2_kind(m), .count = 1, .parts = &body};
    extra_2_put_said(&w, m, fault, is_quiet);
    assert(!w.is_bad);
    if (edge_client_signal(p, &signal, extra_written(&w)) != 0)
        participant_host_of(p)->give_up(p);
}

static dialect_verdict join(participant *p, const message_2 *m)
{
    if (m->token.len == 0 && participant_host_of(p)->is_overloaded(p))
        return rules_refuse_overloaded(p);
    dialect_verdict verdict;
    if (!rules_may_join_here(p, ROOM_SPACE_ROOMS, m->room, &verdict))
        return verdict;
    if (unjoined_is_refused(p, m)) /* also one that may resume: only the owner of its room knows that */
        return DIALECT_GO_ON;
    extra_writer w = {.len = 0};
    extra_2_put_join(&w, m, p->join.may_have_ice);
    assert(!w.is_bad);
    int result = rules_join_with(p, NULL, ROOM_SPACE_ROOMS, m->room, m->user, extra_written(&w));
    explicit_bzero(w.data, w.len);
    if (result >= 0)
        return DIALECT_HOLD;
    answers_error(p, ANSWER_BUSY, false);
    return DIALECT_GO_ON;
}

static dialect_verdict leave(participant *p, const message_2 *m)
{
    participant_log(LOG_INFO, log_namespace, "left", p, NULL, 0);
    forward(p, m, 0); /* what it says to that; the session ends in any case */
    edge_client_leave(p);
    answers_left(p);
    return DIALECT_GO_ON;
}

static dialect_verdict on_joined_message(participant *p, const message_2 *m)
{
    switch (m->type) {
    case MESSAGE_2_LEAVE:
        return leave(p, m);
    case MESSAGE_2_PING:
        answers_pong(p);
        break;
    default:
        break;
    }
    forward(p, m, 0);
    return DIALECT_GO_ON;
}

static dialect_verdict on_unreadable(participant *p, const message_2 *m, int fault)
{
    if (m->has_n && participant_is_joined(p))
        forward(p, m, fault);
    else
        answers_error(p, answers_code_of((message_2_fault)fault), false);
    return rules_count_invalid(p);
}

static dialect_verdict on_message(participant *p, dialect_hall *hall, bool is_text, slice data)
{
    message_2 m;
    m.has_n = false;
    int fault = is_text ? message_2_decode(data, hall->limits->max_name_bytes, &m) : MESSAGE_2_INVALID;
    if (fault != 0)
        return on_unreadable(p, &m, fault);
    return participant_is_joined(p) ? on_joined_message(p, &m) : unjoined_message(p, &m, join);
}

/* ---- What the owner says ---- */

static void on_admitted(room_peer *peer)
{
    participant *p = participant_of_peer(peer);
    participant_log(LOG_INFO, log_namespace, "joined", p, NULL, 0);
    participant_host_of(p)->resume(p);
}

/* One that was in the room before two of them became one comes back, and asks again. */
static void on_refused(room_peer *peer, const room_member *was)
{
    participant *p = participant_of_peer(peer);
    if (!room_member_is_waiting(was)) {
        participant_end_it(p, PARTICIPANT_STOPS, "two rooms became one");
        return;
    }
    rules_report_refused(p);
    answers_error(p, ANSWER_ROOM_FULL, false);
    participant_host_of(p)->resume(p);
}

static void on_dropped(room_peer *peer)
{
    participant *p = participant_of_peer(peer);
    participant_host_of(p)->drop(p, PARTICIPANT_SILENT, "silent while a newcomer waited");
}

static void on_joined(participant *p, edge_client *c, slice extra)
{
    (void)p;
    c->completes_told = true;
    c->wants_ice = extra.len == 1 && extra.data[0] == REMOTE_2_WANTS_ICE;
}

/* "joined", with ICE servers of this node at its end. */
static void complete_told(participant *p, edge_client *c, slice json)
{
    const participant_host *host = participant_host_of(p);
    char *servers = c->wants_ice ? host->ice_servers(p) : NULL;
    c->completes_told = c->wants_ice = false;
    if (servers == NULL || json.len == 0) {
        (void)participant_say(p, json);
        free(servers);
        return;
    }
    const struct iovec parts[] = {
        slice_to_iovec((slice){json.data, json.len - 1}),
        slice_to_iovec(SLICE_LITERAL(",\"iceServers\":")),
        slice_to_iovec(slice_of_text(servers)),
        slice_to_iovec(SLICE_LITERAL("}")),
    };
    (void)host->send(p, parts, 4);
    free(servers);
}

static void on_queue_full(participant *p)
{
    participant_host_of(p)->give_up(p); /* as where a message can't go on its way */
}

/* ---- The connection ---- */

static void on_pong(participant *p)
{
    if (participant_is_joined(p))
        edge_client_alive(p);
}

static void on_end(participant *p, bool is_fault)
{
    if (p->peer.member != NULL)
        edge_client_lose(p, is_fault);
}

static void *open_hall(const dialect *d, dialect_hall *hall)
{
    return seat_house_open_for(&remote_seat_holder, d, hall);
}

const dialect dialect_2_edge = {
    .face =
        {
            .on_admitted = on_admitted,
            .on_refused = on_refused,
            .on_dropped = on_dropped,
            .kinds = SEAT_PEER_KINDS,
            .version = 2,
        },
    .name = "2",
    .subprotocol = "homecall.2",
    .tells_ice_servers = true,
    .on_message = on_message,
    .on_pong = on_pong,
    .on_ping = answers_tick,
    .on_end = on_end,
    .say_goodbye = unjoined_goodbye,
    .open_hall = open_hall,
    .close_hall = seat_house_close,
    .next_due_ms = seat_house_next_due_ms,
    .tick = seat_house_tick,
    .remote = &remote_2,
    .comes_back = true,
    .on_queue_full_there = on_queue_full,
    .on_joined_there = on_joined,
    .complete_told = complete_told,
};
