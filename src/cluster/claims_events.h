/* What claims make happen, and their times. */
#ifndef HOMECALL_CLUSTER_CLAIMS_EVENTS_H
#define HOMECALL_CLUSTER_CLAIMS_EVENTS_H

#include "cluster/wire.h"

enum {
    CLAIMS_REPEAT_MS = 500,       /* a claim that not all have answered is said again */
    CLAIMS_TRUST_MS = 2000,       /* for so long a likely owner is believed, and one that has said OWNED keeps
                                     the room */
    CLAIMS_CYCLE_MS = 60 * 1000,  /* all rooms are announced so often */
    CLAIMS_PACE_MS = 20,          /* so often a packet of keys goes out, while there are more */
    CLAIMS_ALONE_AFTER_MS = 5000, /* the engine was away for so long: CLUSTER_WITHOUT_ENGINE=serve */
};

/* None of these may call back, but for questions; they are called from within most of the calls below. */
typedef struct claims_events {
    /* Say to all: may I own it? */
    void (*claim)(void *context, const room_key *key, uint64_t number, uint16_t worker);
    /* Answer the claim of that node. */
    void (*answer)(void *context, const node_id *to, const room_key *key, uint64_t number,
                   wire_verdict verdict, const room_home *owner);
    /* Say to the member of that slot, by its link, or to all (-1), that we own these. False when it can't be
     * said now: it is tried again. */
    bool (*announce)(void *context, int slot, const room_key *keys, unsigned count);
    /* What claims_want() asked for is known. The owner may be this node. */
    void (*on_owner)(void *context, const room_key *key, const room_home *owner);
    /* That node owns a room that we own, too. Told each time when it is noticed. */
    void (*on_conflict)(void *context, const room_key *key, uint16_t worker, const node_id *other);
    void *context; /* borrowed, for all */
} claims_events;

#endif
