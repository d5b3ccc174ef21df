/* The states of a connection: one at a time, and the state says which list of its set it is on. */
#ifndef HOMECALL_NET_CONNECTION_STATE_H
#define HOMECALL_NET_CONNECTION_STATE_H

typedef enum connection_state {
    CONNECTION_HANDSHAKE, /* the handshake of TLS, where it is spoken; then its upgrade request is read */
    CONNECTION_OPEN,      /* frames come and go; due for a ping */
    CONNECTION_PINGED,    /* the same, with a ping sent and nothing read since */
    CONNECTION_HELD,      /* open, but its input waits until somebody resumes it */
    CONNECTION_LEAVING, /* open, but it is handed over at the end of the turn, with the message that asks for
                           it; nothing is read */
    CONNECTION_CLOSING, /* its last bytes are being written; what it sends is thrown away */
    CONNECTION_LINGERING, /* its last bytes are written, and its peer knows that they were the last; what it
                             sends is thrown away until it ends */
    CONNECTION_CLOSED,    /* no descriptor any more; freed at the end of the turn */
    CONNECTION_STATES,    /* how many states have a list */
    CONNECTION_DETACHED,  /* in no set: not yet attached, or on its way to another thread */
} connection_state;

#endif
