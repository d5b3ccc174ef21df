/* A connection as its owner uses it: open and send. How it ends is in test_connection_end.c. */
#include "net/connection.h"

#include "unit/net/connection_fixture.h"

#include <fcntl.h>

static void a_descriptor_that_can_not_be_watched_is_closed_and_nothing_is_told(void **state)
{
    (void)state;
    fixture *f = fixture_make();
    fixture_begin(f, SOCK_STREAM);
    int fd = open("/dev/null", O_RDWR | O_CLOEXEC);
    connection c;
    assert_int_equal(connection_open(&c, fd, 2, &f->here.set, fixture_tls()), -EPERM);
    assert_int_equal(fcntl(fd, F_GETFD), -1);
    fixture_turn(f);
    expect(f, "");
    assert_int_equal(fixture_in_phase(&f->here, NET_PHASE_HANDSHAKE), 1);
    assert_int_equal(f->here.set.count, 1);
    fixture_unmake(f);
}

static void its_age_is_counted_from_its_begin(void **state)
{
    (void)state;
    fixture *f = fixture_make();
    fixture_begin(f, SOCK_STREAM);
    uint64_t age_ms = connection_age_ms(f->c);
    fixture_stall(20);
    assert_true(connection_age_ms(f->c) >= age_ms + 20);
    fixture_unmake(f);
}

/* ---- Output ---- */

static void everything_of_a_turn_goes_out_by_one_write(void **state)
{
    (void)state;
    fixture *f = fixture_open(fixture_make(), SOCK_SEQPACKET);
    bytes *out = NULL;
    for (int i = 0; i < 20; i++)
        wire_add_text(&out, "echo");
    wire_add_frame(&out, WIRE_PING, "p", 1);
    wire_send_gathered(&f->peer, &out);
    assert_true(fixture_send(f->c, true, SLICE_LITERAL("from elsewhere")));
    connection_ping(f->c);
    assert_int_equal(wire_read_once(&f->peer), -EAGAIN);
    fixture_turn(f);
    assert_int_equal(wire_read_once(&f->peer), 16 + 2 + 20 * 6 + 3);
    assert_int_equal(wire_read_once(&f->peer), -EAGAIN);

    /* A close frame goes out with what waits before it. */
    assert_true(fixture_send(f->c, true, SLICE_LITERAL("last")));
    connection_close(f->c, CLOSE_REASON_SERVER_STOPS, "");
    fixture_turn(f);
    assert_int_equal(wire_read_once(&f->peer), 6 + 4);
    assert_int_equal(wire_read_once(&f->peer), 0);
    fixture_unmake(f);
}

static void the_parts_of_a_message_are_joined(void **state)
{
    (void)state;
    fixture *f = fixture_make_open();
    struct iovec parts[] = {{"one", 3}, {NULL, 0}, {" two", 4}, {"", 0}};
    assert_true(connection_send(f->c, WS_OPCODE_TEXT, parts, 4));
    assert_true(connection_send(f->c, WS_OPCODE_BINARY, NULL, 0));
    fixture_turn(f);
    wire_expect_text(&f->peer, "one two");
    wire_expect_frame(&f->peer, WIRE_BINARY, NULL, 0);
    wire_expect_nothing(&f->peer);
    fixture_unmake(f);
}

static void a_message_of_each_length_has_its_shortest_header(void **state)
{
    (void)state;
    static const size_t lengths[] = {0, 1, 125, 126, 127, 65535, 65536, 65537};
    static char text[65537];
    memset(text, 't', sizeof(text));
    for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
        fixture *f = fixture_make_open();
        assert_true(fixture_send(f->c, true, (slice){text, lengths[i]}));
        fixture_turn(f);
        wire_expect_frame(&f->peer, WIRE_TEXT, text, lengths[i]);
        fixture_unmake(f);
    }
}

static void what_is_sent_is_counted(void **state)
{
    (void)state;
    fixture *f = fixture_make_open();
    const net_counters *counters = &f->here.set.counters;
    uint64_t before = counter_get(&counters->bytes_out);
    assert_true(fixture_send(f->c, true, SLICE_LITERAL("one")));
    assert_true(fixture_send(f->c, false, SLICE_LITERAL("three")));
    connection_ping(f->c);
    fixture_turn(f);
    assert_int_equal(counter_get(&counters->messages_out), 2);
    assert_int_equal(counter_get(&counters->pings), 1);
    assert_int_equal(counter_get(&counters->bytes_out) - before, 5 + 7 + 2);
    fixture_unmake(f);
}

static uint64_t relays(const fixture *f)
{
    uint64_t count = 0;
    for (int i = 0; i < HISTOGRAM_BUCKETS; i++)
        count += counter_get(&f->here.set.counters.relay_us.buckets[i]);
    return count;
}

