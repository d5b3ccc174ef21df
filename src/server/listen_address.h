/* The address of a host, as bind() takes it. */
#ifndef HOMECALL_SERVER_LISTEN_ADDRESS_H
#define HOMECALL_SERVER_LISTEN_ADDRESS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

/* A value: it owns nothing. */
typedef struct listen_address {
    struct sockaddr_storage storage;
    socklen_t len;
} listen_address;

/* Find the address of a host: an IP address, or a name, whose first address is taken. Blocks as long as the
 * resolver takes. 0 and the address in *out, with port 0; -EADDRNOTAVAIL where there is none; -ENOMEM, or
 * -errno of what the resolver could not do. */
int listen_address_resolve(const char *host, listen_address *out);

/* The port in it. */
uint16_t listen_address_port(const listen_address *address);
void listen_address_set_port(listen_address *address, uint16_t port);

/* Does a socket at `one` get the connections to `other` at the same port? Yes if both are the same, or `one`
 * is the wildcard of the other's family. */
bool listen_address_covers(const listen_address *one, const listen_address *other);

/* Is it ::, which means all addresses of IPv6? */
bool listen_address_is_ipv6_wildcard(const listen_address *address);

#endif
