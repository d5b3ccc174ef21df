#include "net/tls_stream.h"

#include <assert.h>
#include <errno.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/epoll.h>

/* What only the handshake needs. */
typedef struct tls_handshake {
    tls_waiter waiter;  /* first; for the pacer */
    tls_pacer *pacer;   /* borrowed: see tls_stream_pace_handshake(); NULL = none */
    tls_stream *stream; /* borrowed: whose it is */
} tls_handshake;

static_assert(offsetof(tls_handshake, waiter) == 0, "on_turn() casts");

struct tls_stream {
    tls_context *tls;              /* counted: a share of ours */
    SSL *ssl;                      /* owned; NULL until the first step of the handshake */
    int fd;                        /* borrowed */
    const tls_stream_owner *owner; /* borrowed */
    void *context;                 /* borrowed: for the owner */
    tls_handshake *handshake;      /* owned; NULL when it is done */
    const char *fault;             /* what tls_stream_fault() returns; a literal */
    int end; /* what tls_stream_read() returns when everything is read: -EAGAIN as long as more can come, then
                0 or another -errno */
    uint32_t key_updates; /* how often the peer has changed its keys */
    uint8_t awaited;      /* EPOLLIN; or EPOLLOUT while the handshake waits for that */
    bool watches;         /* what tls_stream_watches_input() returns */
    bool is_secured;      /* the handshake is done */
    bool holds_input;     /* what tls_stream_holds_input() returns */
    tls_socket_notes notes;
};

/* RFC 8446, 5.1: the most bytes that one record can have. */
enum { MAX_RECORD_BYTES = 16 * 1024 };

/* A peer changes its keys after 2^24 records at the latest (RFC 8446, 5.5), so none of ours ever does. Each
 * change costs us as much as a thousand small frames, and none of what the limits count. */
enum { MAX_KEY_UPDATES = 64 };

/* ---- What OpenSSL says ---- */

/* OpenSSL has one queue of errors for each thread. An error that is in it before a call would be taken for an
 * error of that call. To look whether the queue is empty is cheaper than to clear it. */
static void forget_errors(void)
{
    if (ERR_peek_error() != 0)
        ERR_clear_error();
}

