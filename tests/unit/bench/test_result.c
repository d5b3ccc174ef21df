/* What is worked out from a result, above all where there is nothing to divide by. */
#include "measure/result.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void nothing_measured_gives_0_everywhere(void **state)
{
    (void)state;
    result r = {.counts.operations = 5};
    assert_true(result_per_second(&r, 5) == 0);
    assert_true(result_cpu_us_per(&r, 0) == 0);
    assert_true(result_bytes_per_connection(&r) == 0);
    assert_true(result_syscalls_per(&r, 0) == 0);
}

static void quotients_are_of_the_measured_time_and_count(void **state)
{
    (void)state;
    result r = {.seconds = 2.5, .server = {.cpu_seconds = 0.5, .syscalls = 300}};
    assert_true(result_per_second(&r, 10) == 4);
    assert_true(result_cpu_us_per(&r, 1000) == 500);
    assert_true(result_syscalls_per(&r, 100) == 3);
}

static void memory_that_shrank_is_negative_for_each_connection(void **state)
{
    (void)state;
    result r = {.server = {.rss_before_bytes = 5000, .rss_after_bytes = 15000, .memory_connections = 10}};
    assert_true(result_bytes_per_connection(&r) == 1000);
    r.server.rss_after_bytes = 4000;
    assert_true(result_bytes_per_connection(&r) == -100);
}

static void each_latency_has_a_name(void **state)
{
    (void)state;
    assert_string_equal(latency_kind_name(LATENCY_OPERATION), "operation");
    assert_string_equal(latency_kind_name(LATENCY_SIGNAL), "signal");
    assert_string_equal(latency_kind_name(LATENCY_CONNECT), "connect");
}

static void samples_tell_the_latency_of_signals_where_there_are_any(void **state)
{
    (void)state;
    result r = {.latency[LATENCY_OPERATION].count = 1};
    assert_int_equal(latency_kind_sampled(r.latency), LATENCY_OPERATION);
    r.latency[LATENCY_SIGNAL].count = 1;
    assert_int_equal(latency_kind_sampled(r.latency), LATENCY_SIGNAL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_measured_gives_0_everywhere),
        cmocka_unit_test(quotients_are_of_the_measured_time_and_count),
        cmocka_unit_test(memory_that_shrank_is_negative_for_each_connection),
        cmocka_unit_test(each_latency_has_a_name),
        cmocka_unit_test(samples_tell_the_latency_of_signals_where_there_are_any),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
