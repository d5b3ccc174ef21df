/* What libevent says, and its end of the process, in a child. */
#include "app/libevent_log.h"

#include "homecall/signal_log.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <event2/event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* In the child: a call that libevent ends a process for. */
static void fail_in_libevent(int standard_error, const char *log_file)
{
    dup2(standard_error, STDERR_FILENO);
    const signal_log_options options = {
        .size = sizeof(signal_log_options), .file = log_file, .level = SIGNAL_LOG_INFO};
    if (signal_log_start(&options) != 0)
        _exit(99);
    libevent_log_start();
    event_enable_debug_mode();
    event_enable_debug_mode(); /* "was called twice!" */
    _exit(98);
}

static void expect_in_file(const char *path, const char *wanted)
{
    char text[4096] = {0};
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    assert_true(fread(text, 1, sizeof(text) - 1, file) > 0);
    fclose(file);
    assert_non_null(strstr(text, wanted));
}

static void an_end_by_libevent_is_told_on_standard_error_and_in_the_log(void **state)
{
    (void)state;
    char path[] = "/tmp/test_libevent_log.XXXXXX";
    int file = mkstemp(path);
    int ends[2];
    assert_true(file >= 0);
    assert_int_equal(pipe(ends), 0);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0)
        fail_in_libevent(ends[1], path);
    close(ends[1]);
    char text[512] = {0};
    assert_true(read(ends[0], text, sizeof(text) - 1) > 0);
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 1);
    assert_non_null(
        strstr(text, "homecall-signal: libevent can't go on: event_enable_debug_mode was called twice!"));
    expect_in_file(path, "[ERROR] [libevent] message text=\"event_enable_debug_mode was called twice!\"");
    close(ends[0]);
    close(file);
    unlink(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_end_by_libevent_is_told_on_standard_error_and_in_the_log),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
