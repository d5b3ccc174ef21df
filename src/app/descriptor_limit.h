/* The limit of descriptors of the process. */
#ifndef HOMECALL_APP_DESCRIPTOR_LIMIT_H
#define HOMECALL_APP_DESCRIPTOR_LIMIT_H

#include "homecall/signal_server.h"

/* Raise it as far as this user may, and log it. */
void descriptor_limit_raise(void);

/* Log a warning if there are too few for MAX_CONNECTIONS. To be called when the server has started, since
 * everything else that it keeps open is open then. */
void descriptor_limit_check(const signal_server_options *options);

#endif
