/* Acceptor: the thread that listens, and the lobby: it shakes hands and keeps the connections that have not
 * joined. */
#ifndef HOMECALL_SERVER_ACCEPTOR_H
#define HOMECALL_SERVER_ACCEPTOR_H

#include "server/admission.h"
#include "server/certificate.h"
#include "server/io_thread.h"

#include <event2/listener.h>
#include <sys/un.h>

/* Listening sockets of one acceptor: each address with its port. */
enum { ACCEPTOR_MAX_SOCKETS = 16 };

/* One of them. */
typedef struct acceptor_socket {
    struct acceptor *acceptor;
    struct evconnlistener *listener; /* owned */
    bool is_tls;
    char path[sizeof(((struct sockaddr_un *)NULL)->sun_path)]; /* of a Unix socket of ours; or empty */
} acceptor_socket;

typedef struct acceptor {
    io_thread thread;
    acceptor_socket sockets[ACCEPTOR_MAX_SOCKETS]; /* none once a drain has begun */
    size_t socket_count;
    struct event *retry;      /* owned: the end of a pause, or of the probation after it */
    admission *admission;     /* borrowed, shared */
    certificate *certificate; /* borrowed, shared: of TLS connections */
    gate_counters counters;
    ice_rate ice_rate;       /* of the requests that are read here */
    uint64_t next_id;        /* of the next connection */
    uint64_t id_step;        /* so that the acceptors of a server never give the same */
    bool is_short;           /* descriptors or memory are used up, or were a moment ago */
    bool has_proxy_protocol; /* a trusted proxy speaks first */
    bool is_paused;          /* and nothing is accepted meanwhile */
} acceptor;

/* Prepare it, without a socket. `host` as for io_thread_init(). 0 or -errno. */
int acceptor_init(acceptor *a, const net_limits *limits, const session_host *host, uint32_t shutdown_grace_ms,
                  admission *shared_admission, certificate *shared_certificate);

/* Accept from a bound socket as well, with `is_tls` through TLS, which is taken also on failure, before the
 * thread is started; connections wait in the kernel from here on. 0, or -errno of listen() (-EADDRINUSE when
 * another server was quicker), or -ENFILE when there are too many. */
int acceptor_add_socket(acceptor *a, int listen_fd, bool is_tls);

/* The socket that was added last is at this path, which goes when it is listened on no longer. */
void acceptor_own_path(acceptor *a, const char *path);

/* Whose connection the session is: claim a place of that address for it, and count a refusal. */
bool acceptor_admit(acceptor *a, session *s, const address *client);

/* Free it. It must not run (any more). */
void acceptor_deinit(acceptor *a);

#endif
