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
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
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

/* A manager with a name in the abstract space, which begins with a zero byte and has no end but its length.
 */
static int make_abstract(void **state)
{
    static manager m;
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int len = snprintf(m.path, sizeof(m.path), "@test_service_manager.%d", (int)getpid());
    memcpy(address.sun_path + 1, m.path + 1, (size_t)len - 1);
    m.fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    *state = &m;
    forget(state);
    setenv("NOTIFY_SOCKET", m.path, 1);
    return m.fd < 0 || bind(m.fd, (const struct sockaddr *)&address,
                            (socklen_t)(offsetof(struct sockaddr_un, sun_path) + (size_t)len)) != 0;
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
    static const struct {
        const char *name;
        const char *value;
    } cases[] = {
        {"LISTEN_FDS", "many"}, {"LISTEN_FDS", ""},           {"LISTEN_FDS", "-1"},
        {"LISTEN_FDS", "1 "},   {"LISTEN_FDS", "2147483647"}, {"LISTEN_FDS", "18446744073709551617"},
        {"LISTEN_PID", "me"},   {"LISTEN_PID", "+1"},         {"LISTEN_PID", ""},
    };
    service_sockets ws = {.name = "ws"};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        hand_over(1, "ws");
        setenv(cases[i].name, cases[i].value, 1);
        assert_int_equal(service_manager_take_sockets(&ws, 1), -EINVAL);
        assert_int_equal(ws.count, 0);
        close(FIRST_FD);
    }
}

static void every_socket_has_one_name(void **state)
{
    (void)state;
    static const char *const names[] = {"ws", "ws:ws:ws", "ws:", ""};
    service_sockets ws = {.name = "ws"};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        hand_over(2, names[i]);
        assert_int_equal(service_manager_take_sockets(&ws, 1), -EINVAL);
        assert_int_equal(ws.count, 0);
        assert_false(is_open(FIRST_FD));
        assert_false(is_open(FIRST_FD + 1));
    }
}

static void a_socket_that_is_not_open_is_refused(void **state)
{
    (void)state;
    service_sockets ws = {.name = "ws"};
    hand_over(2, "ws:ws");
    close(FIRST_FD + 1);
    assert_int_equal(service_manager_take_sockets(&ws, 1), -EBADF);
    assert_int_equal(ws.count, 0);
    assert_false(is_open(FIRST_FD));
}

static void whom_we_start_is_not_told_of_the_sockets(void **state)
{
    static const char *const variables[] = {"LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES"};
    (void)state;
    service_sockets ws = {.name = "ws"};
    for (int is_good = 0; is_good < 2; is_good++) {
        hand_over(1, is_good ? "ws" : "other");
        assert_int_equal(service_manager_take_sockets(&ws, 1), is_good ? 0 : -EINVAL);
        for (size_t i = 0; i < sizeof(variables) / sizeof(variables[0]); i++)
            assert_null(getenv(variables[i]));
    }
    service_manager_close_sockets(&ws);
}

static void no_sockets_at_all_may_be_passed_on(void **state)
{
    (void)state;
    service_sockets ws = {.name = "ws", .count = 7};
    hand_over(0, NULL);
    assert_int_equal(service_manager_take_sockets(&ws, 1), 0);
    assert_int_equal(ws.count, 0);
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

static void a_manager_in_the_abstract_space_is_told_too(void **state)
{
    manager *m = *state;
    service_manager_notify_ready("a");
    expect_message(m, "READY=1\nSTATUS=a");
    service_manager_keep_alive(true);
    expect_message(m, "WATCHDOG=1");
}

static void a_place_where_no_manager_can_be_is_left_alone(void **state)
{
    manager *m = *state;
    char too_long[200];
    memset(too_long, 'x', sizeof(too_long) - 1);
    too_long[0] = '/';
    too_long[sizeof(too_long) - 1] = '\0';
    const char *const places[] = {"", "/", "@", "relative/path", "vsock:2:1234", too_long};
    for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
        setenv("NOTIFY_SOCKET", places[i], 1);
        service_manager_notify_ready("a");
    }
    expect_silence(m);
}

/* At boot its queue may be full for a moment, and a start that it does not hear of ends the unit. */
static void a_manager_that_is_busy_is_waited_for(void **state)
{
    manager *m = *state;
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    strcpy(address.sun_path, m->path);
    int waiting = 0;
    while (sendto(fd, "x", 1, 0, (const struct sockaddr *)&address, sizeof(address)) == 1)
        waiting++;
    assert_true(waiting > 0);
    close(fd);

    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        service_manager_notify_ready("a");
        _exit(0);
    }
    char byte;
    struct pollfd readable = {.fd = m->fd, .events = POLLIN};
    for (; waiting > 0; waiting--) {
        assert_int_equal(poll(&readable, 1, 10000), 1);
        assert_int_equal(recv(m->fd, &byte, 1, 0), 1);
    }
    assert_int_equal(poll(&readable, 1, 10000), 1);
    expect_message(m, "READY=1\nSTATUS=a");
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
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
    setenv("WATCHDOG_PID", "everybody", 1);
    assert_int_equal(service_manager_watchdog_interval_us(), 0);
    char pid[16];
    snprintf(pid, sizeof(pid), "%d", (int)getpid());
    setenv("WATCHDOG_PID", pid, 1);
    assert_int_equal(service_manager_watchdog_interval_us(), 10 * 1000 * 1000);

    static const char *const never[] = {"soon", "", "0", "-5", "18446744073709551615"};
    for (size_t i = 0; i < sizeof(never) / sizeof(never[0]); i++) {
        setenv("WATCHDOG_USEC", never[i], 1);
        assert_int_equal(service_manager_watchdog_interval_us(), 0);
    }
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
        cmocka_unit_test_setup_teardown(every_socket_has_one_name, forget, forget),
        cmocka_unit_test_setup_teardown(a_socket_that_is_not_open_is_refused, forget, forget),
        cmocka_unit_test_setup_teardown(whom_we_start_is_not_told_of_the_sockets, forget, forget),
        cmocka_unit_test_setup_teardown(no_sockets_at_all_may_be_passed_on, forget, forget),
        cmocka_unit_test_setup_teardown(without_a_manager_messages_go_nowhere, make, destroy),
        cmocka_unit_test_setup_teardown(a_manager_that_has_gone_does_no_harm, make, destroy),
        cmocka_unit_test_setup_teardown(a_manager_in_the_abstract_space_is_told_too, make_abstract, destroy),
        cmocka_unit_test_setup_teardown(a_place_where_no_manager_can_be_is_left_alone, make, destroy),
        cmocka_unit_test_setup_teardown(a_manager_that_is_busy_is_waited_for, make, destroy),
        cmocka_unit_test_setup_teardown(the_begin_and_the_end_are_told_with_a_status, make, destroy),
        cmocka_unit_test_setup_teardown(a_sign_of_life_is_given_only_by_the_living, make, destroy),
        cmocka_unit_test_setup_teardown(the_watchdog_is_fed_twice_in_its_time_and_only_where_it_watches_us,
                                        make, destroy),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