static void a_relay_is_timed_until_it_is_written(void **state)
{
    (void)state;
    fixture *f = fixture_make_open();
    assert_true(fixture_send(f->c, true, SLICE_LITERAL("a signal")));
    connection_time_message(f->c);
    assert_true(fixture_send(f->c, true, SLICE_LITERAL("another")));
    connection_time_message(f->c);
    fixture_turn(f);
    assert_int_equal(relays(f), 2);

    fixture_fill(f);
    assert_true(fixture_send(f->c, true, SLICE_LITERAL("a third")));
    connection_time_message(f->c);
    fixture_turn(f);
    assert_int_equal(relays(f), 2);
    uint64_t sum_us = counter_get(&f->here.set.counters.relay_us.sum);
    fixture_stall(SHORT_MS);
    for (int turns = 0; relays(f) < 3; turns++) {
        assert_true(turns < 10000);
        wire_read(&f->peer);
        fixture_turn(f);
    }
    assert_true(counter_get(&f->here.set.counters.relay_us.sum) - sum_us >= SHORT_MS * 1000);
    fixture_unmake(f);
}

static void what_the_socket_does_not_take_waits_and_follows_in_order(void **state)
{
    (void)state;
    fixture *f = fixture_make_open();
    const net_counters *counters = &f->here.set.counters;
    static char large[900 * 1024];
    for (size_t i = 0; i < sizeof(large); i++)
        large[i] = (char)(i * 31 >> 3);
    assert_true(fixture_send(f->c, false, (slice){large, sizeof(large)}));
    fixture_turn(f);
    assert_int_equal(counter_get(&counters->backlog_connections), 1);
    assert_in_range(counter_get(&counters->backlog_bytes), 1, sizeof(large));
    assert_true(fixture_send(f->c, true, SLICE_LITERAL("behind")));
    for (int turns = 0; counter_get(&counters->backlog_connections) > 0; turns++) {
        assert_true(turns < 10000);
        wire_read(&f->peer);
        fixture_turn(f);
    }
    fixture_expect_idle(f);
    fixture_hear(f);
    wire_expect_frame(&f->peer, WIRE_BINARY, large, sizeof(large));
    wire_expect_text(&f->peer, "behind");
    wire_expect_nothing(&f->peer);
    fixture_unmake(f);
}

/* ---- Too much output ---- */

static fixture *open_with_max_output(uint64_t max_output_bytes)
{
    fixture *f = fixture_make();
    f->limits.max_output_bytes = max_output_bytes;
    return fixture_open(f, SOCK_STREAM);
}

static void a_peer_that_does_not_read_is_dropped_at_the_end_of_the_turn(void **state)
{
    (void)state;
    fixture *f = open_with_max_output(64 * 1024);
    assert_true(fixture_send_too_much(f->c) >= 64 * 1024);
    expect(f, "");
    assert_true(connection_is_open(f->c));
    uint64_t before = counter_get(&f->here.set.counters.bytes_out);
    assert_false(fixture_send(f->c, true, SLICE_LITERAL("more")));
    wire_read(&f->peer);
    assert_false(fixture_send(f->c, true, SLICE_LITERAL("it reads too late")));
    assert_int_equal(counter_get(&f->here.set.counters.bytes_out), before);
    fixture_turn(f);
    expect(f, "end not_read 1006 the peer does not read\nfree\n");
    fixture_unmake(f);
}

static void one_that_passes_its_bound_handles_no_message_more(void **state)
{
    (void)state;
    fixture *f = open_with_max_output(64 * 1024);
    static char large[60 * 1024];
    memcpy(large, "echo", 4);
    fixture_fill(f);
    bytes *out = NULL;
    wire_add_frame(&out, WIRE_BINARY, large, sizeof(large));
    wire_add_frame(&out, WIRE_BINARY, large, 8000);
    wire_add_text(&out, "never handled");
    wire_send_gathered(&f->peer, &out);
    fixture_turn(f);
    fixture_turn(f);
    assert_null(strstr(f->journal.text, "never"));
    assert_non_null(strstr(f->journal.text, "end not_read 1006 the peer does not read\nfree\n"));
    assert_null(f->c);
    fixture_unmake(f);
}

static void an_end_for_too_much_comes_before_a_hand_over_and_before_a_resume(void **state)
{
    (void)state;
    static const char *const messages[] = {"over", "hold"};
    for (size_t i = 0; i < 2; i++) {
        fixture *f = open_with_max_output(64 * 1024);
        bytes *out = NULL;
        wire_add_text(&out, messages[i]);
        wire_add_text(&out, "never handled");
        wire_send_gathered(&f->peer, &out);
        fixture_pass(f);
        (void)fixture_send_too_much(f->c);
        connection_resume(f->c);
        net_loop_end_turn(&f->here.loop);
        assert_non_null(strstr(f->journal.text, "\nend not_read 1006 the peer does not read\nfree\n"));
        assert_null(strstr(f->journal.text, "never"));
        assert_null(f->detached);
        fixture_unmake(f);
    }
}

