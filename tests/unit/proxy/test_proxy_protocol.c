/* Each header is parsed whole and at every shorter length, each time in a block of just its size: a fault
 * that is told early must be the one that all of the bytes get, and a header is there when its last byte is.
 */
#include "proxy/proxy_protocol.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "support/same_address.h"

#include <stdio.h>
#include <stdlib.h>

#define LENGTH_OF(array) (sizeof(array) / sizeof((array)[0]))

#define SIGNATURE "\r\n\r\n\0\r\nQUIT\n"
#define IPV4      "\xC0\x00\x02\x01\x7F\x00\x00\x01\x12\x34\x01\xBB" /* 192.0.2.1:4660 to 127.0.0.1:443 */

static proxy_protocol_verdict parse_block(const void *data, size_t len, proxy_protocol_header *header)
{
    uint8_t *block = malloc(len > 0 ? len : 1);
    assert_non_null(block);
    memcpy(block, data, len);
    proxy_protocol_verdict verdict = proxy_protocol_parse(block, len, header);
    free(block);
    return verdict;
}

static proxy_protocol_verdict parse(const void *data, size_t len, proxy_protocol_header *header)
{
    proxy_protocol_verdict whole = parse_block(data, len, header);
    for (size_t part = 0; part < len; part++) {
        proxy_protocol_header early;
        proxy_protocol_verdict verdict = parse_block(data, part, &early);
        if (verdict == PROXY_PROTOCOL_MORE) {
            assert_true(whole != PROXY_PROTOCOL_HEADER || part < header->len);
            continue;
        }
        assert_int_equal(verdict, whole);
        assert_int_equal(early.len, header->len);
        assert_ptr_equal(early.reason, header->reason);
        assert_true(same_address(&early.source, &header->source));
        assert_int_equal(early.is_local, header->is_local);
    }
    return whole;
}

static void expect_header(const void *data, size_t len, size_t header_len, const char *source)
{
    proxy_protocol_header header;
    proxy_protocol_verdict verdict = parse(data, len, &header);
    if (verdict == PROXY_PROTOCOL_FAULT)
        fail_msg("refused: %s", header.reason);
    assert_int_equal(verdict, PROXY_PROTOCOL_HEADER);
    assert_int_equal(header.len, header_len);
    char text[ADDRESS_MAX_TEXT];
    address_format(&header.source, text);
    assert_string_equal(text, source);
}

static void expect_fault(const void *data, size_t len, const char *reason)
{
    proxy_protocol_header header;
    if (parse(data, len, &header) != PROXY_PROTOCOL_FAULT)
        fail_msg("taken: %.*s", (int)len, (const char *)data);
    if (strstr(header.reason, reason) == NULL)
        fail_msg("%s, not %s", header.reason, reason);
}

/* ---- Neither version ---- */

static void no_bytes_get_no_verdict(void **state)
{
    (void)state;
    proxy_protocol_header header;
    assert_int_equal(proxy_protocol_parse(NULL, 0, &header), PROXY_PROTOCOL_MORE);
}

static void what_begins_otherwise_is_refused_at_the_first_byte_that_shows_it(void **state)
{
    (void)state;
    static const char *const texts[] = {"GET / HTTP/1.1\r\n", "\x16\x03\x01", "proxy TCP4", "PROXY\tTCP4",
                                        "PROXIES"};
    for (size_t i = 0; i < LENGTH_OF(texts); i++)
        expect_fault(texts[i], strlen(texts[i]), "no PROXY header");
    expect_fault("\r\n\r\n\0\r\nQUIT\r", 12, "no PROXY header");
    expect_fault("\0", 1, "no PROXY header");

    proxy_protocol_header header;
    assert_int_equal(parse_block("PROX", 4, &header), PROXY_PROTOCOL_MORE);
    assert_int_equal(parse_block("PROXI", 5, &header), PROXY_PROTOCOL_FAULT);
    assert_int_equal(parse_block(SIGNATURE, 12, &header), PROXY_PROTOCOL_MORE);
}

/* ---- Version 1 ---- */

static void expect_line(const char *line, const char *source)
{
    char text[256];
    snprintf(text, sizeof(text), "%s\r\n", line);
    expect_header(text, strlen(text), strlen(text), source);
    snprintf(text, sizeof(text), "%s\r\nGET / HTTP/1.1\r\n", line);
    expect_header(text, strlen(text), strlen(line) + 2, source);
}

