/* A transport over a pair of sockets, with loops that the test turns itself. It is a plain one; for
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
    net_loop loop;
    net_loop other_loop;
    int peer;     /* -1 when closed */
    int readable; /* how often it was told */
    int writable;
    int secured;
    SSL *client; /* owned, over `peer`; NULL for a plain transport */
} fixture;

static inline fixture *fixture_of(net_watch *watch)
{
    return (fixture *)(void *)((char *)transport_of(watch) - offsetof(fixture, transport));
}

/* For transport_open(): count what is told. */
static inline void on_ready(net_watch *watch, uint32_t events)
{
    fixture *f = fixture_of(watch);
    assert_true((events & ~(uint32_t)(EPOLLIN | EPOLLOUT)) == 0);
    if ((events & EPOLLIN) != 0)
        f->readable++;
    if ((events & EPOLLOUT) != 0)
        f->writable++;
    if (events == 0)
        f->secured++;
}

/* Around each test: a plain transport that belongs to no loop yet. */
static inline int make(void **state)
{
    int fds[2];
    fixture *f = calloc(1, sizeof(*f));
    if (f == NULL || socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds) != 0)
        return -1;
    f->peer = fds[0];
    assert_int_equal(net_loop_init(&f->loop), 0);
    assert_int_equal(net_loop_init(&f->other_loop), 0);
    transport_open(&f->transport, fds[1], on_ready);
    *state = f;
    return 0;
}

static inline int unmake(void **state)
{
    fixture *f = *state;
    transport_close(&f->transport);
    net_loop_deinit(&f->loop);
    net_loop_deinit(&f->other_loop);
    SSL_free(f->client);
    if (f->peer >= 0)
        close(f->peer);
    free(f);
    return 0;
}

static inline void turn(net_loop *loop)
{
    assert_int_equal(net_loop_pass(loop, false), 0);
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
static inline void stop_all(net_watch *watch, uint32_t events)
{
    (void)events;
    fixture *f = fixture_of(watch);
    f->readable++;
    f->writable++;
    transport_close(&f->transport);
}

#endif
