/* What a Signal_Server is made of. Internal to src/server: the public face hides it. */
#ifndef HOMECALL_SERVER_SERVER_PARTS_H
#define HOMECALL_SERVER_SERVER_PARTS_H

#include "admin/admin.h"
#include "homecall/signal_server.h"
#include "server/acceptor.h"
#include "server/admission.h"
#include "server/cluster_node.h"
#include "server/io_thread.h"
#include "server/origins.h"
#include "stats/snapshot.h"

#include <pthread.h>
#include <stdatomic.h>

struct signal_server {
    signal_server_options options; /* its strings and lists are owned */
    session_shared shared;         /* what the threads' sessions have in common */
    origins origins;               /* owned; what options.allowed_origins means; empty before the start */
    char *ice_urls;                /* owned; what options.turn_urls means; NULL before the start */
    _Atomic uint64_t queue_places[SESSION_BUDGET_PLACES]; /* for shared.budget */
    admission *admission;                                 /* owned */
    cache_line_gap before_certificate;                    /* whose lock each TLS connection takes */
    certificate certificate;
    cache_line_gap behind_certificate;
    io_thread *workers;    /* owned array */
    acceptor *acceptors;   /* owned array */
    uint32_t made_workers; /* how many of them are initialised */
    uint32_t made_acceptors;
    cluster_node *node;              /* owned; NULL without a cluster */
    admin *admin;                    /* owned; NULL without an admin port */
    char *hosts;                     /* owned; where the acceptors listen; NULL before the start */
    char *admin_hosts;               /* owned; where the admin does; NULL without one */
    pthread_mutex_t end_lock;        /* guards the next two */
    pthread_cond_t has_ended;        /* `running` has become 0 */
    uint32_t running;                /* threads that have not ended yet */
    _Atomic uint64_t drain_until_us; /* monotonic: when a stop drops what is left; 0 before a stop */
    _Atomic uint16_t port;           /* relaxed, as the next two */
    _Atomic uint16_t tls_port;
    _Atomic bool is_draining; /* a stop was asked for; relaxed */
    _Atomic bool is_retiring; /* another process takes over what this one listens on; relaxed */
    _Atomic bool
        is_started; /* sequentially consistent: a thread that sees it also sees what the start has made */
    bool is_start_failing;   /* the threads that run already are ended again, and on_stopped is not called */
    uint64_t started_us;     /* monotonic */
    uint64_t started_utc_ms; /* the same moment */
};

/* Free everything that a start has made. No thread of the server runs. */
void server_unmake(signal_server *server);

/* Has any thread a connection, or is one on its way? `server` is a signal_server. Any thread. */
bool server_has_connections(const void *server);

/* How many threads a snapshot of this server has. */
size_t server_thread_count(const signal_server *server);

/* Take a snapshot; `out->threads` has room for all of them. `space` is for what there is of a cluster; NULL
 * where that is not wanted. Any thread, while the server is started. */
void server_take_snapshot(const signal_server *server, snapshot *out, snapshot_cluster *space);

#endif
