/* Session rooms: the RoomManager of one thread at work: its deadlines served by the thread's loop, what it
 * tells counted and logged, its queues charged to the budget of the whole server.
 *
 * All functions: the thread of the loop. */
#ifndef HOMECALL_SESSION_SESSION_ROOMS_H
#define HOMECALL_SESSION_SESSION_ROOMS_H

#include "net/loop.h"
#include "rooms/room_manager.h"
#include "session/session_counters.h"

#include <stdatomic.h>

/* What the queues of all shards may hold together: the one number that they share. */
typedef struct session_budget {
    _Atomic uint64_t used; /* bytes. Relaxed: it guards nothing but itself. */
    uint64_t limit;
} session_budget;

typedef struct session_rooms {
    room_manager *manager; /* owned; NULL = there are no rooms here */
    net_ticker ticker;
    session_budget *budget;     /* borrowed, shared by the threads of a server */
    session_counters *counters; /* borrowed */
} session_rooms;

/* Make rooms, and have `loop` serve them; everything given is borrowed. 0 or -ENOMEM. */
int session_rooms_init(session_rooms *rooms, net_loop *loop, const room_limits *limits,
                       const keyed_hash *hash, session_budget *budget, session_counters *counters);

/* Free them. Nobody may be in a room any more, and the loop may not turn any more. */
void session_rooms_deinit(session_rooms *rooms);

#endif
