/* The addresses that a host stands for, as bind() takes them. */
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

/* More than a name has, unless it stands for a whole machine with all its networks. */
enum { LISTEN_ADDRESSES_MAX = 32 };

/* A value. */
typedef struct listen_addresses {
    listen_address all[LISTEN_ADDRESSES_MAX];
    size_t count;
} listen_addresses;

/* Find the addresses of a host, each once: the one that it is, or all that its name stands for, which may be
 * an international one. Blocks as long as the resolver takes. 0, and at least one address in *out, with port
 * 0; -EADDRNOTAVAIL where there is none; -E2BIG; -ENOMEM, or -errno of what the resolver could not do. */
int listen_address_resolve(const char *host, listen_addresses *out);

/* The port in it. */
uint16_t listen_address_port(const listen_address *address);
void listen_address_set_port(listen_address *address, uint16_t port);

/* Does a socket at `one` get the connections to `other` at the same port? Yes if both are the same, or `one`
 * is the wildcard of the other's family. */
bool listen_address_covers(const listen_address *one, const listen_address *other);

/* The longest text of an address, with its NUL: IPv6 and the name of an interface behind it. */
enum { LISTEN_ADDRESS_TEXT_CAP = 80 };

/* Write it without its port, as a configuration has it: 127.0.0.1, ::1, fe80::1%eth0, unix:/run/x.sock. */
void listen_address_format(const listen_address *address, char *out, size_t cap);

/* Is it ::, which means all addresses of IPv6? */
bool listen_address_is_ipv6_wildcard(const listen_address *address);

#endif
