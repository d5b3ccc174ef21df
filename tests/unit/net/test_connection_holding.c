/* What connections hold from one turn to the next: that it is counted, that the largest holders are ended
 * first where all together hold too much, and that a message that was begun has a time to end. */
#include "unit/net/connection_fixture.h"

#include <stdlib.h>

enum { KIB = 1024, WS_TEXT_BEGUN = 0x01, WS_CONTINUED = 0x00 };

static fixture *make_bounded(memory_bound *memory)
{
    fixture *f = fixture_make();
    f->limits.memory = memory;
    return f;
}

static void begin_message(wire_peer *peer, size_t len)
{
    uint8_t *zeros = calloc(1, len);
    assert_non_null(zeros);
    wire_send_frame(peer, WS_TEXT_BEGUN, memset(zeros, 'x', len), len);
    free(zeros);
}

static void a_part_of_a_message_is_counted_until_the_rest_has_come(void **state)
{
    (void)state;
    memory_bound memory = {.limit = 1024 * KIB, .share = 512 * KIB};
    fixture *f = fixture_open(make_bounded(&memory), SOCK_STREAM);
    assert_int_equal(memory_bound_used(&memory), 0);
    begin_message(&f->peer, 4 * KIB);
    fixture_turn(f);
    assert_in_range(memory_bound_used(&memory), 4 * KIB, 9 * KIB);
    assert_int_equal(counter_get(&f->here.set.counters.held_bytes), memory_bound_used(&memory));
    wire_send_frame(&f->peer, 0x80, "x", 1);
    fixture_turn(f);
    expect(f, "text of 4097\n");
    assert_int_equal(memory_bound_used(&memory), 0);
    fixture_expect_idle(f);
    fixture_unmake(f);
}

static void a_message_that_is_held_is_counted_until_it_is_handled(void **state)
{
    (void)state;
    memory_bound memory = {.limit = 1024 * KIB, .share = 512 * KIB};
    fixture *f = fixture_open(make_bounded(&memory), SOCK_STREAM);
    char text[8 * KIB];
    memset(text, ' ', sizeof(text));
    memcpy(text, "over, again", 11);
    wire_send_frame(&f->peer, WIRE_TEXT, text, sizeof(text));
    fixture_turn(f);
    fixture_attach(f, &f->there);
    fixture_turn_there(f);
    expect(f, "text of 8192\nhand over\ntext of 8192\n");
    assert_in_range(memory_bound_used(&memory), 8 * KIB, 17 * KIB);
    connection_resume(f->c);
    fixture_turn_there(f);
    expect(f, "text of 8192\n");
    assert_int_equal(memory_bound_used(&memory), 0);
    fixture_unmake(f);
}

static void the_begin_of_a_header_is_counted(void **state)
{
    (void)state;
    memory_bound memory = {.limit = 1024 * KIB, .share = 512 * KIB};
    fixture *f = fixture_open(make_bounded(&memory), SOCK_STREAM);
    wire_send(&f->peer, "\x81", 1);
    fixture_turn(f);
    assert_true(memory_bound_used(&memory) > 0);
    wire_send(&f->peer, "\x80\0\0\0\0", 5);
    fixture_turn(f);
    expect(f, "text \n");
    assert_int_equal(memory_bound_used(&memory), 0);
    fixture_expect_idle(f);
    fixture_unmake(f);
}

static void output_that_waits_is_counted_until_it_is_read(void **state)
{
    (void)state;
    memory_bound memory = {.limit = 8192 * KIB, .share = 4096 * KIB};
    fixture *f = fixture_open(make_bounded(&memory), SOCK_STREAM);
    static char large[900 * KIB];
    assert_true(fixture_send(f->c, false, (slice){large, sizeof(large)}));
    fixture_turn(f);
    assert_true(memory_bound_used(&memory) > 200 * KIB);
    while (counter_get(&f->here.set.counters.backlog_bytes) > 0) {
        char taken[64 * KIB];
        (void)!recv(f->peer.fd, taken, sizeof(taken), 0);
        fixture_turn(f);
    }
    assert_int_equal(memory_bound_used(&memory), 0);
    fixture_expect_idle(f);
    fixture_unmake(f);
}

