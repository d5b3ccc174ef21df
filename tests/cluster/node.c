#include "cluster/node.h"

#include "cluster/clients.h"
#include "cluster/witness.h"
#include "support/run_fail.h"

#include <errno.h>
#include <stdlib.h>

static const uint8_t secret[CLUSTER_SECRET_BYTES] = {1, 2, 3};

bool node_is_awake(const node *n)
{
    return n->is_running && n->world->now_ms >= n->paused_until_ms;
}

bool node_is_quiet(const node *n)
{
    size_t held = 0;
    for (int slot = 0; slot < MEMBERS_MAX; slot++)
        held += n->links[slot] == NULL ? 0 : link_held(n->links[slot]);
    return held == 0;
}

static void publish(node *n, int to, wire_message *m)
{
    m->from = n->id;
    engine_publish(&n->world->engine, n->index, to, m, n->world->now_ms);
}

/* ---- Other nodes ---- */

static int index_of(const node *n, const node_id *id)
{
    for (int i = 0; i < NODES; i++) {
        const node *other = &n->world->nodes[i];
        if (other->is_running && node_id_equals(&other->id, id))
            return i;
    }
    return -1;
}

static node_link *link_to(const node *n, const node_id *id)
{
    int slot = members_find(&n->members, id);
    return slot < 0 ? NULL : n->links[slot];
}

bool node_is_linked(const node *n, const node_id *to)
{
    const node_link *l = link_to(n, to);
    return l != NULL && link_is_up(l);
}

bool node_owns(const node *n, const room_key *key)
{
    const owned_room *room = owned_rooms_find(&n->owner, key);
    return claims_standing_of(n->claims, key) == CLAIMS_MINE && (room == NULL || !room->is_given);
}

/* ---- Links ---- */

static void on_send(void *context, node_link *l, const wire_message *packet)
{
    node *n = context;
    wire_message m = *packet;
    int to = index_of(n, link_peer(l));
    if (to >= 0)
        publish(n, to, &m);
}

static void dispatch(node *n, const node_id *from, const wire_message *m)
{
    uint64_t now_ms = n->world->now_ms;
    if (m->type == WIRE_OWNS) {
        for (unsigned i = 0; i < wire_key_count(m); i++) {
            const room_key key = wire_key_at(m, i);
            claims_on_announced(n->claims, from, &key, now_ms);
        }
    } else if (m->type >= WIRE_JOINED && m->type <= WIRE_CLOSE) {
        edge_on_message(&n->edge, from, m, now_ms);
    } else {
        owner_on_message(&n->owner, from, m, now_ms);
    }
}

static void on_deliver(void *context, node_link *l, uint16_t worker, slice body)
{
    (void)worker;
    node *n = context;
    wire_message m;
    REQUIRE(wire_read_link(body, &m) == 0);
    link_took(l, 1, n->world->now_ms);
    dispatch(n, link_peer(l), &m);
}

static void on_up(void *context, node_link *l)
{
    node *n = context;
    int slot = members_find(&n->members, link_peer(l));
    REQUIRE(slot >= 0);
    claims_on_link(n->claims, (unsigned)slot, n->world->now_ms);
}

static void note_lost(node *n, const wire_message *m)
{
    wire_message inner;
    if (m->type == WIRE_FORWARD && wire_read_link(m->payload, &inner) == 0)
        note_lost(n, &inner);
    else if (m->type == WIRE_SIGNAL || m->type == WIRE_DELIVER)
        witness_fate(n->world, m->payload)->lost[CLUSTER_LOSS_LINK]++;
}

static void on_lost_message(void *context, node_link *l, slice body)
{
    (void)l;
    wire_message m;
    REQUIRE(wire_read_link(body, &m) == 0);
    note_lost(context, &m);
}

static void lose_node(node *n, const node_id *id, bool is_dead)
{
    owner_on_node_lost(&n->owner, id, n->world->now_ms);
    edge_on_node_lost(&n->edge, id, is_dead, n->world->now_ms);
}

static void on_link_lost(void *context, node_link *l)
{
    node *n = context;
    const node_id id = *link_peer(l);
    witness_on_link_lost(n->world);
    lose_node(n, &id, members_find(&n->members, &id) < 0);
}

/* ---- Members ---- */

