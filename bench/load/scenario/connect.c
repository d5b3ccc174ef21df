/* Short connections: TCP, TLS, upgrade, a join with --joined, close. An operation is one of them, until TCP
 * has ended in order. */
#include "scenario/scenario.h"

static void hang_up(user *u)
{
    user_close(u);
    LOAD_COUNT(u->thread, closes, 1);
}

static void on_open(user *u)
{
    load_time(u->thread, LATENCY_CONNECT, u->due_ns);
    if (u->thread->options->joined)
        user_join(u);
    if (!user_is_joining(u))
        hang_up(u);
}

static void on_joined(user *u, bool is_anew)
{
    (void)is_anew;
    if (!u->is_starting && u->thread->phase < PHASE_CLOSE)
        hang_up(u);
}

static void on_end(user *u, uint16_t code, const char *why)
{
    if (code != WS_CLOSE_NORMAL) {
        load_fault(u->thread, "%s was not closed in order: %s (close code %u)", u->name, why, code);
        return;
    }
    load_end(u->thread, u->due_ns);
    load_rest(u);
}

const scenario scenario_connect = {
    .name = "connect",
    .operation = "connection",
    .help = "TCP, TLS, upgrade, join, close; N at once",
    .can_join_by_connecting = true,
    .users = scenario_users_are_connections,
    .signal_size = scenario_call_signal_size,
    .in_flight = scenario_has_none_in_flight,
    .count = scenario_count_is_asked_for,
    .connects_first = scenario_never,
    .begin = scenario_connect_anew,
    .may_rest = scenario_everybody,
    .events = {.on_open = on_open, .on_joined = on_joined, .on_end = on_end},
};
