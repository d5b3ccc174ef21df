/* A connection before it is a WebSocket: a header of the PROXY protocol, and the upgrade request.
 *
 * All functions: only while the connection is in HANDSHAKE, on the thread of its set. */
#ifndef HOMECALL_NET_CONNECTION_HANDSHAKE_H
#define HOMECALL_NET_CONNECTION_HANDSHAKE_H

#include "base/address.h"
#include "net/connection.h"

/* The peer's address, as accept() gave it; it is copied. To be called right after connection_open(). Of one
 * that was never told, the address is of family ADDRESS_UNKNOWN. */
void connection_set_peer(connection *c, const address *peer);

/* Expect a header of the PROXY protocol before the request. To be called right after connection_open(). */
void connection_await_proxy(connection *c);

/* The address of the peer, lent: the one in the PROXY header if that has one, else the one that was set. */
const address *connection_peer(const connection *c);

/* For connection_input: read the PROXY header and the request from [data, data + len), if they are complete,
 * and answer the request. Returns how many bytes were used; the rest must be given again with more behind it,
 * if the connection is still in HANDSHAKE, or is input of the WebSocket if it is OPEN. */
size_t connection_take_handshake(connection *c, const uint8_t *data, size_t len);

#endif
