/* The table of metrics: every number that the server shows, declared once.
 *
 * A row is a family: its name, what it means, and where its numbers are in a snapshot. The code that shows
 * numbers (prometheus.h, stats_json.h) walks the table, so a new metric is one line in metric_table.c, or in
 * metric_cluster.c where it is about a cluster.
 * Dashboards and alerts rely on names, units and labels. The values of a label are fixed, and never a room, a
 * user or an address. So the output never grows, and names nobody. */
#ifndef HOMECALL_STATS_METRIC_TABLE_H
#define HOMECALL_STATS_METRIC_TABLE_H

#include "stats/metric_family.h"

/* How many families a server shows: those of a cluster are the last, and only shown in one. Then: the one at
 * this place of the table. */
size_t metric_family_count(const snapshot *s);
const metric_family *metric_family_at(size_t i);

/* Call `visit` for every number of a family. */
void metric_family_walk(const metric_family *family, const metric_source *source, metric_visit *visit,
                        void *context);

/* What Prometheus sees before the name and after it. Before: "homecall_signal_", or "" for metrics that every
 * process has. After: "_total", "_info" or "". Literals. */
const char *metric_family_prefix(const metric_family *family);
const char *metric_family_suffix(const metric_family *family);

/* The base unit, "seconds" or "bytes", or NULL; and how many decimals of it the numbers have. */
const char *metric_unit_name(metric_unit unit);
int metric_unit_decimals(metric_unit unit);

#endif
