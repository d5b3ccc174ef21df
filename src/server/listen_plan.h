/* Where a server listens by itself: the entries of a list of hosts with their names resolved, each address
 * once.
 *
 * A name stands for all its addresses: localhost is 127.0.0.1 and ::1, and whoever comes to either is to be
 * served. Where this machine does not have one of them, the others do; not one may be missing of what is
 * written as an address.
 *
 * An address that is there twice, or that a wildcard covers (0.0.0.0 and 127.0.0.1), is opened once: a second
 * socket there would find the port in use by the first.
 *
 * The address :: alone takes IPv4 as well, unless the system is set up otherwise. Where an IPv4 address
 * stands in the list too, :: takes IPv6 only: otherwise 0.0.0.0 and :: would be in each other's way. */
#ifndef HOMECALL_SERVER_LISTEN_PLAN_H
#define HOMECALL_SERVER_LISTEN_PLAN_H

#include "base/listen_entry.h"
#include "homecall/signal_server.h"
#include "server/listen_address.h"

/* How many places a list may stand for: two addresses for each of its entries, and a bound for what it costs.
 */
enum { LISTEN_PLACES_MAX = 2 * LISTEN_ENTRIES_MAX };

typedef struct listen_place {
    listen_entry entry;     /* several places of a name have the same one */
    listen_address address; /* of an address or a name */
    bool is_ipv6_only;      /* it must not take IPv4 as well */
    size_t
        covered_by; /* the number of the place that gets what comes here; its own where it is opened itself */
    int error;      /* from listen_plan_open(): why it is not there; else 0 */
} listen_place;

/* A value: it owns nothing. */
typedef struct listen_plan {
    listen_place places[LISTEN_PLACES_MAX];
    size_t count;
} listen_plan;

/* Make the plan of options.host. Addresses are left out where neither port is asked for, paths where
 * listen_fds stand for them. 0; or -errno of the first entry that can't be meant, which *fault then names. */
int listen_plan_make(listen_plan *plan, const signal_server_options *options, signal_server_fault *fault);

/* Make the plan of options.admin_host, which is one address or name; an empty one without an admin port. The
 * same. */
int listen_plan_make_admin(listen_plan *plan, const signal_server_options *options,
                           signal_server_fault *fault);

/* Is it opened itself? */
bool listen_plan_opens(const listen_plan *plan, size_t i);

/* Open each place that is not covered by another, by a function that returns 0 or -errno. An address that
 * this machine does not have (-EADDRNOTAVAIL, -EAFNOSUPPORT) is passed over, as long as each entry is left
 * with one. 0; or the error of the first place that is missed, whose number is then in *failed. */
int listen_plan_open(listen_plan *plan, int (*open_place)(void *context, const listen_place *place),
                     void *context, size_t *failed);

/* The places that have been opened, with commas between: addresses without their port, and paths. A text
 * owned by the caller; NULL without memory. */
char *listen_plan_describe(const listen_plan *plan);

#endif
