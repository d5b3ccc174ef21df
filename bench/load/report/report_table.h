/* The figures of a result as rows of text, for people. The latencies are not among them, but in a table of
 * their own. A value that was not measured has no row. Pure. */
#ifndef HOMECALL_BENCH_REPORT_TABLE_H
#define HOMECALL_BENCH_REPORT_TABLE_H

#include "measure/result.h"
#include "report/figure.h"

enum { REPORT_TABLE_ROWS = 36 }; /* more than there are figures */

typedef struct report_row {
    const char *group; /* "load", "server", "engine" or "load generator"; the rows of a group are next to each
                          other */
    char name[48];
    figure value;
    char note[160]; /* more about the value: its rate, or its parts; may be empty */
} report_row;

typedef struct report_table {
    size_t count;
    report_row rows[REPORT_TABLE_ROWS];
} report_table;

/* Fill the table with everything that `r` has measured. */
void report_table_fill(report_table *table, const result *r);

/* Write when, how long and how the run measured into `line`, which has `size` bytes: "2025-06-01 12:00:00
 * UTC, 10.0 s, 2 threads, closed loop". */
void report_conditions(const result *r, char *line, size_t size);

/* The names of the columns of the latency table. */
enum { REPORT_LATENCY_COLUMNS = 8 };
extern const char *const report_latency_columns[REPORT_LATENCY_COLUMNS];

/* The figure in one column of that table. */
figure report_latency_figure(const histogram *h, size_t column);

#endif
