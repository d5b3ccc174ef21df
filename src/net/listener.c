#include "net/listener.h"

#include <errno.h>
#include <unistd.h>

/* Neither is a fault of ours: nobody waits any more, or who waited has gone. */
static bool is_nothing(int error)
{
    return error == EAGAIN || error == EINTR || error == ECONNABORTED;
}

/* Accept whoever waits, as long as the callee wants more. */
static void on_ready(net_watch *watch, uint32_t events)
{
    (void)events;
    net_listener *l = (net_listener *)(void *)watch;
    while (watch->interest != 0) {
        struct sockaddr_storage from;
        socklen_t len = sizeof(from);
        int fd = accept4(watch->fd, (struct sockaddr *)&from, &len, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd < 0) {
            if (!is_nothing(errno))
                l->events->on_fault(l, errno);
            return;
        }
        l->events->on_accept(l, fd, (const struct sockaddr *)&from, len);
    }
}

int net_listener_open(net_listener *l, net_loop *loop, int fd, int backlog, const net_listener_events *events)
{
    *l = (net_listener){.watch = {.on_ready = on_ready, .fd = fd}, .loop = loop, .events = events};
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
