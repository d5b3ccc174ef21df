/* Who may ask for credentials how often. The key of the hash is fixed, so each run has the same places. */
#include "session/ice_rate.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>

enum { OF_CLIENT = 20, OF_NETWORK = 160, OF_CROWD = 1000, STRANGERS = 1000 };

static const keyed_hash hash = {{1}};

static int make(void **state)
{
    *state = calloc(1, sizeof(ice_rate));
    return *state == NULL ? -1 : 0;
}

static int destroy(void **state)
{
    free(*state);
    return 0;
}

static bool take(ice_rate *rate, const char *client, uint64_t now_ms)
{
    address a;
    assert_true(address_parse(slice_of_text(client), &a));
    return ice_rate_take(rate, &hash, &a, now_ms);
}

/* Ask until it is refused, or that often, and tell how often it was granted. */
static int take_up_to(ice_rate *rate, const char *client, uint64_t now_ms, int most)
{
    int granted = 0;
    while (granted < most && take(rate, client, now_ms))
        granted++;
    return granted;
}

static int take_all(ice_rate *rate, const char *client, uint64_t now_ms)
{
    return take_up_to(rate, client, now_ms, 100000);
}

static void one_address_that_asks_without_end_is_refused_and_others_are_not(void **state)
{
    assert_int_equal(take_all(*state, "192.0.2.1", 5000), OF_CLIENT);
    assert_int_equal(take_all(*state, "192.0.2.2", 5000), OF_CLIENT);
    assert_int_equal(take_all(*state, "192.0.2.1", 6000), 1);
    assert_int_equal(take_all(*state, "192.0.2.1", 60000), OF_CLIENT);
}

static void an_ipv6_client_is_its_64(void **state)
{
    assert_int_equal(take_all(*state, "2001:db8:0:1::1", 5000), OF_CLIENT);
    assert_int_equal(take_all(*state, "2001:db8:0:1:ffff::2", 5000), 0);
    assert_int_equal(take_all(*state, "2001:db8:0:2::1", 5000), OF_CLIENT);
}

static void a_48_has_as_much_as_eight_clients(void **state)
{
    char client[64];
    int granted = 0;
    for (int i = 0; i < 20; i++) {
        snprintf(client, sizeof(client), "2001:db8:7:%x::1", (unsigned)i);
        granted += take_all(*state, client, 5000);
    }
    assert_int_equal(granted, OF_NETWORK);
    assert_int_equal(take_all(*state, "2001:db8:7:ffff::1", 6000), 8);
    assert_int_equal(take_all(*state, "2001:db8:8::1", 6000), OF_CLIENT);
}

/* Else who asks behind an empty /48 would have used up what is his own when that has filled again. */
static void who_is_refused_pays_nothing(void **state)
{
    char client[64];
    for (int i = 1; i <= 8; i++) {
        snprintf(client, sizeof(client), "2001:db8:7:%x::1", (unsigned)i);
        assert_int_equal(take_all(*state, client, 5000), OF_CLIENT);
    }
    for (int i = 0; i < 100; i++)
        assert_false(take(*state, "2001:db8:7::1", 5000));
    assert_int_equal(take_all(*state, "2001:db8:7::1", 8000), OF_CLIENT);
}

static void stranger(char out[64], int i)
{
    if (i % 2 == 0)
        snprintf(out, 64, "198.%d.%d.%d", 51 + i / 250, i % 250, i % 7);
    else
        snprintf(out, 64, "2001:db8:%x:%x::1", (unsigned)(0x100 + i), (unsigned)i);
}

/* A /48 asks from all of its /64, again and again, while each stranger asks ten times. */
static void all_64s_of_a_48_take_nothing_from_strangers(void **state)
{
    ice_rate *rate = *state;
    char client[64];
    uint64_t now_ms = 5000;
    int of_attack = 0;
    for (int turn = 0; turn < 10; turn++) {
        for (unsigned i = 0; i < 65536; i++) {
            address attacker;
            const uint8_t bytes[16] = {0x20, 0x01, 0x0d, 0xb8, 0, 7, (uint8_t)(i >> 8), (uint8_t)i};
            attacker = address_from_ipv6(bytes, 0);
            of_attack += ice_rate_take(rate, &hash, &attacker, now_ms);
        }
        for (int i = 0; i < STRANGERS; i++) {
            stranger(client, i);
            if (!take(rate, client, now_ms))
                fail_msg("%s was refused", client);
        }
        now_ms += 100;
    }
    assert_in_range(of_attack, OF_NETWORK, OF_NETWORK + 8);
}

/* Many addresses that take all they can: hardly anybody else has both of his places among theirs. */
static void who_shares_a_place_has_another(void **state)
{
    char client[64];
    int whole = 0;
    for (int i = 0; i < STRANGERS; i++) {
        stranger(client, i);
        assert_true(take_all(*state, client, 5000) <= OF_CLIENT);
    }
    for (int i = 0; i < STRANGERS; i++) {
        snprintf(client, sizeof(client), "203.0.%d.%d", i / 250, i % 250);
        whole += take(*state, client, 5000);
    }
    assert_in_range(whole, STRANGERS - 5, STRANGERS);
}

/* Behind a proxy that is not trusted, or in a container without root, everybody is one address. */
static void an_inner_address_stands_for_a_crowd(void **state)
{
    static const char *const inner[] = {"10.0.2.100", "172.18.0.1", "192.168.1.1", "fd00::1", "100.64.0.1"};
    for (size_t i = 0; i < sizeof(inner) / sizeof(inner[0]); i++) {
        assert_int_equal(take_all(*state, inner[i], 5000), OF_CROWD);
        assert_int_equal(take_all(*state, inner[i], 6000), 100);
    }
    assert_int_equal(take_all(*state, "192.0.2.1", 6000), OF_CLIENT);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, make, destroy)
    const struct CMUnitTest tests[] = {
        TEST(one_address_that_asks_without_end_is_refused_and_others_are_not),
        TEST(an_ipv6_client_is_its_64),
        TEST(a_48_has_as_much_as_eight_clients),
        TEST(who_is_refused_pays_nothing),
        TEST(all_64s_of_a_48_take_nothing_from_strangers),
        TEST(who_shares_a_place_has_another),
        TEST(an_inner_address_stands_for_a_crowd),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
