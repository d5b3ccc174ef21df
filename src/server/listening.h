/* Listening: from the plans of WS_HOST and ADMIN_HOST, or from sockets that were inherited, to the sockets of
 * the acceptors and of the admin. */
#ifndef HOMECALL_SERVER_LISTENING_H
#define HOMECALL_SERVER_LISTENING_H

#include "server/listen_plan.h"
#include "server/server_parts.h"

/* Open the sockets of every place in the plan of options.host, and give them to the acceptors, each of which
 * gets one of its own for each address; the first one gets the Unix sockets. All addresses have the same
 * ports, one in plain text and one with TLS, as far as each is asked for; Unix sockets are plain.
 * options.listen_fds, which are shared out, stand for all that is plain, and options.listen_tls_fds for all
 * with TLS. server->hosts says then where it listens, and the log which addresses of a name are missing.
 *
 * 0, or -errno of what failed, which *fault then says. */
int listening_start(signal_server *server, listen_plan *plan, signal_server_fault *fault);

/* Open the sockets of every place in the plan of options.admin_host, and make server->admin of them;
 * server->admin_hosts says where it listens. 0 or -errno. */
int listening_open_admin(signal_server *server, const admin_options *options, listen_plan *plan);

#endif
