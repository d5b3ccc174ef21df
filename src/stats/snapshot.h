/* Snapshot: the numbers of a whole server at one moment, for the code that shows them.
 *
 * The threads go on while the numbers are read, so these may not be of exactly the same moment. It is plain
 * data: a test may make a snapshot by hand. */
#ifndef HOMECALL_STATS_SNAPSHOT_H
#define HOMECALL_STATS_SNAPSHOT_H

#include "stats/snapshot_cluster.h"
#include "stats/thread_counters.h"

#include <stdbool.h>
#include <stddef.h>

/* One thread of the server. */
typedef struct snapshot_thread {
    char name[16];   /* "worker-0", "acceptor-0" */
    uint64_t cpu_us; /* processor time since it was started, from the kernel's clock of the thread */
    bool has_failed; /* it serves nobody any more */
    thread_counters counters;
} snapshot_thread;

typedef struct snapshot {
    const char *version;      /* borrowed */
    uint64_t taken_us;        /* monotonic: when */
    uint64_t uptime_ms;       /* since the server's start */
    uint64_t started_utc_ms;  /* when that was */
    bool is_draining;         /* a stop was asked for */
    uint64_t max_connections; /* MAX_CONNECTIONS; 0 = no limit */
    uint64_t budget_used;     /* bytes queued in all rooms, of PENDING_MAX_TOTAL_BYTES */
    uint64_t budget_limit;
    uint64_t buffered_limit;     /* MAX_BUFFERED_BYTES */
    uint64_t log_lines_left_out; /* LOG_RATE_PER_ADDRESS */
    uint64_t log_lines_dropped;
    uint64_t certificate_ends_s; /* Unix time; 0 = no certificate */
    thread_counters total;       /* the sum over the threads; sums of maxima and of times mean nothing */
    const snapshot_cluster
        *cluster; /* borrowed: the reader's; NULL without a cluster, or where nobody asks */
    size_t thread_count;
    snapshot_thread *threads; /* borrowed: an array of the reader's; workers first */
} snapshot;

/* Set `total` to the sum over the threads. */
void snapshot_sum(snapshot *s);

/* Copy counters. Each is read by itself, while its thread goes on. Both structs are `bytes` long and contain
 * nothing but counters. */
void snapshot_copy_counters(void *to, const void *from, size_t bytes);

/* Connections that are open now, in any phase. */
uint64_t snapshot_connections(const snapshot *s);

#endif
