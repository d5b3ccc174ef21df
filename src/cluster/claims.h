/* Claims: which rooms this node owns, and who owns those that it wants (CLUSTER.md, one owner for each room).
 *
 * A node that wants a room whose owner it does not know claims it, and every live node answers: NO, OWNED, or
 * MINE FIRST from one that claims it as well and has the lower incarnation. With NO from all it owns. Whoever
 * answers NO holds the claimant for the likely owner for a while, and does not claim the room itself, but
 * joins there. Two who claim at the same time both wait for the other's answer, so only the lower one gets a
 * NO. That is safe whatever is lost, late or doubled, as long as both know of each other.
 *
 * Owning is checked where views may have differed: each time when a link to another node has begun anew, both
 * say over it which rooms they own (it loses nothing, as the engine does), and every minute all of them are
 * announced. Who hears of a room that it owns, too, is told on_conflict, and a merge follows (merge.h).
 *
 * Pure, and owned by one thread. The rooms themselves are in the workers: `worker` says in which. */
#ifndef HOMECALL_CLUSTER_CLAIMS_H
#define HOMECALL_CLUSTER_CLAIMS_H

#include "base/counter_histogram.h"
#include "cluster/claims_events.h"
#include "cluster/members.h"

typedef struct claims claims;

/* No room is known. `m` is borrowed, `events` are copied. `serves_alone`: while the engine is away for long,
 * take rooms without asking. 0 and the claims in *out, owned by the caller, or -ENOMEM. */
int claims_new(const members *m, const claims_events *events, bool serves_alone, claims **out);
void claims_free(claims *c);

/* This node wants the room, for that worker. on_owner tells whose it is: from within this call where that is
 * known, else later. 0 or -ENOMEM. */
int claims_want(claims *c, const room_key *key, uint16_t worker, uint64_t now_ms);

/* Nobody wants it any more: what was asked is dropped. */
void claims_forget_want(claims *c, const room_key *key);

/* That node has answered NOT OWNER: it is not believed to be the owner any more. */
void claims_mistaken(claims *c, const room_key *key, const node_id *owner);

typedef enum claims_standing { CLAIMS_NOT_MINE, CLAIMS_UNDECIDED, CLAIMS_MINE } claims_standing;

/* Is the room ours? UNDECIDED: we claim it; a JOIN from elsewhere waits for on_owner. */
claims_standing claims_standing_of(const claims *c, const room_key *key);

/* The same for a JOIN that has come: a room that was empty and about to be given up is kept for it. */
claims_standing claims_admit(claims *c, const room_key *key);

/* The room is empty, and not ours any more; where somebody was told OWNED just now, in a while. */
void claims_release(claims *c, const room_key *key, uint64_t now_ms);

/* A merge will bring the room here from that node, which is its owner until then: who claims it meanwhile is
 * sent there. 0, -ENOMEM, or -EBUSY where we have just told a third one that we do not own it: that one may
 * own it, as soon as the giver is gone. Where it is ours already nothing changes. */
int claims_promise(claims *c, const room_key *key, const node_id *giver, uint64_t now_ms);

/* It will not. */
void claims_break_promise(claims *c, const room_key *key);

/* A merge has brought it: it is ours, whatever was known, and others are told. 0 or -ENOMEM. */
int claims_take(claims *c, const room_key *key, uint16_t worker, uint64_t now_ms);

/* Say to all that it is ours: does anybody else own it? */
void claims_check(claims *c, const room_key *key);

/* A merge has given it away, or nobody is in it and another node owns it, too. Where it is not ours any more
 * nothing changes. */
void claims_give(claims *c, const room_key *key, const room_home *owner, uint64_t now_ms);

/* What has come from other nodes. Senders that are no members are answered as well: they may know us. */
void claims_on_claim(claims *c, const wire_message *m, uint64_t now_ms);
void claims_on_answer(claims *c, const wire_message *m, uint64_t now_ms);
void claims_on_announced(claims *c, const node_id *from, const room_key *key, uint64_t now_ms);

/* A member has come, or is lost. */
void claims_on_member(claims *c, unsigned slot, bool is_lost, uint64_t now_ms);

/* A link to the member of that slot has begun anew: it is told what we own. It may have lost us meanwhile,
 * and claimed for itself what it had answered NO to: so our claims begin anew. */
void claims_on_link(claims *c, unsigned slot, uint64_t now_ms);

/* The engine is there, or away. */
void claims_on_engine(claims *c, bool is_there, uint64_t now_ms);

/* For how long the engine has been away; 0 where it is there. */
uint64_t claims_engine_away_ms(const claims *c, uint64_t now_ms);

/* Do what is due, and when that is next. */
void claims_tick(claims *c, uint64_t now_ms);
uint64_t claims_next_due_ms(const claims *c, uint64_t now_ms);

/* Is it away for so long that rooms are opened without asking? */
bool claims_opens_rooms(const claims *c, uint64_t now_ms);

/* How long claims took, in milliseconds. Borrowed. */
const counter_histogram *claims_decided(const claims *c);

/* How many rooms are ours, and: each of them, in any order. `visit` may release the room that it is called
 * for, and no other one. */
uint64_t claims_owned(const claims *c);
void claims_each_owned(claims *c, void (*visit)(void *context, const room_key *key, uint16_t worker),
                       void *context);

#endif
