/* How libnats is to connect, from the settings of a cluster. Internal to courier.c and courier_try.c. */
#ifndef HOMECALL_CLUSTER_ENGINE_OPTIONS_H
#define HOMECALL_CLUSTER_ENGINE_OPTIONS_H

#include "cluster/cluster_settings.h"

#include <nats/nats.h>

enum {
    ENGINE_CONNECT_MS = 2000, /* the longest time for one try, and for a write */
    ENGINE_PING_MS = 1000,    /* so often the engine is asked whether it is there; at the third that is not
                                 answered it is away */
    ENGINE_RETRY_MS = 250,    /* between two tries to connect again */
};

/* Options for the servers of this list with commas, without callbacks. NATS_OK, and *out is the caller's. */
natsStatus engine_options_make(const cluster_settings *settings, const cluster_secrets *secrets, slice urls,
                               natsOptions **out);

#endif
