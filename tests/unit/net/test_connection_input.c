/* What a connection reads: bytes to frames to messages, and what its owner says to them. */
#include "net/connection_input.h"

#include "unit/net/connection_fixture.h"

#include <stdio.h>
#include <stdlib.h>

static uint64_t messages_in(const side *s)
{
    return counter_get(&s->set.counters.messages_in);
}

/* ---- Messages ---- */

static void messages_of_both_kinds_are_delivered_in_order(void **state)
{
    (void)state;
    fixture *f = fixture_make_open();
    bytes *out = NULL;
    wire_add_text(&out, "one");
    wire_add_frame(&out, WIRE_BINARY, "two", 3);
    wire_add_text(&out, "");
    wire_add_frame(&out, 0x01, "thr", 3);
    wire_add_frame(&out, 0x00, "", 0);
    wire_add_frame(&out, 0x80, "ee", 2);
    wire_add_frame(&out, 0x01, "", 0);
    wire_add_frame(&out, 0x80, "", 0);
    wire_send_gathered(&f->peer, &out);
    fixture_turn(f);
    expect(f, "text one\nbinary two\ntext \ntext three\ntext \n");
    assert_int_equal(messages_in(&f->here), 5);
    fixture_expect_idle(f);
    fixture_unmake(f);
}

static void a_conversation_may_be_cut_anywhere(void **state)
{
    (void)state;
    bytes *all = fixture_make_conversation();
    for (size_t cut = 0; cut <= bytes_len(all); cut += fixture_step()) {
        fixture *f = fixture_make_open();
        if (cut > 0)
            wire_send(&f->peer, bytes_head(all), cut);
        fixture_turn(f);
        if (cut < bytes_len(all))
            wire_send(&f->peer, bytes_head(all) + cut, bytes_len(all) - cut);
        fixture_turn(f);
        fixture_expect_conversation(f, "");
        fixture_unmake(f);
    }
    bytes_clear(&all);
}

static void a_conversation_may_come_byte_by_byte(void **state)
{
    (void)state;
    bytes *all = fixture_make_conversation();
    fixture *f = fixture_make_open();
    for (size_t i = 0; i < bytes_len(all); i++) {
        wire_send(&f->peer, bytes_head(all) + i, 1);
        fixture_turn(f);
    }
    assert_int_equal(counter_get(&f->here.set.counters.bytes_in), strlen(wire_request) + bytes_len(all));
    fixture_expect_conversation(f, "");
    bytes_clear(&all);
    fixture_unmake(f);
}

static void a_part_of_a_frame_is_kept_only_until_the_rest_has_come(void **state)
{
    (void)state;
    fixture *f = fixture_make_open();
    bytes *all = NULL;
    wire_add_text(&all, "some text that comes in parts");
    wire_send(&f->peer, bytes_head(all), 3); /* half a header */
    fixture_turn(f);
    wire_send(&f->peer, bytes_head(all) + 3, 7);
    fixture_turn(f);
    expect(f, "");
    wire_send(&f->peer, bytes_head(all) + 10, bytes_len(all) - 10);
    fixture_turn(f);
    expect(f, "text some text that comes in parts\n");
    fixture_expect_idle(f);
    bytes_clear(&all);
    fixture_unmake(f);
}

static void send_in_turns(fixture *f, const void *data, size_t len)
{
    for (size_t at = 0; at < len; at += 8192) {
        wire_send(&f->peer, (const char *)data + at, len - at < 8192 ? len - at : 8192);
        fixture_turn(f);
    }
}

static void the_largest_message_is_taken_and_one_byte_more_is_not(void **state)
{
    (void)state;
    for (size_t more = 0; more < 2; more++) {
        fixture *f = fixture_make_open();
        size_t len = 128 * 1024 + more;
        char *text = malloc(len);
        assert_non_null(text);
        memset(text, 'x', len);
        bytes *out = NULL;
        wire_add_frame(&out, WIRE_TEXT, text, len);
        send_in_turns(f, bytes_head(out), bytes_len(out));
        if (more == 0) {
            expect(f, "text of 131072\n");
            fixture_expect_idle(f);
        } else {
            expect(f, "end too_big 1009 message too big\n");
            wire_expect_close(&f->peer, WS_CLOSE_TOO_BIG);
        }
        bytes_clear(&out);
        free(text);
        fixture_unmake(f);
    }
}

static void the_owner_may_end_it_while_it_handles_a_message(void **state)
{
    (void)state;
    for (int is_drop = 0; is_drop < 2; is_drop++) {
        fixture *f = fixture_make_open();
        bytes *out = NULL;
        wire_add_text(&out, "echo");
        wire_add_text(&out, is_drop ? "drop" : "close");
        wire_add_text(&out, "never handled");
        wire_send_gathered(&f->peer, &out);
        fixture_turn(f);
        if (is_drop) {
            expect(f, "text echo\ntext drop\nend lost 1006 asked to\nfree\n");
        } else {
            expect(f, "text echo\ntext close\nend invalid_messages 1008 asked to\n");
            wire_expect_text(&f->peer, "echo");
            wire_expect_close(&f->peer, WS_CLOSE_POLICY);
        }
        wire_expect_end(&f->peer);
        fixture_unmake(f);
    }
}

static void a_ping_is_answered_with_its_own_payload(void **state)
{
    (void)state;
    fixture *f = fixture_make_open();
    char payload[126];
    memset(payload, '\xFE', sizeof(payload));
    for (size_t len = 0; len <= 125; len++) {
        wire_send_frame(&f->peer, WIRE_PING, payload, len);
        fixture_turn(f);
        wire_expect_frame(&f->peer, WIRE_PONG, payload, len);
    }
    expect(f, "");
    wire_send_frame(&f->peer, WIRE_PING, payload, 126);
    fixture_turn(f);
    expect(f, "end protocol_fault 1002 control frame over 125 bytes\n");
    fixture_unmake(f);
}

