#include "wire/ws_client.h"

#include <assert.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

/* The size of the buffer for a read, with the unread bytes of earlier reads in front of what is read. */
enum { SCRATCH_BYTES = 256 * 1024 };

/* A longer message of the server is a fault. */
enum { MAX_MESSAGE_BYTES = 16 * 1024 * 1024 };

int ws_client_loop_init(ws_client_loop *loop)
{
    STAILQ_INIT(&loop->unwritten);
    loop->now_ns = ws_client_clock_ns();
    loop->scratch = malloc(SCRATCH_BYTES);
    return loop->scratch == NULL ? -ENOMEM : 0;
}

void ws_client_loop_deinit(ws_client_loop *loop)
{
    free(loop->scratch);
    loop->scratch = NULL;
}

uint64_t ws_client_clock_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

/* xorshift64*, which can be predicted. Masks must not be predictable for a script in a browser (RFC
 * 6455, 10.3), but here is no browser. */
uint64_t ws_client_random(ws_client_loop *loop)
{
    uint64_t x = loop->random;
    x ^= x >> 12;
    x ^= x << 25;
    x ^= x >> 27;
    loop->random = x;
    return x * UINT64_C(2685821657736338717);
}

void ws_client_init(ws_client *c, ws_client_loop *loop, const ws_client_events *events)
{
    *c = (ws_client){.loop = loop, .events = events, .fd = -1};
}

/* ---- The end ---- */

static void want_writable(ws_client *c, bool wants);

/* Close the descriptor and free everything. Afterwards the client has ended. */
static void release(ws_client *c)
{
    if (c->state == WS_CLIENT_OPEN || c->state == WS_CLIENT_CLOSING)
        c->loop->open--;
    c->loop->alive--;
    c->state = WS_CLIENT_ENDED;
    event_del(&c->input);
    want_writable(c, false);
    tls_close(c->tls);
    c->tls = NULL;
    close(c->fd);
    c->fd = -1;
    bytes_clear(&c->unread);
    bytes_clear(&c->message);
    bytes_clear(&c->output);
    if (c->is_unwritten)
        STAILQ_REMOVE(&c->loop->unwritten, c, ws_client, link);
    c->is_unwritten = false;
}

/* End the connection, and call on_end. */
static void end(ws_client *c, const char *why)
{
    bool was_open = c->state == WS_CLIENT_OPEN || c->state == WS_CLIENT_CLOSING;
    release(c);
    c->events->on_end(c, was_open ? c->code : 0, why);
}

void ws_client_drop(ws_client *c)
{
    if (c->state == WS_CLIENT_ENDED)
        return;
    const struct linger at_once = {.l_onoff = 1, .l_linger = 0};
    (void)setsockopt(c->fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once)); /* else TCP ends in order */
    release(c);
}

/* ---- Output ---- */

static ssize_t write_some(ws_client *c, const uint8_t *data, size_t len)
{
    if (c->tls != NULL)
        return tls_write(c->tls, data, len);
    ssize_t taken;
    do
        taken = send(c->fd, data, len, MSG_NOSIGNAL);
    while (taken < 0 && errno == EINTR);
    return taken < 0 ? -errno : taken;
}

void ws_client_flush(ws_client *c)
{
    if (c->is_unwritten) {
        STAILQ_REMOVE(&c->loop->unwritten, c, ws_client, link);
        c->is_unwritten = false;
    }
    while (c->output != NULL) {
        ssize_t taken = write_some(c, bytes_head(c->output), bytes_len(c->output));
        if (taken == -EAGAIN)
            break;
        if (taken < 0) {
            bytes_clear(&c->output); /* the server is gone; the next read finds out why */
            break;
        }
        bytes_consume(&c->output, (size_t)taken);
        c->loop->bytes_out += (uint64_t)taken;
    }
    want_writable(c, c->output != NULL);
}

void ws_client_loop_flush(ws_client_loop *loop)
{
    ws_client *c;
    while ((c = STAILQ_FIRST(&loop->unwritten)) != NULL)
        ws_client_flush(c);
}

