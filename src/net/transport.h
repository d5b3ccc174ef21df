/* Transport: the byte stream under a connection: its descriptor and its events on one loop's base.
 *
 * A plain TCP socket, read and written by one system call each, watched by plain libevent events: an idle one
 * costs this struct and nothing else. What libevent's event holds anyway (the descriptor, the base, whom to
 * call) is not kept twice. An event for writing exists only while the socket has no room.
 *
 * Or the same through TLS (tls_stream.h), which its owner does not see but at the begin: nothing can be
 * written before the handshake is done. Which of the two it is shows in what hangs on `extra`: a table of
 * functions would cost each plain connection a pointer more. */
#ifndef HOMECALL_NET_TRANSPORT_H
#define HOMECALL_NET_TRANSPORT_H

#include "base/address.h"
#include "net/tls_context.h"

#include <event2/event.h>
#include <event2/event_struct.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct tls_stream;

/* What not every transport has: a wait for room to write, and TLS. */
typedef struct transport_extra {
    struct event room;      /* added while room is waited for, as soon as the handshake is done */
    uint64_t since_us;      /* monotonic: when that began */
    bool wants_room;        /* it is waited for */
    struct tls_stream *tls; /* owned; NULL = a plain one */
} transport_extra;

typedef struct transport {
    struct event input; /* for bytes and the peer's end; its descriptor is owned, and -1 when closed. With TLS
                           it is not added: it stands for the same things, and is made active by hand. */
    transport_extra *extra; /* owned; NULL for a plain one that does not wait for room */
} transport;

/* Begin with a connected, non-blocking, close-on-exec descriptor, which the transport owns from here on.
 * `on_ready` is called with EV_READ when there are bytes, or the peer's end, with EV_WRITE when there is room
 * again, with 0 when the handshake of TLS is done, and with `context`, which is borrowed. It belongs to no
 * loop yet. */
void transport_open(transport *t, int fd, event_callback_fn on_ready, void *context);

/* Speak TLS, as its server, from the first byte on; before it is attached. It takes a share of `tls`. 0 or
 * -ENOMEM. */
int transport_start_tls(transport *t, tls_context *tls);

/* Enter a loop: callbacks come from `base`, on its thread. Nothing is watched yet. */
void transport_attach(transport *t, struct event_base *base);

/* The address of the other end; unknown where the kernel tells none. */
address transport_peer(const transport *t);

/* Leave the loop, so that another thread can attach. With TLS not in the middle of its handshake. */
void transport_detach(transport *t);

/* Wait, or no longer wait, for input; what is not waited for stays in the kernel and holds the peer back. 0,
 * or -ENOMEM (or another -errno of epoll); taking the wait back can't fail. */
int transport_watch_input(transport *t, bool watches);

/* Is it waited for input? */
bool transport_watches_input(const transport *t);

/* Read once. Bytes read, 0 at the peer's end, or -errno; -EAGAIN when nothing is there, -EPROTO for a fault
 * of TLS. */
ssize_t transport_read(transport *t, uint8_t *data, size_t len);

/* OpenSSL's word for that fault, a literal. */
const char *transport_fault(const transport *t);

/* After a read: is there more that was read from the socket already, so that it does not tell of it again?
 * Only with TLS. Call transport_recall_input() at the end of the turn then. */
bool transport_holds_input(const transport *t);

/* Have that told in the next turn, if it is waited for input. */
void transport_recall_input(transport *t);

/* Write once. Bytes taken, or -errno; -EAGAIN when there is no room. What was not taken must be offered again
 * before anything else, and not less of it. With `is_last` the bytes wait for transport_end_output(), which
 * follows: they and the end go out in one segment (but with TLS, in two). */
ssize_t transport_write(transport *t, const uint8_t *data, size_t len, bool is_last);

/* Wait, or no longer wait, for room to write; `now_us` is noted when a wait begins. 0 or -ENOMEM. */
int transport_want_room(transport *t, bool wants, uint64_t now_us);

/* Is it waited for room? */
static inline bool transport_wants_room(const transport *t)
{
    return t->extra != NULL && t->extra->wants_room;
}

/* Say that nothing more will be written: the peer reads to the end and sees it. 0, or -EAGAIN with TLS: call
 * it again when there is room. A TLS transport is a plain one afterwards: what still comes is not decrypted,
 * since nobody wants to know it. */
int transport_end_output(transport *t);

/* Is the handshake of TLS still to be done? */
bool transport_awaits_tls(const transport *t);

/* Close the descriptor and leave the loop. Twice is legal. */
void transport_close(transport *t);

#endif
