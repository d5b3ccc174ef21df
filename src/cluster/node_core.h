/* Node core: what the threads of a node know together of the cluster: its members, the claims, and the links
 * to the others (CLUSTER.md). One mutex guards it all.
 *
 * Workers call it, for what takes no time: to say something to a node, to ask or tell the claims. What
 * happens is posted to them, in one list for each worker, which it takes in its turn and acknowledges
 * together. So what has come of a link, its loss, and what came after that are in order for each worker.
 *
 * What is to be said to the engine is collected; the courier (courier.h) takes it, and says it without the
 * mutex. Nothing here waits for anything but the mutex. The core knows neither sockets nor the engine's
 * library, and time comes from its callers: it goes on with the latest that it has been told. */
#ifndef HOMECALL_CLUSTER_NODE_CORE_H
#define HOMECALL_CLUSTER_NODE_CORE_H

#include "cluster/claims.h"
#include "cluster/link.h"
#include "cluster/node_event.h"

enum {
    NODE_MAX_WORKERS = 256,       /* SERVER_MAX_WORKERS */
    NODE_MAX_OUTGOING = 16 << 20, /* bytes that wait for the courier: what does not fit is lost */
    NODE_LINK_BYTES = 1 << 20,    /* link_limits, unless set */
    NODE_LANE_BYTES = 256 << 10,  /* the same */
    NODE_HEIR_WAITS_MS =
        2000, /* who drains waits so long for an engine that is away, as in a restart of it */
    NODE_PACKET_OVERHEAD = 128, /* what a packet that waits takes besides its bytes */
    NODE_NAME_CAP = WIRE_MAX_NODE_NAME + 1,
};

typedef struct node_core node_core;

typedef struct node_core_options {
    node_id self;
    slice name, version; /* copied; at most WIRE_MAX_NODE_NAME bytes each */
    unsigned workers;    /* at most NODE_MAX_WORKERS */
    bool serves_alone;   /* CLUSTER_WITHOUT_ENGINE=serve */
    uint64_t hold_ms;    /* CLUSTER_HOLD: when the engine is away for so long, links are lost; 0 = never */
    link_limits limits;
    /* A worker has got an event; the courier has something to say, or something is due sooner. Any thread
     * that calls the core; the mutex is not held. */
    void (*wake_worker)(void *context, unsigned worker);
    void (*wake_courier)(void *context);
    void *context; /* borrowed, for both */
} node_core_options;

/* A node that knows nobody, and has no engine. 0 and the core in *out, owned by the caller, or -ENOMEM, or
 * -EAGAIN where there is no mutex. */
int node_core_new(const node_core_options *options, uint64_t now_ms, node_core **out);

/* Free it, when no other thread uses it any more. NULL is legal. */
void node_core_free(node_core *c);

/* ---- For the courier: any thread ---- */

/* Where a packet goes. */
typedef enum node_subject { NODE_TO_MEMBERS, NODE_TO_CLAIMS, NODE_TO_NODE } node_subject;

typedef struct node_packet {
    STAILQ_ENTRY(node_packet) link;
    node_subject subject;
    node_id to; /* NODE_TO_NODE */
    size_t len;
    uint8_t data[];
} node_packet;

typedef STAILQ_HEAD(node_packets, node_packet) node_packets;

/* Free a packet: what clients have said is in it. */
void node_packet_free(node_packet *packet);

/* Take what is to be said, in order: appended to *out, and owned by the caller. */
void node_core_take_packets(node_core *c, node_packets *out);

/* A packet has come, by whichever subject. What can't be read is counted. */
void node_core_on_packet(node_core *c, slice packet, uint64_t now_ms);

/* The connection to the engine works, or does not any more. */
void node_core_on_engine(node_core *c, bool is_there, uint64_t now_ms);

/* The engine has not passed on everything to us. Links notice by themselves; claims are told anew. */
void node_core_on_gap(node_core *c, uint64_t now_ms);

/* Do what is due; when the next is. */
uint64_t node_core_tick(node_core *c, uint64_t now_ms);

/* This node wants to end: others are told, and owners give their rooms away. */
void node_core_drain(node_core *c, uint64_t now_ms);

/* It ends: BYE is among what is to be said. */
void node_core_say_bye(node_core *c);

/* ---- For workers ---- */

/* Take the events of that worker: appended to *out, in order, and owned by the caller. That worker alone, as
 * all that follows. True where it has missed decisions of the claims for want of memory. */
bool node_core_take_events(node_core *c, unsigned worker, node_events *out);

/* So much of the messages of each link was taken. What is of another generation than the link's does not
 * count any more. All of it is 0 then. */
