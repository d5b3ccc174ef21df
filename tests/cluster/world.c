#include "cluster/world.h"

#include "support/run_fail.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

world *the_world;

static const char *const room_names[ROOMS] = {"red", "blue", "session"};
static const char *const user_names[USERS] = {"anna", "boris", "clara"};

static room_space space_of(int room)
{
    return room == SESSION_ROOM ? ROOM_SPACE_SESSIONS : ROOM_SPACE_ROOMS;
}

/* ---- The witness ---- */

void world_note(world *w, client *c, const char *what, int number)
{
    size_t left = sizeof(c->transcript) - c->transcript_len;
    if (!w->is_recorded || left < 64)
        return;
    c->transcript_len += (size_t)snprintf(c->transcript + c->transcript_len, left, "%s %d\n", what, number);
}

/* Apart from the generator of the engine, which is asked more often the more nodes there are. */
unsigned world_draw(world *w, unsigned bound)
{
    w->rng = w->rng * 6364136223846793005U + 1442695040888963407U; /* Knuth's MMIX */
    return (unsigned)((w->rng >> 33) % bound);
}

uint64_t world_draw_return_ms(world *w, unsigned bound_ms)
{
    unsigned ms = world_draw(w, bound_ms);
    return w->now_ms + (w->is_recorded ? CALM_OFFSET_MS + ms / CALM_MS * CALM_MS : 20 + ms);
}

fate *world_fate(world *w, slice payload)
{
    sim_signal signal;
    if (payload.len == sizeof(sim_told))
        payload = (slice){payload.data + offsetof(sim_told, signal), sizeof(signal)};
    REQUIRE(payload.len == sizeof(signal));
    memcpy(&signal, payload.data, sizeof(signal));
    REQUIRE(signal.id < w->signals);
    return &w->fates[signal.id];
}

void world_go_out(client *c)
{
    c->state = CLIENT_OUT;
    c->binding = NULL;
    c->out_ms[c->room] = c->world->now_ms;
}

void world_on_link_lost(world *w)
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

/* It was sent once, in this room, by another one, and not before what came already: in one session, since
 * what a former one has queued with another owner comes when the two merge. */
