/* protocol/README.md, 1.2: what becomes of a signal while its receiver is there. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "support/pair.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The room that all of them are in, where nothing else is said. */
static void expect_signal(client *c, const char *type, const char *from, const char *payload)
{
    client_expect_signal(c, type, "room", from, payload);
}

static void each_type_is_relayed_with_its_fields_and_no_others(void **state)
{
    pair *p = *state;
    client_send_text(p->anna, "{\"type\":\"offer\",\"sdp\":\"v=0\\r\\n\"}");
    expect_signal(p->bert, "offer", "anna", "\"v=0\\r\\n\"");
    client_send_text(p->bert, "{\"type\":\"answer\",\"sdp\":{\"type\":\"answer\",\"sdp\":\"v=0\"}}");
    expect_signal(p->anna, "answer", "bert", "{\"type\":\"answer\",\"sdp\":\"v=0\"}");
    client_send_text(p->anna,
                     "{\"type\":\"candidate\",\"candidate\":{\"sdpMid\":\"0\",\"sdpMLineIndex\":0}}");
    expect_signal(p->bert, "candidate", "anna", "{\"sdpMid\":\"0\",\"sdpMLineIndex\":0}");
    client_send_text(p->anna, "{\"type\":\"candidate\",\"candidate\":\"candidate:1 1 udp\"}");
    expect_signal(p->bert, "candidate", "anna", "\"candidate:1 1 udp\"");
    client_expect_nothing(p->anna);
    client_expect_nothing(p->bert);
}

static void the_end_of_candidates_is_relayed(void **state)
{
    pair *p = *state;
    client_send_candidate(p->anna, "null");
    client_send_candidate(p->anna, "\"\"");
    client_send_candidate(p->anna, "{\"candidate\":\"\"}");
    client_send_candidate(p->anna, "{}");
    expect_signal(p->bert, "candidate", "anna", "null");
    expect_signal(p->bert, "candidate", "anna", "\"\"");
    expect_signal(p->bert, "candidate", "anna", "{\"candidate\":\"\"}");
    expect_signal(p->bert, "candidate", "anna", "{}");
}

static void from_is_the_joined_user_whatever_the_message_says(void **state)
{
    pair *p = *state;
    client_send_text(p->anna, "{\"type\":\"offer\",\"from\":\"mallory\",\"sdp\":\"1\"}");
    expect_signal(p->bert, "offer", "anna", "\"1\"");
    client_send_text(p->anna, "{\"type\":\"offer\",\"from\":\"bert\",\"user\":\"bert\",\"sdp\":\"2\"}");
    expect_signal(p->bert, "offer", "anna", "\"2\"");
    client_send_text(p->anna, "{\"type\":\"offer\",\"from\":\"anna\",\"sdp\":\"3\"}");
    expect_signal(p->bert, "offer", "anna", "\"3\"");
}

/* protocol/README.md, "Version 1": no value of `from` is a fault. */
static void a_blank_or_unusable_from_is_as_if_it_were_absent(void **state)
{
    pair *p = *state;
    static char too_long[1024] = "\"";
    memset(too_long + 1, 'x', sizeof(too_long) - 3);
    too_long[sizeof(too_long) - 2] = '"';
    const char *const values[] = {"\"\"",  "\"  \"", "\"\\u00a0\"", "\"\\ud800\"", "7",
                                  "false", "null",   "{}",          "[\"bert\"]",  too_long};
    for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
        char text[sizeof(too_long) + 64];
        snprintf(text, sizeof(text), "{\"type\":\"offer\",\"from\":%s,\"sdp\":\"1\"}", values[i]);
        client_send_text(p->anna, text);
        expect_signal(p->bert, "offer", "anna", "\"1\"");
        snprintf(text, sizeof(text), "{\"type\":\"candidate\",\"candidate\":null,\"from\":%s}", values[i]);
        client_send_text(p->bert, text);
        expect_signal(p->anna, "candidate", "bert", "null");
    }
}

