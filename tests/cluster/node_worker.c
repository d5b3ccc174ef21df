/* A worker of a node: its share in the cluster, and a RoomManager. */
#include "cluster/clients.h"
#include "cluster/node.h"
#include "cluster/witness.h"
#include "support/run_fail.h"

static uint64_t now_of(const sim_worker *w)
{
    return w->node->world->now_ms;
}

/* ---- What the witness wants to know ---- */

static void on_loss(void *context, cluster_loss why, slice payload)
{
    (void)context;
    witness_fate(the_world, payload)->lost[why]++;
}

static void on_deliver(void *context, void *of, slice payload)
{
    if (of == NULL)
        on_loss(context, CLUSTER_LOSS_GONE, payload);
    else
        node_client_events.on_deliver(context, of, payload);
}

static int on_take(void *context, const room_key *key)
{
    the_world->merges++;
    return ((sim_worker *)context)->take(context, key);
}

/* ---- Rooms ---- */

static bool reserve(void *context, uint32_t account, size_t len)
{
    (void)account;
    ((sim_worker *)context)->reserved += len;
    return true;
}

static void unreserve(void *context, uint32_t account, size_t len)
{
    (void)account;
    sim_worker *w = context;
    REQUIRE(w->reserved >= len);
    w->reserved -= len;
}

static void on_signal(void *context, const room_signal_report *report)
{
    world *w = ((sim_worker *)context)->node->world;
    w->queued += report->outcome == ROOM_SIGNAL_QUEUED;
    w->unqueued += report->outcome == ROOM_SIGNAL_DELIVERED || report->outcome == ROOM_SIGNAL_DROPPED ||
                   report->outcome == ROOM_SIGNAL_REFUSED;
}

/* ---- Life ---- */

static void open_rooms(sim_worker *w)
{
    const world *all = w->node->world;
    const room_limits limits = {.capacity = SIM_CAPACITY,
                                .pending_max_messages = all->queue_max,
                                .pending_max_bytes = 1 << 20,
                                .pending_ttl_ms = SIM_PENDING_TTL_MS,
                                .probe_timeout_ms = SIM_PROBE_MS};
    const room_effects effects = {
        .reserve = reserve, .release = unreserve, .on_signal = on_signal, .context = w};
    const keyed_hash hash = {{(uint8_t)w->node->index, (uint8_t)all->lives, (uint8_t)w->index}};
    REQUIRE(room_manager_new(&limits, &effects, &hash, &w->manager) == 0);
}

static void open_share(sim_worker *w)
{
    cluster_worker_options options = {.core = w->node->core,
                                      .number = w->index,
                                      .kinds = sim_kinds,
                                      .kind_count = KINDS,
                                      .manager = w->manager,
                                      .opens_rooms = w->node->world->serves_alone,
                                      .clients = node_client_events};
    memcpy(options.secret, world_secret, sizeof(options.secret));
    cluster_worker_init(&w->share, &options);
    w->take = w->share.owner.events.take;
    w->share.owner.events.take = on_take;
    w->share.owner.all.events.on_loss = on_loss;
    w->share.edge.events.on_loss = on_loss;
    w->share.edge.events.on_deliver = on_deliver;
}

void worker_open(sim_worker *w, node *n, unsigned index)
{
    *w = (sim_worker){.node = n, .index = index, .due_ms = n->world->now_ms};
    open_rooms(w);
    open_share(w);
}

void worker_close(sim_worker *w)
{
    cluster_worker_deinit(&w->share);
    room_manager_free(w->manager);
}

/* ---- Its turns ---- */

/* Those of version 2 that were away for too long end. */
static void end_seats(sim_worker *w)
{
    for (remote *r = w->share.owner.all.table, *next; r != NULL; r = next) {
        next = r->table.next;
        if (!sim_is_over(r) || r->room->is_given)
            continue;
        room_manager_lose(w->manager, &r->peer, now_of(w));
        remote_end(r);
    }
}

void worker_turn(sim_worker *w)
{
    uint64_t now_ms = now_of(w);
    w->due_ms = UINT64_MAX; /* the core may wake it from within */
    end_seats(w);
    bool has_more = cluster_worker_turn(&w->share, now_ms);
    witness_require_no_hold(w);
    uint64_t due_ms = has_more ? now_ms : cluster_worker_next_due_ms(&w->share);
    if (!has_more && due_ms <= now_ms)
        due_ms = now_ms + 1;
    w->due_ms = due_ms < w->due_ms ? due_ms : w->due_ms;
}
