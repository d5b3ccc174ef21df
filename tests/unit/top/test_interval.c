/* Intervals: rates, shares and percentiles between two samples, and across a restart. */
#include "top/interval.h"

#include "unit/top/sample_pair.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>
#include <stdlib.h>

static int make(void **state)
{
    sample_pair *pair = malloc(sizeof(*pair));
    if (pair == NULL)
        return -1;
    sample_pair_init(pair);
    *state = pair;
    return 0;
}

static int destroy(void **state)
{
    free(*state);
    return 0;
}

static void expect_number(double found, double expected)
{
    if (!(fabs(found - expected) < 1e-9))
        fail_msg("%f, and should be %f", found, expected);
}

static interval between(const sample_pair *pair)
{
    interval i;
    interval_init(&i, &pair->before, &pair->now);
    return i;
}

static void a_counter_grows_by_the_second(void **state)
{
    interval i = between(*state);
    expect_number(i.seconds, 2);
    expect_number(INTERVAL_RATE(&i, accepted), 12.5);
    expect_number(INTERVAL_RATE(&i, max_descriptors), 0);
    expect_number(interval_load(&i, 0), 0.95);
    expect_number(interval_load(&i, 2), 0);
}

static void without_a_sample_before_nothing_is_known(void **state)
{
    const sample_pair *pair = *state;
    interval i;
    interval_init(&i, NULL, &pair->now);
    assert_true(isnan(INTERVAL_RATE(&i, accepted)));
    assert_true(isnan(interval_word_rate(&i, &i.before->closes, &i.now->closes.words[0])));
    assert_true(isnan(interval_load(&i, 0)));
    assert_true(isnan(interval_percentile(&i, SAMPLE_RELAY, 0.5)));
}

static void without_time_between_nothing_is_known(void **state)
{
    sample_pair *pair = *state;
    pair->now.uptime_seconds = pair->before.uptime_seconds;
    interval i = between(pair);
    assert_true(isnan(INTERVAL_RATE(&i, accepted)));
    assert_true(isnan(interval_percentile(&i, SAMPLE_RELAY, 0.5)));
}

static void after_a_restart_the_interval_begins_at_the_start(void **state)
{
    sample_pair *pair = *state;
    pair->now.uptime_seconds = 4;
    pair->now.accepted = 10;
    interval i = between(pair);
    expect_number(i.seconds, 4);
    expect_number(INTERVAL_RATE(&i, accepted), 2.5);
    expect_number(INTERVAL_RATE(&i, joined), 1005); /* more than before, but not since then */
    expect_number(interval_load(&i, 0), 41.9 / 4);
    expect_number(interval_word_rate(&i, &i.before->limits, &pair->now.limits.words[1]), 13. / 4);
}

static void a_restart_shows_by_the_time_of_the_start_too(void **state)
{
    sample_pair *pair = *state;
    pair->now.started_seconds += 100;
    interval i = between(pair);
    expect_number(i.seconds, 93786.5);
    expect_number(INTERVAL_RATE(&i, accepted), 5025 / 93786.5);
}

static void a_single_counter_that_went_down_starts_anew(void **state)
{
    sample_pair *pair = *state;
    pair->now.accepted = 6;
    interval i = between(pair);
    expect_number(INTERVAL_RATE(&i, accepted), 3);
}

static void words_and_threads_are_matched_by_name(void **state)
{
    sample_pair *pair = *state;
    struct sample_word first = pair->now.closes.words[0];
    pair->now.closes.words[0] = pair->now.closes.words[1];
    pair->now.closes.words[1] = first;
    sample_pair_add_word(&pair->now.closes, "new", 8);
    strcpy(pair->now.threads[1].name, "worker-9");
    interval i = between(pair);
    expect_number(interval_word_rate(&i, &i.before->closes, &pair->now.closes.words[0]), 2.5);
    expect_number(interval_word_rate(&i, &i.before->closes, &pair->now.closes.words[1]), 8);
    expect_number(interval_word_rate(&i, &i.before->closes, &pair->now.closes.words[3]), 4);
    expect_number(interval_load(&i, 1), 15.2);
}

