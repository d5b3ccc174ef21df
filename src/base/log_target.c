#include "base/log_target.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

enum { POLL_MS = 50 }; /* how soon a writer that is held up sees that it is to give up */

/* Is the last byte of this file something else than the end of a line? Files are opened for writing only, so
 * this opens it once more. If that can't be done, we take it that the line has ended. */
static bool ends_within_line(const log_target *t, off_t size)
{
    char path[sizeof("/proc/self/fd/") + 3 * sizeof(int)];
    snprintf(path, sizeof(path), "/proc/self/fd/%d", t->fd);
    int reader = size > 0 ? open(path, O_RDONLY | O_CLOEXEC) : -1;
    if (reader < 0)
        return false;
    char last = '\n';
    bool is_torn = pread(reader, &last, 1, size - 1) == 1 && last != '\n';
    close(reader);
    return is_torn;
}

static int classify(log_target *t)
{
    struct stat status;
    if (fstat(t->fd, &status) != 0)
        return -errno;
    t->is_torn = S_ISREG(status.st_mode) && ends_within_line(t, status.st_size);
    t->kind = S_ISREG(status.st_mode)    ? LOG_TARGET_FILE
              : S_ISSOCK(status.st_mode) ? LOG_TARGET_SOCKET
                                         : LOG_TARGET_STREAM;
    return 0;
}

static int open_path(const char *path, log_target *t)
{
    /* O_NONBLOCK means nothing to a file, but a named pipe would hold us here until it has a reader. */
    t->fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY | O_NONBLOCK, 0640);
    if (t->fd < 0)
        return -errno;
    return classify(t);
}

static int open_standard_output(log_target *t)
{
    t->fd = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
    if (t->fd < 0)
        return -errno;
    int error = classify(t);
    if (error != 0 || t->kind != LOG_TARGET_STREAM)
        return error;

    /* Where this is not allowed or not possible, polling before each write is nearly as good. */
    int own = open("/proc/self/fd/1", O_WRONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    t->may_block = own < 0;
    if (own >= 0) {
        close(t->fd);
        t->fd = own;
    }
    return 0;
}

int log_target_open(log_target *t, const char *path)
{
    log_target opened = {.fd = -1};
    int error = path == NULL ? open_standard_output(&opened) : open_path(path, &opened);
    if (error == 0)
        *t = opened;
    else if (opened.fd >= 0)
        close(opened.fd);
    return error;
}

/* How much to write at once. A pipe takes up to PIPE_BUF bytes whole or not at all, so a piece that ends with
 * a line keeps lines whole where several processes write to one pipe. */
static size_t next_piece(const log_target *t, const char *data, size_t len)
{
    if (t->kind == LOG_TARGET_FILE || len <= PIPE_BUF)
        return len;
    const char *line_end = memrchr(data, '\n', PIPE_BUF);
    return line_end == NULL ? PIPE_BUF : (size_t)(line_end - data) + 1;
}

static ssize_t write_piece(const log_target *t, const char *data, size_t len)
{
    if (t->kind == LOG_TARGET_SOCKET)
        return send(t->fd, data, len, MSG_DONTWAIT | MSG_NOSIGNAL);
    return write(t->fd, data, len);
}

/* Wait until the target takes something, or has a fault to tell. False when it is to be given up: then
 * without any waiting, since many more batches may come here. */
static bool await_target(const log_target *t, bool (*gives_up)(void))
{
    struct pollfd wanted = {.fd = t->fd, .events = POLLOUT};
    do {
        if (gives_up())
            return false;
    } while (poll(&wanted, 1, POLL_MS) <= 0);
    return true;
}

size_t log_target_write(const log_target *t, const char *data, size_t len, bool (*gives_up)(void))
{
    size_t done = 0;
    while (done < len) {
        if (t->may_block && !await_target(t, gives_up))
            break;
        ssize_t taken = write_piece(t, data + done, next_piece(t, data + done, len - done));
        bool is_full = taken < 0 && errno == EAGAIN;
        bool has_failed = taken < 0 && errno != EAGAIN && errno != EINTR;
        if (has_failed || (is_full && !await_target(t, gives_up)))
            break;
        done += taken > 0 ? (size_t)taken : 0;
    }
    return done;
}

void log_target_close(log_target *t)
{
    if (t->fd >= 0)
        close(t->fd);
    t->fd = -1;
}
