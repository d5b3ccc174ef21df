/* Addresses from the kernel and from text, and back to text. */
#include "base/address.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "support/same_address.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/un.h>

#define LENGTH_OF(array) (sizeof(array) / sizeof((array)[0]))

/* Read a heap copy of the exact length, so that a read past its end is seen. */
static bool parse(const char *text, size_t len, address *out)
{
    char *copy = malloc(len + 1);
    assert_non_null(copy);
    memcpy(copy + 1, text, len);
    bool is_address = address_parse((slice){copy + 1, len}, out);
    free(copy);
    return is_address;
}

static void expect_text(const address *a, const char *text)
{
    char out[ADDRESS_MAX_TEXT];
    memset(out, '#', sizeof(out));
    assert_int_equal(address_format(a, out), strlen(text));
    assert_string_equal(out, text);
}

/* Read `text` and write it again. */
static void expect_round(const char *text, const char *written)
{
    address a;
    if (!parse(text, strlen(text), &a))
        fail_msg("%s is not read", text);
    expect_text(&a, written);
    address again;
    assert_true(parse(written, strlen(written), &again));
    assert_true(same_address(&a, &again));
}

/* ---- From text ---- */

static void nothing_is_no_address(void **state)
{
    (void)state;
    address a;
    assert_false(address_parse((slice){NULL, 0}, &a));
    assert_false(address_parse_ip((slice){NULL, 0}, &a));
    assert_false(address_parse_port((slice){NULL, 0}, &a.port));
}

static void each_way_to_write_an_address_is_read(void **state)
{
    (void)state;
    expect_round("192.0.2.1", "192.0.2.1");
    expect_round("0.0.0.0", "0.0.0.0");
    expect_round("255.255.255.255:65535", "255.255.255.255:65535");
    expect_round("192.0.2.1:0", "192.0.2.1");
    expect_round("2001:db8::1", "2001:db8::1");
    expect_round("[2001:db8::1]", "2001:db8::1");
    expect_round("[2001:db8::1]:443", "[2001:db8::1]:443");
    expect_round("2001:DB8:0:0:0:0:0:1", "2001:db8::1");
    expect_round("::", "::");
    expect_round("2001:db8::1:80", "2001:db8::1:80"); /* an address, not a port */
    expect_round("2001:db8::192.0.2.1", "2001:db8::c000:201");
    expect_round("[ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.255]:65535",
                 "[ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff]:65535");
}

static void what_is_mapped_into_ipv6_is_ipv4(void **state)
{
    (void)state;
    expect_round("::ffff:192.0.2.1", "192.0.2.1");
    expect_round("::FFFF:c000:201", "192.0.2.1");
    expect_round("[::ffff:192.0.2.1]:80", "192.0.2.1:80");
    expect_round("::fffe:192.0.2.1", "::fffe:c000:201");
    expect_round("1::ffff:c000:201", "1::ffff:c000:201");
}

static void what_is_no_address_is_not_read(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "1",
        "a",
        "unix",
        "unknown",
        "localhost",
        "192.0.2",
        "192.0.2.256",
        "192.0.2.1.1",
        "192.0.2.01",
        "0x7f.0.0.1",
        "3221225985",
        " 192.0.2.1",
        "192.0.2.1 ",
        "192.0.2.1:",
        "192.0.2.1:65536",
        "192.0.2.1:080",
        "192.0.2.1:+80",
        "192.0.2.1:80 ",
        "192.0.2.1:123456",
        "192.0.2.1:80:80",
        "192.0.2.1/32",
        "[192.0.2.1]",
        "[192.0.2.1]:80",
        ":80",
        ":",
        ":::",
        "1::2::3",
        "12345::",
        "1:2:3:4:5:6:7:8:9",
        "1:2:3:4:5:6:7",
        "fe80::1%eth0",
        "fe80::1%1",
        "[",
        "]",
        "[]",
        "[]:80",
        "[::1",
        "::1]",
        "[::1]80",
        "[::1]:",
        "[::1]:65536",
        "[::1]]",
        "[[::1]]",
        "[ ::1]",
        "[::1] ",
        "ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.255:1",
    };
    for (size_t i = 0; i < LENGTH_OF(texts); i++) {
        address a = {.family = 99, .port = 77};
        if (parse(texts[i], strlen(texts[i]), &a))
            fail_msg("%s is read", texts[i]);
        assert_int_equal(a.family, 99);
        assert_int_equal(a.port, 77);
    }
}

