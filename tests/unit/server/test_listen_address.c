/* The addresses that a host stands for. */
#include "server/listen_address.h"
#include "support/fake_resolver.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <sys/un.h>

/* As /etc/hosts and DNS may have them. */
static const fake_name names[] = {{"localhost", "::1 127.0.0.1"},
                                  {"twice.example", "127.0.0.1 ::1 127.0.0.1 0:0::1"},
                                  {"none.example", ""},
                                  {"дом.рф", "127.0.0.1"},
                                  {"xn--d1aqf.xn--p1ai", "127.0.0.2"},
                                  {"xn--b1adjthcbc.xn--p1ai", "127.0.0.3"},
                                  {NULL, NULL}};

static int make(void **state)
{
    (void)state;
    fake_resolver_set(names);
    return 0;
}

/* The addresses of the host, with blanks between. */
static void expect(const char *host, const char *expected)
{
    listen_addresses found;
    char text[1024] = "";
    int error = listen_address_resolve(host, &found);
    if (error != 0)
        fail_msg("%s: %s", host, strerror(-error));
    for (size_t i = 0; i < found.count; i++) {
        char address[LISTEN_ADDRESS_TEXT_CAP];
        listen_address_format(&found.all[i], address, sizeof(address));
        snprintf(text + strlen(text), sizeof(text) - strlen(text), "%s%s", i == 0 ? "" : " ", address);
        assert_int_equal(listen_address_port(&found.all[i]), 0);
    }
    assert_string_equal(text, expected);
}

static void an_address_stands_for_itself(void **state)
{
    (void)state;
    expect("127.0.0.1", "127.0.0.1");
    expect("0.0.0.0", "0.0.0.0");
    expect("::", "::");
    expect("0:0:0:0:0:0:0:1", "::1");
}

static void a_name_stands_for_all_its_addresses_and_each_of_them_once(void **state)
{
    (void)state;
    expect("localhost", "::1 127.0.0.1");
    expect("twice.example", "127.0.0.1 ::1");
}

static void an_international_name_is_looked_up_as_it_is_and_then_in_ascii(void **state)
{
    (void)state;
    expect("дом.рф", "127.0.0.1");
    expect("ДОМ.рф", "127.0.0.2");
    expect("домозвон.рф", "127.0.0.3");
}

static void no_host_is_not_available(void **state)
{
    (void)state;
    static const char *const hosts[] = {"none.example", "unknown.example", "256.0.0.1.", "no host", "☕.рф",
                                        "ж.рф"};
    for (size_t i = 0; i < sizeof(hosts) / sizeof(hosts[0]); i++) {
        listen_addresses found = {.count = 7};
        assert_int_equal(listen_address_resolve(hosts[i], &found), -EADDRNOTAVAIL);
        assert_int_equal(found.count, 7);
    }
}

static void a_name_with_more_addresses_than_a_machine_has_is_too_much(void **state)
{
    (void)state;
    char addresses[1024] = "";
    const fake_name many[] = {{"many.example", addresses}, {NULL, NULL}};
    fake_resolver_set(many);
    for (size_t i = 1; i <= LISTEN_ADDRESSES_MAX; i++)
        snprintf(addresses + strlen(addresses), sizeof(addresses) - strlen(addresses), "127.0.1.%zu ", i);
    listen_addresses found;
    assert_int_equal(listen_address_resolve("many.example", &found), 0);
    assert_int_equal(found.count, LISTEN_ADDRESSES_MAX);
    strcat(addresses, "127.0.1.1 "); /* again */
    assert_int_equal(listen_address_resolve("many.example", &found), 0);
    strcat(addresses, "::1");
    assert_int_equal(listen_address_resolve("many.example", &found), -E2BIG);
}

static void an_address_is_written_as_configurations_have_it(void **state)
{
    (void)state;
    listen_address path = {.len = sizeof(struct sockaddr_un)};
    char text[LISTEN_ADDRESS_TEXT_CAP];
    struct sockaddr_un where = {.sun_family = AF_UNIX, .sun_path = "/run/x.sock"};
    memcpy(&path.storage, &where, sizeof(where));
    listen_address_format(&path, text, sizeof(text));
    assert_string_equal(text, "unix:/run/x.sock");
    listen_address_format(&(listen_address){.len = 0}, text, sizeof(text));
    assert_string_equal(text, "?");
    if (if_nametoindex("lo") != 0)
        expect("fe80::1%lo", "fe80::1%lo");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(an_address_stands_for_itself, make),
        cmocka_unit_test_setup(a_name_stands_for_all_its_addresses_and_each_of_them_once, make),
        cmocka_unit_test_setup(an_international_name_is_looked_up_as_it_is_and_then_in_ascii, make),
        cmocka_unit_test_setup(no_host_is_not_available, make),
        cmocka_unit_test_setup(a_name_with_more_addresses_than_a_machine_has_is_too_much, make),
        cmocka_unit_test_setup(an_address_is_written_as_configurations_have_it, make),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
