/* Idle connections, to measure what they cost. */
#include "scenario/scenario.h"

static uint64_t count(const load_options *o)
{
    (void)o;
    return 0;
}

const scenario scenario_idle = {
    .name = "idle",
    .operation = "connection",
    .help = "N connections, joined or not, held",
    .can_join_by_connecting = true,
    .users = scenario_users_are_connections,
    .signal_size = scenario_call_signal_size,
    .in_flight = scenario_has_none_in_flight,
    .count = count,
    .joins_first = scenario_if_joined,
};
