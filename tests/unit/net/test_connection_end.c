/* How a connection ends: by its owner, by its peer, in each state; what its peer gets in the end. */
#include "net/connection.h"

#include "unit/net/connection_fixture.h"

#include <fcntl.h>
#include <openssl/err.h>

static void a_reason_over_its_bound_is_cut(void **state)
{
    (void)state;
    fixture *f = fixture_make_open();
    static const char why[] = "0123456789012345678901234567890123456789012345678901234567890123456789"
                              "01234567890123456789012345678901234567890123456789012abcdefgh";
    connection_close(f->c, CLOSE_REASON_FLOOD, why);
    fixture_turn(f);
    char payload[125] = "\x03\xF0";
    memcpy(payload + 2, why, 123);
    wire_expect_frame(&f->peer, WIRE_CLOSE, payload, 125);
    fixture_unmake(f);
}

static void it_ends_for_its_owner_once(void **state)
{
    (void)state;
    fixture *f = fixture_make_open();
    connection_close(f->c, CLOSE_REASON_SERVER_STOPS, "first");
    expect(f, "end server_stops 1001 first\n");
    connection_close(f->c, CLOSE_REASON_SERVER_STOPS, "second");
    fixture_turn(f);
    connection_close(f->c, CLOSE_REASON_SERVER_STOPS, "third");
    connection_drop(f->c, CLOSE_REASON_LOST, "fourth");
    connection_drop(f->c, CLOSE_REASON_LOST, "fifth");
    connection_close(f->c, CLOSE_REASON_SERVER_STOPS, "sixth");
    expect(f, "");
    fixture_turn(f);
    fixture_expect_freed(f);
    wire_expect_close(&f->peer, 1001);
    wire_expect_end(&f->peer);
    fixture_unmake(f);
}

static void a_drop_closes_at_once_and_frees_at_the_end_of_the_turn(void **state)
{
    (void)state;
    fixture *f = fixture_make_open();
    assert_true(fixture_send(f->c, true, SLICE_LITERAL("lost")));
    connection_drop(f->c, CLOSE_REASON_LOST, "asked to");
    expect(f, "end lost 1006 asked to\n");
    assert_int_equal(fixture_in_phase(&f->here, NET_PHASE_CLOSING), 1);
    fixture_hear(f);
    wire_expect_end(&f->peer);
    fixture_turn(f);
    fixture_expect_freed(f);
    fixture_unmake(f);
}

/* ---- The end, in each state ---- */

static void be_in_handshake(fixture *f)
{
    fixture_begin(f, SOCK_STREAM);
}

static void be_open(fixture *f)
{
    fixture_open(f, SOCK_STREAM);
}

static void be_pinged(fixture *f)
{
    be_open(f);
    connection_turn_hooks.on_due(&f->c->entry);
    fixture_turn(f);
}

static void be_held(fixture *f)
{
    be_open(f);
    wire_send_text(&f->peer, "hold");
    wire_send_text(&f->peer, "behind");
    fixture_turn(f);
}

static void be_leaving(fixture *f)
{
    be_open(f);
    wire_send_text(&f->peer, "over");
    wire_send_text(&f->peer, "behind");
    fixture_pass(f);
}

static void be_closing(fixture *f)
{
    static const char large[900 * 1024];
    be_open(f);
    assert_true(fixture_send(f->c, false, (slice){large, sizeof(large)}));
    connection_close(f->c, CLOSE_REASON_TAKEN_OVER, "before");
    fixture_turn(f);
}

static void be_lingering(fixture *f)
{
    be_open(f);
    connection_close(f->c, CLOSE_REASON_TAKEN_OVER, "before");
    fixture_turn(f);
}

static void be_closed(fixture *f)
{
    be_open(f);
    connection_drop(f->c, CLOSE_REASON_SILENT, "before");
}

typedef struct ending_case {
    connection_state state;
    void (*be)(fixture *f);
    const char *told;     /* until then */
    const char *on_close; /* what is told at once; in any case the descriptor is closed in the end */
    const char *on_drop;
} ending_case;

