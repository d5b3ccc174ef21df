/* The signals that wait in a room for somebody to come, first in, first out (PROTOCOL.md, rule 3).
 *
 * Pure, embedded in each room, and owned by the room's thread. It is bounded three ways: in messages and
 * bytes by pending_bounds, and in bytes over the whole server by whoever answers `reserve`. What counts is
 * the bytes of the signals. An entry is one allocation, the struct with the gathered bytes behind it.
 *
 * Left out on purpose: who owns the queue and when it ends (room_manager.c knows). */
#ifndef HOMECALL_ROOMS_PENDING_QUEUE_H
#define HOMECALL_ROOMS_PENDING_QUEUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>
#include <sys/uio.h>

/* One queued signal. */
typedef struct pending_signal {
    STAILQ_ENTRY(pending_signal) link; /* in its queue */
    size_t len;                        /* bytes in `data` */
    uint64_t since_ms;                 /* as given to pending_queue_push(), as the next */
    int kind;
    char data[]; /* the parts, one behind the other */
} pending_signal;

typedef struct pending_queue {
    STAILQ_HEAD(, pending_signal) signals; /* owned, oldest first */
    uint64_t bytes;                        /* sum of their `len` */
    uint32_t count;                        /* how many they are */
} pending_queue;

/* How much one queue may hold, and whom to ask for the rest. Shared by all queues of a manager. */
typedef struct pending_bounds {
    uint32_t max_messages; /* in one queue */
    uint64_t max_bytes;    /* in one queue */
    bool (*reserve)(void *context,
                    size_t bytes); /* take from the server-wide budget; false when it is used up */
    void (*release)(void *context, size_t bytes); /* give back */
    void *context;                                /* borrowed, for the two */
} pending_bounds;

/* Make an empty queue. It needs no deinit once it is empty again. */
void pending_queue_init(pending_queue *queue);

/* Append a copy of the parts as one signal. 0, -ENOSPC (the queue is full), -EDQUOT (the server-wide budget
 * is used up) or -ENOMEM. Nothing changes on failure. */
int pending_queue_push(pending_queue *queue, const pending_bounds *bounds, int kind,
                       const struct iovec *parts, int count, uint64_t now_ms);

/* Take out the oldest signal and give its bytes back to the budget. The caller owns it and calls
 * pending_signal_free(). NULL when the queue is empty. */
pending_signal *pending_queue_take(pending_queue *queue, const pending_bounds *bounds);

/* NULL is legal. */
void pending_signal_free(pending_signal *signal);

/* The bytes of all parts together. */
static inline size_t pending_parts_len(const struct iovec *parts, int count)
{
    size_t len = 0;
    for (int i = 0; i < count; i++)
        len += parts[i].iov_len;
    return len;
}

#endif
