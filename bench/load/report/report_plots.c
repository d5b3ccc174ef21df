#include "report/report_plots.h"

#include "report/svg_plot.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>

enum {
    PERCENTILE_POINTS = 121, /* a point for each third of a label's width */
    MOST_SERIES = 2,         /* of a plot over time */
};

static figure percentile_text(double share)
{
    figure f;
    snprintf(f.text, sizeof(f.text), "%.7g", share * 100);
    return f;
}

/* The line of one latency: evenly spaced on its axis, from the smallest value to the largest but for those
 * beyond 99.9999 %. */
static void fill_percentiles(svg_point *points, const histogram *h)
{
    double nines = fmin(log10((double)h->count), 6);
    for (int i = 0; i < PERCENTILE_POINTS; i++) {
        double share = 1 - pow(10, -nines * i / (PERCENTILE_POINTS - 1));
        points[i] = (svg_point){share, (double)histogram_quantile_ns(h, share)};
    }
}

static int write_percentiles(const result *r, FILE *out)
{
    svg_point *points = calloc((size_t)LATENCY_KINDS * PERCENTILE_POINTS, sizeof(*points));
    if (points == NULL)
        return -ENOMEM;
    svg_series series[LATENCY_KINDS];
    size_t count = 0;
    for (latency_kind kind = 0; kind < LATENCY_KINDS; kind++) {
        if (r->latency[kind].count == 0)
            continue;
        svg_point *line = points + count * PERCENTILE_POINTS;
        fill_percentiles(line, &r->latency[kind]);
        series[count++] = (svg_series){latency_kind_name(kind), line, PERCENTILE_POINTS};
    }

    svg_plot plot = {
        .id = "percentiles",
        .title = "Latency by percentile",
        .x = {"percentile", PLOT_PERCENTILE, percentile_text},
        .y = {count == 1 ? series[0].name : "log scale", PLOT_LOG, figure_duration_short},
        .series = series,
        .series_count = count,
    };
    svg_plot_write(&plot, out);
    free(points);
    return 0;
}

static double per_second(const result_sample *s, double amount)
{
    return s->interval_seconds > 0 ? amount / s->interval_seconds : NAN;
}

static double operations(const result_sample *s)
{
    return per_second(s, (double)s->operations);
}

static double signals(const result_sample *s)
{
    return per_second(s, (double)s->signals);
}

static double cpu_share(const result_sample *s)
{
    return per_second(s, s->server_cpu_seconds);
}

static double memory(const result_sample *s)
{
    return s->server_rss_bytes > 0 ? (double)s->server_rss_bytes : NAN;
}

static double connections(const result_sample *s)
{
    return (double)s->open_connections;
}

static double median(const result_sample *s)
{
    return (double)s->p50_ns;
}

static double p99(const result_sample *s)
{
    return (double)s->p99_ns;
}

static bool has_signals(const result *r)
{
    return r->counts.signals > 0;
}

static bool has_operations_alone(const result *r)
{
    return r->counts.signals == 0 && r->counts.operations > 0;
}

static bool has_server(const result *r)
{
    return r->server.is_known;
}

static bool has_connections(const result *r)
{
    for (size_t i = 0; i < r->sample_count; i++) {
        if (r->samples[i].open_connections > 0)
            return true;
    }
    return false;
}

/* What is drawn over time, in the page's order. */
typedef struct time_plot {
    const char *id;
    const char *title;
    svg_axis y; /* without a title it has the name of the latency that the samples tell */
    bool (*is_measured)(const result *r);
    struct {
        const char *name;
        double (*value)(const result_sample *s);
    } series[MOST_SERIES];
} time_plot;

static bool has_latency(const result *r)
{
    return r->latency[latency_kind_sampled(r->latency)].count > 0;
}

static const time_plot time_plots[] = {
    {"latency",
     "Latency over time",
     {NULL, PLOT_LOG, figure_duration_short},
     has_latency,
     {{"p50", median}, {"p99", p99}}},
    {"signals",
     "Throughput",
     {"signals per second", PLOT_LINEAR, figure_number_short},
     has_signals,
     {{"signals per second", signals}}},
    {"operations",
     "Throughput",
     {"operations per second", PLOT_LINEAR, figure_number_short},
     has_operations_alone,
     {{"operations per second", operations}}},
    {"cpu",
     "Server CPU",
     {"of one core", PLOT_LINEAR, figure_share_short},
     has_server,
     {{"share of one core", cpu_share}}},
    {"memory",
     "Server memory",
     {"resident", PLOT_BINARY, figure_bytes_short},
     has_server,
     {{"resident memory", memory}}},
    {"connections",
     "Open connections",
     {"of the load generator", PLOT_LINEAR, figure_number_short},
     has_connections,
     {{"open connections", connections}}},
};

/* In which unit a run's time is told: the largest that it fills twice. */
typedef struct time_unit {
    double seconds;
    figure (*text)(double value);
} time_unit;

static figure number_with(double value, const char *unit)
{
    figure f;
    snprintf(f.text, sizeof(f.text), "%.4g %s", value, unit);
    return f;
}

static figure seconds_text(double value)
{
    return number_with(value, "s");
}

static figure minutes_text(double value)
{
    return number_with(value, "min");
}

static figure hours_text(double value)
{
    return number_with(value, "h");
}

static const time_unit *time_unit_for(double seconds)
{
    static const time_unit units[] = {{3600, hours_text}, {60, minutes_text}, {1, seconds_text}};
    const time_unit *unit = units;
    while (unit->seconds > 1 && seconds < 2 * unit->seconds)
        unit++;
    return unit;
}

/* `points` has room for the samples MOST_SERIES times. */
static void write_over_time(const time_plot *kind, const result *r, svg_point *points, FILE *out)
{
    const time_unit *unit = time_unit_for(r->samples[r->sample_count - 1].at_seconds);
    svg_series series[MOST_SERIES];
    size_t count = 0;
    for (; count < MOST_SERIES && kind->series[count].value != NULL; count++) {
        svg_point *line = points + count * r->sample_count;
        for (size_t i = 0; i < r->sample_count; i++) {
            const result_sample *s = &r->samples[i];
            line[i] = (svg_point){s->at_seconds / unit->seconds, kind->series[count].value(s)};
        }
        series[count] = (svg_series){kind->series[count].name, line, r->sample_count};
    }

    svg_plot plot = {
        .id = kind->id,
        .title = kind->title,
        .x = {"time since the measuring began", PLOT_LINEAR, unit->text},
        .y = kind->y,
        .series = series,
        .series_count = count,
    };
    if (plot.y.title == NULL)
        plot.y.title = latency_kind_name(latency_kind_sampled(r->latency));
    svg_plot_write(&plot, out);
}

int report_plots_write(const result *r, FILE *out)
{
    int error = write_percentiles(r, out);
    if (error != 0 || r->sample_count == 0)
        return error;
    svg_point *points = calloc(r->sample_count, MOST_SERIES * sizeof(*points));
    if (points == NULL)
        return -ENOMEM;
    for (size_t i = 0; i < sizeof(time_plots) / sizeof(time_plots[0]); i++) {
        if (time_plots[i].is_measured(r))
            write_over_time(&time_plots[i], r, points, out);
    }
    free(points);
    return 0;
}
