/* A ring of binary records between one thread that writes them and one that reads them.
 *
 * Records lie one behind the other, each in one piece behind a small head, aligned to eight bytes. Where the
 * next one does not fit before the end of the ring, a marker sends the reader back to the start. The producer
 * publishes a record with one atomic store. It looks at the consumer's position only when the free space that
 * it knows of is used up, so under a steady load neither of them touches the other's cache line. */
#ifndef HOMECALL_BASE_LOG_RING_H
#define HOMECALL_BASE_LOG_RING_H

#include <stdalign.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { LOG_RING_CACHE_LINE = 64 };

typedef struct log_ring {
    alignas(LOG_RING_CACHE_LINE) _Atomic uint64_t head; /* bytes published so far; written by the producer */
    uint64_t next_head;                                 /* `head` after the commit; producer only */
    uint64_t seen_tail;                                 /* `tail` as seen last; producer only */

    alignas(LOG_RING_CACHE_LINE) _Atomic uint64_t tail; /* bytes consumed so far; written by the consumer */
    uint64_t end; /* how far the consumer reads in this round; consumer only */

    alignas(LOG_RING_CACHE_LINE) size_t cap; /* bytes of data, a power of two */
    struct log_ring *next;                   /* the owner's list of rings */
    bool is_taken;                           /* a thread writes into it; for the owner of the list */
    uint8_t *data;                           /* owned; the records */
} log_ring;

/* An empty ring of `cap` bytes (a power of two, at least 64), owned by the caller; NULL when there is no
 * memory. */
log_ring *log_ring_new(size_t cap);

/* NULL is legal. */
void log_ring_free(log_ring *ring);

/* Producer: space for a record of `len` bytes, aligned to eight bytes, to be filled and then committed. NULL
 * when the ring is too full, and always for a record that needs more than half of the ring with its head.
 * Reserving again forgets what was not committed. */
void *log_ring_reserve(log_ring *ring, size_t len);

/* Producer: publish the record that was reserved last. The store is sequentially consistent: a producer
 * commits and then looks whether the consumer sleeps, a consumer says that it sleeps and then looks for
 * records. So at least one of the two sees the other. */
void log_ring_commit(log_ring *ring);

/* Producer: is more than half of the ring waiting for the consumer? */
bool log_ring_is_filling(log_ring *ring);

/* Consumer: how far records are published now, as an `end` for log_ring_peek(). */
uint64_t log_ring_published(const log_ring *ring);

/* Consumer: the oldest record before `end`, or NULL. It stays there until it is consumed. */
const void *log_ring_peek(log_ring *ring, uint64_t end);

/* Consumer: give back the space of the record that was peeked last. */
void log_ring_consume(log_ring *ring);

/* Consumer: has all that is published been consumed? */
bool log_ring_is_empty(const log_ring *ring);

#endif
