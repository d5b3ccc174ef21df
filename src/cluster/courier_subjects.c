#include "cluster/courier_subjects.h"

#include <sodium.h>
#include <stdio.h>

void courier_subject_of(char out[COURIER_SUBJECT_CAP], const char *cluster, const node_id *node)
{
    char id[2 * CLUSTER_ID_BYTES + 1];
    sodium_bin2hex(id, sizeof(id), node->bytes, sizeof(node->bytes));
    snprintf(out, COURIER_SUBJECT_CAP, "hc.%.64s.p.%s", cluster, id);
}

void courier_subjects_make(courier_subjects *s, const char *cluster, const node_id *self)
{
    snprintf(s->texts[NODE_TO_MEMBERS], COURIER_SUBJECT_CAP, "hc.%.64s.n", cluster);
    snprintf(s->texts[NODE_TO_CLAIMS], COURIER_SUBJECT_CAP, "hc.%.64s.c", cluster);
    courier_subject_of(s->texts[NODE_TO_NODE], cluster, self);
}
