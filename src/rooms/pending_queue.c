#include "rooms/pending_queue.h"

#include "base/parts.h"
#include "base/wipe.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Several signals one behind the other. */
struct pending_block {
    uint32_t users; /* the signals in it that are not freed, and the queue that fills it */
    size_t used;    /* bytes of `bytes` */
    size_t cap;     /* size of `bytes` */
    _Alignas(pending_signal) char bytes[];
};

/* No block has more space than this for signals behind its first one. */
enum { MAX_BLOCK = 4096 };

/* ---- Blocks ---- */

/* Make a block with space for `len` bytes and for as much again as the queue holds. NULL without memory. */
static pending_block *make_block(const pending_queue *queue, size_t len)
{
    size_t cap = queue->bytes < MAX_BLOCK ? (size_t)queue->bytes : MAX_BLOCK;
    if (cap < len)
        cap = len;
    pending_block *block = malloc(sizeof(*block) + cap);
    if (block == NULL)
        return NULL;
    block->users = 1;
    block->used = 0;
    block->cap = cap;
    return block;
}

static void release_block(pending_block *block)
{
    if (block == NULL)
        return;
    assert(block->users > 0);
    if (--block->users == 0)
        wipe_and_free(block, sizeof(*block) + block->used);
}

/* The next signals go into this block, or into none. */
static void set_newest(pending_queue *queue, pending_block *block)
{
    release_block(queue->newest);
    queue->newest = block;
}

/* A place for a signal of `len` bytes, in the newest block or in a new one. NULL without memory. */
static pending_signal *place_signal(pending_queue *queue, size_t len)
{
    const size_t unit = _Alignof(pending_signal);
    const size_t size = (sizeof(pending_signal) + len + unit - 1) / unit * unit;
    pending_block *block = queue->newest;
    if (block == NULL || block->cap - block->used < size) {
        block = make_block(queue, size);
        if (block == NULL)
            return NULL;
        set_newest(queue, block);
    }
    pending_signal *signal = (pending_signal *)(void *)(block->bytes + block->used);
    block->used += size;
    block->users++;
    signal->block = block;
    signal->len = len;
    return signal;
}

/* ---- The queue ---- */

void pending_queue_init(pending_queue *queue)
{
    STAILQ_INIT(&queue->signals);
    queue->newest = NULL;
    queue->bytes = 0;
    queue->count = 0;
}

static bool has_space(const pending_queue *queue, const pending_bounds *bounds, size_t len)
{
    /* A difference, since a sum could overflow. `bytes` is never above `max_bytes`. */
    return queue->count < bounds->max_messages && len <= bounds->max_bytes - queue->bytes;
}

int pending_queue_push(pending_queue *queue, const pending_bounds *bounds, int kind,
                       const struct iovec *parts, int count, uint32_t account, uint64_t now_ms)
{
    size_t len = parts_len(parts, count);
    if (!has_space(queue, bounds, len))
        return -ENOSPC;
    if (!bounds->reserve(bounds->context, account, len))
        return -EDQUOT;

    pending_signal *signal = place_signal(queue, len);
    if (signal == NULL) {
        bounds->release(bounds->context, account, len);
        return -ENOMEM;
    }
    parts_copy(signal->data, parts, count);
    signal->kind = kind;
    signal->account = account;
    signal->since_ms = now_ms;
    STAILQ_INSERT_TAIL(&queue->signals, signal, link);
    queue->bytes += len;
    queue->count++;
    return 0;
}

pending_signal *pending_queue_take(pending_queue *queue, const pending_bounds *bounds)
{
    pending_signal *signal = STAILQ_FIRST(&queue->signals);
    if (signal == NULL)
        return NULL;
    assert(queue->count > 0 && queue->bytes >= signal->len);
    STAILQ_REMOVE_HEAD(&queue->signals, link);
    queue->bytes -= signal->len;
    queue->count--;
    if (queue->count == 0)
        set_newest(queue, NULL);
    bounds->release(bounds->context, signal->account, signal->len);
    return signal;
}

void pending_queue_merge(pending_queue *into, pending_queue *from)
{
    pending_queue merged;
    pending_queue_init(&merged);
    for (;;) {
        pending_signal *a = STAILQ_FIRST(&into->signals);
        pending_signal *b = STAILQ_FIRST(&from->signals);
        pending_queue *first = b == NULL || (a != NULL && a->since_ms <= b->since_ms) ? into : from;
        pending_signal *signal = STAILQ_FIRST(&first->signals);
        if (signal == NULL)
            break;
        STAILQ_REMOVE_HEAD(&first->signals, link);
        STAILQ_INSERT_TAIL(&merged.signals, signal, link);
    }
    into->bytes += from->bytes;
    into->count += from->count;
    STAILQ_CONCAT(&into->signals, &merged.signals);
    set_newest(from, NULL);
    pending_queue_init(from);
}

void pending_signal_free(pending_signal *signal)
{
    if (signal != NULL)
        release_block(signal->block);
}