static void judge_handed(client *c, const sim_signal *s)
{
    world *w = c->world;
    fate *f = &w->fates[s->id];
    const client *sender = &w->clients[s->client];
    uint32_t last = c->last_from[s->client][s->room];
    world_note(w, c, "hears", (int)s->id);
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

void world_on_deliver(client *c, slice payload)
{
    world *w = c->world;
    if (c->kind != KIND_2) {
        fate *f = world_fate(w, payload);
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

void world_require_one_owner(world *w)
{
    for (int room = 0; room < ROOMS && !w->views_differed; room++) {
        int owners = count_owners(w, room);
        if (owners > 1)
            run_fail("%s has %d owners, and all nodes know of each other", room_names[room], owners);
    }
}

/* ---- Time ---- */

static void keep_connection(world *w, node *n)
{
    attachment *a = &w->engine.nodes[n->index];
    if ((a->is_cut_up || a->is_cut_down) && a->cut_ms == 0)
        a->cut_ms = w->now_ms;
    bool is_broken = a->is_connected && (w->engine.is_down[a->server] ||
                                         (a->cut_ms != 0 && w->now_ms >= a->cut_ms + MEMBERS_DOUBT_MS));
    if (is_broken) {
        a->is_connected = false;
        a->retry_ms = w->now_ms + 100;
        node_on_engine(n, false);
    }
    if (a->is_connected || w->now_ms < a->retry_ms)
        return;
    int server = engine_find_server(&w->engine, n->index);
    a->retry_ms = w->now_ms + 50 + engine_draw(&w->engine, 200);
    if (server < 0)
        return;
    a->is_connected = true;
    a->server = server;
    node_on_engine(n, true);
}

static void take_packet(world *w, sim_packet *p)
{
    node *n = &w->nodes[p->to];
    if (!n->is_running || w->engine.nodes[p->to].life != p->life) {
        free(p);
    } else if (!node_is_awake(n)) {
        TAILQ_INSERT_TAIL(&n->inbox, p, link);
    } else {
        node_on_packet(n, p);
        n->due_ms = w->now_ms;
        free(p);
    }
}

static void wake(world *w, node *n)
{
    (void)w;
    while (!TAILQ_EMPTY(&n->inbox)) {
        sim_packet *p = TAILQ_FIRST(&n->inbox);
        TAILQ_REMOVE(&n->inbox, p, link);
        node_on_packet(n, p);
        free(p);
    }
}

static void come_back(client *c);
static void say_again(client *c);

static void turn(world *w)
{
    while (engine_next_ms(&w->engine) <= w->now_ms)
        take_packet(w, engine_take(&w->engine));
    for (int i = 0; i < w->client_count; i++) {
        client *c = &w->clients[i];
        if (c->state == CLIENT_RETURNS && w->now_ms >= c->returns_ms)
            come_back(c);
        if (c->must_say_again)
            say_again(c);
    }
    for (int i = 0; i < NODES; i++) {
        node *n = &w->nodes[i];
        if (!n->is_running || !node_is_awake(n))
            continue;
        keep_connection(w, n);
        if (n->due_ms > w->now_ms)
            continue;
        wake(w, n);
        node_turn(n);
        if (n->is_draining && n->owner.rooms == NULL && TAILQ_EMPTY(&n->owner.all.loose) &&
            claims_owned(n->claims) == 0 && node_is_quiet(n)) {
            node_say_bye(n);
            world_kill(w, i);
        }
    }
    world_require_one_owner(w);
}

static uint64_t next_ms(const world *w)
{
    uint64_t due_ms = engine_next_ms(&w->engine);
    for (int i = 0; i < NODES; i++) {
        const node *n = &w->nodes[i];
        const attachment *a = &w->engine.nodes[i];
        if (!n->is_running)
            continue;
        uint64_t at_ms = n->due_ms;
        if (!a->is_connected && a->retry_ms < at_ms)
            at_ms = a->retry_ms;
        if (at_ms < n->paused_until_ms)
            at_ms = n->paused_until_ms;
        due_ms = at_ms < due_ms ? at_ms : due_ms;
    }
    for (int i = 0; i < w->client_count; i++) {
        const client *c = &w->clients[i];
        if (c->state == CLIENT_RETURNS && c->returns_ms < due_ms)
            due_ms = c->returns_ms;
    }
    return due_ms;
}

void world_pass(world *w, uint64_t ms)
{
    uint64_t end_ms = w->now_ms + ms;
    turn(w);
    while (w->now_ms < end_ms) {
        uint64_t due_ms = next_ms(w);
        due_ms = due_ms <= w->now_ms ? w->now_ms + 1 : due_ms;
        w->now_ms = due_ms < end_ms ? due_ms : end_ms;
        turn(w);
    }
}

/* ---- Clients ---- */

static bool is_usable(const world *w, int index)
{
    return w->nodes[index].is_running && !w->nodes[index].is_draining;
}

static void touch(world *w, const client *c)
{
    w->nodes[c->node].due_ms = w->now_ms;
}

static void connect_to_room(client *c)
{
    node *n = &c->world->nodes[c->node];
    const edge_join as = {.client = c,
                          .kind = (uint8_t)c->kind,
                          .comes_back = c->kind == KIND_2,
                          .space = space_of(c->room),
                          .room = slice_of_text(room_names[c->room]),
                          .user = c->kind == KIND_SESSION ? SLICE_LITERAL("")
                                                          : slice_of_text(user_names[c->user]),
                          .extra = c->kind == KIND_2 && c->resume.token != 0
                                       ? (slice){(const char *)&c->resume, sizeof(c->resume)}
                                       : SLICE_LITERAL("")};
    c->state = CLIENT_JOINING;
    c->joined_ms = c->world->now_ms;
    c->binding = edge_join_room(&n->edge, &as, c->world->now_ms);
    REQUIRE(c->binding != NULL);
    touch(c->world, c);
}

void world_join(world *w, int index, int at, int room)
{
    client *c = &w->clients[index];
    if (c->state != CLIENT_OUT || !is_usable(w, at))
        return;
    c->node = at;
    c->room = c->kind == KIND_SESSION ? SESSION_ROOM : room;
    c->is_dead = false;
    c->session++;
    c->resume = (sim_resume){0};
    c->n = 0;
    c->unacknowledged_count = 0;
    c->unacknowledged_from = 1;
    c->must_say_again = false;
    world_note(w, c, "joins", c->room);
    connect_to_room(c);
}

/* To any node that takes it. */
static void come_back(client *c)
{
    world *w = c->world;
    int first = (int)world_draw(w, (unsigned)w->node_count);
    for (int i = 0; i < w->node_count; i++) {
        int at = (first + i) % w->node_count;
        if (!is_usable(w, at) || !node_is_awake(&w->nodes[at]))
            continue;
        c->node = at;
        connect_to_room(c);
        return;
    }
    c->returns_ms = w->now_ms + 200;
}

static slice payload_of(const sim_signal *s)
{
    return (slice){(const char *)s, sizeof(*s)};
}

/* One of version 2, with its number. */
static int say_numbered(client *c, const sim_signal *s, uint64_t n)
{
    const sim_numbers numbers = {.n = n, .ack = c->resume.seen};
    touch(c->world, c);
    return edge_signal(c->binding, SIM_OFFER, false, (slice){(const char *)&numbers, sizeof(numbers)},
                       payload_of(s), c->world->now_ms);
}

static void break_line(client *c);

static void say_again(client *c)
{
    c->must_say_again = false;
    for (int i = 0; i < c->unacknowledged_count && c->state == CLIENT_IN; i++) {
        if (say_numbered(c, &c->unacknowledged[i], c->unacknowledged_from + (uint64_t)i) != 0) {
            break_line(c);
            return;
        }
    }
}

void world_send(world *w, int index)
{
    client *c = &w->clients[index];
    if (c->binding == NULL || c->is_dead || w->signals == SIGNALS || !node_is_awake(&w->nodes[c->node]) ||
        (c->kind == KIND_2 && c->state != CLIENT_IN))
        return;
    if (c->must_say_again)
        say_again(c);
    if (c->binding == NULL) /* its line broke over that */
        return;
    const sim_signal s = {
        .id = w->signals++, .client = (uint8_t)index, .room = (uint8_t)c->room, .session = c->session};
    fate *f = &w->fates[s.id];
    *f = (fate){.signal = s, .kind = c->kind, .era = w->era};
    world_note(w, c, "sends", (int)s.id);
    touch(w, c);
    if (c->kind != KIND_2) {
        f->refused =
            edge_signal(c->binding, SIM_OFFER, false, SLICE_LITERAL(""), payload_of(&s), w->now_ms) != 0;
        return;
    }
    if (say_numbered(c, &s, c->n + 1) != 0) {
        f->refused = 1;
        return;
    }
    c->n++;
    c->unacknowledged[c->unacknowledged_count++] = s;
}

void world_leave(world *w, int index)
{
    client *c = &w->clients[index];
    if (c->binding != NULL && !c->is_dead && node_is_awake(&w->nodes[c->node])) {
        world_note(w, c, "leaves", c->room);
        edge_leave(c->binding, w->now_ms);
        touch(w, c);
    } else if (c->state != CLIENT_RETURNS) {
        return;
    }
    world_go_out(c);
}

/* Its connection ends. Version 2 comes back. */
static void break_line(client *c)
{
    world *w = c->world;
    if (c->binding != NULL)
        edge_lose(c->binding, false, w->now_ms);
    touch(w, c);
    world_go_out(c);
    c->state = c->kind == KIND_2 && c->resume.token != 0 ? CLIENT_RETURNS : CLIENT_OUT;
    c->returns_ms = world_draw_return_ms(w, 2000);
}

void world_lose(world *w, int index)
{
    client *c = &w->clients[index];
    if (c->binding == NULL || !node_is_awake(&w->nodes[c->node]))
        return;
    world_note(w, c, "is cut", c->room);
    break_line(c);
}

void world_fall_silent(world *w, int index)
{
    client *c = &w->clients[index];
    if (c->state == CLIENT_IN && c->kind == KIND_1)
        c->is_dead = true;
}

/* ---- Nodes ---- */

void world_fault(world *w)
{
    w->faults++;
    if (w->serves_alone)
        w->views_differed = true;
    for (int i = 0; i < NODES; i++) {
        if (w->nodes[i].is_running && w->now_ms < w->nodes[i].started_ms + 2 * MEMBERS_LISTEN_MS)
            w->views_differed = true; /* not all may have heard of it */
    }
}

static void lose_clients(world *w, int at)
{
    for (int i = 0; i < w->client_count; i++) {
        client *c = &w->clients[i];
        if (c->node != at || c->binding == NULL)
            continue;
        world_go_out(c);
        c->state = c->kind == KIND_2 && c->resume.token != 0 ? CLIENT_RETURNS : CLIENT_OUT;
        c->returns_ms = world_draw_return_ms(w, 500);
        c->must_say_again = false;
    }
}

static int count_running(const world *w)
{
    int running = 0;
    for (int i = 0; i < NODES; i++)
        running += w->nodes[i].is_running && !w->nodes[i].is_draining;
    return running;
}

void world_kill(world *w, int at)
{
    node *n = &w->nodes[at];
    if (!n->is_running || (count_running(w) <= 1 && !n->is_draining))
        return;
    lose_clients(w, at);
    node_kill(n);
    w->faults++;
    w->era++;
    for (uint32_t id = 0; id < w->signals; id++)
        w->fates[id].is_excused = true;
}

/* Does something keep a new node from hearing of all others, or them from hearing of it? */
static bool is_faulty(const world *w)
{
    const engine *e = &w->engine;
    bool is_faulty = e->loss > 0 || e->is_down[0] || e->is_down[1] || e->is_split[0] || e->is_split[1];
    for (int i = 0; i < NODES; i++)
        is_faulty |= e->nodes[i].is_cut_up || e->nodes[i].is_cut_down ||
                     (w->nodes[i].is_running && (!node_is_awake(&w->nodes[i]) || !e->nodes[i].is_connected));
    return is_faulty;
}

void world_restart(world *w, int at)
{
    if (w->nodes[at].is_running)
        return;
    if (is_faulty(w))
        w->views_differed = true;
    node_start(&w->nodes[at], w, at, ++w->lives);
}

void world_pause(world *w, int at, uint64_t ms)
{
    if (!w->nodes[at].is_running)
        return;
    world_fault(w);
    w->nodes[at].paused_until_ms = w->now_ms + ms;
}

void world_drain(world *w, int at)
{
    node *n = &w->nodes[at];
    if (!n->is_running || n->is_draining || count_running(w) <= 1)
        return;
    n->is_draining = true;
    n->due_ms = w->now_ms;
}

void world_heal(world *w)
{
    engine_heal(&w->engine);
    for (int i = 0; i < NODES; i++)
        w->nodes[i].paused_until_ms = 0;
    for (;;) { /* until all are connected, which is when it has healed */
        bool is_whole = true;
        for (int i = 0; i < NODES; i++)
            is_whole &= !w->nodes[i].is_running || w->engine.nodes[i].is_connected;
        if (is_whole)
            break;
        world_pass(w, 10);
    }
}

/* ---- What must hold when all has healed ---- */

void world_require_merged(world *w)
{
    for (int room = 0; room < ROOMS; room++) {
        int owners = count_owners(w, room);
        if (owners > 1)
            run_fail("%s has %d owners when all has healed", room_names[room], owners);
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
        const remote *r = remotes_find(&n->owner.all, &edge_node->id, c->binding->number);
        if (r == NULL)
            continue;
        if (found != NULL)
            run_fail("client %d is at two owners", c->index);
        found = r;
    }
    return found;
}

/* Everybody who is in a room is a member of its only owner. */
void world_require_together(world *w)
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
            run_fail("%d wait before %s, which is not full", waiting[room], room_names[room]);
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

void world_require_no_loss(const world *w)
{
    REQUIRE(w->era == 0);
    REQUIRE(w->queued <= w->unqueued);
    for (uint32_t id = 0; id < w->signals; id++) {
        if (w->fates[id].lost[CLUSTER_LOSS_LINK] > 0)
            run_fail("signal %u is lost, and only the engine was away", id);
    }
}

void world_require_settled(world *w)
{
    for (uint32_t id = 0; id < w->signals; id++)
        judge_fate(&w->fates[id]);
    for (int i = 0; i < NODES; i++) {
        node *n = &w->nodes[i];
        if (!n->is_running)
            continue;
        const room_counts counts = room_manager_counts(n->manager);
        REQUIRE(counts.rooms == 0 && counts.members == 0 && counts.waiters == 0);
        REQUIRE(counts.pending_messages == 0 && counts.pending_bytes == 0 && n->reserved == 0);
        REQUIRE(n->owner.all.table == NULL && n->owner.rooms == NULL && n->edge.table == NULL);
        REQUIRE(TAILQ_EMPTY(&n->owner.takings) && STAILQ_EMPTY(&n->owner.undecided));
        REQUIRE(claims_owned(n->claims) == 0);
        for (int slot = 0; slot < MEMBERS_MAX; slot++)
            REQUIRE(n->links[slot] == NULL || link_held(n->links[slot]) == 0);
    }
}

/* ---- Life ---- */

void world_open(world *w, const world_options *o)
{
    static const uint8_t secret[CLUSTER_SECRET_BYTES] = {1, 2, 3};
    memset(w, 0, sizeof(*w));
    the_world = w;
    sim_on_passed = on_passed;
    sim_on_relayed = on_relayed;
    sim_last_token = 0;
    w->now_ms = 100000;
    w->node_count = o->nodes;
    w->client_count = o->clients;
    w->queue_max = o->queue_max;
    w->link_bytes = o->link_bytes;
    w->serves_alone = o->serves_alone;
    w->is_recorded = o->is_recorded;
    w->is_engine_alone = o->is_engine_alone;
    w->rng = o->seed;
    engine_init(&w->engine, o->seed, o->servers);
    for (int room = 0; room < ROOMS; room++)
        w->keys[room] = room_key_of(secret, space_of(room), slice_of_text(room_names[room]));
    for (int i = 0; i < o->clients; i++)
        w->clients[i] = (client){.world = w, .index = i, .kind = o->kinds[i], .user = o->users[i]};
    for (int i = 0; i < o->nodes; i++)
        node_start(&w->nodes[i], w, i, ++w->lives);
    world_pass(w, MEMBERS_LISTEN_MS + 500);
}

void world_close(world *w)
{
    for (int i = 0; i < NODES; i++) {
        if (w->nodes[i].is_running)
            node_kill(&w->nodes[i]);
    }
    engine_deinit(&w->engine);
}
