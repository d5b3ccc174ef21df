/* The list of allowed origins, as an operator may write it. */
#include "server/origins.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>

/* Asked over heap copies of the exact length, so that a read past either end is seen. */
static bool allow(const char *list, const char *origin)
{
    size_t list_len = strlen(list);
    size_t origin_len = strlen(origin);
    char *list_copy = malloc(list_len + 1);
    char *origin_copy = malloc(origin_len + 1);
    assert_non_null(list_copy);
    assert_non_null(origin_copy);
    memcpy(list_copy + 1, list, list_len);
    memcpy(origin_copy + 1, origin, origin_len);
    bool allows = origins_allow((slice){list_copy + 1, list_len}, (slice){origin_copy + 1, origin_len});
    free(list_copy);
    free(origin_copy);
    return allows;
}

static void an_empty_list_holds_every_origin(void **state)
{
    (void)state;
    assert_true(origins_allow((slice){0}, SLICE_LITERAL("https://example.org")));
    assert_true(origins_allow((slice){0}, (slice){0}));
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
        "https://example.org:443",
        "https://example.org:8443",
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
    assert_false(
        allow("https://example.or[", "https://example.or{")); /* 0x5B and 0x7B differ by the case bit */
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
    assert_false(origins_allow(SLICE_LITERAL("https://a.test"), (slice){origin, sizeof(origin) - 1}));
    assert_false(origins_allow(SLICE_LITERAL("https://a.test.evil"), (slice){origin, sizeof(origin) - 1}));
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
        "https://call.example.org:443",
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
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
