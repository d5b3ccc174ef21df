/* The transport over a pair of sockets, with libevent bases that the test turns itself. */
#include "net/transport.h"

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
#include <unistd.h>

typedef struct fixture {
    transport transport;
    struct event_base *base;
    struct event_base *other_base;
    int peer;
    int readable; /* how often it was told */
    int writable;
} fixture;

static void on_ready(evutil_socket_t fd, short what, void *context)
{
    fixture *f = context;
    assert_int_equal(fd, event_get_fd(&f->transport.input));
    assert_true(what == EV_READ || what == EV_WRITE);
    if (what == EV_READ)
        f->readable++;
    else
        f->writable++;
}

static int make(void **state)
{
    int fds[2];
    fixture *f = calloc(1, sizeof(*f));
    if (f == NULL || socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds) != 0)
        return -1;
    f->peer = fds[0];
    f->base = event_base_new();
    f->other_base = event_base_new();
    transport_open(&f->transport, fds[1], on_ready, f);
    *state = f;
    return 0;
}

static int unmake(void **state)
{
    fixture *f = *state;
    transport_close(&f->transport);
    event_base_free(f->base);
    event_base_free(f->other_base);
    if (f->peer >= 0)
        close(f->peer);
    free(f);
    return 0;
}

static void turn(struct event_base *base)
{
    assert_true(event_base_loop(base, EVLOOP_ONCE | EVLOOP_NONBLOCK) >= 0);
}

static void say(fixture *f, const char *text)
{
    assert_int_equal(write(f->peer, text, strlen(text)), strlen(text));
}

/* Write until the socket has no room; returns how much it took. */
static size_t fill(transport *t)
{
    static const uint8_t zeros[4096];
    size_t total = 0;
    ssize_t taken;
    while ((taken = transport_write(t, zeros, sizeof(zeros), false)) > 0)
        total += (size_t)taken;
    assert_int_equal(taken, -EAGAIN);
    return total;
}

static void drain(fixture *f, size_t len)
{
    char buffer[4096];
    while (len > 0) {
        ssize_t got = read(f->peer, buffer, sizeof(buffer));
        assert_true(got > 0);
        len -= (size_t)got;
    }
}

static void a_new_transport_watches_nothing_and_allocates_nothing(void **state)
{
    fixture *f = *state;
    assert_false(transport_watches_input(&f->transport));
    assert_null(f->transport.output);
    transport_attach(&f->transport, f->base);
    say(f, "x");
    turn(f->base);
    assert_int_equal(f->readable, 0);
    assert_int_equal(f->writable, 0);
    assert_null(f->transport.output);
}

static void input_is_told_until_it_is_read(void **state)
{
    fixture *f = *state;
    transport_attach(&f->transport, f->base);
    assert_int_equal(transport_watch_input(&f->transport, true), 0);
    turn(f->base);
    assert_int_equal(f->readable, 0);

    say(f, "ab");
    turn(f->base);
    turn(f->base);
    assert_int_equal(f->readable, 2);
    uint8_t data[8];
    assert_int_equal(transport_read(&f->transport, data, 1), 1);
    assert_int_equal(data[0], 'a');
    turn(f->base);
    assert_int_equal(f->readable, 3);
    assert_int_equal(transport_read(&f->transport, data, sizeof(data)), 1);
    assert_int_equal(data[0], 'b');
    assert_int_equal(transport_read(&f->transport, data, sizeof(data)), -EAGAIN);
    turn(f->base);
    assert_int_equal(f->readable, 3);
}

static void input_that_is_not_waited_for_stays_in_the_kernel(void **state)
{
    fixture *f = *state;
    transport_attach(&f->transport, f->base);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(transport_watch_input(&f->transport, true), 0);
        assert_int_equal(transport_watch_input(&f->transport, true), 0);
        assert_int_equal(transport_watch_input(&f->transport, false), 0);
        assert_int_equal(transport_watch_input(&f->transport, false), 0);
    }
    say(f, "x");
    turn(f->base);
    assert_int_equal(f->readable, 0);
    assert_int_equal(transport_watch_input(&f->transport, true), 0);
    turn(f->base);
    assert_int_equal(f->readable, 1);
}

