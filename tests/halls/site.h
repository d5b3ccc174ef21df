/* Halls: the real dialects over real rooms, once in one hall with its RoomManager, and once in two that are
 * joined by edges and owners (CLUSTER.md), whose messages a loop carries at once. There is no connection, no
 * link and no claim: who has a room is written in a table.
 *
 * Who is connected is a caller. It writes down what it is told, so that both ways can be compared. */
#ifndef HOMECALL_TESTS_HALLS_SITE_H
#define HOMECALL_TESTS_HALLS_SITE_H

#include "cluster/edge.h"
#include "cluster/owner.h"
#include "dialect/remote_client.h"
#include "session/dialects.h"

enum { NODES = 2, CALLERS = 6, HALL_ROOMS = 4, INPUTS = 32, MAX_TEXT = 4096, MAX_TOLD = 1 << 17 };

/* The codewords; the last one is a session. */
extern const char *const hall_rooms[HALL_ROOMS];

typedef struct site site;
typedef struct place place;

/* What waits to be handled: the text of a message, or the invitation. */
typedef struct input {
    bool is_text;
    size_t len;
    char text[MAX_TEXT];
} input;

typedef struct caller {
    participant p; /* first */
    site *site;
    place *at;
    unsigned number;
    bool is_open;   /* it has a connection */
    bool is_silent; /* it answers no ping */
    bool is_held, must_resume, must_pong, must_give_up;
    uint64_t read_ms;
    input inputs[INPUTS];
    unsigned input_count;
    /* Of version 2, as its client counts. */
    uint64_t n, seen;
    char token[64], former_token[64];
    bool is_joined;
    unsigned last_room; /* which it has asked for last */
    /* What it was told. Ids of peers and tokens are written as p1, p2 and T. */
    size_t told_len;
    char told[MAX_TOLD];
    unsigned id_count;
    char ids[256][12];
} caller;

/* A node; in a site that is not in a cluster there is one. */
struct place {
    site *site;
    int index;
    node_id id;
    dialects dialects;
    dialect_limits limits;
    dialect_hall hall;
    session_counters counters;
    room_manager *manager;
    dialect_remote remotes[DIALECT_COUNT];
    const remote_kind *kinds[DIALECT_COUNT];
    edge edge;
    owner owner;
    bool is_draining;
    held_messages inbox; /* what nodes have said to it */
    room_key wanted[64];
    unsigned wanted_count;
};

struct site {
    bool is_cluster;
    uint64_t now_ms;
    place places[NODES];
    caller callers[CALLERS];
    int owners[HALL_ROOMS]; /* which place has which room */
    size_t reserved;        /* by queues and outboxes */
    unsigned lost;          /* signals, by the counts of the cluster */
    unsigned moved;         /* rooms */
    bool is_carrying;       /* the loop between the nodes is at work */
    unsigned refusals;      /* so many signals from edges do not fit into the link */
};

/* Open one, with rooms for so many users. False without memory. */
bool site_open(site *s, bool is_cluster, unsigned capacity);

/* All connections end, and everything is freed. */
void site_close(site *s);

/* A connection that speaks this dialect begins, at this node of a cluster. `invitation` is NULL but for
 * sessions. */
void site_connect(site *s, unsigned caller, int speaks, int node, const char *invitation);

/* It ends: TCP breaks, or the server ends it for a fault. */
void site_cut(site *s, unsigned caller, bool is_fault);

/* A caller says something, and all that follows from it happens. */
void site_say(site *s, unsigned caller, const char *text);

/* Time passes. */
void site_pass(site *s, uint64_t ms);

/* All connections get their regular sign of life of the dialect. */
void site_tick_clients(site *s);

/* All rooms that this node has go to the other one; without a cluster nothing happens. */
void site_drain(site *s, int node);

/* The process of this node is gone for the other one, which claims its rooms. */
void site_lose_node(site *s, int node);

/* Both nodes have this room, and find that out: the first one goes on with it. */
void site_heal(site *s, int room);

/* Let everything happen that follows from what has happened. */
void site_settle(site *s);

#endif
