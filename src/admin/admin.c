#include "admin/admin.h"

#include "admin/admin_answer.h"
#include "base/log.h"
#include "base/memory_text.h"
#include "base/thread.h"
#include "base/wake_up.h"
#include "net/event_base.h"

#include <assert.h>
#include <errno.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <event2/http.h>
#include <event2/listener.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

static const char log_namespace[] = "HomeCall_Signal_Admin";

enum { BACKLOG = 64 };

enum { STATUS_MISDIRECTED = 421 }; /* RFC 9110, 15.5.20, which evhttp does not know */

/* A request needs no body, and no scraper sends so long a head. */
enum { MAX_HEAD_BYTES = 8 * 1024, MAX_BODY_BYTES = 1024 };

/* The most that evhttp may have read and not used yet. By itself it reads on without a bound while it writes
 * an answer. */
enum { MAX_INPUT_BYTES = 2 * MAX_HEAD_BYTES };

/* How long a connection may be idle: scrapers keep theirs from one scrape to the next, which is often a
 * minute. */
enum { IDLE_TIMEOUT_S = 75 };

/* Memory for connections and requests when no other is left: see has_reserve(). A connection needs about 2
 * KiB. The block is so small that free() keeps it in the thread's heap, where evhttp finds it, and does not
 * give it to the system. */
enum { RESERVE_BYTES = 96 * 1024 };

/* How long accepting pauses when there are ADMIN_MAX_CONNECTIONS, or no descriptors or memory left. */
static const struct timeval pause_time = {.tv_usec = 100L * 1000};

struct admin {
    pthread_t id;
    bool is_started;
    _Atomic bool is_retired; /* nobody is accepted any more; relaxed, as the next */
    _Atomic bool must_end;   /* the loop is to end */
    int wake_fd;             /* owned: an eventfd that makes the loop look at the two above */
    struct event_base *base; /* owned, and so the next three; without locks: only the thread touches it */
    struct event *wake;
    struct event *pause; /* the pause in accepting is over */
    struct evhttp *http;
    struct evconnlistener *listeners[ADMIN_MAX_SOCKETS]; /* evhttp's */
    size_t listener_count;
    void *reserve; /* owned: RESERVE_BYTES, or NULL while there is no memory */
    admin_answerer answerer;
};

/* The admin whose thread this is, since the error callback of evhttp's listener gets no argument for it. */
static _Thread_local admin *of_thread;

/* Is there memory to go on with? evhttp (2.1.12) crashes if it gets none for a connection or for its next
 * request. So we keep a reserve, and before evhttp needs memory we try to allocate a new one. If that fails,
 * the old one is freed, for evhttp to use. Until there is a reserve again, no connection may come in, and
 * none may stay. */
static bool has_reserve(admin *a)
{
    void *fresh = malloc(RESERVE_BYTES);
    if (fresh == NULL || a->reserve == NULL) {
        void *old = a->reserve;
        a->reserve = fresh;
        fresh = old;
    }
    free(fresh);
    return a->reserve != NULL;
}

/* ---- Answering ---- */

static bool add_header(struct evhttp_request *request, const char *name, const char *value)
{
    return evhttp_add_header(evhttp_request_get_output_headers(request), name, value) == 0;
}

/* Everything of an answer but its status. An answer to HEAD tells the length of the body and leaves the body
 * out. */
static bool fill_in(struct evhttp_request *request, const char *media_type, const char *body, size_t len)
{
    char length[24];
    snprintf(length, sizeof(length), "%zu", len);
    if (!add_header(request, "Content-Type", media_type) || !add_header(request, "Content-Length", length) ||
        !add_header(request, "Cache-Control", "no-store"))
        return false;
    return evhttp_request_get_command(request) == EVHTTP_REQ_HEAD ||
           evbuffer_add(evhttp_request_get_output_buffer(request), body, len) == 0;
}

/* The address that the client has connected to; unknown if the kernel does not tell it. */
static address local_address_of(struct evhttp_request *request)
{
    struct bufferevent *buffers = evhttp_connection_get_bufferevent(evhttp_request_get_connection(request));
    struct sockaddr_storage bound;
    socklen_t len = sizeof(bound);
    if (getsockname(bufferevent_getfd(buffers), (struct sockaddr *)&bound, &len) != 0)
        return (address){0};
    return address_from_sockaddr((const struct sockaddr *)&bound, len);
}

static admin_page_head write_answer(admin *a, struct evhttp_request *request, FILE *out)
{
    enum evhttp_cmd_type method = evhttp_request_get_command(request);
    const struct evhttp_uri *uri = evhttp_request_get_evhttp_uri(request);
    const struct evkeyvalq *headers = evhttp_request_get_input_headers(request);
    const char *host = uri != NULL ? evhttp_uri_get_host(uri) : NULL; /* it wins: RFC 9112, 3.2.2 */
    const admin_question question = {
        .only_reads = method == EVHTTP_REQ_GET || method == EVHTTP_REQ_HEAD,
        .path = uri != NULL ? evhttp_uri_get_path(uri) : NULL,
        .host = host != NULL ? host : evhttp_find_header(headers, "Host"),
        .accept = evhttp_find_header(headers, "Accept"),
        .local = local_address_of(request),
    };
    admin_page_head head = admin_answer_write(&a->answerer, &question, out);
    if (head.status == HTTP_BADMETHOD)
        (void)add_header(request, "Allow", "GET, HEAD");
    if (head.status == STATUS_MISDIRECTED)
        (void)add_header(request, "Connection", "close");
    return head;
}

