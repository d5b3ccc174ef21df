/* Connection set: the connections of one thread, and what they share: limits, whom to tell, a read buffer,
 * counters.
 *
 * Every connection is on the list of its state. Each list has one duration, so each is in the order in which
 * its connections are due, and looking at their heads is enough: no connection needs a timer. Connections
 * with work for the end of a turn stand in one queue. So a connection is written to once a turn, however many
 * frames it got, and nobody frees a connection that a caller up the stack still holds.
 *
 * The set is a ticker of its thread's loop. It knows of a connection only the entry that this embeds; what a
 * deadline or the end of a turn means for it is told by the hooks. All functions: the loop's thread. */
#ifndef HOMECALL_NET_CONNECTION_SET_H
#define HOMECALL_NET_CONNECTION_SET_H

#include "base/token_bucket.h"
#include "net/connection_state.h"
#include "net/loop.h"
#include "net/net_counters.h"
#include "websocket/handshake.h"

#include <assert.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

typedef struct connection_set connection_set;
struct connection_events;

/* Bounds and times that every connection of a set obeys. Immutable while threads run. */
typedef struct net_limits {
    ws_handshake_rules handshake;
    uint32_t max_message_bytes;
    uint64_t max_output_bytes;    /* waiting for one peer that does not read */
    token_bucket_rate frame_rate; /* from one peer */
    uint32_t
        handshake_timeout_ms;  /* for TLS and a complete upgrade request. At least 1, as the next three. */
    uint32_t ping_interval_ms; /* without anything read */
    uint32_t pong_timeout_ms;  /* for a sign of life after a ping */
    uint32_t close_timeout_ms; /* from our last byte to the end of TCP */
} net_limits;

/* What a connection embeds to be in a set. */
typedef struct connection_entry {
    TAILQ_ENTRY(connection_entry) link; /* in its set's list for its state; unused while detached */
    STAILQ_ENTRY(connection_entry)
    queued;              /* in the one queue that it stands in: its set's for the end of the
                            turn or, while detached, one that carries it to another set */
    connection_set *set; /* borrowed; while detached the last one */
    uint32_t due_ms; /* when its state has lasted long enough, low 32 bits; unused in states without an end */
    uint8_t state;   /* a connection_state */
    uint8_t work;    /* what is to be done at the end of the turn, bits that the hooks know; 0 = it is not in
                        the queue */
} connection_entry;

typedef STAILQ_HEAD(connection_queue, connection_entry) connection_queue;

/* What the set asks of its connections, whatever they are. */
typedef struct connection_hooks {
    /* The descriptor of a connection is ready: see transport_open(). */
    event_callback_fn on_ready;
    /* The state has lasted as long as it may: leave it, or enter it anew. */
    void (*on_due)(connection_entry *entry);
    /* Do this work. The entry is in the queue no more; it may be gone afterwards. */
    void (*on_work)(connection_entry *entry, unsigned work);
} connection_hooks;

struct connection_set {
    net_ticker ticker;
    net_loop *loop;                         /* borrowed */
    const net_limits *limits;               /* borrowed */
    const connection_hooks *hooks;          /* borrowed */
    const struct connection_events *events; /* borrowed: what its connections tell their owner */
    void *owner;                            /* borrowed: for those events */
    net_counters counters;
    uint8_t *scratch; /* owned: where every read lands */
    size_t scratch_size;
    TAILQ_HEAD(connection_list, connection_entry)
    by_state[CONNECTION_STATES];             /* borrowed: every connection is on one */
    uint32_t duration_ms[CONNECTION_STATES]; /* how long in a state; 0 = for ever */
    connection_queue queue;                  /* borrowed: those with work for the end of the turn */
    size_t count;                            /* how many connections belong to this set */
    uint64_t output_bytes;                   /* that wait in them */
    uint32_t relays_written; /* signals that were read in this turn and, at its end, have been written */
};

/* Make an empty set on `loop`, as one of its tickers. Everything given is borrowed for the set's life. 0 or
 * -ENOMEM. */
int connection_set_init(connection_set *set, net_loop *loop, const net_limits *limits,
                        const connection_hooks *hooks, const struct connection_events *events, void *owner);

/* Free what connection_set_init() made. No connection may belong to the set any more, and the loop may not
 * turn any more. */
void connection_set_deinit(connection_set *set);

/* The one way to change the state: leave the old list, set, enter the new one with a new deadline. */
void connection_set_move(connection_entry *entry, connection_state state);

/* Have the work of these bits done at the end of the turn. */
static inline void connection_set_put_work(connection_entry *entry, unsigned work)
{
    assert(entry->state != CONNECTION_DETACHED);
    if (entry->work == 0)
        STAILQ_INSERT_TAIL(&entry->set->queue, entry, queued);
    entry->work |= (uint8_t)work;
}

/* Call `visit` for every connection of the set; it may close them. */
void connection_set_each(connection_set *set, void (*visit)(connection_entry *entry));

#endif
