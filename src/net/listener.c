#include "net/listener.h"

#include <errno.h>
#include <unistd.h>

/* How many are accepted in a turn at most: some milliseconds of work. */
enum { MAX_BATCH = 256 };

/* Neither is a fault of ours: nobody waits any more, or who waited has gone. */
static bool is_nothing(int error)
{
    return error == EAGAIN || error == EINTR || error == ECONNABORTED;
}

/* Accept one. False when there is none. */
static bool accept_one(net_listener *l)
{
    struct sockaddr_storage from;
    socklen_t len = sizeof(from);
    int fd = accept4(l->watch.fd, (struct sockaddr *)&from, &len, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd >= 0)
        l->events->on_accept(l, fd, (const struct sockaddr *)&from, len);
    else if (!is_nothing(errno))
        l->events->on_fault(l, errno);
    return fd >= 0;
}

/* The batch of the next turn. Only a call that accepts nobody tells that nobody waits any more, and a
 * connection that comes alone is to be accepted without one: if another waits, the next turn is told. So a
 * batch has one at first. It doubles with each turn right after one that was full, too, and shrinks to how
 * many there were. */
static void adjust_batch(net_listener *l, unsigned accepted)
{
    uint64_t turn = counter_get(&l->loop->counters.turns);
    if (accepted < l->batch) {
        l->batch = accepted > 0 ? accepted : 1;
        return;
    }
    if (turn == l->full_turn + 1 && l->batch < MAX_BATCH)
        l->batch *= 2;
    l->full_turn = turn;
}

static void on_ready(net_watch *watch, uint32_t events)
{
    (void)events;
    net_listener *l = (net_listener *)(void *)watch;
    unsigned accepted = 0;
    while (watch->interest != 0 && accepted < l->batch && accept_one(l))
        accepted++;
    adjust_batch(l, accepted);
}

int net_listener_open(net_listener *l, net_loop *loop, int fd, int backlog, const net_listener_events *events)
{
    *l =
        (net_listener){.watch = {.on_ready = on_ready, .fd = fd}, .loop = loop, .events = events, .batch = 1};
    int error = listen(fd, backlog) != 0 ? -errno : net_listener_accept(l, true);
    if (error != 0)
        net_listener_close(l);
    return error;
}

int net_listener_accept(net_listener *l, bool accepts)
{
    return net_watch_change(&l->loop->epoll, &l->watch, accepts ? EPOLLIN : 0);
}

void net_listener_close(net_listener *l)
{
    if (l->watch.fd < 0)
        return;
    (void)net_listener_accept(l, false);
    close(l->watch.fd);
    l->watch.fd = -1;
}
