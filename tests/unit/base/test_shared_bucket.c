/* Shared bucket: how much it gives, what comes back, debts, and several threads that take at once. */
#include "base/shared_bucket.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <pthread.h>

enum { SECOND_US = 1000 * 1000 };

static const token_bucket_rate rate = {.per_second = 10, .burst = 50};

static void a_new_one_gives_its_burst(void **state)
{
    (void)state;
    shared_bucket b = {0};
    for (int i = 0; i < 50; i++)
        assert_true(shared_bucket_take(&b, rate, 1, 7));
    assert_false(shared_bucket_take(&b, rate, 1, 7));
    b = (shared_bucket){0};
    assert_false(shared_bucket_take(&b, rate, 51, 7));
    assert_true(shared_bucket_take(&b, rate, 50, 7)); /* what was refused has taken nothing */
}

static void tokens_come_back_at_the_rate_and_no_more_than_the_burst(void **state)
{
    (void)state;
    shared_bucket b = {0};
    uint64_t now_us = SECOND_US;
    assert_true(shared_bucket_take(&b, rate, 50, now_us));
    now_us += SECOND_US / 10 - 1;
    assert_false(shared_bucket_take(&b, rate, 1, now_us));
    now_us += 1;
    assert_true(shared_bucket_take(&b, rate, 1, now_us));
    assert_false(shared_bucket_take(&b, rate, 1, now_us));
    now_us += 3600ULL * SECOND_US;
    assert_true(shared_bucket_take(&b, rate, 50, now_us));
    assert_false(shared_bucket_take(&b, rate, 1, now_us));
}

static void an_earlier_time_gives_nothing_back(void **state)
{
    (void)state;
    shared_bucket b = {0};
    assert_true(shared_bucket_take(&b, rate, 50, 10 * SECOND_US));
    assert_false(shared_bucket_take(&b, rate, 1, 9 * SECOND_US));
    assert_true(shared_bucket_take(&b, rate, 10, 11 * SECOND_US));
    assert_false(shared_bucket_take(&b, rate, 1, 11 * SECOND_US));
}

static void large_numbers_are_counted_right(void **state)
{
    (void)state;
    shared_bucket b = {0};
    const token_bucket_rate bytes = {.per_second = 4 << 20, .burst = 64 << 20};
    uint64_t now_us = 40ULL * 365 * 24 * 3600 * SECOND_US; /* a machine that is up for forty years */
    assert_true(shared_bucket_take(&b, bytes, 64 << 20, now_us));
    assert_false(shared_bucket_take(&b, bytes, 8, now_us));
    now_us += SECOND_US;
    assert_true(shared_bucket_take(&b, bytes, 4 << 20, now_us));
    assert_false(shared_bucket_take(&b, bytes, 8, now_us));
}

static void a_rate_of_zero_is_no_limit(void **state)
{
    (void)state;
    shared_bucket b = {0};
    for (int i = 0; i < 3; i++) {
        assert_true(shared_bucket_take(&b, (token_bucket_rate){0}, UINT32_MAX, 1));
        assert_true(shared_bucket_charge(&b, (token_bucket_rate){0}, UINT32_MAX, 1));
    }
}

static void what_was_done_already_is_owed(void **state)
{
    (void)state;
    shared_bucket b = {0};
    assert_true(shared_bucket_charge(&b, rate, 45, 0));
    assert_false(shared_bucket_charge(&b, rate, 15, 0)); /* ten more than there are */
    assert_false(shared_bucket_take(&b, rate, 1, SECOND_US));
    assert_true(shared_bucket_take(&b, rate, 1, SECOND_US + SECOND_US / 10));

    /* It owes 50 at most, however much is charged: so it is as good as new after ten seconds. */
    for (int i = 0; i < 100; i++)
        (void)shared_bucket_charge(&b, rate, UINT32_MAX, 2 * SECOND_US);
    assert_false(shared_bucket_take(&b, rate, 1, 7 * SECOND_US));
    assert_true(shared_bucket_take(&b, rate, 50, 12 * SECOND_US));
}

/* ---- Threads ---- */

enum { THREADS = 4, TRIES = 20000 };

typedef struct taker {
    shared_bucket *bucket;
    int taken;
} taker;

static void *take_all(void *arg)
{
    taker *t = arg;
    for (int i = 0; i < TRIES; i++)
        t->taken += shared_bucket_take(t->bucket, (token_bucket_rate){1, 30000}, 1, 5);
    return NULL;
}

static void threads_together_get_what_one_would_get(void **state)
{
    (void)state;
    shared_bucket b = {0};
    taker takers[THREADS];
    pthread_t threads[THREADS];
    for (int i = 0; i < THREADS; i++) {
        takers[i] = (taker){.bucket = &b};
        assert_int_equal(pthread_create(&threads[i], NULL, take_all, &takers[i]), 0);
    }
    int taken = 0;
    for (int i = 0; i < THREADS; i++) {
        assert_int_equal(pthread_join(threads[i], NULL), 0);
        taken += takers[i].taken;
    }
    assert_int_equal(taken, 30000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_new_one_gives_its_burst),
        cmocka_unit_test(tokens_come_back_at_the_rate_and_no_more_than_the_burst),
        cmocka_unit_test(an_earlier_time_gives_nothing_back),
        cmocka_unit_test(large_numbers_are_counted_right),
        cmocka_unit_test(a_rate_of_zero_is_no_limit),
        cmocka_unit_test(what_was_done_already_is_owed),
        cmocka_unit_test(threads_together_get_what_one_would_get),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
