/* What the sessions of one thread count; that thread writes, any thread reads. Counters only. */
#ifndef HOMECALL_SESSION_SESSION_COUNTERS_H
#define HOMECALL_SESSION_SESSION_COUNTERS_H

#include "base/counter_histogram.h"
#include "rooms/room_effects.h"

/* What became of a join that was not a repetition. */
typedef enum session_join {
    SESSION_JOIN_JOINED, /* in the room, at once or after waiting before it */
    SESSION_JOIN_FULL,   /* refused: the room is full */
    SESSION_JOINS
} session_join;

/* Why a member is none any more. */
typedef enum session_leave {
    SESSION_LEAVE_LEFT,       /* it said leave */
    SESSION_LEAVE_MOVED,      /* it joined another room, or under another name */
    SESSION_LEAVE_LOST,       /* its connection ended */
    SESSION_LEAVE_SILENT,     /* it did not answer while a newcomer waited */
    SESSION_LEAVE_TAKEN_OVER, /* the same user joined from a new connection */
    SESSION_LEAVES
} session_leave;

/* The signals, in the order of message_type. */
enum { SESSION_SIGNAL_OFFER, SESSION_SIGNAL_ANSWER, SESSION_SIGNAL_CANDIDATE, SESSION_SIGNALS };

typedef struct session_counters {
    counter accepted;    /* connections begun here */
    counter handed_over; /* sent on to another thread */
    counter rooms;       /* now, and so the next four */
    counter members;
    counter waiters; /* newcomers before full rooms */
    counter pending_messages;
    counter pending_bytes;
    counter joins[SESSION_JOINS]; /* members = joined - all of leaves */
    counter leaves[SESSION_LEAVES];
    counter signals[SESSION_SIGNALS][ROOM_OUTCOMES];
    counter not_in_room;             /* of the refused: the sender was in no room, or named another */
    counter failures[ROOM_FAILURES]; /* of the refused and dropped, by their cause */
    counter invalid_messages;
    counter client_errors;           /* error messages from clients */
    counter_histogram queue_wait_ms; /* of delivered signals: from queueing to delivery */
    counter_histogram call_setup_ms; /* from a room's first join to the first answer that it relays */
} session_counters;

#endif
