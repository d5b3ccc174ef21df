#include "net/tls_stream.h"

#include "base/bytes.h"

#include <assert.h>
#include <errno.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/bufferevent_ssl.h>
#include <event2/bufferevent_struct.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stdlib.h>
#include <string.h>

struct tls_stream {
    tls_context *tls;        /* counted: a share of ours */
    SSL *ssl;                /* owned */
    struct bufferevent *bev; /* owned; NULL while detached */
    bytes *moved;            /* owned: what was decrypted and not read before tls_stream_detach(); or NULL */
    tls_stream_fn on_event;
    void *context;     /* borrowed: for on_event */
    const char *fault; /* what tls_stream_fault() returns; a literal */
    int end; /* what tls_stream_read() returns when everything is read: -EAGAIN as long as more can come, then
                0 or another -errno */
    bool is_secured;  /* the handshake is done */
    bool holds_input; /* what tls_stream_holds_input() returns */
    bool has_read;    /* see tls_context_open() */
};

/* RFC 8446, 5.1: the most bytes that one record can have. */
enum { MAX_RECORD_BYTES = 16 * 1024 };

tls_stream *tls_stream_new(tls_context *tls, int fd, tls_stream_fn on_event, void *context)
{
    tls_stream *s = calloc(1, sizeof(*s));
    if (s == NULL)
        return NULL;
    *s = (tls_stream){.tls = tls_context_share(tls),
                      .ssl = tls_context_open(tls, fd, &s->has_read),
                      .on_event = on_event,
                      .context = context,
                      .fault = "TLS failed",
                      .end = -EAGAIN};
    if (s->ssl == NULL) {
        tls_stream_free(s);
        return NULL;
    }
    return s;
}

/* libevent frees a bufferevent only after its callbacks have returned, so within a callback later than now.
 * By then the number of the descriptor may belong to another file. So its events are deleted here. */
static void free_bufferevent(tls_stream *s)
{
    if (s->bev == NULL)
        return;
    event_del(&s->bev->ev_read);
    event_del(&s->bev->ev_write);
    bufferevent_free(s->bev);
    s->bev = NULL;
}

void tls_stream_free(tls_stream *s)
{
    if (s == NULL)
        return;
    free_bufferevent(s);
    bytes_clear(&s->moved);
    SSL_free(s->ssl);
    tls_context_free(s->tls);
    free(s);
}

/* Keep what the bufferevent has decrypted, since that is freed with it. */
static void keep_input(tls_stream *s)
{
    struct evbuffer *input = bufferevent_get_input(s->bev);
    size_t len = evbuffer_get_length(input);
    if (len == 0)
        return;
    uint8_t *kept = bytes_extend(&s->moved, len);
    if (kept == NULL) {
        s->end = -ENOMEM;
        return;
    }
    int taken = evbuffer_remove(input, kept, len);
    assert(taken >= 0 && (size_t)taken == len);
    (void)taken;
}

void tls_stream_detach(tls_stream *s)
{
    if (s->bev == NULL)
        return;
    keep_input(s);
    free_bufferevent(s);
}

/* ---- The bufferevent's callbacks ---- */

static void on_bytes(struct bufferevent *bev, void *context)
{
    (void)bev;
    tls_stream *s = context;
    s->holds_input = true;
    s->on_event(s->context, TLS_STREAM_READABLE);
}

/* Keep OpenSSL's text for an error. */
static void note_fault(tls_stream *s, unsigned long error)
{
    const char *reason = ERR_reason_error_string(error);
    if (reason != NULL)
        s->fault = reason;
}

static void on_secured(tls_stream *s)
{
    assert(!s->is_secured);
    s->is_secured = true;
    s->has_read = false;
    s->holds_input = SSL_has_pending(s->ssl) != 0; /* the request may have come with the handshake */
    s->on_event(s->context, TLS_STREAM_SECURED);
}

static void on_end(tls_stream *s, bool is_orderly)
{
    bool is_fault = false;
    for (unsigned long error;
         (error = bufferevent_get_openssl_error(s->bev)) != 0;) { /* the oldest comes last, and is kept */
        is_fault |= error == SSL_ERROR_SSL;
        note_fault(s, error);
    }
    s->end = is_fault ? -EPROTO : is_orderly && s->is_secured ? 0 : -ECONNRESET;
    s->holds_input = true;
    s->on_event(s->context, TLS_STREAM_READABLE);
}

static void on_change(struct bufferevent *bev, short what, void *context)
{
    (void)bev;
    if ((what & BEV_EVENT_CONNECTED) != 0)
        on_secured(context);
    else
        on_end(context, (what & BEV_EVENT_EOF) != 0);
}

/* ---- Waiting for input ---- */

static int make_bufferevent(tls_stream *s, struct event_base *base)
{
    enum bufferevent_ssl_state state = s->is_secured ? BUFFEREVENT_SSL_OPEN : BUFFEREVENT_SSL_ACCEPTING;
    s->bev = bufferevent_openssl_socket_new(base, -1, s->ssl, state, 0); /* -1: the SSL has the descriptor */
    if (s->bev == NULL)
        return -ENOMEM;
    bufferevent_setcb(s->bev, on_bytes, NULL, on_change, s);
    bufferevent_disable(s->bev, EV_WRITE); /* its output is not used */
    return 0;
}

