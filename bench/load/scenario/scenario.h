/* A scenario: what the users of a run do. One row each; the engine (load.h, run.h) knows no more of it. */
#ifndef HOMECALL_BENCH_SCENARIO_H
#define HOMECALL_BENCH_SCENARIO_H

#include "load.h"

struct scenario {
    const char *name;
    const char *operation; /* singular: what is counted and timed */
    const char *help;
    bool can_join_by_connecting; /* makes sense where a connection is the membership */
    bool has_poisson_arrivals;   /* in an open loop; otherwise operations are due at even gaps */

    /* Operations a second where no rate is asked for; NULL = a closed loop then. */
    double (*default_rate)(const load_options *o);
    /* How many users it has in the whole run; they come in pairs. */
    uint64_t (*users)(const load_options *o);
    /* The size of a signal of this kind. */
    size_t (*signal_size)(const load_options *o, signal_kind kind);
    /* How many signals may be under way from one user. */
    uint32_t (*in_flight)(const load_options *o);
    /* Set the thread up: its users exist and have no connection yet. 0 or -errno. May be NULL. */
    int (*init)(load_thread *t);
    void (*deinit)(load_thread *t);
    /* How many operations make a run, where it is not the time that ends it; 0 = the time does. */
    uint64_t (*count)(const load_options *o);
    /* Do the users connect before the load begins, and do they join then? NULL = yes. */
    bool (*connects_first)(const load_options *o);
    bool (*joins_first)(const load_options *o);
    /* Begin an operation that was due then. NULL where connections are only held. */
    void (*begin)(user *u, uint64_t due_ns);
    /* May this user begin one as soon as there is load? Later on load_rest() says so. */
    bool (*may_rest)(const user *u);
    /* Say the next piece; false when that was the last. Of those for whom load_speak() was called. */
    bool (*speak)(user *u);
    user_events events;
};

extern const scenario *const scenarios[];
extern const size_t scenario_count;

/* NULL for an unknown name. */
const scenario *scenario_find(const char *name);

/* What is the same for several of them. */
uint64_t scenario_users_are_pairs(const load_options *o);
uint64_t scenario_users_are_connections(const load_options *o);
uint64_t scenario_count_is_asked_for(const load_options *o);
uint32_t scenario_has_none_in_flight(const load_options *o);
size_t scenario_call_signal_size(const load_options *o, signal_kind kind);
bool scenario_never(const load_options *o);
bool scenario_if_joined(const load_options *o);
bool scenario_everybody(const user *u);
bool scenario_callers(const user *u);    /* the first of each pair */
user *scenario_caller_of(user *u);       /* of its pair */
size_t scenario_place_of(const user *u); /* among the users of its thread that the scenario has */
/* Begin an operation that begins with a connection. */
void scenario_connect_anew(user *u, uint64_t due_ns);

extern const scenario scenario_call, scenario_relay, scenario_idle, scenario_connect, scenario_storm,
    scenario_mixed, scenario_rejoin;

#endif
