/* Signal_Server: how it is made of its options, and how it stops. Its start is in start.c, its numbers are in
 * numbers.c. */
#include "base/clock.h"
#include "base/monotonic_cond.h"
#include "server/options_check.h"
#include "server/server_options.h"
#include "server/server_parts.h"
#include "server/server_shared.h"
#include "server/start_fault.h"

#include <errno.h>
#include <stdlib.h>

/* How the end of the threads is waited for. */
static int init_end(signal_server *server)
{
    int error = monotonic_cond_init(&server->has_ended);
    if (error != 0)
        return error;
    error = pthread_mutex_init(&server->end_lock, NULL);
    if (error != 0)
        pthread_cond_destroy(&server->has_ended);
    return -error;
}

/* Make a server of options that have been checked. */
static int create(const signal_server_options *options, signal_server **out)
{
    signal_server *server = calloc(1, sizeof(*server));
    if (server == NULL)
        return -ENOMEM;
    int error = init_end(server);
    if (error != 0) {
        free(server);
        return error;
    }

    certificate_init(&server->certificate);
    error = server_options_copy(&server->options, options);
    if (error != 0)
        goto destroy;
    uint32_t processors = server_options_processors();
    if (server->options.workers == 0)
        server->options.workers = processors;
    server->options.acceptor_threads = server_options_acceptors(options, processors);
    server->workers = calloc(server->options.workers, sizeof(*server->workers));
    server->acceptors = calloc(server->options.acceptor_threads, sizeof(*server->acceptors));
    error = -ENOMEM;
    if (server->workers == NULL || server->acceptors == NULL)
        goto destroy;

    error = server_shared_init(server);
    if (error != 0)
        goto destroy;
    const admission_limits limits = {
        .max_connections = options->max_connections,
        .max_per_address = options->max_connections_per_address,
        .connects = {.per_second = options->connect_rate, .burst = options->connect_burst},
    };
    error = admission_new(&limits, &server->shared.exempt, &server->shared.hash, &server->admission);
    if (error != 0)
        goto destroy;
    *out = server;
    return 0;

destroy:
    signal_server_destroy(server);
    return error;
}

int signal_server_create(const signal_server_options *options, signal_server **out,
                         signal_server_fault *fault)
{
    signal_server_fault unwanted;
    signal_server_options whole;
    if (fault == NULL)
        fault = &unwanted;
    *fault = (signal_server_fault){0};
    int error = options_check_take(&whole, options, fault);
    if (error == 0)
        error = create(&whole, out);
    if (error != 0 && fault->kind == SIGNAL_SERVER_FAULT_NONE)
        start_fault_finish(fault, error);
    return error;
}

/* ---- Asking ---- */

uint16_t signal_server_tls_port(const signal_server *server)
{
    return atomic_load_explicit(&server->tls_port, memory_order_relaxed);
}

uint16_t signal_server_port(const signal_server *server)
{
    return atomic_load_explicit(&server->port, memory_order_relaxed);
}

static const char *text_or_none(const char *text)
{
    return text == NULL ? "" : text;
}

const char *signal_server_hosts(const signal_server *server)
{
    return text_or_none(server->hosts);
}

const char *signal_server_admin_hosts(const signal_server *server)
{
    return text_or_none(server->admin_hosts);
}

static void add_socket(const signal_server_socket *socket, signal_server_socket *out, size_t cap,
                       size_t *count)
{
    if (*count < cap)
        out[*count] = *socket;
    (*count)++;
}

size_t signal_server_get_sockets(const signal_server *server, signal_server_socket *out, size_t cap)
{
    size_t count = 0;
    for (uint32_t i = 0; i < server->made_acceptors; i++) {
        const acceptor *a = &server->acceptors[i];
        for (size_t s = 0; s < a->socket_count; s++) {
            const signal_server_socket socket = {.fd = a->sockets[s].listener.watch.fd,
                                                 .kind = a->sockets[s].is_tls ? SIGNAL_SERVER_SOCKET_TLS
                                                                              : SIGNAL_SERVER_SOCKET_PLAIN};
            add_socket(&socket, out, cap, &count);
        }
    }
    int fds[ADMIN_MAX_SOCKETS];
    size_t of_admin = server->admin == NULL ? 0 : admin_get_sockets(server->admin, fds);
    for (size_t i = 0; i < of_admin; i++) {
        const signal_server_socket socket = {.fd = fds[i], .kind = SIGNAL_SERVER_SOCKET_ADMIN};
        add_socket(&socket, out, cap, &count);
    }
    return count;
}

/* ---- Stopping ---- */

/* Acceptors first, so that nobody new comes in while the workers close what they have. Nothing relies on this
 * order: a thread that has ended takes no session, and then the thread that wanted to hand it over closes it.
 */
void signal_server_request_stop(signal_server *server, bool now)
{
    if (!server->is_started)
        return;
    uint64_t none = 0;
    uint64_t until_us = clock_monotonic_us() + (uint64_t)server->options.shutdown_grace_ms * 1000;
    atomic_compare_exchange_strong_explicit(&server->drain_until_us, &none, until_us, memory_order_relaxed,
                                            memory_order_relaxed);
    atomic_store_explicit(&server->is_draining, true, memory_order_relaxed);
    cluster_node_drain(server->node);
    mailbox_command command = now ? MAILBOX_END : MAILBOX_DRAIN;
    for (uint32_t i = 0; i < server->made_acceptors; i++)
        mailbox_order(&server->acceptors[i].thread.mailbox, command);
    for (uint32_t i = 0; i < server->made_workers; i++)
        mailbox_order(&server->workers[i].mailbox, command);
}

void signal_server_retire(signal_server *server)
{
    if (!server->is_started)
        return;
    atomic_store_explicit(&server->is_retiring, true, memory_order_relaxed);
    if (server->admin != NULL)
        admin_retire(server->admin);
    signal_server_request_stop(server, false);
}

static void join_threads(signal_server *server)
{
    for (uint32_t i = 0; i < server->made_acceptors; i++)
        io_thread_join(&server->acceptors[i].thread);
    for (uint32_t i = 0; i < server->made_workers; i++)
        io_thread_join(&server->workers[i]);
}

int signal_server_stop_within(signal_server *server, uint32_t timeout_ms)
{
    signal_server_request_stop(server, false);
    const struct timespec until = monotonic_cond_time(timeout_ms);
    int error = 0;
    pthread_mutex_lock(&server->end_lock);
    while (server->running > 0 && error == 0)
        error = pthread_cond_timedwait(&server->has_ended, &server->end_lock, &until);
    bool has_ended = server->running == 0;
    pthread_mutex_unlock(&server->end_lock);
    if (!has_ended)
        return -ETIMEDOUT;
    join_threads(server);
    return 0;
}

void signal_server_stop(signal_server *server)
{
    signal_server_request_stop(server, false);
    join_threads(server);
}

/* ---- Its end ---- */

void signal_server_destroy(signal_server *server)
{
    if (server == NULL)
        return;
    signal_server_stop(server);
    server_unmake(server);
    admission_free(server->admission);
    certificate_deinit(&server->certificate);
    pthread_cond_destroy(&server->has_ended);
    pthread_mutex_destroy(&server->end_lock);
    free(server->acceptors);
    free(server->workers);
    server_options_free(&server->options);
    free(server);
}
