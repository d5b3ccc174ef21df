/* Each request is judged whole and at every shorter length, each time in a block of just its size: a verdict
 * given early must be the one that all of the bytes get, and one must be there when the head is. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "websocket/handshake.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LENGTH_OF(array) (sizeof(array) / sizeof((array)[0]))

#define LINE    "GET /signal HTTP/1.1\r\n"
#define HOST    "Host: example.org\r\n"
#define UPGRADE "Upgrade: websocket\r\nConnection: Upgrade\r\n"
#define VERSION "Sec-WebSocket-Version: 13\r\n"
#define KEY     "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
#define ORIGIN  "Origin: https://example.org\r\n"
#define REST    HOST UPGRADE VERSION KEY "\r\n"

enum { MAX_HEAD = 1024 };

static bool allows_example_org(void *context, slice origin)
{
    int *times_asked = context;
    ++*times_asked;
    return slice_equals(origin, SLICE_LITERAL("https://example.org"));
}

static ws_handshake_rules rules_for_signal(void)
{
    return (ws_handshake_rules){.path = "/signal", .max_head_bytes = MAX_HEAD};
}

static void assert_same_slice(slice a, slice b, ptrdiff_t moved)
{
    assert_int_equal(a.len, b.len);
    if (a.len > 0)
        assert_ptr_equal(a.data + moved, b.data);
}

/* Judge the request whole and each of its prefixes. True, and the verdict, when there is one for the whole.
 */
static bool judge(const ws_handshake_rules *rules, const char *request, size_t len, ws_handshake *whole)
{
    bool is_judged = ws_handshake_parse(rules, request, len, whole);
    for (size_t part = 0; part < len; part++) {
        char *block = malloc(part > 0 ? part : 1);
        assert_non_null(block);
        memcpy(block, request, part);
        ws_handshake early;
        if (ws_handshake_parse(rules, block, part, &early)) {
            assert_true(is_judged);
            assert_int_equal(early.status, whole->status);
            assert_int_equal(early.head_len, whole->head_len);
            assert_same_slice(early.key, whole->key, request - block);
            assert_same_slice(early.path, whole->path, request - block);
            assert_same_slice(early.query, whole->query, request - block);
            assert_same_slice(early.origin, whole->origin, request - block);
        } else if (is_judged && whole->status == 101) {
            assert_true(part < whole->head_len);
        }
        free(block);
    }
    return is_judged;
}

static int status_under(const ws_handshake_rules *rules, const char *request)
{
    ws_handshake handshake;
    return judge(rules, request, strlen(request), &handshake) ? handshake.status : 0;
}

static int status_of(const char *request)
{
    ws_handshake_rules rules = rules_for_signal();
    return status_under(&rules, request);
}

static void expect_status(int status, const char *const requests[], size_t count)
{
    for (size_t i = 0; i < count; i++) {
        int got = status_of(requests[i]);
        if (got != status)
            fail_msg("%d instead of %d for request %zu:\n%s", got, status, i, requests[i]);
    }
}

static void assert_slice(slice s, const char *text)
{
    assert_int_equal(s.len, strlen(text));
    assert_memory_equal(s.data, text, s.len);
}

/* ---- Requests that are served ---- */

static void no_bytes_get_no_verdict(void **unused)
{
    (void)unused;
    ws_handshake_rules rules = rules_for_signal();
    ws_handshake handshake;
    assert_false(ws_handshake_parse(&rules, NULL, 0, &handshake));
}

static void a_complete_request_is_served_and_not_a_byte_earlier(void **unused)
{
    (void)unused;
    static const char request[] = "GET /signal?room=1 HTTP/1.1\r\n" ORIGIN REST;
    ws_handshake_rules rules = rules_for_signal();
    ws_handshake handshake;

    assert_true(judge(&rules, request, sizeof(request) - 1, &handshake));
    assert_int_equal(handshake.status, 101);
    assert_int_equal(handshake.head_len, sizeof(request) - 1);
    assert_slice(handshake.key, "dGhlIHNhbXBsZSBub25jZQ==");
    assert_slice(handshake.origin, "https://example.org");
    assert_slice(handshake.path, "/signal");
    assert_slice(handshake.query, "room=1");
    assert_null(handshake.protocol);
    assert_false(ws_handshake_parse(&rules, request, sizeof(request) - 2, &handshake));
}

