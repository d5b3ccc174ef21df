#include "base/log_ring.h"

#include <assert.h>
#include <stdlib.h>

/* What stands before each record. */
typedef struct record_head {
    uint32_t size; /* of the record with its head, a multiple of ALIGNMENT; 0 = go on at the ring's start */
    uint32_t unused;
} record_head;

enum {
    ALIGNMENT = 8,
    LOOK_BYTES = 16 * 1024, /* how often the producer looks whether the ring is empty */
};

/* Every position is a multiple of ALIGNMENT, so a head, or the marker, fits wherever anything does. */
static_assert(sizeof(record_head) == ALIGNMENT, "a head fills exactly one unit of alignment");

log_ring *log_ring_new(size_t cap)
{
    assert(cap >= CACHE_LINE && (cap & (cap - 1)) == 0);

    log_ring *ring = aligned_alloc(CACHE_LINE, sizeof(*ring));
    uint8_t *data = aligned_alloc(CACHE_LINE, cap);
    if (ring == NULL || data == NULL) {
        free(ring);
        free(data);
        return NULL;
    }
    *ring = (log_ring){.cap = cap, .data = data};
    return ring;
}

void log_ring_free(log_ring *ring)
{
    if (ring == NULL)
        return;
    free(ring->data);
    free(ring);
}

static record_head *head_at(const log_ring *ring, uint64_t position)
{
    return (record_head *)(void *)(ring->data + ((position - ring->start) & (ring->cap - 1)));
}

static size_t bytes_to_end(const log_ring *ring, uint64_t position)
{
    return ring->cap - (size_t)((position - ring->start) & (ring->cap - 1));
}

static bool has_space(log_ring *ring, uint64_t head, size_t need)
{
    if (need <= ring->cap - (head - ring->seen_tail))
        return true;
    /* Acquire: the consumer has finished reading this space before we write into it. */
    ring->seen_tail = atomic_load_explicit(&ring->tail, memory_order_acquire);
    return need <= ring->cap - (head - ring->seen_tail);
}

/* If all has been consumed, go on at the start of the ring. The consumer reads `start` only for records that
 * it has seen published, and has published that it is done with these: so it does not read while we write. */
static void rewind_if_empty(log_ring *ring, uint64_t head)
{
    ring->look_at = head + LOOK_BYTES;
    ring->seen_tail = atomic_load_explicit(&ring->tail, memory_order_acquire);
    if (ring->seen_tail == head)
        ring->start = head;
}

static size_t size_with_head(size_t len)
{
    return sizeof(record_head) + ((len + ALIGNMENT - 1) & ~(size_t)(ALIGNMENT - 1));
}

void *log_ring_reserve(log_ring *ring, size_t len)
{
    /* Half of an empty ring is always there in one piece, wherever the last record ended. A longer record
     * might never fit. */
    if (len > ring->cap / 2 - sizeof(record_head))
        return NULL;

    size_t size = size_with_head(len);
    uint64_t head = atomic_load_explicit(&ring->head, memory_order_relaxed);
    if (head >= ring->look_at)
        rewind_if_empty(ring, head);
    size_t skip = bytes_to_end(ring, head) < size ? bytes_to_end(ring, head) : 0;
    if (!has_space(ring, head, skip + size))
        return NULL;

    if (skip > 0)
        *head_at(ring, head) = (record_head){.size = 0};
    ring->reserved = head + skip;
    return head_at(ring, ring->reserved) + 1;
}

void log_ring_commit(log_ring *ring, size_t len)
{
    size_t size = size_with_head(len);
    *head_at(ring, ring->reserved) = (record_head){.size = (uint32_t)size};
    atomic_store_explicit(&ring->head, ring->reserved + size, memory_order_release);
}

bool log_ring_is_filling(log_ring *ring)
{
    uint64_t head = atomic_load_explicit(&ring->head, memory_order_relaxed);
    return !has_space(ring, head, ring->cap - ring->cap / 4);
}

bool log_ring_has_half(log_ring *ring)
{
    return has_space(ring, atomic_load_explicit(&ring->head, memory_order_relaxed), ring->cap / 2);
}

uint64_t log_ring_consumed(const log_ring *ring)
{
    return atomic_load_explicit(&ring->tail, memory_order_acquire);
}

uint64_t log_ring_published(const log_ring *ring)
{
    return atomic_load_explicit(&ring->head, memory_order_acquire);
}

const void *log_ring_peek(log_ring *ring, uint64_t end)
{
    uint64_t tail = atomic_load_explicit(&ring->tail, memory_order_relaxed);
    if (tail == end)
        return NULL;
    if (head_at(ring, tail)->size == 0) {
        tail += bytes_to_end(ring, tail);
        atomic_store_explicit(&ring->tail, tail, memory_order_release);
    }
    /* A marker is published together with the record behind it, so there is a record. */
    return head_at(ring, tail) + 1;
}

void log_ring_consume(log_ring *ring)
{
    uint64_t tail = atomic_load_explicit(&ring->tail, memory_order_relaxed);
    atomic_store_explicit(&ring->tail, tail + head_at(ring, tail)->size, memory_order_release);
}

bool log_ring_is_empty(const log_ring *ring)
{
    return log_ring_published(ring) == atomic_load_explicit(&ring->tail, memory_order_relaxed);
}
