/* protocol/README.md, 1.5: what is not a message, what is not even a frame, and that it harms nobody else. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "support/client.h"
#include "support/server.h"

#include <stdlib.h>
#include <string.h>

#define LENGTH_OF(array) (sizeof(array) / sizeof((array)[0]))

typedef struct trio {
    signal_server *server;
    client *anna; /* these two joined "room" */
    client *bert;
    client *cleo; /* in the lobby */
} trio;

static int start_with(void **state, const signal_server_options *options)
{
    trio *t = test_malloc(sizeof(*t));
    t->server = server_start(options);
    uint16_t port = signal_server_port(t->server);
    t->anna = client_open_settled(port, "room", "anna");
    t->bert = client_open_settled(port, "room", "bert");
    t->cleo = client_open(port);
    *state = t;
    return 0;
}

static int start(void **state)
{
    signal_server_options options = server_options();
    return start_with(state, &options);
}

static int start_with_rate(void **state)
{
    signal_server_options options = server_options();
    options.message_rate = 1;
    options.message_burst = 50;
    return start_with(state, &options);
}

static int start_with_few_faults(void **state)
{
    signal_server_options options = server_options();
    options.fault_burst = 5;
    return start_with(state, &options);
}

static int end(void **state)
{
    trio *t = *state;
    client_close(t->anna);
    client_close(t->bert);
    client_close(t->cleo);
    server_end(t->server);
    test_free(t);
    return 0;
}

/* ---- No message, but a frame ---- */

static void expect_invalid(client *c)
{
    client_expect_error(c, "Invalid message");
}

static void send_binary(client *c, const char *text)
{
    client_send_frame(c, &(client_frame){.opcode = CLIENT_BINARY, .payload = text, .len = strlen(text)});
}

static const char *const invalid_texts[] = {
    "",
    " ",
    "x",
    "null",
    "1",
    "\"join\"",
    "[]",
    "[{\"type\":\"leave\"}]",
    "{}",
    "{",
    "{\"type\":\"leave\"",
    "{\"type\":\"leave\"}}",
    "{\"type\":\"leave\"} x",
    "{\"type\":\"leave\",}",
    "{'type':'leave'}",
    "{type:\"leave\"}",
    "{\"type\":\"leave\",\"x\":01}",
    "{\"type\":\"leave\",\"x\":NaN}",
    "{\"type\":\"leave\",\"x\":\"\t\"}",
    "{\"type\":\"leave\",\"x\":\"\\x\"}",
    "{\"type\":\"leave\",\"x\":\"\\u12\"}",
    "\xef\xbb\xbf{\"type\":\"leave\"}",
    "{\"type\":null}",
    "{\"type\":1}",
    "{\"type\":{}}",
    "{\"type\":\"\"}",
    "{\"type\":\"Leave\"}",
    "{\"type\":\"leave \"}",
    "{\"type\":\"hello\"}",
    "{\"type\":\"join\"}",
    "{\"type\":\"join\",\"room\":\"r\"}",
    "{\"type\":\"join\",\"user\":\"u\"}",
    "{\"type\":\"join\",\"room\":null,\"user\":\"u\"}",
    "{\"type\":\"join\",\"room\":7,\"user\":\"u\"}",
    "{\"type\":\"join\",\"room\":\"r\",\"user\":{}}",
    "{\"type\":\"join\",\"room\":\"\\ud800\",\"user\":\"u\"}",
    "{\"type\":\"offer\"}",
    "{\"type\":\"offer\",\"sdp\":null}",
    "{\"type\":\"offer\",\"sdp\":1}",
    "{\"type\":\"offer\",\"sdp\":true}",
    "{\"type\":\"offer\",\"sdp\":[]}",
    "{\"type\":\"offer\",\"sdp\":\"\"}",
    "{\"type\":\"offer\",\"sdp\":\"1\",\"room\":1}",
    "{\"type\":\"offer\",\"sdp\":\"1\",\"room\":\"\"}",
    "{\"type\":\"offer\",\"sdp\":\"1\",\"from\":nobody}",
    "{\"type\":\"answer\",\"candidate\":\"1\"}",
    "{\"type\":\"answer\",\"sdp\":0.5}",
    "{\"type\":\"candidate\"}",
    "{\"type\":\"candidate\",\"candidate\":1}",
    "{\"type\":\"candidate\",\"candidate\":false}",
    "{\"type\":\"candidate\",\"candidate\":[null]}",
    "{\"type\":\"error\"}",
    "{\"type\":\"error\",\"message\":null}",
    "{\"type\":\"error\",\"message\":\"\"}",
    "{\"type\":\"error\",\"message\":{}}",
};

