/* Cluster worker: the share of one worker in the cluster. It has an edge for the clients of this worker, an
 * owner for its rooms, and what the two say to each other; and it handles what the node core tells this
 * worker.
 *
 * Its caller calls cluster_worker_turn() at the end of each turn of the worker's loop, after what clients
 * have said was handled and before what they are told is written; and whenever the core has woken the worker.
 *
 * Owned by the thread of the worker. */
#ifndef HOMECALL_CLUSTER_CLUSTER_WORKER_H
#define HOMECALL_CLUSTER_CLUSTER_WORKER_H

#include "base/seldom.h"
#include "cluster/edge.h"
#include "cluster/node_core.h"
#include "cluster/owner.h"

enum {
    CLUSTER_WORKER_TICK_MS = 50, /* edge and owner are ticked so often while there is anything: the least that
                                    they ask for */
    CLUSTER_WORKER_ROUNDS = 8,   /* so often in a turn that what is said here leads to more */
};

typedef struct cluster_worker_options {
    node_core *core; /* borrowed */
    unsigned number; /* of this worker in the core */
    uint8_t secret[CLUSTER_SECRET_BYTES];
    const remote_kind *const *kinds; /* borrowed: the dialects, by number */
    unsigned kind_count;
    room_manager *manager; /* borrowed, and of nobody else */
    bool opens_rooms;      /* CLUSTER_WITHOUT_ENGINE=serve */
    edge_events clients;   /* what clients are told, by `client` alone: those from on_joined to on_lost; the
                              others are set here */
} cluster_worker_options;

/* A room that has become ours. */
typedef struct won_room {
    STAILQ_ENTRY(won_room) link;
    room_key key;
} won_room;

typedef STAILQ_HEAD(won_rooms, won_room) won_rooms;

/* What has happened, besides what edge and owner count. Any thread reads it. */
typedef struct cluster_worker_counts {
    counter losses[CLUSTER_LOSSES]; /* but for those that the core counts */
    counter misdirected;            /* messages about rooms of another worker */
} cluster_worker_counts;

typedef struct cluster_worker {
    node_core *core; /* borrowed */
    unsigned number;
    edge_events clients;
    edge edge;
    owner owner;
    node_ear ear;
    node_taken taken[MEMBERS_MAX];
    bool opens_rooms;
    bool has_taken;
    bool has_called;     /* the core, in this turn: who must be woken is woken at its end */
    node_events events;  /* owned: taken, and not handled */
    held_messages local; /* owned: what edge and owner say to each other */
    won_rooms won;       /* owned: decided to be ours in this turn, to look whether anybody is in them */
    uint64_t now_ms;
    uint64_t ticked_ms;
    uint32_t ticked_serial; /* edge.last_serial at the last tick of the edge */
    uint64_t last_lane;     /* of a part of a room that moves */
    cluster_worker_counts counts;
    seldom loss_warning;
} cluster_worker;

/* No client is there, and no room. */
void cluster_worker_init(cluster_worker *w, const cluster_worker_options *options);

/* Free what it has. Nothing is told to anybody; the core may still be there. */
void cluster_worker_deinit(cluster_worker *w);

/* Handle what the core has told, what is due, and all that follows. True where that was not the end of it,
 * and another turn must follow at once. */
bool cluster_worker_turn(cluster_worker *w, uint64_t now_ms);

/* What was said since the last turn goes out now, though no turn follows at once. */
void cluster_worker_flush(cluster_worker *w);

/* When a turn is due; UINT64_MAX = never. */
uint64_t cluster_worker_next_due_ms(const cluster_worker *w);

/* Copy what it has counted. Any thread. */
void cluster_worker_get_counters(const cluster_worker *w, cluster_counters *out);

/* Has anything been said since the last turn that another turn must handle? */
static inline bool cluster_worker_has_more(const cluster_worker *w)
{
    return !STAILQ_EMPTY(&w->local) || !STAILQ_EMPTY(&w->events) || w->edge.last_serial != w->ticked_serial;
}

#endif
