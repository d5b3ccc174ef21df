/* Where a server listens by itself: the entries of options.host with their names resolved, each place once.
 *
 * An address that stands in the list twice, or that a wildcard in it covers (0.0.0.0 and 127.0.0.1), is
 * opened once: a second socket there would find the port in use by the first.
 *
 * :: alone takes IPv4 as well, as far as the system has it so. Next to any IPv4 address it is for IPv6 only,
 * or 0.0.0.0 and :: would be in each other's way. */
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

/* A value. */
typedef struct listen_plan {
    listen_place places[LISTEN_ENTRIES_MAX];
    size_t count;
} listen_plan;

/* Make the plan. Addresses are left out where neither port is asked for, paths where listen_fds stand for
 * them. 0; or -errno of the first entry that can't be meant, which *fault then names. */
int listen_plan_make(listen_plan *plan, const signal_server_options *options, signal_server_fault *fault);

#endif