static void bytes_behind_the_head_belong_to_frames(void **unused)
{
    (void)unused;
    static const char request[] = LINE REST "\x81\x85\r\n\r\nGET";
    ws_handshake_rules rules = rules_for_signal();
    ws_handshake handshake;

    assert_true(judge(&rules, request, sizeof(request) - 1, &handshake));
    assert_int_equal(handshake.status, 101);
    assert_int_equal(handshake.head_len, sizeof(LINE REST) - 1);

    char *long_tail = calloc(1, 2 * MAX_HEAD);
    assert_non_null(long_tail);
    memcpy(long_tail, LINE REST, sizeof(LINE REST) - 1);
    assert_true(ws_handshake_parse(&rules, long_tail, 2 * MAX_HEAD, &handshake));
    assert_int_equal(handshake.status, 101);
    free(long_tail);
}

static void every_way_to_ask_properly_is_served(void **unused)
{
    (void)unused;
    static const char *const requests[] = {
        LINE REST,
        "GET /signal? HTTP/1.1\r\n" REST,
        "GET /signal?a=/b?c&d=%20|{} HTTP/1.1\r\n" REST,
        "GET /signal?room=\xD0\xB4\xD0\xBE\xD0\xBC HTTP/1.1\r\n" REST,
        "GET ws://example.org/signal?\xF0\x9F\xA6\x8A HTTP/1.1\r\n" REST,
        "GET /signal?\x80 HTTP/1.1\r\n" REST, /* nobody reads it, so nobody asks whether it is UTF-8 */
        "GET /signal?\xFF? HTTP/1.1\r\n" REST,
        "GET /signal HTTP/1.2\r\n" REST,
        "GET /signal HTTP/1.9\r\n" REST,
        "GET http://example.org/signal HTTP/1.1\r\n" REST,
        "GET HTTPS://example.org:8443/signal?q HTTP/1.1\r\n" REST,
        "GET http://[::1]:80/signal HTTP/1.1\r\n" REST,
        "GET ws://example.org/signal HTTP/1.1\r\n" REST,
        "GET WSS://example.org:443/signal?q HTTP/1.1\r\n" REST,
        "GET ws://[::1]/signal HTTP/1.1\r\n" REST,
        LINE
        "hOST:example.org\r\nUPGRADE:WebSocket\r\nconnection:\t uPGRADE \t\r\nsec-websocket-version:13\r\n"
        "sec-websocket-key:dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
        LINE HOST VERSION KEY "Upgrade: websocket\r\nConnection: keep-alive, Upgrade\r\n\r\n",
        LINE HOST VERSION KEY "Upgrade: h2c , ,websocket\r\nConnection: Upgrade,keep-alive\r\n\r\n",
        LINE HOST VERSION KEY
        "Upgrade: h2c\r\nUpgrade: websocket\r\nConnection: x\r\nConnection: upgrade\r\n\r\n",
        LINE HOST VERSION KEY
        "Upgrade: websocket\r\nUpgrade: h2c\r\nConnection: upgrade\r\nConnection: x\r\n\r\n",
        LINE "Sec-WebSocket-Extensions: permessage-deflate\r\nSec-WebSocket-Protocol: a, b\r\n" REST,
        LINE "Content-Length: 0\r\n" REST,
        LINE "X-Empty:\r\nX-Latin: \xE4\xF6\r\nX-Tab: a\tb\r\nX!#$%&'*+-.^_`|~9: x\r\n" REST,
        LINE "Origin: https://anywhere.example\r\n" REST,
    };
    expect_status(101, requests, LENGTH_OF(requests));
}

/* ---- Requests that are refused ---- */

