/* Life of the node core, its packets and its time. */

#include "base/log.h"
#include "base/wipe.h"
#include "cluster/node_core_parts.h"

#include <assert.h>
#include <errno.h>

/* ---- Life ---- */

static void keep_text(char out[NODE_NAME_CAP], slice text)
{
    assert(text.len < NODE_NAME_CAP);
    memcpy(out, text.data, text.len);
}

static int init(node_core *c, const node_core_options *options, uint64_t now_ms)
{
    const members_events events = {.beat = node_core_beat, .on_change = node_core_on_member, .context = c};
    claims_events of_claims = node_core_claims_events;
    of_claims.context = c;
    c->workers = options->workers;
    c->wake_worker = options->wake_worker;
    c->wake_courier = options->wake_courier;
    c->context = options->context;
    c->limits = options->limits;
    c->hold_ms = options->hold_ms;
    c->now_ms = now_ms;
    keep_text(c->name, options->name);
    keep_text(c->version, options->version);
    STAILQ_INIT(&c->packets);
    for (unsigned i = 0; i < c->workers; i++)
        STAILQ_INIT(&c->inboxes[i].events);
    for (unsigned slot = 0; slot < MEMBERS_MAX; slot++)
        STAILQ_INIT(&c->peers[slot].last);
    members_init(&c->members, &options->self, &events, now_ms);
    return claims_new(&c->members, &of_claims, options->serves_alone, &c->claims);
}

int node_core_new(const node_core_options *options, uint64_t now_ms, node_core **out)
{
    assert(options->workers > 0 && options->workers <= NODE_MAX_WORKERS);
    node_core *c = calloc(1, sizeof(*c) + options->workers * sizeof(c->inboxes[0]));
    if (c == NULL)
        return -ENOMEM;
    int error = pthread_mutex_init(&c->lock, NULL);
    if (error != 0) {
        free(c);
        return -error;
    }
    error = init(c, options, now_ms);
    if (error != 0) {
        node_core_free(c);
        return error;
    }
    *out = c;
    return 0;
}

static void clear_packets(node_packets *packets)
{
    while (!STAILQ_EMPTY(packets)) {
        node_packet *first = STAILQ_FIRST(packets);
        STAILQ_REMOVE_HEAD(packets, link);
        node_packet_free(first);
    }
}

void node_core_free(node_core *c)
{
    if (c == NULL)
        return;
    for (unsigned slot = 0; slot < MEMBERS_MAX; slot++) {
        link_free(c->peers[slot].link);
        node_events_clear(&c->peers[slot].last);
    }
    for (unsigned i = 0; i < c->workers; i++)
        node_events_clear(&c->inboxes[i].events);
    clear_packets(&c->packets);
    claims_free(c->claims);
    pthread_mutex_destroy(&c->lock);
    free(c);
}

/* ---- The mutex ---- */

/* The threads read their clocks at different moments. For the parts below time never goes back. */
void node_core_enter(node_core *c, uint64_t now_ms)
{
    pthread_mutex_lock(&c->lock);
    if (now_ms > c->now_ms)
        c->now_ms = now_ms;
}

void node_core_leave(node_core *c, bool wakes)
{
    bool wakes_courier = wakes && c->must_wake_courier;
    uint64_t woken[NODE_MAX_WORKERS / 64] = {0};
    if (wakes_courier)
        c->must_wake_courier = false;
    for (unsigned i = 0; wakes && i < c->workers; i++) {
        if (c->inboxes[i].must_wake)
            woken[i / 64] |= UINT64_C(1) << i % 64;
        c->inboxes[i].must_wake = false;
    }
    pthread_mutex_unlock(&c->lock);

    if (wakes_courier)
        c->wake_courier(c->context);
    for (unsigned i = 0; wakes && i < c->workers; i++) {
        if ((woken[i / 64] >> i % 64 & 1) != 0)
            c->wake_worker(c->context, i);
    }
}

void node_core_hurry(node_core *c, uint64_t due_ms)
{
    if (due_ms >= c->due_ms)
        return;
    c->due_ms = due_ms;
    c->must_wake_courier = true;
}

/* ---- Packets out ---- */

void node_packet_free(node_packet *packet)
{
    wipe_and_free(packet, sizeof(*packet) + packet->len);
}

/* While the engine is away nothing waits for it: what is still true then is said again. */
void node_core_publish(node_core *c, node_subject subject, const node_id *to, const wire_message *m)
{
    wire_message whole = *m;
    whole.from = c->members.self;
    size_t len = wire_size(&whole);
    if (!members_has_engine(&c->members))
        return;
    node_packet *packet = NULL;
    if (c->packet_bytes + len + NODE_PACKET_OVERHEAD <= NODE_MAX_OUTGOING)
        packet = malloc(sizeof(*packet) + len);
    if (packet == NULL) {
        c->counts.packets_left_out++;
        return;
    }
    *packet = (node_packet){.subject = subject, .len = len};
    if (to != NULL)
        packet->to = *to;
    wire_write(&whole, packet->data);
    c->must_wake_courier |= STAILQ_EMPTY(&c->packets);
    STAILQ_INSERT_TAIL(&c->packets, packet, link);
    c->packet_bytes += len + NODE_PACKET_OVERHEAD;
    c->counts.packets_out++;
}

void node_core_take_packets(node_core *c, node_packets *out)
{
    pthread_mutex_lock(&c->lock);
    STAILQ_CONCAT(out, &c->packets);
    c->packet_bytes = 0;
    pthread_mutex_unlock(&c->lock);
}

