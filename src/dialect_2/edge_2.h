/* Version 2 in a cluster, at the edge: the connection is here, and the session is where its room is
 * (remote_2.h). */
#ifndef HOMECALL_DIALECT_2_EDGE_2_H
#define HOMECALL_DIALECT_2_EDGE_2_H

#include "dialect/dialect.h"

/* Instead of dialect_2, without a host. */
extern const dialect dialect_2_edge;

#endif
