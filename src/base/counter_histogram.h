/* A histogram that one thread fills and any thread reads: how often a value fell between two powers of two.
 *
 * The bounds are fixed: 1, 2, 4 … 2^24, in the unit of the values. So one instruction finds the bucket of a
 * value, and histograms of several threads can be added. A histogram holds nothing but counters (counter.h),
 * so it may be a member of a struct of counters. */
#ifndef HOMECALL_BASE_COUNTER_HISTOGRAM_H
#define HOMECALL_BASE_COUNTER_HISTOGRAM_H

#include "base/counter.h"

/* There is one more bucket than bounds: for the values above all of them. */
enum { HISTOGRAM_BOUNDS = 25, HISTOGRAM_BUCKETS = HISTOGRAM_BOUNDS + 1 };

typedef struct counter_histogram {
    counter buckets[HISTOGRAM_BUCKETS]; /* [i]: how many values are above bound i - 1 and not above bound i */
    counter sum;                        /* of all values */
} counter_histogram;

/* The bound of bucket `i`, below HISTOGRAM_BOUNDS. */
static inline uint64_t counter_histogram_bound(int i)
{
    return (uint64_t)1 << i;
}

/* Which bucket a value belongs to. */
static inline int counter_histogram_bucket(uint64_t value)
{
    if (value <= 1)
        return 0;
    int i = 64 - __builtin_clzll(value - 1);
    return i < HISTOGRAM_BOUNDS ? i : HISTOGRAM_BOUNDS;
}

/* Add `value`, `times` times. The owning thread only. */
static inline void counter_histogram_add(counter_histogram *h, uint64_t value, uint64_t times)
{
    counter_add(&h->buckets[counter_histogram_bucket(value)], times);
    counter_add(&h->sum, value * times);
}

#endif
