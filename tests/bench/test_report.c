/* homecall-bench --report as its user sees it: the page shows what was measured, whatever its path and label
 * are, and a gnuplot that is missing or fails costs the plots and nothing else. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "bench/process.h"
#include "support/server.h"

#include <cjson/cJSON.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MOST_POINTS = 64 };

typedef struct fixture {
    signal_server *server;
    process bench;
    char directory[64];
    char *page; /* what the last run has written */
} fixture;

static int make(void **state)
{
    fixture *f = calloc(1, sizeof(*f));
    *state = f;
    strcpy(f->directory, "/tmp/it's a <report>.XXXXXX");
    const signal_server_options options = server_options();
    f->server = server_start(&options);
    return mkdtemp(f->directory) == NULL;
}

static int destroy(void **state)
{
    fixture *f = *state;
    process_kill(&f->bench);
    server_end(f->server);
    static const char *const names[] = {"index.html", "result.json", "gnuplot"};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        char path[128];
        snprintf(path, sizeof(path), "%s/%s", f->directory, names[i]);
        unlink(path);
    }
    int error = rmdir(f->directory); /* nothing else was left there */
    free(f->page);
    free(f);
    return error;
}

static char *read_file(const fixture *f, const char *name)
{
    char path[128];
    char *text = NULL;
    size_t cap = 0;
    snprintf(path, sizeof(path), "%s/%s", f->directory, name);
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    assert_true(getdelim(&text, &cap, '\0', file) > 0);
    fclose(file);
    return text;
}

/* Run it with a report, after what `before` sets in its shell. Returns the exit code. */
static int run(fixture *f, const char *before, const char *arguments)
{
    process_start(
        &f->bench,
        "cd \"%s\" && %s exec \"$HOMECALL_BENCH_BINARY\" relay --pairs 4 --warmup 0 --server-pid %d "
        "--report \"%s\" %s ws://127.0.0.1:%u/signal",
        f->directory, before, (int)getpid(), f->directory, arguments, signal_server_port(f->server));
    int code = process_finish(&f->bench);
    f->page = read_file(f, "index.html");
    return code;
}

static int occurrences(const char *text, const char *part)
{
    int count = 0;
    for (const char *at = text; (at = strstr(at, part)) != NULL; at += strlen(part))
        count++;
    return count;
}

/* ---- What is drawn ---- */

typedef struct point {
    double x, y;
} point;

/* The line of the plot `name`: its second curve, whose first is the area below. */
static size_t read_line(const char *page, const char *name, point *points)
{
    char id[64];
    snprintf(id, sizeof(id), "id=\"%s_plot_2\"", name);
    const char *at = strstr(page, id);
    assert_non_null(at);
    at = strstr(at, " d='M");
    assert_non_null(at);
    at += 4;
    size_t count = 0;
    while (count < MOST_POINTS && sscanf(at, "%*1[ML]%lf,%lf", &points[count].x, &points[count].y) == 2) {
        count++;
        at += strcspn(at, " ") + 1;
    }
    return count;
}

/* `value` lies between two values as `place` lies between their places, to a twentieth of a pixel. */
static void check_place(double value, double low, double high, double place, double low_place,
                        double high_place)
{
    double expected = low_place + (value - low) / (high - low) * (high_place - low_place);
    if (fabs(place - expected) > 0.05)
        fail_msg("%g is drawn at %g, and should be at %g", value, place, expected);
}

/* The line goes through the samples that the JSON has. */
static void check_line(const char *page, const char *name, const cJSON *series, const char *member)
{
    point line[MOST_POINTS];
    double times[MOST_POINTS];
    double values[MOST_POINTS];
    size_t count = 0;
    size_t low = 0;
    size_t high = 0;
    const cJSON *sample;
    cJSON_ArrayForEach(sample, series)
    {
        assert_true(count < MOST_POINTS);
        times[count] = cJSON_GetNumberValue(cJSON_GetObjectItem(sample, "at_seconds"));
        values[count] = cJSON_GetNumberValue(cJSON_GetObjectItem(sample, member));
        low = values[count] < values[low] ? count : low;
        high = values[count] > values[high] ? count : high;
        count++;
    }
    assert_true(count > 2);
    assert_true(values[high] > values[low]);
    assert_int_equal(read_line(page, name, line), count);
    for (size_t i = 0; i < count; i++) {
        check_place(times[i], times[0], times[count - 1], line[i].x, line[0].x, line[count - 1].x);
        check_place(values[i], values[low], values[high], line[i].y, line[low].y, line[high].y);
    }
}

