#include "cluster/owner.h"

#include "cluster/owner_join.h"
#include "rooms/room_moving.h"

#include <assert.h>
#include <errno.h>

void owner_init(owner *o, const owner_options *options, const remotes_events *to_edges,
                const owner_events *events)
{
    *o = (owner){.events = *events, .self = options->self, .worker = options->worker};
    memcpy(o->secret, options->secret, sizeof(o->secret));
    remotes_init(&o->all, &options->self, to_edges, options->kinds, options->kind_count, options->manager);
    STAILQ_INIT(&o->undecided);
    TAILQ_INIT(&o->takings);
}

static void forget_room(owner *o, owned_room *room)
{
    remote *r;
    while ((r = TAILQ_FIRST(&room->remotes)) != NULL) {
        r->peer.member = NULL; /* the rooms are not touched any more */
        remote_end(r);
    }
    held_messages_clear(&room->held);
    owned_rooms_remove(o, room);
}

void owner_deinit(owner *o)
{
    for (owned_room *room = o->rooms, *next; room != NULL; room = next) {
        next = room->table.next;
        forget_room(o, room);
    }
    remotes_deinit(&o->all);
    held_messages_clear(&o->undecided);
    merge_deinit(o);
}

static void lose_signal(owner *o, cluster_loss why, const wire_message *m)
{
    if (m->type == WIRE_SIGNAL)
        o->all.events.on_loss(o->all.events.context, why, m->payload);
}

/* ---- While there ---- */

static void on_signal(owner *o, remote *r, const wire_message *m)
{
    const remote_kind *kind = remote_kind_of(r);
    if (room_peer_is_waiting(&r->peer)) {
        if (!held_messages_add(&r->in, &r->id.edge, m))
            lose_signal(o, CLUSTER_LOSS_MERGE, m);
        return;
    }
    assert(STAILQ_EMPTY(&r->in));
    if (kind->on_signal != NULL && !kind->on_signal(r, m))
        return;
    const struct iovec part = slice_to_iovec(m->payload);
    const room_signal signal = {
        .kind = m->code, .count = 1, .parts = &part, .is_fleeting = (m->flags & WIRE_IS_FLEETING) != 0};
    if (room_manager_signal(o->all.manager, &r->peer, &signal, o->all.now_ms) != 0) {
        wire_message full = {.type = WIRE_QUEUE_FULL, .extra = m->extra};
        remote_tell(r, &full);
    }
}

static void on_alive(owner *o, remote *r, const wire_message *m)
{
    if (m->number != r->probe || r->corked_ms != 0)
        return; /* it answers what a former owner has asked */
    r->alive_ms = o->all.now_ms;
    room_manager_on_alive(o->all.manager, &r->peer, o->all.now_ms);
}

/* Its client goes. */
static void on_leave(owner *o, remote *r)
{
    const room_leaving how = {.why = ROOM_NEWS_LEFT, .now_ms = o->all.now_ms};
    room_manager_leave(o->all.manager, &r->peer, &how);
    remote_end(r);
}

/* Its client is gone, or its edge. */
static void on_lost(owner *o, remote *r, bool is_fault)
{
    const remote_kind *kind = remote_kind_of(r);
    if (r->away_ms != 0)
        return; /* that is known */
    if (kind->stay != NULL && room_peer_is_joined(&r->peer) && kind->stay(r, is_fault)) {
        r->away_ms = o->all.now_ms;
        r->corked_ms = 0;
        held_messages_clear(&r->out); /* its kind tells it again */
        r->out_bytes = 0;
        room_manager_away(o->all.manager, &r->peer);
        return;
    }
    room_manager_lose(o->all.manager, &r->peer, o->all.now_ms);
    remote_end(r);
}

static void on_open_message(owner *o, remote *r, const wire_message *m)
{
    switch (m->type) {
    case WIRE_SIGNAL:
        on_signal(o, r, m);
        break;
    case WIRE_ALIVE:
        on_alive(o, r, m);
        break;
    case WIRE_LEAVE:
        on_leave(o, r);
        break;
    case WIRE_LOST:
        on_lost(o, r, (m->flags & WIRE_IS_FAULT) != 0);
        break;
    default:
        break;
    }
}

