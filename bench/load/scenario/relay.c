/* The users of joined pairs send signals to each other. An operation is one signal, from when it is sent
 * until it arrives.
 *
 * In a closed loop W signals are under way in each pair: a user who gets one sends the next. With one pair
 * and W = 1, the time of an operation is the time that one signal takes through the server. In an open loop a
 * signal is sent whenever one is due, by all users in turn. */
#include "scenario/scenario.h"

/* In an open loop, a user that has so many signals under way sends no more for a while. A signal that is due
 * then is sent late, and its time includes the delay. */
enum { OPEN_LOOP_WINDOW = 1024 };

static uint32_t in_flight(const load_options *o)
{
    return o->rate > 0 ? OPEN_LOOP_WINDOW : (uint32_t)o->window;
}

static size_t signal_size(const load_options *o, load_kind kind)
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
    user_send(u, LOAD_CANDIDATE, due_ns);
    if (--u->credit > 0)
        load_rest(u);
}

static void on_signal(user *u, load_kind kind)
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