static void beat(void *context)
{
    node *n = context;
    char name[2] = {'n', (char)('0' + n->index)};
    wire_message m = {.type = WIRE_BEAT,
                      .flags = n->is_draining ? WIRE_IS_DRAINING : 0,
                      .name = {name, 2},
                      .version = SLICE_LITERAL("test")};
    publish(n, TO_ALL_NODES, &m);
}

static void on_change(void *context, unsigned slot, member_state before)
{
    node *n = context;
    const cluster_member *member = &n->members.slots[slot];
    uint64_t now_ms = n->world->now_ms;
    if (before == MEMBER_LOST) {
        const link_limits limits = {.bytes = n->world->link_bytes, .lane_bytes = n->world->link_bytes / 4};
        const link_events events = {.send = on_send,
                                    .deliver = on_deliver,
                                    .on_up = on_up,
                                    .on_lost_message = on_lost_message,
                                    .on_lost = on_link_lost,
                                    .context = n};
        REQUIRE(link_new(&n->id, &member->id, &limits, &events, now_ms, &n->links[slot]) == 0);
        claims_on_member(n->claims, slot, false, now_ms);
    } else if (member->state == MEMBER_LOST) {
        const node_id id = member->id;
        int other = index_of(n, &id);
        if (other >= 0)
            n->world->views_differed = true;
        claims_on_member(n->claims, slot, true, now_ms);
        link_lose(n->links[slot], now_ms);
        link_free(n->links[slot]);
        n->links[slot] = NULL;
        n->must_lose[slot] = false;
        lose_node(n, &id, true);
    }
}

/* ---- Claims ---- */

static void on_claim(void *context, const room_key *key, uint64_t number, uint16_t worker)
{
    wire_message m = {.type = WIRE_CLAIM, .key = *key, .number = number, .worker = worker};
    publish(context, TO_ALL_NODES, &m);
}

static void on_answer(void *context, const node_id *to, const room_key *key, uint64_t number,
                      wire_verdict verdict, const room_home *home)
{
    node *n = context;
    wire_message m = {.type = WIRE_ANSWER,
                      .code = (uint8_t)verdict,
                      .key = *key,
                      .number = number,
                      .other = home->node,
                      .worker = home->worker};
    int index = index_of(n, to);
    if (index >= 0)
        publish(n, index, &m);
}

static int say_by_link(node *n, int slot, const wire_message *m, bool is_control);

static bool on_announce(void *context, int slot, const room_key *keys, unsigned count)
{
    node *n = context;
    wire_message m = {.type = slot < 0 ? WIRE_ANNOUNCE : WIRE_OWNS,
                      .keys = {(const char *)keys, count * sizeof(*keys)}};
    if (slot >= 0)
        return say_by_link(n, slot, &m, false) != -EAGAIN;
    publish(n, TO_ALL_NODES, &m);
    return true;
}

static void on_owner(void *context, const room_key *key, const room_home *home)
{
    node *n = context;
    decided *d = malloc(sizeof(*d));
    REQUIRE(d != NULL);
    d->key = *key;
    d->owner = *home;
    STAILQ_INSERT_TAIL(&n->decided, d, link);
}

static void on_conflict(void *context, const room_key *key, uint16_t worker, const node_id *other)
{
    (void)worker;
    node *n = context;
    owner_on_conflict(&n->owner, key, other, n->world->now_ms);
}

/* ---- What workers say ---- */

static int say_by_link(node *n, int slot, const wire_message *m, bool is_control)
{
    uint8_t *body = malloc(wire_size(m));
    REQUIRE(body != NULL);
    wire_write(m, body);
    const link_lane lane = {.number = m->binding, .is_control = is_control};
    int error =
        link_send(n->links[slot], 0, &lane, (slice){(const char *)body, wire_size(m)}, n->world->now_ms);
    free(body);
    n->must_lose[slot] |= error == -ENOBUFS;
    return error;
}

static int say_to(void *context, const node_id *to, const wire_message *m, bool is_control)
{
    node *n = context;
    if (node_id_equals(to, &n->id)) {
        REQUIRE(held_messages_add(&n->local, &n->id, m));
        return 0;
    }
    int slot = members_find(&n->members, to);
    return slot < 0 ? -ENOTCONN : say_by_link(n, slot, m, is_control);
}

static int say_home(void *context, const room_home *to, const wire_message *m, bool is_control)
{
    return say_to(context, &to->node, m, is_control);
}

static bool is_linked(void *context, const node_id *to)
{
    return node_is_linked(context, to);
}

static bool is_linked_or_self(void *context, const node_id *to)
{
    const node *n = context;
    return node_id_equals(to, &n->id) || node_is_linked(n, to);
}