/* ---- Faults and floods ---- */

static void what_came_before_a_fault_is_answered_before_the_close(void **state)
{
    (void)state;
    fixture *f = fixture_make_open();
    bytes *out = NULL;
    wire_add_text(&out, "echo");
    wire_add_frame(&out, WIRE_PING, "p", 1);
    wire_add_frame(&out, 0x83, "reserved", 8);
    wire_add_text(&out, "echo never");
    wire_send_gathered(&f->peer, &out);
    fixture_turn(f);
    expect(f, "text echo\nend protocol_fault 1002 reserved opcode\n");
    wire_expect_text(&f->peer, "echo");
    wire_expect_frame(&f->peer, WIRE_PONG, "p", 1);
    wire_expect_close(&f->peer, WS_CLOSE_PROTOCOL_ERROR);
    wire_expect_end(&f->peer);
    fixture_unmake(f);
}

static void text_that_is_not_utf_8_fails_at_the_offending_byte(void **state)
{
    (void)state;
    fixture *f = fixture_make_open();
    static const uint8_t header[] = {WIRE_TEXT, 0x80 | 100, 0, 0, 0, 0};
    wire_send(&f->peer, header, sizeof(header));
    wire_send(&f->peer, "\xF4", 1);
    fixture_turn(f);
    expect(f, "");
    wire_send(&f->peer, "\x90", 1);
    fixture_turn(f);
    expect(f, "end protocol_fault 1007 text is not UTF-8\n");
    wire_expect_close(&f->peer, WS_CLOSE_INVALID_DATA);
    fixture_unmake(f);
}

/* A connection whose peer may send so many frames at once. */
static fixture *open_with_burst(uint32_t burst)
{
    fixture *f = fixture_make();
    f->limits.frame_rate = (token_bucket_rate){.per_second = 1, .burst = burst};
    return fixture_open(f, SOCK_STREAM);
}

static void a_peer_that_floods_is_closed(void **state)
{
    (void)state;
    fixture *f = open_with_burst(4);
    bytes *out = NULL;
    wire_add_text(&out, "a");
    wire_add_frame(&out, WIRE_PING, "", 0);
    wire_add_frame(&out, 0x01, "b", 1);
    wire_add_frame(&out, 0x80, "c", 1);
    wire_add_text(&out, "d");
    wire_send_gathered(&f->peer, &out);
    fixture_turn(f);
    expect(f, "text a\ntext bc\nend flood 1008 too many messages\n");
    wire_expect_frame(&f->peer, WIRE_PONG, "", 0);
    wire_expect_close(&f->peer, WS_CLOSE_POLICY);
    fixture_unmake(f);
}

/* ---- What all connections of a client may send together ---- */

static net_allowance allowance;

/* A connection of a client whose connections may send so many frames and bytes at once. */
static fixture *open_as_client(uint32_t frames, uint32_t size)
{
    fixture *f = fixture_make();
    f->limits.client_frame_rate = (token_bucket_rate){.per_second = 1, .burst = frames};
    f->limits.client_byte_rate = (token_bucket_rate){.per_second = 1, .burst = size};
    f = fixture_open(f, SOCK_STREAM);
    f->c->allowance = &allowance;
    return f;
}

static void what_a_client_has_sent_by_one_connection_counts_for_the_next(void **state)
{
    (void)state;
    allowance = (net_allowance){.is_limited = true};
    for (int i = 0; i < 3; i++) {
        fixture *f = open_as_client(5, 1000);
        bytes *out = NULL;
        wire_add_text(&out, "a");
        wire_add_frame(&out, WIRE_PING, "", 0);
        wire_send_gathered(&f->peer, &out);
        fixture_turn(f);
        expect(f, i < 2 ? "text a\n" : "text a\nend address_flood 1008 too many messages from one address\n");
        wire_expect_frame(&f->peer, WIRE_PONG, "", 0);
        if (i == 2)
            wire_expect_close(&f->peer, WS_CLOSE_POLICY);
        fixture_unmake(f);
    }
}

static void bytes_of_a_client_are_counted_also_in_one_long_message(void **state)
{
    (void)state;
    allowance = (net_allowance){.is_limited = true};
    fixture *f = open_as_client(100, 100);
    char text[62] = {0};
    memset(text, 'x', sizeof(text) - 1);
    wire_send_text(&f->peer, text); /* 67 bytes with its header */
    fixture_turn(f);
    char expected[80];
    snprintf(expected, sizeof(expected), "text %s\n", text);
    expect(f, expected);
    static const uint8_t header[] = {WIRE_TEXT, 0x80 | 100, 0, 0, 0, 0};
    wire_send(&f->peer, header, sizeof(header));
    wire_send(&f->peer, text, 28); /* one byte more than there may be */
    fixture_turn(f);
    expect(f, "end address_flood 1008 too many bytes from one address\n");
    fixture_unmake(f);
}

/* Each read costs a system call, whatever it brings. */
static void bytes_that_come_one_by_one_count_as_a_frame_each(void **state)
{
    (void)state;
    allowance = (net_allowance){.is_limited = true};
    fixture *f = open_as_client(5, 1000);
    bytes *out = NULL;
    wire_add_text(&out, "slowly");
    for (size_t i = 0; i < 6; i++) {
        wire_send(&f->peer, bytes_head(out) + i, 1);
        fixture_turn(f);
    }
    expect(f, "end address_flood 1008 too many messages from one address\n");
    bytes_clear(&out);
    fixture_unmake(f);
}

static void no_limit_of_a_client_is_for_one_that_is_exempt(void **state)
{
    (void)state;
    allowance = (net_allowance){.is_limited = false};
    fixture *f = open_as_client(1, 1);
    for (int i = 0; i < 5; i++) {
        wire_send_text(&f->peer, "a");
        fixture_turn(f);
        expect(f, "text a\n");
    }
    fixture_unmake(f);
}

