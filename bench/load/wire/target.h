/* The address of the server under load: a ws:// or wss:// URL (RFC 6455, 3) and what it resolves to. */
#ifndef HOMECALL_BENCH_TARGET_H
#define HOMECALL_BENCH_TARGET_H

#include <stdbool.h>
#include <sys/socket.h>

typedef struct target {
    bool is_tls;
    char host[256];      /* for TLS; an IPv6 address without its brackets */
    char authority[280]; /* for the Host header */
    char path[1024];     /* the request target, with its query */
    struct sockaddr_storage address;
    socklen_t address_len;
} target;

/* Read a URL and resolve its host. 0; -EINVAL or -ENOENT, and *why is a literal that says what is wrong. */
int target_parse(const char *url, target *out, const char **why);

/* Does the target lie in 127.0.0.0/8, where a client may choose among 16 million addresses of its own? */
bool target_is_loopback_v4(const target *t);

#endif
