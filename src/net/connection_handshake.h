/* A connection before it is a WebSocket: the PROXY header and the upgrade request. Internal to src/net. */
#ifndef HOMECALL_NET_CONNECTION_HANDSHAKE_H
#define HOMECALL_NET_CONNECTION_HANDSHAKE_H

#include "net/connection.h"

/* HANDSHAKE: read what a proxy says and the request, as far as they are there, and answer. Returns how many
 * bytes were used. */
size_t connection_take_handshake(connection *c, const uint8_t *data, size_t len);

#endif