static void a_frame_counts_once_in_however_many_parts_it_comes(void **state)
{
    (void)state;
    fixture *f = open_with_burst(1);
    bytes *out = NULL;
    wire_add_text(&out, "one frame in many parts");
    for (size_t i = 0; i < bytes_len(out); i++) {
        wire_send(&f->peer, bytes_head(out) + i, 1);
        fixture_turn(f);
    }
    expect(f, "text one frame in many parts\n");
    bytes_clear(&out);
    fixture_unmake(f);
}

static void an_answer_that_was_asked_for_is_no_flood(void **state)
{
    (void)state;
    fixture *f = open_with_burst(2);
    for (int i = 0; i < 5; i++) {
        connection_ping(f->c);
        fixture_turn(f);
        wire_expect_frame(&f->peer, WIRE_PING, NULL, 0);
        wire_send_frame(&f->peer, WIRE_PONG, NULL, 0);
        fixture_turn(f);
        expect(f, "pong\n");
    }
    for (int i = 0; i < 3; i++) /* but these were not */
        wire_send_frame(&f->peer, WIRE_PONG, NULL, 0);
    fixture_turn(f);
    expect(f, "pong\npong\nend flood 1008 too many messages\n");
    fixture_unmake(f);
}

static void a_close_is_echoed_even_to_a_peer_without_tokens(void **state)
{
    (void)state;
    fixture *f = open_with_burst(1);
    bytes *out = NULL;
    wire_add_text(&out, "the only one");
    wire_add_frame(&out, WIRE_CLOSE, "\x03\xe8", 2);
    wire_send_gathered(&f->peer, &out);
    fixture_turn(f);
    fixture_expect_closed_by_peer(f, "text the only one\n", 1000);
    wire_expect_close(&f->peer, WS_CLOSE_NORMAL);
    fixture_unmake(f);
}

/* ---- Closes ---- */

static void a_close_is_answered_with_its_code_and_the_end(void **state)
{
    (void)state;
    static const struct {
        const char *payload;
        size_t len;
        uint16_t code;
    } cases[] = {{"", 0, 1005}, {"\x03\xE8", 2, 1000}, {"\x03\xE9 going", 8, 1001}, {"\x0F\xA1", 2, 4001}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        fixture *f = fixture_make_open();
        wire_send_frame(&f->peer, WIRE_CLOSE, cases[i].payload, cases[i].len);
        fixture_turn(f);
        fixture_expect_closed_by_peer(f, "", cases[i].code);
        wire_expect_close(&f->peer, cases[i].code);
        wire_expect_end(&f->peer);
        wire_close(&f->peer);
        fixture_turn(f);
        assert_null(f->c);
        assert_int_equal(f->here.set.count, 0);
        fixture_unmake(f);
    }
}

static void what_comes_behind_a_close_is_thrown_away(void **state)
{
    (void)state;
    fixture *f = fixture_make_open();
    bytes *out = NULL;
    wire_add_frame(&out, WIRE_CLOSE, NULL, 0);
    wire_add_text(&out, "echo never");
    wire_add_frame(&out, WIRE_PING, NULL, 0);
    wire_add_frame(&out, WIRE_CLOSE, NULL, 0);
    wire_send_gathered(&f->peer, &out);
    fixture_turn(f);
    fixture_expect_idle(f);
    wire_send_text(&f->peer, "echo never");
    fixture_turn(f);
    wire_send(&f->peer, "\xFF\xFF", 2);
    fixture_turn(f);
    expect(f, "end by_peer 1005 the peer closed\n");
    wire_expect_close(&f->peer, 1005);
    wire_expect_end(&f->peer);
    fixture_expect_idle(f);
    fixture_unmake(f);
}

/* A pong that is under way would be answered with a reset, which may destroy the last bytes. */
static void one_whose_pong_may_come_is_not_closed_before_the_end_of_its_peer(void **state)
{
    (void)state;
    fixture *f = fixture_make_open();
    connection_ping(f->c);
    fixture_turn(f);
    wire_expect_frame(&f->peer, WIRE_PING, NULL, 0);
    wire_send_frame(&f->peer, WIRE_CLOSE, NULL, 0);
    fixture_turn(f);
    expect(f, "end by_peer 1005 the peer closed\n");
    fixture_expect_idle(f);
    wire_send_frame(&f->peer, WIRE_PONG, NULL, 0);
    fixture_turn(f);
    wire_send(&f->peer, "\xFF\xFF", 2);
    fixture_turn(f);
    wire_expect_close(&f->peer, 1005);
    wire_expect_end(&f->peer);
    fixture_expect_idle(f);
    wire_close(&f->peer);
    fixture_turn(f);
    fixture_expect_freed(f);
    fixture_unmake(f);
}

static void one_that_closes_and_does_not_read_gets_everything_when_it_does(void **state)
{
    (void)state;
    fixture *f = fixture_make_open();
    fixture_fill(f);
    wire_send_frame(&f->peer, WIRE_CLOSE, NULL, 0);
    fixture_turn(f);
    expect(f, "end by_peer 1005 the peer closed\n");
    assert_int_equal(fixture_in_phase(&f->here, NET_PHASE_CLOSING), 1);
    uint64_t sent = counter_get(&f->here.set.counters.messages_out);
    fixture_turn_until_freed(f);
    fixture_expect_freed(f);
    static const char some[8000];
    while (sent-- > 0)
        wire_expect_frame(&f->peer, WIRE_BINARY, some, sizeof(some));
    wire_expect_close(&f->peer, 1005);
    wire_expect_end(&f->peer);
    fixture_unmake(f);
}

