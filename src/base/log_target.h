/* Where the lines of the log go: standard output, or a file, which may be a pipe or a terminal.
 *
 * What is no file is written to without waiting in the write, and in pieces that a pipe takes whole. So a
 * reader that is stuck holds up the writer of the log alone, and never its stop. Standard output may be
 * shared with other processes, so its O_NONBLOCK flag is never changed: a pipe or a terminal is opened once
 * more, which gives a description of our own. */
#ifndef HOMECALL_BASE_LOG_TARGET_H
#define HOMECALL_BASE_LOG_TARGET_H

#include <stdbool.h>
#include <stddef.h>

typedef enum log_target_kind { LOG_TARGET_FILE, LOG_TARGET_STREAM, LOG_TARGET_SOCKET } log_target_kind;

typedef struct log_target {
    int fd; /* owned */
    log_target_kind kind;
    bool may_block; /* a write may wait, so we ask before it whether something will be taken */
    bool is_torn; /* it was opened as a file that ends within a line: the disk was full, or a process ended */
} log_target;

/* Open the file at `path`, or standard output where that is NULL. 0, or -errno with *t unchanged. */
int log_target_open(log_target *t, const char *path);

/* Close the descriptor; one that is -1 is legal. */
void log_target_close(log_target *t);

/* Write it all, as long as it takes. `gives_up` is asked again and again while nothing more is taken, and
 * ends it. Returns how many bytes were taken before it ended or failed: `len` if neither happened. */
size_t log_target_write(const log_target *t, const char *data, size_t len, bool (*gives_up)(void));

#endif