/* Keep OpenSSL's text for an error. */
static void note_fault(tls_stream *s, unsigned long error)
{
    const char *reason = ERR_reason_error_string(error);
    if (reason != NULL)
        s->fault = reason;
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

/* ---- The handshake ---- */

/* Have what the stream waits for watched. 0 or -errno. */
static int watch(tls_stream *s)
{
    return s->owner->watch(s->context, s->awaited);
}

static void watch_nothing(tls_stream *s)
{
    (void)s->owner->watch(s->context, 0);
}

/* Nothing more can come: tell it. There is nothing to wait for any more. */
static void end_input(tls_stream *s, int end)
{
    s->end = end;
    s->holds_input = true;
    if (s->watches)
        watch_nothing(s);
}

/* From now on wait until the descriptor is ready for `what`. 0 or -errno. */
static int await(tls_stream *s, uint8_t what)
{
    if (s->awaited == what)
        return 0;
    s->awaited = what;
    return watch(s);
}

/* OpenSSL calls this for each message of TLS itself. */
static void on_message(int is_ours, int version, int type, const void *data, size_t len, SSL *ssl,
                       void *context)
{
    (void)version;
    (void)ssl;
    tls_stream *s = context;
    if (!is_ours && type == SSL3_RT_HANDSHAKE && len > 0 && *(const uint8_t *)data == SSL3_MT_KEY_UPDATE)
        s->key_updates++;
}

/* Make OpenSSL's state. False without memory. */
static bool make_ssl(tls_stream *s)
{
    s->ssl = tls_context_open(s->tls, s->fd, &s->notes);
    if (s->ssl == NULL)
        return false;
    SSL_set_msg_callback(s->ssl, on_message);
    SSL_set_msg_callback_arg(s->ssl, s);
    return true;
}

static void fail(tls_stream *s, int error)
{
    end_input(s, error);
    s->owner->on_event(s->context, TLS_STREAM_READABLE);
}

/* Has our part of the handshake been written, but for a ticket? With TLS 1.3 a client whose part is complete
 * waits for nothing more. */
static bool is_ours_written(const tls_stream *s)
{
    uint8_t none;
    return SSL_version(s->ssl) == TLS1_3_VERSION && SSL_get_finished(s->ssl, &none, 0) > 0;
}

/* Is there input that the descriptor does not tell of any more? */
static bool has_pending(const tls_stream *s)
{
    return s->notes.has_ahead || SSL_has_pending(s->ssl) != 0;
}

/* One step of the handshake: what one read from the socket makes possible. A ticket waits for the answer to
 * the request, which mostly comes with the end of the handshake. */
static void shake_hands(tls_stream *s)
{
    if (s->ssl == NULL && !make_ssl(s)) {
        fail(s, -ENOMEM);
        return;
    }
    forget_errors();
    s->notes.has_more = is_ours_written(s);
    int result = SSL_do_handshake(s->ssl);
    s->notes.has_more = false;
    s->notes.has_read = false;
    bool is_done = result == 1;
    int error = is_done ? -EAGAIN : explain(s, result);
    if (error == -EAGAIN)
        error = await(s, !is_done && SSL_want_write(s->ssl) != 0 ? EPOLLOUT : EPOLLIN);
    else if (error == 0)
        error = -ECONNRESET; /* the peer has ended TCP too early */
    if (error != 0) {
        fail(s, error);
    } else if (is_done) {
        s->is_secured = true;
        if (s->handshake->pacer != NULL)
            tls_pacer_note_done(s->handshake->pacer, &s->handshake->waiter);
        free(s->handshake);
        s->handshake = NULL;
        SSL_set_options(s->ssl, SSL_OP_CLEANSE_PLAINTEXT); /* what follows is what people say */
        s->holds_input = has_pending(s);                   /* the request may have come with the handshake */
        s->owner->on_event(s->context, TLS_STREAM_SECURED);
    }
}

void tls_stream_go_on(tls_stream *s)
{
    tls_handshake *h = s->handshake;
    if (h == NULL || s->end != -EAGAIN)
        s->owner->on_event(s->context, TLS_STREAM_READABLE);
    else if (h->pacer == NULL || tls_pacer_ask(h->pacer, &h->waiter))
        shake_hands(s);
    else
        watch_nothing(s); /* or it would be told again and again */
}

/* Has the peer gone while it waited? Who has lost patience, and comes again, must not cost a signature for
 * each time. */
static bool is_peer_gone(const tls_stream *s)
{
    struct pollfd peer = {.fd = s->fd, .events = POLLRDHUP};
    return poll(&peer, 1, 0) == 1;
}

/* It has waited for a step, and takes it. */
static void on_turn(tls_waiter *w)
{
    tls_stream *s = ((tls_handshake *)(void *)w)->stream;
    bool is_first = s->ssl == NULL;
    int error = is_first && is_peer_gone(s) ? -ECONNRESET : watch(s);
    if (error != 0) {
        fail(s, error);
        return;
    }
    if (is_first)
        s->owner->on_event(s->context, TLS_STREAM_BEGINS);
    shake_hands(s);
}

/* ---- Its life ---- */

tls_stream *tls_stream_new(tls_context *tls, int fd, const tls_stream_owner *owner, void *context)
{
    tls_stream *s = calloc(1, sizeof(*s));
    if (s == NULL)
        return NULL;
    *s = (tls_stream){.tls = tls_context_share(tls),
                      .fd = fd,
                      .handshake = calloc(1, sizeof(tls_handshake)),
                      .owner = owner,
                      .context = context,
                      .awaited = EPOLLIN,
                      .fault = "TLS failed",
                      .end = -EAGAIN};
    if (s->handshake == NULL) {
        tls_context_free(tls);
        free(s);
        return NULL;
    }
    *s->handshake = (tls_handshake){.waiter = {.on_turn = on_turn}, .stream = s};
    return s;
}

void tls_stream_free(tls_stream *s)
{
    if (s == NULL)
        return;
    tls_stream_detach(s);
    free(s->handshake);
    SSL_free(s->ssl);
    tls_context_free(s->tls);
    free(s);
}

void tls_stream_pace_handshake(tls_stream *s, tls_pacer *pacer)
{
    s->handshake->pacer = pacer;
}

bool tls_stream_waits(const tls_stream *s)
{
    return s->handshake != NULL && s->handshake->waiter.waits;
}

int tls_stream_watch_input(tls_stream *s)
{
    if (s->watches)
        return 0;
    int error = s->end == -EAGAIN ? watch(s) : 0; /* there is nothing more to wait for after an end */
    s->watches = error == 0;
    return error;
}

void tls_stream_ignore_input(tls_stream *s)
{
    if (s->watches)
        watch_nothing(s);
    if (s->handshake != NULL && s->handshake->pacer != NULL)
        tls_pacer_leave(s->handshake->pacer, &s->handshake->waiter);
    s->watches = false;
}

void tls_stream_detach(tls_stream *s)
{
    tls_stream_ignore_input(s);
    if (s->handshake != NULL)
        s->handshake->pacer = NULL; /* it is the other thread's from now on, or it is freed */
}

bool tls_stream_watches_input(const tls_stream *s)
{
    return s->watches;
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

/* SSL_OP_CLEANSE_PLAINTEXT overwrites what people said, in OpenSSL's buffer, as it is read from there. It
 * also has the whole buffer overwritten when that is freed: 17 KB for a message of 200 bytes. So a buffer is
 * kept while records are read, and freed here without that: what was in it is overwritten already, or is as
 * it came from the network.
 *
 * To be called after a read that has left nothing in the buffer. Where there is a part of a record, versions
 * before 3.0.14 would free that. False when the buffer stays, because a written record waits in another. */
static bool free_buffer(tls_stream *s)
{
    SSL_clear_options(s->ssl, SSL_OP_CLEANSE_PLAINTEXT);
    bool is_freed = SSL_free_buffers(s->ssl) == 1;
    SSL_set_options(s->ssl, SSL_OP_CLEANSE_PLAINTEXT);
    return is_freed;
}

/* The same after any other read: have the buffer freed, unless there is a part of a record in it. OpenSSL
 * does that when it reads again and gets nothing. */
static void free_unused_buffer(tls_stream *s)
{
    uint8_t none;
    size_t got;
    s->notes.has_read = true; /* so it gets nothing: see tls_context_open() */
    (void)SSL_read_ex(s->ssl, &none, sizeof(none), &got);
    forget_errors();
}

/* Read what the socket has, and all records that come with that. They have been read from the descriptor, so
 * it does not tell of them again. For the rest of a record it does. */
static size_t read_records(tls_stream *s, uint8_t *data, size_t len)
{
    size_t got = 0;
    int result;
    bool has_more;
    SSL_clear_mode(s->ssl, SSL_MODE_RELEASE_BUFFERS);
    do {
        size_t more;
        forget_errors();
        result = SSL_read_ex(s->ssl, data + got, len - got, &more);
        if (s->key_updates > MAX_KEY_UPDATES) {
            s->fault = "too many changes of keys";
            forget_errors();
            end_input(s, -EPROTO);
            return got;
        }
        if (result == 1)
            got += more;
        has_more = has_pending(s);
    } while (result == 1 && got < len && has_more);

    SSL_set_mode(s->ssl, SSL_MODE_RELEASE_BUFFERS);
    int end = result == 1 ? -EAGAIN : explain(s, result);
    if (end != -EAGAIN)
        end_input(s, end);
    else if (!has_more && (result != 1 || !free_buffer(s)))
        free_unused_buffer(s);
    return got;
}

ssize_t tls_stream_read(tls_stream *s, uint8_t *data, size_t len)
{
    size_t got = s->is_secured && s->end == -EAGAIN && len > 0 ? read_records(s, data, len) : 0;
    s->notes.has_read = false;
    s->holds_input = got == len || s->end != -EAGAIN;
    return got > 0 ? (ssize_t)got : s->end;
}

ssize_t tls_stream_write(tls_stream *s, const uint8_t *data, size_t len, bool is_last)
{
    if (!s->is_secured)
        return -EAGAIN;
    size_t taken;
    forget_errors();
    s->notes.has_more = is_last;
    int result = SSL_write_ex(s->ssl, data, len < MAX_RECORD_BYTES ? len : MAX_RECORD_BYTES, &taken);
    s->notes.has_more = false;
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
    s->notes.has_more = true; /* the end of TCP follows at once */
    int result = SSL_shutdown(s->ssl);
    s->notes.has_more = false;
    return result < 0 && explain(s, result) == -EAGAIN ? -EAGAIN : 0;
}
