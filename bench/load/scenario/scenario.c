#include "scenario/scenario.h"

#include <string.h>

const scenario *const scenarios[] = {
    &scenario_call,  &scenario_relay, &scenario_idle,   &scenario_connect,
    &scenario_storm, &scenario_mixed, &scenario_rejoin, &scenario_churn,
};
const size_t scenario_count = sizeof(scenarios) / sizeof(scenarios[0]);

const scenario *scenario_find(const char *name)
{
    for (size_t i = 0; i < scenario_count; i++)
        if (strcmp(scenarios[i]->name, name) == 0)
            return scenarios[i];
    return NULL;
}

uint64_t scenario_users_are_pairs(const load_options *o)
{
    return o->pairs * 2;
}

uint64_t scenario_users_are_connections(const load_options *o)
{
    return o->connections;
}

uint64_t scenario_count_is_asked_for(const load_options *o)
{
    return o->count;
}

uint32_t scenario_has_none_in_flight(const load_options *o)
{
    (void)o;
    return 1;
}

size_t scenario_call_signal_size(const load_options *o, load_kind kind)
{
    return (size_t)(kind == LOAD_OFFER || kind == LOAD_ANSWER ? o->offer_size : o->candidate_size);
}

bool scenario_never(const load_options *o)
{
    (void)o;
    return false;
}

bool scenario_if_joined(const load_options *o)
{
    return o->joined;
}

bool scenario_everybody(const user *u)
{
    (void)u;
    return true;
}

bool scenario_callers(const user *u)
{
    return u->index % 2 == 0;
}

user *scenario_caller_of(user *u)
{
    return scenario_callers(u) ? u : u->peer;
}

size_t scenario_place_of(const user *u)
{
    return (size_t)(u - u->thread->users) - u->thread->primers;
}

void scenario_connect_anew(user *u, uint64_t due_ns)
{
    u->due_ns = due_ns;
    user_rename(u, ++u->number);
    user_connect(u);
}
