/* The table of protocol/README.md, "Connecting", row by row, through a socket. What the parser makes of every
 * odd byte is its own test's business (tests/unit/websocket/test_handshake.c); here the answers have to
 * arrive, and the connections to end. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "homecall/signal_log.h"
#include "support/client.h"
#include "support/server.h"
#include "websocket/utf8.h"

#include <cjson/cJSON.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define HOST    "Host: 127.0.0.1\r\n"
#define UPGRADE "Connection: Upgrade\r\nUpgrade: websocket\r\n"
#define VERSION "Sec-WebSocket-Version: 13\r\n"
#define KEY     "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
#define GOOD    HOST UPGRADE VERSION KEY

enum { MAX_LOG = 64 * 1024 };

static int start(void **state)
{
    signal_server_options options = server_options();
    *state = server_start(&options);
    return 0;
}

static void send_string(client *c, const char *text)
{
    client_send_bytes(c, text, strlen(text));
}

static client *request(signal_server *server, const char *text)
{
    client *c = client_dial(signal_server_port(server));
    send_string(c, text);
    return c;
}

static void expect_fault(signal_server *server, const char *text, int status)
{
    client *c = request(server, text);
    client_expect_http_fault(c, status);
    client_close(c);
}

static void expect_welcome(signal_server *server, const char *text)
{
    client *c = request(server, text);
    client_expect_upgraded(c);
    client_expect_nothing(c);
    client_close(c);
}

static void a_good_request_is_upgraded(void **state)
{
    expect_welcome(*state, "GET /signal HTTP/1.1\r\n" GOOD "\r\n");
}

static void a_query_string_is_allowed_and_ignored(void **state)
{
    expect_welcome(*state, "GET /signal?room=x&y=%20 HTTP/1.1\r\n" GOOD "\r\n");
    expect_welcome(*state, "GET /signal? HTTP/1.1\r\n" GOOD "\r\n");
}

/* The page may have put a name of its user's there as it is. */
static void a_query_may_hold_bytes_over_ascii(void **state)
{
    expect_welcome(*state, "GET /signal?room=\xD0\xB4\xD0\xBE\xD0\xBC HTTP/1.1\r\n" GOOD "\r\n");
    expect_welcome(*state, "GET /signal?\xFF\xC2\x9B HTTP/1.1\r\n" GOOD "\r\n");
    expect_fault(*state, "GET /signal?\xD0\xB4\x1B[2J HTTP/1.1\r\n" GOOD "\r\n", 400);
    expect_fault(*state, "GET /signal?\x7F HTTP/1.1\r\n" GOOD "\r\n", 400);
    expect_fault(*state, "GET /signal\xD0\xB4 HTTP/1.1\r\n" GOOD "\r\n", 400);
}

static void the_target_may_be_the_whole_address(void **state)
{
    expect_welcome(*state, "GET ws://call.example/signal HTTP/1.1\r\n" GOOD "\r\n");
    expect_welcome(*state, "GET wss://call.example:8443/signal?x HTTP/1.1\r\n" GOOD "\r\n");
    expect_welcome(*state, "GET http://call.example/signal HTTP/1.1\r\n" GOOD "\r\n");
    expect_fault(*state, "GET ws://call.example/other HTTP/1.1\r\n" GOOD "\r\n", 404);
    expect_fault(*state, "GET ftp://call.example/signal HTTP/1.1\r\n" GOOD "\r\n", 400);
}

static void headers_that_mean_nothing_here_are_ignored(void **state)
{
    expect_welcome(*state, "GET /signal HTTP/1.1\r\n" GOOD "Cookie: a=b\r\n"
                           "Sec-WebSocket-Extensions: permessage-deflate\r\n"
                           "Sec-WebSocket-Protocol: chat\r\n\r\n");
}

static void an_extension_or_a_protocol_is_never_agreed_to(void **state)
{
    client *c = request(*state, "GET /signal HTTP/1.1\r\n" GOOD
                                "Sec-WebSocket-Extensions: permessage-deflate\r\n\r\n");
    client_expect_upgraded(c);
    /* A frame with RSV1 would be compressed; nobody has agreed to that. */
    client_send_frame(c, &(client_frame){.opcode = CLIENT_TEXT, .reserved_bits = 0x40});
    client_expect_close(c, 1002);
    client_close(c);
}

