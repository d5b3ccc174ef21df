/* Connections that are killed at random, again and again, while signals go on. The users of joined pairs send
 * numbered signals to each other in an open loop. A connection lives for a random time, is reset without a
 * goodbye, and its user comes back after another one. An operation is a signal, until it has arrived.
 *
 * A user with a session resumes it, and sends on meanwhile: each signal must arrive once and in order, unless
 * the server has told that the session is lost. A user of version 1 sends only while it is connected. What
 * was on its way from it and to it when its connection was killed may be lost, as its rules say; it may not
 * come twice or out of order. */
#include "scenario/scenario.h"

#include <errno.h>
#include <stdlib.h>

/* How many signals a user has under way at most: fewer than a queue and an outbox of the server take. */
enum { WINDOW = 32 };

/* How long a user is away, on average; the time is exponentially distributed. */
enum { AWAY_MS = 200 };

/* So many signals a second are due for each pair if there is no --rate. */
enum { RATE_OF_A_PAIR = 10 };

typedef struct mortal {
    struct event timer; /* the connection is killed, or made anew */
    user *user;         /* borrowed */
} mortal;

static mortal *mortal_of(const user *u)
{
    mortal *all = u->thread->data;
    return &all[scenario_place_of(u)];
}

static void wait_for(mortal *m, double mean_ms)
{
    double wait_us = pacer_exponential(mean_ms * 1000, ws_client_random(&m->user->thread->clients));
    struct timeval wait = {.tv_sec = (time_t)(wait_us / 1e6),
                           .tv_usec = (suseconds_t)((uint64_t)wait_us % 1000000)};
    evtimer_add(&m->timer, &wait);
}

/* ---- Signals ---- */

/* May it send now? One without a session must be in its room for that. */
static bool may_send(const user *u)
{
    return u->credit > 0 && (u->two != NULL || u->is_in_room);
}

static void begin(user *u, uint64_t due_ns)
{
    user_send(u, LOAD_CANDIDATE, due_ns);
    u->credit--;
    if (may_send(u))
        load_rest(u);
}

static void give_credit(user *u, uint32_t count)
{
    u->credit = u->credit + count < WINDOW ? u->credit + count : WINDOW;
    if (may_send(u))
        load_rest(u);
}

static void on_signal(user *u, load_kind kind)
{
    (void)kind;
    user *from = u->peer;
    const sent_signal *arrived = &from->under_way[(from->arrived - 1) & (u->thread->ring_size - 1)];
    load_end(u->thread, arrived->at_ns);
    give_credit(from, 1);
}

static void on_lost(user *from, uint32_t count)
{
    from->thread->active -= count;
    give_credit(from, count);
}

/* Send one more signal: by its arrival it shows whether those before it are lost. */
static void send_mark(user *u)
{
    bool can_send = u->two != NULL || u->is_in_room;
    if (!can_send || user_under_way(u) == 0 || user_under_way(u) + 1 >= u->thread->ring_size)
        return;
    u->thread->active++;
    user_send(u, LOAD_CANDIDATE, u->thread->clients.now_ns);
}

/* ---- Connections ---- */

/* Its last words: some that the server may have read when the connection is reset, and some that never get
 * so far. A user with a session has to send the latter again, and may have to send the former. */
static void say_last_words(user *u)
{
    enum { LAST_WORDS = 4 };
    for (int i = 0; i < LAST_WORDS && u->credit > 0; i++) {
        u->credit--;
        u->thread->active++;
        user_send(u, LOAD_CANDIDATE, u->thread->clients.now_ns);
        if (i == LAST_WORDS / 2 - 1)
            ws_client_flush(&u->client);
    }
}

static void kill_connection(user *u)
{
    if (may_send(u))
        say_last_words(u);
    if (u->is_resting) {
        TAILQ_REMOVE(&u->thread->resting, u, link);
        u->is_resting = false;
    }
    user_lose(u);
    if (u->two == NULL) {
        user_excuse_losses(u);
        u->peer->excused = UINT32_MAX; /* until it is in the room again: the server may notice late */
    } else if (may_send(u)) {
        load_rest(u);
    }
    wait_for(mortal_of(u), AWAY_MS);
}

static void on_time(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    mortal *m = arg;
    user *u = m->user;
    if (u->thread->phase >= PHASE_CLOSE)
        return;
    if (u->client.state == WS_CLIENT_ENDED && !u->is_starting && u->thread->phase > PHASE_SETUP)
        user_connect(u);
    else if (u->client.state == WS_CLIENT_OPEN && u->thread->is_loaded)
        kill_connection(u);
    if (!evtimer_pending(&m->timer, NULL))
        wait_for(m, u->thread->options->life_seconds * 1000);
}

static void on_open(user *u)
{
    user_join(u);
    user_settle(u);
}

/* It is in its room again. */
static void on_settled(user *u)
{
    if (u->two == NULL && u->thread->phase > PHASE_SETUP) {
        u->peer->excused = 0;
        user_excuse_losses(u);
        send_mark(u->peer);
        send_mark(u);
    }
    if (u->thread->is_loaded && may_send(u))
        load_rest(u);
}

static void on_joined(user *u, bool is_anew)
{
    if (!is_anew)
        return;
    send_mark(u);
    send_mark(u->peer);
}

/* ---- The scenario ---- */

static int init(load_thread *t)
{
    mortal *all = calloc(t->actors + 1, sizeof(*all));
    if (all == NULL)
        return -ENOMEM;
    t->data = all;
    for (size_t i = 0; i < t->actors; i++) {
        all[i].user = &t->users[t->primers + i];
        all[i].user->credit = WINDOW;
        evtimer_assign(&all[i].timer, t->clients.base, on_time, &all[i]);
        wait_for(&all[i], t->options->life_seconds * 1000);
    }
    return 0;
}

static void deinit(load_thread *t)
{
    mortal *all = t->data;
    for (size_t i = 0; all != NULL && i < t->actors; i++)
        evtimer_del(&all[i].timer);
    free(all);
}

static uint32_t in_flight(const load_options *o)
{
    (void)o;
    return 2 * WINDOW; /* and the marks */
}

static size_t signal_size(const load_options *o, load_kind kind)
{
    (void)kind;
    return (size_t)o->size;
}

static double default_rate(const load_options *o)
{
    return (double)o->pairs * RATE_OF_A_PAIR;
}

const scenario scenario_churn = {
    .name = "churn",
    .operation = "signal",
    .help = "signals go on while connections are killed at random and come back",
    .has_losses = true,
    .has_poisson_arrivals = true,
    .default_rate = default_rate,
    .users = scenario_users_are_pairs,
    .signal_size = signal_size,
    .in_flight = in_flight,
    .count = scenario_count_is_asked_for,
    .init = init,
    .deinit = deinit,
    .begin = begin,
    .may_rest = may_send,
    .events = {.on_open = on_open,
               .on_joined = on_joined,
               .on_settled = on_settled,
               .on_signal = on_signal,
               .on_lost = on_lost},
};
