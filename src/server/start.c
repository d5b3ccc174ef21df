/* The start of a Signal_Server: first everything is made, then the threads are started. If a step fails, what
 * the steps before it have made is taken back. */
#include "base/clock.h"
#include "base/log.h"
#include "ice/ice_url.h"
#include "ice/turn_credentials.h"
#include "server/descriptor_reserve.h"
#include "server/descriptors.h"
#include "server/listening.h"
#include "server/server_parts.h"
#include "server/start_fault.h"
#include "websocket/handshake.h"
#include "websocket/handshake_answer.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

static const char log_namespace[] = "HomeCall_Signal_Server";

/* ---- The threads ---- */

static void on_thread_ended(void *context)
{
    signal_server *server = context;
    pthread_mutex_lock(&server->end_lock);
    bool is_last = --server->running == 0;
    if (is_last)
        pthread_cond_broadcast(&server->has_ended);
    pthread_mutex_unlock(&server->end_lock);
    if (is_last && !server->is_start_failing && server->options.on_stopped != NULL)
        server->options.on_stopped(server->options.context);
}

static uint32_t drain_ms_of(const signal_server_options *o)
{
    uint64_t most_ms = (uint64_t)o->shutdown_grace_ms * 3 / 4;
    return o->drain_ms < most_ms ? o->drain_ms : (uint32_t)most_ms;
}

static io_thread_plan plan_of(signal_server *server, const char *kind, uint32_t number, int shard)
{
    return (io_thread_plan){.kind = kind,
                            .number = (uint8_t)number,
                            .shard = shard,
                            .shared = &server->shared,
                            .overload_lag_ms = server->options.overload_lag_ms,
                            .drain_ms = drain_ms_of(&server->options),
                            .is_retiring = &server->is_retiring,
                            .has_connections = server_has_connections,
                            .drain_until_us = &server->drain_until_us,
                            .on_ended = on_thread_ended,
                            .context = server};
}

/* ---- The certificate ---- */

/* Load the certificate. The log tells how that went; on failure `fault` tells it too. */
static int load_certificate(signal_server *server, char fault[TLS_CONTEXT_FAULT_CAP])
{
    const signal_server_options *o = &server->options;
    snprintf(fault, TLS_CONTEXT_FAULT_CAP, "out of memory");
    int error = certificate_load(&server->certificate, o->tls_cert_file, o->tls_key_file, fault);
    if (error != 0) {
        LOG(LOG_ERROR, log_namespace, "certificate not loaded", LOG_BYTES("fault", slice_of_text(fault)));
        return error;
    }
    tls_context *loaded = certificate_share(&server->certificate);
    const char *warning = tls_context_warning(loaded);
    if (warning != NULL)
        LOG(LOG_WARN, log_namespace, "certificate warning", LOG_LITERAL("warning", warning));
    LOG(LOG_INFO, log_namespace, "certificate loaded",
        LOG_NUMBER("ends", (uint64_t)tls_context_not_after_s(loaded)));
    tls_context_free(loaded);
    return 0;
}

int signal_server_reload_certificate(signal_server *server)
{
    char fault[TLS_CONTEXT_FAULT_CAP];
    return load_certificate(server, fault);
}

/* ---- What is written by people ---- */

static int refuse_entry(signal_server_fault *fault, signal_server_fault_kind kind, slice entry,
                        const char *reason)
{
    char text[sizeof(fault->entry)];
    snprintf(text, sizeof(text), "%.*s: %s", (int)entry.len, entry.data, reason);
    start_fault_set(fault, kind, text, 0);
    return -EINVAL;
}

static int read_origins(signal_server *server, signal_server_fault *fault)
{
    origins_fault wrong;
    int error = origins_make(&server->origins, slice_of_text(server->options.allowed_origins), &wrong);
    return error == -EINVAL ? refuse_entry(fault, SIGNAL_SERVER_FAULT_ORIGIN, wrong.entry, wrong.reason)
                            : error;
}

static int read_turn_urls(signal_server *server, signal_server_fault *fault)
{
    ice_url_fault wrong;
    int error = ice_url_read_list(slice_of_text(server->options.turn_urls), &server->ice_urls, &wrong);
    if (error == 0)
        server->shared.ice.urls = slice_of_text(server->ice_urls);
    return error == -EINVAL ? refuse_entry(fault, SIGNAL_SERVER_FAULT_TURN_URL, wrong.entry, wrong.reason)
                            : error;
}

