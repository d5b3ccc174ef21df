/* The writer of the logger: one thread that turns records into lines and writes them in batches.
 *
 * A round takes what every ring has published, merged in the order of time, renders it into one batch, and
 * writes the batch. While lines come the writer naps between two rounds, so that a busy process pays for no
 * wake-up at all; a thread whose ring gets half full cuts the nap short. After an empty round it sleeps until
 * the next line. A thread that logs finds out with one load whether there is somebody to wake.
 *
 * The target is written to only when it has room, and in pieces that a pipe takes whole, so a stuck reader
 * holds up this thread alone and never the stop. Standard output may be shared with other processes, so its
 * O_NONBLOCK flag is never changed: a pipe or a terminal is opened once more, which gives a description of
 * our own.
 *
 * Left out on purpose: rotating files (logrotate and SIGHUP do that) and fsync (a log line is not worth a
 * disk's flush). */
#include "base/log_writer.h"
#include "base/clock.h"
#include "base/log_render.h"
#include "base/thread.h"
#include "homecall/signal_log.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static_assert((int)SIGNAL_LOG_DEBUG == (int)LOG_DEBUG && (int)SIGNAL_LOG_OFF == (int)LOG_OFF,
              "the public levels are the ones of the front");

enum {
    NAP_MS = 20,         /* a human reads along without noticing, and fifty rounds a second cost nothing */
    STOP_MS = 800,       /* for the last lines; the rest of the promised second is for the join */
    REPORT_MS = 1000,    /* at most one line a second says that lines were lost */
    TARGET_POLL_MS = 50, /* how soon a writer held up by its target sees a stop */
    BATCH_BYTES = 128 * 1024,
};

static const char namespace_[] = "HomeCall_Signal_Log";

/* How the writer rests, and so what wakes it. */
enum { AWAKE, NAPPING, ASLEEP };

typedef enum target_kind { TARGET_FILE, TARGET_STREAM, TARGET_SOCKET } target_kind;

/* Where the lines go. */
typedef struct target {
    int fd; /* owned */
    target_kind kind;
} target;

/* What the writer thread works with. */
typedef struct log_writer {
    char *path; /* owned; NULL = standard output */
    target target;
    log_renderer renderer;
    log_level level;
    uint64_t reported;       /* of the dropped lines */
    uint64_t reported_ms;    /* when */
    bool is_line_torn;       /* the target took a part of a line, then failed */
    size_t len;              /* of the content of the batch, its first byte included */
    char batch[BATCH_BYTES]; /* begins with a line feed, which is only written where a line is torn */
} log_writer;

/* The one logger of the process: what its threads share, and the handles of the controlling one. */
static struct {
    pthread_once_t once;
    pthread_mutex_t lock; /* guards nothing but the wait for `wake` */
    pthread_cond_t wake;  /* on the monotonic clock */
    _Atomic int rest;     /* AWAKE, NAPPING or ASLEEP */
    _Atomic bool wants_reopen;
    _Atomic uint64_t stop_ms; /* when the last line must be out; 0 = go on */

    log_writer *writer; /* owned; NULL while nothing runs; the controlling thread's, as is the next */
    pthread_t thread;
} shared = {.once = PTHREAD_ONCE_INIT, .lock = PTHREAD_MUTEX_INITIALIZER};

static void wake(void)
{
    if (atomic_exchange(&shared.rest, AWAKE) == AWAKE)
        return;
    pthread_mutex_lock(&shared.lock);
    pthread_cond_signal(&shared.wake);
    pthread_mutex_unlock(&shared.lock);
}

void log_writer_on_push(log_ring *ring)
{
    int rest = atomic_load(&shared.rest);
    if (rest == ASLEEP || (rest == NAPPING && log_ring_is_filling(ring)))
        wake();
}

static int classify(target *t)
{
    struct stat status;
    if (fstat(t->fd, &status) != 0)
        return -errno;
    t->kind = S_ISREG(status.st_mode)    ? TARGET_FILE
              : S_ISSOCK(status.st_mode) ? TARGET_SOCKET
                                         : TARGET_STREAM;
    return 0;
}

