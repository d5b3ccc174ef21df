/* How often the bucket lets something happen, with the time told by the test. */
#include "base/token_bucket.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

/* How many tokens can be taken at `now_ms`, up to `most`. */
static unsigned drain(token_bucket *bucket, token_bucket_rate rate, uint64_t now_ms, unsigned most)
{
    unsigned taken = 0;
    while (taken < most && token_bucket_take(bucket, rate, now_ms))
        taken++;
    return taken;
}

static void a_zeroed_bucket_is_full(void **state)
{
    (void)state;
    static const uint64_t times[] = {0, 1, 999, 5000000000, UINT64_MAX};
    for (size_t i = 0; i < sizeof(times) / sizeof(times[0]); i++) {
        token_bucket bucket = {0};
        assert_int_equal(drain(&bucket, (token_bucket_rate){1, 5}, times[i], 100), 5);
    }
}

static void a_rate_of_zero_is_no_limit(void **state)
{
    (void)state;
    token_bucket bucket = {0};
    assert_int_equal(drain(&bucket, (token_bucket_rate){0, 1}, 0, 100000), 100000);
}

static void the_smallest_burst_lets_one_through_at_a_time(void **state)
{
    (void)state;
    token_bucket bucket = {0};
    token_bucket_rate rate = {1, 1};
    assert_true(token_bucket_take(&bucket, rate, 10));
    assert_false(token_bucket_take(&bucket, rate, 10));
    assert_false(token_bucket_take(&bucket, rate, 1009));
    assert_true(token_bucket_take(&bucket, rate, 1010));
    assert_false(token_bucket_take(&bucket, rate, 1010));
}

static void a_token_comes_back_after_its_share_of_a_second(void **state)
{
    (void)state;
    token_bucket bucket = {0};
    token_bucket_rate rate = {3, 4};
    assert_int_equal(drain(&bucket, rate, 0, 100), 4);
    assert_false(token_bucket_take(&bucket, rate, 333));
    assert_true(token_bucket_take(&bucket, rate, 334));
    assert_false(token_bucket_take(&bucket, rate, 334));
}

static void refused_attempts_neither_cost_nor_lose_a_part_of_a_token(void **state)
{
    (void)state;
    token_bucket bucket = {0};
    token_bucket_rate rate = {2, 1};
    unsigned taken = 0;
    for (uint64_t now_ms = 0; now_ms < 10000; now_ms++)
        taken += token_bucket_take(&bucket, rate, now_ms) ? 1 : 0;
    assert_int_equal(taken, 20); /* at 0, 500, 1000 … 9500 */
}

static void a_long_pause_fills_the_bucket_and_no_more(void **state)
{
    (void)state;
    token_bucket bucket = {0};
    token_bucket_rate rate = {50, 7};
    assert_int_equal(drain(&bucket, rate, 1000, 100), 7);
    assert_int_equal(drain(&bucket, rate, 1000 + 20 * 86400000ull, 100), 7);
    assert_int_equal(drain(&bucket, rate, 1000 + 20 * 86400000ull + 40, 100), 2);
}

static void the_wrap_of_the_kept_time_goes_unnoticed(void **state)
{
    (void)state;
    token_bucket bucket = {0};
    token_bucket_rate rate = {1, 2};
    uint64_t start_ms = UINT32_MAX - 499ull;
    assert_int_equal(drain(&bucket, rate, start_ms, 100), 2);
    assert_false(token_bucket_take(&bucket, rate, start_ms + 999));
    assert_true(token_bucket_take(&bucket, rate, start_ms + 1000));
    assert_false(token_bucket_take(&bucket, rate, start_ms + 1000));
}

/* Each thread reads its time once a turn, so behind a hand-over the time may lie some ms before the last. */
static void a_time_before_the_last_one_brings_nothing_back(void **state)
{
    (void)state;
    token_bucket bucket = {0};
    token_bucket_rate rate = {1000, 10000};
    assert_int_equal(drain(&bucket, rate, 5000, 20000), 10000);
    assert_false(token_bucket_take(&bucket, rate, 5000));
    assert_false(token_bucket_take(&bucket, rate, 4999));
    assert_false(token_bucket_take(&bucket, rate, 4000));
    assert_false(token_bucket_take(&bucket, rate, 5000));
    assert_true(token_bucket_take(&bucket, rate, 5001));
}

static void a_time_that_goes_to_and_fro_brings_back_no_more_than_has_passed(void **state)
{
    (void)state;
    token_bucket bucket = {0};
    token_bucket_rate rate = {100, 10};
    assert_int_equal(drain(&bucket, rate, 7000, 100), 10);
    unsigned taken = 0;
    for (uint64_t now_ms = 7000; now_ms < 8000; now_ms++) {
        taken += token_bucket_take(&bucket, rate, now_ms) ? 1 : 0;
        taken += token_bucket_take(&bucket, rate, now_ms - 30) ? 1 : 0;
    }
    assert_in_range(taken, 98, 100); /* of 999 ms */
}

