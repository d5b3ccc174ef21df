/* Listening sockets. */
#ifndef HOMECALL_SERVER_LISTEN_SOCKET_H
#define HOMECALL_SERVER_LISTEN_SOCKET_H

#include "server/listen_address.h"

#include <stdbool.h>
#include <stdint.h>

enum {
    LISTEN_SHARED = 1,    /* others may bind the same port, by SO_REUSEPORT */
    LISTEN_FIRST = 2,     /* this is the first of them, and fails if the port belongs to anybody else */
    LISTEN_IPV6_ONLY = 4, /* the address is ::, which must not take IPv4 as well */
};

/* Bind a non-blocking, close-on-exec TCP socket to an address and `*port` (0: any free one, which *port then
 * holds). `flags`: some of the above.
 *
 * The descriptor, owned by the caller, which calls listen(); or -errno: -EADDRINUSE, -EACCES, -EADDRNOTAVAIL,
 * … */
int listen_socket_open(const listen_address *where, uint16_t *port, unsigned flags);

/* Bind a socket of the same kind to a path, for whoever may write there (mode 0666 less the umask). A socket
 * that lies there and belongs to nobody any more is removed first.
 *
 * The descriptor, owned by the caller, or -errno: -EADDRINUSE where somebody listens there, -EEXIST
 * where something else than a socket lies there, -ENAMETOOLONG, -ENOENT, -EACCES, … */
int listen_socket_open_unix(const char *path);

/* Duplicate a stream socket that listens already, and make it non-blocking and close-on-exec. Both
 * descriptors are the same socket: its queue of connections lives until the last of them is closed.
 *
 * The duplicate, owned by the caller, and its TCP port (0 for a Unix socket) in *port; or -errno: -EINVAL
 * where it does not listen, -ENOTSOCK, -EBADF, -EMFILE. */
int listen_socket_duplicate(int fd, uint16_t *port);

/* Let the kernel keep at most about this many bytes of a socket's output, and not as many megabytes as it
 * likes. The kernel doubles the number, and there is no way back to what it likes. 0 or -errno. */
int listen_socket_set_send_buffer(int fd, uint32_t bytes);

/* Do the connections that a listening socket accepts inherit its options? With TCP they do, with a Unix
 * socket they do not. */
bool listen_socket_hands_down(int fd);

#endif
