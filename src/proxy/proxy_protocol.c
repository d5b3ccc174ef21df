#include "proxy/proxy_protocol.h"

#include <assert.h>

static proxy_protocol_verdict refuse(proxy_protocol_header *header, const char *reason)
{
    *header = (proxy_protocol_header){.reason = reason};
    return PROXY_PROTOCOL_FAULT;
}

/* Are the bytes the signature, or as much of it as they are long? */
static bool begins_as(const uint8_t *data, size_t len, slice signature)
{
    return memcmp(data, signature.data, len < signature.len ? len : signature.len) == 0;
}

/* ---- Version 1: a line (2.1) ---- */

/* Take an address of the family that the line announces. Only IPv6 has colons. */
static bool take_ip(slice *rest, bool is_ipv6, address *out)
{
    slice text = slice_take_until(rest, ' ');
    bool has_colon = text.len > 0 && memchr(text.data, ':', text.len) != NULL;
    return has_colon == is_ipv6 && address_parse_ip(text, out);
}

/* Read "source destination port port". */
static bool read_endpoints(slice rest, bool is_ipv6, address *source)
{
    address destination;
    uint16_t source_port;
    uint16_t destination_port;
    if (!take_ip(&rest, is_ipv6, source) || !take_ip(&rest, is_ipv6, &destination) ||
        !address_parse_port(slice_take_until(&rest, ' '), &source_port) ||
        !address_parse_port(rest, &destination_port))
        return false;
    source->port = source_port;
    return true;
}

/* Read what is between "PROXY " and the CRLF. */
static bool read_line(slice rest, address *source)
{
    slice transport = slice_take_until(&rest, ' ');
    if (slice_equals(transport, SLICE_LITERAL("UNKNOWN"))) /* What follows it is ignored. */
        return true;
    bool is_ipv6 = slice_equals(transport, SLICE_LITERAL("TCP6"));
    return (is_ipv6 || slice_equals(transport, SLICE_LITERAL("TCP4"))) &&
           read_endpoints(rest, is_ipv6, source);
}

static proxy_protocol_verdict parse_v1(const uint8_t *data, size_t len, slice signature,
                                       proxy_protocol_header *header)
{
    size_t readable = len < PROXY_PROTOCOL_MAX_V1 ? len : PROXY_PROTOCOL_MAX_V1;
    const uint8_t *end = memchr(data, '\n', readable);
    if (end == NULL && readable < PROXY_PROTOCOL_MAX_V1)
        return PROXY_PROTOCOL_MORE;
    if (end == NULL)
        return refuse(header, "a line over 107 bytes");
    if (end[-1] != '\r') /* there is a byte before it: the signature */
        return refuse(header, "a line that does not end with CRLF");

    slice rest = {(const char *)data + signature.len, (size_t)(end - 1 - data) - signature.len};
    proxy_protocol_header found = {.len = (size_t)(end + 1 - data)};
    if (!read_line(rest, &found.source))
        return refuse(header, "a malformed line");
    *header = found;
    return PROXY_PROTOCOL_HEADER;
}

/* ---- Version 2: binary (2.2) ---- */

/* Where the fields of the fixed part are. */
enum { AT_VERSION = 12, AT_FAMILY = 13, AT_LENGTH = 14 };

enum { COMMAND_LOCAL = 0x20, COMMAND_PROXY = 0x21 }; /* with the version, which is the upper half */

enum { TRANSPORT_STREAM = 0x1, TRANSPORT_DATAGRAM = 0x2 }; /* the lower half; 0 = not told */

/* The addresses behind the fixed part. */
typedef struct ipv4_block {
    uint8_t source[4];
    uint8_t destination[4];
    uint8_t source_port[2];
    uint8_t destination_port[2];
} ipv4_block;

typedef struct ipv6_block {
    uint8_t source[16];
    uint8_t destination[16];
    uint8_t source_port[2];
    uint8_t destination_port[2];
} ipv6_block;

typedef struct unix_block {
    uint8_t source[108];
    uint8_t destination[108];
} unix_block;

static_assert(sizeof(ipv4_block) == 12, "2.2: TCP over IPv4");
static_assert(sizeof(ipv6_block) == 36, "2.2: TCP over IPv6");
static_assert(sizeof(unix_block) == 216, "2.2: Unix stream");

static uint16_t read_uint16(const uint8_t bytes[2])
{
    return (uint16_t)(bytes[0] << 8 | bytes[1]);
}

