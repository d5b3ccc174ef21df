/* Looks up the addresses of a host with the resolver of the system. */
#ifndef HOMECALL_BASE_RESOLVE_H
#define HOMECALL_BASE_RESOLVE_H

#include <netdb.h>

/* Look up a host, which is an IP address or a name, for stream sockets. `service` is a port in decimal, or
 * NULL. `flags` are those of getaddrinfo(). An international name is first looked up as it is, because
 * /etc/hosts may have it so, and then in its ASCII form (base/idna.h). Blocks until the resolver answers. Any
 * thread.
 *
 * Returns 0 and at least one address in *out, which the caller gives to freeaddrinfo(). Returns
 * -EADDRNOTAVAIL if there is no address, -ENOMEM, or -errno of what the resolver could not do. */
int resolve_host(const char *host, const char *service, int flags, struct addrinfo **out);

#endif
