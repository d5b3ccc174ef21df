#include "server/server_options.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define KIB(n) ((uint32_t)(n) << 10)
#define MIB(n) ((uint32_t)(n) << 20)

enum { SECOND_MS = 1000, HOUR_MS = 3600 * SECOND_MS };

/* ---- Defaults ---- */

/* What the clients of one address may do together. A household stays far below it, and an office of some
 * dozens; what has one address for hundreds belongs into exempt_addresses. */
static void set_limits_of_address(signal_server_options *o)
{
    o->max_connections_per_address = 64;
    o->connect_rate = 10;
    o->connect_burst = 50;
    o->guess_rate = 30;
    o->guess_burst = 30;
    o->pending_max_bytes_per_address = MIB(16);
    o->message_rate_per_address = 4000;
    o->message_burst_per_address = 40000;
    o->byte_rate_per_address = MIB(2);
    o->byte_burst_per_address = MIB(64);
    o->log_rate_per_address = 50;
}

static void set_cluster(signal_server_options *o)
{
    o->cluster_url = o->cluster_node = o->cluster_secret_file = "";
    o->cluster_name = "homecall";
    o->cluster_credentials_file = o->cluster_user = o->cluster_password_file = "";
    o->cluster_ca_file = o->cluster_cert_file = o->cluster_key_file = "";
    o->cluster_hold_ms = 120 * SECOND_MS;
    o->cluster_without_engine = SIGNAL_SERVER_ALONE_SERVE;
}

static void set_defaults(signal_server_options *options)
{
    *options = (signal_server_options){
        .size = sizeof(*options),
        .host = "127.0.0.1",
        .port = 8888,
        .tls_port = -1,
        .tls_cert_file = "",
        .tls_key_file = "",
        .allowed_origins = "",
        .require_origin = false,
        .trusted_proxies = "",
        .proxy_protocol = false,
        .turn_urls = "",
        .turn_secret = "",
        .turn_ttl_ms = 12 * HOUR_MS,
        .admin_host = "127.0.0.1",
        .admin_port = 0, /* a program that embeds a server gets no other port unasked */
        .admin_allowed_hosts = "",

        .workers = 0,
        .acceptor_threads = 0,
        .max_connections = 0,
        .exempt_addresses = "127.0.0.0/8,::1,unix",

        .room_capacity = 2,
        .pending_ttl_ms = 120 * SECOND_MS,
        .pending_max_messages = 256,
        .pending_max_bytes = KIB(256),
        .pending_max_total_bytes = MIB(128),
        .resume_for_ms = 30 * SECOND_MS,
        .outbox_max_messages = 256,
        .outbox_max_bytes = KIB(256),
        .probe_timeout_ms = 3 * SECOND_MS,

        .max_message_bytes = KIB(128),
        .max_name_bytes = 512,
        .max_request_head_bytes = KIB(8),
        .max_output_bytes = MIB(4),
        .max_buffered_bytes = MIB(256),
        .send_buffer_bytes = KIB(128),
        .message_rate = 1000,
        .message_burst = 10000,
        .fault_burst = 20,

        .ping_interval_ms = 25 * SECOND_MS,
        .pong_timeout_ms = 10 * SECOND_MS,
        .message_timeout_ms = 30 * SECOND_MS,
        .handshake_timeout_ms = 10 * SECOND_MS,
        .close_timeout_ms = 800,
        .overload_lag_ms = 250,
        .drain_ms = 5 * SECOND_MS,
        .shutdown_grace_ms = 10 * SECOND_MS,
    };
    set_limits_of_address(options);
    set_cluster(options);
}

void signal_server_options_init(signal_server_options *options, size_t size)
{
    signal_server_options defaults;
    assert(size >= sizeof(options->size));
    set_defaults(&defaults);
    memset(options, 0, size); /* what a newer program has behind ours is 0: we don't know it */
    memcpy(options, &defaults, size < sizeof(defaults) ? size : sizeof(defaults));
    options->size = size;
}

/* ---- A copy ---- */

