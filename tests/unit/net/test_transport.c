/* The transport as it is for all kinds, and the plain one. */
#include "net/transport.h"

#include "unit/net/transport_fixture.h"

#include <fcntl.h>

/* A server holds as many of these as it has connections: what none of them needs, none has. */
static bool has_nothing_of_its_own(const transport *t)
{
    transport fresh;
    transport_open(&fresh, -1, NULL);
    return t->extra == fresh.extra;
}

static void a_new_transport_watches_nothing_and_allocates_nothing(void **state)
{
    fixture *f = *state;
    assert_false(transport_watches_input(&f->transport));
    assert_true(has_nothing_of_its_own(&f->transport));
    transport_attach(&f->transport, &f->loop);
    say(f, "x");
    turn(&f->loop);
    assert_int_equal(f->readable, 0);
    assert_int_equal(f->writable, 0);
    assert_true(has_nothing_of_its_own(&f->transport));
}

static void input_is_told_until_it_is_read(void **state)
{
    fixture *f = *state;
    transport_attach(&f->transport, &f->loop);
    assert_int_equal(transport_watch_input(&f->transport, true), 0);
    turn(&f->loop);
    assert_int_equal(f->readable, 0);

    say(f, "ab");
    turn(&f->loop);
    turn(&f->loop);
    assert_int_equal(f->readable, 2);
    uint8_t data[8];
    assert_int_equal(transport_read(&f->transport, data, 1), 1);
    assert_int_equal(data[0], 'a');
    turn(&f->loop);
    assert_int_equal(f->readable, 3);
    assert_int_equal(transport_read(&f->transport, data, sizeof(data)), 1);
    assert_int_equal(data[0], 'b');
    assert_int_equal(transport_read(&f->transport, data, sizeof(data)), -EAGAIN);
    turn(&f->loop);
    assert_int_equal(f->readable, 3);
}

static void input_that_is_not_waited_for_stays_in_the_kernel(void **state)
{
    fixture *f = *state;
    transport_attach(&f->transport, &f->loop);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(transport_watch_input(&f->transport, true), 0);
        assert_int_equal(transport_watch_input(&f->transport, true), 0);
        assert_int_equal(transport_watch_input(&f->transport, false), 0);
        assert_int_equal(transport_watch_input(&f->transport, false), 0);
    }
    say(f, "x");
    turn(&f->loop);
    assert_int_equal(f->readable, 0);
    assert_int_equal(transport_watch_input(&f->transport, true), 0);
    turn(&f->loop);
    assert_int_equal(f->readable, 1);
}

static void the_end_of_the_peer_is_told_and_read_as_0(void **state)
{
    fixture *f = *state;
    transport_attach(&f->transport, &f->loop);
    assert_int_equal(transport_watch_input(&f->transport, true), 0);
    say(f, "x");
    close(f->peer);
    f->peer = -1;
    turn(&f->loop);
    assert_int_equal(f->readable, 1);
    uint8_t data[8];
    assert_int_equal(transport_read(&f->transport, data, sizeof(data)), 1);
    turn(&f->loop);
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
    transport_open(&f->transport, open("/dev/null", O_RDWR | O_CLOEXEC), on_ready);
    uint8_t data[1] = {0};
    assert_int_equal(transport_read(&f->transport, data, 1), -ENOTSOCK);
    assert_int_equal(transport_write(&f->transport, data, 1, false), -ENOTSOCK);
}

static void a_wait_for_input_that_the_system_refuses_is_an_error(void **state)
{
    fixture *f = *state;
    transport_close(&f->transport);
    transport_open(&f->transport, open("/dev/null", O_RDWR | O_CLOEXEC), on_ready);
    transport_attach(&f->transport, &f->loop);
    assert_int_equal(transport_watch_input(&f->transport, true), -EPERM);
    assert_false(transport_watches_input(&f->transport));
    assert_int_not_equal(transport_want_writable(&f->transport, true, 1), 0);
    assert_false(transport_wants_writable(&f->transport));
}

