/* The rules of rooms, 1.1 to 1.4 of protocol/README.md, and what versions other than 1 add, written down
 * once more as plainly as possible: small arrays that are searched from front to back, every rule where it is
 * read. Nothing here is shared with src/rooms, but for the names of outcomes in reports.
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
 * - Who is away owes an answer until it is back. It makes way when silent members are not enough, the one who
 * is away for the longest time first.
 * - A newcomer to a session waits beside one from whom nothing was read within a second. If another member
 * that was asked later takes the place of that one, the time of who waits begins anew.
 * - Who takes over is a new member, behind the others.
 * - Who takes over a place in the line keeps its deadline. */
#ifndef HOMECALL_TESTS_MODEL_ROOM_REFERENCE_H
#define HOMECALL_TESTS_MODEL_ROOM_REFERENCE_H

#include "model/transcript.h"

#include <stdbool.h>
#include <stdint.h>

enum { REFERENCE_QUEUE = 16 }; /* the most that `max_messages` may be */

/* The kinds of peers: four of each, by their numbers. */
typedef enum model_kind { OF_VERSION_1, OF_VERSION_2, OF_SESSION, MODEL_KINDS } model_kind;

static inline model_kind model_kind_of(int peer)
{
    return (model_kind)(peer / (MODEL_PEERS / MODEL_KINDS));
}

/* The kinds of signals: all know an offer, version 1 does not know a hangup, and only version 2 knows data.
 */
enum { MODEL_OFFER, MODEL_HANGUP, MODEL_DATA, MODEL_SIGNALS };

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
    int kind;
    uint64_t bytes;
    bool is_fleeting;
} reference_signal;

/* Somebody in a room or in the line before it. */
typedef struct reference_place {
    int peer;
    int user;
    unsigned order;    /* its number in the life of the room; 0 while it waits */
    uint64_t away_ms;  /* since when its connection is not there; 0 = it is */
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
    reference_place owner; /* whose signals are queued */
    bool is_owner_lost;    /* the owner's connection is lost */
    uint64_t expires_ms;   /* while the owner is lost */
    unsigned last_order;   /* the number that was given last */
} reference_room;

typedef struct reference {
    reference_limits limits;
    reference_room rooms[MODEL_ROOMS];
    bool is_ending[MODEL_PEERS]; /* takes no more signals */
    transcript heard;            /* in this step */
    uint64_t now_ms;
} reference;

typedef enum reference_where { REFERENCE_OUT, REFERENCE_IN, REFERENCE_WAITING } reference_where;

/* Empty rooms. */
void reference_init(reference *r, const reference_limits *limits);

/* Where is this peer? Its room and its place where it has one. */
reference_where reference_find(const reference *r, int peer, int *room, const reference_place **place);

/* Time has come to this. All that follows happens at that time. */
void reference_set_time(reference *r, uint64_t now_ms);

/* The peer, which has no place, joins. */
void reference_join(reference *r, int peer, int room, int user);

/* It leaves, and the others hear this of it; and its connection is lost. It has a place. */
void reference_leave(reference *r, int peer, const char *why);
void reference_lose(reference *r, int peer);

/* It gives a sign of life. */
void reference_answer(reference *r, int peer);

/* It goes away, comes back, and has changed. It is in a room, of version 2. */
void reference_go_away(reference *r, int peer);
void reference_come_back(reference *r, int peer);
void reference_change(reference *r, int peer);

/* Its place passes to another peer of version 2, which has none. The others hear this of it. */
void reference_succeed(reference *r, int peer, int successor, int user, const char *why);

/* It sends a signal from the room that it is in: to this peer in it, or to all others where that is -1. */
void reference_send(reference *r, int peer, reference_signal signal, int to);

/* What the member of this number in the room of the peer had sent comes back. Is it queued? */
bool reference_requeue(reference *r, int peer, unsigned order, reference_signal signal);

/* What is due is done. */
void reference_tick(reference *r);

/* When something is due, or UINT64_MAX. */
uint64_t reference_due_ms(const reference *r);

/* The server stops: what is queued is dropped. */
void reference_stop(reference *r);

#endif
