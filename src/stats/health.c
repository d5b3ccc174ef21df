#include "stats/health.h"

#include <inttypes.h>
#include <stdio.h>

/* How long one turn of a loop may take. Even at full load a turn takes milliseconds. A thread that needs a
 * second keeps calls waiting, and one that needs five seconds hangs. */
enum { BEHIND_US = 1000 * 1000, HANGS_US = 5 * 1000 * 1000 };

static bool object_to(health_objection *object, void *context, const char *reason)
{
    if (object != NULL)
        object(context, reason);
    return false;
}

/* How long the present turn of the thread has taken so far; 0 while the thread waits for something to do. */
static uint64_t turn_age_us(const snapshot *s, const snapshot_thread *thread)
{
    uint64_t began_us = counter_get(&thread->counters.loop.turn_started_us);
    return began_us != 0 && began_us < s->taken_us ? s->taken_us - began_us : 0;
}

/* Has every thread's present turn taken at most `limit_us` so far? */
static bool are_turns_within(const snapshot *s, uint64_t limit_us, const char *verdict,
                             health_objection *object, void *context)
{
    bool is_good = true;
    for (size_t i = 0; i < s->thread_count; i++) {
        const snapshot_thread *thread = &s->threads[i];
        uint64_t age_us = turn_age_us(s, thread);
        if (age_us <= limit_us)
            continue;
        char reason[96];
        snprintf(reason, sizeof(reason),
                 "%s %s: a turn of its loop has taken %" PRIu64 ".%" PRIu64 " s so far", thread->name,
                 verdict, age_us / 1000000, age_us % 1000000 / 100000);
        is_good = object_to(object, context, reason);
    }
    return is_good;
}

static bool are_threads_whole(const snapshot *s, health_objection *object, void *context)
{
    bool is_good = true;
    for (size_t i = 0; i < s->thread_count; i++) {
        if (!s->threads[i].has_failed)
            continue;
        char reason[64];
        snprintf(reason, sizeof(reason), "%s has failed and serves nobody", s->threads[i].name);
        is_good = object_to(object, context, reason);
    }
    return is_good;
}

/* Is every socket watched that connections are to be accepted from? */
static bool is_listening(const snapshot *s, health_objection *object, void *context)
{
    bool is_good = true;
    for (size_t i = 0; i < s->thread_count; i++) {
        const acceptor_counters *c = &s->threads[i].counters.acceptor;
        if (counter_get(&c->deaf_sockets) == 0)
            continue;
        char reason[96];
        snprintf(reason, sizeof(reason), "%s can't watch %" PRIu64 " of its %" PRIu64 " listening sockets",
                 s->threads[i].name, counter_get(&c->deaf_sockets), counter_get(&c->sockets));
        is_good = object_to(object, context, reason);
    }
    if (!s->is_draining && counter_get(&s->total.acceptor.sockets) == 0)
        is_good = object_to(object, context, "nobody listens");
    return is_good;
}

/* Is no thread overloaded, so that the server lets newcomers in? */
static bool is_letting_in(const snapshot *s, health_objection *object, void *context)
{
    bool is_good = true;
    for (size_t i = 0; i < s->thread_count; i++) {
        if (counter_get(&s->threads[i].counters.loop.overloaded_until_us) <= s->taken_us)
            continue;
        char reason[96];
        snprintf(reason, sizeof(reason), "%s is overloaded: its turns take too long (OVERLOAD_LAG_MS)",
                 s->threads[i].name);
        is_good = object_to(object, context, reason);
    }
    return is_good;
}

bool health_is_overloaded(const snapshot *s)
{
    return !is_letting_in(s, NULL, NULL);
}

bool health_is_live(const snapshot *s, health_objection *object, void *context)
{
    bool is_whole = are_threads_whole(s, object, context);
    return are_turns_within(s, HANGS_US, "hangs", object, context) && is_whole;
}

/* Can newcomers meet others here? */
static bool is_in_cluster(const snapshot *s, health_objection *object, void *context)
{
    if (s->cluster == NULL)
        return true;
    const node_core_counts *c = &s->cluster->counts;
    if (c->engine_joined == 0 && !c->opens_rooms)
        return object_to(object, context, "the engine of the cluster has not been there yet");
    if (c->is_hold_over && !c->opens_rooms)
        return object_to(object, context, "the engine of the cluster is away for CLUSTER_HOLD");
    return true;
}

bool health_is_ready(const snapshot *s, health_objection *object, void *context)
{
    bool is_good = true;
    if (s->is_draining)
        is_good = object_to(object, context, "draining");
    if (counter_get(&s->total.acceptor.is_short) != 0)
        is_good = object_to(object, context, "accepting pauses: descriptors or memory are used up");
    is_good = is_listening(s, object, context) && is_good;
    is_good = is_letting_in(s, object, context) && is_good;
    if (s->max_connections != 0 && snapshot_connections(s) >= s->max_connections)
        is_good = object_to(object, context, "MAX_CONNECTIONS is reached");
    if (s->budget_limit != 0 && s->budget_used > s->budget_limit / 16 * 15)
        is_good = object_to(object, context, "PENDING_MAX_TOTAL_BYTES is nearly used up");
    is_good = is_in_cluster(s, object, context) && is_good;
    is_good = are_threads_whole(s, object, context) && is_good;
    return are_turns_within(s, BEHIND_US, "is behind", object, context) && is_good;
}
