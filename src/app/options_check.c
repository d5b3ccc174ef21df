#include "app/options_check.h"

#include "admin/admin_hosts.h"
#include "app/cluster_check.h"
#include "app/option_table.h"
#include "app/options.h"
#include "app/options_report.h"
#include "app/ports_check.h"
#include "base/address_list.h"
#include "base/listen_entry.h"
#include "base/origin.h"
#include "ice/ice_url.h"
#include "net/tls_context.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

static_assert(LISTEN_ENTRIES_MAX == 16, "what the reason says");

/* The reason, and what would do: it is written by people who think of addresses, and of pages. */
static void report_origin(const app_config *config, FILE *reports, slice entry, const char *reason)
{
    char text[512];
    snprintf(text, sizeof(text),
             "%s; https://host, https://*.domain, either with a port, null and file:// are allowed", reason);
    (void)options_refuse(reports, config, offsetof(app_config, server.allowed_origins), entry, text);
}

static bool check_origins(const app_config *config, FILE *reports)
{
    bool is_valid = true;
    idna names = {0};
    slice list = slice_of_text(config->server.allowed_origins);
    for (slice entry; slice_take_entry(&list, &entry);) {
        char origin[ORIGIN_CAP];
        const char *reason = origin_parse(entry, &names, origin);
        if (reason == NULL)
            continue;
        report_origin(config, reports, entry, reason);
        is_valid = false;
    }
    idna_deinit(&names);
    return is_valid;
}

/* Read a list of addresses, which is the value at this offset of the configuration. */
static bool read_addresses(const app_config *config, FILE *reports, size_t offset, const char *text,
                           address_list *list)
{
    address_list_fault fault;
    return address_list_parse(list, slice_of_text(text), &fault) == 0 ||
           options_refuse(reports, config, offset, fault.entry, fault.reason);
}

static bool check_exempt(const app_config *config, FILE *reports)
{
    address_list list;
    return read_addresses(config, reports, offsetof(app_config, server.exempt_addresses),
                          config->server.exempt_addresses, &list);
}

static bool check_required_origin(const app_config *config, FILE *reports)
{
    slice list = slice_of_text(config->server.allowed_origins);
    slice first;
    return !config->server.require_origin || slice_take_entry(&list, &first) ||
           options_refuse_whole(
               reports, config, offsetof(app_config, server.require_origin),
               "ALLOWED_ORIGINS is empty, and so every origin would do; off is allowed here, or a "
               "list of origins there");
}

static bool check_proxies(const app_config *config, FILE *reports)
{
    size_t offset = offsetof(app_config, server.trusted_proxies);
    address_list list;
    if (!read_addresses(config, reports, offset, config->server.trusted_proxies, &list))
        return false;
    if (!config->server.proxy_protocol || list.count > 0 || list.has_unix)
        return true;
    return options_refuse_whole(
        reports, config, offset,
        "PROXY_PROTOCOL is on, and no proxy is trusted to begin with its header; the address or the "
        "network of the proxy is expected");
}

/* Check that the list has TURN servers and a secret for them, or neither. */
static bool check_turn_secret(const app_config *config, FILE *reports)
{
    slice list = slice_of_text(config->server.turn_urls);
    bool has_secret = config->server.turn_secret[0] != '\0';
    for (slice url; slice_take_entry(&list, &url);) {
        if (!ice_url_is_turn(url))
            continue;
        if (!has_secret)
            (void)options_refuse(reports, config, offsetof(app_config, server.turn_urls), url,
                                 "a TURN server needs TURN_SECRET");
        return has_secret;
    }
    return !has_secret ||
           options_refuse_whole(
               reports, config, offsetof(app_config, server.turn_urls),
               "TURN_SECRET is set, and no TURN server stands here to use it for; turn:HOST or "
               "turns:HOST is expected");
}

static bool check_turn(const app_config *config, FILE *reports)
{
    slice list = slice_of_text(config->server.turn_urls);
    ice_url_fault fault = {list, "out of memory"};
    char *good = NULL;
    if (ice_url_read_list(list, &good, &fault) != 0) {
        return options_refuse(reports, config, offsetof(app_config, server.turn_urls), fault.entry,
                              fault.reason);
    }
    free(good);
    return check_turn_secret(config, reports);
}

/* Over open networks only wss:// is safe: whoever reads a codeword can enter the room. NULL, or what is
 * wrong. */
static const char *find_fault_of_plaintext(const app_config *config, const listen_entry *entry)
{
    if (config->allows_plaintext || config->server.port < 0 || listen_entry_is_loopback(entry))
        return NULL;
    return "it is not the loopback, and without TLS the codewords could be read there; behind a TLS proxy "
           "that alone reaches it, ALLOW_PLAINTEXT=on allows it";
}

static bool check_hosts(const app_config *config, FILE *reports)
{
    slice list = slice_of_text(config->server.host);
    bool is_valid = true;
    int count = 0;
    for (slice text; slice_take_entry(&list, &text); count++) {
        listen_entry entry;
        const char *reason = count == LISTEN_ENTRIES_MAX ? "16 stand before it, and more are not taken"
                                                         : listen_entry_parse(text, &entry);
        if (reason == NULL)
            reason = find_fault_of_plaintext(config, &entry);
        if (reason == NULL)
            continue;
        (void)options_refuse(reports, config, offsetof(app_config, server.host), text, reason);
        is_valid = false;
        if (count == LISTEN_ENTRIES_MAX)
            break;
    }
    return is_valid;
}

static bool check_admin_host(const app_config *config, FILE *reports)
{
    slice text = slice_of_text(config->server.admin_host);
    listen_entry entry;
    const char *reason = listen_entry_parse_host(text, &entry);
    if (reason == NULL)
        return true;
    return options_refuse(reports, config, offsetof(app_config, server.admin_host), text, reason);
}

