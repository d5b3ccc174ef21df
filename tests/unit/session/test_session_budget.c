/* The budget of the queues: who may take from it, and how much. */
#include "session/session_budget.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <pthread.h>

enum { KIB = 1024, MIB = 1024 * KIB, LIMIT = 64 * MIB, LITTLE = LIMIT / 512, MOST = 4 * MIB };

static _Atomic uint64_t places[SESSION_BUDGET_PLACES];
static session_budget budget;
static session_credit credit; /* of the only shard, where a test has no others */

static int set_up(void **state)
{
    (void)state;
    for (int i = 0; i < SESSION_BUDGET_PLACES; i++)
        places[i] = 0;
    budget = (session_budget){.charged = places, .limit = LIMIT, .address_limit = MOST};
    session_credit_init(&credit, &budget);
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
        assert_int_equal(session_credit_take(&credit, account(n), MOST), SESSION_BUDGET_GRANTED);
        assert_int_equal(session_credit_take(&credit, account(n), 1), SESSION_BUDGET_ADDRESS_FULL);
    }
    assert_int_equal(budget.taken, 3 * MOST);
    session_credit_give(&credit, account(2), 10);
    assert_int_equal(session_credit_take(&credit, account(2), 10), SESSION_BUDGET_GRANTED);
    assert_int_equal(session_credit_take(&credit, account(1), 10), SESSION_BUDGET_ADDRESS_FULL);
}

static void the_last_quarter_is_open_to_those_who_hold_little(void **state)
{
    (void)state;
    unsigned n = 1;
    while (session_credit_take(&credit, account(n), MOST) == SESSION_BUDGET_GRANTED)
        n++;
    assert_int_equal(budget.taken, LIMIT / 4 * 3);
    assert_int_equal(session_credit_take(&credit, account(1), 1), SESSION_BUDGET_ADDRESS_FULL);
    assert_int_equal(session_credit_take(&credit, account(n), LITTLE), SESSION_BUDGET_GRANTED);
    assert_int_equal(session_credit_take(&credit, account(n), 1), SESSION_BUDGET_ADDRESS_FULL);
    assert_int_equal(session_credit_take(&credit, account(n + 1), 1), SESSION_BUDGET_GRANTED);
}

static void the_whole_is_the_whole_for_everybody(void **state)
{
    (void)state;
    assert_int_equal(session_credit_take(&credit, 0, LIMIT), SESSION_BUDGET_GRANTED);
    assert_int_equal(session_credit_take(&credit, 0, 1), SESSION_BUDGET_USED_UP);
    assert_int_equal(session_credit_take(&credit, account(1), 1), SESSION_BUDGET_USED_UP);
    assert_int_equal(budget.taken, LIMIT);
    session_credit_give(&credit, 0, LIMIT);
    assert_int_equal(budget.taken, 0);
}

static void who_shares_one_place_with_another_pays_only_for_himself(void **state)
{
    (void)state;
    assert_int_equal(session_credit_take(&credit, 7 << 16 | 8, MOST), SESSION_BUDGET_GRANTED);
    assert_int_equal(session_credit_take(&credit, 7 << 16 | 9, MOST), SESSION_BUDGET_GRANTED);
    assert_int_equal(session_credit_take(&credit, 6 << 16 | 8, MOST), SESSION_BUDGET_GRANTED);
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
    assert_int_equal(session_credit_take(&credit, 0, LIMIT / 4 * 3), SESSION_BUDGET_GRANTED);
    assert_false(session_budget_must_warn(&budget, 5000));
    assert_int_equal(session_credit_take(&credit, 0, 1), SESSION_BUDGET_GRANTED);
    assert_true(session_budget_must_warn(&budget, 5000));
    assert_false(session_budget_must_warn(&budget, 14999));
    assert_true(session_budget_must_warn(&budget, 15000));
}

/* ---- Many shards ---- */

enum { SHARDS = 16, KEPT_SHARE = 64 };

static void little_is_kept_spare_and_nothing_of_a_small_budget(void **state)
{
    (void)state;
    assert_int_equal(session_budget_spare(128 * MIB, 1), 64 * KIB);
    assert_int_equal(session_budget_spare(256 * MIB, 64), 64 * KIB);
    assert_int_equal(session_budget_spare(128 * MIB, 64), 32 * KIB);
    assert_int_equal(session_budget_spare(16 * MIB, 64), 4 * KIB);
    assert_int_equal(session_budget_spare(16 * MIB - 1, 64), 0);
    assert_int_equal(session_budget_spare(0, 1), 0);
    for (unsigned shards = 1; shards <= 1024; shards++)
        for (uint64_t limit = 1; limit < UINT64_C(1) << 40; limit *= 3)
            assert_true(session_budget_spare(limit, shards) * shards <= limit / KEPT_SHARE);
}