static void a_line_tells_the_source(void **state)
{
    (void)state;
    expect_line("PROXY TCP4 192.0.2.1 127.0.0.1 56324 443", "192.0.2.1:56324");
    expect_line("PROXY TCP4 255.255.255.255 255.255.255.255 65535 65535", "255.255.255.255:65535");
    expect_line("PROXY TCP4 0.0.0.0 0.0.0.0 0 0", "0.0.0.0");
    expect_line("PROXY TCP6 2001:db8::1 ::1 56324 443", "[2001:db8::1]:56324");
    expect_line("PROXY TCP6 FFFF:FFFF:FFFF:FFFF:FFFF:FFFF:FFFF:FFFF FFFF:FFFF:FFFF:FFFF:FFFF:FFFF:FFFF:FFFF "
                "65535 65535",
                "[ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff]:65535");
    expect_line("PROXY TCP6 ::ffff:192.0.2.1 ::ffff:127.0.0.1 56324 443", "192.0.2.1:56324");
}

static void an_unknown_source_is_taken_whatever_follows(void **state)
{
    (void)state;
    expect_line("PROXY UNKNOWN", "unknown");
    expect_line("PROXY UNKNOWN ", "unknown");
    expect_line("PROXY UNKNOWN 192.0.2.1 127.0.0.1 56324 443", "unknown");
    expect_line("PROXY UNKNOWN \x01\r what ever", "unknown");
    expect_line("PROXY UNKNOWN ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff "
                "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff 65535 65535",
                "unknown");
}

static void a_malformed_line_is_refused(void **state)
{
    (void)state;
    static const char *const lines[] = {
        "PROXY ",
        "PROXY  ",
        "PROXY UNKNOWNS",
        "PROXY unknown",
        "PROXY TCP",
        "PROXY TCP4",
        "PROXY TCP5 192.0.2.1 127.0.0.1 1 2",
        "PROXY tcp4 192.0.2.1 127.0.0.1 1 2",
        "PROXY UDP4 192.0.2.1 127.0.0.1 1 2",
        "PROXY  TCP4 192.0.2.1 127.0.0.1 1 2",
        "PROXY TCP4  192.0.2.1 127.0.0.1 1 2",
        "PROXY TCP4 192.0.2.1  127.0.0.1 1 2",
        "PROXY TCP4 192.0.2.1 127.0.0.1  1 2",
        "PROXY TCP4 192.0.2.1 127.0.0.1 1  2",
        "PROXY TCP4 192.0.2.1 127.0.0.1 1 2 ",
        "PROXY TCP4 192.0.2.1 127.0.0.1 1 2 3",
        "PROXY TCP4 192.0.2.1 127.0.0.1 1",
        "PROXY TCP4 192.0.2.1 127.0.0.1 1 ",
        "PROXY TCP4 192.0.2.1 127.0.0.1",
        "PROXY TCP4 192.0.2.1",
        "PROXY TCP4 192.0.2.01 127.0.0.1 1 2",
        "PROXY TCP4 192.0.2.1 127.0.0.256 1 2",
        "PROXY TCP4 192.0.2.1 localhost 1 2",
        "PROXY TCP4 192.0.2.1 127.0.0.1 01 2",
        "PROXY TCP4 192.0.2.1 127.0.0.1 1 02",
        "PROXY TCP4 192.0.2.1 127.0.0.1 65536 2",
        "PROXY TCP4 192.0.2.1 127.0.0.1 1 65536",
        "PROXY TCP4 192.0.2.1 127.0.0.1 -1 2",
        "PROXY TCP4 192.0.2.1:1 127.0.0.1 1 2",
        "PROXY TCP4 2001:db8::1 ::1 1 2",
        "PROXY TCP4 192.0.2.1 ::1 1 2",
        "PROXY TCP4 ::ffff:192.0.2.1 127.0.0.1 1 2",
        "PROXY TCP6 192.0.2.1 127.0.0.1 1 2",
        "PROXY TCP6 2001:db8::1 127.0.0.1 1 2",
        "PROXY TCP6 [2001:db8::1] ::1 1 2",
        "PROXY TCP6 fe80::1%1 ::1 1 2",
        "PROXY TCP4 192.0.2.1 127.0.0.1 1 2\r",
    };
    for (size_t i = 0; i < LENGTH_OF(lines); i++) {
        char text[256];
        snprintf(text, sizeof(text), "%s\r\n", lines[i]);
        expect_fault(text, strlen(text), "a malformed line");
    }
    static const char with_nul[] = "PROXY TCP4 192.0.2.1\0 127.0.0.1 1 2\r\n";
    expect_fault(with_nul, sizeof(with_nul) - 1, "a malformed line");
}

static void a_line_ends_with_both_characters(void **state)
{
    (void)state;
    static const char bare[] = "PROXY TCP4 192.0.2.1 127.0.0.1 56324 443\n";
    expect_fault(bare, sizeof(bare) - 1, "CRLF");
    expect_fault("PROXY \n", 7, "CRLF");
    expect_fault("PROXY UNKNOWN\n\r\n", 16, "CRLF");
}

