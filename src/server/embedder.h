/* The hooks of the program that embeds the server: from what sessions and rooms say to what
 * homecall/signal_server.h promises. */
#ifndef HOMECALL_SERVER_EMBEDDER_H
#define HOMECALL_SERVER_EMBEDDER_H

#include "homecall/signal_server.h"
#include "session/session_hooks.h"

/* The hooks that these options ask for; NULL where they ask for none. `options` is borrowed as long as the
 * hooks are used. */
session_hooks embedder_hooks(const signal_server_options *options);

#endif
