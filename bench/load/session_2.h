/* A user's session of version 2 (protocol/README.md, "Version 2"), as a client keeps it: it joins, resumes
 * and leaves, numbers what is sent, sends again what was not acknowledged, acknowledges what came, and checks
 * everything that comes: that `seq` has no gap, that presence tells of the other user of the pair and of
 * nobody else, that signals come from who is there, and that `joined` fits what was there before.
 *
 * A signal that is sent while there is no session waits for `joined`. What a session has sent is not kept as
 * text, because it can be written again from its kind and its number.
 *
 * All functions: the thread of the user. */
#ifndef HOMECALL_BENCH_SESSION_2_H
#define HOMECALL_BENCH_SESSION_2_H

#include "user.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

/* A signal that may have to be sent again. */
typedef struct session_2_signal {
    load_kind kind;
    uint32_t number; /* among those of its user */
} session_2_signal;

typedef enum session_2_state {
    SESSION_2_OUT,     /* no connection, or no join was sent on it */
    SESSION_2_JOINING, /* "joined" has not come yet */
    SESSION_2_IN,
    SESSION_2_LEAVING, /* "left" has not come yet */
} session_2_state;

enum { SESSION_2_MAX_PEER = 32, SESSION_2_MAX_TOKEN = 64 };

struct session_2 {
    user *user; /* borrowed */
    session_2_state state;
    bool wants_join;    /* a join follows on "left" */
    bool has_resumed;   /* its last join has resumed it */
    bool other_is_away; /* as the presence messages say */
    char peer[SESSION_2_MAX_PEER + 1];
    char other[SESSION_2_MAX_PEER + 1];  /* the other user's session; "" = nobody is there */
    char token[SESSION_2_MAX_TOKEN + 1]; /* "" = none */
    uint32_t order;
    uint64_t sent;                /* the last `n` that was given */
    uint64_t wired;               /* the last `n` that was put on a connection */
    uint64_t acked;               /* the last `n` that the server has acknowledged */
    uint64_t seen;                /* the last `seq` that has come */
    uint64_t told;                /* the last of them that was acknowledged */
    uint64_t owes_since_ns;       /* since when an acknowledgement is due; 0 = none is */
    TAILQ_ENTRY(session_2) owing; /* in thread->owing, while owes_since_ns is not 0 */
    session_2_signal *unacked;    /* borrowed: its ring; `n` is at n + first modulo the size */
    uint32_t first;
    uint64_t lost_ns;  /* when its connection was lost; 0 = it was not */
    uint64_t wait_ms;  /* the same of the connection before: how long to wait until the next one */
    uint64_t retry_ms; /* how long "goaway" has told it to wait; 0 = it has not come */
};

/* How many signals a ring must take: those under way, and those that have arrived and are not acknowledged.
 */
static inline uint32_t session_2_ring_size(uint32_t in_flight)
{
    return 2 * in_flight + 64;
}

/* Make one without a connection. `user` and `unacked`, which has thread->unacked_size places, are borrowed.
 */
void session_2_init(session_2 *s, user *u, session_2_signal *unacked);

/* Join the user's room: resume when there is a session that was lost, and leave first when it is in a room.
 * user_on_joined() is called when "joined" has come. */
void session_2_join(session_2 *s);

/* Leave for good. */
void session_2_leave(session_2 *s);

/* Does it wait for "joined", or for "left" before it can join? */
static inline bool session_2_is_joining(const session_2 *s)
{
    return s->state == SESSION_2_JOINING || (s->state == SESSION_2_LEAVING && s->wants_join);
}

/* Send the user's signal with this number, now or on "joined". */
void session_2_send(session_2 *s, load_kind kind, uint32_t number);

/* How many signals wait for "joined" and were never sent before. */
static inline uint32_t session_2_waiting(const session_2 *s)
{
    return (uint32_t)(s->sent - s->wired);
}

/* A text has come. Whatever is wrong with it is a fault of the run. */
void session_2_take(session_2 *s, slice text);

/* Its connection has ended with this close code. */
void session_2_on_end(session_2 *s, uint16_t code);

/* Send the acknowledgements of a thread that have been due for a second. */
void session_2_acknowledge_due(load_thread *t);

#endif
