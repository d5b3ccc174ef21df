/* floor_relay PORT [gather]: the least that relaying signals can cost on this kernel, as a yardstick for
 * servers.
 *
 * One thread, raw epoll, no checks, no logs, no timers, no limits, no JSON: it believes its clients. A
 * message is known by its tenth byte ({"type":"j is a join, {"type":"l a leave, everything else a signal), is
 * shorter than 64 KiB, and a room has two seats. It listens on 127.0.0.1 and says nothing but why it cannot
 * go on.
 *
 * A signal is passed on where it was read: the payload is unmasked in place and the new header, which is
 * shorter by the mask, goes right before it. Without `gather` each signal is one send. With it, those of one
 * read are moved together in the same buffer and leave in one send: a room has two seats, so whatever comes
 * for a connection in one turn comes from one other, in one read, and gathering for each read gathers all
 * there is.
 *
 * Descriptors are edge triggered, which spares the kernel to look at each one again in the next epoll_wait();
 * a read that does not fill the buffer has emptied the socket, so no second one is needed to learn that. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <openssl/evp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    NOBODY = -1,
    MAX_DESCRIPTORS = 1 << 20, /* where the limit is higher */
    MAX_EVENTS = 256,
    BUCKETS = 1 << 15,
    INPUT_BYTES = 256 * 1024,
    FIRST_QUEUE_BYTES = 8192, /* an offer and ten candidates */

    OPCODE_TEXT = 1,
    OPCODE_CLOSE = 8,
    OPCODE_PING = 9,
    OPCODE_PONG = 10,
    FIN = 0x80,
    LEN_16 = 126, /* from here on the length has two bytes of its own */
    MAX_HEADER = 4,
    MASK_BYTES = 4,
    KEY_LEN = 24,
    DIGEST_BYTES = 20,
};

typedef struct room {
    struct room *next; /* in its bucket */
    uint32_t hash;
    uint32_t name_len;
    int users[2]; /* descriptors, or NOBODY */
    char *queue;  /* frames for whoever comes next; owned, NULL where nothing waits */
    size_t queue_len;
    size_t queue_cap;
    char name[];
} room;

/* All zeros is a connection whose request has not come yet. */
typedef struct connection {
    room *room; /* borrowed, NULL outside */
    int peer;   /* the other user of the room, or NOBODY; only with a room */
    bool is_upgraded;
    char *input; /* a frame whose end has not come yet; owned, NULL as a rule */
    size_t input_len;
    char *output; /* what the socket did not take; owned, NULL as a rule */
    size_t output_len;
} connection;

/* A client's frame, where it was read. */
typedef struct frame {
    uint8_t opcode;
    uint32_t mask;
    uint8_t *payload;
    size_t len;
} frame;

static bool gathers;
static int epoll_fd;
static connection *connections; /* by descriptor */
static room *buckets[BUCKETS];
static uint8_t input[INPUT_BYTES];

/* Signals of the read at hand that go out together, a part of `input`. */
static uint8_t *gathered, *gathered_end;

static void fail(const char *what)
{
    perror(what);
    exit(EXIT_FAILURE);
}

static void *checked(void *memory)
{
    if (memory == NULL)
        fail("memory");
    return memory;
}

/* ---- Output ---- */

static void watch(int operation, int fd, uint32_t events)
{
    struct epoll_event event = {.events = events | EPOLLIN | EPOLLRDHUP | EPOLLET, .data.fd = fd};
    if (epoll_ctl(epoll_fd, operation, fd, &event) != 0)
        fail("epoll_ctl");
}

/* What the socket does not take waits. A connection that has failed is dropped at its own event. */
static void send_bytes(int fd, const void *data, size_t len, int flags)
{
    connection *c = &connections[fd];
    size_t sent = 0;
    if (c->output == NULL) {
        ssize_t got = send(fd, data, len, flags | MSG_NOSIGNAL);
        if (got == (ssize_t)len || (got < 0 && errno != EAGAIN))
            return;
        sent = got < 0 ? 0 : (size_t)got;
        watch(EPOLL_CTL_MOD, fd, EPOLLOUT);
    }
    c->output = checked(realloc(c->output, c->output_len + len - sent));
    memcpy(c->output + c->output_len, (const char *)data + sent, len - sent);
    c->output_len += len - sent;
}

