/* Transport: the byte stream under a connection: its descriptor and its events on one loop's base.
 *
 * A plain TCP socket, read and written by one system call each, watched by plain libevent events: an idle one
 * costs this struct and nothing else. What libevent's event holds anyway (the descriptor, the base, whom to
 * call) is not kept twice. An event for writing exists only while the socket takes no more.
 *
 * Or the same through TLS (transport_tls.h). Which of the two it is stands in a table of functions. Nothing
 * can be written to one of TLS before its handshake is done.
 *
 * All functions: the thread of the loop that it is attached to. */
#ifndef HOMECALL_NET_TRANSPORT_H
#define HOMECALL_NET_TRANSPORT_H

#include "base/address.h"

#include <event2/event.h>
#include <event2/event_struct.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

typedef struct transport transport;

/* What the kinds of transports do differently. The functions of this header that have no other comment there
 * say what each has to do. */
typedef struct transport_kind {
    ssize_t (*read)(transport *t, uint8_t *data, size_t len);
    ssize_t (*write)(transport *t, const uint8_t *data, size_t len, bool is_last);
    int (*watch_input)(transport *t, bool watches); /* called for a change only */
    bool (*watches_input)(const transport *t);
    bool (*holds_input)(const transport *t);
    bool (*is_secured)(const transport *t);
    const char *(*fault)(const transport *t);
    int (*end_output)(transport *t);
    void (*detach)(transport *t); /* besides its events */
    void (*close)(transport *t);  /* free what the kind owns, and t->extra */
} transport_kind;

/* What a transport has besides its event for input. A plain one that waits for nothing has one that all of
 * these share, and nobody writes to. */
typedef struct transport_extra {
    const transport_kind *kind; /* borrowed */
    struct event writable;      /* added while wants_writable, as soon as is_secured */
    uint64_t since_us;          /* monotonic: when that began */
    bool wants_writable;        /* it is waited until the socket takes more */
} transport_extra;

struct transport {
    struct event input; /* for bytes and the peer's end; its descriptor is owned, and -1 when closed. With TLS
                           it is not added: it stands for the same things, and is made active by hand. */
    const transport_extra *extra; /* owned, but for the shared one */
};

/* Start with a connected, non-blocking, close-on-exec descriptor, which the transport owns from here on, as a
 * plain one. `on_ready` is called with EV_READ when there are bytes, or the peer's end, with EV_WRITE when
 * the socket takes more again, with 0 when the handshake of TLS is done, and with `context`, which is
 * borrowed. It belongs to no loop yet. */
void transport_open(transport *t, int fd, event_callback_fn on_ready, void *context);

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
static inline bool transport_watches_input(const transport *t)
{
    return t->extra->kind->watches_input(t);
}

/* Read once. Bytes read, 0 at the peer's end, or -errno; -EAGAIN when nothing is there, -EPROTO for a fault
 * of TLS. */
static inline ssize_t transport_read(transport *t, uint8_t *data, size_t len)
{
    return t->extra->kind->read(t, data, len);
}

/* OpenSSL's word for that fault, a literal. */
static inline const char *transport_fault(const transport *t)
{
    return t->extra->kind->fault(t);
}

/* After a read: is there more that was read from the socket already, so that it does not tell of it again?
 * Only with TLS. Call transport_recall_input() at the end of the turn then. */
static inline bool transport_holds_input(const transport *t)
{
    return t->extra->kind->holds_input(t);
}

/* Have that told in the next turn, if it is waited for input. */
void transport_recall_input(transport *t);

/* Write once. Bytes taken, or -errno; -EAGAIN when the socket takes no more. What was not taken must be
 * offered again before anything else, and not less of it. With `is_last` the bytes wait for
 * transport_end_output(), which follows: they and the end go out in one segment (but with TLS, in two). */
static inline ssize_t transport_write(transport *t, const uint8_t *data, size_t len, bool is_last)
{
    return t->extra->kind->write(t, data, len, is_last);
}

/* Wait, or no longer wait, until the socket takes more; `now_us` is noted when a wait begins. 0 or -ENOMEM;
 * taking the wait back can't fail. */
int transport_want_writable(transport *t, bool wants, uint64_t now_us);

/* Is it waited for that? */
static inline bool transport_wants_writable(const transport *t)
{
    return t->extra->wants_writable;
}

/* Say that nothing more will be written: the peer reads to the end and sees it. 0, or -EAGAIN with TLS: call
 * it again when the socket takes more. A TLS transport is a plain one afterwards: what still comes is not
 * decrypted, since nobody wants to know it. */
int transport_end_output(transport *t);

/* Is all that is read and written as safe as it is going to be? False until the handshake of TLS is done. */
static inline bool transport_is_secured(const transport *t)
{
    return t->extra->kind->is_secured(t);
}

/* Close the descriptor and leave the loop. Twice is legal. */
void transport_close(transport *t);

/* ---- For kinds ---- */

static inline int transport_fd(const transport *t)
{
    return event_get_fd(&t->input);
}

/* Be of another kind: `extra`, or with NULL a plain one that waits for nothing. The old extra is the
 * caller's. No event may be added. */
void transport_set_extra(transport *t, transport_extra *extra);

/* The handshake is done: what was waited for until then begins. */
void transport_start_deferred_wait(transport *t);

#endif
