/* The PROXY protocol, versions 1 and 2, on the receiver's side: the header that a proxy sends before the
 * bytes of a connection, to say whose connection it is. Pure: the bytes so far in, a verdict out. The
 * paragraphs named here are those of HAProxy's doc/proxy-protocol.txt.
 *
 * Everybody who can connect can send such a header. So ask for one only where the operator has said that a
 * proxy speaks first, and only from peers in the list of trusted proxies. Never guess from the bytes whether
 * there is one (2.).
 *
 * The parser is strict. Version 1 ends with CRLF within 107 bytes; it has single blanks, canonical addresses
 * of the announced family, and ports without leading zeros. Version 2 has a known command, family and
 * transport, a bounded length, and is long enough for its addresses.
 *
 * Left out on purpose: the destination, which is checked in version 1 and then dropped; and what else version
 * 2 carries (TLVs). Even its checksum (CRC32C) is skipped, since the header comes by TCP from a trusted
 * proxy. */
#ifndef HOMECALL_PROXY_PROXY_PROTOCOL_H
#define HOMECALL_PROXY_PROXY_PROTOCOL_H

#include "base/address.h"

enum {
    PROXY_PROTOCOL_MAX_V1 = 107, /* with its CRLF: 2.1 */
    PROXY_PROTOCOL_V2_FIXED = 16,
    /* What may follow the fixed part of version 2. Addresses take 216 bytes at most; TLVs are names and, from
     * some proxies, the client's certificate. */
    PROXY_PROTOCOL_MAX_V2_REST = 4096,
    PROXY_PROTOCOL_MAX = PROXY_PROTOCOL_V2_FIXED + PROXY_PROTOCOL_MAX_V2_REST, /* the longest header */
};

typedef enum proxy_protocol_verdict {
    PROXY_PROTOCOL_MORE,   /* a good start: come back with all of these bytes and more */
    PROXY_PROTOCOL_HEADER, /* a whole header */
    PROXY_PROTOCOL_FAULT,  /* no header, or none that is accepted here: close the connection (2.1) */
} proxy_protocol_verdict;

typedef struct proxy_protocol_header {
    size_t len; /* HEADER: how long it is; what the client sends follows it */
    /* HEADER: the client, IPv4, IPv6 or Unix. Unknown where the header tells none (UNKNOWN, UNSPEC,
     * datagrams, LOCAL): then the connection's own peer counts as the client. */
    address source;
    bool is_local;      /* HEADER: the proxy itself asks whether we are alive (LOCAL: 2.2) */
    const char *reason; /* FAULT: what is wrong; a literal */
} proxy_protocol_header;

/* Look at the bytes that were read so far. *header is set unless the verdict is MORE. A fault is told at the
 * first byte that shows it. Only the line of version 1 is read when it is complete. */
proxy_protocol_verdict proxy_protocol_parse(const uint8_t *data, size_t len, proxy_protocol_header *header);

#endif
