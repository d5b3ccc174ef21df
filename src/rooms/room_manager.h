/* RoomManager: who is in which room, and the signals that wait for somebody to come (PROTOCOL.md, rules 1 to
 * 4).
 *
 * One shard of the rooms, owned by one thread: no lock, no atomic. Pure: it knows neither sockets nor clocks
 * nor JSON. A peer is an opaque pointer, a signal is a run of parts, time comes as an argument, and
 * everything that must happen outside (send, ping, close, count, log) goes through the callbacks of
 * room_effects.
 *
 * Life of a member: room_manager_join() gives ROOM_JOINED at once, or ROOM_WAITING when the room is full, and
 * then later exactly one of on_admitted or on_refused, unless room_manager_cancel() or a replace comes first.
 * A member ends with room_manager_leave() or room_manager_lose(), or by itself, which is told with replace or
 * drop.
 *
 * A queue that is not empty has one owner: the user who queued it, alone in the room. It goes whole to the
 * first other user who joins, and it ends with its owner's leave, or PENDING_TTL after its owner's connection
 * was lost. */
#ifndef HOMECALL_ROOMS_ROOM_MANAGER_H
#define HOMECALL_ROOMS_ROOM_MANAGER_H

#include "base/keyed_hash.h"
#include "base/slice.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

typedef struct room_manager room_manager;
typedef struct room_member room_member; /* a user in a room; owned by the manager */
typedef struct room_waiter room_waiter; /* a newcomer before a full room; owned by the manager */

/* What became of one signal; each attempt is told once for each receiver (PROTOCOL.md, rule 3). */
typedef enum room_outcome {
    ROOM_SIGNAL_RELAYED,   /* handed to a present user */
    ROOM_SIGNAL_QUEUED,    /* kept: nobody else is there */
    ROOM_SIGNAL_DELIVERED, /* handed over from the queue */
    ROOM_SIGNAL_REFUSED,   /* the queue is full; queued ones stay */
    ROOM_SIGNAL_DROPPED,   /* queued and given up (leave, TTL, stop), or its receiver could not take it */
    ROOM_OUTCOMES
} room_outcome;

/* Why a signal was refused or dropped. */
typedef enum room_setback {
    ROOM_SETBACK_NONE,
    ROOM_SETBACK_QUEUE_FULL,      /* refused: the room's queue, by messages or bytes */
    ROOM_SETBACK_BUDGET_USED_UP,  /* refused: the queues of the whole server */
    ROOM_SETBACK_NO_MEMORY,       /* refused */
    ROOM_SETBACK_RECEIVER_ENDING, /* dropped, and so the next three */
    ROOM_SETBACK_SENDER_LEFT,
    ROOM_SETBACK_EXPIRED,
    ROOM_SETBACK_SERVER_STOPS,
    ROOM_SETBACKS
} room_setback;

/* Kinds of signals that `is_first` tells apart; larger ones count as their remainder. */
enum { ROOM_KINDS = 16 };

typedef struct room_signal_report {
    room_outcome outcome;
    int kind;              /* as given to room_manager_signal() */
    size_t bytes;          /* of the signal */
    slice room;            /* the codeword */
    slice from;            /* the sender's user name */
    slice to;              /* the receiver's, or empty */
    const void *from_peer; /* the sender's peer; NULL when it is away */
    const void *to_peer;   /* the receiver's; NULL where there is none */
    room_setback setback;  /* DROPPED and REFUSED: why */
    const char *why;       /* the same in words, a literal; NULL otherwise */
    uint64_t waited_ms;    /* what came from the queue: how long it was there; 0 otherwise */
    bool is_first;        /* RELAYED and DELIVERED: the first of its kind since the room was opened, by … */
    uint64_t room_age_ms; /* … its first join, so long ago */
} room_signal_report;

/* What a manager makes happen. `peer` is the pointer given at the join. No callback may call back into the
 * manager; what follows from one (a close, say) is done after the manager has returned. All slices are
 * borrowed for the call. */
