/* From a list of places to what is opened. */
#include "server/listen_plan.h"
#include "support/fake_resolver.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const fake_name names[] = {
    {"localhost", "::1 127.0.0.1"}, {"three.example", "127.0.0.1 127.0.0.2 127.0.0.3"}, {NULL, NULL}};

static int make(void **state)
{
    (void)state;
    fake_resolver_set(names);
    return 0;
}

static signal_server_options options_for(const char *host)
{
    signal_server_options options;
    signal_server_options_init(&options, sizeof(options));
    options.host = host;
    return options;
}

/* What is opened by the plan, separated by blanks, with a + behind what is for IPv6 alone. */
static void expect_plan(const signal_server_options *options, const char *expected)
{
    listen_plan plan;
    signal_server_fault fault = {0};
    assert_int_equal(listen_plan_make(&plan, options, &fault), 0);
    assert_int_equal(fault.kind, SIGNAL_SERVER_FAULT_NONE);
    char found[1024] = "";
    for (size_t i = 0; i < plan.count; i++) {
        const listen_place *place = &plan.places[i];
        char text[LISTEN_ENTRY_CAP];
        if (!listen_plan_opens(&plan, i))
            continue;
        if (place->entry.kind == LISTEN_ENTRY_PATH)
            strcpy(text, place->entry.text);
        else
            listen_address_format(&place->address, text, sizeof(text));
        snprintf(found + strlen(found), sizeof(found) - strlen(found), "%s%s%s", found[0] == '\0' ? "" : " ",
                 text, place->is_ipv6_only ? "+" : "");
    }
    assert_string_equal(found, expected);
}

static void expect_places(const char *host, const char *expected)
{
    signal_server_options options = options_for(host);
    expect_plan(&options, expected);
}

static void every_entry_is_a_place_in_its_order(void **state)
{
    (void)state;
    expect_places("127.0.0.1", "127.0.0.1");
    expect_places("127.0.0.2, ::1,,unix:/b, unix:/a ,127.0.0.1", "127.0.0.2 ::1 unix:/b unix:/a 127.0.0.1");
    expect_places(" , ", "");
}

static void what_stands_there_twice_is_opened_once(void **state)
{
    (void)state;
    expect_places("127.0.0.1,127.0.0.1", "127.0.0.1");
    expect_places("::1,0::1,0:0:0:0:0:0:0:1", "::1");
    expect_places("unix:/a,unix:/b,unix:/a", "unix:/a unix:/b");
    expect_places("localhost,localhost", "::1 127.0.0.1");
    expect_places("127.0.0.1,localhost", "127.0.0.1 ::1");
    expect_places("0.0.0.0,localhost", "0.0.0.0 ::1");
    expect_places("localhost,0.0.0.0", "::1 0.0.0.0");
    expect_places("fe80::1%1,fe80::1%9999", "fe80::1%lo fe80::1%9999");
}

static void a_wildcard_covers_the_addresses_of_its_family(void **state)
{
    (void)state;
    expect_places("0.0.0.0,127.0.0.1,::1", "0.0.0.0 ::1");
    expect_places("127.0.0.1,::1,0.0.0.0", "::1 0.0.0.0");
    expect_places("127.0.0.1,127.0.0.2,unix:/a,0.0.0.0,127.0.0.3", "unix:/a 0.0.0.0");
    expect_places("::1,::,::2", "::");
}

static void ipv6_s_wildcard_leaves_ipv4_to_those_who_are_there_for_it(void **state)
{
    (void)state;
    expect_places("::", "::");
    expect_places("::,unix:/a", ":: unix:/a");
    expect_places("0.0.0.0,::", "0.0.0.0 ::+");
    expect_places("::,0.0.0.0", "::+ 0.0.0.0");
    expect_places("::,127.0.0.1,::1", "::+ 127.0.0.1");
    expect_places("::1,127.0.0.1", "::1 127.0.0.1");
}

static void a_name_stands_for_all_its_addresses(void **state)
{
    (void)state;
    expect_places("localhost", "::1 127.0.0.1");
    expect_places("three.example,unix:/a", "127.0.0.1 127.0.0.2 127.0.0.3 unix:/a");
    expect_places("three.example,127.0.0.2", "127.0.0.1 127.0.0.2 127.0.0.3");
    expect_places("::,three.example", "::+ 127.0.0.1 127.0.0.2 127.0.0.3");
}

