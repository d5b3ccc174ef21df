#include "app/options.h"

#include "app/env_file.h"
#include "base/address_list.h"
#include "ice/ice_url.h"
#include "net/tls_context.h"

#include <arpa/inet.h>
#include <assert.h>
#include <errno.h>
#include <stdlib.h>

const char *options_get_text(const app_config *config, const option *o)
{
    const char *given = config->texts[o - option_table_get()].text;
    return given != NULL ? given : o->default_text;
}

/* ---- Reporting ---- */

/* A value may be long, and may hold what a terminal obeys. */
static void report_value(FILE *reports, const char *text, size_t len)
{
    enum { SHOWN = 64 };
    fputc('"', reports);
    for (size_t i = 0; i < len && i < SHOWN; i++) {
        if (option_is_control(text[i]))
            fprintf(reports, "\\x%02x", (unsigned)(unsigned char)text[i]);
        else
            fputc(text[i], reports);
    }
    fputs(len > SHOWN ? "…\"" : "\"", reports);
}

static void report_source(FILE *reports, const app_config *config, const option *o)
{
    const option_text *given = &config->texts[o - option_table_get()];
    if (given->text == NULL)
        fputs(" (the default)\n", reports);
    else if (given->line > 0)
        fprintf(reports, " (from %s, line %zu)\n", config->file_name, given->line);
    else
        fputs(" (from the environment)\n", reports);
}

static void report_invalid(FILE *reports, const app_config *config, const option *o)
{
    char allowed[128];
    option_describe(o, allowed, sizeof(allowed));
    const char *text = options_get_text(config, o);
    fprintf(reports, "homecall-signal: %s: ", o->name);
    report_value(reports, text, strlen(text));
    fprintf(reports, " is not valid: %s is allowed", allowed);
    report_source(reports, config, o);
}

/* ---- Reading ---- */

static int take_text(option_text *target, slice text, size_t line)
{
    char *copy = text.len == 0 ? NULL : strndup(text.data, text.len);
    if (copy == NULL && text.len > 0)
        return -ENOMEM;
    free(target->text);
    *target = (option_text){copy, line};
    return 0;
}

typedef struct file_reader {
    app_config *config;
    FILE *reports;
    int error;
} file_reader;

static void on_entry(void *context, size_t line, slice key, slice value)
{
    file_reader *reader = context;
    const option *o = option_table_find(key);
    if (o != NULL) {
        int error = take_text(&reader->config->texts[o - option_table_get()], value, line);
        reader->error = error != 0 ? error : reader->error;
        return;
    }
    const option *near = option_table_find_near(key);
    fprintf(reader->reports, "homecall-signal: %s, line %zu: %.*s is not an option and is ignored",
            reader->config->file_name, line, (int)(key.len < 64 ? key.len : 64), key.data);
    if (near != NULL)
        fprintf(reader->reports, "; did you mean %s?", near->name);
    fputc('\n', reader->reports);
}

static void on_fault(void *context, size_t line, const char *reason)
{
    file_reader *reader = context;
    fprintf(reader->reports, "homecall-signal: %s:%zu: %s\n", reader->config->file_name, line, reason);
}

int options_read_file(app_config *config, const char *name, slice content, FILE *reports)
{
    char *copy = strdup(name);
    if (copy == NULL)
        return -ENOMEM;
    free(config->file_name);
    config->file_name = copy;

    file_reader reader = {.config = config, .reports = reports};
    const env_file_events events = {.on_entry = on_entry, .on_fault = on_fault, .context = &reader};
    int error = env_file_parse(content, &events);
    return error != 0 ? error : reader.error;
}

int options_read_environment(app_config *config, char *const *environment)
{
    for (; *environment != NULL; environment++) {
        const char *separator = strchr(*environment, '=');
        if (separator == NULL || separator[1] == '\0')
            continue;
        const option *o = option_table_find((slice){*environment, (size_t)(separator - *environment)});
        if (o == NULL)
            continue;
        const slice value = {separator + 1, strlen(separator + 1)};
        if (take_text(&config->texts[o - option_table_get()], value, 0) != 0)
            return -ENOMEM;
    }
    return 0;
}

/* ---- Checking ---- */

/* Is it null, or scheme://host[:port] (RFC 6454, 6.2), where *. may stand before the host? A path, a slash at
 * the end even, would make it match nothing. */
