#include "session/session_budget.h"

#include <assert.h>

enum { WARN_EVERY_MS = 10 * 1000, HALF = SESSION_BUDGET_PLACES / 2 };

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

/* What one address may hold when the whole is used so far. */
static uint64_t limit_of_address(const session_budget *budget, uint64_t used)
{
    uint64_t limit = budget->address_limit != 0 ? budget->address_limit : UINT64_MAX;
    uint64_t little = budget->limit / 512;
    return used > budget->limit / 4 * 3 && little < limit ? little : limit;
}

static bool has_address_room(const session_budget *budget, uint32_t account, uint64_t used, size_t bytes)
{
    return !is_charged(budget, account) || held_by(budget, account) + bytes <= limit_of_address(budget, used);
}

session_budget_answer session_budget_take(session_budget *budget, uint32_t account, size_t bytes)
{
    uint64_t used = atomic_fetch_add_explicit(&budget->used, bytes, memory_order_relaxed) + bytes;
    session_budget_answer answer = SESSION_BUDGET_GRANTED;
    if (used > budget->limit)
        answer = SESSION_BUDGET_USED_UP;
    else if (!has_address_room(budget, account, used, bytes))
        answer = SESSION_BUDGET_ADDRESS_FULL;
    if (answer != SESSION_BUDGET_GRANTED) {
        atomic_fetch_sub_explicit(&budget->used, bytes, memory_order_relaxed);
        return answer;
    }
    if (is_charged(budget, account)) {
        atomic_fetch_add_explicit(first_place(budget, account), bytes, memory_order_relaxed);
        atomic_fetch_add_explicit(second_place(budget, account), bytes, memory_order_relaxed);
    }
    return answer;
}

void session_budget_give(session_budget *budget, uint32_t account, size_t bytes)
{
    uint64_t before = atomic_fetch_sub_explicit(&budget->used, bytes, memory_order_relaxed);
    assert(before >= bytes);
    (void)before;
    if (!is_charged(budget, account))
        return;
    atomic_fetch_sub_explicit(first_place(budget, account), bytes, memory_order_relaxed);
    atomic_fetch_sub_explicit(second_place(budget, account), bytes, memory_order_relaxed);
}

bool session_budget_must_warn(session_budget *budget, uint64_t now_ms)
{
    return atomic_load_explicit(&budget->used, memory_order_relaxed) > budget->limit / 4 * 3 &&
           seldom_is_due(&budget->warning, WARN_EVERY_MS, now_ms);
}
