/* Signal_Server: puts the parts together, starts them, and stops them. Its numbers are in numbers.c. */
#include "base/clock.h"
#include "base/log.h"
#include "protocol/message.h"
#include "server/descriptors.h"
#include "server/listen_socket.h"
#include "server/listening.h"
#include "server/origins.h"
#include "server/server_parts.h"
#include "server/start_fault.h"
#include "session/session_life.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { MAX_WORKERS = 256, MAX_ACCEPTORS = 64, MAX_BURST = 1000000 };

static const char log_namespace[] = "HomeCall_Signal_Server";

/* ---- Making ---- */

/* Where the strings of the options are. */
static const size_t strings[] = {
    offsetof(signal_server_options, host),
    offsetof(signal_server_options, allowed_origins),
    offsetof(signal_server_options, trusted_proxies),
    offsetof(signal_server_options, admin_host),
    offsetof(signal_server_options, turn_urls),
    offsetof(signal_server_options, turn_secret),
    offsetof(signal_server_options, tls_cert_file),
    offsetof(signal_server_options, tls_key_file),
};

enum { STRINGS = sizeof(strings) / sizeof(strings[0]) };

static const char **string_of(signal_server_options *o, size_t i)
{
    return (const char **)(void *)((char *)o + strings[i]);
}

static bool allows_origin(void *context, slice origin)
{
    const signal_server *server = context;
    const char *list = server->options.allowed_origins;
    return origins_allow(slice_of_text(list), origin);
}

static net_limits net_limits_of(signal_server *server)
{
    const signal_server_options *o = &server->options;
    return (net_limits){
        .handshake = {.path = "/signal",
                      .page_path = server->shared.ice.urls.len > 0 ? "/ice" : NULL,
                      .max_head_bytes = o->max_request_head_bytes,
                      .allows_origin = allows_origin,
                      .context = server},
        .max_message_bytes = o->max_message_bytes,
        .max_output_bytes = o->max_output_bytes,
        .frame_rate = {.per_second = o->message_rate, .burst = o->message_burst},
        .handshake_timeout_ms = o->handshake_timeout_ms,
        .ping_interval_ms = o->ping_interval_ms,
        .pong_timeout_ms = o->pong_timeout_ms,
        .close_timeout_ms = o->close_timeout_ms,
    };
}

static session_limits session_limits_of(const signal_server_options *o)
{
    return (session_limits){
        .rooms = {.capacity = o->room_capacity,
                  .pending_max_messages = o->pending_max_messages,
                  .pending_max_bytes = o->pending_max_bytes,
                  .pending_ttl_ms = o->pending_ttl_ms,
                  .probe_timeout_ms = o->probe_timeout_ms},
        .max_name_bytes = o->max_name_bytes,
        .faults = {.per_second = o->fault_burst == 0 ? 0 : 1, .burst = o->fault_burst},
    };
}

static uint32_t processors(void)
{
    long online = sysconf(_SC_NPROCESSORS_ONLN);
    return online < 1 ? 1 : online > MAX_WORKERS ? MAX_WORKERS : (uint32_t)online;
}

/* The loop takes a deadline of 0 for none, which no peer may have, and keeps the low half of its time. */
static bool is_time(uint32_t ms)
{
    return ms >= 1 && ms <= INT32_MAX / 2;
}

static bool is_port(int32_t port)
{
    return port >= -1 && port <= UINT16_MAX;
}

/* The option table of the binary checks each option against its range; here stand the bounds that the code
 * relies on. */
static bool are_valid(const signal_server_options *o)
{
    bool has_strings = true;
    for (size_t i = 0; i < STRINGS; i++)
        has_strings = has_strings && *string_of((signal_server_options *)(uintptr_t)o, i) != NULL;
    bool has_sockets = o->listen_fds != NULL || o->listen_fd_count == 0;
    bool has_threads =
        o->workers <= MAX_WORKERS && o->acceptor_threads >= 1 && o->acceptor_threads <= MAX_ACCEPTORS;
    bool has_sizes = o->room_capacity >= 1 && o->room_capacity <= UINT16_MAX && o->max_name_bytes >= 1 &&
                     o->max_name_bytes <= MESSAGE_MAX_NAME_BYTES && o->max_message_bytes >= 1 &&
                     o->max_output_bytes >= o->max_message_bytes && o->max_request_head_bytes >= 1;
    bool has_rates = o->message_burst >= 1 && o->message_burst <= MAX_BURST && o->fault_burst <= MAX_BURST;
    bool has_times = is_time(o->ping_interval_ms) && is_time(o->pong_timeout_ms) &&
                     is_time(o->handshake_timeout_ms) && is_time(o->close_timeout_ms);
    bool has_ports = is_port(o->port) && is_port(o->tls_port);
    /* Proxies send their header in plain text before all else, which here TLS would have to be. */
    bool has_one_begin = !o->proxy_protocol || o->tls_port < 0;
    return has_strings && has_sockets && has_threads && has_sizes && has_rates && has_times && has_ports &&
           has_one_begin;
}

