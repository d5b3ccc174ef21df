#include "base/log_ring.h"

#include <assert.h>
#include <stdlib.h>

enum {
    LOOK_BYTES = 16 * 1024, /* how often the producer looks whether the ring is empty */
    BYTES_OF_RUN = 64,      /* there is a run for each line that is this long, which hardly any is */
};

log_ring *log_ring_new(size_t cap)
{
    assert(cap >= BYTES_OF_RUN && cap <= UINT32_C(1) << 31 && (cap & (cap - 1)) == 0);

    size_t runs_cap = cap / BYTES_OF_RUN;
    log_ring *ring = aligned_alloc(CACHE_LINE, sizeof(*ring));
    char *data = aligned_alloc(CACHE_LINE, cap);
    log_run *runs = malloc(runs_cap * sizeof(*runs));
    if (ring == NULL || data == NULL || runs == NULL) {
        free(ring);
        free(data);
        free(runs);
        return NULL;
    }
    *ring = (log_ring){.is_apart = true, .cap = cap, .runs_cap = runs_cap, .data = data, .runs = runs};
    return ring;
}

void log_ring_free(log_ring *ring)
{
    if (ring == NULL)
        return;
    free(ring->data);
    free(ring->runs);
    free(ring);
}

static log_run *run_at(const log_ring *ring, uint64_t number)
{
    return &ring->runs[(number - ring->first_run) & (ring->runs_cap - 1)];
}

/* ---- The producer ---- */

static bool has_space(log_ring *ring, uint64_t head, size_t need)
{
    if (need <= ring->cap - (head - ring->seen_tail))
        return true;
    /* Acquire: the consumer has finished reading this space before we write into it. */
    ring->seen_tail = atomic_load_explicit(&ring->tail, memory_order_acquire);
    return need <= ring->cap - (head - ring->seen_tail);
}

static bool has_run(log_ring *ring)
{
    uint64_t published = atomic_load_explicit(&ring->runs_published, memory_order_relaxed);
    if (published - ring->seen_runs < ring->runs_cap)
        return true;
    ring->seen_runs = atomic_load_explicit(&ring->runs_taken, memory_order_acquire);
    return published - ring->seen_runs < ring->runs_cap;
}

/* If all has been consumed, go on at the start of the ring. The consumer looks only at runs that it has seen
 * published, and has published that it is done with these: so it reads neither what we change here nor what
 * is overwritten then. */
static void rewind_if_empty(log_ring *ring, uint64_t head)
{
    ring->look_at = head + LOOK_BYTES;
    ring->seen_tail = atomic_load_explicit(&ring->tail, memory_order_acquire);
    if (ring->seen_tail != head)
        return;
    ring->offset = 0;
    ring->first_run = atomic_load_explicit(&ring->runs_published, memory_order_relaxed);
    ring->is_apart = true;
}

char *log_ring_reserve(log_ring *ring, size_t len)
{
    /* Half of an empty ring is always there in one piece, wherever the last line ended. A longer line might
     * never fit. */
    if (len > ring->cap / 2)
        return NULL;

    uint64_t head = atomic_load_explicit(&ring->head, memory_order_relaxed);
    if (head >= ring->look_at)
        rewind_if_empty(ring, head);
    size_t to_end = ring->cap - ring->offset;
    size_t skip = to_end < len ? to_end : 0;
    if (!has_space(ring, head, skip + len) || !has_run(ring))
        return NULL;

    ring->reserved = head + skip;
    ring->reserved_offset = to_end < len ? 0 : ring->offset;
    return ring->data + ring->reserved_offset;
}

static void begin_run(log_ring *ring, uint64_t head, uint64_t time_ms, uint32_t level)
{
    uint64_t number = atomic_load_explicit(&ring->runs_published, memory_order_relaxed);
    *run_at(ring, number) = (log_run){.before = head,
                                      .start = ring->reserved,
                                      .time_ms = time_ms,
                                      .offset = ring->reserved_offset,
                                      .level = level};
    atomic_store_explicit(&ring->runs_published, number + 1, memory_order_release);
    ring->time_ms = time_ms;
    ring->level = level;
    ring->is_apart = false;
}

