/* lying_proxy LIE N PORT: stands between homecall-bench and a server of version 2 at 127.0.0.1:PORT, and
 * passes on everything but the N-th text message of the server that the lie is about: with that it does as
 * the lie says. For the tests of homecall-bench, which must notice.
 *
 * It listens on a free port of 127.0.0.1, says which on standard output ("port 12345"), and serves until
 * standard input ends. What clients send is passed on as bytes. It is small rather than fast: one poll loop
 * and blocking writes. */
#include "base/bytes.h"
#include "base/slice.h"
#include "support/listen_host.h"
#include "websocket/frame.h"

#include <arpa/inet.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { MAX_LINES = 64, READ_BYTES = 64 * 1024, MAX_TEXT = 32 * 1024 };

/* A client with its connection to the server. A zeroed one is free. */
typedef struct line {
    int client; /* owned; 0 = this place is free */
    int server; /* owned */
    bool is_upgraded;
    bytes *in;                 /* owned: what the server has sent and is not passed on yet */
    unsigned long long behind; /* so much less are the numbers that its client is told */
} line;

typedef struct lie {
    const char *name;
    const char *about; /* texts that contain this are counted; NULL = all */
    void (*tell)(line *l, slice text);
} lie;

static line lines[MAX_LINES];
static const lie *told;
static unsigned long lie_at;
static unsigned long counted;
static bytes *held;    /* owned: a message that its successor is to overtake */
static line *held_for; /* borrowed */

static void must(bool holds, const char *what)
{
    if (holds)
        return;
    fprintf(stderr, "lying_proxy: %s\n", what);
    exit(EXIT_FAILURE);
}

/* ---- Output ---- */

/* Who is gone is noticed by the next read. */
static void send_bytes(int fd, const void *data, size_t len)
{
    const char *at = data;
    while (len > 0) {
        ssize_t taken = send(fd, at, len, MSG_NOSIGNAL);
        if (taken < 0)
            return;
        at += taken;
        len -= (size_t)taken;
    }
}

static void send_text(line *l, slice text)
{
    uint8_t frame[WS_MAX_SERVER_HEADER + MAX_TEXT];
    must(text.len <= MAX_TEXT, "a message is too long");
    size_t len = ws_frame_header(frame, WS_OPCODE_TEXT, text.len);
    memcpy(frame + len, text.data, text.len);
    send_bytes(l->client, frame, len + text.len);
}

/* Send the text with `old` replaced by `new` where it comes first. */
static void send_changed(line *l, slice text, const char *old, const char *new)
{
    char changed[MAX_TEXT];
    const char *at = memmem(text.data, text.len, old, strlen(old));
    must(at != NULL && text.len + strlen(new) < sizeof(changed), "there is nothing to change");
    int len = snprintf(changed, sizeof(changed), "%.*s%s%.*s", (int)(at - text.data), text.data, new,
                       (int)(text.data + text.len - at - (long)strlen(old)), at + strlen(old));
    send_text(l, (slice){changed, (size_t)len});
}

/* Send it with a number that is less by what was lost before. */
static void send_renumbered(line *l, slice text)
{
    static const char key[] = "\"seq\":";
    const char *at = l->behind > 0 ? memmem(text.data, text.len, key, strlen(key)) : NULL;
    if (at == NULL) {
        send_text(l, text);
        return;
    }
    char old[40];
    char new[40];
    unsigned long long seq = strtoull(at + strlen(key), NULL, 10);
    snprintf(old, sizeof(old), "%s%llu", key, seq);
    snprintf(new, sizeof(new), "%s%llu", key, seq - l->behind);
    send_changed(l, text, old, new);
}

/* ---- Lies ---- */

static void lose(line *l, slice text)
{
    (void)l;
    (void)text;
}

static void lose_and_count_on(line *l, slice text)
{
    (void)text;
    l->behind = 1;
}

static void repeat(line *l, slice text)
{
    send_text(l, text);
    send_text(l, text);
}

static void hold(line *l, slice text)
{
    must(bytes_append(&held, text.data, text.len) == 0, "out of memory");
    held_for = l;
}

static void change_sender(line *l, slice text)
{
    send_changed(l, text, "\"from\":\"", "\"from\":\"x");
}

static void change_kind(line *l, slice text)
{
    send_changed(l, text, "\"type\":\"candidate\"", "\"type\":\"answer\"");
}

static void acknowledge_too_much(line *l, slice text)
{
    send_changed(l, text, "\"ack\":", "\"ack\":9");
}

static void change_presence(line *l, slice text)
{
    send_changed(l, text, "peer-joined", "peer-back");
}

static void change_person(line *l, slice text)
{
    send_changed(l, text, "\"user\":\"", "\"user\":\"x");
}

static void resume(line *l, slice text)
{
    send_changed(l, text, "\"resumed\":false", "\"resumed\":true");
}

static void send_error(line *l, slice text)
{
    send_text(l,
              SLICE_LITERAL("{\"type\":\"error\",\"code\":\"busy\",\"message\":\"Busy\",\"fatal\":false}"));
    send_text(l, text);
}

#define SIGNALS "\"from\":"

static const lie lies[] = {
    {"none", NULL, send_text},
    {"loses", SIGNALS, lose},
    {"loses-quietly", SIGNALS, lose_and_count_on},
    {"doubles", SIGNALS, repeat},
    {"swaps", SIGNALS, hold},
    {"sender", SIGNALS, change_sender},
    {"kind", "\"type\":\"candidate\"", change_kind},
    {"ack", "\"ack\":", acknowledge_too_much},
    {"presence", "peer-joined", change_presence},
    {"person", "peer-joined", change_person},
    {"resumed", "\"resumed\":false", resume},
    {"error", NULL, send_error},
    {"subprotocol", NULL, send_text},
};

