/* Listening: opens the places of WS_HOST, or takes inherited sockets, and gives them to the acceptors. */
#ifndef HOMECALL_SERVER_LISTENING_H
#define HOMECALL_SERVER_LISTENING_H

#include "server/server_parts.h"

/* Open every place in options.host (listen_plan.h). Each acceptor gets a socket of its own for each address;
 *the first one gets the Unix sockets. All addresses have the same port in plain text and the same port with
 *TLS, if these are asked for; Unix sockets are in plain text. With options.listen_fds nothing is opened in
 *plain text: these sockets are shared out among the acceptors. 0, or -errno of what failed, which *fault then
 *says. */
int listening_start(signal_server *server, signal_server_fault *fault);

#endif
