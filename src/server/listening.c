#include "server/listening.h"

#include "base/log.h"
#include "base/memory_text.h"
#include "server/listen_socket.h"
#include "server/start_fault.h"

#include <assert.h>
#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>
#include <unistd.h>

static const char log_namespace[] = "HomeCall_Signal_Server";

/* ---- Addresses and paths ---- */

static int open_path(signal_server *server, const char *path)
{
    int fd = listen_socket_open_unix(path);
    int error = fd < 0 ? fd : acceptor_add_socket(&server->acceptors[0], fd, false);
    if (error == 0)
        acceptor_own_path(&server->acceptors[0], path);
    else if (fd >= 0)
        unlink(path);
    return error;
}

/* All addresses have the same port of this kind: the one that was asked for, or the one that the first of
 * them was given. */
static uint16_t port_of(const signal_server *server, bool is_tls)
{
    uint16_t given = atomic_load_explicit(is_tls ? &server->tls_port : &server->port, memory_order_relaxed);
    return given != 0 ? given : (uint16_t)(is_tls ? server->options.tls_port : server->options.port);
}

/* Open one port of an address, for each acceptor. */
static int open_port(signal_server *server, const listen_place *place, bool is_tls)
{
    uint16_t number = port_of(server, is_tls);
    unsigned flags =
        (server->made_acceptors > 1 ? LISTEN_SHARED : 0) | (place->is_ipv6_only ? LISTEN_IPV6_ONLY : 0);
    for (uint32_t i = 0; i < server->made_acceptors; i++) {
        int fd = listen_socket_open(&place->address, &number, i == 0 ? flags | LISTEN_FIRST : flags);
        int error = fd < 0 ? fd : acceptor_add_socket(&server->acceptors[i], fd, is_tls);
        if (error != 0)
            return error;
    }
    atomic_store_explicit(is_tls ? &server->tls_port : &server->port, number, memory_order_relaxed);
    return 0;
}

/* What open_place() is asked with, and what it tells. */
typedef struct opening {
    signal_server *server;
    bool is_tls; /* it was the port for TLS that could not be opened */
} opening;

static int open_place(void *context, const listen_place *place)
{
    opening *o = context;
    const signal_server_options *options = &o->server->options;
    const char *path = listen_entry_path(&place->entry);
    if (path != NULL)
        return open_path(o->server, path);
    int error = 0;
    if (options->port >= 0 && options->listen_fd_count == 0)
        error = open_port(o->server, place, false);
    bool was_plain = error != 0;
    if (error == 0 && options->tls_port >= 0 && options->listen_tls_fd_count == 0)
        error = open_port(o->server, place, true);
    if (error != 0)
        o->is_tls = !was_plain;
    return error;
}

static void tell_fault(const opening *o, const listen_place *place, signal_server_fault *fault)
{
    if (listen_entry_path(&place->entry) != NULL) {
        start_fault_set(fault, SIGNAL_SERVER_FAULT_PATH, place->entry.text, 0);
        return;
    }
    start_fault_set(fault, SIGNAL_SERVER_FAULT_ADDRESS, place->entry.text, port_of(o->server, o->is_tls));
    fault->is_tls = o->is_tls;
}

static int open_places(signal_server *server, listen_plan *plan, signal_server_fault *fault)
{
    opening o = {.server = server};
    size_t failed;
    int error = listen_plan_open(plan, open_place, &o, &failed);
    if (error != 0)
        tell_fault(&o, &plan->places[failed], fault);
    return error;
}

/* A start may be tried again and again until a port is free: only one that succeeds tells. `option` is a
 * literal. */
static void warn_of_missing(const listen_plan *plan, const char *option)
{
    for (size_t i = 0; i < plan->count; i++) {
        const listen_place *place = &plan->places[i];
        char text[LISTEN_ADDRESS_TEXT_CAP];
        if (!listen_plan_opens(plan, i) || place->error == 0)
            continue;
        listen_address_format(&place->address, text, sizeof(text));
        LOG(LOG_WARN, log_namespace, "one address of a name is not available", LOG_LITERAL("option", option),
            LOG_BYTES("name", slice_of_text(place->entry.text)), LOG_BYTES("address", slice_of_text(text)),
            LOG_BYTES("reason", slice_of_text(strerror(-place->error))));
    }
}

/* ---- Inherited sockets ---- */

static int refuse_inherited(int fd, int error, signal_server_fault *fault)
{
    char number[16];
    snprintf(number, sizeof(number), "%d", fd);
    start_fault_set(fault, SIGNAL_SERVER_FAULT_SOCKET, number, 0);
    return error;
}

/* Have the file of a Unix socket removed at the end. */
static void own_path(acceptor *a, int fd)
{
    struct sockaddr_un bound = {.sun_family = AF_UNSPEC};
    socklen_t len = sizeof(bound);
    if (getsockname(fd, (struct sockaddr *)&bound, &len) == 0 && bound.sun_family == AF_UNIX &&
        len > offsetof(struct sockaddr_un, sun_path) && bound.sun_path[0] != '\0' &&
        strnlen(bound.sun_path, sizeof(bound.sun_path)) < sizeof(bound.sun_path))
        acceptor_own_path(a, bound.sun_path);
}

/* The sockets go around among the acceptors as often as it takes for every socket to have an acceptor, and
 * every acceptor a socket. */
