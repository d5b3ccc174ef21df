/* What gnuplot is told, what is made of its answer, and what it draws of a result. For the first two a shell
 * script stands in for it. */
#include "report/report_plots.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static result r; /* of the test that runs; from fill() */
static result_sample samples[2];
static char dir[64];    /* where the script that stands in lies */
static char *real_path; /* PATH as it was */
static char *html;      /* of the last drawing */

static void fill_nothing(void)
{
    r = (result){.scenario = "call", .operation_name = "call", .samples = samples};
    for (int kind = 0; kind < LATENCY_KINDS; kind++)
        histogram_init(&r.latency[kind]);
}

/* A second of calls, and half a second without any. */
static void fill(void)
{
    fill_nothing();
    r.counts = (load_counts){.operations = 500, .signals = 11000};
    for (uint64_t i = 1; i <= 1000; i++)
        histogram_record(&r.latency[LATENCY_SIGNAL], i * 1000);
    histogram_record(&r.latency[LATENCY_CONNECT], 64);
    samples[0] = (result_sample){.at_seconds = 1,
                                 .interval_seconds = 1,
                                 .operations = 500,
                                 .signals = 11000,
                                 .server_cpu_seconds = 0.25,
                                 .server_rss_bytes = 8675309,
                                 .open_connections = 42,
                                 .p50_ns = 500000,
                                 .p99_ns = 990000};
    samples[1] = (result_sample){.at_seconds = 1.5, .interval_seconds = 0.5, .signals = 100};
    r.sample_count = 2;
}

static char *path_of(const char *name)
{
    static char path[128];
    snprintf(path, sizeof(path), "%s/%s", dir, name);
    return path;
}

/* From now on gnuplot is a script that keeps what it is told, and then does `command`. */
static void stand_in(const char *command)
{
    FILE *script = fopen(path_of("gnuplot"), "w");
    assert_non_null(script);
    fprintf(script, "#!/bin/sh\nPATH='%s'\ncat >\"${0%%/*}/told\"\n%s\n", real_path, command);
    assert_int_equal(fclose(script), 0);
    assert_int_equal(chmod(path_of("gnuplot"), 0700), 0);
    assert_int_equal(setenv("PATH", dir, 1), 0);
}

static const char *draw(void)
{
    free(html);
    html = report_plots_draw(&r);
    return html;
}

static int occurrences(const char *part)
{
    int count = 0;
    for (const char *at = html; (at = strstr(at, part)) != NULL; at += strlen(part))
        count++;
    return count;
}

static void gnuplot_is_told_what_was_measured(void **state)
{
    (void)state;
    stand_in("");
    fill();
    assert_string_equal(draw(), "");

    char told[32768] = "";
    FILE *in = fopen(path_of("told"), "r");
    assert_non_null(in);
    assert_in_range(fread(told, 1, sizeof(told) - 1, in), 1, sizeof(told) - 2);
    fclose(in);
    static const char begin[] =
        "latencies = \"signal connect \"\nsampled = \"signal\"\n$percentiles << EOD\n0 1e-06\n";
    assert_memory_equal(told, begin, sizeof(begin) - 1);
    assert_non_null(strstr(told, "\n\n\n0 6.4e-08\n"));      /* the block of the second latency */
    assert_non_null(strstr(told, "\n1 6.4e-08\n\n\nEOD\n")); /* up to 90 %, although it has one value */
    assert_non_null(strstr(told, "$samples << EOD\n"
                                 "1 0 11000 0.25 8675309 42 0.0005 0.00099\n"
                                 "1.5 0 200 0 0 0 nan nan\n"
                                 "EOD\n"));
}

static void operations_are_drawn_where_there_are_no_signals(void **state)
{
    (void)state;
    fill_nothing();
    r.counts.operations = 10;
    samples[0] = (result_sample){.at_seconds = 2, .interval_seconds = 2, .operations = 10};
    r.sample_count = 1;
    assert_non_null(draw());
    assert_int_equal(occurrences("<svg"), 1);
    assert_int_equal(occurrences("<title>operations</title>"), 1);
    assert_int_equal(occurrences(">5</text>"), 1); /* a second: the topmost value of the axis */
}