static bool is_origin(slice entry)
{
    if (slice_equals(entry, SLICE_LITERAL("null")))
        return true;
    const char *separator = memmem(entry.data, entry.len, "://", 3);
    if (separator == NULL || separator == entry.data)
        return false;
    const char *host = separator + 3;
    size_t len = entry.len - (size_t)(host - entry.data);
    if (len > 2 && host[0] == '*' && host[1] == '.') {
        host += 2;
        len -= 2;
    }
    for (size_t i = 0; i < len; i++) {
        if (strchr("/?#*@ ", host[i]) != NULL)
            return false;
    }
    return len > 0;
}

static bool check_origins(const app_config *config, FILE *reports)
{
    bool is_valid = true;
    slice list = {config->server.allowed_origins, strlen(config->server.allowed_origins)};
    for (slice entry; slice_take_entry(&list, &entry);) {
        if (is_origin(entry))
            continue;
        const option *o = option_table_find_target(offsetof(app_config, server.allowed_origins));
        fprintf(reports, "homecall-signal: %s: ", o->name);
        report_value(reports, entry.data, entry.len);
        fputs(" is not valid: scheme://host, scheme://*.domain, or either with :port is allowed", reports);
        report_source(reports, config, o);
        is_valid = false;
    }
    return is_valid;
}

static bool check_proxies(const app_config *config, FILE *reports)
{
    address_list list;
    address_list_fault fault;
    const char *text = config->server.trusted_proxies;
    if (address_list_parse(&list, (slice){text, strlen(text)}, &fault) == 0)
        return true;
    const option *o = option_table_find_target(offsetof(app_config, server.trusted_proxies));
    fprintf(reports, "homecall-signal: %s: ", o->name);
    report_value(reports, fault.entry.data, fault.entry.len);
    fprintf(reports, " is not valid: %s", fault.reason);
    report_source(reports, config, o);
    return false;
}

/* The list, and that its TURN servers have a secret. */
static bool check_turn(const app_config *config, FILE *reports)
{
    const option *o = option_table_find_target(offsetof(app_config, server.turn_urls));
    slice list = {config->server.turn_urls, strlen(config->server.turn_urls)};
    ice_url_fault fault;
    if (ice_url_check_list(list, &fault) != 0) {
        fprintf(reports, "homecall-signal: %s: ", o->name);
        report_value(reports, fault.entry.data, fault.entry.len);
        fprintf(reports, " is not valid: %s", fault.reason);
        report_source(reports, config, o);
        return false;
    }
    bool needs_secret = false;
    for (slice url; slice_take_entry(&list, &url);)
        needs_secret = needs_secret || ice_url_is_turn(url);
    if (!needs_secret || config->server.turn_secret[0] != '\0')
        return true;
    fprintf(reports, "homecall-signal: %s has a TURN server, which needs TURN_SECRET", o->name);
    report_source(reports, config, o);
    return false;
}

/* Can nobody but this machine reach a socket there? A name may stand for any address, but this one. */
static bool is_loopback(const char *entry)
{
    struct in_addr ipv4;
    struct in6_addr ipv6;
    if (strncmp(entry, "unix:", 5) == 0 || strcmp(entry, "localhost") == 0)
        return true;
    if (inet_pton(AF_INET, entry, &ipv4) == 1)
        return ntohl(ipv4.s_addr) >> 24 == IN_LOOPBACKNET;
    return inet_pton(AF_INET6, entry, &ipv6) == 1 && IN6_IS_ADDR_LOOPBACK(&ipv6);
}

/* Only wss:// in the open: PROTOCOL.md's codeword is the only key to a room. */
static bool check_plaintext(const app_config *config, FILE *reports)
{
    const option *o = option_table_find_target(offsetof(app_config, server.host));
    slice list = {config->server.host, strlen(config->server.host)};
    bool is_valid = true;
    if (config->allows_plaintext || config->server.port < 0)
        return true;
    for (slice entry; slice_take_entry(&list, &entry);) {
        char text[INET6_ADDRSTRLEN] = "";
        if (entry.len < sizeof(text))
            memcpy(text, entry.data, entry.len);
        if (is_loopback(text))
            continue;
        fprintf(reports, "homecall-signal: %s: ", o->name);
        report_value(reports, entry.data, entry.len);
        fputs(" is not the loopback, and without TLS the codewords could be read there; behind a TLS proxy "
              "that alone reaches it, ALLOW_PLAINTEXT=1 allows it",
              reports);
        report_source(reports, config, o);
        is_valid = false;
    }
    return is_valid;
}

