#include "app/arguments.h"

#include "app/options_print.h"

#include <assert.h>
#include <string.h>

const argument arguments_table[] = {
    {"--env-file", NULL, "PATH", "read the options from this file instead of ./.env"},
    {"--check-config", NULL, NULL,
     "check that the configuration is valid and fits this machine and user (hosts, ports, files), and end"},
    {"--connect", NULL, NULL, "with --check-config: also sign in to the NATS servers of CLUSTER_URL"},
    {"--print-config", NULL, NULL, "write the configuration in effect as a .env file, and end"},
    {"--healthcheck", NULL, NULL,
     "ask the server that runs with this configuration whether it is ready, and end with 0 or 1, or with 2 "
     "if ADMIN_PORT is off"},
    {"top", NULL, NULL, "watch that server in the terminal; see top --help"},
    {"--help", "-h", NULL, "show this text, and end"},
    {"--version", "-V", NULL, "show the version, and end"},
    {0},
};

/* In the order of the table; RUN stands for --env-file and --connect, which change no action. */
static const action actions[] = {
    ACTION_RUN,    ACTION_CHECK, ACTION_RUN,  ACTION_PRINT,
    ACTION_HEALTH, ACTION_TOP,   ACTION_HELP, ACTION_VERSION,
};

enum { COUNT = sizeof(arguments_table) / sizeof(arguments_table[0]) - 1 };
static_assert(sizeof(actions) / sizeof(actions[0]) == COUNT, "each row has an action");

void arguments_print_help(void)
{
    puts("Usage: homecall-signal [--env-file PATH] [--check-config [--connect] | --print-config]\n"
         "       homecall-signal [--env-file PATH] --healthcheck | top [OPTION...]\n"
         "       homecall-signal --help | --version\n"
         "\n"
         "A WebSocket signaling server for calls between browsers, at /signal.\n");
    argument_print_help(stdout, arguments_table, COUNT);
    puts("\n"
         "Signals: SIGTERM and SIGINT stop the server in order, a second one at once;\n"
         "SIGHUP opens LOG_FILE and reads the certificate again; SIGUSR1 writes the state\n"
         "to the log; SIGUSR2 starts the program again and stops when the new process\n"
         "serves, so that no connection is refused.\n"
         "\n"
         "Options come from the environment, otherwise from the file, otherwise from the\n"
         "defaults below. Sizes are in bytes, or have k, m or g behind them (powers of\n"
         "1024). Times are in seconds, or have ms, s, m or h behind them. Switches are on\n"
         "or off, or yes, no, true, false, 1 or 0.");
    options_print_help(stdout);
}

/* The action of this word. ACTION_RUN for --env-file and --connect, and for every word that is none. */
static action find_action(const char *word)
{
    for (size_t i = 0; i < COUNT; i++) {
        const argument *a = &arguments_table[i];
        if (strcmp(word, a->word) == 0 || (a->letter != NULL && strcmp(word, a->letter) == 0))
            return actions[i];
    }
    return ACTION_RUN;
}

bool arguments_parse(int argc, char **argv, arguments *parsed)
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
        } else if (strcmp(argv[i], "--connect") == 0) {
            parsed->connects = true;
        } else if (strncmp(argv[i], "--env-file=", strlen("--env-file=")) == 0) {
            parsed->env_file = argv[i] + strlen("--env-file=");
        } else if (strcmp(argv[i], "--env-file") == 0 && i + 1 < argc) {
            parsed->env_file = argv[++i];
        } else {
            bool lacks_path = strcmp(argv[i], "--env-file") == 0;
            fprintf(stderr, "homecall-signal: %s: %s; --help lists what there is\n", argv[i],
                    lacks_path ? "a path is expected after it" : "unknown argument");
            return false;
        }
    }
    if (!parsed->connects || parsed->action == ACTION_CHECK)
        return true;
    fputs("homecall-signal: --connect: it goes with --check-config alone\n", stderr);
    return false;
}
