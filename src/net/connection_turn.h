/* What a connection does when its set calls it: it reads when its descriptor is ready, acts when its deadline
 * has come, and does its work at the end of a turn. */
#ifndef HOMECALL_NET_CONNECTION_TURN_H
#define HOMECALL_NET_CONNECTION_TURN_H

#include "net/connection.h"

/* For connection_set_init(). */
extern const connection_hooks connection_turn_hooks;

#endif
