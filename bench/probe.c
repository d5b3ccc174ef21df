#include "probe.h"

#include "websocket/frame.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { MAX_SENT = 64 * 1024 };

void probe_fail(const char *what)
{
    fprintf(stderr, "probe: %s: %s\n", what, errno != 0 ? strerror(errno) : "unexpected answer");
    exit(EXIT_FAILURE);
}

unsigned long probe_number(const char *text, const char *usage)
{
    char *end = NULL;
    unsigned long value = text == NULL ? 0 : strtoul(text, &end, 10);
    if (text == NULL || end == text || *end != '\0') {
        fprintf(stderr, "usage: %s\n", usage);
        exit(2);
    }
    return value;
}

static void write_all(int fd, const void *data, size_t len)
{
    if (send(fd, data, len, MSG_NOSIGNAL) != (ssize_t)len)
        probe_fail("send");
}

static void upgrade(int fd)
{
    static const char request[] = "GET /signal HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\n"
                                  "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
                                  "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
    write_all(fd, request, sizeof(request) - 1);
    char answer[1024];
    size_t len = 0;
    while (len < 4 || memcmp(answer + len - 4, "\r\n\r\n", 4) != 0) {
        ssize_t got = recv(fd, answer + len, 1, 0);
        if (got != 1 || ++len == sizeof(answer))
            probe_fail("upgrade");
    }
    errno = 0;
    if (memcmp(answer, "HTTP/1.1 101", 12) != 0)
        probe_fail("upgrade");
}

int probe_connect(uint16_t port)
{
    struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int on = 1;
    if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof(address)) != 0)
        probe_fail("connect");
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    upgrade(fd);
    return fd;
}

/* A client's frame is the server's header with the mask bit and a mask; one of zeros leaves the payload as it
 * is. */
static void send_frame(int fd, ws_opcode opcode, const char *data, size_t len)
{
    uint8_t frame[WS_MAX_CLIENT_HEADER + MAX_SENT];
    if (len > MAX_SENT)
        probe_fail("message too long");
    size_t header_len = ws_frame_header(frame, opcode, len);
    frame[1] |= 0x80;
    memset(frame + header_len, 0, 4);
    memcpy(frame + header_len + 4, data, len);
    write_all(fd, frame, header_len + 4 + len);
}

void probe_send(int fd, const char *text, size_t len)
{
    send_frame(fd, WS_OPCODE_TEXT, text, len);
}

void probe_join(int fd, const char *room, const char *user)
{
    char json[256];
    int len = snprintf(json, sizeof(json), "{\"type\":\"join\",\"room\":\"%s\",\"user\":\"%s\"}", room, user);
    probe_send(fd, json, (size_t)len);
}

static void read_all(int fd, char *data, size_t len)
{
    for (size_t have = 0; have < len;) {
        ssize_t got = recv(fd, data + have, len - have, 0);
        if (got <= 0)
            probe_fail("receive");
        have += (size_t)got;
    }
}

/* How long a frame is, by its first bytes; 0 while they do not tell. */
static size_t frame_len(const uint8_t *frame, size_t have)
{
    if (have < 2)
        return 0;
    if (frame[1] < 126)
        return 2u + frame[1];
    return have < 4 ? 0 : 4u + (size_t)frame[2] * 256 + frame[3];
}

size_t probe_receive(int fd, char *frame, size_t cap)
{
    /* One read gets a whole frame as a rule: the probes wait for one at a time. */
    ssize_t got = recv(fd, frame, cap, 0);
    if (got <= 0)
        probe_fail("receive");
    size_t have = (size_t)got;
    size_t len;
    while ((len = frame_len((const uint8_t *)frame, have)) == 0) {
        read_all(fd, frame + have, 1);
        have++;
    }
    if (len > cap || have > len)
        probe_fail("frame");
    read_all(fd, frame + have, len - have);
    return len;
}

void probe_sync(int fd)
{
    char frame[256];
    send_frame(fd, WS_OPCODE_PING, "", 0);
    probe_receive(fd, frame, sizeof(frame));
    errno = 0;
    if ((frame[0] & 0x0F) != WS_OPCODE_PONG)
        probe_fail("ping");
}
