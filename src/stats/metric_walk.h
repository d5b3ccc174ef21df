/* How the numbers of a family are found: the functions that rows of the table of metrics are walked by.
 * Each is as metric_family_walk(). Internal to metric_table.c and metric_cluster.c. */
#ifndef HOMECALL_STATS_METRIC_WALK_H
#define HOMECALL_STATS_METRIC_WALK_H

#include "stats/metric_family.h"

typedef void metric_walk(const metric_family *family, const metric_source *source, metric_visit *visit,
                         void *context);

/* One number or histogram, in the snapshot; one number, of the process; one that is computed from others. */
metric_walk metric_walk_one, metric_walk_process, metric_walk_computed;

/* A number of each thread. */
metric_walk metric_walk_threads;

/* A number for each word of a label; for each pair of words of two. */
metric_walk metric_walk_words, metric_walk_pairs;

/* One number or histogram of a snapshot's cluster, or one that is computed; a number of it for each word of a
 * label. There must be a cluster. */
metric_walk metric_walk_cluster, metric_walk_cluster_words;

/* Where a word's counter is: at `index` of an array, as the row `index` of one with `width` columns, or a
 * member of the sum over all threads. */
/* NOLINTBEGIN(bugprone-macro-parentheses): a designator is no expression */
#define METRIC_NTH(index)            .offset = (size_t)(index) * sizeof(counter)
#define METRIC_NTH_ROW(index, width) .offset = (size_t)(index) * (width) * sizeof(counter)
/* NOLINTEND(bugprone-macro-parentheses) */
#define METRIC_TOTAL(member) offsetof(snapshot, total.member)

#endif
