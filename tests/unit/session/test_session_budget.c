/* The budget of the queues: who may take from it, and how much. */
#include "session/session_budget.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

enum { KIB = 1024, MIB = 1024 * KIB, LIMIT = 64 * MIB, LITTLE = LIMIT / 512, MOST = 4 * MIB };

static _Atomic uint64_t places[SESSION_BUDGET_PLACES];
static session_budget budget;

static int set_up(void **state)
{
    (void)state;
    for (int i = 0; i < SESSION_BUDGET_PLACES; i++)
        places[i] = 0;
    budget = (session_budget){.charged = places, .limit = LIMIT, .address_limit = MOST};
    return 0;
}

/* The account of the nth address. */
static uint32_t account(unsigned n)
{
    return n << 16 | n;
}

static void an_address_may_hold_its_limit_and_others_as_much(void **state)
{
    (void)state;
    for (unsigned n = 1; n <= 3; n++) {
        assert_int_equal(session_budget_take(&budget, account(n), MOST), SESSION_BUDGET_GRANTED);
        assert_int_equal(session_budget_take(&budget, account(n), 1), SESSION_BUDGET_ADDRESS_FULL);
    }
    assert_int_equal(budget.used, 3 * MOST);
    session_budget_give(&budget, account(2), 10);
    assert_int_equal(session_budget_take(&budget, account(2), 10), SESSION_BUDGET_GRANTED);
    assert_int_equal(session_budget_take(&budget, account(1), 10), SESSION_BUDGET_ADDRESS_FULL);
}

static void the_last_quarter_is_open_to_those_who_hold_little(void **state)
{
    (void)state;
    unsigned n = 1;
    while (session_budget_take(&budget, account(n), MOST) == SESSION_BUDGET_GRANTED)
        n++;
    assert_int_equal(budget.used, LIMIT / 4 * 3);
    assert_int_equal(session_budget_take(&budget, account(1), 1), SESSION_BUDGET_ADDRESS_FULL);
    assert_int_equal(session_budget_take(&budget, account(n), LITTLE), SESSION_BUDGET_GRANTED);
    assert_int_equal(session_budget_take(&budget, account(n), 1), SESSION_BUDGET_ADDRESS_FULL);
    assert_int_equal(session_budget_take(&budget, account(n + 1), 1), SESSION_BUDGET_GRANTED);
}

static void the_whole_is_the_whole_for_everybody(void **state)
{
    (void)state;
    assert_int_equal(session_budget_take(&budget, 0, LIMIT), SESSION_BUDGET_GRANTED);
    assert_int_equal(session_budget_take(&budget, 0, 1), SESSION_BUDGET_USED_UP);
    assert_int_equal(session_budget_take(&budget, account(1), 1), SESSION_BUDGET_USED_UP);
    assert_int_equal(budget.used, LIMIT);
    session_budget_give(&budget, 0, LIMIT);
    assert_int_equal(budget.used, 0);
}

static void who_shares_one_place_with_another_pays_only_for_himself(void **state)
{
    (void)state;
    assert_int_equal(session_budget_take(&budget, 7 << 16 | 8, MOST), SESSION_BUDGET_GRANTED);
    assert_int_equal(session_budget_take(&budget, 7 << 16 | 9, MOST), SESSION_BUDGET_GRANTED);
    assert_int_equal(session_budget_take(&budget, 6 << 16 | 8, MOST), SESSION_BUDGET_GRANTED);
}

static uint32_t account_of(const char *text)
{
    static const keyed_hash hash = {{1, 2, 3}};
    address a;
    assert_true(address_parse(slice_of_text(text), &a));
    return session_budget_account(&hash, &a);
}

static void an_account_is_an_ipv4_address_or_a_network_of_ipv6(void **state)
{
    (void)state;
    assert_int_equal(account_of("192.0.2.1"), account_of("192.0.2.1:99"));
    assert_int_not_equal(account_of("192.0.2.1"), account_of("192.0.2.2"));
    assert_int_equal(account_of("2001:db8::1"), account_of("2001:db8::2:3"));
    assert_int_not_equal(account_of("2001:db8::1"), account_of("2001:db8:0:1::1"));
    assert_int_not_equal(account_of("127.0.0.1"), 0);
    assert_int_not_equal(session_budget_account(&(keyed_hash){{0}}, &(address){.family = ADDRESS_UNIX}), 0);
}

static void it_warns_above_three_quarters_and_not_again_for_ten_seconds(void **state)
{
    (void)state;
    assert_int_equal(session_budget_take(&budget, 0, LIMIT / 4 * 3), SESSION_BUDGET_GRANTED);
    assert_false(session_budget_must_warn(&budget, 5000));
    assert_int_equal(session_budget_take(&budget, 0, 1), SESSION_BUDGET_GRANTED);
    assert_true(session_budget_must_warn(&budget, 5000));
    assert_false(session_budget_must_warn(&budget, 14999));
    assert_true(session_budget_must_warn(&budget, 15000));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(an_address_may_hold_its_limit_and_others_as_much, set_up),
        cmocka_unit_test_setup(the_last_quarter_is_open_to_those_who_hold_little, set_up),
        cmocka_unit_test_setup(the_whole_is_the_whole_for_everybody, set_up),
        cmocka_unit_test_setup(who_shares_one_place_with_another_pays_only_for_himself, set_up),
        cmocka_unit_test_setup(an_account_is_an_ipv4_address_or_a_network_of_ipv6, set_up),
        cmocka_unit_test_setup(it_warns_above_three_quarters_and_not_again_for_ten_seconds, set_up),
    };
    return cmocka_run_group_tests_name("session_budget", tests, NULL, NULL);
}