/* A copy of the list, owned by the caller; NULL without memory. An empty one has room for one. */
static int *copy_descriptors(const int *fds, size_t count)
{
    int *copy = calloc(count + 1, sizeof(*copy));
    if (copy != NULL && count > 0)
        memcpy(copy, fds, count * sizeof(*copy));
    return copy;
}

/* Make copies of the strings, which are the caller's. False without memory: some are NULL then. */
static bool own_strings(signal_server_options *o)
{
    bool is_whole = true;
    for (size_t i = 0; i < STRINGS; i++) {
        const char **text = string_of(o, i);
        *text = strdup(*text);
        is_whole = is_whole && *text != NULL;
    }
    return is_whole;
}

static void free_strings(signal_server_options *o)
{
    for (size_t i = 0; i < STRINGS; i++)
        free((char *)(uintptr_t)*string_of(o, i));
}

/* ---- What the sessions of all threads share ---- */

static void hand_over(session_group *group, session *s, int shard)
{
    signal_server *server = group->shared->context;
    mailbox *mb = &server->workers[shard].mailbox;
    if (mailbox_push(mb, &s->connection.entry, &io_thread_of(group)->to_wake) != 0)
        session_take_back(s, group);
}

/* Requests are read on acceptors, whose first member is their thread. */
static bool admit(session_group *group, session *s, const address *client)
{
    return acceptor_admit((acceptor *)io_thread_of(group), s, client);
}

static void on_gone(session_group *group, session *s)
{
    const signal_server *server = group->shared->context;
    admission_leave(server->admission, s->place);
}

/* Fill in what depends on the options alone; the hash and the list of proxies are there already. */
static void share(signal_server *server)
{
    const signal_server_options *o = &server->options;
    session_shared *shared = &server->shared;
    shared->ice = (ice_settings){.urls = slice_of_text(o->turn_urls),
                                 .secret = slice_of_text(o->turn_secret),
                                 .ttl_s = o->turn_ttl_ms / 1000};
    shared->net = net_limits_of(server);
    shared->limits = session_limits_of(o);
    shared->shards = (int)o->workers;
    shared->budget.limit = o->pending_max_total_bytes;
    shared->hand_over = hand_over;
    shared->admit = admit;
    shared->on_gone = on_gone;
    shared->context = server;
}

/* ---- Making ---- */

int signal_server_create(const signal_server_options *options, signal_server **out)
{
    if (!are_valid(options))
        return -EINVAL;
    signal_server *server = calloc(1, sizeof(*server));
    if (server == NULL)
        return -ENOMEM;

    int error = -ENOMEM;
    certificate_init(&server->certificate);
    server->options = *options;
    if (server->options.workers == 0)
        server->options.workers = processors();
    bool has_strings = own_strings(&server->options);
    server->options.listen_fds = copy_descriptors(options->listen_fds, options->listen_fd_count);
    server->workers = calloc(server->options.workers, sizeof(*server->workers));
    server->acceptors = calloc(server->options.acceptor_threads, sizeof(*server->acceptors));
    if (!has_strings || server->options.listen_fds == NULL || server->workers == NULL ||
        server->acceptors == NULL)
        goto destroy;

    address_list_fault fault;
    slice proxies = slice_of_text(options->trusted_proxies);
    error = address_list_parse(&server->shared.proxies, proxies, &fault);
    if (error != 0)
        goto destroy;
    error = keyed_hash_init(&server->shared.hash);
    if (error != 0)
        goto destroy;
    error = admission_new(options->max_connections, options->max_connections_per_address,
                          &server->shared.hash, &server->admission);
    if (error != 0)
        goto destroy;
    share(server);
    *out = server;
    return 0;

destroy:
    signal_server_destroy(server);
    return error;
}

/* ---- Starting ---- */

static void on_thread_ended(void *context)
{
    signal_server *server = context;
    bool is_last = atomic_fetch_sub_explicit(&server->running, 1, memory_order_acq_rel) == 1;
    if (is_last && !server->is_start_failing && server->options.on_stopped != NULL)
        server->options.on_stopped(server->options.context);
}

static io_thread_plan plan_of(signal_server *server, const char *kind, uint32_t number, int shard)
{
    return (io_thread_plan){.kind = kind,
                            .number = (uint8_t)number,
                            .shard = shard,
                            .shared = &server->shared,
                            .shutdown_grace_ms = server->options.shutdown_grace_ms,
                            .on_ended = on_thread_ended,
                            .context = server};
}

static int make_workers(signal_server *server)
{
    for (uint32_t i = 0; i < server->options.workers; i++) {
        const io_thread_plan plan = plan_of(server, "worker", i, (int)i);
        int error = io_thread_init(&server->workers[i], &plan);
        if (error != 0)
            return error;
        server->made_workers++;
    }
    return 0;
}

static int make_acceptors(signal_server *server, signal_server_fault *fault)
{
    uint32_t count = server->options.acceptor_threads;
    for (uint32_t i = 0; i < count; i++) {
        const acceptor_plan plan = {
            .thread = plan_of(server, "acceptor", i, SESSION_NO_SHARD),
            .admission = server->admission,
            .certificate = &server->certificate,
            .first_id = i + 1,
            .id_step = count,
            .has_proxy_protocol = server->options.proxy_protocol,
        };
        int error = acceptor_init(&server->acceptors[i], &plan);
        if (error != 0)
            return error;
        server->made_acceptors++;
    }
    return listening_start(server, fault);
}

