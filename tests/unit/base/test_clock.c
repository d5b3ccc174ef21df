/* The clocks against the system's own, read before and after: no test here waits for time to pass. */
#include "base/clock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <time.h>

static uint64_t read_system_ms(clockid_t id)
{
    struct timespec now;
    assert_int_equal(clock_gettime(id, &now), 0);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static void the_monotonic_clock_is_in_milliseconds(void **state)
{
    (void)state;
    uint64_t before = read_system_ms(CLOCK_MONOTONIC);
    uint64_t now = clock_monotonic_ms();
    uint64_t after = read_system_ms(CLOCK_MONOTONIC);
    assert_in_range(now, before, after);
}

static void the_monotonic_clock_never_goes_back(void **state)
{
    (void)state;
    uint64_t last = clock_monotonic_ms();
    for (int i = 0; i < 20000; i++) {
        uint64_t now = clock_monotonic_ms();
        assert_true(now >= last);
        last = now;
    }
}

static void the_calendar_counts_milliseconds_since_1970(void **state)
{
    (void)state;
    uint64_t before = read_system_ms(CLOCK_REALTIME);
    uint64_t now = clock_utc_ms();
    uint64_t after = read_system_ms(CLOCK_REALTIME);
    if (before <= after) /* unless somebody set the clock back just now */
        assert_in_range(now, before, after);
    assert_true(now > 1600000000000); /* 2020 */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_monotonic_clock_is_in_milliseconds),
        cmocka_unit_test(the_monotonic_clock_never_goes_back),
        cmocka_unit_test(the_calendar_counts_milliseconds_since_1970),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
