/* One node of the simulation: the node core and its workers, each with a real RoomManager, put together as a
 * server does it, but in one thread. What threads add is time: a worker that is woken takes its events some
 * while later, and what it calls of the core is done at once. */
#ifndef HOMECALL_TESTS_CLUSTER_NODE_H
#define HOMECALL_TESTS_CLUSTER_NODE_H

#include "cluster/cluster_worker.h"
#include "cluster/engine.h"
#include "cluster/node_core_parts.h"

enum { WORKERS = 3 };

typedef struct world world;
typedef struct node node;

typedef struct sim_worker {
    cluster_worker share; /* first: what its clients notice comes with it */
    node *node;           /* borrowed */
    unsigned index;
    room_manager *manager;
    int (*take)(void *context, const room_key *key); /* what the share does with it */
    uint64_t due_ms;                                 /* its next turn */
    uint64_t reserved;
} sim_worker;

struct node {
    world *world; /* borrowed */
    int index;
    bool is_running, is_draining;
    uint64_t paused_until_ms; /* it stands still */
    uint64_t started_ms;
    sim_packets inbox; /* what has come while it stood still */
    node_id id;
    node_core *core;
    unsigned worker_count;
    sim_worker workers[WORKERS];
    uint64_t due_ms, core_due_ms;
    uint64_t knows[NODES]; /* of each other node: the life that it has been a member with; 0 = none */
};

/* A new process. */
void node_start(node *n, world *w, int index, uint64_t life);

/* It has nothing more to do here. */
void node_say_bye(node *n);

/* It drains, until node_is_drained(): then it says BYE. */
void node_drain(node *n);
bool node_is_drained(const node *n);

/* It ends, at once. */
void node_kill(node *n);

/* A packet has come. */
void node_on_packet(node *n, const sim_packet *p);

/* Its connection to the engine is there, or not. */
void node_on_engine(node *n, bool is_there);

/* For how long it has been without the engine, as far as it knows. */
uint64_t node_engine_away_ms(const node *n);

/* Do what is due, and all that follows at once from what has happened. Sets due_ms. */
void node_turn(node *n);

bool node_is_awake(const node *n);

/* Which of its workers has this room? */
sim_worker *node_worker_of(node *n, int room);

/* What one of its workers has of the binding of that number, at that edge; or NULL. */
const remote *node_find_remote(const node *n, const node_id *at, uint64_t number);

/* Does it own that room, and is not giving it away? */
bool node_owns(const node *n, const room_key *key);

/* ---- Parts of it: node_worker.c and node_clients.c ---- */

void worker_open(sim_worker *w, node *n, unsigned index);
void worker_close(sim_worker *w);

/* Take what has come for it, and do what is due. Sets due_ms. */
void worker_turn(sim_worker *w);

/* What clients notice. */
extern const edge_events node_client_events;

#endif