static void a_line_of_just_the_limit_is_read_and_one_byte_more_is_not(void **state)
{
    (void)state;
    char line[PROXY_PROTOCOL_MAX_V1 + 2];
    memset(line, 'x', sizeof(line));
    memcpy(line, "PROXY UNKNOWN ", 14);
    memcpy(line + PROXY_PROTOCOL_MAX_V1 - 2, "\r\n", 2);
    expect_header(line, sizeof(line), PROXY_PROTOCOL_MAX_V1, "unknown");

    memcpy(line + PROXY_PROTOCOL_MAX_V1 - 2, "x\r\n", 3);
    expect_fault(line, sizeof(line), "107");

    proxy_protocol_header header;
    memset(line + 14, 'x', sizeof(line) - 14);
    assert_int_equal(parse_block(line, PROXY_PROTOCOL_MAX_V1 - 1, &header), PROXY_PROTOCOL_MORE);
    assert_int_equal(parse_block(line, PROXY_PROTOCOL_MAX_V1, &header), PROXY_PROTOCOL_FAULT);
}

/* ---- Version 2 ---- */

/* A header with this command, family and rest, and `behind` bytes more; owned by the caller. */
static uint8_t *make_v2(uint8_t command, uint8_t family, const void *rest, size_t rest_len, size_t behind)
{
    uint8_t *data = malloc(PROXY_PROTOCOL_V2_FIXED + rest_len + behind);
    assert_non_null(data);
    memcpy(data, SIGNATURE, 12);
    data[12] = command;
    data[13] = family;
    data[14] = (uint8_t)(rest_len >> 8);
    data[15] = (uint8_t)rest_len;
    if (rest != NULL)
        memcpy(data + PROXY_PROTOCOL_V2_FIXED, rest, rest_len);
    else
        memset(data + PROXY_PROTOCOL_V2_FIXED, 0xEE, rest_len);
    memset(data + PROXY_PROTOCOL_V2_FIXED + rest_len, 'G', behind);
    return data;
}

static void expect_v2(uint8_t command, uint8_t family, const void *rest, size_t rest_len, const char *source)
{
    for (size_t behind = 0; behind < 3; behind++) {
        uint8_t *data = make_v2(command, family, rest, rest_len, behind);
        size_t len = PROXY_PROTOCOL_V2_FIXED + rest_len;
        expect_header(data, len + behind, len, source);
        free(data);
    }
}

static void expect_v2_fault(uint8_t command, uint8_t family, const void *rest, size_t rest_len,
                            const char *reason)
{
    uint8_t *data = make_v2(command, family, rest, rest_len, 1);
    expect_fault(data, PROXY_PROTOCOL_V2_FIXED + rest_len + 1, reason);
    free(data);
}

static void a_block_of_each_family_tells_the_source(void **state)
{
    (void)state;
    expect_v2(0x21, 0x11, IPV4, 12, "192.0.2.1:4660");

    uint8_t ipv6[36] = {0x20, 0x01, 0x0D, 0xB8, [15] = 1, [31] = 1, [32] = 0x12, [33] = 0x34, [34] = 0x01};
    expect_v2(0x21, 0x21, ipv6, sizeof(ipv6), "[2001:db8::1]:4660");

    uint8_t mapped[36] = {[10] = 0xFF, [11] = 0xFF, [12] = 192, [13] = 0, [14] = 2, [15] = 1, [33] = 80};
    expect_v2(0x21, 0x21, mapped, sizeof(mapped), "192.0.2.1:80");

    uint8_t paths[216] = "/run/a";
    expect_v2(0x21, 0x31, paths, sizeof(paths), "unix");
}

static void what_follows_the_addresses_is_skipped(void **state)
{
    (void)state;
    static const char rest[] = IPV4 "\x02\x00\x0B"
                                    "example.org"
                                    "\x03\x00\x04"
                                    "\xDE\xAD\xBE\xEF"
                                    "\x04\xFF\xFF";
    expect_v2(0x21, 0x11, rest, sizeof(rest) - 1, "192.0.2.1:4660");
    expect_v2(0x21, 0x21, NULL, 200, "[eeee:eeee:eeee:eeee:eeee:eeee:eeee:eeee]:61166");
}

static void a_source_that_is_not_told_is_unknown(void **state)
{
    (void)state;
    static const uint8_t families[] = {0x00, 0x01, 0x02, 0x10, 0x12, 0x20, 0x22, 0x30, 0x32};
    for (size_t i = 0; i < sizeof(families); i++) {
        expect_v2(0x21, families[i], NULL, 0, "unknown");
        expect_v2(0x21, families[i], NULL, 216, "unknown");
    }
}

