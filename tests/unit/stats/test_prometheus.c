/* The two formats of Prometheus: single lines, and every line of a full listing against the grammar of
 * OpenMetrics 1.0.0. */
#include "stats/prometheus.h"

#include "unit/stats/hand_made.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <ctype.h>
#include <regex.h>
#include <stdlib.h>

static int make(void **state)
{
    hand_made *h = malloc(sizeof(*h));
    if (h == NULL)
        return -1;
    hand_made_init(h);
    *state = h;
    return 0;
}

static int destroy(void **state)
{
    free(*state);
    return 0;
}

/* The text, owned by the caller. */
static char *print(const hand_made *h, prometheus_format format)
{
    char *text = NULL;
    size_t len = 0;
    FILE *out = open_memstream(&text, &len);
    assert_non_null(out);
    prometheus_write(out, format, &h->source);
    assert_int_equal(ferror(out), 0);
    fclose(out);
    assert_int_equal(strlen(text), len);
    return text;
}

/* `lines` must stand together in the listing. */
static void expect(const hand_made *h, prometheus_format format, const char *lines)
{
    char *text = print(h, format);
    const char *found = strstr(text, lines);
    if (found == NULL || (found != text && found[-1] != '\n'))
        fail_msg("not there:\n%s", lines);
    free(text);
}

static void expect_both(const hand_made *h, const char *lines)
{
    expect(h, PROMETHEUS_TEXT, lines);
    expect(h, PROMETHEUS_OPENMETRICS, lines);
}

/* ---- Lines ---- */

static void a_counter_is_named_total_and_in_openmetrics_its_family_is_not(void **state)
{
    hand_made *h = *state;
    counter_set(&h->snapshot.total.session.accepted, 18446744073709551615u);
    expect(h, PROMETHEUS_TEXT,
           "# TYPE homecall_signal_accepted_connections_total counter\n"
           "# HELP homecall_signal_accepted_connections_total Connections accepted.\n"
           "homecall_signal_accepted_connections_total 18446744073709551615\n");
    expect(h, PROMETHEUS_OPENMETRICS,
           "# TYPE homecall_signal_accepted_connections counter\n"
           "# HELP homecall_signal_accepted_connections Connections accepted.\n"
           "homecall_signal_accepted_connections_total 18446744073709551615\n");
}

static void openmetrics_names_the_unit(void **state)
{
    hand_made *h = *state;
    expect(h, PROMETHEUS_OPENMETRICS,
           "# TYPE homecall_signal_received_bytes counter\n"
           "# UNIT homecall_signal_received_bytes bytes\n"
           "# HELP homecall_signal_received_bytes Bytes read from clients.\n"
           "homecall_signal_received_bytes_total 0\n");
    char *text = print(h, PROMETHEUS_TEXT);
    assert_null(strstr(text, "UNIT"));
    free(text);
}

static void labels_stand_in_their_order(void **state)
{
    hand_made *h = *state;
    counter_set(&h->snapshot.total.session.signals[SIGNAL_ANSWER][ROOM_SIGNAL_QUEUED], 5);
    expect_both(h, "homecall_signal_signals_total{type=\"answer\",outcome=\"queued\"} 5\n");
}

static void times_are_shown_in_seconds_to_the_last_digit(void **state)
{
    hand_made *h = *state;
    h->threads[1].cpu_us = 12000345;
    h->process.started_utc_ms = 1795602030007;
    expect_both(h, "homecall_signal_thread_cpu_seconds_total{thread=\"worker-1\"} 12.000345\n");
    expect_both(h, "process_start_time_seconds 1795602030.007\n");
}

