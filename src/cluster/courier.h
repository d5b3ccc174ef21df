/* Courier: the thread that speaks with the engine, for all of a node. The one part that knows libnats.
 *
 * It ticks the core when something is due, and publishes what the core has to say. What comes goes to the
 * core from the thread of the library that delivers it. A publish may block for some seconds while the engine
 * stands still; so nobody waits for the courier, and it holds no mutex meanwhile.
 *
 * A build without libnats has the same functions, which find that there is no engine (courier_none.c). */
#ifndef HOMECALL_CLUSTER_COURIER_H
#define HOMECALL_CLUSTER_COURIER_H

#include "cluster/cluster_settings.h"
#include "cluster/node_core.h"

enum {
    COURIER_FAULT_CAP = 800,
    COURIER_LAST_WORDS_MS = 1000, /* the longest time for what is to be said at the end */
    COURIER_HEADROOM = 8192,      /* what the payload of a packet is longer than the message of a client */
};

typedef struct courier courier;

/* Was libnats there when this was built? */
extern const bool courier_exists;

typedef enum courier_answer {
    COURIER_OK,
    COURIER_AWAY,    /* nobody answers: it may come later */
    COURIER_REFUSED, /* the settings or those of the engine are wrong */
} courier_answer;

/* Try the engine: sign in, look how long a payload may be, and whether we may say and hear what we need.
 * `payload` is the longest that must go. Blocks for some seconds at most. `fault` says what is wrong; no
 * password is in it. Any thread. */
courier_answer courier_try(const cluster_settings *settings, const cluster_secrets *secrets, size_t payload,
                           char fault[COURIER_FAULT_CAP]);

/* A courier for this core, whose thread does not run yet. All is borrowed until its end. 0 or -errno. */
int courier_new(node_core *core, const cluster_settings *settings, const cluster_secrets *secrets,
                courier **out);

/* Start its thread, which connects, and again whenever it must, as long as it runs. 0 or -errno. */
int courier_start(courier *c);

/* Wake it: node_core_options.wake_courier. Any thread. */
void courier_wake(courier *c);

/* Say BYE, what else waits, and end; waits for the end of the thread. Nothing happens where it does not run.
 */
void courier_stop(courier *c);

/* Free it. NULL is legal. */
void courier_free(courier *c);

/* How long the engine took to answer when it was asked, which is once a second, in microseconds. Any thread.
 */
void courier_get_round_trips(const courier *c, counter_histogram *out);

#endif
