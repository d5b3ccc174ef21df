#include "cluster/claims.h"

#include "cluster/claims_parts.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

int claims_new(const members *m, const claims_events *events, bool serves_alone, claims **out)
{
    claims *c = calloc(1, sizeof(*c));
    if (c == NULL)
        return -ENOMEM;
    c->members = m;
    c->events = *events;
    c->serves_alone = serves_alone;
    c->engine_left_ms = m->ticked_ms;
    c->cycle_ms = m->ticked_ms + CLAIMS_CYCLE_MS;
    claim_table_init(&c->table);
    *out = c;
    return 0;
}

void claims_free(claims *c)
{
    if (c == NULL)
        return;
    claim_table_deinit(&c->table);
    free(c);
}

/* ---- What is decided ---- */

static room_home home_here(const claims *c, const claim *it)
{
    return (room_home){.node = c->members->self, .worker = it->worker};
}

void claims_tell_owner(claims *c, claim *it, const room_home *owner)
{
    bool is_wanted = it->is_wanted;
    it->is_wanted = false;
    if (is_wanted)
        c->events.on_owner(c->events.context, &it->key, owner);
}

/* Called where a claim may end. */
static void note_decision(claims *c, const claim *it, uint64_t now_ms)
{
    if (it->state == CLAIM_CLAIMED && it->is_wanted)
        counter_histogram_add(&c->decided_ms, now_ms - it->begun_ms, 1);
}

void claims_own(claims *c, claim *it, uint64_t now_ms)
{
    note_decision(c, it, now_ms);
    if (!claim_is_mine(it))
        it->until_ms = now_ms;
    if (it->state != CLAIM_OWNED)
        claim_table_enter_state(&c->table, it, CLAIM_OWNED);
    const room_home owner = home_here(c, it);
    claims_tell_owner(c, it, &owner);
}

void claims_yield(claims *c, claim *it, const room_home *owner, uint64_t now_ms)
{
    note_decision(c, it, now_ms);
    claim_table_enter_state(&c->table, it, CLAIM_LIKELY);
    it->owner = *owner;
    it->until_ms = now_ms + CLAIMS_TRUST_MS;
    claims_tell_owner(c, it, owner);
}

bool claims_opens_rooms(const claims *c, uint64_t now_ms)
{
    return c->serves_alone && c->engine_left_ms != UINT64_MAX &&
           now_ms >= c->engine_left_ms + CLAIMS_ALONE_AFTER_MS;
}

/* Ask all, as far as they have not answered. */
static void say(claims *c, claim *it, uint64_t now_ms)
{
    if (it->number == 0) {
        it->number = ++c->last_number;
        it->awaited = members_present(c->members);
    }
    it->repeats_ms = now_ms + CLAIMS_REPEAT_MS;
    if (it->awaited == 0)
        claims_own(c, it, now_ms);
    else
        c->events.claim(c->events.context, &it->key, it->number, it->worker);
}

/* Go on with a claim as far as that is possible now. */
static void pursue(claims *c, claim *it, uint64_t now_ms)
{
    if (claims_opens_rooms(c, now_ms))
        claims_own(c, it, now_ms);
    else if (members_may_claim(c->members, now_ms))
        say(c, it, now_ms);
    else
        it->repeats_ms = now_ms + CLAIMS_PACE_MS;
}

static void begin_claim(claims *c, claim *it, uint16_t worker, uint64_t now_ms)
{
    if (it->state != CLAIM_CLAIMED)
        claim_table_enter_state(&c->table, it, CLAIM_CLAIMED);
    it->is_wanted = true;
    it->begun_ms = now_ms;
    it->worker = worker;
    it->number = 0;
    pursue(c, it, now_ms);
}

