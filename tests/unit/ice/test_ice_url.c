/* The list of STUN and TURN servers, as an operator may write it. */
#include "ice/ice_url.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#define LENGTH_OF(array) (sizeof(array) / sizeof((array)[0]))

/* Read a heap copy of the exact length, so that a read past its end is seen. A good list stays as it is, but
 * for the blanks. */
static int check(const char *text, size_t len, ice_url_fault *fault)
{
    char *copy = malloc(len + 1);
    assert_non_null(copy);
    memcpy(copy + 1, text, len);
    char *list = NULL;
    int error = ice_url_read_list((slice){copy + 1, len}, &list, fault);
    if (error == 0)
        assert_true(strlen(list) <= len);
    free(list);
    if (error != 0) {
        assert_in_range(fault->entry.data - copy, 1, len);
        fault->entry.data = text + (fault->entry.data - copy - 1);
    }
    free(copy);
    return error;
}

static void expect_good(const char *text)
{
    ice_url_fault fault;
    if (check(text, strlen(text), &fault) != 0)
        fail_msg("%s: %s", text, fault.reason);
}

static void an_empty_list_is_good_and_has_no_url(void **state)
{
    (void)state;
    static const char *const texts[] = {"", " ", ",", " ,\t,"};
    for (size_t i = 0; i < LENGTH_OF(texts); i++) {
        slice list = slice_of_text(texts[i]);
        slice url;
        expect_good(texts[i]);
        assert_false(slice_take_entry(&list, &url));
    }
    slice list = {NULL, 0};
    ice_url_fault fault;
    char *read = NULL;
    assert_int_equal(ice_url_read_list(list, &read, &fault), 0);
    assert_string_equal(read, "");
    free(read);
}

static void the_examples_of_the_rfcs_are_good(void **state)
{
    (void)state;
    static const char *const urls[] = {
        "stun:example.org",
        "stuns:example.org",
        "stun:example.org:8000",
        "turn:example.org",
        "turns:example.org",
        "turn:example.org:8000",
        "turn:example.org?transport=udp",
        "turn:example.org?transport=tcp",
        "turns:example.org?transport=tcp",
        "turn:192.0.2.1",
        "turn:192.0.2.1:3478?transport=udp",
        "turn:[2001:db8::1]",
        "turn:[2001:db8::1]:3478?transport=udp",
        "TURN:Example.ORG",
        "stun:localhost:1",
        "stun:a:65535",
        "stun:turn_1.x-y.example.org",
        "stun:1.example",
        "stun:a-z_A-Z0-9",
    };
    for (size_t i = 0; i < LENGTH_OF(urls); i++)
        expect_good(urls[i]);
}

static void international_hosts_become_ascii(void **state)
{
    (void)state;
    static const char text[] = " stun:домозвон.рф,, turn:ДОМОЗВОН.рф:3478?transport=udp,turn:192.0.2.1 ,"
                               "turns:xn--p1ai:5349";
    char *list = NULL;
    ice_url_fault fault;
    assert_int_equal(ice_url_read_list(slice_of_text(text), &list, &fault), 0);
    assert_string_equal(list, "stun:xn--b1adjthcbc.xn--p1ai,turn:xn--b1adjthcbc.xn--p1ai:3478?transport=udp,"
                              "turn:192.0.2.1,turns:xn--p1ai:5349");
    free(list);
}

static void a_bad_url_is_told_with_its_reason(void **state)
{
    (void)state;
    static const struct {
        const char *url;
        const char *reason; /* holds this */
    } cases[] = {
        {"turn", "is expected before a host"},
        {"example.org", "is expected before a host"},
        {"http://example.org", "is expected before a host"},
        {"turnx:example.org", "is expected before a host"},
        {" tur n:example.org", "is expected before a host"},
        {":example.org", "is expected before a host"},
        {"turn:", "a host name"},
        {"turn::3478", "a host name"},
        {"turn:?transport=udp", "a host name"},
        {"turn://example.org", "a host name"},
        {"turn:user@example.org", "a host name"},
        {"turn:example.org/", "a host name"},
        {"turn:example.org#a", "a host name"},
        {"turn:exa mple.org", "a host name"},
        {"turn:.example.org", "a host name"},
        {"turn:example..org", "a host name"},
        {"turn:example.org.", "a host name"},
        {"turn:ex%61mple.org", "a host name"},
        {"turn:\xC3.example", "not UTF-8"},
        {"turn:☕.рф:3478", "is not allowed"},
        {"turn:домозвон..рф", "a host name"},
        {"turn:домозвон.рф.", "a host name"},
        {"turn:домозвон.рф:0", "the port"},
        {"stun:домозвон.рф?transport=udp", "only turn"},
        {"турн:example.org", "is expected before a host"},
        {"turn:[домозвон.рф]", "IPv6 and"},
        {"turn:192.0.2", "a host name"},
        {"turn:192.0.2.256", "a host name"},
        {"turn:1", "a host name"},
        {"turn:example.org:", "the port"},
        {"turn:example.org:0", "the port"},
        {"turn:example.org:65536", "the port"},
        {"turn:example.org:03478", "the port"},
        {"turn:example.org:3478:3478", "the port"},
        {"turn:2001:db8::1", "[IPv6]"},
        {"turn:[2001:db8::1", "IPv6 and"},
        {"turn:[]", "IPv6 and"},
        {"turn:[192.0.2.1]", "IPv6 and"},
        {"turn:[2001:db8::1]:0", "IPv6 and"},
        {"turn:[2001:db8::1]:65536", "IPv6 and"},
        {"turn:[2001:db8::1]x", "IPv6 and"},
        {"turn:example.org?", "behind the ?"},
        {"turn:example.org?transport=", "behind the ?"},
        {"turn:example.org?transport", "behind the ?"},
        {"turn:example.org?transport=sctp", "behind the ?"},
        {"turn:example.org?transport=udp&a=b", "behind the ?"},
        {"turn:example.org?transport=udp?", "behind the ?"},
        {"turn:example.org?Transport=udp", "behind the ?"},
        {"turn:example.org?udp", "behind the ?"},
        {"stun:example.org?transport=udp", "only turn"},
        {"stuns:example.org?", "only turn"},
    };
    for (size_t i = 0; i < LENGTH_OF(cases); i++) {
        char text[256];
        ice_url_fault fault;
        snprintf(text, sizeof(text), "stun:good.example, ,%s ,bad", cases[i].url);
        if (check(text, strlen(text), &fault) != -EINVAL)
            fail_msg("%s is taken", cases[i].url);
        if (strstr(fault.reason, cases[i].reason) == NULL)
            fail_msg("%s: %s", cases[i].url, fault.reason);
        slice trimmed = slice_trim(slice_of_text(cases[i].url));
        assert_int_equal(fault.entry.len, trimmed.len);
        assert_memory_equal(fault.entry.data, trimmed.data, trimmed.len);
    }
}

