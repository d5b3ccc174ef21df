#include "server/listen_address.h"

#include "base/resolve.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/un.h>

static bool is_same(const listen_address *one, const listen_address *other)
{
    return one->len == other->len && memcmp(&one->storage, &other->storage, one->len) == 0;
}

static int add(listen_addresses *list, const struct addrinfo *found)
{
    listen_address address = {.len = found->ai_addrlen};
    memcpy(&address.storage, found->ai_addr, found->ai_addrlen);
    for (size_t i = 0; i < list->count; i++) {
        if (is_same(&list->all[i], &address))
            return 0;
    }
    if (list->count == LISTEN_ADDRESSES_MAX)
        return -E2BIG;
    list->all[list->count++] = address;
    return 0;
}

int listen_address_resolve(const char *host, listen_addresses *out)
{
    struct addrinfo *found;
    int error = resolve_host(host, NULL, AI_PASSIVE, &found);
    if (error != 0)
        return error;
    listen_addresses list = {.count = 0};
    for (const struct addrinfo *at = found; at != NULL && error == 0; at = at->ai_next)
        error = add(&list, at);
    freeaddrinfo(found);
    if (error == 0)
        *out = list;
    return error;
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

void listen_address_format(const listen_address *address, char *out, size_t cap)
{
    const struct sockaddr *where = (const struct sockaddr *)&address->storage;
    const struct sockaddr_un *path = (const struct sockaddr_un *)&address->storage;
    if (address->storage.ss_family == AF_UNIX)
        snprintf(out, cap, "unix:%s", path->sun_path);
    else if (getnameinfo(where, address->len, out, (socklen_t)cap, NULL, 0, NI_NUMERICHOST) != 0)
        snprintf(out, cap, "?");
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
