#include "app/app.h"

#include "app/cluster_log.h"
#include "app/descriptor_limit.h"
#include "app/libevent_log.h"
#include "app/process_memory.h"
#include "app/start_report.h"
#include "base/clock.h"
#include "base/descriptor.h"
#include "base/log.h"
#include "base/wake_up.h"
#include "homecall/signal_log.h"
#include "homecall/signal_server.h"
#include "net/event_base.h"

#include <errno.h>
#include <signal.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

static const char log_namespace[] = "HomeCall_Signal_App";

/* The pause between two tries to start. A try makes everything again, which takes some milliseconds. */
enum { RETRY_PAUSE_MS = 100 };

/* ---- The next process ---- */

/* Could not be done, or has failed: this process goes on. */
static void tell_no_successor(const char *why)
{
    LOG(LOG_ERROR, log_namespace, "the new process did not start, this one goes on",
        LOG_BYTES("why", slice_of_text(why)));
}

static void describe_service(const app *a, char *out, size_t cap)
{
    snprintf(out, cap, "serving port %u", signal_server_port(a->server));
}

/* The successor serves, or has failed, or takes too long. */
static void on_successor(evutil_socket_t fd, short what, void *context)
{
    (void)fd;
    app *a = context;
    if ((what & EV_TIMEOUT) != 0) {
        succession_abandon(&a->next);
        tell_no_successor("it does not serve in time");
        return;
    }
    if (!succession_conclude(&a->next)) {
        tell_no_successor("it has ended before it served; its own output says why");
        return;
    }
    char status[64];
    describe_service(a, status, sizeof(status));
    service_manager_notify_successor(a->next.pid, status);
    LOG(LOG_INFO, log_namespace, "the successor serves, stopping", LOG_NUMBER("pid", (uint64_t)a->next.pid));
    a->is_stopping = true;
    signal_watch_note_stop(&a->signals);
    signal_server_retire(a->server);
}

static int watch_successor(app *a)
{
    static const struct timeval patience = {.tv_sec = SUCCESSION_PATIENCE_S};
    if (a->successor_event != NULL)
        event_free(a->successor_event);
    a->successor_event = event_new(a->base, a->next.ready_fd, EV_READ, on_successor, a);
    return a->successor_event == NULL || event_add(a->successor_event, &patience) != 0 ? -ENOMEM : 0;
}

static int start_successor(app *a)
{
    size_t count = signal_server_get_sockets(a->server, NULL, 0);
    signal_server_socket *sockets = calloc(count + 1, sizeof(*sockets));
    if (sockets == NULL)
        return -ENOMEM;
    size_t now = signal_server_get_sockets(a->server, sockets, count);
    int error = now != count ? -EAGAIN
                             : succession_start(&a->next, a->argv, sockets, count,
                                                a->sockets[APP_SOCKETS_WS].count == 0);
    free(sockets);
    if (error == 0)
        error = watch_successor(a);
    if (error != 0)
        succession_abandon(&a->next);
    return error;
}

static void on_succession_signal(app *a)
{
    if (!a->is_serving || a->is_stopping) {
        tell_no_successor(a->is_stopping ? "this process stops" : "this process does not serve yet");
    } else if (a->next.pid != 0) {
        tell_no_successor("another one is being started");
    } else if (getpid() == 1) {
        tell_no_successor("this is the first process of a container, which ends with it");
    } else {
        int error = start_successor(a);
        if (error != 0)
            tell_no_successor(strerror(-error));
        else
            LOG(LOG_INFO, log_namespace, "starting a successor", LOG_NUMBER("pid", (uint64_t)a->next.pid));
    }
}

/* ---- Signals ---- */

static void on_stop_signal(app *a, const char *name)
{
    const char *event = a->is_stopping ? "stopping at once" : "stopping";
    LOG(LOG_INFO, log_namespace, event, LOG_LITERAL("signal", name));
    if (a->next.ready_fd >= 0) {
        tell_no_successor("this process was told to stop");
        (void)event_del(a->successor_event);
        succession_abandon(&a->next);
    }
    if (!a->is_serving) { /* it still waits for its place to listen */
        event_base_loopbreak(a->base);
        return;
    }
    signal_server_request_stop(a->server,
                               a->is_stopping); /* protocol/README.md, 1.7: a second one ends it at once */
    if (!a->is_stopping)
        service_manager_notify_stopping("telling every client that the server stops");
    a->is_stopping = true;
}

