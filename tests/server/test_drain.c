/* The closes of a stop are spread over a time, and who is in a call has it longest. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "support/client.h"
#include "support/server.h"

#include <stdio.h>

/* A wave closes at least 50 connections of a thread. */
enum { WAVE_LEAST = 50, PAIRS = 40, ALONE = 60, LOBBY = 60, DRAIN_MS = 1000 };

typedef struct fixture {
    signal_server *server;
    client *paired[2 * PAIRS]; /* each in a call with its neighbour */
    client *alone[ALONE];      /* in a room where nobody else is */
    client *lobby[LOBBY];      /* in no room */
} fixture;

static fixture the;

static int start(void **state)
{
    (void)state;
    signal_server_options options = server_options();
    options.workers = 1;
    options.drain_ms = DRAIN_MS;
    the.server = server_start(&options);
    uint16_t port = signal_server_port(the.server);
    for (int i = 0; i < ALONE; i++) {
        char room[32];
        snprintf(room, sizeof(room), "alone %d", i);
        the.alone[i] = client_open_joined(port, room, "anna");
    }
    for (int i = 0; i < 2 * PAIRS; i++) {
        char room[32];
        snprintf(room, sizeof(room), "pair %d", i / 2);
        the.paired[i] = client_open_joined(port, room, i % 2 == 0 ? "anna" : "bert");
    }
    for (int i = 0; i < LOBBY; i++)
        the.lobby[i] = client_open(port);
    SERVER_AWAIT(the.server, joined, ALONE + 2 * PAIRS);
    return 0;
}

static int end(void **state)
{
    (void)state;
    for (int i = 0; i < ALONE; i++)
        client_close(the.alone[i]);
    for (int i = 0; i < 2 * PAIRS; i++)
        client_close(the.paired[i]);
    for (int i = 0; i < LOBBY; i++)
        client_close(the.lobby[i]);
    server_end(the.server);
    return 0;
}

/* How many of them have got something, which is their close frame. */
static int count_closed(client **clients, int count)
{
    int closed = 0;
    for (int i = 0; i < count; i++)
        closed += client_is_readable(clients[i], 0);
    return closed;
}

static void calls_are_closed_last_and_not_all_at_once(void **state)
{
    (void)state;
    uint64_t begun_ms = client_now_ms();
    signal_server_request_stop(the.server, false);
    while (count_closed(the.alone, ALONE) == 0)
        client_await_tick();
    assert_int_equal(count_closed(the.paired, 2 * PAIRS), 0);
    while (count_closed(the.alone, ALONE) < ALONE)
        client_await_tick();
    assert_in_range(count_closed(the.paired, 2 * PAIRS), 0, WAVE_LEAST);
    for (int i = 0; i < ALONE; i++)
        client_expect_close(the.alone[i], 1001);
    for (int i = 0; i < LOBBY; i++)
        client_expect_close(the.lobby[i], 1001);
    for (int i = 0; i < 2 * PAIRS; i++)
        client_expect_close(the.paired[i], 1001);
    assert_in_range(client_now_ms() - begun_ms, 150, CLIENT_WAIT_MS); /* three waves and more */
}

static void a_stop_at_once_does_not_wait_for_the_waves(void **state)
{
    (void)state;
    signal_server_request_stop(the.server, false);
    signal_server_request_stop(the.server, true);
    assert_int_equal(signal_server_stop_within(the.server, CLIENT_WAIT_MS), 0);
    for (int i = 0; i < 2 * PAIRS; i++)
        client_expect_gone(the.paired[i]);
}

static void a_call_goes_on_while_others_are_closed(void **state)
{
    (void)state;
    signal_server_request_stop(the.server, false);
    while (count_closed(the.alone, ALONE) == 0)
        client_await_tick();
    client_send_number(the.paired[2 * PAIRS - 1], 7);
    client_expect_number(the.paired[2 * PAIRS - 2], "pair 39", "bert", 7);
}

/* The server ends when the last connection has, and not when the time is over. */
static void nobody_is_waited_for_where_nobody_is(void **state)
{
    (void)state;
    signal_server_options options = server_options();
    options.drain_ms = 60 * 1000;
    options.shutdown_grace_ms = 120 * 1000;
    signal_server *server = server_start(&options);
    client *c = client_open_joined(signal_server_port(server), "room", "anna");
    signal_server_request_stop(server, false);
    client_expect_close(c, 1001);
    client_close(c);
    assert_int_equal(signal_server_stop_within(server, CLIENT_WAIT_MS), 0);
    server_end(server);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(calls_are_closed_last_and_not_all_at_once, start, end),
        cmocka_unit_test_setup_teardown(a_stop_at_once_does_not_wait_for_the_waves, start, end),
        cmocka_unit_test_setup_teardown(a_call_goes_on_while_others_are_closed, start, end),
        cmocka_unit_test(nobody_is_waited_for_where_nobody_is),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
