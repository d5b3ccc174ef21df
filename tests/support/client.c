#include "support/client.h"

#include <setjmp.h>
/* cmocka.h wants the others before it. */
#include <cmocka.h>

#include <arpa/inet.h>
#include <cjson/cJSON.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "support/twins.h"

/* A growing buffer. Its content is [start, end) of `data`. */
typedef struct buffer {
    uint8_t *data; /* owned */
    size_t start;
    size_t end;
    size_t cap;
} buffer;

struct client {
    int fd;               /* owned */
    buffer input;         /* bytes that were received and not handled yet */
    buffer output;        /* bytes that are collected while is_corked */
    char *message;        /* owned: the payload of the frame that was received last, with a NUL behind it */
    char *http_head;      /* owned: the head of the HTTP answer that was read last */
    char http_value[256]; /* the value that client_http_header() lends */
    unsigned pings;       /* how many pings have come */
    unsigned nonces;      /* how many pings client_expect_nothing() has sent */
    bool is_corked;
    bool ignores_pings;
    bool has_sent_close;
};

/* The sample of RFC 6455, 1.3, with the accept that the RFC gives for it. */
const char client_key[] = "dGhlIHNhbXBsZSBub25jZQ==";
static const char accept_of_client_key[] = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";

/* ---- Memory and time ---- */

/* Fail without memory. */
static void *need(void *block)
{
    if (block == NULL)
        fail_msg("out of memory");
    return block;
}

static size_t buffered(const buffer *b)
{
    return b->end - b->start;
}

/* Make space for `more` bytes behind the content, and return where it is. */
static uint8_t *make_space(buffer *b, size_t more)
{
    if (b->start == b->end)
        b->start = b->end = 0;
    if (b->cap - b->end < more) {
        b->cap = (b->end + more) * 2;
        b->data = need(realloc(b->data, b->cap));
    }
    return b->data + b->end;
}

uint64_t client_now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

void client_await_tick(void)
{
    uint64_t start_ms = client_now_ms();
    while (client_now_ms() == start_ms)
        continue;
}

/* Wait until the descriptor is ready for `events` or has an error. False when the deadline is over. */
static bool wait_for(int fd, short events, uint64_t deadline_ms)
{
    for (;;) {
        uint64_t now_ms = client_now_ms();
        int left_ms = deadline_ms > now_ms ? (int)(deadline_ms - now_ms) : 0;
        struct pollfd entry = {.fd = fd, .events = events};
        int ready = poll(&entry, 1, left_ms);
        if (ready > 0)
            return true;
        if (ready == 0)
            return false;
        if (errno != EINTR)
            fail_msg("poll: %s", strerror(errno));
    }
}

/* ---- Connecting and closing ---- */

static void bind_to(int fd, const char *source)
{
    struct sockaddr_in address = {.sin_family = AF_INET};
    assert_int_equal(inet_pton(AF_INET, source, &address.sin_addr), 1);
    int on = 1;
    setsockopt(fd, SOL_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof(on));
    if (bind(fd, (struct sockaddr *)&address, sizeof(address)) != 0)
        fail_msg("bind to %s: %s", source, strerror(errno));
}

static void connect_to(int fd, uint16_t port)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons(twins_choose_port(port)),
                                  .sin_addr = {htonl(INADDR_LOOPBACK)}};
    if (connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0)
        return;
    if (errno != EINPROGRESS)
        fail_msg("connect to port %u: %s", port, strerror(errno));
    if (!wait_for(fd, POLLOUT, client_now_ms() + CLIENT_WAIT_MS))
        fail_msg("connect to port %u: no answer in time", port);
    int error = 0;
    socklen_t len = sizeof(error);
    getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len);
    if (error != 0)
        fail_msg("connect to port %u: %s", port, strerror(error));
}

client *client_new(void)
{
    client *c = need(calloc(1, sizeof(*c)));
    c->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (c->fd < 0)
        fail_msg("socket: %s", strerror(errno));
    int on = 1;
    setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    return c;
}