static void a_histogram_adds_up_its_buckets(void **state)
{
    hand_made *h = *state;
    counter_histogram *setup = &h->snapshot.total.session.call_setup_ms;
    counter_histogram_add(setup, 0, 1);
    counter_histogram_add(setup, 3, 2);
    counter_histogram_add(setup, 1024, 1);
    counter_histogram_add(setup, 1 << 25, 1);
    expect_both(h, "homecall_signal_call_setup_seconds_bucket{le=\"0.001\"} 1\n"
                   "homecall_signal_call_setup_seconds_bucket{le=\"0.002\"} 1\n"
                   "homecall_signal_call_setup_seconds_bucket{le=\"0.004\"} 3\n");
    expect_both(h, "homecall_signal_call_setup_seconds_bucket{le=\"0.512\"} 3\n"
                   "homecall_signal_call_setup_seconds_bucket{le=\"1.024\"} 4\n");
    expect_both(h, "homecall_signal_call_setup_seconds_bucket{le=\"16777.216\"} 4\n"
                   "homecall_signal_call_setup_seconds_bucket{le=\"+Inf\"} 5\n"
                   "homecall_signal_call_setup_seconds_sum 33555.462\n"
                   "homecall_signal_call_setup_seconds_count 5\n");
}

static void the_build_is_an_info_where_there_are_infos(void **state)
{
    hand_made *h = *state;
    h->snapshot.version = "1\\2\"3\n4";
    expect(h, PROMETHEUS_TEXT,
           "# TYPE homecall_signal_build_info gauge\n"
           "# HELP homecall_signal_build_info Name and version of the program.\n"
           "homecall_signal_build_info{version=\"1\\\\2\\\"3\\n4\",libevent=\"");
    expect(h, PROMETHEUS_OPENMETRICS,
           "# TYPE homecall_signal_build info\n"
           "# HELP homecall_signal_build Name and version of the program.\n"
           "homecall_signal_build_info{version=\"1\\\\2\\\"3\\n4\",libevent=\"");
}

static void a_target_that_fails_is_left_to_the_caller(void **state)
{
    hand_made *h = *state;
    FILE *out = fopen("/dev/full", "we");
    assert_non_null(out);
    setvbuf(out, NULL, _IONBF, 0);
    prometheus_write(out, PROMETHEUS_TEXT, &h->source);
    assert_int_not_equal(ferror(out), 0);
    fclose(out);
}

/* ---- The grammar of OpenMetrics 1.0.0 ---- */

/* What is known of the family whose lines are being read. */
typedef struct family_state {
    char name[96];
    char type[16];
    bool has_samples;
    double le;    /* of the bucket before */
    double count; /* in the bucket before */
} family_state;

static bool matches(const char *pattern, const char *text)
{
    regex_t compiled;
    assert_int_equal(regcomp(&compiled, pattern, REG_EXTENDED | REG_NOSUB), 0);
    bool is_match = regexec(&compiled, text, 0, NULL, 0) == 0;
    regfree(&compiled);
    return is_match;
}

/* The suffixes that samples of a type have. */
static bool fits_type(const char *type, const char *suffix)
{
    if (strcmp(type, "counter") == 0)
        return strcmp(suffix, "_total") == 0;
    if (strcmp(type, "info") == 0)
        return strcmp(suffix, "_info") == 0;
    if (strcmp(type, "gauge") == 0)
        return strcmp(suffix, "") == 0;
    return strcmp(suffix, "_bucket") == 0 || strcmp(suffix, "_sum") == 0 || strcmp(suffix, "_count") == 0;
}

/* Buckets go up, in their bounds and in what they count, and the last of them counts everything. */
static void check_histogram_line(family_state *family, const char *suffix, const char *line)
{
    double value = strtod(strrchr(line, ' '), NULL);
    if (strcmp(suffix, "_bucket") == 0) {
        double le = strtod(strstr(line, "le=\"") + strlen("le=\""), NULL);
        assert_true(le > family->le);
        assert_true(value >= family->count);
        family->le = le;
        family->count = value;
    } else if (strcmp(suffix, "_count") == 0) {
        assert_true(family->le > 1e300); /* +Inf was there */
        assert_true(value == family->count);
    }
}

