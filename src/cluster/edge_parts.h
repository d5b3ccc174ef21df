/* What the parts of an edge share. Internal to edge.c, which has what clients say and what time brings, and
 * edge_told.c, which has what owners say. */
#ifndef HOMECALL_CLUSTER_EDGE_PARTS_H
#define HOMECALL_CLUSTER_EDGE_PARTS_H

#include "cluster/wire.h"

typedef struct edge edge;
typedef struct binding binding;

/* The binding of that number, or NULL. */
binding *edge_find_binding(const edge *e, uint64_t number);

/* It is over. What it held is lost. */
void edge_free_binding(binding *b);

/* A message of this type about it; and: say it to its owner, who hears it, or its link is lost. */
wire_message edge_about(const binding *b, wire_type type);
void edge_say(const binding *b, const wire_message *m);

/* Say what was held, as far as it fits. The rest goes on waiting: it was accepted, and a dialect that numbers
 * its messages can't leave one out. */
void edge_say_held(binding *b);

/* It looks for its owner, now or when it may. */
void edge_begin_to_seek(binding *b, uint64_t at_ms);

/* Its owner is not its owner any more: it joins again, under another number, or its client does. It may be
 * over when this returns. */
void edge_join_again(binding *b);

#endif
