/* The logger of HomeCall Signal: one for a process, shared by every Signal_Server in it.
 *
 * A program that does not start it gets a silent server. */
#ifndef HOMECALL_SIGNAL_LOG_H
#define HOMECALL_SIGNAL_LOG_H

#include <stdbool.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef enum signal_log_level {
    SIGNAL_LOG_DEBUG,
    SIGNAL_LOG_INFO,
    SIGNAL_LOG_WARN,
    SIGNAL_LOG_ERROR,
    SIGNAL_LOG_OFF
} signal_log_level;

typedef enum signal_log_format {
    SIGNAL_LOG_TEXT, /* [2026-11-23T10:20:30.400Z] [INFO] [namespace] event key=value … */
    SIGNAL_LOG_JSON  /* one JSON object a line: time, level, namespace, event, and a member for each field */
} signal_log_format;

typedef struct signal_log_options {
    const char *file;       /* path to append to; NULL or "" = standard output. Copied. */
    signal_log_level level; /* the lowest level that is written */
    signal_log_format format;
    bool is_private; /* true: codewords and user names appear as short keyed tags only */
} signal_log_options;

/* Open the target and start the writer thread. 0, -EALREADY when it runs, or -errno of the open or of the
 * thread. One thread at a time may call start, stop and reopen. */
int signal_log_start(const signal_log_options *options);

/* Write what waits, within a second even if the target is stuck, and end the writer thread. Afterwards
 * nothing is logged. Every server must have been stopped before. */
void signal_log_stop(void);

/* Ask the writer to open the file anew by its path (after logrotate has moved it). Keeps the old file and
 * says so when the new one can't be opened. Does nothing for standard output. */
void signal_log_reopen(void);

/* How many lines were dropped since the start because a ring was full or the target failed. Any thread. */
uint64_t signal_log_dropped(void);

#ifdef __cplusplus
}
#endif

#endif
