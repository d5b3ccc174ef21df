/* An entry of WS_HOST, as an operator may write it. */
#include "base/listen_entry.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>

#define LENGTH_OF(array) (sizeof(array) / sizeof((array)[0]))

/* Read a heap copy of the exact length, so that a read past its end is seen. NULL or the reason. */
static const char *parse_bytes(const char *text, size_t len, bool is_host, listen_entry *out)
{
    char *copy = malloc(len + 1);
    assert_non_null(copy);
    memcpy(copy + 1, text, len);
    const slice bytes = {copy + 1, len};
    const char *reason = is_host ? listen_entry_parse_host(bytes, out) : listen_entry_parse(bytes, out);
    free(copy);
    return reason;
}

static listen_entry entry_of(const char *text)
{
    listen_entry entry;
    const char *reason = parse_bytes(text, strlen(text), false, &entry);
    if (reason != NULL)
        fail_msg("%s: %s", text, reason);
    assert_string_equal(entry.text, text);
    return entry;
}

static void expect_refused(const char *text, const char *part_of_the_reason)
{
    listen_entry entry = {.text = "before"};
    const char *reason = parse_bytes(text, strlen(text), false, &entry);
    if (reason == NULL || strstr(reason, part_of_the_reason) == NULL)
        fail_msg("%s: %s", text, reason == NULL ? "no fault" : reason);
    assert_string_equal(entry.text, "before");
}

static void addresses_names_and_paths_are_told_apart(void **state)
{
    (void)state;
    static const char *const addresses[] = {
        "127.0.0.1",        "0.0.0.0",         "::", "::1", "2001:db8::1", "fe80::1%eth0",
        "::ffff:192.0.2.1", "fe80::1%25-a_b.c"};
    static const char *const names[] = {
        "localhost", "call.example",          "call.example.",    "a",  "1.example", "x_y",
        "host-1",    "xn--e1afmkfd.xn--p1ai", "пример.испытание", "1a", "a.b1"};
    static const char *const paths[] = {"unix:/run/x.sock", "unix:x", "unix:./x y", "unix:unix:", "unix:@x"};
    for (size_t i = 0; i < LENGTH_OF(addresses); i++)
        assert_int_equal(entry_of(addresses[i]).kind, LISTEN_ENTRY_ADDRESS);
    for (size_t i = 0; i < LENGTH_OF(names); i++)
        assert_int_equal(entry_of(names[i]).kind, LISTEN_ENTRY_NAME);
    for (size_t i = 0; i < LENGTH_OF(paths); i++) {
        listen_entry entry = entry_of(paths[i]);
        assert_int_equal(entry.kind, LISTEN_ENTRY_PATH);
        assert_string_equal(listen_entry_path(&entry), paths[i] + 5);
    }
    listen_entry address = entry_of("::1");
    assert_null(listen_entry_path(&address));
}

static void what_can_never_be_listened_on_is_refused_with_its_reason(void **state)
{
    (void)state;
    static const char *const nothing[] = {
        "",         "notunix:/x", "/run/x.sock", "a b",  "http://a", "a,b",
        "a..b",     ".a",         ".",           "*",    "127.1",    "010.0.0.1",
        "0",        "1.2.3.4.5",  "256.0.0.1",   "a.1",  "::1%",     "::1%a%b",
        "1.2.3.4%", "127.0.0.1:", "127.0.0.1:x", "a:80", "[::1]:x",  "[localhost]",
        "::x",      "Unix:/x",    "UNIX:x",      "a/b",  "1.2.3.4%e"};
    for (size_t i = 0; i < LENGTH_OF(nothing); i++)
        expect_refused(nothing[i], "neither an IP address nor a host name nor unix:PATH");
    expect_refused("127.0.0.1:80", "the port is an option of its own");
    expect_refused("[::1]:80", "the port is an option of its own");
    expect_refused("[::1]", "without brackets");
    expect_refused("unix:", "a path is expected");
}

static void where_no_path_will_do_none_is_named(void **state)
{
    (void)state;
    listen_entry entry;
    assert_null(parse_bytes("::1", 3, true, &entry));
    assert_null(parse_bytes("localhost", 9, true, &entry));
    const char *reason = parse_bytes("unix:/x", 7, true, &entry);
    assert_string_equal(reason, "neither an IP address nor a host name");
    assert_string_equal(parse_bytes("a,b", 3, true, &entry), reason);
}

/* A text of this many bytes of 'a', where `prefix` may stand before them and dots in between. */
static char *long_text(const char *prefix, size_t len, size_t label)
{
    char *text = malloc(strlen(prefix) + len + 1);
    assert_non_null(text);
    strcpy(text, prefix);
    char *at = text + strlen(prefix);
    for (size_t i = 0; i < len; i++)
        at[i] = label > 0 && i % (label + 1) == label ? '.' : 'a';
    at[len] = '\0';
    return text;
}

