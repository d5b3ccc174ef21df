#include "wire/target.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* A host and a port, for getaddrinfo(). */
typedef struct place {
    char host[256];
    char port[8];
} place;

static int copy(char *to, size_t cap, const char *from, size_t len)
{
    if (len == 0 || len >= cap)
        return -EINVAL;
    memcpy(to, from, len);
    to[len] = '\0';
    return 0;
}

/* Split an authority, which is host, host:port, [v6] or [v6]:port. 0 or -EINVAL. */
static int split_authority(const char *text, size_t len, const char *default_port, place *out)
{
    const char *end = text + len;
    const char *host = text;
    const char *host_end;
    const char *rest;
    if (text < end && *text == '[') {
        host = text + 1;
        host_end = memchr(host, ']', (size_t)(end - host));
        if (host_end == NULL)
            return -EINVAL;
        rest = host_end + 1;
    } else {
        rest = memchr(text, ':', len);
        if (rest == NULL)
            rest = end;
        host_end = rest;
    }
    if (copy(out->host, sizeof(out->host), host, (size_t)(host_end - host)) != 0)
        return -EINVAL;
    if (rest == end)
        return copy(out->port, sizeof(out->port), default_port, strlen(default_port));
    return *rest == ':' ? copy(out->port, sizeof(out->port), rest + 1, (size_t)(end - rest) - 1) : -EINVAL;
}

/* getaddrinfo() accepts larger numbers, and takes them modulo 65536. */
static bool is_port(const char *text)
{
    size_t digits = strspn(text, "0123456789");
    long port = strtol(text, NULL, 10);
    return text[digits] == '\0' && port > 0 && port <= UINT16_MAX;
}

/* ---- The address ---- */

/* How long an address has to answer where there are others. */
enum { PATIENCE_MS = 2000 };

static bool is_connected(int fd)
{
    int error = 0;
    socklen_t len = sizeof(error);
    struct pollfd writable = {.fd = fd, .events = POLLOUT};
    return poll(&writable, 1, PATIENCE_MS) == 1 && getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len) == 0 &&
           error == 0;
}

/* Does somebody listen there? */
static bool answers(const struct addrinfo *at)
{
    int fd = socket(at->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return false;
    bool does = connect(fd, at->ai_addr, at->ai_addrlen) == 0 || (errno == EINPROGRESS && is_connected(fd));
    close(fd);
    return does;
}

void target_choose_address(target *t, const struct addrinfo *found)
{
    const struct addrinfo *chosen = found;
    if (found->ai_next != NULL) {
        while (chosen != NULL && !answers(chosen))
            chosen = chosen->ai_next;
        if (chosen == NULL)
            chosen = found;
    }
    memcpy(&t->address, chosen->ai_addr, chosen->ai_addrlen);
    t->address_len = chosen->ai_addrlen;
}

static int resolve(const place *where, target *out)
{
    const struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICSERV};
    struct addrinfo *found;
    if (getaddrinfo(where->host, where->port, &hints, &found) != 0)
        return -ENOENT;
    target_choose_address(out, found);
    freeaddrinfo(found);
    return 0;
}

/* ---- The URL ---- */

int target_parse(const char *url, target *out, const char **why)
{
    *out = (target){0};
    *why = "a URL looks like ws://host:port/path or wss://host:port/path";
    if (strncmp(url, "wss://", 6) == 0)
        out->is_tls = true;
    else if (strncmp(url, "ws://", 5) != 0)
        return -EINVAL;

    const char *authority = url + (out->is_tls ? 6 : 5);
    size_t authority_len = strcspn(authority, "/?#");
    const char *path = authority + authority_len;
    place where;
    if (split_authority(authority, authority_len, out->is_tls ? "443" : "80", &where) != 0 ||
        !is_port(where.port) || copy(out->authority, sizeof(out->authority), authority, authority_len) != 0)
        return -EINVAL;
    /* RFC 6455, 3: no fragment; an empty path is "/". */
    int len = snprintf(out->path, sizeof(out->path), "%s%s", *path == '/' ? "" : "/", path);
    if (len < 0 || (size_t)len >= sizeof(out->path) || strchr(path, '#') != NULL)
        return -EINVAL;

    memcpy(out->host, where.host, sizeof(out->host));
    if (resolve(&where, out) != 0) {
        *why = "the host or port is not known";
        return -ENOENT;
    }
    return 0;
}

bool target_is_loopback_v4(const target *t)
{
    const struct sockaddr_in *v4 = (const struct sockaddr_in *)&t->address;
    return t->address.ss_family == AF_INET && ntohl(v4->sin_addr.s_addr) >> 24 == 127;
}