static void a_host_name_is_as_long_as_names_can_be(void **state)
{
    (void)state;
    char url[400] = "turn:";
    memset(url + 5, 'a', 63);
    expect_good(url);
    ice_url_fault fault;
    memset(url + 5, 'a', 64);
    assert_int_equal(check(url, strlen(url), &fault), -EINVAL);

    for (size_t i = 0; i < 253; i++)
        url[5 + i] = i % 2 == 0 ? 'a' : '.';
    url[5 + 253] = '\0';
    expect_good(url);
    memcpy(url + 5 + 253, ".a", 3);
    assert_int_equal(check(url, strlen(url), &fault), -EINVAL);
}

static void a_nul_or_a_control_character_is_in_no_url(void **state)
{
    (void)state;
    static const char good[] = "turn:[::1]:3478?transport=udp";
    for (size_t at = 0; at < sizeof(good) - 1; at++) {
        char bad[sizeof(good)];
        memcpy(bad, good, sizeof(good));
        ice_url_fault fault;
        bad[at] = '\0';
        assert_int_equal(check(bad, sizeof(good) - 1, &fault), -EINVAL);
        bad[at] = '\n';
        assert_int_equal(check(bad, sizeof(good) - 1, &fault), -EINVAL);
    }
}

static void a_list_cut_anywhere_is_read_within_its_bounds(void **state)
{
    (void)state;
    static const char text[] =
        "stun:a.example:3478, turn:192.0.2.1?transport=udp, turns:[2001:db8::1]:5349?transport=tcp";
    ice_url_fault fault;
    for (size_t len = 0; len < sizeof(text) - 1; len++)
        (void)check(text, len, &fault);
    expect_good(text);
    assert_int_equal(check(text, sizeof(text) - 2, &fault), -EINVAL);
}

static void urls_are_taken_in_their_order_and_known_by_their_scheme(void **state)
{
    (void)state;
    slice list = SLICE_LITERAL(" stun:a ,,turn:b, Turns:c,STUNS:d ,");
    static const struct {
        const char *url;
        bool is_turn;
    } expected[] = {{"stun:a", false}, {"turn:b", true}, {"Turns:c", true}, {"STUNS:d", false}};
    slice url;
    for (size_t i = 0; i < LENGTH_OF(expected); i++) {
        assert_true(slice_take_entry(&list, &url));
        assert_true(slice_equals(url, slice_of_text(expected[i].url)));
        assert_int_equal(ice_url_is_turn(url), expected[i].is_turn);
    }
    assert_false(slice_take_entry(&list, &url));
}

static void a_list_takes_so_many_and_not_one_more(void **state)
{
    (void)state;
    char text[512] = "";
    for (int i = 0; i < ICE_URL_MAX_LISTED; i++)
        strcat(text, "stun:a,");
    expect_good(text);
    strcat(text, "stun:last,stun:b");
    ice_url_fault fault;
    assert_int_equal(check(text, strlen(text), &fault), -EINVAL);
    assert_memory_equal(fault.entry.data, "stun:last", fault.entry.len);
    assert_non_null(strstr(fault.reason, "16"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_empty_list_is_good_and_has_no_url),
        cmocka_unit_test(the_examples_of_the_rfcs_are_good),
        cmocka_unit_test(international_hosts_become_ascii),
        cmocka_unit_test(a_bad_url_is_told_with_its_reason),
        cmocka_unit_test(a_host_name_is_as_long_as_names_can_be),
        cmocka_unit_test(a_nul_or_a_control_character_is_in_no_url),
        cmocka_unit_test(a_list_cut_anywhere_is_read_within_its_bounds),
        cmocka_unit_test(urls_are_taken_in_their_order_and_known_by_their_scheme),
        cmocka_unit_test(a_list_takes_so_many_and_not_one_more),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
