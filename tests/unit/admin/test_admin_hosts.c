#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "admin/admin_hosts.h"

#include <stdio.h>

static address address_of(const char *text)
{
    address found;
    assert_true(address_parse(slice_of_text(text), &found));
    return found;
}

/* The hosts of an admin port that was reached at 192.0.2.1. */
static bool allows(const char *own, const char *allowed, const char *host)
{
    const admin_host_rules hosts = {slice_of_text(own), slice_of_text(allowed)};
    const address local = address_of("192.0.2.1:9888");
    return admin_hosts_allow(&hosts, slice_of_text(host), &local);
}

static void the_loopback_is_allowed_in_all_its_forms(void **state)
{
    (void)state;
    static const char *const good[] = {
        "localhost",  "localhost:9888", "LocalHost",       "localhost.", "localhost.:9888",
        "localhost:", "a.localhost",    "a.b.localhost:1", "127.0.0.1",  "127.0.0.1:9888",
        "127.1.2.3",  "[::1]",          "[::1]:9888",      "::1",
    };
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
        assert_true(allows("192.0.2.1", "", good[i]));
}

static void names_that_only_look_like_it_are_not(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "",
        ":9888",
        "localhost.evil.example",
        "evil-localhost",
        "xlocalhost",
        ".localhost",
        "127.0.0.1.",
        "127.0.0.1.evil.example",
        "localhost:9888.evil.example",
        "localhost:x",
        "localhost:80:80",
        "128.0.0.1",
        "127.1",
        "2130706433",
        "[::2]",
        "[::1",
        "[localhost]",
        "[]",
        "localhost..",
        "localhost@evil.example",
        "*",
        ".",
        "0.0.0.0",
    };
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        if (allows("192.0.2.1", "", bad[i]))
            fail_msg("\"%s\" is allowed", bad[i]);
}

static void the_address_that_was_connected_to_is_allowed_and_no_other(void **state)
{
    (void)state;
    assert_true(allows("0.0.0.0", "", "192.0.2.1"));
    assert_true(allows("0.0.0.0", "", "192.0.2.1:9888"));
    assert_true(allows("0.0.0.0", "", "[::ffff:192.0.2.1]"));
    assert_false(allows("0.0.0.0", "", "192.0.2.2"));
    assert_false(allows("0.0.0.0", "", "192.0.2.1.nip.example"));
}

static void the_own_host_is_allowed(void **state)
{
    (void)state;
    assert_true(allows("admin.example", "", "ADMIN.example:9888"));
    assert_true(allows("admin.example.", "", "admin.example"));
    assert_false(allows("admin.example", "", "x.admin.example"));
    assert_true(allows("2001:db8::1", "", "[2001:DB8:0::1]:9888"));
    assert_true(allows("0.0.0.0", "", "0.0.0.0:9888"));
}

static void the_list_allows_names_and_addresses(void **state)
{
    (void)state;
    static const char list[] = "signal, Watch.example ,, 198.51.100.7,2001:db8::2";
    static const char *const good[] = {"signal",       "signal:9888",    "watch.example.",
                                       "198.51.100.7", "198.51.100.7:1", "[2001:db8::2]:80"};
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
        assert_true(allows("127.0.0.1", list, good[i]));
    assert_false(allows("127.0.0.1", list, "signals"));
    assert_false(allows("127.0.0.1", list, "example"));
    assert_false(allows("127.0.0.1", list, "198.51.100.8"));
    assert_false(allows("127.0.0.1", "*.example", "a.example"));
}

static void a_star_allows_all(void **state)
{
    (void)state;
    assert_true(allows("127.0.0.1", "*", "evil.example"));
    assert_true(allows("127.0.0.1", "signal,*", ""));
}

static void what_comes_through_a_unix_socket_is_not_asked(void **state)
{
    (void)state;
    const admin_host_rules hosts = {slice_of_text("127.0.0.1"), slice_of_text("")};
    const address local = {.family = ADDRESS_UNIX};
    const address unknown = {0};
    assert_true(admin_hosts_allow(&hosts, slice_of_text("anything"), &local));
    assert_false(admin_hosts_allow(&hosts, slice_of_text("anything"), &unknown));
}

static void a_list_is_one_of_names_and_addresses(void **state)
{
    (void)state;
    slice entry = {0};
    assert_null(admin_hosts_find_fault(slice_of_text(""), &entry));
    assert_null(admin_hosts_find_fault(slice_of_text("*, signal,a.example,127.0.0.1,::1"), &entry));
    static const char *const bad[] = {"a.example:9888", "[::1]", "*.example", "http://a.example",
                                      "домозвон.рф"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        char list[64];
        snprintf(list, sizeof(list), "good, %s,*", bad[i]);
        assert_non_null(admin_hosts_find_fault(slice_of_text(list), &entry));
        assert_true(slice_equals(entry, slice_of_text(bad[i])));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_loopback_is_allowed_in_all_its_forms),
        cmocka_unit_test(names_that_only_look_like_it_are_not),
        cmocka_unit_test(the_address_that_was_connected_to_is_allowed_and_no_other),
        cmocka_unit_test(the_own_host_is_allowed),
        cmocka_unit_test(the_list_allows_names_and_addresses),
        cmocka_unit_test(a_star_allows_all),
        cmocka_unit_test(what_comes_through_a_unix_socket_is_not_asked),
        cmocka_unit_test(a_list_is_one_of_names_and_addresses),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
