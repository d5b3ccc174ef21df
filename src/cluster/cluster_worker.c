#include "cluster/cluster_worker.h"

#include "base/log.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

enum { LOSS_WARN_MS = 10 * 1000 };

/* ---- What edge and owner say ---- */

/* The parts of a room that moves are no control messages, though they are sent as such: there may be many of
 * them, and what does not fit into the link has the room stay for a while, where a control message that does
 * not fit ends the link. Each is a lane of its own: a room is not one sender. */
static link_lane lane_of(cluster_worker *w, const wire_message *m, bool is_control)
{
    if (m->type >= WIRE_MERGE_BEGIN && m->type <= WIRE_MERGE_END)
        return (link_lane){.number = UINT64_MAX - w->last_lane++};
    return (link_lane){.number = m->binding, .is_control = is_control};
}

static int say_to(void *context, const node_id *to, const wire_message *m, bool is_control)
{
    cluster_worker *w = context;
    if (node_id_equals(to, node_core_self(w->core)))
        return held_messages_add(&w->local, to, m) ? 0 : -ENOMEM;
    const link_lane lane = lane_of(w, m, is_control);
    int error = node_core_say(w->core, &w->ear, to, &lane, m, w->now_ms);
    w->has_called |= error != -ENOTCONN;
    return error;
}

static int say_home(void *context, const room_home *to, const wire_message *m, bool is_control)
{
    return say_to(context, &to->node, m, is_control);
}

static bool is_linked(void *context, const node_id *node)
{
    cluster_worker *w = context;
    return node_core_is_linked(w->core, &w->ear, node);
}

static bool is_linked_or_self(void *context, const node_id *node)
{
    cluster_worker *w = context;
    return node_id_equals(node, node_core_self(w->core)) || node_core_is_linked(w->core, &w->ear, node);
}

static bool is_in_doubt(void *context, const node_id *node)
{
    cluster_worker *w = context;
    return node_core_is_in_doubt(w->core, node, w->now_ms);
}

/* ---- The claims ---- */

static void want(void *context, const room_key *key)
{
    cluster_worker *w = context;
    w->has_called = true;
    (void)node_core_want(w->core, key, w->number, w->now_ms); /* without memory the edge asks again */
}

static void mistaken(void *context, const room_key *key, const node_id *node)
{
    node_core_mistaken(((cluster_worker *)context)->core, key, node);
}

static claims_standing standing(void *context, const room_key *key)
{
    return node_core_standing(((cluster_worker *)context)->core, key);
}

static claims_standing admit(void *context, const room_key *key)
{
    return node_core_admit(((cluster_worker *)context)->core, key);
}

static int promise(void *context, const room_key *key, const node_id *giver)
{
    cluster_worker *w = context;
    w->has_called = true;
    return node_core_promise(w->core, key, giver, w->now_ms);
}

static void break_promise(void *context, const room_key *key)
{
    node_core_break_promise(((cluster_worker *)context)->core, key);
}

static int take(void *context, const room_key *key)
{
    cluster_worker *w = context;
    w->has_called = true;
    return node_core_take(w->core, key, w->number, w->now_ms);
}

static void give(void *context, const room_key *key, const room_home *to)
{
    cluster_worker *w = context;
    w->has_called = true;
    node_core_give(w->core, key, to, w->now_ms);
}

static void check(void *context, const room_key *key)
{
    cluster_worker *w = context;
    w->has_called = true;
    node_core_check(w->core, key, w->now_ms);
}

static void release(void *context, const room_key *key)
{
    cluster_worker *w = context;
    node_core_release(w->core, key, w->now_ms);
}

static bool is_draining(void *context, const node_id *node)
{
    return node_core_is_draining(((cluster_worker *)context)->core, node);
}

static bool find_heir(void *context, node_id *heir)
{
    const cluster_worker *w = context;
    return node_core_find_heir(w->core, &w->ear, heir);
}

/* ---- What clients are told ---- */

/* One line for all of a while: a fault has thousands. */
static void count_loss(cluster_worker *w, cluster_loss why)
{
    counter_add(&w->counts.losses[why], 1);
    if (seldom_is_due(&w->loss_warning, LOSS_WARN_MS, w->now_ms))
        LOG(LOG_WARN, "HomeCall_Signal_Cluster", "signals are lost: the counters tell how many",
            LOG_LITERAL("cause", cluster_loss_name(why)),
            LOG_NUMBER("so_far", counter_get(&w->counts.losses[why])));
}

/* These three may be about a client that has gone meanwhile. */

static void on_deliver(void *context, void *client, slice payload)
{
    cluster_worker *w = context;
    if (client != NULL)
        w->clients.on_deliver(context, client, payload);
    else
        count_loss(w, CLUSTER_LOSS_GONE);
}

static void on_queue_full(void *context, void *client, slice extra, slice payload)
{
    const cluster_worker *w = context;
    if (client != NULL)
        w->clients.on_queue_full(context, client, extra, payload);
}

