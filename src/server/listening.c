#include "server/listening.h"

#include "base/listen_entry.h"
#include "server/listen_socket.h"
#include "server/start_fault.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static int open_path(signal_server *server, const listen_entry *entry, signal_server_fault *fault)
{
    const char *path = listen_entry_path(entry);
    int fd = listen_socket_open_unix(path);
    int error = fd < 0 ? fd : acceptor_add_socket(&server->acceptors[0], fd, false);
    if (error == 0) {
        acceptor_own_path(&server->acceptors[0], path);
        return 0;
    }
    if (fd >= 0)
        unlink(path);
    start_fault_set(fault, SIGNAL_SERVER_FAULT_PATH, entry->text, 0);
    return error;
}

/* Open one port of an address, for each acceptor; *port is what all addresses have of this kind, 0 before the
 * first. */
static int open_port(signal_server *server, const char *host, bool is_tls, signal_server_fault *fault)
{
    _Atomic uint16_t *port = is_tls ? &server->tls_port : &server->port;
    uint16_t number = atomic_load_explicit(port, memory_order_relaxed);
    if (number == 0)
        number = (uint16_t)(is_tls ? server->options.tls_port : server->options.port);
    for (uint32_t i = 0; i < server->made_acceptors; i++) {
        int fd = listen_socket_open(host, &number, server->made_acceptors > 1, i == 0);
        int error = fd < 0 ? fd : acceptor_add_socket(&server->acceptors[i], fd, is_tls);
        if (error != 0) {
            start_fault_set(fault, SIGNAL_SERVER_FAULT_ADDRESS, host, number);
            fault->is_tls = is_tls;
            return error;
        }
    }
    atomic_store_explicit(port, number, memory_order_relaxed);
    return 0;
}

static int open_address(signal_server *server, const listen_entry *entry, signal_server_fault *fault)
{
    const signal_server_options *o = &server->options;
    bool is_plain = o->port >= 0 && o->listen_fd_count == 0;
    int error = !is_plain ? 0 : open_port(server, entry->text, false, fault);
    if (error == 0 && o->tls_port >= 0)
        error = open_port(server, entry->text, true, fault);
    return error;
}

static int open_entry(signal_server *server, slice text, signal_server_fault *fault)
{
    listen_entry entry;
    if (listen_entry_parse(text, &entry) != NULL) {
        char copy[sizeof(fault->entry)];
        snprintf(copy, sizeof(copy), "%.*s", (int)text.len, text.data);
        start_fault_set(fault, SIGNAL_SERVER_FAULT_ADDRESS, copy, 0);
        return -EINVAL;
    }
    if (listen_entry_path(&entry) == NULL)
        return open_address(server, &entry, fault);
    return server->options.listen_fd_count > 0 ? 0 : open_path(server, &entry, fault);
}

/* The sockets go around among the acceptors as often as it takes for every socket to have an acceptor, and
 * every acceptor a socket. */
static int duplicate_inherited(signal_server *server, signal_server_fault *fault)
{
    size_t sockets = server->options.listen_fd_count;
    size_t acceptors = server->made_acceptors;
    for (size_t i = 0; i < sockets || i < acceptors; i++) {
        int inherited = server->options.listen_fds[i % sockets];
        uint16_t port;
        int fd = listen_socket_duplicate(inherited, &port);
        int error = fd < 0 ? fd : acceptor_add_socket(&server->acceptors[i % acceptors], fd, false);
        if (error != 0) {
            char number[16];
            snprintf(number, sizeof(number), "%d", inherited);
            start_fault_set(fault, SIGNAL_SERVER_FAULT_SOCKET, number, 0);
            return error;
        }
        if (atomic_load_explicit(&server->port, memory_order_relaxed) == 0)
            atomic_store_explicit(&server->port, port, memory_order_relaxed);
    }
    return 0;
}

int listening_start(signal_server *server, signal_server_fault *fault)
{
    int error = server->options.listen_fd_count == 0 ? 0 : duplicate_inherited(server, fault);
    slice list = slice_of_text(server->options.host);
    int count = 0;
    for (slice entry; error == 0 && slice_take_entry(&list, &entry); count++)
        error = count < LISTEN_ENTRIES_MAX ? open_entry(server, entry, fault) : -E2BIG;
    if (error == 0 && server->acceptors[0].socket_count == 0)
        error = -EINVAL;
    if (error != 0 && fault->kind == SIGNAL_SERVER_FAULT_NONE)
        start_fault_set(fault, SIGNAL_SERVER_FAULT_HOST, "", 0);
    return error;
}
