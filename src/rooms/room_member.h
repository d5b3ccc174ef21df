/* What can be asked about a member. These are questions: the functions of a face may call them, too.
 *
 * A member lives as long as its place, or for the call that it is lent for. */
#ifndef HOMECALL_ROOMS_ROOM_MEMBER_H
#define HOMECALL_ROOMS_ROOM_MEMBER_H

#include "base/slice.h"
#include "rooms/room_peer.h"

#include <stdbool.h>
#include <stdint.h>

/* The names that a member joined with. Borrowed: they live as long as the member. */
slice room_member_room(const room_member *member);
slice room_member_user(const room_member *member);
slice room_member_room_json(const room_member *member);
slice room_member_user_json(const room_member *member);

/* The two JSON names in one call, for callers that need both with each signal. */
void room_member_names_json(const room_member *member, slice *room_json, slice *user_json);

/* Is it still in the line before its room? */
bool room_member_is_waiting(const room_member *member);

/* Is another member in its room? A member that is away counts. */
bool room_member_has_company(const room_member *member);

/* Its peer. Borrowed; NULL for the sender of queued signals whose connection is lost. */
room_peer *room_member_peer(const room_member *member);

/* Its number in the life of its room, from 1 to 2^31 - 1: who came first has the lowest. No other member gets
 * the same, and who takes over a place gets a new one. 0 while it waits. */
uint32_t room_member_order(const room_member *member);

/* Write the id of a member that does not wait. Unlike its number, it is different in the next life of the
 * room as well. */
void room_member_write_id(const room_member *member, char out[ROOM_PEER_ID_LEN]);

/* The members of the room of this one, the lowest order first: the one behind `after`, or the first where
 * that is NULL. Borrowed; NULL at the end. Those who wait are no members. */
room_member *room_member_next(const room_member *of_room, const room_member *after);

/* Is the peer in a room? */
static inline bool room_peer_is_joined(const room_peer *peer)
{
    return peer->member != NULL && !room_member_is_waiting(peer->member);
}

/* Does the peer wait before a room? */
static inline bool room_peer_is_waiting(const room_peer *peer)
{
    return peer->member != NULL && room_member_is_waiting(peer->member);
}

#endif
