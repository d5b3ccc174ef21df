/* The ways to tell a result. Each writes the whole of it; a value that was not measured is left out. */
#ifndef HOMECALL_BENCH_REPORT_H
#define HOMECALL_BENCH_REPORT_H

#include "measure/result.h"

#include <stdio.h>

/* A table for people. 0, or -errno of the stream. */
int report_text(const result *r, FILE *out);

/* One JSON object on one line, with a line feed. 0, -ENOMEM, or -errno of the stream. bench/README.md lists
 * its members. */
int report_json(const result *r, FILE *out);

/* Make the directory `dir` if it is not there, and in it index.html, a page that needs nothing else: `plots`
 * (of report_plots_draw(); NULL = there are none, which the page tells), the tables and the JSON. 0, or
 * -errno. */
int report_html(const result *r, const char *plots, const char *dir);

#endif