static void what_goes_to_another_thread_is_counted_there(void **state)
{
    (void)state;
    memory_bound memory = {.limit = 1024 * KIB, .share = 512 * KIB};
    fixture *f = fixture_open(make_bounded(&memory), SOCK_STREAM);
    uint8_t both[128];
    size_t len = wire_frame(both, WIRE_TEXT, "over, hold", 10);
    len += wire_frame(both + len, WIRE_TEXT, "later", 5);
    wire_send(&f->peer, both, len);
    fixture_turn(f);
    expect(f, "text over, hold\nhand over\n");
    assert_int_equal(memory_bound_used(&memory), 0);
    fixture_attach(f, &f->there);
    fixture_turn_there(f);
    expect(f, "text over, hold\n");
    assert_int_equal(f->here.set.held_bytes, 0);
    assert_true(f->there.set.held_bytes > 0);
    assert_int_equal(memory_bound_used(&memory), f->there.set.held_bytes);
    connection_resume(f->c);
    fixture_turn_there(f);
    expect(f, "text later\n");
    assert_int_equal(memory_bound_used(&memory), 0);
    fixture_unmake(f);
}

/* ---- Too much in all ---- */

enum { SMALL = 4, LARGE = 4 };

static void the_largest_holders_are_ended_first_and_the_others_stay(void **state)
{
    (void)state;
    memory_bound memory = {.limit = 400 * KIB, .share = 200 * KIB};
    fixture *f = make_bounded(&memory);
    wire_peer peers[SMALL + LARGE];
    for (int i = 0; i < SMALL + LARGE; i++) {
        fixture_connect(f, wire_open(&peers[i], SOCK_STREAM));
        wire_send(&peers[i], wire_request, strlen(wire_request));
        fixture_turn(f);
    }
    journal_clear(&f->journal);
    for (int i = 0; i < SMALL; i++)
        begin_message(&peers[i], KIB);
    fixture_turn(f);
    for (int i = SMALL; i < SMALL + LARGE; i++) {
        for (int part = 0; part < 5; part++) {
            if (part == 0)
                begin_message(&peers[i], 20 * KIB);
            else {
                static const char more[20 * KIB];
                wire_send_frame(&peers[i], WS_CONTINUED, more, sizeof(more));
            }
            fixture_turn(f);
            assert_in_range(memory_bound_used(&memory), 0, memory.limit);
        }
    }
    uint64_t ended = fixture_ends_for(&f->here, CLOSE_REASON_HELD_MOST);
    assert_in_range(ended, 1, LARGE);
    assert_int_equal(fixture_ends(&f->here), ended);

    journal_clear(&f->journal);
    for (int i = 0; i < SMALL; i++) {
        wire_send_frame(&peers[i], 0x80, NULL, 0);
        fixture_turn(f);
        expect(f, "text of 1024\n");
    }
    for (int i = 0; i < SMALL + LARGE; i++)
        wire_close(&peers[i]);
    fixture_unmake(f);
    assert_int_equal(memory_bound_used(&memory), 0);
}

static void who_holds_no_more_than_the_share_stays_whatever_others_hold(void **state)
{
    (void)state;
    _Atomic uint64_t others = 1000 * KIB;
    memory_bound memory = {.limit = 400 * KIB, .share = 200 * KIB, .other = &others};
    fixture *f = fixture_open(make_bounded(&memory), SOCK_STREAM);
    begin_message(&f->peer, 50 * KIB);
    fixture_turn(f);
    assert_true(connection_is_open(f->c));
    fixture_unmake(f);
}

static void one_whose_last_bytes_are_not_read_is_ended_as_well(void **state)
{
    (void)state;
    memory_bound memory = {.limit = 300 * KIB, .share = 150 * KIB};
    fixture *f = fixture_open(make_bounded(&memory), SOCK_STREAM);
    static char large[900 * KIB];
    assert_true(fixture_send(f->c, false, (slice){large, sizeof(large)}));
    connection_close(f->c, CLOSE_REASON_SERVER_STOPS, "over");
    fixture_turn(f);
    expect(f, "end server_stops 1001 over\nfree\n");
    assert_int_equal(memory_bound_used(&memory), 0);
    fixture_unmake(f);
}

/* ---- Messages that take too long ---- */

enum { TIMEOUT_MS = 1500 };

static fixture *open_with_timeout(void)
{
    fixture *f = fixture_make();
    f->limits.message_timeout_ms = TIMEOUT_MS;
    return fixture_open(f, SOCK_STREAM);
}

static const char slow_end[] = "end slow_message 1008 a message was not complete in time\n";

