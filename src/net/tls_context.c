#include "net/tls_context.h"

#include <errno.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/obj_mac.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

struct tls_context {
    atomic_uint shares; /* how many owners there are. Acquire-release, so that the last one, who frees it,
                           sees all that others have done with it. */
    SSL_CTX *ssl;       /* owned */
    BIO_METHOD *socket; /* owned: how a descriptor is read and written */
    int64_t not_after_s;
    const char *warning; /* a literal, or NULL */
};

/* AES with 128 bits comes first: it is the cheapest, and safe. A client that prefers ChaCha20, because its
 * processor has no AES, gets that (SSL_OP_PRIORITIZE_CHACHA). */
static const char ciphers_of_1_2[] = "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:"
                                     "ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384:"
                                     "ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305";
static const char ciphers_of_1_3[] =
    "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256";

/* The key exchanges that cost least, which every browser knows. Others may cost a hundred times as much: with
 * ffdhe8192, 15 hellos a second would keep a thread busy. */
static const char groups[] = "X25519:P-256";

/* SSL_OP_IGNORE_UNEXPECTED_EOF: an end of TCP without a close_notify is no fault of TLS. A WebSocket says by
 * a close frame that it ends in order. */
static const uint64_t options = SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_PRIORITIZE_CHACHA |
                                SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION |
                                SSL_OP_IGNORE_UNEXPECTED_EOF;

/* The first: output that was not taken may be offered again from another place in memory. The second: an idle
 * connection keeps no buffers. */
static const long modes = SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER | SSL_MODE_RELEASE_BUFFERS;

/* ---- A socket as the plain transport uses it ---- */

/* This is not OpenSSL's own BIO of a socket. That one uses write(), which raises SIGPIPE, and a library can't
 * ignore SIGPIPE for its program; and read() and write() cost more than recv() and send(). No part of it is
 * reused here: what it keeps behind BIO_get_data() is not documented, and changed with OpenSSL 3.2. */
typedef struct tls_socket {
    int fd;                  /* borrowed */
    tls_socket_notes *notes; /* borrowed */
    struct tls_ahead *ahead; /* owned; NULL = nothing was read ahead */
    bool has_ended;          /* the peer has ended its side of TCP */
} tls_socket;

/* What was read from the socket before OpenSSL has asked for it. OpenSSL reads all that has come by itself
 * (SSL_CTX_set_read_ahead()), but from 3.2 on not before the handshake is done: until then it asks for the
 * head of each record, and then for the rest. One flight of a client would take four calls of the system. */
typedef struct tls_ahead {
    size_t start, end; /* of `data`: what OpenSSL has not read yet */
    char data[2 * 1024];
} tls_ahead;

static int create_socket(BIO *bio)
{
    tls_socket *s = calloc(1, sizeof(*s));
    if (s == NULL)
        return 0;
    s->fd = -1;
    BIO_set_data(bio, s);
    BIO_set_init(bio, 1);
    return 1;
}

static int destroy_socket(BIO *bio)
{
    tls_socket *s = BIO_get_data(bio);
    free(s->ahead);
    free(s);
    BIO_set_data(bio, NULL);
    return 1;
}

/* One call of recv(). As it returns, but 0 is noted. */
static int receive(tls_socket *s, char *data, size_t len)
{
    int got = (int)recv(s->fd, data, len, 0);
    if (got == 0)
        s->has_ended = true;
    s->notes->has_read = got > 0;
    return got;
}

/* Give OpenSSL what was read ahead, at most `len` bytes. */
static int take_ahead(tls_socket *s, char *data, size_t len)
{
    tls_ahead *a = s->ahead;
    size_t taken = len < a->end - a->start ? len : a->end - a->start;
    memcpy(data, a->data + a->start, taken);
    a->start += taken;
    s->notes->has_ahead = a->start < a->end;
    return (int)taken;
}