static const ending_case ending_cases[CONNECTION_STATES] = {
    {CONNECTION_HANDSHAKE, be_in_handshake, "", "end server_stops 1006 why\n", "end lost 1006 why\n"},
    {CONNECTION_OPEN, be_open, "", "end server_stops 1001 why\n", "end lost 1006 why\n"},
    {CONNECTION_PINGED, be_pinged, "", "end server_stops 1001 why\n", "end lost 1006 why\n"},
    {CONNECTION_HELD, be_held, "text hold\n", "end server_stops 1001 why\n", "end lost 1006 why\n"},
    {CONNECTION_LEAVING, be_leaving, "text over\n", "end server_stops 1001 why\n", "end lost 1006 why\n"},
    {CONNECTION_CLOSING, be_closing, "end taken_over 4001 before\n", "", ""},
    {CONNECTION_LINGERING, be_lingering, "end taken_over 4001 before\n", "", ""},
    {CONNECTION_CLOSED, be_closed, "end silent 1006 before\n", "", ""},
};

static void it_ends_once_and_is_freed_once_whatever_its_state(void **state)
{
    (void)state;
    for (int i = 0; i < CONNECTION_STATES; i++) {
        for (int is_drop = 0; is_drop < 2; is_drop++) {
            const ending_case *ending = &ending_cases[i];
            fixture *f = fixture_make();
            ending->be(f);
            assert_int_equal(f->c->entry.state, ending->state); /* that the case is what it says */
            expect(f, ending->told);
            if (is_drop)
                connection_drop(f->c, CLOSE_REASON_LOST, "why");
            else
                connection_close(f->c, CLOSE_REASON_SERVER_STOPS, "why");
            expect(f, is_drop ? ending->on_drop : ending->on_close);
            assert_int_equal(fixture_ends(&f->here), 1);
            wire_close(&f->peer);
            fixture_turn_until_freed(f);
            fixture_expect_freed(f);
            assert_int_equal(fixture_ends(&f->here), 1);
            fixture_unmake(f);
        }
    }
}

/* ---- Last bytes ---- */

static void waiting_output_is_flushed_before_the_end(void **state)
{
    (void)state;
    fixture *f = fixture_make_open();
    static char large[900 * 1024];
    assert_true(fixture_send(f->c, false, (slice){large, sizeof(large)}));
    connection_close(f->c, CLOSE_REASON_SERVER_STOPS, "the server stops");
    for (int turns = 0; !f->peer.has_ended; turns++) {
        assert_true(turns < 10000);
        fixture_turn(f);
        wire_read(&f->peer);
    }
    wire_expect_frame(&f->peer, WIRE_BINARY, large, sizeof(large));
    wire_expect_close(&f->peer, WS_CLOSE_GOING_AWAY);
    wire_expect_end(&f->peer);
    expect(f, "end server_stops 1001 the server stops\n"); /* and not freed: the peer's end is waited for */
    fixture_unmake(f);
}

static void who_has_said_all_still_gets_all(void **state)
{
    (void)state;
    fixture *f = fixture_make_open();
    static char large[900 * 1024];
    assert_true(fixture_send(f->c, false, (slice){large, sizeof(large)}));
    connection_close(f->c, CLOSE_REASON_SERVER_STOPS, "the server stops");
    fixture_turn(f);
    assert_int_equal(shutdown(f->peer.fd, SHUT_WR), 0);
    fixture_turn_until_freed(f);
    fixture_hear(f);
    expect(f, "end server_stops 1001 the server stops\nfree\n"); /* there is nothing to linger for */
    wire_expect_frame(&f->peer, WIRE_BINARY, large, sizeof(large));
    wire_expect_close(&f->peer, WS_CLOSE_GOING_AWAY);
    wire_expect_end(&f->peer);
    fixture_unmake(f);
}