/* To the owner that its room has now. Nothing comes behind these three. */
static void forward(owner *o, remote *r, const wire_message *m)
{
    uint8_t *inner = malloc(wire_size(m));
    bool is_last = m->type == WIRE_SWITCH || m->type == WIRE_LEAVE || m->type == WIRE_LOST;
    int error = -ENOMEM;
    if (inner != NULL) {
        wire_write(m, inner);
        const wire_message outer = {
            .type = WIRE_FORWARD, .other = r->id.edge, .payload = {(const char *)inner, wire_size(m)}};
        error = o->all.events.say(o->all.events.context, &r->to.node, &outer, true);
    }
    free(inner);
    if (error != 0) {
        lose_signal(o, CLUSTER_LOSS_LINK, m);
        remotes_tell_of(&o->all, WIRE_UNBOUND, &r->id.edge, r->id.binding);
        is_last = true;
    }
    if (is_last)
        remote_end(r);
}

/* A message of a binding that is known. */
static void on_bound_message(owner *o, remote *r, const wire_message *m)
{
    if (m->type == WIRE_SWITCH && r->corked_ms != 0) {
        remote_uncork(r);
    } else if (r->state == REMOTE_STUB) {
        forward(o, r, m);
    } else if (r->state != REMOTE_OPEN) {
        lose_signal(o, CLUSTER_LOSS_UNBOUND, m);
        if (m->type == WIRE_LEAVE || m->type == WIRE_LOST)
            remote_end(r);
    } else if (r->room->is_given) {
        if (!held_messages_add(&r->room->held, &r->id.edge, m))
            lose_signal(o, CLUSTER_LOSS_MERGE, m);
    } else {
        on_open_message(o, r, m);
    }
}

/* Who joins again may still be here as what it was before: its room has come here, and the edge has lost the
 * giver before it heard of that. It must not meet itself. */
static void lose_former(owner *o, const node_id *edge, const wire_message *join)
{
    const wire_message lost = {.type = WIRE_LOST, .binding = join->number};
    remote *former = join->number == 0 ? NULL : remotes_find(&o->all, edge, join->number);
    if (former != NULL)
        on_bound_message(o, former, &lost);
}

/* What an edge has said, to us or to one who was the owner. */
static void on_edge_message(owner *o, const node_id *edge, const wire_message *m)
{
    remote *r = remotes_find(&o->all, edge, m->binding);
    if (m->type == WIRE_JOIN) {
        lose_former(o, edge, m);
        owner_join(o, edge, m);
    } else if (r != NULL) {
        on_bound_message(o, r, m);
    } else {
        lose_signal(o, CLUSTER_LOSS_UNBOUND, m);
        if (m->type == WIRE_SIGNAL || m->type == WIRE_SWITCH)
            remotes_tell_of(&o->all, WIRE_UNBOUND, edge, m->binding);
    }
}

static void on_forward(owner *o, const wire_message *outer)
{
    wire_message m;
    if (wire_read_link(outer->payload, &m) == 0 && m.type > WIRE_JOIN && m.type <= WIRE_SWITCH)
        on_edge_message(o, &outer->other, &m);
}

/* ---- What was held ---- */

static void say_held(owner *o, const held_message *held)
{
    const wire_message m = held_message_read(held);
    on_edge_message(o, &held->from, &m);
}

static void go_on(owner *o)
{
    while (!STAILQ_EMPTY(&o->all.again)) {
        held_messages first = STAILQ_HEAD_INITIALIZER(first);
        held_message *held = STAILQ_FIRST(&o->all.again);
        STAILQ_REMOVE_HEAD(&o->all.again, link);
        STAILQ_INSERT_TAIL(&first, held, link);
        say_held(o, held);
        held_messages_clear(&first);
    }
}

void owner_on_decided(owner *o, const room_key *key, uint64_t now_ms)
{
    (void)key; /* few wait, and those for another room wait again */
    o->all.now_ms = now_ms;
    STAILQ_CONCAT(&o->all.again, &o->undecided);
    go_on(o);
}

/* ---- What the server calls ---- */

