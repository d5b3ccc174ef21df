/* What a connection does when time has passed and when a turn ends: pings, deadlines, the way to another
 * thread. */
#include "net/connection_turn.h"

#include "base/clock.h"
#include "unit/net/connection_fixture.h"

#include <fcntl.h>

/* Longer than a few turns take, also under Valgrind. */
enum { LONG_MS = 20 * SHORT_MS };

static uint64_t pings(const fixture *f)
{
    return counter_get(&f->here.set.counters.pings);
}

/* Turn until the connection has been pinged so often in all, and let the peer have the last of these. */
static void await_ping(fixture *f, uint64_t number)
{
    while (pings(f) < number)
        fixture_turn_when_due(f);
    fixture_hear(f);
    wire_expect_frame(&f->peer, WIRE_PING, NULL, 0);
}

/* ---- Signs of life ---- */

static void an_idle_connection_is_pinged_and_lives_while_it_answers(void **state)
{
    (void)state;
    fixture *f = fixture_make();
    f->limits.ping_interval_ms = SHORT_MS;
    uint64_t since_ms = clock_monotonic_ms();
    fixture_open(f, SOCK_STREAM);
    for (uint64_t round = 1; round <= 5; round++) {
        await_ping(f, round);
        assert_true(clock_monotonic_ms() - since_ms >= SHORT_MS);
        fixture_expect_idle(f);
        since_ms = clock_monotonic_ms();
        wire_send_frame(&f->peer, WIRE_PONG, NULL, 0);
        fixture_turn(f);
        expect(f, "pong\n");
    }
    fixture_unmake(f);
}

static void half_a_frame_is_a_sign_of_life(void **state)
{
    (void)state;
    fixture *f = fixture_make();
    f->limits.ping_interval_ms = SHORT_MS;
    fixture_open(f, SOCK_STREAM);
    await_ping(f, 1);
    uint64_t pinged_ms = clock_monotonic_ms();
    assert_false(connection_has_read_since(f->c, pinged_ms));
    fixture_stall(2);
    wire_send(&f->peer, "\x81", 1);
    fixture_turn(f);
    assert_true(connection_has_read_since(f->c, pinged_ms));
    await_ping(f, 2); /* one that is asked already is not asked again */
    expect(f, "");
    fixture_unmake(f);
}

static void a_silent_peer_is_dropped_after_its_time(void **state)
{
    (void)state;
    fixture *f = fixture_make();
    f->limits.ping_interval_ms = SHORT_MS;
    f->limits.pong_timeout_ms = LONG_MS;
    uint64_t since_ms = clock_monotonic_ms();
    fixture_open(f, SOCK_STREAM);
    await_ping(f, 1);
    while (f->c != NULL)
        fixture_turn_when_due(f);
    assert_true(clock_monotonic_ms() - since_ms >= SHORT_MS + LONG_MS);
    expect(f, "end silent 1006 no sign of life\nfree\n");
    wire_expect_end(&f->peer);
    fixture_unmake(f);
}

static void a_ping_out_of_turn_leaves_the_deadlines_alone(void **state)
{
    (void)state;
    fixture *f = fixture_make();
    f->limits.pong_timeout_ms = SHORT_MS;
    fixture_open(f, SOCK_STREAM);
    connection_ping(f->c);
    fixture_turn(f);
    wire_expect_frame(&f->peer, WIRE_PING, NULL, 0);
    fixture_stall(3 * SHORT_MS);
    fixture_turn(f);
    fixture_turn(f);
    expect(f, "");
    assert_true(connection_is_open(f->c));
    fixture_unmake(f);
}

static void a_pong_tells_how_long_the_round_trip_is(void **state)
{
    (void)state;
    fixture *f = fixture_make_open();
    connection_ping(f->c);
    fixture_turn(f);
    fixture_stall(SHORT_MS);
    connection_ping(f->c); /* the first one counts */
    wire_send_frame(&f->peer, WIRE_PONG, NULL, 0);
    fixture_turn(f);
    expect(f, "pong\n");
    assert_true(f->c->ping_rtt_us >= SHORT_MS * 1000);
    assert_int_equal(counter_get(&f->here.set.counters.ping_rtt_us.sum), f->c->ping_rtt_us);
    fixture_unmake(f);
}

static void ping_if_open(connection_entry *entry)
{
    if (entry->state == CONNECTION_OPEN)
        connection_turn_hooks.on_due(entry);
}