static bool is_in_doubt(void *context, const node_id *id)
{
    const node *n = context;
    if (node_id_equals(id, &n->id))
        return false;
    int slot = members_find(&n->members, id);
    return slot < 0 || n->members.slots[slot].state == MEMBER_DOUBTFUL || !members_has_engine(&n->members) ||
           !link_is_up(n->links[slot]) || link_is_in_doubt(n->links[slot], n->world->now_ms);
}

static void on_loss(void *context, cluster_loss why, slice payload)
{
    node *n = context;
    witness_fate(n->world, payload)->lost[why]++;
}

static claims_standing standing(void *context, const room_key *key)
{
    return claims_standing_of(((node *)context)->claims, key);
}

static claims_standing admit(void *context, const room_key *key)
{
    return claims_admit(((node *)context)->claims, key);
}

static int promise(void *context, const room_key *key, const node_id *giver)
{
    node *n = context;
    return claims_promise(n->claims, key, giver, n->world->now_ms);
}

static void break_promise(void *context, const room_key *key)
{
    claims_break_promise(((node *)context)->claims, key);
}

static int take(void *context, const room_key *key)
{
    node *n = context;
    n->world->merges++;
    return claims_take(n->claims, key, 0, n->world->now_ms);
}

static void give(void *context, const room_key *key, const room_home *to)
{
    node *n = context;
    claims_give(n->claims, key, to, n->world->now_ms);
}

static void check(void *context, const room_key *key)
{
    claims_check(((node *)context)->claims, key);
}

static void release(void *context, const room_key *key)
{
    node *n = context;
    claims_release(n->claims, key, n->world->now_ms);
}

static bool is_draining(void *context, const node_id *id)
{
    const node *n = context;
    int slot = members_find(&n->members, id);
    if (node_id_equals(id, &n->id))
        return n->is_draining;
    return slot >= 0 && n->members.slots[slot].is_draining;
}

static bool find_heir(void *context, node_id *heir)
{
    const node *n = context;
    bool has_one = false;
    for (int slot = 0; slot < MEMBERS_MAX; slot++) {
        const cluster_member *member = &n->members.slots[slot];
        if (member->state != MEMBER_LIVE || member->is_draining || !link_is_up(n->links[slot]) ||
            (has_one && node_id_compare(&member->id, heir) > 0))
            continue;
        *heir = member->id;
        has_one = true;
    }
    return has_one;
}

/* ---- What edges say ---- */

static void want(void *context, const room_key *key)
{
    node *n = context;
    REQUIRE(claims_want(n->claims, key, 0, n->world->now_ms) == 0);
}

static void mistaken(void *context, const room_key *key, const node_id *id)
{
    claims_mistaken(((node *)context)->claims, key, id);
}

static void on_joined(void *context, void *of, slice extra)
{
    (void)context;
    client *c = of;
    sim_joined joined;
    c->state = CLIENT_IN;
    witness_note(c->world, c, "joined", c->room);
    if (c->kind != KIND_2)
        return;
    REQUIRE(extra.len == sizeof(joined));
    memcpy(&joined, extra.data, sizeof(joined));
    bool goes_on = joined.is_resumed != 0 && joined.token == c->resume.token;
    c->must_say_again = goes_on;
    if (!goes_on) {
        c->session++;
        c->n = joined.received;
        c->resume = (sim_resume){.token = joined.token};
        for (int i = 0; i < c->unacknowledged_count; i++) /* its application is told that they are lost */
            witness_fate(c->world, (slice){(const char *)&c->unacknowledged[i], sizeof(sim_signal)})
                ->refused++;
        c->unacknowledged_count = 0;
        c->unacknowledged_from = c->n + 1;
        return;
    }
    while (c->unacknowledged_count > 0 && c->unacknowledged_from <= joined.received) {
        memmove(c->unacknowledged, c->unacknowledged + 1, sizeof(c->unacknowledged) - sizeof(sim_signal));
        c->unacknowledged_from++;
        c->unacknowledged_count--;
    }
}

static void on_waiting(void *context, void *of)
{
    (void)context;
    client *c = of;
    c->state = CLIENT_WAITING;
    witness_note(c->world, c, "waits", c->room);
}

static void on_delivered(void *context, void *of, slice payload)
{
    node *n = context;
    if (of == NULL)
        witness_fate(n->world, payload)->lost[CLUSTER_LOSS_GONE]++;
    else
        witness_on_deliver(of, payload);
}

