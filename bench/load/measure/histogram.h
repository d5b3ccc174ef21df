/* A histogram of times in nanoseconds, from 1 ns to over two hours.
 *
 * Each power of two is divided into 128 equal buckets, so the error of a value is at most 0.8 %. The size is
 * fixed, and to record a value is cheap. Histograms can be added, so each thread has its own. Pure. */
#ifndef HOMECALL_BENCH_HISTOGRAM_H
#define HOMECALL_BENCH_HISTOGRAM_H

#include <stdint.h>

enum {
    HISTOGRAM_BUCKETS_PER_OCTAVE = 128,
    HISTOGRAM_OCTAVES =
        36, /* above the first 128 ns, which have a bucket each: up to 2^43 ns, which is over two hours */
    HISTOGRAM_BUCKETS = HISTOGRAM_BUCKETS_PER_OCTAVE * (HISTOGRAM_OCTAVES + 1),
};

typedef struct histogram {
    uint64_t count;
    uint64_t sum_ns; /* exact */
    uint64_t min_ns; /* exact; UINT64_MAX while there is no value */
    uint64_t max_ns; /* exact; 0 while there is no value */
    uint64_t buckets[HISTOGRAM_BUCKETS];
} histogram;

/* Make it empty. */
void histogram_init(histogram *h);

/* Count one value. A value above the range is counted in the last bucket, but max_ns stays exact. */
void histogram_record(histogram *h, uint64_t ns);

/* Count all values of another histogram, which is not changed. */
void histogram_add(histogram *h, const histogram *other);

/* Take away all values of an earlier state of the same histogram, so that what was recorded since is left.
 * min_ns and max_ns are then taken from the buckets, so they are no longer exact. */
void histogram_subtract(histogram *h, const histogram *earlier);

/* The value that this share of all values (0 to 1) does not exceed: 0.5 is the median. It is the middle of a
 * bucket, but not below min_ns or above max_ns; for the smallest and the largest value it is exact. 0 if
 * there are no values. */
uint64_t histogram_quantile_ns(const histogram *h, double share);

/* The mean of all values; 0 if there are none. */
double histogram_mean_ns(const histogram *h);

#endif