static int duplicate_inherited(signal_server *server, bool is_tls, signal_server_fault *fault)
{
    const signal_server_options *o = &server->options;
    const int *fds = is_tls ? o->listen_tls_fds : o->listen_fds;
    size_t sockets = is_tls ? o->listen_tls_fd_count : o->listen_fd_count;
    size_t acceptors = server->made_acceptors;
    _Atomic uint16_t *server_port = is_tls ? &server->tls_port : &server->port;
    for (size_t i = 0; sockets > 0 && (i < sockets || i < acceptors); i++) {
        int inherited = fds[i % sockets];
        acceptor *a = &server->acceptors[i % acceptors];
        uint16_t port;
        int fd = listen_socket_duplicate(inherited, &port);
        int error = fd < 0 ? fd : acceptor_add_socket(a, fd, is_tls);
        if (error != 0)
            return refuse_inherited(inherited, error, fault);
        if (o->owns_listen_paths && !is_tls)
            own_path(a, inherited);
        if (atomic_load_explicit(server_port, memory_order_relaxed) == 0)
            atomic_store_explicit(server_port, port, memory_order_relaxed);
    }
    return 0;
}

/* Where inherited sockets listen, with commas between, and `more` behind them. A text owned by the caller;
 * NULL without memory. */
static char *describe_sockets(const int *fds, size_t count, const char *more)
{
    char *text = NULL;
    size_t len = 0;
    FILE *out = open_memstream(&text, &len);
    if (out == NULL)
        return NULL;
    for (size_t i = 0; i < count; i++) {
        listen_address bound = {.len = sizeof(bound.storage)};
        char place[LISTEN_ENTRY_CAP] = "?";
        if (getsockname(fds[i], (struct sockaddr *)&bound.storage, &bound.len) == 0)
            listen_address_format(&bound, place, sizeof(place));
        fprintf(out, "%s%s", i == 0 ? "" : ",", place);
    }
    fprintf(out, "%s%s", count == 0 || more[0] == '\0' ? "" : ",", more);
    return memory_text_close(out, &text) ? text : NULL;
}

/* Note down where the server listens. 0 or -ENOMEM. */
static int describe(signal_server *server, const listen_plan *plan)
{
    const signal_server_options *o = &server->options;
    const size_t counts[] = {o->listen_tls_fd_count, o->listen_fd_count};
    const int *const fds[] = {o->listen_tls_fds, o->listen_fds};
    char *places = listen_plan_describe(plan);
    for (int i = 0; i < 2 && places != NULL; i++) {
        char *all = describe_sockets(fds[i], counts[i], places);
        free(places);
        places = all;
    }
    server->hosts = places;
    return places == NULL ? -ENOMEM : 0;
}

/* ---- Both ---- */

int listening_start(signal_server *server, listen_plan *plan, signal_server_fault *fault)
{
    int error = duplicate_inherited(server, false, fault);
    if (error == 0)
        error = duplicate_inherited(server, true, fault);
    if (error == 0)
        error = open_places(server, plan, fault);
    if (error == 0 && server->acceptors[0].socket_count == 0) {
        start_fault_set(fault, SIGNAL_SERVER_FAULT_HOST, "", 0);
        error = -EINVAL;
    }
    if (error == 0)
        error = describe(server, plan);
    if (error == 0)
        warn_of_missing(plan, "host");
    return error;
}

/* ---- The admin port ---- */

static_assert((int)LISTEN_PLACES_MAX <= (int)ADMIN_MAX_SOCKETS, "the admin takes all of them");

typedef struct admin_opening {
    uint16_t port;
    int fds[ADMIN_MAX_SOCKETS];
    size_t count;
} admin_opening;

static int open_admin_place(void *context, const listen_place *place)
{
    admin_opening *o = context;
    uint16_t port = o->port;
    int fd = listen_socket_open(&place->address, &port, place->is_ipv6_only ? LISTEN_IPV6_ONLY : 0);
    if (fd < 0)
        return fd;
    o->fds[o->count++] = fd;
    return 0;
}

static int duplicate_admin(const signal_server *server, admin_opening *o)
{
    for (size_t i = 0; i < server->options.listen_admin_fd_count; i++) {
        uint16_t port;
        int fd = listen_socket_duplicate(server->options.listen_admin_fds[i], &port);
        if (fd < 0)
            return fd;
        o->fds[o->count++] = fd;
    }
    return 0;
}

int listening_open_admin(signal_server *server, const admin_options *options, listen_plan *plan)
{
    admin_opening o = {.port = server->options.admin_port};
    size_t failed;
    const signal_server_options *options_of = &server->options;
    int error = duplicate_admin(server, &o);
    if (error == 0)
        error = listen_plan_open(plan, open_admin_place, &o, &failed);
    if (error == 0) {
        server->admin_hosts =
            options_of->listen_admin_fd_count > 0
                ? describe_sockets(options_of->listen_admin_fds, options_of->listen_admin_fd_count, "")
                : listen_plan_describe(plan);
        error = server->admin_hosts == NULL ? -ENOMEM : 0;
    }
    if (error != 0) {
        while (o.count > 0)
            close(o.fds[--o.count]);
        return error;
    }
    error = admin_new(options, o.fds, o.count, &server->admin);
    if (error == 0)
        warn_of_missing(plan, "admin_host");
    return error;
}