static void on_queue_full(void *context, void *of, slice extra, slice payload)
{
    (void)context;
    (void)extra;
    client *c = of;
    witness_note(c->world, c, "queue full", 0);
    if (payload.len > 0)
        witness_fate(c->world, payload)->refused++;
}

static void on_probe(void *context, void *of, uint64_t number)
{
    node *n = context;
    client *c = of;
    if (!c->is_dead)
        edge_alive(c->binding, number, n->world->now_ms);
}

/* Who has shown within the last second that it is there is not asked again, as in one server. */
enum { TRUST_MS = 1100 };

/* Two others must be there, or have been since it came, or shortly before: what they do takes its time to
 * come here. */
static void on_full(void *context, void *of)
{
    (void)context;
    client *c = of;
    unsigned others = 0;
    for (int i = 0; i < c->world->client_count; i++) {
        const client *o = &c->world->clients[i];
        bool is_inside = o->room == c->room && o->state != CLIENT_OUT;
        bool was_inside = o->out_ms[c->room] != 0 && o->out_ms[c->room] + TRUST_MS >= c->joined_ms;
        others += (o != c && is_inside) || was_inside;
    }
    clients_go_out(c);
    witness_note(c->world, c, "full", c->room);
    if (others < SIM_CAPACITY)
        run_fail("client %d is refused, and with it there are %u", c->index, others + 1);
}

static void on_close(void *context, void *of, wire_end why)
{
    (void)context;
    client *c = of;
    if (why == WIRE_END_SILENT && c->world->is_engine_alone && !c->is_dead)
        run_fail("client %d is dropped, and only the engine was away", c->index);
    clients_go_out(c);
    witness_note(c->world, c, "closed", (int)why);
}

static void on_lost(void *context, void *of)
{
    (void)context;
    client *c = of;
    c->binding = NULL;
    clients_return_within(c, 500);
    witness_note(c->world, c, "lost", 0);
}

/* ---- Rooms ---- */

static bool reserve(void *context, uint32_t account, size_t len)
{
    (void)account;
    ((node *)context)->reserved += len;
    return true;
}

static void unreserve(void *context, uint32_t account, size_t len)
{
    (void)account;
    node *n = context;
    REQUIRE(n->reserved >= len);
    n->reserved -= len;
}

static void on_signal(void *context, const room_signal_report *report)
{
    world *w = ((node *)context)->world;
    w->queued += report->outcome == ROOM_SIGNAL_QUEUED;
    w->unqueued += report->outcome == ROOM_SIGNAL_DELIVERED || report->outcome == ROOM_SIGNAL_DROPPED ||
                   report->outcome == ROOM_SIGNAL_REFUSED;
}

/* ---- Life ---- */

static node_id draw_id(node *n, uint64_t life)
{
    node_id id = {{0}};
    id.bytes[0] = (uint8_t)(1 + engine_draw(&n->world->engine, 255));
    id.bytes[1] = (uint8_t)n->index;
    memcpy(id.bytes + 8, &life, sizeof(life));
    return id;
}

static void open_rooms(node *n)
{
    const room_limits limits = {.capacity = SIM_CAPACITY,
                                .pending_max_messages = n->world->queue_max,
                                .pending_max_bytes = 1 << 20,
                                .pending_ttl_ms = SIM_PENDING_TTL_MS,
                                .probe_timeout_ms = SIM_PROBE_MS};
    const room_effects effects = {
        .reserve = reserve, .release = unreserve, .on_signal = on_signal, .context = n};
    const keyed_hash hash = {{(uint8_t)n->index, (uint8_t)n->world->lives}};
    REQUIRE(room_manager_new(&limits, &effects, &hash, &n->manager) == 0);
}

static void open_owner(node *n)
{
    const remotes_events to_edges = {
        .say = say_to, .is_linked = is_linked, .is_in_doubt = is_in_doubt, .on_loss = on_loss, .context = n};
    const owner_events events = {.standing = standing,
                                 .admit = admit,
                                 .promise = promise,
                                 .break_promise = break_promise,
                                 .take = take,
                                 .give = give,
                                 .check = check,
                                 .release = release,
                                 .is_draining = is_draining,
                                 .find_heir = find_heir,
                                 .context = n};
    owner_options options = {.self = n->id, .kinds = sim_kinds, .kind_count = KINDS, .manager = n->manager};
    memcpy(options.secret, secret, sizeof(secret));
    owner_init(&n->owner, &options, &to_edges, &events);
}

