/* Which subprotocol a client and the server share (RFC 6455, 1.9, 4.2.2 and 11.3.4). Pure. */
#ifndef HOMECALL_WEBSOCKET_SUBPROTOCOL_H
#define HOMECALL_WEBSOCKET_SUBPROTOCOL_H

#include "base/slice.h"

#include <stddef.h>

/* Find the first subprotocol that the client offers and that is one of the known names. `fields` are the
 * header lines of its handshake (ws_handshake.fields); all lines Sec-WebSocket-Protocol are one list. The
 * names are compared with their case. What is not well-formed in the list is skipped, for it is none of the
 * names. Returns the pointer out of `known`, or NULL where nothing known is offered: then the answer names no
 * subprotocol. */
const char *ws_subprotocol_choose(slice fields, const char *const known[], size_t known_count);

#endif
