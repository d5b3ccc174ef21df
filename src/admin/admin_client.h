/* The client of the admin port (admin.h): asks for one page and waits for the answer.
 *
 * It is for programs that look at a server from outside, and blocks the thread that calls it, which may be
 * any. It uses plain sockets and HTTP/1.0, where an answer ends with the connection. So one time-out covers
 * everything, and errors are those of the kernel. */
#ifndef HOMECALL_ADMIN_ADMIN_CLIENT_H
#define HOMECALL_ADMIN_ADMIN_CLIENT_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

typedef struct admin_answer {
    int status; /* of HTTP */
    char *body; /* owned by the caller, who frees it; followed by a NUL */
    size_t len; /* without the NUL */
} admin_answer;

/* GET http://host:port/path. `host` is an address or a name (the timeout does not bound its resolution),
 * whose addresses are asked one after the other until one answers; an address that means all of the
 * machine's, as ADMIN_HOST may, asks the loopback. 0 and the answer in *out, whatever its status; or
 * -EADDRNOTAVAIL (no such host), -ETIMEDOUT (no whole answer within `timeout_ms`), -ECONNRESET (it was cut
 * off), -EPROTO (it is no HTTP), -EMSGSIZE (far too long), -ENOMEM, -EINVAL (for the path), or another -errno
 * of the connection, -ECONNREFUSED above all. */
int admin_client_get(const char *host, uint16_t port, const char *path, uint32_t timeout_ms,
                     admin_answer *out);

/* Ask /readyz, and report the answer in one line. Returns the exit code of the health check: 0 when the
 * server is ready, else 1. */
int admin_healthcheck(const char *host, uint16_t port, FILE *reports);

#endif
