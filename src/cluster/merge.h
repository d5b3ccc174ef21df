/* Merge: a room goes from one owner to another (CLUSTER.md, merge): where two nodes own it, or one drains.
 *
 * It goes to the lower of (draining, incarnation). The giver freezes it, sends what is in it, and waits: what
 * comes for it meanwhile is held. The taker collects that, and at its end takes everything in one turn, so
 * its own room need not stand still. With TAKEN the giver forgets the room, tells each edge MOVED, and
 * forwards what edges say until they have switched. Refused, or after 5 s, or when the link is lost, the room
 * goes on where it is, and it is tried again as long as both own it.
 *
 * The edge's SWITCH goes the old way, behind all that was sent there, and is forwarded as well; the new owner
 * answers it. So nothing overtakes anything on either way, without waiting for an acknowledgement between the
 * owners. */
#ifndef HOMECALL_CLUSTER_MERGE_H
#define HOMECALL_CLUSTER_MERGE_H

#include "cluster/merge_take.h"

/* That node owns the room, too: one of us gives, now or when merge_tick() can. */
void merge_on_rival(owner *o, owned_room *room, const node_id *rival);

/* A message between owners has come: WIRE_MERGE_... */
void merge_on_message(owner *o, const node_id *from, const wire_message *m);

/* A link to that node is lost. */
void merge_on_node_lost(owner *o, const node_id *node);

/* Do what is due. */
void merge_tick(owner *o);

#endif
