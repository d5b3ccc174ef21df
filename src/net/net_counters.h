/* What the connections of one thread count. That thread writes, any thread may read. Counters only. */
#ifndef HOMECALL_NET_NET_COUNTERS_H
#define HOMECALL_NET_NET_COUNTERS_H

#include "base/counter_histogram.h"
#include "net/close_reason.h"

/* The states of a connection (connection_state.h) in the three groups that an operator sees. */
typedef enum net_phase {
    NET_PHASE_HANDSHAKE, /* the TLS handshake, or the upgrade request is being read */
    NET_PHASE_OPEN,      /* a WebSocket */
    NET_PHASE_CLOSING,   /* it is ending: its last bytes are written, or it waits for the end of TCP */
    NET_PHASES
} net_phase;

typedef enum net_transport { NET_TRANSPORT_PLAIN, NET_TRANSPORT_TLS, NET_TRANSPORTS } net_transport;

/* The statuses with which requests are answered. */
typedef enum net_handshake {
    NET_HANDSHAKE_101,
    NET_HANDSHAKE_200, /* the answer is a page */
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
    counter connections[NET_TRANSPORTS][NET_PHASES]; /* how many there are now */
    counter tls_handshakes;                          /* TLS handshakes that were completed */
    counter tls_failures;                            /* TLS connections that ended before that */
    counter handshakes[NET_HANDSHAKES];              /* requests that were answered, by status */
    counter closes[CLOSE_REASONS][CLOSE_CODE_SLOTS]; /* connections that ended */
    counter bytes_in;                                /* bytes read from sockets; with TLS, decrypted ones */
    counter bytes_out;                               /* bytes put into output buffers, before encryption */
    counter messages_in;                             /* whole messages that came */
    counter messages_out;                            /* messages sent */
    counter pings;                                   /* pings sent */
    counter_histogram ping_rtt_us;                   /* from a ping to its pong */
    counter_histogram relay_us;                      /* from reading a signal until it is written */
    counter backlog_bytes;                           /* bytes in output buffers at the end of the last turn */
    counter held_bytes;                              /* memory of all buffers at the end of the last turn */
    counter backlog_connections;                     /* connections now whose socket takes no more output */
} net_counters;

#endif
