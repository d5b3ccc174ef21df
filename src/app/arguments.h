/* The command line of homecall-signal. */
#ifndef HOMECALL_APP_ARGUMENTS_H
#define HOMECALL_APP_ARGUMENTS_H

#include "base/argument.h"

#include <stdbool.h>

/* What the program is to do. */
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
    bool connects;        /* CHECK: try the engine of the cluster, too */
    int top_argc;         /* TOP: the arguments from "top" on */
    char **top_argv;
} arguments;

/* All that may stand there, in the order of --help; ends with a row without a word. */
extern const argument arguments_table[];

/* Read the command line. False when it is faulty, and standard error tells why. */
bool arguments_parse(int argc, char **argv, arguments *parsed);

/* Write --help to standard output, with every option of the configuration. */
void arguments_print_help(void);

#endif