static void malformed_requests_are_bad(void **unused)
{
    (void)unused;
    static const char *const requests[] = {
        "\r\n" LINE REST,
        "\r\n\r\n",
        "\n",
        "GET\r\n\r\n",
        "GET /signal\r\n\r\n",
        "GET  HTTP/1.1\r\n" REST,
        "GET /signal HTTP/1.1 \r\n" REST,
        "GET  /signal HTTP/1.1\r\n" REST,
        " GET /signal HTTP/1.1\r\n" REST,
        "G(T /signal HTTP/1.1\r\n" REST,
        "GET /sig nal HTTP/1.1\r\n" REST,
        "GET /sig\tnal HTTP/1.1\r\n" REST,
        "GET /signal\x7F HTTP/1.1\r\n" REST,
        "GET /sign\xC3\xA4l HTTP/1.1\r\n" REST,
        "GET /signal\xFF?a HTTP/1.1\r\n" REST,
        "GET http://d\xC3\xB6m.example/signal HTTP/1.1\r\n" REST,
        "GET http://d\xC3\xB6m.example?a HTTP/1.1\r\n" REST,
        "GET /signal?\xC3\xA4#top HTTP/1.1\r\n" REST,
        "GET /signal?\xC3\xA4 \xC3\xA4 HTTP/1.1\r\n" REST,
        "\xC3\xA4 /signal HTTP/1.1\r\n" REST,
        "GET /signal#top HTTP/1.1\r\n" REST,
        "GET signal HTTP/1.1\r\n" REST,
        "GET * HTTP/1.1\r\n" REST,
        "CONNECT example.org:443 HTTP/1.1\r\n" REST,
        "GET ftp://example.org/signal HTTP/1.1\r\n" REST,
        "GET http:///signal HTTP/1.1\r\n" REST,
        "GET ws:///signal HTTP/1.1\r\n" REST,
        "GET ws:/signal HTTP/1.1\r\n" REST,
        "GET ws:example.org/signal HTTP/1.1\r\n" REST,
        "GET wsss://example.org/signal HTTP/1.1\r\n" REST,
        "GET xws://example.org/signal HTTP/1.1\r\n" REST,
        "GET http://me@example.org/signal HTTP/1.1\r\n" REST,
        "GET wss://me@example.org/signal HTTP/1.1\r\n" REST,
        "GET /signal HTTP/1.0\r\n" REST,
        "GET /signal HTTP/2.0\r\n" REST,
        "GET /signal HTTP/1.10\r\n" REST,
        "GET /signal HTTP/1.\r\n" REST,
        "GET /signal HTTP/1.:\r\n" REST,
        "GET /signal http/1.1\r\n" REST,
        "GET /signal HTTP/1.1\n" REST,
        "GET /signal HTTP/1.1\r\r\n" REST,
        LINE "No colon here\r\n" REST,
        LINE ": no name\r\n" REST,
        LINE "Blank : before the colon\r\n" REST,
        LINE " Blank: before the name\r\n" REST,
        LINE "X-Folded: one\r\n two\r\n" REST,
        LINE "X-Folded: one\r\n\ttwo\r\n" REST,
        LINE "X-Bare: a\nX-Feed: b\r\n" REST,
        LINE "X-Bare: a\rb\r\n" REST,
        LINE "X-Control: a\x01\r\n" REST,
        LINE "X-Delete: a\x7F\r\n" REST,
        LINE "X-\xC3\xA4: umlaut in the name\r\n" REST,
        /* A malformed request is one on every path and with every method. */
        "POST /elsewhere HTTP/1.1\r\nbroken\r\n\r\n",
    };
    expect_status(400, requests, LENGTH_OF(requests));
}

static void a_nul_is_refused_wherever_it_stands(void **unused)
{
    (void)unused;
    static const char good[] = LINE "X: y\r\n" REST;
    ws_handshake_rules rules = rules_for_signal();
    for (size_t at = 0; at < sizeof(LINE "X: y") - 1; at++) {
        char request[sizeof(good)];
        memcpy(request, good, sizeof(good));
        request[at] = '\0';
        ws_handshake handshake;
        assert_true(judge(&rules, request, sizeof(good) - 1, &handshake));
        assert_int_equal(handshake.status, 400);
    }
}

