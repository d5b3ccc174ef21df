/* One node of the simulation: everything of src/cluster and a real RoomManager, put together as a server
 * would, but in one thread. */
#ifndef HOMECALL_TESTS_CLUSTER_NODE_H
#define HOMECALL_TESTS_CLUSTER_NODE_H

#include "cluster/claims.h"
#include "cluster/edge.h"
#include "cluster/engine.h"
#include "cluster/link.h"
#include "cluster/owner.h"

typedef struct world world;

/* A want that the claims have decided. */
typedef struct decided {
    STAILQ_ENTRY(decided) link;
    room_key key;
    room_home owner;
} decided;

typedef struct node {
    world *world; /* borrowed */
    int index;
    bool is_running, is_draining;
    uint64_t paused_until_ms; /* it stands still */
    uint64_t started_ms;
    sim_packets inbox; /* what has come while it stood still */
    node_id id;
    members members;
    claims *claims;
    node_link *links[MEMBERS_MAX];
    bool must_lose[MEMBERS_MAX]; /* links that can't go on */
    room_manager *manager;
    owner owner;
    edge edge;
    held_messages local; /* from itself to itself */
    STAILQ_HEAD(, decided) decided;
    uint64_t due_ms;
    uint64_t reserved;
} node;

/* A new process. */
void node_start(node *n, world *w, int index, uint64_t life);

/* It has nothing more to do here. */
void node_say_bye(node *n);

/* It ends, at once. */
void node_kill(node *n);

/* A packet has come. */
void node_on_packet(node *n, const sim_packet *p);

/* Its connection to the engine is there, or not. */
void node_on_engine(node *n, bool is_there);

/* Do what is due, and all that follows from what has happened. Sets due_ms. */
void node_turn(node *n);

bool node_is_awake(const node *n);

/* Has it nothing that others have not acknowledged? */
bool node_is_quiet(const node *n);

/* Is a link to that node up? Does it own that room, and is not giving it away? */
bool node_is_linked(const node *n, const node_id *to);
bool node_owns(const node *n, const room_key *key);

#endif
