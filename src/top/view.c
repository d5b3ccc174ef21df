#include "top/view.h"

#include "top/figure.h"
#include "top/interval.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Where the fields of a line begin, behind its heading. */
enum { FIELDS_AT = 12 };

/* Two tables side by side want so many columns, and everything below each other so many rows. */
enum {
    TABLE_AT = 41,
    WIDE_COLUMNS = 80,
    TABLE_COLUMNS = 40,
    WIDE_ROWS = 20,
    TALL_ROWS = 28,
    ROOMY_ROWS = 24
};

/* From here on a load, or how full something is, calls for attention. */
static const double high_share = 0.9;

/* The same for a turn of a loop: a thread that is so far behind is not ready (stats/health.h). */
static const double high_lag_seconds = 1;

typedef struct pen {
    canvas *canvas;
    const view *view;
    interval interval;
    int row; /* where the next part begins */
    int end; /* what lies from here on belongs to others */
} pen;

/* ---- Lines of fields ---- */

typedef struct line {
    pen *pen;
    int column;        /* where the next field begins */
    int right;         /* where it has to end */
    unsigned left_out; /* fields that did not fit */
} line;

static line begin_line(pen *p, const char *heading)
{
    canvas_put(p->canvas, p->row, 0, CANVAS_HEADING, heading);
    return (line){.pen = p, .column = FIELDS_AT, .right = p->canvas->columns};
}

static void end_line(line *l)
{
    l->pen->row++;
}

/* Add a field if it fits. After one that did not there are no more, so that what is shown is a beginning. */
__attribute__((format(printf, 3, 4))) static void add(line *l, canvas_style style, const char *format, ...)
{
    char text[512];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);

    int len = (int)strlen(text);
    if (l->left_out > 0 || l->column + len > l->right) {
        l->left_out++;
        return;
    }
    canvas_put(l->pen->canvas, l->pen->row, l->column, style, text);
    l->column += len + 2;
}

static canvas_style bad_if(bool is_bad)
{
    return is_bad ? CANVAS_BAD : CANVAS_PLAIN;
}

/* A limit of 0 is one that nobody told. */
static bool is_nearly_full(double used, double limit)
{
    return limit > 0 && used > high_share * limit;
}

/* ---- The first lines ---- */

static const char *name_state(const view *v)
{
    if (v->trouble != NULL)
        return "no answer";
    if (v->now == NULL)
        return "";
    if (!v->now->is_live)
        return "not live";
    if (v->now->is_draining > 0)
        return "draining";
    return v->now->is_ready ? "ready" : "not ready";
}

static void draw_title(pen *p)
{
    const view *v = p->view;
    char state[32];
    snprintf(state, sizeof(state), "%s%s", v->is_paused ? "paused, " : "", name_state(v));
    int state_at = p->canvas->columns - (int)strlen(state);

    canvas_set_style(p->canvas, p->row, CANVAS_TITLE);
    line l = {.pen = p, .right = state_at - 1};
    if (v->now == NULL) {
        add(&l, CANVAS_TITLE, "homecall-signal");
    } else {
        add(&l, CANVAS_TITLE, "homecall-signal %s", v->now->version);
        add(&l, CANVAS_TITLE, "up %s", figure_age(v->now->uptime_seconds).text);
    }
    add(&l, CANVAS_TITLE, "%s", v->address);
    canvas_put(p->canvas, p->row, state_at > 0 ? state_at : 0, CANVAS_TITLE, state);
    end_line(&l);
}

/* What keeps the server from answering, or from being ready: it may be longer than the line. */
static void draw_trouble(pen *p)
{
    const view *v = p->view;
    const char *text = v->trouble;
    if (text == NULL && v->now != NULL && v->now->why[0] != '\0')
        text = v->now->why;
    if (text == NULL)
        return;
    canvas_put(p->canvas, p->row, 0, CANVAS_BAD, text);
    p->row++;
}

/* ---- A line for each subject ---- */

static void draw_connections(pen *p)
{
    const interval *i = &p->interval;
    double closed = 0;
    for (size_t w = 0; w < i->now->closes.size; w++)
        closed += interval_word_rate(i, &i->before->closes, &i->now->closes.words[w]);

    line l = begin_line(p, "connections");
    add(&l, CANVAS_PLAIN, "open %s", figure_count(i->now->open).text);
    add(&l, CANVAS_PLAIN, "accepted %s/s", figure_rate(INTERVAL_RATE(i, accepted)).text);
    if (i->now->is_accepting_paused > 0)
        add(&l, CANVAS_BAD, "accepting pauses");
    add(&l, CANVAS_PLAIN, "closed %s/s", figure_rate(i->now->closes.size > 0 ? closed : NAN).text);
    add(&l, CANVAS_PLAIN, "handshake %s", figure_count(i->now->handshake).text);
    add(&l, CANVAS_PLAIN, "closing %s", figure_count(i->now->closing).text);
    end_line(&l);
}

