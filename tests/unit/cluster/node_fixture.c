#include "unit/cluster/node_fixture.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const uint8_t secret[CLUSTER_SECRET_BYTES] = {7};

/* ---- A dialect ---- */

static bool write_signal(remote *r, const room_signal *signal, const room_member *from, bytes **out)
{
    (void)r;
    (void)from;
    return bytes_append(out, signal->parts[0].iov_base, signal->parts[0].iov_len) == 0;
}

static const remote_kind kind = {
    .face = {.kinds = 1,
             .version = 1,
             .has_users = true,
             .keeps_queue = true,
             .send = remote_face_send,
             .probe = remote_face_probe,
             .is_alive_since = remote_face_is_alive_since,
             .is_in_doubt = remote_face_is_in_doubt,
             .on_admitted = remote_face_on_admitted,
             .on_entered = remote_face_on_entered,
             .on_refused = remote_face_on_refused,
             .on_replaced = remote_face_on_replaced,
             .on_dropped = remote_face_on_dropped,
             .account = remote_face_account,
             .id = remote_face_id},
    .space = ROOM_SPACE_ROOMS,
    .write = write_signal,
};
static const remote_kind *const kinds[] = {&kind};

/* ---- Clients ---- */

static void on_joined(void *context, void *client, slice extra)
{
    (void)context;
    (void)extra;
    test_client *c = client;
    c->joins++;
    c->state = CLIENT_IN;
}

static void on_waiting(void *context, void *client)
{
    (void)context;
    ((test_client *)client)->state = CLIENT_WAITS;
}

static void on_deliver(void *context, void *client, slice payload)
{
    (void)context;
    test_client *c = client;
    uint32_t number;
    assert_int_equal(payload.len, sizeof(number));
    memcpy(&number, payload.data, sizeof(number));
    assert_true(c->heard_count < MAX_HEARD);
    c->heard[c->heard_count] = number;
    c->heard_count++;
}

static void on_queue_full(void *context, void *client, slice extra, slice payload)
{
    (void)context;
    (void)client;
    (void)extra;
    (void)payload;
    fail_msg("no queue is full here");
}

static void on_probe(void *context, void *client, uint64_t number)
{
    (void)context;
    const test_client *c = client;
    edge_alive(c->binding, number, c->worker->cluster.now_ms);
}

static void end(void *client)
{
    test_client *c = client;
    c->binding = NULL;
    c->state = CLIENT_ENDED;
}

static void on_full(void *context, void *client)
{
    (void)context;
    end(client);
}

static void on_close(void *context, void *client, wire_end why)
{
    (void)context;
    ((test_client *)client)->why = why;
    end(client);
}

static void on_lost(void *context, void *client)
{
    (void)context;
    end(client);
}

void client_join(test_client *c, test_worker *w, const char *room, const char *user, uint64_t now_ms)
{
    c->worker = w;
    snprintf(c->room, sizeof(c->room), "%s", room);
    snprintf(c->user, sizeof(c->user), "%s", user);
    if (c->heard == NULL)
        c->heard = calloc(MAX_HEARD, sizeof(*c->heard));
    assert_non_null(c->heard);
    c->state = CLIENT_JOINING;
    const edge_join join = {.client = c,
                            .space = ROOM_SPACE_ROOMS,
                            .room = slice_of_text(c->room),
                            .user = slice_of_text(c->user)};
    c->binding = edge_join_room(&w->cluster.edge, &join, now_ms);
    assert_non_null(c->binding);
}

void client_leave(test_client *c, uint64_t now_ms)
{
    edge_leave(c->binding, now_ms);
    c->binding = NULL;
    c->state = CLIENT_OUT;
}

int client_say(test_client *c, uint32_t number, uint64_t now_ms)
{
    return edge_signal(c->binding, 0, false, (slice){0}, (slice){(const char *)&number, sizeof(number)},
                       now_ms);
}

void client_free(test_client *c)
{
    free(c->heard);
    c->heard = NULL;
}

/* ---- Nodes ---- */

static void note_worker_woken(void *context, unsigned worker)
{
    ((node *)context)->woken_workers[worker] = true;
}

static void note_courier_woken(void *context)
{
    ((node *)context)->is_courier_woken = true;
}

static bool reserve(void *context, uint32_t account, size_t len)
{
    (void)context;
    (void)account;
    (void)len;
    return true;
}

static void release(void *context, uint32_t account, size_t len)
{
    (void)context;
    (void)account;
    (void)len;
}

static void on_signal(void *context, const room_signal_report *report)
{
    (void)context;
    (void)report;
}

