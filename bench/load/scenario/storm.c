/* All users connect at once, and once more after the server was restarted. An operation is a connection,
 * until it is upgraded, with --joined has joined, and the server has handled that. Its time starts when the
 * load starts, or in the second storm when the connection was lost.
 *
 * With sessions and --joined, a share of the connections (--loss) is cut as soon as it is complete, and comes
 * back by its token a little later: the operation is the second connection. */
#include "scenario/scenario.h"

#include <errno.h>
#include <stdlib.h>

/* When a client is refused, it tries again after a random time between this and twice as much. */
enum { RETRY_MS = 50 };

static uint64_t count(const load_options *o)
{
    return o->connections * (o->restart != NULL ? 2 : 1);
}

static void on_retry(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    user *u = arg;
    if (u->thread->phase >= PHASE_CLOSE)
        return;
    if (u->has_been_cut)
        u->due_ns = ws_client_clock_ns();
    user_connect(u);
}

/* The scenario's data is a timer for each user, which fires when it shall try again. */
static int init(load_thread *t)
{
    struct event *retries = calloc(t->actors + 1, sizeof(*retries));
    if (retries == NULL)
        return -ENOMEM;
    for (size_t i = 0; i < t->actors; i++)
        evtimer_assign(&retries[i], t->clients.base, on_retry, &t->users[t->primers + i]);
    t->data = retries;
    return 0;
}

static void deinit(load_thread *t)
{
    struct event *retries = t->data;
    for (size_t i = 0; retries != NULL && i < t->actors; i++)
        evtimer_del(&retries[i]);
    free(retries);
}

static void on_open(user *u)
{
    load_time(u->thread, LATENCY_CONNECT, u->due_ns);
    if (u->thread->options->joined)
        user_join(u);
    user_settle(u);
}

/* Try again after a while. */
static void wait_to_connect(user *u, uint64_t wait_us)
{
    struct timeval wait = {.tv_sec = (time_t)(wait_us / 1000000),
                           .tv_usec = (suseconds_t)(wait_us % 1000000)};
    evtimer_add(&((struct event *)u->thread->data)[scenario_place_of(u)], &wait);
}

/* Is this one of the sessions whose connection is cut once? If so, do it. */
static bool is_cut(user *u)
{
    load_thread *t = u->thread;
    double draw = (double)(ws_client_random(&t->clients) >> 11) / 9007199254740992.0;
    if (u->two == NULL || !t->options->joined || u->has_been_cut || draw >= t->options->loss)
        return false;
    u->has_been_cut = true;
    user_lose(u);
    wait_to_connect(u, ws_client_random(&t->clients) % (2 * RETRY_MS * 1000));
    return true;
}

/* protocol/README.md, "Coming back": who was sent away by "goaway" comes back after the time that it has
 * told. */
static void begin(user *u, uint64_t due_ns)
{
    if (u->two == NULL || u->two->wait_ms == 0) {
        scenario_connect_anew(u, due_ns);
        return;
    }
    u->due_ns = due_ns;
    wait_to_connect(u, u->two->wait_ms * 1000);
    u->two->wait_ms = 0;
}

static void on_settled(user *u)
{
    if (is_cut(u))
        return;
    load_end(u->thread, u->due_ns);
    u->step = 1; /* the connection is complete */
}

/* The connection was refused, or the server was restarted. */
static void on_end(user *u, uint16_t code, const char *why)
{
    load_thread *t = u->thread;
    if (t->options->restart == NULL && code != 0) {
        user_fault_lost(u, code, why);
        return;
    }
    if (u->step == 1) { /* it was complete: start the second storm for it */
        u->step = 0;
        load_rest(u);
        return;
    }
    LOAD_COUNT(t, retries, 1);
    wait_to_connect(u, RETRY_MS * 1000 + ws_client_random(&t->clients) % (RETRY_MS * 1000));
}

const scenario scenario_storm = {
    .name = "storm",
    .operation = "connection",
    .help = "N clients at once, and again after --restart",
    .can_join_by_connecting = true,
    .outlives_refusals = true,
    .users = scenario_users_are_connections,
    .signal_size = scenario_call_signal_size,
    .in_flight = scenario_has_none_in_flight,
    .count = count,
    .connects_first = scenario_never,
    .init = init,
    .deinit = deinit,
    .begin = begin,
    .may_rest = scenario_everybody,
    .events = {.on_open = on_open, .on_settled = on_settled, .on_end = on_end},
};
