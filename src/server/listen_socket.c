#include "server/listen_socket.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

static int resolve(const char *host, uint16_t port, struct sockaddr_storage *address, socklen_t *len)
{
    char service[8];
    snprintf(service, sizeof(service), "%u", port);
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE | AI_NUMERICSERV};
    struct addrinfo *found;
    if (getaddrinfo(host, service, &hints, &found) != 0)
        return -EADDRNOTAVAIL;
    memcpy(address, found->ai_addr, found->ai_addrlen);
    *len = found->ai_addrlen;
    freeaddrinfo(found);
    return 0;
}

static int switch_on(int fd, int level, int name)
{
    int on = 1;
    return setsockopt(fd, level, name, &on, sizeof(on));
}

static int open_bound(const struct sockaddr_storage *address, socklen_t len, bool is_shared)
{
    int fd = socket(address->ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -errno;
    /* Accepted sockets inherit TCP_NODELAY: each turn's output is written as a whole, there is nothing to
     * wait for. */
    if (switch_on(fd, SOL_SOCKET, SO_REUSEADDR) != 0 || switch_on(fd, IPPROTO_TCP, TCP_NODELAY) != 0 ||
        (is_shared && switch_on(fd, SOL_SOCKET, SO_REUSEPORT) != 0) ||
        bind(fd, (const struct sockaddr *)address, len) != 0) {
        int error = -errno;
        close(fd);
        return error;
    }
    return fd;
}

static uint16_t port_of(int fd)
{
    struct sockaddr_storage address = {0};
    socklen_t len = sizeof(address);
    if (getsockname(fd, (struct sockaddr *)&address, &len) != 0)
        return 0;
    switch (address.ss_family) {
    case AF_INET:
        return ntohs(((struct sockaddr_in *)&address)->sin_port);
    case AF_INET6:
        return ntohs(((struct sockaddr_in6 *)&address)->sin6_port);
    default:
        return 0;
    }
}

int listen_socket_open(const char *host, uint16_t *port, bool is_shared, bool is_first)
{
    struct sockaddr_storage address;
    socklen_t len;
    int error = resolve(host, *port, &address, &len);
    if (error != 0)
        return error;

    if (is_shared && is_first && *port != 0) {
        /* SO_REUSEPORT would quietly share the port with another server of this user. One that does not share
         * finds out. */
        int probe = open_bound(&address, len, false);
        if (probe < 0)
            return probe;
        close(probe);
    }
    int fd = open_bound(&address, len, is_shared);
    if (fd >= 0)
        *port = port_of(fd);
    return fd;
}

/* Does somebody accept connections there? */
static bool is_served(const struct sockaddr_un *address)
{
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return true; /* better not to take it away from anybody */
    bool is_refused =
        connect(fd, (const struct sockaddr *)address, sizeof(*address)) != 0 && errno == ECONNREFUSED;
    close(fd);
    return !is_refused;
}

/* Remove the socket of a server that has not cleaned up. 0, or -EADDRINUSE where that is not what lies there.
 */
static int remove_stale(const struct sockaddr_un *address)
{
    struct stat found;
    if (lstat(address->sun_path, &found) != 0)
        return 0;
    if (!S_ISSOCK(found.st_mode) || is_served(address))
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

/* 0, or -EINVAL for a socket that nobody can connect to, or whose connections are no streams; or -errno. */
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
