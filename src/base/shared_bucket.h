/* Shared bucket: a token bucket that many threads take from, without a lock. What an address may do is
 * counted so, since its connections are on different threads.
 *
 * It is one number: the time at which the bucket is full again. To take tokens is to move that time on by the
 * time in which they come back (the "virtual scheduling" form of GCRA, ITU-T I.371). A zeroed bucket is full.
 *
 * Any thread. All threads must use the same monotonic clock; one whose time is a turn late takes as if it
 * came a turn later. */
#ifndef HOMECALL_BASE_SHARED_BUCKET_H
#define HOMECALL_BASE_SHARED_BUCKET_H

#include "base/token_bucket.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

typedef struct shared_bucket {
    _Atomic uint64_t full_at_ns; /* relaxed: no other data depends on it */
} shared_bucket;

/* Take `count` tokens, at most 4 billion, at `now_us`, a monotonic time. False when there are not so many:
 * then none is taken. A rate of 0 per second is no limit. */
bool shared_bucket_take(shared_bucket *bucket, token_bucket_rate rate, uint64_t count, uint64_t now_us);

/* Take them also if there are not so many. False when there were not: then the bucket owes the rest. It owes
 * as much as it holds at most. */
bool shared_bucket_charge(shared_bucket *bucket, token_bucket_rate rate, uint64_t count, uint64_t now_us);

/* Are all tokens back at `now_us`? */
static inline bool shared_bucket_is_full(const shared_bucket *bucket, uint64_t now_us)
{
    return atomic_load_explicit(&bucket->full_at_ns, memory_order_relaxed) / 1000 <= now_us;
}

#endif