static void a_close_in_the_middle_of_a_message_forgets_it(void **state)
{
    (void)state;
    fixture *f = fixture_make_open();
    wire_send_frame(&f->peer, 0x01, "half", 4);
    fixture_turn(f);
    wire_send_frame(&f->peer, WIRE_CLOSE, "\x03\xE8", 2);
    fixture_turn(f);
    fixture_expect_closed_by_peer(f, "", 1000);
    assert_int_equal(messages_in(&f->here), 0);
    assert_int_equal(f->here.set.held_bytes, 0);
    fixture_unmake(f);
}

/* ---- Hold and resume ---- */

static void a_held_connection_keeps_its_input_and_the_order(void **state)
{
    (void)state;
    fixture *f = fixture_make_open();
    bytes *out = NULL;
    wire_add_text(&out, "hold 1");
    wire_add_text(&out, "a");
    wire_add_text(&out, "hold 2");
    wire_add_text(&out, "b");
    wire_send_gathered(&f->peer, &out);
    fixture_turn(f);
    expect(f, "text hold 1\n");
    assert_true(connection_is_open(f->c));
    wire_send_text(&f->peer, "c");
    fixture_turn(f);
    fixture_turn(f);
    expect(f, "");

    connection_resume(f->c);
    expect(f, "");
    fixture_turn(f);
    expect(f, "text a\ntext hold 2\n");
    connection_resume(f->c);
    fixture_turn(f);
    expect(f, "text b\ntext c\n");
    fixture_expect_idle(f);
    assert_int_equal(fixture_in_phase(&f->here, NET_PHASE_OPEN), 1);
    fixture_unmake(f);
}

static void a_hold_may_fall_anywhere_into_the_input(void **state)
{
    (void)state;
    bytes *all = fixture_make_conversation();
    for (size_t cut = 0; cut <= bytes_len(all); cut += fixture_step()) {
        fixture *f = fixture_make_open();
        bytes *out = NULL;
        wire_add_text(&out, "hold");
        assert_int_equal(bytes_append(&out, bytes_head(all), cut), 0);
        wire_send_gathered(&f->peer, &out);
        fixture_turn(f);
        if (cut < bytes_len(all))
            wire_send(&f->peer, bytes_head(all) + cut, bytes_len(all) - cut);
        fixture_turn(f);
        expect(f, "text hold\n");
        wire_expect_nothing(&f->peer);
        connection_resume(f->c);
        fixture_turn(f);
        fixture_expect_conversation(f, "");
        fixture_unmake(f);
    }
    bytes_clear(&all);
}

static void a_held_message_in_parts_is_delivered_once(void **state)
{
    (void)state;
    fixture *f = fixture_make_open();
    wire_send_frame(&f->peer, 0x01, "ho", 2);
    fixture_turn(f);
    wire_send_frame(&f->peer, 0x80, "ld", 2);
    fixture_turn(f);
    expect(f, "text hold\n");
    fixture_expect_idle(f);
    connection_resume(f->c);
    fixture_turn(f);
    expect(f, "");
    fixture_unmake(f);
}

static void a_message_that_is_held_is_given_again_before_what_is_behind_it(void **state)
{
    (void)state;
    fixture *f = fixture_make_open();
    bytes *out = NULL;
    wire_add_text(&out, "again 1");
    wire_add_text(&out, "a");
    wire_add_text(&out, "again 2");
    wire_add_text(&out, "b");
    wire_send_gathered(&f->peer, &out);
    fixture_turn(f);
    expect(f, "text again 1\n");
    assert_true(connection_is_open(f->c));
    wire_send_text(&f->peer, "c");
    fixture_turn(f);
    fixture_turn(f);
    expect(f, "");

    connection_resume(f->c);
    fixture_turn(f);
    expect(f, "text again 1\ntext a\ntext again 2\n");
    connection_resume(f->c);
    fixture_turn(f);
    expect(f, "text again 2\ntext b\ntext c\n");
    fixture_expect_idle(f);
    fixture_unmake(f);
}

static void a_message_in_parts_is_held_as_one(void **state)
{
    (void)state;
    fixture *f = fixture_make_open();
    wire_send_frame(&f->peer, 0x01, "aga", 3);
    fixture_turn(f);
    wire_send_frame(&f->peer, 0x80, "in", 2);
    wire_send_text(&f->peer, "behind");
    fixture_turn(f);
    expect(f, "text again\n");
    connection_resume(f->c);
    fixture_turn(f);
    expect(f, "text again\ntext behind\n");
    assert_int_equal(f->c->messages_in, 2);
    fixture_expect_idle(f);
    fixture_unmake(f);
}

/* It is kept for the other thread first, and held there. */
static void a_message_that_was_handed_over_can_be_held(void **state)
{
    (void)state;
    fixture *f = fixture_make_open();
    bytes *out = NULL;
    wire_add_text(&out, "over, again");
    wire_add_text(&out, "a");
    wire_send_gathered(&f->peer, &out);
    fixture_turn(f);
    fixture_attach(f, &f->there);
    wire_send_text(&f->peer, "b");
    fixture_turn_there(f);
    fixture_turn_there(f);
    expect(f, "text over, again\nhand over\ntext over, again\n");
    connection_resume(f->c);
    fixture_turn_there(f);
    expect(f, "text over, again\ntext a\ntext b\n");
    fixture_unmake(f);
}

