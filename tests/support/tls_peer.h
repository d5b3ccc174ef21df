/* The peer's end of TLS, a client over a non-blocking descriptor, driven step by step by the test's own
 * thread. What must work and does not fails the running cmocka test. */
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

/* What a client may want to be different, to be changed before its SSL is made. */
static inline SSL_CTX *tls_peer_new_context(void)
{
    SSL_CTX *context = SSL_CTX_new(TLS_client_method());
    assert_non_null(context);
    SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    SSL_CTX_set_verify(context, SSL_VERIFY_NONE, NULL);
    return context;
}

/* `fd` is borrowed. A context of NULL: an ordinary client. */
static inline SSL *tls_peer_new(SSL_CTX *context, int fd)
{
    SSL_CTX *ordinary = context == NULL ? tls_peer_new_context() : NULL;
    SSL *ssl = SSL_new(ordinary != NULL ? ordinary : context);
    SSL_CTX_free(ordinary); /* the SSL has its own share */
    assert_non_null(ssl);
    assert_int_equal(SSL_set_fd(ssl, fd), 1);
    SSL_set_connect_state(ssl);
    return ssl;
}

/* The outcome of a call: 0 for an end with close_notify, -EAGAIN, -ECONNRESET for an end without, -EPROTO for
 * a fault, whose reason is in *fault if that is not NULL. */
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

/* One step of the handshake: 1 when it is done, or as tls_peer_explain(). */
static inline int tls_peer_shake_hands(SSL *ssl, int *fault)
{
    ERR_clear_error();
    int result = SSL_do_handshake(ssl);
    return result == 1 ? 1 : tls_peer_explain(ssl, result, fault);
}

/* Bytes read, or as tls_peer_explain(). */
static inline ssize_t tls_peer_read(SSL *ssl, void *data, size_t len)
{
    size_t got;
    ERR_clear_error();
    int result = SSL_read_ex(ssl, data, len, &got);
    return result == 1 ? (ssize_t)got : tls_peer_explain(ssl, result, NULL);
}

/* Bytes taken, or as tls_peer_explain(). */
static inline ssize_t tls_peer_write(SSL *ssl, const void *data, size_t len)
{
    size_t taken;
    ERR_clear_error();
    int result = SSL_write_ex(ssl, data, len, &taken);
    return result == 1 ? (ssize_t)taken : tls_peer_explain(ssl, result, NULL);
}

/* The socket must take it all, in one record where it fits. */
static inline void tls_peer_send(SSL *ssl, const void *data, size_t len)
{
    for (size_t sent = 0; sent < len;) {
        ssize_t taken = tls_peer_write(ssl, (const char *)data + sent, len - sent);
        assert_true(taken > 0);
        sent += (size_t)taken;
    }
}

#endif
