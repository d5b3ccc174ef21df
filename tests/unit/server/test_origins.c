/* The list of allowed origins, as an operator may write it. */
#include "server/origins.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdlib.h>

/* A list made of a heap copy that is gone when it is asked. */
static origins list_of(const char *text)
{
    origins list;
    origins_fault fault;
    size_t len = strlen(text);
    char *copy = malloc(len + 1);
    assert_non_null(copy);
    memcpy(copy + 1, text, len);
    int error = origins_make(&list, (slice){copy + 1, len}, &fault);
    if (error != 0)
        fail_msg("%s: %.*s: %s", text, (int)fault.entry.len, fault.entry.data, fault.reason);
    free(copy);
    return list;
}

/* Asked over a heap copy of the exact length, so that a read past either end is seen. */
static bool allow_bytes(const char *text, const char *origin, size_t len)
{
    origins list = list_of(text);
    char *copy = malloc(len + 1);
    assert_non_null(copy);
    memcpy(copy + 1, origin, len);
    bool allows = origins_allow(&list, (slice){copy + 1, len});
    free(copy);
    origins_free(&list);
    return allows;
}

static bool allow(const char *list, const char *origin)
{
    return allow_bytes(list, origin, strlen(origin));
}

static void an_empty_list_holds_every_origin(void **state)
{
    (void)state;
    origins zeroed = {0};
    assert_true(origins_allow(&zeroed, SLICE_LITERAL("https://example.org")));
    assert_true(origins_allow(&zeroed, (slice){0}));
    origins_free(&zeroed);
    assert_true(allow("", "https://example.org"));
    assert_true(allow("", ""));
}

static void a_list_of_blanks_and_commas_is_empty(void **state)
{
    (void)state;
    static const char *const lists[] = {" ", "\t", ",", " , ", ",,\t,", " \t "};
    for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++)
        assert_true(allow(lists[i], "https://example.org"));
}

static void an_entry_matches_the_whole_origin_only(void **state)
{
    (void)state;
    static const char list[] = "https://example.org";
    assert_true(allow(list, "https://example.org"));
    static const char *const others[] = {
        "",
        "null",
        "h",
        "https://example.or",
        "https://example.org.",
        "https://example.org/",
        "https://example.org:8443",
        "https://example.org:80",
        "https://example.org:443:443",
        "https://example.org:0443",
        "http://example.org",
        "https://www.example.org",
        "https://example.org.evil.test",
        "https://evil.test,https://example.org",
        " https://example.org",
        "https://example.org ",
    };
    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
        if (allow(list, others[i]))
            fail_msg("%s is allowed", others[i]);
}

static void letters_of_either_case_are_the_same(void **state)
{
    (void)state;
    assert_true(allow("https://Example.ORG", "HTTPS://example.org"));
    assert_false(allow("https://example.or-", "https://example.or\r")); /* they differ by the case bit */
}

static void each_entry_counts_wherever_it_stands(void **state)
{
    (void)state;
    static const char list[] = "https://a.test,https://b.test:8443 ,\thttp://localhost:3000,";
    assert_true(allow(list, "https://a.test"));
    assert_true(allow(list, "https://b.test:8443"));
    assert_true(allow(list, "http://localhost:3000"));
    assert_false(allow(list, "https://c.test"));
    assert_false(allow(list, "https://b.test"));
    assert_false(allow(list, ""));
    assert_false(allow(list, ","));
    assert_false(allow(list, "https://a.test,https://b.test:8443"));
}

static void blanks_and_empty_entries_around_an_entry_do_not_count(void **state)
{
    (void)state;
    static const char *const lists[] = {
        " https://a.test", "https://a.test ",     "\t https://a.test \t",
        ",https://a.test", ",, https://a.test,,",
    };
    for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
        assert_true(allow(lists[i], "https://a.test"));
        assert_false(allow(lists[i], "https://b.test"));
        assert_false(allow(lists[i], ""));
    }
}

static void a_nul_in_an_origin_does_not_end_it(void **state)
{
    (void)state;
    static const char origin[] = "https://a.test\0evil";
    assert_false(allow_bytes("https://a.test", origin, sizeof(origin) - 1));
    assert_false(allow_bytes("https://a.test.evil", origin, sizeof(origin) - 1));
    assert_false(allow_bytes("https://*.test.evil", origin, sizeof(origin) - 1));
}

