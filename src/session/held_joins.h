/* Held joins: the sessions of one thread whose join may be a guess and has to wait (guess_limit), ordered by
 * when each goes on. They are a binary heap, and a session knows its place in it: a client that holds
 * thousands of joins, and ends them in any order, costs the logarithm of that number for each. It is a ticker
 * of the thread's loop. There is no memory for it while no join is held.
 *
 * All functions: the thread of the loop, or any thread while that does not run. */
#ifndef HOMECALL_SESSION_HELD_JOINS_H
#define HOMECALL_SESSION_HELD_JOINS_H

#include "dialect/participant.h"
#include "net/connection.h"
#include "net/loop.h"

#include <stdint.h>

enum { JOIN_MAX_SHARDS = 1 << 8, HELD_JOINS_MAX = (1 << 21) - 1 };

typedef struct held_join {
    join_progress *join;    /* borrowed, as the next */
    connection *connection; /* whose join it is */
    uint64_t due_ms;        /* monotonic: when it goes on */
} held_join;

typedef struct held_joins {
    net_ticker ticker;
    held_join *heap; /* owned: the places 1 to `count` are used, and that at `i` goes on no earlier than the
                        one at i / 2; NULL while there is none */
    uint32_t count;
    uint32_t capacity;
} held_joins;

/* Make it empty, and add it to the tickers of `loop`. */
void held_joins_init(held_joins *held, net_loop *loop);

/* No session may be held any more, and the loop may not turn any more. Nothing happens to a zeroed struct. */
void held_joins_deinit(held_joins *held);

/* At `due_ms`, set has_waited of this join, and resume its connection, which is HELD or about to be. Both are
 * borrowed until then, or until the join is taken out. 0 or -ENOMEM. */
int held_joins_add(held_joins *held, join_progress *join, connection *c, uint64_t due_ms);

/* Take it out. Nothing happens to one that is not held. */
void held_joins_remove(held_joins *held, join_progress *join);

#endif
