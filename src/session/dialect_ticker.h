/* Dialect ticker: what dialects keep for the hall of one thread, and when something is due there. It is a
 * ticker of the thread's loop.
 *
 * All functions: the thread of the loop, or any thread while that does not run. */
#ifndef HOMECALL_SESSION_DIALECT_TICKER_H
#define HOMECALL_SESSION_DIALECT_TICKER_H

#include "net/loop.h"
#include "session/dialects.h"

/* A dialect that keeps something for the hall. */
typedef struct dialect_keeper {
    const dialect *dialect; /* borrowed; NULL behind the last one */
    void *kept;             /* what is in dialect_hall.kept for it */
} dialect_keeper;

typedef struct dialect_ticker {
    net_ticker ticker;
    dialect_hall *hall;                        /* borrowed */
    dialect_keeper keepers[DIALECT_COUNT + 1]; /* one more for the end */
} dialect_ticker;

/* Have each dialect open the hall, and add the ticker to those of `loop`. 0 or -ENOMEM; after a failure
 * nothing is open. */
int dialect_ticker_init(dialect_ticker *t, net_loop *loop, const dialects *list, dialect_hall *hall);

/* Have each dialect close it. Nothing happens to a zeroed struct. */
void dialect_ticker_deinit(dialect_ticker *t);

#endif
