/* What one thread of the server has counted. The struct contains nothing but counters, so the code that
 * copies and adds them need not know what they are.
 *
 * The layers below have their own structs here. The server is a layer above: what it counts is in structs
 * of this layer. */
#ifndef HOMECALL_STATS_THREAD_COUNTERS_H
#define HOMECALL_STATS_THREAD_COUNTERS_H

#include "cluster/cluster_counters.h"
#include "dialect/session_counters.h"
#include "net/loop_counters.h"
#include "net/net_counters.h"
#include "stats/acceptor_counters.h"

/* Connections on their way into a thread. */
typedef struct snapshot_mailbox {
    counter pushed;
    counter taken; /* pushed - taken = the depth now */
} snapshot_mailbox;

typedef struct thread_counters {
    loop_counters loop;
    net_counters net;
    session_counters session;
    snapshot_mailbox mailbox;
    acceptor_counters acceptor; /* zero but for acceptors */
    cluster_counters cluster;   /* zero but for workers of a cluster */
} thread_counters;

#endif