static void check_sample(family_state *family, const char *line)
{
    static const char sample[] =
        "^[a-z][a-z0-9_]*"
        "([{][a-z]+=\"([^\\\"\n]|\\\\[\\\"n])*\"(,[a-z]+=\"([^\\\"\n]|\\\\[\\\"n])*\")*[}])?"
        " [0-9]+([.][0-9]+)?$";
    if (!matches(sample, line))
        fail_msg("no sample: %s", line);
    char name[128];
    snprintf(name, sizeof(name), "%.*s", (int)strcspn(line, "{ "), line);
    size_t len = strlen(family->name);
    assert_memory_equal(name, family->name, len);
    const char *suffix = name + len;
    assert_true(fits_type(family->type, suffix));
    family->has_samples = true;
    if (strcmp(family->type, "histogram") == 0)
        check_histogram_line(family, suffix, line);
    if (strcmp(family->type, "info") == 0)
        assert_string_equal(strrchr(line, ' '), " 1");
}

static void check_comment(family_state *family, const char *line)
{
    char word[8];
    char name[96];
    int at = 0;
    assert_int_equal(sscanf(line, "# %7s %95s %n", word, name, &at), 2);
    if (strcmp(word, "TYPE") == 0) {
        *family = (family_state){.le = -1};
        strcpy(family->name, name);
        assert_true(matches("^(counter|gauge|histogram|info)$", line + at));
        strcpy(family->type, line + at);
        return;
    }
    assert_string_equal(name, family->name); /* what is said of a family stands before its samples */
    assert_false(family->has_samples);
    if (strcmp(word, "UNIT") == 0) {
        size_t unit_len = strlen(line + at);
        assert_string_equal(name + strlen(name) - unit_len, line + at);
        assert_true(name[strlen(name) - unit_len - 1] == '_');
    } else {
        assert_string_equal(word, "HELP");
        assert_true(line[at] != '\0');
    }
}

static void check_openmetrics(char *text)
{
    size_t len = strlen(text);
    assert_true(len > 6);
    assert_string_equal(text + len - 6, "# EOF\n");
    text[len - 6] = '\0';
    family_state family = {0};
    for (char *line = strtok(text, "\n"); line != NULL; line = strtok(NULL, "\n")) {
        if (*line == '#')
            check_comment(&family, line);
        else
            check_sample(&family, line);
    }
}

static void an_idle_server_is_told_by_the_grammar_of_openmetrics(void **state)
{
    char *text = print(*state, PROMETHEUS_OPENMETRICS);
    check_openmetrics(text);
    free(text);
}

static void a_busy_server_is_told_by_the_grammar_of_openmetrics(void **state)
{
    hand_made *h = *state;
    hand_made_fill(h);
    char *text = print(h, PROMETHEUS_OPENMETRICS);
    check_openmetrics(text);
    free(text);
}

static void an_ugly_version_and_thread_keep_to_the_grammar(void **state)
{
    hand_made *h = *state;
    h->snapshot.version = "\"\\\n{}, =";
    strcpy(h->threads[0].name, "\"} 1\n# EOF\n");
    char *text = print(h, PROMETHEUS_OPENMETRICS);
    check_openmetrics(text);
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_counter_is_named_total_and_in_openmetrics_its_family_is_not, make,
                                        destroy),
        cmocka_unit_test_setup_teardown(openmetrics_names_the_unit, make, destroy),
        cmocka_unit_test_setup_teardown(labels_stand_in_their_order, make, destroy),
        cmocka_unit_test_setup_teardown(times_are_shown_in_seconds_to_the_last_digit, make, destroy),
        cmocka_unit_test_setup_teardown(a_histogram_adds_up_its_buckets, make, destroy),
        cmocka_unit_test_setup_teardown(the_build_is_an_info_where_there_are_infos, make, destroy),
        cmocka_unit_test_setup_teardown(a_target_that_fails_is_left_to_the_caller, make, destroy),
        cmocka_unit_test_setup_teardown(an_idle_server_is_told_by_the_grammar_of_openmetrics, make, destroy),
        cmocka_unit_test_setup_teardown(a_busy_server_is_told_by_the_grammar_of_openmetrics, make, destroy),
        cmocka_unit_test_setup_teardown(an_ugly_version_and_thread_keep_to_the_grammar, make, destroy),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
