/* Transport: the byte stream under a connection: its descriptor and its events on one loop's base.
 *
 * A plain TCP socket, read and written by one system call each, watched by plain libevent events: an idle one
 * costs this struct and nothing else. What libevent's event holds anyway (the descriptor, the base, whom to
 * call) is not kept twice. An event for writing exists only while the socket has no room. */
#ifndef HOMECALL_NET_TRANSPORT_H
#define HOMECALL_NET_TRANSPORT_H

#include "base/address.h"

#include <event2/event.h>
#include <event2/event_struct.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* A wait for room to write. */
typedef struct transport_wait {
    struct event room;
    uint64_t since_us; /* monotonic */
} transport_wait;

typedef struct transport {
    struct event input;     /* for bytes and the peer's end; its descriptor is owned, and -1 when closed */
    transport_wait *output; /* owned; NULL unless the socket is waited on for room */
} transport;

/* Begin with a connected, non-blocking, close-on-exec descriptor, which the transport owns from here on.
 * `on_ready` is called with EV_READ when there are bytes, or the peer's end, with EV_WRITE when there is room
 * again, and with `context`, which is borrowed. It belongs to no loop yet. */
void transport_open(transport *t, int fd, event_callback_fn on_ready, void *context);

/* Enter a loop: callbacks come from `base`, on its thread. Nothing is watched yet. */
void transport_attach(transport *t, struct event_base *base);

/* The address of the other end; unknown where the kernel tells none. */
address transport_peer(const transport *t);

/* Leave the loop, so that another thread can attach. */
void transport_detach(transport *t);

/* Wait, or no longer wait, for input; what is not waited for stays in the kernel and holds the peer back. 0,
 * or -ENOMEM (or another -errno of epoll); taking the wait back can't fail. */
int transport_watch_input(transport *t, bool watches);

/* Is it waited for input? */
static inline bool transport_watches_input(const transport *t)
{
    return event_get_base(&t->input) != NULL && event_pending(&t->input, EV_READ, NULL) != 0;
}

/* Read once. Bytes read, 0 at the peer's end, or -errno; -EAGAIN when nothing is there. */
ssize_t transport_read(transport *t, uint8_t *data, size_t len);

/* Write once. Bytes taken, or -errno; -EAGAIN when there is no room. With `is_last` the bytes wait for
 * transport_end_output(), which follows: they and the end go out in one segment. */
ssize_t transport_write(transport *t, const uint8_t *data, size_t len, bool is_last);

/* Wait, or no longer wait, for room to write; `now_us` is noted when a wait begins. 0 or -ENOMEM. */
int transport_want_room(transport *t, bool wants, uint64_t now_us);

/* Is it waited for room? */
static inline bool transport_wants_room(const transport *t)
{
    return t->output != NULL;
}

/* Say that nothing more will be written: the peer reads to the end and sees it. */
void transport_end_output(transport *t);

/* Close the descriptor and leave the loop. Twice is legal. */
void transport_close(transport *t);

#endif
