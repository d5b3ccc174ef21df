/* Fills in what the sessions of all threads of a server share: limits, the hash, the trusted proxies, and the
 * functions of the server that sessions call. Internal to src/server. */
#ifndef HOMECALL_SERVER_SERVER_SHARED_H
#define HOMECALL_SERVER_SERVER_SHARED_H

#include "server/server_parts.h"

/* Fill in server->shared from server->options, whose strings it borrows; what each start reads anew is filled
 * in then. 0; -EINVAL for a list of proxies that can't be read; -EIO when there are no random bytes for the
 * key of the hash. It needs no deinit. To be called before any thread of the server is started. */
int server_shared_init(signal_server *server);

#endif
