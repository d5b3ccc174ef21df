/* What an acceptor counts about connections that it accepts; its thread writes, any thread reads. Counters
 * only. */
#ifndef HOMECALL_STATS_ACCEPTOR_COUNTERS_H
#define HOMECALL_STATS_ACCEPTOR_COUNTERS_H

#include "base/counter.h"

typedef struct acceptor_counters {
    counter over_limit;      /* refused: MAX_CONNECTIONS */
    counter over_address;    /* refused: MAX_CONNECTIONS_PER_ADDRESS */
    counter over_rate;       /* refused: CONNECT_RATE */
    counter unanswered;      /* of the refused: closed without a 503 */
    counter no_memory;       /* refused or closed: out of memory */
    counter pauses;          /* of accepting: descriptors or memory were used up */
    counter overload_pauses; /* of accepting: the server was overloaded */
    counter is_short;        /* now: 1 while that lasts */
    counter sockets;         /* now: sockets that connections are to be accepted from */
    counter deaf_sockets;    /* now: those of them that the kernel does not let be watched */
} acceptor_counters;

#endif
