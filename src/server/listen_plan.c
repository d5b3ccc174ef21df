#include "server/listen_plan.h"

#include "server/start_fault.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static int refuse(slice text, int error, signal_server_fault *fault)
{
    char copy[sizeof(fault->entry)];
    snprintf(copy, sizeof(copy), "%.*s", (int)text.len, text.data);
    start_fault_set(fault, SIGNAL_SERVER_FAULT_ADDRESS, copy, 0);
    return error;
}

static bool is_path(const listen_place *place)
{
    return listen_entry_path(&place->entry) != NULL;
}

static bool covers(const listen_place *one, const listen_place *other)
{
    if (is_path(one) || is_path(other))
        return strcmp(one->entry.text, other->entry.text) == 0;
    return listen_address_covers(&one->address, &other->address);
}

static void add(listen_plan *plan, const listen_place *place)
{
    for (size_t i = 0; i < plan->count; i++) {
        if (covers(&plan->places[i], place))
            return;
    }
    size_t kept = 0;
    for (size_t i = 0; i < plan->count; i++) {
        if (!covers(place, &plan->places[i]))
            plan->places[kept++] = plan->places[i];
    }
    plan->places[kept] = *place;
    plan->count = kept + 1;
}

static void share_out_families(listen_plan *plan)
{
    bool has_ipv4 = false;
    for (size_t i = 0; i < plan->count; i++)
        has_ipv4 =
            has_ipv4 || (!is_path(&plan->places[i]) && plan->places[i].address.storage.ss_family == AF_INET);
    for (size_t i = 0; i < plan->count; i++)
        plan->places[i].is_ipv6_only = has_ipv4 && listen_address_is_ipv6_wildcard(&plan->places[i].address);
}

int listen_plan_make(listen_plan *plan, const signal_server_options *options, signal_server_fault *fault)
{
    bool takes_paths = options->listen_fd_count == 0;
    bool takes_addresses = (options->port >= 0 && takes_paths) || options->tls_port >= 0;
    plan->count = 0;
    slice list = slice_of_text(options->host);
    size_t entries = 0;
    for (slice text; slice_take_entry(&list, &text); entries++) {
        if (entries == LISTEN_ENTRIES_MAX) {
            start_fault_set(fault, SIGNAL_SERVER_FAULT_HOST, "", 0);
            return -E2BIG;
        }
        listen_place place = {.is_ipv6_only = false};
        if (listen_entry_parse(text, &place.entry) != NULL)
            return refuse(text, -EINVAL, fault);
        if (!(is_path(&place) ? takes_paths : takes_addresses))
            continue;
        int error = is_path(&place) ? 0 : listen_address_resolve(place.entry.text, &place.address);
        if (error != 0)
            return refuse(text, error, fault);
        add(plan, &place);
    }
    share_out_families(plan);
    return 0;
}
