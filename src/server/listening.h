/* Listening: from WS_HOST, or from sockets that were inherited, to the sockets of the acceptors. */
#ifndef HOMECALL_SERVER_LISTENING_H
#define HOMECALL_SERVER_LISTENING_H

#include "server/server_parts.h"

/* Open the sockets of every place in options.host (listen_plan.h), and give them to the acceptors, each of
 which
 * gets one of its own for each address; the first one gets the Unix sockets. All addresses have the same
 ports,
 * one in plain text and one with TLS, as far as each is asked for; Unix sockets are plain.
 options.listen_fds,
 * which are shared out, stand for all that is plain.

 * 0, or -errno of what failed, which *fault then says. */
int listening_start(signal_server *server, signal_server_fault *fault);

#endif
