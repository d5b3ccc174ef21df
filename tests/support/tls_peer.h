/* The peer's end of TLS: a client over a non-blocking descriptor, which the test drives step by step in its
 * own thread. If something fails that must work, the running cmocka test fails. */
#ifndef HOMECALL_TESTS_SUPPORT_TLS_PEER_H
#define HOMECALL_TESTS_SUPPORT_TLS_PEER_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stdbool.h>
#include <sys/types.h>

/* A new context for clients, whose settings a test may change before it makes an SSL. */
static inline SSL_CTX *tls_peer_new_context(void)
{
    SSL_CTX *context = SSL_CTX_new(TLS_client_method());
    assert_non_null(context);
    SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    SSL_CTX_set_verify(context, SSL_VERIFY_NONE, NULL);
    return context;
}

/* A new client over `fd`, which is borrowed. `context` may be NULL for one with the usual settings. */
static inline SSL *tls_peer_new(SSL_CTX *context, int fd)
{
    SSL_CTX *ordinary = context == NULL ? tls_peer_new_context() : NULL;
    SSL *ssl = SSL_new(ordinary != NULL ? ordinary : context);
    SSL_CTX_free(ordinary); /* the SSL has a share of its own */
    assert_non_null(ssl);
    assert_int_equal(SSL_set_fd(ssl, fd), 1);
    SSL_set_connect_state(ssl);
    return ssl;
}

/* Why a call has not succeeded: 0 for an end with close_notify; -ECONNRESET for an end without one; -EAGAIN;
 * or -EPROTO for a fault of TLS, whose reason is in *fault if that is not NULL. */
static inline int tls_peer_explain(SSL *ssl, int result, int *fault)
{
    int error = SSL_get_error(ssl, result);
    int reason = ERR_GET_REASON(ERR_peek_error());
    if (fault != NULL)
        *fault = reason;
    ERR_clear_error();
    if (error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE)
        return -EAGAIN;
    if (error == SSL_ERROR_ZERO_RETURN)
        return 0;
    return error == SSL_ERROR_SSL && reason != SSL_R_UNEXPECTED_EOF_WHILE_READING ? -EPROTO : -ECONNRESET;
}

/* One step of the handshake. 1 when it is done, else the result of tls_peer_explain(). */
static inline int tls_peer_shake_hands(SSL *ssl, int *fault)
{
    ERR_clear_error();
    int result = SSL_do_handshake(ssl);
    return result == 1 ? 1 : tls_peer_explain(ssl, result, fault);
}

/* Read once. How many bytes were read, else the result of tls_peer_explain(). */
static inline ssize_t tls_peer_read(SSL *ssl, void *data, size_t len)
{
    size_t got;
    ERR_clear_error();
    int result = SSL_read_ex(ssl, data, len, &got);
    return result == 1 ? (ssize_t)got : tls_peer_explain(ssl, result, NULL);
}

/* Write once. How many bytes were taken, else the result of tls_peer_explain(). */
static inline ssize_t tls_peer_write(SSL *ssl, const void *data, size_t len)
{
    size_t taken;
    ERR_clear_error();
    int result = SSL_write_ex(ssl, data, len, &taken);
    return result == 1 ? (ssize_t)taken : tls_peer_explain(ssl, result, NULL);
}

/* Write all bytes, in one record if they fit; the socket must take them. */
static inline void tls_peer_send(SSL *ssl, const void *data, size_t len)
{
    for (size_t sent = 0; sent < len;) {
        ssize_t taken = tls_peer_write(ssl, (const char *)data + sent, len - sent);
        assert_true(taken > 0);
        sent += (size_t)taken;
    }
}

#endif
