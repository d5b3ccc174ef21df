/* A counter that one thread writes and any thread reads.
 *
 * The writer needs only a plain load and store, without a locked instruction. A reader may see a slightly old
 * value, but never a torn one. The order is relaxed: a counter publishes nothing but itself. */
#ifndef HOMECALL_BASE_COUNTER_H
#define HOMECALL_BASE_COUNTER_H

#include <stdatomic.h>
#include <stdint.h>

typedef _Atomic uint64_t counter;

/* The owning thread only. */
static inline void counter_add(counter *c, uint64_t n)
{
    atomic_store_explicit(c, atomic_load_explicit(c, memory_order_relaxed) + n, memory_order_relaxed);
}

/* The owning thread only. */
static inline void counter_set(counter *c, uint64_t value)
{
    atomic_store_explicit(c, value, memory_order_relaxed);
}

/* Any thread. */
static inline uint64_t counter_get(const counter *c)
{
    return atomic_load_explicit(c, memory_order_relaxed);
}

#endif
