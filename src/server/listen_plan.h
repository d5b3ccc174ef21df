/* The addresses and paths that a server listens on by itself: the entries of a list of hosts, with their
 * names resolved.
 *
 * A name stands for all its addresses. localhost is 127.0.0.1 and ::1, and clients of both are served. If
 * this machine does not have one of a name's addresses, the others are enough. An entry that is an address
 * itself may not be missing.
 *
 * An address that is in the list twice, or that a wildcard covers (0.0.0.0 and 127.0.0.1), is opened only
 * once: a second socket would find the port in use by the first.
 *
 * The address :: alone takes IPv4 as well, unless the system is set up otherwise. Where an IPv4 address
 * stands in the list too, :: takes IPv6 only: otherwise 0.0.0.0 and :: would be in each other's way. */
#ifndef HOMECALL_SERVER_LISTEN_PLAN_H
#define HOMECALL_SERVER_LISTEN_PLAN_H

#include "base/listen_entry.h"
#include "homecall/signal_server.h"
#include "server/listen_address.h"

/* How many places a list may stand for. Enough for two addresses for each entry. */
enum { LISTEN_PLACES_MAX = 2 * LISTEN_ENTRIES_MAX };

typedef struct listen_place {
    listen_entry entry;     /* the same for all places of one name */
    listen_address address; /* of an address or a name */
    bool is_ipv6_only;      /* it must not take IPv4 as well */
    size_t covered_by;      /* the number of the place that is opened instead, or its own number */
    int error;              /* set by listen_plan_open(): why it is left out, or 0 */
} listen_place;

/* A value: it owns nothing. */
typedef struct listen_plan {
    listen_place places[LISTEN_PLACES_MAX];
    size_t count;
} listen_plan;

/* Make the plan of options.host. Addresses are left out where neither port is asked for, paths where
 * listen_fds stand for them. 0; or -errno of the first entry that can't be meant, which *fault then names. */
int listen_plan_make(listen_plan *plan, const signal_server_options *options, signal_server_fault *fault);

/* Make the plan of options.admin_host, which is one address or name. Without an admin port the plan is empty.
 * Returns the same. */
int listen_plan_make_admin(listen_plan *plan, const signal_server_options *options,
                           signal_server_fault *fault);

/* Is this place opened? It is not if another place covers it. */
bool listen_plan_opens(const listen_plan *plan, size_t i);

/* Open each place that no other place covers, with `open_place`, which returns 0 or -errno. An address that
 * this machine does not have (-EADDRNOTAVAIL, -EAFNOSUPPORT) is left out if its entry has another address
 * that could be opened. Returns 0; or the error of a place, whose number is then in *failed. */
int listen_plan_open(listen_plan *plan, int (*open_place)(void *context, const listen_place *place),
                     void *context, size_t *failed);

/* List the places that were opened, with commas between them: addresses without their port, and paths. The
 * text is owned by the caller. NULL if there is no memory. */
char *listen_plan_describe(const listen_plan *plan);

#endif
