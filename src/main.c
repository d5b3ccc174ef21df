/* homecall-signal: reads the arguments and the configuration, runs the app, and ends with an exit code: 0
 * after a stop that was asked for, 1 when something could not be started or written, 2 for a faulty
 * configuration, 3 when a stop has not ended in time. */
#include "admin/admin_client.h"
#include "app/app.h"
#include "app/arguments.h"
#include "app/cluster_check.h"
#include "app/machine_check.h"
#include "app/option_table.h"
#include "app/options.h"
#include "app/options_check.h"
#include "app/options_print.h"
#include "app/options_read.h"
#include "app/options_report.h"
#include "top/top.h"

#include <errno.h>
#include <event2/event.h>
#include <poll.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#ifndef HOMECALL_VERSION
#define HOMECALL_VERSION "0.1.0"
#endif

enum { EXIT_CONFIGURATION = 2, EXIT_OVERDUE = 3 };

/* Ask a running server, through its admin port. */
static int look_at_server(const arguments *given, const app_config *config)
{
    const signal_server_options *server = &config->server;
    if (server->admin_port == 0) {
        const option *o = option_table_find_target(offsetof(app_config, server.admin_port));
        options_report(
            stderr, config, o, slice_of_text(options_get_text(config, o)),
            given->action == ACTION_HEALTH
                ? "--healthcheck asks at this port, and it is off; a port from 1 to 65535 is expected"
                : "top asks at this port, and it is off; a port from 1 to 65535 is expected");
        return EXIT_CONFIGURATION;
    }
    if (given->action == ACTION_HEALTH)
        return admin_healthcheck(server->admin_host, server->admin_port, stderr);
    return top_main(given->top_argc, given->top_argv, server->admin_host, server->admin_port);
}

/* On the thread that keeps the time of a stop: a thread hangs, so end without it. Nobody may be waited for
 * now, so this is written only if it can be written at once. */
static void end_overdue(void)
{
    static const char text[] =
        "homecall-signal: the stop has not ended within SHUTDOWN_GRACE, since a thread "
        "hangs; ending without it\n";
    struct pollfd err = {.fd = STDERR_FILENO, .events = POLLOUT};
    if (poll(&err, 1, 0) == 1 && (err.revents & POLLOUT) != 0)
        (void)!write(STDERR_FILENO, text, sizeof(text) - 1);
    _exit(EXIT_OVERDUE);
}

static int act(const arguments *given, const app_config *config)
{
    switch (given->action) {
    case ACTION_HELP:
        arguments_print_help();
        break;
    case ACTION_VERSION:
        puts("homecall-signal " HOMECALL_VERSION);
        break;
    case ACTION_CHECK:
        puts("configuration is valid");
        break;
    case ACTION_PRINT:
        if (options_print_config(config, stdout) != 0)
            return EXIT_FAILURE;
        break;
    case ACTION_HEALTH:
    case ACTION_TOP:
        return look_at_server(given, config);
    case ACTION_RUN: {
        app a;
        int code = app_run(&a, config, given->argv, end_overdue);
        app_stop(&a);
        libevent_global_shutdown();
        return code;
    }
    }
    return EXIT_SUCCESS;
}

/* Read the configuration, as far as the action needs it. False when it is faulty, and standard error tells
 * why. */
static bool load(const arguments *given, app_config *config)
{
    if (given->action == ACTION_HELP || given->action == ACTION_VERSION)
        return true;
    if (options_load(config, given->env_file, stderr) != 0)
        return false;
    bool is_good = true;
    if (given->action == ACTION_CHECK)
        is_good = machine_check(config, stderr);
    if (given->action == ACTION_CHECK || given->action == ACTION_RUN)
        is_good = options_check_files(config, stderr, given->action == ACTION_CHECK ? stderr : NULL) == 0 &&
                  is_good; /* the log of a server that runs tells of the doubts */
    if (is_good && given->connects)
        is_good = cluster_check_engine(config, stderr);
    return is_good;
}

int main(int argc, char **argv)
{
    arguments given;
    if (!arguments_parse(argc, argv, &given))
        return EXIT_CONFIGURATION;

    app_config config;
    options_init(&config);
    int code = load(&given, &config) ? act(&given, &config) : EXIT_CONFIGURATION;
    options_deinit(&config);

    if (fflush(stdout) != 0) {
        fprintf(stderr, "homecall-signal: can't write to standard output: %s\n", strerror(errno));
        code = EXIT_FAILURE;
    }
    return code;
}
