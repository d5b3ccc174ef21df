/* Loop: what the connections of one thread share: a libevent base, a read buffer, the deadlines, the end of a
 * turn.
 *
 * A turn is one pass of the base over the descriptors that are ready. While it lasts, handlers only gather:
 * frames to send, connections to go on with, to hand over or to end stand on one list, and the end of the
 * turn works it off. So a connection is written to once a turn, however many frames it got, and nobody frees
 * a connection that a caller up the stack still holds.
 *
 * Deadlines cost no timer for each connection: a connection is on the list of its state, each list has one
 * duration, so each list is in the order in which its connections are due, and one timer serves the thread.
 *
 * Everything here belongs to the thread that runs the loop. */
#ifndef HOMECALL_NET_LOOP_H
#define HOMECALL_NET_LOOP_H

#include "base/token_bucket.h"
#include "net/connection_state.h"
#include "net/net_counters.h"
#include "websocket/handshake.h"

#include <event2/event.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

struct connection;
struct connection_events;

/* Bounds and times that every connection of a loop obeys. Immutable while loops run. */
typedef struct net_limits {
    ws_handshake_rules handshake;
    uint32_t max_message_bytes;
    uint64_t max_output_bytes;     /* waiting for one peer that does not read */
    token_bucket_rate frame_rate;  /* from one peer */
    uint32_t handshake_timeout_ms; /* for TLS and a complete upgrade request */
    uint32_t ping_interval_ms;     /* 0 = no pings, and so no end for a silent peer */
    uint32_t pong_timeout_ms;      /* for a sign of life after a ping */
    uint32_t close_timeout_ms;     /* from our last byte to the end of TCP */
} net_limits;

/* Something besides connections that is due from time to time on a loop's thread. */
typedef struct net_ticker {
    uint64_t (*next_due_ms)(void *context); /* monotonic; UINT64_MAX = never. Asked once a turn: cheap. */
    void (*on_due)(void *context, uint64_t now_ms);
    void (*on_turn_end)(void *context); /* after all work of a turn; may be NULL */
    void *context;
} net_ticker;

/* The longest turn, of the last two spans of ten seconds. */
typedef struct net_lag_window {
    uint64_t begun_us; /* when the newer one began */
    uint64_t newer_us, older_us;
} net_lag_window;

typedef struct net_loop {
    struct event_base *base;                /* owned */
    const net_limits *limits;               /* borrowed */
    const struct connection_events *events; /* borrowed: what its connections tell their owner. Set by that,
                                               before the first one. */
    void *owner;                            /* borrowed, for those events */
    net_counters counters;
    uint8_t *scratch; /* owned: where every read lands */
    size_t scratch_size;
    net_ticker ticker; /* all NULL = none */

    TAILQ_HEAD(connection_list, connection)
    by_state[CONNECTION_STATES];             /* borrowed: every connection is on one */
    uint32_t duration_ms[CONNECTION_STATES]; /* how long in a state; 0 = for ever */
    STAILQ_HEAD(connection_todo, connection)
    todo;                     /* borrowed: connections with work for the end of the turn */
    size_t connections;       /* how many belong to this loop */
    uint64_t output_bytes;    /* that wait in them */
    uint32_t written_signals; /* of this turn: timed ones that were read and written in it */

    struct event *timer;   /* owned: the next deadline has come */
    int timer_fd;          /* owned: fires then */
    uint64_t timer_due_ms; /* when it fires; UINT64_MAX = not set */
    bool timer_was_late;   /* it fired long after its time: the thread was stalled */
    bool is_catching_up;   /* and so deadlines were put off until it fires again: once, not for ever */
    uint64_t now_us;       /* the time of this turn */
    bool is_now_read;      /* now_us is of this turn */
    net_lag_window lag;
} net_loop;

/* A base without locks, for one thread alone. Owned by the caller; NULL without memory. */
struct event_base *net_loop_new_base(void);

/* Make the base (without locks: no other thread touches it), the timer and the buffer. `limits` is borrowed
 * for the loop's life. 0, or -ENOMEM, or -errno where there is no descriptor for the timer. */
int net_loop_init(net_loop *loop, const net_limits *limits);

/* Free what net_loop_init made. No connection may belong to the loop any more. */
void net_loop_deinit(net_loop *loop);

/* One turn: wait until something happens, handle it, do the work of the end of the turn. 0, or -EIO when the
 * base fails. */
int net_loop_turn(net_loop *loop);

/* The work of the end of a turn by itself: for whoever ends the connections outside of one. */
void net_loop_end_turn(net_loop *loop);

/* Monotonic time in microseconds, read once a turn, when it is first asked for. */
uint64_t net_loop_now_us(net_loop *loop);

/* The same in milliseconds. */
static inline uint64_t net_loop_now_ms(net_loop *loop)
{
    return net_loop_now_us(loop) / 1000;
}

/* Call `visit` for every connection of the loop; it may close them. */
void net_loop_each(net_loop *loop, void (*visit)(struct connection *c));

#endif