/* What an operator writes, and what a browser on that page sends. */
static void every_way_to_write_an_origin_holds_what_browsers_send(void **state)
{
    (void)state;
    static const char *const pairs[][2] = {
        {"https://call.example:443", "https://call.example"},
        {"http://localhost:80", "http://localhost"},
        {"https://домозвон.рф", "https://xn--b1adjthcbc.xn--p1ai"},
        {"https://ДОМОЗВОН.рф:8443", "https://xn--b1adjthcbc.xn--p1ai:8443"},
        {"https://*.домозвон.рф", "https://call.xn--b1adjthcbc.xn--p1ai"},
        {"http://[0:0:0:0:0:0:0:1]:3000", "http://[::1]:3000"},
        {"file://", "file://"},
        {"null", "null"},
    };
    for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
        if (!allow(pairs[i][0], pairs[i][1]))
            fail_msg("%s does not hold %s", pairs[i][0], pairs[i][1]);
        assert_false(allow(pairs[i][0], "https://other.example"));
    }
    assert_false(allow("https://*.домозвон.рф", "https://xn--b1adjthcbc.xn--p1ai"));
    assert_false(allow("file://", "null"));
    assert_false(allow("null", "file://"));
}

/* No browser sends it, but it is the same origin. */
static void a_request_may_name_the_default_port(void **state)
{
    (void)state;
    assert_true(allow("https://call.example", "https://call.example:443"));
    assert_true(allow("https://call.example:443", "https://call.example:443"));
    assert_true(allow("http://*.call.example", "http://a.call.example:80"));
    assert_false(allow("http://call.example", "http://call.example:443"));
}

static void the_first_wrong_entry_is_named(void **state)
{
    (void)state;
    static const char text[] = "https://a.test, wss://b.test ,https://c.test/";
    origins list;
    origins_fault fault;
    assert_int_equal(origins_make(&list, slice_of_text(text), &fault), -EINVAL);
    assert_true(slice_equals(fault.entry, SLICE_LITERAL("wss://b.test")));
    assert_non_null(strstr(fault.reason, "the origin is that of the page"));
    assert_int_equal(list.count, 0);
    origins_free(&list);
}

static void a_pattern_holds_every_host_under_its_domain(void **state)
{
    (void)state;
    static const char list[] = "https://*.example.org, http://*.test.example:8080";
    static const char *const within[] = {
        "https://call.example.org", "https://a.b.example.org",    "HTTPS://CALL.Example.ORG",
        "https://x-1.example.org",  "http://a.test.example:8080",
    };
    static const char *const others[] = {
        "https://example.org",
        "http://call.example.org",
        "https://call.example.org:8443",
        "https://callexample.org",
        "https://call.example.org.evil.test",
        "https://evil.test/.example.org",
        "https://evil.test:1.example.org",
        "https://evil.test#.example.org",
        "https://user@x.example.org",
        "http://a.test.example",
        "http://a.test.example:8081",
        "null",
        "",
        "https://*.example.org",
    };
    for (size_t i = 0; i < sizeof(within) / sizeof(within[0]); i++)
        assert_true(allow(list, within[i]));
    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
        assert_false(allow(list, others[i]));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_pattern_holds_every_host_under_its_domain),
        cmocka_unit_test(an_empty_list_holds_every_origin),
        cmocka_unit_test(a_list_of_blanks_and_commas_is_empty),
        cmocka_unit_test(an_entry_matches_the_whole_origin_only),
        cmocka_unit_test(letters_of_either_case_are_the_same),
        cmocka_unit_test(each_entry_counts_wherever_it_stands),
        cmocka_unit_test(blanks_and_empty_entries_around_an_entry_do_not_count),
        cmocka_unit_test(a_nul_in_an_origin_does_not_end_it),
        cmocka_unit_test(every_way_to_write_an_origin_holds_what_browsers_send),
        cmocka_unit_test(a_request_may_name_the_default_port),
        cmocka_unit_test(the_first_wrong_entry_is_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
