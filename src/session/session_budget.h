/* Session budget: how many bytes the queues of all shards may hold together, and which address they count
 * for.
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
 * Any thread. Nothing here is on the way of a signal that is passed on at once. */
#ifndef HOMECALL_SESSION_SESSION_BUDGET_H
#define HOMECALL_SESSION_SESSION_BUDGET_H

#include "base/address.h"
#include "base/keyed_hash.h"
#include "base/seldom.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { SESSION_BUDGET_PLACES = 1 << 16 };

typedef struct session_budget {
    _Atomic uint64_t used; /* bytes in all queues now. Relaxed, as the next: no other data depends on it */
    _Atomic uint64_t *charged; /* borrowed: bytes for each place, SESSION_BUDGET_PLACES; NULL = no address is
                                  charged */
    seldom warning;
    uint64_t limit;         /* bytes; immutable, as the next */
    uint64_t address_limit; /* bytes of one address; 0 = no limit */
} session_budget;

/* What became of a wish for bytes. */
typedef enum session_budget_answer {
    SESSION_BUDGET_GRANTED,
    SESSION_BUDGET_USED_UP,      /* by all together */
    SESSION_BUDGET_ADDRESS_FULL, /* this address holds too much, for all or for the last quarter */
} session_budget_answer;

/* The account of an address: for IPv6, of its /64. Never 0, which is an account without a limit. */
uint32_t session_budget_account(const keyed_hash *hash, const address *client);

/* Take bytes for an account. */
session_budget_answer session_budget_take(session_budget *budget, uint32_t account, size_t bytes);

/* Give them back. */
void session_budget_give(session_budget *budget, uint32_t account, size_t bytes);

/* Is more than three quarters of it used, and has nobody been told for ten seconds? Then it is told now. */
bool session_budget_must_warn(session_budget *budget, uint64_t now_ms);

#endif
