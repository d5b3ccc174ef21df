#include "server/listening.h"

#include "server/listen_socket.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const char unix_prefix[] = "unix:";

/* The path of an entry unix:PATH; NULL for an address. */
static const char *path_of(const char *entry)
{
    size_t len = strlen(unix_prefix);
    return strncmp(entry, unix_prefix, len) == 0 ? entry + len : NULL;
}

/* Call `visit` with each entry of options.host, until it returns an error, which is returned. */
static int each_entry(signal_server *server, int (*visit)(signal_server *server, const char *entry))
{
    slice list = {server->options.host, strlen(server->options.host)};
    int error = 0;
    for (slice entry; error == 0 && slice_take_entry(&list, &entry);) {
        char text[sizeof(server->failed_host)];
        if (entry.len >= sizeof(text))
            return -ENAMETOOLONG;
        memcpy(text, entry.data, entry.len);
        text[entry.len] = '\0';
        error = visit(server, text);
    }
    return error;
}

static int open_path(signal_server *server, const char *path)
{
    int fd = listen_socket_open_unix(path);
    if (fd < 0)
        return fd;
    int error = acceptor_add_socket(&server->acceptors[0], fd, false);
    if (error == 0)
        acceptor_own_path(&server->acceptors[0], path);
    else
        unlink(path);
    return error;
}

/* Open one port of an address, for each acceptor; *port is what all addresses have of this kind, 0 before the
 * first. */
static int open_port(signal_server *server, const char *host, int32_t wished, bool is_tls,
                     _Atomic uint16_t *port)
{
    uint16_t number = atomic_load_explicit(port, memory_order_relaxed);
    if (number == 0)
        number = (uint16_t)wished;
    for (uint32_t i = 0; i < server->made_acceptors; i++) {
        int fd = listen_socket_open(host, &number, server->made_acceptors > 1, i == 0);
        int error = fd < 0 ? fd : acceptor_add_socket(&server->acceptors[i], fd, is_tls);
        if (error != 0) {
            server->failed_port = number;
            return error;
        }
    }
    atomic_store_explicit(port, number, memory_order_relaxed);
    return 0;
}

static int open_address(signal_server *server, const char *host)
{
    const signal_server_options *o = &server->options;
    bool is_plain = o->port >= 0 && o->listen_fd_count == 0;
    int error = !is_plain ? 0 : open_port(server, host, o->port, false, &server->port);
    if (error == 0 && o->tls_port >= 0)
        error = open_port(server, host, o->tls_port, true, &server->tls_port);
    return error;
}

static int open_entry(signal_server *server, const char *entry)
{
    const char *path = path_of(entry);
    bool is_inherited = server->options.listen_fd_count > 0;
    int error = path == NULL ? open_address(server, entry) : is_inherited ? 0 : open_path(server, path);
    if (error != 0)
        snprintf(server->failed_host, sizeof(server->failed_host), "%s", entry);
    return error;
}

/* The sockets go around among the acceptors as often as it takes for every socket to have an acceptor, and
 * every acceptor a socket. */
static int duplicate_inherited(signal_server *server)
{
    size_t sockets = server->options.listen_fd_count;
    size_t acceptors = server->made_acceptors;
    for (size_t i = 0; i < sockets || i < acceptors; i++) {
        uint16_t port;
        int fd = listen_socket_duplicate(server->options.listen_fds[i % sockets], &port);
        int error = fd < 0 ? fd : acceptor_add_socket(&server->acceptors[i % acceptors], fd, false);
        if (error != 0)
            return error;
        if (signal_server_port(server) == 0)
            atomic_store_explicit(&server->port, port, memory_order_relaxed);
    }
    return 0;
}

int listening_begin(signal_server *server)
{
    int error = server->options.listen_fd_count == 0 ? 0 : duplicate_inherited(server);
    if (error == 0)
        error = each_entry(server, open_entry);
    return error == 0 && server->acceptors[0].socket_count == 0 ? -EINVAL : error;
}
