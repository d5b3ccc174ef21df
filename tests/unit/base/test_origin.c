/* An entry of ALLOWED_ORIGINS, as an operator may write it and as browsers send it. */
#include "base/origin.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>

#define LENGTH_OF(array) (sizeof(array) / sizeof((array)[0]))

/* Read a heap copy of the exact length, so that a read past either end is seen. NULL or the reason. */
static const char *parse(const char *text, size_t len, char out[ORIGIN_CAP])
{
    idna names = {0};
    char *copy = malloc(len + 1);
    assert_non_null(copy);
    memcpy(copy + 1, text, len);
    const char *reason = origin_parse((slice){copy + 1, len}, &names, out);
    free(copy);
    idna_deinit(&names);
    return reason;
}

static void expect(const char *text, const char *sent)
{
    char found[ORIGIN_CAP] = "";
    const char *reason = parse(text, strlen(text), found);
    if (reason != NULL)
        fail_msg("%s: %s", text, reason);
    assert_string_equal(found, sent);
    char again[ORIGIN_CAP] = "";
    assert_null(parse(found, strlen(found), again)); /* it stays what it is */
    assert_string_equal(again, sent);
}

static void expect_refused(const char *text, const char *part_of_the_reason)
{
    char found[ORIGIN_CAP] = "before";
    const char *reason = parse(text, strlen(text), found);
    if (reason == NULL || strstr(reason, part_of_the_reason) == NULL)
        fail_msg("%s: %s", text, reason == NULL ? found : reason);
    assert_string_equal(found, "before");
}

static void what_browsers_send_stays_as_it_is(void **state)
{
    (void)state;
    static const char *const sent[] = {
        "https://call.example",
        "https://call.example:8443",
        "http://localhost:3000",
        "http://127.0.0.1",
        "http://[::1]:8080",
        "https://xn--b1adjthcbc.xn--p1ai",
        "https://call.example.",
        "https://a_b.example",
        "null",
        "file://",
        "chrome-extension://mhjfbmdgcfjbbpaeojofohoefgiehjai",
        "moz-extension://2c127fa4-62c7-7e4f-90e5-472b45eecfdc",
        "capacitor://localhost",
        "app://.",
        "https://*.call.example",
        "https://*.call.example:8443",
    };
    for (size_t i = 0; i < LENGTH_OF(sent); i++)
        expect(sent[i], sent[i]);
}

static void large_letters_become_small(void **state)
{
    (void)state;
    expect("HTTPS://Call.EXAMPLE", "https://call.example");
    expect("Null", "null");
    expect("FILE://", "file://");
    expect("https://XN--B1ADJTHCBC.xn--P1AI", "https://xn--b1adjthcbc.xn--p1ai");
    expect("Capacitor://LocalHost", "capacitor://localhost");
}

static void a_port_that_the_scheme_has_by_itself_is_left_out(void **state)
{
    (void)state;
    expect("https://call.example:443", "https://call.example");
    expect("http://localhost:80", "http://localhost");
    expect("HTTPS://call.example:443", "https://call.example");
    expect("https://*.call.example:443", "https://*.call.example");
    expect("http://[::1]:80", "http://[::1]");
    expect("https://call.example:80", "https://call.example:80");
    expect("http://call.example:443", "http://call.example:443");
    expect("https://call.example:8443", "https://call.example:8443");
    expect("app://x:443", "app://x:443");
}

static void international_names_become_ascii(void **state)
{
    (void)state;
    expect("https://домозвон.рф", "https://xn--b1adjthcbc.xn--p1ai");
    expect("https://ДомоЗвон.РФ:443", "https://xn--b1adjthcbc.xn--p1ai");
    expect("https://*.домозвон.рф:8443", "https://*.xn--b1adjthcbc.xn--p1ai:8443");
    expect("https://*.рф", "https://*.xn--p1ai");
    expect("http://１２７.0.0.1:8080", "http://127.0.0.1:8080");
    expect_refused("https://☕.рф", "is not allowed");
    expect_refused("https://\xff.рф", "not UTF-8");
    expect_refused("https://℀.рф", "neither a name nor an IP address");
    expect_refused("https://домозвон..рф", "neither a name nor an IP address");
    expect_refused("app://домозвон", "its host is not made of");
}

/* WHATWG URL, 3.5: the longest run of zeros, the first of two, not one alone, and never an end in IPv4. */
static void ipv6_addresses_get_their_short_form(void **state)
{
    (void)state;
    static const char *const addresses[][2] = {
        {"http://[0:0:0:0:0:0:0:1]", "http://[::1]"},
        {"http://[::]", "http://[::]"},
        {"http://[0:0:0:0:0:0:0:0]:80", "http://[::]"},
        {"http://[2001:DB8::0:1]", "http://[2001:db8::1]"},
        {"http://[2001:db8:0:0:1:0:0:1]", "http://[2001:db8::1:0:0:1]"},
        {"http://[2001:db8:0:1:0:0:0:1]", "http://[2001:db8:0:1::1]"},
        {"http://[1:0:2:3:4:5:6:7]", "http://[1:0:2:3:4:5:6:7]"},
        {"http://[1::0]", "http://[1::]"},
        {"http://[::ffff:192.0.2.1]", "http://[::ffff:c000:201]"},
        {"http://[::192.0.2.1]", "http://[::c000:201]"},
        {"http://[0001:0020:0300:4000:5:6:7:8]", "http://[1:20:300:4000:5:6:7:8]"},
    };
    for (size_t i = 0; i < LENGTH_OF(addresses); i++)
        expect(addresses[i][0], addresses[i][1]);
    static const char *const faulty[] = {
        "http://[::1",     "http://[]",  "http://[",         "http://[::1]x",
        "http://[::1%lo]", "http://[a]", "http://[1.2.3.4]", "http://[1:2:3:4:5:6:7:8:9]",
        "http://[::1]]"};
    for (size_t i = 0; i < LENGTH_OF(faulty); i++)
        expect_refused(faulty[i], "brackets");
    expect_refused("http://::1", "expected in brackets");
    expect_refused("http://2001:db8::1", "expected in brackets");
    expect_refused("http://*.[::1]", "neither a name nor an IP address");
}