static void a_close_of_one_that_has_passed_its_bound_is_a_close(void **state)
{
    (void)state;
    fixture *f = open_with_max_output(64 * 1024);
    size_t sent = fixture_send_too_much(f->c);
    connection_close(f->c, CLOSE_REASON_TAKEN_OVER, "taken over");
    expect(f, "end taken_over 4001 taken over\n");
    for (int turns = 0; !f->peer.has_ended; turns++) {
        assert_true(turns < 1000);
        fixture_turn(f);
        wire_read(&f->peer);
    }
    static const char kilobyte[1024];
    for (size_t at = 0; at <= sent; at += sizeof(kilobyte))
        wire_expect_frame(&f->peer, WIRE_BINARY, kilobyte, sizeof(kilobyte));
    wire_expect_close(&f->peer, 4001);
    wire_expect_end(&f->peer);
    fixture_unmake(f);
}

static void more_than_may_wait_can_be_sent_in_a_turn_to_a_peer_that_takes_it(void **state)
{
    (void)state;
    static const char kilobyte[1024];
    for (int has_waited = 0; has_waited < 2; has_waited++) {
        fixture *f = open_with_max_output(12 * 1024);
        if (has_waited) { /* and it has read all in the meantime, which the loop has not told yet */
            fixture_fill(f);
            fixture_hear(f);
            bytes_clear(&f->peer.in);
        }
        uint64_t before = counter_get(&f->here.set.counters.backlog_bytes);
        for (int i = 0; i < 20; i++)
            assert_true(fixture_send(f->c, false, (slice){kilobyte, sizeof(kilobyte)}));
        fixture_turn(f);
        wire_read(&f->peer);
        bytes_consume(&f->peer.in, before);
        for (int i = 0; i < 20; i++)
            wire_expect_frame(&f->peer, WIRE_BINARY, kilobyte, sizeof(kilobyte));
        expect(f, "");
        fixture_unmake(f);
    }
}

static void a_peer_that_is_gone_while_too_much_waits_is_lost(void **state)
{
    (void)state;
    for (int has_waited = 0; has_waited < 2; has_waited++) {
        fixture *f = open_with_max_output(64 * 1024);
        if (has_waited)
            fixture_fill(f);
        wire_close(&f->peer);
        tls_tunnel_close(&f->tunnel);
        (void)fixture_send_too_much(f->c);
        net_loop_end_turn(&f->here.loop);
        expect(f, "end lost 1006 the peer is gone\nfree\n");
        fixture_unmake(f);
    }
}

static void nothing_can_be_sent_to_one_that_is_ending(void **state)
{
    (void)state;
    fixture *f = fixture_make();
    fixture_begin(f, SOCK_STREAM);
    assert_false(fixture_send(f->c, true, SLICE_LITERAL("too early")));
    fixture_upgrade(f);
    connection_close(f->c, CLOSE_REASON_SERVER_STOPS, "over");
    assert_false(fixture_send(f->c, true, SLICE_LITERAL("too late")));
    connection_ping(f->c);
    fixture_turn(f);
    assert_false(fixture_send(f->c, true, SLICE_LITERAL("too late")));
    wire_expect_close(&f->peer, 1001);
    wire_expect_end(&f->peer);
    connection_drop(f->c, CLOSE_REASON_LOST, "enough");
    assert_false(fixture_send(f->c, true, SLICE_LITERAL("too late")));
    fixture_turn(f);
    expect(f, "end server_stops 1001 over\nfree\n");
    fixture_unmake(f);
}

/* What holds for plain connections, and for those through TLS no less. */
static const struct CMUnitTest tests[] = {
    cmocka_unit_test(a_descriptor_that_can_not_be_watched_is_closed_and_nothing_is_told),
    cmocka_unit_test(its_age_is_counted_from_its_begin),
    cmocka_unit_test(everything_of_a_turn_goes_out_by_one_write),
    cmocka_unit_test(the_parts_of_a_message_are_joined),
    cmocka_unit_test(a_message_of_each_length_has_its_shortest_header),
    cmocka_unit_test(what_is_sent_is_counted),
    cmocka_unit_test(a_relay_is_timed_until_it_is_written),
    cmocka_unit_test(what_the_socket_does_not_take_waits_and_follows_in_order),
    cmocka_unit_test(a_peer_that_does_not_read_is_dropped_at_the_end_of_the_turn),
    cmocka_unit_test(one_that_passes_its_bound_handles_no_message_more),
    cmocka_unit_test(an_end_for_too_much_comes_before_a_hand_over_and_before_a_resume),
    cmocka_unit_test(a_close_of_one_that_has_passed_its_bound_is_a_close),
    cmocka_unit_test(more_than_may_wait_can_be_sent_in_a_turn_to_a_peer_that_takes_it),
    cmocka_unit_test(a_peer_that_is_gone_while_too_much_waits_is_lost),
    cmocka_unit_test(nothing_can_be_sent_to_one_that_is_ending),
};

int main(void)
{
    event_set_log_callback(fixture_be_silent);
    int failed = cmocka_run_group_tests_name("plain", tests, NULL, NULL);
    failed += cmocka_run_group_tests_name("through TLS", tests, fixture_start_tls, fixture_stop_tls);
    return failed;
}
