/* Numbers as people read them, at the borders between units and between counts of digits. */
#include "report/figure.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <float.h>
#include <string.h>

static void counts_have_commas(void **state)
{
    (void)state;
    assert_string_equal(figure_count(0).text, "0");
    assert_string_equal(figure_count(999).text, "999");
    assert_string_equal(figure_count(1000).text, "1,000");
    assert_string_equal(figure_count(1234567).text, "1,234,567");
    assert_string_equal(figure_count(UINT64_MAX).text, "18,446,744,073,709,551,615");
}

static void numbers_have_three_digits_that_count(void **state)
{
    (void)state;
    assert_string_equal(figure_number(0).text, "0");
    assert_string_equal(figure_number(0.0123).text, "0.012");
    assert_string_equal(figure_number(1).text, "1.00");
    assert_string_equal(figure_number(9.994).text, "9.99");
    assert_string_equal(figure_number(9.996).text, "10.0");
    assert_string_equal(figure_number(99.96).text, "100");
    assert_string_equal(figure_number(1234.5678).text, "1,235");
    assert_string_equal(figure_number(-1234.5678).text, "-1,235");
    assert_string_equal(figure_number(-123).text, "-123");
}

static void durations_take_the_unit_that_fits(void **state)
{
    (void)state;
    assert_string_equal(figure_duration(0).text, "0 ns");
    assert_string_equal(figure_duration(999).text, "999 ns");
    assert_string_equal(figure_duration(999.7).text, "1.00 µs");
    assert_string_equal(figure_duration(1500).text, "1.50 µs");
    assert_string_equal(figure_duration(12.3e6).text, "12.3 ms");
    assert_string_equal(figure_duration(5e9).text, "5.00 s");
    assert_string_equal(figure_duration(3600e9).text, "3,600 s");
}

static void bytes_take_binary_units_and_may_be_negative(void **state)
{
    (void)state;
    assert_string_equal(figure_bytes(0).text, "0 B");
    assert_string_equal(figure_bytes(1000).text, "1,000 B");
    assert_string_equal(figure_bytes(1536).text, "1.50 KiB");
    assert_string_equal(figure_bytes(-1536).text, "-1.50 KiB");
    assert_string_equal(figure_bytes(12.0 * 1024 * 1024).text, "12.0 MiB");
    assert_string_equal(figure_bytes(2.0 * 1024 * 1024 * 1024).text, "2.00 GiB");
}

static void shares_are_percents(void **state)
{
    (void)state;
    assert_string_equal(figure_share(0.123).text, "12.3 %");
    assert_string_equal(figure_share(1.5).text, "150 %");
}

static void what_does_not_fit_is_cut(void **state)
{
    (void)state;
    assert_in_range(strlen(figure_number(DBL_MAX).text), 1, sizeof(figure) - 1);
    assert_in_range(strlen(figure_duration(DBL_MAX).text), 1, sizeof(figure) - 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(counts_have_commas),
        cmocka_unit_test(numbers_have_three_digits_that_count),
        cmocka_unit_test(durations_take_the_unit_that_fits),
        cmocka_unit_test(bytes_take_binary_units_and_may_be_negative),
        cmocka_unit_test(shares_are_percents),
        cmocka_unit_test(what_does_not_fit_is_cut),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
