/* The addresses of a host, from the resolver of the system. */
#ifndef HOMECALL_BASE_RESOLVE_H
#define HOMECALL_BASE_RESOLVE_H

#include <netdb.h>

/* Look a host up, an IP address or a name, for streams; `service` is a port in decimal, or NULL; `flags` are
 * those of getaddrinfo(). A name with letters that are not ASCII is looked up as it is, since /etc/hosts may
 * have it so, and then as DNS has it (base/idna.h). Blocks as long as the resolver takes. Any thread.
 *
 * 0, and at least one address in *out, owned by the caller, who gives it to freeaddrinfo(); -EADDRNOTAVAIL
 * where there is none; -ENOMEM, or -errno of what the resolver could not do. */
int resolve_host(const char *host, const char *service, int flags, struct addrinfo **out);

#endif
