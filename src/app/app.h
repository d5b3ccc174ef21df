/* The life of the process once its configuration is known: app_run(), app_stop().
 *
 * Signals are blocked in every thread. A thread of their own (signal_watch.h) passes them on to the main
 * thread's loop, so ordinary code does what they ask for. SIGTERM and SIGINT stop the server, and a second
 * one ends it at once (protocol/README.md, 1.7). SIGHUP opens the log file and reads the certificate again.
 * SIGUSR1 writes the state to the log. SIGPIPE is ignored.
 *
 * All functions: the main thread. No other thread may run when app_run() is called. */
#ifndef HOMECALL_APP_APP_H
#define HOMECALL_APP_APP_H

#include "app/app_config.h"
#include "app/service_manager.h"
#include "app/signal_watch.h"
#include "app/succession.h"

#include <event2/event.h>

/* The sets of inherited sockets, by their names: see succession.h. */
enum { APP_SOCKETS_WS, APP_SOCKETS_WS_OWN, APP_SOCKETS_WSS, APP_SOCKETS_ADMIN, APP_SOCKET_SETS };

typedef struct app {
    const app_config *config;    /* borrowed */
    signal_server *server;       /* owned; NULL unless created */
    struct event_base *base;     /* owned; the loop of the main thread */
    signal_watch signals;        /* the thread that waits for signals, and keeps the time of a stop */
    struct event *signal_event;  /* owned; it has passed one on */
    struct event *stopped_event; /* owned; stopped_fd is readable */
    struct event *alive_event; /* owned; a sign of life is due; NULL where no service manager waits for one */
    struct event *retry_event; /* owned; the next try to start is due; NULL before the first try has failed */
    uint64_t retry_until_ms;   /* monotonic; when trying ends; 0 before the first try has failed */
    char **argv;               /* borrowed: of this program, for the next one */
    service_sockets sockets[APP_SOCKET_SETS]; /* owned; inherited from the service manager or a predecessor */
    succession next;                          /* the process that is to follow */
    struct event *successor_event; /* owned; it serves or has failed; NULL before the first SIGUSR2 */
    int ready_fd;     /* owned; where a predecessor waits to hear that we serve; -1 when there is none */
    int stopped_fd;   /* owned; an eventfd that the server's last thread writes to; -1 when absent */
    int exit_code;    /* what app_run() returns when the loop ends */
    bool has_log;     /* this app has started the logger */
    bool is_serving;  /* the server was started */
    bool is_stopping; /* the first signal to stop has come, or a successor serves */
} app;

/* Start the log and the server, and run until a signal ends that. If an address, a path or the admin port is
 * in use, the start is tried again for BIND_RETRY, since a server that was killed keeps its own until it is
 * gone. A signal ends that, too. `config` must outlive app_stop(). If a stop takes longer than SHUTDOWN_GRACE
 * and a moment, `on_overdue` is called on another thread: it must end the process. `argv` is what the program
 * was started with, and outlives app_stop(). Returns the exit code of the process: 0, or 1 if something could
 * not be started, and then standard error tells what. Call app_stop() in any case. */
int app_run(app *a, const app_config *config, char **argv, void (*on_overdue)(void));

/* End and free everything that app_run() has made. The log is the last. */
void app_stop(app *a);

#endif
