/* What one thread of the server has counted. The struct contains nothing but counters, so the code that
 * copies and adds them need not know what they are.
 *
 * The floors below are here with their own structs. The server is a floor above: it fills in what it has
 * counted. */
#ifndef HOMECALL_STATS_THREAD_COUNTERS_H
#define HOMECALL_STATS_THREAD_COUNTERS_H

#include "net/loop_counters.h"
#include "net/net_counters.h"
#include "session/session_counters.h"

/* Connections on their way into a thread. */
typedef struct snapshot_mailbox {
    counter pushed;
    counter taken; /* pushed - taken = the depth now */
} snapshot_mailbox;

/* What an acceptor decides about connections that it accepts. */
typedef struct snapshot_acceptor {
    counter over_limit;      /* refused: MAX_CONNECTIONS */
    counter over_address;    /* refused: MAX_CONNECTIONS_PER_ADDRESS */
    counter unanswered;      /* of the refused: closed without a 503, since so many others got theirs */
    counter no_memory;       /* refused or closed: out of memory */
    counter pauses;          /* of accepting: descriptors or memory were used up */
    counter overload_pauses; /* of accepting: the server was overloaded */
    counter is_short;        /* now: 1 while that lasts */
    counter sockets;         /* now: sockets that connections are to be accepted from */
    counter deaf_sockets;    /* now: those of them that the kernel does not let be watched */
} snapshot_acceptor;

typedef struct thread_counters {
    loop_counters loop;
    net_counters net;
    session_counters session;
    snapshot_mailbox mailbox;
    snapshot_acceptor acceptor; /* zero but for acceptors */
} thread_counters;

#endif