static void what_is_no_message_is_answered_and_the_connection_goes_on(void **state)
{
    trio *t = *state;
    for (size_t i = 0; i < LENGTH_OF(invalid_texts); i++) {
        client_send_text(t->anna, invalid_texts[i]);
        expect_invalid(t->anna);
        client_send_text(t->cleo, invalid_texts[i]);
        expect_invalid(t->cleo);
    }
    client_expect_nothing(t->bert);
    client_send_number(t->anna, 1); /* still joined */
    client_expect_number(t->bert, "room", "anna", 1);
    client_join(t->cleo, "elsewhere", "cleo");
    client_expect_nothing(t->cleo);
}

static void a_binary_frame_is_no_message_whatever_it_holds(void **state)
{
    trio *t = *state;
    send_binary(t->anna, "");
    expect_invalid(t->anna);
    send_binary(t->anna, "{\"type\":\"leave\"}");
    expect_invalid(t->anna);
    send_binary(t->cleo, "{\"type\":\"join\",\"room\":\"room\",\"user\":\"bert\"}");
    expect_invalid(t->cleo);
    send_binary(t->cleo, "\xff\xfe"); /* binary data is no UTF-8, and need not be */
    expect_invalid(t->cleo);
    client_send_frame(
        t->anna,
        &(client_frame){.opcode = CLIENT_BINARY, .payload = "{\"type\":", .len = 8, .is_not_final = true});
    client_send_frame(t->anna,
                      &(client_frame){.opcode = CLIENT_CONTINUATION, .payload = "\"leave\"}", .len = 8});
    expect_invalid(t->anna);
    client_send_number(t->anna, 1);
    client_expect_number(t->bert, "room", "anna", 1);
}

static void what_is_nested_too_deeply_is_no_message(void **state)
{
    enum { DEPTH = 60 * 1000 };
    trio *t = *state;
    char *sdp = malloc(DEPTH * 2 + 1);
    assert_non_null(sdp);
    memset(sdp, '[', DEPTH);
    memset(sdp + DEPTH, ']', DEPTH);
    sdp[DEPTH * 2] = '\0';
    client_send_textf(t->anna, "{\"type\":\"offer\",\"sdp\":{\"x\":%s}}", sdp);
    expect_invalid(t->anna);
    client_expect_nothing(t->bert);
    free(sdp);
}

static void a_clients_error_is_not_answered(void **state)
{
    trio *t = *state;
    for (int i = 0; i < 100; i++)
        client_send_text(t->anna, "{\"type\":\"error\",\"message\":\"camera \\u0000\\n denied\"}");
    client_send_text(t->cleo, "{\"type\":\"error\",\"message\":\" \",\"code\":1}");
    client_expect_nothing(t->anna);
    client_expect_nothing(t->bert);
    client_expect_nothing(t->cleo);
}

/* ---- No frame ---- */

/* Let a client of its own send this, and be closed with this code; the others must not notice. */
static void expect_closed_for(trio *t, const void *bytes, size_t len, uint16_t code)
{
    client *bad = client_open_joined(signal_server_port(t->server), "bad", "bad");
    client_send_bytes(bad, bytes, len);
    client_expect_close(bad, code);
    client_close(bad);
    bad = client_open(signal_server_port(t->server)); /* the same in the lobby */
    client_send_bytes(bad, bytes, len);
    client_expect_close(bad, code);
    client_close(bad);
}

static void expect_closed_for_frame(trio *t, client_frame frame, uint16_t code)
{
    size_t len;
    uint8_t *bytes = client_make_frame(&frame, &len);
    expect_closed_for(t, bytes, len, code);
    free(bytes);
}

static void expect_others_unharmed(trio *t)
{
    client_send_number(t->anna, 77);
    client_expect_number(t->bert, "room", "anna", 77);
    client_expect_nothing(t->anna);
    client_expect_nothing(t->bert);
    client_expect_nothing(t->cleo);
}