/* The begin of an address with a port may be another address, and must then be read as that one. */
static void an_address_cut_anywhere_is_another_one_or_none(void **state)
{
    (void)state;
    static const char *const texts[] = {"192.0.2.123:4567", "[2001:db8::192.0.2.1]:4567", "2001:db8::12"};
    for (size_t i = 0; i < LENGTH_OF(texts); i++) {
        address whole;
        assert_true(parse(texts[i], strlen(texts[i]), &whole));
        for (size_t len = 0; len < strlen(texts[i]); len++) {
            address part;
            if (parse(texts[i], len, &part))
                assert_false(same_address(&part, &whole));
        }
    }
    address a;
    assert_false(parse(texts[0], strlen("192.0.2."), &a));
    assert_false(parse(texts[0], strlen("192.0.2.123:"), &a));
    assert_false(parse(texts[1], strlen("[2001:db8::192.0.2.1"), &a));
    assert_false(parse(texts[1], strlen("[2001:db8::192.0.2.1]:"), &a));
    assert_true(parse(texts[1], strlen("[2001:db8::192.0.2.1]"), &a));
}

static void a_nul_does_not_end_an_address(void **state)
{
    (void)state;
    address a;
    assert_false(parse("192.0.2.1\0", 10, &a));
    assert_false(parse("192.0.2.1\0:80", 13, &a));
    assert_false(parse("192.0.2.1:8\0", 12, &a));
    assert_false(parse("[::1\0]", 6, &a));
    assert_false(parse("\0", 1, &a));
}

static void a_bare_address_has_neither_port_nor_brackets(void **state)
{
    (void)state;
    address a;
    assert_true(address_parse_ip(SLICE_LITERAL("192.0.2.1"), &a));
    assert_true(address_parse_ip(SLICE_LITERAL("::1"), &a));
    assert_false(address_parse_ip(SLICE_LITERAL("192.0.2.1:80"), &a));
    assert_false(address_parse_ip(SLICE_LITERAL("[::1]"), &a));
}

static void a_port_is_a_plain_number_up_to_65535(void **state)
{
    (void)state;
    uint16_t port = 7;
    static const char *const bad[] = {"-1", "00", "08", "65536", "99999", "100000", "1 ", "1a", "0x1"};
    for (size_t i = 0; i < LENGTH_OF(bad); i++)
        assert_false(address_parse_port(slice_of_text(bad[i]), &port));
    assert_int_equal(port, 7);
    assert_true(address_parse_port(SLICE_LITERAL("0"), &port));
    assert_int_equal(port, 0);
    assert_true(address_parse_port(SLICE_LITERAL("65535"), &port));
    assert_int_equal(port, 65535);
}

/* ---- From the kernel ---- */

static address from_ipv4(const char *text, uint16_t port)
{
    struct sockaddr_in in = {.sin_family = AF_INET, .sin_port = htons(port)};
    assert_int_equal(inet_pton(AF_INET, text, &in.sin_addr), 1);
    return address_from_sockaddr((const struct sockaddr *)&in, sizeof(in));
}

static address from_ipv6(const char *text, uint16_t port)
{
    struct sockaddr_in6 in6 = {.sin6_family = AF_INET6, .sin6_port = htons(port), .sin6_scope_id = 2};
    assert_int_equal(inet_pton(AF_INET6, text, &in6.sin6_addr), 1);
    return address_from_sockaddr((const struct sockaddr *)&in6, sizeof(in6));
}

