/* Joined users that join another room, again and again. An operation is a join, until the server has handled
 * it. If a server divides its rooms among threads, most joins move the connection to another thread. */
#include "scenario/scenario.h"

static void begin(user *u, uint64_t due_ns)
{
    u->due_ns = due_ns;
    user_choose_room(u, ++u->number);
    user_join(u);
    user_settle(u);
}

static void on_settled(user *u)
{
    if (u->number == 0) /* this belongs to its first join, before the load */
        return;
    load_end(u->thread, u->due_ns);
    load_rest(u);
}

const scenario scenario_rejoin = {
    .name = "rejoin",
    .operation = "join",
    .help = "N joined connections go on to another room again and again",
    .users = scenario_users_are_connections,
    .signal_size = scenario_call_signal_size,
    .in_flight = scenario_has_none_in_flight,
    .count = scenario_count_is_asked_for,
    .begin = begin,
    .may_rest = scenario_everybody,
    .events = {.on_settled = on_settled},
};
