/* TLS stream: the server's side of TLS over a connected descriptor.
 *
 * It does the handshake by itself as the peer's parts of it come, and then tells when there is something to
 * read. tls_stream_read() reads once from the descriptor and decrypts what that has brought.
 * tls_stream_write() encrypts one record and writes it at once, or takes nothing. So a relayed message costs
 * as many system calls as without TLS. Output that a peer does not read stays with the caller, who counts it.
 * An idle stream has no buffers.
 *
 * It has no watch of its own: its owner watches the descriptor for it. So it can move to another thread.
 *
 * This is not libevent's bufferevent_openssl: that one crashes when its first allocations fail, which is why
 * it is not used here, and it has buffers that nothing here needs.
 *
 * All functions: the thread that watches the descriptor. While none does: one thread at a time. */
#ifndef HOMECALL_NET_TLS_STREAM_H
#define HOMECALL_NET_TLS_STREAM_H

#include "net/tls_context.h"
#include "net/tls_pacer.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

typedef struct tls_stream tls_stream;

/* What the callback of a stream is called for. It may free the stream, but for TLS_STREAM_BEGINS. */
typedef enum tls_stream_event {
    TLS_STREAM_BEGINS,   /* the handshake has waited for its first step, and begins now */
    TLS_STREAM_SECURED,  /* the handshake is done */
    TLS_STREAM_READABLE, /* there is input, the end of the peer, or a fault: tls_stream_read() says which */
} tls_stream_event;

/* What the owner of a stream does for it; both get its context. */
typedef struct tls_stream_owner {
    void (*on_event)(void *context, tls_stream_event event);
    /* Watch the descriptor for EPOLLIN or for EPOLLOUT, or for neither of them (0), and call
     * tls_stream_go_on() when it is ready. 0 or -errno; to stop watching can't fail. */
    int (*watch)(void *context, uint32_t events);
} tls_stream_owner;

/* Make a stream over `fd`, which is borrowed, and must stay open until the stream is freed. `owner`, the same
 * table for all, and `context` are borrowed, too. The stream takes a share of `tls`. It is not watched yet.
 * The caller owns it. NULL without memory. OpenSSL's state is not made before the peer has sent something. */
tls_stream *tls_stream_new(tls_context *tls, int fd, const tls_stream_owner *owner, void *context);

/* Stop watching and free the stream, without a close_notify. NULL is legal. */
void tls_stream_free(tls_stream *s);

/* Let the handshake take its steps when `pacer` says so, which is borrowed until the stream is detached.
 * Without this call it takes each step at once. */
void tls_stream_pace_handshake(tls_stream *s, tls_pacer *pacer);

/* Does the handshake wait for a step? Then the peer has done its part. */
bool tls_stream_waits(const tls_stream *s);

/* Watch for input, and for the peer's part of the handshake. The callback is not called for input that the
 * stream holds already (tls_stream_holds_input()). 0, or -errno of the owner. */
int tls_stream_watch_input(tls_stream *s);

/* The descriptor is ready for what the owner watches it for. */
void tls_stream_go_on(tls_stream *s);

/* Stop watching: nothing more is read from the descriptor. */
void tls_stream_ignore_input(tls_stream *s);

/* Is input watched? */
bool tls_stream_watches_input(const tls_stream *s);

/* Stop watching, and forget the pacer, so that another thread can have it. A stream whose handshake is not
 * done can only be freed afterwards. */
void tls_stream_detach(tls_stream *s);

/* Is the handshake done? */
bool tls_stream_is_secured(const tls_stream *s);

/* Is there something to read, for which the descriptor does not become readable, because it was read from it
 * before? */
bool tls_stream_holds_input(const tls_stream *s);

/* Has the peer ended its side in order, as far as we have read? It may still read what we write. */
bool tls_stream_has_ended(const tls_stream *s);

/* Read what has come, at most `len` bytes. Returns how many; 0 when the peer has ended its side; -EAGAIN when
 * there is nothing; -EPROTO for a fault of TLS (tls_stream_fault()); -ECONNRESET when TCP broke, or ended
 * before the handshake was done; -ENOMEM or another -errno of epoll, when the handshake could not go on.
 *
 * A peer that changes its keys more than 64 times is at fault. One that asks for new keys (RFC 8446, 4.6.3)
 * while it does not read what we write is at fault, too: OpenSSL can't answer between the parts of a record
 * that waits. */
ssize_t tls_stream_read(tls_stream *s, uint8_t *data, size_t len);

/* Encrypt and write one record of at most `len` bytes. Returns how many bytes were taken, or -errno. -EAGAIN
 * when the socket takes none now, or the handshake is not done: then the same bytes must be offered again,
 * before any others; there may be more bytes behind them. With `is_last` the kernel may keep the record until
 * tls_stream_end_output(), which must follow. */
ssize_t tls_stream_write(tls_stream *s, const uint8_t *data, size_t len, bool is_last);

/* Send a close_notify: nothing more will be written. 0, also when it can't be sent because the peer is gone
 * or the handshake is not done. Then TCP must be ended, for which the kernel keeps it. -EAGAIN: call it again
 * when the socket takes output. */
int tls_stream_end_output(tls_stream *s);

/* After -EPROTO: OpenSSL's text for the fault, a literal. */
const char *tls_stream_fault(const tls_stream *s);

#endif
