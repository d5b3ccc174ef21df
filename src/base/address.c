#include "base/address.h"

#include <arpa/inet.h>
#include <assert.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

enum { IPV4_BYTES = 4, IPV6_BYTES = 16, MAX_PORT_DIGITS = 5, MAX_PORT = 65535 };

address address_from_ipv4(const uint8_t bytes[4], uint16_t port)
{
    address a = {.family = ADDRESS_IPV4, .port = port};
    memcpy(a.bytes, bytes, IPV4_BYTES);
    return a;
}

address address_from_ipv6(const uint8_t bytes[16], uint16_t port)
{
    static const uint8_t mapped[IPV6_BYTES - IPV4_BYTES] = {[10] = 0xFF, [11] = 0xFF};
    if (memcmp(bytes, mapped, sizeof(mapped)) == 0)
        return address_from_ipv4(bytes + sizeof(mapped), port);

    address a = {.family = ADDRESS_IPV6, .port = port};
    memcpy(a.bytes, bytes, IPV6_BYTES);
    return a;
}

static address from_sockaddr_in(const struct sockaddr *sockaddr)
{
    struct sockaddr_in in; /* a copy, since `sockaddr` need not be aligned for it */
    memcpy(&in, sockaddr, sizeof(in));
    return address_from_ipv4((const uint8_t *)&in.sin_addr, ntohs(in.sin_port));
}

static address from_sockaddr_in6(const struct sockaddr *sockaddr)
{
    struct sockaddr_in6 in6;
    memcpy(&in6, sockaddr, sizeof(in6));
    return address_from_ipv6(in6.sin6_addr.s6_addr, ntohs(in6.sin6_port));
}

address address_from_sockaddr(const struct sockaddr *sockaddr, socklen_t len)
{
    sa_family_t family = AF_UNSPEC;
    if (len >= sizeof(family))
        memcpy(&family, &sockaddr->sa_family, sizeof(family));

    if (family == AF_INET && len >= sizeof(struct sockaddr_in))
        return from_sockaddr_in(sockaddr);
    if (family == AF_INET6 && len >= sizeof(struct sockaddr_in6))
        return from_sockaddr_in6(sockaddr);
    return (address){.family = family == AF_UNIX ? ADDRESS_UNIX : ADDRESS_UNKNOWN};
}

bool address_parse_ip(slice text, address *out)
{
    char string[INET6_ADDRSTRLEN];
    uint8_t bytes[IPV6_BYTES];
    if (text.len == 0 || text.len >= sizeof(string) || memchr(text.data, '\0', text.len) != NULL)
        return false;
    memcpy(string, text.data, text.len);
    string[text.len] = '\0';

    if (inet_pton(AF_INET, string, bytes) == 1)
        *out = address_from_ipv4(bytes, 0);
    else if (inet_pton(AF_INET6, string, bytes) == 1)
        *out = address_from_ipv6(bytes, 0);
    else
        return false;
    return true;
}

bool address_parse_port(slice text, uint16_t *out)
{
    if (text.len == 0 || text.len > MAX_PORT_DIGITS || (text.data[0] == '0' && text.len > 1))
        return false;
    uint32_t port = 0;
    for (size_t i = 0; i < text.len; i++) {
        if (text.data[i] < '0' || text.data[i] > '9')
            return false;
        port = port * 10 + (uint32_t)(text.data[i] - '0');
    }
    if (port > MAX_PORT)
        return false;
    *out = (uint16_t)port;
    return true;
}

/* Read "address]" or "address]:port". Brackets are for IPv6 only (RFC 3986, 3.2.2). */
static bool parse_behind_bracket(slice text, address *out)
{
    if (memchr(text.data, ']', text.len) == NULL)
        return false;
    slice host = slice_take_until(&text, ']');
    uint16_t port = 0;
    if (text.len > 0 &&
        (text.data[0] != ':' || !address_parse_port((slice){text.data + 1, text.len - 1}, &port)))
        return false;
    address found;
    if (host.len == 0 || memchr(host.data, ':', host.len) == NULL || !address_parse_ip(host, &found))
        return false;
    found.port = port;
    *out = found;
    return true;
}

bool address_parse(slice text, address *out)
{
    if (text.len == 0)
        return false;
    if (text.data[0] == '[')
        return parse_behind_bracket((slice){text.data + 1, text.len - 1}, out);
    if (address_parse_ip(text, out))
        return true;

    /* Without brackets only IPv4 can have a port: behind an IPv6 address it would read as a part of it. */
    slice host = slice_take_until(&text, ':');
    uint16_t port;
    address found;
    if (!address_parse_port(text, &port) || !address_parse_ip(host, &found))
        return false;
    found.port = port;
    *out = found;
    return true;
}

static const char *word_of(const address *a)
{
    return a->family == ADDRESS_UNIX ? "unix" : "unknown";
}

address_key address_key_of(const address *a)
{
    address_key key = {{a->family}};
    memcpy(key.bytes + 1, a->bytes, a->family == ADDRESS_IPV4 ? 4 : 8);
    return key;
}

uint64_t address_key_hash(const address_key *key, const keyed_hash *hash)
{
    return keyed_hash_of(hash, (slice){(const char *)key->bytes, sizeof(key->bytes)});
}

bool address_is_loopback(const address *a)
{
    static const uint8_t ipv6_loopback[16] = {[15] = 1};
    if (a->family == ADDRESS_IPV4)
        return a->bytes[0] == IN_LOOPBACKNET;
    return a->family == ADDRESS_IPV6 && memcmp(a->bytes, ipv6_loopback, sizeof(ipv6_loopback)) == 0;
}

bool address_is_inner(const address *a)
{
    const uint8_t *b = a->bytes;
    if (a->family == ADDRESS_IPV4)
        return b[0] == 10 || (b[0] == 172 && (b[1] & 0xf0) == 16) || (b[0] == 192 && b[1] == 168) ||
               (b[0] == 169 && b[1] == 254) || (b[0] == 100 && (b[1] & 0xc0) == 64);
    return a->family == ADDRESS_IPV6 && ((b[0] & 0xfe) == 0xfc || (b[0] == 0xfe && (b[1] & 0xc0) == 0x80));
}

size_t address_join_port(const char *host, unsigned port, char *out, size_t cap)
{
    bool is_ipv6 = strchr(host, ':') != NULL;
    return (size_t)snprintf(out, cap, is_ipv6 ? "[%s]:%u" : "%s:%u", host, port);
}

size_t address_format(const address *a, char out[ADDRESS_MAX_TEXT])
{
    char host[INET6_ADDRSTRLEN];
    bool is_ipv6 = a->family == ADDRESS_IPV6;
    if (!is_ipv6 && a->family != ADDRESS_IPV4)
        return (size_t)snprintf(out, ADDRESS_MAX_TEXT, "%s", word_of(a));
    if (inet_ntop(is_ipv6 ? AF_INET6 : AF_INET, a->bytes, host, sizeof(host)) == NULL)
        host[0] = '\0';
    if (a->port != 0)
        return address_join_port(host, a->port, out, ADDRESS_MAX_TEXT);
    return (size_t)snprintf(out, ADDRESS_MAX_TEXT, "%s", host);
}
