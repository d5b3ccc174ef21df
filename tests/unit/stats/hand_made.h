/* A snapshot and process numbers made by hand. */
#ifndef HOMECALL_TESTS_UNIT_STATS_HAND_MADE_H
#define HOMECALL_TESTS_UNIT_STATS_HAND_MADE_H

#include "stats/metric_table.h"

#include <string.h>

enum { HAND_MADE_THREADS = 3 };

typedef struct hand_made {
    snapshot snapshot;
    process_stats process;
    snapshot_thread threads[HAND_MADE_THREADS];
    snapshot_cluster cluster;
    metric_source source;
} hand_made;

/* Two workers and an acceptor, which listens on a socket, that have not counted anything yet. */
static inline void hand_made_init(hand_made *h)
{
    memset(h, 0, sizeof(*h));
    strcpy(h->threads[0].name, "worker-0");
    strcpy(h->threads[1].name, "worker-1");
    strcpy(h->threads[2].name, "acceptor-0");
    counter_set(&h->threads[2].counters.acceptor.sockets, 1);
    counter_set(&h->snapshot.total.acceptor.sockets, 1);
    h->snapshot.version = "0.1.0";
    h->snapshot.taken_us = 100 * 1000000ull;
    h->snapshot.thread_count = HAND_MADE_THREADS;
    h->snapshot.threads = h->threads;
    h->source = (metric_source){.snapshot = &h->snapshot, .process = &h->process};
}

/* It is a node of a cluster, whose engine is there. */
static inline void hand_made_enter_cluster(hand_made *h)
{
    h->snapshot.cluster = &h->cluster;
    h->cluster.counts.engine_joined = 1;
    h->cluster.counts.has_engine = true;
    h->cluster.self = (node_view){.name = "a", .version = "0.1.0", .state = MEMBER_LIVE};
}

/* There is another node, live and linked. */
static inline node_view *hand_made_add_node(hand_made *h, const char *name)
{
    node_view *node = &h->cluster.nodes[h->cluster.node_count++];
    *node = (node_view){.version = "0.1.0", .state = MEMBER_LIVE, .link = NODE_LINK_UP};
    memset(node->id.bytes, (int)(0xA0 + h->cluster.node_count), sizeof(node->id.bytes));
    strcpy(node->name, name);
    return node;
}

/* Give every counter of the sum and of the threads a number of its own, 1, 2, 3 … */
static inline void hand_made_fill(hand_made *h)
{
    uint64_t number = 1;
    counter *sums = (counter *)&h->snapshot.total;
    for (size_t i = 0; i < sizeof(thread_counters) / sizeof(counter); i++)
        counter_set(&sums[i], number++);
    for (int t = 0; t < HAND_MADE_THREADS; t++) {
        counter *counters = (counter *)&h->threads[t].counters;
        for (size_t i = 0; i < sizeof(thread_counters) / sizeof(counter); i++)
            counter_set(&counters[i], number++);
        h->threads[t].cpu_us = number++;
    }
}

#endif
