/* What a worker of a cluster counts: its thread writes, any thread reads. Nothing but counters. */
#ifndef HOMECALL_CLUSTER_CLUSTER_COUNTERS_H
#define HOMECALL_CLUSTER_CLUSTER_COUNTERS_H

#include "base/counter.h"

/* Why a signal did not come where it should. */
typedef enum cluster_loss {
    CLUSTER_LOSS_LINK,    /* it was not acknowledged when a link was lost */
    CLUSTER_LOSS_UNBOUND, /* its binding was not known (any more) */
    CLUSTER_LOSS_MERGE,   /* its sender or receiver had no place in a merged room */
    CLUSTER_LOSS_GONE,    /* its receiver had gone, or gone on to another owner, when it came */
    CLUSTER_LOSS_EDGE,    /* it was held at its edge when its client or its owner was gone */
    CLUSTER_LOSSES
} cluster_loss;

/* What metrics and logs call it; a literal. */
const char *cluster_loss_name(cluster_loss why);

/* About rooms that are here, and go from one owner to another one. */
typedef struct owner_counts {
    counter given, taken; /* rooms */
    counter refused;      /* merges */
    counter unlinked;     /* members of merged rooms whose edge could not be reached */
    counter pushed_out;   /* members who had to wait, since others came first */
} owner_counts;

typedef struct cluster_counters {
    counter losses[CLUSTER_LOSSES]; /* signals, by reason; the core counts those of lost links */
    counter misdirected;            /* messages about rooms of another worker */
    counter bindings_elsewhere;     /* now: clients here whose room is on another node */
    counter members_from_elsewhere; /* now: clients of other nodes in rooms here, or in a line before one */
    owner_counts owner;
} cluster_counters;

#endif
