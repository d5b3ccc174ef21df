/* Admin: the HTTP port that shows a server to its operator (admin_pages.h).
 *
 * libevent's evhttp on a thread of its own, so that nothing that happens here keeps a worker waiting: the
 * numbers are read from the counters of the running threads, and whoever asks slowly, or not at all, only
 * keeps one of a bounded number of connections. Left out on purpose: TLS and passwords. It shows no names and
 * changes nothing, and belongs on a loopback or an inner network. */
#ifndef HOMECALL_ADMIN_ADMIN_H
#define HOMECALL_ADMIN_ADMIN_H

#include "net/event_base.h"
#include "stats/snapshot.h"

#include <stdbool.h>

typedef struct admin admin;

/* What it keeps open besides connections: a base, a wake-up, the socket, and two files of /proc. */
enum { ADMIN_DESCRIPTORS = NET_EVENT_BASE_DESCRIPTORS + 4 };

/* How many connections it has at once: a few scrapers, probes and views, each with one. More wait in the
 * kernel. */
enum { ADMIN_MAX_CONNECTIONS = 64 };

typedef struct admin_options {
    size_t thread_count; /* of the server */
    /* Fill in a snapshot, with its sum (snapshot_sum). On entry `threads` has room for `thread_count`, and
     * all else is zero. False where that fails: the request is answered with 500. On the admin's thread, up
     * to admin_stop(). */
    bool (*collect)(void *context, snapshot *out);
    void *context; /* borrowed: for collect */
} admin_options;

/* An admin that does not answer yet. `listen_fd` is a bound, non-blocking socket that does not listen yet; it
 * is the admin's from here on, also on failure. `options` is copied. 0 and the admin in *out, owned by the
 * caller; -ENOMEM; or -errno of listen() (-EADDRINUSE), net_event_base_new() or eventfd(). */
int admin_new(const admin_options *options, int listen_fd, admin **out);

/* Run its thread, with every signal blocked. 0 or -errno of pthread_create. */
int admin_start(admin *a);

/* End the thread, and wait for that: what is being sent is cut off. Legal before the start, and twice. Not
 * from the admin's thread. */
void admin_stop(admin *a);

/* Stop and free it. NULL is legal. */
void admin_free(admin *a);

#endif
