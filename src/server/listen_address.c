#include "server/listen_address.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <string.h>

static int error_of_resolver(int code)
{
    switch (code) {
    case EAI_MEMORY:
        return -ENOMEM;
    case EAI_SYSTEM:
        return errno != 0 ? -errno : -EIO;
    default:
        return -EADDRNOTAVAIL;
    }
}

int listen_address_resolve(const char *host, listen_address *out)
{
    const struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE};
    struct addrinfo *found;
    errno = 0;
    int code = getaddrinfo(host, NULL, &hints, &found);
    if (code != 0)
        return error_of_resolver(code);
    *out = (listen_address){.len = found->ai_addrlen};
    memcpy(&out->storage, found->ai_addr, found->ai_addrlen);
    freeaddrinfo(found);
    return 0;
}

static const struct sockaddr_in *ipv4_of(const listen_address *address)
{
    return (const struct sockaddr_in *)&address->storage;
}

static const struct sockaddr_in6 *ipv6_of(const listen_address *address)
{
    return (const struct sockaddr_in6 *)&address->storage;
}

uint16_t listen_address_port(const listen_address *address)
{
    switch (address->storage.ss_family) {
    case AF_INET:
        return ntohs(ipv4_of(address)->sin_port);
    case AF_INET6:
        return ntohs(ipv6_of(address)->sin6_port);
    default:
        return 0;
    }
}

void listen_address_set_port(listen_address *address, uint16_t port)
{
    if (address->storage.ss_family == AF_INET)
        ((struct sockaddr_in *)&address->storage)->sin_port = htons(port);
    else if (address->storage.ss_family == AF_INET6)
        ((struct sockaddr_in6 *)&address->storage)->sin6_port = htons(port);
}

bool listen_address_is_ipv6_wildcard(const listen_address *address)
{
    return address->storage.ss_family == AF_INET6 && IN6_IS_ADDR_UNSPECIFIED(&ipv6_of(address)->sin6_addr);
}

bool listen_address_covers(const listen_address *one, const listen_address *other)
{
    if (one->storage.ss_family != other->storage.ss_family)
        return false;
    if (one->storage.ss_family == AF_INET) {
        in_addr_t address = ipv4_of(one)->sin_addr.s_addr;
        return address == htonl(INADDR_ANY) || address == ipv4_of(other)->sin_addr.s_addr;
    }
    return listen_address_is_ipv6_wildcard(one) ||
           (IN6_ARE_ADDR_EQUAL(&ipv6_of(one)->sin6_addr, &ipv6_of(other)->sin6_addr) &&
            ipv6_of(one)->sin6_scope_id == ipv6_of(other)->sin6_scope_id);
}
