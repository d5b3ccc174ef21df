/* Members and links of the node core: who is there, and what comes by the links to them. */
#include "base/log.h"
#include "base/wipe.h"
#include "cluster/node_core_parts.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

static const char log_namespace[] = "HomeCall_Signal_Cluster";

/* ---- Events for workers ---- */

node_event *node_core_make_event(node_event_type type, slice data)
{
    node_event *event = malloc(sizeof(*event) + data.len);
    if (event == NULL)
        return NULL;
    *event = (node_event){.type = type, .len = data.len};
    if (data.len > 0)
        memcpy(event->data, data.data, data.len);
    return event;
}

void node_core_post(node_core *c, unsigned worker, node_event *event)
{
    assert(worker < c->workers);
    node_inbox *inbox = &c->inboxes[worker];
    inbox->must_wake |= STAILQ_EMPTY(&inbox->events);
    STAILQ_INSERT_TAIL(&inbox->events, event, link);
}

static node_event *make_news(node_event_type type, unsigned slot, const node_id *node, uint64_t generation)
{
    node_event *event = node_core_make_event(type, (slice){0});
    if (event == NULL)
        return NULL;
    event->slot = (uint8_t)slot;
    event->node = *node;
    event->generation = generation;
    return event;
}

/* An event for each worker, in order. False without memory: then there is none. */
static bool make_for_all(const node_core *c, node_event_type type, unsigned slot, const node_id *node,
                         uint64_t generation, node_events *out)
{
    for (unsigned i = 0; i < c->workers; i++) {
        node_event *event = make_news(type, slot, node, generation);
        if (event == NULL) {
            node_events_clear(out);
            return false;
        }
        STAILQ_INSERT_TAIL(out, event, link);
    }
    return true;
}

static void post_to_all(node_core *c, node_events *events, bool is_dead)
{
    for (unsigned i = 0; i < c->workers; i++) {
        node_event *event = STAILQ_FIRST(events);
        STAILQ_REMOVE_HEAD(events, link);
        event->is_dead = is_dead;
        node_core_post(c, i, event);
    }
    assert(STAILQ_EMPTY(events));
}

/* ---- Links: what they tell ---- */

static int slot_of(const node_core *c, const node_link *l)
{
    int slot = members_find(&c->members, link_peer(l));
    return slot >= 0 && c->peers[slot].link == l ? slot : -1;
}

static void on_send(void *context, node_link *l, const wire_message *packet)
{
    node_core_publish(context, NODE_TO_NODE, link_peer(l), packet);
}

/* Workers are told, and of the loss that may follow. Without memory for that it can't be up. */
static void on_up(void *context, node_link *l)
{
    node_core *c = context;
    int slot = slot_of(c, l);
    assert(slot >= 0);
    node_peer *peer = &c->peers[slot];
    node_events up = STAILQ_HEAD_INITIALIZER(up);
    uint64_t generation = ++c->last_generation;
    assert(STAILQ_EMPTY(&peer->last) && peer->generation == 0);
    if (!make_for_all(c, NODE_UP, (unsigned)slot, link_peer(l), generation, &up) ||
        !make_for_all(c, NODE_DOWN, (unsigned)slot, link_peer(l), generation, &peer->last)) {
        node_events_clear(&up);
        peer->must_lose = true;
        node_core_hurry(c, c->now_ms);
        return;
    }
    peer->generation = generation;
    peer->inbox_bytes = 0;
    post_to_all(c, &up, false);
    claims_on_link(c->claims, (unsigned)slot, c->now_ms);
}

/* What it has lost was told just before. */
static void log_lost_link(node_core *c, const node_peer *peer)
{
    char id[NODE_ID_TEXT_CAP];
    bool is_expected =
        c->counts.signals_lost == c->losses_told && members_is_gone(&c->members, link_peer(peer->link));
    node_id_print(link_peer(peer->link), id);
    LOG(is_expected ? LOG_INFO : LOG_WARN, log_namespace, "a link is lost",
        LOG_BYTES("incarnation", slice_of_text(id)),
        LOG_NUMBER("signals_lost", c->counts.signals_lost - c->losses_told));
    c->losses_told = c->counts.signals_lost;
}