static void a_shard_goes_to_the_shared_sum_only_now_and_then(void **state)
{
    (void)state;
    budget.spare = 64 * KIB;
    unsigned changes = 0;
    for (unsigned i = 0; i < 10000; i++) {
        uint64_t before = budget.taken;
        if (i % 2 == 0)
            assert_int_equal(session_credit_take(&credit, 0, 300), SESSION_BUDGET_GRANTED);
        else
            session_credit_give(&credit, 0, 300);
        changes += budget.taken != before;
    }
    assert_int_equal(changes, 1);

    /* Ten megabytes come and go, half of what may be spare at a time. */
    for (int i = 0; i < 40 * 1024; i++) {
        uint64_t before = budget.taken;
        assert_int_equal(session_credit_take(&credit, 0, 256), SESSION_BUDGET_GRANTED);
        changes += budget.taken != before;
    }
    assert_true(budget.taken <= 10 * MIB + budget.spare);
    for (int i = 0; i < 40 * 1024; i++) {
        uint64_t before = budget.taken;
        session_credit_give(&credit, 0, 256);
        changes += budget.taken != before;
    }
    assert_int_equal(credit.used, 0);
    assert_true(budget.taken <= budget.spare);
    assert_in_range(changes, 600, 680);
    session_credit_deinit(&credit);
    assert_int_equal(budget.taken, 0);
}

typedef struct many_shards {
    session_credit credits[SHARDS];
    uint64_t used; /* by all of them */
} many_shards;

static uint64_t next_random(uint64_t *seed)
{
    *seed = *seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return *seed >> 33;
}

/* One shard takes bytes, or gives back as many as it has once taken. */
static void step(many_shards *all, uint64_t *seed, bool is_filling)
{
    session_credit *one = &all->credits[next_random(seed) % SHARDS];
    size_t bytes = next_random(seed) % 5000 + 1;
    if (next_random(seed) % 8 < (is_filling ? 6 : 2)) {
        bool is_granted = session_credit_take(one, 0, bytes) == SESSION_BUDGET_GRANTED;
        if (!is_granted)
            assert_true(budget.limit - all->used < bytes + budget.spare * (SHARDS - 1));
        all->used += is_granted ? bytes : 0;
    } else if (counter_get(&one->used) >= bytes) {
        session_credit_give(one, 0, bytes);
        all->used -= bytes;
    }
    assert_true(all->used <= budget.taken);
    assert_true(budget.taken <= budget.limit);
    assert_true(one->taken - counter_get(&one->used) <= budget.spare);
}

static void many_shards_never_have_more_than_there_is(void **state)
{
    (void)state;
    for (uint64_t run = 1; run <= 12; run++) {
        static many_shards all;
        all = (many_shards){0};
        budget = (session_budget){.limit = run % 3 == 0 ? 300 * KIB : run * 2 * MIB};
        budget.spare = session_budget_spare(budget.limit, SHARDS);
        for (int i = 0; i < SHARDS; i++)
            session_credit_init(&all.credits[i], &budget);
        uint64_t seed = run;
        bool was_full = false;
        for (int i = 0; i < 60000; i++) {
            step(&all, &seed, i / 20000 != 1);
            was_full = was_full || budget.limit - all.used < 5000 + budget.spare * SHARDS;
        }
        assert_true(was_full);

        /* A shard that leaves gives back also what it has kept. */
        for (int i = 0; i < SHARDS; i++) {
            uint64_t mine = all.credits[i].taken;
            uint64_t before = budget.taken;
            session_credit_give(&all.credits[i], 0, counter_get(&all.credits[i].used));
            session_credit_deinit(&all.credits[i]);
            assert_int_equal(budget.taken, before - mine);
        }
        assert_int_equal(budget.taken, 0);
    }
}

enum { RACERS = 4, RACES = 20000 };

static void *race(void *arg)
{
    session_credit *mine = arg;
    for (int i = 0; i < RACES; i++) {
        if (session_credit_take(mine, account(1), 3000) == SESSION_BUDGET_GRANTED && i % 4 == 3)
            session_credit_give(mine, account(1), 3000);
        if (atomic_load(&budget.taken) > budget.limit)
            return mine; /* too much */
    }
    session_credit_give(mine, account(1), counter_get(&mine->used));
    session_credit_deinit(mine);
    return NULL;
}

static void threads_that_take_and_give_at_the_same_time_agree(void **state)
{
    (void)state;
    budget.limit = 2 * MIB;
    budget.address_limit = 0;
    budget.spare = 16 * KIB;
    session_credit credits[RACERS];
    pthread_t threads[RACERS];
    for (int i = 0; i < RACERS; i++) {
        session_credit_init(&credits[i], &budget);
        assert_int_equal(pthread_create(&threads[i], NULL, race, &credits[i]), 0);
    }
    for (int i = 0; i < RACERS; i++) {
        void *too_much;
        assert_int_equal(pthread_join(threads[i], &too_much), 0);
        assert_null(too_much);
    }
    assert_int_equal(budget.taken, 0);
    for (int i = 0; i < SESSION_BUDGET_PLACES; i++)
        assert_int_equal(places[i], 0);
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
        cmocka_unit_test(little_is_kept_spare_and_nothing_of_a_small_budget),
        cmocka_unit_test_setup(a_shard_goes_to_the_shared_sum_only_now_and_then, set_up),
        cmocka_unit_test_setup(many_shards_never_have_more_than_there_is, set_up),
        cmocka_unit_test_setup(threads_that_take_and_give_at_the_same_time_agree, set_up),
    };
    return cmocka_run_group_tests_name("session_budget", tests, NULL, NULL);
}