static void the_joined_room_may_be_named(void **state)
{
    pair *p = *state;
    client_send_text(p->anna, "{\"type\":\"offer\",\"room\":\"room\",\"sdp\":\"1\"}");
    expect_signal(p->bert, "offer", "anna", "\"1\"");
    client_send_text(p->anna, "{\"type\":\"offer\",\"room\":\" r\\u006fom\\n\",\"sdp\":\"2\"}");
    expect_signal(p->bert, "offer", "anna", "\"2\"");
    client_send_text(p->anna, "{\"type\":\"offer\",\"room\":null,\"sdp\":\"3\"}");
    expect_signal(p->bert, "offer", "anna", "\"3\"");
}

static void a_signal_for_another_room_is_refused(void **state)
{
    pair *p = *state;
    client *cleo = client_open_joined(signal_server_port(p->server), "other", "cleo");
    client_expect_nothing(cleo);
    client_send_text(p->anna, "{\"type\":\"offer\",\"room\":\"other\",\"sdp\":\"1\"}");
    client_expect_error(p->anna, "Join the room first");
    client_send_text(p->anna, "{\"type\":\"candidate\",\"room\":\"Room\",\"candidate\":null}");
    client_expect_error(p->anna, "Join the room first");
    client_expect_nothing(p->bert);
    client_expect_nothing(cleo);
    client_send_number(p->anna, 1); /* and the connection goes on */
    client_expect_number(p->bert, "room", "anna", 1);
    client_close(cleo);
}

static void a_signal_before_any_join_is_refused(void **state)
{
    pair *p = *state;
    client *cleo = client_open(signal_server_port(p->server));
    client_send_offer(cleo, "\"1\"");
    client_expect_error(cleo, "Join the room first");
    client_send_text(cleo, "{\"type\":\"answer\",\"room\":\"room\",\"from\":\"anna\",\"sdp\":\"1\"}");
    client_expect_error(cleo, "Join the room first");
    client_send_candidate(cleo, "null");
    client_expect_error(cleo, "Join the room first");
    client_expect_nothing(p->anna);
    client_expect_nothing(p->bert);
    client_close(cleo);
}

static void to_and_unknown_fields_are_ignored_and_not_passed_on(void **state)
{
    pair *p = *state;
    client_send_text(p->anna,
                     "{\"to\":\"nobody\",\"type\":\"offer\",\"x\":{\"type\":\"leave\"},\"sdp\":\"1\","
                     "\"candidate\":7,\"user\":[],\"message\":0,\"\":null,\"__proto__\":{}}");
    expect_signal(p->bert, "offer", "anna", "\"1\"");
    client_send_text(p->anna, "{\"type\":\"candidate\",\"to\":17,\"sdp\":false,\"candidate\":null}");
    expect_signal(p->bert, "candidate", "anna", "null");
}

static void of_duplicate_fields_the_last_counts_as_in_a_browser(void **state)
{
    pair *p = *state;
    client_send_text(p->anna, "{\"type\":\"leave\",\"sdp\":\"1\",\"type\":\"offer\",\"sdp\":\"2\"}");
    expect_signal(p->bert, "offer", "anna", "\"2\"");
}

static void blanks_between_the_tokens_mean_nothing(void **state)
{
    pair *p = *state;
    client_send_text(p->anna, "\r\n\t { \"type\" : \"offer\" ,\n\"sdp\"\t:\r{ \"a\" : [ 1 , 2 ] } } \n");
    expect_signal(p->bert, "offer", "anna", "{\"a\":[1,2]}");
}

/* Values that a second parser and printer would spoil. The same bytes are more than JSON-equal, and comparing
 * bytes is the one way that needs no third. */