static void open_edge(node *n)
{
    const edge_events events = {.say = say_home,
                                .is_linked = is_linked_or_self,
                                .want = want,
                                .mistaken = mistaken,
                                .on_joined = on_joined,
                                .on_waiting = on_waiting,
                                .on_deliver = on_delivered,
                                .on_queue_full = on_queue_full,
                                .on_probe = on_probe,
                                .on_full = on_full,
                                .on_close = on_close,
                                .on_lost = on_lost,
                                .on_loss = on_loss,
                                .context = n};
    edge_init(&n->edge, &n->id, 0, secret, &events);
}

void node_start(node *n, world *w, int index, uint64_t life)
{
    *n = (node){.world = w, .index = index, .is_running = true, .started_ms = w->now_ms, .due_ms = w->now_ms};
    n->id = draw_id(n, life);
    TAILQ_INIT(&n->inbox);
    STAILQ_INIT(&n->local);
    STAILQ_INIT(&n->decided);
    const members_events member_events = {.beat = beat, .on_change = on_change, .context = n};
    const claims_events claim_events = {.claim = on_claim,
                                        .answer = on_answer,
                                        .announce = on_announce,
                                        .on_owner = on_owner,
                                        .on_conflict = on_conflict,
                                        .context = n};
    members_init(&n->members, &n->id, &member_events, w->now_ms);
    REQUIRE(claims_new(&n->members, &claim_events, w->serves_alone, &n->claims) == 0);
    open_rooms(n);
    open_owner(n);
    open_edge(n);
    w->engine.nodes[index] = (attachment){.life = (unsigned)life, .retry_ms = w->now_ms};
}

void node_say_bye(node *n)
{
    wire_message m = {.type = WIRE_BYE};
    publish(n, TO_ALL_NODES, &m);
}

void node_kill(node *n)
{
    n->is_running = false;
    n->world->engine.nodes[n->index].life = 0;
    n->world->engine.nodes[n->index].is_connected = false;
    while (!TAILQ_EMPTY(&n->inbox)) {
        sim_packet *p = TAILQ_FIRST(&n->inbox);
        TAILQ_REMOVE(&n->inbox, p, link);
        free(p);
    }
    while (!STAILQ_EMPTY(&n->decided)) {
        decided *d = STAILQ_FIRST(&n->decided);
        STAILQ_REMOVE_HEAD(&n->decided, link);
        free(d);
    }
    while (!STAILQ_EMPTY(&n->local)) {
        const wire_message m = held_message_read(STAILQ_FIRST(&n->local));
        note_lost(n, &m);
        held_messages_drop_first(&n->local);
    }
    edge_deinit(&n->edge);
    owner_deinit(&n->owner);
    room_manager_free(n->manager);
    for (int slot = 0; slot < MEMBERS_MAX; slot++)
        link_free(n->links[slot]);
    claims_free(n->claims);
}

/* ---- Its turns ---- */

static void on_link_packet(node *n, const wire_message *m)
{
    node_link *l = link_to(n, &m->from);
    if (l != NULL)
        link_on_packet(l, m, n->world->now_ms);
}

void node_on_packet(node *n, const sim_packet *p)
{
    uint64_t now_ms = n->world->now_ms;
    wire_message m;
    REQUIRE(wire_read_packet((slice){(const char *)p->data, p->len}, &m) == 0);
    switch (m.type) {
    case WIRE_BEAT:
        members_on_beat(&n->members, &m, now_ms);
        break;
    case WIRE_BYE:
        members_on_bye(&n->members, &m.from);
        break;
    case WIRE_CLAIM:
        claims_on_claim(n->claims, &m, now_ms);
        break;
    case WIRE_ANSWER:
        claims_on_answer(n->claims, &m, now_ms);
        break;
    case WIRE_ANNOUNCE:
        for (unsigned i = 0; i < wire_key_count(&m); i++) {
            const room_key key = wire_key_at(&m, i);
            claims_on_announced(n->claims, &m.from, &key, now_ms);
        }
        break;
    default:
        on_link_packet(n, &m);
    }
}

void node_on_engine(node *n, bool is_there)
{
    uint64_t now_ms = n->world->now_ms;
    members_on_engine(&n->members, is_there, now_ms);
    claims_on_engine(n->claims, is_there, now_ms);
    for (int slot = 0; slot < MEMBERS_MAX; slot++) {
        if (n->links[slot] != NULL)
            link_on_engine(n->links[slot], is_there, now_ms);
    }
}

