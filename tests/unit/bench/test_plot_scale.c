/* Axes: their ends and ticks are round, and values lie where they belong. */
#include "report/plot_scale.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>

static void check_near(double a, double b)
{
    if (fabs(a - b) > 1e-9 * fmax(1, fabs(b)))
        fail_msg("%.12g is not %.12g", a, b);
}

/* The ticks are these; NAN ends them. */
static void check_ticks(const plot_scale *scale, const double *ticks)
{
    size_t count = 0;
    for (; !isnan(ticks[count]); count++) {
        assert_true(count < scale->tick_count);
        check_near(scale->ticks[count], ticks[count]);
    }
    assert_int_equal(scale->tick_count, count);
}

static plot_scale fit(plot_scale_kind kind, double low, double high)
{
    plot_scale scale;
    plot_scale_fit(&scale, kind, low, high, false);
    return scale;
}

static void a_linear_axis_goes_from_0_to_a_round_number(void **state)
{
    (void)state;
    plot_scale scale = fit(PLOT_LINEAR, 77, 102);
    check_ticks(&scale, (const double[]){0, 20, 40, 60, 80, 100, 120, NAN});
    check_near(scale.high, 120);
    scale = fit(PLOT_LINEAR, 0, 0.03);
    check_ticks(&scale, (const double[]){0, 0.005, 0.01, 0.015, 0.02, 0.025, 0.03, NAN});
    scale = fit(PLOT_LINEAR, 0, 1e9);
    check_ticks(&scale, (const double[]){0, 2e8, 4e8, 6e8, 8e8, 1e9, NAN});
}

static void an_axis_without_values_over_0_is_still_one(void **state)
{
    (void)state;
    plot_scale scale = fit(PLOT_LINEAR, 0, 0);
    check_near(plot_scale_place(&scale, 0), 0);
    check_near(scale.high, 1);
    scale = fit(PLOT_BINARY, 0, 0);
    assert_true(scale.tick_count > 1);
}

static void a_tight_axis_ends_at_its_last_value(void **state)
{
    (void)state;
    plot_scale scale;
    plot_scale_fit(&scale, PLOT_LINEAR, 0, 57.5, true);
    check_ticks(&scale, (const double[]){0, 10, 20, 30, 40, 50, NAN});
    check_near(scale.high, 57.5);
    check_near(plot_scale_place(&scale, 57.5), 1);
    plot_scale_fit(&scale, PLOT_LINEAR, 0, 60, true);
    check_ticks(&scale, (const double[]){0, 10, 20, 30, 40, 50, 60, NAN});
}

static void a_binary_axis_has_steps_of_powers_of_two(void **state)
{
    (void)state;
    plot_scale scale = fit(PLOT_BINARY, 0, 14 << 20);
    check_ticks(&scale, (const double[]){0, 4 << 20, 8 << 20, 12 << 20, 16 << 20, NAN});
}

static void a_short_log_axis_has_ticks_at_1_2_and_5(void **state)
{
    (void)state;
    plot_scale scale = fit(PLOT_LOG, 95e3, 440e3);
    check_ticks(&scale, (const double[]){50e3, 100e3, 200e3, 500e3, NAN});
    check_near(plot_scale_place(&scale, 50e3), 0);
    check_near(plot_scale_place(&scale, 500e3), 1);
    check_near(plot_scale_place(&scale, sqrt(50e3 * 500e3)), 0.5);
}

static void a_long_log_axis_has_ticks_at_its_decades(void **state)
{
    (void)state;
    plot_scale scale = fit(PLOT_LOG, 15e3, 15e6);
    check_ticks(&scale, (const double[]){1e4, 1e5, 1e6, 1e7, NAN});
    scale = fit(PLOT_LOG, 1e-3, 1e30);
    assert_in_range(scale.tick_count, 4, 9);
}

static void a_log_axis_of_one_value_has_it_in_sight(void **state)
{
    (void)state;
    const double values[] = {1, 1000, 1234, 5e-7, 1e15};
    for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
        plot_scale scale = fit(PLOT_LOG, values[i], values[i]);
        double place = plot_scale_place(&scale, values[i]);
        assert_true(place > 0 && place < 1);
        assert_true(scale.tick_count >= 2);
    }
}

static void each_nine_of_a_percentile_takes_the_same_room(void **state)
{
    (void)state;
    plot_scale scale = fit(PLOT_PERCENTILE, 0, 0.9999);
    check_ticks(&scale, (const double[]){0, 0.5, 0.9, 0.99, 0.999, 0.9999, NAN});
    check_near(plot_scale_place(&scale, 0), 0);
    check_near(plot_scale_place(&scale, 0.9), 0.25);
    check_near(plot_scale_place(&scale, 0.99), 0.5);
    check_near(plot_scale_place(&scale, 0.9999), 1);
}

static void a_percentile_axis_has_at_least_one_nine_and_at_most_six(void **state)
{
    (void)state;
    plot_scale scale = fit(PLOT_PERCENTILE, 0, 0);
    check_ticks(&scale, (const double[]){0, 0.5, 0.9, NAN});
    scale = fit(PLOT_PERCENTILE, 0, 1);
    assert_int_equal(scale.tick_count, 8);
    check_near(plot_scale_place(&scale, 1), 1);
}

static void what_is_off_the_axis_lies_at_its_end(void **state)
{
    (void)state;
    plot_scale scale = fit(PLOT_LINEAR, 0, 10);
    check_near(plot_scale_place(&scale, -1), 0);
    check_near(plot_scale_place(&scale, 1e6), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_linear_axis_goes_from_0_to_a_round_number),
        cmocka_unit_test(an_axis_without_values_over_0_is_still_one),
        cmocka_unit_test(a_tight_axis_ends_at_its_last_value),
        cmocka_unit_test(a_binary_axis_has_steps_of_powers_of_two),
        cmocka_unit_test(a_short_log_axis_has_ticks_at_1_2_and_5),
        cmocka_unit_test(a_long_log_axis_has_ticks_at_its_decades),
        cmocka_unit_test(a_log_axis_of_one_value_has_it_in_sight),
        cmocka_unit_test(each_nine_of_a_percentile_takes_the_same_room),
        cmocka_unit_test(a_percentile_axis_has_at_least_one_nine_and_at_most_six),
        cmocka_unit_test(what_is_off_the_axis_lies_at_its_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
