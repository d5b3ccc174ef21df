/* The client's half of the opening handshake: what a server may answer, whole and cut at every offset, and
 * what it must not. Our own server's half is the other side of it. */
#include "wire/opening.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "websocket/handshake.h"
#include "websocket/handshake_answer.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LENGTH_OF(array) (sizeof(array) / sizeof((array)[0]))

static opening o; /* of the test that runs */

static int make(void **state)
{
    (void)state;
    return opening_init(&o, "example.org:8080");
}

/* An answer with the right accept between its two parts. */
static void write_answer(char out[1024], const char *before, const char *behind)
{
    snprintf(out, 1024, "%s%s%s", before, o.accept, behind);
}

/* The bytes lie in a block of just their size, so that a sanitizer sees a step over its end. */
static long check_bytes(const char *data, size_t len, const char **why)
{
    char *block = malloc(len > 0 ? len : 1);
    assert_non_null(block);
    memcpy(block, data, len);
    long result = opening_check(&o, NULL, (slice){block, len}, why);
    free(block);
    return result;
}

static void expect_refused(const char *answer, const char *why_begin)
{
    const char *why = NULL;
    assert_int_equal(check_bytes(answer, strlen(answer), &why), -EPROTO);
    assert_non_null(why);
    if (strncmp(why, why_begin, strlen(why_begin)) != 0)
        fail_msg("\"%s\" does not begin with \"%s\"", why, why_begin);
    for (const char *c = why; *c != '\0'; c++)
        assert_true((unsigned char)*c >= 0x20); /* one line, whatever the server sends */
}

/* ---- Answers ---- */

static const char good[] = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
                           "Connection: Upgrade\r\nSec-WebSocket-Accept: ";

static void an_answer_is_not_whole_at_any_cut_and_good_at_its_end(void **state)
{
    (void)state;
    char answer[1024];
    write_answer(answer, good, "\r\n\r\n");
    size_t len = strlen(answer);
    const char *why = NULL;
    for (size_t cut = 0; cut < len; cut++)
        assert_int_equal(check_bytes(answer, cut, &why), 0);
    assert_int_equal(check_bytes(answer, len, &why), len);
    assert_null(why);
}

static void frames_behind_the_answer_are_not_counted(void **state)
{
    (void)state;
    char answer[1024];
    write_answer(answer, good, "\r\n\r\n");
    size_t len = strlen(answer);
    memcpy(answer + len, "\x81\x04\r\n\r\n", 6);
    const char *why;
    for (size_t more = 0; more <= 6; more++)
        assert_int_equal(check_bytes(answer, len + more, &why), len);
}

static void headers_are_known_in_any_case_and_with_any_blanks(void **state)
{
    (void)state;
    static const char *const answers[][2] = {
        {"HTTP/1.1 101 \r\nSEC-WEBSOCKET-ACCEPT:", "\r\n\r\n"},
        {"HTTP/1.1 101 x\r\nsec-websocket-accept: \t ", " \t\r\n\r\n"},
        {"HTTP/1.1 101 x\r\nX: Sec-WebSocket-Accept\r\nsEC-wEBsOCKET-aCCEPT: ", "\r\nY: z\r\n\r\n"},
    };
    for (size_t i = 0; i < LENGTH_OF(answers); i++) {
        char answer[1024];
        write_answer(answer, answers[i][0], answers[i][1]);
        const char *why;
        assert_int_equal(check_bytes(answer, strlen(answer), &why), strlen(answer));
    }
}

static void another_status_is_told_with_its_line(void **state)
{
    (void)state;
    expect_refused("HTTP/1.1 503 Service Unavailable\r\nConnection: close\r\n\r\nbusy",
                   "the server did not upgrade: HTTP/1.1 503 Service Unavailable");
    expect_refused("HTTP/1.1 200 OK\r\n\r\n", "the server did not upgrade: HTTP/1.1 200 OK");
    expect_refused("HTTP/1.0 101 x\r\n\r\n", "the server did not upgrade: HTTP/1.0 101 x");
    expect_refused("\r\n\r\n", "the server did not upgrade: ");
    expect_refused("HTTP/1.1 1\r\n\r\n", "the server did not upgrade: HTTP/1.1 1");
}

