/* What an admin port is made for: see admin_new(). */
#ifndef HOMECALL_ADMIN_ADMIN_OPTIONS_H
#define HOMECALL_ADMIN_ADMIN_OPTIONS_H

#include "admin/admin_hosts.h"
#include "stats/snapshot.h"

#include <stdbool.h>

typedef struct admin_options {
    size_t thread_count;    /* of the server */
    admin_host_rules hosts; /* under which names it answers; the texts outlive the admin */
    /* Fill in a snapshot, with its sum (snapshot_sum). On entry `threads` has space for `thread_count` of
     * them, and everything else is zero. On false the request is answered with 500. Called on the admin's
     * thread, until admin_stop() returns. */
    bool (*collect)(void *context, snapshot *out);
    void *context; /* borrowed: for collect */
} admin_options;

#endif
