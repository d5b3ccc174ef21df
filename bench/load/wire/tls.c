#include "wire/tls.h"

#include <arpa/inet.h>
#include <errno.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>

struct tls_settings {
    SSL_CTX *context; /* owned */
    char *host;       /* owned */
    bool is_insecure;
};

struct tls_stream {
    SSL *ssl;            /* owned */
    bool wants_writable; /* see tls_wants_writable() */
};

static _Thread_local char last_error[160];

int tls_settings_new(const char *host, const char *ca_file, bool is_insecure, tls_settings **out)
{
    tls_settings *settings = calloc(1, sizeof(*settings));
    if (settings == NULL)
        return -ENOMEM;
    settings->is_insecure = is_insecure;
    settings->host = strdup(host);
    settings->context = SSL_CTX_new(TLS_client_method());
    int error = settings->host == NULL || settings->context == NULL ? -ENOMEM : 0;
    if (error == 0) {
        SSL_CTX_set_mode(settings->context, SSL_MODE_ENABLE_PARTIAL_WRITE |
                                                SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                                                SSL_MODE_RELEASE_BUFFERS);
        SSL_CTX_set_verify(settings->context, is_insecure ? SSL_VERIFY_NONE : SSL_VERIFY_PEER, NULL);
        int loaded = ca_file == NULL ? SSL_CTX_set_default_verify_paths(settings->context)
                                     : SSL_CTX_load_verify_locations(settings->context, ca_file, NULL);
        error = loaded == 1 ? 0 : -EINVAL;
    }
    if (error != 0)
        tls_settings_free(settings);
    else
        *out = settings;
    return error;
}

void tls_settings_free(tls_settings *settings)
{
    if (settings == NULL)
        return;
    SSL_CTX_free(settings->context);
    free(settings->host);
    free(settings);
}

static bool is_ip_address(const char *host)
{
    unsigned char bytes[16];
    return inet_pton(AF_INET, host, bytes) == 1 || inet_pton(AF_INET6, host, bytes) == 1;
}

/* Send the name of the host, and have the certificate checked against it. RFC 6066, 3: the name of an address
 * is not sent. 1, or another number when OpenSSL fails. */
static int name_host(SSL *ssl, const tls_settings *settings)
{
    if (is_ip_address(settings->host))
        return settings->is_insecure ? 1 : X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), settings->host);
    if (SSL_set_tlsext_host_name(ssl, settings->host) != 1)
        return 0;
    return settings->is_insecure ? 1 : SSL_set1_host(ssl, settings->host);
}

tls_stream *tls_open(tls_settings *settings, int fd)
{
    tls_stream *t = calloc(1, sizeof(*t));
    if (t == NULL)
        return NULL;
    t->ssl = SSL_new(settings->context);
    if (t->ssl == NULL || SSL_set_fd(t->ssl, fd) != 1 || name_host(t->ssl, settings) != 1) {
        SSL_free(t->ssl);
        free(t);
        return NULL;
    }
    SSL_set_connect_state(t->ssl);
    return t;
}

void tls_close(tls_stream *t)
{
    if (t == NULL)
        return;
    ERR_clear_error();
    if (SSL_is_init_finished(t->ssl))
        SSL_shutdown(t->ssl);
    ERR_clear_error();
    SSL_free(t->ssl);
    free(t);
}

/* The -errno for a call of OpenSSL that has returned `result` and did not succeed. 0 at the peer's end. */
static int explain(tls_stream *t, int result)
{
    switch (SSL_get_error(t->ssl, result)) {
    case SSL_ERROR_WANT_READ:
        t->wants_writable = false;
        return -EAGAIN;
    case SSL_ERROR_WANT_WRITE:
        t->wants_writable = true;
        return -EAGAIN;
    case SSL_ERROR_ZERO_RETURN:
        return 0;
    case SSL_ERROR_SYSCALL:
        if (ERR_peek_error() == 0) /* TCP has ended without a close_notify */
            return 0;
        break;
    default:
        break;
    }
    long verdict = SSL_get_verify_result(t->ssl);
    if (verdict != X509_V_OK)
        snprintf(last_error, sizeof(last_error), "%s", X509_verify_cert_error_string(verdict));
    else
        ERR_error_string_n(ERR_get_error(), last_error, sizeof(last_error));
    ERR_clear_error();
    return -EPROTO;
}

int tls_handshake(tls_stream *t)
{
    ERR_clear_error();
    int result = SSL_do_handshake(t->ssl);
    if (result == 1)
        return 0;
    int error = explain(t, result);
    if (error == 0)
        snprintf(last_error, sizeof(last_error), "the server ended the TLS handshake");
    return error == 0 ? -EPROTO : error;
}

ssize_t tls_read(tls_stream *t, uint8_t *data, size_t len)
{
    ERR_clear_error();
    size_t got;
    int result = SSL_read_ex(t->ssl, data, len, &got);
    return result == 1 ? (ssize_t)got : explain(t, result);
}

ssize_t tls_write(tls_stream *t, const uint8_t *data, size_t len)
{
    ERR_clear_error();
    size_t taken;
    int result = SSL_write_ex(t->ssl, data, len, &taken);
    if (result == 1)
        return (ssize_t)taken;
    int error = explain(t, result);
    return error == 0 ? -EPIPE : error;
}

bool tls_wants_writable(const tls_stream *t)
{
    return t->wants_writable;
}

bool tls_has_unread(const tls_stream *t)
{
    return SSL_pending(t->ssl) > 0;
}

const char *tls_error(void)
{
    return last_error;
}