void node_core_took(node_core *c, node_taken taken[MEMBERS_MAX], uint64_t now_ms);

/* The end of a turn in which the core was called: who must be woken is woken. */
void node_core_end_turn(node_core *c, uint64_t now_ms);

/* Say something to another node, by a link of the generation that this worker has been told of. As
 * link_send(); -ENOBUFS has the link lost soon, by the core itself. */
int node_core_say(node_core *c, const node_ear *ear, const node_id *to, const link_lane *lane,
                  const wire_message *m, uint64_t now_ms);

/* Can something be said to it? Is it in doubt whether it lives, or hears us? */
bool node_core_is_linked(node_core *c, const node_ear *ear, const node_id *node);
bool node_core_is_in_doubt(node_core *c, const node_id *node, uint64_t now_ms);

/* Does it drain? This node may be asked for, too. Who takes the rooms of a node that drains? False where
 * nobody can, or none is to be reached. */
bool node_core_is_draining(node_core *c, const node_id *node);
bool node_core_find_heir(node_core *c, const node_ear *ear, node_id *heir);

/* The claims, as claims.h tells. NODE_OWNER answers node_core_want(). */
int node_core_want(node_core *c, const room_key *key, unsigned worker, uint64_t now_ms);
void node_core_mistaken(node_core *c, const room_key *key, const node_id *owner);
claims_standing node_core_standing(node_core *c, const room_key *key);
claims_standing node_core_admit(node_core *c, const room_key *key);
void node_core_release(node_core *c, const room_key *key, uint64_t now_ms);
int node_core_promise(node_core *c, const room_key *key, const node_id *giver, uint64_t now_ms);
void node_core_break_promise(node_core *c, const room_key *key);
int node_core_take(node_core *c, const room_key *key, unsigned worker, uint64_t now_ms);
void node_core_give(node_core *c, const room_key *key, const room_home *to, uint64_t now_ms);
void node_core_check(node_core *c, const room_key *key, uint64_t now_ms);

/* Is the engine away for CLUSTER_HOLD, so that whoever needs another node is to be ended? It is told to a
 * worker before the loss of the links. */
bool node_core_is_hold_over(const node_core *c);

/* ---- For everybody ---- */

/* What there is now, and what has happened since the start. */
typedef struct node_core_counts {
    uint64_t members[MEMBER_DOUBTFUL + 1]; /* by state; none is LOST */
    uint64_t draining;                     /* of these */
    uint64_t nodes_lost;                   /* without a BYE */
    uint64_t links_up, links_in_doubt;
    uint64_t owned; /* rooms */
    uint64_t claims_said, claims_answered;
    counter_histogram claim_ms; /* from the wish for a room to the answer whose it is */
    uint64_t conflicts;
    uint64_t links_lost;
    uint64_t resends;      /* of messages, over all links */
    uint64_t windows_full; /* messages that found no place in their link */
    uint64_t signals_lost; /* CLUSTER_LOSS_LINK */
    uint64_t packets_in, packets_out;
    uint64_t packets_bad;      /* could not be read, or were for no worker of ours */
    uint64_t packets_left_out; /* found no place in what waits for the courier */
    uint64_t gaps;
    uint64_t engine_joined;  /* how often the engine was there anew */
    uint64_t engine_away_ms; /* how long it has been away, or since the start; 0 where it is there */
    uint64_t same_names;     /* nodes that have a name that another one has, this one as well */
    bool has_engine, is_draining;
    bool opens_rooms;  /* CLUSTER_WITHOUT_ENGINE=serve, and it is away for so long that it has come to that */
    bool is_hold_over; /* node_core_is_hold_over() */
} node_core_counts;

void node_core_get_counts(node_core *c, uint64_t now_ms, node_core_counts *out);

typedef enum node_link_state { NODE_LINK_DOWN, NODE_LINK_UP, NODE_LINK_IN_DOUBT } node_link_state;

/* A node as this one sees it. */
typedef struct node_view {
    node_id id;
    char name[NODE_NAME_CAP], version[NODE_NAME_CAP];
    member_state state;
    bool is_draining;
    node_link_state link;
    uint64_t held_bytes; /* said by the link, and not acknowledged */
} node_view;

/* The other nodes; returns how many. */
size_t node_core_list_nodes(node_core *c, uint64_t now_ms, node_view out[MEMBERS_MAX]);

/* This one, whose link is DOWN. */
void node_core_view_self(node_core *c, node_view *out);

/* This node; and how many workers it has. */
const node_id *node_core_self(const node_core *c);
unsigned node_core_workers(const node_core *c);

#endif
