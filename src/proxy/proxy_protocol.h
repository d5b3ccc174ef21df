/* The receiver's side of the PROXY protocol, versions 1 and 2 (HAProxy, doc/proxy-protocol.txt; the
 * paragraphs named here are its): what a proxy sends ahead of the bytes of a connection, to say whose
 * connection it is. Pure: the bytes so far in, a verdict out.
 *
 * Whoever may connect may write such a header. So ask for one only where the operator said that a proxy
 * speaks first, and only of peers in the list of trusted proxies; never guess from the bytes whether there
 * is one (2.).
 *
 * Strict about what is read: version 1 ends with CRLF within 107 bytes and has single blanks, canonical
 * addresses of the announced family and ports without leading zeros; version 2 has a known command, family
 * and transport, room for its addresses, and a bounded length. Left out on purpose: the destination is
 * checked in version 1 and dropped; what else version 2 carries (TLVs) is skipped unread, its checksum
 * (CRC32C) too, since the header comes by TCP from a proxy that is trusted. */
#ifndef HOMECALL_PROXY_PROXY_PROTOCOL_H
#define HOMECALL_PROXY_PROXY_PROTOCOL_H

#include "base/address.h"

enum {
    PROXY_PROTOCOL_MAX_V1 = 107, /* with its CRLF: 2.1 */
    PROXY_PROTOCOL_V2_FIXED = 16,
    /* What may follow the fixed part of version 2. Addresses take 216 bytes at most; TLVs are names and, from
     * some proxies, the client's certificate. */
    PROXY_PROTOCOL_MAX_V2_REST = 4096,
    PROXY_PROTOCOL_MAX = PROXY_PROTOCOL_V2_FIXED + PROXY_PROTOCOL_MAX_V2_REST, /* the longest header taken */
};

typedef enum proxy_protocol_verdict {
    PROXY_PROTOCOL_MORE,   /* a good start: come back with all of these bytes and more */
    PROXY_PROTOCOL_HEADER, /* a whole header */
    PROXY_PROTOCOL_FAULT,  /* none, or not one that is taken here: close the connection (2.1) */
} proxy_protocol_verdict;

typedef struct proxy_protocol_header {
    size_t len; /* HEADER: its bytes; behind them begins what the client sent */
    /* HEADER: the client, IPv4, IPv6 or Unix. Unknown where the header tells of none (UNKNOWN and UNSPEC,
     * datagrams, LOCAL): then the connection's own peer counts as the client. */
    address source;
    bool is_local;      /* HEADER: the proxy speaks for itself, to see whether we are alive (LOCAL: 2.2) */
    const char *reason; /* FAULT: what is wrong; a literal */
} proxy_protocol_header;

/* Look at the bytes read so far. *header is set unless the verdict is MORE. A fault is told at the first byte
 * that shows it, but for those within a line of version 1, which is read when it is whole. */
proxy_protocol_verdict proxy_protocol_parse(const uint8_t *data, size_t len, proxy_protocol_header *header);

#endif