void log_ring_commit(log_ring *ring, size_t len, uint64_t time_ms, uint32_t level)
{
    assert(len > 0);
    uint64_t head = atomic_load_explicit(&ring->head, memory_order_relaxed);
    bool is_at_start = ring->reserved_offset != ring->offset;
    if (ring->is_apart || is_at_start || time_ms != ring->time_ms || level != ring->level)
        begin_run(ring, head, time_ms, level);
    ring->offset = ring->reserved_offset + (uint32_t)len;
    atomic_store_explicit(&ring->head, ring->reserved + len, memory_order_release);
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

/* ---- The consumer ---- */

void log_ring_look(log_ring *ring)
{
    /* In this order: so all runs are seen of which lines are seen. */
    ring->end = atomic_load_explicit(&ring->head, memory_order_acquire);
    ring->runs_end = atomic_load_explicit(&ring->runs_published, memory_order_acquire);
}

/* The run behind the one in which the consumer is; NULL where there are no lines of it before the end. */
static const log_run *next_run(const log_ring *ring, uint64_t number)
{
    if (number == ring->runs_end)
        return NULL;
    const log_run *run = run_at(ring, number);
    return run->before < ring->end ? run : NULL;
}

/* Go on to the run of the line that comes next. False if there is none. */
static bool enter_run(log_ring *ring)
{
    uint64_t tail = atomic_load_explicit(&ring->tail, memory_order_relaxed);
    if (tail == ring->end)
        return false;
    uint64_t taken = atomic_load_explicit(&ring->runs_taken, memory_order_relaxed);
    const log_run *next = next_run(ring, taken);
    if (next == NULL || next->before != tail)
        return true;
    ring->run = *next;
    atomic_store_explicit(&ring->runs_taken, taken + 1, memory_order_release);
    atomic_store_explicit(&ring->tail, ring->run.start, memory_order_release);
    return true;
}

bool log_ring_peek(log_ring *ring, uint64_t *time_ms)
{
    if (!enter_run(ring))
        return false;
    *time_ms = ring->run.time_ms;
    return true;
}

log_lines log_ring_lines(log_ring *ring, uint64_t until_ms)
{
    if (!enter_run(ring) || ring->run.time_ms > until_ms)
        return (log_lines){.len = 0};
    uint64_t tail = atomic_load_explicit(&ring->tail, memory_order_relaxed);
    uint64_t end = ring->end;
    const log_run *next;
    for (uint64_t i = atomic_load_explicit(&ring->runs_taken, memory_order_relaxed);
         (next = next_run(ring, i)) != NULL; i++) {
        bool is_behind = next->start - ring->run.start == (uint64_t)next->offset - ring->run.offset;
        if (!is_behind || next->level != ring->run.level || next->time_ms > until_ms) {
            end = next->before;
            break;
        }
    }
    return (log_lines){.text = ring->data + ring->run.offset + (tail - ring->run.start),
                       .len = (size_t)(end - tail),
                       .level = ring->run.level};
}

void log_ring_consume(log_ring *ring, size_t len)
{
    uint64_t tail = atomic_load_explicit(&ring->tail, memory_order_relaxed) + len;
    uint64_t taken = atomic_load_explicit(&ring->runs_taken, memory_order_relaxed);
    assert(tail <= ring->end);
    const log_run *next;
    for (; (next = next_run(ring, taken)) != NULL && next->before < tail; taken++)
        ring->run = *next;
    atomic_store_explicit(&ring->runs_taken, taken, memory_order_release);
    atomic_store_explicit(&ring->tail, tail, memory_order_release);
}

bool log_ring_is_empty(const log_ring *ring)
{
    return atomic_load_explicit(&ring->head, memory_order_acquire) ==
           atomic_load_explicit(&ring->tail, memory_order_relaxed);
}
