/* Sampler: shows a run over time. It adds up what the threads publish, and takes samples at regular
 * intervals.
 *
 * All functions: the main thread. */
#ifndef HOMECALL_BENCH_SAMPLER_H
#define HOMECALL_BENCH_SAMPLER_H

#include "load.h"
#include "measure/result.h"
#include "measure/server_process.h"

typedef struct sampler {
    load_thread *threads; /* borrowed array */
    unsigned thread_count;
    const process_list *processes; /* borrowed: those of the server */
    result *out;                   /* borrowed */
    double interval_seconds;
    uint64_t started_ns;  /* when the measuring started */
    uint64_t last_ns;     /* when the last sample was taken */
    load_record last;     /* what had been recorded then */
    load_record now;      /* what has been recorded when it was summed up last */
    process_usage server; /* of the server when the last sample was taken */
} sampler;

/* Some sums over all threads. */
typedef struct sampler_totals {
    uint64_t operations; /* of the whole run */
    uint64_t retries;    /* of the whole run */
    uint64_t refused;    /* of the whole run */
    uint64_t open;       /* connections that are open */
} sampler_totals;

/* Start: the measuring starts now. It takes `seconds`, or 0 = that is not known. Everything given is
 * borrowed. */
void sampler_start(sampler *s, load_thread *threads, unsigned count, const process_list *processes,
                   double seconds, result *out);

/* Add a sample to the result, if its interval is over. With `is_last` half of it is enough. */
void sampler_look(sampler *s, bool is_last);

/* Add each counter of `more` to the one in `to`. */
void sampler_add_counts(load_counts *to, const load_counts *more);

/* Add up what all threads have published; with `record` (which may be NULL) also what they have recorded. */
sampler_totals sampler_sum(load_thread *threads, unsigned count, load_record *record);

#endif