static void broken_framing_closes_with_1002(void **state)
{
    static const client_frame frames[] = {
        {.opcode = CLIENT_TEXT, .payload = "x", .len = 1, .is_unmasked = true}, /* RFC 6455, 5.1 */
        {.opcode = CLIENT_PING, .is_unmasked = true},
        {.opcode = CLIENT_TEXT, .reserved_bits = 0x40}, /* RFC 6455, 5.2, from here on */
        {.opcode = CLIENT_TEXT, .reserved_bits = 0x20},
        {.opcode = CLIENT_CLOSE, .reserved_bits = 0x10},
        {.opcode = 0x3},
        {.opcode = 0x7},
        {.opcode = 0xB},
        {.opcode = 0xF},
        {.opcode = CLIENT_TEXT, .payload = "x", .len = 1, .length_bytes = 2},
        {.opcode = CLIENT_TEXT, .payload = "x", .len = 1, .length_bytes = 8},
        {.opcode = CLIENT_TEXT, .announced_len = 1000, .length_bytes = 8},
        {.opcode = CLIENT_TEXT, .announced_len = UINT64_C(1) << 63},
        {.opcode = CLIENT_PING, .is_not_final = true}, /* RFC 6455, 5.5 */
        {.opcode = CLIENT_CLOSE, .is_not_final = true},
        {.opcode = CLIENT_PING, .announced_len = 126},
        {.opcode = CLIENT_CONTINUATION}, /* RFC 6455, 5.4 */
        {.opcode = CLIENT_CONTINUATION, .is_not_final = true},
        {.opcode = CLIENT_CLOSE, .payload = "\x03", .len = 1}, /* RFC 6455, 5.5.1 and 7.4 */
        {.opcode = CLIENT_CLOSE, .payload = "\x00\x00", .len = 2},
        {.opcode = CLIENT_CLOSE, .payload = "\x03\xe7", .len = 2}, /* 999 */
        {.opcode = CLIENT_CLOSE, .payload = "\x03\xec", .len = 2}, /* 1004, 1005, 1006 */
        {.opcode = CLIENT_CLOSE, .payload = "\x03\xed", .len = 2},
        {.opcode = CLIENT_CLOSE, .payload = "\x03\xee", .len = 2},
        {.opcode = CLIENT_CLOSE, .payload = "\x07\xd0", .len = 2}, /* 2000 */
        {.opcode = CLIENT_CLOSE, .payload = "\xff\xff", .len = 2},
    };
    for (size_t i = 0; i < LENGTH_OF(frames); i++)
        expect_closed_for_frame(*state, frames[i], 1002);
    expect_others_unharmed(*state);
}

static void a_message_that_begins_within_another_closes_with_1002(void **state)
{
    trio *t = *state;
    client_cork(t->cleo);
    client_send_frame(t->cleo, &(client_frame){.opcode = CLIENT_TEXT, .is_not_final = true});
    client_send_text(t->cleo, "{\"type\":\"leave\"}");
    client_uncork(t->cleo);
    client_expect_close(t->cleo, 1002);
}

static void http_behind_the_upgrade_closes_with_1002(void **state)
{
    static const char text[] = "GET / HTTP/1.1\r\n\r\n";
    expect_closed_for(*state, text, sizeof(text) - 1, 1002);
}

static void text_that_is_no_utf8_closes_with_1007(void **state)
{
    static const client_frame frames[] = {
        {.opcode = CLIENT_TEXT, .payload = "\xff", .len = 1},
        {.opcode = CLIENT_TEXT, .payload = "{\"type\":\"\x80\"}", .len = 12},
        {.opcode = CLIENT_TEXT, .payload = "\xc0\xaf", .len = 2},                   /* over-long */
        {.opcode = CLIENT_TEXT, .payload = "\xed\xa0\x80", .len = 3},               /* a surrogate */
        {.opcode = CLIENT_TEXT, .payload = "\xf4\x90\x80\x80", .len = 4},           /* over U+10FFFF */
        {.opcode = CLIENT_TEXT, .payload = "\xc3", .len = 1},                       /* cut at its end */
        {.opcode = CLIENT_TEXT, .payload = "\xff", .len = 1, .is_not_final = true}, /* known before the end */
        {.opcode = CLIENT_TEXT, .payload = "\xff", .len = 1, .announced_len = 1000},
        {.opcode = CLIENT_CLOSE, .payload = "\x03\xe8\xff", .len = 3}, /* the reason of a close is text too */
    };
    for (size_t i = 0; i < LENGTH_OF(frames); i++)
        expect_closed_for_frame(*state, frames[i], 1007);
    expect_others_unharmed(*state);
}

