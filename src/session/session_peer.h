/* A session as a peer of its RoomManager: what the rooms can do with it. Internal to the session floor. */
#ifndef HOMECALL_SESSION_SESSION_PEER_H
#define HOMECALL_SESSION_SESSION_PEER_H

#include "rooms/room_peer.h"

/* The face of every session's peer. */
extern const room_peer_face session_peer_face;

#endif