static void on_writable(int fd)
{
    connection *c = &connections[fd];
    ssize_t sent = send(fd, c->output, c->output_len, MSG_NOSIGNAL);
    if (sent < 0)
        return;
    c->output_len -= (size_t)sent;
    memmove(c->output, c->output + sent, c->output_len);
    if (c->output_len > 0)
        return;
    free(c->output);
    c->output = NULL;
    watch(EPOLL_CTL_MOD, fd, 0);
}

/* ---- Frames ---- */

static size_t header_len(size_t len)
{
    return len < LEN_16 ? 2 : MAX_HEADER;
}

/* Write the header of a server's frame. */
static void put_header(uint8_t *at, uint8_t opcode, size_t len)
{
    at[0] = FIN | opcode;
    at[1] = len < LEN_16 ? (uint8_t)len : LEN_16;
    if (len >= LEN_16) {
        at[2] = (uint8_t)(len >> 8);
        at[3] = (uint8_t)len;
    }
}

/* The payload's length, as the header tells. */
static size_t told_len(const uint8_t *at)
{
    uint8_t len = at[1] & 0x7F;
    return len < LEN_16 ? len : (size_t)at[2] << 8 | at[3];
}

/* Find the client's frame that begins at `at`. False where its end has not been read. */
static bool find_frame(frame *f, uint8_t *at, const uint8_t *end)
{
    if (end - at < MAX_HEADER)
        return false;
    if ((at[1] & 0x7F) > LEN_16) {
        fputs("floor_relay: a message of 64 KiB\n", stderr);
        exit(EXIT_FAILURE);
    }
    f->opcode = at[0] & 0x0F;
    f->len = told_len(at);
    f->payload = at + header_len(f->len) + MASK_BYTES;
    if (end - f->payload < (ptrdiff_t)f->len)
        return false;
    memcpy(&f->mask, f->payload - MASK_BYTES, MASK_BYTES);
    return true;
}

/* Unmask the payload to `to`, which may be where it is, or anywhere before. */
static void unmask(const frame *f, uint8_t *to)
{
    typedef uint32_t block __attribute__((vector_size(16)));
    block mask = {f->mask, f->mask, f->mask, f->mask};
    size_t i = 0;
    for (block part; i + sizeof(part) <= f->len; i += sizeof(part)) {
        memcpy(&part, f->payload + i, sizeof(part));
        part ^= mask;
        memcpy(to + i, &part, sizeof(part));
    }
    for (; i < f->len; i++)
        to[i] = f->payload[i] ^ (uint8_t)(f->mask >> i % MASK_BYTES * 8);
}

/* ---- Rooms ---- */

static uint32_t fnv1a(const char *name, size_t len)
{
    uint32_t hash = 2166136261u;
    for (size_t i = 0; i < len; i++)
        hash = (hash ^ (uint8_t)name[i]) * 16777619u;
    return hash;
}

/* The room of that name, made where there is none. */
static room *find_room(const char *name, size_t len)
{
    uint32_t hash = fnv1a(name, len);
    room **bucket = &buckets[hash % BUCKETS];
    for (room *r = *bucket; r != NULL; r = r->next) {
        if (r->hash == hash && r->name_len == len && memcmp(r->name, name, len) == 0)
            return r;
    }
    room *r = checked(malloc(sizeof(*r) + len));
    *r = (room){.next = *bucket, .hash = hash, .name_len = (uint32_t)len, .users = {NOBODY, NOBODY}};
    memcpy(r->name, name, len);
    *bucket = r;
    return r;
}

static void free_room(room *r)
{
    room **link = &buckets[r->hash % BUCKETS];
    while (*link != r)
        link = &(*link)->next;
    *link = r->next;
    free(r->queue);
    free(r);
}

static void leave(int fd)
{
    connection *c = &connections[fd];
    room *r = c->room;
    if (r == NULL)
        return;
    r->users[r->users[1] == fd] = NOBODY;
    c->room = NULL;
    if (c->peer == NOBODY)
        free_room(r);
    else
        connections[c->peer].peer = NOBODY;
}

static void queue_signal(room *r, const frame *f)
{
    size_t needed = r->queue_len + MAX_HEADER + f->len;
    if (needed > r->queue_cap) {
        r->queue_cap = needed > FIRST_QUEUE_BYTES ? 2 * needed : FIRST_QUEUE_BYTES;
        r->queue = checked(realloc(r->queue, r->queue_cap));
    }
    uint8_t *at = (uint8_t *)r->queue + r->queue_len;
    put_header(at, OPCODE_TEXT, f->len);
    unmask(f, at + header_len(f->len));
    r->queue_len += header_len(f->len) + f->len;
}