static bool check_tls(const app_config *config, FILE *reports)
{
    const signal_server_options *s = &config->server;
    if (s->tls_port >= 0 && (s->tls_cert_file[0] == '\0' || s->tls_key_file[0] == '\0')) {
        fputs("homecall-signal: WSS_PORT needs TLS_CERT_FILE and TLS_KEY_FILE\n", reports);
        return false;
    }
    if (s->tls_port >= 0 && s->proxy_protocol) {
        fputs("homecall-signal: PROXY_PROTOCOL=on does not go with WSS_PORT: a proxy sends its header before "
              "TLS\n",
              reports);
        return false;
    }
    return true;
}

static bool check_listens(const app_config *config, FILE *reports)
{
    const signal_server_options *s = &config->server;
    bool has_entries = s->host[strspn(s->host, ", \t")] != '\0';
    bool has_ports = s->port >= 0 || s->tls_port >= 0;
    if (has_entries && (has_ports || strstr(s->host, "unix:") != NULL))
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

/* What no option can tell by itself. */
static bool check_together(const app_config *config, FILE *reports)
{
    const signal_server_options *s = &config->server;
    bool is_valid = check_origins(config, reports);
    is_valid = check_plaintext(config, reports) && is_valid;
    is_valid = check_proxies(config, reports) && is_valid;
    is_valid = check_turn(config, reports) && is_valid;
    is_valid = check_listens(config, reports) && is_valid;
    is_valid = check_tls(config, reports) && is_valid;
    if (s->max_output_bytes < 2 * (uint64_t)s->max_message_bytes)
        is_valid = report_misfit(reports, config, offsetof(app_config, server.max_output_bytes),
                                 "at least twice", offsetof(app_config, server.max_message_bytes));
    /* A newcomer gets the whole queue at once; one that can't be given it would be dropped for not reading.
     */
    if (s->pending_max_bytes > s->max_output_bytes)
        is_valid = report_misfit(reports, config, offsetof(app_config, server.pending_max_bytes), "at most",
                                 offsetof(app_config, server.max_output_bytes));
    return is_valid;
}

int options_apply(app_config *config, FILE *reports)
{
    const option *table = option_table_get();
    bool is_valid = true;
    for (size_t i = 0; i < OPTIONS_COUNT; i++) {
        if (!option_set(&table[i], config, options_get_text(config, &table[i]))) {
            report_invalid(reports, config, &table[i]);
            is_valid = false;
        }
    }
    /* With a value missing, more complaints would only confuse. */
    return is_valid && check_together(config, reports) ? 0 : -EINVAL;
}

int options_check_files(const app_config *config, FILE *reports)
{
    const signal_server_options *s = &config->server;
    if (s->tls_port < 0)
        return 0;
    char fault[TLS_CONTEXT_FAULT_CAP] = "out of memory";
    tls_context *context = NULL;
    int error = tls_context_load(s->tls_cert_file, s->tls_key_file, NULL, &context, fault);
    if (error != 0)
        fprintf(reports, "homecall-signal: TLS_CERT_FILE, TLS_KEY_FILE: %s\n", fault);
    tls_context_free(context);
    return error;
}

void options_init(app_config *config)
{
    const option *table = option_table_get();
    *config = (app_config){0};
    for (size_t i = 0; i < OPTIONS_COUNT; i++) {
        bool is_valid = option_set(&table[i], config, table[i].default_text);
        assert(is_valid);
        (void)is_valid;
    }
}

void options_deinit(app_config *config)
{
    for (size_t i = 0; i < OPTIONS_COUNT; i++)
        free(config->texts[i].text);
    free(config->file_name);
    *config = (app_config){0};
}

/* The defaults of the library are the ones of the table, so that there is one place for each. But a program
 * that embeds a server opens no other port unasked. */
void signal_server_options_init(signal_server_options *options)
{
    app_config config;
    options_init(&config);
    *options = config.server;
    options->admin_port = 0;
}
