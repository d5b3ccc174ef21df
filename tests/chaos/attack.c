/* attack KIND [--port P] [--sockets N] [--addresses N] [--seconds S]: attack a server on 127.0.0.1, for
 * tests/chaos.sh. It prints one line: what it has sent, and how often it was thrown out and came back.
 *
 * Each socket sends its upgrade request, what it has to say once (a join), and then the same bytes again and
 * again, as fast as the server takes them, or at a rate. Whoever is thrown out comes back at once. The
 * requests say by X-Forwarded-For that they come from other addresses than the loopback, which no limit of an
 * address is for.
 *
 * To add an attack, add a row to the table at the end. */
#include "websocket/frame.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { MAX_SOCKETS = 15000, CHUNK = 16 * 1024 };

static const uint8_t mask[WS_MASK_LEN] = {0x12, 0x34, 0x56, 0x78};

/* ---- Bytes to send ---- */

typedef struct text {
    uint8_t *data;
    size_t len, cap;
} text;

static void add(text *t, const void *data, size_t len)
{
    if (t->len + len > t->cap) {
        t->cap = 2 * (t->len + len);
        t->data = realloc(t->data, t->cap);
        if (t->data == NULL)
            exit(2);
    }
    memcpy(t->data + t->len, data, len);
    t->len += len;
}

static void add_frame(text *t, int opcode, bool is_final, const void *payload, size_t len)
{
    uint8_t header[WS_MAX_CLIENT_HEADER];
    size_t header_len = ws_client_frame_header(header, (ws_opcode)opcode, len, mask);
    if (!is_final)
        header[0] &= 0x7F;
    add(t, header, header_len);
    size_t at = t->len;
    if (len > 0)
        add(t, payload, len);
    ws_mask(t->data + at, len, mask);
}

static void add_message(text *t, const char *message)
{
    add_frame(t, WS_OPCODE_TEXT, true, message, strlen(message));
}

/* ---- The attacks ---- */

typedef struct attack {
    const char *name;
    void (*say_once)(text *t, unsigned number); /* what a socket says at first; NULL = nothing */
    void (*say_always)(text *t);                /* what all say again and again */
    double rate;  /* how often a second one socket says that; 0 = as often as it can */
    bool is_deaf; /* every other socket says nothing, and reads nothing */
} attack;

static void join_pair(text *t, unsigned number)
{
    char join[80];
    snprintf(join, sizeof(join), "{\"type\":\"join\",\"room\":\"chaos %u\",\"user\":\"%u\"}", number / 2,
             number);
    add_message(t, join);
}

static void join_alone(text *t, unsigned number)
{
    char join[80];
    snprintf(join, sizeof(join), "{\"type\":\"join\",\"room\":\"alone %u\",\"user\":\"u\"}", number);
    add_message(t, join);
}

static void begin_text(text *t, unsigned number)
{
    (void)number;
    add_frame(t, WS_OPCODE_TEXT, false, "{", 1);
}

static void ping(text *t)
{
    for (int i = 0; i < 1000; i++)
        add_frame(t, WS_OPCODE_PING, true, NULL, 0);
}

static void fragment(text *t)
{
    for (int i = 0; i < 1000; i++)
        add_frame(t, WS_OPCODE_CONTINUATION, false, " ", 1);
}

static void continuation(text *t)
{
    for (int i = 0; i < 1000; i++)
        add_frame(t, WS_OPCODE_CONTINUATION, false, NULL, 0);
}

static void signal_small(text *t)
{
    add_message(t, "{\"type\":\"candidate\",\"candidate\":{\"candidate\":\"candidate:1 1 udp 2122260223 "
                   "192.0.2.1 56143 typ host generation 0 ufrag abcd network-cost 999\",\"sdpMid\":\"0\"}}");
}

static void add_signal(text *t, size_t len)
{
    char *message = malloc(len + 64);
    if (message == NULL)
        exit(2);
    int head = sprintf(message, "{\"type\":\"candidate\",\"candidate\":\"");
    memset(message + head, 'x', len);
    strcpy(message + (size_t)head + len, "\"}");
    add_message(t, message);
    free(message);
}

static void signal_of_60_kb(text *t)
{
    add_signal(t, 60000);
}

/* As much JSON as a message may have, of the shape that costs most, and no fault. */
static void worst_json(text *t)
{
    text json = {0};
    add(&json, "{", 1);
    while (json.len < 128 * 1024 - 64)
        add(&json, "\"\\n\":0,", 7);
    add(&json, "\"type\":\"leave\"}", 16 - 1);
    add_frame(t, WS_OPCODE_TEXT, true, json.data, json.len);
    free(json.data);
}

/* Nearly all of the largest message; the rest never comes. */
static void most_of_a_message(text *t, unsigned number)
{
    (void)number;
    char *zeros = calloc(1, 127 * 1024);
    if (zeros == NULL)
        exit(2);
    memset(zeros, ' ', 127 * 1024);
    add_frame(t, WS_OPCODE_TEXT, false, zeros, 127 * 1024);
    free(zeros);
}

static void fill_queue(text *t, unsigned number)
{
    join_alone(t, number);
    for (int i = 0; i < 4; i++)
        add_signal(t, 60000);
}

static void one_byte(text *t)
{
    add_frame(t, WS_OPCODE_CONTINUATION, false, " ", 1);
}

static void pong(text *t)
{
    add_frame(t, WS_OPCODE_PONG, true, NULL, 0);
}

static const attack attacks[] = {
    {"pings", NULL, ping, 0, false},
    {"fragments", begin_text, fragment, 0, false},
    {"continuations", begin_text, continuation, 0, false},
    {"signals", join_pair, signal_small, 900, false},
    {"json", NULL, worst_json, 0, false},
    {"deaf", join_pair, signal_of_60_kb, 0, true},
    {"trickle", most_of_a_message, one_byte, 0.2, false},
    {"queues", fill_queue, pong, 0.2, false},
};

