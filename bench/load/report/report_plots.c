/* gnuplot is started as one process, without a shell. Its script, its output and its messages are files in
 * memory. The script contains no text from outside. */
#include "report/report_plots.h"

#include "base/memory_text.h"
#include "report/embedded.h"
#include "report/stream.h"

#include <inttypes.h>
#include <math.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

enum {
    PERCENTILE_POINTS = 120,
    MOST_NINES = 6, /* a plot ends at 99.9999 %: above that there is only the largest value */
};

/* ---- The input of gnuplot ---- */

/* Points with equal distances on the axis, which is logarithmic: 0, 1, 2 … nines. */
static void write_percentiles(const histogram *h, FILE *out)
{
    double nines = fmin(fmax(log10((double)h->count), 1), MOST_NINES);
    for (int i = 0; i <= PERCENTILE_POINTS; i++) {
        double at = nines * i / PERCENTILE_POINTS;
        double ns = fmax((double)histogram_quantile_ns(h, 1 - pow(10, -at)), 1); /* the axis has no 0 */
        fprintf(out, "%g %g\n", at, ns / 1e9);
    }
    fputs("\n\n", out);
}

static void write_latencies(const result *r, FILE *out)
{
    fputs("latencies = \"", out);
    for (latency_kind kind = 0; kind < LATENCY_KINDS; kind++) {
        if (r->latency[kind].count > 0)
            fprintf(out, "%s ", latency_kind_name(kind));
    }
    fprintf(out, "\"\nsampled = \"%s\"\n$percentiles << EOD\n",
            latency_kind_name(latency_kind_sampled(r->latency)));
    for (latency_kind kind = 0; kind < LATENCY_KINDS; kind++) {
        if (r->latency[kind].count > 0)
            write_percentiles(&r->latency[kind], out);
    }
    fputs("EOD\n", out);
}

static double seconds_or_nan(uint64_t ns)
{
    return ns > 0 ? (double)ns / 1e9 : NAN;
}

static void write_samples(const result *r, FILE *out)
{
    bool has_signals = r->counts.signals > 0;
    fputs("$samples << EOD\n", out);
    for (const result_sample *s = r->samples; s < r->samples + r->sample_count; s++) {
        double interval = s->interval_seconds > 0 ? s->interval_seconds : INFINITY;
        fprintf(out, "%g %g %g %g %" PRIu64 " %" PRIu64 " %g %g\n", s->at_seconds,
                has_signals ? 0 : (double)s->operations / interval, (double)s->signals / interval,
                s->server_cpu_seconds / interval, s->server_rss_bytes, s->open_connections,
                seconds_or_nan(s->p50_ns), seconds_or_nan(s->p99_ns));
    }
    fputs("EOD\n", out);
}

/* ---- The process ---- */

/* Its standard input, output and error stream. */
typedef struct streams {
    FILE *of[3];
} streams;

static FILE *open_in_memory(void)
{
    int fd = memfd_create("gnuplot", MFD_CLOEXEC);
    if (fd < 0)
        return NULL;
    FILE *file = fdopen(fd, "w+");
    if (file == NULL)
        close(fd);
    return file;
}

static void close_streams(streams *s)
{
    for (int i = 0; i < 3; i++) {
        if (s->of[i] != NULL)
            fclose(s->of[i]);
    }
}

static bool complain(const char *why)
{
    fprintf(stderr, "homecall-bench: gnuplot: %s\n", why);
    return false;
}

static bool open_streams(streams *s)
{
    bool are_open = true;
    for (int i = 0; i < 3; i++) {
        s->of[i] = open_in_memory();
        are_open = are_open && s->of[i] != NULL;
    }
    return are_open || complain(strerror(errno));
}

/* Run gnuplot until it ends. 0, and its exit status as of waitpid(); or -errno if it could not be started. */
static int spawn_and_wait(const streams *s, int *status)
{
    posix_spawn_file_actions_t actions;
    int error = posix_spawn_file_actions_init(&actions);
    if (error != 0)
        return -error;
    for (int i = 0; i < 3 && error == 0; i++)
        error = posix_spawn_file_actions_adddup2(&actions, fileno(s->of[i]), i);
    char *const argv[] = {"gnuplot", "-d", NULL}; /* -d: without the user's ~/.gnuplot */
    pid_t pid = 0;
    if (error == 0)
        error = posix_spawnp(&pid, argv[0], &actions, NULL, argv, environ);
    posix_spawn_file_actions_destroy(&actions);
    if (error != 0)
        return -error;
    while (waitpid(pid, status, 0) < 0) {
        if (errno != EINTR)
            return -errno;
    }
    return 0;
}

static void copy(FILE *from, FILE *to)
{
    rewind(from);
    for (int c = fgetc(from); c != EOF; c = fgetc(from))
        fputc(c, to);
}

static bool run_gnuplot(const streams *s)
{
    int status = 0;
    int error = stream_flush(s->of[STDIN_FILENO]);
    rewind(s->of[STDIN_FILENO]);
    if (error == 0)
        error = spawn_and_wait(s, &status);
    if (error != 0)
        return complain(strerror(-error));
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
        return true;
    copy(s->of[STDERR_FILENO], stderr);
    return complain("it has failed");
}

/* ---- The output of gnuplot ---- */

/* The pictures, without the text between them. NULL when one is incomplete, or without memory. */
static char *collect_figures(FILE *drawn)
{
    char *html = NULL;
    size_t size;
    FILE *out = open_memstream(&html, &size);
    if (out == NULL)
        return NULL;
    char *line = NULL;
    size_t cap = 0;
    bool is_inside = false;
    rewind(drawn);
    while (getline(&line, &cap, drawn) > 0) {
        if (strncmp(line, "<svg", 4) == 0) {
            fputs("<figure>\n", out);
            is_inside = true;
        }
        if (is_inside)
            fputs(line, out);
        if (strncmp(line, "</svg>", 6) == 0) {
            fputs("</figure>\n", out);
            is_inside = false;
        }
    }
    free(line);
    bool is_whole = !is_inside && !ferror(drawn);
    if (memory_text_close(out, &html) && is_whole)
        return html;
    free(html);
    return NULL;
}

bool report_plots_check(void)
{
    streams s;
    bool is_there = open_streams(&s) && run_gnuplot(&s);
    close_streams(&s);
    if (!is_there)
        complain("the report will be without plots; Debian's package is gnuplot-nox");
    return is_there;
}

char *report_plots_draw(const result *r)
{
    streams s;
    char *html = NULL;
    if (open_streams(&s)) {
        FILE *script = s.of[STDIN_FILENO];
        write_latencies(r, script);
        write_samples(r, script);
        fputs(embedded_style_gp, script);
        fputs(embedded_report_gp, script);
        if (run_gnuplot(&s) && (html = collect_figures(s.of[STDOUT_FILENO])) == NULL)
            complain("its pictures are not whole");
    }
    close_streams(&s);
    return html;
}
