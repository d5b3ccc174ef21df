/* The world of the simulation: the nodes, the engine, and the clients with an application each; its time, and
 * what happens to nodes. clients.c has what clients do, witness.c what must hold. */
#ifndef HOMECALL_TESTS_CLUSTER_WORLD_H
#define HOMECALL_TESTS_CLUSTER_WORLD_H

#include "cluster/kinds.h"
#include "cluster/node.h"

enum { CLIENTS = 6, ROOMS = 3, USERS = 3, SIGNALS = 1024, SESSION_ROOM = 2, TRANSCRIPT = 4096 };

/* CLUSTER_HOLD as it is unless set, which no run reaches. */
enum { SIM_LONG_HOLD_MS = 120000 };

/* The times of the rooms, short so that a run reaches all of them. */
/* In calm runs something happens every CALM_MS, or CALM_OFFSET_MS behind that, and no span that the rooms or
 * dialects know ends near such a time: so it does not matter that between nodes everything takes longer. */
enum { SIM_PROBE_MS = 1500, SIM_PENDING_TTL_MS = 6200, SIM_CAPACITY = 2, CALM_MS = 400, CALM_OFFSET_MS = 70 };

typedef enum client_state {
    CLIENT_OUT,     /* it wants nothing */
    CLIENT_RETURNS, /* of version 2: it has lost its connection, and comes back at `returns_ms` */
    CLIENT_JOINING,
    CLIENT_WAITING,
    CLIENT_IN,
} client_state;

typedef struct client {
    world *world;
    int index, kind, user, node;
    bool is_dead; /* it does not answer probes any more, and nobody has noticed */
    client_state state;
    int room;
    binding *binding;       /* borrowed; NULL where it has none */
    uint64_t joined_ms;     /* when it has begun to want a room, or tried again */
    uint64_t out_ms[ROOMS]; /* when it has last ceased to */
    uint16_t session;       /* counted up by each join that is no return */
    uint64_t returns_ms;
    /* Of version 2. */
    sim_resume resume;
    uint64_t n; /* the last number that it has used */
    sim_signal unacknowledged[SIGNALS];
    uint64_t unacknowledged_from; /* the number of the first of these */
    int unacknowledged_count;
    bool must_say_again;
    char transcript[TRANSCRIPT]; /* what it has heard, in runs that are recorded */
    size_t transcript_len;
    /* What was handed to it. */
    uint32_t last_from[CLIENTS][ROOMS]; /* the last signal of each client in each room, + 1 */
} client;

/* What has become of one signal. */
typedef struct fate {
    sim_signal signal;
    int kind;                      /* of its sender */
    unsigned era;                  /* in which it was sent: see world.era */
    bool is_excused;               /* a node was killed since */
    unsigned passed;               /* it has reached the rooms */
    unsigned refused;              /* at its edge, or its client was told that it is lost */
    unsigned relayed;              /* the rooms have passed it on, to so many that are not of version 2 */
    unsigned handed;               /* to so many of these */
    unsigned lost[CLUSTER_LOSSES]; /* on its way to the rooms or from there */

    uint8_t had[CLIENTS]; /* it was handed to this client so often */
} fate;

typedef struct world {
    uint64_t now_ms;
    engine engine;
    node nodes[NODES];
    int node_count;
    client clients[CLIENTS];
    int client_count;
    fate fates[SIGNALS];
    uint32_t signals;
    room_key keys[ROOMS];
    unsigned queue_max, link_bytes;
    unsigned workers[NODES], worker_delay_ms;
    unsigned hold_ms;
    bool serves_alone;
    uint64_t lives; /* processes so far */
    /* What has happened in this run, that excuses something. */
    bool views_differed;                  /* a node did not know another one that lived */
    unsigned era;                         /* counted up when a link is lost: order holds within one */
    unsigned merges, faults, unreachable; /* the last: clients that a node could not serve any more */
    bool is_recorded, is_engine_alone;
    uint64_t queued, unqueued; /* signals that the rooms have put into queues, and taken out or may have */
    uint64_t rng;              /* of what clients do by themselves */
} world;

extern world *the_world; /* of this run */
extern const uint8_t world_secret[CLUSTER_SECRET_BYTES];

typedef struct world_options {
    uint64_t seed;
    bool is_recorded, is_engine_alone;
    int nodes, servers, clients;
    int kinds[CLIENTS], users[CLIENTS];
    unsigned queue_max, link_bytes;
    unsigned workers[NODES];  /* of each node */
    unsigned worker_delay_ms; /* so long after it was woken a worker has a turn, at most */
    unsigned hold_ms;         /* CLUSTER_HOLD */
    bool serves_alone;
} world_options;

/* It begins, and has begun when all nodes may claim rooms. */
void world_open(world *w, const world_options *options);

/* It ends, with everything in it. */
void world_close(world *w);

/* Let time pass. */
void world_pass(world *w, uint64_t ms);

/* What happens to nodes. */
void world_kill(world *w, int node);
void world_restart(world *w, int node);
void world_pause(world *w, int node, uint64_t ms);
void world_drain(world *w, int node);

/* Something happens to the engine, that may excuse what follows. */
void world_fault(world *w);

/* All faults are over; nodes that were killed are not started again. */
void world_heal(world *w);

/* A number below `bound`, for what clients do by themselves. */
unsigned world_draw(world *w, unsigned bound);

/* A room: what it is called, and in which space. */
slice world_room_name(int room);
room_space world_room_space(int room);

#endif