/* ---- Making everything ---- */

static void wake_worker(void *context, unsigned worker)
{
    const signal_server *server = context;
    if (worker < server->made_workers)
        worker_cluster_wake(server->workers[worker].cluster);
}

/* Before the workers, which need it. */
static int make_node(signal_server *server, signal_server_fault *fault)
{
    int error = cluster_node_make(&server->options, wake_worker, server, &server->node, fault);
    const worker_cluster_plan plan = cluster_node_plan(server->node);
    server->shared.is_in_cluster = server->node != NULL;
    memcpy(server->shared.cluster_secret, plan.secret, sizeof(plan.secret));
    return error;
}

static int make_workers(signal_server *server)
{
    const worker_cluster_plan cluster = cluster_node_plan(server->node);
    for (uint32_t i = 0; i < server->options.workers; i++) {
        io_thread_plan plan = plan_of(server, "worker", i, (int)i);
        plan.cluster = &cluster;
        int error = io_thread_init(&server->workers[i], &plan);
        if (error != 0)
            return error;
        server->made_workers++;
    }
    return 0;
}

static int make_acceptors(signal_server *server)
{
    uint32_t count = server->options.acceptor_threads;
    for (uint32_t i = 0; i < count; i++) {
        const acceptor_plan plan = {
            .thread = plan_of(server, "acceptor", i, SESSION_NO_SHARD),
            .admission = server->admission,
            .certificate = &server->certificate,
            .descriptor_bound = descriptor_reserve_bound(count),
            .first_id = cluster_node_first_connection(server->node) + i + 1,
            .id_step = count,
            .send_buffer_bytes = server->options.send_buffer_bytes,
            .has_proxy_protocol = server->options.proxy_protocol,
        };
        int error = acceptor_init(&server->acceptors[i], &plan);
        if (error != 0)
            return error;
        server->made_acceptors++;
    }
    return 0;
}

static bool collect(void *context, snapshot *out, snapshot_cluster *space)
{
    server_take_snapshot(context, out, space);
    return true;
}

static int make_admin(signal_server *server, listen_plan *plan, signal_server_fault *fault)
{
    if (server->options.admin_port == 0)
        return 0;
    const admin_options options = {
        .thread_count = server_thread_count(server),
        .is_in_cluster = server->node != NULL,
        .hosts = {.own = slice_of_text(server->options.admin_host),
                  .allowed = slice_of_text(server->options.admin_allowed_hosts)},
        .request_timeout_ms = ADMIN_REQUEST_TIMEOUT_MS,
        .idle_timeout_ms = ADMIN_IDLE_TIMEOUT_MS,
        .collect = collect,
        .context = server,
    };
    int error = listening_open_admin(server, &options, plan);
    if (error != 0)
        start_fault_set(fault, SIGNAL_SERVER_FAULT_ADMIN, server->options.admin_host,
                        server->options.admin_port);
    return error;
}

void server_unmake(signal_server *server)
{
    admin_free(server->admin); /* it reads the numbers of all that follows */
    server->admin = NULL;
    cluster_node_stop(server->node);
    while (server->made_acceptors > 0)
        acceptor_deinit(&server->acceptors[--server->made_acceptors]);
    while (server->made_workers > 0)
        io_thread_deinit(&server->workers[--server->made_workers]);
    cluster_node_free(server->node);
    server->node = NULL;
    free(server->hosts);
    free(server->admin_hosts);
    server->hosts = server->admin_hosts = NULL;
    origins_free(&server->origins);
    server->shared.ice.urls = (slice){0};
    free(server->ice_urls);
    server->ice_urls = NULL;
    atomic_store_explicit(&server->port, 0, memory_order_relaxed);
    atomic_store_explicit(&server->tls_port, 0, memory_order_relaxed);
}

/* Where everything listens. */
typedef struct plans {
    listen_plan hosts;
    listen_plan admin;
} plans;

/* What the options mean, as far as people have written it. */
static int read_options(signal_server *server, plans *out, signal_server_fault *fault)
{
    int error = read_origins(server, fault);
    if (error == 0)
        error = read_turn_urls(server, fault);
    if (error == 0)
        error = listen_plan_make(&out->hosts, &server->options, fault);
    if (error == 0)
        error = listen_plan_make_admin(&out->admin, &server->options, fault);
    return error;
}

