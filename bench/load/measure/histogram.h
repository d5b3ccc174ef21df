/* A log-linear histogram of times in nanoseconds, from 1 ns to over an hour.
 *
 * Each power of two is cut into 128 equal buckets, so a value is told with an error of at most 0.8 %. The
 * size is fixed, recording is a shift and an addition, and two histograms add up to the one of all their
 * values: so each thread records in its own. Pure. */
#ifndef HOMECALL_BENCH_HISTOGRAM_H
#define HOMECALL_BENCH_HISTOGRAM_H

#include <stdint.h>

enum {
    HISTOGRAM_BUCKETS_PER_OCTAVE = 128,
    HISTOGRAM_OCTAVES =
        36, /* above the first 128 ns, which are told exactly: up to 2^43 ns, over two hours */
    HISTOGRAM_BUCKETS = HISTOGRAM_BUCKETS_PER_OCTAVE * (HISTOGRAM_OCTAVES + 1),
};

typedef struct histogram {
    uint64_t count;
    uint64_t sum_ns; /* of the values themselves, not of their buckets */
    uint64_t min_ns; /* exact; UINT64_MAX while there is no value */
    uint64_t max_ns; /* exact; 0 while there is no value */
    uint64_t buckets[HISTOGRAM_BUCKETS];
} histogram;

/* Make it empty. */
void histogram_init(histogram *h);

/* Count one value; what is over the range counts in the last bucket (max_ns stays exact). */
void histogram_record(histogram *h, uint64_t ns);

/* Count all values of another one, which is not changed. */
void histogram_add(histogram *h, const histogram *other);

/* Take away all values of an earlier state of the same histogram: what is left was recorded since. min_ns and
 * max_ns become those of the buckets left, so they are no longer exact. */
void histogram_subtract(histogram *h, const histogram *earlier);

/* The smallest value that at least this share (0 to 1) of all values does not pass: the middle of its bucket,
 * within min_ns and max_ns; these two themselves for the smallest and the largest value. 0 without values. */
uint64_t histogram_quantile_ns(const histogram *h, double share);

/* 0 without values. */
double histogram_mean_ns(const histogram *h);

#endif
