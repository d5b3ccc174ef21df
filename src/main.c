/* homecall-signal: reads the arguments and the configuration, runs the app, and ends with an exit code: 0
 * after a stop that was asked for, 1 when something could not be started or written, 2 for a faulty
 * configuration, 3 when a stop has not ended in time. */
#include "admin/admin_client.h"
#include "app/app.h"
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

typedef enum action {
    ACTION_RUN,
    ACTION_HELP,
    ACTION_VERSION,
    ACTION_CHECK,
    ACTION_PRINT,
    ACTION_HEALTH,
    ACTION_TOP,
} action;

typedef struct arguments {
    action action;
    char **argv;          /* borrowed: as the program got it */
    const char *env_file; /* NULL = .env, which may be absent */
    int top_argc;         /* TOP: the arguments from "top" on */
    char **top_argv;
} arguments;

static void print_help(void)
{
    puts("Usage: homecall-signal [--env-file PATH] [--check-config | --print-config]\n"
         "       homecall-signal [--env-file PATH] --healthcheck | top [OPTION...]\n"
         "       homecall-signal --help | --version\n"
         "\n"
         "A WebSocket signaling server for calls between browsers, at /signal.\n"
         "\n"
         "  --env-file PATH  read the options from this file instead of ./.env\n"
         "  --check-config   tell whether the configuration is valid, and fits this machine\n"
         "                   and user: hosts, ports, files; and end\n"
         "  --print-config   write the configuration in effect as a .env file, and end\n"
         "  --healthcheck    ask the server that runs with this configuration whether it\n"
         "                   is ready, and end with 0 or 1, or with 2 where it can't be\n"
         "                   asked since ADMIN_PORT is off\n"
         "  top              watch that server in the terminal; top --help tells more\n"
         "  -h, --help       show this text, and end\n"
         "  -V, --version    show the version, and end\n"
         "\n"
         "Signals: SIGTERM and SIGINT stop the server after what waits was sent, a second\n"
         "one at once; SIGHUP opens LOG_FILE and reads the certificate anew; SIGUSR1\n"
         "writes the state to the log; SIGUSR2 starts the program anew and stops when\n"
         "that serves, without a refused connection.\n"
         "\n"
         "Options come from the environment, else from the file, else from the defaults\n"
         "below. Sizes are in bytes, or have k, m or g behind them (powers of 1024). Times\n"
         "are in seconds, or have ms, s, m or h behind them. Switches are on or off, or\n"
         "yes, no, true, false, 1 or 0.");
    options_print_help(stdout);
}

/* The action of this name. ACTION_RUN, which has no name, for every other word. */
static action find_action(const char *word)
{
    static const struct {
        const char *word;
        action action;
    } known[] = {
        {"--help", ACTION_HELP},          {"-h", ACTION_HELP},
        {"--version", ACTION_VERSION},    {"-V", ACTION_VERSION},
        {"--check-config", ACTION_CHECK}, {"--print-config", ACTION_PRINT},
        {"--healthcheck", ACTION_HEALTH}, {"top", ACTION_TOP},
    };
    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
        if (strcmp(word, known[i].word) == 0)
            return known[i].action;
    }
    return ACTION_RUN;
}

static bool parse_arguments(int argc, char **argv, arguments *parsed)
{
    *parsed = (arguments){.action = ACTION_RUN, .argv = argv};
    for (int i = 1; i < argc; i++) {
        action found = find_action(argv[i]);
        if (found == ACTION_TOP) {
            parsed->action = found;
            parsed->top_argc = argc - i; /* the rest is for top */
            parsed->top_argv = argv + i;
            return true;
        }
        if (found != ACTION_RUN) {
            parsed->action = found;
        } else if (strncmp(argv[i], "--env-file=", strlen("--env-file=")) == 0) {
            parsed->env_file = argv[i] + strlen("--env-file=");
        } else if (strcmp(argv[i], "--env-file") == 0 && i + 1 < argc) {
            parsed->env_file = argv[++i];
        } else {
            bool lacks_path = strcmp(argv[i], "--env-file") == 0;
            fprintf(stderr, "homecall-signal: %s: %s; --help lists what there is\n", argv[i],
                    lacks_path ? "a path is wanted behind it" : "unknown argument");
            return false;
        }
    }
    return true;
}

/* Ask a running server, through its admin port. */
static int look_at_server(const arguments *given, const app_config *config)
{
    const signal_server_options *server = &config->server;
    if (server->admin_port == 0) {
        const option *o = option_table_find_target(offsetof(app_config, server.admin_port));
        options_report(
            stderr, config, o, slice_of_text(options_get_text(config, o)),
            given->action == ACTION_HEALTH
                ? "--healthcheck asks at this port, and it is off; a port from 1 to 65535 is wanted"
                : "top asks at this port, and it is off; a port from 1 to 65535 is wanted");
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
        print_help();
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
    return is_good;
}

int main(int argc, char **argv)
{
    arguments given;
    if (!parse_arguments(argc, argv, &given))
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