int claims_want(claims *c, const room_key *key, uint16_t worker, uint64_t now_ms)
{
    claim *it = claim_table_find(&c->table, key);
    if (it == NULL) {
        it = claim_table_add(&c->table, key, CLAIM_CLAIMED);
        if (it == NULL)
            return -ENOMEM;
        begin_claim(c, it, worker, now_ms);
        return 0;
    }
    it->is_wanted = true;
    if (claim_is_mine(it)) {
        claims_own(c, it, now_ms);
    } else if (it->state == CLAIM_PROMISED || (it->state == CLAIM_LIKELY && now_ms < it->until_ms)) {
        it->is_wanted = false;
        c->events.on_owner(c->events.context, key, &it->owner);
    } else if (it->state == CLAIM_LIKELY) {
        begin_claim(c, it, worker, now_ms);
    }
    return 0;
}

void claims_forget_want(claims *c, const room_key *key)
{
    claim *it = claim_table_find(&c->table, key);
    if (it != NULL && it->state == CLAIM_CLAIMED)
        claim_table_remove(&c->table, it);
}

void claims_mistaken(claims *c, const room_key *key, const node_id *owner)
{
    claim *it = claim_table_find(&c->table, key);
    if (it != NULL && it->state == CLAIM_LIKELY && node_id_equals(&it->owner.node, owner))
        claim_table_remove(&c->table, it);
}

claims_standing claims_standing_of(const claims *c, const room_key *key)
{
    const claim *it = claim_table_find(&c->table, key);
    if (it == NULL || it->state == CLAIM_LIKELY || it->state == CLAIM_PROMISED)
        return CLAIMS_NOT_MINE;
    return claim_is_mine(it) ? CLAIMS_MINE : CLAIMS_UNDECIDED;
}

claims_standing claims_admit(claims *c, const room_key *key)
{
    claim *it = claim_table_find(&c->table, key);
    if (it != NULL && it->state == CLAIM_LEAVING)
        claim_table_enter_state(&c->table, it, CLAIM_OWNED);
    return claims_standing_of(c, key);
}

void claims_release(claims *c, const room_key *key, uint64_t now_ms)
{
    claim *it = claim_table_find(&c->table, key);
    if (it == NULL || it->state != CLAIM_OWNED)
        return;
    if (now_ms >= it->until_ms) {
        claim_table_remove(&c->table, it);
        return;
    }
    claim_table_enter_state(&c->table, it, CLAIM_LEAVING);
    it->until_ms = now_ms + CLAIMS_TRUST_MS;
}

void claims_announce(claims *c, int audience)
{
    c->table.cursors[audience] = TAILQ_FIRST(&c->table.lists[CLAIM_OWNED]);
}

/* ---- What comes from others ---- */

static void answer(claims *c, const wire_message *to, wire_verdict verdict, const room_home *owner)
{
    c->events.answer(c->events.context, &to->from, &to->key, to->number, verdict, owner);
}

/* It may have the room: we have answered NO. */
static void believe_claimant(claims *c, claim *it, const wire_message *m, uint64_t now_ms)
{
    const room_home claimant = {.node = m->from, .worker = m->worker};
    answer(c, m, WIRE_NO, &claimant);
    if (it == NULL)
        it = claim_table_add(&c->table, &m->key, CLAIM_LIKELY);
    if (it != NULL) /* without memory, we ask when we want it */
        claims_yield(c, it, &claimant, now_ms);
}

void claims_on_claim(claims *c, const wire_message *m, uint64_t now_ms)
{
    claim *it = claim_table_find(&c->table, &m->key);
    if (node_id_equals(&m->from, &c->members->self))
        return;
    if (it == NULL || it->state == CLAIM_LIKELY) {
        believe_claimant(c, it, m, now_ms);
        return;
    }
    const room_home here = home_here(c, it);
    if (it->state == CLAIM_PROMISED) {
        answer(c, m, WIRE_OWNED, &it->owner);
    } else if (claim_is_mine(it)) {
        if (it->state == CLAIM_LEAVING)
            claim_table_enter_state(&c->table, it, CLAIM_LEAVING); /* behind the others */
        it->until_ms = now_ms + CLAIMS_TRUST_MS;
        answer(c, m, WIRE_OWNED, &here);
    } else if (it->number != 0 && node_id_compare(&c->members->self, &m->from) < 0) {
        answer(c, m, WIRE_MINE_FIRST, &here);
    } else {
        believe_claimant(c, it, m, now_ms);
    }
}