static void another_path_is_not_found(void **state)
{
    expect_fault(*state, "GET / HTTP/1.1\r\n" GOOD "\r\n", 404);
    expect_fault(*state, "GET /signal/ HTTP/1.1\r\n" GOOD "\r\n", 404);
    expect_fault(*state, "GET /signals HTTP/1.1\r\n" GOOD "\r\n", 404);
    expect_fault(*state, "GET /Signal HTTP/1.1\r\n" GOOD "\r\n", 404);
}

static void another_method_is_told_which_one_is_allowed(void **state)
{
    static const char *const methods[] = {"POST", "HEAD", "OPTIONS", "DELETE"};
    for (size_t i = 0; i < sizeof(methods) / sizeof(methods[0]); i++) {
        client *c = client_dial(signal_server_port(*state));
        send_string(c, methods[i]);
        send_string(c, " /signal HTTP/1.1\r\n" GOOD "\r\n");
        client_expect_http_fault(c, 405);
        assert_string_equal(client_http_header(c, "Allow"), "GET");
        client_close(c);
    }
}

static void expect_upgrade_required(signal_server *server, const char *text)
{
    client *c = request(server, text);
    client_expect_http_fault(c, 426);
    assert_string_equal(client_http_header(c, "Upgrade"), "websocket");
    assert_string_equal(client_http_header(c, "Sec-WebSocket-Version"), "13");
    client_close(c);
}

static void a_plain_request_is_told_to_upgrade(void **state)
{
    expect_upgrade_required(*state, "GET /signal HTTP/1.1\r\n" HOST "\r\n");
    expect_upgrade_required(*state, "GET /signal HTTP/1.1\r\n" HOST
                                    "Connection: Upgrade\r\nUpgrade: h2c\r\n" VERSION KEY "\r\n");
}

static void another_websocket_version_is_told_which_one_is_spoken(void **state)
{
    expect_upgrade_required(*state, "GET /signal HTTP/1.1\r\n" HOST UPGRADE KEY "\r\n");
    expect_upgrade_required(*state,
                            "GET /signal HTTP/1.1\r\n" HOST UPGRADE KEY "Sec-WebSocket-Version: 8\r\n\r\n");
}

static void a_key_that_is_not_sixteen_bytes_of_base64_is_a_bad_request(void **state)
{
    static const char *const keys[] = {
        "",
        "Sec-WebSocket-Key:\r\n",
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZ\r\n",               /* cut */
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25j\r\n",                /* 15 bytes */
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZXM=\r\n",            /* 17 bytes */
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZ!==\r\n",            /* another alphabet */
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n" KEY "\r\n", /* two of them */
    };
    for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
        client *c = client_dial(signal_server_port(*state));
        client_cork(c);
        send_string(c, "GET /signal HTTP/1.1\r\n" HOST UPGRADE VERSION);
        send_string(c, keys[i]);
        send_string(c, "\r\n");
        client_uncork(c);
        client_expect_http_fault(c, 400);
        client_close(c);
    }
}

/* RFC 6455, 4.1 has this key as its example, in a base64 that no encoder makes. */
static void a_key_with_a_bit_set_behind_its_bytes_is_accepted_as_it_was_sent(void **state)
{
    client *c = request(*state, "GET /signal HTTP/1.1\r\n" HOST UPGRADE VERSION
                                "Sec-WebSocket-Key: AQIDBAUGBwgJCgsMDQ4PEC==\r\n\r\n");
    client_expect_upgraded_with(c, "OfS0wDaT5NoxF2gqm7Zj2YtetzM=");
    client_expect_nothing(c);
    client_close(c);
}

static void a_request_without_a_host_is_a_bad_request(void **state)
{
    expect_fault(*state, "GET /signal HTTP/1.1\r\n" UPGRADE VERSION KEY "\r\n", 400);
}

static void a_malformed_request_is_a_bad_request(void **state)
{
    expect_fault(*state, "\r\n\r\n", 400);
    expect_fault(*state, "GET\r\n\r\n", 400);
    expect_fault(*state, "GET /signal HTTP/1.1\r\nno colon\r\n" GOOD "\r\n", 400);
    expect_fault(*state, "GET /signal HTTP/1.1\r\n folded: yes\r\n" GOOD "\r\n", 400);
    /* The hello of TLS, sent to the plain port. */
    static const unsigned char hello[] = {0x16, 0x03, 0x01, 0x00, 0x05, 0x01, '\r', '\n', 0x00, 0x00, '\n'};
    client *c = client_dial(signal_server_port(*state));
    client_send_bytes(c, hello, sizeof(hello));
    client_expect_http_fault(c, 400);
    client_close(c);
}