static void percentiles_are_interpolated_within_their_bucket(void **state)
{
    interval i = between(*state); /* 100 values in each of eight buckets that end at 1, 2, 4 … 128 ms */
    expect_number(interval_percentile(&i, SAMPLE_RELAY, 0), 0);
    expect_number(interval_percentile(&i, SAMPLE_RELAY, 1. / 16), 0.0005);
    expect_number(interval_percentile(&i, SAMPLE_RELAY, 0.5), 0.008);
    expect_number(interval_percentile(&i, SAMPLE_RELAY, 0.9), 0.064 + 0.2 * 0.064);
    expect_number(interval_percentile(&i, SAMPLE_RELAY, 1), 0.128);
}

static void percentiles_are_of_the_interval_only(void **state)
{
    sample_pair *pair = *state;
    sample_histogram *before = &pair->before.latencies[SAMPLE_RELAY];
    before->count = 700;
    before->within[6] = before->within[7] = 700; /* all of them in the bucket before the last */
    sample_histogram *now = &pair->now.latencies[SAMPLE_RELAY];
    *now = *before;
    now->count = now->within[6] = now->within[7] = 710;
    now->within[5] = 10; /* and since then ten in the bucket before that */
    interval i = between(pair);
    expect_number(interval_percentile(&i, SAMPLE_RELAY, 0.5), 0.024);
    expect_number(interval_percentile(&i, SAMPLE_RELAY, 0.99), 0.016 + 0.99 * 0.016);
}

static void where_nothing_happened_there_is_no_percentile(void **state)
{
    interval i = between(*state);
    assert_true(isnan(interval_percentile(&i, SAMPLE_PING_RTT, 0.5)));
}

static void values_over_all_bounds_are_told_as_the_highest_bound(void **state)
{
    sample_pair *pair = *state;
    pair->now.latencies[SAMPLE_PING_RTT].count = 5;
    pair->now.latencies[SAMPLE_CALL_SETUP].count = 5;
    pair->now.latencies[SAMPLE_CALL_SETUP].size = 0;
    interval i = between(pair);
    expect_number(interval_percentile(&i, SAMPLE_PING_RTT, 0.5), 0.128);
    assert_true(isnan(interval_percentile(&i, SAMPLE_CALL_SETUP, 0.5)));
}

static void buckets_that_contradict_each_other_do_no_harm(void **state)
{
    sample_pair *pair = *state;
    sample_histogram *h = &pair->now.latencies[SAMPLE_RELAY];
    for (size_t b = 0; b < h->size; b++)
        h->within[b] = (double)(h->size - b) * 10;
    interval i = between(pair);
    expect_number(interval_percentile(&i, SAMPLE_RELAY, 0.5), 0.128);
    expect_number(interval_percentile(&i, SAMPLE_RELAY, 0.05), 0.0005);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_counter_grows_by_the_second, make, destroy),
        cmocka_unit_test_setup_teardown(without_a_sample_before_nothing_is_known, make, destroy),
        cmocka_unit_test_setup_teardown(without_time_between_nothing_is_known, make, destroy),
        cmocka_unit_test_setup_teardown(after_a_restart_the_interval_begins_at_the_start, make, destroy),
        cmocka_unit_test_setup_teardown(a_restart_shows_by_the_time_of_the_start_too, make, destroy),
        cmocka_unit_test_setup_teardown(a_single_counter_that_went_down_starts_anew, make, destroy),
        cmocka_unit_test_setup_teardown(words_and_threads_are_matched_by_name, make, destroy),
        cmocka_unit_test_setup_teardown(percentiles_are_interpolated_within_their_bucket, make, destroy),
        cmocka_unit_test_setup_teardown(percentiles_are_of_the_interval_only, make, destroy),
        cmocka_unit_test_setup_teardown(where_nothing_happened_there_is_no_percentile, make, destroy),
        cmocka_unit_test_setup_teardown(values_over_all_bounds_are_told_as_the_highest_bound, make, destroy),
        cmocka_unit_test_setup_teardown(buckets_that_contradict_each_other_do_no_harm, make, destroy),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
