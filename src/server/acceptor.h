/* Acceptor: the thread that listens, and the lobby: it shakes hands and keeps the connections that have not
 * joined. */
#ifndef HOMECALL_SERVER_ACCEPTOR_H
#define HOMECALL_SERVER_ACCEPTOR_H

#include "server/admission.h"
#include "server/io_thread.h"

#include <event2/listener.h>

typedef struct acceptor {
    io_thread thread;
    struct evconnlistener *listener; /* owned; NULL once a drain has begun */
    struct event *retry;             /* owned: the end of a pause, or of the probation after it */
    admission *admission;            /* borrowed, shared */
    gate_counters counters;
    uint64_t next_id; /* of the next connection */
    uint64_t id_step; /* so that the acceptors of a server never give the same */
    bool is_short;    /* descriptors or memory are used up, or were a moment ago */
    bool is_paused;   /* and nothing is accepted meanwhile */
} acceptor;

/* Prepare it over a bound socket, which is taken also on failure; connections wait in the kernel from here
 * on. `host` as for io_thread_init(). 0 or -errno of listen() (-EADDRINUSE when another server was quicker).
 */
int acceptor_init(acceptor *a, int listen_fd, const net_limits *limits, const session_host *host,
                  uint32_t shutdown_grace_ms, admission *shared_admission);

/* Free it. It must not run (any more). */
void acceptor_deinit(acceptor *a);

#endif