static void every_value_arrives_as_it_was_sent(void **state)
{
    static const char *const values[] = {
        "\"\\u0000\\u001f\\b\\f\\n\\r\\t\\/\\\\\\\"\"",
        "\"\\ud83d\\ude00 \xf0\x9f\x98\x80 \\u00e9 \xc3\xa9 e\\u0301 \xe2\x80\xa8\\u2029\"",
        "\"\\ud800 a lone half is JSON\"",
        "\"\x7f</script>\xef\xbf\xbf\"",
        "{\"b\":1,\"a\":2,\"10\":3,\"9\":4,\"\":5,\"a\":6}",
        "{\"n\":[0,-0,-0.0,1e400,-1E+400,1e-400,0.1,12345678901234567890,1.0,1.50,9007199254740993]}",
        "{\"a\":{\"b\":{\"c\":[[[[{\"d\":[]}]]]]}},\"e\":{},\"f\":[null,true,false]}",
        "{\"type\":\"offer\",\"room\":\"other\",\"from\":\"mallory\",\"sdp\":\"}\\\"\"}",
        "{ \"spaces\" :\t[ 1 ,\n2 ] }",
    };
    pair *p = *state;
    for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
        char expected[512];
        client_send_offer(p->anna, values[i]);
        snprintf(expected, sizeof(expected),
                 "{\"type\":\"offer\",\"room\":\"room\",\"from\":\"anna\",\"sdp\":%s}", values[i]);
        client_expect_text(p->bert, expected);

        client_send_candidate(p->bert, values[i]);
        snprintf(expected, sizeof(expected),
                 "{\"type\":\"candidate\",\"room\":\"room\",\"from\":\"bert\",\"candidate\":%s}", values[i]);
        client_expect_text(p->anna, expected);
    }
}

/* Compared as bytes also because cJSON_Compare takes twice the time for each level. */
static void a_value_may_be_nested_deeply(void **state)
{
    enum { DEPTH = 900, MAX_BYTES = DEPTH * 6 + 128 };
    pair *p = *state;
    char value[MAX_BYTES];
    char expected[MAX_BYTES];
    size_t at = 0;
    for (int i = 0; i < DEPTH; i++)
        at += (size_t)snprintf(value + at, sizeof(value) - at, "{\"a\":");
    value[at++] = '0';
    memset(value + at, '}', DEPTH);
    value[at + DEPTH] = '\0';
    client_send_offer(p->anna, value);
    strcpy(expected, "{\"type\":\"offer\",\"room\":\"room\",\"from\":\"anna\",\"sdp\":");
    strcat(expected, value);
    strcat(expected, "}");
    client_expect_text(p->bert, expected);
}

/* A JSON string of so many letters, owned by the caller. */
static char *make_long_string(size_t letters)
{
    char *text = malloc(letters + 3);
    assert_non_null(text);
    memset(text, 'v', letters + 2);
    text[0] = text[letters + 1] = '"';
    text[letters + 2] = '\0';
    return text;
}

static void an_sdp_of_100_kb_is_relayed(void **state)
{
    pair *p = *state;
    char *sdp = make_long_string(100 * 1000);
    client_send_offer(p->anna, sdp);
    client_send_answer(p->bert, sdp);
    expect_signal(p->bert, "offer", "anna", sdp);
    expect_signal(p->anna, "answer", "bert", sdp);
    free(sdp);
}

static void the_largest_message_is_relayed(void **state)
{
    pair *p = *state;
    char *sdp = make_long_string(128 * 1024 - strlen("{\"type\":\"offer\",\"sdp\":\"\"}"));
    client_send_offer(p->anna, sdp);
    expect_signal(p->bert, "offer", "anna", sdp);
    free(sdp);
}

/* Send a text as fragments of `piece` bytes, with a ping between two of them (RFC 6455, 5.4). */
static void send_fragmented(client *c, const char *text, size_t piece)
{
    size_t len = strlen(text);
    for (size_t at = 0; at < len; at += piece) {
        bool is_last = len - at <= piece;
        client_send_frame(c, &(client_frame){.opcode = at == 0 ? CLIENT_TEXT : CLIENT_CONTINUATION,
                                             .payload = text + at,
                                             .len = is_last ? len - at : piece,
                                             .is_not_final = !is_last});
        if (at == piece)
            client_send_ping(c, "between");
    }
    client_send_frame(c, &(client_frame){.opcode = CLIENT_PONG, .payload = "unasked", .len = 7});
}

