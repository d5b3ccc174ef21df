/* Connection set: the connections of one thread, and what they share: limits, callbacks, a read buffer,
 * counters.
 *
 * Every connection is on the list of its state. A state lasts equally long for all, so each list is sorted by
 * deadline without any effort, and only the heads of the lists need to be looked at. No connection needs a
 * timer of its own.
 *
 * Connections with work for the end of the turn are in one queue. So the frames of a turn are written to a
 * connection together, and a connection is freed only when no caller up the stack can still use it.
 *
 * The set is a ticker of its thread's loop. It knows only the entry that each connection embeds. The hooks
 * say what a deadline or the end of a turn means for a connection. All functions: the loop's thread, or any
 * thread while the loop does not run. */
#ifndef HOMECALL_NET_CONNECTION_SET_H
#define HOMECALL_NET_CONNECTION_SET_H

#include "base/bytes.h"
#include "base/token_bucket.h"
#include "net/connection_state.h"
#include "net/loop.h"
#include "net/memory_bound.h"
#include "net/net_counters.h"
#include "net/spare_buffers.h"
#include "net/tls_pacer.h"
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
    uint64_t max_output_bytes;           /* that wait for one peer, because it does not read them */
    token_bucket_rate frame_rate;        /* how many frames one peer may send */
    token_bucket_rate client_frame_rate; /* how many the connections of one client may send together */
    token_bucket_rate client_byte_rate;  /* and how many bytes in messages and other frames */
    memory_bound *memory;        /* borrowed: what the connections of all sets may hold; NULL = no bound. It
                                    is the only one that changes. */
    uint32_t message_timeout_ms; /* from the begin of a message or a frame to its end; 0 = no limit */
    /* The four times are at least 1. */
    uint32_t handshake_timeout_ms; /* for the TLS handshake and a complete upgrade request together; where the
                                      former has waited for us, from its begin */
    uint32_t ping_interval_ms; /* after the handshake, or after the first sign of life since the last ping:
                                  until the next ping */
    uint32_t pong_timeout_ms;  /* after a ping: until anything is read. Also for the last bytes: until they
                                  are written. */
    uint32_t close_timeout_ms; /* after our last byte: until the peer ends TCP */
} net_limits;

/* What a connection embeds to be in a set. The set does not own its connections. */
typedef struct connection_entry {
    TAILQ_ENTRY(connection_entry) link; /* in its set's list for its state; unused while detached */
    STAILQ_ENTRY(connection_entry)
    queued;              /* while `work` is not 0: in its set's queue. While detached: in
                            the queue that carries it to another set, a mailbox's. */
    connection_set *set; /* borrowed; while detached, the set that it was in last */
    uint32_t due_ms; /* monotonic, low 32 bits: the deadline of its state; unused where the state has none */
    uint8_t state;   /* a connection_state */
    uint8_t work;    /* what is to be done for it at the end of the turn, as bits that only the hooks know; 0
                        = nothing, and it is not in the queue */
} connection_entry;

/* What a connection holds in memory at the end of a turn: output that waits, a part of a message, input that
 * is not handled yet. There is one only while it holds something, or while a message has begun, so an idle
 * connection pays a pointer for it (connection_holding.h). */
typedef struct connection_holding {
    TAILQ_ENTRY(connection_holding) link;  /* in its set's list; unused while the connection is detached */
    connection_entry *entry;               /* borrowed: whose it is */
    TAILQ_ENTRY(connection_holding) later; /* while is_backlogged: in its set's backlog */
    bytes *unread;                         /* owned: input that was read and not handled yet; or NULL */
    uint64_t counted;                      /* what connection_set.held_bytes counts for it */
    uint32_t begun_ms;                     /* monotonic, low 32 bits: when the current message was begun */
    uint32_t begun_after;                  /* how many messages had come then, low 32 bits */
    bool is_backlogged;                    /* it has had its share of this turn, and there is more input */
    bool is_begun;                         /* a message or a frame has begun, and is not complete */
} connection_holding;

typedef STAILQ_HEAD(connection_queue, connection_entry) connection_queue;

/* What a set calls for its connections. It is the same table for all of them. */
typedef struct connection_hooks {
    /* The descriptor of a connection is ready: the callback for transport_open(). */
    net_watch_fn on_ready;
    /* The deadline of its state has come. It must leave the state, or enter it again with a new deadline. */
    void (*on_due)(connection_entry *entry);
    /* Do the work of these bits. The entry is not in the queue any more, and its `work` is 0. It may be freed
     * or detached by this. */
    void (*on_work)(connection_entry *entry, unsigned work);
    /* It is the turn of this one in the backlog, which it has left: handle a share of its input. */
    void (*on_backlog)(connection_entry *entry);
    /* Somebody holds something, and a second has passed: end those whose message takes too long. */
    void (*on_sweep)(connection_set *set, uint64_t now_ms);
    /* All sets together hold more than memory_bound allows, and this set more than its share: end the largest
     * holders, until `excess` bytes less are held. */
    void (*on_excess)(connection_set *set, uint64_t excess);
} connection_hooks;

