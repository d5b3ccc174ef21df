/* The plan of where to listen: the entries of options.host with their names resolved, each place once.
 *
 * An address may stand in the list twice, or a wildcard may cover it (0.0.0.0 and 127.0.0.1). It is opened
 * once: a second socket would find the port in use by the first.
 *
 * The address :: alone takes IPv4 as well, unless the system is set up otherwise. Where an IPv4 address
 * stands in the list too, :: takes IPv6 only: otherwise 0.0.0.0 and :: would be in each other's way. */
#ifndef HOMECALL_SERVER_LISTEN_PLAN_H
#define HOMECALL_SERVER_LISTEN_PLAN_H

#include "base/listen_entry.h"
#include "homecall/signal_server.h"
#include "server/listen_address.h"

typedef struct listen_place {
    listen_entry entry;
    listen_address address; /* of an address or a name */
    bool is_ipv6_only;      /* it must not take IPv4 as well */
} listen_place;

/* A value: it owns nothing. */
typedef struct listen_plan {
    listen_place places[LISTEN_ENTRIES_MAX];
    size_t count;
} listen_plan;

/* Make the plan. Addresses are left out if neither port is asked for, and paths if listen_fds replace them.
 * 0; or -errno of the first entry that can't be used, which *fault then names. */
int listen_plan_make(listen_plan *plan, const signal_server_options *options, signal_server_fault *fault);

#endif
