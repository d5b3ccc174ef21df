/* RoomManager: who is in which room, and the signals that wait for somebody to come (protocol/README.md, 1.1
 * to 4).
 *
 * One shard of the rooms, owned by one thread: no lock, no atomic. Pure: it knows neither sockets nor clocks
 * nor JSON. A peer is whatever embeds a room_peer, a signal is a body in parts, and time comes as an
 * argument. What happens to a peer (send, ping, close) goes through the peer's face; what happens to nobody
 * in particular (count, log, the budget) goes through room_effects.
 *
 * Life of a peer here: room_manager_join() answers ROOM_JOINED at once, or ROOM_WAITING when the room is full
 * or the newcomer doubts its company. A peer that waits is later told on_admitted or on_refused. A place, in
 * the room or in the line, ends with room_manager_leave(), room_manager_lose() or room_manager_succeed(). It
 * also ends with on_refused, on_replaced or on_dropped, and must not be left or lost after that.
 *
 * Kinds of peers: what differs between them is said by their faces (room_peer.h). Members are told of each
 * other, if their faces want to hear it: see room_news.
 *
 * A queue that is not empty has one owner: the member who queued it, alone in the room. The whole queue goes
 * to the first other member. It ends with its owner's leave, or with the loss of its owner's connection: at
 * once or PENDING_TTL later. */
#ifndef HOMECALL_ROOMS_ROOM_MANAGER_H
#define HOMECALL_ROOMS_ROOM_MANAGER_H

#include "base/keyed_hash.h"
#include "base/slice.h"
#include "rooms/room_effects.h"
#include "rooms/room_hash.h"
#include "rooms/room_member.h"
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
    room_space space; /* where the codeword belongs to */
    slice room;       /* the codeword, not empty */
    slice user;       /* empty only where the face says that it has no users */
    slice room_json;  /* the two names as JSON strings, for room_member_room_json() and the like; or empty */
    slice user_json;
    uint64_t now_ms;
} room_join;

typedef enum room_join_result {
    ROOM_JOINED,  /* in the room; a queue that waited for somebody has been sent to the peer */
    ROOM_WAITING, /* the peer is in the line before the room, and the members are being probed */
    ROOM_FULL,    /* the room is full, and so is the line before it: refused at once */
} room_join_result;

/* Let `peer` enter a room. It must have no place yet. Where both are known by their user names, a peer of the
 * same user that is in the room, or in the line before it, is replaced. A room_join_result, or -ENOMEM and it
 * has no place. */
int room_manager_join(room_manager *manager, room_peer *peer, const room_join *request);

/* How a member goes. */
typedef struct room_leaving {
    room_news_kind why; /* what the others are told: ROOM_NEWS_LEFT, ROOM_NEWS_LOST or ROOM_NEWS_REPLACED */
    slice text;         /* and what it says to that; may be empty */
    uint64_t now_ms;
} room_leaving;

/* The peer goes for good, from a room or from a line. What it has queued goes with it. */
void room_manager_leave(room_manager *manager, room_peer *peer, const room_leaving *how);

/* The connection of the peer is lost, in a room or in a line. What it has queued stays for pending_ttl_ms, if
 * its face keeps that. The others are told ROOM_NEWS_LOST. */
void room_manager_lose(room_manager *manager, room_peer *peer, uint64_t now_ms);

/* The place of `old_peer`, which is in a room, passes to `new_peer`, which has none: also in a full room, and
 * before all who wait. It becomes a member of its own, with the user of the request; the names of the room in
 * this are not read. The others are told `why` the old one is gone, ROOM_NEWS_LOST or ROOM_NEWS_REPLACED, and
 * that the new one has joined. What the old one has queued is dropped. The face of `new_peer` has no users.
 * 0, or -ENOMEM with nothing changed, or -ENOSPC in a room that has no number left for a member. */
int room_manager_succeed(room_manager *manager, room_peer *old_peer, room_peer *new_peer,
                         const room_join *request, room_news_kind why);

/* Pass a signal to every other member of the sender's room, or to the one that it is for. With nobody else in
 * the room, queue a copy of it, or drop it if it is fleeting. The sender must have joined. 0, or -ENOSPC when
 * the queue is full, or -ENOMEM; both are already reported as refused. */
int room_manager_signal(room_manager *manager, room_peer *from, const room_signal *signal, uint64_t now_ms);

/* A signal that this member of the room of `of_room` had sent to a member that is gone is queued
 * (protocol/README.md, 2.7), in the order of calls, and reported so. Only if the sender is still there,
 * alone, and speaks version 1, which can't say it again. Was it queued? Where the queue is full, it is
 * reported as refused. Only from within room_peer_face.on_gone. */
bool room_manager_requeue(room_manager *manager, const room_member *of_room, uint32_t sender_order,
                          const room_signal *signal, uint64_t now_ms);

/* A peer that has a place has shown that it is alive: call it for each pong. The last answer that was missing
 * decides for those who wait at once, instead of at their deadline. Cheap where nothing was asked. */
void room_manager_on_alive(room_manager *manager, room_peer *peer, uint64_t now_ms);

/* Tell the others that this member is away, that it is back, which is a sign of life, too, or that something
 * about it has changed. away_since_ms() of its face says the same already. If it waits, nobody is told.
 */
void room_manager_away(room_manager *manager, room_peer *peer);
void room_manager_back(room_manager *manager, room_peer *peer, uint64_t now_ms);
void room_manager_changed(room_manager *manager, room_peer *peer);

/* Do what is due: end the waits whose time is over, and the queues past their TTL. */
void room_manager_tick(room_manager *manager, uint64_t now_ms);

/* When to come with a tick (a monotonic time in ms), or UINT64_MAX when nothing is pending. Cheap. */
uint64_t room_manager_next_due_ms(const room_manager *manager);

/* The first member of the room of this codeword, for room_member_next(), or NULL. Borrowed. */
room_member *room_manager_find_room_members(const room_manager *manager, room_space space, slice name);

/* The member of that id (room_member_write_id()) in the room of `me`, also `me`, or NULL. Borrowed. A
 * question, as those of room_member.h. */
room_member *room_manager_find_peer(const room_member *me, slice id);

/* What it holds now. */
room_counts room_manager_counts(const room_manager *manager);

#endif
