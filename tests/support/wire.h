/* The peer's end of a connection, for a test that runs the loop itself. Everything happens in one thread, in
 * the order of the test, so no function here waits.
 *
 * If something that is expected has not come, the running test fails. For whole servers use client.h. */
#ifndef HOMECALL_TESTS_SUPPORT_WIRE_H
#define HOMECALL_TESTS_SUPPORT_WIRE_H

#include "base/bytes.h"
#include "net/loop.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* RFC 6455, 5.2: the first byte of a final frame. */
enum {
    WIRE_TEXT = 0x81,
    WIRE_BINARY = 0x82,
    WIRE_CLOSE = 0x88,
    WIRE_PING = 0x89,
    WIRE_PONG = 0x8A,
};

/* The most bytes of a client's frame in front of its payload. */
enum { WIRE_MAX_HEADER = 14 };

/* A good request, and the accept that belongs to its key, both from RFC 6455, 1.3. */
static const char wire_request[] = "GET /signal HTTP/1.1\r\nHost: test\r\nUpgrade: websocket\r\n"
                                   "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
                                   "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
static const char wire_accept[] = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";

typedef struct wire_peer {
    int fd;         /* owned; -1 when closed */
    bytes *in;      /* owned: bytes that have come and were not expected yet; or NULL */
    bool has_ended; /* the end of the other side was read */
} wire_peer;

/* Make a pair of non-blocking sockets: the peer owns one, the other is returned, and the caller owns it.
 * `type` is SOCK_STREAM, or SOCK_SEQPACKET to keep the boundaries of writes. */
static inline int wire_open(wire_peer *peer, int type)
{
    int fds[2];
    assert_int_equal(socketpair(AF_UNIX, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds), 0);
    *peer = (wire_peer){.fd = fds[0]};
    return fds[1];
}

/* Close the peer's socket. Twice is legal. */
static inline void wire_close(wire_peer *peer)
{
    if (peer->fd >= 0)
        close(peer->fd);
    peer->fd = -1;
    bytes_clear(&peer->in);
}

/* One turn of the loop, without waiting for events. */
static inline void wire_turn(net_loop *loop)
{
    assert_true(net_loop_pass(loop, false) == 0);
    net_loop_end_turn(loop);
}

/* ---- Sending ---- */

/* Write a masked frame to `out`, which has WIRE_MAX_HEADER + len bytes. Returns its length. `first` is its
 * first byte, for example WIRE_TEXT. */
static inline size_t wire_frame(uint8_t *out, uint8_t first, const void *payload, size_t len)
{
    static const uint8_t mask[4] = {0x37, 0xFA, 0x21, 0x3D};
    size_t at = 0;
    out[at++] = first;
    size_t length_len = len < 126 ? 0 : len <= UINT16_MAX ? 2 : 8;
    out[at++] = (uint8_t)(0x80 | (length_len == 0 ? len : length_len == 2 ? 126 : 127));
    for (size_t i = length_len; i > 0; i--)
        out[at++] = (uint8_t)((uint64_t)len >> 8 * (i - 1));
    memcpy(out + at, mask, sizeof(mask));
    at += sizeof(mask);
    for (size_t i = 0; i < len; i++)
        out[at + i] = ((const uint8_t *)payload)[i] ^ mask[i % 4];
    return at + len;
}

/* Send bytes, which the socket must take at once. */
static inline void wire_send(wire_peer *peer, const void *data, size_t len)
{
    assert_int_equal(send(peer->fd, data, len, MSG_NOSIGNAL), len);
}

static inline void wire_send_frame(wire_peer *peer, uint8_t first, const void *payload, size_t len)
{
    bytes *frame = NULL;
    uint8_t *out = bytes_extend(&frame, WIRE_MAX_HEADER + len);
    assert_non_null(out);
    wire_send(peer, out, wire_frame(out, first, payload, len));
    bytes_clear(&frame);
}

static inline void wire_send_text(wire_peer *peer, const char *text)
{
    wire_send_frame(peer, WIRE_TEXT, text, strlen(text));
}

/* Append a masked frame to *out, which wire_send_gathered() will send in one piece. */
static inline void wire_add_frame(bytes **out, uint8_t first, const void *payload, size_t len)
{
    bytes *frame = NULL;
    uint8_t *start = bytes_extend(&frame, WIRE_MAX_HEADER + len);
    assert_non_null(start);
    assert_int_equal(bytes_append(out, start, wire_frame(start, first, payload, len)), 0);
    bytes_clear(&frame);
}

