/* Scenario: what the users of a run do. Each is one table like this; load.c and run.c use nothing else of it.
 * All functions that get a user or a thread are called on that thread. */
#ifndef HOMECALL_BENCH_SCENARIO_H
#define HOMECALL_BENCH_SCENARIO_H

#include "load.h"

struct scenario {
    const char *name;
    const char *operation;       /* what is counted and timed, in the singular */
    const char *help;            /* for --help */
    bool can_join_by_connecting; /* it can be used with a dialect that joins by connecting */
    bool outlives_refusals;      /* its users try again when the server refuses them: no fault */
    bool has_losses;             /* its users lose connections and come back under their names */
    bool has_poisson_arrivals; /* in an open loop, operations are due at random times, not at regular ones */

    /* How many operations a second are due if there is no --rate. NULL = a closed loop. */
    double (*default_rate)(const load_options *o);
    /* How many users it has in the whole run. The first two are a pair, and so on. */
    uint64_t (*users)(const load_options *o);
    /* The size of a signal of this kind, in bytes. */
    size_t (*signal_size)(const load_options *o, load_kind kind);
    /* How many signals of one user may be under way at most. */
    uint32_t (*in_flight)(const load_options *o);
    /* Prepare a thread, whose users have no connection yet. 0 or -errno. May be NULL. */
    int (*init)(load_thread *t);
    /* Free what init() made, also after init() has failed. May be NULL. */
    void (*deinit)(load_thread *t);
    /* After how many operations a run ends; 0 = it ends after a time. */
    uint64_t (*count)(const load_options *o);
    /* Do the users connect before the load? Do they also join? NULL = yes. */
    bool (*connects_first)(const load_options *o);
    bool (*joins_first)(const load_options *o);
    /* Start an operation, which was due at `due_ns`. NULL = there are no operations, only connections. */
    void (*begin)(user *u, uint64_t due_ns);
    /* May this user start an operation when the load starts? Later, the scenario calls load_rest(). */
    bool (*may_rest)(const user *u);
    /* Send the next message; false when that was the last one for now. Called in each turn for a user for
     * whom load_speak() was called. May be NULL if that is never called. */
    bool (*speak)(user *u);
    user_events events;
};

extern const scenario *const scenarios[];
extern const size_t scenario_count;

/* The scenario of this name; NULL if there is none. */
const scenario *scenario_find(const char *name);

/* Functions that several scenarios have in their tables. */
uint64_t scenario_users_are_pairs(const load_options *o);
uint64_t scenario_users_are_connections(const load_options *o);
uint64_t scenario_count_is_asked_for(const load_options *o);
uint32_t scenario_has_none_in_flight(const load_options *o);
size_t scenario_call_signal_size(const load_options *o, load_kind kind);
bool scenario_never(const load_options *o);
bool scenario_if_joined(const load_options *o);
bool scenario_everybody(const user *u);
bool scenario_callers(const user *u);    /* is it the first of its pair? */
user *scenario_caller_of(user *u);       /* the first of its pair */
size_t scenario_place_of(const user *u); /* its index among the scenario's users on its thread */

/* For `begin`: start an operation by connecting. */
void scenario_connect_anew(user *u, uint64_t due_ns);

extern const scenario scenario_call, scenario_relay, scenario_idle, scenario_connect, scenario_storm,
    scenario_mixed, scenario_rejoin, scenario_churn;

#endif
