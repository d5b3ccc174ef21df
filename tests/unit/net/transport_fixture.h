/* A transport over a pair of sockets, with libevent bases that the test turns itself. It is a plain one; for
 * TLS there is a place for the client at the other end. */
#ifndef HOMECALL_TESTS_UNIT_NET_TRANSPORT_FIXTURE_H
#define HOMECALL_TESTS_UNIT_NET_TRANSPORT_FIXTURE_H

#include "net/transport.h"
#include "support/tls_peer.h"

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

typedef struct fixture {
    transport transport;
    struct event_base *base;
    struct event_base *other_base;
    int peer;     /* -1 when closed */
    int readable; /* how often it was told */
    int writable;
    int secured;
    SSL *client; /* owned, over `peer`; NULL for a plain transport */
} fixture;

/* For transport_open(): count what is told. */
static inline void on_ready(evutil_socket_t fd, short what, void *context)
{
    fixture *f = context;
    assert_int_equal(fd, transport_fd(&f->transport));
    assert_true(what == EV_READ || what == EV_WRITE || what == 0);
    if (what == EV_READ)
        f->readable++;
    else if (what == EV_WRITE)
        f->writable++;
    else
        f->secured++;
}

/* Around each test: a plain transport that belongs to no base yet. */
static inline int make(void **state)
{
    int fds[2];
    fixture *f = calloc(1, sizeof(*f));
    if (f == NULL || socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds) != 0)
        return -1;
    f->peer = fds[0];
    f->base = event_base_new();
    f->other_base = event_base_new();
    transport_open(&f->transport, fds[1], on_ready, f);
    *state = f;
    return 0;
}

static inline int unmake(void **state)
{
    fixture *f = *state;
    transport_close(&f->transport);
    event_base_free(f->base);
    event_base_free(f->other_base);
    SSL_free(f->client);
    if (f->peer >= 0)
        close(f->peer);
    free(f);
    return 0;
}

static inline void turn(struct event_base *base)
{
    assert_true(event_base_loop(base, EVLOOP_ONCE | EVLOOP_NONBLOCK) >= 0);
}

/* The peer says this. */
static inline void say(fixture *f, const char *text)
{
    assert_int_equal(write(f->peer, text, strlen(text)), strlen(text));
}

/* Write until the socket takes no more; returns how much it took. */
static inline size_t fill(transport *t)
{
    static const uint8_t zeros[4096];
    size_t total = 0;
    ssize_t taken;
    while ((taken = transport_write(t, zeros, sizeof(zeros), false)) > 0)
        total += (size_t)taken;
    assert_int_equal(taken, -EAGAIN);
    return total;
}

/* Have the peer read so much. */
static inline void drain(fixture *f, size_t len)
{
    char buffer[4096];
    while (len > 0) {
        ssize_t got = read(f->peer, buffer, sizeof(buffer));
        assert_true(got > 0);
        len -= (size_t)got;
    }
}

/* For transport_open(): a callback that takes the wait back while its own event, or another, is being
 * handled. */
static inline void stop_all(evutil_socket_t fd, short what, void *context)
{
    (void)fd;
    (void)what;
    fixture *f = context;
    f->readable++;
    f->writable++;
    transport_close(&f->transport);
}

#endif
