/* A user: it has a connection and a room, and another user there, its peer, with whom it exchanges signals.
 *
 * Both users of a pair belong to one thread, so each can look up what the other has sent. Every signal that
 * arrives is compared with the oldest one that was sent and has not arrived yet. Anything else that arrives
 * is a fault of the run.
 *
 * All functions: the thread of the user. */
#ifndef HOMECALL_BENCH_USER_H
#define HOMECALL_BENCH_USER_H

#include "wire/dialect.h"
#include "wire/ws_client.h"

#include <stdint.h>
#include <sys/queue.h>

typedef struct load_thread load_thread;
typedef struct user user;
typedef struct session_2 session_2;

/* The callbacks of a scenario. Each may be NULL. */
typedef struct user_events {
    void (*on_open)(
        user *u); /* the connection is upgraded; not called for one that connects before the load */
    void (*on_settled)(user *u); /* the server has handled everything that was sent before user_settle() */
    void (*on_joined)(user *u, bool is_anew); /* with sessions: "joined" has come. is_anew: the session before
                                                 was lost and is not resumed, so signals may be lost. */
    /* The next signal of u->peer has arrived. */
    void (*on_signal)(user *u, load_kind kind);
    /* So many signals of this user, which come before the one that arrives now, are lost, as the server or
     * the rules of its version have told. */
    void (*on_lost)(user *u, uint32_t count);
    /* The connection has ended; see ws_client_events.on_end. NULL = that is a fault. */
    void (*on_end)(user *u, uint16_t code, const char *why);
} user_events;

/* A signal that was sent and has not arrived. */
typedef struct sent_signal {
    uint64_t at_ns; /* when it was sent, or due; 0 = its time is not measured, since it waits in a queue */
    load_kind kind;
} sent_signal;

struct user {
    ws_client client;            /* first */
    load_thread *thread;         /* borrowed */
    user *peer;                  /* borrowed: the other user of its pair; NULL if there is none */
    const user_events *events;   /* borrowed */
    const load_dialect *dialect; /* borrowed: what it speaks */
    session_2 *two;              /* borrowed: its session in thread->sessions; NULL if its dialect has none */
    sent_signal *under_way;    /* borrowed: its ring, a part of thread->in_flight; signal n is at n modulo the
                                  size */
    uint32_t sent;             /* how many signals it has sent to its peer */
    uint32_t arrived;          /* how many of them have arrived there */
    uint32_t excused;          /* those before this number need not arrive any more */
    uint32_t repeatable;       /* those from this number to `arrived` may come once more, in order */
    bool may_repeat;           /* `repeatable` counts */
    bool is_waiting_to_settle; /* on_settled is called on "joined" */
    uint32_t number;           /* for the scenario: counts its operations, for new rooms and names */
    uint32_t index;            /* its number in the run */
    uint64_t due_ns;           /* when its operation was due */
    bool has_been_cut;         /* for the scenario storm: see there */
    uint32_t step;             /* for the scenario: how far its operation is */
    uint32_t credit;           /* for the scenario relay: how many signals it may send */
    TAILQ_ENTRY(user) link;    /* in thread->resting or thread->speaking, while it is on one of them */
    bool is_resting;           /* it is on thread->resting */
    bool is_in_room;           /* it has sent a join, and no leave since */
    bool is_starting;          /* it is connecting before the load, and is not settled yet */
    bool joins_first;          /* it joins its room before the load */
    char room[40];
    char name[40];
};

/* Make a user without a connection, with the number `index` in the run, the room of its pair, and a name of
 * its own. `peer` may be NULL. Everything given is borrowed. */
void user_init(user *u, load_thread *thread, uint32_t index, user *peer, const user_events *events);

/* Start to connect. False when that is not possible, which is a fault of the run. */
bool user_connect(user *u);

/* Give the user a new name, with this number in it, if its dialect joins by connecting: such a server keeps a
 * name in use until it has noticed the end of the connection. In other dialects the name stays the same. */
void user_rename(user *u, uint32_t number);

/* Give the user the room with this number; 0 = the first room of its pair. */
void user_choose_room(user *u, uint32_t number);

/* Send a join or a leave, if the dialect has one. */
void user_join(user *u);
void user_leave(user *u);

/* Does it wait for the answer to its join? If so, on_joined will be called. */
bool user_is_joining(const user *u);

/* Does it have a hangup? If so, send it. */
void user_hang_up(user *u);

/* Close its connection in order, and leave before that where a connection that ends is no leave. */
void user_close(user *u);

/* Drop its connection, as when the network fails. */
void user_lose(user *u);

/* What is under way to it and from it may be lost: its session, or the connection of a dialect without
 * sessions, has ended. What waits for a session is not. */
void user_excuse_losses(user *u);

/* A fault: its connection has ended, with this close code, though the scenario has not ended it. */
void user_fault_lost(user *u, uint16_t code, const char *why);

/* ---- For session_2.c ---- */

/* "joined" has come; see user_events.on_joined. */
void user_on_joined(user *u, bool is_anew);

/* A signal has come, with this payload, in a message of `len` bytes. */
void user_take_payload(user *u, load_kind kind, slice payload, size_t len);

/* Send a signal to the peer. `at_ns` is as in sent_signal. */
void user_send(user *u, load_kind kind, uint64_t at_ns);

/* How many of its signals have not arrived yet. */
static inline uint32_t user_under_way(const user *u)
{
    return u->sent - u->arrived;
}

/* Have on_settled called when the server has handled everything that was sent before. */
void user_settle(user *u);

#endif