/* The thread is stopped, and all answer meanwhile. When it goes on, the base tells of the timer and of their
 * answers batch by batch (32 to begin with, then 64), and the deadlines must wait for the last. */
static void a_stall_of_the_thread_drops_nobody_who_has_answered(void **state)
{
    enum { MANY = 60, PONG_MS = 20, STALL_MS = PONG_MS + 300 };
    (void)state;
    fixture *f = fixture_make();
    f->limits.pong_timeout_ms = PONG_MS;
    wire_peer peers[MANY];
    for (int i = 0; i < MANY; i++) {
        fixture_connect(f, wire_open(&peers[i], SOCK_STREAM));
        wire_send(&peers[i], wire_request, strlen(wire_request));
        fixture_turn(f);
    }
    journal_clear(&f->journal);
    connection_set_each(&f->here.set, ping_if_open);
    net_loop_end_turn(&f->here.loop);
    fixture_stall(STALL_MS);
    for (int i = 0; i < MANY; i++)
        wire_send_frame(&peers[i], WIRE_PONG, NULL, 0);
    while (f->journal.len < MANY * strlen("pong\n"))
        fixture_turn_when_due(f);
    assert_null(strstr(f->journal.text, "end"));
    assert_int_equal(fixture_in_phase(&f->here, NET_PHASE_OPEN), MANY);

    /* Put off is not given up: who is silent now is dropped. */
    journal_clear(&f->journal);
    connection_set_each(&f->here.set, ping_if_open);
    net_loop_end_turn(&f->here.loop);
    while (f->here.set.count > 0)
        fixture_turn_when_due(f);
    assert_int_equal(fixture_ends_for(&f->here, CLOSE_REASON_SILENT), MANY);
    for (int i = 0; i < MANY; i++)
        wire_close(&peers[i]);
    fixture_unmake(f);
}

/* ---- Deadlines of the end ---- */

static void a_peer_that_does_not_read_its_last_bytes_has_a_deadline(void **state)
{
    (void)state;
    fixture *f = fixture_make();
    f->limits.pong_timeout_ms = LONG_MS;
    fixture_open(f, SOCK_STREAM);
    static char large[900 * 1024];
    assert_true(fixture_send(f->c, false, (slice){large, sizeof(large)}));
    uint64_t since_ms = clock_monotonic_ms();
    connection_close(f->c, CLOSE_REASON_SERVER_STOPS, "over");
    fixture_turn(f);
    while (f->c != NULL)
        fixture_turn_when_due(f);
    assert_true(clock_monotonic_ms() - since_ms >= LONG_MS);
    expect(f, "end server_stops 1001 over\nfree\n");
    fixture_unmake(f);
}

static void a_peer_that_keeps_tcp_open_has_a_deadline(void **state)
{
    (void)state;
    fixture *f = fixture_make();
    f->limits.close_timeout_ms = SHORT_MS;
    fixture_open(f, SOCK_STREAM);
    uint64_t since_ms = clock_monotonic_ms();
    connection_close(f->c, CLOSE_REASON_SERVER_STOPS, "over");
    fixture_turn(f);
    fixture_hear(f);
    wire_expect_close(&f->peer, WS_CLOSE_GOING_AWAY);
    wire_expect_end(&f->peer);
    wire_send_text(&f->peer, "I stay");
    while (f->c != NULL)
        fixture_turn_when_due(f);
    assert_true(clock_monotonic_ms() - since_ms >= SHORT_MS);
    expect(f, "end server_stops 1001 over\nfree\n");
    fixture_unmake(f);
}

/* ---- Hand-over ---- */

static void a_hand_over_keeps_the_message_and_every_byte_behind_it(void **state)
{
    (void)state;
    bytes *all = fixture_make_conversation();
    for (size_t cut = 0; cut <= bytes_len(all); cut += fixture_step()) {
        fixture *f = fixture_make_open();
        bytes *out = NULL;
        wire_add_text(&out, "over here");
        assert_int_equal(bytes_append(&out, bytes_head(all), cut), 0);
        wire_send_gathered(&f->peer, &out);
        fixture_turn(f);
        expect(f, "text over here\nhand over\n");
        assert_int_equal(f->here.set.count, 0);
        if (cut < bytes_len(all))
            wire_send(&f->peer, bytes_head(all) + cut, bytes_len(all) - cut);
        fixture_turn(f);
        fixture_turn_there(f);
        expect(f, "");

        fixture_attach(f, &f->there);
        assert_int_equal(fixture_in_phase(&f->there, NET_PHASE_OPEN), 1);
        net_loop_end_turn(&f->there.loop);
        fixture_turn_there(f);
        fixture_expect_conversation(f, "text over here\n");
        fixture_turn(f);
        expect(f, "");
        fixture_unmake(f);
    }
    bytes_clear(&all);
}