static void unread_input_does_not_destroy_the_last_bytes_on_their_way(void **state)
{
    (void)state;
    fixture *f = fixture_make();
    f->c = fixture_connect(f, fixture_open_tcp(&f->peer));
    wire_send(&f->peer, wire_request, strlen(wire_request));
    fixture_turn_when_due(f);
    expect(f, "handshake 101\n");
    wire_send_text(&f->peer, "close");
    fixture_turn_when_due(f);
    expect(f, "text close\nend invalid_messages 1008 asked to\n");
    static const char more[32 * 1024];
    for (int i = 0; i < 4; i++) {
        wire_send_frame(&f->peer, WIRE_BINARY, more, sizeof(more));
        fixture_turn_when_due(f);
    }
    /* This socket blocks, so each read waits for what must come: the answer, the close frame and the end. */
    while (!f->peer.has_ended)
        assert_true(wire_read_once(&f->peer) >= 0);
    size_t len = wire_expect_answer(&f->peer, "101");
    bytes_consume(&f->peer.in, len);
    wire_expect_close(&f->peer, WS_CLOSE_POLICY);
    wire_close(&f->peer);
    while (f->c != NULL)
        fixture_turn_when_due(f);
    fixture_expect_freed(f);
    fixture_unmake(f);
}

/* ---- The peer's end ---- */

static void the_end_of_the_peer_is_its_end_in_every_state(void **state)
{
    (void)state;
    static const char *const says[] = {"", "GET /signal", NULL};
    static const char *const ends[] = {"end no_request 1006 the peer is gone\nfree\n",
                                       "end no_request 1006 the peer is gone\nfree\n",
                                       "end lost 1006 the peer is gone\nfree\n"};
    for (size_t i = 0; i < 3; i++) {
        fixture *f = fixture_make();
        fixture_begin(f, SOCK_STREAM);
        if (says[i] == NULL)
            fixture_upgrade(f);
        else if (says[i][0] != '\0')
            wire_send(&f->peer, says[i], strlen(says[i]));
        wire_close(&f->peer);
        fixture_turn(f);
        fixture_turn(f);
        expect(f, ends[i]);
        fixture_unmake(f);
    }
}

static void a_write_to_a_peer_that_is_gone_ends_it(void **state)
{
    (void)state;
    fixture *f = fixture_make_open();
    wire_close(&f->peer);
    tls_tunnel_close(&f->tunnel);
    assert_true(fixture_send(f->c, true, SLICE_LITERAL("anybody there?")));
    net_loop_end_turn(&f->here.loop);
    expect(f, "end lost 1006 the peer is gone\nfree\n");
    fixture_unmake(f);
}

/* Have the TCP connection of this socket reset. */
static void reset_tcp(int fd)
{
    struct linger none = {.l_onoff = 1, .l_linger = 0};
    assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_LINGER, &none, sizeof(none)), 0);
}

static void a_reset_ends_it(void **state)
{
    (void)state;
    fixture *f = fixture_make();
    f->c = fixture_connect(f, fixture_open_tcp(&f->peer));
    wire_send(&f->peer, wire_request, strlen(wire_request));
    fixture_turn_when_due(f);
    expect(f, "handshake 101\n");
    reset_tcp(f->peer.fd);
    wire_close(&f->peer);
    while (f->c != NULL)
        fixture_turn_when_due(f);
    expect(f, "end lost 1006 the connection broke\nfree\n");
    fixture_unmake(f);
}

/* ---- All at once ---- */

static void close_one(connection_entry *entry)
{
    connection_close(connection_of(entry), CLOSE_REASON_SERVER_STOPS, "the server stops");
}

static void drop_one(connection_entry *entry)
{
    connection_drop(connection_of(entry), CLOSE_REASON_LOST, "asked to");
}

static void every_connection_of_a_set_can_be_dropped_in_one_go(void **state)
{
    (void)state;
    enum { COUNT = 10 };
    fixture *f = fixture_make();
    wire_peer peers[COUNT];
    for (int i = 0; i < COUNT; i++) {
        fixture_connect(f, wire_open(&peers[i], SOCK_STREAM));
        if (i % 2 == 0)
            wire_send(&peers[i], wire_request, strlen(wire_request));
    }
    fixture_turn(f);
    journal_clear(&f->journal);
    connection_set_each(&f->here.set, drop_one);
    assert_int_equal(f->here.set.count, COUNT);
    fixture_turn(f);
    assert_int_equal(f->here.set.count, 0);
    assert_int_equal(fixture_ends(&f->here), COUNT);
    for (int i = 0; i < COUNT; i++)
        wire_close(&peers[i]);
    fixture_unmake(f);
}

