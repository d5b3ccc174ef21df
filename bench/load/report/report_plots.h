/* Which plots a result is shown by, for the page of report_html.c. */
#ifndef HOMECALL_BENCH_REPORT_PLOTS_H
#define HOMECALL_BENCH_REPORT_PLOTS_H

#include "measure/result.h"

#include <stdio.h>

/* Write a figure for each thing that was measured. 0 or -ENOMEM; faults of the stream stay in it. */
int report_plots_write(const result *r, FILE *out);

#endif
