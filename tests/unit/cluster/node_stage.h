/* Nodes on threads of their own, each with a courier and its workers, as in a server, and many people who
 * talk across them. There is one stage in a process. */
#ifndef HOMECALL_TESTS_UNIT_CLUSTER_NODE_STAGE_H
#define HOMECALL_TESTS_UNIT_CLUSTER_NODE_STAGE_H

#include "unit/cluster/node_fixture.h"

#include <pthread.h>

enum {
    STAGE_PAIRS = 16,
    STAGE_SIGNALS = 200, /* that each says */
    STAGE_SIGNAL_EVERY_MS = 8,
    STAGE_PATIENCE_MS = 60000,
};

/* What a thread waits for. */
typedef struct bell {
    pthread_mutex_t lock; /* guards the last */
    pthread_cond_t rung;
    bool is_rung;
} bell;

typedef struct side {
    node *node;
    bell courier, workers[WORKERS];
    pthread_t threads[1 + WORKERS]; /* of the courier, and of the workers */
} side;

typedef struct saying {
    bool has_come;
    uint32_t said;
    uint64_t next_ms;
} saying;

/* Two people who talk: `a` on one node, `b` on the other. */
typedef struct pair {
    test_client a, b;
    saying a_says, b_says;
} pair;

typedef struct stage {
    fixture fixture;
    side sides[NODES];
    pair pairs[STAGE_PAIRS];
    bool has_couriers; /* of its own: the cores speak to each other directly */
    atomic_bool is_over, must_leave, loses_links;
    atomic_uint done; /* people who have said everything */
    atomic_uint gone; /* who have left */
} stage;

extern stage the;

/* Start all threads. `wake_courier` is for couriers of the caller's; with NULL the stage has its own. The
 * context of both is the node. */
void stage_start(void (*wake_courier)(void *context));

/* All leave, and the threads end. stage_free() frees everything. */
void stage_end(void);
void stage_free(void);

/* Wait for so long, at most 20 ms; wait until a counter has come so far, and until everybody has heard
 * everything. The test fails when that does not come. */
void stage_pause(uint64_t ms);
void stage_await(atomic_uint *count, unsigned wanted);
void stage_await_heard(void);
unsigned stage_heard(void);

/* Everybody has heard what was said in order, and `all` of it. */
void stage_expect_order(bool all);

node_core_counts stage_counts(unsigned node);

#endif
