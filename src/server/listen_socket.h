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

/* Bind a socket of the same kind to a path, for whoever may write there (mode 0666 less the umask). A socket
 * that lies there and belongs to nobody any more is removed first.
 *
 * The descriptor, owned by the caller, or -errno: -EADDRINUSE where somebody listens or something else lies
 * there, -ENAMETOOLONG, -ENOENT, -EACCES, … */
int listen_socket_open_unix(const char *path);

/* Duplicate a stream socket that listens already, and make it one as above. Both numbers mean one socket,
 * whose queue of connections lasts until the last of them is closed.
 *
 * The duplicate, owned by the caller, and its TCP port (0 for a Unix socket) in *port; or -errno: -EINVAL
 * where it does not listen, -ENOTSOCK, -EBADF, -EMFILE. */
int listen_socket_duplicate(int fd, uint16_t *port);

#endif
