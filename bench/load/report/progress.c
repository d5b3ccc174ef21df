#include "report/progress.h"

#include "report/figure.h"

#include <stdarg.h>
#include <sys/ioctl.h>
#include <unistd.h>

enum {
    TERMINAL_INTERVAL_MS = 100,
    PLAIN_INTERVAL_MS = 2000,
    BAR_WIDTH = 20,
    LINE_SIZE = 256,
};

void progress_init(progress *p, FILE *out, const char *operation, bool is_quiet)
{
    *p = (progress){.out = is_quiet ? NULL : out, .operation = operation};
    p->is_terminal = p->out != NULL && isatty(fileno(p->out)) == 1;
}

typedef struct line {
    char text[LINE_SIZE];
    int len;
} line;

__attribute__((format(printf, 2, 3))) static void append(line *l, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    int more = vsnprintf(l->text + l->len, (size_t)(LINE_SIZE - l->len), format, args);
    va_end(args);
    l->len = l->len + more < LINE_SIZE ? l->len + more : LINE_SIZE - 1;
}

static void append_bar(line *l, double done)
{
    int full = (int)(done * BAR_WIDTH);
    append(l, " [");
    for (int i = 0; i < BAR_WIDTH; i++)
        append(l, "%c", i < full ? '#' : '.');
    append(l, "]");
}

static void append_time_left(line *l, double seconds)
{
    if (seconds >= 120)
        append(l, ", %.0f min left", seconds / 60);
    else if (seconds >= 0)
        append(l, ", %.0f s left", seconds);
}

static line compose(const progress *p, const progress_state *state)
{
    line l = {.len = 0};
    double done = state->done < 0 ? 0 : state->done > 1 ? 1 : state->done;
    append(&l, "%-10s %3.0f %%", state->phase, done * 100);
    if (p->is_terminal)
        append_bar(&l, done);
    append(&l, " %s %ss/s, %s in all, %s open", figure_number(state->per_second).text, p->operation,
           figure_count(state->operations).text, figure_count(state->open_connections).text);
    if (state->retries > 0)
        append(&l, ", %s retries", figure_count(state->retries).text);
    append_time_left(&l, state->seconds_left);
    return l;
}

/* A line that is wrapped can't be overwritten, so it ends before the last column of the terminal. */
static int width_of_terminal(FILE *out)
{
    struct winsize size;
    if (ioctl(fileno(out), TIOCGWINSZ, &size) != 0 || size.ws_col < 2)
        return 79;
    return size.ws_col - 1;
}

/* Overwrite the line; spaces clear the rest of a longer line before it. */
static void write_over(progress *p, const line *l)
{
    int width = width_of_terminal(p->out);
    if (l->len < width)
        width = l->len;
    int rest = p->width > width ? p->width - width : 0;
    fprintf(p->out, "\r%.*s%*s", width, l->text, rest, "");
    p->width = width;
}

void progress_show(progress *p, const progress_state *state, uint64_t now_ms)
{
    uint64_t interval_ms = p->is_terminal ? TERMINAL_INTERVAL_MS : PLAIN_INTERVAL_MS;
    if (p->out == NULL || (p->last_ms != 0 && now_ms - p->last_ms < interval_ms))
        return;
    p->last_ms = now_ms;

    line l = compose(p, state);
    if (p->is_terminal)
        write_over(p, &l);
    else
        fprintf(p->out, "%s\n", l.text);
    fflush(p->out);
}

void progress_end(progress *p)
{
    if (p->out == NULL || p->width == 0)
        return;
    fprintf(p->out, "\r%*s\r", p->width, "");
    fflush(p->out);
    p->width = 0;
}