static bool collect(void *context, snapshot *out)
{
    server_take_snapshot(context, out);
    return true;
}

static int make_admin(signal_server *server, signal_server_fault *fault)
{
    uint16_t port = server->options.admin_port;
    if (port == 0)
        return 0;
    const admin_options options = {
        .thread_count = server_thread_count(server), .collect = collect, .context = server};
    const char *host = server->options.admin_host;
    int fd = listen_socket_open_host(host, &port);
    int error = fd < 0 ? fd : admin_new(&options, fd, &server->admin);
    if (error != 0)
        start_fault_set(fault, SIGNAL_SERVER_FAULT_ADMIN, host, port);
    return error;
}

static void unmake(signal_server *server)
{
    admin_free(server->admin);
    server->admin = NULL;
    while (server->made_acceptors > 0)
        acceptor_deinit(&server->acceptors[--server->made_acceptors]);
    while (server->made_workers > 0)
        io_thread_deinit(&server->workers[--server->made_workers]);
    atomic_store_explicit(&server->port, 0, memory_order_relaxed);
    atomic_store_explicit(&server->tls_port, 0, memory_order_relaxed);
}

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

/* Start every thread; `running` counts those that will end and say so. */
static int start_threads(signal_server *server, signal_server_fault *fault)
{
    atomic_store(&server->running, server->made_workers + server->made_acceptors);
    int error = 0;
    for (uint32_t i = 0; i < server->made_workers && error == 0; i++)
        error = start_thread(&server->workers[i], fault);
    for (uint32_t i = 0; i < server->made_acceptors && error == 0; i++)
        error = start_thread(&server->acceptors[i].thread, fault);
    if (error != 0 || server->admin == NULL)
        return error;
    error = admin_start(server->admin); /* the last: it looks at all the others */
    if (error != 0)
        start_fault_set(fault, SIGNAL_SERVER_FAULT_THREADS, "admin", 0);
    return error;
}

/* Load the certificate; the log tells how that went, and so does `fault`. */
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
        LOG(LOG_WARN, log_namespace, "certificate is doubtful", LOG_LITERAL("warning", warning));
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

/* Everything that has to be there before the first thread is started. */
static int make_all(signal_server *server, signal_server_fault *fault)
{
    int error = descriptors_check(server, fault);
    if (error == 0)
        error = make_workers(server);
    if (error == 0)
        error = make_acceptors(server, fault);
    if (error == 0)
        error = make_admin(server, fault);
    if (error != 0 || server->options.tls_port < 0)
        return error;
    /* Last, so that a start that is tried again and again until a port is free says once that it is loaded.
     */
    char wrong[TLS_CONTEXT_FAULT_CAP];
    error = load_certificate(server, wrong);
    if (error != 0)
        start_fault_set(fault, SIGNAL_SERVER_FAULT_CERTIFICATE, wrong, 0);
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
        if (error != 0) { /* some may run already, and are told to end */
            server->is_start_failing = true;
            signal_server_stop(server);
            server->is_start_failing = false;
            server->is_started = false;
            atomic_store_explicit(&server->is_draining, false, memory_order_relaxed);
        }
    }
    if (error != 0)
        unmake(server);
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

uint16_t signal_server_tls_port(const signal_server *server)
{
    return atomic_load_explicit(&server->tls_port, memory_order_relaxed);
}

uint16_t signal_server_port(const signal_server *server)
{
    return atomic_load_explicit(&server->port, memory_order_relaxed);
}

/* ---- Stopping ---- */

/* Acceptors first: nobody new comes in while the workers close what they have. The order is not relied on: a
 * thread that has ended takes no session, and the one that wanted to hand it over closes it. */
void signal_server_request_stop(signal_server *server, bool now)
{
    if (!server->is_started)
        return;
    atomic_store_explicit(&server->is_draining, true, memory_order_relaxed);
    mailbox_command command = now ? MAILBOX_END : MAILBOX_DRAIN;
    for (uint32_t i = 0; i < server->made_acceptors; i++)
        mailbox_order(&server->acceptors[i].thread.mailbox, command);
    for (uint32_t i = 0; i < server->made_workers; i++)
        mailbox_order(&server->workers[i].mailbox, command);
}

void signal_server_stop(signal_server *server)
{
    signal_server_request_stop(server, false);
    for (uint32_t i = 0; i < server->made_acceptors; i++)
        io_thread_join(&server->acceptors[i].thread);
    for (uint32_t i = 0; i < server->made_workers; i++)
        io_thread_join(&server->workers[i]);
}

void signal_server_destroy(signal_server *server)
{
    if (server == NULL)
        return;
    signal_server_stop(server);
    unmake(server);
    admission_free(server->admission);
    certificate_deinit(&server->certificate);
    free(server->acceptors);
    free(server->workers);
    free((int *)(uintptr_t)server->options.listen_fds);
    free_strings(&server->options);
    free(server);
}
