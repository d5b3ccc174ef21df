/* What workers call of the node core, and what the claims make happen. */
#include "cluster/node_core_parts.h"

#include <errno.h>

/* ---- The claims: their events ---- */

static unsigned worker_of(const node_core *c, const room_key *key)
{
    return room_share_worker(room_key_share(key), c->workers);
}

static void on_claim(void *context, const room_key *key, uint64_t number, uint16_t worker)
{
    node_core *c = context;
    const wire_message m = {.type = WIRE_CLAIM, .key = *key, .number = number, .worker = worker};
    c->counts.claims_said++;
    node_core_publish(c, NODE_TO_CLAIMS, NULL, &m);
}

static void on_answer(void *context, const node_id *to, const room_key *key, uint64_t number,
                      wire_verdict verdict, const room_home *owner)
{
    node_core *c = context;
    const wire_message m = {.type = WIRE_ANSWER,
                            .code = (uint8_t)verdict,
                            .key = *key,
                            .number = number,
                            .other = owner->node,
                            .worker = owner->worker};
    c->counts.claims_answered++;
    node_core_publish(c, NODE_TO_NODE, to, &m);
}

static bool on_announce(void *context, int slot, const room_key *keys, unsigned count)
{
    node_core *c = context;
    const wire_message m = {.type = slot < 0 ? WIRE_ANNOUNCE : WIRE_OWNS,
                            .keys = {(const char *)keys, count * sizeof(*keys)}};
    if (slot < 0) {
        node_core_publish(c, NODE_TO_CLAIMS, NULL, &m);
        return true;
    }
    const link_lane lane = {0};
    node_peer *peer = &c->peers[slot];
    int error = peer->link == NULL ? -ENOTCONN : node_core_say_to(c, peer, &lane, &m);
    return error == 0 || error == -ENOTCONN; /* when the link is up again, all is announced */
}

static void on_owner(void *context, const room_key *key, const room_home *owner)
{
    node_core *c = context;
    unsigned worker = worker_of(c, key);
    node_event *event = node_core_make_event(NODE_OWNER, (slice){0});
    if (event == NULL) {
        c->inboxes[worker].has_missed = c->inboxes[worker].must_wake = true;
        return;
    }
    event->key = *key;
    event->owner = *owner;
    node_core_post(c, worker, event);
}

static void on_conflict(void *context, const room_key *key, uint16_t of, const node_id *other)
{
    (void)of;
    node_core *c = context;
    node_event *event = node_core_make_event(NODE_CONFLICT, (slice){0});
    c->counts.conflicts++;
    if (event == NULL)
        return; /* it is noticed again */
    event->key = *key;
    event->node = *other;
    node_core_post(c, worker_of(c, key), event);
}

const claims_events node_core_claims_events = {.claim = on_claim,
                                               .answer = on_answer,
                                               .announce = on_announce,
                                               .on_owner = on_owner,
                                               .on_conflict = on_conflict};

/* ---- A worker's turn ---- */

bool node_core_take_events(node_core *c, unsigned worker, node_events *out)
{
    node_inbox *inbox = &c->inboxes[worker];
    pthread_mutex_lock(&c->lock);
    bool has_missed = inbox->has_missed;
    inbox->has_missed = inbox->must_wake = false;
    STAILQ_CONCAT(out, &inbox->events);
    pthread_mutex_unlock(&c->lock);
    return has_missed;
}

void node_core_took(node_core *c, node_taken taken[MEMBERS_MAX], uint64_t now_ms)
{
    node_core_enter(c, now_ms);
    for (unsigned slot = 0; slot < MEMBERS_MAX; slot++) {
        node_peer *peer = &c->peers[slot];
        node_taken *t = &taken[slot];
        if (t->count > 0 && t->generation == peer->generation) {
            peer->inbox_bytes -= t->bytes;
            link_took(peer->link, t->count, c->now_ms);
            node_core_hurry(c, link_next_due_ms(peer->link));
        }
        *t = (node_taken){0};
    }
    node_core_leave(c, false);
}

void node_core_end_turn(node_core *c, uint64_t now_ms)
{
    node_core_enter(c, now_ms);
    node_core_lose_links(c);
    node_core_leave(c, true);
}

/* ---- Other nodes ---- */

/* The link that this worker may speak by: up, and the same that it has been told of. */
static node_peer *heard_peer(node_core *c, const node_ear *ear, const node_id *to)
{
    int slot = members_find(&c->members, to);
    bool is_heard =
        slot >= 0 && c->peers[slot].generation != 0 && c->peers[slot].generation == ear->generations[slot];
    return is_heard ? &c->peers[slot] : NULL;
}

int node_core_say(node_core *c, const node_ear *ear, const node_id *to, const link_lane *lane,
                  const wire_message *m, uint64_t now_ms)
{
    node_core_enter(c, now_ms);
    node_peer *peer = heard_peer(c, ear, to);
    int error = peer == NULL ? -ENOTCONN : node_core_say_to(c, peer, lane, m);
    node_core_leave(c, false);
    return error;
}