/* What was read before is handled here. What comes later is read there, at once, and so is the rest. */
static void the_input_of_one_that_leaves_for_it_is_read_there(void **state)
{
    (void)state;
    fixture *f = fixture_make_open();
    wire_send_text(&f->peer, "before");
    fixture_turn(f);
    connection_leave_for_input(f->c);
    fixture_turn(f);
    expect(f, "text before\n");
    uint64_t read_here = f->c->bytes_in;
    bytes *out = NULL;
    wire_add_text(&out, "a");
    wire_add_text(&out, "echo");
    wire_send_gathered(&f->peer, &out);
    fixture_turn(f);
    expect(f, "hand over\n");
    assert_int_equal(f->c->bytes_in, read_here);
    fixture_attach(f, &f->there);
    net_loop_end_turn(&f->there.loop);
    expect(f, "text a\ntext echo\n");
    fixture_turn_there(f);
    wire_expect_frame(&f->peer, WIRE_TEXT, "echo", 4);
    wire_send_text(&f->peer, "b");
    fixture_turn_there(f);
    expect(f, "text b\n");
    fixture_expect_idle(f);
    fixture_unmake(f);
}

static void the_end_of_one_that_leaves_for_input_is_noticed_there(void **state)
{
    (void)state;
    fixture *f = fixture_make_open();
    connection_leave_for_input(f->c);
    wire_close(&f->peer);
    fixture_turn(f);
    expect(f, "hand over\n");
    fixture_attach(f, &f->there);
    fixture_turn_there(f);
    fixture_turn_there(f);
    expect(f, "end lost 1006 the peer is gone\nfree\n");
    fixture_unmake(f);
}

static void a_message_that_is_held_ends_with_its_connection(void **state)
{
    (void)state;
    for (int closes = 0; closes < 2; closes++) {
        fixture *f = fixture_make_open();
        wire_send_text(&f->peer, "again");
        fixture_turn(f);
        expect(f, "text again\n");
        if (closes != 0) {
            connection_close(f->c, CLOSE_REASON_SERVER_STOPS, "over");
            connection_resume(f->c);
            fixture_turn(f);
            expect(f, "end server_stops 1001 over\n");
        } else {
            wire_close(&f->peer);
            fixture_turn(f);
            fixture_turn(f);
            expect(f, "end lost 1006 the peer is gone\nfree\n");
        }
        fixture_unmake(f);
    }
}

static void the_end_of_a_held_peer_is_noticed(void **state)
{
    (void)state;
    fixture *f = fixture_make_open();
    wire_send_text(&f->peer, "hold");
    wire_send_text(&f->peer, "never handled");
    fixture_turn(f);
    wire_close(&f->peer);
    fixture_turn(f);
    fixture_turn(f);
    expect(f, "text hold\nend lost 1006 the peer is gone\nfree\n");
    fixture_unmake(f);
}

static void a_held_connection_can_be_written_to_and_closed(void **state)
{
    (void)state;
    fixture *f = fixture_make_open();
    bytes *out = NULL;
    wire_add_text(&out, "hold");
    wire_add_text(&out, "never handled");
    wire_send_gathered(&f->peer, &out);
    fixture_turn(f);
    assert_true(fixture_send(f->c, true, SLICE_LITERAL("wait")));
    fixture_turn(f);
    wire_expect_text(&f->peer, "wait");
    connection_resume(f->c);
    connection_close(f->c, CLOSE_REASON_TAKEN_OVER, "taken over");
    fixture_turn(f);
    expect(f, "text hold\nend taken_over 4001 taken over\n");
    wire_expect_close(&f->peer, 4001);
    fixture_unmake(f);
}

static void a_resume_of_what_is_not_held_changes_nothing(void **state)
{
    (void)state;
    fixture *f = fixture_make();
    fixture_begin(f, SOCK_STREAM);
    connection_resume(f->c);
    fixture_turn(f);
    fixture_upgrade(f);
    bytes *out = NULL;
    wire_add_text(&out, "in two parts");
    wire_send(&f->peer, bytes_head(out), 4);
    fixture_turn(f);
    connection_resume(f->c);
    fixture_turn(f);
    wire_send(&f->peer, bytes_head(out) + 4, bytes_len(out) - 4);
    fixture_turn(f);
    expect(f, "text in two parts\n");
    bytes_clear(&out);

    connection_close(f->c, CLOSE_REASON_SERVER_STOPS, "over");
    connection_resume(f->c);
    fixture_turn(f);
    expect(f, "end server_stops 1001 over\n");
    fixture_unmake(f);
}

static void a_resume_of_one_that_is_leaving_changes_nothing(void **state)
{
    (void)state;
    for (int is_early = 0; is_early < 2; is_early++) {
        fixture *f = fixture_make_open();
        bytes *out = NULL;
        wire_add_text(&out, "over");
        wire_add_text(&out, "behind");
        wire_send_gathered(&f->peer, &out);
        if (is_early)
            connection_resume(f->c);
        fixture_pass(f);
        if (!is_early)
            connection_resume(f->c);
        net_loop_end_turn(&f->here.loop);
        expect(f, "text over\nhand over\n");
        fixture_attach(f, &f->there);
        fixture_turn_there(f);
        expect(f, "text over\ntext behind\n");
        fixture_unmake(f);
    }
}

/* As much as the socket takes; returns how many frames that is. */
static unsigned send_numbers(fixture *f, unsigned first)
{
    uint8_t frame[64];
    unsigned n = first;
    for (;; n++) {
        char text[32];
        int len = snprintf(text, sizeof(text), "%u", n);
        size_t frame_len = wire_frame(frame, WIRE_BINARY, text, (size_t)len);
        if (send(f->peer.fd, frame, frame_len, MSG_NOSIGNAL) < 0)
            return n - first;
    }
}

static void a_held_peer_that_goes_on_is_held_back_by_its_socket(void **state)
{
    (void)state;
    fixture *f = fixture_make_open();
    wire_send_text(&f->peer, "hold");
    fixture_turn(f);
    expect(f, "text hold\n");
    uint64_t before = counter_get(&f->here.set.counters.bytes_in);
    unsigned sent = 0;
    unsigned more;
    do {
        more = send_numbers(f, sent);
        sent += more;
        fixture_turn(f);
    } while (more > 0);
    uint64_t read = counter_get(&f->here.set.counters.bytes_in) - before;
    assert_in_range(read, 64 * 1024, 2 * 64 * 1024);

    /* Closed in that state, it is read again, so that its end is noticed. */
    connection_close(f->c, CLOSE_REASON_SERVER_STOPS, "over");
    fixture_turn(f);
    wire_expect_close(&f->peer, WS_CLOSE_GOING_AWAY);
    wire_close(&f->peer);
    fixture_turn_until_freed(f);
    expect(f, "end server_stops 1001 over\nfree\n");
    fixture_unmake(f);
}