void owner_on_message(owner *o, const node_id *from, const wire_message *m, uint64_t now_ms)
{
    o->all.now_ms = now_ms;
    go_on(o); /* where a dialect has ended somebody, and another one was let in */
    if (m->type >= WIRE_JOIN && m->type <= WIRE_SWITCH)
        on_edge_message(o, from, m);
    else if (m->type == WIRE_FORWARD)
        on_forward(o, m);
    else if (m->type >= WIRE_MERGE_BEGIN && m->type <= WIRE_MERGE_ABORT)
        merge_on_message(o, from, m);
    go_on(o);
}

void owner_on_conflict(owner *o, const room_key *key, const node_id *other, uint64_t now_ms)
{
    o->all.now_ms = now_ms;
    go_on(o);
    owned_room *room = owned_rooms_find(o, key);
    const room_home home = {.node = *other};
    if (room != NULL)
        merge_on_rival(o, room, other);
    else
        o->events.give(o->events.context, key, &home); /* nobody is in it */
    go_on(o);
}

/* Those who wait for a decision, too. */
static void forget_undecided(owner *o, const node_id *node)
{
    held_messages kept = STAILQ_HEAD_INITIALIZER(kept);
    held_messages gone = STAILQ_HEAD_INITIALIZER(gone);
    held_message *held;
    while ((held = STAILQ_FIRST(&o->undecided)) != NULL) {
        STAILQ_REMOVE_HEAD(&o->undecided, link);
        STAILQ_INSERT_TAIL(node_id_equals(&held->from, node) ? &gone : &kept, held, link);
    }
    held_messages_clear(&gone);
    STAILQ_CONCAT(&o->undecided, &kept);
}

void owner_on_node_lost(owner *o, const node_id *node, uint64_t now_ms)
{
    o->all.now_ms = now_ms;
    go_on(o);
    merge_on_node_lost(o, node);
    go_on(o);
    forget_undecided(o, node);
    const wire_message lost = {.type = WIRE_LOST};
    for (remote *r = o->all.table, *next; r != NULL; r = next) {
        next = r->table.next;
        if (node_id_equals(&r->id.edge, node)) {
            if (r->state == REMOTE_OPEN) {
                wire_message m = lost;
                m.binding = r->id.binding;
                on_bound_message(o, r, &m);
            } else {
                remote_end(r);
            }
        } else if (r->state == REMOTE_STUB && node_id_equals(&r->to.node, node)) {
            remotes_tell_of(&o->all, WIRE_UNBOUND, &r->id.edge, r->id.binding);
            remote_end(r);
        }
    }
    go_on(o);
}

/* ---- Time ---- */

/* Its edge does not switch, or what waits for it has grown too long. */
static void tick_remote(owner *o, remote *r)
{
    bool is_over = r->corked_ms != 0 && o->all.now_ms >= r->corked_ms + REMOTE_CORKED_MS;
    remote_flush(r);
    if (r->state == REMOTE_ENDED || !(is_over || r->is_slow) ||
        (r->state == REMOTE_OPEN && r->room->is_given))
        return;
    if (is_over)
        remotes_tell_of(&o->all, WIRE_UNBOUND, &r->id.edge, r->id.binding);
    else
        owner_tell_end(o, &r->id.edge, r->id.binding, WIRE_END_SLOW);
    if (r->peer.member == NULL)
        remote_end(r);
    else
        on_lost(o, r, !is_over); /* whose edge does not switch may come back, and go on */
}

static void tick_remotes(owner *o)
{
    for (remote *r = o->all.table, *next; r != NULL; r = next) {
        next = r->table.next;
        if (r->away_ms == 0)
            tick_remote(o, r);
    }
    go_on(o);
}

static void release_empty(owner *o)
{
    for (owned_room *room = o->rooms, *next; room != NULL; room = next) {
        next = room->table.next;
        if (room->is_given || !TAILQ_EMPTY(&room->remotes) ||
            room_manager_has_room(o->all.manager, room->space, owned_room_name(room)))
            continue;
        o->events.release(o->events.context, &room->key);
        owned_rooms_remove(o, room);
    }
}

void owner_tick(owner *o, uint64_t now_ms)
{
    o->all.now_ms = now_ms;
    room_manager_tick(o->all.manager, now_ms);
    go_on(o);
    tick_remotes(o);
    merge_tick(o);
    go_on(o);
    release_empty(o);
    remotes_end_turn(&o->all);
}
