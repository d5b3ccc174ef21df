/* The signals of the process, and a pipe that does not take them at once: the linker puts __wrap_write() in
 * the place of write() for the files of the project. */
#include "app/signal_watch.h"

#include <errno.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <unistd.h>

#include <cmocka.h>

ssize_t __real_write(int fd, const void *data, size_t len);
ssize_t __wrap_write(int fd, const void *data, size_t len);

static _Atomic int failures_left;
static _Atomic int error_of_failures;

ssize_t __wrap_write(int fd, const void *data, size_t len)
{
    if (atomic_load(&failures_left) == 0)
        return __real_write(fd, data, len);
    atomic_fetch_sub(&failures_left, 1);
    errno = atomic_load(&error_of_failures);
    return -1;
}

static void on_overdue(void)
{
}

/* The next signal; 0 when none comes for some seconds. */
static int await_signal(signal_watch *w)
{
    enum { PATIENCE_MS = 5000 };
    struct pollfd pipe = {.fd = w->fds[0], .events = POLLIN};
    return poll(&pipe, 1, PATIENCE_MS) == 1 ? signal_watch_take(w) : 0;
}

static void expect_signal_after(int failures, int error)
{
    signal_watch w;
    atomic_store(&failures_left, failures);
    atomic_store(&error_of_failures, error);
    assert_int_equal(signal_watch_start(&w, 1000, on_overdue), 0);
    assert_int_equal(kill(getpid(), SIGHUP), 0);
    assert_int_equal(await_signal(&w), SIGHUP);
    assert_int_equal(atomic_load(&failures_left), 0);
    assert_int_equal(signal_watch_take(&w), 0);
    signal_watch_stop(&w);
}

static void a_signal_is_passed_on(void **state)
{
    (void)state;
    expect_signal_after(0, 0);
}

/* The kernel takes a page for a pipe that was empty. */
static void a_signal_is_passed_on_although_there_was_no_memory_for_it(void **state)
{
    (void)state;
    expect_signal_after(3, ENOMEM);
}

static void a_signal_is_passed_on_although_the_write_was_interrupted(void **state)
{
    (void)state;
    expect_signal_after(1, EINTR);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_signal_is_passed_on),
        cmocka_unit_test(a_signal_is_passed_on_although_there_was_no_memory_for_it),
        cmocka_unit_test(a_signal_is_passed_on_although_the_write_was_interrupted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