static int open_path(const char *path, target *t)
{
    /* O_NONBLOCK means nothing to a file, but a named pipe would hold us here until it has a reader. */
    t->fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY | O_NONBLOCK, 0640);
    if (t->fd < 0)
        return -errno;
    return classify(t);
}

static int open_standard_output(target *t)
{
    t->fd = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
    if (t->fd < 0)
        return -errno;
    int error = classify(t);
    if (error != 0 || t->kind != TARGET_STREAM)
        return error;

    /* Where this is not allowed or not possible, polling before each write is nearly as good. */
    int own = open("/proc/self/fd/1", O_WRONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    if (own >= 0) {
        close(t->fd);
        t->fd = own;
    }
    return 0;
}

static int open_target(const char *path, target *t)
{
    target opened = {.fd = -1};
    int error = path == NULL ? open_standard_output(&opened) : open_path(path, &opened);
    if (error == 0)
        *t = opened;
    else if (opened.fd >= 0)
        close(opened.fd);
    return error;
}

/* How much to write at once. A pipe takes up to PIPE_BUF bytes whole or not at all, so a piece that ends with
 * a line keeps lines whole where several processes write to one pipe. */
static size_t next_piece(const target *t, const char *data, size_t len)
{
    if (t->kind == TARGET_FILE || len <= PIPE_BUF)
        return len;
    const char *line_end = memrchr(data, '\n', PIPE_BUF);
    return line_end == NULL ? PIPE_BUF : (size_t)(line_end - data) + 1;
}

static ssize_t write_piece(const target *t, const char *data, size_t len)
{
    if (t->kind == TARGET_SOCKET)
        return send(t->fd, data, len, MSG_DONTWAIT | MSG_NOSIGNAL);
    return write(t->fd, data, len);
}

static bool is_stop_over(void)
{
    uint64_t stop_ms = atomic_load(&shared.stop_ms);
    return stop_ms != 0 && clock_monotonic_ms() >= stop_ms;
}

/* Wait until the target has room (or a fault to tell). 0, or -ETIMEDOUT when a stop came and its time is
 * over: then without any waiting, since many more batches may come here. */
static int wait_for_room(const target *t)
{
    struct pollfd wanted = {.fd = t->fd, .events = POLLOUT};
    do {
        if (is_stop_over())
            return -ETIMEDOUT;
    } while (poll(&wanted, 1, TARGET_POLL_MS) <= 0);
    return 0;
}

/* Write it all, as long as it takes. Returns how many bytes the target took before it failed, `len` if it did
 * not. */
static size_t write_all(const target *t, const char *data, size_t len)
{
    size_t done = 0;
    while (done < len) {
        if (t->kind != TARGET_FILE && wait_for_room(t) != 0)
            break;
        ssize_t taken = write_piece(t, data + done, next_piece(t, data + done, len - done));
        if (taken > 0)
            done += (size_t)taken;
        else if (taken < 0 && errno != EINTR && errno != EAGAIN)
            break;
    }
    return done;
}

static uint64_t count_lines(const char *data, size_t len)
{
    uint64_t lines = 0;
    for (size_t i = 0; i < len; i++)
        lines += data[i] == '\n';
    return lines;
}

static void empty_batch(log_writer *w)
{
    w->batch[0] = '\n';
    w->len = 1;
}

/* Write the batch and empty it. Returns how many of its lines were lost. */
static uint64_t flush(log_writer *w)
{
    if (w->len == 1)
        return 0;
    size_t start = w->is_line_torn ? 0 : 1;
    size_t end = start + write_all(&w->target, w->batch + start, w->len - start);

    if (end > start)
        w->is_line_torn = w->batch[end - 1] != '\n';
    /* A line feed that was to end a torn line is not one of a line. */
    size_t first_lost = end == 0 ? 1 : end;
    uint64_t lost = count_lines(w->batch + first_lost, w->len - first_lost);
    empty_batch(w);
    return lost;
}

static void append(log_writer *w, const log_record *record)
{
    if (BATCH_BYTES - w->len < LOG_RENDER_MAX_LINE)
        log_front_count_dropped(flush(w));
    size_t len = log_render_line(&w->renderer, record, w->batch + w->len, BATCH_BYTES - w->len);
    if (len == 0)
        log_front_count_dropped(1);
    w->len += len;
}

/* A line of the writer itself, which needs no ring. */
static void append_own(log_writer *w, log_level level, const char *event, const log_field *fields,
                       uint32_t count)
{
    if (level < w->level)
        return;
    alignas(8) uint8_t room[LOG_RENDER_MAX_RECORD];
    const log_record head = {.time_ms = clock_utc_ms(),
                             .namespace_ = namespace_,
                             .event = event,
                             .level = (uint16_t)level,
                             .count = (uint16_t)count};
    log_render_pack(room, &head, fields, NULL);
    append(w, (const log_record *)(const void *)room);
}

static void reopen(log_writer *w)
{
    if (w->path == NULL)
        return;
    const slice path = slice_of_text(w->path);
    target opened;
    int error = open_target(w->path, &opened);
    if (error != 0) {
        char text[128];
        const char *reason = strerror_r(-error, text, sizeof(text));
        const log_field fields[] = {LOG_BYTES("file", path), LOG_BYTES("reason", slice_of_text(reason))};
        append_own(w, LOG_ERROR, "log file not reopened", fields, 2);
        return;
    }
    close(w->target.fd);
    w->target = opened;
    w->is_line_torn = false;
    append_own(w, LOG_INFO, "log file reopened", &LOG_BYTES("file", path), 1);
}

/* The ring whose next record is the oldest, and until when its turn lasts: up to the next record of all the
 * others. NULL when all are read up to their `end`. */
static log_ring *find_oldest(log_ring *rings, uint64_t *until_ms)
{
    log_ring *oldest = NULL;
    uint64_t oldest_ms = UINT64_MAX;
    *until_ms = UINT64_MAX;
    for (log_ring *ring = rings; ring != NULL; ring = ring->next) {
        const log_record *next = log_ring_peek(ring, ring->end);
        if (next == NULL)
            continue;
        if (oldest == NULL || next->time_ms < oldest_ms) {
            *until_ms = oldest_ms;
            oldest_ms = next->time_ms;
            oldest = ring;
        } else if (next->time_ms < *until_ms) {
            *until_ms = next->time_ms;
        }
    }
    return oldest;
}

/* Render what stands in the ring up to this millisecond. A busy thread logs many lines in one, so that the
 * other rings need not be looked at for each of them. */
static void append_until(log_writer *w, log_ring *ring, uint64_t until_ms)
{
    const log_record *record;
    while ((record = log_ring_peek(ring, ring->end)) != NULL && record->time_ms <= until_ms) {
        append(w, record);
        log_ring_consume(ring);
    }
}

/* One round over all rings. Was there anything? */
static bool drain(log_writer *w)
{
    log_ring *rings = log_front_rings();
    for (log_ring *ring = rings; ring != NULL; ring = ring->next)
        ring->end = log_ring_published(ring);

    /* Asked after `end` is known, so what is logged after a reopen was asked for goes to the new file. */
    if (atomic_exchange(&shared.wants_reopen, false))
        reopen(w);

    uint64_t until_ms;
    bool was_busy = false;
    for (log_ring *ring; (ring = find_oldest(rings, &until_ms)) != NULL; was_busy = true)
        append_until(w, ring, until_ms);
    log_front_count_dropped(flush(w));
    return was_busy;
}

/* Say how many lines were lost since it was last said. If that line is lost too, it is said again later. */
static void report_dropped(log_writer *w, bool is_last)
{
    uint64_t dropped = log_front_dropped();
    uint64_t now_ms = clock_monotonic_ms();
    if (dropped == w->reported || (!is_last && now_ms - w->reported_ms < REPORT_MS))
        return;
    append_own(w, LOG_WARN, "dropped", &LOG_NUMBER("count", dropped - w->reported), 1);
    w->reported_ms = now_ms;
    if (flush(w) == 0)
        w->reported = dropped;
}

static bool has_work(int rest)
{
    bool is_asked = atomic_load(&shared.wants_reopen) || atomic_load(&shared.stop_ms) != 0;
    if (rest == NAPPING || is_asked)
        return is_asked;
    for (log_ring *ring = log_front_rings(); ring != NULL; ring = ring->next) {
        if (!log_ring_is_empty(ring))
            return true;
    }
    return false;
}

static struct timespec monotonic_after(uint64_t ms)
{
    struct timespec at;
    clock_gettime(CLOCK_MONOTONIC, &at);
    at.tv_sec += (time_t)(ms / 1000);
    at.tv_nsec += (long)(ms % 1000) * 1000000;
    if (at.tv_nsec >= 1000000000) {
        at.tv_nsec -= 1000000000;
        at.tv_sec++;
    }
    return at;
}

/* Nap or sleep, at most for `at_most_ms` unless that is 0. To say that we rest before looking for work is
 * what keeps a wake-up from being missed: see log_ring_commit(). */
static void rest(int how, uint64_t at_most_ms)
{
    struct timespec until = monotonic_after(at_most_ms);
    atomic_store(&shared.rest, how);
    if (!has_work(how)) {
        int error = 0;
        pthread_mutex_lock(&shared.lock);
        while (atomic_load(&shared.rest) != AWAKE && error == 0)
            error = at_most_ms > 0 ? pthread_cond_timedwait(&shared.wake, &shared.lock, &until)
                                   : pthread_cond_wait(&shared.wake, &shared.lock);
        pthread_mutex_unlock(&shared.lock);
    }
    atomic_store(&shared.rest, AWAKE);
}

static void *run(void *argument)
{
    log_writer *w = argument;
    for (;;) {
        /* Asked before the rings are read: what was logged before the stop is in this last round. */
        bool is_last = atomic_load(&shared.stop_ms) != 0;
        bool was_busy = drain(w);
        report_dropped(w, is_last);
        if (is_last)
            return NULL;
        if (was_busy)
            rest(NAPPING, NAP_MS);
        else
            rest(ASLEEP, w->reported != log_front_dropped() ? REPORT_MS : 0);
    }
}

static void init_shared(void)
{
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&shared.wake, &attributes);
    pthread_condattr_destroy(&attributes);
}

