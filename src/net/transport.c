#include "net/transport.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

static const transport_extra plain_extra;

/* The extra, to be written to. Not for the shared one. */
static transport_extra *own_extra(const transport *t)
{
    assert(t->extra != &plain_extra);
    return (transport_extra *)(uintptr_t)t->extra;
}

void transport_set_extra(transport *t, transport_extra *extra)
{
    t->extra = extra == NULL ? &plain_extra : extra;
}

void transport_open(transport *t, int fd, net_watch_fn on_ready)
{
    *t = (transport){.watch = {.on_ready = on_ready, .fd = fd}};
    transport_set_extra(t, NULL);
}

void transport_attach(transport *t, net_loop *loop)
{
    assert(t->loop == NULL);
    t->loop = loop;
}

int transport_watch(transport *t, uint32_t events, bool watches)
{
    uint32_t interest = watches ? t->watch.interest | events : t->watch.interest & ~events;
    return interest == t->watch.interest ? 0 : net_watch_change(&t->loop->epoll, &t->watch, interest);
}

int transport_watch_input(transport *t, bool watches)
{
    return transport_watches_input(t) == watches ? 0 : t->extra->kind->watch_input(t, watches);
}

void transport_recall_input(transport *t)
{
    if (transport_holds_input(t) && transport_watches_input(t))
        t->extra->kind->recall_input(t);
}

void transport_detach(transport *t)
{
    (void)transport_watch_input(t, false);
    (void)transport_want_writable(t, false, 0);
    t->extra->kind->detach(t);
    assert(t->watch.interest == 0 && t->watch.ready_at == 0);
    t->loop = NULL;
}

int transport_end_output(transport *t)
{
    int error = t->extra->kind->end_output(t);
    if (error == 0)
        (void)shutdown(transport_fd(t), SHUT_WR); /* it fails only when the peer is gone */
    return error;
}

void transport_close(transport *t)
{
    transport_detach(t);
    assert(!transport_wants_writable(t) && !transport_watches_input(t));
    t->extra->kind->close(t);
    transport_set_extra(t, NULL);
    if (transport_fd(t) >= 0)
        close(transport_fd(t));
    t->watch.fd = -1;
}

/* ---- Watching whether the socket takes output ---- */

/* A plain transport has an extra of its own only while wants_writable is set. */
static void free_unused_extra(transport *t)
{
    if (t->extra->kind != plain_extra.kind)
        return;
    free(own_extra(t));
    transport_set_extra(t, NULL);
}

static void stop_watching_output(transport *t)
{
    (void)transport_watch(t, EPOLLOUT, false);
    own_extra(t)->wants_writable = false;
    free_unused_extra(t);
}

/* Make an extra that can be written to, if there is none. False without memory. */
static bool make_own_extra(transport *t)
{
    if (t->extra != &plain_extra)
        return true;
    transport_extra *extra = calloc(1, sizeof(*extra));
    if (extra == NULL)
        return false;
    extra->kind = plain_extra.kind;
    transport_set_extra(t, extra);
    return true;
}

static int start_watching_output(transport *t, uint64_t now_us)
{
    if (!make_own_extra(t))
        return -ENOMEM;
    int error = transport_is_secured(t) ? transport_watch(t, EPOLLOUT, true) : 0;
    if (error != 0) {
        free_unused_extra(t);
        return error;
    }
    transport_extra *extra = own_extra(t);
    extra->since_us = now_us;
    extra->wants_writable = true;
    return 0;
}

void transport_start_deferred_wait(transport *t)
{
    if (transport_wants_writable(t))
        (void)transport_watch(t, EPOLLOUT, true); /* if it fails, the deadline ends the connection */
}

int transport_want_writable(transport *t, bool wants, uint64_t now_us)
{
    if (wants == transport_wants_writable(t))
        return 0;
    if (wants)
        return start_watching_output(t, now_us);
    stop_watching_output(t);
    return 0;
}

/* ---- The plain kind ---- */

static bool plain_watches_input(const transport *t)
{
    return (t->watch.interest & EPOLLIN) != 0;
}

static int plain_watch_input(transport *t, bool watches)
{
    return transport_watch(t, EPOLLIN, watches);
}

static ssize_t plain_read(transport *t, uint8_t *data, size_t len)
{
    ssize_t got;
    do
        got = recv(transport_fd(t), data, len, 0);
    while (got < 0 && errno == EINTR);
    return got < 0 ? -errno : got;
}

static ssize_t plain_write(transport *t, const uint8_t *data, size_t len, bool is_last)
{
    ssize_t taken;
    do
        taken = send(transport_fd(t), data, len, MSG_NOSIGNAL | (is_last ? MSG_MORE : 0));
    while (taken < 0 && errno == EINTR);
    return taken < 0 ? -errno : taken;
}

static bool plain_holds_input(const transport *t)
{
    (void)t;
    return false;
}

static void plain_recall_input(transport *t)
{
    assert(!"it holds no input");
    (void)t;
}

static bool plain_is_secured(const transport *t)
{
    (void)t;
    return true;
}

static const char *plain_fault(const transport *t)
{
    (void)t;
    return "no fault";
}

static int plain_end_output(transport *t)
{
    (void)t;
    return 0;
}

static void plain_detach(transport *t)
{
    (void)t;
}

static void plain_close(transport *t)
{
    assert(t->extra == &plain_extra); /* transport_detach() has freed its own one */
    (void)t;
}

static const transport_kind plain_kind = {
    .read = plain_read,
    .write = plain_write,
    .watch_input = plain_watch_input,
    .watches_input = plain_watches_input,
    .holds_input = plain_holds_input,
    .recall_input = plain_recall_input,
    .is_secured = plain_is_secured,
    .fault = plain_fault,
    .end_output = plain_end_output,
    .detach = plain_detach,
    .close = plain_close,
};

static const transport_extra plain_extra = {.kind = &plain_kind};
