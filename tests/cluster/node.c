#include "cluster/node.h"

#include "cluster/clients.h"
#include "cluster/witness.h"
#include "support/run_fail.h"

#include <stdlib.h>

bool node_is_awake(const node *n)
{
    return n->is_running && n->world->now_ms >= n->paused_until_ms;
}

/* ---- Questions ---- */

static int index_of(const world *w, const node_id *id)
{
    for (int i = 0; i < NODES; i++) {
        const node *other = &w->nodes[i];
        if (other->is_running && node_id_equals(&other->id, id))
            return i;
    }
    return -1;
}

sim_worker *node_worker_of(node *n, int room)
{
    return &n->workers[room_share_worker(room_key_share(&n->world->keys[room]), n->worker_count)];
}

const remote *node_find_remote(const node *n, const node_id *at, uint64_t number)
{
    const remote *found = NULL;
    for (unsigned i = 0; i < n->worker_count && found == NULL; i++)
        found = remotes_find(&n->workers[i].share.owner.all, at, number);
    return found;
}

bool node_owns(const node *n, const room_key *key)
{
    bool is_given = false;
    for (unsigned i = 0; i < n->worker_count; i++) {
        const owned_room *room = owned_rooms_find(&n->workers[i].share.owner, key);
        is_given |= room != NULL && room->is_given;
    }
    return claims_standing_of(n->core->claims, key) == CLAIMS_MINE && !is_given;
}

bool node_is_drained(const node *n)
{
    bool is_drained = n->is_draining && claims_owned(n->core->claims) == 0;
    for (unsigned i = 0; i < n->worker_count; i++) {
        const owner *o = &n->workers[i].share.owner;
        is_drained &= o->rooms == NULL && TAILQ_EMPTY(&o->all.loose);
    }
    for (int slot = 0; slot < MEMBERS_MAX; slot++)
        is_drained &= n->core->peers[slot].link == NULL || link_held(n->core->peers[slot].link) == 0;
    return is_drained;
}

/* ---- Life ---- */

static void on_wake_worker(void *context, unsigned worker)
{
    node *n = context;
    sim_worker *w = &n->workers[worker];
    uint64_t at_ms = n->world->now_ms + engine_draw(&n->world->engine, n->world->worker_delay_ms + 1);
    w->due_ms = at_ms < w->due_ms ? at_ms : w->due_ms;
    n->due_ms = at_ms < n->due_ms ? at_ms : n->due_ms;
}

static void on_wake_courier(void *context)
{
    node *n = context;
    n->core_due_ms = n->due_ms = n->world->now_ms;
}

static node_id draw_id(node *n, uint64_t life)
{
    node_id id = {{0}};
    id.bytes[0] = (uint8_t)(1 + engine_draw(&n->world->engine, 255));
    id.bytes[1] = (uint8_t)n->index;
    memcpy(id.bytes + 8, &life, sizeof(life));
    return id;
}

void node_start(node *n, world *w, int index, uint64_t life)
{
    char name[2] = {'n', (char)('0' + index)};
    *n = (node){.world = w,
                .index = index,
                .is_running = true,
                .started_ms = w->now_ms,
                .due_ms = w->now_ms,
                .worker_count = w->workers[index]};
    n->id = draw_id(n, life);
    TAILQ_INIT(&n->inbox);
    const node_core_options options = {.self = n->id,
                                       .name = {name, sizeof(name)},
                                       .version = SLICE_LITERAL("test"),
                                       .workers = n->worker_count,
                                       .serves_alone = w->serves_alone,
                                       .hold_ms = w->hold_ms,
                                       .limits = {.bytes = w->link_bytes, .lane_bytes = w->link_bytes / 4},
                                       .wake_worker = on_wake_worker,
                                       .wake_courier = on_wake_courier,
                                       .context = n};
    REQUIRE(node_core_new(&options, w->now_ms, &n->core) == 0);
    for (unsigned i = 0; i < n->worker_count; i++)
        worker_open(&n->workers[i], n, i);
    w->engine.nodes[index] = (attachment){.life = (unsigned)life, .retry_ms = w->now_ms};
}

void node_drain(node *n)
{
    n->is_draining = true;
    node_core_drain(n->core, n->world->now_ms);
    for (unsigned i = 0; i < n->worker_count; i++)
        n->workers[i].due_ms = n->world->now_ms;
    n->due_ms = n->world->now_ms;
}

static void publish_all(node *n);

void node_say_bye(node *n)
{
    node_core_say_bye(n->core);
    publish_all(n);
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
    for (unsigned i = 0; i < n->worker_count; i++)
        worker_close(&n->workers[i]);
    node_core_free(n->core);
}

/* ---- Its turns ---- */

void node_on_packet(node *n, const sim_packet *p)
{
    node_core_on_packet(n->core, (slice){(const char *)p->data, p->len}, n->world->now_ms);
}

void node_on_engine(node *n, bool is_there)
{
    node_core_on_engine(n->core, is_there, n->world->now_ms);
}

static void publish_all(node *n)
{
    node_packets packets = STAILQ_HEAD_INITIALIZER(packets);
    node_packet *p;
    node_core_take_packets(n->core, &packets);
    while ((p = STAILQ_FIRST(&packets)) != NULL) {
        STAILQ_REMOVE_HEAD(&packets, link);
        int to = p->subject == NODE_TO_NODE ? index_of(n->world, &p->to) : TO_ALL_NODES;
        if (to >= 0 || p->subject != NODE_TO_NODE)
            engine_publish(&n->world->engine, n->index, to, (slice){(const char *)p->data, p->len},
                           n->world->now_ms);
        node_packet_free(p);
    }
}

/* The witness wants to know when a node does not know another one that lives. */
static void look_around(node *n)
{
    for (int i = 0; i < NODES; i++) {
        const node *other = &n->world->nodes[i];
        bool is_member = other->is_running && members_find(&n->core->members, &other->id) >= 0;
        uint64_t life = n->world->engine.nodes[i].life;
        if (other->is_running && !is_member && n->knows[i] == life)
            n->world->views_differed = true;
        n->knows[i] = is_member ? life : 0;
    }
}

static bool turn_worker(node *n)
{
    for (unsigned i = 0; i < n->worker_count; i++) {
        if (n->workers[i].due_ms > n->world->now_ms)
            continue;
        worker_turn(&n->workers[i]);
        return true;
    }
    return false;
}

uint64_t node_engine_away_ms(const node *n)
{
    return claims_engine_away_ms(n->core->claims, n->world->now_ms);
}

void node_turn(node *n)
{
    uint64_t now_ms = n->world->now_ms;
    do {
        n->core_due_ms = node_core_tick(n->core, now_ms);
    } while (turn_worker(n) || n->core_due_ms <= now_ms);
    publish_all(n);
    look_around(n);
    n->due_ms = n->core_due_ms;
    for (unsigned i = 0; i < n->worker_count; i++)
        n->due_ms = n->workers[i].due_ms < n->due_ms ? n->workers[i].due_ms : n->due_ms;
}