static void the_admin_port_has_one_host(void **state)
{
    (void)state;
    listen_plan plan;
    signal_server_fault fault = {0};
    signal_server_options options = options_for("127.0.0.1");
    options.admin_host = "localhost";
    assert_int_equal(listen_plan_make_admin(&plan, &options, &fault), 0);
    assert_int_equal(plan.count, 0);
    options.admin_port = 9888;
    assert_int_equal(listen_plan_make_admin(&plan, &options, &fault), 0);
    assert_int_equal(plan.count, 2);
    static const char *const wrong[] = {"127.0.0.1,::1", "unix:/a", "", "[::1]"};
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        options.admin_host = wrong[i];
        assert_int_equal(listen_plan_make_admin(&plan, &options, &fault), -EINVAL);
        assert_int_equal(fault.kind, SIGNAL_SERVER_FAULT_ADMIN);
        assert_string_equal(fault.entry, wrong[i]);
        assert_int_equal(fault.port, 9888);
    }
    options.admin_host = "none.example";
    assert_int_equal(listen_plan_make_admin(&plan, &options, &fault), -EADDRNOTAVAIL);
}

/* ---- Opening ---- */

/* Which places fail, and how. */
typedef struct machine {
    const char *missing; /* these addresses are not there; with blanks around each */
    const char *in_use;
    char opened[512];
} machine;

static bool has(const char *list, const char *text)
{
    char wanted[LISTEN_ENTRY_CAP + 2];
    snprintf(wanted, sizeof(wanted), " %s ", text);
    return strstr(list, wanted) != NULL;
}

static int open_on(void *context, const listen_place *place)
{
    machine *m = context;
    char text[LISTEN_ENTRY_CAP];
    if (place->entry.kind == LISTEN_ENTRY_PATH)
        strcpy(text, place->entry.text);
    else
        listen_address_format(&place->address, text, sizeof(text));
    if (has(m->missing, text))
        return strchr(text, ':') != NULL ? -EAFNOSUPPORT : -EADDRNOTAVAIL;
    if (has(m->in_use, text))
        return -EADDRINUSE;
    snprintf(m->opened + strlen(m->opened), sizeof(m->opened) - strlen(m->opened), "%s ", text);
    return 0;
}

/* Open the places of `host` on a machine that lacks some. 0 where that succeeds, and it says where it
 * listens; or the error, and `expected` is the entry that is missed. */
static int open_host(const char *host, const char *missing, const char *in_use, const char *expected)
{
    listen_plan plan;
    signal_server_fault fault = {0};
    size_t failed = 0;
    machine m = {.missing = missing, .in_use = in_use};
    signal_server_options options = options_for(host);
    assert_int_equal(listen_plan_make(&plan, &options, &fault), 0);
    int error = listen_plan_open(&plan, open_on, &m, &failed);
    if (error != 0) {
        assert_string_equal(plan.places[failed].entry.text, expected);
        return error;
    }
    char *text = listen_plan_describe(&plan);
    assert_string_equal(text, expected);
    free(text);
    return 0;
}

static void every_place_is_opened_once_and_described(void **state)
{
    (void)state;
    assert_int_equal(open_host("localhost,unix:/a,127.0.0.1", "", "", "::1,127.0.0.1,unix:/a"), 0);
    assert_int_equal(open_host("0.0.0.0,::", "", "", "0.0.0.0,::"), 0);
}

static void an_address_of_a_name_may_be_missing_as_long_as_there_is_another(void **state)
{
    (void)state;
    assert_int_equal(open_host("localhost", " ::1 ", "", "127.0.0.1"), 0);
    assert_int_equal(open_host("localhost", " 127.0.0.1 ", "", "::1"), 0);
    assert_int_equal(open_host("three.example", " 127.0.0.1 127.0.0.3 ", "", "127.0.0.2"), 0);
    assert_int_equal(open_host("localhost", " ::1  127.0.0.1 ", "", "localhost"), -EAFNOSUPPORT);
    assert_int_equal(open_host("127.0.0.2,localhost", " ::1  127.0.0.1 ", "", "localhost"), -EAFNOSUPPORT);
    /* it has the one that another entry names */
    assert_int_equal(open_host("127.0.0.1,localhost", " ::1 ", "", "127.0.0.1"), 0);
    assert_int_equal(open_host("0.0.0.0,localhost", " ::1 ", "", "0.0.0.0"), 0);
}

static void an_address_that_is_written_as_one_may_not_be_missing(void **state)
{
    (void)state;
    assert_int_equal(open_host("127.0.0.1,::1", " ::1 ", "", "::1"), -EAFNOSUPPORT);
    assert_int_equal(open_host("localhost,::1", " ::1 ", "", "::1"), -EAFNOSUPPORT);
    assert_int_equal(open_host("::1,localhost", " ::1 ", "", "::1"), -EAFNOSUPPORT);
    assert_int_equal(open_host("127.0.0.9,127.0.0.1", " 127.0.0.9 ", "", "127.0.0.9"), -EADDRNOTAVAIL);
}

