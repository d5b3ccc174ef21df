/* The rows of a cluster: what is shown of it in every node, and nowhere else. metric_family_at() has them
 * behind all others. */
#ifndef HOMECALL_STATS_METRIC_CLUSTER_H
#define HOMECALL_STATS_METRIC_CLUSTER_H

#include "stats/metric_family.h"

extern const metric_family metric_cluster_table[];
extern const size_t metric_cluster_table_size;

#endif
