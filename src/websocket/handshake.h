/* The opening handshake, server side (RFC 6455, 4.2; RFC 9112): one small, strict, bounded request parser and
 * the answers that PROTOCOL.md lists. Pure: bytes in, a verdict and an answer out.
 *
 * Strict means: lines end with CRLF, no folded headers, no blank before a colon, token characters only in
 * names, no control characters in values, exactly one Host, at most one Sec-WebSocket-Key and one Origin, no
 * body announced with an upgrade. No extension and no subprotocol is ever accepted. */
#ifndef HOMECALL_WEBSOCKET_HANDSHAKE_H
#define HOMECALL_WEBSOCKET_HANDSHAKE_H

#include "base/slice.h"

#include <stdbool.h>
#include <stddef.h>

typedef struct ws_handshake_rules {
    const char *path;      /* the only path served, as "/signal"; NULL = every path */
    const char *page_path; /* NULL, or a path that is no WebSocket: a GET of it has the status 200 */
    size_t max_head_bytes; /* request line and headers, with the empty line; at least 1 */
    /* NULL = every origin; not asked where there is no Origin. */
    bool (*allows_origin)(void *context, slice origin);
    void *context; /* borrowed; handed to allows_origin */
} ws_handshake_rules;

/* The verdict over a request. The slices point into the caller's bytes. */
typedef struct ws_handshake {
    int status;      /* 101, or 200 for a GET of the page, or the fault: 400, 403, 404, 405, 426, 431 */
    size_t head_len; /* 101: bytes of the request, what follows are frames */
    slice key;       /* 101: Sec-WebSocket-Key as sent, without blanks around it */
    slice origin;    /* Origin where one was sent, for the log */
    slice path;      /* the request target without its query, for the log; empty where it was not readable */
    slice fields;    /* the header lines of a request that is well-formed, whatever its status; else empty */
} ws_handshake;

/* Find the next header field of this name in *rest, which is ws_handshake.fields at first and then what is
 * left of them. False when there is no more; otherwise *value is the field's, without blanks around it. */
bool ws_handshake_next_field(slice *rest, slice name, slice *value);

/* Look at the bytes read so far. False: the head is not complete yet (and not too long): come back with all
 * of them and more. True: *handshake holds the verdict. Requests whose first line is already broken are
 * refused early. */
bool ws_handshake_parse(const ws_handshake_rules *rules, const char *data, size_t len,
                        ws_handshake *handshake);

/* The length of a Sec-WebSocket-Accept. */
enum { WS_HANDSHAKE_ACCEPT_LEN = 28 };

/* Write the Sec-WebSocket-Accept that belongs to a key of 24 characters, with a NUL (RFC 6455, 4.2.2). False
 * without memory. */
bool ws_handshake_accept(char out[WS_HANDSHAKE_ACCEPT_LEN + 1], slice key);

/* Longest answer that ws_handshake_answer() writes. */
enum { WS_HANDSHAKE_MAX_ANSWER = 512 };

/* Write the HTTP answer for `status` (those above but 200, and 429 and 503): 101 with Sec-WebSocket-Accept
 * made from `key` (24 characters; unused otherwise), or a fault with the headers that PROTOCOL.md asks for,
 * Connection: close, and a short text/plain body that names the fault. Returns its length; 0 when there is no
 * memory for the digest of a 101. */
size_t ws_handshake_answer(char out[WS_HANDSHAKE_MAX_ANSWER], int status, slice key);

#endif