static void a_target_has_no_control_character_and_bytes_over_ascii_only_behind_a_question_mark(void **unused)
{
    (void)unused;
    static const char path[] = "GET /signal HTTP/1.1\r\n" REST;
    static const char query[] = "GET /signal?x=y HTTP/1.1\r\n" REST;
    for (int byte = 1; byte < 0x100; byte++) {
        char request[sizeof(query)];
        bool is_visible = byte > ' ' && byte < 0x7F && byte != '#';
        memcpy(request, path, sizeof(path));
        request[sizeof("GET /s") - 1] = (char)byte;
        /* A path of other letters is another path, and "?" ends it. */
        assert_int_equal(status_of(request), !is_visible ? 400 : byte == 'i' ? 101 : 404);
        memcpy(request, query, sizeof(query));
        request[sizeof("GET /signal?x") - 1] = (char)byte;
        assert_int_equal(status_of(request), is_visible || byte >= 0x80 ? 101 : 400);
    }
}

static void the_query_is_what_follows_the_first_question_mark(void **unused)
{
    (void)unused;
    static const struct {
        const char *target;
        const char *path;
        const char *query;
    } cases[] = {
        {"/signal", "/signal", ""},
        {"/signal?", "/signal", ""},
        {"/signal?sessionId=a%20b", "/signal", "sessionId=a%20b"},
        {"/signal??a?b", "/signal", "?a?b"},
        {"/signal?\xd0\xb4\xff", "/signal", "\xd0\xb4\xff"},
        {"http://example.org/signal?a=1", "/signal", "a=1"},
        {"http://example.org?a=1", "", "a=1"},
        {"/other?a=1", "/other", "a=1"}, /* a request that is refused has one, too */
    };
    for (size_t i = 0; i < LENGTH_OF(cases); i++) {
        char request[256];
        snprintf(request, sizeof(request), "GET %s HTTP/1.1\r\n" REST, cases[i].target);
        ws_handshake_rules rules = rules_for_signal();
        ws_handshake handshake;
        assert_true(judge(&rules, request, strlen(request), &handshake));
        assert_slice(handshake.path, cases[i].path);
        assert_slice(handshake.query, cases[i].query);
    }
    ws_handshake_rules rules = rules_for_signal();
    ws_handshake handshake;
    assert_true(judge(&rules, "GET /signal?a\x01 HTTP/1.1\r\n", 25, &handshake));
    assert_int_equal(handshake.status, 400);
    assert_int_equal(handshake.query.len, 0);
}

static void a_broken_first_line_is_refused_before_the_head_is_complete(void **unused)
{
    (void)unused;
    assert_int_equal(status_of("GET /signal HTTP/1.0\r\n"), 400);
    assert_int_equal(status_of("GET /signal\n"), 400);
    assert_int_equal(status_of("\x16\x03\x01"), 400); /* a TLS hello */
    assert_int_equal(status_of("GET /signal HTTP/1.1\r\n"), 0);
    assert_int_equal(status_of("GET /elsewhere HTTP/1.1\r\nHost: x\r\n"), 0);
}

static void other_paths_are_not_found(void **unused)
{
    (void)unused;
    static const char *const requests[] = {
        "GET / HTTP/1.1\r\n" REST,
        "GET /signa HTTP/1.1\r\n" REST,
        "GET /signal/ HTTP/1.1\r\n" REST,
        "GET /signals HTTP/1.1\r\n" REST,
        "GET /Signal HTTP/1.1\r\n" REST,
        "GET //signal HTTP/1.1\r\n" REST,
        "GET http://example.org HTTP/1.1\r\n" REST,
        "GET http://example.org?/signal HTTP/1.1\r\n" REST,
        "GET ws://example.org HTTP/1.1\r\n" REST,
        "GET wss://example.org/signal/ HTTP/1.1\r\n" REST,
        "POST / HTTP/1.1\r\n\r\n",
    };
    expect_status(404, requests, LENGTH_OF(requests));
}

static void without_a_path_rule_every_path_is_served(void **unused)
{
    (void)unused;
    ws_handshake_rules rules = {.max_head_bytes = MAX_HEAD};
    assert_int_equal(status_under(&rules, "GET /any HTTP/1.1\r\n" REST), 101);
    assert_int_equal(status_under(&rules, "GET http://example.org HTTP/1.1\r\n" REST), 101);
    rules.path = "/";
    assert_int_equal(status_under(&rules, "GET http://example.org?q HTTP/1.1\r\n" REST), 101);
    assert_int_equal(status_under(&rules, "GET /any HTTP/1.1\r\n" REST), 404);
}

