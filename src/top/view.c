#include "top/view.h"

#include "top/figure.h"
#include "top/pen.h"
#include "top/view_cluster.h"
#include "top/view_threads.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Two tables side by side want so many columns, and everything below each other so many rows. */
enum {
    TABLE_AT = 41,
    WIDE_COLUMNS = 80,
    TABLE_COLUMNS = 40,
    WIDE_ROWS = 20,
    TALL_ROWS = 28,
    ROOMY_ROWS = 24
};

/* A limit of 0 is one that nobody told. */
static bool is_nearly_full(double used, double limit)
{
    return limit > 0 && used > PEN_HIGH_SHARE * limit;
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

static void draw_title(pen *p, const view *v)
{
    char state[32];
    snprintf(state, sizeof(state), "%s%s", v->is_paused ? "paused, " : "", name_state(v));
    int state_at = p->canvas->columns - (int)strlen(state);

    canvas_set_style(p->canvas, p->row, CANVAS_TITLE);
    pen_line l = {.pen = p, .right = state_at - 1};
    if (v->now == NULL) {
        pen_add(&l, CANVAS_TITLE, "homecall-signal");
    } else {
        pen_add(&l, CANVAS_TITLE, "homecall-signal %s", v->now->version);
        pen_add(&l, CANVAS_TITLE, "up %s", figure_age(v->now->uptime_seconds).text);
    }
    pen_add(&l, CANVAS_TITLE, "%s", v->address);
    canvas_put(p->canvas, p->row, state_at > 0 ? state_at : 0, CANVAS_TITLE, state);
    pen_end_line(&l);
}

/* What keeps the server from answering, or from being ready: it may be longer than the line. */
static void draw_trouble(pen *p, const view *v)
{
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

    pen_line l = pen_begin_line(p, "connections");
    pen_add(&l, CANVAS_PLAIN, "open %s", figure_count(i->now->open).text);
    pen_add(&l, CANVAS_PLAIN, "accepted %s/s", figure_rate(INTERVAL_RATE(i, accepted)).text);
    if (i->now->is_accepting_paused > 0)
        pen_add(&l, CANVAS_BAD, "accepting pauses");
    pen_add(&l, CANVAS_PLAIN, "closed %s/s", figure_rate(i->now->closes.size > 0 ? closed : NAN).text);
    pen_add(&l, CANVAS_PLAIN, "handshake %s", figure_count(i->now->handshake).text);
    pen_add(&l, CANVAS_PLAIN, "closing %s", figure_count(i->now->closing).text);
    pen_end_line(&l);
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

static pen_line begin_ranking(pen *p, const char *heading)
{
    pen_line l = pen_begin_line(p, heading);
    l.right -= (int)strlen("  +99");
    return l;
}

static void draw_closes(pen *p)
{
    const interval *i = &p->interval;
    ranked reasons[SAMPLE_MAX_WORDS];
    size_t count = rank(reasons, i, &i->before->closes, &i->now->closes);

    pen_line l = begin_ranking(p, "closes/s");
    for (size_t r = 0; r < count && reasons[r].rate > 0; r++)
        pen_add(&l, CANVAS_PLAIN, "%s %s", reasons[r].word->name, figure_rate(reasons[r].rate).text);
    if (count == 0 || reasons[0].rate <= 0)
        pen_add(&l, CANVAS_PLAIN, "%s", isnan(i->seconds) ? "-" : "none");
    pen_add_left_out(&l);
    pen_end_line(&l);
}

static void draw_limits(pen *p)
{
    const interval *i = &p->interval;
    ranked limits[SAMPLE_MAX_WORDS];
    size_t count = rank(limits, i, &i->before->limits, &i->now->limits);

    pen_line l = begin_ranking(p, "limits hit");
    for (size_t r = 0; r < count; r++) {
        const struct sample_word *word = limits[r].word;
        if (limits[r].rate > 0)
            pen_add(&l, CANVAS_BAD, "%s %s (%s/s)", word->name, figure_count(word->count).text,
                    figure_rate(limits[r].rate).text);
        else
            pen_add(&l, CANVAS_PLAIN, "%s %s", word->name, figure_count(word->count).text);
    }
    if (count == 0)
        pen_add(&l, CANVAS_PLAIN, "none");
    pen_add_left_out(&l);
    pen_end_line(&l);
}

static void draw_rooms(pen *p)
{
    const interval *i = &p->interval;
    pen_line l = pen_begin_line(p, "rooms");
    pen_add(&l, CANVAS_PLAIN, "%s", figure_count(i->now->rooms).text);
    pen_add(&l, CANVAS_PLAIN, "members %s", figure_count(i->now->members).text);
    if (i->now->away > 0)
        pen_add(&l, CANVAS_PLAIN, "away %s", figure_count(i->now->away).text);
    pen_add(&l, CANVAS_PLAIN, "joins %s/s", figure_rate(INTERVAL_RATE(i, joined)).text);
    pen_add(&l, CANVAS_PLAIN, "waiters %s", figure_count(i->now->waiters).text);
    pen_add(&l, CANVAS_PLAIN, "hand-overs %s/s", figure_rate(INTERVAL_RATE(i, handed_over)).text);
    pen_end_line(&l);
}

static void draw_traffic(pen *p)
{
    const interval *i = &p->interval;
    pen_line l = pen_begin_line(p, "traffic/s");
    pen_add(&l, CANVAS_PLAIN, "in %s messages, %s", figure_rate(INTERVAL_RATE(i, messages_in)).text,
            figure_bytes(INTERVAL_RATE(i, bytes_in)).text);
    pen_add(&l, CANVAS_PLAIN, "out %s messages, %s", figure_rate(INTERVAL_RATE(i, messages_out)).text,
            figure_bytes(INTERVAL_RATE(i, bytes_out)).text);
    pen_end_line(&l);
}

static void draw_queue(pen *p)
{
    const sample *now = p->interval.now;
    pen_line l = pen_begin_line(p, "queue");
    pen_add(&l, CANVAS_PLAIN, "messages %s", figure_count(now->queue_messages).text);
    pen_add(&l, pen_bad_if(is_nearly_full(now->queue_bytes, now->queue_budget_bytes)), "%s of %s",
            figure_bytes(now->queue_bytes).text, figure_bytes(now->queue_budget_bytes).text);
    pen_add(&l, CANVAS_PLAIN, "output backlog %s, connections %s", figure_bytes(now->backlog_bytes).text,
            figure_count(now->backlog_connections).text);
    pen_end_line(&l);
}

static void draw_process(pen *p)
{
    const interval *i = &p->interval;
    const sample *now = i->now;
    double dropped = INTERVAL_RATE(i, log_lines_dropped);
    pen_line l = pen_begin_line(p, "process");
    pen_add(&l, CANVAS_PLAIN, "cpu %s", figure_share(INTERVAL_RATE(i, cpu_seconds)).text);
    pen_add(&l, CANVAS_PLAIN, "memory %s", figure_bytes(now->memory_bytes).text);
    pen_add(&l, pen_bad_if(is_nearly_full(now->descriptors, now->max_descriptors)), "descriptors %s of %s",
            figure_count(now->descriptors).text, figure_count(now->max_descriptors).text);
    pen_add(&l, pen_bad_if(dropped > 0), "log dropped %s", figure_count(now->log_lines_dropped).text);
    pen_end_line(&l);
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
    /* Failures are rare: they are told only when there are some, but then before what is usual. */
    static const sample_outcome order[] = {SAMPLE_RELAYED, SAMPLE_REFUSED, SAMPLE_DROPPED, SAMPLE_QUEUED,
                                           SAMPLE_DELIVERED};
    const interval *i = &p->interval;
    pen_line l = pen_begin_line(p, "signals/s");
    for (size_t o = 0; o < sizeof(order) / sizeof(order[0]); o++) {
        double rate = 0;
        for (int type = 0; type < SAMPLE_SIGNALS; type++)
            rate += INTERVAL_RATE(i, signals[type][order[o]]);
        if (rate > 0 || !is_failure((int)order[o]))
            pen_add(&l, pen_bad_if(is_failure((int)order[o])), "%s %s", outcome_names[order[o]],
                    figure_rate(rate).text);
    }
    pen_end_line(&l);
}

static void draw_latency_line(pen *p)
{
    const interval *i = &p->interval;
    pen_line l = pen_begin_line(p, "p50/90/99");
    for (int latency = 0; latency < SAMPLE_LATENCIES; latency++)
        pen_add(&l, CANVAS_PLAIN, "%s %s/%s/%s", latency_names[latency],
                figure_seconds(interval_percentile(i, latency, 0.5)).text,
                figure_seconds(interval_percentile(i, latency, 0.9)).text,
                figure_seconds(interval_percentile(i, latency, 0.99)).text);
    pen_end_line(&l);
}

static void draw_signal_table(pen *p, int row, int column)
{
    static const char *const names[SAMPLE_SIGNALS] = {"offer", "answer", "candidate"};
    const interval *i = &p->interval;
    canvas_put(p->canvas, row, column, CANVAS_HEADING, "signals/s");
    for (int type = 0; type < SAMPLE_SIGNALS; type++) {
        int end = column + 20 + 10 * type;
        pen_put_right(p, row, end, CANVAS_HEADING, names[type]);
        for (int outcome = 0; outcome < SAMPLE_OUTCOMES; outcome++) {
            double rate = INTERVAL_RATE(i, signals[type][outcome]);
            pen_put_right(p, row + 1 + outcome, end, pen_bad_if(is_failure(outcome) && rate > 0),
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
        pen_put_right(p, row, end, CANVAS_HEADING, names[s]);
        for (int latency = 0; latency < SAMPLE_LATENCIES; latency++)
            pen_put_right(p, row + 1 + latency, end, CANVAS_PLAIN,
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

static void draw_thread_heading(pen *p)
{
    pen_line l = pen_begin_line(p, "threads");
    pen_add(&l, CANVAS_PLAIN, "cpu, mailbox, longest lag");
    pen_end_line(&l);
}

/* ---- The whole ---- */

static void draw_gap(pen *p)
{
    if (p->canvas->rows >= ROOMY_ROWS)
        p->row++;
}

typedef void part(pen *p);

/* The parts in their order, up to NULL. */
static part *const full_parts[] = {draw_connections,
                                   draw_closes,
                                   draw_rooms,
                                   view_cluster_draw,
                                   view_cluster_draw_nodes,
                                   draw_traffic,
                                   draw_gap,
                                   draw_tables,
                                   draw_gap,
                                   draw_queue,
                                   draw_limits,
                                   draw_process,
                                   draw_gap,
                                   draw_thread_heading,
                                   NULL};
static part *const brief_parts[] = {draw_connections,
                                    draw_rooms,
                                    view_cluster_draw,
                                    draw_signal_line,
                                    draw_latency_line,
                                    draw_queue,
                                    draw_limits,
                                    draw_traffic,
                                    draw_closes,
                                    draw_process,
                                    NULL};

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
    int most = view_threads_most_columns(c);
    int wanted = ((int)now->thread_count + most - 1) / most;
    return wanted < third ? wanted : third;
}

void view_draw(canvas *c, const view *v)
{
    pen p = {.canvas = c, .end = c->rows};
    draw_title(&p, v);
    draw_trouble(&p, v);
    if (v->now == NULL)
        return;
    interval_init(&p.interval, v->before, v->now);
    bool is_brief = v->is_brief || !is_large(c);
    if (is_brief)
        p.end -= rows_for_threads(c, v->now);
    for (part *const *draw = is_brief ? brief_parts : full_parts; *draw != NULL && p.row < p.end; draw++)
        (*draw)(&p);
    p.end = c->rows;
    view_threads_draw(&p);
}
