/* protocol/README.md, 1.6: pings, silent connections, and clients that do not read. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "support/client.h"
#include "support/server.h"
#include "support/twins.h"

#include <stdlib.h>
#include <string.h>

static void a_connection_that_never_joins_lives_as_long_as_it_answers(void **state)
{
    (void)state;
    signal_server_options options = server_options();
    options.ping_interval_ms = 20;
    options.pong_timeout_ms = 2000;
    signal_server *server = server_start(&options);
    client *c = client_open(signal_server_port(server));

    /* Many times the interval: nothing but the pings that it answers keeps it. */
    while (client_pings(c) < 20) {
        client_message ping = client_receive_frame(c);
        assert_int_equal(ping.opcode, CLIENT_PING);
    }
    client_send_text(c, "not JSON");
    client_expect_error(c, "Invalid message");
    client_close(c);
    server_end(server);
}

static void joined_connections_are_pinged_as_well(void **state)
{
    (void)state;
    signal_server_options options = server_options();
    options.ping_interval_ms = 20;
    signal_server *server = server_start(&options);
    client *c = client_open_joined(signal_server_port(server), "room", "anna");
    while (client_pings(c) < 3)
        (void)client_receive_frame(c);
    client_close(c);
    server_end(server);
}

static void a_silent_connection_is_dropped_after_the_pong_timeout_and_not_before(void **state)
{
    (void)state;
    signal_server_options options = server_options();
    options.ping_interval_ms = 50;
    options.pong_timeout_ms = 200;
    signal_server *server = server_start(&options);
    client *c = client_open(signal_server_port(server));
    client_answer_pings(c, false);

    client_expect_ping(c);
    uint64_t pinged_ms = client_now_ms();
    client_expect_gone(c);
    /* The ping was sent a moment before it was read here. */
    assert_in_range(client_now_ms() - pinged_ms, 150, CLIENT_WAIT_MS);
    client_close(c);
    SERVER_AWAIT(server, connections, 0);
    server_end(server);
}

static void any_sign_of_life_counts_not_only_a_pong(void **state)
{
    (void)state;
    signal_server_options options = server_options();
    options.ping_interval_ms = 30;
    options.pong_timeout_ms = 1000;
    signal_server *server = server_start(&options);
    client *c = client_open(signal_server_port(server));
    client_answer_pings(c, false);

    /* Each ping is followed by a leave instead of a pong; the next ping shows that the connection lives on.
     */
    for (int i = 0; i < 10; i++) {
        client_expect_ping(c);
        client_leave(c);
    }
    client_close(c);
    server_end(server);
}

static void half_a_frame_is_a_sign_of_life_but_not_for_ever(void **state)
{
    (void)state;
    signal_server_options options = server_options();
    options.ping_interval_ms = 30;
    options.pong_timeout_ms = 100;
    signal_server *server = server_start(&options);
    client *c = client_open(signal_server_port(server));
    client_answer_pings(c, false);
    client_send_bytes(c, "\x81\xfe\x01", 3);
    client_expect_gone(c);
    client_close(c);
    server_end(server);
}

static void a_silent_user_is_missed_and_its_room_is_free_for_signals_to_wait(void **state)
{
    (void)state;
    signal_server_options options = server_options();
    options.ping_interval_ms = 50;
    options.pong_timeout_ms = 100;
    signal_server *server = server_start(&options);
    uint16_t port = signal_server_port(server);
    client *silent = client_open_joined(port, "room", "silent");
    client_answer_pings(silent, false);
    SERVER_AWAIT(server, joined, 1);
    SERVER_AWAIT(server, joined, 0);
    client_expect_gone(silent);

    client *anna = client_open_joined(port, "room", "anna");
    client_send_offer(anna, "\"v=0\"");
    SERVER_AWAIT(server, pending_messages, 1);
    client_close(anna);
    client_close(silent);
    server_end(server);
}

/* A candidate of some KiB, to fill buffers with. */
static char *large_candidate(void)
{
    enum { LEN = 16 * 1024 };
    char *text = malloc(LEN + 3);
    assert_non_null(text);
    memset(text, 'x', LEN + 2);
    text[0] = text[LEN + 1] = '"';
    text[LEN + 2] = '\0';
    return text;
}