/* Hand the queue over in one send, or, where nothing gathers, in one for each signal. */
static void deliver_queue(room *r, int fd)
{
    const uint8_t *at = (const uint8_t *)r->queue;
    const uint8_t *end = at + r->queue_len;
    while (at < end) {
        size_t payload = told_len(at);
        size_t len = gathers ? r->queue_len : header_len(payload) + payload;
        send_bytes(fd, at, len, 0);
        at += len;
    }
    free(r->queue);
    r->queue = NULL;
    r->queue_len = r->queue_cap = 0;
}

static void join(int fd, const char *text, size_t len)
{
    enum { NAME_AT = sizeof("{\"type\":\"join\",\"room\":\"") - 1 };
    const char *name = text + NAME_AT;
    const char *name_end = memchr(name, '"', len - NAME_AT);
    leave(fd);
    connection *c = &connections[fd];
    room *r = find_room(name, (size_t)(name_end - name));
    int seat = r->users[0] != NOBODY;
    r->users[seat] = fd;
    c->room = r;
    c->peer = r->users[!seat];
    if (c->peer == NOBODY)
        return;
    connections[c->peer].peer = fd;
    if (r->queue != NULL)
        deliver_queue(r, fd);
}

/* ---- What was read ---- */

static void send_gathered(int fd)
{
    if (gathered == NULL)
        return;
    send_bytes(connections[fd].peer, gathered, (size_t)(gathered_end - gathered), 0);
    gathered = NULL;
}

static void relay(int fd, const frame *f)
{
    const connection *c = &connections[fd];
    if (c->room == NULL)
        return;
    if (c->peer == NOBODY) {
        queue_signal(c->room, f);
        return;
    }
    size_t header = header_len(f->len);
    if (gathered == NULL)
        gathered = gathered_end = f->payload - header;
    uint8_t *at = gathered_end;
    unmask(f, at + header);
    put_header(at, OPCODE_TEXT, f->len);
    gathered_end = at + header + f->len;
    if (!gathers)
        send_gathered(fd);
}

static void handle_message(int fd, const frame *f)
{
    enum { KIND_AT = sizeof("{\"type\":\"") - 1 };
    char kind = (char)(f->payload[KIND_AT] ^ (uint8_t)(f->mask >> KIND_AT % MASK_BYTES * 8));
    if (kind != 'j' && kind != 'l') {
        relay(fd, f);
        return;
    }
    send_gathered(fd);
    if (kind == 'l') {
        leave(fd);
        return;
    }
    unmask(f, f->payload);
    join(fd, (const char *)f->payload, f->len);
}

/* Answer a ping or a close frame with its own payload. */
static void answer(int fd, const frame *f, uint8_t opcode, int flags)
{
    uint8_t *at = f->payload - header_len(f->len);
    unmask(f, f->payload);
    put_header(at, opcode, f->len);
    send_bytes(fd, at, header_len(f->len) + f->len, flags);
}

static void drop(int fd)
{
    connection *c = &connections[fd];
    leave(fd);
    free(c->input);
    free(c->output);
    *c = (connection){0};
    close(fd);
}

static void upgrade(int fd, const char *request, size_t len)
{
    static const char key_name[] = "Sec-WebSocket-Key: ";
    static const char guid[] = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
    static const char accepted[] = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
                                   "Connection: Upgrade\r\nSec-WebSocket-Accept: ";
    static EVP_MD_CTX *sha1; /* made once, which costs more than using it */
    const char *key = memmem(request, len, key_name, sizeof(key_name) - 1);
    if (key == NULL)
        return;
    if (sha1 == NULL)
        EVP_DigestInit_ex(sha1 = checked(EVP_MD_CTX_new()), EVP_sha1(), NULL);

    uint8_t digest[DIGEST_BYTES];
    EVP_DigestInit_ex(sha1, NULL, NULL);
    EVP_DigestUpdate(sha1, key + sizeof(key_name) - 1, KEY_LEN);
    EVP_DigestUpdate(sha1, guid, sizeof(guid) - 1);
    EVP_DigestFinal_ex(sha1, digest, NULL);

    char response[256];
    size_t at = sizeof(accepted) - 1;
    memcpy(response, accepted, at);
    at += (size_t)EVP_EncodeBlock((uint8_t *)response + at, digest, DIGEST_BYTES);
    /* NOLINTNEXTLINE(bugprone-not-null-terminated-result): it goes out by its length */
    memcpy(response + at, "\r\n\r\n", 4);
    send_bytes(fd, response, at + 4, 0);
    connections[fd].is_upgraded = true;
}

