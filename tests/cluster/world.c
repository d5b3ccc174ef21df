#include "cluster/world.h"

#include "cluster/clients.h"
#include "cluster/witness.h"
#include "support/run_fail.h"

#include <stdlib.h>

world *the_world;
const uint8_t world_secret[CLUSTER_SECRET_BYTES] = {1, 2, 3};

slice world_room_name(int room)
{
    static const char *const names[ROOMS] = {"red", "blue", "session"};
    return slice_of_text(names[room]);
}

room_space world_room_space(int room)
{
    return room == SESSION_ROOM ? ROOM_SPACE_SESSIONS : ROOM_SPACE_ROOMS;
}

/* Apart from the generator of the engine, which is asked more often the more nodes there are. */
unsigned world_draw(world *w, unsigned bound)
{
    w->rng = w->rng * 6364136223846793005U + 1442695040888963407U; /* Knuth's MMIX */
    return (unsigned)((w->rng >> 33) % bound);
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

static void turn(world *w)
{
    while (engine_next_ms(&w->engine) <= w->now_ms)
        take_packet(w, engine_take(&w->engine));
    clients_turn(w);
    for (int i = 0; i < NODES; i++) {
        node *n = &w->nodes[i];
        if (!n->is_running || !node_is_awake(n))
            continue;
        keep_connection(w, n);
        if (n->due_ms > w->now_ms)
            continue;
        wake(w, n);
        node_turn(n);
        if (node_is_drained(n)) {
            node_say_bye(n);
            world_kill(w, i);
        }
    }
    witness_require_one_owner(w);
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
    uint64_t client_ms = clients_next_ms(w);
    return client_ms < due_ms ? client_ms : due_ms;
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
    clients_lose_node(w, at);
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
    node_drain(n);
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

/* ---- Life ---- */

void world_open(world *w, const world_options *o)
{
    memset(w, 0, sizeof(*w));
    the_world = w;
    witness_open();
    sim_last_token = 0;
    w->now_ms = 100000;
    w->node_count = o->nodes;
    w->client_count = o->clients;
    w->queue_max = o->queue_max;
    w->link_bytes = o->link_bytes;
    w->serves_alone = o->serves_alone;
    w->worker_delay_ms = o->worker_delay_ms;
    w->hold_ms = o->hold_ms == 0 ? SIM_LONG_HOLD_MS : o->hold_ms;
    memcpy(w->workers, o->workers, sizeof(w->workers));
    w->is_recorded = o->is_recorded;
    w->is_engine_alone = o->is_engine_alone;
    w->rng = o->seed;
    engine_init(&w->engine, o->seed, o->servers);
    for (int room = 0; room < ROOMS; room++)
        w->keys[room] = room_key_of(world_secret, world_room_space(room), world_room_name(room));
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
