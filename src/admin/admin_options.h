/* What an admin port is made for: see admin_new(). */
#ifndef HOMECALL_ADMIN_ADMIN_OPTIONS_H
#define HOMECALL_ADMIN_ADMIN_OPTIONS_H

#include "admin/admin_hosts.h"
#include "stats/snapshot.h"

#include <stdbool.h>
#include <stdint.h>

/* A request is sent at once, and its answer takes milliseconds. Nobody needs longer. */
enum { ADMIN_REQUEST_TIMEOUT_MS = 10 * 1000 };

/* Scrapers keep a connection from one scrape to the next, which is often a minute. */
enum { ADMIN_IDLE_TIMEOUT_MS = 75 * 1000 };

typedef struct admin_options {
    size_t thread_count;         /* of the server */
    bool is_in_cluster;          /* there is space for that in a snapshot */
    admin_host_rules hosts;      /* under which names it answers; the texts outlive the admin */
    uint32_t request_timeout_ms; /* a request must be read and answered within this; at least 1 */
    uint32_t idle_timeout_ms;    /* how long a connection may stay without another one; at least 1 */
    /* Fill in a snapshot, with its sum (snapshot_sum). On entry `threads` has space for `thread_count` of
     * them, and everything else is zero. `space` is for what there is of a cluster, or NULL. On false the
     * request is answered with 500. Called on the admin's thread, until admin_stop() returns. */
    bool (*collect)(void *context, snapshot *out, snapshot_cluster *space);
    void *context; /* borrowed: for collect */
} admin_options;

#endif