static void only_listed_origins_are_let_in(void **state)
{
    (void)state;
    signal_server_options options = server_options();
    options.allowed_origins = "https://call.example, https://other.example:8443";
    signal_server *server = server_start(&options);
    expect_welcome(server, "GET /signal HTTP/1.1\r\n" GOOD "Origin: https://call.example\r\n\r\n");
    expect_welcome(server, "GET /signal HTTP/1.1\r\n" GOOD "Origin: HTTPS://CALL.example\r\n\r\n");
    expect_welcome(server, "GET /signal HTTP/1.1\r\n" GOOD "Origin: https://other.example:8443\r\n\r\n");
    expect_fault(server, "GET /signal HTTP/1.1\r\n" GOOD "Origin: https://other.example\r\n\r\n", 403);
    expect_fault(server, "GET /signal HTTP/1.1\r\n" GOOD "Origin: https://call.example.evil\r\n\r\n", 403);
    expect_fault(server, "GET /signal HTTP/1.1\r\n" GOOD "Origin: http://call.example\r\n\r\n", 403);
    expect_fault(server, "GET /signal HTTP/1.1\r\n" GOOD "Origin: null\r\n\r\n", 403);
    server_end(server);
}

/* What an operator writes, and what the browser of that page sends. */
static void an_origin_may_be_written_as_people_do(void **state)
{
    (void)state;
    static const char *const pairs[][2] = {
        {"https://call.example:443", "https://call.example"},
        {"http://localhost:80", "http://localhost"},
        {"https://домозвон.рф", "https://xn--b1adjthcbc.xn--p1ai"},
        {"https://*.ДомоЗвон.РФ", "https://a.xn--b1adjthcbc.xn--p1ai"},
        {"file://", "file://"},
        {"null", "null"},
    };
    for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
        char request[512];
        signal_server_options options = server_options();
        options.allowed_origins = pairs[i][0];
        signal_server *server = server_start(&options);
        snprintf(request, sizeof(request), "GET /signal HTTP/1.1\r\n%sOrigin: %s\r\n\r\n", GOOD, pairs[i][1]);
        expect_welcome(server, request);
        expect_fault(server, "GET /signal HTTP/1.1\r\n" GOOD "Origin: https://other.example\r\n\r\n", 403);
        server_end(server);
    }
}

/* An entry that no browser could meet makes the start fail, and is named. */
static void an_origin_that_no_browser_sends_is_told_at_the_start(void **state)
{
    (void)state;
    static const char *const wrong[] = {"'https://call.example'",     "wss://call.example",
                                        "https://call.example:",      "https://call.example:99999",
                                        "https://call.example/",      "https://user@call.example",
                                        "https://xn--b1adjthcbc.☕.рф"};
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        char list[128];
        signal_server_options options = server_options();
        snprintf(list, sizeof(list), "https://good.example, %s", wrong[i]);
        options.allowed_origins = list;
        signal_server_fault fault = server_start_fault(&options);
        assert_int_equal(fault.error, -EINVAL);
        assert_int_equal(fault.kind, SIGNAL_SERVER_FAULT_ORIGIN);
        assert_memory_equal(fault.entry, wrong[i], strlen(wrong[i]));
        assert_memory_equal(fault.entry + strlen(wrong[i]), ": ", 2);
    }
}

static void without_a_list_every_origin_is_let_in(void **state)
{
    expect_welcome(*state, "GET /signal HTTP/1.1\r\n" GOOD "Origin: https://anybody.example\r\n\r\n");
}

static void a_client_that_names_no_origin_is_no_browser_and_let_in(void **state)
{
    (void)state;
    signal_server_options options = server_options();
    options.allowed_origins = "https://call.example";
    signal_server *server = server_start(&options);
    expect_welcome(server, "GET /signal HTTP/1.1\r\n" GOOD "\r\n");
    server_end(server);
}

static void with_require_origin_a_client_that_names_none_is_refused(void **state)
{
    (void)state;
    signal_server_options options = server_options();
    options.allowed_origins = "https://call.example";
    options.require_origin = true;
    signal_server *server = server_start(&options);
    expect_fault(server, "GET /signal HTTP/1.1\r\n" GOOD "\r\n", 403);
    expect_fault(server, "GET /signal HTTP/1.1\r\n" GOOD "Sec-Fetch-Site: same-origin\r\n\r\n", 403);
    expect_fault(server, "GET /signal HTTP/1.1\r\n" GOOD "Origin: https://other.example\r\n\r\n", 403);
    expect_welcome(server, "GET /signal HTTP/1.1\r\n" GOOD "Origin: https://call.example\r\n\r\n");
    server_end(server);
}

