/* A ring of records between one thread that writes them and one that reads them.
 *
 * Records lie one behind the other, each in one piece behind a small head, aligned to eight bytes. Where the
 * next one does not fit before the end of the ring, a marker sends the reader back to the start. The producer
 * publishes a record with one atomic store. It looks at the consumer's position only now and then, so under a
 * steady load neither of them touches the other's cache line.
 *
 * A ring is large for the worst case. As long as the consumer keeps up, the producer begins at the start of
 * the ring again whenever it finds it empty: so the memory that is written to and read from is small, and
 * stays in the caches of the processor. */
#ifndef HOMECALL_BASE_LOG_RING_H
#define HOMECALL_BASE_LOG_RING_H

#include "base/cache_line.h"

#include <stdalign.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct log_ring {
    alignas(CACHE_LINE) _Atomic uint64_t head; /* bytes published so far; written by the producer */
    uint64_t reserved;                         /* where that record is; producer only */
    uint64_t seen_tail;                        /* `tail` as seen last; producer only */
    uint64_t look_at; /* from this `head` on, see whether the ring is empty; producer only */
    uint64_t start;   /* the position that is at the start of `data`. Changed by the producer, but only while
                         the ring is empty and so the consumer has nothing to look for */

    alignas(CACHE_LINE) _Atomic uint64_t tail; /* bytes consumed so far; written by the consumer */
    uint64_t end;                              /* how far the consumer reads in this round; consumer only */

    alignas(CACHE_LINE) size_t cap; /* bytes of data, a power of two */
    uint8_t *data;                  /* owned; the records */
} log_ring;

/* An empty ring of `cap` bytes (a power of two, at least 64), owned by the caller; NULL when there is no
 * memory. */
log_ring *log_ring_new(size_t cap);

/* NULL is legal. */
void log_ring_free(log_ring *ring);

/* Producer: space for a record of at most `len` bytes, aligned to eight bytes, to be filled and then
 * committed. NULL when the ring is too full, and always for a record that needs more than half of the ring
 * with its head. Reserving again forgets what was not committed. */
void *log_ring_reserve(log_ring *ring, size_t len);

/* Producer: publish the record that was reserved last. It is `len` bytes long, at most as many as were
 * reserved. A consumer sees it soon, but not at once: this is a plain store, which costs nothing, and no
 * barrier (see log_rest.h). */
void log_ring_commit(log_ring *ring, size_t len);

/* Producer: is more than a quarter of the ring waiting for the consumer? Then it is time for that to come.
 */
bool log_ring_is_filling(log_ring *ring);

/* Producer: is half of the ring free? */
bool log_ring_has_half(log_ring *ring);

/* Any thread: how much has been consumed so far. */
uint64_t log_ring_consumed(const log_ring *ring);

/* Consumer: how far records are published now, as an `end` for log_ring_peek(). */
uint64_t log_ring_published(const log_ring *ring);

/* Consumer: the oldest record before `end`, or NULL. It stays there until it is consumed. */
const void *log_ring_peek(log_ring *ring, uint64_t end);

/* Consumer: give back the space of the record that was peeked last. */
void log_ring_consume(log_ring *ring);

/* Consumer: has all that is published been consumed? */
bool log_ring_is_empty(const log_ring *ring);

#endif