static void on_lost(void *context, void *client)
{
    const cluster_worker *w = context;
    if (client != NULL)
        w->clients.on_lost(context, client);
}

static void on_loss(void *context, cluster_loss why, slice payload)
{
    (void)payload;
    count_loss(context, why);
}

/* ---- Life ---- */

static void forget_won(cluster_worker *w)
{
    won_room *first = STAILQ_FIRST(&w->won);
    STAILQ_REMOVE_HEAD(&w->won, link);
    free(first);
}

static void open_owner(cluster_worker *w, const cluster_worker_options *from)
{
    const remotes_events to_edges = {
        .say = say_to, .is_linked = is_linked, .is_in_doubt = is_in_doubt, .on_loss = on_loss, .context = w};
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
                                 .context = w};
    owner_options options = {.self = *node_core_self(w->core),
                             .worker = (uint16_t)w->number,
                             .kinds = from->kinds,
                             .kind_count = from->kind_count,
                             .manager = from->manager};
    memcpy(options.secret, from->secret, sizeof(options.secret));
    owner_init(&w->owner, &options, &to_edges, &events);
}

void cluster_worker_init(cluster_worker *w, const cluster_worker_options *options)
{
    edge_events events = options->clients;
    events.say = say_home;
    events.is_linked = is_linked_or_self;
    events.want = want;
    events.mistaken = mistaken;
    events.on_deliver = on_deliver;
    events.on_queue_full = on_queue_full;
    events.on_lost = on_lost;
    events.on_loss = on_loss;
    events.context = w;
    assert(options->number < node_core_workers(options->core));
    *w = (cluster_worker){.core = options->core,
                          .number = options->number,
                          .clients = options->clients,
                          .opens_rooms = options->opens_rooms};
    STAILQ_INIT(&w->events);
    STAILQ_INIT(&w->local);
    STAILQ_INIT(&w->won);
    open_owner(w, options);
    edge_init(&w->edge, node_core_self(w->core), (uint16_t)w->number, options->secret, &events);
}

void cluster_worker_deinit(cluster_worker *w)
{
    edge_deinit(&w->edge);
    owner_deinit(&w->owner);
    node_events_clear(&w->events);
    held_messages_clear(&w->local);
    while (!STAILQ_EMPTY(&w->won))
        forget_won(w);
}

/* ---- What has come ---- */

/* Is it about a room of this worker? Another node may err, or lie, about the number of a binding. */
static bool is_ours(const cluster_worker *w, const wire_message *m)
{
    if (m->type == WIRE_JOIN) {
        const room_key key = room_key_of(w->edge.secret, (room_space)m->space, m->room);
        return room_key_share(&key) == cluster_number_share(m->binding);
    }
    return m->type != WIRE_MERGE_BEGIN || room_key_share(&m->key) == cluster_number_share(m->number);
}

static void dispatch(cluster_worker *w, const node_id *from, const wire_message *m)
{
    if (!is_ours(w, m))
        counter_add(&w->counts.misdirected, 1);
    else if (m->type >= WIRE_JOINED && m->type <= WIRE_CLOSE)
        edge_on_message(&w->edge, from, m, w->now_ms);
    else
        owner_on_message(&w->owner, from, m, w->now_ms);
}

static void on_message(cluster_worker *w, const node_event *event)
{
    node_taken *taken = &w->taken[event->slot];
    wire_message m;
    bool is_read = wire_read_link((slice){(const char *)event->data, event->len}, &m) == 0;
    assert(is_read); /* the core has read it, too */
    assert(taken->count == 0 || taken->generation == event->generation);
    taken->generation = event->generation;
    taken->count++;
    taken->bytes += event->len;
    w->has_taken = true;
    if (is_read)
        dispatch(w, &event->node, &m);
}

/* A room that is ours now may be wanted by nobody any more: look when all has been said that follows. */
static void note_won(cluster_worker *w, const room_key *key)
{
    won_room *won = malloc(sizeof(*won));
    if (won == NULL)
        return; /* it stays ours, and empty */
    won->key = *key;
    STAILQ_INSERT_TAIL(&w->won, won, link);
}

static void on_owner(cluster_worker *w, const node_event *event)
{
    edge_on_owner(&w->edge, &event->key, &event->owner, w->now_ms);
    owner_on_decided(&w->owner, &event->key, w->now_ms);
    if (node_id_equals(&event->owner.node, node_core_self(w->core)))
        note_won(w, &event->key);
}

static void on_event(cluster_worker *w, const node_event *event)
{
    switch (event->type) {
    case NODE_MESSAGE:
        on_message(w, event);
        break;
    case NODE_OWNER:
        on_owner(w, event);
        break;
    case NODE_CONFLICT:
        owner_on_conflict(&w->owner, &event->key, &event->node, w->now_ms);
        break;
    case NODE_UP:
        w->ear.generations[event->slot] = event->generation;
        break;
    case NODE_DOWN:
        w->taken[event->slot] = (node_taken){0}; /* of the link that is lost */
        owner_on_node_lost(&w->owner, &event->node, w->now_ms);
        edge_on_node_lost(&w->edge, &event->node, event->is_dead, w->now_ms);
        if (event->generation != 0)
            w->ear.generations[event->slot] = 0;
        break;
    }
}