/* OpenSSL wants the head of a record: read ahead. As recv(). */
static int receive_ahead(tls_socket *s, char *data, size_t len)
{
    if (s->ahead == NULL)
        s->ahead = malloc(sizeof(*s->ahead));
    if (s->ahead == NULL)
        return receive(s, data, len);
    int got = receive(s, s->ahead->data, sizeof(s->ahead->data));
    s->ahead->start = 0;
    s->ahead->end = got > 0 ? (size_t)got : 0;
    return got > 0 ? take_ahead(s, data, len) : got;
}

static int read_socket(BIO *bio, char *data, int len)
{
    tls_socket *s = BIO_get_data(bio);
    BIO_clear_retry_flags(bio);
    if (s->notes->has_ahead)
        return take_ahead(s, data, (size_t)len);
    if (s->notes->has_read) {
        s->notes->has_read = false;
        BIO_set_retry_read(bio);
        return -1;
    }

    int got;
    if (len == SSL3_RT_HEADER_LENGTH) {
        got = receive_ahead(s, data, (size_t)len);
    } else {
        free(s->ahead);
        s->ahead = NULL;
        got = receive(s, data, (size_t)len);
    }
    if (got < 0 && BIO_sock_should_retry(got) != 0)
        BIO_set_retry_read(bio);
    return got;
}

static int write_socket(BIO *bio, const char *data, int len)
{
    const tls_socket *s = BIO_get_data(bio);
    int taken = (int)send(s->fd, data, (size_t)len, MSG_NOSIGNAL | (s->notes->has_more ? MSG_MORE : 0));
    BIO_clear_retry_flags(bio);
    if (taken < 0 && BIO_sock_should_retry(taken) != 0)
        BIO_set_retry_write(bio);
    return taken;
}

/* The controls that OpenSSL calls on the BIO of a connection. The result for all others is 0. */
static long control_socket(BIO *bio, int what, long number, void *out)
{
    const tls_socket *s = BIO_get_data(bio);
    switch (what) {
    case BIO_C_GET_FD:
        if (out != NULL)
            *(int *)out = s->fd;
        return s->fd;
    case BIO_CTRL_EOF:
        return s->has_ended;
    case BIO_CTRL_FLUSH: /* there is no buffer to flush */
        return 1;
    case BIO_CTRL_GET_CLOSE: /* the descriptor is borrowed; that can't be changed */
        return BIO_NOCLOSE;
    case BIO_CTRL_SET_CLOSE:
        return number == BIO_NOCLOSE;
    default:
        return 0;
    }
}

static BIO_METHOD *new_socket_method(void)
{
    /* A type index of its own, by BIO_get_new_index(), is not needed: nobody looks for this BIO by its type,
     * and OpenSSL has only few of them. */
    BIO_METHOD *method = BIO_meth_new(BIO_TYPE_SOURCE_SINK | BIO_TYPE_DESCRIPTOR, "socket of a connection");
    if (method != NULL && BIO_meth_set_create(method, create_socket) == 1 &&
        BIO_meth_set_destroy(method, destroy_socket) == 1 && BIO_meth_set_read(method, read_socket) == 1 &&
        BIO_meth_set_write(method, write_socket) == 1 && BIO_meth_set_ctrl(method, control_socket) == 1)
        return method;
    BIO_meth_free(method);
    return NULL;
}

/* ---- The settings ---- */

static int choose_protocol(SSL *ssl, const unsigned char **out, unsigned char *out_len,
                           const unsigned char *offered, unsigned offered_len, void *context)
{
    (void)ssl;
    (void)context;
    static const unsigned char ours[] = "\x08http/1.1";
    unsigned char *chosen;
    if (SSL_select_next_proto(&chosen, out_len, ours, sizeof(ours) - 1, offered, offered_len) !=
        OPENSSL_NPN_NEGOTIATED)
        return SSL_TLSEXT_ERR_ALERT_FATAL; /* RFC 7301, 3.2: no_application_protocol */
    *out = chosen;
    return SSL_TLSEXT_ERR_OK;
}