static void expect_bound(const char *prefix, size_t longest, size_t label, const char *part_of_the_reason)
{
    char *longest_text = long_text(prefix, longest, label);
    char *too_long = long_text(prefix, longest + 1, label);
    (void)entry_of(longest_text);
    expect_refused(too_long, part_of_the_reason);
    free(too_long);
    free(longest_text);
}

static void each_kind_has_a_bound(void **state)
{
    (void)state;
    expect_bound("unix:/", 106, 0, "at most 107 bytes");
    expect_bound("", 63, 0, "neither"); /* a label */
    expect_bound("", 253, 62, "neither");
    char *huge = long_text("", 4096, 62);
    expect_refused(huge, "longer than any host name");
    free(huge);

    char *with_dot = long_text("", 253, 62);
    char text[300];
    snprintf(text, sizeof(text), "%s.", with_dot);
    (void)entry_of(text);
    free(with_dot);
}

static void a_nul_is_a_part_of_none(void **state)
{
    (void)state;
    static const char *const texts[] = {"unix:/x", "localhost", "127.0.0.1", "fe80::1%eth0"};
    for (size_t i = 0; i < LENGTH_OF(texts); i++) {
        char copy[32];
        strcpy(copy, texts[i]);
        for (size_t at = 0; at < strlen(texts[i]); at++) {
            listen_entry entry;
            copy[at] = '\0';
            assert_non_null(parse_bytes(copy, strlen(texts[i]), false, &entry));
            copy[at] = texts[i][at];
        }
    }
}

static void the_loopback_is_known_by_address_by_its_name_and_as_a_path(void **state)
{
    (void)state;
    static const char *const inside[] = {"127.0.0.1",
                                         "127.255.1.2",
                                         "::1",
                                         "0::1",
                                         "::ffff:127.0.0.1",
                                         "localhost",
                                         "unix:/run/a-path-of-more-than-forty-two-bytes/homecall.sock"};
    static const char *const outside[] = {
        "0.0.0.0",      "::",         "128.0.0.1",        "192.0.2.1",        "::2",
        "call.example", "fe80::1%lo", "::ffff:192.0.2.1", "localhost.example"};
    for (size_t i = 0; i < LENGTH_OF(inside); i++) {
        listen_entry entry = entry_of(inside[i]);
        assert_true(listen_entry_is_loopback(&entry));
    }
    for (size_t i = 0; i < LENGTH_OF(outside); i++) {
        listen_entry entry = entry_of(outside[i]);
        assert_false(listen_entry_is_loopback(&entry));
    }
}

static void an_address_that_nobody_reaches_is_refused(void **state)
{
    (void)state;
    static const char *const groups[] = {"224.0.0.1", "239.255.255.255", "255.255.255.255",
                                         "ff02::1",   "ff00::",          "::ffff:224.0.0.1"};
    for (size_t i = 0; i < LENGTH_OF(groups); i++)
        expect_refused(groups[i], "multicast or broadcast");
    static const char *const links[] = {"fe80::1", "febf::1"};
    for (size_t i = 0; i < LENGTH_OF(links); i++)
        expect_refused(links[i], "needs its interface");
    static const char *const good[] = {"223.255.255.255", "240.0.0.1", "fec0::1", "fe80::1%lo", "fe00::1"};
    for (size_t i = 0; i < LENGTH_OF(good); i++)
        assert_int_equal(entry_of(good[i]).kind, LISTEN_ENTRY_ADDRESS);
}

static void lists_tell_which_kinds_they_have(void **state)
{
    (void)state;
    assert_true(listen_entry_list_has_host(slice_of_text("unix:/a, localhost")));
    assert_true(listen_entry_list_has_path(slice_of_text("127.0.0.1,unix:/a")));
    assert_false(listen_entry_list_has_host(slice_of_text("unix:/a,,a..b")));
    assert_false(listen_entry_list_has_path(slice_of_text("127.0.0.1,unix:")));
    assert_false(listen_entry_list_has_host((slice){0}) || listen_entry_list_has_path((slice){0}));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(addresses_names_and_paths_are_told_apart),
        cmocka_unit_test(what_can_never_be_listened_on_is_refused_with_its_reason),
        cmocka_unit_test(where_no_path_will_do_none_is_named),
        cmocka_unit_test(each_kind_has_a_bound),
        cmocka_unit_test(a_nul_is_a_part_of_none),
        cmocka_unit_test(the_loopback_is_known_by_address_by_its_name_and_as_a_path),
        cmocka_unit_test(an_address_that_nobody_reaches_is_refused),
        cmocka_unit_test(lists_tell_which_kinds_they_have),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
