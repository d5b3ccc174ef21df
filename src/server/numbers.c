/* The numbers of a server: as a short sum, as a full snapshot, and as lines of the log. */
#include "base/clock.h"
#include "base/log.h"
#include "homecall/signal_log.h"
#include "server/server_parts.h"
#include "stats/health.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static const char log_namespace[] = "HomeCall_Signal_Server";

/* ---- In short ---- */

static uint64_t signals(const session_counters *c, room_outcome outcome)
{
    uint64_t count = 0;
    for (int type = 0; type < SIGNAL_KINDS; type++)
        count += counter_get(&c->signals[type][outcome]);
    return count;
}

static void add_counters(signal_server_stats *stats, const io_thread *t)
{
    const session_counters *c = &t->group.counters;
    for (int kind = 0; kind < NET_TRANSPORTS; kind++)
        for (int phase = 0; phase < NET_PHASES; phase++)
            stats->connections += counter_get(&t->group.connections.counters.connections[kind][phase]);
    stats->joined += counter_get(&c->members);
    stats->rooms += counter_get(&c->rooms);
    stats->pending_messages += counter_get(&c->pending_messages);
    stats->pending_bytes += counter_get(&c->pending_bytes);
    stats->accepted += counter_get(&c->accepted);
    stats->refused += counter_get(&t->group.connections.counters.handshakes[NET_HANDSHAKE_503]);
    stats->handed_over += counter_get(&c->handed_over);
    stats->signals_relayed += signals(c, ROOM_SIGNAL_RELAYED);
    stats->signals_queued += signals(c, ROOM_SIGNAL_QUEUED);
    stats->signals_delivered += signals(c, ROOM_SIGNAL_DELIVERED);
    stats->signals_refused += signals(c, ROOM_SIGNAL_REFUSED);
    stats->signals_dropped += signals(c, ROOM_SIGNAL_DROPPED);
}

void signal_server_get_stats(const signal_server *server, signal_server_stats *stats)
{
    *stats = (signal_server_stats){.workers = server->options.workers};
    for (uint32_t i = 0; i < server->made_acceptors; i++)
        add_counters(stats, &server->acceptors[i].thread);
    for (uint32_t i = 0; i < server->made_workers; i++)
        add_counters(stats, &server->workers[i]);
}

static bool has_connections(const io_thread *t)
{
    signal_server_stats stats = {0};
    add_counters(&stats, t);
    return stats.connections > 0 ||
           counter_get(&t->mailbox.counters.pushed) != counter_get(&t->mailbox.counters.taken);
}

bool server_has_connections(const void *of)
{
    const signal_server *server = of;
    for (uint32_t i = 0; i < server->made_acceptors; i++) {
        if (has_connections(&server->acceptors[i].thread))
            return true;
    }
    for (uint32_t i = 0; i < server->made_workers; i++) {
        if (has_connections(&server->workers[i]))
            return true;
    }
    return false;
}

/* ---- In full ---- */

size_t server_thread_count(const signal_server *server)
{
    return (size_t)server->made_workers + server->made_acceptors;
}

/* `decided` is NULL for a worker. */
static void take_thread(snapshot_thread *out, const io_thread *t, const acceptor_counters *decided)
{
    thread_counters *c = &out->counters;
    snprintf(out->name, sizeof(out->name), "%s-%u", t->plan.kind, t->plan.number);
    out->cpu_us = io_thread_cpu_us(t);
    out->has_failed = counter_get(&t->has_failed) != 0;
    snapshot_copy_counters(&c->loop, &t->loop.counters, sizeof(c->loop));
    snapshot_copy_counters(&c->net, &t->group.connections.counters, sizeof(c->net));
    snapshot_copy_counters(&c->session, &t->group.counters, sizeof(c->session));
    counter_set(&c->mailbox.pushed, counter_get(&t->mailbox.counters.pushed));
    counter_set(&c->mailbox.taken, counter_get(&t->mailbox.counters.taken));
    if (t->cluster != NULL)
        worker_cluster_get_counters(t->cluster, &c->cluster);
    if (decided != NULL)
        snapshot_copy_counters(&c->acceptor, decided, sizeof(c->acceptor));
}

void server_take_snapshot(const signal_server *server, snapshot *out, snapshot_cluster *space)
{
    snapshot_thread *threads = out->threads;
    bool has_cluster = server->node != NULL && space != NULL;
    uint64_t now_us = clock_monotonic_us();
    *out = (snapshot){
        .version = HOMECALL_VERSION,
        .taken_us = now_us,
        .uptime_ms = (now_us - server->started_us) / 1000,
        .started_utc_ms = server->started_utc_ms,
        .is_draining = atomic_load_explicit(&server->is_draining, memory_order_relaxed),
        .max_connections = server->options.max_connections,
        .budget_limit = server->shared.budget.limit,
        .buffered_limit = server->shared.memory.limit,
        .log_lines_left_out = atomic_load_explicit(&server->shared.lines_left_out, memory_order_relaxed),
        .log_lines_dropped = signal_log_dropped(),
        .certificate_ends_s = certificate_ends_s(&server->certificate),
        .cluster = has_cluster ? space : NULL,
        .thread_count = server_thread_count(server),
        .threads = threads,
    };
    for (uint32_t i = 0; i < server->made_workers; i++) {
        take_thread(&threads[i], &server->workers[i], NULL);
        out->budget_used += counter_get(&server->workers[i].group.rooms.credit.used);
    }
    for (uint32_t i = 0; i < server->made_acceptors; i++)
        take_thread(&threads[server->made_workers + i], &server->acceptors[i].thread,
                    &server->acceptors[i].counters);
    snapshot_sum(out);
    if (has_cluster)
        cluster_node_read(server->node, space);
}

