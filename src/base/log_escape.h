/* Bytes from outside in a log line: quoted, and with escapes for all that could forge a line, a field or an
 * escape sequence of a terminal. Pure. */
#ifndef HOMECALL_BASE_LOG_ESCAPE_H
#define HOMECALL_BASE_LOG_ESCAPE_H

#include "base/slice.h"
#include "homecall/signal_log.h"

#include <stdbool.h>

/* How long a quoted text of `len` bytes may become: each byte an escape of six characters, a mark that
 * something was cut off, and the quotes. */
#define LOG_ESCAPE_MAX(len) (6 * (len) + 5)

/* Write the text with its quotes to `at`, where LOG_ESCAPE_MAX(text.len) bytes are free. `is_cut`: it is only
 * the beginning, and a mark is to say so. Returns the end of what was written. */
char *log_escape_put(char *at, slice text, bool is_cut, signal_log_format format);

#endif
