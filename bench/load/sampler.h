/* What a run looks like over time: sums up what the threads publish, and cuts it into samples.
 *
 * The main thread's. */
#ifndef HOMECALL_BENCH_SAMPLER_H
#define HOMECALL_BENCH_SAMPLER_H

#include "load.h"
#include "measure/result.h"
#include "measure/server_process.h"

typedef struct sampler {
    load_thread *threads; /* borrowed array, as is the result */
    unsigned thread_count;
    long server_pid; /* 0 = not known */
    result *out;
    double interval_seconds;
    uint64_t begun_ns; /* when the measuring began */
    uint64_t last_ns;  /* when the last sample was taken */
    load_record last;  /* what had been recorded then */
    load_record now;   /* scratch */
    process_usage server;
} sampler;

/* What all threads together have published. */
typedef struct sampler_totals {
    uint64_t operations; /* of the whole run, as are the next */
    uint64_t retries;
    uint64_t open; /* connections */
} sampler_totals;

/* Begin: the measuring of `seconds` (0 = nobody knows) begins now. */
void sampler_begin(sampler *s, load_thread *threads, unsigned count, long server_pid, double seconds,
                   result *out);

/* Take a sample into the result if one is due, or if `is_last`. */
void sampler_look(sampler *s, bool is_last);

/* to += more */
void sampler_add_counts(load_counts *to, const load_counts *more);

/* Sum up; `record` may be NULL. */
sampler_totals sampler_sum(load_thread *threads, unsigned count, load_record *record);

#endif