static void who_does_not_read_is_dropped_and_stalls_nobody(void **state)
{
    TWINS_SKIP(); /* a link takes less than a client of one server */
    (void)state;
    signal_server_options options = server_options();
    options.workers = 1; /* all on one thread: whoever stalled it would stall everybody */
    options.max_output_bytes = 256 * 1024;
    options.pending_max_bytes = 256 * 1024;
    signal_server *server = server_start(&options);
    uint16_t port = signal_server_port(server);
    client *deaf = client_dial_with_small_buffer(port);
    client_upgrade(deaf);
    client_join(deaf, "room", "deaf");
    client_expect_nothing(deaf);
    client *anna = client_open_joined(port, "room", "anna");
    client *carl = client_open_joined(port, "other", "carl");
    client_expect_nothing(carl);
    client *dora = client_open_joined(port, "other", "dora");

    /* Anna sends until the room is hers alone: what deaf did not read has passed its limit, and is lost with
     * it. The call of the others goes on all the time. */
    char *large = large_candidate();
    unsigned sent = 0;
    while (server_stats(server).joined == 4 || sent < 2) {
        client_send_candidate(anna, large);
        client_expect_nothing(anna);
        client_send_number(dora, sent);
        client_expect_number(carl, "other", "dora", sent);
        sent++;
        assert_in_range(sent, 1, 100000);
    }
    SERVER_AWAIT(server, joined, 3);
    client_expect_nothing(anna);
    client_expect_gone(deaf);

    free(large);
    client_close(deaf);
    client_close(anna);
    client_close(carl);
    client_close(dora);
    server_end(server);
}

/* It asks for the output that it does not read, with nobody else in the room or even a room. */
static void who_pings_and_does_not_read_the_pongs_is_dropped(void **state)
{
    (void)state;
    signal_server_options options = server_options();
    options.max_output_bytes = 256 * 1024;
    signal_server *server = server_start(&options);
    client *deaf = client_dial_with_small_buffer(signal_server_port(server));
    client_upgrade(deaf);
    char payload[125 + 1] = {0}; /* the longest: RFC 6455, 5.5 */
    memset(payload, 'x', sizeof(payload) - 1);

    for (int i = 0; server_stats(server).connections > 0; i++) {
        assert_in_range(i, 0, 10000);
        client_cork(deaf);
        for (int j = 0; j < 1000; j++)
            client_send_ping(deaf, payload);
        client_uncork(deaf);
    }
    client_expect_gone(deaf);
    client_close(deaf);
    server_end(server);
}

static void a_slow_reader_gets_everything_in_order(void **state)
{
    TWINS_SKIP();
    (void)state;
    signal_server_options options = server_options();
    signal_server *server = server_start(&options);
    uint16_t port = signal_server_port(server);
    client *slow = client_dial_with_small_buffer(port);
    client_upgrade(slow);
    client_join(slow, "room", "slow");
    client_expect_nothing(slow);
    client *anna = client_open_joined(port, "room", "anna");

    enum { LARGE_ONES = 100 }; /* 1.6 MB: more than the socket takes, less than the limit */
    char *large = large_candidate();
    for (unsigned i = 0; i < LARGE_ONES; i++) {
        client_send_number(anna, i);
        client_send_candidate(anna, large);
    }
    client_expect_nothing(anna); /* all of it has been handled before anything is read */
    for (unsigned i = 0; i < LARGE_ONES; i++) {
        client_expect_number(slow, "room", "anna", i);
        client_expect_signal(slow, "candidate", "room", "anna", large);
    }
    free(large);
    client_close(slow);
    client_close(anna);
    server_end(server);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_connection_that_never_joins_lives_as_long_as_it_answers),
        cmocka_unit_test(joined_connections_are_pinged_as_well),
        cmocka_unit_test(a_silent_connection_is_dropped_after_the_pong_timeout_and_not_before),
        cmocka_unit_test(any_sign_of_life_counts_not_only_a_pong),
        cmocka_unit_test(half_a_frame_is_a_sign_of_life_but_not_for_ever),
        cmocka_unit_test(a_silent_user_is_missed_and_its_room_is_free_for_signals_to_wait),
        cmocka_unit_test(who_does_not_read_is_dropped_and_stalls_nobody),
        cmocka_unit_test(who_pings_and_does_not_read_the_pongs_is_dropped),
        cmocka_unit_test(a_slow_reader_gets_everything_in_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