static void a_proxy_that_speaks_for_itself_says_what_it_likes(void **state)
{
    (void)state;
    static const uint8_t families[] = {0x00, 0x11, 0x21, 0x31, 0x42, 0xFF};
    for (size_t i = 0; i < sizeof(families); i++) {
        expect_v2(0x20, families[i], NULL, 0, "unknown");
        expect_v2(0x20, families[i], NULL, 12, "unknown");
    }
    proxy_protocol_header header;
    uint8_t *data = make_v2(0x20, 0, NULL, 0, 0);
    assert_int_equal(parse(data, PROXY_PROTOCOL_V2_FIXED, &header), PROXY_PROTOCOL_HEADER);
    assert_true(header.is_local);
    data[12] = 0x21;
    assert_int_equal(parse(data, PROXY_PROTOCOL_V2_FIXED, &header), PROXY_PROTOCOL_HEADER);
    assert_false(header.is_local);
    free(data);
}

static void unknown_values_are_refused(void **state)
{
    (void)state;
    static const uint8_t commands[] = {0x00, 0x01, 0x11, 0x22, 0x2F, 0x31, 0xFF};
    for (size_t i = 0; i < sizeof(commands); i++)
        expect_v2_fault(commands[i], 0x11, IPV4, 12, "command");
    static const uint8_t families[] = {0x40, 0x41, 0x81, 0xF1, 0xFF};
    for (size_t i = 0; i < sizeof(families); i++)
        expect_v2_fault(0x21, families[i], NULL, 216, "family");
    static const uint8_t transports[] = {0x03, 0x13, 0x24, 0x3F};
    for (size_t i = 0; i < sizeof(transports); i++)
        expect_v2_fault(0x21, transports[i], NULL, 216, "transport");
}

static void a_fault_is_told_at_the_first_byte_that_shows_it(void **state)
{
    (void)state;
    static const struct {
        uint8_t command;
        uint8_t family;
        size_t rest_len;
        size_t shown_by; /* bytes */
    } cases[] = {{0x22, 0x11, 12, 13},
                 {0x21, 0x41, 12, 14},
                 {0x21, 0x13, 12, 14},
                 {0x21, 0x11, 11, 16},
                 {0x21, 0x11, 4097, 16}};
    for (size_t i = 0; i < LENGTH_OF(cases); i++) {
        uint8_t *data = make_v2(cases[i].command, cases[i].family, NULL, cases[i].rest_len, 0);
        proxy_protocol_header header;
        assert_int_equal(parse_block(data, cases[i].shown_by - 1, &header), PROXY_PROTOCOL_MORE);
        assert_int_equal(parse_block(data, cases[i].shown_by, &header), PROXY_PROTOCOL_FAULT);
        free(data);
    }
}

static void a_header_too_short_for_its_addresses_is_refused(void **state)
{
    (void)state;
    static const struct {
        uint8_t family;
        size_t needed;
    } cases[] = {{0x11, 12}, {0x21, 36}, {0x31, 216}};
    for (size_t i = 0; i < LENGTH_OF(cases); i++) {
        for (size_t len = 0; len < cases[i].needed; len++)
            expect_v2_fault(0x21, cases[i].family, NULL, len, "too short");
    }
}

static void a_header_of_just_the_limit_is_read_and_one_byte_more_is_not(void **state)
{
    (void)state;
    expect_v2(0x21, 0x00, NULL, PROXY_PROTOCOL_MAX_V2_REST, "unknown");
    expect_v2_fault(0x21, 0x00, NULL, PROXY_PROTOCOL_MAX_V2_REST + 1, "4112");
    expect_v2_fault(0x20, 0x00, NULL, PROXY_PROTOCOL_MAX_V2_REST + 1, "4112");
    expect_v2_fault(0x21, 0x11, NULL, 65535, "4112");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_bytes_get_no_verdict),
        cmocka_unit_test(what_begins_otherwise_is_refused_at_the_first_byte_that_shows_it),
        cmocka_unit_test(a_line_tells_the_source),
        cmocka_unit_test(an_unknown_source_is_taken_whatever_follows),
        cmocka_unit_test(a_malformed_line_is_refused),
        cmocka_unit_test(a_line_ends_with_both_characters),
        cmocka_unit_test(a_line_of_just_the_limit_is_read_and_one_byte_more_is_not),
        cmocka_unit_test(a_block_of_each_family_tells_the_source),
        cmocka_unit_test(what_follows_the_addresses_is_skipped),
        cmocka_unit_test(a_source_that_is_not_told_is_unknown),
        cmocka_unit_test(a_proxy_that_speaks_for_itself_says_what_it_likes),
        cmocka_unit_test(unknown_values_are_refused),
        cmocka_unit_test(a_fault_is_told_at_the_first_byte_that_shows_it),
        cmocka_unit_test(a_header_too_short_for_its_addresses_is_refused),
        cmocka_unit_test(a_header_of_just_the_limit_is_read_and_one_byte_more_is_not),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
