/* Edge client: a participant whose room may be on another node (CLUSTER.md). It takes part by the edge of its
 * hall, and what the owner of the room says comes back here.
 *
 * To its dialect it looks as it does without a cluster: `peer.member` is a place that answers the questions
 * of room_member.h (room_shadow.h), and what happens to it is told by the same functions of its face. So
 * there is one difference: a join is always waited for. Its input is held from the join to the answer, as
 * before a full room.
 *
 * room_access.h chooses between this and the rooms of the hall. All functions: the thread of the hall. */
#ifndef HOMECALL_DIALECT_EDGE_CLIENT_H
#define HOMECALL_DIALECT_EDGE_CLIENT_H

#include "cluster/edge.h"
#include "dialect/dialect.h"

typedef struct edge_client {
    room_peer peer;      /* what its place tells as room_member_peer(): so it is found by that */
    participant *p;      /* borrowed */
    binding *binding;    /* borrowed */
    room_member *place;  /* owned: a shadow; it is p->peer.member */
    uint64_t probe;      /* the number of the last one that was not answered; 0 = none */
    uint64_t probed_ms;  /* when that came */
    bool is_joined;      /* it has been let in, once at least */
    bool completes_told; /* version 2: what comes next is "joined", and this end adds to it */
    bool wants_ice;      /* the same: ICE servers */
} edge_client;

/* The edge client of a participant that has a place; its hall is in a cluster. */
edge_client *edge_client_of(const participant *p);

/* Join. The names are copied, and `extra`, at most WIRE_MAX_EXTRA - 12 bytes, is what the dialect adds.
 * ROOM_WAITING, or -ENOMEM with nothing changed. */
int edge_client_join(participant *p, const room_join *names, slice extra);

/* Leave for good, or by the end of the connection. It has no place any more. */
void edge_client_leave(participant *p);
void edge_client_lose(participant *p, bool is_fault);

/* Say a signal: 0, or -ENOSPC: refused, as by a full queue, or -ENOMEM. `extra` is what the dialect adds. */
int edge_client_signal(participant *p, const room_signal *signal, slice extra);

/* A sign of life has come. Nothing happens where nobody has asked for one. */
void edge_client_alive(participant *p);

/* Fill in those events of an edge that are for its clients; see session/session_cluster.h. */
void edge_client_fill_events(edge_events *events);

#endif