static void a_message_over_its_limit_closes_with_1009(void **state)
{
    expect_closed_for_frame(*state, (client_frame){.opcode = CLIENT_TEXT, .announced_len = 128 * 1024 + 1},
                            1009);
    expect_closed_for_frame(
        *state, (client_frame){.opcode = CLIENT_BINARY, .announced_len = UINT64_C(1) << 40}, 1009);
    expect_others_unharmed(*state);
}

static void a_message_whose_fragments_pass_the_limit_closes_with_1009(void **state)
{
    trio *t = *state;
    static char half[64 * 1024];
    memset(half, ' ', sizeof(half));
    client_send_frame(
        t->cleo,
        &(client_frame){.opcode = CLIENT_TEXT, .payload = half, .len = sizeof(half), .is_not_final = true});
    client_send_frame(
        t->cleo,
        &(client_frame){.payload = half, .len = sizeof(half), .is_not_final = true}); /* at the limit */
    client_expect_nothing(t->cleo);
    client_send_frame(t->cleo, &(client_frame){.payload = half, .len = 1});
    client_expect_close(t->cleo, 1009);
}

/* The close must reach a client that is still sending what was too long. */
static void the_close_arrives_although_the_client_is_still_sending(void **state)
{
    trio *t = *state;
    enum { BYTES = 8 * 1024 * 1024 };
    char *payload = calloc(1, BYTES);
    assert_non_null(payload);
    client_send_frame(t->cleo, &(client_frame){.opcode = CLIENT_BINARY, .payload = payload, .len = BYTES});
    client_expect_close(t->cleo, 1009);
    free(payload);
    expect_closed_for_frame(t, (client_frame){.opcode = 0x3}, 1002);
}

/* ---- Too much of it ---- */

static void a_flood_closes_with_1008(void **state)
{
    trio *t = *state;
    client_cork(t->cleo);
    for (int i = 0; i < 200; i++)
        client_leave(t->cleo);
    client_uncork(t->cleo);
    client_expect_close(t->cleo, 1008);
    client_send_number(t->anna, 1);
    client_expect_number(t->bert, "room", "anna", 1);
}

static void control_frames_are_a_flood_as_well(void **state)
{
    trio *t = *state;
    client_cork(t->cleo);
    for (int i = 0; i < 200; i++)
        client_send_frame(t->cleo, &(client_frame){.opcode = CLIENT_PONG});
    client_uncork(t->cleo);
    client_expect_close(t->cleo, 1008);
}

static void empty_fragments_are_a_flood_as_well(void **state)
{
    trio *t = *state;
    client_cork(t->cleo);
    client_send_frame(t->cleo, &(client_frame){.opcode = CLIENT_TEXT, .is_not_final = true});
    for (int i = 0; i < 200; i++)
        client_send_frame(t->cleo, &(client_frame){.is_not_final = true});
    client_uncork(t->cleo);
    client_expect_close(t->cleo, 1008);
}

static void what_a_flooding_user_sent_within_its_rate_has_arrived(void **state)
{
    trio *t = *state;
    client_cork(t->anna);
    for (unsigned i = 0; i < 200; i++)
        client_send_number(t->anna, i);
    client_uncork(t->anna);
    for (unsigned i = 0; i < 40; i++) /* of a burst of 50, some is used */
        client_expect_number(t->bert, "room", "anna", i);
    client_expect_close(t->anna, 1008);
}

static void reports_of_a_client_are_no_faults_however_many(void **state)
{
    trio *t = *state;
    for (int i = 0; i < 50; i++)
        client_send_text(t->anna, "{\"type\":\"error\",\"message\":\"no camera\"}");
    client_expect_nothing(t->anna);
    client_send_text(t->anna, "no JSON");
    client_expect_error(t->anna, "Invalid message");
    client_expect_nothing(t->anna);
}

