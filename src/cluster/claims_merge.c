/* What becomes of claims when rooms move: merge.h. */
#include "cluster/claims.h"

#include "cluster/claims_parts.h"

#include <errno.h>

void claims_check(claims *c, const room_key *key)
{
    for (int slot = 0; slot < MEMBERS_MAX; slot++) {
        if (c->members->slots[slot].state != MEMBER_LOST && c->table.cursors[slot] == NULL &&
            !c->events.announce(c->events.context, slot, key, 1))
            claims_announce(c, slot);
    }
}

int claims_promise(claims *c, const room_key *key, const node_id *giver, uint64_t now_ms)
{
    claim *it = claim_table_find(&c->table, key);
    const room_home owner = {.node = *giver};
    if (it != NULL && claim_is_mine(it))
        return 0;
    if (it != NULL && it->state == CLAIM_LIKELY && now_ms < it->until_ms &&
        !node_id_equals(&it->owner.node, giver))
        return -EBUSY;
    if (it == NULL)
        it = claim_table_add(&c->table, key, CLAIM_PROMISED);
    else
        claim_table_enter_state(&c->table, it, CLAIM_PROMISED);
    if (it == NULL)
        return -ENOMEM;
    it->owner = owner;
    claims_tell_owner(c, it, &owner);
    return 0;
}

void claims_break_promise(claims *c, const room_key *key)
{
    claim *it = claim_table_find(&c->table, key);
    if (it != NULL && it->state == CLAIM_PROMISED)
        claim_table_remove(&c->table, it);
}

int claims_take(claims *c, const room_key *key, uint16_t worker, uint64_t now_ms)
{
    claim *it = claim_table_find(&c->table, key);
    if (it == NULL)
        it = claim_table_add(&c->table, key, CLAIM_CLAIMED);
    if (it == NULL)
        return -ENOMEM;
    it->worker = worker;
    claims_own(c, it, now_ms);
    claims_check(c, key);
    return 0;
}

void claims_give(claims *c, const room_key *key, const room_home *owner, uint64_t now_ms)
{
    claim *it = claim_table_find(&c->table, key);
    if (it == NULL || !claim_is_mine(it))
        return; /* a worker has heard late of a conflict */
    claims_yield(c, it, owner, now_ms);
}
