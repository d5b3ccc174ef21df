/* Reads the head of a request to the admin port (RFC 9112). Pure: bytes in, a verdict out.
 *
 * It reads what scrapers, probes and people with curl send: GET and HEAD without a body. Everything else is
 * told from nonsense, so that it gets a fitting answer, and ends its connection. Lines may end with a bare LF
 * (RFC 9112, 2.2): nothing stands behind this port that could read them in another way. */
#ifndef HOMECALL_ADMIN_ADMIN_REQUEST_H
#define HOMECALL_ADMIN_ADMIN_REQUEST_H

#include "base/slice.h"

#include <stdbool.h>

/* The longest head, with its empty line. No scraper sends so much. */
enum { ADMIN_REQUEST_MAX_HEAD = 8 * 1024 };

/* The slices point into the caller's bytes. */
typedef struct admin_request {
    int fault;       /* 0, or the status that answers what is no good request: 400, 431 or 505 */
    size_t len;      /* without a fault: the bytes of the head; the next request follows it */
    bool only_reads; /* it is GET or HEAD */
    bool is_head;    /* it is HEAD */
    bool has_body;   /* a body is announced, which nobody here reads */
    bool stays;      /* the connection stays for another request (RFC 9112, 9.3) */
    bool has_host;   /* there is a Host, or the target is a whole URL */
    slice host;      /* that of the URL, else the Host (RFC 9112, 3.2.2); may be empty */
    slice path;      /* without the query; empty where the target has none */
    slice accept;    /* the header Accept; empty where there is none */
} admin_request;

/* Look at the bytes that were read so far, of which the first ADMIN_REQUEST_MAX_HEAD count. False while the
 * head is neither complete nor too long. */
bool admin_request_parse(slice bytes, admin_request *out);

#endif
