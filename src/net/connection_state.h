/* The states of a connection. It has one at a time, and the state says on which list of its set it is. */
#ifndef HOMECALL_NET_CONNECTION_STATE_H
#define HOMECALL_NET_CONNECTION_STATE_H

typedef enum connection_state {
    CONNECTION_HANDSHAKE, /* the TLS handshake, if there is one; then the upgrade request is read */
    CONNECTION_OPEN,      /* frames are read and written; its deadline is the time of the next ping */
    CONNECTION_PINGED,    /* open; a ping was sent at that deadline, and nothing was read since */
    CONNECTION_HELD,      /* open, but what is read is only kept until connection_resume() */
    CONNECTION_LEAVING,   /* open, but nothing is read: it is handed over at the end of the turn, because
                             another thread must handle its last message */
    CONNECTION_CLOSING,   /* its last bytes are being written; what its peer sends is thrown away */
    CONNECTION_LINGERING, /* all is written, and our side of TCP has ended; what its peer sends is thrown
                             away until the peer ends its side, too */
    CONNECTION_CLOSED,    /* its descriptor is closed; it is freed at the end of the turn */
    CONNECTION_STATES,    /* how many states have a list */
    CONNECTION_DETACHED,  /* in no set: not attached yet, or on its way to another thread */
} connection_state;

#endif
