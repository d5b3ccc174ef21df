/* Traffic as on an ordinary day. Most users are connected and idle. Calls start at random times (a Poisson
 * process). A callee takes a moment to answer, candidates come one after the other, and the two talk for a
 * while. Some users lose their connection during a call, come back under the same name, and negotiate again.
 * One with a session loses it at any moment of the call and resumes; what the two have to say goes on.
 * An operation is the set-up of a call, from when it was due until the last signal of both has arrived. */
#include "scenario/scenario.h"

#include <errno.h>
#include <stdlib.h>

/* The means of the times, which are exponentially distributed: until the callee answers, between two
 * candidates, and until a lost user comes back. */
enum { PICK_UP_MS = 500, TRICKLE_MS = 10, RETURN_MS = 300 };

/* The steps of a user's script in a negotiation. From the last one on, each step is a candidate. */
enum { SAYS_JOIN, SAYS_DESCRIPTION, SAYS_CANDIDATES };

/* What a user does when its timer fires. */
typedef enum plan { PLAN_NOTHING, PLAN_SAY, PLAN_END_TALK, PLAN_RETURN } plan;

typedef struct party {
    struct event timer;
    struct event loss; /* with sessions: its connection is lost, or comes back */
    user *user;        /* borrowed */
    plan plan;         /* what `timer` is set for */
    bool offers;       /* it sends the offer in the current negotiation, and its peer answers */
    bool has_offer; /* the peer's offer has come. That may be before its own join, while an old leave is still
                       on its way. */
    bool was_lost;  /* it was lost in this call, and is not lost a second time */
    bool is_talking; /* of the caller: the call is set up */
} party;

static party *party_of(const user *u)
{
    party *parties = u->thread->data;
    return &parties[scenario_place_of(u)];
}

static void plan_for(user *u, plan what, double mean_ms)
{
    party *p = party_of(u);
    double wait_us = pacer_exponential(mean_ms * 1000, ws_client_random(&u->thread->clients));
    struct timeval wait = {.tv_sec = (time_t)(wait_us / 1e6),
                           .tv_usec = (suseconds_t)((uint64_t)wait_us % 1000000)};
    p->plan = what;
    evtimer_add(&p->timer, &wait);
}

static bool has_said_all(const user *u)
{
    return u->step == SAYS_CANDIDATES + u->thread->options->candidates;
}

/* ---- A call ---- */

/* Start a negotiation: `u` sends the offer, and its peer answers. A peer that is in the room does not join
 * again. */
static void negotiate(user *u)
{
    user *answerer = u->peer;
    u->step = u->is_in_room ? SAYS_DESCRIPTION : SAYS_JOIN;
    answerer->step = answerer->is_in_room ? SAYS_DESCRIPTION : SAYS_JOIN;
    party_of(u)->offers = true;
    party_of(answerer)->offers = false;
    party_of(answerer)->has_offer = false;
    plan_for(u, PLAN_SAY, 0);
    if (!answerer->is_in_room)
        plan_for(answerer, PLAN_SAY, PICK_UP_MS);
}

/* A random number from 0 to 1. */
static double draw_of(load_thread *t)
{
    return (double)(ws_client_random(&t->clients) >> 11) / 9007199254740992.0;
}

/* Set the timer of a loss, or of the return from one. */
static void plan_loss(user *u, double mean_ms)
{
    double wait_us = pacer_exponential(mean_ms * 1000, ws_client_random(&u->thread->clients));
    struct timeval wait = {.tv_sec = (time_t)(wait_us / 1e6),
                           .tv_usec = (suseconds_t)((uint64_t)wait_us % 1000000)};
    evtimer_add(&party_of(u)->loss, &wait);
}

/* In a share of the calls one of the two loses its connection, at any moment from now on. */
static void plan_cut(user *caller)
{
    const load_options *o = caller->thread->options;
    double draw = draw_of(caller->thread);
    user *u = draw < o->loss / 2 ? caller : caller->peer;
    if (u->two != NULL && draw < o->loss)
        plan_loss(u, PICK_UP_MS + o->talk_seconds * 1000);
}

static void begin(user *caller, uint64_t due_ns)
{
    caller->due_ns = due_ns;
    plan_cut(caller);
    for (int i = 0; i < 2; i++) {
        party *p = party_of(i == 0 ? caller : caller->peer);
        p->was_lost = false;
        p->is_talking = false;
    }
    negotiate(caller);
}

static void end_if_negotiated(user *u)
{
    user *caller = scenario_caller_of(u);
    bool is_over =
        has_said_all(u) && has_said_all(u->peer) && user_under_way(u) == 0 && user_under_way(u->peer) == 0;
    if (!is_over)
        return;
    if (!party_of(caller)->is_talking)
        load_end(u->thread, caller->due_ns);
    party_of(caller)->is_talking = true;
    plan_for(caller, PLAN_END_TALK, u->thread->options->talk_seconds * 1000);
}