static void it_is_told_when_the_socket_takes_more(void **state)
{
    fixture *f = *state;
    transport_attach(&f->transport, &f->loop);
    size_t filled = fill(&f->transport);
    assert_false(transport_wants_writable(&f->transport));
    assert_int_equal(transport_want_writable(&f->transport, true, 1), 0);
    assert_int_equal(transport_want_writable(&f->transport, true, 1), 0);
    assert_true(transport_wants_writable(&f->transport));
    turn(&f->loop);
    assert_int_equal(f->writable, 0);

    drain(f, filled);
    turn(&f->loop);
    turn(&f->loop);
    assert_int_equal(f->writable, 2);
    assert_int_equal(transport_want_writable(&f->transport, false, 0), 0);
    assert_int_equal(transport_want_writable(&f->transport, false, 0), 0);
    assert_true(has_nothing_of_its_own(&f->transport));
    turn(&f->loop);
    assert_int_equal(f->writable, 2);
}

static void a_write_is_taken_in_part_where_the_socket_takes_no_more(void **state)
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

static void a_transport_moves_from_loop_to_loop_with_what_is_unread(void **state)
{
    fixture *f = *state;
    transport_attach(&f->transport, &f->loop);
    assert_int_equal(transport_watch_input(&f->transport, true), 0);
    fill(&f->transport);
    assert_int_equal(transport_want_writable(&f->transport, true, 1), 0);
    say(f, "x");
    transport_detach(&f->transport);
    transport_detach(&f->transport);
    assert_false(transport_watches_input(&f->transport));
    assert_false(transport_wants_writable(&f->transport));
    turn(&f->loop);
    assert_int_equal(f->readable, 0);

    transport_attach(&f->transport, &f->other_loop);
    turn(&f->other_loop);
    assert_int_equal(f->readable, 0);
    assert_int_equal(transport_watch_input(&f->transport, true), 0);
    turn(&f->loop);
    assert_int_equal(f->readable, 0);
    turn(&f->other_loop);
    assert_int_equal(f->readable, 1);
    uint8_t data[8];
    assert_int_equal(transport_read(&f->transport, data, sizeof(data)), 1);
}

static void a_transport_may_be_closed_by_its_own_callback_and_is_told_nothing_more(void **state)
{
    fixture *f = *state;
    int fd = dup(transport_fd(&f->transport));
    transport_close(&f->transport);
    transport_open(&f->transport, fd, stop_all);
    transport_attach(&f->transport, &f->loop);
    assert_int_equal(transport_watch_input(&f->transport, true), 0);
    assert_int_equal(transport_want_writable(&f->transport, true, 1), 0);
    say(f, "x");
    turn(&f->loop);
    turn(&f->loop);
    assert_int_equal(f->readable, 1);
    assert_int_equal(transport_fd(&f->transport), -1);
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
    transport_attach(&f->transport, &f->loop);
    assert_int_equal(transport_watch_input(&f->transport, true), 0);
    assert_int_equal(transport_want_writable(&f->transport, true, 1), 0);
    int fd = transport_fd(&f->transport);
    transport_close(&f->transport);
    assert_int_equal(transport_fd(&f->transport), -1);
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

/* A change here is one to decide, not to discover. */
static void a_transport_stays_small(void **state)
{
    (void)state;
    assert_true(sizeof(transport) <= 32);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, make, unmake)
    const struct CMUnitTest tests[] = {
        CASE(a_new_transport_watches_nothing_and_allocates_nothing),
        CASE(input_is_told_until_it_is_read),
        CASE(input_that_is_not_waited_for_stays_in_the_kernel),
        CASE(the_end_of_the_peer_is_told_and_read_as_0),
        CASE(a_write_to_a_peer_that_is_gone_fails_without_a_signal),
        CASE(a_call_on_a_descriptor_that_is_no_socket_says_so),
        CASE(a_wait_for_input_that_the_system_refuses_is_an_error),
        CASE(it_is_told_when_the_socket_takes_more),
        CASE(a_write_is_taken_in_part_where_the_socket_takes_no_more),
        CASE(a_transport_moves_from_loop_to_loop_with_what_is_unread),
        CASE(a_transport_may_be_closed_by_its_own_callback_and_is_told_nothing_more),
        CASE(the_end_of_output_leaves_the_input_open),
        CASE(closing_closes_the_descriptor_once),
        cmocka_unit_test(a_transport_stays_small),
    };
#undef CASE
    return cmocka_run_group_tests(tests, NULL, NULL);
}