int tls_stream_watch_input(tls_stream *s, struct event_base *base)
{
    if (s->bev == NULL && make_bufferevent(s, base) != 0)
        return -ENOMEM;
    assert(bufferevent_get_base(s->bev) == base);
    errno = 0; /* libevent does not set it when its own allocation fails */
    if (bufferevent_enable(s->bev, EV_READ) == 0)
        return 0;
    int error = errno != 0 ? -errno : -ENOMEM;
    tls_stream_ignore_input(s);
    return error;
}

void tls_stream_ignore_input(tls_stream *s)
{
    if (s->bev != NULL)
        bufferevent_disable(s->bev, EV_READ);
}

bool tls_stream_watches_input(const tls_stream *s)
{
    return s->bev != NULL && (bufferevent_get_enabled(s->bev) & EV_READ) != 0;
}

bool tls_stream_is_secured(const tls_stream *s)
{
    return s->is_secured;
}

bool tls_stream_holds_input(const tls_stream *s)
{
    return s->holds_input;
}

bool tls_stream_has_ended(const tls_stream *s)
{
    return s->end == 0;
}

const char *tls_stream_fault(const tls_stream *s)
{
    return s->fault;
}

/* ---- Reading and writing ---- */

/* OpenSSL has one queue of errors for each thread. An error that is in it before a call would be taken for an
 * error of that call. To look whether the queue is empty is cheaper than to clear it. */
static void forget_errors(void)
{
    if (ERR_peek_error() != 0)
        ERR_clear_error();
}

/* The -errno for a call of OpenSSL that has returned `result` and did not succeed. 0 when the peer has ended
 * its side. */
static int explain(tls_stream *s, int result)
{
    int error = SSL_get_error(s->ssl, result);
    if (error == SSL_ERROR_SSL)
        note_fault(s, ERR_peek_error()); /* the oldest: the others follow from it */
    forget_errors();
    switch (error) {
    case SSL_ERROR_WANT_READ:
    case SSL_ERROR_WANT_WRITE:
        return -EAGAIN;
    case SSL_ERROR_ZERO_RETURN:
        return 0;
    case SSL_ERROR_SSL:
        return -EPROTO;
    default:
        return -ECONNRESET;
    }
}

static size_t read_moved(tls_stream *s, uint8_t *data, size_t len)
{
    if (s->moved == NULL)
        return 0;
    size_t got = bytes_len(s->moved) < len ? bytes_len(s->moved) : len;
    memcpy(data, bytes_head(s->moved), got);
    bytes_consume(&s->moved, got);
    return got;
}

/* Read what the bufferevent has decrypted. */
static size_t read_decrypted(tls_stream *s, uint8_t *data, size_t len)
{
    int got = s->bev == NULL ? 0 : evbuffer_remove(bufferevent_get_input(s->bev), data, len);
    return got > 0 ? (size_t)got : 0;
}

/* Read the records that came together with the one that the bufferevent has decrypted. It decrypts one each
 * time that the descriptor is readable, and these have been read from the descriptor already. */
static size_t read_pending(tls_stream *s, uint8_t *data, size_t len)
{
    size_t got = 0;
    while (got < len && s->end == -EAGAIN && SSL_has_pending(s->ssl) != 0) {
        size_t more;
        forget_errors();
        int result = SSL_read_ex(s->ssl, data + got, len - got, &more);
        if (result == 1) {
            got += more;
            continue;
        }
        s->end = explain(s, result);
        if (s->end == -EAGAIN) /* only a part of a record; the descriptor becomes readable for the rest */
            break;
    }
    return got;
}

ssize_t tls_stream_read(tls_stream *s, uint8_t *data, size_t len)
{
    size_t got = read_moved(s, data, len);
    got += read_decrypted(s, data + got, len - got);
    if (s->is_secured)
        got += read_pending(s, data + got, len - got);
    s->has_read = false;
    s->holds_input = got == len || s->end != -EAGAIN;
    return got > 0 ? (ssize_t)got : s->end;
}

ssize_t tls_stream_write(tls_stream *s, const uint8_t *data, size_t len)
{
    if (!s->is_secured)
        return -EAGAIN;
    size_t taken;
    forget_errors();
    int result = SSL_write_ex(s->ssl, data, len < MAX_RECORD_BYTES ? len : MAX_RECORD_BYTES, &taken);
    if (result == 1)
        return (ssize_t)taken;
    int error = explain(s, result);
    return error == 0 ? -EPIPE : error;
}

int tls_stream_end_output(tls_stream *s)
{
    if (!s->is_secured)
        return 0;
    forget_errors();
    int result = SSL_shutdown(s->ssl);
    return result < 0 && explain(s, result) == -EAGAIN ? -EAGAIN : 0;
}
