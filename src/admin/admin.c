#include "admin/admin.h"

#include "admin/admin_connections.h"
#include "base/log.h"
#include "base/thread.h"
#include "base/wake_up.h"
#include "net/event_base.h"

#include <assert.h>
#include <errno.h>
#include <event2/event.h>
#include <event2/listener.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

static const char log_namespace[] = "HomeCall_Signal_Admin";

enum { BACKLOG = 64 };

/* How long accepting pauses when no descriptors or memory are left. */
static const struct timeval pause_time = {.tv_usec = 100L * 1000};

struct admin {
    pthread_t id;
    bool is_started;
    _Atomic bool is_retired; /* nobody is accepted any more; relaxed, as the next */
    _Atomic bool must_end;   /* the loop is to end */
    int wake_fd;             /* owned: an eventfd that makes the loop look at the two above */
    struct event_base *base; /* owned, and so the next five; without locks: only the thread touches it */
    struct event *wake;
    struct event *pause; /* the pause in accepting is over */
    admin_connections *connections;
    struct evconnlistener *listeners[ADMIN_MAX_SOCKETS];
    size_t listener_count;
    admin_answerer answerer;
};

/* ---- Accepting ---- */

/* Each of them goes on to listen, or not one does. */
static bool resume_accepting(admin *a)
{
    bool is_good = true;
    for (size_t i = 0; i < a->listener_count; i++)
        is_good = evconnlistener_enable(a->listeners[i]) == 0 && is_good;
    return is_good;
}

static void stop_accepting(admin *a)
{
    for (size_t i = 0; i < a->listener_count; i++)
        evconnlistener_disable(a->listeners[i]);
}

static void on_pause_over(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    admin *a = arg;
    if (atomic_load_explicit(&a->is_retired, memory_order_relaxed))
        return;
    /* First the timer: its place has just become free, and what follows may need memory. */
    bool goes_on = evtimer_add(a->pause, &pause_time) == 0;
    if (resume_accepting(a))
        (void)evtimer_del(a->pause);
    else if (goes_on)
        stop_accepting(a);
}

static void pause_accepting(admin *a)
{
    stop_accepting(a);
    if (evtimer_add(a->pause, &pause_time) != 0)
        (void)resume_accepting(a); /* no memory for a pause */
}

/* EMFILE and the like. Connections that wait to be accepted keep the listener readable, so without a pause
 * the loop would spin. */
static void on_accept_error(struct evconnlistener *listener, void *arg)
{
    (void)listener;
    pause_accepting(arg);
}

static void on_accept(struct evconnlistener *listener, evutil_socket_t fd, struct sockaddr *from, int len,
                      void *arg)
{
    (void)listener;
    (void)from;
    (void)len;
    const admin *a = arg;
    admin_connections_add(a->connections, fd);
}

/* ---- Life ---- */

static void on_wake(evutil_socket_t fd, short what, void *arg)
{
    (void)what;
    admin *a = arg;
    eventfd_t value;
    (void)eventfd_read(fd, &value); /* if it fails, this is called once more */
    if (atomic_load_explicit(&a->is_retired, memory_order_relaxed))
        stop_accepting(a);
    if (atomic_load_explicit(&a->must_end, memory_order_relaxed))
        event_base_loopbreak(a->base);
}

/* Takes `listen_fd`, also when it fails. 0 or -errno. */
static int listen_on(admin *a, int listen_fd)
{
    errno = 0;
    struct evconnlistener *listener = evconnlistener_new(
        a->base, on_accept, a, LEV_OPT_DISABLED | LEV_OPT_CLOSE_ON_FREE | LEV_OPT_CLOSE_ON_EXEC, BACKLOG,
        listen_fd);
    if (listener == NULL) {
        int error = errno != 0 ? -errno : -ENOMEM;
        close(listen_fd);
        return error;
    }
    evconnlistener_set_error_cb(listener, on_accept_error);
    a->listeners[a->listener_count++] = listener;
    errno = ENOMEM; /* libevent does not set it when its own allocation fails */
    return evconnlistener_enable(listener) == 0 ? 0 : -errno;
}

