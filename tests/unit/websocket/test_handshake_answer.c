/* What the server says to an opening handshake. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "websocket/handshake_answer.h"

#include "websocket/handshake.h"

#include <stdio.h>
#include <string.h>

#define LENGTH_OF(array) (sizeof(array) / sizeof((array)[0]))

static const slice RFC_KEY = {"dGhlIHNhbXBsZSBub25jZQ==", 24};

static const char *answer_for(char out[WS_HANDSHAKE_MAX_ANSWER + 1], int status)
{
    memset(out, '#', WS_HANDSHAKE_MAX_ANSWER);
    size_t len = ws_handshake_answer(out, status, status == 101 ? RFC_KEY : (slice){NULL, 0}, NULL);
    assert_in_range(len, 1, WS_HANDSHAKE_MAX_ANSWER);
    out[len] = '\0';
    return out;
}

static void assert_has(const char *answer, const char *line)
{
    if (strstr(answer, line) == NULL)
        fail_msg("no %s in:\n%s", line, answer);
}

static void the_key_of_the_rfc_is_accepted_as_there(void **unused)
{
    (void)unused;
    char out[WS_HANDSHAKE_MAX_ANSWER + 1];
    assert_string_equal(answer_for(out, 101), "HTTP/1.1 101 Switching Protocols\r\n"
                                              "Upgrade: websocket\r\n"
                                              "Connection: Upgrade\r\n"
                                              "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"
                                              "\r\n");
}

static void a_chosen_subprotocol_is_named(void **unused)
{
    (void)unused;
    char out[WS_HANDSHAKE_MAX_ANSWER + 1];
    size_t len = ws_handshake_answer(out, 101, RFC_KEY, "homecall.2");
    assert_in_range(len, 1, WS_HANDSHAKE_MAX_ANSWER);
    out[len] = '\0';
    assert_string_equal(out, "HTTP/1.1 101 Switching Protocols\r\n"
                             "Upgrade: websocket\r\n"
                             "Connection: Upgrade\r\n"
                             "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"
                             "Sec-WebSocket-Protocol: homecall.2\r\n"
                             "\r\n");
    len = ws_handshake_answer(out, 503, (slice){NULL, 0}, "homecall.2");
    out[len] = '\0';
    assert_null(strstr(out, "Sec-WebSocket-Protocol"));
}

static void the_longest_name_of_a_subprotocol_fits(void **unused)
{
    (void)unused;
    char name[WS_HANDSHAKE_MAX_PROTOCOL + 1];
    memset(name, 'n', sizeof(name) - 1);
    name[sizeof(name) - 1] = '\0';
    char out[WS_HANDSHAKE_MAX_ANSWER + 1];
    size_t len = ws_handshake_answer(out, 101, RFC_KEY, name);
    assert_in_range(len, 1, WS_HANDSHAKE_MAX_ANSWER - 1);
    out[len] = '\0';
    assert_has(out, name);
    assert_string_equal(out + len - 4, "\r\n\r\n");
}

static void each_fault_is_a_whole_http_answer_that_closes(void **unused)
{
    (void)unused;
    static const struct {
        int status;
        const char *line;
    } cases[] = {
        {400, "HTTP/1.1 400 Bad Request\r\n"},
        {403, "HTTP/1.1 403 Forbidden\r\n"},
        {404, "HTTP/1.1 404 Not Found\r\n"},
        {405, "HTTP/1.1 405 Method Not Allowed\r\n"},
        {426, "HTTP/1.1 426 Upgrade Required\r\n"},
        {431, "HTTP/1.1 431 Request Header Fields Too Large\r\n"},
        {503, "HTTP/1.1 503 Service Unavailable\r\n"},
    };
    for (size_t i = 0; i < LENGTH_OF(cases); i++) {
        char out[WS_HANDSHAKE_MAX_ANSWER + 1];
        const char *answer = answer_for(out, cases[i].status);
        assert_ptr_equal(strstr(answer, cases[i].line), answer);
        assert_has(answer, "\r\nConnection: close");
        assert_has(answer, "\r\nContent-Type: text/plain; charset=utf-8\r\n");

        const char *body = strstr(answer, "\r\n\r\n");
        assert_non_null(body);
        assert_true(strlen(body + 4) > 0);
        char length[64];
        snprintf(length, sizeof(length), "\r\nContent-Length: %zu\r\n", strlen(body + 4));
        assert_has(answer, length);
    }
}

static void faults_that_can_be_mended_say_how(void **unused)
{
    (void)unused;
    char out[WS_HANDSHAKE_MAX_ANSWER + 1];
    assert_has(answer_for(out, 405), "\r\nAllow: GET\r\n");
    assert_has(answer_for(out, 426), "\r\nUpgrade: websocket\r\n");
    assert_has(answer_for(out, 426), "\r\nConnection: close, Upgrade\r\n");
    assert_has(answer_for(out, 426), "\r\nSec-WebSocket-Version: 13\r\n");
    assert_has(answer_for(out, 503), "\r\nRetry-After: ");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_key_of_the_rfc_is_accepted_as_there),
        cmocka_unit_test(a_chosen_subprotocol_is_named),
        cmocka_unit_test(the_longest_name_of_a_subprotocol_fits),
        cmocka_unit_test(each_fault_is_a_whole_http_answer_that_closes),
        cmocka_unit_test(faults_that_can_be_mended_say_how),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
