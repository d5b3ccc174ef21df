/* A room moves from one RoomManager to another, which may be in another process, or becomes one with a room
 * that is there (CLUSTER.md, merge).
 *
 * Where it comes from: room_manager_freeze() stops time for it, room_manager_export() tells what is in it,
 * and then either room_manager_discard() forgets it, or room_manager_thaw() lets it go on. While a room is
 * frozen nothing is called for its peers, and nobody joins it: the caller holds what they say.
 *
 * Where it comes to: one room_manager_import_begin(), room_manager_import_member() for each place in the
 * order in which they were told, room_manager_import_queue() where there is one, room_manager_import_end(),
 * all in one turn.
 *
 * If no such room is there, everything is as it was: numbers, ids, the queue, and nobody is told anything.
 * Otherwise the newcomers are members like others, behind those who are there, with new numbers. Of two with
 * the same user the one that joined later stays, and the other is replaced. Where there are too many, those
 * who joined first have the places, and the others wait in the line. */
#ifndef HOMECALL_ROOMS_ROOM_MOVING_H
#define HOMECALL_ROOMS_ROOM_MOVING_H

#include "rooms/room_manager.h"

/* ---- Out ---- */

/* Is there such a room? With members, or with a queue alone. */
bool room_manager_has_room(const room_manager *manager, room_space space, slice name);

/* Nothing becomes due in that room any more. 0, or -ENOENT. It is not frozen yet. */
int room_manager_freeze(room_manager *manager, room_space space, slice name);

/* It goes on: those who wait begin their wait anew, the queue of a lost owner has the time that it had. The
 * room is frozen. */
void room_manager_thaw(room_manager *manager, room_space space, slice name, uint64_t now_ms);

/* Where somebody is. */
typedef enum room_place {
    ROOM_PLACE_MEMBER,
    ROOM_PLACE_LINE, /* waits before the room */
    ROOM_PLACE_LOST, /* its connection is lost, and its queue is kept */
} room_place;

/* What a room says of itself. */
typedef struct room_life {
    uint32_t id_base;    /* the first half of the ids of its members */
    uint32_t last_order; /* the number that was given last */
} room_life;

typedef struct room_export {
    /* A place: the members, the lowest number first, then a lost owner, then those who wait, the first first.
     * Borrowed for the call. `time_left_ms` is that of the queue of a lost owner. */
    void (*on_place)(void *context, const room_member *member, room_place place, uint64_t time_left_ms);
    /* A signal that the only member has queued, or the lost owner: told behind it, in order. */
    void (*on_queued)(void *context, int kind, slice body, uint64_t waited_ms);
    void *context; /* borrowed */
} room_export;

/* Of a frozen room: what it says of itself, and what is in it. Nothing changes. */
room_life room_manager_frozen_life(const room_manager *manager, room_space space, slice name);
void room_manager_export(const room_manager *manager, room_space space, slice name, uint64_t now_ms,
                         const room_export *to);

/* The frozen room lives elsewhere: it is gone here, and nothing is told or reported. Its peers have no place.
 */
void room_manager_discard(room_manager *manager, room_space space, slice name);

/* ---- In ---- */

/* A room that comes, filled by the caller down to `context`. */
typedef struct room_import {
    room_space space;
    slice room, room_json; /* borrowed until the end, as in room_join */
    room_life life;
    uint64_t now_ms;
    /* Did the client of `a` join later than that of `b`? */
    bool (*is_younger)(void *context, const room_peer *a, const room_peer *b);
    /* A member had to make way for one that joined first, and waits in the line from now on. */
    void (*on_demoted)(void *context, room_peer *peer);
    void *context; /* borrowed, for both */

    /* Of this module. */
    struct room *into; /* borrowed */
    bool is_whole;     /* no such room was there */
} room_import;

/* 0, or -ENOMEM: nothing has changed. */
int room_manager_import_begin(room_manager *manager, room_import *import);

/* Who comes. */
typedef struct room_arrival {
    room_peer *peer; /* borrowed, as a peer that joins */
    slice user, user_json;
    bool has_waited; /* it comes from the line */
    uint32_t order;  /* its number where it comes from */
} room_arrival;

/* The peer, which has no place yet, gets one; or it is told on_replaced or on_refused from within. One that
 * has waited and is let in is told on_admitted as usual. 0, or -ENOMEM: it has no place, and was told
 * nothing. */
int room_manager_import_member(room_manager *manager, room_import *import, const room_arrival *arrival);

/* A queue that comes. */
typedef struct room_queued {
    int kind;
    slice body;
    uint64_t waited_ms; /* so far */
} room_queued;

typedef struct room_import_queue {
    room_peer *owner;      /* borrowed: who was imported and has queued it; NULL where that one is lost */
    slice user, user_json; /* of the owner */
    uint64_t time_left_ms; /* where the owner is lost: the queue goes on for so long */
    uint32_t order;        /* the same: its number where it comes from */
    uint32_t account;      /* which it is charged to */
    const room_queued *signals;
    unsigned count;
} room_import_queue;

/* After all members: their queue goes to another member, or stays a queue; what has no place is reported, as
 * refused where it does not fit, and as dropped where its owner has no place or another queue is there. 0, or
 * -ENOMEM: all of it is lost, unreported. */
int room_manager_import_queue(room_manager *manager, room_import *import, const room_import_queue *queue);

/* Those who wait and can come in do. */
void room_manager_import_end(room_manager *manager, room_import *import);

#endif
