/* When operations are due: nothing is forgiven, and what is random is so around its mean. */
#include "pacer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>

enum { START = 1000000 };

/* splitmix64, so that every run of the test draws the same. */
static uint64_t draw(uint64_t *state)
{
    uint64_t x = *state += UINT64_C(0x9E3779B97F4A7C15);
    x = (x ^ x >> 30) * UINT64_C(0xBF58476D1CE4E5B9);
    x = (x ^ x >> 27) * UINT64_C(0x94D049BB133111EB);
    return x ^ x >> 31;
}

static void in_a_closed_loop_the_next_is_due_at_once(void **state)
{
    (void)state;
    pacer p;
    pacer_init(&p, 0, false, START, 0);
    for (uint64_t now = START; now < START + 5; now++) {
        uint64_t due = 0;
        assert_true(pacer_take(&p, now, 0, &due));
        assert_int_equal(due, now);
        assert_int_equal(pacer_wait_ns(&p, now), 0);
    }
}

static void the_first_is_due_one_gap_after_the_begin(void **state)
{
    (void)state;
    pacer p;
    uint64_t due = 77;
    pacer_init(&p, 1e6, false, START, 0);
    assert_false(pacer_take(&p, START, 0, &due));
    assert_false(pacer_take(&p, START + 999, 0, &due));
    assert_int_equal(due, 77);
    assert_true(pacer_take(&p, START + 1000, 0, &due));
    assert_int_equal(due, START + 1000);
    assert_false(pacer_take(&p, START + 1000, 0, &due));
}

static void the_wait_is_until_the_next_one(void **state)
{
    (void)state;
    pacer p;
    pacer_init(&p, 1e6, false, START, 0);
    assert_int_equal(pacer_wait_ns(&p, START), 1000);
    assert_int_equal(pacer_wait_ns(&p, START + 999), 1);
    assert_int_equal(pacer_wait_ns(&p, START + 1000), 0);
    assert_int_equal(pacer_wait_ns(&p, START + 5000), 0);
}

static void what_is_overdue_keeps_its_time_however_late_it_is_taken(void **state)
{
    (void)state;
    pacer p;
    pacer_init(&p, 1e6, false, START, 0);
    uint64_t late = START + 1000 * 1000; /* a thousand are due */
    for (uint64_t i = 1; i <= 1000; i++) {
        uint64_t due = 0;
        assert_true(pacer_take(&p, late, 0, &due));
        assert_int_equal(due, START + 1000 * i);
    }
    uint64_t due;
    assert_false(pacer_take(&p, late, 0, &due));
    assert_int_equal(pacer_wait_ns(&p, late), 1000);
}

static void even_gaps_do_not_drift(void **state)
{
    (void)state;
    pacer p;
    pacer_init(&p, 3, false, 0, 0); /* 333,333,333.3… ns */
    uint64_t due = 0;
    for (int i = 0; i < 3000; i++)
        assert_true(pacer_take(&p, UINT64_MAX, 0, &due));
    assert_in_range(due, UINT64_C(1000000000000) - 1000, UINT64_C(1000000000000) + 1000);
}

static void exponential_times_are_positive_and_finite_at_both_ends(void **state)
{
    (void)state;
    static const uint64_t ends[] = {0, 1, UINT64_C(1) << 63, UINT64_MAX - 1, UINT64_MAX};
    for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
        double time = pacer_exponential(1000, ends[i]);
        assert_true(time > 0 && time < 1000 * 40 && isfinite(time));
    }
    assert_true(pacer_exponential(0, 5) == 0);
}

/* Mean, spread and tail of an exponential distribution: m, m, and a share of 1/e above m. */
static void exponential_times_have_their_distribution(void **state)
{
    (void)state;
    enum { DRAWS = 200000 };
    const double mean = 5000;
    double sum = 0;
    double squares = 0;
    int above_mean = 0;
    uint64_t seed = 1;
    for (int i = 0; i < DRAWS; i++) {
        double time = pacer_exponential(mean, draw(&seed));
        sum += time;
        squares += time * time;
        above_mean += time > mean;
    }
    double found = sum / DRAWS;
    double spread = sqrt(squares / DRAWS - found * found);
    assert_true(fabs(found - mean) < 0.02 * mean);
    assert_true(fabs(spread - mean) < 0.03 * mean);
    assert_true(fabs((double)above_mean / DRAWS - exp(-1)) < 0.01);
}

static void poisson_arrivals_come_at_their_rate(void **state)
{
    (void)state;
    enum { ARRIVALS = 100000 };
    pacer p;
    uint64_t seed = 2;
    pacer_init(&p, 1000, true, START, draw(&seed));
    uint64_t last = START;
    int uneven = 0;
    for (int i = 0; i < ARRIVALS; i++) {
        uint64_t due = 0;
        assert_true(pacer_take(&p, UINT64_MAX, draw(&seed), &due));
        assert_true(due >= last);
        uneven += due - last < 500000 || due - last > 1500000;
        last = due;
    }
    double seconds = (double)(last - START) / 1e9;
    assert_true(fabs(seconds - 100) < 2);
    assert_true(uneven > ARRIVALS / 2);
}

static void poisson_arrivals_wait_for_their_time_as_well(void **state)
{
    (void)state;
    pacer p;
    uint64_t due;
    pacer_init(&p, 1000, true, START, 12345);
    uint64_t wait = pacer_wait_ns(&p, START);
    assert_true(wait > 1);
    assert_false(pacer_take(&p, START + wait - 1, 1, &due));
    assert_true(pacer_take(&p, START + wait + 1, 1, &due));
    assert_in_range(due, START + wait, START + wait + 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(in_a_closed_loop_the_next_is_due_at_once),
        cmocka_unit_test(the_first_is_due_one_gap_after_the_begin),
        cmocka_unit_test(the_wait_is_until_the_next_one),
        cmocka_unit_test(what_is_overdue_keeps_its_time_however_late_it_is_taken),
        cmocka_unit_test(even_gaps_do_not_drift),
        cmocka_unit_test(exponential_times_are_positive_and_finite_at_both_ends),
        cmocka_unit_test(exponential_times_have_their_distribution),
        cmocka_unit_test(poisson_arrivals_come_at_their_rate),
        cmocka_unit_test(poisson_arrivals_wait_for_their_time_as_well),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
