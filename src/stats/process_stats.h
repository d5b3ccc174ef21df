/* What the process costs, as the kernel counts it.
 *
 * The probe keeps its files open. So it works when the process has no descriptor left, which is when an
 * operator will look. Only one thread at a time may use a probe. */
#ifndef HOMECALL_STATS_PROCESS_STATS_H
#define HOMECALL_STATS_PROCESS_STATS_H

#include <dirent.h>
#include <stdbool.h>
#include <stdint.h>

/* 0 where the system does not tell: /proc may be missing. Nothing but uint64_t (metric_table.c). */
typedef struct process_stats {
    uint64_t cpu_us;         /* processor time of all threads, in the program and in the kernel */
    uint64_t resident_bytes; /* memory in use */
    uint64_t virtual_bytes;  /* address space */
    uint64_t threads;
    uint64_t open_descriptors;
    uint64_t max_descriptors; /* the limit; UINT64_MAX = none */
    uint64_t started_utc_ms;  /* when the process was started */
} process_stats;

typedef struct process_probe {
    int stat_fd;             /* owned: /proc/self/stat, or -1 */
    DIR *descriptors;        /* owned: /proc/self/fd, where the kernel does not tell its size, or NULL */
    uint64_t started_utc_ms; /* read once, since the clock may be set while the process runs */
    uint64_t counted;        /* descriptors, when they were last counted one by one */
    uint64_t count_due_us;   /* monotonic: when to count them again */
} process_probe;

void process_probe_init(process_probe *probe);

/* For tests: count descriptors one by one, as on a kernel that does not tell their number. */
void process_probe_count_singly(process_probe *probe);

void process_probe_deinit(process_probe *probe);

/* The numbers of now. */
void process_probe_read(process_probe *probe, process_stats *out);

/* Count the open descriptors of this process that are lower than `limit`. Counting needs a descriptor for the
 * moment, which is not counted. False where that can't be done. Any thread. */
bool process_count_descriptors(uint64_t limit, uint64_t *count);

#endif
