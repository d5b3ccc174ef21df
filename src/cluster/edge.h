/* Edge: the clients of this node whose rooms are anywhere (CLUSTER.md, between nodes).
 *
 * A binding is one client in one room, by a number that its JOIN makes. It asks the claims whose the room is,
 * joins there, and passes on what both say. Input is held from the JOIN to its answer, and while the room
 * moves. Where the owner is lost, it joins again, before newcomers, and its client notices nothing; or, where
 * its dialect knows how to come back by itself, the client is told to.
 *
 * The number of a binding names the worker here and the share of its room (cluster_number()): so both nodes
 * can tell which of their workers a message about it is for. Pure, and owned by the worker that has the
 * connections. */
#ifndef HOMECALL_CLUSTER_EDGE_H
#define HOMECALL_CLUSTER_EDGE_H

#include "cluster/remote.h"

enum {
    EDGE_NEWCOMERS_WAIT_MS = 1000, /* after the loss of a node, for those who were there */
    EDGE_TRY_AGAIN_MS = 50,        /* where an owner can't be reached yet */
    EDGE_ASK_AGAIN_MS = 5000,      /* where the claims do not answer */
    EDGE_SWITCH_MS = 2000,         /* a new owner that does not answer within this time never will */
    EDGE_MAX_HELD = 64,            /* messages of one client that wait, */
    EDGE_MAX_HELD_BYTES = 2 << 20, /* and the bytes of their payloads */
};

typedef struct edge edge;
typedef struct binding binding;

/* How a client takes part. */
typedef struct edge_join {
    void *client;    /* borrowed: handed back with each event */
    uint8_t kind;    /* the number of its dialect */
    bool comes_back; /* it resumes by itself where its owner is lost, and is told so */
    room_space space;
    slice room, user, extra; /* copied */
} edge_join;

typedef struct edge_events {
    /* Say this to an owner. As remotes_events.say. */
    int (*say)(void *context, const room_home *to, const wire_message *m, bool is_control);
    /* Is a link to that node up? It is to this node itself. */
    bool (*is_linked)(void *context, const node_id *node);
    /* Of the claims of this node: whose is it? edge_on_owner() tells. That node is not the owner. */
    void (*want)(void *context, const room_key *key);
    void (*mistaken)(void *context, const room_key *key, const node_id *node);
    /* Its client is in the room (again), waits in the line, hears something, and so on. The binding is over
     * after on_full, on_close and on_lost: those three are the last. */
    void (*on_joined)(void *context, void *client, slice extra);
    void (*on_waiting)(void *context, void *client);
    void (*on_deliver)(void *context, void *client, slice payload);
    void (*on_queue_full)(void *context, void *client, slice extra, slice payload);
    void (*on_probe)(void *context, void *client, uint64_t number);
    void (*on_full)(void *context, void *client);
    void (*on_close)(void *context, void *client, wire_end why);
    void (*on_lost)(void *context, void *client);
    void (*on_loss)(void *context, cluster_loss why, slice payload);
    void *context; /* borrowed, for all */
} edge_events;

typedef enum binding_state {
    BINDING_SEEKING,   /* the claims were asked, or will be */
    BINDING_JOINING,   /* the owner was asked */
    BINDING_WAITING,   /* in the line */
    BINDING_BOUND,     /* in the room */
    BINDING_SWITCHING, /* the room has moved */
} binding_state;

struct binding {
    uint64_t number; /* the key of the table */
    uint64_t before; /* what it was before it joined again; 0 = it has not */
    room_table_link table;
    TAILQ_ENTRY(binding) seeking; /* while is_listed */
    bool is_listed;               /* SEEKING: in the list of the edge */
    edge *edge;                   /* borrowed */
    edge_join as;
    binding_state state;
    binding_state after; /* SWITCHING: what it was before */
    bool is_rejoin, is_asked;
    bool is_left, is_lost; /* SWITCHING: its client went meanwhile */
    uint64_t joined_ms;    /* when its client joined */
    uint64_t seek_ms;      /* SEEKING: not before. SWITCHING: not longer */
    room_key key;
    room_home owner;
    node_id former; /* SWITCHING: the owner before */
    held_messages in;
    unsigned in_count;
    size_t in_bytes; /* of their payloads */
    char names[];    /* room, user, extra */
};

struct edge {
    edge_events events;
    node_id self;
    uint8_t secret[CLUSTER_SECRET_BYTES];
    binding *table;                /* uthash's head; owned */
    TAILQ_HEAD(, binding) seeking; /* those in that state: few of many */
    uint16_t worker;
    uint32_t last_serial;  /* of a number */
    uint64_t newcomers_ms; /* they do not seek before */
    counter elsewhere;     /* bindings whose room is on another node, at the last tick; any thread reads it */
    uint64_t now_ms;
};

/* No client is there. `events` are copied. */
void edge_init(edge *e, const node_id *self, uint16_t worker, const uint8_t secret[CLUSTER_SECRET_BYTES],
               const edge_events *events);
void edge_deinit(edge *e);

/* A client joins. NULL without memory; else a binding, which lives until an event has said that it is over,
 * or until edge_leave() or edge_lose(). */
binding *edge_join_room(edge *e, const edge_join *as, uint64_t now_ms);

/* Its client leaves; or its connection is lost. */
void edge_leave(binding *b, uint64_t now_ms);
void edge_lose(binding *b, bool is_fault, uint64_t now_ms);

/* Its client says something: 0, or -EAGAIN: refused, as by a full queue. */
int edge_signal(binding *b, uint8_t kind, bool is_fleeting, slice extra, slice payload, uint64_t now_ms);

/* Something was read of its client after this probe. */
void edge_alive(binding *b, uint64_t number, uint64_t now_ms);

/* What edge_events.want has asked for. */
void edge_on_owner(edge *e, const room_key *key, const room_home *owner, uint64_t now_ms);

/* A message of an owner has come. */
void edge_on_message(edge *e, const node_id *from, const wire_message *m, uint64_t now_ms);

/* The link to that node is lost. `is_dead`: because it is not there any more. */
void edge_on_node_lost(edge *e, const node_id *node, bool is_dead, uint64_t now_ms);

/* The engine is away for CLUSTER_HOLD: who is in a room elsewhere, or on the way into one, is ended with
 * WIRE_END_UNREACHABLE, and so is who has no room yet, unless `opens_rooms` (CLUSTER_WITHOUT_ENGINE=serve):
 * then claims find one here. Rooms of this node go on. Called again and again while that lasts: newcomers end
 * the same way. */
void edge_end_unreachable(edge *e, bool opens_rooms, uint64_t now_ms);

/* Those who have begun to seek ask the claims: at the end of a turn in which somebody has joined. */
void edge_seek(edge *e, uint64_t now_ms);

/* Do what is due: at least every EDGE_TRY_AGAIN_MS while a binding is seeking or holds input. */
void edge_tick(edge *e, uint64_t now_ms);

#endif
