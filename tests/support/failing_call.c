#include "support/failing_call.h"

#include <dlfcn.h>
#include <errno.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>

static struct {
    _Atomic int left;
    _Atomic int error;
} plans[FAILING_CALLS];

void failing_call_set(failing_call which, int count, int error)
{
    atomic_store(&plans[which].error, error);
    atomic_store(&plans[which].left, count);
}

int failing_call_left(failing_call which)
{
    return atomic_load(&plans[which].left);
}

/* Is this call to fail? Then errno is set. */
static bool must_fail(failing_call which)
{
    int left = atomic_load(&plans[which].left);
    while (left > 0 && !atomic_compare_exchange_weak(&plans[which].left, &left, left - 1))
        continue;
    if (left > 0)
        errno = atomic_load(&plans[which].error);
    return left > 0;
}

/* The function of the system. `out` is a pointer to a pointer to a function. */
static void find_real(const char *name, void *out)
{
    void *found = dlsym(RTLD_NEXT, name);
    memcpy(out, &found, sizeof(found));
}

static bool is_listening(int fd)
{
    int listens = 0;
    socklen_t len = sizeof(listens);
    return getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listens, &len) == 0 && listens != 0;
}

static bool is_connected(int fd)
{
    struct sockaddr_storage peer;
    socklen_t len = sizeof(peer);
    return getpeername(fd, (struct sockaddr *)&peer, &len) == 0;
}

/* ---- They stand before those of the system ---- */

/* The type of the address is a transparent union in the header of glibc, and a pointer in that of musl. */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wpedantic"
int accept4(int fd, struct sockaddr *address, socklen_t *len, int flags)
{
    int (*real)(int, struct sockaddr *, socklen_t *, int);
    find_real("accept4", &real);
    return must_fail(FAILING_ACCEPT) ? -1 : real(fd, address, len, flags);
}
#pragma GCC diagnostic pop

int epoll_ctl(int epoll, int op, int fd, struct epoll_event *event)
{
    int (*real)(int, int, int, struct epoll_event *);
    find_real("epoll_ctl", &real);
    if (op == EPOLL_CTL_ADD && is_listening(fd) && must_fail(FAILING_LISTENER_ADD))
        return -1;
    if (op == EPOLL_CTL_ADD && is_connected(fd) && must_fail(FAILING_CONNECTION_ADD))
        return -1;
    return real(epoll, op, fd, event);
}

int eventfd_write(int fd, eventfd_t value)
{
    int (*real)(int, eventfd_t);
    find_real("eventfd_write", &real);
    return must_fail(FAILING_EVENTFD_WRITE) ? -1 : real(fd, value);
}