void claims_on_answer(claims *c, const wire_message *m, uint64_t now_ms)
{
    claim *it = claim_table_find(&c->table, &m->key);
    if (it != NULL && claim_is_mine(it) && m->code == WIRE_OWNED)
        claims_on_announced(c, &m->other, &m->key,
                            now_ms); /* we own it, too, if the claim was won meanwhile */
    if (it == NULL || it->state != CLAIM_CLAIMED || it->number == 0 || it->number != m->number)
        return;
    if (m->code != WIRE_NO) {
        const room_home owner = {.node = m->other, .worker = m->worker};
        if (!node_id_equals(&m->other, &c->members->self))
            claims_yield(c, it, &owner, now_ms);
        return;
    }
    int slot = members_find(c->members, &m->from);
    if (slot < 0)
        return;
    it->awaited &= ~(UINT64_C(1) << slot);
    if (it->awaited == 0)
        claims_own(c, it, now_ms);
}

void claims_on_announced(claims *c, const node_id *from, const room_key *key, uint64_t now_ms)
{
    claim *it = claim_table_find(&c->table, key);
    const room_home owner = {.node = *from};
    if (it == NULL || node_id_equals(from, &c->members->self))
        return;
    if (it->state == CLAIM_OWNED)
        c->events.on_conflict(c->events.context, key, it->worker, from);
    else if (it->state != CLAIM_LIKELY && it->state != CLAIM_PROMISED)
        claims_yield(c, it, &owner, now_ms); /* nobody is in ours */
}

void claims_on_member(claims *c, unsigned slot, bool is_lost, uint64_t now_ms)
{
    uint64_t bit = UINT64_C(1) << slot;
    claim *next;
    if (is_lost)
        c->table.cursors[slot] = NULL;
    for (claim *it = TAILQ_FIRST(&c->table.lists[CLAIM_CLAIMED]); it != NULL; it = next) {
        next = TAILQ_NEXT(it, list);
        if (it->number == 0)
            continue;
        it->awaited = is_lost ? it->awaited & ~bit : it->awaited | bit;
        if (it->awaited == 0)
            claims_own(c, it, now_ms);
    }
    const node_id *id = &c->members->slots[slot].id;
    for (claim *it = TAILQ_FIRST(&c->table.lists[CLAIM_LIKELY]); is_lost && it != NULL; it = next) {
        next = TAILQ_NEXT(it, list);
        if (node_id_equals(&it->owner.node, id))
            claim_table_remove(&c->table, it);
    }
}

/* What others have answered so far means nothing any more. */
static void claim_anew(claims *c, uint64_t now_ms)
{
    claim *it;
    TAILQ_FOREACH(it, &c->table.lists[CLAIM_CLAIMED], list)
    {
        it->number = 0;
        it->repeats_ms = now_ms;
    }
}

void claims_on_link(claims *c, unsigned slot, uint64_t now_ms)
{
    claims_announce(c, (int)slot);
    claim_anew(c, now_ms);
}

void claims_on_engine(claims *c, bool is_there, uint64_t now_ms)
{
    if (!is_there) {
        c->engine_left_ms = c->engine_left_ms == UINT64_MAX ? now_ms : c->engine_left_ms;
        return;
    }
    c->engine_left_ms = UINT64_MAX;
    claim_anew(c, now_ms);
    for (unsigned slot = 0; slot < MEMBERS_MAX; slot++) {
        if (c->members->slots[slot].state != MEMBER_LOST)
            claims_announce(c, (int)slot); /* what was taken alone */
    }
}

