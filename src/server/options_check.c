#include "server/options_check.h"

#include "admin/admin.h"
#include "cluster/courier.h"
#include "dialect_1/message_1.h"
#include "server/server_options.h"
#include "session/guess_limit.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { MAX_BURST = 1000000 };

/* No struct of options will be as large: it is the size of a struct that nobody has initialised. */
enum { MAX_SIZE = 64 * 1024 };

__attribute__((format(printf, 2, 3))) static int refuse(signal_server_fault *fault, const char *format, ...)
{
    *fault = (signal_server_fault){.kind = SIGNAL_SERVER_FAULT_OPTION, .error = -EINVAL};
    va_list args;
    va_start(args, format);
    vsnprintf(fault->entry, sizeof(fault->entry), format, args);
    va_end(args);
    return -EINVAL;
}

/* ---- The numbers by themselves ---- */

typedef struct bounds {
    const char *name;
    size_t at;
    size_t size;
    uint64_t min;
    uint64_t max;
} bounds;

/* clang-format off */
#define FIELD(name) #name, offsetof(signal_server_options, name), sizeof(((signal_server_options *)NULL)->name)
/* clang-format on */

/* The loop takes 0 for "no deadline", which no peer may have; and it keeps only the low 32 bits of a time. */
enum { MAX_TIME_MS = INT32_MAX / 2 };

/* The bounds that the code relies on. The option table of the program has narrower ones. */
static const bounds table[] = {
    {FIELD(listen_admin_fd_count), 0, ADMIN_MAX_SOCKETS},
    {FIELD(workers), 0, SERVER_MAX_WORKERS},
    {FIELD(acceptor_threads), 0, SERVER_MAX_ACCEPTORS},
    {FIELD(connect_burst), 1, MAX_BURST},
    {FIELD(guess_burst), 1, GUESS_MAX_BURST},
    {FIELD(room_capacity), 1, UINT16_MAX},
    {FIELD(outbox_max_messages), 1, UINT32_MAX},
    {FIELD(outbox_max_bytes), 1, UINT64_MAX},
    {FIELD(max_message_bytes), 1, UINT32_MAX},
    {FIELD(max_name_bytes), 1, MESSAGE_MAX_NAME_BYTES},
    {FIELD(max_request_head_bytes), 1, UINT32_MAX},
    {FIELD(send_buffer_bytes), 0, INT_MAX},
    {FIELD(message_burst), 1, MAX_BURST},
    {FIELD(message_burst_per_address), 1, UINT32_MAX},
    {FIELD(byte_burst_per_address), 1, UINT32_MAX},
    {FIELD(log_rate_per_address), 0, MAX_BURST / 10},
    {FIELD(fault_burst), 0, MAX_BURST},
    {FIELD(ping_interval_ms), 1, MAX_TIME_MS},
    {FIELD(pong_timeout_ms), 1, MAX_TIME_MS},
    {FIELD(message_timeout_ms), 0, MAX_TIME_MS},
    {FIELD(handshake_timeout_ms), 1, MAX_TIME_MS},
    {FIELD(close_timeout_ms), 1, MAX_TIME_MS},
    {FIELD(cluster_hold_ms), 1, MAX_TIME_MS},
    {FIELD(cluster_without_engine), SIGNAL_SERVER_ALONE_SERVE, SIGNAL_SERVER_ALONE_HOLD},
};

static uint64_t number_at(const signal_server_options *o, const bounds *b)
{
    uint32_t narrow;
    uint64_t wide;
    const char *at = (const char *)o + b->at;
    assert(b->size == sizeof(narrow) || b->size == sizeof(wide));
    if (b->size == sizeof(wide)) {
        memcpy(&wide, at, sizeof(wide));
        return wide;
    }
    memcpy(&narrow, at, sizeof(narrow));
    return narrow;
}

static int check_numbers(const signal_server_options *o, signal_server_fault *fault)
{
    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        const bounds *b = &table[i];
        uint64_t value = number_at(o, b);
        if (value < b->min || value > b->max)
            return refuse(fault, "%s is %" PRIu64 ": %" PRIu64 " to %" PRIu64 " is allowed", b->name, value,
                          b->min, b->max);
    }
    if (o->port < -1 || o->port > UINT16_MAX)
        return refuse(fault, "port is %" PRId32 ": -1 to 65535 is allowed", o->port);
    if (o->tls_port < -1 || o->tls_port > UINT16_MAX)
        return refuse(fault, "tls_port is %" PRId32 ": -1 to 65535 is allowed", o->tls_port);
    return 0;
}

/* ---- Strings, lists, and what does not go together ---- */

static int check_strings(const signal_server_options *o, signal_server_fault *fault)
{
    const struct {
        const char *name;
        const char *value;
    } strings[] = {
        {"host", o->host},
        {"tls_cert_file", o->tls_cert_file},
        {"tls_key_file", o->tls_key_file},
        {"allowed_origins", o->allowed_origins},
        {"trusted_proxies", o->trusted_proxies},
        {"turn_urls", o->turn_urls},
        {"turn_secret", o->turn_secret},
        {"admin_host", o->admin_host},
        {"admin_allowed_hosts", o->admin_allowed_hosts},
        {"exempt_addresses", o->exempt_addresses},
        {"cluster_url", o->cluster_url},
        {"cluster_name", o->cluster_name},
        {"cluster_node", o->cluster_node},
        {"cluster_secret_file", o->cluster_secret_file},
        {"cluster_credentials_file", o->cluster_credentials_file},
        {"cluster_user", o->cluster_user},
        {"cluster_password_file", o->cluster_password_file},
        {"cluster_ca_file", o->cluster_ca_file},
        {"cluster_cert_file", o->cluster_cert_file},
        {"cluster_key_file", o->cluster_key_file},
    };
    for (size_t i = 0; i < sizeof(strings) / sizeof(strings[0]); i++) {
        if (strings[i].value == NULL)
            return refuse(fault, "%s is NULL: a string is expected, which may be empty", strings[i].name);
    }
    slice wrong;
    const char *why = admin_hosts_find_fault(slice_of_text(o->admin_allowed_hosts), &wrong);
    if (why != NULL)
        return refuse(fault, "admin_allowed_hosts has \"%.*s\": %s", wrong.len < 200 ? (int)wrong.len : 200,
                      wrong.data, why);
    return 0;
}

