#include "server/listen_socket.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

static int switch_on(int fd, int level, int name)
{
    int on = 1;
    return setsockopt(fd, level, name, &on, sizeof(on));
}

/* A bound socket, or -errno. */
static int open_bound(const listen_address *where, unsigned flags)
{
    int fd = socket(where->storage.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -errno;
    /* Accepted sockets inherit TCP_NODELAY. The output of a turn is written as a whole, so the kernel has
     * nothing to wait for. */
    if (switch_on(fd, SOL_SOCKET, SO_REUSEADDR) != 0 || switch_on(fd, IPPROTO_TCP, TCP_NODELAY) != 0 ||
        ((flags & LISTEN_SHARED) != 0 && switch_on(fd, SOL_SOCKET, SO_REUSEPORT) != 0) ||
        ((flags & LISTEN_IPV6_ONLY) != 0 && switch_on(fd, IPPROTO_IPV6, IPV6_V6ONLY) != 0) ||
        bind(fd, (const struct sockaddr *)&where->storage, where->len) != 0) {
        int error = -errno;
        close(fd);
        return error;
    }
    return fd;
}

static uint16_t port_of(int fd)
{
    listen_address bound = {.len = sizeof(bound.storage)};
    if (getsockname(fd, (struct sockaddr *)&bound.storage, &bound.len) != 0)
        return 0;
    return listen_address_port(&bound);
}

int listen_socket_open(const listen_address *where, uint16_t *port, unsigned flags)
{
    listen_address address = *where;
    listen_address_set_port(&address, *port);
    if ((flags & LISTEN_SHARED) != 0 && (flags & LISTEN_FIRST) != 0 && *port != 0) {
        /* With SO_REUSEPORT we would quietly share the port with another server of this user. A socket
         * without it finds out whether there is one. */
        int probe = open_bound(&address, flags & ~(unsigned)LISTEN_SHARED);
        if (probe < 0)
            return probe;
        close(probe);
    }
    int fd = open_bound(&address, flags);
    if (fd >= 0)
        *port = port_of(fd);
    return fd;
}

/* Does somebody accept connections there? */
static bool is_served(const struct sockaddr_un *address)
{
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return true; /* unknown: leave it to its owner, if it has one */
    bool is_refused =
        connect(fd, (const struct sockaddr *)address, sizeof(*address)) != 0 && errno == ECONNREFUSED;
    close(fd);
    return !is_refused;
}

/* Remove the socket of a server that has not cleaned up. 0; -EADDRINUSE where somebody serves it; or -EEXIST
 * where it is no socket that lies there. */
static int remove_stale(const struct sockaddr_un *address)
{
    struct stat found;
    if (lstat(address->sun_path, &found) != 0)
        return 0;
    if (!S_ISSOCK(found.st_mode))
        return -EEXIST;
    if (is_served(address))
        return -EADDRINUSE;
    return unlink(address->sun_path) == 0 || errno == ENOENT ? 0 : -errno;
}

int listen_socket_open_unix(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (path[0] == '\0')
        return -ENOENT;
    if (strlen(path) >= sizeof(address.sun_path))
        return -ENAMETOOLONG;
    strcpy(address.sun_path, path);
    int error = remove_stale(&address);
    if (error != 0)
        return error;

    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -errno;
    if (bind(fd, (const struct sockaddr *)&address, sizeof(address)) != 0) {
        error = -errno;
        close(fd);
        return error;
    }
    return fd;
}

/* 0; -EINVAL for a socket that does not listen, or is not for streams; or another -errno. */
static int check_listens(int fd)
{
    int type = 0;
    int listens = 0;
    socklen_t len = sizeof(type);
    if (getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &len) != 0 ||
        getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listens, &len) != 0)
        return -errno;
    return type == SOCK_STREAM && listens != 0 ? 0 : -EINVAL;
}

int listen_socket_duplicate(int fd, uint16_t *port)
{
    int error = check_listens(fd);
    if (error != 0)
        return error;
    int copy = fcntl(fd, F_DUPFD_CLOEXEC, 0);
    if (copy < 0)
        return -errno;
    *port = port_of(copy);
    if (fcntl(copy, F_SETFL, O_NONBLOCK) != 0 ||
        (*port != 0 && switch_on(copy, IPPROTO_TCP, TCP_NODELAY) != 0)) {
        error = -errno;
        close(copy);
        return error;
    }
    return copy;
}

int listen_socket_set_send_buffer(int fd, uint32_t bytes)
{
    int size = (int)bytes;
    return setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size)) == 0 ? 0 : -errno;
}

bool listen_socket_hands_down(int fd)
{
    int protocol = 0;
    socklen_t len = sizeof(protocol);
    return getsockopt(fd, SOL_SOCKET, SO_PROTOCOL, &protocol, &len) == 0 && protocol == IPPROTO_TCP;
}
