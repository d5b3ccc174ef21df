/* The list of trusted proxies, as an operator may write it. */
#include "base/address_list.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#define LENGTH_OF(array) (sizeof(array) / sizeof((array)[0]))

/* Read a heap copy of the exact length, so that a read past its end is seen. */
static int parse(address_list *list, const char *text, size_t len)
{
    char *copy = malloc(len + 1);
    assert_non_null(copy);
    memcpy(copy + 1, text, len);
    address_list_fault fault;
    int error = address_list_parse(list, (slice){copy + 1, len}, &fault);
    if (error != 0) {
        assert_in_range(fault.entry.data - copy, 1, len);
        assert_true(fault.entry.len > 0 && strlen(fault.reason) > 0);
    }
    free(copy);
    return error;
}

static address_list list_of(const char *text)
{
    address_list list;
    if (parse(&list, text, strlen(text)) != 0)
        fail_msg("%s is no list", text);
    return list;
}

static bool has(const address_list *list, const char *text)
{
    address a;
    assert_true(address_parse(slice_of_text(text), &a));
    return address_list_has(list, &a);
}

static bool holds(const char *text, const char *member)
{
    address_list list = list_of(text);
    return has(&list, member);
}

static void an_empty_list_holds_nobody(void **state)
{
    (void)state;
    static const char *const texts[] = {"", " ", ",", " ,\t, "};
    address_list_fault fault;
    address_list list;
    assert_int_equal(address_list_parse(&list, (slice){NULL, 0}, &fault), 0);
    for (size_t i = 0; i < LENGTH_OF(texts); i++) {
        list = list_of(texts[i]);
        assert_int_equal(list.count, 0);
        assert_false(has(&list, "0.0.0.0"));
        assert_false(has(&list, "::"));
        assert_false(address_list_has(&list, &(address){.family = ADDRESS_UNIX}));
        assert_false(address_list_has(&list, &(address){.family = ADDRESS_UNKNOWN}));
    }
}

static void an_address_holds_itself_on_every_port(void **state)
{
    (void)state;
    assert_true(holds("192.0.2.1", "192.0.2.1"));
    assert_true(holds("192.0.2.1", "192.0.2.1:4711"));
    assert_true(holds("192.0.2.1", "::ffff:192.0.2.1"));
    assert_true(holds("::ffff:192.0.2.1", "192.0.2.1"));
    assert_false(holds("192.0.2.1", "192.0.2.0"));
    assert_true(holds("2001:db8::1", "[2001:db8::1]:4711"));
    assert_false(holds("2001:db8::1", "2001:db8::"));
}

static void a_network_ends_at_its_last_bit(void **state)
{
    (void)state;
    static const struct {
        const char *network;
        const char *within[2];
        const char *outside[2];
    } cases[] = {
        {"10.0.0.0/8", {"10.0.0.0", "10.255.255.255"}, {"9.255.255.255", "11.0.0.0"}},
        {"172.16.0.0/12", {"172.16.0.0", "172.31.255.255"}, {"172.15.255.255", "172.32.0.0"}},
        {"128.0.0.0/1", {"128.0.0.0", "255.255.255.255"}, {"127.255.255.255", "0.0.0.0"}},
        {"192.0.2.2/31", {"192.0.2.2", "192.0.2.3"}, {"192.0.2.1", "192.0.2.4"}},
        {"192.0.2.2/32", {"192.0.2.2", "192.0.2.2"}, {"192.0.2.1", "192.0.2.3"}},
        {"2001:db8::/32", {"2001:db8::", "2001:db8:ffff::1"}, {"2001:db7:ffff::", "2001:db9::"}},
        {"fe80::/10", {"fe80::", "febf:ffff::"}, {"fe7f::", "fec0::"}},
        {"2001:db8::8000/113", {"2001:db8::8000", "2001:db8::ffff"}, {"2001:db8::7fff", "2001:db8::1:8000"}},
        {"2001:db8::1/128", {"2001:db8::1", "2001:db8::1"}, {"2001:db8::", "2001:db8::2"}},
    };
    for (size_t i = 0; i < LENGTH_OF(cases); i++) {
        address_list list = list_of(cases[i].network);
        for (size_t j = 0; j < 2; j++) {
            if (!has(&list, cases[i].within[j]) || has(&list, cases[i].outside[j]))
                fail_msg("%s ends at the wrong place", cases[i].network);
        }
    }
}

static void a_prefix_of_nothing_holds_one_family_whole(void **state)
{
    (void)state;
    assert_true(holds("0.0.0.0/0", "255.255.255.255"));
    assert_false(holds("0.0.0.0/0", "::1"));
    assert_true(holds("::/0", "ffff::1"));
    assert_false(holds("::/0", "192.0.2.1"));
    assert_false(holds("::/0", "::ffff:192.0.2.1"));
    address_list list = list_of("0.0.0.0/0,::/0");
    assert_false(address_list_has(&list, &(address){.family = ADDRESS_UNIX}));
    assert_false(address_list_has(&list, &(address){.family = ADDRESS_UNKNOWN}));
}

static void a_word_holds_unix_peers_only(void **state)
{
    (void)state;
    address unix_peer = {.family = ADDRESS_UNIX};
    address_list list = list_of("Unix");
    assert_true(address_list_has(&list, &unix_peer));
    assert_false(has(&list, "127.0.0.1"));
    list = list_of("127.0.0.1");
    assert_false(address_list_has(&list, &unix_peer));
}