/* OpenSSL looks for a digest when it is used for the first time, and makes much for that which it makes only
 * once. Without memory at that time there would never be an upgrade. So do it now, before anybody relies on
 * us. TLS is rehearsed when its certificate is loaded. */
static int rehearse_digests(void)
{
    static const char key[WS_HANDSHAKE_KEY_LEN + 1] = "AAAAAAAAAAAAAAAAAAAAAA==";
    char accept[WS_HANDSHAKE_ACCEPT_LEN + 1];
    turn_credentials credentials;
    if (!ws_handshake_accept(accept, slice_of_text(key)))
        return -ENOMEM;
    return turn_credentials_make(slice_of_text("rehearsal"), 0, 0, &credentials);
}

/* Everything that has to be there before the first thread is started. */
static int make_all(signal_server *server, signal_server_fault *fault)
{
    plans p;
    int error = rehearse_digests();
    if (error == 0)
        error = read_options(server, &p, fault);
    if (error == 0)
        error = descriptors_check(server, &p.hosts, &p.admin, fault);
    if (error == 0)
        error = make_node(server, fault);
    if (error == 0)
        error = make_workers(server);
    if (error == 0)
        error = make_acceptors(server);
    if (error == 0)
        error = listening_start(server, &p.hosts, fault);
    if (error == 0)
        error = make_admin(server, &p.admin, fault);
    if (error != 0 || server->options.tls_port < 0)
        return error;
    /* Last, since the log tells that it was loaded: a start that is tried again until a port is free should
     * tell it once. */
    char wrong[TLS_CONTEXT_FAULT_CAP];
    error = load_certificate(server, wrong);
    if (error != 0)
        start_fault_set(fault, SIGNAL_SERVER_FAULT_CERTIFICATE, wrong, 0);
    return error;
}

/* ---- Starting ---- */

static int start_thread(io_thread *t, signal_server_fault *fault)
{
    int error = io_thread_start(t);
    if (error == 0)
        return 0;
    char name[32];
    snprintf(name, sizeof(name), "%s-%u", t->plan.kind, t->plan.number);
    start_fault_set(fault, SIGNAL_SERVER_FAULT_THREADS, name, 0);
    return error;
}

/* Start every thread. `running` counts the threads that have not told yet that they have ended. */
static int start_threads(signal_server *server, signal_server_fault *fault)
{
    server->running = server->made_workers + server->made_acceptors;
    int error = cluster_node_start(server->node);
    if (error != 0)
        start_fault_set(fault, SIGNAL_SERVER_FAULT_THREADS, "courier", 0);
    for (uint32_t i = 0; i < server->made_workers && error == 0; i++)
        error = start_thread(&server->workers[i], fault);
    for (uint32_t i = 0; i < server->made_acceptors && error == 0; i++)
        error = start_thread(&server->acceptors[i].thread, fault);
    if (error != 0 || server->admin == NULL)
        return error;
    error = admin_start(server->admin); /* the last one, since it looks at all the others */
    if (error != 0)
        start_fault_set(fault, SIGNAL_SERVER_FAULT_THREADS, "admin", 0);
    return error;
}

static int start(signal_server *server, signal_server_fault *fault)
{
    int error = make_all(server, fault);
    if (error == 0) {
        server->is_started = true;
        server->started_us = clock_monotonic_us();
        server->started_utc_ms = clock_utc_ms();
        error = start_threads(server, fault);
        if (error != 0) { /* some threads may run already: let them end */
            server->is_start_failing = true;
            signal_server_stop(server);
            server->is_start_failing = false;
            server->is_started = false;
            server->running = 0; /* those that were not started are not waited for */
            atomic_store_explicit(&server->drain_until_us, 0, memory_order_relaxed);
            atomic_store_explicit(&server->is_draining, false, memory_order_relaxed);
        }
    }
    if (error != 0)
        server_unmake(server);
    return error;
}

int signal_server_start(signal_server *server, signal_server_fault *fault)
{
    signal_server_fault unread;
    if (fault == NULL)
        fault = &unread;
    *fault = (signal_server_fault){0};
    int error = -EALREADY;
    if (server->is_started)
        start_fault_set(fault, SIGNAL_SERVER_FAULT_STATE, "", 0);
    else
        error = start(server, fault);
    if (error != 0)
        start_fault_finish(fault, error);
    return error;
}
