/* Courier pulse: how long the engine takes to answer. It is asked once a second, on a thread of its own,
 * since a question waits for its answer: the courier never does. Internal to courier.c. */
#ifndef HOMECALL_CLUSTER_COURIER_PULSE_H
#define HOMECALL_CLUSTER_COURIER_PULSE_H

#include "base/counter_histogram.h"

#include <nats/nats.h>

enum {
    COURIER_PULSE_EVERY_MS = 1000,
    COURIER_PULSE_LONGEST_MS = 3000, /* an engine that does not answer within this is away soon */
};

typedef struct courier_pulse courier_pulse;

/* A pulse without a connection, whose thread does not run yet. 0 and it in *out, owned by the caller; or
 * -errno. */
int courier_pulse_new(courier_pulse **out);
int courier_pulse_start(courier_pulse *p);

/* From now on this connection is asked; NULL = none. When this returns nobody uses the one before any more:
 * it was closed, so that is soon. The courier's thread. */
void courier_pulse_watch(courier_pulse *p, natsConnection *connection);

/* End the thread, which is soon where no connection is watched. */
void courier_pulse_stop(courier_pulse *p);

/* Free it, when its thread has ended. NULL is legal. */
void courier_pulse_free(courier_pulse *p);

/* How long the answers took, in microseconds. Borrowed; any thread reads it. */
const counter_histogram *courier_pulse_round_trips(const courier_pulse *p);

#endif
