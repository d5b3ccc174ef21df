#include "server/listening.h"

#include "server/listen_plan.h"
#include "server/listen_socket.h"
#include "server/start_fault.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static int open_path(signal_server *server, const listen_place *place, signal_server_fault *fault)
{
    const char *path = listen_entry_path(&place->entry);
    int fd = listen_socket_open_unix(path);
    int error = fd < 0 ? fd : acceptor_add_socket(&server->acceptors[0], fd, false);
    if (error == 0) {
        acceptor_own_path(&server->acceptors[0], path);
        return 0;
    }
    if (fd >= 0)
        unlink(path);
    start_fault_set(fault, SIGNAL_SERVER_FAULT_PATH, place->entry.text, 0);
    return error;
}

/* Open a port at one address, for each acceptor. All addresses have the same one: the port that was asked
 * for, or the port that the first address got. */
static int open_port(signal_server *server, const listen_place *place, bool is_tls,
                     signal_server_fault *fault)
{
    _Atomic uint16_t *port = is_tls ? &server->tls_port : &server->port;
    uint16_t number = atomic_load_explicit(port, memory_order_relaxed);
    if (number == 0)
        number = (uint16_t)(is_tls ? server->options.tls_port : server->options.port);
    unsigned flags =
        (server->made_acceptors > 1 ? LISTEN_SHARED : 0) | (place->is_ipv6_only ? LISTEN_IPV6_ONLY : 0);
    for (uint32_t i = 0; i < server->made_acceptors; i++) {
        int fd = listen_socket_open(&place->address, &number, i == 0 ? flags | LISTEN_FIRST : flags);
        int error = fd < 0 ? fd : acceptor_add_socket(&server->acceptors[i], fd, is_tls);
        if (error != 0) {
            start_fault_set(fault, SIGNAL_SERVER_FAULT_ADDRESS, place->entry.text, number);
            fault->is_tls = is_tls;
            return error;
        }
    }
    atomic_store_explicit(port, number, memory_order_relaxed);
    return 0;
}

static int open_place(signal_server *server, const listen_place *place, signal_server_fault *fault)
{
    const signal_server_options *o = &server->options;
    if (listen_entry_path(&place->entry) != NULL)
        return open_path(server, place, fault);
    bool is_plain = o->port >= 0 && o->listen_fd_count == 0;
    int error = is_plain ? open_port(server, place, false, fault) : 0;
    if (error == 0 && o->tls_port >= 0)
        error = open_port(server, place, true, fault);
    return error;
}

/* Share out the inherited sockets: every acceptor gets one at least, and every socket has an acceptor. */
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
    listen_plan plan;
    int error = listen_plan_make(&plan, &server->options, fault);
    if (error == 0 && server->options.listen_fd_count > 0)
        error = duplicate_inherited(server, fault);
    for (size_t i = 0; i < plan.count && error == 0; i++)
        error = open_place(server, &plan.places[i], fault);
    if (error == 0 && server->acceptors[0].socket_count == 0) {
        start_fault_set(fault, SIGNAL_SERVER_FAULT_HOST, "", 0);
        error = -EINVAL;
    }
    return error;
}
