/* Numbers as people read them. */
#include "top/figure.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>

typedef struct expectation {
    double number;
    const char *text;
} expectation;

static void expect(figure (*make)(double), const expectation *rows, size_t count)
{
    for (size_t i = 0; i < count; i++)
        assert_string_equal(make(rows[i].number).text, rows[i].text);
}

#define EXPECT(make, ...)                              \
    expect((make), (const expectation[]){__VA_ARGS__}, \
           sizeof((const expectation[]){__VA_ARGS__}) / sizeof(expectation))

static void counts_are_whole_up_to_five_digits(void **state)
{
    (void)state;
    EXPECT(figure_count, {0, "0"}, {1, "1"}, {99999, "99999"}, {99999.5, "100k"}, {123456, "123k"},
           {999499, "999k"}, {999600, "1.0M"}, {1234567, "1.2M"}, {12345678, "12M"}, {1e9, "1.0G"},
           {1e15, "1000T"}, {18446744073709551615., "no limit"}, {INFINITY, "no limit"}, {NAN, "-"});
}

static void rates_have_a_decimal_while_they_are_small(void **state)
{
    (void)state;
    EXPECT(figure_rate, {0, "0"}, {0.04, "0.0"}, {0.5, "0.5"}, {99.94, "99.9"}, {99.95, "100"},
           {1234.5, "1234"}, {123456, "123k"}, {NAN, "-"});
}

static void bytes_go_by_1024(void **state)
{
    (void)state;
    EXPECT(figure_bytes, {0, "0B"}, {999, "999B"}, {1000, "1.0K"}, {1536, "1.5K"}, {34567, "34K"},
           {1048576, "1.0M"}, {268435456, "256M"}, {1e300, "1000000000000000000P"}, {NAN, "-"});
}

static void times_have_the_unit_that_fits(void **state)
{
    (void)state;
    EXPECT(figure_seconds, {0, "0us"}, {85e-6, "85us"}, {999.4e-6, "999us"}, {0.9996e-3, "1.0ms"},
           {1.23e-3, "1.2ms"}, {0.0123, "12ms"}, {0.9996, "1.0s"}, {12.3, "12s"}, {16777, "16777s"},
           {NAN, "-"});
}

static void ages_have_days_where_there_are_some(void **state)
{
    (void)state;
    EXPECT(figure_age, {0, "00:00:00"}, {3723.9, "01:02:03"}, {86399, "23:59:59"}, {93784, "1d 02:03:04"},
           {1e300, "11574074d 01:46:40"}, {NAN, "-"});
}

static void shares_are_whole_percents(void **state)
{
    (void)state;
    EXPECT(figure_share, {0, "0%"}, {0.954, "95%"}, {1, "100%"}, {1.42, "142%"}, {NAN, "-"});
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(counts_are_whole_up_to_five_digits),
        cmocka_unit_test(rates_have_a_decimal_while_they_are_small),
        cmocka_unit_test(bytes_go_by_1024),
        cmocka_unit_test(times_have_the_unit_that_fits),
        cmocka_unit_test(ages_have_days_where_there_are_some),
        cmocka_unit_test(shares_are_whole_percents),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
