/* What the sessions of all threads of a server share: bounds, the hash, whose word is believed, and what they
 * ask of the server. Internal to src/server. */
#ifndef HOMECALL_SERVER_SERVER_SHARED_H
#define HOMECALL_SERVER_SERVER_SHARED_H

#include "server/server_parts.h"

/* Fill in server->shared from the options, which are the server's own; what a start reads anew is read then.
 * 0; -EINVAL for a list of proxies that can't be read; -EIO when no random key can be drawn. It needs no
 * deinit. */
int server_shared_init(signal_server *server);

#endif
