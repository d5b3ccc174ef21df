/* Shadow: a place in a room that another RoomManager has, as far as it is known here. It answers the
 * questions of room_member.h as a member does, so who holds one need not know where the room is. It is in no
 * table and no list, and no manager may be called with it.
 *
 * It has a room of its own, with the names that its user joined with. All functions: the thread that owns
 * it. */
#ifndef HOMECALL_ROOMS_ROOM_SHADOW_H
#define HOMECALL_ROOMS_ROOM_SHADOW_H

#include "rooms/room_manager.h"

/* Make one that waits. `peer` is borrowed: room_member_peer() tells it; names are copied. NULL without
 * memory. */
room_member *room_shadow_new(room_peer *peer, const room_join *names);

/* It is in the room now. Others are taken to be there as well, since nobody here knows. */
void room_shadow_enter(room_member *shadow);

/* Free it. */
void room_shadow_free(room_member *shadow);

#endif