static void other_methods_are_not_allowed(void **unused)
{
    (void)unused;
    static const char *const requests[] = {
        "POST /signal HTTP/1.1\r\n" REST,
        "HEAD /signal HTTP/1.1\r\n\r\n",
        "get /signal HTTP/1.1\r\n" REST,
        "GETS /signal HTTP/1.1\r\n" REST,
        "POST /signal HTTP/1.1\r\nContent-Length: 5\r\n\r\nhello",
    };
    expect_status(405, requests, LENGTH_OF(requests));
}

static void what_is_no_upgrade_to_version_13_must_upgrade(void **unused)
{
    (void)unused;
    static const char *const requests[] = {
        LINE "\r\n",
        LINE HOST "\r\n",
        LINE HOST VERSION KEY "Connection: Upgrade\r\n\r\n",
        LINE HOST VERSION KEY "Upgrade: websocket\r\n\r\n",
        LINE HOST VERSION KEY "Upgrade: websocket\r\nConnection: keep-alive\r\n\r\n",
        LINE HOST VERSION KEY "Upgrade: websockets\r\nConnection: Upgrade\r\n\r\n",
        LINE HOST VERSION KEY "Upgrade: web socket\r\nConnection: Upgrade\r\n\r\n",
        LINE HOST VERSION KEY "Upgrade:\r\nConnection: Upgrade\r\n\r\n",
        LINE HOST UPGRADE KEY "\r\n",
        LINE HOST UPGRADE KEY "Sec-WebSocket-Version: 8\r\n\r\n",
        LINE HOST UPGRADE KEY "Sec-WebSocket-Version: 130\r\n\r\n",
        LINE HOST UPGRADE KEY "Sec-WebSocket-Version: 13, 8\r\n\r\n",
        LINE HOST UPGRADE KEY "Sec-WebSocket-Version:\r\n\r\n",
        LINE HOST UPGRADE KEY VERSION VERSION "\r\n",
    };
    expect_status(426, requests, LENGTH_OF(requests));
}

static void a_host_is_there_once(void **unused)
{
    (void)unused;
    static const char *const requests[] = {
        LINE UPGRADE VERSION KEY "\r\n",
        LINE HOST HOST UPGRADE VERSION KEY "\r\n",
        LINE "Host:\r\n" UPGRADE VERSION KEY "\r\n",
        LINE "Host: a b\r\n" UPGRADE VERSION KEY "\r\n",
        LINE "Host: a/b\r\n" UPGRADE VERSION KEY "\r\n",
        "GET http://example.org/signal HTTP/1.1\r\n" UPGRADE VERSION KEY "\r\n",
    };
    expect_status(400, requests, LENGTH_OF(requests));
}

