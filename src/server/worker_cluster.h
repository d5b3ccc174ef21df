/* Worker cluster: what a worker thread has of the cluster: its share (cluster/cluster_worker.h), which is a
 * ticker of the thread's loop, and the eventfd by which the core of the node wakes it.
 *
 * All functions but the waking: the thread that runs the loop, or any thread while none does. */
#ifndef HOMECALL_SERVER_WORKER_CLUSTER_H
#define HOMECALL_SERVER_WORKER_CLUSTER_H

#include "cluster/cluster_worker.h"
#include "net/loop.h"
#include "session/session_group.h"

/* How many descriptors it keeps open. */
enum { WORKER_CLUSTER_DESCRIPTORS = 1 };

typedef struct worker_cluster worker_cluster;

/* What it is made from: the same for all workers of a node. */
typedef struct worker_cluster_plan {
    node_core *core; /* borrowed; NULL = this server is alone */
    uint8_t secret[CLUSTER_SECRET_BYTES];
    bool opens_rooms; /* CLUSTER_WITHOUT_ENGINE=serve */
} worker_cluster_plan;

/* Become the first ticker of the loop: clients are written to behind it in a turn. It does nothing before
 * worker_cluster_enter(). 0 and it in *out, owned by the caller, or -errno. */
int worker_cluster_new(net_loop *loop, worker_cluster **out);

/* From here on the clients and the rooms of this group, which has been made on the same loop, belong to the
 * cluster. No session is in it yet. 0 or -ENOMEM. */
int worker_cluster_enter(worker_cluster *c, const worker_cluster_plan *plan, session_group *group,
                         unsigned number);

/* Free it, before its group: no session may belong to that any more, and the loop may not turn any more. NULL
 * is legal. */
void worker_cluster_free(worker_cluster *c);

/* The core has something for it. Any thread. */
void worker_cluster_wake(const worker_cluster *c);

/* Copy what it has counted. Any thread. */
void worker_cluster_get_counters(const worker_cluster *c, cluster_counters *out);

/* The server stops: may the thread end, as far as the cluster is concerned? Rooms are given away before,
 * where another node can take them. */
bool worker_cluster_may_end(const worker_cluster *c);

#endif
