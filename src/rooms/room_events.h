/* Telling the server around a RoomManager what happens to rooms and in them: room_effects.on_event. Internal
 * to src/rooms. Each function costs one comparison where nobody asked for events. */
#ifndef HOMECALL_ROOMS_ROOM_EVENTS_H
#define HOMECALL_ROOMS_ROOM_EVENTS_H

#include "rooms/room_manager_parts.h"

/* The room has been opened, or is freed after this call. */
void room_events_opened(const room_manager *manager, const room *r);
void room_events_freed(const room_manager *manager, const room *r);

/* The member, which has a peer, is in its room now. */
void room_events_joined(const room_manager *manager, const room_member *member);

/* The member is in its room no more; `peer` is its peer, or NULL if that may be gone already. */
void room_events_left(const room_manager *manager, const room_member *member, const room_peer *peer,
                      room_news_kind why);

#endif