/* ---- What the log shows of a request ---- */

/* Serve requests with bytes that a log must not show as they are. The log's lines, owned by the caller. */
static char *log_of_odd_requests(signal_log_format format)
{
    char file[] = "/tmp/test_handshake.XXXXXX";
    int fd = mkstemp(file);
    assert_true(fd >= 0);
    const signal_log_options log = {.size = sizeof(signal_log_options),
                                    .file = file,
                                    .level = SIGNAL_LOG_INFO,
                                    .format = format,
                                    .is_private = true};
    assert_int_equal(signal_log_start(&log), 0);
    signal_server_options options = server_options();
    signal_server *server = server_start(&options);

    expect_welcome(server, "GET /signal?codeword=\xD0\xB4\xFF\xC2\x9B HTTP/1.1\r\n" GOOD "\r\n");
    expect_welcome(server, "GET /signal HTTP/1.1\r\n" GOOD
                           "Origin: https://\xD0\xB4\xFF\xC2\x9B\xE2\x80\xAE\"\\\t.example\r\n\r\n");
    expect_fault(server, "GET /\"\\u0007?codeword=\xFF HTTP/1.1\r\n" GOOD "\r\n", 404);
    expect_fault(server, "GET /sign\xFF\xC2\x9B?codeword HTTP/1.1\r\n" GOOD "\r\n", 400);
    expect_fault(server, "GET /signal?codeword=\x1B[2J\xFF HTTP/1.1\r\n" GOOD "\r\n", 400);
    server_end(server);
    signal_log_stop();

    char *text = calloc(1, MAX_LOG);
    assert_non_null(text);
    assert_in_range(read(fd, text, MAX_LOG - 1), 1, MAX_LOG - 2);
    close(fd);
    unlink(file);
    return text;
}

/* Lines of UTF-8 in which nothing acts on a terminal (the renderer's own test has every case), and in which
 * no query stands. */
static void assert_harmless(const char *text)
{
    utf8_state state = {0};
    assert_true(utf8_check(&state, (const uint8_t *)text, strlen(text)) && utf8_is_complete(&state));
    for (const char *at = text; *at != '\0'; at++) {
        unsigned char c = (unsigned char)at[0];
        assert_true(c == '\n' || (c >= ' ' && c != 0x7F));
        assert_false(c == 0xC2 && (unsigned char)at[1] < 0xA0); /* U+0080 to U+009F */
    }
    assert_null(strstr(text, "\xE2\x80\xAE"));
    assert_null(strstr(text, "codeword"));
}

static void a_log_line_shows_no_byte_of_a_request_that_acts(void **unused)
{
    (void)unused;
    char *text = log_of_odd_requests(SIGNAL_LOG_TEXT);
    assert_harmless(text);
    assert_non_null(strstr(text, "origin=\"https://\xD0\xB4\\xff\\u009b\\u202e\\\"\\\\\\t.example\"\n"));
    assert_non_null(strstr(text, "path=\"/\\\"\\\\u0007\""));
    free(text);
}

static void a_log_line_in_json_stays_json_whatever_a_request_holds(void **unused)
{
    (void)unused;
    char *text = log_of_odd_requests(SIGNAL_LOG_JSON);
    assert_harmless(text);
    unsigned answers = 0;
    char *rest = text;
    for (char *line; (line = strsep(&rest, "\n")) != NULL && line[0] != '\0';) {
        cJSON *json = cJSON_Parse(line);
        assert_non_null(json);
        answers += cJSON_HasObjectItem(json, "path");
        cJSON_Delete(json);
    }
    assert_int_equal(answers, 5);
    free(text);
}

/* ---- Limits ---- */

/* A good request of exactly `len` bytes, owned by the caller. */
static char *make_request_of(size_t len)
{
    static const char begin[] = "GET /signal HTTP/1.1\r\n" GOOD "X-Filler: ";
    char *text = malloc(len + 1);
    assert_non_null(text);
    memset(text, 'x', len);
    memcpy(text, begin, sizeof(begin) - 1);
    memcpy(text + len - 4, "\r\n\r\n", 5);
    return text;
}

