/* What a connection reads: bytes to frames to messages, and what its owner says to them. Internal to src/net.
 */
#ifndef HOMECALL_NET_CONNECTION_INPUT_H
#define HOMECALL_NET_CONNECTION_INPUT_H

#include "net/connection.h"

/* The socket has bytes, or the peer's end: read once, and handle what came. */
void connection_read_input(connection *c);

/* Go on after a hold or a hand-over: first the message that nobody has handled, then the bytes behind it. */
void connection_resume_input(connection *c);

#endif
