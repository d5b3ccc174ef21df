/* Pairs that have joined pass signals to and fro. An operation is one signal, from its send to its arrival.
 *
 * In a closed loop W signals are under way in each pair, and whoever gets one sends the next: at one pair and
 * a window of one that is a ball between two walls, and its time is the way through the server. In an open
 * loop both users send when a signal is due, in turn over all pairs, whatever is under way. */
#include "scenario/scenario.h"

/* In an open loop a user that has this many under way waits; what is due meanwhile is late, and is timed so.
 */
enum { OPEN_LOOP_WINDOW = 1024 };

static uint32_t in_flight(const load_options *o)
{
    return o->rate > 0 ? OPEN_LOOP_WINDOW : (uint32_t)o->window;
}

static size_t signal_size(const load_options *o, signal_kind kind)
{
    (void)kind;
    return (size_t)o->size;
}

static int init(load_thread *t)
{
    for (size_t i = 0; i < t->actors; i++) {
        user *u = &t->users[t->primers + i];
        bool sends = t->options->rate > 0 || scenario_callers(u);
        u->credit = sends ? in_flight(t->options) : 0;
    }
    return 0;
}

static bool may_rest(const user *u)
{
    return u->credit > 0;
}

static void begin(user *u, uint64_t due_ns)
{
    user_send(u, SIGNAL_CANDIDATE, due_ns);
    if (--u->credit > 0)
        load_rest(u);
}

static void on_signal(user *u, signal_kind kind)
{
    (void)kind;
    user *from = u->peer;
    const sent_signal *arrived = &from->under_way[(from->arrived - 1) & (u->thread->ring_size - 1)];
    load_end(u->thread, arrived->at_ns);
    user *next = u->thread->options->rate > 0 ? from : u;
    next->credit++;
    load_rest(next);
}

const scenario scenario_relay = {
    .name = "relay",
    .operation = "signal",
    .help = "joined pairs, W signals of S bytes bounce between the users of each",
    .can_join_by_connecting = true,
    .users = scenario_users_are_pairs,
    .signal_size = signal_size,
    .in_flight = in_flight,
    .count = scenario_count_is_asked_for,
    .init = init,
    .begin = begin,
    .may_rest = may_rest,
    .events = {.on_signal = on_signal},
};