bool node_core_is_linked(node_core *c, const node_ear *ear, const node_id *node)
{
    pthread_mutex_lock(&c->lock);
    bool is_linked = heard_peer(c, ear, node) != NULL;
    pthread_mutex_unlock(&c->lock);
    return is_linked;
}

static bool is_in_doubt(const node_core *c, const node_id *node)
{
    int slot = members_find(&c->members, node);
    const node_link *link = slot < 0 ? NULL : c->peers[slot].link;
    return link == NULL || c->members.slots[slot].state == MEMBER_DOUBTFUL ||
           !members_has_engine(&c->members) || !link_is_up(link) || link_is_in_doubt(link, c->now_ms);
}

bool node_core_is_in_doubt(node_core *c, const node_id *node, uint64_t now_ms)
{
    if (node_id_equals(node, node_core_self(c)))
        return false;
    node_core_enter(c, now_ms);
    bool is_doubtful = is_in_doubt(c, node);
    node_core_leave(c, false);
    return is_doubtful;
}

bool node_core_is_draining(node_core *c, const node_id *node)
{
    pthread_mutex_lock(&c->lock);
    int slot = members_find(&c->members, node);
    bool is_self = node_id_equals(node, &c->members.self);
    bool is_draining = is_self ? c->is_draining : slot >= 0 && c->members.slots[slot].is_draining;
    pthread_mutex_unlock(&c->lock);
    return is_draining;
}

bool node_core_find_heir(node_core *c, const node_ear *ear, node_id *heir)
{
    bool has_one = false;
    pthread_mutex_lock(&c->lock);
    const bool is_reachable = claims_engine_away_ms(c->claims, c->now_ms) < NODE_HEIR_WAITS_MS;
    for (unsigned slot = 0; is_reachable && slot < MEMBERS_MAX; slot++) {
        const cluster_member *member = &c->members.slots[slot];
        if (member->state != MEMBER_LIVE || member->is_draining || heard_peer(c, ear, &member->id) == NULL ||
            (has_one && node_id_compare(&member->id, heir) > 0))
            continue;
        *heir = member->id;
        has_one = true;
    }
    pthread_mutex_unlock(&c->lock);
    return has_one;
}

bool node_core_is_hold_over(const node_core *c)
{
    return atomic_load_explicit(&c->is_hold_over, memory_order_relaxed);
}

/* ---- The claims ---- */

int node_core_want(node_core *c, const room_key *key, unsigned worker, uint64_t now_ms)
{
    node_core_enter(c, now_ms);
    int error = claims_want(c->claims, key, (uint16_t)worker, c->now_ms);
    node_core_hurry(c, claims_next_due_ms(c->claims, c->now_ms));
    node_core_leave(c, false);
    return error;
}

void node_core_mistaken(node_core *c, const room_key *key, const node_id *owner)
{
    pthread_mutex_lock(&c->lock);
    claims_mistaken(c->claims, key, owner);
    pthread_mutex_unlock(&c->lock);
}

claims_standing node_core_standing(node_core *c, const room_key *key)
{
    pthread_mutex_lock(&c->lock);
    claims_standing standing = claims_standing_of(c->claims, key);
    pthread_mutex_unlock(&c->lock);
    return standing;
}

claims_standing node_core_admit(node_core *c, const room_key *key)
{
    pthread_mutex_lock(&c->lock);
    claims_standing standing = claims_admit(c->claims, key);
    pthread_mutex_unlock(&c->lock);
    return standing;
}

void node_core_release(node_core *c, const room_key *key, uint64_t now_ms)
{
    node_core_enter(c, now_ms);
    claims_release(c->claims, key, c->now_ms);
    node_core_leave(c, false);
}

int node_core_promise(node_core *c, const room_key *key, const node_id *giver, uint64_t now_ms)
{
    node_core_enter(c, now_ms);
    int error = claims_promise(c->claims, key, giver, c->now_ms);
    node_core_leave(c, false);
    return error;
}

void node_core_break_promise(node_core *c, const room_key *key)
{
    pthread_mutex_lock(&c->lock);
    claims_break_promise(c->claims, key);
    pthread_mutex_unlock(&c->lock);
}

int node_core_take(node_core *c, const room_key *key, unsigned worker, uint64_t now_ms)
{
    node_core_enter(c, now_ms);
    int error = claims_take(c->claims, key, (uint16_t)worker, c->now_ms);
    node_core_hurry(c, claims_next_due_ms(c->claims, c->now_ms));
    node_core_leave(c, false);
    return error;
}

void node_core_give(node_core *c, const room_key *key, const room_home *to, uint64_t now_ms)
{
    node_core_enter(c, now_ms);
    claims_give(c->claims, key, to, c->now_ms);
    node_core_leave(c, false);
}

void node_core_check(node_core *c, const room_key *key, uint64_t now_ms)
{
    node_core_enter(c, now_ms);
    claims_check(c->claims, key);
    node_core_hurry(c, claims_next_due_ms(c->claims, c->now_ms));
    node_core_leave(c, false);
}