/* A word of a label, to be sorted. */
typedef struct ranked {
    const struct sample_word *word;
    double rate;
} ranked;

/* The fastest first, then the largest. */
static int compare(const void *a, const void *b)
{
    const ranked *left = a;
    const ranked *right = b;
    if (left->rate != right->rate)
        return left->rate < right->rate ? 1 : -1;
    return (left->word->count < right->word->count) - (left->word->count > right->word->count);
}

/* The words that are not zero; returns how many. A rate that nobody knows counts as none. */
static size_t rank(ranked *out, const interval *i, const sample_words *before, const sample_words *now)
{
    size_t size = 0;
    for (size_t w = 0; w < now->size; w++) {
        double rate = interval_word_rate(i, before, &now->words[w]);
        if (now->words[w].count > 0)
            out[size++] = (ranked){.word = &now->words[w], .rate = isnan(rate) ? 0 : rate};
    }
    qsort(out, size, sizeof(*out), compare);
    return size;
}

/* Tell how many fields did not fit, in the room that was kept for it. */
static void add_left_out(line *l)
{
    unsigned count = l->left_out;
    l->left_out = 0;
    l->right = l->pen->canvas->columns;
    if (count > 0)
        add(l, CANVAS_PLAIN, "+%u", count);
}

static line begin_ranking(pen *p, const char *heading)
{
    line l = begin_line(p, heading);
    l.right -= (int)strlen("  +99");
    return l;
}

static void draw_closes(pen *p)
{
    const interval *i = &p->interval;
    ranked reasons[SAMPLE_MAX_WORDS];
    size_t count = rank(reasons, i, &i->before->closes, &i->now->closes);

    line l = begin_ranking(p, "closes/s");
    for (size_t r = 0; r < count && reasons[r].rate > 0; r++)
        add(&l, CANVAS_PLAIN, "%s %s", reasons[r].word->name, figure_rate(reasons[r].rate).text);
    if (count == 0 || reasons[0].rate <= 0)
        add(&l, CANVAS_PLAIN, "%s", isnan(i->seconds) ? "-" : "none");
    add_left_out(&l);
    end_line(&l);
}

static void draw_limits(pen *p)
{
    const interval *i = &p->interval;
    ranked limits[SAMPLE_MAX_WORDS];
    size_t count = rank(limits, i, &i->before->limits, &i->now->limits);

    line l = begin_ranking(p, "limits hit");
    for (size_t r = 0; r < count; r++) {
        const struct sample_word *word = limits[r].word;
        if (limits[r].rate > 0)
            add(&l, CANVAS_BAD, "%s %s (%s/s)", word->name, figure_count(word->count).text,
                figure_rate(limits[r].rate).text);
        else
            add(&l, CANVAS_PLAIN, "%s %s", word->name, figure_count(word->count).text);
    }
    if (count == 0)
        add(&l, CANVAS_PLAIN, "none");
    add_left_out(&l);
    end_line(&l);
}

static void draw_rooms(pen *p)
{
    const interval *i = &p->interval;
    line l = begin_line(p, "rooms");
    add(&l, CANVAS_PLAIN, "%s", figure_count(i->now->rooms).text);
    add(&l, CANVAS_PLAIN, "members %s", figure_count(i->now->members).text);
    add(&l, CANVAS_PLAIN, "joins %s/s", figure_rate(INTERVAL_RATE(i, joined)).text);
    add(&l, CANVAS_PLAIN, "waiters %s", figure_count(i->now->waiters).text);
    add(&l, CANVAS_PLAIN, "hand-overs %s/s", figure_rate(INTERVAL_RATE(i, handed_over)).text);
    end_line(&l);
}

static void draw_traffic(pen *p)
{
    const interval *i = &p->interval;
    line l = begin_line(p, "traffic/s");
    add(&l, CANVAS_PLAIN, "in %s messages, %s", figure_rate(INTERVAL_RATE(i, messages_in)).text,
        figure_bytes(INTERVAL_RATE(i, bytes_in)).text);
    add(&l, CANVAS_PLAIN, "out %s messages, %s", figure_rate(INTERVAL_RATE(i, messages_out)).text,
        figure_bytes(INTERVAL_RATE(i, bytes_out)).text);
    end_line(&l);
}

static void draw_queue(pen *p)
{
    const sample *now = p->interval.now;
    line l = begin_line(p, "queue");
    add(&l, CANVAS_PLAIN, "messages %s", figure_count(now->queue_messages).text);
    add(&l, bad_if(is_nearly_full(now->queue_bytes, now->queue_budget_bytes)), "%s of %s",
        figure_bytes(now->queue_bytes).text, figure_bytes(now->queue_budget_bytes).text);
    add(&l, CANVAS_PLAIN, "output backlog %s, connections %s", figure_bytes(now->backlog_bytes).text,
        figure_count(now->backlog_connections).text);
    end_line(&l);
}

