/* From a list of places to what is opened. */
#include "server/listen_plan.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>

static signal_server_options options_for(const char *host)
{
    signal_server_options options;
    signal_server_options_init(&options);
    options.host = host;
    return options;
}

/* The places of the plan, separated by blanks, with a + behind what is for IPv6 alone. */
static void expect_plan(const signal_server_options *options, const char *expected)
{
    listen_plan plan;
    signal_server_fault fault = {0};
    assert_int_equal(listen_plan_make(&plan, options, &fault), 0);
    assert_int_equal(fault.kind, SIGNAL_SERVER_FAULT_NONE);
    char found[1024] = "";
    for (size_t i = 0; i < plan.count; i++) {
        const listen_place *place = &plan.places[i];
        snprintf(found + strlen(found), sizeof(found) - strlen(found), "%s%s%s", i == 0 ? "" : " ",
                 place->entry.text, place->is_ipv6_only ? "+" : "");
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
    expect_places("localhost,localhost", "localhost");
    expect_places("fe80::1%1,fe80::1%2", "fe80::1%1 fe80::1%2");
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
    expect_fault("127.0.0.1,no-such-host.invalid", SIGNAL_SERVER_FAULT_ADDRESS, -EADDRNOTAVAIL,
                 "no-such-host.invalid");
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_entry_is_a_place_in_its_order),
        cmocka_unit_test(what_stands_there_twice_is_opened_once),
        cmocka_unit_test(a_wildcard_covers_the_addresses_of_its_family),
        cmocka_unit_test(ipv6_s_wildcard_leaves_ipv4_to_those_who_are_there_for_it),
        cmocka_unit_test(what_is_not_opened_is_not_looked_up),
        cmocka_unit_test(an_entry_that_means_nothing_is_named),
        cmocka_unit_test(sixteen_entries_are_taken_and_no_more),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
