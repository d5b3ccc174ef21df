#include "session/session_budget.h"

#include <assert.h>

enum { WARN_EVERY_MS = 10 * 1000, HALF = SESSION_BUDGET_PLACES / 2 };

/* All shards together keep at most one KEPT_PART of the limit unused. One shard needs no more than
 * SPARE_MOST, some hundred signals, and gains nothing from less than SPARE_LEAST, one offer. */
enum { KEPT_PART = 64, SPARE_LEAST = 4 * 1024, SPARE_MOST = 64 * 1024 };

static_assert(HALF <= 1 << 16, "half of an account says a place in half of the table");

uint32_t session_budget_account(const keyed_hash *hash, const address *client)
{
    address_key key = address_key_of(client);
    uint32_t account = (uint32_t)address_key_hash(&key, hash);
    return account != 0 ? account : 1;
}

static _Atomic uint64_t *first_place(const session_budget *budget, uint32_t account)
{
    return &budget->charged[(account >> 16) % HALF];
}

static _Atomic uint64_t *second_place(const session_budget *budget, uint32_t account)
{
    return &budget->charged[HALF + account % HALF];
}

static bool is_charged(const session_budget *budget, uint32_t account)
{
    return budget->charged != NULL && account != 0;
}

static uint64_t held_by(const session_budget *budget, uint32_t account)
{
    uint64_t one = atomic_load_explicit(first_place(budget, account), memory_order_relaxed);
    uint64_t other = atomic_load_explicit(second_place(budget, account), memory_order_relaxed);
    return one < other ? one : other;
}

/* What one address may hold when so much of the whole is taken. */
static uint64_t limit_of_address(const session_budget *budget, uint64_t taken)
{
    uint64_t limit = budget->address_limit != 0 ? budget->address_limit : UINT64_MAX;
    uint64_t little = budget->limit / 512;
    return taken > budget->limit / 4 * 3 && little < limit ? little : limit;
}

static bool has_address_room(const session_budget *budget, uint32_t account, uint64_t taken, size_t bytes)
{
    return !is_charged(budget, account) ||
           held_by(budget, account) + bytes <= limit_of_address(budget, taken);
}

bool session_budget_must_warn(session_budget *budget, uint64_t now_ms)
{
    return atomic_load_explicit(&budget->taken, memory_order_relaxed) > budget->limit / 4 * 3 &&
           seldom_is_due(&budget->warning, WARN_EVERY_MS, now_ms);
}

/* ---- The credit of a shard ---- */

uint64_t session_budget_spare(uint64_t limit, unsigned shards)
{
    assert(shards > 0);
    uint64_t share = limit / KEPT_PART / shards;
    return share < SPARE_LEAST ? 0 : share > SPARE_MOST ? SPARE_MOST : share;
}

void session_credit_init(session_credit *credit, session_budget *budget)
{
    *credit = (session_credit){.budget = budget};
}

void session_credit_deinit(session_credit *credit)
{
    assert(counter_get(&credit->used) == 0);
    if (credit->budget != NULL)
        atomic_fetch_sub_explicit(&credit->budget->taken, credit->taken, memory_order_relaxed);
    *credit = (session_credit){0};
}

/* Have at least `bytes` in the credit, and some spare ones unless there are not so many left. False when
 * there are not even `bytes`. */
static bool have(session_credit *credit, uint64_t bytes)
{
    if (bytes <= credit->taken)
        return true;
    session_budget *budget = credit->budget;
    uint64_t need = bytes - credit->taken;
    uint64_t wish = need + budget->spare / 2;
    uint64_t more;
    uint64_t taken = atomic_load_explicit(&budget->taken, memory_order_relaxed);
    do {
        uint64_t left = taken < budget->limit ? budget->limit - taken : 0;
        if (left < need)
            return false;
        more = left < wish ? need : wish;
    } while (!atomic_compare_exchange_weak_explicit(&budget->taken, &taken, taken + more,
                                                    memory_order_relaxed, memory_order_relaxed));
    credit->taken += more;
    return true;
}

/* Keep no more than what is used and half of what may be spare, if there is more than all of that. */
static void give_back_spare(session_credit *credit)
{
    session_budget *budget = credit->budget;
    uint64_t used = counter_get(&credit->used);
    assert(used <= credit->taken);
    if (credit->taken - used <= budget->spare)
        return;
    uint64_t back = credit->taken - used - budget->spare / 2;
    uint64_t before = atomic_fetch_sub_explicit(&budget->taken, back, memory_order_relaxed);
    assert(before >= back);
    (void)before;
    credit->taken -= back;
}

session_budget_answer session_credit_take(session_credit *credit, uint32_t account, size_t bytes)
{
    session_budget *budget = credit->budget;
    uint64_t used = counter_get(&credit->used) + bytes;
    if (!have(credit, used))
        return SESSION_BUDGET_USED_UP;
    uint64_t taken = atomic_load_explicit(&budget->taken, memory_order_relaxed);
    if (!has_address_room(budget, account, taken, bytes)) {
        give_back_spare(credit);
        return SESSION_BUDGET_ADDRESS_FULL;
    }
    counter_set(&credit->used, used);
    if (is_charged(budget, account)) {
        atomic_fetch_add_explicit(first_place(budget, account), bytes, memory_order_relaxed);
        atomic_fetch_add_explicit(second_place(budget, account), bytes, memory_order_relaxed);
    }
    return SESSION_BUDGET_GRANTED;
}

void session_credit_give(session_credit *credit, uint32_t account, size_t bytes)
{
    uint64_t used = counter_get(&credit->used);
    assert(used >= bytes);
    counter_set(&credit->used, used - bytes);
    give_back_spare(credit);
    const session_budget *budget = credit->budget;
    if (!is_charged(budget, account))
        return;
    atomic_fetch_sub_explicit(first_place(budget, account), bytes, memory_order_relaxed);
    atomic_fetch_sub_explicit(second_place(budget, account), bytes, memory_order_relaxed);
}
