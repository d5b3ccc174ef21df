#include "admin/admin_client.h"

#include "base/address.h"
#include "base/clock.h"
#include "base/memory_text.h"
#include "base/resolve.h"

#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* Far more than a server with a thousand threads has to say. */
enum { MAX_ANSWER_BYTES = 4 << 20 };

/* An answer takes milliseconds, and whoever checks the health should not have to wait long. */
enum { HEALTHCHECK_TIMEOUT_MS = 5000 };

/* ---- The connection ---- */

/* Wait until the socket is ready. 0, -ETIMEDOUT, or -errno of poll(). */
static int wait_for(int fd, short events, uint64_t deadline_ms)
{
    struct pollfd ready = {.fd = fd, .events = events};
    for (;;) {
        uint64_t now_ms = clock_monotonic_ms();
        if (now_ms >= deadline_ms)
            return -ETIMEDOUT;
        int found = poll(&ready, 1, (int)(deadline_ms - now_ms));
        if (found > 0)
            return 0;
        if (found < 0 && errno != EINTR)
            return -errno;
    }
}

/* A connected, non-blocking socket, or -errno. */
static int connect_to(const struct addrinfo *to, uint64_t deadline_ms)
{
    int fd = socket(to->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -errno;
    int error = connect(fd, to->ai_addr, to->ai_addrlen) == 0 ? 0 : -errno;
    if (error == -EINPROGRESS) {
        error = wait_for(fd, POLLOUT, deadline_ms);
        int outcome = 0;
        socklen_t len = sizeof(outcome);
        if (error == 0)
            error = getsockopt(fd, SOL_SOCKET, SO_ERROR, &outcome, &len) == 0 ? -outcome : -errno;
    }
    if (error == 0)
        return fd;
    close(fd);
    return error;
}

/* It is so short that a new connection takes it at once. 0 or -errno. */
static int send_request(int fd, const char *path)
{
    char request[512];
    int len = snprintf(request, sizeof(request), "GET %s HTTP/1.0\r\n\r\n", path);
    if (len >= (int)sizeof(request))
        return -EINVAL;
    ssize_t sent = send(fd, request, (size_t)len, MSG_NOSIGNAL);
    if (sent < 0)
        return -errno;
    return sent == len ? 0 : -ECONNRESET;
}

/* Write everything that comes, up to the end of the connection, to `to`. 0 or -errno. */
static int receive(int fd, uint64_t deadline_ms, FILE *to)
{
    char chunk[16 * 1024];
    for (size_t total = 0; total <= MAX_ANSWER_BYTES;) {
        int error = wait_for(fd, POLLIN, deadline_ms);
        if (error != 0)
            return error;
        ssize_t got = recv(fd, chunk, sizeof(chunk), 0);
        if (got == 0)
            return 0;
        if (got < 0 && errno != EAGAIN && errno != EINTR)
            return -errno;
        if (got > 0 && fwrite(chunk, 1, (size_t)got, to) != (size_t)got)
            return -ENOMEM;
        if (got > 0)
            total += (size_t)got;
    }
    return -EMSGSIZE;
}

/* Send a request and take all that comes. *text is owned by the caller and followed by a NUL. 0 or -errno. */
static int exchange(int fd, const char *path, uint64_t deadline_ms, char **text, size_t *len)
{
    *text = NULL;
    FILE *to = open_memstream(text, len);
    if (to == NULL)
        return -ENOMEM;
    int error = send_request(fd, path);
    if (error == 0)
        error = receive(fd, deadline_ms, to);
    if (!memory_text_close(to, text) && error == 0)
        error = -ENOMEM;
    if (error != 0)
        free(*text);
    return error;
}

/* ---- The answer ---- */

/* Make an answer of what came. The body is moved to the start of `text`, and *out owns that then. On -errno
 * the caller still owns it. */
static int parse(char *text, size_t len, admin_answer *out)
{
    if (len == 0)
        return -ECONNRESET;
    int status;
    if (sscanf(text, "HTTP/1.%*1[01] %3d", &status) != 1 || status < 100)
        return -EPROTO;
    char *end = strstr(text, "\r\n\r\n");
    if (end == NULL)
        return -ECONNRESET;
    *end = '\0'; /* headers are looked for before it only */
    const char *body = end + strlen("\r\n\r\n");
    size_t body_len = len - (size_t)(body - text);
    const char *length = strcasestr(text, "\r\nContent-Length:");
    if (length != NULL && strtoull(length + strlen("\r\nContent-Length:"), NULL, 10) != body_len)
        return -ECONNRESET;

    memmove(text, body, body_len + 1);
    *out = (admin_answer){.status = status, .body = text, .len = body_len};
    return 0;
}

/* ---- Asking ---- */

static int ask(const struct addrinfo *to, const char *path, uint64_t deadline_ms, admin_answer *out)
{
    int fd = connect_to(to, deadline_ms);
    if (fd < 0)
        return fd;
    char *text;
    size_t len;
    int error = exchange(fd, path, deadline_ms, &text, &len);
    close(fd);
    if (error != 0)
        return error;
    error = parse(text, len, out);
    if (error != 0)
        free(text);
    return error;
}

static size_t count(const struct addrinfo *list)
{
    size_t found = 0;
    for (; list != NULL; list = list->ai_next)
        found++;
    return found;
}

/* How much an error tells of a server: that this machine has no such network, nothing; that nobody is there,
 * little. */
static int weight_of(int error)
{
    switch (error) {
    case -EADDRNOTAVAIL:
    case -EAFNOSUPPORT:
    case -ENETUNREACH:
        return 0;
    case -ECONNREFUSED:
        return 1;
    default:
        return 2;
    }
}

/* One after the other, each with its share of the time that is left: one that is silent must not use up that
 * of the next. 0, or the error that tells most. */
static int ask_each(const struct addrinfo *list, const char *path, uint64_t deadline_ms, admin_answer *out)
{
    int error = -EADDRNOTAVAIL;
    for (size_t left = count(list); left > 0; left--, list = list->ai_next) {
        uint64_t now_ms = clock_monotonic_ms();
        uint64_t share_ms = now_ms < deadline_ms ? (deadline_ms - now_ms) / left : 0;
        int outcome = ask(list, path, now_ms + share_ms, out);
        if (outcome == 0)
            return 0;
        if (weight_of(outcome) > weight_of(error))
            error = outcome;
    }
    return error;
}

/* Where an address means all of the machine's, the loopback is one of them. */
static const char *reachable(const char *host)
{
    address found;
    if (!address_parse_ip(slice_of_text(host), &found))
        return host;
    static const uint8_t any[sizeof(found.bytes)];
    if (memcmp(found.bytes, any, sizeof(any)) != 0)
        return host;
    return found.family == ADDRESS_IPV4 ? "127.0.0.1" : "::1";
}

int admin_client_get(const char *host, uint16_t port, const char *path, uint32_t timeout_ms,
                     admin_answer *out)
{
    uint64_t deadline_ms = clock_monotonic_ms() + timeout_ms;
    char service[8];
    snprintf(service, sizeof(service), "%u", port);
    struct addrinfo *addresses;
    int error = resolve_host(reachable(host), service, AI_NUMERICSERV, &addresses);
    if (error != 0)
        return error;
    error = ask_each(addresses, path, deadline_ms, out);
    freeaddrinfo(addresses);
    return error;
}

/* ---- The health check ---- */

/* Print a line of an answer. Whoever gives it need not be our server: what is not printable ASCII becomes
 * '?', so that a terminal obeys nothing in it. */
static void print_line(FILE *to, const char *line)
{
    for (; *line != '\0'; line++)
        fputc(*line >= ' ' && *line <= '~' ? *line : '?', to);
}

int admin_healthcheck(const char *host, uint16_t port, FILE *reports)
{
    admin_answer answer;
    int error = admin_client_get(host, port, "/readyz", HEALTHCHECK_TIMEOUT_MS, &answer);
    if (error != 0) {
        fprintf(reports, "homecall-signal: no answer from %s, port %u: %s\n", host, port, strerror(-error));
        return EXIT_FAILURE;
    }
    bool is_ready = answer.status == 200;
    fprintf(reports, "homecall-signal: %s", is_ready ? "ready" : "not ready");
    const char *separator = ": ";
    char *rest = answer.body;
    for (char *line; !is_ready && (line = strsep(&rest, "\n")) != NULL && *line != '\0'; separator = "; ") {
        fputs(separator, reports);
        print_line(reports, line);
    }
    fputc('\n', reports);
    free(answer.body);
    return is_ready ? EXIT_SUCCESS : EXIT_FAILURE;
}
