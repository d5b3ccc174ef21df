/* Acceptor: a thread that listens and accepts connections. It is also the lobby: it reads and answers the
 * upgrade requests, and has the connections that have not joined a room yet. */
#ifndef HOMECALL_SERVER_ACCEPTOR_H
#define HOMECALL_SERVER_ACCEPTOR_H

#include "net/listener.h"
#include "server/admission.h"
#include "server/certificate.h"
#include "server/io_thread.h"
#include "server/listen_plan.h"
#include "session/session.h"
#include "stats/acceptor_counters.h"

#include <assert.h>
#include <stddef.h>
#include <sys/un.h>

/* Listening sockets of one acceptor: each place in plain text and with TLS. */
enum { ACCEPTOR_MAX_SOCKETS = 2 * LISTEN_PLACES_MAX };

/* One listening socket. */
typedef struct acceptor_socket {
    net_listener listener;     /* first */
    struct acceptor *acceptor; /* borrowed: whose socket it is */
    bool is_tls;               /* its connections use TLS */
    bool hands_down;           /* its connections inherit the bound of the send buffer */
    char path[sizeof(((struct sockaddr_un *)NULL)->sun_path)]; /* a Unix socket that we have made and must
                                                                  remove; else empty */
} acceptor_socket;

typedef struct acceptor {
    io_thread thread; /* first, so that a pointer to it is one to the acceptor */
    acceptor_socket sockets[ACCEPTOR_MAX_SOCKETS];
    size_t socket_count;      /* 0 after a drain has started */
    struct event *retry;      /* owned timer: a pause is over, or the probation after it */
    admission *admission;     /* borrowed; shared by all acceptors */
    certificate *certificate; /* borrowed; shared by all acceptors */
    acceptor_counters counters;
    ice_rate *ice_rate;         /* owned: for GET /ice on this thread */
    uint64_t next_id;           /* the id of the next connection */
    uint64_t id_step;           /* from one id to the next; no two acceptors give the same id */
    uint32_t send_buffer_bytes; /* as in the plan */
    int descriptor_bound;       /* after a client got a descriptor from here on, accepting pauses */
    bool is_short;              /* there is a shortage of descriptors or memory, or it may not be over yet */
    bool is_untold;             /* it was said that a proxy is not trusted */
    bool is_paused;             /* nothing is accepted until `retry` fires */
    bool has_proxy_protocol;    /* a trusted proxy sends a header of the PROXY protocol first */
    cache_line_gap end;         /* behind it is the next acceptor */
} acceptor;

static_assert(offsetof(acceptor, thread) == 0, "a thread of an acceptor is cast to it");
static_assert(offsetof(acceptor_socket, listener) == 0, "the listener of a socket is cast to it");

/* What an acceptor is made from. */
typedef struct acceptor_plan {
    io_thread_plan thread;
    admission *admission;       /* borrowed; shared by all acceptors */
    certificate *certificate;   /* borrowed; shared by all acceptors */
    int descriptor_bound;       /* descriptor_reserve_bound() */
    uint64_t first_id;          /* the id of its first connection */
    uint64_t id_step;           /* from one id to the next, so that no two acceptors give the same id */
    uint32_t send_buffer_bytes; /* how much output of a connection the kernel keeps, before it doubles the
                                   number; 0 = as much as it likes */
    bool has_proxy_protocol;    /* a trusted proxy sends a header of the PROXY protocol first */
} acceptor_plan;

/* Make an acceptor without a socket; its thread does not run yet. 0 or -errno, as io_thread_init(). */
int acceptor_init(acceptor *a, const acceptor_plan *plan);

/* Listen on a bound socket and accept from it, with `is_tls` for TLS connections. The acceptor owns the
 * descriptor, also on failure. To be called before the thread is started; connections that come earlier wait
 * in the kernel. 0; or -errno of listen(), as -EADDRINUSE when another server has got there first; -ENOSPC
 * when there are ACCEPTOR_MAX_SOCKETS already; -ENOMEM; or -errno of epoll_ctl() where the socket can't be
 * watched. */
int acceptor_add_socket(acceptor *a, int listen_fd, bool is_tls);

/* The socket that was added last is a Unix socket at this path, which is copied. The file is removed when the
 * acceptor stops to listen. */
void acceptor_own_path(acceptor *a, const char *path);

/* For session_shared.admit: ask for a place among the connections of this address for a session whose request
 * was read. False when it is refused, which is counted here. The acceptor's thread. */
bool acceptor_admit(acceptor *a, session *s, const address *client);

/* Stop to listen, and free the acceptor. Its thread must not run (any more). */
void acceptor_deinit(acceptor *a);

#endif