static void the_end_of_the_peer_is_told_and_read_as_0(void **state)
{
    fixture *f = *state;
    transport_attach(&f->transport, f->base);
    assert_int_equal(transport_watch_input(&f->transport, true), 0);
    say(f, "x");
    close(f->peer);
    f->peer = -1;
    turn(f->base);
    assert_int_equal(f->readable, 1);
    uint8_t data[8];
    assert_int_equal(transport_read(&f->transport, data, sizeof(data)), 1);
    turn(f->base);
    assert_int_equal(f->readable, 2);
    assert_int_equal(transport_read(&f->transport, data, sizeof(data)), 0);
}

static void a_write_to_a_peer_that_is_gone_fails_without_a_signal(void **state)
{
    fixture *f = *state;
    close(f->peer);
    f->peer = -1;
    assert_int_equal(transport_write(&f->transport, (const uint8_t *)"x", 1, false), -EPIPE);
}

static void a_call_on_a_descriptor_that_is_no_socket_says_so(void **state)
{
    fixture *f = *state;
    transport_close(&f->transport);
    transport_open(&f->transport, open("/dev/null", O_RDWR | O_CLOEXEC), on_ready, f);
    uint8_t data[1] = {0};
    assert_int_equal(transport_read(&f->transport, data, 1), -ENOTSOCK);
    assert_int_equal(transport_write(&f->transport, data, 1, false), -ENOTSOCK);
}

static void a_wait_for_input_that_the_system_refuses_is_an_error(void **state)
{
    fixture *f = *state;
    transport_close(&f->transport);
    transport_open(&f->transport, open("/dev/null", O_RDWR | O_CLOEXEC), on_ready, f);
    transport_attach(&f->transport, f->base);
    assert_int_equal(transport_watch_input(&f->transport, true), -EPERM);
    assert_false(transport_watches_input(&f->transport));
    assert_int_not_equal(transport_want_room(&f->transport, true, 1), 0);
    assert_false(transport_wants_room(&f->transport));
}

static void room_is_told_when_the_peer_has_read(void **state)
{
    fixture *f = *state;
    transport_attach(&f->transport, f->base);
    size_t filled = fill(&f->transport);
    assert_false(transport_wants_room(&f->transport));
    assert_int_equal(transport_want_room(&f->transport, true, 1), 0);
    assert_int_equal(transport_want_room(&f->transport, true, 1), 0);
    assert_true(transport_wants_room(&f->transport));
    turn(f->base);
    assert_int_equal(f->writable, 0);

    drain(f, filled);
    turn(f->base);
    turn(f->base);
    assert_int_equal(f->writable, 2);
    assert_int_equal(transport_want_room(&f->transport, false, 0), 0);
    assert_int_equal(transport_want_room(&f->transport, false, 0), 0);
    assert_null(f->transport.output);
    turn(f->base);
    assert_int_equal(f->writable, 2);
}

static void a_write_is_taken_in_part_when_there_is_not_enough_room(void **state)
{
    fixture *f = *state;
    size_t len = 8 * 1024 * 1024;
    uint8_t *data = calloc(1, len);
    assert_non_null(data);
    ssize_t taken = transport_write(&f->transport, data, len, false);
    assert_true(taken > 0 && (size_t)taken < len);
    drain(f, (size_t)taken);
    free(data);
}

static void a_transport_moves_from_base_to_base_with_what_is_unread(void **state)
{
    fixture *f = *state;
    transport_attach(&f->transport, f->base);
    assert_int_equal(transport_watch_input(&f->transport, true), 0);
    fill(&f->transport);
    assert_int_equal(transport_want_room(&f->transport, true, 1), 0);
    say(f, "x");
    transport_detach(&f->transport);
    transport_detach(&f->transport);
    assert_false(transport_watches_input(&f->transport));
    assert_false(transport_wants_room(&f->transport));
    turn(f->base);
    assert_int_equal(f->readable, 0);

    transport_attach(&f->transport, f->other_base);
    turn(f->other_base);
    assert_int_equal(f->readable, 0);
    assert_int_equal(transport_watch_input(&f->transport, true), 0);
    turn(f->base);
    assert_int_equal(f->readable, 0);
    turn(f->other_base);
    assert_int_equal(f->readable, 1);
    uint8_t data[8];
    assert_int_equal(transport_read(&f->transport, data, sizeof(data)), 1);
}