static void the_kernel_s_addresses_are_taken_over(void **state)
{
    (void)state;
    address a = from_ipv4("192.0.2.1", 8888);
    expect_text(&a, "192.0.2.1:8888");
    a = from_ipv6("2001:db8::1", 8888);
    expect_text(&a, "[2001:db8::1]:8888");
    a = from_ipv6("fe80::1", 0);
    expect_text(&a, "fe80::1");
    a = from_ipv6("::ffff:192.0.2.1", 8888);
    expect_text(&a, "192.0.2.1:8888");
}

static void a_unix_peer_is_one_with_and_without_a_path(void **state)
{
    (void)state;
    struct sockaddr_un un = {.sun_family = AF_UNIX, .sun_path = "/run/x"};
    address a = address_from_sockaddr((const struct sockaddr *)&un, sizeof(un));
    address b = address_from_sockaddr((const struct sockaddr *)&un, sizeof(un.sun_family));
    expect_text(&a, "unix");
    assert_true(same_address(&a, &b));
}

static void what_the_kernel_cut_short_is_unknown(void **state)
{
    (void)state;
    struct sockaddr_in6 in6 = {.sin6_family = AF_INET6};
    struct sockaddr_in in = {.sin_family = AF_INET};
    address a = address_from_sockaddr((const struct sockaddr *)&in6, sizeof(in6) - 1);
    expect_text(&a, "unknown");
    a = address_from_sockaddr((const struct sockaddr *)&in, sizeof(in) - 1);
    expect_text(&a, "unknown");
    a = address_from_sockaddr(NULL, 0);
    expect_text(&a, "unknown");
    in.sin_family = AF_UNSPEC;
    a = address_from_sockaddr((const struct sockaddr *)&in, sizeof(in));
    expect_text(&a, "unknown");
}

/* ---- Comparing ---- */

static void two_ways_to_one_address_are_equal(void **state)
{
    (void)state;
    address a = from_ipv6("::ffff:192.0.2.1", 80);
    address b = from_ipv4("192.0.2.1", 80);
    address c;
    assert_true(parse("192.0.2.1:80", 12, &c));
    assert_true(same_address(&a, &b));
    assert_true(same_address(&b, &c));
}

static void another_family_or_port_makes_another_address(void **state)
{
    (void)state;
    address a = from_ipv4("192.0.2.1", 80);
    address b = from_ipv4("192.0.2.1", 81);
    address c = from_ipv6("c000:201::", 80); /* the same bytes, were it IPv4 */
    assert_false(same_address(&a, &b));
    assert_false(same_address(&a, &c));
}

static void zeroed_is_unknown(void **state)
{
    (void)state;
    address a = {0};
    address unix_peer = {.family = ADDRESS_UNIX};
    address any = from_ipv4("0.0.0.0", 0);
    expect_text(&a, "unknown");
    assert_false(same_address(&a, &unix_peer));
    assert_false(same_address(&a, &any));
}

static void a_host_and_its_port_are_joined_as_in_a_url(void **state)
{
    (void)state;
    static const struct {
        const char *host;
        const char *text;
    } cases[] = {{"192.0.2.1", "192.0.2.1:80"},
                 {"::1", "[::1]:80"},
                 {"fe80::1%eth0", "[fe80::1%eth0]:80"},
                 {"call.example", "call.example:80"}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char out[32];
        assert_int_equal(address_join_port(cases[i].host, 80, out, sizeof(out)), strlen(cases[i].text));
        assert_string_equal(out, cases[i].text);
    }
    char cut[6];
    assert_int_equal(address_join_port("192.0.2.1", 65535, cut, sizeof(cut)), 15);
    assert_string_equal(cut, "192.0");
}

static void a_client_is_counted_by_its_address_or_its_64(void **state)
{
    (void)state;
    static const struct {
        const char *one;
        const char *other;
        bool are_one;
    } cases[] = {
        {"192.0.2.1", "192.0.2.1:80", true},       {"192.0.2.1", "192.0.2.2", false},
        {"192.0.2.1", "::ffff:192.0.2.1", true},   {"2001:db8::1", "2001:db8::ffff:ffff:ffff:ffff", true},
        {"2001:db8::1", "2001:db8:0:1::1", false}, {"0.0.0.0", "::", false}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        address one;
        address other;
        assert_true(address_parse(slice_of_text(cases[i].one), &one));
        assert_true(address_parse(slice_of_text(cases[i].other), &other));
        address_key keys[] = {address_key_of(&one), address_key_of(&other)};
        assert_int_equal(memcmp(&keys[0], &keys[1], sizeof(keys[0])) == 0, cases[i].are_one);
    }
}