void client_connect(client *c, uint16_t port)
{
    connect_to(c->fd, port);
}

static client *dial(uint16_t port, const char *source, int receive_buffer)
{
    client *c = client_new();
    if (receive_buffer > 0)
        setsockopt(c->fd, SOL_SOCKET, SO_RCVBUF, &receive_buffer, sizeof(receive_buffer));
    if (source != NULL)
        bind_to(c->fd, source);
    client_connect(c, port);
    return c;
}

client *client_dial(uint16_t port)
{
    return dial(port, NULL, 0);
}

client *client_dial_from(uint16_t port, const char *source)
{
    return dial(port, source, 0);
}

client *client_dial_with_small_buffer(uint16_t port)
{
    return dial(port, NULL, 4096); /* of which about 2 KiB are for data */
}

client *client_open(uint16_t port)
{
    client *c = client_dial(port);
    client_upgrade(c);
    return c;
}

client *client_open_for(uint16_t port, const char *address)
{
    client *c = client_dial(port);
    char request[512];
    int len = snprintf(request, sizeof(request),
                       "GET /signal HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                       "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: %s\r\nX-Forwarded-For: %s\r\n\r\n",
                       client_key, address);
    client_send_bytes(c, request, (size_t)len);
    client_expect_upgraded(c);
    return c;
}

client *client_open_joined(uint16_t port, const char *room, const char *user)
{
    client *c = client_open(port);
    client_join(c, room, user);
    return c;
}

client *client_open_settled(uint16_t port, const char *room, const char *user)
{
    client *c = client_open_joined(port, room, user);
    client_expect_nothing(c);
    return c;
}

void client_close(client *c)
{
    if (c == NULL)
        return;
    close(c->fd);
    free(c->input.data);
    free(c->output.data);
    free(c->message);
    free(c->http_head);
    free(c);
}

