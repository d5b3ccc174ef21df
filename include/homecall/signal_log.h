/* The logger of HomeCall Signal. A process has one, for all its Signal_Servers. A server in a program that
 * does not start the logger is silent. */
#ifndef HOMECALL_SIGNAL_LOG_H
#define HOMECALL_SIGNAL_LOG_H

#include <stdbool.h>
#include <stddef.h>
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

enum { SIGNAL_LOG_NODE_MAX = 64, SIGNAL_LOG_TAG_KEY_BYTES = 16 };

/* signal_log_options_init() fills in the defaults. */
typedef struct signal_log_options {
    size_t size;            /* of this struct as the program was compiled with it; signal_log_options_init()
                               sets it. New options are added at the end, so a program goes on with a newer
                               library */
    const char *file;       /* path of the file to append to; NULL or "" = standard output. Copied. */
    signal_log_level level; /* the lowest level that is written */
    signal_log_format format;
    bool is_private; /* true: codewords and user names appear as short keyed tags only */

    /* Gets each line instead of a file or standard output, so `file` must be NULL or "". `line` has no line
     * feed and no NUL, and is lent for the call. Called on the writer's thread, never on one of a server. If
     * it takes long, a server that logs very much may wait for it, some milliseconds at a time and at most
     * half of its time; then lines are lost and counted (signal_log_dropped()). signal_log_stop() waits for
     * it. It must not call any function of this header but signal_log_dropped(), nor start or stop a server.
     * NULL = there is none. */
    void (*on_line)(void *context, signal_log_level level, const char *line, size_t len);
    void *context; /* handed to on_line */

    /* For servers that are nodes of a cluster, so that their logs can be read together. */
    const char *node; /* each line has this name as its field "node"; at most SIGNAL_LOG_NODE_MAX bytes of
                         it; NULL or "" = no line has one. Copied. */
    const uint8_t *tag_key; /* SIGNAL_LOG_TAG_KEY_BYTES, which the tags of names are made with: where two
                               processes have the same, equal names have equal tags. NULL = a key that nobody
                               else has, drawn at random. Copied. The first start of a process decides; a
                               later one goes on with its key */
} signal_log_options;

/* Fill in every default: text to standard output from SIGNAL_LOG_INFO on, private. `size` is
 * sizeof(*options). */
void signal_log_options_init(signal_log_options *options, size_t size);

/* Open the file and start the thread that writes. 0; -EALREADY when it runs already; -EINVAL for a file and
 * on_line together, for a size that signal_log_options_init() has not set, and where a newer program sets
 * what this library does not know; or -errno of open() or of pthread_create(). Only one thread at a time may
 * call start, stop and reopen. */
int signal_log_start(const signal_log_options *options);

/* Write what waits, and end the thread: within a second, even if the file or the reader is stuck (but not
 * on_line). Nothing is logged afterwards. Stop every server before. */
void signal_log_stop(void);

/* Open the file again by its path, after logrotate has moved it. If that fails, the log says so and goes on
 * in the old file. Does nothing for standard output. */
void signal_log_reopen(void);

/* How many lines were lost since the start, because they came faster than they could be written or because
 * writing failed. Any thread. */
uint64_t signal_log_dropped(void);

#ifdef __cplusplus
}
#endif

#endif
