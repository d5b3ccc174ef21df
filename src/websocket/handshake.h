/* The opening handshake, server side (RFC 6455, 4.2; RFC 9112): one small, strict, bounded request
 * parser. Pure: bytes in, a verdict out. The answers are in handshake_answer.h.
 *
 * Strict means: lines end with CRLF; no header is folded; no blank comes before a colon; names consist of
 * token characters; neither values nor the target have control characters, and bytes over ASCII stand only in
 * values and in the query; there is one Host, and at most one Sec-WebSocket-Key and one Origin; no body is
 * announced with an upgrade. No extension is ever accepted. Which subprotocol is, the owner of the connection
 * decides (subprotocol.h finds it). */
#ifndef HOMECALL_WEBSOCKET_HANDSHAKE_H
#define HOMECALL_WEBSOCKET_HANDSHAKE_H

#include "base/slice.h"

#include <stdbool.h>
#include <stddef.h>

typedef struct ws_handshake_rules {
    const char *path;      /* the only path served, as "/signal"; NULL = every path */
    const char *page_path; /* NULL, or a path that is no WebSocket: a GET of it has the status 200 */
    size_t max_head_bytes; /* request line and headers, with the empty line; at least 1 */
    /* May a page of this origin connect? NULL = every page may. Not asked where there is no Origin. */
    bool (*allows_origin)(void *context, slice origin);
    void *context; /* borrowed, for allows_origin */
    /* A request without an Origin is refused like one of a wrong origin; but not a GET of the page that a
     * browser says is from a page of the same origin, with Sec-Fetch-Site. */
    bool requires_origin;
} ws_handshake_rules;

/* The length of a Sec-WebSocket-Key: 16 bytes in base64 (RFC 6455, 4.1). */
enum { WS_HANDSHAKE_KEY_LEN = 24 };

/* The longest name of a subprotocol that an answer takes. */
enum { WS_HANDSHAKE_MAX_PROTOCOL = 64 };

/* The verdict over a request. The slices point into the caller's bytes. */
typedef struct ws_handshake {
    int status;            /* 101, or 200 for a GET of the page, or the fault: 400, 403, 404, 405, 426, 431 */
    size_t head_len;       /* 101: bytes of the request; frames follow it */
    slice key;             /* 101: the Sec-WebSocket-Key, without blanks around it */
    slice origin;          /* the Origin; empty where none was sent */
    slice path;            /* the request target without its query; empty where it was not readable */
    slice query;           /* what follows the first `?` of the target, undecoded; empty where nothing does */
    bool offers_protocols; /* it has a Sec-WebSocket-Protocol, which subprotocol.h reads */
    slice fields;          /* the header lines of a well-formed request, whatever its status; else empty */
    /* NULL from ws_handshake_parse(). The owner may set it to the subprotocol that a 101 names, one that the
     * client offered: a literal of WS_HANDSHAKE_MAX_PROTOCOL characters of a token at most. */
    const char *protocol;
} ws_handshake;

/* Find the next header field of this name in *rest, and drop from *rest all lines up to it. *rest is
 * ws_handshake.fields at first. False when there is none any more. *value is the field's value, without
 * blanks around it. */
bool ws_handshake_next_field(slice *rest, slice name, slice *value);

/* Look at the bytes that were read so far. False while the head is neither complete nor too long: come back
 * with all of them and more. True when *handshake holds the verdict. A request with a broken first line is
 * refused before it is complete. */
bool ws_handshake_parse(const ws_handshake_rules *rules, const char *data, size_t len,
                        ws_handshake *handshake);

#endif
