/* The states of a connection: one at a time, and the state says which list of its loop it is on. */
#ifndef HOMECALL_NET_CONNECTION_STATE_H
#define HOMECALL_NET_CONNECTION_STATE_H

typedef enum connection_state {
    CONNECTION_HANDSHAKE, /* TLS is agreed on, where it is spoken; then its upgrade request is being read */
    CONNECTION_OPEN,      /* frames come and go; due for a ping */
    CONNECTION_PINGED,    /* the same, with a ping sent and nothing read since */
    CONNECTION_HELD,      /* open, but its input waits until somebody resumes it */
    CONNECTION_CLOSING,   /* its last bytes are being written, what it sends is thrown away */
    CONNECTION_LINGERING, /* all is written and said to be the last; what it sends is thrown away until it
                             ends */
    CONNECTION_CLOSED,    /* no descriptor any more; freed at the end of the turn */
    CONNECTION_STATES,    /* how many states have a list */
    CONNECTION_ADRIFT,    /* on no list of a loop: not yet attached, or on its way to another thread */
} connection_state;

#endif
