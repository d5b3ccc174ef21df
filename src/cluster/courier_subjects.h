/* The subjects of the engine that a node hears (CLUSTER.md). */
#ifndef HOMECALL_CLUSTER_COURIER_SUBJECTS_H
#define HOMECALL_CLUSTER_COURIER_SUBJECTS_H

#include "cluster/cluster_settings.h"
#include "cluster/node_core.h"

enum {
    COURIER_SUBJECTS = NODE_TO_NODE + 1,
    COURIER_SUBJECT_CAP = 3 + CLUSTER_NAME_MAX + 3 + 2 * CLUSTER_ID_BYTES + 1
};

/* By node_subject. */
typedef struct courier_subjects {
    char texts[COURIER_SUBJECTS][COURIER_SUBJECT_CAP];
} courier_subjects;

/* The subject of a node, in this cluster. */
void courier_subject_of(char out[COURIER_SUBJECT_CAP], const char *cluster, const node_id *node);

/* Those that `self` hears: those of all, and its own. */
void courier_subjects_make(courier_subjects *s, const char *cluster, const node_id *self);

#endif