static void a_drain_ends_in_order_what_leaves_or_is_held_in_this_very_turn(void **state)
{
    (void)state;
    static const char *const messages[] = {"over", "hold"};
    for (size_t i = 0; i < 2; i++) {
        fixture *f = fixture_make_open();
        bytes *out = NULL;
        wire_add_text(&out, "echo");
        wire_add_text(&out, messages[i]);
        wire_add_text(&out, "never handled");
        wire_send_gathered(&f->peer, &out);
        fixture_pass(f);
        journal_clear(&f->journal);
        connection_set_each(&f->here.set, close_one);
        expect(f, "end server_stops 1001 the server stops\n");
        fixture_turn(f);
        expect(f, "");
        wire_expect_text(&f->peer, "echo");
        wire_expect_close(&f->peer, WS_CLOSE_GOING_AWAY);
        wire_expect_end(&f->peer);
        wire_close(&f->peer);
        fixture_turn(f);
        fixture_expect_freed(f);
        fixture_unmake(f);
    }
}

/* ---- TLS ---- */

static void the_end_is_a_close_frame_a_close_notify_and_the_end_of_tcp(void **state)
{
    (void)state;
    fixture *f = fixture_make_open();
    wire_send_text(&f->peer, "close");
    fixture_turn(f);
    expect(f, "text close\nend invalid_messages 1008 asked to\n");
    fixture_hear(f);
    wire_expect_close(&f->peer, WS_CLOSE_POLICY);
    wire_expect_end(&f->peer);
    assert_true(f->tunnel.was_orderly);
    char byte;
    assert_int_equal(recv(f->tunnel.far, &byte, 1, 0), 0);

    /* What still comes is read on without understanding. */
    wire_send_text(&f->peer, "what?");
    fixture_turn(f);
    expect(f, "");
    wire_close(&f->peer);
    fixture_turn(f);
    fixture_expect_freed(f);
    fixture_unmake(f);
}

static void notify(fixture *f)
{
    assert_int_equal(SSL_shutdown(f->tunnel.client), 0);
}

static void end_tcp(fixture *f)
{
    assert_int_equal(shutdown(f->tunnel.far, SHUT_WR), 0);
}

static void notify_and_end_tcp(fixture *f)
{
    notify(f);
    end_tcp(f);
}

static void a_peer_that_ends_tls_hears_that_we_end_it_too(void **state)
{
    (void)state;
    static void (*const ways[])(fixture *) = {notify, end_tcp, notify_and_end_tcp};
    static void (*const states[])(fixture *) = {be_in_handshake, be_open, be_held};
    for (size_t i = 0; i < 9; i++) {
        fixture *f = fixture_make();
        states[i % 3](f);
        journal_clear(&f->journal);
        ways[i / 3](f);
        fixture_turn(f);
        expect(f, i % 3 == 0 ? "end no_request 1006 the peer is gone\nfree\n"
                             : "end lost 1006 the peer is gone\nfree\n");
        assert_true(f->tunnel.far_ended);
        assert_true(f->tunnel.was_orderly);
        fixture_unmake(f);
    }
}

/* A tunnel over TCP, with an open connection. */
static fixture *open_over_tcp(void)
{
    fixture *f = fixture_make();
    wire_peer tcp;
    int fd = fixture_open_tcp(&tcp);
    assert_int_equal(fcntl(tcp.fd, F_SETFL, O_NONBLOCK), 0);
    tls_tunnel_start(&f->tunnel, &f->peer, SOCK_STREAM, tcp.fd);
    f->c = fixture_connect(f, fd);
    wire_send(&f->peer, wire_request, strlen(wire_request));
    while (!connection_is_open(f->c))
        fixture_turn(f);
    expect(f, "handshake 101\n");
    return f;
}