/* ---- Sockets ---- */

typedef struct peer {
    int fd; /* -1 = not connected */
    unsigned number;
    const text *now; /* what is being sent */
    size_t at;       /* how far */
    text once;       /* owned */
    double due_s;    /* when it says its part next */
} peer;

typedef struct run {
    const attack *attack;
    uint16_t port;
    unsigned sockets, addresses;
    text always;
    uint64_t bytes, returns, refusals;
} run;

static double now_s(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static bool is_silent(const run *r, const peer *p)
{
    return r->attack->is_deaf && p->number % 2 == 1;
}

static void come(run *r, peer *p)
{
    p->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_in to = {
        .sin_family = AF_INET, .sin_port = htons(r->port), .sin_addr = {htonl(INADDR_LOOPBACK)}};
    if (p->fd < 0 || connect(p->fd, (const struct sockaddr *)&to, sizeof(to)) != 0) {
        if (p->fd >= 0)
            close(p->fd);
        p->fd = -1;
        r->refusals++;
        return;
    }
    p->once.len = 0;
    char request[400];
    unsigned from = p->number % r->addresses;
    int len = snprintf(request, sizeof(request),
                       "GET /signal HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                       "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
                       "X-Forwarded-For: 198.51.%u.%u\r\n\r\n",
                       100 + from / 250, 1 + from % 250);
    add(&p->once, request, (size_t)len);
    if (r->attack->say_once != NULL)
        r->attack->say_once(&p->once, p->number);
    p->now = &p->once;
    p->at = 0;
    p->due_s = now_s();
}

static void leave(run *r, peer *p)
{
    close(p->fd);
    p->fd = -1;
    r->returns++;
}

/* Throw away what has come. False when the server has ended the connection. */
static bool hear(run *r, const peer *p)
{
    static uint8_t heard[64 * 1024];
    if (is_silent(r, p))
        return true;
    ssize_t got = recv(p->fd, heard, sizeof(heard), MSG_DONTWAIT);
    if (got < 0)
        return errno == EAGAIN;
    /* What begins so is a close frame or an HTTP fault that came alone. */
    bool is_over = got >= 2 && (heard[0] == 0x88 || (heard[0] == 'H' && got > 9 && heard[9] != '1'));
    return got > 0 && !is_over;
}

/* Say what is due, as far as the socket takes it. False when the server has ended the connection. */
static bool say(run *r, peer *p)
{
    double now = now_s();
    for (size_t said = 0; said < CHUNK && p->due_s <= now;) {
        if (p->at == p->now->len) {
            if (is_silent(r, p))
                return true;
            p->now = &r->always;
            p->at = 0;
            if (r->attack->rate > 0)
                p->due_s += 1 / r->attack->rate;
            if (p->due_s > now)
                return true;
        }
        size_t left = p->now->len - p->at;
        ssize_t sent =
            send(p->fd, p->now->data + p->at, left < CHUNK ? left : CHUNK, MSG_DONTWAIT | MSG_NOSIGNAL);
        if (sent < 0)
            return errno == EAGAIN;
        p->at += (size_t)sent;
        said += (size_t)sent;
        r->bytes += (uint64_t)sent;
    }
    return true;
}

static void go(run *r, double seconds)
{
    peer *peers = calloc(r->sockets, sizeof(*peers));
    if (peers == NULL)
        exit(2);
    double end_s = now_s() + seconds;
    for (unsigned i = 0; i < r->sockets; i++)
        peers[i] = (peer){.fd = -1, .number = i};
    while (now_s() < end_s) {
        for (unsigned i = 0; i < r->sockets && now_s() < end_s; i++) {
            peer *p = &peers[i];
            if (p->fd < 0)
                come(r, p);
            if (p->fd >= 0 && (!say(r, p) || !hear(r, p)))
                leave(r, p);
        }
        poll(NULL, 0, 1);
    }
    printf("%s: %.1f MB sent, %llu times thrown out, %llu times not let in\n", r->attack->name,
           (double)r->bytes / 1e6, (unsigned long long)r->returns, (unsigned long long)r->refusals);
}

static const attack *find(const char *name)
{
    for (size_t i = 0; i < sizeof(attacks) / sizeof(attacks[0]); i++) {
        if (strcmp(attacks[i].name, name) == 0)
            return &attacks[i];
    }
    return NULL;
}

int main(int argc, char **argv)
{
    run r = {.sockets = 100, .addresses = 1};
    double seconds = 5;
    r.attack = argc > 1 ? find(argv[1]) : NULL;
    for (int i = 2; i + 1 < argc; i += 2) {
        unsigned long number = strtoul(argv[i + 1], NULL, 10);
        if (strcmp(argv[i], "--port") == 0)
            r.port = (uint16_t)number;
        else if (strcmp(argv[i], "--sockets") == 0)
            r.sockets = (unsigned)number;
        else if (strcmp(argv[i], "--addresses") == 0)
            r.addresses = (unsigned)number;
        else if (strcmp(argv[i], "--seconds") == 0)
            seconds = (double)number;
    }
    if (r.attack == NULL || r.port == 0 || r.sockets == 0 || r.sockets > MAX_SOCKETS || r.addresses == 0) {
        fprintf(stderr, "usage: attack KIND --port P [--sockets N] [--addresses N] [--seconds S]\n");
        return 2;
    }
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
        limit.rlim_cur = limit.rlim_max;
        (void)setrlimit(RLIMIT_NOFILE, &limit);
    }
    r.attack->say_always(&r.always);
    go(&r, seconds);
    return 0;
}