static void a_message_may_come_in_fragments(void **state)
{
    static const char text[] = "{\"type\":\"offer\",\"sdp\":\"\xf0\x9f\x98\x80 and \xc3\xa9\"}";
    pair *p = *state;
    for (size_t piece = 1; piece < sizeof(text) - 1; piece++) {
        client_cork(p->anna);
        send_fragmented(p->anna, text, piece);
        client_uncork(p->anna);
        expect_signal(p->bert, "offer", "anna", "\"\xf0\x9f\x98\x80 and \xc3\xa9\"");
        client_expect_pong(p->anna, "between");
    }
    client_expect_nothing(p->anna);
}

static void a_message_may_come_in_many_segments(void **state)
{
    pair *p = *state;
    static const char text[] = "{\"type\":\"candidate\",\"candidate\":{\"number\":1}}";
    size_t len;
    uint8_t *frame = client_make_frame(
        &(client_frame){.opcode = CLIENT_TEXT, .payload = text, .len = sizeof(text) - 1}, &len);
    for (size_t i = 0; i < len; i++)
        client_send_bytes(p->anna, frame + i, 1);
    client_expect_number(p->bert, "room", "anna", 1);
    for (size_t cut = 1; cut < len; cut++) {
        client_send_bytes(p->anna, frame, cut);
        client_expect_nothing(p->bert); /* a round trip, so that the rest comes by itself */
        client_send_bytes(p->anna, frame + cut, len - cut);
        client_expect_number(p->bert, "room", "anna", 1);
    }
    free(frame);
}

static void many_messages_may_come_in_one_segment(void **state)
{
    enum { SIGNALS = 500 };
    pair *p = *state;
    client_cork(p->anna);
    for (unsigned i = 0; i < SIGNALS; i++)
        client_send_number(p->anna, i);
    client_uncork(p->anna);
    for (unsigned i = 0; i < SIGNALS; i++)
        client_expect_number(p->bert, "room", "anna", i);
    client_expect_nothing(p->bert);
}

static void large_and_small_messages_keep_their_order(void **state)
{
    pair *p = *state;
    char *sdp = make_long_string(100 * 1000);
    client_cork(p->anna);
    for (unsigned i = 0; i < 20; i++) {
        client_send_number(p->anna, i);
        client_send_offer(p->anna, sdp);
    }
    client_uncork(p->anna);
    for (unsigned i = 0; i < 20; i++) {
        client_expect_number(p->bert, "room", "anna", i);
        expect_signal(p->bert, "offer", "anna", sdp);
    }
    free(sdp);
}

static void both_sides_may_send_at_once(void **state)
{
    enum { SIGNALS = 300 };
    pair *p = *state;
    client_cork(p->anna);
    client_cork(p->bert);
    for (unsigned i = 0; i < SIGNALS; i++) {
        client_send_number(p->anna, i);
        client_send_number(p->bert, 1000 + i);
    }
    client_uncork(p->anna);
    client_uncork(p->bert);
    for (unsigned i = 0; i < SIGNALS; i++) {
        client_expect_number(p->anna, "room", "bert", 1000 + i);
        client_expect_number(p->bert, "room", "anna", i);
    }
}

/* Such a name is nothing that a C string could hold. */
static void names_may_hold_nul_quotes_and_any_letter(void **state)
{
    static const char join_anna[] =
        "{\"type\":\"join\",\"room\":\"a\\u0000b\\\"\\\\\\u001f\xd0\xb4\xf0\x9f\xa6\x8a\",\"user\":"
        "\"x\\u0000\"}";
    static const char join_bert[] =
        "{\"type\":\"join\",\"room\":\"a\\u0000b\\\"\\\\\\u001f\\u0434\\ud83e\\udd8a\",\"user\":"
        "\"x\\u0000y\"}";
    static const char join_cleo[] = "{\"type\":\"join\",\"room\":\"a\",\"user\":\"x\"}";
    pair *p = *state;
    client *cleo = client_open(signal_server_port(p->server));
    client_send_text(p->anna, join_anna);
    client_expect_nothing(p->anna);
    client_send_text(p->bert, join_bert); /* neither takes the other over */
    client_send_text(cleo, join_cleo);
    client_expect_nothing(cleo);
    client_send_number(p->bert, 1);
    client_message message = client_receive_text(p->anna);
    assert_non_null(strstr(message.data, "\"room\":\"a\\u0000b\\\"\\\\\\u001f"));
    assert_non_null(strstr(message.data, "\"from\":\"x\\u0000y\",\"candidate\":{\"number\":1}}"));
    client_expect_nothing(p->bert);
    client_expect_nothing(cleo);
    client_close(cleo);
}

