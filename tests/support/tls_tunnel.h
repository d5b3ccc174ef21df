/* A tunnel between a wire_peer, who speaks in the clear, and a connection that speaks TLS: what is tested
 * with a plain connection can be tested with such a one. It is carried on by the test's own thread. */
#ifndef HOMECALL_TESTS_SUPPORT_TLS_TUNNEL_H
#define HOMECALL_TESTS_SUPPORT_TLS_TUNNEL_H

#include "support/tls_peer.h"
#include "support/wire.h"

typedef struct tls_tunnel {
    int near;        /* owned: in the clear, to the peer; -1 when closed */
    int far;         /* owned: TLS, to the connection; -1 when closed */
    SSL *client;     /* owned, over `far` */
    bytes *to_near;  /* owned: what `near` did not take */
    bytes *to_far;   /* owned: what `far` did not take */
    bool near_ended; /* the peer has said all; `far` was told, or will be */
    bool far_ended;
    bool was_orderly; /* the connection's end was a close_notify */
} tls_tunnel;

/* Make it, the peer at one end and a connected descriptor, which it owns from here on, at the other. */
static inline void tls_tunnel_start(tls_tunnel *t, wire_peer *peer, int type, int far)
{
    *t = (tls_tunnel){.near = wire_open(peer, type), .far = far, .client = tls_peer_new(NULL, far)};
}

/* The same; returns the descriptor for the connection. */
static inline int tls_tunnel_open(tls_tunnel *t, wire_peer *peer, int type)
{
    int fds[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds), 0);
    tls_tunnel_start(t, peer, type, fds[0]);
    return fds[1];
}

/* Close both ends. A zeroed one is legal. */
static inline void tls_tunnel_close(tls_tunnel *t)
{
    if (t->client == NULL)
        return;
    SSL_free(t->client);
    close(t->near);
    close(t->far);
    bytes_clear(&t->to_near);
    bytes_clear(&t->to_far);
    *t = (tls_tunnel){0};
}

static inline void tls_tunnel_say(tls_tunnel *t)
{
    uint8_t data[16 * 1024]; /* a record at most: nothing is lost that does not fit */
    while (t->to_far == NULL && !t->near_ended) {
        ssize_t got = recv(t->near, data, sizeof(data), 0);
        if (got < 0)
            break;
        if (got == 0) {
            t->near_ended = true;
            (void)SSL_shutdown(t->client);
            shutdown(t->far, SHUT_WR);
            break;
        }
        ssize_t taken = tls_peer_write(t->client, data, (size_t)got);
        if (taken < got)
            assert_int_equal(bytes_append(&t->to_far, data + (taken > 0 ? taken : 0),
                                          (size_t)(got - (taken > 0 ? taken : 0))),
                             0);
    }
}

static inline void tls_tunnel_hear(tls_tunnel *t)
{
    uint8_t data[16 * 1024];
    while (t->to_near == NULL && !t->far_ended) {
        ssize_t got = tls_peer_read(t->client, data, sizeof(data));
        if (got == -EAGAIN)
            break;
        if (got <= 0) {
            t->far_ended = true;
            t->was_orderly = got == 0;
            shutdown(t->near, SHUT_WR);
            break;
        }
        ssize_t taken = send(t->near, data, (size_t)got, MSG_NOSIGNAL);
        if (taken < got && (taken >= 0 || errno == EAGAIN))
            assert_int_equal(bytes_append(&t->to_near, data + (taken > 0 ? taken : 0),
                                          (size_t)(got - (taken > 0 ? taken : 0))),
                             0);
    }
}

/* Carry on what waits, then what has come, in both directions, as far as there is room. */
static inline void tls_tunnel_carry(tls_tunnel *t)
{
    if (t->client == NULL)
        return;
    while (t->to_far != NULL) {
        ssize_t taken = tls_peer_write(t->client, bytes_head(t->to_far), bytes_len(t->to_far));
        if (taken == -EAGAIN)
            break;
        bytes_consume(&t->to_far, taken > 0 ? (size_t)taken : bytes_len(t->to_far));
    }
    while (t->to_near != NULL) {
        ssize_t taken = send(t->near, bytes_head(t->to_near), bytes_len(t->to_near), MSG_NOSIGNAL);
        if (taken < 0 && errno == EAGAIN)
            break;
        bytes_consume(&t->to_near, taken > 0 ? (size_t)taken : bytes_len(t->to_near));
    }
    tls_tunnel_say(t);
    tls_tunnel_hear(t);
}

#endif
