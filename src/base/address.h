/* The address of a client or a proxy, as a value: family, bytes, port.
 *
 * The kernel, HTTP headers and options write addresses in different ways. All of them are brought into this
 * one form, so that limits, logs and the list of trusted proxies compare like with like. A listener for both
 * families sees IPv4 addresses mapped into IPv6 (RFC 4291, 2.5.5.2); here they are IPv4 again.
 *
 * Left out on purpose: names, which nobody here resolves, and the zone of a link-local address, which means
 * nothing outside the machine. */
#ifndef HOMECALL_BASE_ADDRESS_H
#define HOMECALL_BASE_ADDRESS_H

#include "base/keyed_hash.h"
#include "base/slice.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

typedef enum address_family {
    ADDRESS_UNKNOWN, /* a zeroed address is unknown */
    ADDRESS_UNIX,    /* the other end of a Unix socket, whichever process it is */
    ADDRESS_IPV4,
    ADDRESS_IPV6,
} address_family;

typedef struct address {
    uint8_t family;    /* an address_family */
    uint8_t bytes[16]; /* in network order; IPV4 uses the first 4, and what a family doesn't use is 0 */
    uint16_t port;     /* 0 where there is none */
} address;

/* An address as it is counted: its family, and the part of it that belongs to one client. */
typedef struct address_key {
    uint8_t bytes[9];
} address_key;

/* What an address is counted by: IPv4 whole, IPv6 by its /64, since a household gets one of those (RFC 6177),
 * so a single client has as many addresses as it likes. */
address_key address_key_of(const address *a);

/* The hash of a key. Nobody outside can find two clients that share one. */
uint64_t address_key_hash(const address_key *key, const keyed_hash *hash);

/* Is it the machine's own: 127.0.0.0/8 or ::1? */
bool address_is_loopback(const address *a);

/* Can no host of the internet have it, so that a proxy or a container may stand behind it, with everybody who
 * comes through? Private networks (RFC 1918, RFC 4193), link-local addresses (RFC 3927; RFC 4291, 2.5.6), and
 * those of carriers' NAT (RFC 6598). */
bool address_is_inner(const address *a);

/* The address with these bytes, in network order. */
address address_from_ipv4(const uint8_t bytes[4], uint16_t port);
address address_from_ipv6(const uint8_t bytes[16], uint16_t port);

/* The address that accept() or getpeername() gave. It is unknown when it has another family, or when `len` is
 * too short for its family. */
address address_from_sockaddr(const struct sockaddr *sockaddr, socklen_t len);

/* Read an IP address without port and brackets: dotted IPv4 without leading zeros, or IPv6 without a zone.
 * False, with *out unchanged, for anything else. */
bool address_parse_ip(slice text, address *out);

/* Read a port: a decimal number up to 65535 without leading zeros. False, with *out unchanged, for anything
 * else. */
bool address_parse_port(slice text, uint16_t *out);

/* Read an IP address in any of the forms that headers and people use: 192.0.2.1, 192.0.2.1:80, 2001:db8::1,
 * [2001:db8::1], [2001:db8::1]:80. False, with *out unchanged, for anything else. */
bool address_parse(slice text, address *out);

/* The longest text of an address, with its NUL. */
enum { ADDRESS_MAX_TEXT = sizeof("[ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.255]:65535") };

/* Write the address in a form that address_parse() reads: IPv6 shortened, and with its port if it has one.
 * A Unix address becomes "unix", an unknown one "unknown". Returns the length of the text, without the NUL at
 * its end. */
size_t address_format(const address *a, char out[ADDRESS_MAX_TEXT]);

/* Write a host, which is an IP address or a name, with a port as a URL has it (RFC 3986, 3.2.2):
 * 192.0.2.1:80, [2001:db8::1]:80, call.example:80. What does not fit into [out, out + cap) is cut off.
 * Returns the length of the whole. */
size_t address_join_port(const char *host, unsigned port, char *out, size_t cap);

#endif
