/* Listening sockets. */
#ifndef HOMECALL_SERVER_LISTEN_SOCKET_H
#define HOMECALL_SERVER_LISTEN_SOCKET_H

#include <stdbool.h>
#include <stdint.h>

/* Bind a non-blocking, close-on-exec TCP socket to `host` (an address, or a name whose first address is
 * taken) and `*port` (0: any free one, which *port then holds). With `is_shared` others may bind the same
 * port by SO_REUSEPORT; the first of them is opened with `is_first`, and fails if the port belongs to anybody
 * else.
 *
 * The descriptor, owned by the caller, which calls listen(); or -errno: -EADDRINUSE, -EACCES, -EADDRNOTAVAIL
 * (also for a host that can't be resolved), … */
int listen_socket_open(const char *host, uint16_t *port, bool is_shared, bool is_first);

#endif
