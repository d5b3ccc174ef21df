/* One axis of a plot: from which value to which it goes, where its ticks are, and where a value lies on it.
 * Pure. */
#ifndef HOMECALL_BENCH_PLOT_SCALE_H
#define HOMECALL_BENCH_PLOT_SCALE_H

#include <stdbool.h>
#include <stddef.h>

typedef enum plot_scale_kind {
    PLOT_LINEAR, /* from 0; ticks are round in the decimal system: steps of 1, 2 or 5 */
    PLOT_BINARY, /* from 0; ticks are round in the binary system, for bytes */
    PLOT_LOG,    /* of values over 0; ticks are 1, 2 and 5 of each decade, or 1 alone where they are many */
    PLOT_PERCENTILE, /* shares from 0 to 1, each nine taking the same room: 0, 0.5, 0.9, 0.99 … */
} plot_scale_kind;

enum { PLOT_SCALE_TICKS = 16 };

typedef struct plot_scale {
    plot_scale_kind kind;
    double low, high; /* the ends: values, for a log or percentile axis as transformed */
    size_t tick_count;
    double ticks[PLOT_SCALE_TICKS]; /* values, rising */
} plot_scale;

/* Fit an axis to values between `low` and `high`. The axis ends at a round number, or with `is_tight` (meant
 * for time) at `high` itself; a percentile axis always does. `low` matters to PLOT_LOG alone, where both must
 * be over 0. */
void plot_scale_fit(plot_scale *scale, plot_scale_kind kind, double low, double high, bool is_tight);

/* Where a value lies, from 0 to 1; what is off the axis lies at its end. */
double plot_scale_place(const plot_scale *scale, double value);

#endif