static void the_loopback_is_127_and_the_one_of_ipv6(void **state)
{
    (void)state;
    static const char *const inside[] = {"127.0.0.1", "127.255.255.255", "::1", "::ffff:127.0.0.1"};
    static const char *const outside[] = {"126.255.255.255", "128.0.0.0", "::", "::2", "1::1", "7f00::"};
    address a = {0};
    assert_false(address_is_loopback(&a));
    for (size_t i = 0; i < sizeof(inside) / sizeof(inside[0]); i++) {
        assert_true(address_parse(slice_of_text(inside[i]), &a));
        assert_true(address_is_loopback(&a));
    }
    for (size_t i = 0; i < sizeof(outside) / sizeof(outside[0]); i++) {
        assert_true(address_parse(slice_of_text(outside[i]), &a));
        assert_false(address_is_loopback(&a));
    }
}

static void inner_addresses_are_those_that_no_host_of_the_internet_has(void **state)
{
    (void)state;
    static const char *const inner[] = {"10.0.0.0",        "10.255.255.255",  "172.16.0.0",  "172.31.255.255",
                                        "192.168.0.0",     "192.168.255.255", "169.254.1.1", "100.64.0.0",
                                        "100.127.255.255", "fc00::",          "fdff::1",     "fe80::1",
                                        "febf::1",         "::ffff:10.0.0.1"};
    static const char *const outer[] = {
        "9.255.255.255", "11.0.0.0",    "172.15.255.255", "172.32.0.0",  "192.167.1.1",
        "192.169.0.0",   "169.253.1.1", "100.63.255.255", "100.128.0.0", "127.0.0.1",
        "fbff::1",       "fe00::1",     "fec0::1",        "2001:db8::1", "::1",
        "a00::1"};
    address a = {0};
    assert_false(address_is_inner(&a));
    for (size_t i = 0; i < sizeof(inner) / sizeof(inner[0]); i++) {
        assert_true(address_parse(slice_of_text(inner[i]), &a));
        assert_true(address_is_inner(&a));
    }
    for (size_t i = 0; i < sizeof(outer) / sizeof(outer[0]); i++) {
        assert_true(address_parse(slice_of_text(outer[i]), &a));
        assert_false(address_is_inner(&a));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_is_no_address),
        cmocka_unit_test(each_way_to_write_an_address_is_read),
        cmocka_unit_test(what_is_mapped_into_ipv6_is_ipv4),
        cmocka_unit_test(what_is_no_address_is_not_read),
        cmocka_unit_test(an_address_cut_anywhere_is_another_one_or_none),
        cmocka_unit_test(a_nul_does_not_end_an_address),
        cmocka_unit_test(a_bare_address_has_neither_port_nor_brackets),
        cmocka_unit_test(a_port_is_a_plain_number_up_to_65535),
        cmocka_unit_test(the_kernel_s_addresses_are_taken_over),
        cmocka_unit_test(a_unix_peer_is_one_with_and_without_a_path),
        cmocka_unit_test(what_the_kernel_cut_short_is_unknown),
        cmocka_unit_test(two_ways_to_one_address_are_equal),
        cmocka_unit_test(another_family_or_port_makes_another_address),
        cmocka_unit_test(zeroed_is_unknown),
        cmocka_unit_test(a_host_and_its_port_are_joined_as_in_a_url),
        cmocka_unit_test(a_client_is_counted_by_its_address_or_its_64),
        cmocka_unit_test(the_loopback_is_127_and_the_one_of_ipv6),
        cmocka_unit_test(inner_addresses_are_those_that_no_host_of_the_internet_has),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
