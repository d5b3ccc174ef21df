/* One word of a command line, as a row of a table: --help, the manual pages and the completions of shells
 * walk the rows. */
#ifndef HOMECALL_BASE_ARGUMENT_H
#define HOMECALL_BASE_ARGUMENT_H

#include <stddef.h>
#include <stdio.h>

typedef struct argument {
    const char *word;   /* as it is typed: "--env-file" */
    const char *letter; /* the same in short: "-h"; NULL = there is none */
    const char *value;  /* what must stand behind it: "PATH"; NULL = nothing */
    const char *help;   /* what it does, without a full stop */
} argument;

/* Write the rows as --help has them, in two columns of a terminal of 80. */
void argument_print_help(FILE *out, const argument *rows, size_t count);

#endif
