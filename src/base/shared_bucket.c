#include "base/shared_bucket.h"

#include <assert.h>

enum { NS_PER_US = 1000, NS_PER_SECOND = 1000 * 1000 * 1000 };

/* How long it takes until so many tokens are back. */
static uint64_t span_of(token_bucket_rate rate, uint64_t count)
{
    assert(count <= UINT32_MAX);
    return count * NS_PER_SECOND / rate.per_second;
}

bool shared_bucket_take(shared_bucket *bucket, token_bucket_rate rate, uint64_t count, uint64_t now_us)
{
    if (rate.per_second == 0)
        return true;
    const uint64_t now_ns = now_us * NS_PER_US;
    const uint64_t empty_ns = now_ns + span_of(rate, rate.burst);
    const uint64_t span_ns = span_of(rate, count);
    uint64_t before_ns = atomic_load_explicit(&bucket->full_at_ns, memory_order_relaxed);
    uint64_t after_ns;
    do {
        after_ns = (before_ns > now_ns ? before_ns : now_ns) + span_ns;
        if (after_ns > empty_ns)
            return false;
    } while (!atomic_compare_exchange_weak_explicit(&bucket->full_at_ns, &before_ns, after_ns,
                                                    memory_order_relaxed, memory_order_relaxed));
    return true;
}

bool shared_bucket_charge(shared_bucket *bucket, token_bucket_rate rate, uint64_t count, uint64_t now_us)
{
    if (rate.per_second == 0)
        return true;
    const uint64_t now_ns = now_us * NS_PER_US;
    const uint64_t burst_ns = span_of(rate, rate.burst);
    const uint64_t span_ns = span_of(rate, count);
    uint64_t before_ns = atomic_load_explicit(&bucket->full_at_ns, memory_order_relaxed);
    uint64_t after_ns;
    bool has_all;
    do {
        after_ns = (before_ns > now_ns ? before_ns : now_ns) + span_ns;
        has_all = after_ns <= now_ns + burst_ns;
        if (after_ns > now_ns + 2 * burst_ns)
            after_ns = now_ns + 2 * burst_ns;
    } while (!atomic_compare_exchange_weak_explicit(&bucket->full_at_ns, &before_ns, after_ns,
                                                    memory_order_relaxed, memory_order_relaxed));
    return has_all;
}
