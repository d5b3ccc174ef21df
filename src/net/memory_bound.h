/* Memory bound: how much the connections of all threads may hold in buffers together.
 *
 * Each thread counts for itself, and adds to the sum at the end of a turn in which its own count has changed.
 * So a signal that is written at once costs nothing here. Nobody waits for a number of another thread: the
 * sum is exact but for the turns that are under way.
 *
 * Half of the limit is for connections alone, whatever else counts (`other` has at most the other half), and
 * each thread has an equal share of that half. When the sum is over the limit, at least one thread holds more
 * than its share. That one ends its largest holders. So a connection that holds little is not ended because
 * others hold much.
 *
 * Any thread. */
#ifndef HOMECALL_NET_MEMORY_BOUND_H
#define HOMECALL_NET_MEMORY_BOUND_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

typedef struct memory_bound {
    _Atomic uint64_t used;         /* bytes that connections hold. Relaxed: no other data depends on it. */
    const _Atomic uint64_t *other; /* borrowed: bytes that others hold, and that count as well; or NULL */
    uint64_t limit;                /* bytes; immutable, as the next one */
    uint64_t share;                /* bytes that one thread may hold whatever the others hold */
} memory_bound;

/* Add to what is used; `change` may be a negative number as an unsigned one. */
static inline void memory_bound_add(memory_bound *m, uint64_t change)
{
    atomic_fetch_add_explicit(&m->used, change, memory_order_relaxed);
}

/* All bytes that count. */
static inline uint64_t memory_bound_used(const memory_bound *m)
{
    uint64_t others = m->other == NULL ? 0 : atomic_load_explicit(m->other, memory_order_relaxed);
    return atomic_load_explicit(&m->used, memory_order_relaxed) + others;
}

/* How many bytes must be freed: 0 up to the limit. Above it, an eighth of the limit more than its excess, so
 * that not every turn has to free something. */
static inline uint64_t memory_bound_excess(const memory_bound *m)
{
    uint64_t used = memory_bound_used(m);
    return used <= m->limit ? 0 : used - m->limit + m->limit / 8;
}

#endif
