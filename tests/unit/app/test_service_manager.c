/* The talk with the service manager, whose part the test plays: a datagram socket for the messages, and
 * listening sockets from descriptor 3 on with the variables that tell of them. */
#include "app/service_manager.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum { FIRST_FD = 3 }; /* sd_listen_fds(3) */

typedef struct manager {
    int fd; /* where the messages arrive */
    char path[64];
} manager;

/* ---- The other side ---- */

static int forget(void **state)
{
    static const char *const variables[] = {"NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID",
                                            "LISTEN_FDS",    "LISTEN_PID",    "LISTEN_FDNAMES"};
    (void)state;
    for (size_t i = 0; i < sizeof(variables) / sizeof(variables[0]); i++)
        unsetenv(variables[i]);
    return 0;
}

static int make(void **state)
{
    static manager m;
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    snprintf(m.path, sizeof(m.path), "/tmp/test_service_manager.%d", (int)getpid());
    strcpy(address.sun_path, m.path);
    m.fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    *state = &m;
    forget(state);
    setenv("NOTIFY_SOCKET", m.path, 1);
    return m.fd < 0 || bind(m.fd, (const struct sockaddr *)&address, sizeof(address)) != 0;
}

static int destroy(void **state)
{
    manager *m = *state;
    close(m->fd);
    unlink(m->path);
    return forget(state);
}

static void expect_message(const manager *m, const char *expected)
{
    char text[256] = {0};
    assert_true(recv(m->fd, text, sizeof(text) - 1, 0) > 0);
    assert_string_equal(text, expected);
}

static void expect_silence(const manager *m)
{
    char byte;
    assert_int_equal(recv(m->fd, &byte, 1, 0), -1);
    assert_int_equal(errno, EAGAIN);
}

/* Hand over `count` sockets with these names, separated by colons; NULL = they have none. */
static void hand_over(int count, const char *names)
{
    char text[16];
    for (int fd = FIRST_FD; fd < FIRST_FD + count; fd++) {
        int any = socket(AF_UNIX, SOCK_STREAM, 0);
        assert_true(any >= 0);
        if (any != fd) {
            assert_int_equal(dup2(any, fd), fd);
            close(any);
        }
    }
    snprintf(text, sizeof(text), "%d", count);
    setenv("LISTEN_FDS", text, 1);
    snprintf(text, sizeof(text), "%d", (int)getpid());
    setenv("LISTEN_PID", text, 1);
    if (names != NULL)
        setenv("LISTEN_FDNAMES", names, 1);
}

static bool is_open(int fd)
{
    return fcntl(fd, F_GETFD) >= 0;
}

/* ---- Sockets ---- */

static void without_a_manager_there_are_no_sockets(void **state)
{
    (void)state;
    service_sockets ws = {.name = "ws", .count = 7};
    assert_int_equal(service_manager_take_sockets(&ws, 1), 0);
    assert_int_equal(ws.count, 0);
}

static void sockets_for_another_process_are_left_alone(void **state)
{
    (void)state;
    service_sockets ws = {.name = "ws"};
    hand_over(1, "ws");
    setenv("LISTEN_PID", "1", 1);
    assert_int_equal(service_manager_take_sockets(&ws, 1), 0);
    assert_int_equal(ws.count, 0);
    assert_true(is_open(FIRST_FD));
    close(FIRST_FD);
}

static void each_socket_goes_into_the_set_of_its_name(void **state)
{
    (void)state;
    service_sockets sets[] = {{.name = "ws"}, {.name = "wss"}};
    hand_over(3, "ws:wss:ws");
    assert_int_equal(service_manager_take_sockets(sets, 2), 0);
    assert_int_equal(sets[0].count, 2);
    assert_int_equal(sets[0].fds[0], FIRST_FD);
    assert_int_equal(sets[0].fds[1], FIRST_FD + 2);
    assert_int_equal(sets[1].count, 1);
    assert_int_equal(sets[1].fds[0], FIRST_FD + 1);
    assert_int_equal(fcntl(FIRST_FD, F_GETFD), FD_CLOEXEC);
    assert_null(getenv("LISTEN_FDS"));

    service_manager_close_sockets(&sets[0]);
    service_manager_close_sockets(&sets[1]);
    assert_int_equal(sets[0].count, 0);
    assert_false(is_open(FIRST_FD));
    assert_false(is_open(FIRST_FD + 1));
    assert_false(is_open(FIRST_FD + 2));
}