static void pictures_are_taken_from_what_stands_between_them(void **state)
{
    (void)state;
    stand_in("printf '<?xml?>\\n<svg a>\\nb\\n</svg>\\n\\n<?xml?>\\n<svg >\\n</svg>\\n'");
    fill();
    assert_string_equal(draw(),
                        "<figure>\n<svg a>\nb\n</svg>\n</figure>\n<figure>\n<svg >\n</svg>\n</figure>\n");
}

static void half_a_picture_is_none(void **state)
{
    (void)state;
    stand_in("printf '<svg>\\n</svg>\\n<svg>\\n'");
    fill();
    assert_null(draw());
}

static void a_gnuplot_that_fails_draws_nothing(void **state)
{
    (void)state;
    fill();
    stand_in("printf '<svg>\\n</svg>\\n'; exit 3");
    assert_null(draw());
    stand_in("printf '<svg>\\n</svg>\\n'; kill -9 $$");
    assert_null(draw());
    assert_false(report_plots_check());
}

static void a_missing_gnuplot_is_noticed(void **state)
{
    (void)state;
    fill();
    assert_true(report_plots_check());
    assert_int_equal(setenv("PATH", "/nonexistent", 1), 0);
    assert_false(report_plots_check());
    assert_null(draw());
}

static void each_thing_that_was_measured_has_a_plot(void **state)
{
    (void)state;
    fill();
    assert_non_null(draw());
    static const char *const names[] = {"percentiles", "latency", "signals", "cpu", "memory", "connections"};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        char title[64];
        snprintf(title, sizeof(title), "<title>%s</title>", names[i]);
        if (occurrences(title) != 1)
            fail_msg("%d plots are called %s", occurrences(title), names[i]);
    }
    assert_int_equal(occurrences("<svg"), 6);
    assert_int_equal(occurrences(">12k</text>"), 1);
    assert_int_equal(occurrences(">10 MiB</text>"), 1);
    assert_int_equal(occurrences(">25 %</text>"), 1);
}

static void nothing_measured_is_nothing_drawn(void **state)
{
    (void)state;
    fill_nothing();
    assert_string_equal(draw(), "");
}

static void one_value_and_one_sample_are_drawn(void **state)
{
    (void)state;
    fill();
    for (int kind = 0; kind < LATENCY_KINDS; kind++)
        histogram_init(&r.latency[kind]);
    histogram_record(&r.latency[LATENCY_CONNECT], 1000000);
    r.sample_count = 1;
    assert_non_null(draw());
    assert_int_equal(occurrences("<svg"), 6);
    assert_int_equal(occurrences(">1 ms</text>"), 2);
}

static void a_long_run_is_drawn_in_minutes(void **state)
{
    (void)state;
    fill();
    samples[1].at_seconds = 300;
    assert_non_null(draw());
    assert_int_equal(occurrences(">5 min</text>"), 5);
}

static int make_dir(void **state)
{
    (void)state;
    strcpy(dir, "/tmp/homecall-plots-XXXXXX");
    real_path = strdup(getenv("PATH"));
    return mkdtemp(dir) == NULL || real_path == NULL;
}

static int set_path_back(void **state)
{
    (void)state;
    return setenv("PATH", real_path, 1);
}

static int remove_dir(void **state)
{
    (void)state;
    unlink(path_of("gnuplot"));
    unlink(path_of("told"));
    free(real_path);
    free(html);
    return rmdir(dir);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_teardown(name, set_path_back)
    const struct CMUnitTest tests[] = {
        TEST(gnuplot_is_told_what_was_measured),
        TEST(operations_are_drawn_where_there_are_no_signals),
        TEST(pictures_are_taken_from_what_stands_between_them),
        TEST(half_a_picture_is_none),
        TEST(a_gnuplot_that_fails_draws_nothing),
        TEST(a_missing_gnuplot_is_noticed),
        TEST(each_thing_that_was_measured_has_a_plot),
        TEST(nothing_measured_is_nothing_drawn),
        TEST(one_value_and_one_sample_are_drawn),
        TEST(a_long_run_is_drawn_in_minutes),
    };
    return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
