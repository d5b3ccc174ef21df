/* A log of its own for a test, which counts its lines. The logger is of the process, so one at a time. */
#ifndef HOMECALL_TESTS_SUPPORT_LOG_FILE_H
#define HOMECALL_TESTS_SUPPORT_LOG_FILE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "homecall/signal_log.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { LOG_FILE_PATH = 32 };

/* Log into a new file from now on, whose path is written to `path`. The test calls signal_log_stop(), and
 * removes the file. */
static inline void log_file_start(char path[LOG_FILE_PATH], signal_log_level level)
{
    snprintf(path, LOG_FILE_PATH, "/tmp/homecall_log_XXXXXX");
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    close(fd);
    const signal_log_options log = {.size = sizeof(signal_log_options), .file = path, .level = level};
    assert_int_equal(signal_log_start(&log), 0);
}

/* How many lines hold this text. All that was logged before signal_log_stop() is there after it. */
static inline unsigned log_file_count(const char *path, const char *text)
{
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    char line[1024];
    unsigned count = 0;
    while (fgets(line, sizeof(line), file) != NULL)
        count += strstr(line, text) != NULL;
    fclose(file);
    return count;
}

#endif