static void garbage_and_a_reset_leave_nothing_behind_in_tls(void **state)
{
    (void)state;
    for (int is_reset = 0; is_reset < 2; is_reset++) {
        fixture *f = open_over_tcp();
        if (is_reset) {
            reset_tcp(f->tunnel.far);
            tls_tunnel_close(&f->tunnel);
        } else {
            wire_send(&(wire_peer){.fd = f->tunnel.far}, "\x17nonsense", 9);
        }
        while (f->c != NULL)
            assert_int_equal(net_loop_turn(&f->here.loop), 0);
        expect(f, is_reset ? "end lost 1006 the connection broke\nfree\n"
                           : "end tls_fault 1006 wrong version number\nfree\n");
        assert_int_equal(ERR_peek_error(), 0); /* or it would pass for a fault of the next connection */
        fixture_hear(f);
        assert_false(f->tunnel.was_orderly);
        fixture_unmake(f);
    }
}

static void unread_records_do_not_destroy_the_last_bytes_on_their_way(void **state)
{
    (void)state;
    fixture *f = open_over_tcp();
    wire_send_text(&f->peer, "close");
    while (connection_is_open(f->c))
        fixture_turn(f);
    static const char more[32 * 1024];
    for (int i = 0; i < 4; i++)
        wire_send_frame(&f->peer, WIRE_BINARY, more, sizeof(more));
    while (!f->peer.has_ended) {
        fixture_turn(f);
        wire_read(&f->peer);
    }
    assert_true(f->tunnel.was_orderly);
    bytes_consume(&f->peer.in, wire_expect_answer(&f->peer, "101"));
    wire_expect_close(&f->peer, WS_CLOSE_POLICY);
    fixture_unmake(f);
}

/* What holds for plain connections, and for those through TLS no less. */
static const struct CMUnitTest tests[] = {
    cmocka_unit_test(a_reason_over_its_bound_is_cut),
    cmocka_unit_test(it_ends_for_its_owner_once),
    cmocka_unit_test(a_drop_closes_at_once_and_frees_at_the_end_of_the_turn),
    cmocka_unit_test(it_ends_once_and_is_freed_once_whatever_its_state),
    cmocka_unit_test(waiting_output_is_flushed_before_the_end),
    cmocka_unit_test(who_has_said_all_still_gets_all),
    cmocka_unit_test(the_end_of_the_peer_is_its_end_in_every_state),
    cmocka_unit_test(a_write_to_a_peer_that_is_gone_ends_it),
    cmocka_unit_test(a_drain_ends_in_order_what_leaves_or_is_held_in_this_very_turn),
};

/* Those whose peers have sockets of their own, without a tunnel. */
static const struct CMUnitTest plain_tests[] = {
    cmocka_unit_test(unread_input_does_not_destroy_the_last_bytes_on_their_way),
    cmocka_unit_test(a_reset_ends_it),
    cmocka_unit_test(every_connection_of_a_set_can_be_dropped_in_one_go),
};

static const struct CMUnitTest tls_tests[] = {
    cmocka_unit_test(the_end_is_a_close_frame_a_close_notify_and_the_end_of_tcp),
    cmocka_unit_test(a_peer_that_ends_tls_hears_that_we_end_it_too),
    cmocka_unit_test(garbage_and_a_reset_leave_nothing_behind_in_tls),
    cmocka_unit_test(unread_records_do_not_destroy_the_last_bytes_on_their_way),
};

int main(void)
{
    int failed = cmocka_run_group_tests_name("plain", tests, NULL, NULL);
    failed += cmocka_run_group_tests_name("plain, with sockets of their own", plain_tests, NULL, NULL);
    failed += cmocka_run_group_tests_name("through TLS", tests, fixture_start_tls, fixture_stop_tls);
    failed += cmocka_run_group_tests_name("TLS by itself", tls_tests, fixture_start_tls, fixture_stop_tls);
    return failed;
}