static void a_connection_held_again_and_again_does_not_keep_more_and_more(void **state)
{
    (void)state;
    fixture *f = fixture_make_open();
    bytes *out = NULL;
    char filler[1000] = {0};
    enum { HOLD_LEN = 6 + 4, FILLER_LEN = 8 + sizeof(filler) };
    for (int i = 0; i < 50; i++) {
        wire_add_text(&out, "hold");
        wire_add_frame(&out, WIRE_BINARY, filler, sizeof(filler));
    }
    uint64_t most = 0;
    size_t at = 0;
    for (int i = 0; i < 300; i++) {
        ssize_t sent; /* the socket may take a part: the next one goes on there */
        while ((sent = send(f->peer.fd, bytes_head(out) + at, bytes_len(out) - at, MSG_NOSIGNAL)) > 0)
            at = (at + (size_t)sent) % bytes_len(out);
        fixture_turn(f);
        uint64_t handled = messages_in(&f->here); /* one of each kind in turn */
        uint64_t kept = counter_get(&f->here.set.counters.bytes_in) - strlen(wire_request) -
                        (handled + 1) / 2 * HOLD_LEN - handled / 2 * FILLER_LEN;
        if (kept > most)
            most = kept;
        journal_clear(&f->journal);
        connection_resume(f->c);
        fixture_turn(f);
        assert_int_equal(messages_in(&f->here), handled + 2); /* held again */
    }
    assert_in_range(most, 64 * 1024, 3 * 64 * 1024);
    bytes_clear(&out);
    fixture_unmake(f);
}

/* ---- Leaving ---- */

/* Nothing is read from a connection that leaves, but what its loop has begun to tell may come to its end. */
static void read_once_more(fixture *f)
{
    tls_tunnel_carry(&f->tunnel);
    connection_turn_hooks.on_ready(&f->c->transport.watch, EPOLLIN);
}

static void what_is_read_while_it_leaves_is_neither_lost_nor_overtakes(void **state)
{
    (void)state;
    bytes *all = fixture_make_conversation();
    for (size_t cut = 0; cut <= bytes_len(all); cut += fixture_step()) {
        fixture *f = fixture_make_open();
        bytes *out = NULL;
        wire_add_text(&out, "over");
        assert_int_equal(bytes_append(&out, bytes_head(all), cut), 0);
        wire_send_gathered(&f->peer, &out);
        fixture_pass(f);
        expect(f, "text over\n");
        uint64_t before = counter_get(&f->here.set.counters.bytes_in);
        if (cut < bytes_len(all))
            wire_send(&f->peer, bytes_head(all) + cut, bytes_len(all) - cut);
        fixture_pass(f); /* tells of nothing */
        assert_int_equal(counter_get(&f->here.set.counters.bytes_in), before);
        read_once_more(f);
        net_loop_end_turn(&f->here.loop);
        expect(f, "hand over\n");

        fixture_attach(f, &f->there);
        fixture_turn_there(f);
        fixture_turn_there(f);
        fixture_expect_conversation(f, "text over\n");
        fixture_unmake(f);
    }
    bytes_clear(&all);
}

static void an_end_that_is_read_while_it_leaves_comes_first(void **state)
{
    (void)state;
    fixture *f = fixture_make_open();
    wire_send_text(&f->peer, "over");
    fixture_pass(f);
    wire_close(&f->peer);
    tls_tunnel_close(&f->tunnel);
    read_once_more(f);
    net_loop_end_turn(&f->here.loop);
    expect(f, "text over\nend lost 1006 the peer is gone\nfree\n");
    fixture_unmake(f);
}

/* ---- Shares ---- */

enum { SHARE = 64 };

/* Messages that are numbers, in one piece. */
static void say_numbers(wire_peer *peer, unsigned first, unsigned count)
{
    bytes *out = NULL;
    for (unsigned n = first; n < first + count; n++) {
        char text[16];
        snprintf(text, sizeof(text), "%u", n);
        wire_add_text(&out, text);
    }
    wire_send(peer, bytes_head(out), bytes_len(out));
    bytes_clear(&out);
}

static void expect_numbers_between(fixture *f, const char *before, unsigned first, unsigned count,
                                   const char *then)
{
    bytes *told = NULL;
    assert_int_equal(bytes_append(&told, before, strlen(before)), 0);
    for (unsigned n = first; n < first + count; n++) {
        char line[32];
        assert_int_equal(bytes_append(&told, line, (size_t)snprintf(line, sizeof(line), "text %u\n", n)), 0);
    }
    assert_int_equal(bytes_append(&told, then, strlen(then) + 1), 0);
    expect(f, (const char *)bytes_head(told));
    bytes_clear(&told);
}

static void expect_numbers(fixture *f, unsigned first, unsigned count, const char *then)
{
    expect_numbers_between(f, "", first, count, then);
}

