/* .env files: lines of KEY=VALUE to keys and values, and a value back to text.
 *
 * Pure. The conventions are those that such files have everywhere: blank lines and lines of comment (#) count
 * for nothing; `export ` before a key and blanks around the = are allowed; a value that is not quoted ends
 * with its line, or before a # that a blank precedes. In single quotes everything stands for itself; in
 * double quotes \n \r \t \" \\ \$ are escapes, and any other backslash stands for itself. A quoted value may
 * run over several lines. Lines end with LF or CRLF, and a byte order mark at the start is skipped.
 *
 * Left out on purpose: $VARIABLES are not put in, so a secret may hold any character. */
#ifndef HOMECALL_APP_ENV_FILE_H
#define HOMECALL_APP_ENV_FILE_H

#include "base/slice.h"

/* What is told while the text is being read, line by line, the first line being 1. */
typedef struct env_file_events {
    /* A key ([A-Za-z_][A-Za-z0-9_]*) and its value, without NUL; both borrowed for the call. Of a key that
     * comes twice the last counts, which is up to the receiver. */
    void (*on_entry)(void *context, size_t line, slice key, slice value);
    /* A line that can't be read, and why: a literal. Reading goes on with the next line. */
    void (*on_fault)(void *context, size_t line, const char *reason);
    void *context;
} env_file_events;

/* Read `text`. 0; -EINVAL when at least one fault was told; -ENOMEM, with nothing told. */
int env_file_parse(slice text, const env_file_events *events);

/* `value` (without NUL) as it can stand behind the = to be read as the same value, quoted where it must be. A
 * heap string owned by the caller; NULL when there is no memory. */
char *env_file_format_value(slice value);

#endif