/* Whoever has the port there would answer half of those who come by the name. */
static void an_address_of_a_name_may_not_be_in_use(void **state)
{
    (void)state;
    assert_int_equal(open_host("localhost", "", " 127.0.0.1 ", "localhost"), -EADDRINUSE);
    assert_int_equal(open_host("localhost", " ::1 ", " 127.0.0.1 ", "localhost"), -EADDRINUSE);
    assert_int_equal(open_host("127.0.0.2,unix:/a", "", " unix:/a ", "unix:/a"), -EADDRINUSE);
}

static void what_is_not_opened_is_not_looked_up(void **state)
{
    (void)state;
    int fds[] = {3};
    signal_server_options options = options_for("no-such-host.invalid,unix:/a,127.0.0.1");
    options.port = -1;
    expect_plan(&options, "unix:/a");
    options.port = 0;
    options.listen_fds = fds;
    options.listen_fd_count = 1;
    expect_plan(&options, "");
    options.host = "unix:/a,127.0.0.1";
    options.tls_port = 0;
    expect_plan(&options, "127.0.0.1");
}

static void expect_fault(const char *host, signal_server_fault_kind kind, int error, const char *entry)
{
    listen_plan plan;
    signal_server_fault fault = {0};
    signal_server_options options = options_for(host);
    assert_int_equal(listen_plan_make(&plan, &options, &fault), error);
    assert_int_equal(fault.kind, kind);
    assert_string_equal(fault.entry, entry);
}

static void an_entry_that_means_nothing_is_named(void **state)
{
    (void)state;
    expect_fault("127.0.0.1,notunix:/x", SIGNAL_SERVER_FAULT_ADDRESS, -EINVAL, "notunix:/x");
    expect_fault("unix:", SIGNAL_SERVER_FAULT_ADDRESS, -EINVAL, "unix:");
    expect_fault("127.0.0.1,none.example", SIGNAL_SERVER_FAULT_ADDRESS, -EADDRNOTAVAIL, "none.example");
}

static void sixteen_entries_are_taken_and_no_more(void **state)
{
    (void)state;
    char host[512] = "127.0.0.1";
    for (size_t i = 2; i <= LISTEN_ENTRIES_MAX; i++)
        snprintf(host + strlen(host), sizeof(host) - strlen(host), " ,127.0.0.1");
    expect_places(host, "127.0.0.1");
    strcat(host, ",127.0.0.1");
    expect_fault(host, SIGNAL_SERVER_FAULT_HOST, -E2BIG, "");
}

static void they_stand_for_thirty_two_places_and_no_more(void **state)
{
    (void)state;
    char addresses[1024] = "";
    char expected[1024] = "127.0.0.1";
    const fake_name many[] = {{"many.example", addresses}, {NULL, NULL}};
    fake_resolver_set(many);
    for (size_t i = 1; i < LISTEN_PLACES_MAX; i++) {
        snprintf(addresses + strlen(addresses), sizeof(addresses) - strlen(addresses), "127.0.1.%zu ", i);
        snprintf(expected + strlen(expected), sizeof(expected) - strlen(expected), " 127.0.1.%zu", i);
    }
    expect_places("127.0.0.1,many.example", expected);
    strcat(addresses, "127.0.1.200");
    expect_fault("127.0.0.1,many.example", SIGNAL_SERVER_FAULT_HOST, -E2BIG, "many.example");
    strcat(addresses, " 127.0.1.201");
    expect_fault("many.example", SIGNAL_SERVER_FAULT_HOST, -E2BIG, "many.example");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(every_entry_is_a_place_in_its_order, make),
        cmocka_unit_test_setup(what_stands_there_twice_is_opened_once, make),
        cmocka_unit_test_setup(a_wildcard_covers_the_addresses_of_its_family, make),
        cmocka_unit_test_setup(ipv6_s_wildcard_leaves_ipv4_to_those_who_are_there_for_it, make),
        cmocka_unit_test_setup(a_name_stands_for_all_its_addresses, make),
        cmocka_unit_test_setup(the_admin_port_has_one_host, make),
        cmocka_unit_test_setup(every_place_is_opened_once_and_described, make),
        cmocka_unit_test_setup(an_address_of_a_name_may_be_missing_as_long_as_there_is_another, make),
        cmocka_unit_test_setup(an_address_that_is_written_as_one_may_not_be_missing, make),
        cmocka_unit_test_setup(an_address_of_a_name_may_not_be_in_use, make),
        cmocka_unit_test_setup(what_is_not_opened_is_not_looked_up, make),
        cmocka_unit_test_setup(an_entry_that_means_nothing_is_named, make),
        cmocka_unit_test_setup(sixteen_entries_are_taken_and_no_more, make),
        cmocka_unit_test_setup(they_stand_for_thirty_two_places_and_no_more, make),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