static void who_says_little_goes_before_who_says_much(void **state)
{
    (void)state;
    enum { MANY = 1000 };
    fixture *f = fixture_make_open();
    wire_peer quiet;
    fixture_connect(f, wire_open(&quiet, SOCK_STREAM));
    wire_send(&quiet, wire_request, strlen(wire_request));
    fixture_turn(f);
    expect(f, "handshake 101\n");
    wire_expect_upgraded(&quiet);

    say_numbers(&f->peer, 0, MANY);
    wire_send_text(&quiet, "echo");
    fixture_pass(f); /* all that is ready has its share */
    assert_int_equal(messages_in(&f->here), SHARE + 1);
    assert_non_null(strstr(f->journal.text, "text echo\n"));
    journal_clear(&f->journal);
    net_loop_end_turn(&f->here.loop);
    wire_expect_frame(&quiet, WIRE_TEXT, "echo", 4);
    while (messages_in(&f->here) < MANY + 1) /* and no turn waits before that */
        assert_int_equal(net_loop_turn(&f->here.loop), 0);
    expect_numbers(f, SHARE, MANY - SHARE, "");
    wire_close(&quiet);
    fixture_expect_idle(f);
    fixture_unmake(f);
}

static void in_a_crowded_turn_those_who_have_sent_much_come_last(void **state)
{
    (void)state;
    fixture *f = fixture_make_open();
    static const char much[100 * 1024];
    wire_send_frame(&f->peer, WIRE_BINARY, much, sizeof(much));
    while (messages_in(&f->here) < 1)
        fixture_turn(f);
    fixture_turn(f);
    journal_clear(&f->journal);

    wire_send_text(&f->peer, "1");
    fixture_pass(f); /* it alone is no crowd */
    expect(f, "text 1\n");
    net_loop_end_turn(&f->here.loop);

    wire_send_text(&f->peer, "2");
    f->here.set.turn_bytes = 1024 * 1024;
    fixture_pass(f);
    expect(f, "");
    net_loop_end_turn(&f->here.loop);
    expect(f, "text 2\n");
    fixture_expect_idle(f);
    fixture_unmake(f);
}

/* Else a single client that floods would have the others that have sent much wait in each turn. */
static void what_the_backlog_reads_crowds_no_turn(void **state)
{
    (void)state;
    fixture *f = fixture_make_open();
    static const char much[100 * 1024];
    wire_send_frame(&f->peer, WIRE_BINARY, much, sizeof(much));
    uint64_t before = f->c->bytes_in;
    fixture_pass(f);
    uint64_t share = f->c->bytes_in - before;
    net_loop_end_turn(&f->here.loop);
    assert_true(f->c->bytes_in - before > share); /* the backlog has read the next one */
    assert_int_equal(f->here.set.turn_bytes, 0);
    fixture_unmake(f);
}

static void what_is_more_than_a_share_goes_along_to_another_thread(void **state)
{
    (void)state;
    enum { BEFORE = SHARE + 10, BEHIND = 3 * SHARE };
    fixture *f = fixture_make_open();
    say_numbers(&f->peer, 0, BEFORE);
    wire_send_text(&f->peer, "over");
    say_numbers(&f->peer, BEFORE, BEHIND);
    fixture_turn(f);
    fixture_turn(f);
    expect_numbers(f, 0, BEFORE, "text over\nhand over\n");
    fixture_attach(f, &f->there);
    while (messages_in(&f->there) < BEHIND)
        fixture_turn_there(f);
    expect_numbers_between(f, "text over\n", BEFORE, BEHIND, "");
    fixture_unmake(f);
}

static void who_is_closed_with_more_than_a_share_is_read_to_its_end(void **state)
{
    (void)state;
    fixture *f = fixture_make_open();
    say_numbers(&f->peer, 0, 10 * SHARE);
    fixture_pass(f);
    expect_numbers(f, 0, SHARE, "");
    connection_close(f->c, CLOSE_REASON_SERVER_STOPS, "over");
    fixture_turn(f);
    wire_expect_close(&f->peer, WS_CLOSE_GOING_AWAY);
    wire_close(&f->peer);
    fixture_turn_until_freed(f);
    expect(f, "end server_stops 1001 over\nfree\n");
    fixture_unmake(f);
}

/* Each share takes longer than the backlog has in a turn, so the end is read turns before the last message is
 * handled. With TLS, the socket does not tell of it again. */
static void the_end_of_a_peer_is_noticed_behind_many_shares(void **state)
{
    (void)state;
    enum { SHARES = 4 };
    fixture *f = fixture_make_open();
    for (unsigned i = 0; i < SHARES; i++) {
        wire_send_text(&f->peer, "slow");
        say_numbers(&f->peer, i * (SHARE - 1), SHARE - 1);
    }
    wire_close(&f->peer);
    tls_tunnel_carry(&f->tunnel);
    for (int turns = 0; turns < 3 * SHARES && f->c != NULL; turns++)
        wire_turn(&f->here.loop);
    assert_int_equal(messages_in(&f->here), SHARES * SHARE);
    assert_null(f->c);
    assert_non_null(strstr(f->journal.text, "end lost 1006 the peer is gone\nfree\n"));
    journal_clear(&f->journal);
    fixture_unmake(f);
}

/* ---- TLS ---- */

static void a_damaged_record_is_a_fault_of_an_open_connection_too(void **state)
{
    (void)state;
    fixture *f = fixture_make_open();
    wire_send(&(wire_peer){.fd = f->tunnel.far}, "\x17nonsense", 9); /* data, by its first byte */
    wire_turn(&f->here.loop);
    expect(f, "end tls_fault 1006 wrong version number\nfree\n");
    assert_int_equal(counter_get(&f->here.set.counters.tls_failures), 0);
    fixture_unmake(f);
}

/* What a turn has no space for was read from the kernel before: only TLS knows of it. */
static void what_a_turn_leaves_in_tls_is_handled_in_the_next(void **state)
{
    (void)state;
    fixture *f = fixture_make_open();
    f->here.set.scratch_size = 1000;
    static const char text[10 * 1000];
    wire_send_frame(&f->peer, WIRE_TEXT, text, sizeof(text));
    wire_send_text(&f->peer, "echo");
    tls_tunnel_carry(&f->tunnel);
    for (int turns = 0; turns < 11 && messages_in(&f->here) < 2; turns++)
        wire_turn(&f->here.loop);
    expect(f, "text of 10000\ntext echo\n");
    fixture_expect_idle(f);
    fixture_unmake(f);
}

