/* A peer: whoever can be in a room, and what the RoomManager can do with it.
 *
 * Today a peer is a session of this process. It need not be one: whatever embeds a room_peer and has a face
 * can join, for example a user who is connected to another machine.
 *
 * All functions of a face are called on the manager's thread, from within a call of the manager. None of them
 * may call back into the manager. Closing the connection that the peer stands for is allowed, as long as what
 * follows from the close is done after the manager has returned. */
#ifndef HOMECALL_ROOMS_ROOM_PEER_H
#define HOMECALL_ROOMS_ROOM_PEER_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/uio.h>

typedef struct room_peer room_peer;
typedef struct room_member room_member; /* a user in a room or in the line before it; owned by the manager */

/* One signal: its body without an envelope, which the face of each receiver writes. `count` parts, all
 * borrowed. */
typedef struct room_signal {
    int kind; /* only reported */
    int count;
    const struct iovec *parts;
} room_signal;

typedef struct room_peer_face {
    /* Pass one signal on, which this member has sent: both are borrowed for the call. The connection of the
     * sender may be lost by now (room_manager.h says what can be asked of it). False when the peer can't take
     * the signal: its connection is ending. */
    bool (*send)(room_peer *peer, const room_signal *signal, const room_member *from);
    /* Ask for a sign of life. is_alive_since will be asked later. */
    void (*probe)(room_peer *peer);
    /* Has anything been read from the peer after this time? */
    bool (*is_alive_since)(const room_peer *peer, uint64_t since_ms);
    /* The peer waited and is in the room now. Called before anything is sent to it. */
    void (*on_admitted)(room_peer *peer);
    /* The peer waited and did not get in. It has no place any more. */
    void (*on_refused)(room_peer *peer);
    /* The same user came from a new connection: close this one. The peer has no place any more. `was` is the
     * place that it had, borrowed for the call. */
    void (*on_replaced)(room_peer *peer, const room_member *was);
    /* The peer was silent for too long while a newcomer waited: close its connection. It has no place any
     * more. */
    void (*on_dropped)(room_peer *peer);
    /* Which account of room_effects.reserve the signals are charged to that are queued for it. */
    uint32_t (*account)(const room_peer *peer);
    /* The number that log lines know its connection by. */
    uint64_t (*id)(const room_peer *peer);
} room_peer_face;

/* Embedded by its owner, and borrowed by the manager from its join until it has no place any more. */
struct room_peer {
    const room_peer_face *face; /* borrowed; set by the owner before the first join */
    room_member *member; /* borrowed: its place in a room or in the line before one; NULL while it has none.
                            Only the manager sets it. */
};

#endif