/* NULL: evhttp knows it. */
static const char *reason_of(int status)
{
    return status == STATUS_MISDIRECTED ? "Misdirected Request" : NULL;
}

/* The answer has been sent, and now evhttp allocates the next request. */
static void on_answered(struct evhttp_request *request, void *arg)
{
    (void)request;
    (void)has_reserve(arg);
}

/* Answer a request. Without memory for that, close the connection. */
static void on_request(struct evhttp_request *request, void *arg)
{
    admin *a = arg;
    char *body = NULL;
    size_t len = 0;
    FILE *out = has_reserve(a) ? open_memstream(&body, &len) : NULL;
    bool is_good = out != NULL;
    admin_page_head head = {0};
    if (is_good) {
        head = write_answer(a, request, out);
        is_good = memory_text_close(out, &body);
    }
    evhttp_request_set_on_complete_cb(request, on_answered, a);
    if (is_good && fill_in(request, head.media_type, body, len))
        evhttp_send_reply(request, head.status, reason_of(head.status), NULL);
    else
        evhttp_connection_free(evhttp_request_get_connection(request));
    free(body);
}

/* ---- Accepting ---- */

typedef struct census {
    evutil_socket_t last_fd;
    size_t descriptors;
} census;

/* Count the descriptors. Events are visited in the order of their descriptors. */
static int on_event(const struct event_base *base, const struct event *event, void *arg)
{
    (void)base;
    census *c = arg;
    evutil_socket_t fd = event_get_fd(event);
    if (fd >= 0 && fd != c->last_fd)
        c->descriptors++;
    c->last_fd = fd;
    return 0;
}

/* evhttp tells neither how many connections it has nor when one ends. But each has events, so these are
 * counted. The listener and the eventfd have events too: two more or less do not matter. */
static bool is_full(struct event_base *base)
{
    census c = {.last_fd = -1};
    event_base_foreach_event(base, on_event, &c);
    return c.descriptors >= ADMIN_MAX_CONNECTIONS;
}

/* May one more connection come in? */
static bool has_space(admin *a)
{
    return has_reserve(a) && !is_full(a->base);
}

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
    if (goes_on && !has_space(a))
        return;
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
    (void)arg;
    pause_accepting(of_thread);
}

/* evhttp has accepted a connection, and asks for the buffers to use for it. NULL: it makes its own. */
static struct bufferevent *on_connection(struct event_base *base, void *arg)
{
    admin *a = arg;
    if (!has_space(a))
        pause_accepting(a);
    struct bufferevent *buffers = bufferevent_socket_new(base, -1, 0);
    if (buffers != NULL)
        bufferevent_setwatermark(buffers, EV_READ, 0, MAX_INPUT_BYTES);
    return buffers;
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

/* evhttp answers methods that it does not know by itself, with 501. We get the others, and answer them with
 * 405. */
static void set_limits(struct evhttp *http)
{
    evhttp_set_allowed_methods(http, EVHTTP_REQ_GET | EVHTTP_REQ_POST | EVHTTP_REQ_HEAD | EVHTTP_REQ_PUT |
                                         EVHTTP_REQ_DELETE | EVHTTP_REQ_OPTIONS | EVHTTP_REQ_TRACE |
                                         EVHTTP_REQ_CONNECT | EVHTTP_REQ_PATCH);
    evhttp_set_max_headers_size(http, MAX_HEAD_BYTES);
    evhttp_set_max_body_size(http, MAX_BODY_BYTES);
    evhttp_set_timeout(http, IDLE_TIMEOUT_S);
}

/* Takes `listen_fd`, also when it fails. 0 or -errno. */
static int listen_on(admin *a, int listen_fd)
{
    errno = 0;
    struct evconnlistener *listener = evconnlistener_new(
        a->base, NULL, NULL, LEV_OPT_DISABLED | LEV_OPT_CLOSE_ON_FREE | LEV_OPT_CLOSE_ON_EXEC, BACKLOG,
        listen_fd);
    if (listener == NULL) {
        int error = errno != 0 ? -errno : -ENOMEM;
        close(listen_fd);
        return error;
    }
    if (evhttp_bind_listener(a->http, listener) == NULL) { /* on success evhttp owns it */
        evconnlistener_free(listener);
        return -ENOMEM;
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
    a->http = evhttp_new(a->base);
    if (a->wake == NULL || a->pause == NULL || a->http == NULL || !has_reserve(a) ||
        event_add(a->wake, NULL) != 0)
        return -ENOMEM;
    set_limits(a->http);
    evhttp_set_gencb(a->http, on_request, a);
    evhttp_set_bevcb(a->http, on_connection, a);
    return 0;
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
    of_thread = a;
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
    if (a->http != NULL)
        evhttp_free(a->http);
    if (a->pause != NULL)
        event_free(a->pause);
    if (a->wake != NULL)
        event_free(a->wake);
    if (a->base != NULL)
        event_base_free(a->base);
    if (a->wake_fd >= 0)
        close(a->wake_fd);
    admin_answerer_deinit(&a->answerer);
    free(a->reserve);
    free(a);
}
