/* .env files: from lines of KEY=VALUE to keys and values, and from a value back to text.
 *
 * Pure. The rules are the usual ones of such files. Blank lines and comments (#) are skipped. `export ` may
 * stand before a key, and blanks around the =. A value without quotes ends at the end of its line, or before
 * a # with a blank in front of it. In single quotes every character means itself. In double quotes \n \r \t
 * \" \\ \$ are escapes, and any other backslash means itself. A quoted value may run over several lines.
 * Lines end with LF or CRLF. A byte order mark at the start is skipped.
 *
 * Left out on purpose: $VARIABLES are not replaced, so a secret may contain any character. */
#ifndef HOMECALL_APP_ENV_FILE_H
#define HOMECALL_APP_ENV_FILE_H

#include "base/slice.h"

/* What is told while the text is being read. The first line is line 1. */
typedef struct env_file_events {
    /* A key ([A-Za-z_][A-Za-z0-9_]*) and its value, without a NUL; both are borrowed for the call. A key that
     * comes twice is told twice. */
    void (*on_entry)(void *context, size_t line, slice key, slice value);
    /* A line that can't be read, and the reason, which is a literal. Reading goes on with the next line. */
    void (*on_fault)(void *context, size_t line, const char *reason);
    void *context;
} env_file_events;

/* Read `text`. 0; -EINVAL when at least one fault was told; -ENOMEM, with nothing told. */
int env_file_parse(slice text, const env_file_events *events);

/* Write `value` (without a NUL) as it must stand after the = to be read as the same value: in quotes where
 * they are needed. A heap string owned by the caller; NULL when there is no memory. */
char *env_file_format_value(slice value);

#endif
