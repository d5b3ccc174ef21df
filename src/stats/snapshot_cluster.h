/* What a snapshot has of a cluster: the numbers of the node for all its threads, and the other nodes as it
 * sees them. What its workers count is in their thread_counters. Plain data. */
#ifndef HOMECALL_STATS_SNAPSHOT_CLUSTER_H
#define HOMECALL_STATS_SNAPSHOT_CLUSTER_H

#include "cluster/node_core.h"

typedef struct snapshot_cluster {
    node_core_counts counts;
    counter_histogram engine_rtt_us; /* how long the engine took to answer */
    node_view self;
    size_t node_count;
    node_view nodes[MEMBERS_MAX]; /* the others */
} snapshot_cluster;

#endif
