/* The server under load: a ws:// or wss:// URL (RFC 6455, 3), and the address that its host resolves to. */
#ifndef HOMECALL_BENCH_TARGET_H
#define HOMECALL_BENCH_TARGET_H

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

/* Parse a URL and resolve its host. 0; or -EINVAL or -ENOENT, and *why says what is wrong: a literal. */
int target_parse(const char *url, target *out, const char **why);

/* Is the target in 127.0.0.0/8? There a client can connect from any of 16 million addresses. */
bool target_is_loopback_v4(const target *t);

#endif