/* Nobody waits for longer than CLUSTER_HOLD. Before the loss of links is handled: otherwise clients would
 * join again. */
static void end_unreachable(cluster_worker *w)
{
    if (node_core_is_hold_over(w->core))
        edge_end_unreachable(&w->edge, w->opens_rooms, w->now_ms);
}

static bool handle_events(cluster_worker *w)
{
    bool has_missed = node_core_take_events(w->core, w->number, &w->events);
    bool has_events = !STAILQ_EMPTY(&w->events);
    end_unreachable(w);
    while (!STAILQ_EMPTY(&w->events)) {
        node_event *first = STAILQ_FIRST(&w->events);
        STAILQ_REMOVE_HEAD(&w->events, link);
        on_event(w, first);
        node_event_free(first);
    }
    if (has_missed) {
        const room_key any = {{0}};
        owner_on_decided(&w->owner, &any, w->now_ms); /* the edge asks again by itself */
    }
    return has_events || has_missed;
}

/* What has been said here up to now. What follows from it comes behind it. */
static bool handle_local(cluster_worker *w)
{
    bool has_messages = !STAILQ_EMPTY(&w->local);
    held_messages said = STAILQ_HEAD_INITIALIZER(said);
    STAILQ_CONCAT(&said, &w->local);
    while (!STAILQ_EMPTY(&said)) {
        const wire_message m = held_message_read(STAILQ_FIRST(&said));
        dispatch(w, node_core_self(w->core), &m);
        held_messages_drop_first(&said);
    }
    return has_messages;
}

/* ---- A turn ---- */

static void tick(cluster_worker *w)
{
    bool has_joins = w->edge.last_serial != w->ticked_serial;
    bool is_due = w->now_ms >= w->ticked_ms + CLUSTER_WORKER_TICK_MS ||
                  w->now_ms >= room_manager_next_due_ms(w->owner.all.manager);
    w->ticked_serial = w->edge.last_serial;
    if (has_joins && !is_due)
        edge_seek(&w->edge, w->now_ms);
    if (is_due) {
        edge_tick(&w->edge, w->now_ms);
        owner_tick(&w->owner, w->now_ms);
        w->ticked_ms = w->now_ms;
    }
}

static void release_unused(cluster_worker *w)
{
    while (!STAILQ_EMPTY(&w->won)) {
        const won_room *first = STAILQ_FIRST(&w->won);
        if (owned_rooms_find(&w->owner, &first->key) == NULL)
            node_core_release(w->core, &first->key, w->now_ms);
        forget_won(w);
    }
}

void cluster_worker_flush(cluster_worker *w)
{
    if (w->has_taken)
        node_core_took(w->core, w->taken, w->now_ms);
    if (w->has_taken || w->has_called)
        node_core_end_turn(w->core, w->now_ms);
    w->has_taken = w->has_called = false;
}

bool cluster_worker_turn(cluster_worker *w, uint64_t now_ms)
{
    w->now_ms = now_ms;
    bool has_more = true;
    for (int round = 0; round < CLUSTER_WORKER_ROUNDS && has_more; round++) {
        has_more = handle_events(w);
        tick(w);
        has_more = handle_local(w) || has_more;
    }
    if (!has_more)
        release_unused(w);
    cluster_worker_flush(w);
    remotes_end_turn(&w->owner.all);
    return has_more || cluster_worker_has_more(w);
}

uint64_t cluster_worker_next_due_ms(const cluster_worker *w)
{
    bool has_any = w->edge.table != NULL || w->owner.rooms != NULL || w->owner.all.table != NULL ||
                   !TAILQ_EMPTY(&w->owner.takings);
    uint64_t due_ms = has_any ? w->ticked_ms + CLUSTER_WORKER_TICK_MS : UINT64_MAX;
    uint64_t rooms_ms = room_manager_next_due_ms(w->owner.all.manager);
    return rooms_ms < due_ms ? rooms_ms : due_ms;
}

/* ---- Numbers ---- */

static void copy(counter *to, const counter *from, size_t count)
{
    for (size_t i = 0; i < count; i++)
        counter_set(&to[i], counter_get(&from[i]));
}

void cluster_worker_get_counters(const cluster_worker *w, cluster_counters *out)
{
    copy(out->losses, w->counts.losses, CLUSTER_LOSSES);
    copy(&out->misdirected, &w->counts.misdirected, 1);
    copy(&out->bindings_elsewhere, &w->edge.elsewhere, 1);
    copy(&out->members_from_elsewhere, &w->owner.all.from_elsewhere, 1);
    copy((counter *)&out->owner, (const counter *)&w->owner.counts, sizeof(out->owner) / sizeof(counter));
}