static void a_socket_with_another_name_or_none_is_refused_and_all_are_closed(void **state)
{
    (void)state;
    service_sockets ws = {.name = "ws"};
    hand_over(2, "ws:https");
    assert_int_equal(service_manager_take_sockets(&ws, 1), -EINVAL);
    assert_int_equal(ws.count, 0);
    assert_false(is_open(FIRST_FD));
    assert_false(is_open(FIRST_FD + 1));

    hand_over(1, NULL);
    unsetenv("LISTEN_FDNAMES");
    assert_int_equal(service_manager_take_sockets(&ws, 1), -EINVAL);
    assert_false(is_open(FIRST_FD));
}

static void more_sockets_than_a_set_holds_are_refused(void **state)
{
    (void)state;
    service_sockets ws = {.name = "ws"};
    char names[4 * SERVICE_SOCKETS_MAX] = "ws";
    for (int i = 1; i < SERVICE_SOCKETS_MAX; i++)
        strcat(names, ":ws");
    hand_over(SERVICE_SOCKETS_MAX, names);
    assert_int_equal(service_manager_take_sockets(&ws, 1), 0);
    assert_int_equal(ws.count, SERVICE_SOCKETS_MAX);
    service_manager_close_sockets(&ws);

    strcat(names, ":ws");
    hand_over(SERVICE_SOCKETS_MAX + 1, names);
    assert_int_equal(service_manager_take_sockets(&ws, 1), -ENFILE);
    assert_int_equal(ws.count, 0);
    assert_false(is_open(FIRST_FD + SERVICE_SOCKETS_MAX));
}

static void variables_that_make_no_sense_are_refused(void **state)
{
    (void)state;
    service_sockets ws = {.name = "ws"};
    hand_over(1, "ws");
    setenv("LISTEN_FDS", "many", 1);
    assert_int_equal(service_manager_take_sockets(&ws, 1), -EINVAL);
    close(FIRST_FD);
}

/* ---- Messages ---- */

static void without_a_manager_messages_go_nowhere(void **state)
{
    manager *m = *state;
    unsetenv("NOTIFY_SOCKET");
    service_manager_notify_ready("a");
    service_manager_notify_stopping("b");
    service_manager_keep_alive(true);
    expect_silence(m);
}

static void a_manager_that_has_gone_does_no_harm(void **state)
{
    manager *m = *state;
    unlink(m->path);
    service_manager_notify_ready("a");
    service_manager_keep_alive(true);
    expect_silence(m);
}

static void the_begin_and_the_end_are_told_with_a_status(void **state)
{
    manager *m = *state;
    service_manager_notify_ready("serving 127.0.0.1:8888");
    expect_message(m, "READY=1\nSTATUS=serving 127.0.0.1:8888");
    service_manager_notify_stopping("draining");
    expect_message(m, "STOPPING=1\nSTATUS=draining");
    expect_silence(m);
}

static void a_sign_of_life_is_given_only_by_the_living(void **state)
{
    manager *m = *state;
    service_manager_keep_alive(false);
    expect_silence(m);
    service_manager_keep_alive(true);
    expect_message(m, "WATCHDOG=1");
}

static void the_watchdog_is_fed_twice_in_its_time_and_only_where_it_watches_us(void **state)
{
    (void)state;
    assert_int_equal(service_manager_watchdog_interval_us(), 0);
    setenv("WATCHDOG_USEC", "20000000", 1);
    assert_int_equal(service_manager_watchdog_interval_us(), 10 * 1000 * 1000);
    setenv("WATCHDOG_PID", "1", 1);
    assert_int_equal(service_manager_watchdog_interval_us(), 0);
    setenv("WATCHDOG_USEC", "soon", 1);
    assert_int_equal(service_manager_watchdog_interval_us(), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(without_a_manager_there_are_no_sockets, forget),
        cmocka_unit_test_setup_teardown(sockets_for_another_process_are_left_alone, forget, forget),
        cmocka_unit_test_setup_teardown(each_socket_goes_into_the_set_of_its_name, forget, forget),
        cmocka_unit_test_setup_teardown(a_socket_with_another_name_or_none_is_refused_and_all_are_closed,
                                        forget, forget),
        cmocka_unit_test_setup_teardown(more_sockets_than_a_set_holds_are_refused, forget, forget),
        cmocka_unit_test_setup_teardown(variables_that_make_no_sense_are_refused, forget, forget),
        cmocka_unit_test_setup_teardown(without_a_manager_messages_go_nowhere, make, destroy),
        cmocka_unit_test_setup_teardown(a_manager_that_has_gone_does_no_harm, make, destroy),
        cmocka_unit_test_setup_teardown(the_begin_and_the_end_are_told_with_a_status, make, destroy),
        cmocka_unit_test_setup_teardown(a_sign_of_life_is_given_only_by_the_living, make, destroy),
        cmocka_unit_test_setup_teardown(the_watchdog_is_fed_twice_in_its_time_and_only_where_it_watches_us,
                                        make, destroy),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
