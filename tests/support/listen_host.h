/* A socket to listen on, for programs that are no server of ours. */
#ifndef HOMECALL_TESTS_SUPPORT_LISTEN_HOST_H
#define HOMECALL_TESTS_SUPPORT_LISTEN_HOST_H

#include "server/listen_socket.h"

/* Bind a socket to the first address of a host and `*port`, as listen_socket_open() does. The descriptor or
 * -errno. */
static inline int listen_on_host(const char *host, uint16_t *port)
{
    listen_addresses found;
    int error = listen_address_resolve(host, &found);
    return error == 0 ? listen_socket_open(&found.all[0], port, 0) : error;
}

#endif
