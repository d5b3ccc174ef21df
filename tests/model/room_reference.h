/* The rules of rooms, 1 to 4 of PROTOCOL.md, written down once more as plainly as possible: small arrays that
 * are searched from front to back, every rule where it is read. Nothing here is shared with src/rooms, but
 * for the names of outcomes in reports.
 *
 * Peers, rooms and users are numbers. What a peer hears, and what is reported of the signals of a room, is
 * noted in a transcript. Pings are not noted: how often members are asked is no rule of the protocol.
 *
 * Where the protocol leaves something open, src/rooms says how it is decided, and this says the same:
 *
 * - A member that was asked and stays silent is judged when the time of somebody who waits is over.
 * - A newcomer is refused as soon as nobody owes an answer who was silent since it came. Who is let in owes
 * none until it is asked.
 * - A member that was asked within the last second, or the time that it has to answer, and has answered, is
 * not asked again. Where all have, a newcomer is refused at once.
 * - Whom a room has lost lately goes before strangers.
 * - A join is a sign of life.
 * - Who takes over a place in the line keeps its deadline. */
#ifndef HOMECALL_TESTS_MODEL_ROOM_REFERENCE_H
#define HOMECALL_TESTS_MODEL_ROOM_REFERENCE_H

#include "model/transcript.h"

#include <stdbool.h>
#include <stdint.h>

enum { REFERENCE_QUEUE = 16 }; /* the most that `max_messages` may be */

typedef struct reference_limits {
    int capacity;
    int max_messages;   /* queued in a room */
    uint64_t max_bytes; /* queued in a room */
    uint64_t budget;    /* bytes, queued in all rooms together */
    uint64_t ttl_ms;
    uint64_t probe_ms;
} reference_limits;

typedef struct reference_signal {
    int number;
    uint64_t bytes;
} reference_signal;

/* Somebody in a room or in the line before it. */
typedef struct reference_place {
    int peer;
    int user;
    uint64_t since_ms; /* when it came: in the line, for its deadline */
    uint64_t alive_ms; /* the last sign of life of its peer */
    bool is_asked;     /* for a sign of life that has not come yet */
    uint64_t asked_ms; /* when it was asked last; 0 = never */
    bool was_member;   /* waits, and was lost from the room lately: it goes before strangers */
} reference_place;

/* A user whom a room has lost. */
typedef struct reference_former {
    int user;
    uint64_t lost_ms;
} reference_former;

typedef struct reference_room {
    reference_former formers[MODEL_USERS]; /* the latest first, as many as the room has places */
    int former_count;
    reference_place members[MODEL_PEERS]; /* in order of joining */
    int member_count;
    reference_place line[MODEL_PEERS]; /* those who were members, then the others; first come first */
    int line_count;
    reference_signal queue[REFERENCE_QUEUE];
    int queued;
    int owner;           /* the user whose signals are queued */
    bool is_owner_away;  /* the owner's connection is lost */
    uint64_t expires_ms; /* while the owner is away */
} reference_room;

typedef struct reference {
    reference_limits limits;
    reference_room rooms[MODEL_ROOMS];
    bool is_ending[MODEL_PEERS]; /* takes no more signals */
    transcript heard;            /* in this step */
} reference;

typedef enum reference_where { REFERENCE_OUT, REFERENCE_IN, REFERENCE_WAITING } reference_where;

/* Empty rooms. */
void reference_init(reference *r, const reference_limits *limits);

/* Where is this peer? Its room and its user where it has a place. */
reference_where reference_find(const reference *r, int peer, int *room, int *user);

/* The peer, which has no place, joins. */
void reference_join(reference *r, int peer, int room, int user, uint64_t now_ms);

/* It leaves, and its connection is lost. It has a place. */
void reference_leave(reference *r, int peer);
void reference_lose(reference *r, int peer, uint64_t now_ms);

/* It gives a sign of life. */
void reference_answer(reference *r, int peer, uint64_t now_ms);

/* It sends a signal from the room that it is in. */
void reference_send(reference *r, int peer, reference_signal signal);

/* Time has come to this, and what is due is done. */
void reference_tick(reference *r, uint64_t now_ms);

/* When something is due, or UINT64_MAX. */
uint64_t reference_due_ms(const reference *r);

/* The server stops: what is queued is dropped. */
void reference_stop(reference *r);

#endif