static inline void wire_add_text(bytes **out, const char *text)
{
    wire_add_frame(out, WIRE_TEXT, text, strlen(text));
}

/* Send what was appended to *out, and free it. */
static inline void wire_send_gathered(wire_peer *peer, bytes **out)
{
    wire_send(peer, bytes_head(*out), bytes_len(*out));
    bytes_clear(out);
}

/* ---- Receiving ---- */

/* Read once. Returns how many bytes were read; 0 at the end; or -errno. */
static inline ssize_t wire_read_once(wire_peer *peer)
{
    uint8_t buffer[128 * 1024];
    ssize_t got = recv(peer->fd, buffer, sizeof(buffer), 0);
    if (got < 0)
        return -errno;
    if (got == 0)
        peer->has_ended = true;
    assert_int_equal(bytes_append(&peer->in, buffer, (size_t)got), 0);
    return got;
}

/* Read everything that is there. */
static inline void wire_read(wire_peer *peer)
{
    ssize_t got = 1;
    while (got > 0 && !peer->has_ended)
        got = wire_read_once(peer);
    assert_true(peer->has_ended || got == -EAGAIN);
}

static inline void wire_expect_nothing(wire_peer *peer)
{
    wire_read(peer);
    assert_int_equal(bytes_len(peer->in), 0);
    assert_false(peer->has_ended);
}

/* Nothing may have come but the end. */
static inline void wire_expect_end(wire_peer *peer)
{
    wire_read(peer);
    assert_int_equal(bytes_len(peer->in), 0);
    assert_true(peer->has_ended);
}

/* The next frame must have this first byte and this payload, no mask, and the shortest form of its length. */
static inline void wire_expect_frame(wire_peer *peer, uint8_t first, const void *payload, size_t len)
{
    wire_read(peer);
    size_t length_len = len < 126 ? 0 : len <= UINT16_MAX ? 2 : 8;
    size_t header_len = 2 + length_len;
    assert_true(bytes_len(peer->in) >= header_len + len);
    const uint8_t *in = bytes_head(peer->in);
    assert_int_equal(in[0], first);
    assert_int_equal(in[1], length_len == 0 ? len : length_len == 2 ? 126u : 127u);
    for (size_t i = 0; i < length_len; i++)
        assert_int_equal(in[2 + i], (uint8_t)((uint64_t)len >> 8 * (length_len - 1 - i)));
    if (len > 0)
        assert_memory_equal(in + header_len, payload, len);
    bytes_consume(&peer->in, header_len + len);
}

static inline void wire_expect_text(wire_peer *peer, const char *text)
{
    wire_expect_frame(peer, WIRE_TEXT, text, strlen(text));
}

/* The next frame must be a close frame with this code; 1005 = without a code. */
static inline void wire_expect_close(wire_peer *peer, uint16_t code)
{
    wire_read(peer);
    assert_true(bytes_len(peer->in) >= 2);
    const uint8_t *in = bytes_head(peer->in);
    assert_int_equal(in[0], WIRE_CLOSE);
    size_t len = in[1];
    assert_true(len <= 125 && len != 1 && bytes_len(peer->in) >= 2 + len);
    assert_int_equal(len == 0 ? 1005 : in[2] << 8 | in[3], code);
    bytes_consume(&peer->in, 2 + len);
}

/* What has come must start with an HTTP answer of this status. Returns the length of its head. */
static inline size_t wire_expect_answer(wire_peer *peer, const char *status)
{
    wire_read(peer);
    size_t len = bytes_len(peer->in);
    assert_true(len > 0);
    char *in = (char *)bytes_head(peer->in);
    char start[32] = "HTTP/1.1 ";
    strncat(start, status, sizeof(start) - sizeof("HTTP/1.1 "));
    assert_memory_equal(in, start, strlen(start));
    const char *end = memmem(in, len, "\r\n\r\n", 4);
    assert_non_null(end);
    return (size_t)(end + 4 - in);
}

/* What has come must start with the 101 for wire_request. */
static inline void wire_expect_upgraded(wire_peer *peer)
{
    size_t len = wire_expect_answer(peer, "101");
    assert_non_null(memmem(bytes_head(peer->in), len, wire_accept, strlen(wire_accept)));
    bytes_consume(&peer->in, len);
}

/* An HTTP fault of this status must have come, and then the end. */
static inline void wire_expect_fault(wire_peer *peer, const char *status)
{
    (void)wire_expect_answer(peer, status);
    bytes_clear(&peer->in);
    wire_expect_end(peer);
}

#endif
