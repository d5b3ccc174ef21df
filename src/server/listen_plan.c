#include "server/listen_plan.h"

#include "base/memory_text.h"
#include "server/start_fault.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool is_path(const listen_place *place)
{
    return listen_entry_path(&place->entry) != NULL;
}

/* ---- Each address once ---- */

static bool covers(const listen_place *one, const listen_place *other)
{
    if (is_path(one) || is_path(other))
        return strcmp(one->entry.text, other->entry.text) == 0;
    return listen_address_covers(&one->address, &other->address);
}

bool listen_plan_opens(const listen_plan *plan, size_t i)
{
    return plan->places[i].covered_by == i;
}

static int add_place(listen_plan *plan, const listen_place *place)
{
    if (plan->count == LISTEN_PLACES_MAX)
        return -E2BIG;
    size_t added = plan->count++;
    plan->places[added] = *place;
    plan->places[added].covered_by = added;
    for (size_t i = 0; i < added; i++) {
        if (!listen_plan_opens(plan, i))
            continue;
        if (covers(&plan->places[i], place)) {
            plan->places[added].covered_by = i;
            return 0;
        }
        if (covers(place, &plan->places[i]))
            plan->places[i].covered_by = added;
    }
    return 0;
}

/* All addresses of the entry. */
static int add_host(listen_plan *plan, const listen_entry *entry)
{
    listen_addresses found;
    int error = listen_address_resolve(entry->text, &found);
    for (size_t i = 0; error == 0 && i < found.count; i++) {
        const listen_place place = {.entry = *entry, .address = found.all[i]};
        error = add_place(plan, &place);
    }
    return error;
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

/* ---- Making it ---- */

static int refuse(slice text, int error, signal_server_fault *fault)
{
    char copy[sizeof(fault->entry)];
    snprintf(copy, sizeof(copy), "%.*s", (int)text.len, text.len > 0 ? text.data : "");
    signal_server_fault_kind kind = error == -E2BIG ? SIGNAL_SERVER_FAULT_HOST : SIGNAL_SERVER_FAULT_ADDRESS;
    start_fault_set(fault, kind, copy, 0);
    return error;
}

int listen_plan_make(listen_plan *plan, const signal_server_options *options, signal_server_fault *fault)
{
    bool takes_paths = options->listen_fd_count == 0;
    bool takes_addresses =
        (options->port >= 0 && takes_paths) || (options->tls_port >= 0 && options->listen_tls_fd_count == 0);
    plan->count = 0;
    slice list = slice_of_text(options->host);
    size_t entries = 0;
    for (slice text; slice_take_entry(&list, &text); entries++) {
        if (entries == LISTEN_ENTRIES_MAX)
            return refuse((slice){0}, -E2BIG, fault);
        listen_place place = {.is_ipv6_only = false};
        if (listen_entry_parse(text, &place.entry) != NULL)
            return refuse(text, -EINVAL, fault);
        if (!(is_path(&place) ? takes_paths : takes_addresses))
            continue;
        int error = is_path(&place) ? add_place(plan, &place) : add_host(plan, &place.entry);
        if (error != 0)
            return refuse(text, error, fault);
    }
    share_out_families(plan);
    return 0;
}

int listen_plan_make_admin(listen_plan *plan, const signal_server_options *options,
                           signal_server_fault *fault)
{
    listen_entry entry;
    plan->count = 0;
    if (options->admin_port == 0 || options->listen_admin_fd_count > 0)
        return 0;
    int error = listen_entry_parse_host(slice_of_text(options->admin_host), &entry) == NULL
                    ? add_host(plan, &entry)
                    : -EINVAL;
    if (error != 0)
        start_fault_set(fault, SIGNAL_SERVER_FAULT_ADMIN, options->admin_host, options->admin_port);
    return error;
}

/* ---- Opening it ---- */

static bool is_missing_here(int error)
{
    return error == -EADDRNOTAVAIL || error == -EAFNOSUPPORT;
}

/* What became of the place, or of the one that stands for it. */
static int outcome_of(const listen_plan *plan, size_t i)
{
    while (!listen_plan_opens(plan, i))
        i = plan->places[i].covered_by;
    return plan->places[i].error;
}

/* Has the entry that this place belongs to a place that is there? */
static bool is_served(const listen_plan *plan, size_t place)
{
    for (size_t i = 0; i < plan->count; i++) {
        if (strcmp(plan->places[i].entry.text, plan->places[place].entry.text) == 0 &&
            outcome_of(plan, i) == 0)
            return true;
    }
    return false;
}

int listen_plan_open(listen_plan *plan, int (*open_place)(void *context, const listen_place *place),
                     void *context, size_t *failed)
{
    for (size_t i = 0; i < plan->count; i++) {
        if (!listen_plan_opens(plan, i))
            continue;
        plan->places[i].error = open_place(context, &plan->places[i]);
        if (plan->places[i].error != 0 && !is_missing_here(plan->places[i].error)) {
            *failed = i;
            return plan->places[i].error;
        }
    }
    for (size_t i = 0; i < plan->count; i++) {
        if (!is_served(plan, i)) {
            *failed = i;
            return outcome_of(plan, i);
        }
    }
    return 0;
}

static void describe(const listen_place *place, char *out, size_t cap)
{
    if (is_path(place))
        snprintf(out, cap, "%s", place->entry.text);
    else
        listen_address_format(&place->address, out, cap);
}

char *listen_plan_describe(const listen_plan *plan)
{
    char *text = NULL;
    size_t len = 0;
    FILE *out = open_memstream(&text, &len);
    if (out == NULL)
        return NULL;
    const char *separator = "";
    for (size_t i = 0; i < plan->count; i++) {
        char place[LISTEN_ENTRY_CAP];
        if (!listen_plan_opens(plan, i) || plan->places[i].error != 0)
            continue;
        describe(&plan->places[i], place, sizeof(place));
        fprintf(out, "%s%s", separator, place);
        separator = ",";
    }
    return memory_text_close(out, &text) ? text : NULL;
}
