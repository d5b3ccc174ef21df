/* The other end of the admin port (admin.h): asks it for one page, and waits for the answer.
 *
 * Any thread, and it blocks that: meant for programs that look at a server from outside. Plain sockets and
 * HTTP/1.0, whose answer ends with the connection: so all times have one bound, and what fails is told as the
 * kernel tells it. */
#ifndef HOMECALL_ADMIN_ADMIN_CLIENT_H
#define HOMECALL_ADMIN_ADMIN_CLIENT_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

typedef struct admin_answer {
    int status; /* of HTTP */
    char *body; /* owned by the caller, who frees it; a NUL stands behind it */
    size_t len; /* without the NUL */
} admin_answer;

/* GET http://host:port/path. `host` is an address or a name (the timeout does not bound its resolution); an
 * address that means all of the machine's, as ADMIN_HOST may, asks the loopback. 0 and the answer in *out,
 * whatever its status; or -EADDRNOTAVAIL (no such host), -ETIMEDOUT (no whole answer within `timeout_ms`),
 * -ECONNRESET (it was cut off), -EPROTO (it is no HTTP), -EMSGSIZE (far too long), -ENOMEM, -EINVAL (for the
 * path), or another -errno of the connection, -ECONNREFUSED above all. */
int admin_client_get(const char *host, uint16_t port, const char *path, uint32_t timeout_ms,
                     admin_answer *out);

/* Ask /readyz and report in one line. The exit code of a health check: 0 when the server is ready, else 1. */
int admin_healthcheck(const char *host, uint16_t port, FILE *reports);

#endif