/* Open or read again what may change while the server runs: its log file and its certificate. */
static void reload(app *a)
{
    signal_log_reopen();
    if (a->is_serving && a->config->server.tls_port >= 0)
        (void)signal_server_reload_certificate(a->server); /* the log tells how it went */
}

static void on_signal(evutil_socket_t fd, short what, void *context)
{
    (void)fd;
    (void)what;
    app *a = context;
    int number;
    while ((number = signal_watch_take(&a->signals)) != 0) {
        if (number == SIGTERM || number == SIGINT)
            on_stop_signal(a, number == SIGTERM ? "SIGTERM" : "SIGINT");
        else if (number == SIGHUP)
            reload(a);
        else if (number == SIGUSR2)
            on_succession_signal(a);
        else if (a->is_serving)
            signal_server_log_state(a->server);
    }
}

/* On a thread of the server: wake our loop, and do nothing else. */
static void on_server_stopped(void *context)
{
    const app *a = context;
    (void)wake_up_patiently(a->stopped_fd);
}

static void on_stopped(evutil_socket_t fd, short what, void *context)
{
    (void)fd;
    (void)what;
    app *a = context;
    event_base_loopbreak(a->base);
}

/* Nothing can make this loop hang. The threads of the server could. */
static void on_sign_of_life_due(evutil_socket_t fd, short what, void *context)
{
    (void)fd;
    (void)what;
    const app *a = context;
    service_manager_keep_alive(signal_server_is_live(a->server));
}

/* ---- Starting ---- */

static const char *reason_of(int error)
{
    return error == -EMFILE ? "too few descriptors; raise RLIMIT_NOFILE (LimitNOFILE= of the unit, ulimit -n)"
                            : strerror(-error);
}

static int fail(const char *what, int error)
{
    const char *reason = reason_of(error);
    fprintf(stderr, "homecall-signal: %s: %s\n", what, reason);
    LOG(LOG_ERROR, log_namespace, "start failed", LOG_BYTES("what", slice_of_text(what)),
        LOG_BYTES("reason", slice_of_text(reason)));
    return error;
}

static int take_sockets(app *a)
{
    static const char *const names[APP_SOCKET_SETS] = {
        [APP_SOCKETS_WS] = "ws",
        [APP_SOCKETS_WS_OWN] = "ws-own",
        [APP_SOCKETS_WSS] = "wss",
        [APP_SOCKETS_ADMIN] = "admin",
    };
    for (int i = 0; i < APP_SOCKET_SETS; i++)
        a->sockets[i] = (service_sockets){.name = names[i]};
    a->ready_fd = succession_take_ready_fd();
    int error = service_manager_take_sockets(a->sockets, APP_SOCKET_SETS);
    return error != 0 ? fail("can't use the sockets of the service manager, which must be called ws, wss or "
                             "admin",
                             error)
                      : 0;
}

static int start_log(app *a)
{
    signal_log_options options = a->config->log;
    cluster_log of_cluster;
    cluster_log_prepare(a->config, &options, &of_cluster);
    int error = signal_log_start(&options);
    sodium_memzero(&of_cluster, sizeof(of_cluster));
    if (error != 0) {
        const char *file = a->config->log.file;
        bool has_file = file[0] != '\0';
        fprintf(stderr, "homecall-signal: can't write the log to %s: %s (LOG_FILE)\n",
                has_file ? file : "standard output", reason_of(error));
        return error;
    }
    a->has_log = true;
    libevent_log_start();
    return 0;
}

/* Before any other thread is started, so that every thread inherits what is blocked. */
static int start_signals(app *a, void (*on_overdue)(void))
{
    int error = signal_watch_start(&a->signals, a->config->server.shutdown_grace_ms, on_overdue);
    return error != 0 ? fail("can't wait for signals", error) : 0;
}