bool signal_server_is_live(const signal_server *server)
{
    snapshot_thread *threads = calloc(server_thread_count(server), sizeof(*threads));
    if (threads == NULL)
        return true; /* without memory we know nothing against it */
    snapshot s = {.threads = threads};
    server_take_snapshot(server, &s, NULL);
    bool is_live = health_is_live(&s, NULL, NULL);
    free(threads);
    return is_live;
}

/* ---- In the log ---- */

static void log_whole(const snapshot *s)
{
    const thread_counters *t = &s->total;
    LOG(LOG_INFO, log_namespace, "state", LOG_NUMBER("uptime_s", s->uptime_ms / 1000),
        LOG_NUMBER("draining", s->is_draining), LOG_NUMBER("connections", snapshot_connections(s)),
        LOG_NUMBER("rooms", counter_get(&t->session.rooms)),
        LOG_NUMBER("members", counter_get(&t->session.members)),
        LOG_NUMBER("waiters", counter_get(&t->session.waiters)),
        LOG_NUMBER("queue_messages", counter_get(&t->session.pending_messages)),
        LOG_NUMBER("queue_bytes", counter_get(&t->session.pending_bytes)),
        LOG_NUMBER("backlog_bytes", counter_get(&t->net.backlog_bytes)),
        LOG_NUMBER("log_lines_dropped", s->log_lines_dropped));
    LOG(LOG_INFO, log_namespace, "state since the start",
        LOG_NUMBER("accepted", counter_get(&t->session.accepted)),
        LOG_NUMBER("joins", counter_get(&t->session.joins[SESSION_JOIN_JOINED])),
        LOG_NUMBER("relayed", signals(&t->session, ROOM_SIGNAL_RELAYED)),
        LOG_NUMBER("queued", signals(&t->session, ROOM_SIGNAL_QUEUED)),
        LOG_NUMBER("delivered", signals(&t->session, ROOM_SIGNAL_DELIVERED)),
        LOG_NUMBER("refused", signals(&t->session, ROOM_SIGNAL_REFUSED)),
        LOG_NUMBER("dropped", signals(&t->session, ROOM_SIGNAL_DROPPED)),
        LOG_NUMBER("invalid_messages", counter_get(&t->session.invalid_messages)),
        LOG_NUMBER("bytes_in", counter_get(&t->net.bytes_in)),
        LOG_NUMBER("bytes_out", counter_get(&t->net.bytes_out)),
        LOG_NUMBER("handed_over", counter_get(&t->session.handed_over)));
}

static uint64_t in_phase(const net_counters *net, net_phase phase)
{
    return counter_get(&net->connections[NET_TRANSPORT_PLAIN][phase]) +
           counter_get(&net->connections[NET_TRANSPORT_TLS][phase]);
}

static void log_thread(const snapshot_thread *t)
{
    const thread_counters *c = &t->counters;
    LOG(LOG_INFO, log_namespace, "state of a thread", LOG_BYTES("thread", slice_of_text(t->name)),
        LOG_NUMBER("open", in_phase(&c->net, NET_PHASE_OPEN)),
        LOG_NUMBER("handshake", in_phase(&c->net, NET_PHASE_HANDSHAKE)),
        LOG_NUMBER("closing", in_phase(&c->net, NET_PHASE_CLOSING)),
        LOG_NUMBER("rooms", counter_get(&c->session.rooms)),
        LOG_NUMBER("mailbox", counter_get(&c->mailbox.pushed) - counter_get(&c->mailbox.taken)),
        LOG_NUMBER("cpu_ms", t->cpu_us / 1000), LOG_NUMBER("turns", counter_get(&c->loop.turns)),
        LOG_NUMBER("lag_max_us", counter_get(&c->loop.lag_max_us)));
}

void signal_server_log_state(const signal_server *server)
{
    snapshot s = {.threads = calloc(server_thread_count(server), sizeof(snapshot_thread))};
    snapshot_thread *threads = s.threads;
    if (threads == NULL) {
        log_event(LOG_WARN, log_namespace, "no memory for the state", NULL, 0);
        return;
    }
    server_take_snapshot(server, &s, NULL);
    log_whole(&s);
    for (size_t i = 0; i < s.thread_count; i++)
        log_thread(&threads[i]);
    free(threads);
}
