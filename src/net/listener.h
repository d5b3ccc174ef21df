/* Listener: a listening socket whose connections are accepted when they come.
 *
 * It is watched by the epoll of its loop and not by libevent's evconnlistener, since a thread that accepts
 * all the time would otherwise have to wait in the loop's base, and look into its epoll as well (loop.h).
 *
 * All functions: the thread of the loop, or any thread while none runs it. */
#ifndef HOMECALL_NET_LISTENER_H
#define HOMECALL_NET_LISTENER_H

#include "net/loop.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

typedef struct net_listener net_listener;

/* What a listener calls. Both may pause the listener or close it. */
typedef struct net_listener_events {
    /* A connection has come. The callee owns the descriptor, which is non-blocking and close-on-exec. */
    void (*on_accept)(net_listener *l, int fd, const struct sockaddr *from, socklen_t len);
    /* accept4() has failed with this errno, as EMFILE: the socket stays ready, so a listener that goes on
     * tries again in each turn. */
    void (*on_fault)(net_listener *l, int error);
} net_listener_events;

struct net_listener {
    net_watch watch;                   /* first. Its descriptor is owned; -1 = it is closed */
    net_loop *loop;                    /* borrowed */
    const net_listener_events *events; /* borrowed */
    unsigned batch;                    /* how many it accepts in a turn at most */
    uint64_t full_turn;                /* the number of the latest turn in which it has accepted so many */
};

/* Listen on a bound, non-blocking socket, and accept. `backlog` is how many connections may wait in the
 * kernel. The listener owns the descriptor from now on, also on failure; then it is closed. The loop and the
 * events are borrowed until the listener is closed. 0, or -errno of listen() or epoll_ctl(). */
int net_listener_open(net_listener *l, net_loop *loop, int fd, int backlog,
                      const net_listener_events *events);

/* Accept from now on, or pause: then connections wait in the kernel. 0, or -errno of epoll_ctl(); to pause
 * can't fail. */
int net_listener_accept(net_listener *l, bool accepts);

/* Close the socket. To close it twice is legal. */
void net_listener_close(net_listener *l);

#endif