struct connection_set {
    net_ticker ticker;
    net_loop *loop;                         /* borrowed */
    const net_limits *limits;               /* borrowed */
    const connection_hooks *hooks;          /* borrowed */
    const struct connection_events *events; /* borrowed: the callbacks of the owner of its connections */
    void *owner;                            /* borrowed: for those callbacks; the set does not use it */
    net_counters counters;
    uint8_t *scratch;     /* owned: the buffer of every read; its content is valid only during one call */
    size_t scratch_size;  /* in bytes */
    size_t scratch_used;  /* how much of it holds what was read since a connection has left last */
    spare_buffers spares; /* for the next connections with output */
    TAILQ_HEAD(connection_list, connection_entry)
    by_state[CONNECTION_STATES];             /* borrowed: every connection of the set is on one list */
    uint32_t duration_ms[CONNECTION_STATES]; /* from entering a state to its deadline; 0 = no deadline */
    connection_queue queue;                  /* borrowed: the connections with work for the end of the turn */
    size_t count;                            /* how many connections belong to this set */
    uint64_t output_bytes; /* how many bytes of output all its connections hold, because their sockets have
                              not taken them yet */
    TAILQ_HEAD(, connection_holding) holdings; /* borrowed: of the connections that hold something */
    TAILQ_HEAD(, connection_holding) backlog;  /* borrowed: those who have more input than their share */
    uint64_t held_bytes;                       /* the memory that these hold */
    uint64_t published_bytes;                  /* the part of it that limits->memory counts */
    uint64_t sweep_ms;       /* monotonic: when on_sweep is due; means nothing while there are no holdings */
    uint64_t ended_unlogged; /* connections ended by on_excess since its last log line */
    uint64_t may_log_ms;     /* monotonic: not before that is there another such line */
    uint64_t turn_bytes;     /* bytes that were read in this turn, outside of the backlog */
    tls_pacer tls_pacer;     /* the TLS handshakes of its connections */
    uint32_t relays_written; /* how many signals were read in this turn and are written already, in the same
                                turn; net_counters.relay_us counts them at its end */
};

/* Make an empty set, and add it to the tickers of `loop`. Everything given is borrowed until the set's end. 0
 * or -ENOMEM; after a failure it is not a ticker. */
int connection_set_init(connection_set *set, net_loop *loop, const net_limits *limits,
                        const connection_hooks *hooks, const struct connection_events *events, void *owner);

/* Overwrite what connections have left behind in the set's own buffers: what they said is for nobody any more
 * when they have gone. */
void connection_set_wipe(connection_set *set);

/* Free what connection_set_init() made. No connection may belong to the set any more. The set stays on the
 * list of the loop's tickers, so the loop may not turn any more. */
void connection_set_deinit(connection_set *set);

/* Change the state, with a new deadline: take the entry off the list of its old state, and put it at the end
 * of the list of `state`. It may be the same state again. Only connection_enter_state() calls this. */
void connection_set_move(connection_entry *entry, connection_state state);

/* Have the work of these bits done at the end of the turn, besides what is to be done already. Within
 * on_work, in the same turn. The entry must not be detached. */
static inline void connection_set_put_work(connection_entry *entry, unsigned work)
{
    assert(entry->state != CONNECTION_DETACHED);
    if (entry->work == 0)
        STAILQ_INSERT_TAIL(&entry->set->queue, entry, queued);
    entry->work |= (uint8_t)work;
}

/* Put a holding at the end of the backlog, where it is not. */
void connection_set_add_to_backlog(connection_set *set, connection_holding *holding);

/* Take it out of the backlog. Nothing happens to one that is not in it. */
void connection_set_take_from_backlog(connection_set *set, connection_holding *holding);

/* Put a holding on the list of the set. It is taken off by TAILQ_REMOVE(). */
void connection_set_add_holding(connection_set *set, connection_holding *holding);

/* Call `visit` for every connection of the set, for some perhaps twice. It may close its connection. */
void connection_set_each(connection_set *set, void (*visit)(connection_entry *entry));

/* The same until a visit returns false. `context` is handed to each. */
void connection_set_each_while(connection_set *set, bool (*visit)(connection_entry *entry, void *context),
                               void *context);

#endif
