/* What the parts of the claims share: their struct, and what changes a room's standing. claims.c asks and
 * answers; claims_merge.c has what merges do. Internal to the two. */
#ifndef HOMECALL_CLUSTER_CLAIMS_PARTS_H
#define HOMECALL_CLUSTER_CLAIMS_PARTS_H

#include "base/counter_histogram.h"
#include "cluster/claim_table.h"
#include "cluster/claims_events.h"

typedef struct claims claims;

struct claims {
    const members *members; /* borrowed */
    claims_events events;
    bool serves_alone;
    claim_table table;
    uint64_t last_number;
    uint64_t engine_left_ms;      /* when it went away; UINT64_MAX = it is there */
    uint64_t paced_ms;            /* when the next packet of keys may go out */
    uint64_t cycle_ms;            /* when all is announced again */
    counter_histogram decided_ms; /* from the wish for a room to the answer whose it is */
};

static inline bool claim_is_mine(const claim *it)
{
    return it->state == CLAIM_OWNED || it->state == CLAIM_LEAVING;
}

/* It is ours; it is that node's. Who wants it is told. */
void claims_own(claims *c, claim *it, uint64_t now_ms);
void claims_yield(claims *c, claim *it, const room_home *owner, uint64_t now_ms);

/* Tell who wants it, if anybody does. */
void claims_tell_owner(claims *c, claim *it, const room_home *owner);

/* All that is ours will be told to this audience. */
void claims_announce(claims *c, int audience);

#endif