static void what_comes_between_the_arrival_and_the_end_of_its_turn_keeps_its_place(void **state)
{
    (void)state;
    fixture *f = fixture_make_open();
    bytes *out = NULL;
    wire_add_text(&out, "over");
    wire_add_text(&out, "second");
    wire_add_text(&out, "third, cut");
    wire_send(&f->peer, bytes_head(out), bytes_len(out) - 2);
    fixture_turn(f);
    expect(f, "text over\nhand over\n");
    wire_send(&f->peer, bytes_head(out) + bytes_len(out) - 2, 2);
    fixture_attach(f, &f->there);
    fixture_turn_there(f); /* reads first, and then comes to the work of its end */
    fixture_turn_there(f);
    expect(f, "text over\ntext second\ntext third, cut\n");
    bytes_clear(&out);
    fixture_unmake(f);
}

static void an_empty_message_and_one_in_parts_can_be_handed_over(void **state)
{
    (void)state;
    fixture *f = fixture_make_open();
    wire_send_frame(&f->peer, 0x02, "over", 4);
    fixture_turn(f);
    wire_send_frame(&f->peer, 0x80, NULL, 0);
    fixture_turn(f);
    expect(f, "binary over\nhand over\n");
    fixture_attach(f, &f->there);
    fixture_turn_there(f);
    expect(f, "binary over\n");
    fixture_expect_idle(f);
    fixture_unmake(f);
}

static void a_message_that_was_handed_over_may_hold_or_close(void **state)
{
    (void)state;
    for (int is_close = 0; is_close < 2; is_close++) {
        fixture *f = fixture_make_open();
        bytes *out = NULL;
        wire_add_text(&out, is_close ? "over, close" : "over, hold");
        wire_add_text(&out, "behind");
        wire_send_gathered(&f->peer, &out);
        fixture_turn(f);
        fixture_attach(f, &f->there);
        fixture_turn_there(f);
        if (is_close) {
            expect(f, "text over, close\nhand over\ntext over, close\nend invalid_messages 1008 asked to\n");
            wire_expect_close(&f->peer, WS_CLOSE_POLICY);
        } else {
            expect(f, "text over, hold\nhand over\ntext over, hold\n");
            connection_resume(f->c);
            fixture_turn_there(f);
            expect(f, "text behind\n");
        }
        fixture_unmake(f);
    }
}

static void a_message_that_is_handed_on_again_keeps_what_is_behind_it(void **state)
{
    (void)state;
    fixture *f = fixture_make_open();
    bytes *out = NULL;
    wire_add_text(&out, "over");
    wire_add_text(&out, "behind");
    wire_send_gathered(&f->peer, &out);
    fixture_turn(f);
    fixture_attach(f, &f->here); /* which again does not want it */
    fixture_turn(f);
    expect(f, "text over\nhand over\ntext over\nhand over\n");
    fixture_attach(f, &f->there);
    fixture_turn_there(f);
    expect(f, "text over\ntext behind\n");
    fixture_unmake(f);
}

static void a_connection_can_be_handed_back_and_forth(void **state)
{
    (void)state;
    fixture *f = fixture_make_open();
    bytes *out = NULL;
    wire_add_text(&out, "over 1");
    wire_add_text(&out, "a");
    wire_add_text(&out, "back 1");
    wire_add_text(&out, "b");
    wire_add_text(&out, "over 2");
    wire_add_text(&out, "c");
    wire_send_gathered(&f->peer, &out);
    fixture_turn(f);
    fixture_attach(f, &f->there);
    fixture_turn_there(f);
    expect(f, "text over 1\nhand over\ntext over 1\ntext a\ntext back 1\nhand over\n");
    fixture_attach(f, &f->here);
    fixture_turn(f);
    expect(f, "text back 1\ntext b\ntext over 2\nhand over\n");
    fixture_attach(f, &f->there);
    fixture_turn_there(f);
    expect(f, "text over 2\ntext c\n");
    assert_int_equal(f->here.set.count, 0);
    assert_int_equal(f->there.set.count, 1);
    fixture_unmake(f);
}

