/* Net allowance: what all connections of one client may send together. Its owner counts the connections of a
 * client and knows who it is; to this layer it is a pair of buckets that connections share, on whichever
 * threads they are. */
#ifndef HOMECALL_NET_NET_ALLOWANCE_H
#define HOMECALL_NET_NET_ALLOWANCE_H

#include "base/shared_bucket.h"

#include <stdbool.h>

typedef struct net_allowance {
    bool is_limited;      /* false: no limit of a client is for this one. Immutable */
    shared_bucket frames; /* net_limits.client_frame_rate */
    shared_bucket bytes;  /* net_limits.client_byte_rate */
} net_allowance;

#endif
