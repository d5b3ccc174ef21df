/* Session rooms: the RoomManager of one thread, connected to what it needs. It is a ticker of the thread's
 * loop, for its deadlines. What it reports is counted and logged. The bytes in its queues are taken from the
 * budget of the whole server.
 *
 * All functions: the thread of the loop, or any thread while that does not run. */
#ifndef HOMECALL_SESSION_SESSION_ROOMS_H
#define HOMECALL_SESSION_SESSION_ROOMS_H

#include "dialect/dialect.h"
#include "net/loop.h"
#include "rooms/room_manager.h"
#include "session/session_budget.h"
#include "session/session_hooks.h"

typedef struct session_rooms {
    room_manager *manager; /* owned; NULL = there are no rooms here */
    net_ticker ticker;
    net_loop *loop;           /* borrowed */
    session_credit credit;    /* what these rooms have of the budget of the server */
    const dialect_hall *hall; /* borrowed: whose rooms they are */
    session_hooks hooks;      /* who wants to hear of them */
} session_rooms;

/* Make a RoomManager, and add it to the tickers of `loop`. `limits`, `hash` and `hooks` are copied, the rest
 * is borrowed until the end. 0 or -ENOMEM; after a failure it is not a ticker. */
int session_rooms_init(session_rooms *rooms, net_loop *loop, const room_limits *limits,
                       const keyed_hash *hash, session_budget *budget, const dialect_hall *hall,
                       const session_hooks *hooks);

/* What room_effects.reserve and .release do for these rooms. `context` is a session_rooms. */
bool session_rooms_reserve(void *context, uint32_t account, size_t len);
void session_rooms_release(void *context, uint32_t account, size_t len);

/* Free the rooms, with the queues in them. No session may be in a room any more, and the loop may not turn
 * any more. Nothing happens to a zeroed struct. */
void session_rooms_deinit(session_rooms *rooms);

#endif
