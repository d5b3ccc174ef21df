/* The server under load: a ws:// or wss:// URL (RFC 6455, 3), and the address that its host resolves to. */
#ifndef HOMECALL_BENCH_TARGET_H
#define HOMECALL_BENCH_TARGET_H

#include <netdb.h>
#include <stdbool.h>
#include <sys/socket.h>

typedef struct target {
    bool is_tls;
    char host[256];      /* for TLS: the host alone; an IPv6 address without its brackets */
    char authority[280]; /* for the Host header */
    char path[1024];     /* the request target, with its query */
    struct sockaddr_storage address;
    socklen_t address_len;
} target;

/* Read a URL and resolve its host. 0; -EINVAL or -ENOENT, and *why is a literal that says what is wrong. A
 * name with several addresses, as localhost has, costs a connection to find the one that answers. */
int target_parse(const char *url, target *out, const char **why);

/* Take one of a host's addresses, of which there is one at least: the first that accepts a connection, or
 * else the first. Where there is only one it is not asked. */
void target_choose_address(target *t, const struct addrinfo *found);

/* Does the target lie in 127.0.0.0/8, where a client may choose among 16 million addresses of its own? */
bool target_is_loopback_v4(const target *t);

#endif