static void a_right_status_needs_the_right_accept(void **state)
{
    (void)state;
    expect_refused("HTTP/1.1 101 x\r\n\r\n", "wrong Sec-WebSocket-Accept: ");
    expect_refused("HTTP/1.1 101 x\r\nSec-WebSocket-Accept:\r\n\r\n", "wrong Sec-WebSocket-Accept: ");
    expect_refused("HTTP/1.1 101 x\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n",
                   "wrong Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
    char answer[1024];
    write_answer(answer, "HTTP/1.1 101 x\r\nX-Sec-WebSocket-Accept: ", "\r\n\r\n");
    expect_refused(answer, "wrong Sec-WebSocket-Accept: ");
    write_answer(answer, "HTTP/1.1 101 x\r\nSec-WebSocket-Accept: ", "=\r\n\r\n");
    expect_refused(answer, "wrong Sec-WebSocket-Accept: ");
}

/* The accept is base64: another case of its letters is another text. */
static void an_accept_in_another_case_is_wrong(void **state)
{
    (void)state;
    char accept[WS_HANDSHAKE_ACCEPT_LEN + 1];
    strcpy(accept, o.accept);
    for (char *c = accept; *c != '\0'; c++)
        if (*c >= 'a' && *c <= 'z')
            *c = (char)(*c - 'a' + 'A');
    char answer[1024];
    snprintf(answer, sizeof(answer), "HTTP/1.1 101 x\r\nSec-WebSocket-Accept: %s\r\n\r\n", accept);
    expect_refused(answer, "wrong Sec-WebSocket-Accept: ");
}

/* A head of `len` bytes with its end. */
static char *make_long_answer(size_t len)
{
    char *answer = malloc(len + 1);
    assert_non_null(answer);
    int head = snprintf(answer, len, "HTTP/1.1 101 x\r\nSec-WebSocket-Accept: %s\r\nX: ", o.accept);
    memset(answer + head, 'x', len - (size_t)head);
    memcpy(answer + len - 4, "\r\n\r\n", 5);
    return answer;
}

static void a_head_of_just_the_bound_is_read_and_one_byte_more_is_not(void **state)
{
    (void)state;
    const char *why;
    char *answer = make_long_answer(OPENING_MAX_ANSWER);
    assert_int_equal(check_bytes(answer, OPENING_MAX_ANSWER - 1, &why), 0);
    assert_int_equal(check_bytes(answer, OPENING_MAX_ANSWER, &why), OPENING_MAX_ANSWER);
    free(answer);

    answer = make_long_answer(OPENING_MAX_ANSWER + 1); /* the same verdict however it was cut */
    expect_refused(answer, "the answer's head is too long: HTTP/1.1 101 x");
    assert_int_equal(check_bytes(answer, OPENING_MAX_ANSWER, &why), -EPROTO);
    assert_int_equal(check_bytes(answer, OPENING_MAX_ANSWER - 1, &why), 0);
    free(answer);
}

static void control_characters_of_a_server_do_not_reach_the_terminal(void **state)
{
    (void)state;
    expect_refused("HTTP/1.1 \x1b[31m404\tNot\nFound\r\n\r\n",
                   "the server did not upgrade: HTTP/1.1  [31m404");
}

/* ---- The request ---- */

static void our_server_accepts_the_request_and_we_its_answer(void **state)
{
    (void)state;
    char request[OPENING_MAX_REQUEST];
    size_t len = opening_request(&o, "/signal?x=1", NULL, request);
    assert_true(len > 0);
    const ws_handshake_rules rules = {.path = "/signal", .max_head_bytes = 8192};
    ws_handshake handshake;
    assert_true(ws_handshake_parse(&rules, request, len, &handshake));
    assert_int_equal(handshake.status, 101);
    assert_int_equal(handshake.head_len, len);
    assert_int_equal(handshake.key.len, OPENING_KEY_LEN);
    assert_non_null(strstr(request, "\r\nHost: example.org:8080\r\n"));

    char answer[WS_HANDSHAKE_MAX_ANSWER];
    size_t answer_len = ws_handshake_answer(answer, 101, handshake.key, NULL);
    const char *why;
    assert_int_equal(check_bytes(answer, answer_len, &why), answer_len);
    answer_len = ws_handshake_answer(answer, 503, (slice){NULL, 0}, NULL);
    assert_int_equal(check_bytes(answer, answer_len, &why), -EPROTO);
}

static void a_request_that_does_not_fit_is_not_begun(void **state)
{
    (void)state;
    char target[OPENING_MAX_REQUEST + 1] = "/";
    char request[OPENING_MAX_REQUEST];
    memset(target + 1, 'x', sizeof(target) - 2);
    assert_int_equal(opening_request(&o, target, NULL, request), 0);

    size_t besides = opening_request(&o, "", NULL, request);
    target[OPENING_MAX_REQUEST - besides] = '\0'; /* its NUL does not fit */
    assert_int_equal(opening_request(&o, target, NULL, request), 0);
    target[OPENING_MAX_REQUEST - besides - 1] = '\0';
    assert_int_equal(opening_request(&o, target, NULL, request), OPENING_MAX_REQUEST - 1);
}

static void each_run_has_a_key_of_its_own(void **state)
{
    (void)state;
    opening other;
    assert_int_equal(opening_init(&other, "example.org"), 0);
    assert_string_not_equal(o.key, other.key);
    assert_int_equal(strlen(o.key), OPENING_KEY_LEN);
    assert_int_equal(strlen(o.accept), WS_HANDSHAKE_ACCEPT_LEN);
}

/* ---- Subprotocols ---- */

static void a_subprotocol_is_asked_for(void **state)
{
    (void)state;
    char request[OPENING_MAX_REQUEST];
    size_t len = opening_request(&o, "/signal", "homecall.2", request);
    assert_non_null(strstr(request, "\r\nSec-WebSocket-Protocol: homecall.2\r\n"));
    assert_memory_equal(request + len - 4, "\r\n\r\n", 4);
    opening_request(&o, "/signal", NULL, request);
    assert_null(strstr(request, "Protocol:"));
}

static long check_chosen(const char *asked, const char *behind)
{
    char answer[1024];
    const char *why;
    write_answer(answer, good, behind);
    return opening_check(&o, asked, slice_of_text(answer), &why);
}

static void the_subprotocol_that_was_asked_for_must_be_chosen_and_no_other(void **state)
{
    (void)state;
    static const char chosen[] = "\r\nSec-WebSocket-Protocol: homecall.2\r\n\r\n";
    assert_true(check_chosen("homecall.2", chosen) > 0);
    assert_int_equal(check_chosen("homecall.2", "\r\n\r\n"), -EPROTO);
    assert_int_equal(check_chosen("homecall.3", chosen), -EPROTO);
    assert_int_equal(check_chosen(NULL, chosen), -EPROTO);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_answer_is_not_whole_at_any_cut_and_good_at_its_end),
        cmocka_unit_test(frames_behind_the_answer_are_not_counted),
        cmocka_unit_test(headers_are_known_in_any_case_and_with_any_blanks),
        cmocka_unit_test(another_status_is_told_with_its_line),
        cmocka_unit_test(a_right_status_needs_the_right_accept),
        cmocka_unit_test(an_accept_in_another_case_is_wrong),
        cmocka_unit_test(a_head_of_just_the_bound_is_read_and_one_byte_more_is_not),
        cmocka_unit_test(control_characters_of_a_server_do_not_reach_the_terminal),
        cmocka_unit_test(our_server_accepts_the_request_and_we_its_answer),
        cmocka_unit_test(a_request_that_does_not_fit_is_not_begun),
        cmocka_unit_test(each_run_has_a_key_of_its_own),
        cmocka_unit_test(a_subprotocol_is_asked_for),
        cmocka_unit_test(the_subprotocol_that_was_asked_for_must_be_chosen_and_no_other),
    };
    return cmocka_run_group_tests(tests, make, NULL);
}
