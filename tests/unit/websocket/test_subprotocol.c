/* Which subprotocol is chosen of those that a client offers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "websocket/subprotocol.h"

#include "websocket/handshake.h"

#include <stdlib.h>
#include <string.h>

#define LENGTH_OF(array) (sizeof(array) / sizeof((array)[0]))

static const char *const known[] = {"homecall.2", "other"};

/* The header lines are in a block of just their size. */
static const char *choose(const char *fields)
{
    size_t len = strlen(fields);
    char *block = malloc(len > 0 ? len : 1);
    assert_non_null(block);
    memcpy(block, fields, len);
    const char *chosen = ws_subprotocol_choose((slice){block, len}, known, LENGTH_OF(known));
    free(block);
    return chosen;
}

static void expect(const char *fields, const char *expected)
{
    const char *chosen = choose(fields);
    if (chosen != expected)
        fail_msg("%s instead of %s for:\n%s", chosen == NULL ? "none" : chosen,
                 expected == NULL ? "none" : expected, fields);
}

static void what_is_offered_and_known_is_chosen(void **unused)
{
    (void)unused;
    expect("Sec-WebSocket-Protocol: homecall.2\r\n", known[0]);
    expect("Host: a\r\nsec-websocket-PROTOCOL:homecall.2 \t\r\nOrigin: b\r\n", known[0]);
    expect("Sec-WebSocket-Protocol: chat, other\r\n", known[1]);
    expect("Sec-WebSocket-Protocol: \t homecall.2\t,chat\r\n", known[0]);
    expect("Sec-WebSocket-Protocol: chat ,homecall.2\r\n", known[0]);
}

static void the_order_of_the_client_decides(void **unused)
{
    (void)unused;
    expect("Sec-WebSocket-Protocol: other, homecall.2\r\n", known[1]);
    expect("Sec-WebSocket-Protocol: homecall.2, other\r\n", known[0]);
    expect("Sec-WebSocket-Protocol: a,b,c,other,homecall.2\r\n", known[1]);
}

static void header_lines_are_one_list(void **unused)
{
    (void)unused;
    expect("Sec-WebSocket-Protocol: chat\r\nHost: a\r\nSec-WebSocket-Protocol: homecall.2\r\n", known[0]);
    expect("Sec-WebSocket-Protocol: other\r\nSec-WebSocket-Protocol: homecall.2\r\n", known[1]);
    expect("Sec-WebSocket-Protocol:\r\nSec-WebSocket-Protocol: ,\r\nSec-WebSocket-Protocol: other\r\n",
           known[1]);
}

static void where_nothing_known_is_offered_nothing_is_chosen(void **unused)
{
    (void)unused;
    static const char *const cases[] = {
        "",
        "Host: a\r\n",
        "Sec-WebSocket-Protocol:\r\n",
        "Sec-WebSocket-Protocol: chat\r\n",
        "Sec-WebSocket-Protocol: Homecall.2\r\n",
        "Sec-WebSocket-Protocol: HOMECALL.2, OTHER\r\n",
        "Sec-WebSocket-Protocol: homecall.2.1, homecall., omecall.2, homecall.20\r\n",
        "Sec-WebSocket-Protocols: homecall.2\r\n",
        "X-Sec-WebSocket-Protocol: homecall.2\r\n",
        "Host: homecall.2\r\n",
    };
    for (size_t i = 0; i < LENGTH_OF(cases); i++)
        expect(cases[i], NULL);
    assert_null(ws_subprotocol_choose(SLICE_LITERAL("Sec-WebSocket-Protocol: other\r\n"), known, 0));
}

static void what_is_not_well_formed_is_skipped(void **unused)
{
    (void)unused;
    expect("Sec-WebSocket-Protocol: ,, ,homecall.2,,\r\n", known[0]);
    expect("Sec-WebSocket-Protocol: homecall.2 other\r\n", NULL);
    expect("Sec-WebSocket-Protocol: homecall.2 other, homecall.2\r\n", known[0]);
    expect("Sec-WebSocket-Protocol: \"homecall.2\", other\r\n", known[1]);
    expect("Sec-WebSocket-Protocol: homecall.2;q=1, \xd1\x8f, (other), other\r\n", known[1]);
    expect("Sec-WebSocket-Protocol: homecall.2\xc2\xa0, other\r\n", known[1]);
}

static void it_is_found_in_a_request_that_was_read(void **unused)
{
    (void)unused;
    static const char request[] =
        "GET /signal HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        "Sec-WebSocket-Protocol: chat\r\nSec-WebSocket-Version: 13\r\n"
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
        "Sec-WebSocket-Protocol: homecall.2\r\n\r\n";
    ws_handshake_rules rules = {.path = "/signal", .max_head_bytes = 1024};
    ws_handshake handshake;
    assert_true(ws_handshake_parse(&rules, request, strlen(request), &handshake));
    assert_int_equal(handshake.status, 101);
    assert_true(handshake.offers_protocols);
    assert_null(handshake.protocol);
    assert_ptr_equal(ws_subprotocol_choose(handshake.fields, known, LENGTH_OF(known)), known[0]);
}

static void a_request_without_it_says_so(void **unused)
{
    (void)unused;
    static const char request[] =
        "GET /signal HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
    ws_handshake_rules rules = {.path = "/signal", .max_head_bytes = 1024};
    ws_handshake handshake;
    assert_true(ws_handshake_parse(&rules, request, strlen(request), &handshake));
    assert_int_equal(handshake.status, 101);
    assert_false(handshake.offers_protocols);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_offered_and_known_is_chosen),
        cmocka_unit_test(the_order_of_the_client_decides),
        cmocka_unit_test(header_lines_are_one_list),
        cmocka_unit_test(where_nothing_known_is_offered_nothing_is_chosen),
        cmocka_unit_test(what_is_not_well_formed_is_skipped),
        cmocka_unit_test(it_is_found_in_a_request_that_was_read),
        cmocka_unit_test(a_request_without_it_says_so),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
