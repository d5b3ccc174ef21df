#include "report/svg_plot.h"

#include "report/html_text.h"

#include <math.h>

/* The drawing, in its own units. It is small, so that on a phone, where it shrinks, its letters stay
 * readable. */
enum {
    WIDTH = 480,
    HEIGHT = 262,
    LEFT = 62, /* edges of the plot proper; between them and the drawing's stand the labels */
    RIGHT = 456,
    TOP = 12,
    BOTTOM = 216,
    X_TICK_Y = BOTTOM + 19,
    X_TITLE_Y = BOTTOM + 40,
    HIT_RADIUS = 5,
};

/* With more points than that a finger can't tell them apart, and the page would grow without use. */
enum { MOST_HITS = 250 };

typedef struct drawing {
    FILE *out;
    const svg_plot *plot;
    plot_scale x, y;
} drawing;

static double x_of(const drawing *d, double value)
{
    return LEFT + (RIGHT - LEFT) * plot_scale_place(&d->x, value);
}

static double y_of(const drawing *d, double value)
{
    return BOTTOM - (BOTTOM - TOP) * plot_scale_place(&d->y, value);
}

static bool is_shown(const svg_plot *plot, const svg_point *p)
{
    return isfinite(p->x) && isfinite(p->y) && (plot->y.kind != PLOT_LOG || p->y > 0);
}

typedef struct extent {
    bool is_empty;
    double x_high, y_low, y_high;
} extent;

static extent extent_of(const svg_plot *plot, const svg_series *series)
{
    extent e = {.is_empty = true, .x_high = -INFINITY, .y_low = INFINITY, .y_high = -INFINITY};
    for (const svg_point *p = series->points; p < series->points + series->count; p++) {
        if (!is_shown(plot, p))
            continue;
        e.is_empty = false;
        e.x_high = fmax(e.x_high, p->x);
        e.y_low = fmin(e.y_low, p->y);
        e.y_high = fmax(e.y_high, p->y);
    }
    return e;
}

static extent extent_of_all(const svg_plot *plot)
{
    extent all = {.is_empty = true, .x_high = -INFINITY, .y_low = INFINITY, .y_high = -INFINITY};
    for (size_t i = 0; i < plot->series_count; i++) {
        extent e = extent_of(plot, &plot->series[i]);
        all.is_empty = all.is_empty && e.is_empty;
        all.x_high = fmax(all.x_high, e.x_high);
        all.y_low = fmin(all.y_low, e.y_low);
        all.y_high = fmax(all.y_high, e.y_high);
    }
    return all;
}

static void write_legend(const svg_plot *plot, FILE *out)
{
    fputs("<span class=\"legend\">", out);
    for (size_t i = 0; i < plot->series_count; i++) {
        fprintf(out, "<span class=\"key series-%zu\">", i);
        html_write_text(out, plot->series[i].name);
        fputs("</span>", out);
    }
    fputs("</span>", out);
}

static void write_caption(const svg_plot *plot, FILE *out)
{
    fputs("<figcaption><h3>", out);
    html_write_text(out, plot->title);
    fputs("</h3><span class=\"unit\">", out);
    html_write_text(out, plot->y.title);
    fputs("</span>", out);
    if (plot->series_count > 1)
        write_legend(plot, out);
    fputs("</figcaption>\n", out);
}

/* What the plot shows, in words, for those who can't see it. */
static void write_description(const svg_plot *plot, FILE *out)
{
    fprintf(out, "<title id=\"%s-title\">", plot->id);
    html_write_text(out, plot->title);
    fprintf(out, "</title><desc id=\"%s-desc\">", plot->id);
    html_write_text(out, plot->y.title);
    fputs(" against ", out);
    html_write_text(out, plot->x.title);
    fputc('.', out);
    for (size_t i = 0; i < plot->series_count; i++) {
        extent e = extent_of(plot, &plot->series[i]);
        if (e.is_empty)
            continue;
        fputc(' ', out);
        html_write_text(out, plot->series[i].name);
        fprintf(out, ": from %s to %s.", plot->y.text(e.y_low).text, plot->y.text(e.y_high).text);
    }
    fputs("</desc>\n", out);
}