static void repeated_faults_close_with_1008(void **state)
{
    trio *t = *state;
    client *clients[] = {t->anna, t->cleo};
    for (size_t i = 0; i < LENGTH_OF(clients); i++) {
        client_cork(clients[i]);
        for (int j = 0; j < 20; j++)
            client_send_text(clients[i], "nonsense");
        client_uncork(clients[i]);
        for (int j = 0; j < 5; j++)
            expect_invalid(clients[i]);
        client_expect_close_after_all(clients[i], 1008);
    }
    client_expect_nothing(t->bert);
}

static void few_faults_are_forgiven(void **state)
{
    trio *t = *state;
    for (int i = 0; i < 5; i++) {
        client_send_text(t->anna, "nonsense");
        expect_invalid(t->anna);
    }
    client_send_number(t->anna, 1);
    client_expect_number(t->bert, "room", "anna", 1);
}

/* Asking for what can't be had is no data that is not a message: no limit of rule 5 but the flood's is on it.
 */
static void refused_signals_are_no_faults(void **state)
{
    trio *t = *state;
    for (unsigned i = 0; i < 50; i++) {
        client_send_number(t->cleo, i);
        client_expect_error(t->cleo, "Join the room first");
    }
    client_expect_nothing(t->cleo);
}

/* ---- And nobody else ---- */

static void a_peer_survives_every_end_of_the_other(void **state)
{
    static const client_frame frames[] = {
        {.opcode = 0x3},
        {.opcode = CLIENT_TEXT, .payload = "\xff", .len = 1},
        {.opcode = CLIENT_TEXT, .announced_len = 1 << 30},
    };
    trio *t = *state;
    for (size_t i = 0; i < LENGTH_OF(frames); i++) {
        client_cork(t->anna);
        client_send_number(t->anna, 1);
        client_send_frame(t->anna, &frames[i]);
        client_send_number(t->anna, 2);
        client_uncork(t->anna);
        client_expect_number(t->bert, "room", "anna", 1);
        client_expect_close(t->anna, i == 0 ? 1002 : i == 1 ? 1007 : 1009);
        client_expect_nothing(t->bert);
        client_close(t->anna);
        client_send_number(t->bert, 3);
        client_expect_nothing(t->bert);
        t->anna = client_open_joined(signal_server_port(t->server), "room", "anna");
        client_expect_number(t->anna, "room", "bert", 3);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_is_no_message_is_answered_and_the_connection_goes_on, start,
                                        end),
        cmocka_unit_test_setup_teardown(a_binary_frame_is_no_message_whatever_it_holds, start, end),
        cmocka_unit_test_setup_teardown(what_is_nested_too_deeply_is_no_message, start, end),
        cmocka_unit_test_setup_teardown(a_clients_error_is_not_answered, start, end),
        cmocka_unit_test_setup_teardown(broken_framing_closes_with_1002, start, end),
        cmocka_unit_test_setup_teardown(a_message_that_begins_within_another_closes_with_1002, start, end),
        cmocka_unit_test_setup_teardown(http_behind_the_upgrade_closes_with_1002, start, end),
        cmocka_unit_test_setup_teardown(text_that_is_no_utf8_closes_with_1007, start, end),
        cmocka_unit_test_setup_teardown(a_message_over_its_limit_closes_with_1009, start, end),
        cmocka_unit_test_setup_teardown(a_message_whose_fragments_pass_the_limit_closes_with_1009, start,
                                        end),
        cmocka_unit_test_setup_teardown(the_close_arrives_although_the_client_is_still_sending, start, end),
        cmocka_unit_test_setup_teardown(a_flood_closes_with_1008, start_with_rate, end),
        cmocka_unit_test_setup_teardown(control_frames_are_a_flood_as_well, start_with_rate, end),
        cmocka_unit_test_setup_teardown(empty_fragments_are_a_flood_as_well, start_with_rate, end),
        cmocka_unit_test_setup_teardown(what_a_flooding_user_sent_within_its_rate_has_arrived,
                                        start_with_rate, end),
        cmocka_unit_test_setup_teardown(reports_of_a_client_are_no_faults_however_many, start_with_few_faults,
                                        end),
        cmocka_unit_test_setup_teardown(repeated_faults_close_with_1008, start_with_few_faults, end),
        cmocka_unit_test_setup_teardown(few_faults_are_forgiven, start_with_few_faults, end),
        cmocka_unit_test_setup_teardown(refused_signals_are_no_faults, start_with_few_faults, end),
        cmocka_unit_test_setup_teardown(a_peer_survives_every_end_of_the_other, start, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