/* A callback that takes the wait back while its own event, or another, is being handled. */
static void stop_all(evutil_socket_t fd, short what, void *context)
{
    (void)fd;
    (void)what;
    fixture *f = context;
    f->readable++;
    f->writable++;
    transport_close(&f->transport);
}

static void a_transport_may_be_closed_by_its_own_callback_and_is_told_nothing_more(void **state)
{
    fixture *f = *state;
    int fd = dup(event_get_fd(&f->transport.input));
    transport_close(&f->transport);
    transport_open(&f->transport, fd, stop_all, f);
    transport_attach(&f->transport, f->base);
    assert_int_equal(transport_watch_input(&f->transport, true), 0);
    assert_int_equal(transport_want_room(&f->transport, true, 1), 0);
    say(f, "x");
    turn(f->base);
    turn(f->base);
    assert_int_equal(f->readable, 1);
    assert_int_equal(event_get_fd(&f->transport.input), -1);
}

static void the_end_of_output_leaves_the_input_open(void **state)
{
    fixture *f = *state;
    assert_int_equal(transport_write(&f->transport, (const uint8_t *)"bye", 3, true), 3);
    transport_end_output(&f->transport);
    char buffer[8];
    assert_int_equal(read(f->peer, buffer, sizeof(buffer)), 3);
    assert_int_equal(read(f->peer, buffer, sizeof(buffer)), 0);
    say(f, "wait");
    uint8_t data[8];
    assert_int_equal(transport_read(&f->transport, data, sizeof(data)), 4);
}

static void closing_closes_the_descriptor_once(void **state)
{
    fixture *f = *state;
    transport_attach(&f->transport, f->base);
    assert_int_equal(transport_watch_input(&f->transport, true), 0);
    assert_int_equal(transport_want_room(&f->transport, true, 1), 0);
    int fd = event_get_fd(&f->transport.input);
    transport_close(&f->transport);
    assert_int_equal(event_get_fd(&f->transport.input), -1);
    assert_int_equal(fcntl(fd, F_GETFD), -1);

    /* The number may be somebody else's by now: closing again must not touch it. */
    int same = dup(f->peer);
    assert_int_equal(same, fd);
    transport_close(&f->transport);
    assert_int_not_equal(fcntl(same, F_GETFD), -1);
    close(same);
    char byte;
    assert_int_equal(read(f->peer, &byte, 1), 0);
}

static void be_silent(int severity, const char *message)
{
    (void)severity;
    (void)message;
}

/* A server holds as many of these as it has connections: a change here is one to decide, not to discover. */
static void a_transport_stays_small(void **state)
{
    (void)state;
    assert_true(sizeof(transport) <= sizeof(struct event) + sizeof(struct event *));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_new_transport_watches_nothing_and_allocates_nothing, make, unmake),
        cmocka_unit_test_setup_teardown(input_is_told_until_it_is_read, make, unmake),
        cmocka_unit_test_setup_teardown(input_that_is_not_waited_for_stays_in_the_kernel, make, unmake),
        cmocka_unit_test_setup_teardown(the_end_of_the_peer_is_told_and_read_as_0, make, unmake),
        cmocka_unit_test_setup_teardown(a_write_to_a_peer_that_is_gone_fails_without_a_signal, make, unmake),
        cmocka_unit_test_setup_teardown(a_call_on_a_descriptor_that_is_no_socket_says_so, make, unmake),
        cmocka_unit_test_setup_teardown(a_wait_for_input_that_the_system_refuses_is_an_error, make, unmake),
        cmocka_unit_test_setup_teardown(room_is_told_when_the_peer_has_read, make, unmake),
        cmocka_unit_test_setup_teardown(a_write_is_taken_in_part_when_there_is_not_enough_room, make, unmake),
        cmocka_unit_test_setup_teardown(a_transport_moves_from_base_to_base_with_what_is_unread, make,
                                        unmake),
        cmocka_unit_test_setup_teardown(
            a_transport_may_be_closed_by_its_own_callback_and_is_told_nothing_more, make, unmake),
        cmocka_unit_test_setup_teardown(the_end_of_output_leaves_the_input_open, make, unmake),
        cmocka_unit_test_setup_teardown(closing_closes_the_descriptor_once, make, unmake),
        cmocka_unit_test(a_transport_stays_small),
    };
    event_set_log_callback(be_silent); /* a refused wait is what one of the tests is about */
    return cmocka_run_group_tests(tests, NULL, NULL);
}