static void a_key_is_16_bytes_in_base64(void **unused)
{
    (void)unused;
    static const struct {
        const char *key;
        int status;
    } cases[] = {
        {"AAAAAAAAAAAAAAAAAAAAAA==", 101}, /* zeros */
        {"////++++////++++////+w==", 101}, /* the end of the alphabet */
        {"dGhlIHNhbXBsZSBub25jZQ==", 101}, /* RFC 6455, 1.3 */
        {"AQIDBAUGBwgJCgsMDQ4PEC==", 101}, /* RFC 6455, 4.1: a bit is set behind the 16 bytes */
        {"////////////////////////", 400}, /* 18 bytes of the same */
        {"//////////////////////==", 101}, /* all four bits behind them */
        {"0123456789abcxyzABCXYZ==", 101}, /* the alphabet's ranges */
        {"", 400},                         /* nothing */
        {"AAAAAAAAAAAAAAAAAAAAAAA=", 400}, /* 17 bytes */
        {"AAAAAAAAAAAAAAAAAAAAAAAA", 400}, /* 18 bytes */
        {"AAAAAAAAAAAAAAAAAAAA", 400},     /* 15 bytes */
        {"AAAAAAAAAAAAAAAAAAAAAA", 400},   /* no padding */
        {"AAAAAAAAAA=AAAAAAAAAAA==", 400}, /* padding inside */
        {"AAAAAAAAAAAAAAAAAAAAA===", 400}, /* too much of it */
        {"AAAAAAAAAAAAAAAAAAAAAA=A", 400}, /* too little */
        {"AAAAAAAAAAAAAAAAAAAAAA.=", 400}, /* something else in its place */
        {"AAAA AAAAAAAAAAAAAAAAA==", 400}, /* a blank */
        {"AAAAAAAAAAAAAAAAAAAAA-==", 400}, /* the URL alphabet */
        {"_AAAAAAAAAAAAAAAAAAAAA==", 400},
        {"AAAAAAAAAAA*AAAAAAAAAA==", 400}, /* neighbours of the alphabet's ranges */
        {"AAAAAAAAAAA,AAAAAAAAAA==", 400},
        {"AAAAAAAAAAA:AAAAAAAAAA==", 400},
        {"AAAAAAAAAAA@AAAAAAAAAA==", 400},
        {"AAAAAAAAAAA[AAAAAAAAAA==", 400},
        {"AAAAAAAAAAA`AAAAAAAAAA==", 400},
        {"AAAAAAAAAAA{AAAAAAAAAA==", 400},
        {"AAAAAAAAAAAAAAAAAAAAAA==, x", 400}, /* a list */
        {"AAAAAAAAAAAAAAAAAAAAA\xC1==", 400}, /* not ASCII */
    };
    for (size_t i = 0; i < LENGTH_OF(cases); i++) {
        char request[512];
        snprintf(request, sizeof(request), LINE HOST UPGRADE VERSION "Sec-WebSocket-Key: %s\r\n\r\n",
                 cases[i].key);
        if (status_of(request) != cases[i].status)
            fail_msg("key \"%s\" is judged wrong", cases[i].key);
    }
    assert_int_equal(status_of(LINE HOST UPGRADE VERSION "\r\n"), 400);
    assert_int_equal(status_of(LINE HOST UPGRADE VERSION KEY KEY "\r\n"), 400);
}

static void an_upgrade_announces_no_body(void **unused)
{
    (void)unused;
    static const char *const requests[] = {
        LINE "Content-Length: 1\r\n" REST,
        LINE "Content-Length: 0\r\nContent-Length: 5\r\n" REST,
        LINE "Content-Length: 5\r\nContent-Length: 0\r\n" REST,
        LINE "Content-Length: x\r\n" REST,
        LINE "Content-Length:\r\n" REST,
        LINE "Transfer-Encoding: chunked\r\n" REST,
        LINE "Transfer-Encoding: identity\r\n" REST,
    };
    expect_status(400, requests, LENGTH_OF(requests));
}

static void an_origin_is_asked_about_where_there_is_one(void **unused)
{
    (void)unused;
    int times_asked = 0;
    ws_handshake_rules rules = rules_for_signal();
    rules.allows_origin = allows_example_org;
    rules.context = &times_asked;

    assert_int_equal(status_under(&rules, LINE REST), 101);
    assert_int_equal(times_asked, 0);
    assert_int_equal(status_under(&rules, LINE ORIGIN REST), 101);
    assert_int_equal(times_asked, 1);
    assert_int_equal(status_under(&rules, LINE "Origin: https://example.com\r\n" REST), 403);
    assert_int_equal(status_under(&rules, LINE "Origin: null\r\n" REST), 403);
    assert_int_equal(status_under(&rules, LINE "Origin:\r\n" REST), 403);
    assert_int_equal(status_under(&rules, LINE ORIGIN ORIGIN REST), 400);
    times_asked = 0;
    assert_int_equal(status_under(&rules, "GET / HTTP/1.1\r\n" ORIGIN REST), 404);
    assert_int_equal(times_asked, 0);
}

