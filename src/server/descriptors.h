/* Are there enough descriptors for the start of a server? This is found out before anything is opened, so
 * that the fault can tell how many are needed. If another thread of the process takes some meanwhile, opening
 * them fails. */
#ifndef HOMECALL_SERVER_DESCRIPTORS_H
#define HOMECALL_SERVER_DESCRIPTORS_H

#include "server/listen_plan.h"
#include "server/server_parts.h"

/* For a server that listens by these plans: 0, or -EMFILE and *fault has the limit, and what it would have to
 * be. */
int descriptors_check(const signal_server *server, const listen_plan *hosts, const listen_plan *admin_hosts,
                      signal_server_fault *fault);

#endif
