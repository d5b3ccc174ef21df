/* A tunnel between a wire_peer, which uses no TLS, and a connection that uses TLS. So a test for plain
 * connections can be run with TLS as well. The test drives the tunnel in its own thread. */
#ifndef HOMECALL_TESTS_SUPPORT_TLS_TUNNEL_H
#define HOMECALL_TESTS_SUPPORT_TLS_TUNNEL_H

#include "support/tls_peer.h"
#include "support/wire.h"

typedef struct tls_tunnel {
    int near;         /* owned: to the peer, without TLS; -1 when closed */
    int far;          /* owned: to the connection, with TLS; -1 when closed */
    SSL *client;      /* owned: the client over `far` */
    bytes *to_near;   /* owned: bytes that `near` has not taken yet; or NULL */
    bytes *to_far;    /* owned: bytes that `far` has not taken yet; or NULL */
    bool near_ended;  /* the peer has ended its side */
    bool far_ended;   /* the connection has ended its side */
    bool was_orderly; /* the connection has done so by a close_notify */
} tls_tunnel;

/* Make a tunnel between a new peer and `far`, a connected descriptor, which the tunnel owns from now on.
 * `type` is as for wire_open(). */
static inline void tls_tunnel_start(tls_tunnel *t, wire_peer *peer, int type, int far)
{
    *t = (tls_tunnel){.near = wire_open(peer, type), .far = far, .client = tls_peer_new(NULL, far)};
}

/* The same; `far` is made, and its other end, for the connection, is returned. */
static inline int tls_tunnel_open(tls_tunnel *t, wire_peer *peer, int type)
{
    int fds[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds), 0);
    tls_tunnel_start(t, peer, type, fds[0]);
    return fds[1];
}

/* Close both ends and free everything. A zeroed tunnel is legal. */
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

/* Read from the peer, and write to the connection. */
static inline void tls_tunnel_carry_to_far(tls_tunnel *t)
{
    uint8_t data[16 * 1024]; /* no more than fits into one record */
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

/* Read from the connection, and write to the peer. */
static inline void tls_tunnel_carry_to_near(tls_tunnel *t)
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

/* Carry bytes in both directions, as far as they have come and the sockets take them. */
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
    tls_tunnel_carry_to_far(t);
    tls_tunnel_carry_to_near(t);
}

#endif