static bool check_admin_allowed_hosts(const app_config *config, FILE *reports)
{
    slice entry;
    const char *reason = admin_hosts_find_fault(slice_of_text(config->server.admin_allowed_hosts), &entry);
    if (reason == NULL)
        return true;
    return options_refuse(reports, config, offsetof(app_config, server.admin_allowed_hosts), entry, reason);
}

static bool check_tls(const app_config *config, FILE *reports)
{
    const signal_server_options *s = &config->server;
    bool has_file = s->tls_cert_file[0] != '\0' || s->tls_key_file[0] != '\0';
    if (s->tls_port < 0)
        return !has_file ||
               options_refuse_whole(
                   reports, config, offsetof(app_config, server.tls_port),
                   "TLS_CERT_FILE and TLS_KEY_FILE are for this port; a port is expected, or else no files");
    if (s->tls_cert_file[0] == '\0' || s->tls_key_file[0] == '\0') {
        fputs("homecall-signal: WSS_PORT needs TLS_CERT_FILE and TLS_KEY_FILE\n", reports);
        return false;
    }
    if (s->proxy_protocol) {
        fputs("homecall-signal: PROXY_PROTOCOL=on does not go with WSS_PORT: a proxy sends its header before "
              "TLS\n",
              reports);
        return false;
    }
    return listen_entry_list_has_host(slice_of_text(s->host)) ||
           options_refuse_whole(
               reports, config, offsetof(app_config, server.host),
               "WSS_PORT needs an address or a name to listen on, which a Unix socket is not");
}

static bool check_listens(const app_config *config, FILE *reports)
{
    const signal_server_options *s = &config->server;
    slice list = slice_of_text(s->host);
    slice first;
    slice rest = list;
    bool has_entries = slice_take_entry(&rest, &first);
    bool has_ports = s->port >= 0 || s->tls_port >= 0;
    if (has_entries && (has_ports || listen_entry_list_has_path(list)))
        return true;
    fputs(has_entries ? "homecall-signal: with WS_PORT=off and WSS_PORT=off there is nothing to listen on\n"
                      : "homecall-signal: WS_HOST: there is nothing in it to listen on\n",
          reports);
    return false;
}

static bool report_misfit(FILE *reports, const app_config *config, size_t one, const char *rule, size_t other)
{
    const option *a = option_table_find_target(one);
    const option *b = option_table_find_target(other);
    fprintf(reports, "homecall-signal: %s (%s) must be %s %s (%s)\n", a->name, options_get_text(config, a),
            rule, b->name, options_get_text(config, b));
    return false;
}

bool options_check_together(const app_config *config, FILE *reports)
{
    const signal_server_options *s = &config->server;
    bool is_valid = check_origins(config, reports);
    is_valid = check_required_origin(config, reports) && is_valid;
    is_valid = check_hosts(config, reports) && is_valid;
    is_valid = check_admin_host(config, reports) && is_valid;
    is_valid = check_admin_allowed_hosts(config, reports) && is_valid;
    is_valid = check_proxies(config, reports) && is_valid;
    is_valid = check_exempt(config, reports) && is_valid;
    is_valid = check_turn(config, reports) && is_valid;
    is_valid = check_listens(config, reports) && is_valid;
    is_valid = check_tls(config, reports) && is_valid;
    is_valid = cluster_check_options(config, reports) && is_valid;
    is_valid = ports_check(config, false, reports) && is_valid;
    if (s->max_output_bytes < 2 * (uint64_t)s->max_message_bytes)
        is_valid = report_misfit(reports, config, offsetof(app_config, server.max_output_bytes),
                                 "at least twice", offsetof(app_config, server.max_message_bytes));
    if (s->max_buffered_bytes < 2 * s->max_output_bytes)
        is_valid = report_misfit(reports, config, offsetof(app_config, server.max_buffered_bytes),
                                 "at least twice", offsetof(app_config, server.max_output_bytes));
    /* A newcomer gets the whole queue at once. If it did not fit into the output, he would be dropped. */
    if (s->pending_max_bytes > s->max_output_bytes)
        is_valid = report_misfit(reports, config, offsetof(app_config, server.pending_max_bytes), "at most",
                                 offsetof(app_config, server.max_output_bytes));
    /* A client that comes back gets the whole outbox at once. */
    if (s->outbox_max_bytes > s->max_output_bytes)
        is_valid = report_misfit(reports, config, offsetof(app_config, server.outbox_max_bytes), "at most",
                                 offsetof(app_config, server.max_output_bytes));
    return is_valid;
}

/* What a certificate that can be used is doubtful for. */
static void report_warning(FILE *warnings, const char *warning)
{
    if (warnings != NULL && warning != NULL)
        fprintf(warnings, "homecall-signal: warning: TLS_CERT_FILE: %s\n", warning);
}

int options_check_files(const app_config *config, FILE *reports, FILE *warnings)
{
    const signal_server_options *s = &config->server;
    bool is_good = cluster_check_files(config, reports, warnings);
    if (s->tls_port < 0)
        return is_good ? 0 : -EINVAL;
    char fault[TLS_CONTEXT_FAULT_CAP] = "out of memory";
    tls_context *context = NULL;
    int error = tls_context_load(s->tls_cert_file, s->tls_key_file, NULL, &context, fault);
    if (error != 0) {
        fprintf(reports, "homecall-signal: TLS_CERT_FILE, TLS_KEY_FILE: %s\n", fault);
        return error;
    }
    report_warning(warnings, tls_context_warning(context));
    tls_context_free(context);
    return is_good ? 0 : -EINVAL;
}
