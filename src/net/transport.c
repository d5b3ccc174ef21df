#include "net/transport.h"

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

static void on_input(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    transport *t = arg;
    t->events->on_readable(t->context);
}

static void on_output(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    transport *t = arg;
    t->events->on_writable(t->context);
}

void transport_open(transport *t, int fd, const transport_events *events, void *context)
{
    *t = (transport){.fd = fd, .events = events, .context = context};
}

void transport_attach(transport *t, struct event_base *base)
{
    t->base = base;
}

void transport_detach(transport *t)
{
    if (t->base == NULL)
        return;
    transport_watch_input(t, false);
    transport_want_room(t, false);
    t->base = NULL;
}

int transport_watch_input(transport *t, bool watches)
{
    if (t->watches_input == watches)
        return 0;
    if (!watches) {
        event_del(&t->input);
        t->watches_input = false;
        return 0;
    }

    event_assign(&t->input, t->base, t->fd, EV_READ | EV_PERSIST, on_input, t);
    errno = 0; /* libevent leaves it alone when its own allocation fails */
    if (event_add(&t->input, NULL) != 0)
        return errno != 0 ? -errno : -ENOMEM;
    t->watches_input = true;
    return 0;
}

ssize_t transport_read(transport *t, uint8_t *data, size_t len)
{
    ssize_t got;
    do
        got = recv(t->fd, data, len, 0);
    while (got < 0 && errno == EINTR);
    return got < 0 ? -errno : got;
}

ssize_t transport_write(transport *t, const uint8_t *data, size_t len)
{
    ssize_t taken;
    do
        taken = send(t->fd, data, len, MSG_NOSIGNAL);
    while (taken < 0 && errno == EINTR);
    return taken < 0 ? -errno : taken;
}

int transport_want_room(transport *t, bool wants)
{
    if (wants == (t->output != NULL))
        return 0;
    if (!wants) {
        event_free(t->output);
        t->output = NULL;
        return 0;
    }

    struct event *output = event_new(t->base, t->fd, EV_WRITE | EV_PERSIST, on_output, t);
    if (output == NULL)
        return -ENOMEM;
    if (event_add(output, NULL) != 0) {
        event_free(output);
        return -ENOMEM;
    }
    t->output = output;
    return 0;
}

void transport_end_output(transport *t)
{
    shutdown(t->fd, SHUT_WR);
}

void transport_close(transport *t)
{
    transport_detach(t);
    if (t->fd >= 0)
        close(t->fd);
    t->fd = -1;
}
