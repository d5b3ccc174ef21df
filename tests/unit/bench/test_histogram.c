/* The histogram: how true its quantiles are, at the edges of its buckets and of its range. */
#include "measure/histogram.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>
#include <string.h>

static const uint64_t range_end_ns = (uint64_t)1 << 43;

/* Fails where `told` is more than 0.8 % from the truth. */
static void check_close(uint64_t told, uint64_t truth)
{
    double error = fabs((double)told - (double)truth) / (double)truth;
    if (error > 0.008)
        fail_msg("%llu told as %llu", (unsigned long long)truth, (unsigned long long)told);
}

static void an_empty_one_tells_0(void **state)
{
    (void)state;
    histogram h;
    histogram_init(&h);
    assert_int_equal(h.count, 0);
    assert_true(h.min_ns == UINT64_MAX);
    assert_int_equal(h.max_ns, 0);
    assert_int_equal(histogram_quantile_ns(&h, 0), 0);
    assert_int_equal(histogram_quantile_ns(&h, 1), 0);
    assert_true(histogram_mean_ns(&h) == 0);
}

static void one_value_is_every_quantile(void **state)
{
    (void)state;
    const uint64_t values[] = {0, 1, 127, 128, 129, 123456789, range_end_ns - 1, range_end_ns, UINT64_MAX};
    for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
        histogram h;
        histogram_init(&h);
        histogram_record(&h, values[i]);
        assert_int_equal(h.count, 1);
        for (double share = 0; share <= 1; share += 0.25)
            assert_true(histogram_quantile_ns(&h, share) == values[i]);
    }
}

/* The value stands between others, so that its bucket tells it and not the exact ends. */
static uint64_t told(uint64_t ns)
{
    histogram h;
    histogram_init(&h);
    histogram_record(&h, 0);
    histogram_record(&h, ns);
    histogram_record(&h, UINT64_MAX);
    return histogram_quantile_ns(&h, 0.5);
}

static void values_up_to_255_are_told_exactly(void **state)
{
    (void)state;
    for (uint64_t ns = 0; ns < 256; ns++)
        assert_int_equal(told(ns), ns);
}

static void every_value_of_the_range_is_told_within_8_in_1000(void **state)
{
    (void)state;
    for (int octave = 7; octave < 43; octave++) {
        uint64_t base = (uint64_t)1 << octave;
        check_close(told(base - 1), base - 1);
        check_close(told(base), base);
        check_close(told(base + 1), base + 1);
        for (uint64_t part = 1; part < 1000; part += 7)
            check_close(told(base + base / 1000 * part), base + base / 1000 * part);
    }
}

static void what_is_over_the_range_counts_in_the_last_bucket(void **state)
{
    (void)state;
    histogram h;
    histogram_init(&h);
    histogram_record(&h, range_end_ns - 1);
    histogram_record(&h, range_end_ns);
    histogram_record(&h, UINT64_MAX);
    assert_int_equal(h.buckets[HISTOGRAM_BUCKETS - 1], 3);
    assert_true(h.max_ns == UINT64_MAX);
    check_close(histogram_quantile_ns(&h, 0.5), range_end_ns);
}

static void quantiles_count_values_from_the_smallest(void **state)
{
    (void)state;
    histogram h;
    histogram_init(&h);
    for (uint64_t ns = 100; ns >= 1; ns--) /* the order does not matter */
        histogram_record(&h, ns);
    for (int percent = 1; percent <= 100; percent++)
        assert_int_equal(histogram_quantile_ns(&h, percent / 100.0), percent);
    assert_int_equal(histogram_quantile_ns(&h, 0), 1);
    assert_int_equal(histogram_quantile_ns(&h, 0.501), 51);
    assert_int_equal(histogram_quantile_ns(&h, 0.999), 100);
}

static void the_mean_is_of_the_values_not_of_the_buckets(void **state)
{
    (void)state;
    histogram h;
    histogram_init(&h);
    histogram_record(&h, 1000001);
    histogram_record(&h, 1000002);
    assert_true(histogram_mean_ns(&h) == 1000001.5);
}

/* Values as latencies are: from microseconds to seconds, alike in number for each octave. */
static void record_many(histogram *h, uint32_t seed, int count)
{
    for (int i = 0; i < count; i++) {
        seed = seed * 1664525 + 1013904223;
        histogram_record(h, (uint64_t)(seed | 1) >> (seed >> 8 & 15));
    }
}

static void two_add_up_to_the_one_of_all_values(void **state)
{
    (void)state;
    histogram one, other, both, empty;
    histogram_init(&one);
    histogram_init(&other);
    histogram_init(&both);
    histogram_init(&empty);
    record_many(&one, 1, 1000);
    record_many(&other, 2, 500);
    record_many(&both, 1, 1000);
    record_many(&both, 2, 500);
    histogram_add(&one, &other);
    histogram_add(&one, &empty);
    assert_memory_equal(&one, &both, sizeof(one));
    histogram_add(&empty, &both);
    assert_memory_equal(&empty, &both, sizeof(empty));
}

static void taking_an_earlier_state_away_leaves_what_came_since(void **state)
{
    (void)state;
    histogram all, earlier, since;
    histogram_init(&all);
    histogram_init(&since);
    record_many(&all, 1, 1000);
    earlier = all;
    record_many(&all, 3, 200);
    record_many(&since, 3, 200);
    histogram_subtract(&all, &earlier);

    assert_int_equal(all.count, 200);
    assert_true(all.sum_ns == since.sum_ns);
    assert_memory_equal(all.buckets, since.buckets, sizeof(all.buckets));
    check_close(all.min_ns, since.min_ns);
    check_close(all.max_ns, since.max_ns);
    assert_true(all.min_ns <= since.min_ns && all.max_ns >= since.max_ns);
}

static void taking_everything_away_leaves_an_empty_one(void **state)
{
    (void)state;
    histogram h, empty;
    histogram_init(&h);
    histogram_init(&empty);
    record_many(&h, 1, 10);
    histogram copy = h;
    histogram_subtract(&h, &copy);
    assert_memory_equal(&h, &empty, sizeof(h));
    histogram_subtract(&h, &empty);
    assert_memory_equal(&h, &empty, sizeof(h));
}

static void the_end_of_what_is_left_stays_exact_where_it_is_known(void **state)
{
    (void)state;
    histogram h;
    histogram_init(&h);
    histogram_record(&h, 5000);
    histogram earlier = h;
    histogram_record(&h, UINT64_MAX);
    histogram_subtract(&h, &earlier);
    assert_true(h.max_ns == UINT64_MAX);
    check_close(h.min_ns, range_end_ns);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_empty_one_tells_0),
        cmocka_unit_test(one_value_is_every_quantile),
        cmocka_unit_test(values_up_to_255_are_told_exactly),
        cmocka_unit_test(every_value_of_the_range_is_told_within_8_in_1000),
        cmocka_unit_test(what_is_over_the_range_counts_in_the_last_bucket),
        cmocka_unit_test(quantiles_count_values_from_the_smallest),
        cmocka_unit_test(the_mean_is_of_the_values_not_of_the_buckets),
        cmocka_unit_test(two_add_up_to_the_one_of_all_values),
        cmocka_unit_test(taking_an_earlier_state_away_leaves_what_came_since),
        cmocka_unit_test(taking_everything_away_leaves_an_empty_one),
        cmocka_unit_test(the_end_of_what_is_left_stays_exact_where_it_is_known),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
