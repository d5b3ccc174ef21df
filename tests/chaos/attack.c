/* attack KIND [--port P] [--sockets N] [--addresses N] [--seconds S] [--direct 1] [--tls 1]: attack a server
 * on 127.0.0.1, for tests/chaos.sh. It prints one line: what it has sent, and how often it was thrown out and
 * came back.
 *
 * Each socket sends its upgrade request, what it has to say once (a join), and then the same bytes again and
 * again, as fast as the server takes them, or at a rate. Whoever is thrown out comes back at once. The
 * requests say by X-Forwarded-For from how many addresses they come, as those of a proxy do; with --direct
 * they come from so many addresses of 127.1.0.0/16 themselves. */
#include "chaos/attack_kinds.h"
#include "chaos/attack_stream.h"
#include "support/tls_peer.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

enum { MAX_SOCKETS = 15000, CHUNK = 16 * 1024 };

typedef struct peer {
    attack_stream stream;
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
    bool is_direct; /* they come from addresses of their own, and not by a proxy */
    SSL_CTX *tls;   /* owned; NULL = without TLS */
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
    const unsigned from = p->number % r->addresses;
    if (!attack_stream_open(&p->stream, r->port, r->tls, r->is_direct ? from + 1 : 0)) {
        r->refusals++;
        return;
    }
    p->once.len = 0;
    char request[400];
    int len = snprintf(request, sizeof(request),
                       "GET /signal HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                       "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
                       "X-Forwarded-For: 198.51.%u.%u\r\n\r\n",
                       100 + from / 250, 1 + from % 250);
    attack_add(&p->once, request, (size_t)len);
    if (r->attack->say_once != NULL)
        r->attack->say_once(&p->once, p->number);
    p->now = &p->once;
    p->at = 0;
    p->due_s = now_s();
}

static void leave(run *r, peer *p)
{
    attack_stream_close(&p->stream);
    r->returns++;
}

/* Throw away what has come. False when the server has ended the connection. */
static bool hear(run *r, peer *p)
{
    static uint8_t heard[64 * 1024];
    if (is_silent(r, p))
        return true;
    ssize_t got = attack_stream_receive(&p->stream, heard, sizeof(heard));
    if (got < 0)
        return got == -EAGAIN;
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
        if (r->attack->renews)
            attack_stream_ask_for_keys(&p->stream);
        ssize_t sent = attack_stream_send(&p->stream, p->now->data + p->at, left < CHUNK ? left : CHUNK);
        if (sent <= 0)
            return sent == -EAGAIN;
        p->at += (size_t)sent;
        said += (size_t)sent;
        r->bytes += (uint64_t)sent;
    }
    return true;
}

/* False when the server has ended the connection, or it has done what it came for. */
static bool go_on(run *r, peer *p)
{
    if (r->attack->is_hello)
        return attack_stream_hello(&p->stream);
    return say(r, p) && hear(r, p);
}

static void go(run *r, double seconds)
{
    peer *peers = calloc(r->sockets, sizeof(*peers));
    if (peers == NULL)
        exit(2);
    double end_s = now_s() + seconds;
    for (unsigned i = 0; i < r->sockets; i++)
        peers[i] = (peer){.stream = {.fd = -1}, .number = i};
    while (now_s() < end_s) {
        for (unsigned i = 0; i < r->sockets && now_s() < end_s; i++) {
            peer *p = &peers[i];
            if (p->stream.fd < 0)
                come(r, p);
            if (p->stream.fd >= 0 && !go_on(r, p))
                leave(r, p);
        }
        poll(NULL, 0, 1);
    }
    printf("%s: %.1f MB sent, %llu times thrown out, %llu times not let in\n", r->attack->name,
           (double)r->bytes / 1e6, (unsigned long long)r->returns, (unsigned long long)r->refusals);
}

int main(int argc, char **argv)
{
    run r = {.sockets = 100, .addresses = 1};
    double seconds = 5;
    r.attack = argc > 1 ? attack_find(argv[1]) : NULL;
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
        else if (strcmp(argv[i], "--direct") == 0)
            r.is_direct = number != 0;
        else if (strcmp(argv[i], "--tls") == 0 && number != 0)
            r.tls = tls_peer_new_context();
    }
    bool needs_tls = r.attack != NULL && (r.attack->is_hello || r.attack->renews);
    if (r.attack == NULL || (needs_tls && r.tls == NULL) || r.port == 0 || r.sockets == 0 ||
        r.sockets > MAX_SOCKETS || r.addresses == 0) {
        fprintf(stderr, "usage: attack KIND --port P [--sockets N] [--addresses N] [--seconds S] [--direct "
                        "1] [--tls 1]\n");
        return 2;
    }
    (void)signal(SIGPIPE, SIG_IGN); /* OpenSSL writes by write() */
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
        limit.rlim_cur = limit.rlim_max;
        (void)setrlimit(RLIMIT_NOFILE, &limit);
    }
    r.attack->say_always(&r.always);
    go(&r, seconds);
    SSL_CTX_free(r.tls);
    return 0;
}