static void time_goes_back_over_the_wrap_as_well(void **state)
{
    (void)state;
    token_bucket bucket = {0};
    token_bucket_rate rate = {1, 3};
    uint64_t wrap_ms = UINT32_MAX + 1ull;
    assert_int_equal(drain(&bucket, rate, wrap_ms + 5, 100), 3);
    assert_false(token_bucket_take(&bucket, rate, wrap_ms - 5));
    assert_false(token_bucket_take(&bucket, rate, wrap_ms + 1004));
    assert_true(token_bucket_take(&bucket, rate, wrap_ms + 1005));
}

/* A machine that has run for 49 days looks, in 32 bits, as if it had just been started or were about to be.
 */
static void a_bucket_works_at_any_age_of_the_machine(void **state)
{
    (void)state;
    token_bucket_rate rate = {1, 2};
    static const uint64_t times[] = {1, UINT32_MAX - 59999ull, UINT32_MAX - 2000ull, UINT32_MAX,
                                     UINT32_MAX + 1ull};
    for (size_t i = 0; i < sizeof(times) / sizeof(times[0]); i++) {
        token_bucket bucket = {0};
        assert_int_equal(drain(&bucket, rate, times[i], 100), 2);
        assert_int_equal(drain(&bucket, rate, times[i] + 1000, 100), 1);
    }
}

/* Also one of more than 24 days, which a signed difference of 32 bits would take for a step back. */
static void a_pause_of_weeks_fills_the_bucket(void **state)
{
    (void)state;
    token_bucket_rate rate = {1, 7};
    for (uint64_t days = 1; days < 50; days++) {
        token_bucket bucket = {0};
        assert_int_equal(drain(&bucket, rate, 77, 100), 7);
        assert_int_equal(drain(&bucket, rate, 77 + days * 86400000, 100), 7);
    }
}

static void a_bucket_stays_small(void **state)
{
    (void)state;
    assert_int_equal(sizeof(token_bucket), 8); /* each connection has three */
}

static void a_large_burst_and_rate_do_not_overflow(void **state)
{
    (void)state;
    token_bucket bucket = {0};
    token_bucket_rate rate = {UINT32_MAX, 1000000};
    assert_int_equal(drain(&bucket, rate, 0, 2000000), 1000000);
    assert_int_equal(drain(&bucket, rate, UINT32_MAX / 2, 2000000), 1000000);
}

static void looking_takes_nothing(void **state)
{
    (void)state;
    token_bucket bucket = {0};
    token_bucket_rate rate = {1, 1};
    for (int i = 0; i < 10; i++)
        assert_true(token_bucket_has(&bucket, rate, 10));
    assert_true(token_bucket_take(&bucket, rate, 10));
    assert_false(token_bucket_has(&bucket, rate, 1009));
    assert_true(token_bucket_has(&bucket, rate, 1010));
    assert_false(token_bucket_has(&bucket, rate, 1009));
    assert_true(token_bucket_take(&bucket, rate, 1010));
}

/* A take at the time of the last one has a short way of its own. It must do what the long way does. */
static void a_second_take_at_the_same_time_does_what_the_first_way_does(void **state)
{
    (void)state;
    static const token_bucket_rate rates[] = {{0, 1},   {1, 1},       {50, 7},
                                              {3, 100}, {0, 4294967}, {1000, 4294967}};
    static const uint32_t spent[] = {0, 1, 999, 1000, 1001, 6000, 6001, 4294966000, 4294966001, 4294967000};
    for (size_t r = 0; r < sizeof(rates) / sizeof(rates[0]); r++) {
        for (size_t i = 0; i < sizeof(spent) / sizeof(spent[0]); i++) {
            token_bucket one = {.millitokens_spent = spent[i], .updated_ms = 77};
            token_bucket other = one;
            for (int take = 0; take < 9; take++) {
                bool was_taken = token_bucket_take(&one, rates[r], 77);
                assert_int_equal(was_taken, token_bucket_refill_and_take(&other, rates[r], 77));
                assert_memory_equal(&one, &other, sizeof(one));
            }
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_second_take_at_the_same_time_does_what_the_first_way_does),
        cmocka_unit_test(a_zeroed_bucket_is_full),
        cmocka_unit_test(looking_takes_nothing),
        cmocka_unit_test(a_rate_of_zero_is_no_limit),
        cmocka_unit_test(the_smallest_burst_lets_one_through_at_a_time),
        cmocka_unit_test(a_token_comes_back_after_its_share_of_a_second),
        cmocka_unit_test(refused_attempts_neither_cost_nor_lose_a_part_of_a_token),
        cmocka_unit_test(a_long_pause_fills_the_bucket_and_no_more),
        cmocka_unit_test(the_wrap_of_the_kept_time_goes_unnoticed),
        cmocka_unit_test(a_time_before_the_last_one_brings_nothing_back),
        cmocka_unit_test(a_time_that_goes_to_and_fro_brings_back_no_more_than_has_passed),
        cmocka_unit_test(time_goes_back_over_the_wrap_as_well),
        cmocka_unit_test(a_bucket_works_at_any_age_of_the_machine),
        cmocka_unit_test(a_pause_of_weeks_fills_the_bucket),
        cmocka_unit_test(a_bucket_stays_small),
        cmocka_unit_test(a_large_burst_and_rate_do_not_overflow),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