static void free_writer(log_writer *w)
{
    if (w->target.fd >= 0)
        close(w->target.fd);
    free(w->path);
    free(w);
}

static int make_writer(const signal_log_options *options, log_writer **out)
{
    log_writer *w = calloc(1, sizeof(*w));
    if (w == NULL)
        return -ENOMEM;
    bool has_path = options->file != NULL && options->file[0] != '\0';
    w->path = has_path ? strdup(options->file) : NULL;
    w->target.fd = -1;
    w->level = (log_level)options->level;
    log_render_init(&w->renderer, options->format);
    empty_batch(w);

    int error = has_path && w->path == NULL ? -ENOMEM : open_target(w->path, &w->target);
    if (error != 0)
        free_writer(w);
    else
        *out = w;
    return error;
}

int signal_log_start(const signal_log_options *options)
{
    if (shared.writer != NULL)
        return -EALREADY;
    pthread_once(&shared.once, init_shared);

    log_writer *w = NULL;
    int error = make_writer(options, &w);
    if (error != 0)
        return error;
    error = log_front_open(options->is_private);
    if (error != 0)
        goto free_writer;

    atomic_store(&shared.stop_ms, 0);
    atomic_store(&shared.wants_reopen, false);
    error = thread_start(&shared.thread, "hc-log", run, w);
    if (error != 0)
        goto close_front;
    shared.writer = w;
    log_front_set_threshold((log_level)options->level);
    return 0;

close_front:
    log_front_close();
free_writer:
    free_writer(w);
    return error;
}

void signal_log_stop(void)
{
    if (shared.writer == NULL)
        return;
    log_front_set_threshold(LOG_OFF);
    atomic_store(&shared.stop_ms, clock_monotonic_ms() + STOP_MS);
    wake();
    pthread_join(shared.thread, NULL);
    log_front_close();
    free_writer(shared.writer);
    shared.writer = NULL;
}

void signal_log_reopen(void)
{
    if (shared.writer == NULL)
        return;
    atomic_store(&shared.wants_reopen, true);
    wake();
}

uint64_t signal_log_dropped(void)
{
    return log_front_dropped();
}
