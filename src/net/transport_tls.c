#include "net/transport_tls.h"

#include "net/tls_stream.h"

#include <assert.h>
#include <errno.h>
#include <stddef.h>
#include <stdlib.h>

typedef struct tls_extra {
    transport_extra extra; /* first */
    tls_stream *tls;       /* owned */
    net_recall recall;     /* for transport_recall_input() */
    net_watch_fn
        on_ready; /* the callback of the transport, whose watch is the stream's until that is secured */
} tls_extra;

static_assert(offsetof(tls_extra, extra) == 0, "a transport_extra of TLS is a tls_extra");

static tls_extra *extra_of(const transport *t)
{
    return (tls_extra *)(uintptr_t)t->extra;
}

static tls_stream *tls_of(const transport *t)
{
    return extra_of(t)->tls;
}

static void on_tls_event(void *context, tls_stream_event event)
{
    transport *t = context;
    uint32_t what = EPOLLIN;
    if (event == TLS_STREAM_BEGINS) {
        what = TRANSPORT_BEGINS;
    } else if (event == TLS_STREAM_SECURED) {
        what = TRANSPORT_SECURED;
        t->watch.on_ready = extra_of(t)->on_ready;
        transport_start_deferred_wait(t);
        transport_recall_input(t);
    }
    extra_of(t)->on_ready(&t->watch, what);
}

/* The tls_stream_owner.watch. Before the stream is secured, nothing else is watched. */
static int watch(void *context, uint32_t events)
{
    transport *t = context;
    uint32_t others = tls_stream_is_secured(tls_of(t)) ? t->watch.interest & EPOLLOUT : 0;
    uint32_t interest = others | events;
    return interest == t->watch.interest ? 0 : net_watch_change(&t->loop->epoll, &t->watch, interest);
}

static void on_handshake_ready(net_watch *watched, uint32_t events)
{
    (void)events;
    tls_stream_go_on(tls_of(transport_of(watched)));
}

static ssize_t read_tls(transport *t, uint8_t *data, size_t len)
{
    return tls_stream_read(tls_of(t), data, len);
}

static ssize_t write_tls(transport *t, const uint8_t *data, size_t len, bool is_last)
{
    return tls_stream_write(tls_of(t), data, len, is_last);
}

static bool watches_input(const transport *t)
{
    return tls_stream_watches_input(tls_of(t));
}

static int watch_input(transport *t, bool watches)
{
    if (!watches) {
        net_watch_take_recall(&t->loop->epoll, &t->watch, &extra_of(t)->recall);
        tls_stream_ignore_input(tls_of(t));
        return 0;
    }
    int error = tls_stream_watch_input(tls_of(t));
    transport_recall_input(t);
    return error;
}

static bool holds_input(const transport *t)
{
    return tls_stream_holds_input(tls_of(t));
}

static void recall_input(transport *t)
{
    net_watch_recall(&t->loop->epoll, &t->watch, &extra_of(t)->recall);
}

static bool is_secured(const transport *t)
{
    return tls_stream_is_secured(tls_of(t));
}

static const char *fault(const transport *t)
{
    return tls_stream_fault(tls_of(t));
}

static void detach(transport *t)
{
    tls_stream_detach(tls_of(t));
}

static void free_extra(transport *t)
{
    t->watch.on_ready = extra_of(t)->on_ready;
    tls_stream_free(tls_of(t));
    free(extra_of(t));
}

static int end_output(transport *t)
{
    int error = tls_stream_end_output(tls_of(t));
    if (error != 0)
        return error;
    /* From now on the bytes of the socket itself are read, by a plain transport. */
    bool watches = watches_input(t);
    (void)transport_watch_input(t, false);
    (void)transport_want_writable(t, false, 0);
    free_extra(t);
    transport_set_extra(t, NULL);
    if (watches)
        (void)transport_watch_input(t, true); /* transport_watches_input() tells the caller if it fails */
    return 0;
}

/* When the peer has ended its side in order, we owe it a close_notify of our own (RFC 8446, 6.1). It is sent
 * if the socket takes it at once. */
static void close_tls(transport *t)
{
    if (tls_stream_has_ended(tls_of(t)))
        (void)tls_stream_end_output(tls_of(t));
    free_extra(t);
}

static const transport_kind tls_kind = {
    .read = read_tls,
    .write = write_tls,
    .watch_input = watch_input,
    .watches_input = watches_input,
    .holds_input = holds_input,
    .recall_input = recall_input,
    .is_secured = is_secured,
    .fault = fault,
    .end_output = end_output,
    .detach = detach,
    .close = close_tls,
};

static const tls_stream_owner owner = {.on_event = on_tls_event, .watch = watch};

int transport_start_tls(transport *t, tls_context *tls)
{
    tls_extra *made = calloc(1, sizeof(*made));
    if (made == NULL)
        return -ENOMEM;
    made->extra.kind = &tls_kind;
    made->tls = tls_stream_new(tls, transport_fd(t), &owner, t);
    if (made->tls == NULL) {
        free(made);
        return -ENOMEM;
    }
    made->on_ready = t->watch.on_ready;
    t->watch.on_ready = on_handshake_ready;
    transport_set_extra(t, &made->extra);
    return 0;
}

void transport_pace_handshake(transport *t, tls_pacer *pacer)
{
    tls_stream_pace_handshake(tls_of(t), pacer);
}

bool transport_waits_for_step(const transport *t)
{
    assert(t->extra->kind == &tls_kind && !is_secured(t));
    return tls_stream_waits(tls_of(t));
}
