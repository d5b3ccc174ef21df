/* Admin: the HTTP port that shows a server to its operator (admin_pages.h).
 *
 * It has a thread of its own, so no worker ever waits for it. The numbers are read from the counters of the
 * running threads. A client that is slow or silent keeps no other from an answer (admin_connections.h). Left
 * out on purpose: TLS and passwords. The port shows no names and changes nothing,
 * and belongs on a loopback or an inner network. What keeps the pages of strangers from reading it there is
 * in admin_hosts.h. */
#ifndef HOMECALL_ADMIN_ADMIN_H
#define HOMECALL_ADMIN_ADMIN_H

#include "admin/admin_options.h"
#include "net/event_base.h"

#include <stddef.h>

typedef struct admin admin;

/* What it keeps open besides connections and the sockets that it is given: a base, a wake-up, and two files
 * of /proc. */
enum { ADMIN_DESCRIPTORS = NET_EVENT_BASE_DESCRIPTORS + 3 };

/* How many sockets it takes: more than there are addresses that a name stands for. */
enum { ADMIN_MAX_SOCKETS = 32 };

/* An admin that does not answer yet. `listen_fds` are `count` bound, non-blocking sockets that don't listen
 * yet, at least one and at most ADMIN_MAX_SOCKETS; they are the admin's from here on, also on failure.
 * `options` is copied, but not the texts of its hosts. 0 and the admin in *out, owned by the caller; -ENOMEM;
 * or -errno of listen()
 * (-EADDRINUSE), net_event_base_new() or eventfd(). */
int admin_new(const admin_options *options, const int *listen_fds, size_t count, admin **out);

/* Start its thread. 0 or -errno of thread_start(). */
int admin_start(admin *a);

/* The sockets that it listens on, lent; returns how many. Any thread. */
size_t admin_get_sockets(const admin *a, int fds[ADMIN_MAX_SOCKETS]);

/* Accept nobody any more, since another process serves the same sockets. Open connections are still answered.
 * Any thread. */
void admin_retire(admin *a);

/* End the thread, and wait for its end. An answer that is being sent is cut off. May be called before the
 * start, and twice. Not from the admin's thread. */
void admin_stop(admin *a);

/* Stop and free it. NULL is allowed. */
void admin_free(admin *a);

#endif
