/* An interval: what happened between two samples of a server.
 *
 * A server that was started anew in between counts from nothing, and so does the interval then: it begins at
 * the start. What can't be known (there was no sample before, or no time between) is NAN, and never 0, which
 * would mean that nothing happened. Pure. */
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

/* How much a counter grew per second. One that went down starts anew. */
double interval_rate(const interval *i, double before, double now);

/* The same for a member of both samples. */
#define INTERVAL_RATE(i, member) interval_rate((i), (i)->before->member, (i)->now->member)

/* The same for a word, which is looked for by its name in the list of before. */
double interval_word_rate(const interval *i, const sample_words *before, const struct sample_word *now);

/* The share of a processor that thread number `index` of now had: 1 = a whole one. */
double interval_load(const interval *i, size_t index);

/* The seconds that `share` (0 to 1) of the interval's values did not exceed, interpolated within the bucket
 * and at most the highest bound; NAN where there were no values. */
double interval_percentile(const interval *i, sample_latency latency, double share);

#endif