static void draw_process(pen *p)
{
    const interval *i = &p->interval;
    const sample *now = i->now;
    double dropped = INTERVAL_RATE(i, log_lines_dropped);
    line l = begin_line(p, "process");
    add(&l, CANVAS_PLAIN, "cpu %s", figure_share(INTERVAL_RATE(i, cpu_seconds)).text);
    add(&l, CANVAS_PLAIN, "memory %s", figure_bytes(now->memory_bytes).text);
    add(&l, bad_if(is_nearly_full(now->descriptors, now->max_descriptors)), "descriptors %s of %s",
        figure_count(now->descriptors).text, figure_count(now->max_descriptors).text);
    add(&l, bad_if(dropped > 0), "log dropped %s", figure_count(now->log_lines_dropped).text);
    end_line(&l);
}

/* ---- Signals and latencies, as lines and as tables ---- */

static const char *const outcome_names[SAMPLE_OUTCOMES] = {
    [SAMPLE_RELAYED] = "relayed", [SAMPLE_QUEUED] = "queued",   [SAMPLE_DELIVERED] = "delivered",
    [SAMPLE_REFUSED] = "refused", [SAMPLE_DROPPED] = "dropped",
};

static const char *const latency_names[SAMPLE_LATENCIES] = {
    [SAMPLE_RELAY] = "relay",       [SAMPLE_QUEUE_WAIT] = "queue wait", [SAMPLE_CALL_SETUP] = "call set-up",
    [SAMPLE_PING_RTT] = "ping RTT", [SAMPLE_LOOP_LAG] = "loop lag",
};

static bool is_failure(int outcome)
{
    return outcome == SAMPLE_REFUSED || outcome == SAMPLE_DROPPED;
}

static void draw_signal_line(pen *p)
{
    /* Setbacks are rare: they are told only when there are some, but then before what is usual. */
    static const sample_outcome order[] = {SAMPLE_RELAYED, SAMPLE_REFUSED, SAMPLE_DROPPED, SAMPLE_QUEUED,
                                           SAMPLE_DELIVERED};
    const interval *i = &p->interval;
    line l = begin_line(p, "signals/s");
    for (size_t o = 0; o < sizeof(order) / sizeof(order[0]); o++) {
        double rate = 0;
        for (int type = 0; type < SAMPLE_SIGNALS; type++)
            rate += INTERVAL_RATE(i, signals[type][order[o]]);
        if (rate > 0 || !is_failure((int)order[o]))
            add(&l, bad_if(is_failure((int)order[o])), "%s %s", outcome_names[order[o]],
                figure_rate(rate).text);
    }
    end_line(&l);
}

static void draw_latency_line(pen *p)
{
    const interval *i = &p->interval;
    line l = begin_line(p, "p50/90/99");
    for (int latency = 0; latency < SAMPLE_LATENCIES; latency++)
        add(&l, CANVAS_PLAIN, "%s %s/%s/%s", latency_names[latency],
            figure_seconds(interval_percentile(i, latency, 0.5)).text,
            figure_seconds(interval_percentile(i, latency, 0.9)).text,
            figure_seconds(interval_percentile(i, latency, 0.99)).text);
    end_line(&l);
}

/* Put a text into a column of a table, at its right. */
static void put_right(pen *p, int row, int end, canvas_style style, const char *text)
{
    canvas_put(p->canvas, row, end - (int)strlen(text), style, text);
}

static void draw_signal_table(pen *p, int row, int column)
{
    static const char *const names[SAMPLE_SIGNALS] = {"offer", "answer", "candidate"};
    const interval *i = &p->interval;
    canvas_put(p->canvas, row, column, CANVAS_HEADING, "signals/s");
    for (int type = 0; type < SAMPLE_SIGNALS; type++) {
        int end = column + 20 + 10 * type;
        put_right(p, row, end, CANVAS_HEADING, names[type]);
        for (int outcome = 0; outcome < SAMPLE_OUTCOMES; outcome++) {
            double rate = INTERVAL_RATE(i, signals[type][outcome]);
            put_right(p, row + 1 + outcome, end, bad_if(is_failure(outcome) && rate > 0),
                      figure_rate(rate).text);
        }
    }
    for (int outcome = 0; outcome < SAMPLE_OUTCOMES; outcome++)
        canvas_put(p->canvas, row + 1 + outcome, column, CANVAS_PLAIN, outcome_names[outcome]);
}

