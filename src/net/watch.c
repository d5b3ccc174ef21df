#include "net/watch.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

/* How many events a wait returns: at first a few, and twice as many whenever that was too few. Beyond
 * MAX_READY, the others wait for the next turn: the kernel returns those first that it has not returned in
 * the last wait. */
enum { FIRST_READY = 32, MAX_READY = 4096 };
static_assert(MAX_READY <= UINT16_MAX, "net_watch.ready_at is a place from 1 to MAX_READY");

static_assert(sizeof(net_watch) <= 16, "each connection has one");
static_assert((EPOLLIN | EPOLLOUT) <= UINT8_MAX, "net_watch.interest has them in a byte");

int net_epoll_open(net_epoll *e)
{
    *e = (net_epoll){.fd = epoll_create1(EPOLL_CLOEXEC), .ready_cap = FIRST_READY};
    TAILQ_INIT(&e->recalled);
    if (e->fd < 0)
        return -errno;
    e->ready = calloc(e->ready_cap, sizeof(*e->ready));
    if (e->ready == NULL) {
        net_epoll_close(e);
        return -ENOMEM;
    }
    return 0;
}

void net_epoll_close(net_epoll *e)
{
    if (e->fd >= 0)
        close(e->fd);
    free(e->ready);
    e->fd = -1;
    e->ready = NULL;
}

/* ---- Watching ---- */

/* The wait may have returned this watch, and it was not told yet: do not tell it these events. */
static void untell(net_epoll *e, net_watch *w, uint32_t events)
{
    if (w->ready_at == 0)
        return;
    struct epoll_event *ready = &e->ready[w->ready_at - 1];
    assert(ready->data.ptr == w);
    ready->events &= ~events;
    if (ready->events == 0) {
        ready->data.ptr = NULL;
        w->ready_at = 0;
    }
}

int net_watch_change(net_epoll *e, net_watch *w, uint32_t interest)
{
    assert((interest & ~(uint32_t)(EPOLLIN | EPOLLOUT)) == 0);
    if (interest == w->interest)
        return 0;
    int what = w->interest == 0 ? EPOLL_CTL_ADD : interest == 0 ? EPOLL_CTL_DEL : EPOLL_CTL_MOD;
    struct epoll_event event = {.events = interest, .data.ptr = w};
    bool asks_for_more = (interest & ~(uint32_t)w->interest) != 0;
    if (epoll_ctl(e->fd, what, w->fd, &event) != 0 && asks_for_more)
        return -errno;
    untell(e, w, w->interest & ~interest);
    w->interest = (uint8_t)interest;
    return 0;
}

int net_watch_wake_ups(net_epoll *e, net_watch *w)
{
    assert(w->interest == 0);
    struct epoll_event event = {.events = EPOLLIN | EPOLLET, .data.ptr = w};
    if (epoll_ctl(e->fd, EPOLL_CTL_ADD, w->fd, &event) != 0)
        return -errno;
    w->interest = EPOLLIN;
    return 0;
}

void net_watch_recall(net_epoll *e, net_watch *w, net_recall *place)
{
    if (place->watch != NULL)
        return;
    place->watch = w;
    TAILQ_INSERT_TAIL(&e->recalled, place, link);
}

void net_watch_take_recall(net_epoll *e, net_watch *w, net_recall *place)
{
    if (place->watch != NULL)
        TAILQ_REMOVE(&e->recalled, place, link);
    place->watch = NULL;
    if ((w->interest & EPOLLIN) == 0)
        untell(e, w, EPOLLIN);
}

/* ---- A pass ---- */

/* The events of a watch that epoll has returned. Only what the watch wants. */
static uint32_t events_for(const net_watch *w, uint32_t events)
{
    return (events & (EPOLLERR | EPOLLHUP)) != 0 ? w->interest : events & w->interest;
}

/* Let each watch know where it is in `ready`, so that it can be taken out again. */
static void note_places(net_epoll *e, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        net_watch *w = e->ready[i].data.ptr;
        assert(w->ready_at == 0 && w->interest != 0);
        e->ready[i].events = events_for(w, e->ready[i].events);
        w->ready_at = (uint16_t)(i + 1);
    }
}

/* Put the recalled watches behind those that are ready, as many as there is space for. Returns how many there
 * are together. */
static uint32_t add_recalled(net_epoll *e, uint32_t count)
{
    net_recall *place;
    while ((place = TAILQ_FIRST(&e->recalled)) != NULL) {
        net_watch *w = place->watch;
        assert(w != NULL);
        if (w->ready_at == 0) {
            if (count == e->ready_cap)
                break;
            e->ready[count++] = (struct epoll_event){.data.ptr = w};
            w->ready_at = (uint16_t)count;
        }
        e->ready[w->ready_at - 1].events |= EPOLLIN;
        TAILQ_REMOVE(&e->recalled, place, link);
        place->watch = NULL;
    }
    return count;
}

static void tell_all(net_epoll *e, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        net_watch *w = e->ready[i].data.ptr;
        if (w == NULL)
            continue;
        w->ready_at = 0;
        if (e->ready[i].events != 0)
            w->on_ready(w, e->ready[i].events);
    }
}

/* Without memory it stays as it is, and the others are told in the next turns. */
static void grow(net_epoll *e)
{
    assert(e->ready_cap >= FIRST_READY);
    struct epoll_event *more = realloc(e->ready, 2 * e->ready_cap * sizeof(*more));
    if (more == NULL)
        return;
    e->ready = more;
    e->ready_cap *= 2;
}

int net_epoll_pass(net_epoll *e, int timeout_ms)
{
    bool has_recalled = net_epoll_has_recalled(e);
    uint32_t most = has_recalled ? e->ready_cap / 2 : e->ready_cap; /* half of the space is for them */
    int got;
    do
        got = epoll_wait(e->fd, e->ready, (int)most, has_recalled ? 0 : timeout_ms);
    while (got < 0 && errno == EINTR);
    if (got < 0)
        return -errno;
    note_places(e, (uint32_t)got);
    uint32_t count = add_recalled(e, (uint32_t)got);
    tell_all(e, count);
    if (((uint32_t)got == most || count == e->ready_cap) && e->ready_cap < MAX_READY)
        grow(e);
    return 0;
}
