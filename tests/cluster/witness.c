#include "cluster/witness.h"

#include "support/run_fail.h"

#include <stdarg.h>
#include <stdio.h>

static const char *name_of(int room)
{
    return world_room_name(room).data; /* a literal */
}

void witness_note(world *w, client *c, const char *what, int number)
{
    size_t left = sizeof(c->transcript) - c->transcript_len;
    if (!w->is_recorded || left < 64)
        return;
    c->transcript_len += (size_t)snprintf(c->transcript + c->transcript_len, left, "%s %d\n", what, number);
}

fate *witness_fate(world *w, slice payload)
{
    sim_signal signal;
    if (payload.len == sizeof(sim_told))
        payload = (slice){payload.data + offsetof(sim_told, signal), sizeof(signal)};
    REQUIRE(payload.len == sizeof(signal));
    memcpy(&signal, payload.data, sizeof(signal));
    REQUIRE(signal.id < w->signals);
    return &w->fates[signal.id];
}

void witness_on_link_lost(world *w)
{
    w->era++;
}

static void on_passed(const sim_signal *signal)
{
    fate *f = &the_world->fates[signal->id];
    if (++f->passed > 1)
        run_fail("signal %u comes to the rooms twice", signal->id);
}

static void on_relayed(const sim_signal *signal)
{
    the_world->fates[signal->id].relayed++;
}

void witness_open(void)
{
    sim_on_passed = on_passed;
    sim_on_relayed = on_relayed;
}

/* It was sent once, in this room, by another one, and not before what came already: in one session, since
 * what a former one has queued with another owner comes when the two merge. */
static void judge_handed(client *c, const sim_signal *s)
{
    world *w = c->world;
    fate *f = &w->fates[s->id];
    const client *sender = &w->clients[s->client];
    uint32_t last = c->last_from[s->client][s->room];
    witness_note(w, c, "hears", (int)s->id);
    if (s->room != c->room)
        run_fail("signal %u crosses rooms, to client %d", s->id, c->index);
    if ((s->client == c->index && s->session == c->session) ||
        (c->kind == KIND_1 && sender->kind == KIND_1 && c->user == sender->user))
        run_fail("client %d gets back what it has sent, signal %u", c->index, s->id);
    if (++f->had[c->index] > 1)
        run_fail("client %d gets signal %u twice", c->index, s->id);
    if (last > s->id && w->fates[last - 1].era == f->era &&
        (w->merges == 0 || w->fates[last - 1].signal.session == s->session))
        run_fail("client %d gets signal %u behind %u", c->index, s->id, last - 1);
    c->last_from[s->client][s->room] = s->id + 1;
}

void witness_on_deliver(client *c, slice payload)
{
    world *w = c->world;
    if (c->kind != KIND_2) {
        fate *f = witness_fate(w, payload);
        f->handed++;
        judge_handed(c, &f->signal);
        return;
    }
    sim_told told;
    REQUIRE(payload.len == sizeof(told));
    memcpy(&told, payload.data, sizeof(told));
    if (told.seq <= c->resume.seen)
        return; /* again */
    if (told.seq != c->resume.seen + 1)
        run_fail("client %d misses what is before %u", c->index, (unsigned)told.seq);
    c->resume.seen = told.seq;
    judge_handed(c, &told.signal);
}

static int count_owners(const world *w, int room)
{
    int owners = 0;
    for (int i = 0; i < NODES; i++)
        owners += w->nodes[i].is_running && node_owns(&w->nodes[i], &w->keys[room]);
    return owners;
}

void witness_require_one_owner(world *w)
{
    for (int room = 0; room < ROOMS && !w->views_differed; room++) {
        int owners = count_owners(w, room);
        if (owners > 1)
            run_fail("%s has %d owners, and all nodes know of each other", name_of(room), owners);
    }
}

void witness_require_no_hold(const sim_worker *w)
{
    if (!node_core_is_hold_over(w->node->core))
        return;
    for (const binding *b = w->share.edge.table; b != NULL; b = b->table.next) {
        const client *c = b->as.client;
        bool is_here = node_id_equals(&b->owner.node, &w->node->id);
        if (c != NULL && (b->state == BINDING_SEEKING ? !c->world->serves_alone : !is_here))
            run_fail("client %d is still held, and the hold is over", c->index);
    }
}

/* ---- What must hold when all has healed ---- */

void witness_require_merged(world *w)
{
    for (int room = 0; room < ROOMS; room++) {
        int owners = count_owners(w, room);
        if (owners > 1)
            run_fail("%s has %d owners when all has healed", name_of(room), owners);
    }
    w->views_differed = false;
}

