/* Owner: what edges say to the rooms of this worker (CLUSTER.md, between nodes).
 *
 * Pure, and owned by the worker. Clients of this node itself come the same way: this node is the edge of
 * theirs, and its link to itself loses nothing. */
#ifndef HOMECALL_CLUSTER_OWNER_H
#define HOMECALL_CLUSTER_OWNER_H

#include "cluster/merge.h"

typedef struct owner_options {
    node_id self;
    uint16_t worker;
    uint8_t secret[CLUSTER_SECRET_BYTES];
    const remote_kind *const *kinds; /* borrowed: the dialects, by number */
    unsigned kind_count;
    room_manager *manager; /* borrowed, and of nobody else */
} owner_options;

/* No room is owned. */
void owner_init(owner *o, const owner_options *options, const remotes_events *to_edges,
                const owner_events *events);
void owner_deinit(owner *o);

/* A message has come by the link of that node: of an edge, or between owners. */
void owner_on_message(owner *o, const node_id *from, const wire_message *m, uint64_t now_ms);

/* The claim of this room is decided: what waits for that goes on. */
void owner_on_decided(owner *o, const room_key *key, uint64_t now_ms);

/* That node owns one of our rooms as well. */
void owner_on_conflict(owner *o, const room_key *key, const node_id *other, uint64_t now_ms);

/* The link to that node is lost: so are its clients. */
void owner_on_node_lost(owner *o, const node_id *node, uint64_t now_ms);

/* Do what is due, also in the rooms; at least every 100 ms while there are remotes, and when
 * room_manager_next_due_ms() says so. */
void owner_tick(owner *o, uint64_t now_ms);

#endif
