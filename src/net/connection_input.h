/* The input of a connection: bytes become frames, frames become messages, and its owner gets the messages.
 * Internal to src/net. All functions: the thread of the connection's set. */
#ifndef HOMECALL_NET_CONNECTION_INPUT_H
#define HOMECALL_NET_CONNECTION_INPUT_H

#include "net/connection.h"

/* The socket has bytes, or the peer has ended TCP. Read it, unless it is in the backlog. Many who send much,
 * all at the same time, join the backlog unread. The connection may be CLOSED afterwards. */
void connection_on_readable(connection *c);

/* Read once, and handle what came. The connection may be CLOSED afterwards. */
void connection_read_input(connection *c);

/* It is its turn in the backlog: handle a share of what is kept, or else of what the socket has. If there is
 * still more, it joins the backlog again. It may be CLOSED afterwards. */
void connection_take_backlog(connection *c);

/* Go on after HELD: handle the kept message, if there is one, and then the unread bytes. Only for a
 * connection that is open. It may be CLOSED afterwards. */
void connection_resume_input(connection *c);

#endif