static void waiting_output_moves_along_in_order(void **state)
{
    (void)state;
    fixture *f = fixture_make_open();
    static char large[900 * 1024];
    memset(large, 'x', sizeof(large));
    assert_true(fixture_send(f->c, false, (slice){large, sizeof(large)}));
    fixture_turn(f);
    assert_int_equal(counter_get(&f->here.set.counters.backlog_connections), 1);

    bytes *out = NULL;
    wire_add_text(&out, "echo before");
    wire_add_text(&out, "over");
    wire_add_text(&out, "echo after");
    wire_send_gathered(&f->peer, &out);
    fixture_turn(f);
    expect(f, "text echo before\ntext over\nhand over\n");
    assert_int_equal(counter_get(&f->here.set.counters.backlog_connections), 0);
    assert_int_equal(counter_get(&f->here.set.counters.backlog_bytes), 0);
    fixture_attach(f, &f->there);
    do {
        fixture_turn_there(f);
        wire_read(&f->peer);
    } while (counter_get(&f->there.set.counters.backlog_bytes) > 0);
    fixture_hear(f);
    wire_expect_frame(&f->peer, WIRE_BINARY, large, sizeof(large));
    wire_expect_text(&f->peer, "echo before");
    wire_expect_text(&f->peer, "echo after");
    wire_expect_nothing(&f->peer);
    fixture_expect_idle(f);
    fixture_unmake(f);
}

static void a_detached_connection_can_be_abandoned(void **state)
{
    (void)state;
    fixture *f = fixture_make_open();
    bytes *out = NULL;
    wire_add_text(&out, "over");
    wire_add_text(&out, "never handled");
    wire_send_gathered(&f->peer, &out);
    fixture_turn(f);
    expect(f, "text over\nhand over\n");
    connection_abandon(f->detached, "nobody takes it");
    f->detached = NULL;
    expect(f, "end server_stops 1006 nobody takes it\nfree\n");
    assert_int_equal(fixture_ends(&f->here), 0); /* it is nobody's any more */
    fixture_hear(f);
    wire_expect_end(&f->peer);
    fixture_unmake(f);
}

static void one_whose_socket_can_not_be_watched_there_ends_behind_its_message(void **state)
{
    (void)state;
    fixture *f = fixture_make_open();
    wire_send_text(&f->peer, "over");
    fixture_turn(f);
    expect(f, "text over\nhand over\n");
    int fd = open("/dev/null", O_RDWR | O_CLOEXEC);
    assert_int_equal(dup3(fd, transport_fd(&f->detached->transport), O_CLOEXEC),
                     transport_fd(&f->detached->transport));
    close(fd);
    connection_attach(f->detached, &f->there.set); /* epoll takes no such thing */
    f->detached = NULL;
    fixture_turn_there(f);
    expect(f, "text over\nend no_memory 1006 out of memory\nfree\n");
    assert_int_equal(f->there.set.count, 0);
    fixture_unmake(f);
}

static void one_that_ends_in_the_turn_that_attaches_it_is_never_watched(void **state)
{
    (void)state;
    if (fixture_tls() != NULL)
        return; /* what comes behind a close frame is waited for */
    fixture *f = fixture_make_open();
    bytes *out = NULL;
    wire_add_text(&out, "over");
    wire_add_frame(&out, WIRE_CLOSE, "\x03\xE8", 2);
    wire_send_gathered(&f->peer, &out);
    fixture_turn(f);
    expect(f, "text over\nhand over\n");
    int fd = open("/dev/null", O_RDWR | O_CLOEXEC); /* an epoll that takes nothing any more */
    assert_int_equal(dup3(fd, f->there.loop.epoll.fd, O_CLOEXEC), f->there.loop.epoll.fd);
    close(fd);
    fixture_attach(f, &f->there);
    net_loop_end_turn(&f->there.loop);
    expect(f, "text over\nend by_peer 1000 the peer closed\nfree\n");
    wire_expect_close(&f->peer, 1000);
    wire_expect_end(&f->peer);
    fixture_unmake(f);
}

static void an_end_before_the_hand_over_comes_first(void **state)
{
    (void)state;
    for (int is_drop = 0; is_drop < 2; is_drop++) {
        fixture *f = fixture_make_open();
        wire_send_text(&f->peer, "over");
        fixture_pass(f);
        expect(f, "text over\n");
        if (is_drop)
            connection_drop(f->c, CLOSE_REASON_LOST, "asked to");
        else
            connection_close(f->c, CLOSE_REASON_SERVER_STOPS, "asked to");
        net_loop_end_turn(&f->here.loop);
        expect(f, is_drop ? "end lost 1006 asked to\nfree\n" : "end server_stops 1001 asked to\n");
        fixture_hear(f);
        if (!is_drop)
            wire_expect_close(&f->peer, WS_CLOSE_GOING_AWAY);
        fixture_unmake(f);
    }
}

