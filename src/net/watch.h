/* Watch: a descriptor that a thread watches by epoll. Whoever owns the descriptor embeds a net_watch. An idle
 * connection needs nothing else to be watched: this struct has 16 bytes. libevent's `struct event` has 120,
 * and libevent keeps 32 more for the descriptor.
 *
 * A net_epoll is an epoll instance with what its last wait has returned. net_epoll_pass() waits, and then
 * tells each watch that is ready, once. A callback may stop, close and free any watch, its own one too: a
 * watch that is not watched any more is not told, even if the wait had returned it.
 *
 * A watch must be stopped before its descriptor is closed. To close the descriptor is not enough: a child
 * process that was forked may still have it (app/succession.c forks). Then the kernel goes on watching, and
 * would return a pointer to a watch that was freed.
 *
 * The events are EPOLLIN (input, or the end of the peer) and EPOLLOUT (the socket takes output). A broken
 * connection counts as both, so that a read or a write says what has happened.
 *
 * All functions: the thread that waits, or any thread while none does. */
#ifndef HOMECALL_NET_WATCH_H
#define HOMECALL_NET_WATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <sys/queue.h>

typedef struct net_watch net_watch;

/* `events` is what the watch is told: EPOLLIN, EPOLLOUT, or both. */
typedef void (*net_watch_fn)(net_watch *watch, uint32_t events);

struct net_watch {
    net_watch_fn on_ready;
    int fd;            /* borrowed; -1 = none */
    uint16_t ready_at; /* its place in net_epoll.ready, from 1, while it is to be told; else 0 */
    uint8_t interest;  /* what epoll watches for: EPOLLIN, EPOLLOUT, both, or 0 = it is not watched */
};

/* What a watch needs besides to be told of input for which its descriptor does not become ready. */
typedef struct net_recall {
    TAILQ_ENTRY(net_recall) link; /* in net_epoll.recalled, while `watch` is not NULL */
    net_watch *watch;             /* borrowed; NULL = it is not recalled */
} net_recall;

typedef struct net_epoll {
    int fd;                            /* owned; -1 = it is not open */
    uint32_t ready_cap;                /* how many events one wait returns at most */
    struct epoll_event *ready;         /* owned: what the last wait has returned */
    TAILQ_HEAD(, net_recall) recalled; /* borrowed: whom the next pass tells of input in any case */
} net_epoll;

/* How many descriptors it keeps open. */
enum { NET_EPOLL_DESCRIPTORS = 1 };

/* 0, or -errno: of epoll_create1(), or -ENOMEM. The caller owns it. */
int net_epoll_open(net_epoll *e);

/* No watch may be watched by it any more. To close it twice is legal. */
void net_epoll_close(net_epoll *e);

/* Wait until something is ready, but no longer than `timeout_ms` (-1 = for any time), and tell it. With
 * recalled watches it does not wait. 0, or -errno of epoll_wait(). */
int net_epoll_pass(net_epoll *e, int timeout_ms);

/* Must the next pass tell a recalled watch, and so not wait? */
static inline bool net_epoll_has_recalled(const net_epoll *e)
{
    return !TAILQ_EMPTY(&e->recalled);
}

/* Watch for `interest` from now on: EPOLLIN, EPOLLOUT, both, or 0 for nothing. 0, or -errno of epoll_ctl();
 * then it is watched as before. To watch for less can't fail while the descriptor is open. */
int net_watch_change(net_epoll *e, net_watch *w, uint32_t interest);

/* Watch an eventfd that wakes the thread: it is told EPOLLIN once for each write, or once for several. So
 * nobody has to read the eventfd, which takes a call. It is not watched yet. net_watch_change() ends it. 0,
 * or -errno of epoll_ctl(). */
int net_watch_wake_ups(net_epoll *e, net_watch *w);

/* Have it told EPOLLIN in the next pass, even if its descriptor is not ready or not watched. Where very many
 * are recalled, some of them are told in a later pass, however many others are ready. `place` must be zeroed
 * before its first use, and must stay where it is until it is told, or until net_watch_take_recall(). */
void net_watch_recall(net_epoll *e, net_watch *w, net_recall *place);

/* Take that back. It is not told, unless its descriptor is watched and ready. */
void net_watch_take_recall(net_epoll *e, net_watch *w, net_recall *place);

#endif