static struct event *watch(app *a, int fd, event_callback_fn callback)
{
    struct event *watched = event_new(a->base, fd, EV_READ | EV_PERSIST, callback, a);
    if (watched != NULL && event_add(watched, NULL) != 0) {
        event_free(watched);
        watched = NULL;
    }
    return watched;
}

static int make_loop(app *a)
{
    a->stopped_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (a->stopped_fd < 0)
        return fail("can't make an eventfd", -errno);
    int error = net_event_base_new(&a->base);
    if (error != 0)
        return fail("can't make an event loop", error);
    a->signal_event = watch(a, a->signals.fds[0], on_signal);
    a->stopped_event = watch(a, a->stopped_fd, on_stopped);
    return a->signal_event == NULL || a->stopped_event == NULL ? fail("can't make an event", -ENOMEM) : 0;
}

static int fail_to_start(const signal_server_fault *fault)
{
    char report[START_REPORT_CAP];
    start_report_write(fault, report, sizeof(report));
    fprintf(stderr, "homecall-signal: %s\n", report);
    LOG(LOG_ERROR, log_namespace, "start failed", LOG_BYTES("why", slice_of_text(report)));
    return fault->error;
}

/* TLS and the admin port are served only if the configuration has them: the successor of another
 * configuration may not, and then nobody is to wait at its sockets. */
static void give_sockets(app *a, signal_server_options *options)
{
    bool has_own = a->sockets[APP_SOCKETS_WS].count == 0;
    const service_sockets *plain = &a->sockets[has_own ? APP_SOCKETS_WS_OWN : APP_SOCKETS_WS];
    options->listen_fds = plain->fds;
    options->listen_fd_count = plain->count;
    options->owns_listen_paths = has_own;
    if (options->tls_port < 0)
        service_manager_close_sockets(&a->sockets[APP_SOCKETS_WSS]);
    if (options->admin_port == 0)
        service_manager_close_sockets(&a->sockets[APP_SOCKETS_ADMIN]);
    options->listen_tls_fds = a->sockets[APP_SOCKETS_WSS].fds;
    options->listen_tls_fd_count = a->sockets[APP_SOCKETS_WSS].count;
    options->listen_admin_fds = a->sockets[APP_SOCKETS_ADMIN].fds;
    options->listen_admin_fd_count = a->sockets[APP_SOCKETS_ADMIN].count;
}

static int create_server(app *a)
{
    signal_server_options options = a->config->server;
    options.on_stopped = on_server_stopped;
    options.context = a;
    give_sockets(a, &options);
    signal_server_fault fault;
    return signal_server_create(&options, &a->server, &fault) != 0 ? fail_to_start(&fault) : 0;
}

/* Tell the service manager that we serve, and from then on regularly that we live. */
static int report_for_duty(app *a)
{
    char status[64];
    describe_service(a, status, sizeof(status));
    if (a->ready_fd < 0)
        service_manager_notify_ready(status);
    else /* the predecessor, whom the manager still takes for the service, tells it */
        succession_tell_ready(a->ready_fd);
    a->ready_fd = -1;

    uint64_t interval_us = service_manager_watchdog_interval_us();
    if (interval_us == 0)
        return 0;
    const struct timeval interval = {.tv_sec = (time_t)(interval_us / 1000000),
                                     .tv_usec = (suseconds_t)(interval_us % 1000000)};
    a->alive_event = event_new(a->base, -1, EV_PERSIST, on_sign_of_life_due, a);
    if (a->alive_event == NULL || event_add(a->alive_event, &interval) != 0)
        return fail("can't make an event", -ENOMEM);
    return 0;
}

static size_t count_inherited(const app *a)
{
    size_t count = 0;
    for (int i = 0; i < APP_SOCKET_SETS; i++)
        count += a->sockets[i].count;
    return count;
}