static void write_grid(const drawing *d)
{
    fputs("<g class=\"grid\">\n", d->out);
    for (size_t i = 0; i < d->y.tick_count; i++) {
        double y = y_of(d, d->y.ticks[i]);
        fprintf(d->out, "<path d=\"M%d %.1fH%d\"/>", LEFT, y, RIGHT);
        fprintf(d->out, "<text x=\"%d\" y=\"%.1f\" class=\"y\">%s</text>\n", LEFT - 8, y + 4,
                d->plot->y.text(d->y.ticks[i]).text);
    }
    for (size_t i = 0; i < d->x.tick_count; i++) {
        double x = x_of(d, d->x.ticks[i]);
        fprintf(d->out, "<path class=\"base\" d=\"M%.1f %dv5\"/>", x, BOTTOM);
        fprintf(d->out, "<text x=\"%.1f\" y=\"%d\" class=\"x\">%s</text>\n", x, X_TICK_Y,
                d->plot->x.text(d->x.ticks[i]).text);
    }
    fprintf(d->out, "<path class=\"base\" d=\"M%d %dH%d\"/>", LEFT, BOTTOM, RIGHT);
    fprintf(d->out, "<text x=\"%d\" y=\"%d\" class=\"x\">", (LEFT + RIGHT) / 2, X_TITLE_Y);
    html_write_text(d->out, d->plot->x.title);
    fputs("</text>\n</g>\n", d->out);
}

/* The points from `first` on, up to the next gap or the end. */
static size_t run_length(const drawing *d, const svg_series *series, size_t first)
{
    size_t end = first;
    while (end < series->count && is_shown(d->plot, &series->points[end]))
        end++;
    return end - first;
}

static void write_points(const drawing *d, const svg_point *points, size_t count)
{
    for (size_t i = 0; i < count; i++)
        fprintf(d->out, "%s%.1f %.1f", i == 0 ? "M" : "L", x_of(d, points[i].x), y_of(d, points[i].y));
}

/* A line without gaps; a point alone becomes a dot, drawn by the line's round caps. */
static void write_run(const drawing *d, const svg_point *points, size_t count)
{
    if (d->plot->series_count == 1 && d->plot->y.kind != PLOT_LOG && count > 1) {
        fputs("<path class=\"area\" d=\"", d->out);
        write_points(d, points, count);
        fprintf(d->out, "V%dH%.1fZ\"/>\n", BOTTOM, x_of(d, points[0].x));
    }
    fprintf(d->out, "<path class=\"line%s\" d=\"", count == 1 ? " dot" : "");
    write_points(d, points, count);
    fputs(count == 1 ? "h0\"/>\n" : "\"/>\n", d->out);
}

static void write_hit(const drawing *d, const svg_series *series, const svg_point *p)
{
    fprintf(d->out, "<circle class=\"hit\" cx=\"%.1f\" cy=\"%.1f\" r=\"%d\"><title>", x_of(d, p->x),
            y_of(d, p->y), HIT_RADIUS);
    html_write_text(d->out, series->name);
    fprintf(d->out, ": %s (%s)</title></circle>\n", d->plot->y.text(p->y).text, d->plot->x.text(p->x).text);
}

static void write_series(const drawing *d, size_t index)
{
    const svg_series *series = &d->plot->series[index];
    fprintf(d->out, "<g class=\"series-%zu\">\n", index);
    for (size_t i = 0; i < series->count; i++) {
        size_t len = run_length(d, series, i);
        if (len > 0)
            write_run(d, series->points + i, len);
        i += len;
    }
    for (size_t i = 0; i < series->count && series->count <= MOST_HITS; i++) {
        if (is_shown(d->plot, &series->points[i]))
            write_hit(d, series, &series->points[i]);
    }
    fputs("</g>\n", d->out);
}

void svg_plot_write(const svg_plot *plot, FILE *out)
{
    extent all = extent_of_all(plot);
    if (all.is_empty)
        return;
    drawing d = {.out = out, .plot = plot};
    plot_scale_fit(&d.x, plot->x.kind, 0, all.x_high, true);
    plot_scale_fit(&d.y, plot->y.kind, all.y_low, all.y_high, false);

    fputs("<figure>\n", out);
    write_caption(plot, out);
    fprintf(out,
            "<svg viewBox=\"0 0 %d %d\" role=\"img\" aria-labelledby=\"%s-title %s-desc\" "
            "xmlns=\"http://www.w3.org/2000/svg\">\n",
            WIDTH, HEIGHT, plot->id, plot->id);
    write_description(plot, out);
    write_grid(&d);
    for (size_t i = 0; i < plot->series_count; i++)
        write_series(&d, i);
    fputs("</svg>\n</figure>\n", out);
}