static void start_worker(node *n, unsigned number)
{
    test_worker *w = &n->workers[number];
    const room_limits limits = {.capacity = 2,
                                .pending_max_messages = 256,
                                .pending_max_bytes = 1 << 16,
                                .pending_ttl_ms = 60000,
                                .probe_timeout_ms = 1000};
    const room_effects effects = {
        .reserve = reserve, .release = release, .on_signal = on_signal, .context = w};
    const keyed_hash hash = {{(uint8_t)number}};
    w->node = n;
    w->number = number;
    assert_int_equal(room_manager_new(&limits, &effects, &hash, &w->manager), 0);
    cluster_worker_options options = {.core = n->core,
                                      .number = number,
                                      .kinds = kinds,
                                      .kind_count = 1,
                                      .manager = w->manager,
                                      .clients = {.on_joined = on_joined,
                                                  .on_waiting = on_waiting,
                                                  .on_deliver = on_deliver,
                                                  .on_queue_full = on_queue_full,
                                                  .on_probe = on_probe,
                                                  .on_full = on_full,
                                                  .on_close = on_close,
                                                  .on_lost = on_lost}};
    memcpy(options.secret, secret, sizeof(secret));
    cluster_worker_init(&w->cluster, &options);
}

void fixture_start(fixture *f, uint64_t now_ms, void (*wake_worker)(void *context, unsigned worker),
                   void (*wake_courier)(void *context))
{
    f->now_ms = now_ms;
    for (unsigned i = 0; i < NODES; i++) {
        node *n = &f->nodes[i];
        char name[] = {'n', (char)('0' + i)};
        n->fixture = f;
        n->index = i;
        n->id.bytes[0] = (uint8_t)(i + 1);
        const node_core_options options = {
            .self = n->id,
            .name = {name, sizeof(name)},
            .version = SLICE_LITERAL("test"),
            .workers = WORKERS,
            .serves_alone = true,
            .limits = {.bytes = NODE_LINK_BYTES, .lane_bytes = NODE_LANE_BYTES},
            .wake_worker = wake_worker == NULL ? note_worker_woken : wake_worker,
            .wake_courier = wake_courier == NULL ? note_courier_woken : wake_courier,
            .context = n,
        };
        assert_int_equal(node_core_new(&options, f->now_ms, &n->core), 0);
        for (unsigned w = 0; w < WORKERS; w++)
            start_worker(n, w);
    }
}

void fixture_stop(fixture *f)
{
    for (unsigned i = 0; i < NODES; i++) {
        for (unsigned w = 0; w < WORKERS; w++) {
            cluster_worker_deinit(&f->nodes[i].workers[w].cluster);
            room_manager_free(f->nodes[i].workers[w].manager);
        }
        node_core_free(f->nodes[i].core);
    }
}

test_worker *fixture_worker_of(node *n, const char *room)
{
    const room_key key = room_key_of(secret, ROOM_SPACE_ROOMS, slice_of_text(room));
    return &n->workers[room_share_worker(room_key_share(&key), WORKERS)];
}

static void pass_on(const node *from, const node_packet *packet, uint64_t now_ms)
{
    fixture *f = from->fixture;
    for (unsigned i = 0; i < NODES; i++) {
        const node *to = &f->nodes[i];
        if (to != from && !f->is_cut &&
            (packet->subject != NODE_TO_NODE || node_id_equals(&packet->to, &to->id)))
            node_core_on_packet(to->core, (slice){(const char *)packet->data, packet->len}, now_ms);
    }
}

static bool say_packets(node *n, uint64_t now_ms)
{
    node_packets packets = STAILQ_HEAD_INITIALIZER(packets);
    node_core_take_packets(n->core, &packets);
    bool has_any = !STAILQ_EMPTY(&packets);
    while (!STAILQ_EMPTY(&packets)) {
        node_packet *first = STAILQ_FIRST(&packets);
        STAILQ_REMOVE_HEAD(&packets, link);
        pass_on(n, first, now_ms);
        node_packet_free(first);
    }
    return has_any;
}

uint64_t fixture_run_courier(node *n, uint64_t now_ms)
{
    uint64_t due_ms = node_core_tick(n->core, now_ms);
    (void)say_packets(n, now_ms);
    return due_ms;
}

void fixture_settle(fixture *f)
{
    bool goes_on = true;
    for (int i = 0; goes_on && i < 10000; i++) {
        goes_on = false;
        for (unsigned n = 0; n < NODES; n++) {
            node *at = &f->nodes[n];
            (void)node_core_tick(at->core, f->now_ms);
            goes_on |= say_packets(at, f->now_ms);
            for (unsigned w = 0; w < WORKERS; w++) {
                at->woken_workers[w] = false;
                goes_on |= cluster_worker_turn(&at->workers[w].cluster, f->now_ms);
                goes_on |= at->woken_workers[w];
            }
        }
    }
    assert_false(goes_on);
}

void fixture_pass(fixture *f, uint64_t ms)
{
    for (uint64_t until_ms = f->now_ms + ms; f->now_ms < until_ms; f->now_ms += 10)
        fixture_settle(f);
}
