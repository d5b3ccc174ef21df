/* What the connections of one thread count; that thread writes, any thread reads. Counters only. */
#ifndef HOMECALL_NET_NET_COUNTERS_H
#define HOMECALL_NET_NET_COUNTERS_H

#include "base/counter_histogram.h"
#include "net/close_reason.h"

/* The states of a connection (connection_state.h) as far as an operator cares. */
typedef enum net_phase {
    NET_PHASE_HANDSHAKE, /* its upgrade request is being read */
    NET_PHASE_OPEN,
    NET_PHASE_CLOSING, /* its end is under way */
    NET_PHASES
} net_phase;

typedef enum net_transport { NET_TRANSPORT_PLAIN, NET_TRANSPORT_TLS, NET_TRANSPORTS } net_transport;

/* What became of an upgrade request. */
typedef enum net_handshake {
    NET_HANDSHAKE_101,
    NET_HANDSHAKE_200, /* a page was asked for, and given */
    NET_HANDSHAKE_400,
    NET_HANDSHAKE_403,
    NET_HANDSHAKE_404,
    NET_HANDSHAKE_405,
    NET_HANDSHAKE_426,
    NET_HANDSHAKE_429,
    NET_HANDSHAKE_431,
    NET_HANDSHAKE_503,
    NET_HANDSHAKES
} net_handshake;

typedef struct net_counters {
    counter connections[NET_TRANSPORTS][NET_PHASES]; /* now */
    counter tls_handshakes;                          /* TLS handshakes that were done */
    counter tls_failures;                            /* TLS connections that ended before that */
    counter handshakes[NET_HANDSHAKES];              /* answered, by status */
    counter closes[CLOSE_REASONS][CLOSE_CODE_SLOTS]; /* ended */
    counter bytes_in;                                /* read from sockets */
    counter bytes_out;                               /* written to them */
    counter messages_in;                             /* whole messages that came */
    counter messages_out;                            /* messages sent */
    counter pings;                                   /* pings sent */
    counter_histogram ping_rtt_us;                   /* from a ping to its pong */
    counter_histogram relay_us;                      /* from reading a signal to having it written */
    counter backlog_bytes;                           /* now: not written yet */
    counter backlog_connections;                     /* now: waiting until their socket takes more */
} net_counters;

#endif
