/* The signals that wait in a room for somebody to come, first in, first out (protocol/README.md, 1.3).
 *
 * Pure, and owned by the room's thread. A queue has three bounds: its messages and its bytes, which
 * pending_bounds tells, and the bytes of all queues of the server, for which `reserve` is asked. Only the
 * bytes of the signals count.
 *
 * Each signal lies in a block, with the bytes of all its parts behind its struct, and a block holds several:
 * what a caller queues (an offer and its candidates) takes a few allocations and not one for each. A block is
 * at most as long as all that was queued before, or as its first signal, so at most about half of the memory
 * is unused. It is overwritten and freed with the last of its signals.
 *
 * Left out on purpose: who owns the queue, and when it ends (room_signals.c knows). */
#ifndef HOMECALL_ROOMS_PENDING_QUEUE_H
#define HOMECALL_ROOMS_PENDING_QUEUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>
#include <sys/uio.h>

typedef struct pending_block pending_block;

/* One queued signal. */
typedef struct pending_signal {
    STAILQ_ENTRY(pending_signal) link; /* in its queue */
    size_t len;                        /* bytes in `data` */
    uint64_t since_ms;                 /* when it was queued */
    int kind;                          /* as given to pending_queue_push(), as the next */
    uint32_t account;                  /* which the bytes are charged to */
    pending_block *block;              /* which it lies in, and keeps alive */
    char data[];                       /* the parts, one behind the other */
} pending_signal;

typedef struct pending_queue {
    STAILQ_HEAD(, pending_signal) signals; /* owned, oldest first */
    pending_block *newest;                 /* counted: where the next signal goes if it has space; NULL while
                                              the queue is empty */
    uint64_t bytes;                        /* the sum of their `len` */
    uint32_t count;                        /* how many there are */
} pending_queue;

/* How much one queue may hold, and whom to ask whether all queues may hold more. Shared by all queues of a
 * manager. */
typedef struct pending_bounds {
    uint32_t max_messages; /* in one queue */
    uint64_t max_bytes;    /* in one queue */
    /* Take bytes from the server-wide budget, for this account. False when it is used up. */
    bool (*reserve)(void *context, uint32_t account, size_t bytes);
    /* Give them back. */
    void (*release)(void *context, uint32_t account, size_t bytes);
    void *context; /* borrowed, for the two */
} pending_bounds;

/* Make an empty queue. It needs no deinit once it is empty again. */
void pending_queue_init(pending_queue *queue);

/* Append a copy of the parts, `count` of them, as one signal. 0, -ENOSPC (the queue is full), -EDQUOT (the
 * server-wide budget is used up) or -ENOMEM. Nothing changes on failure. */
int pending_queue_push(pending_queue *queue, const pending_bounds *bounds, int kind,
                       const struct iovec *parts, int count, uint32_t account, uint64_t now_ms);

/* Take out the oldest signal, and give its bytes back to the budget. NULL when the queue is empty. The caller
 * owns it, and calls pending_signal_free(). */
pending_signal *pending_queue_take(pending_queue *queue, const pending_bounds *bounds);

/* Put the signals of `from`, which is empty then, among those of `into`. Both stay in the order in which
 * their signals were queued; of two that were queued in the same millisecond, that of `into` is first. */
void pending_queue_merge(pending_queue *into, pending_queue *from);

/* Free a signal that was taken out. NULL is legal. */
void pending_signal_free(pending_signal *signal);

#endif