/* Make the output longer by `more` bytes, and have it written at the end of the turn. NULL without memory:
 * then the connection has ended. */
static uint8_t *extend_output(ws_client *c, size_t more)
{
    uint8_t *out = bytes_extend(&c->output, more);
    if (out == NULL) {
        end(c, "out of memory");
        return NULL;
    }
    if (!c->is_unwritten && c->writable == NULL) {
        c->is_unwritten = true;
        STAILQ_INSERT_TAIL(&c->loop->unwritten, c, link);
    }
    return out;
}

static bool send_frame(ws_client *c, ws_opcode opcode, const void *payload, size_t len)
{
    uint64_t random = ws_client_random(c->loop);
    uint8_t mask[WS_MASK_LEN];
    memcpy(mask, &random, sizeof(mask));
    uint8_t header[WS_MAX_CLIENT_HEADER];
    size_t header_len = ws_client_frame_header(header, opcode, len, mask);
    uint8_t *out = extend_output(c, header_len + len);
    if (out == NULL)
        return false;
    memcpy(out, header, header_len);
    if (len > 0)
        memcpy(out + header_len, payload, len);
    ws_mask(out + header_len, len, mask);
    return true;
}

bool ws_client_send(ws_client *c, const char *text, size_t len)
{
    return send_frame(c, WS_OPCODE_TEXT, text, len);
}

bool ws_client_ping(ws_client *c)
{
    return send_frame(c, WS_OPCODE_PING, NULL, 0);
}

void ws_client_close(ws_client *c, uint16_t code)
{
    if (c->state == WS_CLIENT_ENDED || c->state == WS_CLIENT_CLOSING)
        return;
    if (c->state != WS_CLIENT_OPEN) {
        end(c, "closed before it was open");
        return;
    }
    const uint8_t status[2] = {(uint8_t)(code >> 8), (uint8_t)code}; /* RFC 6455, 5.5.1 */
    if (send_frame(c, WS_OPCODE_CLOSE, status, sizeof(status)))
        c->state = WS_CLIENT_CLOSING;
}

/* ---- Input ---- */

/* False when the connection has ended. */
static bool take_data(ws_client *c, const ws_event *event)
{
    if (!event->is_text) {
        end(c, "a binary message came");
        return false;
    }
    slice part = {(const char *)event->data, event->len};
    if (event->is_first && event->is_last) {
        c->events->on_text(c, part);
        return true;
    }
    if (bytes_append(&c->message, part.data, part.len) != 0) {
        end(c, "out of memory");
        return false;
    }
    if (!event->is_last)
        return true;
    bytes *message = c->message;
    c->message = NULL;
    c->events->on_text(c,
                       (slice){message == NULL ? "" : (const char *)bytes_head(message), bytes_len(message)});
    bytes_clear(&message);
    return true;
}

/* Handle one event of the decoder. False when no more input must be handled. */
static bool take_event(ws_client *c, const ws_event *event)
{
    switch (event->type) {
    case WS_EVENT_NONE:
        return false;
    case WS_EVENT_DATA:
        return take_data(c, event);
    case WS_EVENT_PING:
        return c->state != WS_CLIENT_OPEN || send_frame(c, WS_OPCODE_PONG, event->data, event->len);
    case WS_EVENT_PONG:
        if (c->events->on_pong != NULL)
            c->events->on_pong(c);
        return true;
    case WS_EVENT_CLOSE:
        c->code = event->code;
        ws_client_close(c, event->code == WS_CLOSE_NO_STATUS ? WS_CLOSE_NORMAL : event->code);
        return true; /* the server ends TCP first (RFC 6455, 7.1.1) */
    case WS_EVENT_FAULT:
        end(c, event->reason);
        return false;
    }
    return false;
}

/* Handle the frames in [data, data + len). Returns how many bytes were used; that is of no use if the
 * connection has ended. */
