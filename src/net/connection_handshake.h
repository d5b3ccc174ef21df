/* A connection before it is a WebSocket: the PROXY header and the upgrade request.
 *
 * All functions: the thread of the connection's set, while the connection is in HANDSHAKE. */
#ifndef HOMECALL_NET_CONNECTION_HANDSHAKE_H
#define HOMECALL_NET_CONNECTION_HANDSHAKE_H

#include "base/address.h"
#include "net/connection.h"

/* Expect a header of the PROXY protocol before the request. Right after connection_open(). */
void connection_await_proxy(connection *c);

/* Who is at the other end, as a PROXY header has told or else as the kernel knows. */
address connection_peer(const connection *c);

/* For connection_input: read what a proxy says and the request, as far as they are there, and answer. Returns
 * how many bytes were used. */
size_t connection_take_handshake(connection *c, const uint8_t *data, size_t len);

#endif