static address read_ipv4(const uint8_t *bytes)
{
    ipv4_block block;
    memcpy(&block, bytes, sizeof(block));
    return address_from_ipv4(block.source, read_uint16(block.source_port));
}

static address read_ipv6(const uint8_t *bytes)
{
    ipv6_block block;
    memcpy(&block, bytes, sizeof(block));
    return address_from_ipv6(block.source, read_uint16(block.source_port));
}

/* The path is not read: it says nothing about the client, and many clients have none. */
static address read_unix(const uint8_t *bytes)
{
    (void)bytes;
    return (address){.family = ADDRESS_UNIX};
}

static address read_nothing(const uint8_t *bytes)
{
    (void)bytes;
    return (address){.family = ADDRESS_UNKNOWN};
}

typedef struct block_reader {
    size_t block_len;
    address (*read)(const uint8_t *block);
} block_reader;

/* By the upper half of the family byte. */
static const block_reader readers[] = {
    {0, read_nothing},
    {sizeof(ipv4_block), read_ipv4},
    {sizeof(ipv6_block), read_ipv6},
    {sizeof(unix_block), read_unix},
};

/* What is wrong with the fixed part, or NULL. `len` bytes are there, perhaps not all of it. */
static const char *find_v2_fault(const uint8_t *data, size_t len)
{
    if (len > AT_VERSION && data[AT_VERSION] != COMMAND_LOCAL && data[AT_VERSION] != COMMAND_PROXY)
        return "an unknown version or command";
    /* Where the proxy speaks for itself, family and transport mean nothing. */
    bool is_proxied = len > AT_VERSION && data[AT_VERSION] == COMMAND_PROXY;
    if (is_proxied && len > AT_FAMILY && (data[AT_FAMILY] >> 4) >= sizeof(readers) / sizeof(readers[0]))
        return "an unknown address family";
    if (is_proxied && len > AT_FAMILY && (data[AT_FAMILY] & 0xF) > TRANSPORT_DATAGRAM)
        return "an unknown transport";
    if (len >= PROXY_PROTOCOL_V2_FIXED && read_uint16(data + AT_LENGTH) > PROXY_PROTOCOL_MAX_V2_REST)
        return "a header over 4112 bytes";
    return NULL;
}

/* How the addresses are read. Those of datagrams are not: 2.2 asks that of a receiver that serves none. */
static const block_reader *reader_of(const uint8_t *data)
{
    bool is_told = data[AT_VERSION] == COMMAND_PROXY && (data[AT_FAMILY] & 0xF) == TRANSPORT_STREAM;
    return &readers[is_told ? data[AT_FAMILY] >> 4 : 0];
}

static proxy_protocol_verdict parse_v2(const uint8_t *data, size_t len, proxy_protocol_header *header)
{
    static_assert(PROXY_PROTOCOL_MAX == 4112, "what the reason says");
    const char *reason = find_v2_fault(data, len);
    if (reason != NULL)
        return refuse(header, reason);
    if (len < PROXY_PROTOCOL_V2_FIXED)
        return PROXY_PROTOCOL_MORE;

    size_t rest = read_uint16(data + AT_LENGTH);
    const block_reader *reader = reader_of(data);
    if (rest < reader->block_len)
        return refuse(header, "a header too short for its addresses");
    if (len - PROXY_PROTOCOL_V2_FIXED < rest)
        return PROXY_PROTOCOL_MORE;
    *header = (proxy_protocol_header){
        .len = PROXY_PROTOCOL_V2_FIXED + rest,
        .source = reader->read(data + PROXY_PROTOCOL_V2_FIXED),
        .is_local = data[AT_VERSION] == COMMAND_LOCAL,
    };
    return PROXY_PROTOCOL_HEADER;
}

proxy_protocol_verdict proxy_protocol_parse(const uint8_t *data, size_t len, proxy_protocol_header *header)
{
    const slice signature_v1 = SLICE_LITERAL("PROXY ");
    const slice signature_v2 = SLICE_LITERAL("\r\n\r\n\0\r\nQUIT\n");
    static_assert(sizeof("\r\n\r\n\0\r\nQUIT\n") - 1 == AT_VERSION, "the signature ends there");

    if (len == 0)
        return PROXY_PROTOCOL_MORE;
    if (begins_as(data, len, signature_v1))
        return parse_v1(data, len, signature_v1, header);
    if (begins_as(data, len, signature_v2))
        return parse_v2(data, len, header);
    return refuse(header, "no PROXY header");
}