static void expect_ended_in_time(fixture *f, uint64_t begun_ms)
{
    while (connection_is_open(f->c))
        fixture_turn_when_due(f);
    uint64_t took_ms = net_loop_now_ms(&f->here.loop) - begun_ms;
    assert_in_range(took_ms, TIMEOUT_MS - 10, TIMEOUT_MS + 2500);
    expect(f, slow_end);
}

static void a_message_that_was_begun_must_end_in_time(void **state)
{
    (void)state;
    fixture *f = open_with_timeout();
    uint64_t begun_ms = net_loop_now_ms(&f->here.loop);
    begin_message(&f->peer, 100);
    fixture_turn(f);
    expect_ended_in_time(f, begun_ms);
    fixture_unmake(f);
}

static void an_empty_fragment_begins_a_message_as_well(void **state)
{
    (void)state;
    fixture *f = open_with_timeout();
    uint64_t begun_ms = net_loop_now_ms(&f->here.loop);
    wire_send_frame(&f->peer, WS_TEXT_BEGUN, NULL, 0);
    fixture_turn(f);
    expect_ended_in_time(f, begun_ms);
    fixture_unmake(f);
}

static void a_frame_that_was_begun_must_end_in_time(void **state)
{
    (void)state;
    static const char *const begins[] = {"\x81", "\x81\x85\1\2", "\x89\x85\1\2\3\4zz"};
    static const size_t lens[] = {1, 4, 8};
    for (int i = 0; i < 3; i++) {
        fixture *f = open_with_timeout();
        uint64_t begun_ms = net_loop_now_ms(&f->here.loop);
        wire_send(&f->peer, begins[i], lens[i]);
        fixture_turn(f);
        expect_ended_in_time(f, begun_ms);
        fixture_unmake(f);
    }
}

static void neither_more_fragments_nor_pings_give_a_message_more_time(void **state)
{
    (void)state;
    fixture *f = open_with_timeout();
    uint64_t begun_ms = net_loop_now_ms(&f->here.loop);
    begin_message(&f->peer, 1);
    fixture_turn(f);
    while (connection_is_open(f->c)) {
        fixture_stall(50);
        wire_send_frame(&f->peer, WS_CONTINUED, "x", 1);
        wire_send_frame(&f->peer, WIRE_PING, NULL, 0);
        fixture_turn(f);
        assert_in_range(net_loop_now_ms(&f->here.loop) - begun_ms, 0, TIMEOUT_MS + 2500);
    }
    expect(f, slow_end);
    fixture_unmake(f);
}

static void each_message_has_its_own_time(void **state)
{
    (void)state;
    fixture *f = open_with_timeout();
    uint64_t since_ms = net_loop_now_ms(&f->here.loop);
    begin_message(&f->peer, 1);
    fixture_turn(f);
    while (net_loop_now_ms(&f->here.loop) - since_ms < 3 * TIMEOUT_MS) {
        fixture_stall(100);
        uint8_t both[64];
        size_t len = wire_frame(both, 0x80, "x", 1);
        len += wire_frame(both + len, WS_TEXT_BEGUN, "x", 1);
        wire_send(&f->peer, both, len);
        fixture_turn(f);
        expect(f, "text xx\n");
    }
    assert_true(connection_is_open(f->c));
    fixture_unmake(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_part_of_a_message_is_counted_until_the_rest_has_come),
        cmocka_unit_test(a_message_that_is_held_is_counted_until_it_is_handled),
        cmocka_unit_test(the_begin_of_a_header_is_counted),
        cmocka_unit_test(output_that_waits_is_counted_until_it_is_read),
        cmocka_unit_test(what_goes_to_another_thread_is_counted_there),
        cmocka_unit_test(the_largest_holders_are_ended_first_and_the_others_stay),
        cmocka_unit_test(who_holds_no_more_than_the_share_stays_whatever_others_hold),
        cmocka_unit_test(one_whose_last_bytes_are_not_read_is_ended_as_well),
        cmocka_unit_test(a_message_that_was_begun_must_end_in_time),
        cmocka_unit_test(an_empty_fragment_begins_a_message_as_well),
        cmocka_unit_test(a_frame_that_was_begun_must_end_in_time),
        cmocka_unit_test(neither_more_fragments_nor_pings_give_a_message_more_time),
        cmocka_unit_test(each_message_has_its_own_time),
    };
    return cmocka_run_group_tests_name("connection_holding", tests, NULL, NULL);
}
