#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/counter_histogram.h"

static void a_value_is_not_over_the_bound_of_its_bucket_and_over_the_one_before(void **state)
{
    (void)state;
    for (uint64_t value = 0; value <= counter_histogram_bound(HISTOGRAM_BOUNDS - 1);
         value += 1 + value / 1000) {
        int bucket = counter_histogram_bucket(value);
        assert_in_range(bucket, 0, HISTOGRAM_BOUNDS - 1);
        assert_true(value <= counter_histogram_bound(bucket));
        assert_true(bucket == 0 || value > counter_histogram_bound(bucket - 1));
    }
}

static void bounds_belong_to_their_own_bucket(void **state)
{
    (void)state;
    for (int i = 0; i < HISTOGRAM_BOUNDS; i++) {
        assert_int_equal(counter_histogram_bucket(counter_histogram_bound(i)), i);
        assert_int_equal(counter_histogram_bucket(counter_histogram_bound(i) + 1), i + 1);
    }
}

static void what_is_above_every_bound_is_in_the_last_bucket(void **state)
{
    (void)state;
    assert_int_equal(counter_histogram_bucket(UINT64_MAX), HISTOGRAM_BOUNDS);
    assert_int_equal(counter_histogram_bucket(UINT64_C(1) << 63), HISTOGRAM_BOUNDS);
}

static void values_are_counted_and_summed(void **state)
{
    (void)state;
    counter_histogram h = {0};
    counter_histogram_add(&h, 0, 1);
    counter_histogram_add(&h, 3, 5);
    counter_histogram_add(&h, 4, 2);
    assert_int_equal(counter_get(&h.buckets[0]), 1);
    assert_int_equal(counter_get(&h.buckets[1]), 0);
    assert_int_equal(counter_get(&h.buckets[2]), 7);
    assert_int_equal(counter_get(&h.sum), 3 * 5 + 4 * 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_value_is_not_over_the_bound_of_its_bucket_and_over_the_one_before),
        cmocka_unit_test(bounds_belong_to_their_own_bucket),
        cmocka_unit_test(what_is_above_every_bound_is_in_the_last_bucket),
        cmocka_unit_test(values_are_counted_and_summed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