static void each_entry_counts_wherever_it_stands(void **state)
{
    (void)state;
    address_list list = list_of(" 127.0.0.1 ,, 10.0.0.0/8,\tunix , 2001:db8::/32,");
    assert_int_equal(list.count, 3);
    assert_true(has(&list, "127.0.0.1"));
    assert_true(has(&list, "10.1.2.3"));
    assert_true(has(&list, "2001:db8::1"));
    assert_true(address_list_has(&list, &(address){.family = ADDRESS_UNIX}));
    assert_false(has(&list, "127.0.0.2"));
}

static void a_bad_entry_is_told_with_its_reason(void **state)
{
    (void)state;
    static const struct {
        const char *entry;
        const char *reason; /* begins so */
    } cases[] = {
        {"a", "neither"},
        {"localhost", "neither"},
        {"10.0.0", "neither"},
        {"10.0.0.1:80", "neither"},
        {"[::1]", "neither"},
        {"fe80::1%eth0", "neither"},
        {"/8", "neither"},
        {"unix/0", "neither"},
        {"10.0.0.0 /8", "neither"},
        {"10.0.0.1 10.0.0.2", "neither"},
        {"10.0.0.0/", "the prefix"},
        {"10.0.0.0/33", "the prefix is no number from 0 to 32"},
        {"10.0.0.0/08", "the prefix"},
        {"10.0.0.0/-1", "the prefix"},
        {"10.0.0.0/8/8", "the prefix"},
        {"10.0.0.0/ 8", "the prefix"},
        {"10.0.0.0/255.0.0.0", "the prefix"},
        {"10.0.0.0/264", "the prefix"},
        {"10.0.0.0/1000", "the prefix"},
        {"::/129", "the prefix is no number from 0 to 128"},
        {"10.0.0.1/8", "the address has bits"},
        {"192.0.2.1/31", "the address has bits"},
        {"2001:db8::1/127", "the address has bits"},
        {"::1/0", "the address has bits"},
        {"::ffff:10.0.0.0/104", "an IPv4 network"},
        {"::ffff:0:0/96", "an IPv4 network"},
    };
    for (size_t i = 0; i < LENGTH_OF(cases); i++) {
        char text[128];
        snprintf(text, sizeof(text), "127.0.0.1, unix, %s ,bad", cases[i].entry);
        address_list list;
        address_list_fault fault;
        if (address_list_parse(&list, slice_of_text(text), &fault) != -EINVAL)
            fail_msg("%s is taken", cases[i].entry);
        assert_ptr_equal(strstr(fault.reason, cases[i].reason), fault.reason);
        assert_int_equal(fault.entry.len, strlen(cases[i].entry));
        assert_memory_equal(fault.entry.data, cases[i].entry, fault.entry.len);
        assert_false(has(&list, "127.0.0.1"));
        assert_false(list.has_unix);
    }
}

static void a_nul_is_told_as_any_other_fault(void **state)
{
    (void)state;
    address_list list;
    assert_int_equal(parse(&list, "10.0.0.1\0", 9), -EINVAL);
    assert_int_equal(parse(&list, "10.0.0.0/8\0", 11), -EINVAL);
    assert_int_equal(parse(&list, "10.0.0.0/\08", 11), -EINVAL);
}

static void a_list_cut_anywhere_is_another_one_or_none(void **state)
{
    (void)state;
    static const char text[] = "127.0.0.1, unix, 10.128.0.0/9, 2001:db8::/32";
    for (size_t len = 0; len < strlen(text); len++) {
        address_list list;
        if (parse(&list, text, len) == 0)
            assert_false(has(&list, "2001:db8::1"));
    }
    assert_true(holds(text, "2001:db8::1"));
}

static char *make_long_text(size_t count)
{
    char *text = calloc(count, 32);
    assert_non_null(text);
    for (size_t i = 0; i < count; i++)
        sprintf(text + strlen(text), "%s10.0.%zu.%zu", i == 0 ? "" : ",", i / 256, i % 256);
    return text;
}

static void a_list_takes_so_many_networks_and_not_one_more(void **state)
{
    (void)state;
    char *text = make_long_text(ADDRESS_LIST_MAX);
    address_list list = list_of(text);
    assert_int_equal(list.count, ADDRESS_LIST_MAX);
    assert_true(has(&list, "10.0.0.0"));
    assert_true(has(&list, "10.0.0.255"));
    free(text);

    text = make_long_text(ADDRESS_LIST_MAX + 1);
    address_list_fault fault;
    assert_int_equal(address_list_parse(&list, slice_of_text(text), &fault), -EINVAL);
    assert_memory_equal(fault.entry.data, "10.0.1.0", 8);
    assert_non_null(strstr(fault.reason, "256"));
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_empty_list_holds_nobody),
        cmocka_unit_test(an_address_holds_itself_on_every_port),
        cmocka_unit_test(a_network_ends_at_its_last_bit),
        cmocka_unit_test(a_prefix_of_nothing_holds_one_family_whole),
        cmocka_unit_test(a_word_holds_unix_peers_only),
        cmocka_unit_test(each_entry_counts_wherever_it_stands),
        cmocka_unit_test(a_bad_entry_is_told_with_its_reason),
        cmocka_unit_test(a_nul_is_told_as_any_other_fault),
        cmocka_unit_test(a_list_cut_anywhere_is_another_one_or_none),
        cmocka_unit_test(a_list_takes_so_many_networks_and_not_one_more),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
