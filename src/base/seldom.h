/* Something that is told now and then, and not each time that it happens: a warning that some limit is met,
 * of which there may be thousands a second. Any thread. */
#ifndef HOMECALL_BASE_SELDOM_H
#define HOMECALL_BASE_SELDOM_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

/* A zeroed one has not been told yet. */
typedef struct seldom {
    _Atomic uint64_t due_ms; /* monotonic: when it may be told again; relaxed: no other data depends on it */
} seldom;

/* May it be told at `now_ms`? Then it may not for `span_ms` from now on. Of several threads, one may. */
static inline bool seldom_is_due(seldom *s, uint32_t span_ms, uint64_t now_ms)
{
    uint64_t due_ms = atomic_load_explicit(&s->due_ms, memory_order_relaxed);
    return now_ms >= due_ms &&
           atomic_compare_exchange_strong_explicit(&s->due_ms, &due_ms, now_ms + span_ms,
                                                   memory_order_relaxed, memory_order_relaxed);
}

#endif