static const remote *remote_of(const world *w, const client *c)
{
    const node *edge_node = &w->nodes[c->node];
    const remote *found = NULL;
    for (int i = 0; i < NODES; i++) {
        const node *n = &w->nodes[i];
        if (!n->is_running)
            continue;
        const remote *r = node_find_remote(n, &edge_node->id, c->binding->number);
        if (r == NULL)
            continue;
        if (found != NULL)
            run_fail("client %d is at two owners", c->index);
        found = r;
    }
    return found;
}

/* Everybody who is in a room is a member of its only owner. */
void witness_require_together(world *w)
{
    int inside[ROOMS] = {0};
    int waiting[ROOMS] = {0};
    const room_member *first[ROOMS] = {NULL};
    for (int i = 0; i < w->client_count; i++) {
        client *c = &w->clients[i];
        if (c->state == CLIENT_OUT)
            continue;
        if (c->state != CLIENT_IN && c->state != CLIENT_WAITING)
            run_fail("client %d is still not in the room, but in state %d", c->index, c->state);
        inside[c->room] += c->state == CLIENT_IN && !c->is_dead;
        waiting[c->room] += c->state == CLIENT_WAITING;
        const remote *r = remote_of(w, c);
        if (r == NULL || r->peer.member == NULL)
            run_fail("client %d has no place at any owner", c->index);
        if (room_peer_is_joined(&r->peer) != (c->state == CLIENT_IN))
            run_fail("client %d thinks that it is where it is not", c->index);
        const room_member *head = room_member_next(r->peer.member, NULL);
        if (first[c->room] != NULL && first[c->room] != head)
            run_fail("client %d does not meet those who have the same codeword", c->index);
        first[c->room] = head;
    }
    for (int room = 0; room < ROOMS; room++) {
        if (waiting[room] > 0 && inside[room] < SIM_CAPACITY)
            run_fail("%d wait before %s, which is not full", waiting[room], name_of(room));
    }
}

static void judge_fate(const fate *f)
{
    unsigned lost = 0;
    for (int why = 0; why < CLUSTER_LOSSES; why++)
        lost += f->lost[why];
    if (f->is_excused)
        return;
    if (f->passed == 0 && f->refused + lost == 0)
        run_fail("signal %u was lost without a word", f->signal.id);
    if (f->passed > 0 && f->refused > 0 && f->kind != KIND_2)
        run_fail("signal %u was refused, and came to the rooms", f->signal.id);
    if (f->handed > f->relayed || f->handed + lost < f->relayed)
        run_fail("signal %u was passed on to %u, and %u got it, %u times lost", f->signal.id, f->relayed,
                 f->handed, lost);
}

void witness_require_no_loss(const world *w)
{
    REQUIRE(w->era == 0);
    REQUIRE(w->queued <= w->unqueued);
    for (uint32_t id = 0; id < w->signals; id++) {
        if (w->fates[id].lost[CLUSTER_LOSS_LINK] > 0)
            run_fail("signal %u is lost, and only the engine was away", id);
    }
}

static void require_empty(const sim_worker *w)
{
    const room_counts counts = room_manager_counts(w->manager);
    REQUIRE(counts.rooms == 0 && counts.members == 0 && counts.waiters == 0);
    REQUIRE(counts.pending_messages == 0 && counts.pending_bytes == 0 && w->reserved == 0);
    REQUIRE(w->share.owner.all.table == NULL && w->share.owner.rooms == NULL && w->share.edge.table == NULL);
    REQUIRE(TAILQ_EMPTY(&w->share.owner.takings) && STAILQ_EMPTY(&w->share.owner.undecided));
    REQUIRE(STAILQ_EMPTY(&w->share.owner.all.again) && STAILQ_EMPTY(&w->share.local));
}

void witness_require_settled(world *w)
{
    for (uint32_t id = 0; id < w->signals; id++)
        judge_fate(&w->fates[id]);
    for (int i = 0; i < NODES; i++) {
        node *n = &w->nodes[i];
        if (!n->is_running)
            continue;
        for (unsigned at = 0; at < n->worker_count; at++)
            require_empty(&n->workers[at]);
        REQUIRE(claims_owned(n->core->claims) == 0);
        for (int slot = 0; slot < MEMBERS_MAX; slot++)
            REQUIRE(n->core->peers[slot].link == NULL || link_held(n->core->peers[slot].link) == 0);
    }
}
