#include "top/view_threads.h"

#include "top/figure.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* From here on a turn of a loop calls for attention: a thread that is so far behind is not ready
 * (stats/health.h). */
static const double high_lag_seconds = 1;

/* How wide a thread's name and its share are, and what else is told of it where it fits. */
enum { NAME_COLUMNS = 10, SHARE_COLUMNS = 5, DETAIL_COLUMNS = 12 };
enum { MIN_BAR = 3, MAX_BAR = 50 };
enum { GAP = 2, MIN_CELL = NAME_COLUMNS + 1 + MIN_BAR + SHARE_COLUMNS, DETAILED_CELL = 38 };

static void draw_bar(pen *p, int row, int column, int width, double load)
{
    char bar[MAX_BAR + 1];
    int length = isnan(load) ? 0 : (int)lround(fmin(load, 1) * (width - 2));
    memset(bar, ' ', sizeof(bar));
    memset(bar + 1, '|', (size_t)length);
    bar[0] = '[';
    bar[width - 1] = ']';
    bar[width] = '\0';
    canvas_put(p->canvas, row, column, pen_bad_if(load >= PEN_HIGH_SHARE), bar);
}

/* One thread: name, bar, share of a processor; and where they fit, mailbox and longest lag. */
static void draw_thread(pen *p, size_t index, int row, int column, int width)
{
    const sample_thread *t = &p->interval.now->threads[index];
    double load = interval_load(&p->interval, index);
    bool is_detailed = width >= DETAILED_CELL;
    int bar = width - NAME_COLUMNS - 1 - SHARE_COLUMNS - (is_detailed ? DETAIL_COLUMNS : 0);
    bar = bar < MAX_BAR ? bar : MAX_BAR;

    canvas_put(p->canvas, row, column, CANVAS_PLAIN, t->name);
    column += NAME_COLUMNS + 1;
    if (bar >= MIN_BAR) {
        draw_bar(p, row, column, bar, load);
        column += bar;
    }
    pen_put_right(p, row, column + SHARE_COLUMNS, pen_bad_if(load >= PEN_HIGH_SHARE),
                  figure_share(load).text);
    if (!is_detailed)
        return;
    column += SHARE_COLUMNS;
    pen_put_right(p, row, column + 5, CANVAS_PLAIN, figure_count(t->mailbox_depth).text);
    pen_put_right(p, row, column + DETAIL_COLUMNS, pen_bad_if(t->lag_max_seconds >= high_lag_seconds),
                  figure_seconds(t->lag_max_seconds).text);
}

/* Instead of the threads from `first` on. The busiest must not hide there. */
static void draw_rest(pen *p, size_t first, int row, int column, int width)
{
    size_t count = p->interval.now->thread_count;
    double highest = NAN;
    for (size_t t = first; t < count; t++)
        highest = fmax(highest, interval_load(&p->interval, t));
    char text[64];
    int len =
        snprintf(text, sizeof(text), "... and %zu more, <= %s", count - first, figure_share(highest).text);
    if (len > width)
        *strchr(text, ',') = '\0';
    canvas_put(p->canvas, row, column, pen_bad_if(highest >= PEN_HIGH_SHARE), text);
}

int view_threads_most_columns(const canvas *c)
{
    int most = (c->columns + GAP) / (MIN_CELL + GAP);
    return most > 0 ? most : 1;
}

void view_threads_draw(pen *p)
{
    int rows = p->end - p->row;
    int count = (int)p->interval.now->thread_count;
    if (rows <= 0 || count == 0)
        return;
    /* As few columns as the threads need in the rows that are left, or as many as there may be. */
    int most = view_threads_most_columns(p->canvas);
    int columns = (count + rows - 1) / rows;
    columns = columns < most ? columns : most;
    int used_rows = (count + columns - 1) / columns;
    used_rows = used_rows < rows ? used_rows : rows;

    int width = (p->canvas->columns + GAP) / columns - GAP;
    int cells = used_rows * columns;
    int shown = count <= cells ? count : cells - 1;
    for (int t = 0; t < shown; t++)
        draw_thread(p, (size_t)t, p->row + t % used_rows, t / used_rows * (width + GAP), width);
    if (shown < count)
        draw_rest(p, (size_t)shown, p->row + used_rows - 1, (columns - 1) * (width + GAP), width);
}