static int on_started(app *a)
{
    const signal_server_options *o = &a->config->server;
    signal_server_stats stats;
    a->is_serving = true;
    descriptor_limit_check(o);
    signal_server_get_stats(a->server, &stats);
    LOG(LOG_INFO, log_namespace, "started", LOG_BYTES("version", slice_of_text(HOMECALL_VERSION)),
        LOG_BYTES("host", slice_of_text(signal_server_hosts(a->server))),
        LOG_NUMBER("port", signal_server_port(a->server)),
        LOG_NUMBER("tls_port", signal_server_tls_port(a->server)), LOG_NUMBER("workers", stats.workers),
        LOG_BYTES("admin_host", slice_of_text(signal_server_admin_hosts(a->server))),
        LOG_NUMBER("admin_port", o->admin_port), LOG_NUMBER("inherited_sockets", count_inherited(a)));
    return report_for_duty(a);
}

static void on_retry_due(evutil_socket_t fd, short what, void *context);

/* The place to listen is in use. Arrange for another try, unless BIND_RETRY is over. The first time it is
 * told that we wait. 0 when there will be another try. */
static int await_place(app *a, const signal_server_fault *fault)
{
    uint32_t patience_ms = a->config->bind_retry_ms;
    uint64_t now_ms = clock_monotonic_ms();
    if (a->retry_until_ms == 0 && patience_ms > 0) {
        char report[START_REPORT_CAP];
        start_report_write_patient(fault, patience_ms, report, sizeof(report));
        fprintf(stderr, "homecall-signal: %s\n", report);
        LOG(LOG_WARN, log_namespace, "start waits", LOG_BYTES("why", slice_of_text(report)));
        a->retry_until_ms = now_ms + patience_ms;
        a->retry_event = evtimer_new(a->base, on_retry_due, a);
    }
    if (now_ms >= a->retry_until_ms)
        return fault->error;
    const struct timeval pause = clock_span(RETRY_PAUSE_MS);
    return a->retry_event == NULL || evtimer_add(a->retry_event, &pause) != 0 ? -ENOMEM : 0;
}

/* 0 when the server has started, or when there will be another try; else an error that has been told. */
static int try_to_start(app *a)
{
    signal_server_fault fault;
    int error = signal_server_start(a->server, &fault);
    if (error == 0)
        return on_started(a);
    if (error == -EADDRINUSE && await_place(a, &fault) == 0)
        return 0;
    return fail_to_start(&fault);
}

static void on_retry_due(evutil_socket_t fd, short what, void *context)
{
    (void)fd;
    (void)what;
    app *a = context;
    if (try_to_start(a) == 0)
        return;
    a->exit_code = 1;
    event_base_loopbreak(a->base);
}

int app_run(app *a, const app_config *config, char **argv, void (*on_overdue)(void))
{
    *a = (app){.config = config,
               .argv = argv,
               .signals = {.signal_fd = -1},
               .stopped_fd = -1,
               .next = SUCCESSION_NONE,
               .ready_fd = -1};
    if (take_sockets(a) != 0 || start_signals(a, on_overdue) != 0 || start_log(a) != 0)
        return 1;
    descriptor_limit_raise();
    process_memory_set_up();
    if (make_loop(a) != 0 || create_server(a) != 0 || try_to_start(a) != 0)
        return 1;
    return event_base_dispatch(a->base) < 0 ? 1 : a->exit_code;
}

/* ---- Stopping ---- */

void app_stop(app *a)
{
    signal_server_destroy(a->server);
    a->server = NULL;

    if (a->retry_event != NULL)
        event_free(a->retry_event);
    if (a->alive_event != NULL)
        event_free(a->alive_event);
    if (a->successor_event != NULL)
        event_free(a->successor_event);
    descriptor_close(&a->next.ready_fd);
    if (a->stopped_event != NULL)
        event_free(a->stopped_event);
    if (a->signal_event != NULL)
        event_free(a->signal_event);
    if (a->base != NULL)
        event_base_free(a->base);
    descriptor_close(&a->stopped_fd);
    descriptor_close(&a->ready_fd);
    for (int i = 0; i < APP_SOCKET_SETS; i++)
        service_manager_close_sockets(&a->sockets[i]);

    if (a->has_log) {
        if (a->is_serving)
            log_event(LOG_INFO, log_namespace, "stopped", NULL, 0);
        libevent_log_stop();
        signal_log_stop();
        a->has_log = false;
    }
    signal_watch_stop(&a->signals); /* until here it keeps the time of the stop */
}
