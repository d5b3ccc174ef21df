/* Transport: the byte stream of a connection, with its descriptor and its watch. There are two kinds: a plain
 * socket (TCP or Unix), and TLS over one (transport_tls.h). A table of functions says which it is.
 *
 * A plain transport is read and written by one system call each, and watched by the epoll of its loop. An
 * idle one costs this struct and nothing else.
 *
 * A TLS transport takes no output before its handshake is done.
 *
 * All functions: the thread of the loop that it is attached to. While it is attached to none: one thread at a
 * time. */
#ifndef HOMECALL_NET_TRANSPORT_H
#define HOMECALL_NET_TRANSPORT_H

#include "base/address.h"
#include "net/loop.h"

#include <assert.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

typedef struct transport transport;

/* What a kind of transport does in its own way. transport_read(), transport_write() and so on say what each
 * function has to do. */
typedef struct transport_kind {
    ssize_t (*read)(transport *t, uint8_t *data, size_t len);
    ssize_t (*write)(transport *t, const uint8_t *data, size_t len, bool is_last);
    int (*watch_input)(transport *t, bool watches); /* called only when `watches` is a change */
    bool (*watches_input)(const transport *t);
    bool (*holds_input)(const transport *t);
    void (*recall_input)(transport *t); /* called only when it holds input, and input is watched */
    bool (*is_secured)(const transport *t);
    const char *(*fault)(const transport *t);
    int (*end_output)(transport *t); /* before TCP is ended */
    void (*detach)(transport *t);    /* before it leaves its loop, after nothing is watched any more */
    void (*close)(transport *t);     /* free what the kind owns, and t->extra; the descriptor is still open */
} transport_kind;

/* What a transport has besides its watch. All plain transports whose socket takes output share one that is
 * never written to. */
typedef struct transport_extra {
    const transport_kind *kind; /* borrowed */
    uint64_t since_us;          /* monotonic: when wants_writable was set */
    bool wants_writable; /* there is output that the socket does not take now. The watch is for EPOLLOUT,
                            too; with TLS, not before its handshake is done */
} transport_extra;

struct transport {
    net_watch watch; /* first. Its descriptor is owned, and is -1 when closed. During a TLS handshake it calls
                        back transport_tls.c */
    net_loop *loop;  /* borrowed: what it is attached to; NULL = nothing */
    const transport_extra *extra; /* owned, unless it is the shared one */
};

static_assert(offsetof(transport, watch) == 0, "transport_of() casts");

/* The transport whose watch this is. */
static inline transport *transport_of(net_watch *watch)
{
    return (transport *)(void *)watch;
}

/* What `on_ready` is called with besides EPOLLIN and EPOLLOUT, and not together with these. */
enum {
    TRANSPORT_SECURED = 0,       /* the TLS handshake is done */
    TRANSPORT_BEGINS = 0x100000, /* it has waited for its first step (tls_pacer.h), and begins now. For this
                                    one the transport may not be closed. */
};

/* Make a plain transport of a connected, non-blocking, close-on-exec descriptor, which it owns from now on.
 * It is attached to no loop yet. `on_ready` is called with its watch: with EPOLLIN when there is input or the
 * peer has ended, with EPOLLOUT when the socket takes output again, with both, or with one of the above. It
 * may close the transport. */
void transport_open(transport *t, int fd, net_watch_fn on_ready);

/* Attach a detached transport to `loop`, whose thread calls the callback. Nothing is watched yet. */
void transport_attach(transport *t, net_loop *loop);

/* Stop watching and leave the loop, so that another thread can attach it. A TLS transport whose handshake is
 * not done can't be attached again. */
void transport_detach(transport *t);

/* Start or stop to watch for input. While it is not watched, input stays in the kernel, and TCP slows the
 * peer down. 0, -ENOMEM, or another -errno of epoll; to stop can't fail. */
int transport_watch_input(transport *t, bool watches);

/* Is input watched? */
static inline bool transport_watches_input(const transport *t)
{
    return t->extra->kind->watches_input(t);
}

/* Read once, at most `len` bytes. Returns how many were read; 0 when the peer has ended its side; or -errno:
 * -EAGAIN when there is nothing, -EPROTO for a fault of TLS. */
static inline ssize_t transport_read(transport *t, uint8_t *data, size_t len)
{
    return t->extra->kind->read(t, data, len);
}

/* After -EPROTO: OpenSSL's text for the fault, a literal. */
static inline const char *transport_fault(const transport *t)
{
    return t->extra->kind->fault(t);
}

/* Is there input, or the end of the peer, that was read from the socket already? Only with TLS, when more was
 * decrypted than transport_read() has returned. The socket does not become readable for that input. So if
 * this is true after a read, call transport_recall_input() at the end of the turn. */
static inline bool transport_holds_input(const transport *t)
{
    return t->extra->kind->holds_input(t);
}

/* If there is such input, and input is watched, have on_ready called in the loop's next turn. */
void transport_recall_input(transport *t);

/* Write once. Returns how many bytes were taken, or -errno: -EAGAIN when the socket takes none now. What was
 * not taken must be offered again, before any other bytes and not less of it. With `is_last` the
 * kernel may keep the bytes until transport_end_output(), which must follow: so they and the end of TCP are
 * sent in one segment. */
static inline ssize_t transport_write(transport *t, const uint8_t *data, size_t len, bool is_last)
{
    return t->extra->kind->write(t, data, len, is_last);
}

/* Start or stop to watch whether the socket takes output again. `now_us` is the monotonic time of the start.
 * 0, -ENOMEM, or another -errno of epoll; to stop can't fail. */
int transport_want_writable(transport *t, bool wants, uint64_t now_us);

/* Is that watched? */
static inline bool transport_wants_writable(const transport *t)
{
    return t->extra->wants_writable;
}

/* End our side of TCP, with TLS by a close_notify first: the peer reads all that was written, and then sees
 * the end. 0; or, only with TLS, -EAGAIN: call it again when the socket takes output. Afterwards a TLS
 * transport has become a plain one, since input will only be thrown away and need not be decrypted. */
int transport_end_output(transport *t);

/* False for TLS before its handshake is done; else true. */
static inline bool transport_is_secured(const transport *t)
{
    return t->extra->kind->is_secured(t);
}

/* Leave the loop and close the descriptor. To close it twice is legal. */
void transport_close(transport *t);

/* ---- For the kinds ---- */

/* The descriptor, lent; -1 when closed. */
static inline int transport_fd(const transport *t)
{
    return t->watch.fd;
}

/* Make it another kind: of `extra`, or plain for NULL. The caller frees the old extra. Nothing may be
 * watched.
 */
void transport_set_extra(transport *t, transport_extra *extra);

/* The handshake is done: if wants_writable is set, watch the socket from now on. */
void transport_start_deferred_wait(transport *t);

/* Watch the descriptor for these events, EPOLLIN or EPOLLOUT, or stop that; other events stay as they are. 0
 * or -errno of epoll; to stop can't fail. */
int transport_watch(transport *t, uint32_t events, bool watches);

#endif