static int check_sockets(const signal_server_options *o, signal_server_fault *fault)
{
    if (o->listen_fds == NULL && o->listen_fd_count > 0)
        return refuse(fault, "listen_fd_count is %zu: 0 is allowed while listen_fds is NULL",
                      o->listen_fd_count);
    if (o->listen_tls_fds == NULL && o->listen_tls_fd_count > 0)
        return refuse(fault, "listen_tls_fd_count is %zu: 0 is allowed while listen_tls_fds is NULL",
                      o->listen_tls_fd_count);
    if (o->listen_admin_fds == NULL && o->listen_admin_fd_count > 0)
        return refuse(fault, "listen_admin_fd_count is %zu: 0 is allowed while listen_admin_fds is NULL",
                      o->listen_admin_fd_count);
    if (o->tls_port < 0 && o->listen_tls_fd_count > 0)
        return refuse(fault, "tls_port is -1: with listen_tls_fds 0 to 65535 is allowed");
    if (o->admin_port == 0 && o->listen_admin_fd_count > 0)
        return refuse(fault, "admin_port is 0: with listen_admin_fds 1 to 65535 is allowed");
    return 0;
}

static int check_together(const signal_server_options *o, signal_server_fault *fault)
{
    slice origins = slice_of_text(o->allowed_origins);
    slice first;
    if (o->max_output_bytes < o->max_message_bytes)
        return refuse(fault,
                      "max_output_bytes is %" PRIu64 ": max_message_bytes, %" PRIu32 ", or more is allowed",
                      o->max_output_bytes, o->max_message_bytes);
    if (o->max_buffered_bytes < o->max_output_bytes)
        return refuse(fault,
                      "max_buffered_bytes is %" PRIu64 ": max_output_bytes, %" PRIu64 ", or more is allowed",
                      o->max_buffered_bytes, o->max_output_bytes);
    if (o->require_origin && !slice_take_entry(&origins, &first))
        return refuse(fault, "require_origin is true: allowed_origins must have entries then");
    /* A proxy sends its header in plain text before everything else, where our TLS would have to start. */
    if (o->proxy_protocol && o->tls_port >= 0)
        return refuse(fault, "proxy_protocol is true: tls_port must be -1 then");
    return 0;
}

/* ---- The cluster ---- */

static int check_cluster(const signal_server_options *o, signal_server_fault *fault)
{
    static const char *const names[CLUSTER_SETTINGS] = {
        [CLUSTER_URL] = "cluster_url",
        [CLUSTER_NAME] = "cluster_name",
        [CLUSTER_NODE] = "cluster_node",
        [CLUSTER_SECRET_FILE] = "cluster_secret_file",
        [CLUSTER_CREDENTIALS_FILE] = "cluster_credentials_file",
        [CLUSTER_USER] = "cluster_user",
        [CLUSTER_PASSWORD_FILE] = "cluster_password_file",
        [CLUSTER_CA_FILE] = "cluster_ca_file",
        [CLUSTER_CERT_FILE] = "cluster_cert_file",
        [CLUSTER_KEY_FILE] = "cluster_key_file",
    };
    const cluster_settings settings = server_options_cluster(o);
    cluster_fault wrong;
    if (o->cluster_url[0] == '\0')
        return 0;
    if (!courier_exists)
        return refuse(fault,
                      "cluster_url is \"%.200s\": this library was built without NATS; \"\" is allowed",
                      o->cluster_url);
    if (cluster_settings_check(&settings, &wrong))
        return 0;
    return refuse(fault, "%s has \"%.*s\": %s", names[wrong.where],
                  wrong.value.len < 200 ? (int)wrong.value.len : 200, wrong.value.data, wrong.reason);
}

/* ---- Programs of another version ---- */

static int check_size(const signal_server_options *given, signal_server_fault *fault)
{
    if (given->size < sizeof(given->size) || given->size > MAX_SIZE)
        return refuse(fault, "size is %zu: signal_server_options_init() sets it", given->size);
    const char *bytes = (const char *)given;
    for (size_t i = sizeof(*given); i < given->size; i++) {
        if (bytes[i] != 0)
            return refuse(
                fault,
                "size is %zu: this library is older, and knows %zu bytes; behind these an option is set "
                "(byte %zu)",
                given->size, sizeof(*given), i);
    }
    return 0;
}

int options_check_take(signal_server_options *out, const signal_server_options *given,
                       signal_server_fault *fault)
{
    int error = check_size(given, fault);
    if (error != 0)
        return error;
    signal_server_options_init(out, sizeof(*out));
    memcpy(out, given, given->size < sizeof(*out) ? given->size : sizeof(*out));
    out->size = sizeof(*out);

    error = check_strings(out, fault);
    if (error == 0)
        error = check_numbers(out, fault);
    if (error == 0)
        error = check_sockets(out, fault);
    if (error == 0)
        error = check_together(out, fault);
    if (error == 0)
        error = check_cluster(out, fault);
    return error;
}
