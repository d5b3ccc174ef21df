/* A line plot as a <figure> of HTML: a caption with the legend, and the plot as inline SVG.
 *
 * It has no colours of its own: the classes series-0, series-1 … and grid, base, line, dot, area, hit are the
 * page's to style (html_style.c). A value shows its text when pointed at, without a script: each has an
 * invisible dot with a <title>. */
#ifndef HOMECALL_BENCH_SVG_PLOT_H
#define HOMECALL_BENCH_SVG_PLOT_H

#include "report/figure.h"
#include "report/plot_scale.h"

#include <stddef.h>
#include <stdio.h>

typedef struct svg_point {
    double x;
    double y; /* NAN = nothing was measured here: the line has a gap */
} svg_point;

typedef struct svg_series {
    const char *name;        /* for the legend, which is shown where there are two series or more */
    const svg_point *points; /* borrowed; x rises */
    size_t count;
} svg_series;

typedef struct svg_axis {
    const char *title;
    plot_scale_kind kind;
    figure (*text)(double value); /* of ticks and values */
} svg_axis;

typedef struct svg_plot {
    const char *id; /* unique within the page, [a-z-] */
    const char *title;
    svg_axis x, y;
    const svg_series *series; /* borrowed */
    size_t series_count;
} svg_plot;

/* Write the figure. Nothing is written where no series has a point with a value. Values that its scale can't
 * show (0 on a log scale) are gaps. Faults of the stream stay in it. */
void svg_plot_write(const svg_plot *plot, FILE *out);

#endif
