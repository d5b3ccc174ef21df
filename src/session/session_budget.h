/* Session budget: how many bytes the queues of all shards may hold together, and which address they count
 * for.
 *
 * Each shard has a credit: bytes that it has taken from the budget, for what it queues and a little more. So
 * most signals that are queued or delivered touch nothing that other threads write. Only when the spare bytes
 * are used up, or are too many, the shard takes more from the sum that all shards share, or gives some back.
 *
 * The queues never hold more than the limit. A signal may be refused a little earlier, as spare bytes of
 * other shards can't be used: at most `spare` of each. With a small limit for many shards nothing is kept
 * spare, and each signal goes to the shared sum (session_budget_spare).
 *
 * Bytes are charged to the address of the client that has sent them, until they are delivered or dropped:
 * also when its connection has ended long before. One address may hold `address_limit` bytes. The last
 * quarter of the whole is open only to addresses that hold little. So whoever fills the queues, from a
 * hundred addresses, leaves a quarter to those who place calls.
 *
 * The accounts are a table of fixed size, without a lock: an address is charged at two places, which its
 * keyed hash says, and holds the smaller of the two sums. Who shares both places with others is charged for
 * them as well; nobody can choose with whom. Nothing needs to be looked up or thrown out.
 *
 * Nothing here is on the way of a signal that is passed on at once, except in version 2, where it is kept
 * until it is acknowledged. */
#ifndef HOMECALL_SESSION_SESSION_BUDGET_H
#define HOMECALL_SESSION_SESSION_BUDGET_H

#include "base/address.h"
#include "base/cache_line.h"
#include "base/counter.h"
#include "base/keyed_hash.h"
#include "base/seldom.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { SESSION_BUDGET_PLACES = 1 << 16 };

/* What all shards share. */
typedef struct session_budget {
    /* Immutable while threads run. */
    uint64_t limit;            /* bytes */
    uint64_t address_limit;    /* bytes of one address; 0 = no limit */
    uint64_t spare;            /* bytes that one shard keeps at most without using them */
    _Atomic uint64_t *charged; /* borrowed: bytes for each place, SESSION_BUDGET_PLACES; NULL = no address is
                                  charged. Relaxed, as the next */
    cache_line_gap before_taken;
    _Atomic uint64_t taken; /* bytes in the credits of all shards, at most `limit`. No other data depends on
                               it */
    seldom warning;
    cache_line_gap behind_taken;
} session_budget;

/* What one shard has of it. The thread of the shard writes, any thread may read `used`. */
typedef struct session_credit {
    session_budget *budget; /* borrowed */
    counter used;           /* bytes in the queues of the shard */
    uint64_t taken;         /* bytes of budget->taken that are this shard's: `used`, and `spare` at most */
} session_credit;

/* What became of a wish for bytes. */
typedef enum session_budget_answer {
    SESSION_BUDGET_GRANTED,
    SESSION_BUDGET_USED_UP,      /* by all together */
    SESSION_BUDGET_ADDRESS_FULL, /* this address holds too much, for all or for the last quarter */
} session_budget_answer;

/* How many bytes each of `shards` may keep without using them, so that all of them keep no more than a 64th
 * of the limit: 64 KiB at most, and 0 where it would be less than 4 KiB. */
uint64_t session_budget_spare(uint64_t limit, unsigned shards);

/* Is more than three quarters of it taken, and has nobody been told for ten seconds? Then it is told now. Any
 * thread. */
bool session_budget_must_warn(session_budget *budget, uint64_t now_ms);

/* The account of an address: for IPv6, of its /64. Never 0, which is an account without a limit. */
uint32_t session_budget_account(const keyed_hash *hash, const address *client);

/* A shard begins: its credit is empty. `budget` is borrowed until the end. */
void session_credit_init(session_credit *credit, session_budget *budget);

/* The shard ends, with empty queues: what it has kept goes back to the budget. Nothing happens to a zeroed
 * one. */
void session_credit_deinit(session_credit *credit);

/* Take bytes for an account. The thread of the shard, as the next one. */
session_budget_answer session_credit_take(session_credit *credit, uint32_t account, size_t bytes);

/* Give back bytes that were taken for this account. */
void session_credit_give(session_credit *credit, uint32_t account, size_t bytes);

#endif
