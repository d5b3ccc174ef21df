/* A ring of binary records between one thread that writes them and one that reads them.
 *
 * Records lie whole and one behind the other, eight-byte aligned, each behind a small head; where the next
 * one does not fit before the end, a marker sends the reader back to the begin. The producer publishes with
 * one atomic store and looks at the consumer's position only when the room that it knows of is used up, so at
 * a steady load neither touches the other's cache line. */
#ifndef HOMECALL_BASE_LOG_RING_H
#define HOMECALL_BASE_LOG_RING_H

#include <stdalign.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { LOG_RING_CACHE_LINE = 64 };

typedef struct log_ring {
    alignas(LOG_RING_CACHE_LINE) _Atomic uint64_t head; /* bytes ever published; written by the producer */
    uint64_t next_head;                                 /* head after the commit; producer only */
    uint64_t seen_tail;                                 /* a tail seen earlier; producer only */

    alignas(LOG_RING_CACHE_LINE) _Atomic uint64_t tail; /* bytes ever consumed; written by the consumer */
    uint64_t end; /* scratch of the consumer: how far it reads this time */

    alignas(LOG_RING_CACHE_LINE) size_t cap; /* bytes of data, a power of two */
    struct log_ring *next;                   /* the owner's list of rings */
    bool is_taken;                           /* does a thread write into it? For the owner of the list */
    uint8_t *data;                           /* owned; the records */
} log_ring;

/* An empty ring of `cap` bytes (a power of two, at least 64), owned by the caller; NULL when there is no
 * memory. */
log_ring *log_ring_new(size_t cap);

/* NULL is legal. */
void log_ring_free(log_ring *ring);

/* Producer: room for a record of `len` bytes, eight-byte aligned, to be filled and committed; NULL when the
 * ring is too full, and always for a record over half of the ring less its head. Reserving again forgets what
 * was not committed. */
void *log_ring_reserve(log_ring *ring, size_t len);

/* Producer: publish the record reserved last. Sequentially consistent, so that a producer that commits and
 * then looks for a sleeping consumer, and a consumer that says that it sleeps and then looks for records,
 * can't miss each other. */
void log_ring_commit(log_ring *ring);

/* Producer: does more than half of the ring wait for the consumer? */
bool log_ring_is_filling(log_ring *ring);

/* Consumer: how far records are published now; an `end` for log_ring_peek(). */
uint64_t log_ring_published(const log_ring *ring);

/* Consumer: the oldest record before `end`, or NULL. It stays there until it is consumed. */
const void *log_ring_peek(log_ring *ring, uint64_t end);

/* Consumer: give the room of the record peeked last back. */
void log_ring_consume(log_ring *ring);

/* Consumer: is nothing published that was not consumed? */
bool log_ring_is_empty(const log_ring *ring);

#endif
