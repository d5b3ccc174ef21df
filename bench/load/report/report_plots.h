/* The plots of a result: gnuplot gets the data and bench/plot/report.gp, and returns SVG. */
#ifndef HOMECALL_BENCH_REPORT_PLOTS_H
#define HOMECALL_BENCH_REPORT_PLOTS_H

#include "measure/result.h"

/* Can plots be drawn? If not, a line on standard error says why, and which package has gnuplot. */
bool report_plots_check(void);

/* Draw what was measured: HTML with a <figure> of inline SVG for each plot, which the caller frees; "" when
 * there is nothing to draw. NULL on failure, with a line on standard error. */
char *report_plots_draw(const result *r);

#endif