static void the_counters_tell_what_was_relayed(void **state)
{
    pair *p = *state;
    for (unsigned i = 0; i < 10; i++) {
        client_send_number(p->anna, i);
        client_expect_number(p->bert, "room", "anna", i);
    }
    client_send_text(p->anna, "{\"type\":\"offer\",\"room\":\"other\",\"sdp\":\"1\"}");
    client_expect_error(p->anna, "Join the room first");
    SERVER_AWAIT(p->server, signals_relayed, 10);
    SERVER_AWAIT(p->server, signals_refused, 1);
    signal_server_stats stats = server_stats(p->server);
    assert_int_equal(stats.joined, 2);
    assert_int_equal(stats.rooms, 1);
    assert_int_equal(stats.signals_queued, 0);
    assert_int_equal(stats.signals_dropped, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(each_type_is_relayed_with_its_fields_and_no_others, pair_start,
                                        pair_end),
        cmocka_unit_test_setup_teardown(the_end_of_candidates_is_relayed, pair_start, pair_end),
        cmocka_unit_test_setup_teardown(a_blank_or_unusable_from_is_as_if_it_were_absent, pair_start,
                                        pair_end),
        cmocka_unit_test_setup_teardown(from_is_the_joined_user_whatever_the_message_says, pair_start,
                                        pair_end),
        cmocka_unit_test_setup_teardown(the_joined_room_may_be_named, pair_start, pair_end),
        cmocka_unit_test_setup_teardown(a_signal_for_another_room_is_refused, pair_start, pair_end),
        cmocka_unit_test_setup_teardown(a_signal_before_any_join_is_refused, pair_start, pair_end),
        cmocka_unit_test_setup_teardown(to_and_unknown_fields_are_ignored_and_not_passed_on, pair_start,
                                        pair_end),
        cmocka_unit_test_setup_teardown(of_duplicate_fields_the_last_counts_as_in_a_browser, pair_start,
                                        pair_end),
        cmocka_unit_test_setup_teardown(blanks_between_the_tokens_mean_nothing, pair_start, pair_end),
        cmocka_unit_test_setup_teardown(every_value_arrives_as_it_was_sent, pair_start, pair_end),
        cmocka_unit_test_setup_teardown(a_value_may_be_nested_deeply, pair_start, pair_end),
        cmocka_unit_test_setup_teardown(an_sdp_of_100_kb_is_relayed, pair_start, pair_end),
        cmocka_unit_test_setup_teardown(the_largest_message_is_relayed, pair_start, pair_end),
        cmocka_unit_test_setup_teardown(a_message_may_come_in_fragments, pair_start, pair_end),
        cmocka_unit_test_setup_teardown(a_message_may_come_in_many_segments, pair_start, pair_end),
        cmocka_unit_test_setup_teardown(many_messages_may_come_in_one_segment, pair_start, pair_end),
        cmocka_unit_test_setup_teardown(large_and_small_messages_keep_their_order, pair_start, pair_end),
        cmocka_unit_test_setup_teardown(both_sides_may_send_at_once, pair_start, pair_end),
        cmocka_unit_test_setup_teardown(names_may_hold_nul_quotes_and_any_letter, pair_start, pair_end),
        cmocka_unit_test_setup_teardown(the_counters_tell_what_was_relayed, pair_start, pair_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