static void faults_are_judged_in_their_order(void **unused)
{
    (void)unused;
    int times_asked = 0;
    ws_handshake_rules rules = rules_for_signal();
    rules.allows_origin = allows_example_org;
    rules.context = &times_asked;

    /* Each request mends the first fault of the one before and keeps the others. */
    assert_int_equal(status_under(&rules, "POST / HTTP/1.1\r\nOrigin: x\r\n bad\r\n\r\n"), 400);
    assert_int_equal(status_under(&rules, "POST / HTTP/1.1\r\nOrigin: x\r\n\r\n"), 404);
    assert_int_equal(status_under(&rules, "POST /signal HTTP/1.1\r\nOrigin: x\r\n\r\n"), 405);
    assert_int_equal(status_under(&rules, LINE "Origin: x\r\n\r\n"), 426);
    assert_int_equal(status_under(&rules, LINE "Origin: x\r\n" UPGRADE VERSION "\r\n"), 400);
    assert_int_equal(status_under(&rules, LINE "Origin: x\r\n" UPGRADE VERSION HOST "\r\n"), 400);
    assert_int_equal(
        status_under(&rules, LINE "Origin: x\r\nContent-Length: 1\r\n" UPGRADE VERSION HOST KEY "\r\n"), 400);
    assert_int_equal(status_under(&rules, LINE "Origin: x\r\n" UPGRADE VERSION HOST KEY "\r\n"), 403);
}

static void a_refused_request_is_still_named_for_the_log(void **unused)
{
    (void)unused;
    static const char request[] = "GET /wrong?secret=1 HTTP/1.1\r\n" ORIGIN REST;
    ws_handshake_rules rules = rules_for_signal();
    ws_handshake handshake;
    assert_true(judge(&rules, request, sizeof(request) - 1, &handshake));
    assert_int_equal(handshake.status, 404);
    assert_slice(handshake.path, "/wrong");
    assert_slice(handshake.origin, "https://example.org");
    assert_int_equal(handshake.head_len, 0);
    assert_int_equal(handshake.key.len, 0);
}

/* ---- The limit ---- */

/* A good request whose head is `len` bytes long, with `behind` bytes of frames after it. */
static char *make_request(size_t len, size_t behind)
{
    static const char begin[] = LINE "X-Filler: ";
    static const char end[] = "\r\n" REST;
    char *request = malloc(len + behind);
    assert_non_null(request);
    memset(request, 'x', len + behind);
    memcpy(request, begin, sizeof(begin) - 1);
    memcpy(request + len - (sizeof(end) - 1), end, sizeof(end) - 1);
    return request;
}

static void a_head_of_just_the_limit_is_read_and_one_byte_more_is_not(void **unused)
{
    (void)unused;
    ws_handshake_rules rules = rules_for_signal();
    ws_handshake handshake;

    char *request = make_request(MAX_HEAD, 100);
    assert_true(judge(&rules, request, MAX_HEAD + 100, &handshake));
    assert_int_equal(handshake.status, 101);
    assert_int_equal(handshake.head_len, MAX_HEAD);
    free(request);

    request = make_request(MAX_HEAD + 1, 100);
    assert_false(ws_handshake_parse(&rules, request, MAX_HEAD, &handshake));
    assert_true(judge(&rules, request, MAX_HEAD + 101, &handshake));
    assert_int_equal(handshake.status, 431);
    assert_slice(handshake.path, "/signal");
    free(request);
}

static void a_head_that_never_ends_is_refused_at_its_limit(void **unused)
{
    (void)unused;
    char endless[MAX_HEAD + 1];
    memset(endless, 'x', sizeof(endless));
    ws_handshake_rules rules = rules_for_signal();
    ws_handshake handshake;
    assert_false(judge(&rules, endless, MAX_HEAD, &handshake));
    assert_true(judge(&rules, endless, MAX_HEAD + 1, &handshake));
    assert_int_equal(handshake.status, 431);
}

static void a_malformed_line_within_the_limit_comes_before_the_limit(void **unused)
{
    (void)unused;
    char *request = make_request(2 * MAX_HEAD, 0);
    memcpy(request + sizeof(LINE) - 1, "bad\r\n", 5);
    ws_handshake_rules rules = rules_for_signal();
    ws_handshake handshake;
    assert_true(judge(&rules, request, 2 * MAX_HEAD, &handshake));
    assert_int_equal(handshake.status, 400);
    free(request);
}