static void one_that_arrives_can_be_closed_at_once_without_handling_its_message(void **state)
{
    (void)state;
    fixture *f = fixture_make_open();
    wire_send_text(&f->peer, "over");
    fixture_turn(f);
    fixture_attach(f, &f->there);
    connection_close(f->c, CLOSE_REASON_SERVER_STOPS, "the server stops");
    fixture_turn_there(f);
    expect(f, "text over\nhand over\nend server_stops 1001 the server stops\n");
    wire_expect_close(&f->peer, WS_CLOSE_GOING_AWAY);
    wire_close(&f->peer);
    fixture_turn_there(f);
    expect(f, "free\n");
    assert_int_equal(f->there.set.count, 0);
    fixture_unmake(f);
}

static void one_that_comes_back_from_its_own_hand_over_can_be_closed(void **state)
{
    (void)state;
    fixture *f = fixture_make();
    f->takes_back = true;
    fixture_open(f, SOCK_STREAM);
    bytes *out = NULL;
    wire_add_text(&out, "over");
    wire_add_text(&out, "never handled");
    wire_send_gathered(&f->peer, &out);
    fixture_turn(f);
    expect(f, "text over\nhand over\nend server_stops 1001 the server stops\n");
    wire_expect_close(&f->peer, WS_CLOSE_GOING_AWAY);
    wire_expect_end(&f->peer);
    wire_close(&f->peer);
    fixture_turn(f);
    fixture_expect_freed(f);
    fixture_unmake(f);
}

/* ---- From a loop to one whose turn has begun before ---- */

static void begin_turn_there(fixture *f)
{
    (void)net_loop_now_ms(&f->there.loop);
    fixture_stall(SHORT_MS);
}

static void a_flood_is_one_also_where_time_is_behind(void **state)
{
    (void)state;
    fixture *f = fixture_make();
    f->limits.frame_rate = (token_bucket_rate){.per_second = 1, .burst = 4};
    fixture_open(f, SOCK_STREAM);
    begin_turn_there(f);
    bytes *out = NULL;
    wire_add_text(&out, "a");
    wire_add_text(&out, "over");
    for (int i = 0; i < 5; i++)
        wire_add_text(&out, "b");
    wire_send_gathered(&f->peer, &out);
    fixture_turn(f);
    fixture_attach(f, &f->there);
    fixture_turn_there(f);
    expect(f, "text a\ntext over\nhand over\ntext over\ntext b\ntext b\nend flood 1008 too many messages\n");
    fixture_unmake(f);
}

static void a_round_trip_is_short_also_where_time_is_behind(void **state)
{
    (void)state;
    fixture *f = fixture_make_open();
    begin_turn_there(f);
    connection_ping(f->c);
    fixture_turn(f);
    bytes *out = NULL;
    wire_add_text(&out, "over");
    wire_add_frame(&out, WIRE_PONG, NULL, 0);
    wire_send_gathered(&f->peer, &out);
    fixture_turn(f);
    fixture_attach(f, &f->there);
    fixture_turn_there(f);
    expect(f, "text over\nhand over\ntext over\npong\n");
    assert_true(f->c->ping_rtt_us < 1000 * 1000);
    assert_true(counter_get(&f->there.set.counters.ping_rtt_us.sum) < 1000 * 1000);
    fixture_unmake(f);
}

static void deadlines_are_those_of_the_loop_that_it_has_come_to(void **state)
{
    (void)state;
    fixture *f = fixture_make();
    f->limits.ping_interval_ms = 4 * SHORT_MS;
    fixture_open(f, SOCK_STREAM);
    uint64_t since_ms = net_loop_now_ms(&f->there.loop);
    fixture_stall(SHORT_MS);
    wire_send_text(&f->peer, "over");
    fixture_turn(f);
    expect(f, "text over\nhand over\n");
    fixture_attach(f, &f->there);
    net_loop_end_turn(&f->there.loop);
    expect(f, "text over\n");
    while (counter_get(&f->there.set.counters.pings) == 0)
        assert_int_equal(net_loop_turn(&f->there.loop), 0);
    assert_true(clock_monotonic_ms() - since_ms >= 4 * SHORT_MS);
    assert_true(connection_has_read_since(f->c, since_ms));
    fixture_hear(f);
    wire_expect_frame(&f->peer, WIRE_PING, NULL, 0);
    fixture_unmake(f);
}