static void on_lost(void *context, node_link *l)
{
    node_core *c = context;
    /* The slot of a member that is lost is free already, but the link is still in it. */
    for (unsigned slot = 0; slot < MEMBERS_MAX; slot++) {
        node_peer *peer = &c->peers[slot];
        if (peer->link != l)
            continue;
        c->counts.links_lost++;
        log_lost_link(c, peer);
        peer->must_lose = false;
        if (peer->generation != 0)
            post_to_all(c, &peer->last, c->members.slots[slot].state == MEMBER_LOST);
        peer->generation = 0;
    }
}

static void on_lost_message(void *context, node_link *l, slice body)
{
    node_core *c = context;
    (void)l;
    wire_message m;
    bool is_read = wire_read_link(body, &m) == 0;
    while (is_read && m.type == WIRE_FORWARD)
        is_read = wire_read_link(m.payload, &m) == 0;
    assert(is_read); /* we have written it */
    if (is_read && (m.type == WIRE_SIGNAL || m.type == WIRE_DELIVER))
        c->counts.signals_lost++;
}

/* Which of our workers has the room of this binding, or of this merge. */
static unsigned worker_of_room(const node_core *c, uint64_t number)
{
    return room_share_worker(cluster_number_share(number), c->workers);
}

/* Which of our workers a message is for, or -1 where we have none like that. */
static int worker_of(const node_core *c, const wire_message *m)
{
    wire_message inner;
    unsigned worker = c->workers;
    if (m->type >= WIRE_JOIN && m->type <= WIRE_SWITCH)
        worker = worker_of_room(c, m->binding);
    else if (m->type >= WIRE_JOINED && m->type <= WIRE_CLOSE)
        worker = cluster_number_worker(m->binding);
    else if (m->type == WIRE_FORWARD && wire_read_link(m->payload, &inner) == 0 && inner.type > WIRE_JOIN &&
             inner.type <= WIRE_SWITCH)
        worker = worker_of_room(c, inner.binding);
    else if (m->type == WIRE_MERGE_READY || m->type == WIRE_MERGE_REFUSED)
        worker = cluster_number_worker(m->number);
    else if (m->type >= WIRE_MERGE_BEGIN && m->type <= WIRE_MERGE_ABORT)
        worker = worker_of_room(c, m->number);
    return worker < c->workers ? (int)worker : -1;
}

static void on_owns(node_core *c, const node_id *from, const wire_message *m)
{
    for (unsigned i = 0; i < wire_key_count(m); i++) {
        const room_key key = wire_key_at(m, i);
        claims_on_announced(c->claims, from, &key, c->now_ms);
    }
}

/* A message for a worker. False where it can't be posted: the link has to be lost then. What waits is bounded
 * by what the other end may have in its link; twice that is more than it may say. */
static bool post_message(node_core *c, unsigned slot, unsigned worker, slice body)
{
    node_peer *peer = &c->peers[slot];
    if (peer->generation == 0 || peer->inbox_bytes + body.len > 2 * c->limits.bytes)
        return false;
    node_event *event = node_core_make_event(NODE_MESSAGE, body);
    if (event == NULL)
        return false;
    event->slot = (uint8_t)slot;
    event->node = *link_peer(peer->link);
    event->generation = peer->generation;
    peer->inbox_bytes += body.len;
    node_core_post(c, worker, event);
    return true;
}

static void on_deliver(void *context, node_link *l, uint16_t hint, slice body)
{
    (void)hint;
    node_core *c = context;
    wire_message m;
    int slot = slot_of(c, l);
    assert(slot >= 0);
    bool is_good = wire_read_link(body, &m) == 0;
    int worker = is_good ? worker_of(c, &m) : -1;
    if (is_good && m.type == WIRE_OWNS) {
        on_owns(c, link_peer(l), &m);
        link_took(l, 1, c->now_ms);
    } else if (worker < 0) {
        c->counts.packets_bad++;
        link_took(l, 1, c->now_ms);
    } else if (!post_message(c, (unsigned)slot, (unsigned)worker, body)) {
        c->peers[slot].must_lose = true;
        node_core_hurry(c, c->now_ms);
    }
}

/* ---- Links: what they are for ---- */

node_peer *node_core_peer(node_core *c, const node_id *id)
{
    int slot = members_find(&c->members, id);
    return slot < 0 ? NULL : &c->peers[slot];
}