/* OpenSSL's own callback would ask for a passphrase at the terminal. This one notes that there is one. */
static int give_no_passphrase(char *out, int cap, int is_for_writing, void *was_asked)
{
    (void)out;
    (void)cap;
    (void)is_for_writing;
    *(bool *)was_asked = true;
    return -1;
}

static bool apply_settings(SSL_CTX *ssl)
{
    SSL_CTX_set_options(ssl, options);
    SSL_CTX_set_mode(ssl, modes);
    SSL_CTX_set_session_cache_mode(ssl, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_read_ahead(ssl, 1); /* one system call for all records that have come; see also tls_ahead */
    SSL_CTX_set_alpn_select_cb(ssl, choose_protocol, NULL);
    return SSL_CTX_set_min_proto_version(ssl, TLS1_2_VERSION) == 1 &&
           SSL_CTX_set_cipher_list(ssl, ciphers_of_1_2) == 1 &&
           SSL_CTX_set_ciphersuites(ssl, ciphers_of_1_3) == 1 &&
           SSL_CTX_set1_groups_list(ssl, (char *)(uintptr_t)groups) == 1 &&
           SSL_CTX_set_num_tickets(ssl, 1) == 1; /* a client that resumes its session gets the next one */
}

/* So that a client can resume its session with the new context. False if OpenSSL fails. */
static bool copy_ticket_keys(SSL_CTX *to, SSL_CTX *from)
{
    unsigned char keys[256]; /* more than enough: they have 80 bytes */
    long len = SSL_CTX_get_tlsext_ticket_keys(from, NULL, 0);
    bool is_copied = len > 0 && len <= (long)sizeof(keys) &&
                     SSL_CTX_get_tlsext_ticket_keys(from, keys, len) == 1 &&
                     SSL_CTX_set_tlsext_ticket_keys(to, keys, len) == 1;
    OPENSSL_cleanse(keys, sizeof(keys));
    return is_copied;
}

/* ---- The files ---- */

/* The end of a path that is too long to be shown: its end says more than its start. */
static const char *tail_of(const char *file)
{
    enum { SHOWN = 160 }; /* a line of the log has 256 bytes for the text, and the reason must fit as well */
    size_t len = strlen(file);
    return len > SHOWN ? file + len - SHOWN : file;
}

/* Write into `fault` what is wrong with `file`: OpenSSL's first error, from which the others follow. Returns
 * -EINVAL or -ENOMEM. */
static int explain_fault(const char *file, char fault[TLS_CONTEXT_FAULT_CAP])
{
    unsigned long error = ERR_get_error();
    const char *reason =
        ERR_SYSTEM_ERROR(error) ? strerror(ERR_GET_REASON(error)) : ERR_reason_error_string(error);
    snprintf(fault, TLS_CONTEXT_FAULT_CAP, "%s: %s", tail_of(file), reason == NULL ? "unusable" : reason);
    return ERR_GET_REASON(error) == ERR_R_MALLOC_FAILURE ? -ENOMEM : -EINVAL;
}

static int load_key(SSL_CTX *ssl, const char *file, char fault[TLS_CONTEXT_FAULT_CAP])
{
    bool was_asked = false;
    SSL_CTX_set_default_passwd_cb(ssl, give_no_passphrase);
    SSL_CTX_set_default_passwd_cb_userdata(ssl, &was_asked);
    bool loaded =
        SSL_CTX_use_PrivateKey_file(ssl, file, SSL_FILETYPE_PEM) == 1 && SSL_CTX_check_private_key(ssl) == 1;
    SSL_CTX_set_default_passwd_cb_userdata(ssl, NULL);
    if (loaded)
        return 0;
    if (!was_asked)
        return explain_fault(file, fault);
    snprintf(fault, TLS_CONTEXT_FAULT_CAP, "%s: it has a passphrase", tail_of(file));
    return -EINVAL;
}

static int load_files(SSL_CTX *ssl, const char *cert_file, const char *key_file,
                      char fault[TLS_CONTEXT_FAULT_CAP])
{
    ERR_clear_error();
    if (SSL_CTX_use_certificate_chain_file(ssl, cert_file) != 1)
        return explain_fault(cert_file, fault);
    return load_key(ssl, key_file, fault);
}

/* Does a signature by this key cost little? Each full handshake pays for one. */
static bool is_cheap(const EVP_PKEY *key)
{
    char group[32] = "";
    if (EVP_PKEY_is_a(key, "ED25519") == 1)
        return true;
    return EVP_PKEY_is_a(key, "EC") == 1 && EVP_PKEY_get_group_name(key, group, sizeof(group), NULL) == 1 &&
           strcmp(group, SN_X9_62_prime256v1) == 0;
}

static void note_warning(tls_context *c)
{
    const X509 *cert = SSL_CTX_get0_certificate(c->ssl);
    struct tm end;
    if (ASN1_TIME_to_tm(X509_get0_notAfter(cert), &end) == 1)
        c->not_after_s = timegm(&end);
    if (X509_cmp_current_time(X509_get0_notAfter(cert)) < 0)
        c->warning = "the certificate has expired";
    else if (X509_cmp_current_time(X509_get0_notBefore(cert)) > 0)
        c->warning = "the certificate is not valid yet";
    else if (!is_cheap(SSL_CTX_get0_privatekey(c->ssl)))
        c->warning = "its key makes each handshake cost many times what one of ECDSA P-256 costs (certbot: "
                     "--key-type ecdsa --elliptic-curve secp256r1)";
}

int tls_context_load(const char *cert_file, const char *key_file, const tls_context *previous,
                     tls_context **out, char fault[TLS_CONTEXT_FAULT_CAP])
{
    snprintf(fault, TLS_CONTEXT_FAULT_CAP, "out of memory");
    tls_context *c = calloc(1, sizeof(*c));
    if (c == NULL)
        return -ENOMEM;
    atomic_init(&c->shares, 1);

    int error = -ENOMEM;
    c->socket = new_socket_method();
    c->ssl = SSL_CTX_new(TLS_server_method());
    if (c->socket != NULL && c->ssl != NULL && apply_settings(c->ssl) &&
        (previous == NULL || copy_ticket_keys(c->ssl, previous->ssl)))
        error = load_files(c->ssl, cert_file, key_file, fault);
    if (error != 0) {
        ERR_clear_error();
        tls_context_free(c);
        return error;
    }
    note_warning(c);
    *out = c;
    return 0;
}

/* ---- Sharing ---- */

tls_context *tls_context_share(tls_context *c)
{
    atomic_fetch_add_explicit(&c->shares, 1, memory_order_relaxed);
    return c;
}

void tls_context_free(tls_context *c)
{
    if (c == NULL || atomic_fetch_sub_explicit(&c->shares, 1, memory_order_acq_rel) > 1)
        return;
    SSL_CTX_free(c->ssl);
    BIO_meth_free(c->socket);
    free(c);
}

int64_t tls_context_not_after_s(const tls_context *c)
{
    return c->not_after_s;
}

const char *tls_context_warning(const tls_context *c)
{
    return c->warning;
}

SSL *tls_context_open(tls_context *c, int fd, tls_socket_notes *notes)
{
    SSL *ssl = SSL_new(c->ssl);
    BIO *bio = ssl == NULL ? NULL : BIO_new(c->socket);
    if (bio == NULL) {
        ERR_clear_error();
        SSL_free(ssl);
        return NULL;
    }
    tls_socket *socket = BIO_get_data(bio);
    socket->fd = fd;
    socket->notes = notes;
    SSL_set_bio(ssl, bio, bio);
    SSL_set_accept_state(ssl);
    return ssl;
}
