/* The opening handshake, server side (RFC 6455, 4.2; RFC 9112): one small, strict, bounded request
 * parser. Pure: bytes in, a verdict out. The answers are in handshake_answer.h.
 *
 * Strict means: lines end with CRLF, no folded headers, no blank before a colon, token characters only in
 * names, no control characters in values or in the target, bytes over ASCII only in values and in the query,
 * exactly one Host, at most one Sec-WebSocket-Key and one Origin, no body announced with an upgrade. No
 * extension and no subprotocol is ever accepted. */
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

/* The length of a Sec-WebSocket-Key: 16 bytes in base64 (RFC 6455, 4.1). */
enum { WS_HANDSHAKE_KEY_LEN = 24 };

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

#endif