static const lie *find_lie(const char *name)
{
    for (size_t i = 0; i < sizeof(lies) / sizeof(lies[0]); i++)
        if (strcmp(lies[i].name, name) == 0)
            return &lies[i];
    return NULL;
}

/* ---- What the server sends ---- */

static void take_text(line *l, slice text)
{
    bool counts =
        told->about == NULL || memmem(text.data, text.len, told->about, strlen(told->about)) != NULL;
    if (counts && ++counted == lie_at) {
        told->tell(l, text);
        return;
    }
    send_renumbered(l, text);
    if (held_for == l) {
        send_text(l, (slice){(const char *)bytes_head(held), bytes_len(held)});
        bytes_clear(&held);
        held_for = NULL;
    }
}

/* Take a whole frame, which servers do not mask. Returns its length, or 0 if it is not whole yet. */
static size_t take_frame(line *l, const uint8_t *at, size_t len)
{
    size_t head = len < 2 ? 2 : at[1] < 126 ? 2 : at[1] == 126 ? 4 : 10;
    if (len < head)
        return 0;
    size_t payload = head == 4 ? (size_t)at[2] << 8 | at[3] : at[1];
    must(head < 10 && (at[0] & 0x80) != 0, "a frame is too long, or a part");
    if (len < head + payload)
        return 0;
    if ((at[0] & 0x0F) == WS_OPCODE_TEXT)
        take_text(l, (slice){(const char *)at + head, payload});
    else
        send_bytes(l->client, at, head + payload);
    return head + payload;
}

/* The answer to the handshake, when it is whole. */
static size_t take_answer(line *l, uint8_t *at, size_t len)
{
    const uint8_t *end = memmem(at, len, "\r\n\r\n", 4);
    if (end == NULL)
        return 0;
    size_t head = (size_t)(end - at) + 4;
    uint8_t *name = memmem(at, head, "homecall.2", 10);
    if (name != NULL && strcmp(told->name, "subprotocol") == 0)
        name[9] = '3';
    send_bytes(l->client, at, head);
    l->is_upgraded = true;
    return head;
}

/* ---- Lines ---- */

static void close_line(line *l)
{
    if (held_for == l)
        held_for = NULL;
    close(l->client);
    close(l->server);
    bytes_clear(&l->in);
    *l = (line){0};
}

static void read_server(line *l)
{
    static uint8_t buffer[READ_BYTES];
    ssize_t got = recv(l->server, buffer, sizeof(buffer), 0);
    if (got <= 0) {
        close_line(l);
        return;
    }
    must(bytes_append(&l->in, buffer, (size_t)got) == 0, "out of memory");
    size_t used = 1;
    while (used > 0 && l->in != NULL) {
        used = l->is_upgraded ? take_frame(l, bytes_head(l->in), bytes_len(l->in))
                              : take_answer(l, bytes_head(l->in), bytes_len(l->in));
        bytes_consume(&l->in, used);
    }
}

static void read_client(line *l)
{
    static uint8_t buffer[READ_BYTES];
    ssize_t got = recv(l->client, buffer, sizeof(buffer), 0);
    if (got <= 0)
        close_line(l);
    else
        send_bytes(l->server, buffer, (size_t)got);
}

static void accept_client(int listener, uint16_t port)
{
    const struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int client = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
    if (client < 0)
        return; /* it has gone again */
    int server = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    must(server >= 0 && connect(server, (const struct sockaddr *)&address, sizeof(address)) == 0,
         "the server does not accept");
    for (size_t i = 0; i < MAX_LINES; i++) {
        if (lines[i].client == 0) {
            lines[i] = (line){.client = client, .server = server};
            return;
        }
    }
    must(false, "too many clients");
}

/* Until standard input ends. */
static void serve(int listener, uint16_t port)
{
    struct pollfd watched[2 * MAX_LINES + 2] = {{.fd = STDIN_FILENO, .events = POLLIN},
                                                {.fd = listener, .events = POLLIN}};
    while (watched[0].revents == 0) {
        for (size_t i = 0; i < MAX_LINES; i++) {
            const line *l = &lines[i];
            watched[2 * i + 2] = (struct pollfd){.fd = l->client != 0 ? l->client : -1, .events = POLLIN};
            watched[2 * i + 3] = (struct pollfd){.fd = l->client != 0 ? l->server : -1, .events = POLLIN};
        }
        must(poll(watched, 2 * MAX_LINES + 2, -1) > 0, "poll");
        for (size_t i = 0; i < MAX_LINES; i++) {
            if (watched[2 * i + 3].revents != 0)
                read_server(&lines[i]);
            if (watched[2 * i + 2].revents != 0 && lines[i].client != 0)
                read_client(&lines[i]);
        }
        if (watched[1].revents != 0)
            accept_client(listener, port);
    }
}

int main(int argc, char **argv)
{
    uint16_t port = 0;
    told = argc == 4 ? find_lie(argv[1]) : NULL;
    must(told != NULL, "usage: lying_proxy LIE N PORT");
    lie_at = strtoul(argv[2], NULL, 10);
    uint16_t server = (uint16_t)strtoul(argv[3], NULL, 10);
    int listener = listen_on_host("127.0.0.1", &port);
    must(listener >= 0 && listen(listener, MAX_LINES) == 0, "can't listen");
    printf("port %u\n", port);
    fflush(stdout);

    serve(listener, server);
    for (size_t i = 0; i < MAX_LINES; i++)
        if (lines[i].client != 0)
            close_line(&lines[i]);
    bytes_clear(&held);
    close(listener);
    return EXIT_SUCCESS;
}
