#include "net/transport.h"

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

void transport_open(transport *t, int fd, event_callback_fn on_ready, void *context)
{
    t->output = NULL;
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
}

int transport_watch_input(transport *t, bool watches)
{
    if (transport_watches_input(t) == watches)
        return 0;
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
    ssize_t got;
    do
        got = recv(fd_of(t), data, len, 0);
    while (got < 0 && errno == EINTR);
    return got < 0 ? -errno : got;
}

ssize_t transport_write(transport *t, const uint8_t *data, size_t len, bool is_last)
{
    ssize_t taken;
    do
        taken = send(fd_of(t), data, len, MSG_NOSIGNAL | (is_last ? MSG_MORE : 0));
    while (taken < 0 && errno == EINTR);
    return taken < 0 ? -errno : taken;
}

static void stop_waiting(transport *t)
{
    event_del(&t->output->room);
    free(t->output);
    t->output = NULL;
}

int transport_want_room(transport *t, bool wants, uint64_t now_us)
{
    if (wants == (t->output != NULL))
        return 0;
    if (!wants) {
        stop_waiting(t);
        return 0;
    }

    transport_wait *wait = malloc(sizeof(*wait));
    if (wait == NULL)
        return -ENOMEM;
    wait->since_us = now_us;
    event_assign(&wait->room, event_get_base(&t->input), fd_of(t), EV_WRITE | EV_PERSIST,
                 event_get_callback(&t->input), event_get_callback_arg(&t->input));
    if (event_add(&wait->room, NULL) != 0) {
        free(wait);
        return -ENOMEM;
    }
    t->output = wait;
    return 0;
}

void transport_end_output(transport *t)
{
    shutdown(fd_of(t), SHUT_WR);
}

void transport_close(transport *t)
{
    transport_detach(t);
    if (fd_of(t) >= 0)
        close(fd_of(t));
    set_fd(t, -1, NULL, NULL);
}