/* ---- Packets in ---- */

static void on_link_packet(node_core *c, const wire_message *m)
{
    const node_peer *peer = node_core_peer(c, &m->from);
    if (peer == NULL || peer->link == NULL)
        return;
    link_on_packet(peer->link, m, c->now_ms);
    node_core_hurry(c, link_next_due_ms(peer->link));
}

static void on_announce(node_core *c, const wire_message *m)
{
    for (unsigned i = 0; i < wire_key_count(m); i++) {
        const room_key key = wire_key_at(m, i);
        claims_on_announced(c->claims, &m->from, &key, c->now_ms);
    }
}

static void on_packet(node_core *c, const wire_message *m)
{
    switch (m->type) {
    case WIRE_BEAT:
        (void)members_on_beat(&c->members, m, c->now_ms); /* who finds no slot is no member */
        break;
    case WIRE_BYE:
        (void)members_on_bye(&c->members, &m->from);
        break;
    case WIRE_CLAIM:
        claims_on_claim(c->claims, m, c->now_ms);
        break;
    case WIRE_ANSWER:
        claims_on_answer(c->claims, m, c->now_ms);
        break;
    case WIRE_ANNOUNCE:
        on_announce(c, m);
        break;
    default:
        on_link_packet(c, m);
    }
}

void node_core_on_packet(node_core *c, slice packet, uint64_t now_ms)
{
    wire_message m;
    bool is_good = wire_read_packet(packet, &m) == 0;
    node_core_enter(c, now_ms);
    c->counts.packets_in++;
    if (is_good)
        on_packet(c, &m);
    else
        c->counts.packets_bad++;
    node_core_leave(c, true);
}

/* ---- The engine ---- */

void node_core_on_engine(node_core *c, bool is_there, uint64_t now_ms)
{
    node_core_enter(c, now_ms);
    c->counts.engine_joined += is_there && !members_has_engine(&c->members);
    members_on_engine(&c->members, is_there, c->now_ms);
    claims_on_engine(c->claims, is_there, c->now_ms);
    for (unsigned slot = 0; slot < MEMBERS_MAX; slot++) {
        if (c->peers[slot].link != NULL)
            link_on_engine(c->peers[slot].link, is_there, c->now_ms);
    }
    node_core_hurry(c, c->now_ms);
    node_core_leave(c, true);
}

void node_core_on_gap(node_core *c, uint64_t now_ms)
{
    node_core_enter(c, now_ms);
    c->counts.gaps++;
    if (members_has_engine(&c->members))
        claims_on_engine(c->claims, true, c->now_ms);
    node_core_hurry(c, c->now_ms);
    node_core_leave(c, true);
}

/* ---- Time ---- */

static void sooner(uint64_t *due_ms, uint64_t at_ms)
{
    if (at_ms < *due_ms)
        *due_ms = at_ms;
}

static uint64_t next_due_ms(const node_core *c)
{
    uint64_t due_ms = members_next_due_ms(&c->members);
    sooner(&due_ms, claims_next_due_ms(c->claims, c->now_ms));
    for (unsigned slot = 0; slot < MEMBERS_MAX; slot++) {
        if (c->peers[slot].link != NULL)
            sooner(&due_ms, link_next_due_ms(c->peers[slot].link));
    }
    return due_ms > c->now_ms ? due_ms : c->now_ms + 1;
}

/* While the engine is away no link is lost, up to CLUSTER_HOLD. */
static void end_hold(node_core *c)
{
    bool was_over = atomic_load_explicit(&c->is_hold_over, memory_order_relaxed);
    bool is_over = c->hold_ms != 0 && claims_engine_away_ms(c->claims, c->now_ms) >= c->hold_ms;
    atomic_store_explicit(&c->is_hold_over, is_over, memory_order_relaxed);
    if (!is_over || was_over)
        return;
    log_event(LOG_ERROR, "HomeCall_Signal_Cluster",
              "the engine is away for CLUSTER_HOLD: who needs another node is sent away", NULL, 0);
    for (unsigned slot = 0; slot < MEMBERS_MAX; slot++)
        c->peers[slot].must_lose = c->peers[slot].link != NULL;
    for (unsigned i = 0; i < c->workers; i++)
        c->inboxes[i].must_wake = true;
}

uint64_t node_core_tick(node_core *c, uint64_t now_ms)
{
    node_core_enter(c, now_ms);
    if (c->now_ms >= c->due_ms) {
        members_tick(&c->members, c->now_ms);
        claims_tick(c->claims, c->now_ms);
        node_core_tick_links(c);
        end_hold(c);
        node_core_lose_links(c);
        c->due_ms = next_due_ms(c);
    }
    uint64_t due_ms = c->due_ms;
    c->must_wake_courier = false; /* it is awake, and looks at what waits next */
    node_core_leave(c, true);
    return due_ms;
}

void node_core_drain(node_core *c, uint64_t now_ms)
{
    node_core_enter(c, now_ms);
    c->is_draining = true;
    if (members_has_engine(&c->members))
        node_core_beat(c);
    node_core_leave(c, true);
}

void node_core_say_bye(node_core *c)
{
    const wire_message bye = {.type = WIRE_BYE};
    pthread_mutex_lock(&c->lock);
    node_core_publish(c, NODE_TO_MEMBERS, NULL, &bye);
    node_core_leave(c, true);
}
