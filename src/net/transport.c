#include "net/transport.h"

#include "net/tls_stream.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

/* The event for input tells of nothing while it is not added, so it can stand for the descriptor that it is
 * to watch, before there is a base and after. */
static void set_fd(transport *t, int fd, event_callback_fn on_ready, void *context)
{
    event_assign(&t->input, NULL, fd, EV_READ | EV_PERSIST, on_ready, context);
}

static int fd_of(const transport *t)
{
    return event_get_fd(&t->input);
}

/* NULL for a plain one. */
static inline tls_stream *tls_of(const transport *t)
{
    return t->extra == NULL ? NULL : t->extra->tls;
}

void transport_open(transport *t, int fd, event_callback_fn on_ready, void *context)
{
    t->extra = NULL;
    set_fd(t, fd, on_ready, context);
}

void transport_attach(transport *t, struct event_base *base)
{
    event_base_set(base, &t->input);
}

address transport_peer(const transport *t)
{
    struct sockaddr_storage peer;
    socklen_t len = sizeof(peer);
    if (getpeername(fd_of(t), (struct sockaddr *)&peer, &len) != 0)
        return (address){0};
    return address_from_sockaddr((struct sockaddr *)&peer, len);
}

void transport_detach(transport *t)
{
    transport_watch_input(t, false);
    transport_want_room(t, false, 0);
    if (tls_of(t) != NULL)
        tls_stream_detach(tls_of(t));
}

/* ---- TLS ---- */

static void on_tls_event(void *context, tls_stream_event event)
{
    transport *t = context;
    event_callback_fn on_ready = event_get_callback(&t->input);
    bool is_secured = event == TLS_STREAM_SECURED;
    if (is_secured) {
        if (transport_wants_room(t))
            event_add(&t->extra->room, NULL); /* without memory its owner waits until it is tired of it */
        transport_recall_input(t);
    }
    on_ready(fd_of(t), is_secured ? 0 : EV_READ, event_get_callback_arg(&t->input));
}

int transport_start_tls(transport *t, tls_context *tls)
{
    transport_extra *extra = calloc(1, sizeof(*extra));
    if (extra != NULL)
        extra->tls = tls_stream_new(tls, fd_of(t), on_tls_event, t);
    if (extra == NULL || extra->tls == NULL) {
        free(extra);
        return -ENOMEM;
    }
    t->extra = extra;
    return 0;
}

bool transport_awaits_tls(const transport *t)
{
    return tls_of(t) != NULL && !tls_stream_is_secured(tls_of(t));
}

const char *transport_fault(const transport *t)
{
    return tls_of(t) == NULL ? "no fault" : tls_stream_fault(tls_of(t));
}

bool transport_holds_input(const transport *t)
{
    return tls_of(t) != NULL && tls_stream_holds_input(tls_of(t));
}

void transport_recall_input(transport *t)
{
    if (transport_holds_input(t) && transport_watches_input(t))
        event_active(&t->input, EV_READ, 1);
}

static int watch_tls(transport *t, bool watches)
{
    if (!watches) {
        event_del(&t->input);
        tls_stream_ignore_input(t->extra->tls);
        return 0;
    }
    int error = tls_stream_watch_input(t->extra->tls, event_get_base(&t->input));
    transport_recall_input(t);
    return error;
}

/* From here on the bytes of the socket are what is read and written. */
static void drop_tls(transport *t)
{
    tls_stream_free(t->extra->tls);
    free(t->extra);
    t->extra = NULL;
}

static int end_tls(transport *t)
{
    int error = tls_stream_end_output(t->extra->tls);
    if (error != 0)
        return error;
    bool watches = transport_watches_input(t);
    transport_watch_input(t, false);
    transport_want_room(t, false, 0);
    drop_tls(t);
    if (watches)
        (void)transport_watch_input(t, true); /* or the peer's end goes unseen */
    return 0;
}

/* ---- Reading ---- */

bool transport_watches_input(const transport *t)
{
    if (tls_of(t) != NULL)
        return tls_stream_watches_input(tls_of(t));
    return event_get_base(&t->input) != NULL && event_pending(&t->input, EV_READ, NULL) != 0;
}

int transport_watch_input(transport *t, bool watches)
{
    if (transport_watches_input(t) == watches)
        return 0;
    if (tls_of(t) != NULL)
        return watch_tls(t, watches);
    if (!watches) {
        event_del(&t->input);
        return 0;
    }

    errno = 0; /* libevent leaves it alone when its own allocation fails */
    if (event_add(&t->input, NULL) != 0)
        return errno != 0 ? -errno : -ENOMEM;
    return 0;
}

ssize_t transport_read(transport *t, uint8_t *data, size_t len)
{
    if (tls_of(t) != NULL)
        return tls_stream_read(tls_of(t), data, len);
    ssize_t got;
    do
        got = recv(fd_of(t), data, len, 0);
    while (got < 0 && errno == EINTR);
    return got < 0 ? -errno : got;
}

/* ---- Writing ---- */

ssize_t transport_write(transport *t, const uint8_t *data, size_t len, bool is_last)
{
    if (tls_of(t) != NULL)
        return tls_stream_write(tls_of(t), data, len);
    ssize_t taken;
    do
        taken = send(fd_of(t), data, len, MSG_NOSIGNAL | (is_last ? MSG_MORE : 0));
    while (taken < 0 && errno == EINTR);
    return taken < 0 ? -errno : taken;
}

/* A plain one has no extra but for a wait. */
static void drop_unused(transport *t)
{
    if (t->extra->tls != NULL)
        return;
    free(t->extra);
    t->extra = NULL;
}

static void stop_waiting(transport *t)
{
    event_del(&t->extra->room);
    t->extra->wants_room = false;
    drop_unused(t);
}

static int start_waiting(transport *t, uint64_t now_us)
{
    if (t->extra == NULL)
        t->extra = calloc(1, sizeof(*t->extra));
    if (t->extra == NULL)
        return -ENOMEM;
    event_assign(&t->extra->room, event_get_base(&t->input), fd_of(t), EV_WRITE | EV_PERSIST,
                 event_get_callback(&t->input), event_get_callback_arg(&t->input));
    if (!transport_awaits_tls(t) && event_add(&t->extra->room, NULL) != 0) {
        drop_unused(t);
        return -ENOMEM;
    }
    t->extra->since_us = now_us;
    t->extra->wants_room = true;
    return 0;
}

int transport_want_room(transport *t, bool wants, uint64_t now_us)
{
    if (wants == transport_wants_room(t))
        return 0;
    if (wants)
        return start_waiting(t, now_us);
    stop_waiting(t);
    return 0;
}

/* ---- The end ---- */

int transport_end_output(transport *t)
{
    int error = tls_of(t) != NULL ? end_tls(t) : 0;
    if (error == 0)
        shutdown(fd_of(t), SHUT_WR);
    return error;
}

void transport_close(transport *t)
{
    transport_detach(t);
    if (tls_of(t) != NULL)
        drop_tls(t);
    if (fd_of(t) >= 0)
        close(fd_of(t));
    set_fd(t, -1, NULL, NULL);
}