typedef struct room_effects {
    /* Pass one signal on. False when the peer's connection can't take it (it is ending). */
    bool (*send)(void *peer, const struct iovec *parts, int count);
    /* The same user came from a new connection: close this peer, whose member or waiter has ended already (it
     * must not be given to leave, lose or cancel any more: forget it here, for the new peer may be given the
     * same pointer). */
    void (*replace)(void *peer);
    /* Ask for a sign of life; is_alive_since will be asked later. */
    void (*probe)(void *peer);
    /* Has anything been read from the peer after this time? */
    bool (*is_alive_since)(void *peer, uint64_t since_ms);
    /* The peer was silent for too long: close its connection. Its member has ended, as for replace. */
    void (*drop)(void *peer);
    /* A waiter got in: it is `member` now, and its waiter is gone. Called before anything is sent to it. */
    void (*on_admitted)(void *peer, room_member *member);
    /* A waiter did not get in: its waiter is gone. */
    void (*on_refused)(void *peer);
    /* Take `bytes` from the server-wide queue budget; false when that is used up. */
    bool (*reserve)(void *context, size_t bytes);
    void (*release)(void *context, size_t bytes);
    /* A signal's outcome, for the log and the counters. */
    void (*on_signal)(void *context, const room_signal_report *report);
    void *context; /* for the callbacks that get no peer */
} room_effects;

typedef struct room_limits {
    uint32_t capacity;             /* users in a room, at least 1 */
    uint32_t pending_max_messages; /* queued in one room */
    uint64_t pending_max_bytes;    /* queued in one room */
    uint32_t pending_ttl_ms;       /* a queue's time after its owner's connection was lost */
    uint32_t probe_timeout_ms;     /* for the members of a full room to answer */
} room_limits;

/* A manager without rooms. `effects`, `limits` and `hash` are copied. 0 and the manager in *out, owned by the
 * caller, or -ENOMEM. */
int room_manager_new(const room_limits *limits, const room_effects *effects, const keyed_hash *hash,
                     room_manager **out);

/* Free it with all rooms, members, waiters and queues; queued signals are reported as dropped. Peers are not
 * touched. NULL is legal. */
void room_manager_free(room_manager *manager);

typedef enum room_join_result {
    ROOM_JOINED,  /* *member is set; a queue that waited has been sent to the peer */
    ROOM_WAITING, /* the room is full: *waiter is set, the members are being probed */
    ROOM_FULL,    /* the room is full, and so is the line before it: refused at once */
} room_join_result;

/* Let `peer` enter `room` as `user` (both not empty; copied). `room_json` and `user_json` are kept beside
 * them for room_member_names(). A user of that name who is there, or who waits, is replaced. The peer must
 * not be in a room or waiting. Returns a room_join_result, or -ENOMEM with nothing changed. */
int room_manager_join(room_manager *manager, void *peer, slice room, slice user, slice room_json,
                      slice user_json, uint64_t now_ms, room_member **member, room_waiter **waiter);

/* The member goes and takes back what it has queued. Ends `member`. */
void room_manager_leave(room_manager *manager, room_member *member);

/* The member's connection is lost; what it has queued stays for pending_ttl_ms. Ends `member`. */
void room_manager_lose(room_manager *manager, room_member *member, uint64_t now_ms);

/* The waiter goes. Ends `waiter`. */
void room_manager_cancel(room_manager *manager, room_waiter *waiter);

/* Pass a signal to every other user of the member's room, or queue it if there is none. `kind` is only
 * reported. `parts` (count of them) are borrowed; they are copied when queued. 0, or -ENOSPC when the
 * queue is full (already reported as refused), or -ENOMEM (the same). */
int room_manager_signal(room_manager *manager, room_member *member, int kind, const struct iovec *parts,
                        int count, uint64_t now_ms);

/* A member has shown that it is alive: call it for each pong. The last answer that was missing refuses the
 * waiters at once instead of at their deadline. Cheap where nothing was asked. */
void room_manager_on_alive(room_manager *manager, room_member *member, uint64_t now_ms);

/* Do what is due: waiters whose members had their time, queues past their TTL. */
void room_manager_tick(room_manager *manager, uint64_t now_ms);

/* When to come with a tick (a monotonic time in ms), or UINT64_MAX when nothing is pending. Cheap. */
uint64_t room_manager_next_due_ms(const room_manager *manager);

/* The names that a member joined with. Borrowed: they live as long as the member. */
slice room_member_room(const room_member *member);
slice room_member_user(const room_member *member);
slice room_member_room_json(const room_member *member);
slice room_member_user_json(const room_member *member);

/* What a manager holds now. */
typedef struct room_counts {
    uint64_t rooms;
    uint64_t members;
    uint64_t waiters;
    uint64_t pending_messages;
    uint64_t pending_bytes;
} room_counts;

room_counts room_manager_counts(const room_manager *manager);

#endif
