/* A user: somebody with a connection, a room, and another user there to exchange signals with.
 *
 * Both users of a pair live on one thread, so the one knows what the other has sent: every signal that
 * arrives is held against the oldest that has not arrived yet, and anything else that comes is a fault of the
 * run.
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

/* What a scenario is told. Any of them may be NULL. */
typedef struct user_events {
    void (*on_open)(user *u);    /* upgraded */
    void (*on_settled)(user *u); /* the server has handled all that was sent before user_settle() */
    /* The next signal of u->peer has arrived. */
    void (*on_signal)(user *u, signal_kind kind);
    /* The connection is over, as ws_client_events.on_end. NULL = that is a fault. */
    void (*on_end)(user *u, uint16_t code, const char *why);
} user_events;

/* A signal that is under way. */
typedef struct sent_signal {
    uint64_t at_ns; /* when it was sent, or due; 0 = it is not timed, since it waits in a queue */
    signal_kind kind;
} sent_signal;

struct user {
    ws_client client;          /* first */
    load_thread *thread;       /* borrowed */
    user *peer;                /* borrowed: the other one of its pair */
    const user_events *events; /* borrowed */
    sent_signal *under_way;    /* borrowed ring of thread->in_flight: number n at n modulo its size */
    uint32_t sent;             /* signals sent on to the peer, ever */
    uint32_t arrived;          /* of them, at the peer */
    uint32_t number;           /* the scenario's: of its operations, for fresh rooms and names */
    uint32_t index;            /* in the run */
    uint64_t due_ns;           /* when its operation was due */
    uint32_t step;             /* the scenario's */
    uint32_t credit;           /* relay: signals that it may send */
    TAILQ_ENTRY(user) link;    /* in thread->resting or thread->speaking, while it is there */
    bool is_resting;
    bool is_in_room;  /* a join was sent, and no leave since */
    bool is_starting; /* connects before the load begins */
    bool joins_first; /* and joins then */
    char room[40];
    char name[40];
};

/* Prepare a user without a connection: number `index` in the run, with its pair's room and a name of its own.
 * `peer` is NULL for one who is alone. */
void user_init(user *u, load_thread *thread, uint32_t index, user *peer, const user_events *events);

/* Begin to connect. That it can't is a fault; false then. */
bool user_connect(user *u);

/* Give the user a name with this number in it, where a connection is the membership: a server knows a name
 * until it has noticed the end of its connection. Elsewhere a user keeps its name. */
void user_rename(user *u, uint32_t number);

/* Give the user a room of its own number (its pair's, where `number` is 0). */
void user_choose_room(user *u, uint32_t number);

/* Send join or leave; nothing where the dialect has none. */
void user_join(user *u);
void user_leave(user *u);

/* Send a signal to the peer. `at_ns` as in sent_signal. */
void user_send(user *u, signal_kind kind, uint64_t at_ns);

/* How many of its signals are under way. */
static inline uint32_t user_under_way(const user *u)
{
    return u->sent - u->arrived;
}

/* Ask for on_settled. */
void user_settle(user *u);

#endif
