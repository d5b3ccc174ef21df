/* What the server answers to an opening handshake, in HTTP (RFC 6455, 4.2.2; protocol/README.md,
 * "Connecting"). Pure.
 *
 * Left out on purpose: the Date header. There is no clock here, and nothing of ours may be cached. */
#ifndef HOMECALL_WEBSOCKET_HANDSHAKE_ANSWER_H
#define HOMECALL_WEBSOCKET_HANDSHAKE_ANSWER_H

#include "base/slice.h"

/* The length of a Sec-WebSocket-Accept. */
enum { WS_HANDSHAKE_ACCEPT_LEN = 28 };

/* Write the Sec-WebSocket-Accept that belongs to a key of WS_HANDSHAKE_KEY_LEN characters, with a NUL (RFC
 * 6455, 4.2.2). False without memory. */
bool ws_handshake_accept(char out[WS_HANDSHAKE_ACCEPT_LEN + 1], slice key);

/* Longest answer that ws_handshake_answer() writes. */
enum { WS_HANDSHAKE_MAX_ANSWER = 512 };

/* Write the HTTP answer for `status` (those of ws_handshake but 200, and 429 and 503): 101 with
 * Sec-WebSocket-Accept made from `key`, and with the subprotocol `protocol` unless that is NULL (both unused
 * otherwise; RFC 6455, 4.2.2 wants one that the client offered), or a fault with the headers that
 * protocol/README.md, "Connecting" asks for, Connection: close, and a short text/plain body that names the
 * fault. Returns its length; 0 when there is no memory for the digest of a 101. */
size_t ws_handshake_answer(char out[WS_HANDSHAKE_MAX_ANSWER], int status, slice key, const char *protocol);

#endif