static void close_all(const int *fds, size_t count)
{
    for (size_t i = 0; i < count; i++)
        close(fds[i]);
}

/* Takes all of them, also when it fails. 0 or -errno. */
static int listen_on_all(admin *a, const int *listen_fds, size_t count)
{
    int error = 0;
    size_t taken = 0;
    while (taken < count && error == 0)
        error = listen_on(a, listen_fds[taken++]);
    close_all(listen_fds + taken, count - taken);
    return error;
}

/* All but listening. 0 or -errno. */
static int prepare(admin *a, const admin_options *options)
{
    a->wake_fd = -1;
    int error = admin_answerer_init(&a->answerer, options);
    if (error != 0)
        return error;
    a->wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (a->wake_fd < 0)
        return -errno;
    error = net_event_base_new(&a->base);
    if (error != 0)
        return error;
    a->wake = event_new(a->base, a->wake_fd, EV_READ | EV_PERSIST, on_wake, a);
    a->pause = evtimer_new(a->base, on_pause_over, a);
    if (a->wake == NULL || a->pause == NULL || event_add(a->wake, NULL) != 0)
        return -ENOMEM;
    return admin_connections_new(a->base, &a->answerer, &a->connections);
}

int admin_new(const admin_options *options, const int *listen_fds, size_t count, admin **out)
{
    assert(count >= 1 && count <= ADMIN_MAX_SOCKETS);
    admin *a = calloc(1, sizeof(*a));
    if (a == NULL) {
        close_all(listen_fds, count);
        return -ENOMEM;
    }
    int error = prepare(a, options);
    if (error != 0)
        close_all(listen_fds, count);
    else
        error = listen_on_all(a, listen_fds, count);
    if (error != 0) {
        admin_free(a);
        return error;
    }
    *out = a;
    return 0;
}

static void *run(void *arg)
{
    admin *a = arg;
    if (event_base_dispatch(a->base) < 0) { /* its epoll was closed: let nobody wait for an answer */
        log_event(LOG_ERROR, log_namespace, "event loop of the admin port failed", NULL, 0);
        for (size_t i = 0; i < a->listener_count; i++)
            shutdown(evconnlistener_get_fd(a->listeners[i]), SHUT_RDWR);
    }
    return NULL;
}

int admin_start(admin *a)
{
    assert(!a->is_started);
    int error = thread_start(&a->id, "hc-admin", run, a);
    a->is_started = error == 0;
    return error;
}

void admin_stop(admin *a)
{
    if (!a->is_started)
        return;
    atomic_store_explicit(&a->must_end, true, memory_order_relaxed);
    (void)wake_up_patiently(a->wake_fd);
    pthread_join(a->id, NULL);
    a->is_started = false;
}

size_t admin_get_sockets(const admin *a, int fds[ADMIN_MAX_SOCKETS])
{
    for (size_t i = 0; i < a->listener_count; i++)
        fds[i] = evconnlistener_get_fd(a->listeners[i]);
    return a->listener_count;
}

void admin_retire(admin *a)
{
    atomic_store_explicit(&a->is_retired, true, memory_order_relaxed);
    (void)wake_up_patiently(a->wake_fd);
}

void admin_free(admin *a)
{
    if (a == NULL)
        return;
    admin_stop(a);
    admin_connections_free(a->connections);
    while (a->listener_count > 0)
        evconnlistener_free(a->listeners[--a->listener_count]);
    if (a->pause != NULL)
        event_free(a->pause);
    if (a->wake != NULL)
        event_free(a->wake);
    if (a->base != NULL)
        event_base_free(a->base);
    if (a->wake_fd >= 0)
        close(a->wake_fd);
    admin_answerer_deinit(&a->answerer);
    free(a);
}
