#include "measure/histogram.h"

#include <math.h>
#include <stddef.h>
#include <string.h>

enum { PRECISION_BITS = 7 };
_Static_assert(1 << PRECISION_BITS == HISTOGRAM_BUCKETS_PER_OCTAVE,
               "the buckets of an octave are a power of two");

/* Values below 128 have a bucket each. For a larger value, the place of its highest bit says in which octave
 * it is, and the next seven bits say in which bucket of the octave. */
static size_t bucket_of(uint64_t ns)
{
    if (ns < HISTOGRAM_BUCKETS_PER_OCTAVE)
        return ns;
    unsigned shift = 63 - (unsigned)__builtin_clzll(ns) - PRECISION_BITS;
    size_t bucket = ((size_t)shift << PRECISION_BITS) + (ns >> shift);
    return bucket < HISTOGRAM_BUCKETS ? bucket : HISTOGRAM_BUCKETS - 1;
}

static unsigned shift_of(size_t bucket)
{
    size_t octave = bucket >> PRECISION_BITS;
    return octave == 0 ? 0 : (unsigned)octave - 1;
}

static uint64_t lowest_in(size_t bucket)
{
    unsigned shift = shift_of(bucket);
    return (uint64_t)(bucket - ((size_t)shift << PRECISION_BITS)) << shift;
}

static uint64_t highest_in(size_t bucket)
{
    return lowest_in(bucket) + ((uint64_t)1 << shift_of(bucket)) - 1;
}

void histogram_init(histogram *h)
{
    memset(h, 0, sizeof(*h));
    h->min_ns = UINT64_MAX;
}

static void widen(histogram *h, uint64_t min_ns, uint64_t max_ns)
{
    if (min_ns < h->min_ns)
        h->min_ns = min_ns;
    if (max_ns > h->max_ns)
        h->max_ns = max_ns;
}

void histogram_record(histogram *h, uint64_t ns)
{
    h->count++;
    h->sum_ns += ns;
    h->buckets[bucket_of(ns)]++;
    widen(h, ns, ns);
}

void histogram_add(histogram *h, const histogram *other)
{
    h->count += other->count;
    h->sum_ns += other->sum_ns;
    for (size_t i = 0; i < HISTOGRAM_BUCKETS; i++)
        h->buckets[i] += other->buckets[i];
    widen(h, other->min_ns, other->max_ns);
}

/* Set min_ns and max_ns after values were taken away. Which of the values that are left is the smallest is
 * not known, only its bucket. The old minimum is kept if it is in that bucket; else the lower end of the
 * bucket is taken. The same for the maximum. */
static void narrow(histogram *h)
{
    size_t first = 0;
    while (h->buckets[first] == 0)
        first++;
    size_t last = HISTOGRAM_BUCKETS - 1;
    while (h->buckets[last] == 0)
        last--;

    if (lowest_in(first) > h->min_ns)
        h->min_ns = lowest_in(first);
    if (last < HISTOGRAM_BUCKETS - 1 && highest_in(last) < h->max_ns)
        h->max_ns = highest_in(last);
}

void histogram_subtract(histogram *h, const histogram *earlier)
{
    if (h->count == earlier->count) {
        histogram_init(h);
        return;
    }
    h->count -= earlier->count;
    h->sum_ns -= earlier->sum_ns;
    for (size_t i = 0; i < HISTOGRAM_BUCKETS; i++)
        h->buckets[i] -= earlier->buckets[i];
    narrow(h);
}

/* When all `count` values are sorted, which one of them ends this share? From 1 to `count`. */
static uint64_t rank_of(double share, uint64_t count)
{
    /* A share may be a little too large as a binary number: 0.07 * 100 is more than 7. So a little is
     * subtracted. */
    double rank = ceil(share * (double)count - 1e-6);
    if (rank < 1)
        return 1;
    return rank >= (double)count ? count : (uint64_t)rank;
}

uint64_t histogram_quantile_ns(const histogram *h, double share)
{
    if (h->count == 0)
        return 0;
    uint64_t rank = rank_of(share, h->count);
    if (rank == h->count)
        return h->max_ns;
    if (rank == 1)
        return h->min_ns;

    size_t bucket = 0;
    for (uint64_t passed = h->buckets[0]; passed < rank; passed += h->buckets[bucket])
        bucket++;
    uint64_t middle = lowest_in(bucket) + (highest_in(bucket) - lowest_in(bucket)) / 2;
    if (middle < h->min_ns)
        return h->min_ns;
    return middle < h->max_ns ? middle : h->max_ns;
}

double histogram_mean_ns(const histogram *h)
{
    return h->count == 0 ? 0 : (double)h->sum_ns / (double)h->count;
}