/* Where the strings are in the struct. */
static const size_t strings[] = {
    offsetof(signal_server_options, host),
    offsetof(signal_server_options, allowed_origins),
    offsetof(signal_server_options, trusted_proxies),
    offsetof(signal_server_options, exempt_addresses),
    offsetof(signal_server_options, admin_host),
    offsetof(signal_server_options, admin_allowed_hosts),
    offsetof(signal_server_options, turn_urls),
    offsetof(signal_server_options, turn_secret),
    offsetof(signal_server_options, tls_cert_file),
    offsetof(signal_server_options, tls_key_file),
    offsetof(signal_server_options, cluster_url),
    offsetof(signal_server_options, cluster_name),
    offsetof(signal_server_options, cluster_node),
    offsetof(signal_server_options, cluster_secret_file),
    offsetof(signal_server_options, cluster_credentials_file),
    offsetof(signal_server_options, cluster_user),
    offsetof(signal_server_options, cluster_password_file),
    offsetof(signal_server_options, cluster_ca_file),
    offsetof(signal_server_options, cluster_cert_file),
    offsetof(signal_server_options, cluster_key_file),
};

enum { STRINGS = sizeof(strings) / sizeof(strings[0]) };

static const char **string_of(signal_server_options *o, size_t i)
{
    return (const char **)(void *)((char *)o + strings[i]);
}

/* A copy of the list; NULL without memory. It is never of size 0, for which calloc() might return NULL. */
static int *copy_descriptors(const int *fds, size_t count)
{
    int *copy = calloc(count + 1, sizeof(*copy));
    if (copy != NULL && count > 0)
        memcpy(copy, fds, count * sizeof(*copy));
    return copy;
}

int server_options_copy(signal_server_options *out, const signal_server_options *options)
{
    *out = *options;
    out->listen_fds = copy_descriptors(options->listen_fds, options->listen_fd_count);
    out->listen_tls_fds = copy_descriptors(options->listen_tls_fds, options->listen_tls_fd_count);
    out->listen_admin_fds = copy_descriptors(options->listen_admin_fds, options->listen_admin_fd_count);
    bool is_whole = out->listen_fds != NULL && out->listen_tls_fds != NULL && out->listen_admin_fds != NULL;
    for (size_t i = 0; i < STRINGS; i++) {
        const char **text = string_of(out, i);
        *text = strdup(*text);
        is_whole = is_whole && *text != NULL;
    }
    if (!is_whole)
        server_options_free(out);
    return is_whole ? 0 : -ENOMEM;
}

void server_options_free(signal_server_options *copy)
{
    for (size_t i = 0; i < STRINGS; i++)
        free((char *)(uintptr_t)*string_of(copy, i));
    free((int *)(uintptr_t)copy->listen_fds);
    free((int *)(uintptr_t)copy->listen_tls_fds);
    free((int *)(uintptr_t)copy->listen_admin_fds);
    *copy = (signal_server_options){0};
}

/* ---- Threads ---- */

uint32_t server_options_processors(void)
{
    long online = sysconf(_SC_NPROCESSORS_ONLN);
    return online < 1 ? 1 : online > SERVER_MAX_WORKERS ? SERVER_MAX_WORKERS : (uint32_t)online;
}

/* A full TLS handshake costs ten times what one acceptor otherwise does for a connection, and that more than
 * what the worker does. So without TLS one acceptor has enough for many workers. With TLS, a quarter of the
 * processors is busy with handshakes when all clients come back at once, and calls go on on the others. */
uint32_t server_options_acceptors(const signal_server_options *o, uint32_t processors)
{
    static_assert(SERVER_MAX_WORKERS / 4 <= SERVER_MAX_ACCEPTORS, "a quarter is not too many");
    if (o->acceptor_threads > 0)
        return o->acceptor_threads;
    return o->tls_port < 0 || processors < 4 ? 1 : processors / 4;
}

/* ---- The cluster ---- */

cluster_settings server_options_cluster(const signal_server_options *o)
{
    return (cluster_settings){.texts = {
                                  [CLUSTER_URL] = o->cluster_url,
                                  [CLUSTER_NAME] = o->cluster_name,
                                  [CLUSTER_NODE] = o->cluster_node,
                                  [CLUSTER_SECRET_FILE] = o->cluster_secret_file,
                                  [CLUSTER_CREDENTIALS_FILE] = o->cluster_credentials_file,
                                  [CLUSTER_USER] = o->cluster_user,
                                  [CLUSTER_PASSWORD_FILE] = o->cluster_password_file,
                                  [CLUSTER_CA_FILE] = o->cluster_ca_file,
                                  [CLUSTER_CERT_FILE] = o->cluster_cert_file,
                                  [CLUSTER_KEY_FILE] = o->cluster_key_file,
                              }};
}