static size_t take_frames(ws_client *c, uint8_t *data, size_t len)
{
    uint32_t life = c->lives;
    size_t used = 0;
    while (used < len && c->lives == life && c->state >= WS_CLIENT_OPEN) {
        ws_event event;
        used += ws_decoder_next(&c->decoder, MAX_MESSAGE_BYTES, data + used, len - used, &event);
        if (!take_event(c, &event))
            break;
    }
    return used;
}

/* Handle the answer to the upgrade request, if it is complete. Returns how many bytes were used. */
static size_t take_answer(ws_client *c, const uint8_t *data, size_t len)
{
    const char *why;
    long head_len =
        opening_check(&c->server->opening, c->subprotocol, (slice){(const char *)data, len}, &why);
    if (head_len < 0) {
        unsigned status = opening_status((slice){(const char *)data, len});
        c->refusal = status != 101 ? (uint16_t)status : 0; /* 101 with something wrong is a fault */
        end(c, why);
        return 0;
    }
    if (head_len > 0) {
        c->state = WS_CLIENT_OPEN;
        c->loop->open++;
        if (c->events->on_open != NULL)
            c->events->on_open(c);
    }
    return (size_t)head_len;
}

static void take_input(ws_client *c, uint8_t *data, size_t len)
{
    uint32_t life = c->lives;
    size_t used = 0;
    if (c->state == WS_CLIENT_UPGRADING)
        used = take_answer(c, data, len);
    if (c->lives == life && c->state >= WS_CLIENT_OPEN)
        used += take_frames(c, data + used, len - used);
    bool goes_on = c->lives == life && c->state != WS_CLIENT_ENDED;
    if (goes_on && bytes_append(&c->unread, data + used, len - used) != 0)
        end(c, "out of memory");
}

static ssize_t read_some(ws_client *c, uint8_t *data, size_t len)
{
    if (c->tls != NULL)
        return tls_read(c->tls, data, len);
    ssize_t got;
    do
        got = recv(c->fd, data, len, 0);
    while (got < 0 && errno == EINTR);
    return got < 0 ? -errno : got;
}

/* Read once, and handle what came. False when there was nothing, or the connection has ended. */
static bool read_once(ws_client *c)
{
    uint8_t *buffer = c->loop->scratch;
    size_t before = bytes_len(c->unread);
    ssize_t got = read_some(c, buffer + before, SCRATCH_BYTES - before);
    if (got == -EAGAIN)
        return false;
    if (got <= 0) {
        end(c, got == 0 ? "the server ended TCP" : c->tls != NULL ? tls_error() : strerror((int)-got));
        return false;
    }
    c->loop->now_ns = ws_client_clock_ns();
    if (before > 0) {
        memcpy(buffer, bytes_head(c->unread), before);
        bytes_clear(&c->unread);
    }
    uint32_t life = c->lives;
    c->loop->bytes_in += (uint64_t)got;
    take_input(c, buffer, before + (size_t)got);
    return c->lives == life && c->state != WS_CLIENT_ENDED;
}

/* ---- The steps before it is open ---- */

/* Send the upgrade request. */
static void begin_upgrade(ws_client *c)
{
    c->state = WS_CLIENT_UPGRADING;
    char wanted[WS_CLIENT_MAX_TARGET];
    const char *path = c->server->at.path;
    if (c->events->write_request_target != NULL) {
        c->events->write_request_target(c, wanted);
        path = wanted;
    }
    char request[OPENING_MAX_REQUEST];
    size_t len = opening_request(&c->server->opening, path, c->subprotocol, request);
    uint8_t *out = extend_output(c, len);
    if (out != NULL)
        memcpy(out, request, len);
}

/* Go on with the TLS handshake. */
static void secure(ws_client *c)
{
    c->state = WS_CLIENT_SECURING;
    int result = tls_handshake(c->tls);
    if (result == 0) {
        want_writable(c, false);
        begin_upgrade(c);
    } else if (result == -EAGAIN) {
        want_writable(c, tls_wants_writable(c->tls));
    } else {
        end(c, tls_error());
    }
}

