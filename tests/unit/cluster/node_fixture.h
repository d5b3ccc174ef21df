/* Nodes with real cores, workers and rooms, for tests: what each thread of a server would do is a function
 * here. The engine is a call of the other cores. */
#ifndef HOMECALL_TESTS_UNIT_CLUSTER_NODE_FIXTURE_H
#define HOMECALL_TESTS_UNIT_CLUSTER_NODE_FIXTURE_H

#include "cluster/cluster_worker.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

enum { NODES = 2, WORKERS = 2, MAX_HEARD = 8192 };

struct node;

/* A worker of a node, and what it has. */
typedef struct test_worker {
    struct node *node;
    unsigned number;
    room_manager *manager; /* owned */
    cluster_worker cluster;
} test_worker;

typedef struct node {
    struct fixture *fixture;
    unsigned index;
    node_id id;
    node_core *core; /* owned */
    test_worker workers[WORKERS];
    atomic_bool woken_workers[WORKERS];
    atomic_bool is_courier_woken;
} node;

typedef struct fixture {
    node nodes[NODES];
    atomic_bool is_cut; /* the engine takes everything, and passes on nothing */
    uint64_t now_ms;
} fixture;

typedef enum client_state { CLIENT_OUT, CLIENT_JOINING, CLIENT_IN, CLIENT_WAITS, CLIENT_ENDED } client_state;

/* A client of a node. What it hears are numbers. */
typedef struct test_client {
    test_worker *worker;
    binding *binding;
    char room[16], user[16];
    atomic_int state;
    wire_end why; /* ENDED by on_close */
    unsigned joins;
    uint32_t *heard; /* owned, MAX_HEARD of them */
    atomic_uint heard_count;
} test_client;

/* Make all nodes, at that time. `wake_worker` and `wake_courier` may be NULL: then it is noted in the node,
 * and nothing else. */
void fixture_start(fixture *f, uint64_t now_ms, void (*wake_worker)(void *context, unsigned worker),
                   void (*wake_courier)(void *context));
void fixture_stop(fixture *f);

/* What a courier does: say what is to be said. Returns when it is due again. */
uint64_t fixture_run_courier(node *n, uint64_t now_ms);

/* Which worker of a node has the room. */
test_worker *fixture_worker_of(node *n, const char *room);

/* A client joins, leaves, says a number. On the thread of its worker. */
void client_join(test_client *c, test_worker *w, const char *room, const char *user, uint64_t now_ms);
void client_leave(test_client *c, uint64_t now_ms);
int client_say(test_client *c, uint32_t number, uint64_t now_ms);
void client_free(test_client *c);

/* Virtual time, one thread: let all run until nothing happens, and go on for so long. */
void fixture_settle(fixture *f);
void fixture_pass(fixture *f, uint64_t ms);

#endif
