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