/* TCP is connected, or has failed. */
static void on_connected(ws_client *c)
{
    int error = 0;
    socklen_t len = sizeof(error);
    if (getsockopt(c->fd, SOL_SOCKET, SO_ERROR, &error, &len) != 0)
        error = errno;
    want_writable(c, false);
    if (error != 0) {
        end(c, strerror(error));
        return;
    }
    if (c->server->tls == NULL) {
        begin_upgrade(c);
        return;
    }
    c->tls = tls_open(c->server->tls, c->fd);
    if (c->tls == NULL)
        end(c, "out of memory");
    else
        secure(c);
}

/* ---- The callbacks of libevent ---- */

static void on_writable(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    ws_client *c = arg;
    if (c->state == WS_CLIENT_CONNECTING)
        on_connected(c);
    else if (c->state == WS_CLIENT_SECURING)
        secure(c);
    else
        ws_client_flush(c);
}

static void on_input(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    ws_client *c = arg;
    if (c->state == WS_CLIENT_CONNECTING) /* a socket whose connection was refused is readable as well */
        on_connected(c);
    else if (c->state == WS_CLIENT_SECURING)
        secure(c);
    else
        while (read_once(c) && c->tls != NULL && tls_has_unread(c->tls))
            ; /* the socket does not become readable for what TLS has read already */
}

/* Start or stop to watch whether the socket is writable. Without memory it is not watched. */
static void want_writable(ws_client *c, bool wants)
{
    if (wants == (c->writable != NULL))
        return;
    if (!wants) {
        event_free(c->writable);
        c->writable = NULL;
        return;
    }
    c->writable = event_new(c->loop->base, c->fd, EV_WRITE | EV_PERSIST, on_writable, c);
    if (c->writable != NULL && event_add(c->writable, NULL) != 0) {
        event_free(c->writable);
        c->writable = NULL;
    }
}

/* ---- Connecting ---- */

/* Bind the socket to the next of the source addresses. The port is chosen later, by connect(), which knows
 * both ends. So each source address has about 28,000 ports. */
static int bind_source(ws_client_loop *loop, const target *server, int fd)
{
    if (loop->sources == 0 || !target_is_loopback_v4(server))
        return 0;
    int on = 1;
    uint32_t address = INADDR_LOOPBACK + loop->next_source++ % loop->sources;
    struct sockaddr_in source = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(address)};
    if (setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof(on)) != 0)
        return -errno;
    return bind(fd, (const struct sockaddr *)&source, sizeof(source)) == 0 ? 0 : -errno;
}

/* Make a socket that is connecting. Returns the descriptor, or -errno. */
static int open_socket(ws_client *c)
{
    const target *server = &c->server->at;
    int fd = socket(server->address.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -errno;
    int on = 1;
    int error = setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)) == 0 ? 0 : -errno;
    if (error == 0)
        error = bind_source(c->loop, server, fd);
    if (error == 0 && connect(fd, (const struct sockaddr *)&server->address, server->address_len) != 0 &&
        errno != EINPROGRESS)
        error = -errno;
    if (error != 0) {
        close(fd);
        return error;
    }
    return fd;
}

int ws_client_connect(ws_client *c)
{
    assert(c->state == WS_CLIENT_ENDED && c->fd == -1);
    int fd = open_socket(c);
    if (fd < 0)
        return fd;
    c->fd = fd;
    c->loop->alive++;
    c->lives++;
    c->state = WS_CLIENT_CONNECTING;
    c->code = WS_CLOSE_ABNORMAL;
    c->refusal = 0;
    c->decoder = (ws_decoder){.is_client = true};
    event_assign(&c->input, c->loop->base, fd, EV_READ | EV_PERSIST, on_input, c);
    want_writable(c, true);
    if (c->writable == NULL || event_add(&c->input, NULL) != 0) {
        release(c);
        return -ENOMEM;
    }
    return 0;
}
