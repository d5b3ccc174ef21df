/* What the rooms do with a session. Internal to src/session. */
#ifndef HOMECALL_SESSION_SESSION_PEER_H
#define HOMECALL_SESSION_SESSION_PEER_H

#include "rooms/room_peer.h"

/* The functions by which the RoomManager uses the peer of a session; the same for every session. */
extern const room_peer_face session_peer_face;

#endif
