/* Telling the members of a room what happens to one of them. Internal to src/rooms. */
#ifndef HOMECALL_ROOMS_ROOM_NEWS_H
#define HOMECALL_ROOMS_ROOM_NEWS_H

#include "rooms/room.h"

/* Tell all other members of its room that this has happened to `about`, which has a peer, and may be in the
 * room or have left it just now. `text` is borrowed. */
void room_news_tell(const room_member *about, room_news_kind kind, slice text);

#endif
