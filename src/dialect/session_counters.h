/* What the sessions of one thread count. That thread writes, any thread may read. Counters only. */
#ifndef HOMECALL_DIALECT_SESSION_COUNTERS_H
#define HOMECALL_DIALECT_SESSION_COUNTERS_H

#include "base/counter_histogram.h"
#include "dialect/signal_kind.h"
#include "rooms/room_effects.h"

/* The results of joins. A join that repeats the one before is not counted. */
typedef enum session_join {
    SESSION_JOIN_JOINED,      /* it is in the room, at once or after it waited */
    SESSION_JOIN_FULL,        /* it was refused: the room is full */
    SESSION_JOIN_NOT_ALLOWED, /* it was refused by the program that embeds the server */
    SESSION_JOINS
} session_join;

/* Why a member has left its room. */
typedef enum session_leave {
    SESSION_LEAVE_LEFT,       /* it sent a leave */
    SESSION_LEAVE_MOVED,      /* it joined another room, or the same room under another name */
    SESSION_LEAVE_LOST,       /* its connection ended */
    SESSION_LEAVE_SILENT,     /* it did not answer while a newcomer waited */
    SESSION_LEAVE_TAKEN_OVER, /* the same user joined from a new connection */
    SESSION_LEAVES
} session_leave;

/* What became of clients of version 2 that came back. */
typedef enum session_resume {
    SESSION_RESUME_RESUMED,  /* nothing was lost */
    SESSION_RESUME_FAILED,   /* it has a new session, and is told that something may be lost */
    SESSION_RESUME_REPLACED, /* it asked for a new session in the place of its old one: a reload */
    SESSION_RESUMES
} session_resume;

typedef struct session_counters {
    counter accepted;    /* connections that started on this thread */
    counter handed_over; /* connections that were handed over to another thread */

    /* What there is now, as room_counts has it; set at the end of each turn. */
    counter rooms;
    counter members;
    counter waiters; /* newcomers that wait before full rooms */
    counter pending_messages;
    counter pending_bytes;
    counter away; /* members whose session is kept without a connection */

    counter joins[SESSION_JOINS];
    counter resumes[SESSION_RESUMES];
    counter guesses_held;           /* joins that were held: GUESS_RATE */
    counter leaves[SESSION_LEAVES]; /* members = joins[SESSION_JOIN_JOINED] - all of these */
    counter signals[SIGNAL_KINDS][ROOM_OUTCOMES];
    counter not_in_room;             /* signals refused because their sender was not in that room */
    counter failures[ROOM_FAILURES]; /* signals that the rooms have refused or dropped, by cause */
    counter over_address_budget;     /* signals refused because their address has too much in queues */
    counter invalid_messages;
    counter client_errors;           /* error messages from clients */
    counter_histogram queue_wait_ms; /* delivered signals: how long they were queued */
    counter_histogram call_setup_ms; /* from the first join of a room to the first answer that it relays */
} session_counters;

#endif