static void a_request_head_may_be_as_long_as_its_limit_and_no_longer(void **state)
{
    char *text = make_request_of(8192);
    expect_welcome(*state, text);
    free(text);
    text = make_request_of(8193);
    expect_fault(*state, text, 431);
    free(text);
}

static void a_request_head_without_an_end_is_refused_at_its_limit(void **state)
{
    client *c = request(*state, "GET /signal HTTP/1.1\r\n" HOST "X-Filler: ");
    char filler[9000];
    memset(filler, 'x', sizeof(filler));
    client_send_bytes(c, filler, sizeof(filler));
    client_expect_http_fault(c, 431);
    client_close(c);
}

/* Closing a socket with unread input resets it, and the reset destroys the answer on its way. */
static void an_answer_arrives_although_the_client_is_still_sending(void **state)
{
    client *c = request(*state, "POST /signal HTTP/1.1\r\n" HOST "Content-Length: 4000000\r\n\r\n");
    char body[64 * 1024] = {0};
    for (int i = 0; i < 64; i++)
        client_send_bytes(c, body, sizeof(body));
    client_expect_http_fault(c, 405);
    client_close(c);
}

static void a_request_may_come_byte_by_byte(void **state)
{
    client *c = client_dial(signal_server_port(*state));
    const char *text = "GET /signal HTTP/1.1\r\n" GOOD "\r\n";
    for (size_t i = 0; text[i] != '\0'; i++)
        client_send_bytes(c, &text[i], 1);
    client_expect_upgraded(c);
    client_expect_nothing(c);
    client_close(c);
}

static void a_request_may_be_cut_anywhere(void **state)
{
    static const char text[] = "GET /signal HTTP/1.1\r\n" GOOD "\r\n";
    signal_server *server = *state;
    for (size_t cut = 1; cut < sizeof(text) - 1; cut++) {
        uint64_t accepted = server_stats(server).accepted;
        client *c = client_dial(signal_server_port(server));
        client_send_bytes(c, text, cut);
        SERVER_AWAIT(server, accepted, accepted + 1); /* so the rest is likely to come by itself */
        client_send_bytes(c, text + cut, sizeof(text) - 1 - cut);
        client_expect_upgraded(c);
        client_close(c);
    }
}

static void frames_right_behind_the_request_are_not_lost(void **state)
{
    uint16_t port = signal_server_port(*state);
    client *c = client_dial(port);
    client_cork(c);
    client_send_upgrade(c);
    client_join(c, "early", "anna");
    client_send_number(c, 1);
    client_send_ping(c, "hello");
    client_uncork(c);
    client_expect_upgraded(c);
    client_expect_pong(c, "hello");
    client *other = client_open_joined(port, "early", "bert");
    client_expect_number(other, "early", "anna", 1);
    client_close(other);
    client_close(c);
}

static void a_request_that_is_not_complete_in_time_ends_the_connection(void **state)
{
    (void)state;
    signal_server_options options = server_options();
    options.handshake_timeout_ms = 100;
    signal_server *server = server_start(&options);
    uint16_t port = signal_server_port(server);

    client *open = client_open(port);
    client *silent = client_dial(port);
    client *slow = client_dial(port);
    send_string(slow, "GET /signal HTTP/1.1\r\n" HOST);
    client_expect_end(silent);
    client_expect_end(slow);
    client_expect_nothing(open); /* which has done its part */
    client_close(slow);
    client_close(silent);
    client_close(open);
    server_end(server);
}

/* The time is for the whole request: a byte now and then buys nothing. */
static void a_trickled_request_gets_no_more_time(void **state)
{
    (void)state;
    signal_server_options options = server_options();
    options.handshake_timeout_ms = 200;
    signal_server *server = server_start(&options);
    client *c = client_dial(signal_server_port(server));
    send_string(c, "GET /signal HTTP/1.1\r\nX-Filler: ");
    uint64_t begin_ms = client_now_ms();
    while (!client_is_readable(c, 20) && client_now_ms() < begin_ms + CLIENT_WAIT_MS)
        send_string(c, "x");
    client_expect_gone(c);
    client_close(c);
    server_end(server);
}

