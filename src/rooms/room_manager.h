/* RoomManager: who is in which room, and the signals that wait for somebody to come (PROTOCOL.md, rules 1 to
 * 4).
 *
 * One shard of the rooms, owned by one thread: no lock, no atomic. Pure: it knows neither sockets nor clocks
 * nor JSON. A peer is whatever embeds a room_peer, a signal is a body in parts, and time comes as an
 * argument. What happens to a peer (send, ping, close) goes through the peer's face; what happens to nobody
 * in particular (count, log, the budget) goes through room_effects.
 *
 * Life of a peer here: room_manager_join() answers ROOM_JOINED at once, or ROOM_WAITING when the room is
 * full. One who waits is later told on_admitted or on_refused. A place, in the room or in the line, ends with
 * room_manager_leave() or room_manager_lose(). It also ends with on_refused, on_replaced or on_dropped, and
 * must not be left or lost after that.
 *
 * A queue that is not empty has one owner: the user who queued it, alone in the room. The whole queue goes to
 * the first other user who joins. It ends with its owner's leave, or PENDING_TTL after its owner's connection
 * was lost. */
#ifndef HOMECALL_ROOMS_ROOM_MANAGER_H
#define HOMECALL_ROOMS_ROOM_MANAGER_H

#include "base/keyed_hash.h"
#include "base/slice.h"
#include "rooms/room_effects.h"
#include "rooms/room_peer.h"

#include <stdbool.h>
#include <stdint.h>

typedef struct room_manager room_manager;

/* A manager without rooms. `effects`, `limits` and `hash` are copied. 0 and the manager in *out, owned by the
 * caller, or -ENOMEM. */
int room_manager_new(const room_limits *limits, const room_effects *effects, const keyed_hash *hash,
                     room_manager **out);

/* Free it with all rooms, members and queues; queued signals are reported as dropped. Peers are not touched:
 * they may be gone already. NULL is legal. */
void room_manager_free(room_manager *manager);

/* What a peer asks for when it joins. All slices are copied. */
typedef struct room_join {
    slice room;      /* the codeword, not empty */
    slice user;      /* not empty */
    slice room_json; /* the two names as JSON strings, for room_member_room_json() and the like */
    slice user_json;
    uint64_t now_ms;
} room_join;

typedef enum room_join_result {
    ROOM_JOINED,  /* in the room; a queue that waited for somebody has been sent to the peer */
    ROOM_WAITING, /* the room is full: the peer is in the line before it, and the members are being probed */
    ROOM_FULL,    /* the room is full, and so is the line before it: refused at once */
} room_join_result;

/* Let `peer` enter a room. It must have no place yet. A peer of the same user name that is in the room, or in
 * the line before it, is replaced. A room_join_result, or -ENOMEM with nothing changed. */
int room_manager_join(room_manager *manager, room_peer *peer, const room_join *request);

/* The peer goes. What it has queued goes with it. It must have a place, in a room or in a line. */
void room_manager_leave(room_manager *manager, room_peer *peer);

/* The peer's connection is lost. What it has queued stays for pending_ttl_ms. It must have a place, in a room
 * or in a line. */
void room_manager_lose(room_manager *manager, room_peer *peer, uint64_t now_ms);

/* Pass a signal to every other user of the sender's room, or queue a copy of it if there is none. The sender
 * must have joined. 0, or -ENOSPC when the queue is full, or -ENOMEM; both are already reported as refused.
 */
int room_manager_signal(room_manager *manager, room_peer *from, const room_signal *signal, uint64_t now_ms);

/* A peer that has a place has shown that it is alive: call it for each pong. The last answer that was missing
 * refuses those who wait at once instead of at their deadline. Cheap where nothing was asked. */
void room_manager_on_alive(room_manager *manager, room_peer *peer, uint64_t now_ms);

/* Do what is due: end the waits whose time is over, and the queues past their TTL. */
void room_manager_tick(room_manager *manager, uint64_t now_ms);

/* When to come with a tick (a monotonic time in ms), or UINT64_MAX when nothing is pending. Cheap. */
uint64_t room_manager_next_due_ms(const room_manager *manager);

/* The names that a member joined with. Borrowed: they live as long as the member. */
slice room_member_room(const room_member *member);

/* Is another user in its room? */
bool room_member_has_company(const room_member *member);
slice room_member_user(const room_member *member);
slice room_member_room_json(const room_member *member);
slice room_member_user_json(const room_member *member);

/* Is it still in the line before its room? */
bool room_member_is_waiting(const room_member *member);

/* Is the peer in a room? */
static inline bool room_peer_is_joined(const room_peer *peer)
{
    return peer->member != NULL && !room_member_is_waiting(peer->member);
}

/* Does the peer wait before a full room? */
static inline bool room_peer_is_waiting(const room_peer *peer)
{
    return peer->member != NULL && room_member_is_waiting(peer->member);
}

/* What it holds now. */
room_counts room_manager_counts(const room_manager *manager);

#endif