void client_abort(client *c)
{
    struct linger at_once = {.l_onoff = 1, .l_linger = 0};
    setsockopt(c->fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
    client_close(c);
}

void client_end_output(client *c)
{
    shutdown(c->fd, SHUT_WR);
}

int client_fd(const client *c)
{
    return c->fd;
}

/* ---- Bytes ---- */

/* Send all bytes. That the server is gone is no failure here: the next thing that the test expects fails
 * then. */
static void write_all(client *c, const uint8_t *data, size_t len)
{
    uint64_t deadline_ms = client_now_ms() + CLIENT_WAIT_MS;
    while (len > 0) {
        ssize_t taken = send(c->fd, data, len, MSG_NOSIGNAL);
        if (taken >= 0) {
            data += taken;
            len -= (size_t)taken;
        } else if (errno != EAGAIN && errno != EINTR) {
            return;
        } else if (!wait_for(c->fd, POLLOUT, deadline_ms)) {
            fail_msg("the server takes no bytes: %zu are left", len);
        }
    }
}

void client_send_bytes(client *c, const void *data, size_t len)
{
    if (!c->is_corked) {
        write_all(c, data, len);
        return;
    }
    if (len > 0)
        memcpy(make_space(&c->output, len), data, len);
    c->output.end += len;
}

void client_cork(client *c)
{
    c->is_corked = true;
}

void client_uncork(client *c)
{
    c->is_corked = false;
    write_all(c, c->output.data, c->output.end);
    c->output.start = c->output.end = 0;
}

bool client_is_readable(client *c, int wait_ms)
{
    return buffered(&c->input) > 0 || wait_for(c->fd, POLLIN, client_now_ms() + (uint64_t)wait_ms);
}

/* Wait for input and read once. Returns how many bytes were read; 0 at the end of TCP; -errno if it broke. */
static ssize_t read_more(client *c, uint64_t deadline_ms, const char *what)
{
    enum { READ_BYTES = 64 * 1024 };
    for (;;) {
        if (!wait_for(c->fd, POLLIN, deadline_ms))
            fail_msg("waited in vain for %s", what);
        ssize_t got = recv(c->fd, make_space(&c->input, READ_BYTES), READ_BYTES, 0);
        if (got > 0)
            c->input.end += (size_t)got;
        if (got >= 0)
            return got;
        if (errno != EAGAIN && errno != EINTR)
            return -errno;
    }
}

/* Read until there are `len` bytes of input, and return them. */
static const uint8_t *need_input(client *c, size_t len, const char *what)
{
    uint64_t deadline_ms = client_now_ms() + CLIENT_WAIT_MS;
    while (buffered(&c->input) < len) {
        ssize_t got = read_more(c, deadline_ms, what);
        if (got <= 0)
            fail_msg("the connection %s instead of %s", got == 0 ? "ended" : "broke", what);
    }
    return c->input.data + c->input.start;
}

/* ---- The opening handshake ---- */

void client_send_upgrade_to(client *c, const char *target)
{
    char *request;
    int len = asprintf(&request,
                       "GET %s HTTP/1.1\r\n"
                       "Host: 127.0.0.1\r\n"
                       "Connection: Upgrade\r\n"
                       "Upgrade: websocket\r\n"
                       "Sec-WebSocket-Version: 13\r\n"
                       "Sec-WebSocket-Key: %s\r\n"
                       "\r\n",
                       target, client_key);
    assert_true(len >= 0);
    client_send_bytes(c, request, (size_t)len);
    free(request);
}

void client_send_upgrade(client *c)
{
    client_send_upgrade_to(c, "/signal");
}

/* Read an HTTP head, with the empty line behind it. */
static void read_http_head(client *c)
{
    const char *end;
    size_t len = 1;
    do {
        const uint8_t *data = need_input(c, len, "an HTTP answer");
        end = memmem(data, buffered(&c->input), "\r\n\r\n", 4);
        len = buffered(&c->input) + 1;
    } while (end == NULL);

    const char *start = (const char *)c->input.data + c->input.start;
    size_t head_len = (size_t)(end - start) + 4;
    free(c->http_head);
    c->http_head = need(strndup(start, head_len));
    c->input.start += head_len;
}

static void expect_status(const client *c, int status)
{
    int found = 0;
    if (sscanf(c->http_head, "HTTP/1.1 %d ", &found) != 1 || found != status)
        fail_msg("expected HTTP status %d, got: %s", status, c->http_head);
}

const char *client_http_header(client *c, const char *name)
{
    size_t name_len = strlen(name);
    for (const char *line = strstr(c->http_head, "\r\n"); line != NULL; line = strstr(line, "\r\n")) {
        line += 2;
        if (strncasecmp(line, name, name_len) != 0 || line[name_len] != ':')
            continue;
        const char *value = line + name_len + 1;
        value += strspn(value, " \t");
        snprintf(c->http_value, sizeof(c->http_value), "%.*s", (int)strcspn(value, "\r\n"), value);
        return c->http_value;
    }
    fail_msg("no header %s in: %s", name, c->http_head);
    return NULL;
}

void client_expect_upgraded_with(client *c, const char *accept)
{
    read_http_head(c);
    expect_status(c, 101);
    assert_string_equal(client_http_header(c, "Sec-WebSocket-Accept"), accept);
}

void client_expect_upgraded(client *c)
{
    client_expect_upgraded_with(c, accept_of_client_key);
}

void client_upgrade(client *c)
{
    client_send_upgrade(c);
    client_expect_upgraded(c);
}

void client_expect_http_fault(client *c, int status)
{
    read_http_head(c);
    expect_status(c, status);
    if (strstr(client_http_header(c, "Connection"), "close") == NULL)
        fail_msg("no Connection: close in: %s", c->http_head);
    size_t body_len = (size_t)strtoul(client_http_header(c, "Content-Length"), NULL, 10);
    need_input(c, body_len, "the body of an HTTP answer");
    c->input.start += body_len;
    client_expect_end(c);
}

/* ---- Sending frames ---- */

/* Write the length as RFC 6455, 5.2, requires it, or as the test wants it. Returns how many bytes it has. */
static size_t put_length(uint8_t *out, const client_frame *frame)
{
    uint64_t len = frame->announced_len != 0 ? frame->announced_len : frame->len;
    int bytes = frame->length_bytes;
    if (bytes == 0)
        bytes = len < 126 ? 1 : len <= UINT16_MAX ? 2 : 8;
    uint8_t mask_bit = frame->is_unmasked ? 0 : 0x80;
    if (bytes == 1) {
        out[0] = (uint8_t)(mask_bit | len);
        return 1;
    }
    out[0] = (uint8_t)(mask_bit | (bytes == 2 ? 126 : 127));
    for (int i = 0; i < bytes; i++)
        out[1 + i] = (uint8_t)(len >> 8 * (bytes - 1 - i));
    return 1 + (size_t)bytes;
}

uint8_t *client_make_frame(const client_frame *frame, size_t *len)
{
    static const uint8_t mask[4] = {0x37, 0xfa, 0x21, 0x3d};
    enum { MAX_HEADER = 14 };
    uint8_t *out = need(malloc(MAX_HEADER + frame->len));
    size_t at = 0;
    out[at++] = (uint8_t)((frame->is_not_final ? 0 : 0x80) | frame->reserved_bits | frame->opcode);
    at += put_length(out + at, frame);
    if (!frame->is_unmasked) {
        memcpy(out + at, mask, sizeof(mask));
        at += sizeof(mask);
    }
    const uint8_t *payload = frame->payload;
    for (size_t i = 0; i < frame->len; i++)
        out[at + i] = frame->is_unmasked ? payload[i] : payload[i] ^ mask[i % 4];
    *len = at + frame->len;
    return out;
}

void client_send_frame(client *c, const client_frame *frame)
{
    size_t len;
    uint8_t *bytes = client_make_frame(frame, &len);
    client_send_bytes(c, bytes, len);
    free(bytes);
}

void client_send_text(client *c, const char *text)
{
    client_send_frame(c, &(client_frame){.opcode = CLIENT_TEXT, .payload = text, .len = strlen(text)});
}

void client_send_textf(client *c, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    char *text;
    int len = vasprintf(&text, format, args);
    va_end(args);
    assert_true(len >= 0);
    client_send_text(c, text);
    free(text);
}

void client_send_ping(client *c, const char *payload)
{
    client_send_frame(c, &(client_frame){.opcode = CLIENT_PING, .payload = payload, .len = strlen(payload)});
}

void client_send_close(client *c, uint16_t code)
{
    uint8_t status[2] = {(uint8_t)(code >> 8), (uint8_t)code}; /* RFC 6455, 5.5.1: network byte order */
    client_send_frame(c, &(client_frame){.opcode = CLIENT_CLOSE, .payload = status, .len = sizeof(status)});
    c->has_sent_close = true;
}

/* ---- Sending messages ---- */

/* `text` as a JSON string with quotes; the caller frees it. */
static char *quote(const char *text)
{
    cJSON *string = need(cJSON_CreateString(text));
    char *json = need(cJSON_PrintUnformatted(string));
    cJSON_Delete(string);
    return json;
}

void client_join(client *c, const char *room, const char *user)
{
    char *room_json = quote(room);
    char *user_json = quote(user);
    client_send_textf(c, "{\"type\":\"join\",\"room\":%s,\"user\":%s}", room_json, user_json);
    free(room_json);
    free(user_json);
}

void client_leave(client *c)
{
    client_send_text(c, "{\"type\":\"leave\"}");
}

void client_send_offer(client *c, const char *sdp)
{
    client_send_textf(c, "{\"type\":\"offer\",\"sdp\":%s}", sdp);
}

void client_send_answer(client *c, const char *sdp)
{
    client_send_textf(c, "{\"type\":\"answer\",\"sdp\":%s}", sdp);
}

void client_send_candidate(client *c, const char *candidate)
{
    client_send_textf(c, "{\"type\":\"candidate\",\"candidate\":%s}", candidate);
}

void client_send_number(client *c, unsigned number)
{
    client_send_textf(c, "{\"type\":\"candidate\",\"candidate\":{\"number\":%u}}", number);
}

/* ---- Receiving frames ---- */

void client_answer_pings(client *c, bool answers)
{
    c->ignores_pings = !answers;
}

unsigned client_pings(const client *c)
{
    return c->pings;
}

/* Read a frame, which must be as a server has to send it: RFC 6455, 5.1 (no mask) and 5.2 (no reserved bits).
 * It must not be a fragment, because this server sends none. */
static client_message read_frame(client *c)
{
    const uint8_t *head = need_input(c, 2, "a frame");
    if ((head[0] & 0xF0) != 0x80 || (head[1] & 0x80) != 0)
        fail_msg("a frame starts with %02x %02x", head[0], head[1]);
    client_message message = {.opcode = head[0] & 0x0F};
    size_t head_len = 2;
    uint64_t len = head[1];
    if (len >= 126) {
        size_t len_bytes = len == 126 ? 2 : 8;
        head_len += len_bytes;
        head = need_input(c, head_len, "the length of a frame");
        len = 0;
        for (size_t i = 0; i < len_bytes; i++)
            len = len << 8 | head[2 + i];
    }
    if (len > 64 * 1024 * 1024)
        fail_msg("a frame of %llu bytes", (unsigned long long)len);

    const uint8_t *data = need_input(c, head_len + (size_t)len, "the payload of a frame") + head_len;
    c->message = need(realloc(c->message, (size_t)len + 1));
    memcpy(c->message, data, (size_t)len);
    c->message[len] = '\0';
    c->input.start += head_len + (size_t)len;
    message.data = c->message;
    message.len = (size_t)len;
    return message;
}

client_message client_receive_frame(client *c)
{
    client_message message = read_frame(c);
    if (message.opcode != CLIENT_PING)
        return message;
    c->pings++;
    if (!c->ignores_pings)
        client_send_frame(
            c, &(client_frame){.opcode = CLIENT_PONG, .payload = message.data, .len = message.len});
    return message;
}

client_message client_receive(client *c)
{
    client_message message;
    do
        message = client_receive_frame(c);
    while (message.opcode == CLIENT_PING);
    return message;
}

static unsigned code_of(client_message close)
{
    return close.len < 2 ? CLIENT_NO_CODE : (unsigned)(uint8_t)close.data[0] << 8 | (uint8_t)close.data[1];
}

/* Fail, and say what was expected and what came. */
static void fail_over(client_message got, const char *expected)
{
    if (got.opcode == CLIENT_CLOSE)
        fail_msg("expected %s, got a close with %u: %s", expected, code_of(got),
                 got.len > 2 ? got.data + 2 : "");
    fail_msg("expected %s, got opcode %d: %.1000s", expected, got.opcode, got.data);
}

client_message client_receive_text(client *c)
{
    client_message message = client_receive(c);
    if (message.opcode != CLIENT_TEXT)
        fail_over(message, "a text message");
    return message;
}

void client_expect_ping(client *c)
{
    bool ignored_pings = c->ignores_pings;
    c->ignores_pings = true;
    client_message message = client_receive_frame(c);
    c->ignores_pings = ignored_pings;
    if (message.opcode != CLIENT_PING)
        fail_over(message, "a ping");
}

void client_expect_pong(client *c, const char *payload)
{
    client_message message = client_receive(c);
    if (message.opcode != CLIENT_PONG || message.len != strlen(payload) ||
        memcmp(message.data, payload, message.len) != 0)
        fail_over(message, payload);
}

/* ---- Receiving messages ---- */

void client_expect_text(client *c, const char *text)
{
    client_message message = client_receive_text(c);
    if (message.len != strlen(text) || memcmp(message.data, text, message.len) != 0)
        fail_over(message, text);
}

/* cJSON_Compare() searches members by name, so it does not notice a member that is there twice. Therefore the
 * numbers of members are compared, too. */
static bool is_same(const cJSON *a, const cJSON *b)
{
    return a != NULL && b != NULL && cJSON_Compare(a, b, true) &&
           cJSON_GetArraySize(a) == cJSON_GetArraySize(b);
}

void client_expect_json(client *c, const char *json)
{
    client_message message = client_receive_text(c);
    cJSON *got = cJSON_ParseWithLength(message.data, message.len);
    cJSON *expected = cJSON_Parse(json);
    if (expected == NULL)
        fail_msg("the test expects what is no JSON: %s", json);
    bool is_equal = is_same(got, expected);
    cJSON_Delete(got);
    cJSON_Delete(expected);
    if (!is_equal)
        fail_over(message, json);
}

void client_expect_signal(client *c, const char *type, const char *room, const char *from,
                          const char *payload)
{
    char *room_json = quote(room);
    char *from_json = quote(from);
    char *json;
    int len = asprintf(&json, "{\"type\":\"%s\",\"room\":%s,\"from\":%s,\"%s\":%s}", type, room_json,
                       from_json, strcmp(type, "candidate") == 0 ? "candidate" : "sdp", payload);
    assert_true(len >= 0);
    client_expect_json(c, json);
    free(json);
    free(room_json);
    free(from_json);
}

void client_expect_number(client *c, const char *room, const char *from, unsigned number)
{
    char candidate[32];
    snprintf(candidate, sizeof(candidate), "{\"number\":%u}", number);
    client_expect_signal(c, "candidate", room, from, candidate);
}

void client_expect_error(client *c, const char *message)
{
    char *text = quote(message);
    char *json;
    int len = asprintf(&json, "{\"type\":\"error\",\"message\":%s}", text);
    assert_true(len >= 0);
    client_expect_json(c, json);
    free(json);
    free(text);
}

void client_expect_nothing(client *c)
{
    char nonce[32];
    snprintf(nonce, sizeof(nonce), "nonce %u", ++c->nonces);
    client_send_ping(c, nonce);
    client_expect_pong(c, nonce);
}

/* ---- The end ---- */

static void finish_close(client *c, client_message message, uint16_t code)
{
    if (message.opcode != CLIENT_CLOSE || code_of(message) != code) {
        char expected[32];
        snprintf(expected, sizeof(expected), "a close with %u", code);
        fail_over(message, expected);
    }
    if (!c->has_sent_close)
        client_send_close(c, 1000);
    client_expect_end(c);
}

void client_expect_close(client *c, uint16_t code)
{
    finish_close(c, client_receive(c), code);
}

void client_expect_close_after_all(client *c, uint16_t code)
{
    client_message message;
    do
        message = client_receive(c);
    while (message.opcode != CLIENT_CLOSE);
    finish_close(c, message, code);
}

void client_expect_end(client *c)
{
    if (buffered(&c->input) == 0) {
        ssize_t got = read_more(c, client_now_ms() + CLIENT_WAIT_MS, "the end of the connection");
        if (got < 0)
            fail_msg("the connection broke instead of ending: %s", strerror((int)-got));
    }
    if (buffered(&c->input) > 0)
        fail_msg("%zu bytes came instead of the end", buffered(&c->input));
}

void client_expect_gone(client *c)
{
    uint64_t deadline_ms = client_now_ms() + CLIENT_WAIT_MS;
    while (read_more(c, deadline_ms, "the end of the connection") > 0)
        c->input.start = c->input.end;
}
