/* Joining a room of this worker: the part of owner.c that lets clients in. */
#ifndef HOMECALL_CLUSTER_OWNER_JOIN_H
#define HOMECALL_CLUSTER_OWNER_JOIN_H

#include "cluster/owned_rooms.h"

/* A JOIN has come from that edge. It is let in, held, or answered. */
void owner_join(owner *o, const node_id *edge, const wire_message *m);

/* Tell the edge of a binding why that is over. */
void owner_tell_end(owner *o, const node_id *edge, uint64_t binding, wire_end why);

#endif
