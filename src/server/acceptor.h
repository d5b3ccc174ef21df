/* Acceptor: the thread that listens, and the lobby: it shakes hands and keeps the connections that have not
 * joined. */
#ifndef HOMECALL_SERVER_ACCEPTOR_H
#define HOMECALL_SERVER_ACCEPTOR_H

#include "base/listen_entry.h"
#include "server/acceptor_counters.h"
#include "server/admission.h"
#include "server/certificate.h"
#include "server/io_thread.h"
#include "session/session.h"

#include <event2/listener.h>
#include <sys/un.h>

/* Listening sockets of one acceptor: each entry of WS_HOST in plain text and with TLS. */
enum { ACCEPTOR_MAX_SOCKETS = 2 * LISTEN_ENTRIES_MAX };

/* One of them. */
typedef struct acceptor_socket {
    struct acceptor *acceptor;
    struct evconnlistener *listener; /* owned */
    bool is_tls;
    char path[sizeof(((struct sockaddr_un *)NULL)->sun_path)]; /* of a Unix socket of ours; or empty */
} acceptor_socket;

typedef struct acceptor {
    io_thread thread;                              /* first */
    acceptor_socket sockets[ACCEPTOR_MAX_SOCKETS]; /* none once a drain has begun */
    size_t socket_count;
    struct event *retry;      /* owned: the end of a pause, or of the probation after it */
    admission *admission;     /* borrowed, shared */
    certificate *certificate; /* borrowed, shared: of TLS connections */
    acceptor_counters counters;
    ice_rate ice_rate;       /* of the requests that are read here */
    uint64_t next_id;        /* of the next connection */
    uint64_t id_step;        /* to the one after it */
    bool is_short;           /* descriptors or memory are used up, or were a moment ago */
    bool is_paused;          /* and nothing is accepted meanwhile */
    bool has_proxy_protocol; /* a trusted proxy speaks first */
} acceptor;

/* What an acceptor is made from besides what every thread is. */
typedef struct acceptor_plan {
    io_thread_plan thread;
    admission *admission;     /* borrowed, shared */
    certificate *certificate; /* borrowed, shared: of TLS connections */
    uint64_t first_id;        /* of its first connection */
    uint64_t id_step;         /* to the next: the acceptors of a server never give the same */
    bool has_proxy_protocol;  /* a trusted proxy speaks first */
} acceptor_plan;

/* Prepare it, without a socket. 0 or -errno. */
int acceptor_init(acceptor *a, const acceptor_plan *plan);

/* Accept from a bound socket as well, with `is_tls` through TLS, which is taken also on failure, before the
 * thread is started; connections wait in the kernel from here on. 0, or -errno of listen() (-EADDRINUSE when
 * another server was quicker), or -ENOSPC when there are too many. */
int acceptor_add_socket(acceptor *a, int listen_fd, bool is_tls);

/* The socket that was added last is at this path, which goes when it is listened on no longer. */
void acceptor_own_path(acceptor *a, const char *path);

/* Whose connection the session is: claim a place of that address for it, and count a refusal. */
bool acceptor_admit(acceptor *a, session *s, const address *client);

/* Free it. It must not run (any more). */
void acceptor_deinit(acceptor *a);

#endif