static void what_no_browser_sends_is_refused_with_its_reason(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        {"'https://call.example'", "a quote"},
        {"\"https://call.example\"", "a quote"},
        {"\"https://call.example", "a quote"},
        {"wss://call.example", "the origin is that of the page"},
        {"WS://call.example", "the origin is that of the page"},
        {"https://call.example:", "no number from 1 to 65535"},
        {"https://call.example:99999", "no number from 1 to 65535"},
        {"https://call.example:0", "no number from 1 to 65535"},
        {"https://call.example:0443", "no number from 1 to 65535"},
        {"https://call.example:x", "no number from 1 to 65535"},
        {"https://call.example:80:80", "expected in brackets"},
        {"https://call.example/", "without even a slash"},
        {"https://call.example/call", "without even a slash"},
        {"https://call.example?x", "without even a slash"},
        {"https://call.example#x", "without even a slash"},
        {"https://call.example\\", "without even a slash"},
        {"https:///", "without even a slash"},
        {"https://user@call.example", "no user"},
        {"https://user:secret@call.example", "no user"},
        {"https://", "a host is expected"},
        {"https://:443", "a host is expected"},
        {"https://*.", "a host is expected"},
        {"call.example", "no scheme"},
        {"call.example:443", "no scheme"},
        {"https:call.example", "no scheme"},
        {"://call.example", "no scheme"},
        {"1https://call.example", "no scheme"},
        {"ht tps://call.example", "no scheme"},
        {"", "no scheme"},
        {"*", "an empty value"},
        {"*://call.example", "no scheme"},
        {"*.call.example", "no scheme"},
        {"https://*", "only at the begin"},
        {"https://*call.example", "only at the begin"},
        {"https://call.*.example", "only at the begin"},
        {"https://*.*.example", "only at the begin"},
        {"https://*.1.2.3.4", "neither a name nor an IP address"},
        {"https://call example", "neither a name nor an IP address"},
        {"https://call..example", "neither a name nor an IP address"},
        {"https://call%2eexample", "neither a name nor an IP address"},
        {"http://127.1", "neither a name nor an IP address"},
        {"http://010.0.0.1", "neither a name nor an IP address"},
        {"http://0x7f000001", "neither a name nor an IP address"},
        {"http://127.0.0.1.", "neither a name nor an IP address"},
        {"http://256.0.0.1", "neither a name nor an IP address"},
        {"file:///", "no more"},
        {"file://call.example", "no more"},
        {"file:///srv/index.html", "no more"},
        {"app://a b", "its host is not made of"},
        {"app://", "a host is expected"},
    };
    for (size_t i = 0; i < LENGTH_OF(cases); i++)
        expect_refused(cases[i][0], cases[i][1]);
    char found[ORIGIN_CAP];
    assert_non_null(parse("https://a\0b", 11, found));
    assert_non_null(parse("https://a:80\0", 13, found));
}

static void the_parts_have_their_bounds(void **state)
{
    (void)state;
    char text[1024];
    char found[ORIGIN_CAP];
    memset(text, 'a', sizeof(text));
    memcpy(text + 63, "://b", 5);
    expect(text, text);
    memset(text, 'a', sizeof(text));
    memcpy(text + 64, "://b", 5);
    expect_refused(text, "no scheme");

    memset(text, 'a', sizeof(text));
    memcpy(text, "https://*.", 10);
    for (size_t i = 63; i < 251; i += 64)
        text[10 + i] = '.';
    memcpy(text + 10 + 253, ":65535", 7);
    expect(text, text);
    memcpy(text + 10 + 253, "a:65535", 8);
    expect_refused(text, "neither a name nor an IP address");
    memset(text, 'a', sizeof(text));
    memcpy(text, "https://", 8);
    assert_non_null(parse(text, sizeof(text), found));
    memcpy(text, "app:////", 8);
    memcpy(text, "app://aa", 8);
    assert_non_null(parse(text, sizeof(text), found));
}

static void expect_without(const char *text, const char *expected)
{
    slice found = origin_without_default_port(slice_of_text(text));
    assert_true(slice_equals(found, slice_of_text(expected)));
}

static void any_text_may_lose_its_default_port(void **state)
{
    (void)state;
    expect_without("https://call.example:443", "https://call.example");
    expect_without("http://call.example:80", "http://call.example");
    expect_without("https://call.example:8443", "https://call.example:8443");
    expect_without("https://call.example", "https://call.example");
    expect_without("https://:443", "https://");
    expect_without("http://:443", "http://:443");
    expect_without(":443", ":443");
    expect_without("", "");
    assert_int_equal(origin_without_default_port((slice){0}).len, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_browsers_send_stays_as_it_is),
        cmocka_unit_test(large_letters_become_small),
        cmocka_unit_test(a_port_that_the_scheme_has_by_itself_is_left_out),
        cmocka_unit_test(international_names_become_ascii),
        cmocka_unit_test(ipv6_addresses_get_their_short_form),
        cmocka_unit_test(what_no_browser_sends_is_refused_with_its_reason),
        cmocka_unit_test(the_parts_have_their_bounds),
        cmocka_unit_test(any_text_may_lose_its_default_port),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