/* What holds for plain connections, and for those through TLS no less. */
static const struct CMUnitTest tests[] = {
    cmocka_unit_test(an_idle_connection_is_pinged_and_lives_while_it_answers),
    cmocka_unit_test(half_a_frame_is_a_sign_of_life),
    cmocka_unit_test(a_silent_peer_is_dropped_after_its_time),
    cmocka_unit_test(a_ping_out_of_turn_leaves_the_deadlines_alone),
    cmocka_unit_test(a_pong_tells_how_long_the_round_trip_is),
    cmocka_unit_test(a_peer_that_does_not_read_its_last_bytes_has_a_deadline),
    cmocka_unit_test(a_peer_that_keeps_tcp_open_has_a_deadline),
    cmocka_unit_test(a_hand_over_keeps_the_message_and_every_byte_behind_it),
    cmocka_unit_test(what_comes_between_the_arrival_and_the_end_of_its_turn_keeps_its_place),
    cmocka_unit_test(an_empty_message_and_one_in_parts_can_be_handed_over),
    cmocka_unit_test(a_message_that_was_handed_over_may_hold_or_close),
    cmocka_unit_test(a_message_that_is_handed_on_again_keeps_what_is_behind_it),
    cmocka_unit_test(a_connection_can_be_handed_back_and_forth),
    cmocka_unit_test(waiting_output_moves_along_in_order),
    cmocka_unit_test(a_detached_connection_can_be_abandoned),
    cmocka_unit_test(one_whose_socket_can_not_be_watched_there_ends_behind_its_message),
    cmocka_unit_test(one_that_ends_in_the_turn_that_attaches_it_is_never_watched),
    cmocka_unit_test(an_end_before_the_hand_over_comes_first),
    cmocka_unit_test(one_that_arrives_can_be_closed_at_once_without_handling_its_message),
    cmocka_unit_test(one_that_comes_back_from_its_own_hand_over_can_be_closed),
    cmocka_unit_test(a_flood_is_one_also_where_time_is_behind),
    cmocka_unit_test(a_round_trip_is_short_also_where_time_is_behind),
    cmocka_unit_test(deadlines_are_those_of_the_loop_that_it_has_come_to),
};

/* Those whose peers have sockets of their own, without a tunnel. */
static const struct CMUnitTest plain_tests[] = {
    cmocka_unit_test(a_stall_of_the_thread_drops_nobody_who_has_answered),
};

/* With TLS only: most of what comes has been read from the socket before. */
static void a_hand_over_takes_along_what_tls_holds(void **state)
{
    (void)state;
    fixture *f = fixture_make_open();
    enum { MESSAGES = 30, LEN = 5000 };
    char text[LEN];
    memset(text, 'x', sizeof(text));
    wire_send_text(&f->peer, "over");
    for (int i = 0; i < MESSAGES; i++)
        wire_send_frame(&f->peer, WIRE_TEXT, text, sizeof(text));
    tls_tunnel_carry(&f->tunnel);
    wire_turn(&f->here.loop);
    expect(f, "text over\nhand over\n");
    fixture_attach(f, &f->there);
    fixture_turn_there(f);
    wire_send_text(&f->peer, "echo");
    fixture_turn_there(f);
    fixture_turn_there(f);
    assert_int_equal(counter_get(&f->here.set.counters.messages_in), 1);
    assert_int_equal(counter_get(&f->there.set.counters.messages_in), MESSAGES + 1);
    wire_expect_text(&f->peer, "echo");
    fixture_expect_idle(f);
    fixture_unmake(f);
}

static const struct CMUnitTest tls_tests[] = {
    cmocka_unit_test(a_hand_over_takes_along_what_tls_holds),
};

int main(void)
{
    event_set_log_callback(fixture_be_silent);
    int failed = cmocka_run_group_tests_name("plain", tests, NULL, NULL);
    failed += cmocka_run_group_tests_name("plain, with sockets of their own", plain_tests, NULL, NULL);
    failed += cmocka_run_group_tests_name("through TLS", tests, fixture_start_tls, fixture_stop_tls);
    failed += cmocka_run_group_tests_name("TLS by itself", tls_tests, fixture_start_tls, fixture_stop_tls);
    return failed;
}