static void many_small_records_are_handled_in_one_turn_and_answered_by_one_record(void **state)
{
    (void)state;
    fixture *f = fixture_open(fixture_make(), SOCK_SEQPACKET);
    for (int i = 0; i < 20; i++)
        wire_send_text(&f->peer, "echo"); /* a packet of its own each, and so a record */
    tls_tunnel_carry(&f->tunnel);
    wire_turn(&f->here.loop);
    assert_int_equal(messages_in(&f->here), 20);
    tls_tunnel_carry(&f->tunnel);
    assert_int_equal(wire_read_once(&f->peer), 20 * 6);
    fixture_unmake(f);
}

/* What holds for plain connections, and for those through TLS no less. */
static const struct CMUnitTest tests[] = {
    cmocka_unit_test(messages_of_both_kinds_are_delivered_in_order),
    cmocka_unit_test(a_conversation_may_be_cut_anywhere),
    cmocka_unit_test(a_conversation_may_come_byte_by_byte),
    cmocka_unit_test(a_part_of_a_frame_is_kept_only_until_the_rest_has_come),
    cmocka_unit_test(the_largest_message_is_taken_and_one_byte_more_is_not),
    cmocka_unit_test(the_owner_may_end_it_while_it_handles_a_message),
    cmocka_unit_test(a_ping_is_answered_with_its_own_payload),
    cmocka_unit_test(what_came_before_a_fault_is_answered_before_the_close),
    cmocka_unit_test(text_that_is_not_utf_8_fails_at_the_offending_byte),
    cmocka_unit_test(a_peer_that_floods_is_closed),
    cmocka_unit_test(what_a_client_has_sent_by_one_connection_counts_for_the_next),
    cmocka_unit_test(bytes_of_a_client_are_counted_also_in_one_long_message),
    cmocka_unit_test(bytes_that_come_one_by_one_count_as_a_frame_each),
    cmocka_unit_test(no_limit_of_a_client_is_for_one_that_is_exempt),
    cmocka_unit_test(a_frame_counts_once_in_however_many_parts_it_comes),
    cmocka_unit_test(an_answer_that_was_asked_for_is_no_flood),
    cmocka_unit_test(a_close_is_echoed_even_to_a_peer_without_tokens),
    cmocka_unit_test(a_close_is_answered_with_its_code_and_the_end),
    cmocka_unit_test(what_comes_behind_a_close_is_thrown_away),
    cmocka_unit_test(one_whose_pong_may_come_is_not_closed_before_the_end_of_its_peer),
    cmocka_unit_test(a_close_in_the_middle_of_a_message_forgets_it),
    cmocka_unit_test(a_held_connection_keeps_its_input_and_the_order),
    cmocka_unit_test(a_hold_may_fall_anywhere_into_the_input),
    cmocka_unit_test(a_held_message_in_parts_is_delivered_once),
    cmocka_unit_test(a_message_that_is_held_is_given_again_before_what_is_behind_it),
    cmocka_unit_test(a_message_in_parts_is_held_as_one),
    cmocka_unit_test(a_message_that_was_handed_over_can_be_held),
    cmocka_unit_test(the_input_of_one_that_leaves_for_it_is_read_there),
    cmocka_unit_test(the_end_of_one_that_leaves_for_input_is_noticed_there),
    cmocka_unit_test(a_message_that_is_held_ends_with_its_connection),
    cmocka_unit_test(the_end_of_a_held_peer_is_noticed),
    cmocka_unit_test(a_held_connection_can_be_written_to_and_closed),
    cmocka_unit_test(a_resume_of_what_is_not_held_changes_nothing),
    cmocka_unit_test(a_resume_of_one_that_is_leaving_changes_nothing),
    cmocka_unit_test(a_held_peer_that_goes_on_is_held_back_by_its_socket),
    cmocka_unit_test(a_connection_held_again_and_again_does_not_keep_more_and_more),
    cmocka_unit_test(what_is_read_while_it_leaves_is_neither_lost_nor_overtakes),
    cmocka_unit_test(the_end_of_a_peer_is_noticed_behind_many_shares),
};

static const struct CMUnitTest plain_tests[] = {
    cmocka_unit_test(one_that_closes_and_does_not_read_gets_everything_when_it_does),
    cmocka_unit_test(an_end_that_is_read_while_it_leaves_comes_first), /* TLS has let go of the socket */
    cmocka_unit_test(who_says_little_goes_before_who_says_much),
    cmocka_unit_test(in_a_crowded_turn_those_who_have_sent_much_come_last),
    cmocka_unit_test(what_the_backlog_reads_crowds_no_turn),
    cmocka_unit_test(what_is_more_than_a_share_goes_along_to_another_thread),
    cmocka_unit_test(who_is_closed_with_more_than_a_share_is_read_to_its_end),
};

static const struct CMUnitTest tls_tests[] = {
    cmocka_unit_test(a_damaged_record_is_a_fault_of_an_open_connection_too),
    cmocka_unit_test(what_a_turn_leaves_in_tls_is_handled_in_the_next),
    cmocka_unit_test(many_small_records_are_handled_in_one_turn_and_answered_by_one_record),
};

int main(void)
{
    int failed = cmocka_run_group_tests_name("plain", tests, NULL, NULL);
    failed += cmocka_run_group_tests_name("plain by itself", plain_tests, NULL, NULL);
    failed += cmocka_run_group_tests_name("through TLS", tests, fixture_start_tls, fixture_stop_tls);
    failed += cmocka_run_group_tests_name("TLS by itself", tls_tests, fixture_start_tls, fixture_stop_tls);
    return failed;
}