/* RFC 6455, 4.2.1 leaves the Origin to browsers; rules may want it of everybody. */
static void a_required_origin_is_wanted_of_everybody(void **unused)
{
    (void)unused;
    int times_asked = 0;
    ws_handshake_rules rules = rules_for_signal();
    rules.page_path = "/ice";
    rules.allows_origin = allows_example_org;
    rules.context = &times_asked;
    static const char upgrade[] = LINE "Sec-Fetch-Site: same-origin\r\n" REST;
    static const char bare_page[] = "GET /ice HTTP/1.1\r\n" HOST "\r\n";
    static const char own_page[] = "GET /ice HTTP/1.1\r\n" HOST "sec-fetch-site:  same-origin \r\n\r\n";
    assert_int_equal(status_under(&rules, upgrade), 101);
    assert_int_equal(status_under(&rules, bare_page), 200);
    assert_int_equal(status_under(&rules, own_page), 200);

    rules.requires_origin = true;
    assert_int_equal(status_under(&rules, LINE ORIGIN REST), 101);
    assert_int_equal(status_under(&rules, LINE REST), 403);
    assert_int_equal(status_under(&rules, upgrade), 403); /* every upgrade of a browser has an Origin */
    assert_int_equal(status_under(&rules, LINE "Origin: \r\n" REST), 403);
    assert_int_equal(status_under(&rules, bare_page), 403);
    assert_int_equal(status_under(&rules, own_page), 200);
    assert_int_equal(status_under(&rules, "GET /ice HTTP/1.1\r\n" HOST ORIGIN "\r\n"), 200);
}

static void only_same_origin_stands_for_an_origin(void **unused)
{
    (void)unused;
    static const char *const others[] = {
        "Sec-Fetch-Site: same-site\r\n",
        "Sec-Fetch-Site: cross-site\r\n",
        "Sec-Fetch-Site: none\r\n",
        "Sec-Fetch-Site: Same-Origin\r\n",
        "Sec-Fetch-Site: same-origin, cross-site\r\n",
        "Sec-Fetch-Site: same-origin\r\nSec-Fetch-Site: same-origin\r\n",
        "Sec-Fetch-Site: same-origin\r\nOrigin: https://evil.example\r\n",
        "Sec-Fetch-Site:\r\n",
    };
    int times_asked = 0;
    ws_handshake_rules rules = rules_for_signal();
    rules.page_path = "/ice";
    rules.allows_origin = allows_example_org;
    rules.context = &times_asked;
    rules.requires_origin = true;
    for (size_t i = 0; i < LENGTH_OF(others); i++) {
        char request[256];
        snprintf(request, sizeof(request), "GET /ice HTTP/1.1\r\n" HOST "%s\r\n", others[i]);
        if (status_under(&rules, request) != 403)
            fail_msg("not refused: %s", others[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_bytes_get_no_verdict),
        cmocka_unit_test(a_complete_request_is_served_and_not_a_byte_earlier),
        cmocka_unit_test(bytes_behind_the_head_belong_to_frames),
        cmocka_unit_test(every_way_to_ask_properly_is_served),
        cmocka_unit_test(malformed_requests_are_bad),
        cmocka_unit_test(a_nul_is_refused_wherever_it_stands),
        cmocka_unit_test(a_target_has_no_control_character_and_bytes_over_ascii_only_behind_a_question_mark),
        cmocka_unit_test(the_query_is_what_follows_the_first_question_mark),
        cmocka_unit_test(a_broken_first_line_is_refused_before_the_head_is_complete),
        cmocka_unit_test(other_paths_are_not_found),
        cmocka_unit_test(without_a_path_rule_every_path_is_served),
        cmocka_unit_test(other_methods_are_not_allowed),
        cmocka_unit_test(what_is_no_upgrade_to_version_13_must_upgrade),
        cmocka_unit_test(a_host_is_there_once),
        cmocka_unit_test(a_key_is_16_bytes_in_base64),
        cmocka_unit_test(an_upgrade_announces_no_body),
        cmocka_unit_test(an_origin_is_asked_about_where_there_is_one),
        cmocka_unit_test(a_required_origin_is_wanted_of_everybody),
        cmocka_unit_test(only_same_origin_stands_for_an_origin),
        cmocka_unit_test(faults_are_judged_in_their_order),
        cmocka_unit_test(a_refused_request_is_still_named_for_the_log),
        cmocka_unit_test(a_head_of_just_the_limit_is_read_and_one_byte_more_is_not),
        cmocka_unit_test(a_head_that_never_ends_is_refused_at_its_limit),
        cmocka_unit_test(a_malformed_line_within_the_limit_comes_before_the_limit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
