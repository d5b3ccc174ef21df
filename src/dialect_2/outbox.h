/* Outbox: what a session has been told and has not acknowledged yet, in the order of `seq`
 * (protocol/README.md, 2.1, 2.2 and 2.5). It outlives the connection, so that what was on its way when the
 * connection broke is told again.
 *
 * An entry is the text of one message without its closing brace, so that an acknowledgement can ride on it.
 * It is bounded in messages and bytes, and its bytes are taken from a budget. If something does not fit, the
 * oldest entries are dropped: the session then can't be resumed by who has not seen them.
 *
 * Pure, and owned by the thread of its session. What is dropped is overwritten. */
#ifndef HOMECALL_DIALECT_2_OUTBOX_H
#define HOMECALL_DIALECT_2_OUTBOX_H

#include "base/slice.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>
#include <sys/uio.h>

/* A signal of a peer, for whom it was taken; see outbox_entry.sender. */
typedef struct outbox_entry {
    STAILQ_ENTRY(outbox_entry) link; /* in its outbox */
    uint64_t seq;
    uint32_t account; /* which its bytes are charged to */
    uint32_t len;     /* bytes in `text` */
    uint32_t sender;  /* the order of the member that gets the signal back when nobody has acknowledged it; 0
                         = nobody does */
    uint32_t body_at; /* with a sender: where the body of the signal begins in `text`; it ends with the text
                       */
    uint8_t kind;     /* with a sender: of the signal */
    char text[];
} outbox_entry;

/* Shared by the outboxes of a thread. Immutable while threads run. */
typedef struct outbox_bounds {
    uint32_t max_messages; /* at least 1 */
    uint64_t max_bytes;
    /* Take bytes from a budget, for an account, and give them back. False when it is used up. */
    bool (*reserve)(void *context, uint32_t account, size_t bytes);
    void (*release)(void *context, uint32_t account, size_t bytes);
    void *context; /* borrowed, for the two */
} outbox_bounds;

typedef struct outbox {
    STAILQ_HEAD(, outbox_entry) entries; /* owned, the oldest first */
    uint64_t next_seq;                   /* what the next message gets; 1 at first */
    uint64_t bytes;                      /* in all entries */
    uint32_t count;                      /* of entries */
} outbox;

/* Make an empty one. */
void outbox_init(outbox *box);

/* Free all entries, and give back their bytes. */
void outbox_clear(outbox *box, const outbox_bounds *bounds);

/* Give the next message its number, and keep a copy of its text, which consists of `count` parts. The number
 * is given in any case. Returns the entry, borrowed; NULL if it can't be kept: then nothing is kept any more,
 * and only a client that has seen everything until now can resume. */
outbox_entry *outbox_add(outbox *box, const outbox_bounds *bounds, uint32_t account,
                         const struct iovec *parts, int count);

/* The next message can't even be written: its number is given, and nothing is kept any more. */
void outbox_skip(outbox *box, const outbox_bounds *bounds);

/* The client has handed everything up to `seq` to its application. False when it has not been told so much.
 */
bool outbox_acknowledge(outbox *box, const outbox_bounds *bounds, uint64_t seq);

/* Is everything behind `seq` still here, so that a client that has seen it can go on? */
bool outbox_can_resume(const outbox *box, uint64_t seq);

#endif