static void too_many_connections_are_answered_with_503(void **state)
{
    (void)state;
    signal_server_options options = server_options();
    options.max_connections = 2;
    signal_server *server = server_start(&options);
    uint16_t port = signal_server_port(server);

    client *first = client_open(port);
    client *second = client_open(port);
    client *third = client_dial(port);
    client_send_upgrade(third);
    client_expect_http_fault(third, 503);
    client_close(third);
    assert_int_equal(server_stats(server).refused, 1);

    client_close(first);
    SERVER_AWAIT(server, connections, 1);
    first = client_open(port);
    client_expect_nothing(second);
    client_close(first);
    client_close(second);
    server_end(server);
}

static void too_many_connections_from_one_address_are_answered_with_503(void **state)
{
    (void)state;
    signal_server_options options = server_options();
    options.max_connections_per_address = 1;
    signal_server *server = server_start(&options);
    uint16_t port = signal_server_port(server);

    client *one = client_dial_from(port, "127.0.0.2");
    client_upgrade(one);
    client *again = client_dial_from(port, "127.0.0.2");
    client_send_upgrade(again);
    client_expect_http_fault(again, 503);
    client *other = client_dial_from(port, "127.0.0.3");
    client_upgrade(other);
    client_close(other);
    client_close(again);
    client_close(one);
    server_end(server);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_good_request_is_upgraded, start, server_teardown),
        cmocka_unit_test_setup_teardown(a_query_string_is_allowed_and_ignored, start, server_teardown),
        cmocka_unit_test_setup_teardown(a_query_may_hold_bytes_over_ascii, start, server_teardown),
        cmocka_unit_test_setup_teardown(the_target_may_be_the_whole_address, start, server_teardown),
        cmocka_unit_test_setup_teardown(headers_that_mean_nothing_here_are_ignored, start, server_teardown),
        cmocka_unit_test_setup_teardown(an_extension_or_a_protocol_is_never_agreed_to, start,
                                        server_teardown),
        cmocka_unit_test_setup_teardown(another_path_is_not_found, start, server_teardown),
        cmocka_unit_test_setup_teardown(another_method_is_told_which_one_is_allowed, start, server_teardown),
        cmocka_unit_test_setup_teardown(a_plain_request_is_told_to_upgrade, start, server_teardown),
        cmocka_unit_test_setup_teardown(another_websocket_version_is_told_which_one_is_spoken, start,
                                        server_teardown),
        cmocka_unit_test_setup_teardown(a_key_that_is_not_sixteen_bytes_of_base64_is_a_bad_request, start,
                                        server_teardown),
        cmocka_unit_test_setup_teardown(a_key_with_a_bit_set_behind_its_bytes_is_accepted_as_it_was_sent,
                                        start, server_teardown),
        cmocka_unit_test_setup_teardown(a_request_without_a_host_is_a_bad_request, start, server_teardown),
        cmocka_unit_test_setup_teardown(a_malformed_request_is_a_bad_request, start, server_teardown),
        cmocka_unit_test(only_listed_origins_are_let_in),
        cmocka_unit_test(an_origin_may_be_written_as_people_do),
        cmocka_unit_test(an_origin_that_no_browser_sends_is_told_at_the_start),
        cmocka_unit_test_setup_teardown(without_a_list_every_origin_is_let_in, start, server_teardown),
        cmocka_unit_test(a_client_that_names_no_origin_is_no_browser_and_let_in),
        cmocka_unit_test(with_require_origin_a_client_that_names_none_is_refused),
        cmocka_unit_test(a_log_line_shows_no_byte_of_a_request_that_acts),
        cmocka_unit_test(a_log_line_in_json_stays_json_whatever_a_request_holds),
        cmocka_unit_test_setup_teardown(a_request_head_may_be_as_long_as_its_limit_and_no_longer, start,
                                        server_teardown),
        cmocka_unit_test_setup_teardown(a_request_head_without_an_end_is_refused_at_its_limit, start,
                                        server_teardown),
        cmocka_unit_test_setup_teardown(an_answer_arrives_although_the_client_is_still_sending, start,
                                        server_teardown),
        cmocka_unit_test_setup_teardown(a_request_may_come_byte_by_byte, start, server_teardown),
        cmocka_unit_test_setup_teardown(a_request_may_be_cut_anywhere, start, server_teardown),
        cmocka_unit_test_setup_teardown(frames_right_behind_the_request_are_not_lost, start, server_teardown),
        cmocka_unit_test(a_request_that_is_not_complete_in_time_ends_the_connection),
        cmocka_unit_test(a_trickled_request_gets_no_more_time),
        cmocka_unit_test(too_many_connections_are_answered_with_503),
        cmocka_unit_test(too_many_connections_from_one_address_are_answered_with_503),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
