#include "app/ports_check.h"

#include "app/options.h"
#include "app/options_report.h"
#include "base/listen_entry.h"
#include "server/listen_address.h"

#include <string.h>

/* ---- The addresses of an entry ---- */

static void append(const char *host, listen_addresses *list)
{
    listen_addresses found;
    if (listen_address_resolve(host, &found) != 0)
        return; /* the start will tell */
    for (size_t i = 0; i < found.count && list->count < LISTEN_ADDRESSES_MAX; i++)
        list->all[list->count++] = found.all[i];
}

static listen_addresses addresses_of(const listen_entry *entry, bool resolves)
{
    listen_addresses list = {.count = 0};
    if (entry->kind == LISTEN_ENTRY_ADDRESS || (entry->kind == LISTEN_ENTRY_NAME && resolves)) {
        append(entry->text, &list);
    } else if (strcmp(entry->text, "localhost") == 0) {
        append("127.0.0.1", &list);
        append("::1", &list);
    }
    return list;
}

/* ---- Two of them ---- */

static bool is_ipv4(const listen_address *address)
{
    return address->storage.ss_family == AF_INET;
}

/* :: takes IPv4 as well, unless it is told not to. */
static bool do_meet(const listen_address *one, const listen_address *other, bool is_ipv6_only)
{
    /* NOLINTNEXTLINE(readability-suspicious-call-argument): each may cover the other one */
    return listen_address_covers(one, other) || listen_address_covers(other, one) ||
           (!is_ipv6_only && listen_address_is_ipv6_wildcard(one) && is_ipv4(other)) ||
           (listen_address_is_ipv6_wildcard(other) && is_ipv4(one));
}

static bool has_ipv4(const listen_addresses *list)
{
    for (size_t i = 0; i < list->count; i++) {
        if (is_ipv4(&list->all[i]))
            return true;
    }
    return false;
}

/* Does the admin port get in the way of this list of hosts, or the other way round? */
static bool meets_admin(const app_config *config, slice hosts, bool resolves)
{
    listen_entry entry;
    if (listen_entry_parse_host(slice_of_text(config->server.admin_host), &entry) != NULL)
        return false;
    listen_addresses own = addresses_of(&entry, resolves);
    bool leaves_ipv4 = false;
    slice rest = hosts;
    for (slice text; slice_take_entry(&rest, &text);) {
        if (listen_entry_parse(text, &entry) == NULL) {
            listen_addresses list = addresses_of(&entry, resolves);
            leaves_ipv4 = leaves_ipv4 || has_ipv4(&list);
        }
    }
    for (slice text; slice_take_entry(&hosts, &text);) {
        if (listen_entry_parse(text, &entry) != NULL)
            continue;
        if (slice_equals_in_any_case(text, slice_of_text(config->server.admin_host)))
            return true;
        listen_addresses list = addresses_of(&entry, resolves);
        for (size_t i = 0; i < list.count * own.count; i++) {
            if (do_meet(&list.all[i / own.count], &own.all[i % own.count], leaves_ipv4))
                return true;
        }
    }
    return false;
}

/* ---- The options ---- */

bool ports_check(const app_config *config, bool resolves, FILE *reports)
{
    const signal_server_options *s = &config->server;
    slice hosts = slice_of_text(s->host);
    bool is_good = true;
    if (s->port > 0 && s->port == s->tls_port && listen_entry_list_has_host(hosts))
        is_good = options_refuse_whole(
            reports, config, offsetof(app_config, server.tls_port),
            "WS_PORT uses it already, on the same addresses; another port, or off for one of the two, is "
            "allowed");
    bool is_plain = s->port == s->admin_port;
    if (s->admin_port > 0 && (is_plain || s->tls_port == s->admin_port) &&
        meets_admin(config, hosts, resolves))
        is_good = options_refuse_whole(
            reports, config, offsetof(app_config, server.admin_port),
            is_plain ? "WS_PORT uses it already, at an address of ADMIN_HOST; another port, or off for one "
                       "of the two, is allowed"
                     : "WSS_PORT uses it already, at an address of ADMIN_HOST; another port, or off for "
                       "one of the two, is allowed");
    return is_good;
}
