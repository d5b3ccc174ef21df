/* The metrics as Prometheus reads them: the text format 0.0.4, or OpenMetrics 1.0.0. */
#ifndef HOMECALL_STATS_PROMETHEUS_H
#define HOMECALL_STATS_PROMETHEUS_H

#include "stats/metric_table.h"

#include <stdio.h>

typedef enum prometheus_format { PROMETHEUS_TEXT, PROMETHEUS_OPENMETRICS } prometheus_format;

/* The media type for the header Content-Type; a literal. */
const char *prometheus_media_type(prometheus_format format);

/* Write every metric. ferror(out) tells whether that went well. */
void prometheus_write(FILE *out, prometheus_format format, const metric_source *source);

#endif
