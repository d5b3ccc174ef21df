/* What goes into a RoomManager and what comes out of it, besides its peers: its limits, what is reported of
 * each signal, and what it asks of the server around it. */
#ifndef HOMECALL_ROOMS_ROOM_EFFECTS_H
#define HOMECALL_ROOMS_ROOM_EFFECTS_H

#include "base/slice.h"
#include "rooms/room_hash.h"
#include "rooms/room_peer.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct room_limits {
    uint32_t capacity;             /* users in a room, at least 1. A session has two: room_manager_parts.h */
    uint32_t pending_max_messages; /* queued in one room */
    uint64_t pending_max_bytes;    /* queued in one room */
    uint32_t pending_ttl_ms;       /* a queue's time after its owner's connection was lost */
    uint32_t probe_timeout_ms;     /* for the members of a full room to answer */
} room_limits;

/* What became of one signal. Each attempt is told once for each receiver (protocol/README.md, 1.3). */
typedef enum room_outcome {
    ROOM_SIGNAL_RELAYED,   /* passed on to a present user */
    ROOM_SIGNAL_QUEUED,    /* kept: nobody else is there */
    ROOM_SIGNAL_DELIVERED, /* passed on from the queue */
    ROOM_SIGNAL_REFUSED,   /* the queue is full; what is queued already stays */
    ROOM_SIGNAL_DROPPED,   /* queued and given up (leave, TTL, stop), or nobody there could take it */
    ROOM_OUTCOMES
} room_outcome;

/* Why a signal was refused or dropped. */
typedef enum room_failure {
    ROOM_FAILURE_NONE,
    ROOM_FAILURE_QUEUE_FULL,      /* refused: the room's queue, by messages or bytes */
    ROOM_FAILURE_BUDGET_USED_UP,  /* refused: the queues of the whole server */
    ROOM_FAILURE_NO_MEMORY,       /* refused */
    ROOM_FAILURE_RECEIVER_ENDING, /* dropped, and so all that follow */
    ROOM_FAILURE_SENDER_LEFT,
    ROOM_FAILURE_EXPIRED,
    ROOM_FAILURE_SERVER_STOPS,
    ROOM_FAILURE_SENDER_LOST,    /* its connection, and its kind of peer keeps no queue */
    ROOM_FAILURE_NOT_UNDERSTOOD, /* the receiver is of a kind that does not know this kind of signal */
    ROOM_FAILURE_NOBODY_THERE,   /* a fleeting signal, and no other member */
    ROOM_FAILURE_MERGED, /* queued, when two rooms became one in which it has no place: room_moving.h */
    ROOM_FAILURES
} room_failure;

/* How many kinds of signals `is_first` tells apart. A kind from here on counts as its remainder. */
enum { ROOM_KINDS = 16 };

/* What became of a signal. The members are borrowed for the call: room_member.h says their names and that of
 * the room. There is one report for each signal, so it has only what the members don't say. */
typedef struct room_signal_report {
    room_outcome outcome;
    int kind;                /* as given to room_manager_signal() */
    size_t bytes;            /* of its body */
    const room_member *from; /* the sender; it has no peer when its connection is lost */
    const room_member *to;   /* the receiver; NULL where there is none */
    uint64_t waited_ms;      /* how long it was in the queue; 0 where it was in none */
    room_failure failure;    /* why it was refused or dropped; NONE otherwise */
    bool is_first;           /* the first signal of its kind that has reached anybody in this room */
    uint32_t room_age_ms;    /* where is_first: how long ago the room's first user joined */
} room_signal_report;

/* A failure in words, a literal; NULL for NONE. */
const char *room_failure_text(room_failure failure);

/* What happens to a room or in it. */
typedef enum room_event_kind {
    ROOM_EVENT_OPENED, /* it has no member yet; the first one joins next */
    ROOM_EVENT_JOINED, /* a member has come in, at once or after it waited */
    ROOM_EVENT_LEFT,   /* a member is gone; `why` says how */
    ROOM_EVENT_FREED,  /* it has nobody and nothing in it any more */
} room_event_kind;

/* One event. Everything is borrowed for the call. Each room has one OPENED and one FREED, and each member one
 * JOINED and one LEFT between them, also where the manager is freed with members in its rooms. For rooms that
 * move (room_moving.h) this does not hold yet: the server moves none. */
typedef struct room_event {
    room_event_kind kind;
    room_space space;
    slice room;            /* the codeword */
    uint32_t members;      /* how many there are after the event */
    slice user;            /* JOINED, LEFT: the member's user name, which may be empty */
    slice id;              /* JOINED, LEFT: the member's id, ROOM_PEER_ID_LEN characters */
    const room_peer *peer; /* JOINED, LEFT: the member; NULL where the manager is freed */
    room_news_kind why;    /* LEFT: ROOM_NEWS_LEFT, ROOM_NEWS_LOST or ROOM_NEWS_REPLACED */
} room_event;

/* What a manager makes happen that concerns no single peer. None of these may call back into the manager. */
typedef struct room_effects {
    /* Take `bytes` from the server-wide queue budget, for this account of room_peer_face; false when that is
     * used up. */
    bool (*reserve)(void *context, uint32_t account, size_t bytes);
    /* Give `bytes` back to it. */
    void (*release)(void *context, uint32_t account, size_t bytes);
    /* What became of a signal, for the log and the counters. */
    void (*on_signal)(void *context, const room_signal_report *report);
    /* NULL, or: this has happened. Called after the members were told. */
    void (*on_event)(void *context, const room_event *event);
    void *context; /* borrowed, for the four */
} room_effects;

/* What a manager holds now. */
typedef struct room_counts {
    uint64_t rooms;
    uint64_t members;
    uint64_t waiters;
    uint64_t pending_messages;
    uint64_t pending_bytes;
} room_counts;

#endif