int node_core_say_to(node_core *c, node_peer *peer, const link_lane *lane, const wire_message *m)
{
    uint8_t small[2048];
    size_t len = wire_size(m);
    uint8_t *body = len <= sizeof(small) ? small : malloc(len);
    if (body == NULL)
        return -ENOMEM;
    wire_write(m, body);
    int error = link_send(peer->link, 0, lane, (slice){(const char *)body, len}, c->now_ms);
    if (body != small)
        wipe_and_free(body, len);
    c->counts.windows_full += error == -EAGAIN || error == -ENOBUFS;
    if (error == -ENOBUFS) {
        peer->must_lose = true;
        node_core_hurry(c, c->now_ms);
    }
    return error;
}

static void open_link(node_core *c, unsigned slot)
{
    static const link_events events = {.send = on_send,
                                       .deliver = on_deliver,
                                       .on_up = on_up,
                                       .on_lost_message = on_lost_message,
                                       .on_lost = on_lost};
    link_events with_context = events;
    with_context.context = c;
    node_peer *peer = &c->peers[slot];
    /* Without memory it is tried again at the next tick. */
    (void)link_new(&c->members.self, &c->members.slots[slot].id, &c->limits, &with_context, c->now_ms,
                   &peer->link);
    node_core_hurry(c, c->now_ms);
}

static void close_link(node_core *c, unsigned slot)
{
    node_peer *peer = &c->peers[slot];
    bool was_up = peer->generation != 0;
    if (peer->link != NULL) {
        link_lose(peer->link, c->now_ms);
        c->resends += link_resends(peer->link);
        link_free(peer->link);
        peer->link = NULL;
    }
    peer->must_lose = false;
    node_events dead = STAILQ_HEAD_INITIALIZER(dead);
    /* Without memory nobody waits for those who were there; it is a courtesy. */
    if (!was_up && make_for_all(c, NODE_DOWN, slot, &c->members.slots[slot].id, 0, &dead))
        post_to_all(c, &dead, true);
}

void node_core_tick_links(node_core *c)
{
    for (unsigned slot = 0; slot < MEMBERS_MAX; slot++) {
        if (c->members.slots[slot].state == MEMBER_LOST)
            continue;
        if (c->peers[slot].link == NULL)
            open_link(c, slot);
        if (c->peers[slot].link != NULL)
            link_tick(c->peers[slot].link, c->now_ms);
    }
}

void node_core_lose_links(node_core *c)
{
    for (unsigned slot = 0; slot < MEMBERS_MAX; slot++) {
        if (c->peers[slot].must_lose)
            link_lose(c->peers[slot].link, c->now_ms);
        c->peers[slot].must_lose = false;
    }
}

/* ---- Members ---- */

void node_core_beat(void *context)
{
    node_core *c = context;
    const wire_message beat = {.type = WIRE_BEAT,
                               .flags = c->is_draining ? WIRE_IS_DRAINING : 0,
                               .name = slice_of_text(c->name),
                               .version = slice_of_text(c->version)};
    node_core_publish(c, NODE_TO_MEMBERS, NULL, &beat);
}

static void log_member(const cluster_member *member, log_level level, const char *event)
{
    char id[NODE_ID_TEXT_CAP];
    node_id_print(&member->id, id);
    LOG(level, log_namespace, event, LOG_BYTES("other", ((slice){member->name, member->name_len})),
        LOG_BYTES("incarnation", slice_of_text(id)));
}

void node_core_on_member(void *context, unsigned slot, member_state before)
{
    node_core *c = context;
    const cluster_member *member = &c->members.slots[slot];
    if (before == MEMBER_LOST) {
        log_member(member, LOG_INFO, "a node is there");
        if (members_shares_name(&c->members, slot) ||
            slice_equals(slice_of_text(c->name), (slice){member->name, member->name_len}))
            log_member(member, LOG_WARN, "two nodes have the same name (CLUSTER_NODE)");
        open_link(c, slot);
        claims_on_member(c->claims, slot, false, c->now_ms);
    } else if (member->state == MEMBER_LOST) {
        bool has_said_bye = members_is_gone(&c->members, &member->id);
        c->counts.nodes_lost += !has_said_bye;
        log_member(member, has_said_bye ? LOG_INFO : LOG_WARN,
                   has_said_bye ? "a node has ended" : "a node is lost");
        claims_on_member(c->claims, slot, true, c->now_ms);
        close_link(c, slot);
    } else if (member->state == MEMBER_DOUBTFUL) {
        log_member(member, LOG_WARN, "a node is silent");
    } else {
        log_member(member, LOG_INFO, member->is_draining ? "a node drains" : "a node is heard again");
    }
}