static bool say_decided(node *n)
{
    decided *d = STAILQ_FIRST(&n->decided);
    if (d == NULL)
        return false;
    STAILQ_REMOVE_HEAD(&n->decided, link);
    edge_on_owner(&n->edge, &d->key, &d->owner, n->world->now_ms);
    owner_on_decided(&n->owner, &d->key, n->world->now_ms);
    free(d);
    return true;
}

static bool say_local(node *n)
{
    held_message *held = STAILQ_FIRST(&n->local);
    if (held == NULL)
        return false;
    STAILQ_REMOVE_HEAD(&n->local, link);
    const wire_message m = held_message_read(held);
    dispatch(n, &n->id, &m);
    held_messages one = STAILQ_HEAD_INITIALIZER(one);
    STAILQ_INSERT_TAIL(&one, held, link);
    held_messages_clear(&one);
    return true;
}

static bool lose_links(node *n)
{
    bool has_lost = false;
    for (int slot = 0; slot < MEMBERS_MAX; slot++) {
        if (!n->must_lose[slot])
            continue;
        n->must_lose[slot] = false;
        link_lose(n->links[slot], n->world->now_ms);
        has_lost = true;
    }
    return has_lost;
}

/* Those of version 2 that were away for too long end. */
static void end_seats(node *n)
{
    for (remote *r = n->owner.all.table, *next; r != NULL; r = next) {
        next = r->table.next;
        if (!sim_is_over(r) || r->room->is_given)
            continue;
        room_manager_lose(n->manager, &r->peer, n->world->now_ms);
        remote_end(r);
    }
}

/* A claim that was won for nobody is given up. */
static void release_unused(void *context, const room_key *key, uint16_t worker)
{
    (void)worker;
    node *n = context;
    if (owned_rooms_find(&n->owner, key) == NULL && STAILQ_EMPTY(&n->local) && STAILQ_EMPTY(&n->decided))
        claims_release(n->claims, key, n->world->now_ms);
}

static void sooner(uint64_t *due_ms, uint64_t at_ms)
{
    if (at_ms < *due_ms)
        *due_ms = at_ms;
}

static bool is_busy(const node *n)
{
    for (const remote *r = n->owner.all.table; r != NULL; r = r->table.next) {
        if (r->corked_ms != 0 || r->away_ms != 0 || !STAILQ_EMPTY(&r->out) || !STAILQ_EMPTY(&r->in))
            return true;
    }
    for (const owned_room *room = n->owner.rooms; room != NULL; room = room->table.next) {
        if (room->is_given || !node_id_is_nobody(&room->rival))
            return true;
    }
    for (const binding *b = n->edge.table; b != NULL; b = b->table.next) {
        if (b->state == BINDING_SEEKING || b->state == BINDING_SWITCHING || !STAILQ_EMPTY(&b->in))
            return true;
    }
    return n->is_draining;
}

static void set_due(node *n)
{
    uint64_t now_ms = n->world->now_ms;
    n->due_ms = members_next_due_ms(&n->members);
    sooner(&n->due_ms, claims_next_due_ms(n->claims, now_ms));
    sooner(&n->due_ms, room_manager_next_due_ms(n->manager));
    for (int slot = 0; slot < MEMBERS_MAX; slot++) {
        if (n->links[slot] != NULL)
            sooner(&n->due_ms, link_next_due_ms(n->links[slot]));
    }
    if (is_busy(n))
        sooner(&n->due_ms, now_ms + EDGE_TRY_AGAIN_MS);
    if (n->due_ms <= now_ms)
        n->due_ms = now_ms + 1;
}

void node_turn(node *n)
{
    uint64_t now_ms = n->world->now_ms;
    members_tick(&n->members, now_ms);
    claims_tick(n->claims, now_ms);
    for (int slot = 0; slot < MEMBERS_MAX; slot++) {
        if (n->links[slot] != NULL)
            link_tick(n->links[slot], now_ms);
    }
    end_seats(n);
    edge_tick(&n->edge, now_ms);
    owner_tick(&n->owner, now_ms);
    while (say_decided(n) || say_local(n) || lose_links(n))
        continue;
    claims_each_owned(n->claims, release_unused, n);
    remotes_end_turn(&n->owner.all);
    set_due(n);
}
