/* What the loop makes a connection do: read when its descriptor is ready, act on its deadline, and do its
 * work at the end of a turn. */
#ifndef HOMECALL_NET_CONNECTION_TURN_H
#define HOMECALL_NET_CONNECTION_TURN_H

#include "net/connection.h"

/* For connection_set_init(). */
extern const connection_hooks connection_turn_hooks;

#endif
