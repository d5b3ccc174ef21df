/* The simulated engine: one or two servers that pass packets from node to node, in virtual time. It delays
 * them, keeps those of one sender to one receiver in order, and, where a fault says so, loses or doubles them
 * without a word, as NATS core does. */
#ifndef HOMECALL_TESTS_CLUSTER_ENGINE_H
#define HOMECALL_TESTS_CLUSTER_ENGINE_H

#include "cluster/wire.h"

#include <sys/queue.h>

enum { NODES = 4, SERVERS = 2, TO_ALL_NODES = -1 };

typedef struct sim_packet {
    TAILQ_ENTRY(sim_packet) link;
    uint64_t at_ms;
    int from, to;  /* nodes */
    unsigned life; /* of the receiver, that it is for */
    size_t len;
    uint8_t data[];
} sim_packet;

typedef TAILQ_HEAD(, sim_packet) sim_packets;

/* Where a node is connected. */
typedef struct attachment {
    bool is_connected; /* as the node sees it */
    int server;
    unsigned life;     /* of its process; 0 = there is none */
    bool is_cut_up;    /* what it says goes nowhere, */
    bool is_cut_down;  /* and what others say does not come */
    uint64_t cut_ms;   /* since when either holds; 0 = neither */
    uint64_t retry_ms; /* when it tries to connect again */
} attachment;

typedef struct engine {
    uint64_t rng;
    sim_packets packets; /* owned, the first to arrive first */
    attachment nodes[NODES];
    bool is_down[SERVERS];
    int servers;
    bool is_split[SERVERS];  /* what this server passes to the other one is lost */
    unsigned loss, doubling; /* of 1,000 packets */
    unsigned max_delay_ms;
    uint64_t last_ms[NODES][NODES]; /* when the last packet of one to another arrives */
    uint64_t passed;                /* packets so far */
} engine;

/* A number below `bound`, by the generator of the engine. */
unsigned engine_draw(engine *e, unsigned bound);

void engine_init(engine *e, uint64_t seed, int servers);
void engine_deinit(engine *e);

/* A node says this to another one, or to all. False when it is not connected. */
bool engine_publish(engine *e, int from, int to, slice packet, uint64_t now_ms);

/* When the next packet arrives, or UINT64_MAX; and take it, owned by the caller. */
uint64_t engine_next_ms(const engine *e);
sim_packet *engine_take(engine *e);

/* Can a node connect now, and to which server? -1 = to none. */
int engine_find_server(engine *e, int node);

/* No fault holds any more, for packets from now on. */
void engine_heal(engine *e);

#endif
