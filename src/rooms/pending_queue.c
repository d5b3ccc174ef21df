#include "rooms/pending_queue.h"

#include "base/parts.h"
#include "base/wipe.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

void pending_queue_init(pending_queue *queue)
{
    STAILQ_INIT(&queue->signals);
    queue->bytes = 0;
    queue->count = 0;
}

static bool has_space(const pending_queue *queue, const pending_bounds *bounds, size_t len)
{
    /* A difference, since a sum could overflow. `bytes` is never above `max_bytes`. */
    return queue->count < bounds->max_messages && len <= bounds->max_bytes - queue->bytes;
}

static pending_signal *gather(int kind, const struct iovec *parts, int count, size_t len)
{
    pending_signal *signal = malloc(sizeof(*signal) + len);
    if (signal == NULL)
        return NULL;
    signal->kind = kind;
    signal->len = len;

    parts_copy(signal->data, parts, count);
    return signal;
}

int pending_queue_push(pending_queue *queue, const pending_bounds *bounds, int kind,
                       const struct iovec *parts, int count, uint32_t account, uint64_t now_ms)
{
    size_t len = parts_len(parts, count);
    if (!has_space(queue, bounds, len))
        return -ENOSPC;
    if (!bounds->reserve(bounds->context, account, len))
        return -EDQUOT;

    pending_signal *signal = gather(kind, parts, count, len);
    if (signal == NULL) {
        bounds->release(bounds->context, account, len);
        return -ENOMEM;
    }
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
    bounds->release(bounds->context, signal->account, signal->len);
    return signal;
}

void pending_signal_free(pending_signal *signal)
{
    if (signal != NULL)
        wipe_and_free(signal, sizeof(*signal) + signal->len);
}
