/* An interval: what happened between two samples of a server.
 *
 * If the server was restarted in between, its counters have started from 0, and the interval starts with the
 * server. What can't be known is NAN: where there is no sample before, or no time in between. It is never 0,
 * which would mean that nothing has happened. Pure. */
#ifndef HOMECALL_TOP_INTERVAL_H
#define HOMECALL_TOP_INTERVAL_H

#include "top/sample.h"

typedef struct interval {
    const sample *before; /* borrowed; never NULL: all zero where there is nothing to compare with */
    const sample *now;    /* borrowed */
    double seconds;       /* by the clock of the server; NAN = unknown */
} interval;

/* Both samples are borrowed for as long as the interval is used; `before` may be NULL. */
void interval_init(interval *i, const sample *before, const sample *now);

/* How much a counter has grown per second. One that has become smaller was restarted. */
double interval_rate(const interval *i, double before, double now);

/* The same for a member of both samples. */
#define INTERVAL_RATE(i, member) interval_rate((i), (i)->before->member, (i)->now->member)

/* The same for a word. It is looked up by its name in the earlier sample. */
double interval_word_rate(const interval *i, const sample_words *before, const struct sample_word *now);

/* The share of a processor that thread number `index` has used: 1 = a whole one. */
double interval_load(const interval *i, size_t index);

/* A percentile: so many seconds at most had `share` (0 to 1) of the interval's values. It is interpolated
 * within a bucket, and not more than the highest bound. NAN where there were no values. */
double interval_percentile(const interval *i, sample_latency latency, double share);

#endif