/* Send the next message of the user's script, and plan the one after it. */
static void say(user *u)
{
    uint32_t step = u->step++;
    bool is_offer = step == SAYS_DESCRIPTION && party_of(u)->offers;
    /* What is sent before the peer has joined is queued, and its time is not measured. */
    uint64_t at_ns = u->peer->is_in_room ? ws_client_clock_ns() : 0;
    if (step == SAYS_JOIN)
        user_join(u);
    else if (step == SAYS_DESCRIPTION)
        user_send(u, is_offer ? LOAD_OFFER : LOAD_ANSWER, at_ns);
    else
        user_send(u, LOAD_CANDIDATE, at_ns);

    bool waits_for_offer = step == SAYS_JOIN && !party_of(u)->offers && !party_of(u)->has_offer;
    if (has_said_all(u))
        end_if_negotiated(u);
    else if (!waits_for_offer)
        plan_for(u, PLAN_SAY, step == SAYS_JOIN ? 0 : TRICKLE_MS);
}

static void on_signal(user *u, load_kind kind)
{
    if (kind == LOAD_HANGUP)
        return;
    if (kind == LOAD_OFFER)
        party_of(u)->has_offer = true;
    if (kind == LOAD_OFFER && u->step != SAYS_JOIN)
        plan_for(u, PLAN_SAY, TRICKLE_MS);
    end_if_negotiated(u);
}

static bool is_connected(const user *u)
{
    return u->client.state == WS_CLIENT_OPEN && !user_is_joining(u);
}

static void hang_up(user *caller)
{
    if (!is_connected(caller) || !is_connected(caller->peer)) { /* not before it can say so */
        plan_for(caller, PLAN_END_TALK, TRICKLE_MS);
        return;
    }
    evtimer_del(&party_of(caller)->loss);
    evtimer_del(&party_of(caller->peer)->loss);
    user_hang_up(caller);
    user_leave(caller);
    user_leave(caller->peer);
    load_rest(caller);
}

/* ---- Loss ---- */

static void lose(user *u)
{
    party_of(u)->was_lost = true;
    user_lose(u);
    plan_for(u, PLAN_RETURN, RETURN_MS);
}

static void on_open(user *u)
{
    if (u->two != NULL)
        user_join(u); /* it resumes, and on_joined() goes on */
    else
        negotiate(u);
}

/* Where the session is lost as well, the two begin once more. */
static void on_joined(user *u, bool is_anew)
{
    if (is_anew && u->thread->phase < PHASE_CLOSE)
        negotiate(u);
}

/* With a session: lose the connection in a call, or come back. */
static void on_loss_time(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    user *u = ((party *)arg)->user;
    if (u->thread->phase >= PHASE_CLOSE)
        return;
    if (u->client.state == WS_CLIENT_ENDED) {
        user_connect(u);
    } else if (is_connected(u) && u->is_in_room) {
        user_lose(u);
        plan_loss(u, RETURN_MS);
    }
}

static void end_talk(user *caller)
{
    load_thread *t = caller->thread;
    party *p = party_of(caller);
    double draw = draw_of(t);
    if (!t->is_loaded)
        return;
    user *unlucky = draw < t->options->loss / 2 ? caller : caller->peer;
    bool was_lost = p->was_lost || party_of(caller->peer)->was_lost;
    if (was_lost || draw >= t->options->loss || unlucky->two != NULL) /* see plan_cut() */
        hang_up(caller);
    else
        lose(unlucky);
}

static void on_time(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    party *p = arg;
    plan due = p->plan;
    p->plan = PLAN_NOTHING;
    if (p->user->thread->phase >= PHASE_CLOSE)
        return;
    if (due == PLAN_SAY)
        say(p->user);
    else if (due == PLAN_END_TALK)
        end_talk(p->user);
    else if (due == PLAN_RETURN)
        user_connect(p->user);
}

/* ---- The scenario ---- */

static int init(load_thread *t)
{
    party *parties = calloc(t->actors + 1, sizeof(*parties));
    if (parties == NULL)
        return -ENOMEM;
    t->data = parties;
    for (size_t i = 0; i < t->actors; i++) {
        parties[i].user = &t->users[t->primers + i];
        evtimer_assign(&parties[i].timer, t->clients.base, on_time, &parties[i]);
        evtimer_assign(&parties[i].loss, t->clients.base, on_loss_time, &parties[i]);
    }
    return 0;
}

static void deinit(load_thread *t)
{
    party *parties = t->data;
    for (size_t i = 0; parties != NULL && i < t->actors; i++) {
        evtimer_del(&parties[i].timer);
        evtimer_del(&parties[i].loss);
    }
    free(parties);
}

static uint32_t in_flight(const load_options *o)
{
    return 2 * ((uint32_t)o->candidates + 2); /* with a hangup, and once more after a loss */
}

/* On average, each pair calls once a minute. That is a busy time, for which a server must be large enough. */
static double default_rate(const load_options *o)
{
    return (double)o->pairs / 60;
}

const scenario scenario_mixed = {
    .name = "mixed",
    .operation = "call",
    .help = "a day's traffic: mostly idle, calls at random, losses, returns",
    .can_join_by_connecting = true,
    .has_losses = true,
    .has_poisson_arrivals = true,
    .default_rate = default_rate,
    .users = scenario_users_are_pairs,
    .signal_size = scenario_call_signal_size,
    .in_flight = in_flight,
    .count = scenario_count_is_asked_for,
    .joins_first = scenario_never,
    .init = init,
    .deinit = deinit,
    .begin = begin,
    .may_rest = scenario_callers,
    .events = {.on_open = on_open, .on_joined = on_joined, .on_signal = on_signal},
};
