/* The plots of a result: data go to gnuplot together with bench/plot/report.gp, and SVG comes back. */
#ifndef HOMECALL_BENCH_REPORT_PLOTS_H
#define HOMECALL_BENCH_REPORT_PLOTS_H

#include "measure/result.h"

/* Can plots be drawn? If not, a line on standard error says why, and which package has gnuplot. */
bool report_plots_check(void);

/* Draw what was measured: HTML with a <figure> of inline SVG for each plot, to be freed; "" where there is
 * nothing to be drawn. NULL where that fails, with a line on standard error. */
char *report_plots_draw(const result *r);

#endif