static void draw_latency_table(pen *p, int row, int column)
{
    static const char *const names[] = {"p50", "p90", "p99"};
    static const double shares[] = {0.5, 0.9, 0.99};
    canvas_put(p->canvas, row, column, CANVAS_HEADING, "latency");
    for (int s = 0; s < 3; s++) {
        int end = column + 21 + 9 * s;
        put_right(p, row, end, CANVAS_HEADING, names[s]);
        for (int latency = 0; latency < SAMPLE_LATENCIES; latency++)
            put_right(p, row + 1 + latency, end, CANVAS_PLAIN,
                      figure_seconds(interval_percentile(&p->interval, latency, shares[s])).text);
    }
    for (int latency = 0; latency < SAMPLE_LATENCIES; latency++)
        canvas_put(p->canvas, row + 1 + latency, column, CANVAS_PLAIN, latency_names[latency]);
}

static void draw_tables(pen *p)
{
    int columns = p->canvas->columns;
    draw_signal_table(p, p->row, 0);
    p->row += 1 + SAMPLE_OUTCOMES;
    if (columns < WIDE_COLUMNS) {
        draw_latency_table(p, p->row, 0);
        p->row += 1 + SAMPLE_LATENCIES;
    } else {
        draw_latency_table(p, p->row - 1 - SAMPLE_OUTCOMES, columns / 2 > TABLE_AT ? columns / 2 : TABLE_AT);
    }
}

/* ---- Threads ---- */

/* How wide a thread's name and its share are, and what else is told of it where there is room. */
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
    canvas_put(p->canvas, row, column, bad_if(load >= high_share), bar);
}

/* One thread: name, bar, share of a processor; and where there is room, mailbox and longest lag. */
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
    put_right(p, row, column + SHARE_COLUMNS, bad_if(load >= high_share), figure_share(load).text);
    if (!is_detailed)
        return;
    column += SHARE_COLUMNS;
    put_right(p, row, column + 5, CANVAS_PLAIN, figure_count(t->mailbox_depth).text);
    put_right(p, row, column + DETAIL_COLUMNS, bad_if(t->lag_max_seconds >= high_lag_seconds),
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
    canvas_put(p->canvas, row, column, bad_if(highest >= high_share), text);
}

/* How many threads may stand beside each other. */
static int most_columns(const canvas *c)
{
    int most = (c->columns + GAP) / (MIN_CELL + GAP);
    return most > 0 ? most : 1;
}

/* As few columns as the threads need in the rows that are left, or as many as there may be. */
static void draw_threads(pen *p)
{
    int rows = p->end - p->row;
    int count = (int)p->interval.now->thread_count;
    if (rows <= 0 || count == 0)
        return;
    int most = most_columns(p->canvas);
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

static void draw_thread_heading(pen *p)
{
    line l = begin_line(p, "threads");
    add(&l, CANVAS_PLAIN, "cpu, mailbox, longest lag");
    end_line(&l);
}

/* ---- The whole ---- */

static void draw_gap(pen *p)
{
    if (p->canvas->rows >= ROOMY_ROWS)
        p->row++;
}

typedef void part(pen *p);

/* The parts in their order, up to NULL. */
static part *const full_parts[] = {draw_trouble,        draw_connections,
                                   draw_closes,         draw_rooms,
                                   draw_traffic,        draw_gap,
                                   draw_tables,         draw_gap,
                                   draw_queue,          draw_limits,
                                   draw_process,        draw_gap,
                                   draw_thread_heading, NULL};
static part *const brief_parts[] = {draw_trouble,      draw_connections, draw_rooms,  draw_signal_line,
                                    draw_latency_line, draw_queue,       draw_limits, draw_traffic,
                                    draw_closes,       draw_process,     NULL};

static bool is_large(const canvas *c)
{
    if (c->columns >= WIDE_COLUMNS)
        return c->rows >= WIDE_ROWS;
    return c->columns >= TABLE_COLUMNS && c->rows >= TALL_ROWS;
}

/* Rows of a small canvas that are kept for the threads. */
static int rows_for_threads(const canvas *c, const sample *now)
{
    int third = c->rows / 3;
    int most = most_columns(c);
    int wanted = ((int)now->thread_count + most - 1) / most;
    return wanted < third ? wanted : third;
}

void view_draw(canvas *c, const view *v)
{
    pen p = {.canvas = c, .view = v, .end = c->rows};
    draw_title(&p);
    if (v->now == NULL) {
        draw_trouble(&p);
        return;
    }
    interval_init(&p.interval, v->before, v->now);
    bool is_brief = v->is_brief || !is_large(c);
    if (is_brief)
        p.end -= rows_for_threads(c, v->now);
    for (part *const *draw = is_brief ? brief_parts : full_parts; *draw != NULL && p.row < p.end; draw++)
        (*draw)(&p);
    p.end = c->rows;
    draw_threads(&p);
}
