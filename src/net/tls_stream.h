/* TLS stream: the server's side of TLS over a connected descriptor, by libevent's bufferevent_openssl.
 *
 * The bufferevent does the handshake and waits for input; what it has decrypted waits in its input, and what
 * came with it in OpenSSL's own buffer, until it is read. Its output is not used: a write encrypts and writes
 * one record at once, or takes nothing. So a relayed message costs the system calls that it costs without
 * TLS, what a peer does not read waits where its owner counts it, and an idle stream has no buffers at all.
 *
 * It moves from thread to thread: detached, it is nothing but OpenSSL's state with the bytes that were not
 * read, and the next wait for input makes a bufferevent on another base. */
#ifndef HOMECALL_NET_TLS_STREAM_H
#define HOMECALL_NET_TLS_STREAM_H

#include "net/tls_context.h"

#include <event2/event.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

typedef struct tls_stream tls_stream;

/* What happens to a stream. The callback may free it. */
typedef enum tls_stream_event {
    TLS_STREAM_SECURED,  /* the handshake is done */
    TLS_STREAM_READABLE, /* there are bytes, or the end, or a fault: tls_stream_read() says which */
} tls_stream_event;

typedef void (*tls_stream_fn)(void *context, tls_stream_event event);

/* Begin over `fd`, which is borrowed and open until the stream is freed; `on_event` is called with `context`,
 * borrowed too. The stream takes a share of `tls`. It belongs to no loop yet. NULL without memory. */
tls_stream *tls_stream_new(tls_context *tls, int fd, tls_stream_fn on_event, void *context);

/* Leave the loop and free it, without a good-bye to the peer. NULL is legal. */
void tls_stream_free(tls_stream *s);

/* Wait for input (and for the peer's part of the handshake) on `base`: callbacks come from its thread. It is
 * the same base until tls_stream_detach(). Nothing is told of input that the stream holds already. 0, or
 * -ENOMEM (or another -errno of epoll). */
int tls_stream_watch_input(tls_stream *s, struct event_base *base);

/* No longer wait for it: nothing more is read from the descriptor. */
void tls_stream_ignore_input(tls_stream *s);

/* Is it waited for? */
bool tls_stream_watches_input(const tls_stream *s);

/* Leave the loop, so that another thread can go on. Not in the middle of a handshake. */
void tls_stream_detach(tls_stream *s);

/* Is the handshake done? */
bool tls_stream_is_secured(const tls_stream *s);

/* Is there something to read that the descriptor will not tell of, because it was read from it before? */
bool tls_stream_holds_input(const tls_stream *s);

/* Has its peer ended its side, and has that been noticed? It may still read. */
bool tls_stream_has_ended(const tls_stream *s);

/* Read what has come, at most `len` bytes. Bytes read, 0 at the peer's end, -EAGAIN when nothing
 * is there, -EPROTO for a fault of TLS (tls_stream_fault()), -ECONNRESET for a broken connection and for an
 * end before the handshake was done, -ENOMEM where a move lost bytes. */
ssize_t tls_stream_read(tls_stream *s, uint8_t *data, size_t len);

/* Write one record. Bytes taken, or -errno; -EAGAIN when the socket takes no more or the handshake is not
 * done. Then the bytes must be offered again, at the same place of the stream, and more may stand behind
 * them. */
ssize_t tls_stream_write(tls_stream *s, const uint8_t *data, size_t len);

/* Say by a close_notify that nothing more will be written. 0, or -EAGAIN: again when the socket takes more. A
 * peer to whom it can't be said any more is no failure. */
int tls_stream_end_output(tls_stream *s);

/* OpenSSL's word for a fault, a literal. */
const char *tls_stream_fault(const tls_stream *s);

#endif