/* ---- Announcing ---- */

/* One packet for one audience. */
static void announce_some(claims *c, int audience)
{
    room_key keys[WIRE_MAX_KEYS];
    unsigned count = 0;
    claim *it = c->table.cursors[audience];
    for (; it != NULL && count < WIRE_MAX_KEYS; it = TAILQ_NEXT(it, list))
        keys[count++] = it->key;
    if (count == 0 ||
        c->events.announce(c->events.context, audience == CLAIM_TO_ALL ? -1 : audience, keys, count))
        c->table.cursors[audience] = it;
}

/* ---- Time ---- */

static void tick_announcements(claims *c, uint64_t now_ms)
{
    if (now_ms >= c->cycle_ms) {
        c->cycle_ms = now_ms + CLAIMS_CYCLE_MS;
        claims_announce(c, CLAIM_TO_ALL);
    }
    if (now_ms < c->paced_ms)
        return;
    c->paced_ms = now_ms + CLAIMS_PACE_MS;
    for (int audience = 0; audience < CLAIM_AUDIENCES; audience++) {
        if (c->table.cursors[audience] != NULL)
            announce_some(c, audience);
    }
}

/* What is over: beliefs, and rooms that are empty. */
static void end_due(claims *c, claim_state state, uint64_t now_ms)
{
    claim *first;
    while ((first = TAILQ_FIRST(&c->table.lists[state])) != NULL && now_ms >= first->until_ms)
        claim_table_remove(&c->table, first);
}

void claims_tick(claims *c, uint64_t now_ms)
{
    claim *next;
    for (claim *it = TAILQ_FIRST(&c->table.lists[CLAIM_CLAIMED]); it != NULL; it = next) {
        next = TAILQ_NEXT(it, list);
        if (now_ms >= it->repeats_ms)
            pursue(c, it, now_ms);
    }
    end_due(c, CLAIM_LIKELY, now_ms);
    end_due(c, CLAIM_LEAVING, now_ms);
    tick_announcements(c, now_ms);
}

static void sooner(uint64_t *due_ms, uint64_t at_ms)
{
    if (at_ms < *due_ms)
        *due_ms = at_ms;
}

uint64_t claims_next_due_ms(const claims *c, uint64_t now_ms)
{
    uint64_t due_ms = c->cycle_ms;
    const claim *it;
    TAILQ_FOREACH(it, &c->table.lists[CLAIM_CLAIMED], list)
    {
        sooner(&due_ms, it->repeats_ms);
    }
    static const claim_state passing[] = {CLAIM_LEAVING, CLAIM_LIKELY};
    for (size_t i = 0; i < sizeof(passing) / sizeof(passing[0]); i++) {
        it = TAILQ_FIRST(&c->table.lists[passing[i]]);
        if (it != NULL)
            sooner(&due_ms, it->until_ms);
    }
    for (int audience = 0; audience < CLAIM_AUDIENCES; audience++) {
        if (c->table.cursors[audience] != NULL)
            sooner(&due_ms, c->paced_ms);
    }
    return due_ms < now_ms ? now_ms : due_ms;
}

/* ---- Questions ---- */

uint64_t claims_engine_away_ms(const claims *c, uint64_t now_ms)
{
    return c->engine_left_ms < now_ms ? now_ms - c->engine_left_ms : 0; /* UINT64_MAX = it is there */
}

const counter_histogram *claims_decided(const claims *c)
{
    return &c->decided_ms;
}

uint64_t claims_owned(const claims *c)
{
    return c->table.owned;
}

void claims_each_owned(claims *c, void (*visit)(void *context, const room_key *key, uint16_t worker),
                       void *context)
{
    claim *next;
    for (claim *it = TAILQ_FIRST(&c->table.lists[CLAIM_OWNED]); it != NULL; it = next) {
        next = TAILQ_NEXT(it, list);
        visit(context, &it->key, it->worker);
    }
}
