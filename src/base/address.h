/* Where a client or a proxy is, as a value: family, bytes, port.
 *
 * What the kernel, a header or an option calls an address comes down to this one form, so that limits, logs
 * and the list of trusted proxies compare like with like. An IPv4 address that is mapped into IPv6
 * (RFC 4291, 2.5.5.2), as a listener for both families sees it, is the IPv4 address.
 *
 * Left out on purpose: names, which nobody here resolves, and the zone of a link-local address, which means
 * nothing outside the machine. */
#ifndef HOMECALL_BASE_ADDRESS_H
#define HOMECALL_BASE_ADDRESS_H

#include "base/slice.h"

#include <stdint.h>
#include <sys/socket.h>

typedef enum address_family {
    ADDRESS_UNKNOWN, /* zeroed is unknown */
    ADDRESS_UNIX,    /* the other end of a Unix socket, whichever process it is */
    ADDRESS_IPV4,
    ADDRESS_IPV6,
} address_family;

typedef struct address {
    uint8_t family;    /* an address_family */
    uint8_t bytes[16]; /* in network order; IPV4 has 4 of them, those that a family has not are 0 */
    uint16_t port;     /* 0 where there is none */
} address;

/* The address that these bytes are, in network order. */
address address_from_ipv4(const uint8_t bytes[4], uint16_t port);
address address_from_ipv6(const uint8_t bytes[16], uint16_t port);

/* What accept() or getpeername() gave; unknown where the family is another one or `len` too short for it. */
address address_from_sockaddr(const struct sockaddr *sockaddr, socklen_t len);

/* Read an IP address that has neither port nor brackets: dotted IPv4 without leading zeros, or IPv6 without a
 * zone. False, with *out unchanged, for anything else. */
bool address_parse_ip(slice text, address *out);

/* Read a port: a decimal number up to 65535 without leading zeros. False, with *out unchanged, for anything
 * else. */
bool address_parse_port(slice text, uint16_t *out);

/* Read an IP address in each form that headers and people write: 192.0.2.1, 192.0.2.1:80, 2001:db8::1,
 * [2001:db8::1], [2001:db8::1]:80. False, with *out unchanged, for anything else. */
bool address_parse(slice text, address *out);

/* The longest text of an address, with its NUL. */
enum { ADDRESS_MAX_TEXT = sizeof("[ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.255]:65535") };

/* Write it as address_parse() reads it, IPv6 in its short form, with the port if there is one; or "unix",
 * or "unknown". Returns the length of the text, which a NUL follows. */
size_t address_format(const address *a, char out[ADDRESS_MAX_TEXT]);

/* Write a host, which is an IP address or a name, with a port as a URL has it (RFC 3986, 3.2.2):
 * 192.0.2.1:80, [2001:db8::1]:80, call.example:80. What does not fit into [out, out + cap) is cut off.
 * Returns the length of the whole. */
size_t address_join_port(const char *host, unsigned port, char *out, size_t cap);

#endif
