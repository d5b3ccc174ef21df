#include "cluster/clients.h"

#include "cluster/witness.h"
#include "support/run_fail.h"

static const char *const user_names[USERS] = {"anna", "boris", "clara"};

bool clients_can_return(const client *c)
{
    return c->kind == KIND_2 && c->resume.token != 0;
}

void clients_return_within(client *c, unsigned bound_ms)
{
    world *w = c->world;
    unsigned ms = world_draw(w, bound_ms);
    c->state = CLIENT_RETURNS;
    c->returns_ms = w->now_ms + (w->is_recorded ? CALM_OFFSET_MS + ms / CALM_MS * CALM_MS : 20 + ms);
}

void clients_go_out(client *c)
{
    c->state = CLIENT_OUT;
    c->binding = NULL;
    c->out_ms[c->room] = c->world->now_ms;
}

static bool is_usable(const world *w, int index)
{
    return w->nodes[index].is_running && !w->nodes[index].is_draining;
}

static void touch(world *w, const client *c)
{
    node *n = &w->nodes[c->node];
    n->due_ms = node_worker_of(n, c->room)->due_ms = w->now_ms;
}

static void connect_to_room(client *c)
{
    node *n = &c->world->nodes[c->node];
    const edge_join as = {.client = c,
                          .kind = (uint8_t)c->kind,
                          .comes_back = c->kind == KIND_2,
                          .space = world_room_space(c->room),
                          .room = world_room_name(c->room),
                          .user = c->kind == KIND_SESSION ? SLICE_LITERAL("")
                                                          : slice_of_text(user_names[c->user]),
                          .extra = c->kind == KIND_2 && c->resume.token != 0
                                       ? (slice){(const char *)&c->resume, sizeof(c->resume)}
                                       : SLICE_LITERAL("")};
    c->state = CLIENT_JOINING;
    c->joined_ms = c->world->now_ms;
    c->binding = edge_join_room(&node_worker_of(n, c->room)->share.edge, &as, c->world->now_ms);
    REQUIRE(c->binding != NULL);
    touch(c->world, c);
}

void clients_join(world *w, int index, int at, int room)
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
    witness_note(w, c, "joins", c->room);
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

void clients_send(world *w, int index)
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
    witness_note(w, c, "sends", (int)s.id);
    touch(w, c);
    if (c->kind != KIND_2) {
        f->refused =
            edge_signal(c->binding, SIM_OFFER, false, SLICE_LITERAL(""), payload_of(&s), w->now_ms) != 0;
        return;
    }
    c->unacknowledged[c->unacknowledged_count++] = s;
    if (say_numbered(c, &s, ++c->n) != 0) {
        f->refused = 1; /* but its number is used up: it is sent away, and says it again when it is back */
        break_line(c);
    }
}

void clients_leave(world *w, int index)
{
    client *c = &w->clients[index];
    if (c->binding != NULL && !c->is_dead && node_is_awake(&w->nodes[c->node])) {
        witness_note(w, c, "leaves", c->room);
        edge_leave(c->binding, w->now_ms);
        touch(w, c);
    } else if (c->state != CLIENT_RETURNS) {
        return;
    }
    clients_go_out(c);
}

/* Its connection ends. Version 2 comes back. */
static void break_line(client *c)
{
    world *w = c->world;
    if (c->binding != NULL)
        edge_lose(c->binding, false, w->now_ms);
    touch(w, c);
    clients_go_out(c);
    if (clients_can_return(c))
        clients_return_within(c, 2000);
}

void clients_lose(world *w, int index)
{
    client *c = &w->clients[index];
    if (c->binding == NULL || !node_is_awake(&w->nodes[c->node]))
        return;
    witness_note(w, c, "is cut", c->room);
    break_line(c);
}

void clients_fall_silent(world *w, int index)
{
    client *c = &w->clients[index];
    if (c->state == CLIENT_IN && c->kind == KIND_1)
        c->is_dead = true;
}

void clients_lose_node(world *w, int at)
{
    for (int i = 0; i < w->client_count; i++) {
        client *c = &w->clients[i];
        if (c->node != at || c->binding == NULL)
            continue;
        clients_go_out(c);
        if (clients_can_return(c))
            clients_return_within(c, 500);
        c->must_say_again = false;
    }
}

/* ---- By themselves ---- */

void clients_turn(world *w)
{
    for (int i = 0; i < w->client_count; i++) {
        client *c = &w->clients[i];
        if (c->state == CLIENT_RETURNS && w->now_ms >= c->returns_ms)
            come_back(c);
        if (c->must_say_again)
            say_again(c);
    }
}

uint64_t clients_next_ms(const world *w)
{
    uint64_t due_ms = UINT64_MAX;
    for (int i = 0; i < w->client_count; i++) {
        const client *c = &w->clients[i];
        if (c->state == CLIENT_RETURNS && c->returns_ms < due_ms)
            due_ms = c->returns_ms;
    }
    return due_ms;
}
