/* The progress line, on a terminal and elsewhere. */
#include "report/progress.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

static char *text; /* what `out` has been written */
static size_t len;
static FILE *out;

static int open_out(void **state)
{
    (void)state;
    out = open_memstream(&text, &len);
    return out == NULL ? -1 : 0;
}

static int close_out(void **state)
{
    (void)state;
    fclose(out);
    free(text);
    return 0;
}

static progress_state half_way(void)
{
    return (progress_state){
        .phase = "measuring",
        .done = 0.5,
        .seconds_left = 5,
        .operations = 12345,
        .per_second = 2469.1,
        .open_connections = 100,
    };
}

static void a_plain_line_says_everything(void **state)
{
    (void)state;
    progress p;
    progress_init(&p, out, "call", false);
    assert_false(p.is_terminal);
    progress_state s = half_way();
    s.retries = 3;
    progress_show(&p, &s, 1);
    assert_string_equal(text,
                        "measuring   50 % 2,469 calls/s, 12,345 in all, 100 open, 3 retries, 5 s left\n");
    progress_end(&p);
    assert_int_equal(len, strlen(text));
    assert_null(strchr(text, '\r'));
}

static void what_there_is_not_is_not_said(void **state)
{
    (void)state;
    progress p;
    progress_init(&p, out, "call", false);
    progress_state s = half_way();
    s.seconds_left = -1;
    progress_show(&p, &s, 1);
    assert_string_equal(text, "measuring   50 % 2,469 calls/s, 12,345 in all, 100 open\n");
}

static void a_long_time_is_told_in_minutes(void **state)
{
    (void)state;
    progress p;
    progress_init(&p, out, "call", false);
    progress_state s = half_way();
    s.seconds_left = 600;
    progress_show(&p, &s, 1);
    assert_non_null(strstr(text, ", 10 min left\n"));
}

static void a_plain_line_comes_once_in_two_seconds(void **state)
{
    (void)state;
    progress p;
    progress_init(&p, out, "call", false);
    progress_state s = half_way();
    progress_show(&p, &s, 1000);
    size_t one = len;
    assert_true(one > 0);
    progress_show(&p, &s, 2999);
    assert_int_equal(len, one);
    progress_show(&p, &s, 3000);
    assert_int_equal(len, 2 * one);
}

static void quiet_writes_nothing(void **state)
{
    (void)state;
    progress p;
    progress_init(&p, out, "call", true);
    progress_state s = half_way();
    progress_show(&p, &s, 1);
    progress_end(&p);
    assert_int_equal(fflush(out), 0);
    assert_int_equal(len, 0);
}

static void a_share_out_of_bounds_is_brought_within(void **state)
{
    (void)state;
    progress p;
    progress_init(&p, out, "call", false);
    p.is_terminal = true;
    progress_state s = half_way();
    s.done = 1.5;
    progress_show(&p, &s, 1000);
    assert_non_null(strstr(text, "100 % [####################] "));
    s.done = -1;
    progress_show(&p, &s, 2000);
    assert_non_null(strstr(text, "  0 % [....................] "));
}

static void a_line_on_a_terminal_is_written_over_ten_times_a_second(void **state)
{
    (void)state;
    progress p;
    progress_init(&p, out, "call", false);
    p.is_terminal = true;
    progress_state s = half_way();
    progress_show(&p, &s, 1000);
    const char *line = "\rmeasuring   50 % [##########..........] 2,469 calls/s, 12,345 in all, 100 open, 5 ";
    assert_int_equal(strncmp(text, line, 60), 0);
    size_t one = len;
    progress_show(&p, &s, 1099);
    assert_int_equal(len, one);
    progress_show(&p, &s, 1100);
    assert_int_equal(len, 2 * one);
    assert_null(strchr(text, '\n'));
}

static void a_shorter_line_wipes_the_longer_one(void **state)
{
    (void)state;
    progress p;
    progress_init(&p, out, "x", false);
    p.is_terminal = true;
    progress_state s = {.phase = "connecting", .operations = 100000, .seconds_left = -1};
    progress_show(&p, &s, 1000);
    size_t longer = len;
    s.operations = 1;
    progress_show(&p, &s, 2000);
    assert_int_equal(len, 2 * longer);
    assert_string_equal(text + len - 6, "      "); /* where "00,000" stood */
    size_t before = len;
    int width = p.width;
    progress_end(&p);
    assert_int_equal(len, before + (size_t)width + 2);
    progress_end(&p); /* once is enough */
    assert_int_equal(len, before + (size_t)width + 2);
}

static void a_narrow_terminal_gets_a_line_that_does_not_wrap(void **state)
{
    (void)state;
    int master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
    assert_true(master >= 0);
    assert_int_equal(grantpt(master), 0);
    assert_int_equal(unlockpt(master), 0);
    struct winsize size = {.ws_row = 24, .ws_col = 30};
    assert_int_equal(ioctl(master, TIOCSWINSZ, &size), 0);
    int slave = open(ptsname(master), O_RDWR | O_NOCTTY | O_CLOEXEC);
    assert_true(slave >= 0);
    FILE *terminal = fdopen(slave, "w");
    assert_non_null(terminal);

    progress p;
    progress_init(&p, terminal, "call", false);
    assert_true(p.is_terminal);
    progress_state s = half_way();
    progress_show(&p, &s, 1);
    char seen[100];
    assert_int_equal(read(master, seen, sizeof(seen)), 30);
    assert_memory_equal(seen, "\rmeasuring   50 % [##########..", 30);
    fclose(terminal);
    close(master);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_plain_line_says_everything, open_out, close_out),
        cmocka_unit_test_setup_teardown(what_there_is_not_is_not_said, open_out, close_out),
        cmocka_unit_test_setup_teardown(a_long_time_is_told_in_minutes, open_out, close_out),
        cmocka_unit_test_setup_teardown(a_plain_line_comes_once_in_two_seconds, open_out, close_out),
        cmocka_unit_test_setup_teardown(quiet_writes_nothing, open_out, close_out),
        cmocka_unit_test_setup_teardown(a_share_out_of_bounds_is_brought_within, open_out, close_out),
        cmocka_unit_test_setup_teardown(a_line_on_a_terminal_is_written_over_ten_times_a_second, open_out,
                                        close_out),
        cmocka_unit_test_setup_teardown(a_shorter_line_wipes_the_longer_one, open_out, close_out),
        cmocka_unit_test(a_narrow_terminal_gets_a_line_that_does_not_wrap),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