/* False: the connection is gone. */
static bool handle_frame(int fd, const frame *f)
{
    if (f->opcode == OPCODE_TEXT) {
        handle_message(fd, f);
    } else if (f->opcode == OPCODE_PING) {
        answer(fd, f, OPCODE_PONG, 0);
    } else if (f->opcode == OPCODE_CLOSE) {
        send_gathered(fd);
        /* The end of TCP follows at once, and so goes into the same segment. */
        answer(fd, f, OPCODE_CLOSE, MSG_MORE);
        drop(fd);
        return false;
    }
    return true;
}

/* Handle what lies in `input` up to `end`, and keep what is no whole frame. False: the connection is gone. */
static bool handle_input(int fd, const uint8_t *end)
{
    connection *c = &connections[fd];
    uint8_t *at = input;
    if (!c->is_upgraded && memcmp(end - 4, "\r\n\r\n", 4) == 0) {
        upgrade(fd, (const char *)input, (size_t)(end - input));
        return true;
    }
    for (frame f; c->is_upgraded && find_frame(&f, at, end); at = f.payload + f.len) {
        if (!handle_frame(fd, &f))
            return false;
    }
    send_gathered(fd);
    c->input_len = (size_t)(end - at);
    if (c->input_len > 0)
        c->input = memcpy(checked(malloc(c->input_len)), at, c->input_len);
    return true;
}

/* What was kept of the last read goes before what is read now. */
static void take_kept_input(connection *c)
{
    if (c->input == NULL)
        return;
    memcpy(input, c->input, c->input_len);
    free(c->input);
    c->input = NULL;
    c->input_len = 0;
}

static void on_readable(int fd, bool is_ending)
{
    connection *c = &connections[fd];
    const uint8_t *end;
    do {
        size_t kept = c->input_len;
        ssize_t got = recv(fd, input + kept, INPUT_BYTES - kept, 0);
        if (got < 0 && errno == EAGAIN)
            return;
        if (got <= 0) {
            drop(fd);
            return;
        }
        take_kept_input(c);
        end = input + kept + got;
    } while (handle_input(fd, end) && (is_ending || end == input + INPUT_BYTES));
}

/* ---- The loop ---- */

static void on_connection(int listener)
{
    for (;;) {
        int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK);
        if (fd >= 0)
            watch(EPOLL_CTL_ADD, fd, 0);
        else if (errno == EAGAIN)
            return;
        else if (errno != ECONNABORTED)
            fail("accept");
    }
}

static int listen_on(uint16_t port)
{
    struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int on = 1;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) != 0 ||
        /* Inherited by what is accepted, which saves a call for each connection. */
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)) != 0 ||
        bind(fd, (struct sockaddr *)&address, sizeof(address)) != 0 || listen(fd, SOMAXCONN) != 0)
        fail("listen");
    return fd;
}

static void allow_descriptors(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
        fail("getrlimit");
    limit.rlim_cur = limit.rlim_max < MAX_DESCRIPTORS ? limit.rlim_max : MAX_DESCRIPTORS;
    if (setrlimit(RLIMIT_NOFILE, &limit) != 0)
        fail("setrlimit");
    connections = checked(calloc(limit.rlim_cur, sizeof(*connections)));
}

int main(int argc, char **argv)
{
    unsigned long port = argc > 1 ? strtoul(argv[1], NULL, 10) : 0;
    gathers = argc == 3 && strcmp(argv[2], "gather") == 0;
    if (port == 0 || port > UINT16_MAX || argc > 3 || (argc == 3 && !gathers)) {
        fputs("usage: floor_relay PORT [gather]\n", stderr);
        return 2;
    }
    allow_descriptors();
    int listener = listen_on((uint16_t)port);
    epoll_fd = epoll_create1(0);
    watch(EPOLL_CTL_ADD, listener, 0);

    struct epoll_event events[MAX_EVENTS];
    for (;;) {
        int count = epoll_wait(epoll_fd, events, MAX_EVENTS, -1);
        for (int i = 0; i < count; i++) {
            int fd = events[i].data.fd;
            uint32_t what = events[i].events;
            if (fd == listener) {
                on_connection(listener);
                continue;
            }
            if ((what & EPOLLOUT) && connections[fd].output != NULL)
                on_writable(fd);
            if (what & ~(uint32_t)EPOLLOUT)
                on_readable(fd, what & (EPOLLRDHUP | EPOLLHUP | EPOLLERR));
        }
    }
}
