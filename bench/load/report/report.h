/* The reports of a result. Each contains all of it, except for values that were not measured. */
#ifndef HOMECALL_BENCH_REPORT_H
#define HOMECALL_BENCH_REPORT_H

#include "measure/result.h"

#include <stdio.h>

/* A table for people. 0, or -errno of the stream. */
int report_text(const result *r, FILE *out);

/* One JSON object on one line, with a line feed. 0, -ENOMEM, or -errno of the stream. bench/README.md lists
 * its members. */
int report_json(const result *r, FILE *out);

/* Can report_html() write into `dir`? Makes that directory if there is none. 0, or -errno. */
int report_html_check(const char *dir);

/* Make the directory `dir` if there is none, and in it index.html, a page that loads no other file. It
 * contains `plots` (from report_plots_draw(); NULL = there are none, and the page says so), the tables and
 * the JSON. 0, or -errno. */
int report_html(const result *r, const char *plots, const char *dir);

#endif
