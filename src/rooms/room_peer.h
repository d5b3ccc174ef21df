/* A peer: whoever can be in a room, and what the RoomManager can do with it.
 *
 * Today a peer is a session of this process. It need not be one: whatever embeds a room_peer and has a face
 * can join, for example a user who is connected to another machine. Peers of several kinds, which speak
 * different dialects, can be in one room: their faces say how they differ, and write the messages.
 *
 * All functions of a face are called on the manager's thread, from within a call of the manager. None of them
 * may call back into the manager, except for what room_manager.h calls questions. Closing the connection that
 * the peer stands for is allowed, as long as what follows from the close is done after the manager has
 * returned. */
#ifndef HOMECALL_ROOMS_ROOM_PEER_H
#define HOMECALL_ROOMS_ROOM_PEER_H

#include "base/slice.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/uio.h>

typedef struct room_peer room_peer;
typedef struct room_member room_member; /* a user in a room or in the line before it; owned by the manager */

/* The characters of a peer id, each of [A-Za-z0-9_-]. */
enum { ROOM_PEER_ID_LEN = 11 };

/* One signal: its body without an envelope, which the face of each receiver writes. `count` parts, all
 * borrowed. */
typedef struct room_signal {
    int kind; /* 0 to 31: see room_peer_face.kinds */
    int count;
    const struct iovec *parts;
    const room_member *to; /* borrowed: the member of the sender's room that gets it; NULL = all others */
    bool is_fleeting;      /* it is for those who are there now, and never queued */
    slice whole;           /* borrowed: the message that the others get, where the sender's dialect has it and
                              they speak the same; or empty. It says what `parts` say, and is not queued. */
} room_signal;

/* What happens to a member. The last three say that it is gone, and why. */
typedef enum room_news_kind {
    ROOM_NEWS_JOINED,
    ROOM_NEWS_CHANGED, /* what its session says of it: room_manager_changed() */
    ROOM_NEWS_AWAY,    /* its connection is not there, but it may come back: room_manager_away() */
    ROOM_NEWS_BACK,    /* room_manager_back() */
    ROOM_NEWS_LEFT,
    ROOM_NEWS_LOST,
    ROOM_NEWS_REPLACED,
} room_news_kind;

/* News of one member, for the others in its room. */
typedef struct room_news {
    room_news_kind kind;
    const room_member *about; /* borrowed for the call; its peer can still be asked, too */
    slice text;               /* what it has said to that, for example at its leave; mostly empty */
} room_news;

typedef struct room_peer_face {
    /* ---- How this kind of peer behaves ---- */

    /* The kinds of signals that it understands: the bit 1U << kind. The others are dropped on their way to
     * it, which is no fault of their sender. */
    uint32_t kinds;
    /* The version of the protocol that it speaks, 1 or 2. For others who ask. */
    uint8_t version;
    /* It is known by its user name: the same user from a new connection takes over, and comes back to what it
     * has queued and to its right to a place. Without it, the name is that of a person, who may be there
     * several times, and may be empty. */
    bool has_users;
    /* What it has queued is kept for pending_ttl_ms after its connection was lost. Without it, the queue ends
     * with the connection. */
    bool keeps_queue;
    /* It would rather wait than be beside a member whose connection is dead: alone with one member from whom
     * nothing was read within a second, it is let in when that member has shown that it is there, or is gone.
     */
    bool doubts_company;

    /* ---- What is done with it ---- */

    /* Pass one signal on, which this member has sent: both are borrowed for the call. The connection of the
     * sender may be lost by now: then room_member_peer() has none. False when the peer can't take the signal:
     * its connection is ending. */
    bool (*send)(room_peer *peer, const room_signal *signal, const room_member *from);
    /* Ask for a sign of life. is_alive_since will be asked later. */
    void (*probe)(room_peer *peer);
    /* Has anything been read from the peer after this time? */
    bool (*is_alive_since)(const room_peer *peer, uint64_t since_ms);
    /* NULL where peers of this kind are never away. Otherwise 0 while the connection of the peer is there, or
     * since when it is not. A peer that is away is a member like others and gets signals, but can't be
     * probed. */
    uint64_t (*away_since_ms)(const room_peer *peer);
    /* NULL where that can't be. Otherwise: can nobody say whether the peer is there, since the machine that
     * it is connected to has gone silent? It is neither alive nor silent then, and newcomers go on waiting.
     */
    bool (*is_in_doubt)(const room_peer *peer);
    /* The peer waited and is in the room now. Called before anything is sent to it. */
    void (*on_admitted)(room_peer *peer);
    /* NULL, or: the peer is in the room now, at once or after on_admitted. Called before anything is sent to
     * it, and before the others are told. */
    void (*on_entered)(room_peer *peer);
    /* NULL, or: this has happened to another member of its room. Borrowed for the call. A join is told before
     * the newcomer gets what was queued; an end is told after the last signal of the member that is gone.
     * A peer that waits in a line gets no news, and nobody gets news of it. */
    void (*on_news)(room_peer *peer, const room_news *news);
    /* NULL, or: the peer is no member any more, but `member` still says where it was. The others were told,
     * and no newcomer was let in yet. Here alone room_manager_requeue() may be called. */
    void (*on_gone)(room_peer *peer);
    /* The peer waited and did not get in. It has no place any more. `was` is the place that it had, borrowed
     * for the call. */
    void (*on_refused)(room_peer *peer, const room_member *was);
    /* The same user came from a new connection: close this one. The peer has no place any more. `was` is the
     * place that it had, borrowed for the call. */
    void (*on_replaced)(room_peer *peer, const room_member *was);
    /* A newcomer needed its place, and the peer was silent for too long, or was away: end it. It has no place
     * any more. */
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