static void a_page_draws_what_was_measured(void **state)
{
    fixture *f = *state;
    assert_int_equal(run(f, "", "--seconds 1.5 --json result.json"), 0);
    static const char *const names[] = {"percentiles", "latency", "signals", "cpu", "memory", "connections"};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        char title[64];
        snprintf(title, sizeof(title), "<title>%s</title>", names[i]);
        assert_int_equal(occurrences(f->page, title), 1);
    }
    assert_int_equal(occurrences(f->page, "<svg"), 6);
    assert_int_equal(occurrences(f->page, "</svg>"), 6);

    char *text = read_file(f, "result.json");
    cJSON *json = cJSON_Parse(text);
    const cJSON *series = cJSON_GetObjectItem(json, "series");
    check_line(f->page, "signals", series, "signals_per_second");
    check_line(f->page, "cpu", series, "server_cpu_share");
    cJSON_Delete(json);
    free(text);
}

static void a_page_needs_nothing_else(void **state)
{
    fixture *f = *state;
    assert_int_equal(run(f, "", "--seconds 0.5"), 0);
    assert_int_equal(occurrences(f->page, "href="), occurrences(f->page, "href='#"));
    assert_int_equal(occurrences(f->page, "http:"), occurrences(f->page, "\"http://www.w3.org/"));
    static const char *const parts[] = {"<script", "<link", "src=", "url(", "@import", "https:"};
    for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
        if (strstr(f->page, parts[i]) != NULL)
            fail_msg("the page has %s", parts[i]);
    }
}

static void a_label_is_shown_as_it_was_written(void **state)
{
    fixture *f = *state;
    assert_int_equal(run(f, "", "--seconds 0.5 --label \"<b a='x'> & \\\"c\\\"\""), 0);
    assert_non_null(strstr(f->page, "<span>&lt;b a='x'&gt; &amp; &quot;c&quot;</span></h1>"));
    assert_null(strstr(f->page, "<b a="));
    assert_non_null(
        strstr(f->page,
               "--report '/tmp/it'\\''s a &lt;report&gt;.")); /* the command line has the directory's name */
    assert_int_equal(occurrences(f->page, "<svg"), 6);
}

/* ---- Without gnuplot ---- */

static void a_missing_gnuplot_is_told_before_the_run(void **state)
{
    fixture *f = *state;
    assert_int_equal(run(f, "PATH=/nonexistent", "--seconds 0.5"), 0);
    static const char told[] =
        "homecall-bench: gnuplot: No such file or directory\n"
        "homecall-bench: gnuplot: the report will be without plots; Debian's package is gnuplot-nox\n";
    assert_memory_equal(f->bench.err.text, told, sizeof(told) - 1);
    assert_non_null(strstr(f->bench.err.text, "connecting")); /* and then the run */
    assert_non_null(strstr(f->bench.out.text, "CPU per signal"));
    assert_null(strstr(f->page, "<svg"));
    assert_non_null(strstr(f->page, "<strong>There are no plots,</strong>"));
    assert_non_null(strstr(f->page, "<th>CPU per signal</th>"));
}

static void a_gnuplot_that_fails_costs_the_plots_alone(void **state)
{
    fixture *f = *state;
    char path[128];
    snprintf(path, sizeof(path), "%s/gnuplot", f->directory);
    FILE *script = fopen(path, "w");
    assert_non_null(script);
    fputs("#!/bin/sh\nwhile read -r line; do echo \"line: $line\" >&2; exit 3; done\n", script);
    assert_int_equal(fclose(script), 0);
    assert_int_equal(chmod(path, 0700), 0);

    assert_int_equal(run(f, "PATH=.", "--seconds 0.5"), 1);
    const char *told = strstr(f->bench.err.text, "line: latencies = ");
    assert_non_null(told);
    assert_non_null(strstr(told, "\nhomecall-bench: gnuplot: it has failed\n"));
    assert_non_null(strstr(f->bench.out.text, "CPU per signal"));
    assert_null(strstr(f->page, "<svg"));
    assert_non_null(strstr(f->page, "<strong>There are no plots,</strong>"));
    assert_non_null(strstr(f->page, "<th>CPU per signal</th>"));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, make, destroy)
    const struct CMUnitTest tests[] = {
        TEST(a_page_draws_what_was_measured),
        TEST(a_page_needs_nothing_else),
        TEST(a_label_is_shown_as_it_was_written),
        TEST(a_missing_gnuplot_is_told_before_the_run),
        TEST(a_gnuplot_that_fails_costs_the_plots_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
