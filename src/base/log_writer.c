/* The writer of the logger: one thread that writes the lines of all threads in batches.
 *
 * A round takes what every ring has published, merges it in the order of time, and writes it. Few lines from
 * here and there are copied into a batch, which is written at once. Many lines that lie in one piece are
 * written from where they are. Between two rounds the writer rests (log_rest.h). Where the lines go is
 * log_target.h.
 *
 * Left out on purpose: rotating files (logrotate and SIGHUP do that) and fsync (a log line is not worth a
 * disk's flush). */
#include "homecall/signal_log.h"

#include "base/clock.h"
#include "base/log_front.h"
#include "base/log_rest.h"
#include "base/log_target.h"
#include "base/thread.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>

static_assert((int)SIGNAL_LOG_DEBUG == (int)LOG_DEBUG && (int)SIGNAL_LOG_OFF == (int)LOG_OFF,
              "the public levels are the ones of the front");

enum {
    STOP_MS = 800,            /* for the last lines; the rest of the promised second is for the join */
    REPORT_MS = 1000,         /* at most one line a second says that lines were lost */
    BATCH_BYTES = 256 * 1024, /* each write has a cost of its own, as much as that of a hundred lines */
    ALONE_BYTES = 32 * 1024,  /* so many are not copied, but have a write of their own */
    PIECE_BYTES = 128 * 1024, /* then threads get back their space, which they may wait for */
};

static const char namespace_[] = "HomeCall_Signal_Log";

/* What the writer thread works with. */
typedef struct log_writer {
    char *path;        /* owned; NULL = standard output */
    log_target target; /* without a descriptor where on_line takes the lines */
    void (*on_line)(void *context, signal_log_level level, const char *line, size_t len);
    void *context;         /* of on_line; borrowed */
    log_renderer renderer; /* for lines of its own */
    log_level level;
    uint64_t reported;       /* of the dropped lines */
    uint64_t reported_ms;    /* when */
    bool is_line_torn;       /* the target has taken only a part of the last line */
    size_t len;              /* of the content of the batch */
    char batch[BATCH_BYTES]; /* lines to be written */
} log_writer;

/* The one logger of the process: what its threads share, and what only the thread that starts and stops it
 * uses. */
static struct {
    _Atomic bool wants_reopen;
    _Atomic uint64_t stop_ms; /* when the last line must be out; 0 = go on */

    log_writer *writer; /* owned; NULL while nothing runs; the controlling thread's, as is the next */
    pthread_t thread;
} shared;

static bool is_stop_over(void)
{
    uint64_t stop_ms = atomic_load(&shared.stop_ms);
    return stop_ms != 0 && clock_monotonic_ms() >= stop_ms;
}

static uint64_t count_lines(const char *data, size_t len)
{
    uint64_t lines = 0;
    for (size_t i = 0; i < len; i++)
        lines += data[i] == '\n';
    return lines;
}

/* Write these lines. Returns how many of them were lost. */
static uint64_t write_out(log_writer *w, const char *lines, size_t len)
{
    if (w->is_line_torn && log_target_write(&w->target, "\n", 1, is_stop_over) == 1)
        w->is_line_torn = false;
    if (w->is_line_torn)
        return count_lines(lines, len);
    size_t end = log_target_write(&w->target, lines, len, is_stop_over);
    if (end > 0)
        w->is_line_torn = lines[end - 1] != '\n';
    return count_lines(lines + end, len - end);
}

/* Write the batch and empty it. Returns how many of its lines were lost. */
static uint64_t flush(log_writer *w)
{
    uint64_t lost = w->len > 0 ? write_out(w, w->batch, w->len) : 0;
    w->len = 0;
    return lost;
}

/* Append a line, or several to a batch. */
static void append(log_writer *w, log_level level, const char *text, size_t len)
{
    if (w->on_line != NULL) {
        log_space_tell();
        w->on_line(w->context, (signal_log_level)level, text, len - 1);
        return;
    }
    if (BATCH_BYTES - w->len < len) {
        log_space_tell();
        log_front_count_dropped(flush(w));
    }
    memcpy(w->batch + w->len, text, len);
    w->len += len;
}

/* A line of the writer's own, which needs no ring. */
static void append_own(log_writer *w, log_level level, const char *event, const log_field *fields,
                       size_t count)
{
    if (level < w->level)
        return;
    char text[LOG_RENDER_MAX_LINE];
    const log_event_head head = {
        .time_ms = clock_utc_ms(), .namespace_ = namespace_, .event = event, .level = level};
    append(w, level, text, log_render_line(&w->renderer, &head, fields, count, text));
}

static void reopen(log_writer *w)
{
    if (w->path == NULL)
        return;
    const slice path = slice_of_text(w->path);
    log_target opened;
    int error = log_target_open(&opened, w->path);
    if (error != 0) {
        /* strerror() is for any thread since glibc 2.32, and always was in musl. */
        const log_field fields[] = {LOG_BYTES("file", path),
                                    LOG_BYTES("reason", slice_of_text(strerror(-error)))};
        append_own(w, LOG_ERROR, "log file not reopened", fields, 2);
        return;
    }
    log_target_close(&w->target);
    w->target = opened;
    w->is_line_torn = opened.is_torn; /* it may be the same file */
    append_own(w, LOG_INFO, "log file reopened", &LOG_BYTES("file", path), 1);
}

/* Find the ring whose next line is the oldest, and the time of the oldest line in all the others: until then
 * it is this ring's turn. NULL when all are read up to their `end`. */
static log_ring *find_oldest(const log_producer *first, uint64_t *until_ms)
{
    log_ring *oldest = NULL;
    uint64_t oldest_ms = UINT64_MAX;
    *until_ms = UINT64_MAX;
    for (const log_producer *p = first; p != NULL; p = p->next) {
        uint64_t next_ms;
        if (!log_ring_peek(p->ring, &next_ms))
            continue;
        if (oldest == NULL || next_ms < oldest_ms) {
            *until_ms = oldest_ms;
            oldest_ms = next_ms;
            oldest = p->ring;
        } else if (next_ms < *until_ms) {
            *until_ms = next_ms;
        }
    }
    return oldest;
}

/* How many bytes to take of these lines. It ends with a line, since other processes may write to the file. */
static size_t next_piece(const log_writer *w, const log_lines *lines)
{
    if (w->on_line == NULL && lines->len <= PIECE_BYTES)
        return lines->len;
    const char *line_end =
        w->on_line != NULL ? memchr(lines->text, '\n', lines->len) : memrchr(lines->text, '\n', PIECE_BYTES);
    assert(line_end != NULL);
    return (size_t)(line_end - lines->text) + 1;
}

/* Write the first `len` bytes of the lines, or append them to what is written next. */
static void take_lines(log_writer *w, const log_lines *lines, size_t len)
{
    if (w->on_line != NULL || len < ALONE_BYTES) {
        append(w, (log_level)lines->level, lines->text, len);
        return;
    }
    log_space_tell();
    log_front_count_dropped(flush(w));
    log_front_count_dropped(write_out(w, lines->text, len));
}

/* Take the lines of the ring up to this millisecond. A busy thread logs many lines in a millisecond, so this
 * looks at the other rings less often than once a line. */
static void append_until(log_writer *w, log_ring *ring, uint64_t until_ms)
{
    for (log_lines lines; (lines = log_ring_lines(ring, until_ms)).len > 0;) {
        size_t len = next_piece(w, &lines);
        take_lines(w, &lines, len);
        log_ring_consume(ring, len);
    }
}

/* One round over all rings. Returns whether there was anything to write. */
static bool drain(log_writer *w)
{
    const log_producer *first = log_front_producers();
    for (const log_producer *p = first; p != NULL; p = p->next)
        log_ring_look(p->ring);

    /* After `end` is known: what is logged after somebody has asked for a reopen goes to the new file. */
    if (atomic_exchange(&shared.wants_reopen, false))
        reopen(w);

    uint64_t until_ms;
    bool was_busy = false;
    for (log_ring *ring; (ring = find_oldest(first, &until_ms)) != NULL; was_busy = true)
        append_until(w, ring, until_ms);
    log_space_tell();
    log_front_count_dropped(flush(w));
    return was_busy;
}

/* Log how many lines have been lost since the last such line. If this line is lost as well, the next one
 * counts them again. */
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

static bool has_work(log_rest_kind kind)
{
    bool is_asked = atomic_load(&shared.wants_reopen) || atomic_load(&shared.stop_ms) != 0;
    if (kind == LOG_REST_NAP || is_asked)
        return is_asked;
    for (const log_producer *p = log_front_producers(); p != NULL; p = p->next) {
        if (!log_ring_is_empty(p->ring))
            return true;
    }
    return false;
}

static void *run(void *argument)
{
    log_writer *w = argument;
    for (;;) {
        /* Before the rings are read: so the last round has all that was logged before the stop. */
        bool is_last = atomic_load(&shared.stop_ms) != 0;
        bool was_busy = drain(w);
        report_dropped(w, is_last);
        if (is_last)
            return NULL;
        if (was_busy)
            log_rest(LOG_REST_NAP, 0, has_work);
        else
            log_rest(LOG_REST_SLEEP, w->reported != log_front_dropped() ? REPORT_MS : 0, has_work);
    }
}

static void free_writer(log_writer *w)
{
    log_target_close(&w->target);
    free(w->path);
    free(w);
}

static int make_writer(const signal_log_options *options, log_writer **out)
{
    log_writer *w = calloc(1, sizeof(*w));
    if (w == NULL)
        return -ENOMEM;
    bool has_path = options->file != NULL && options->file[0] != '\0';
    w->on_line = options->on_line;
    w->context = options->context;
    w->path = has_path ? strdup(options->file) : NULL;
    w->target.fd = -1;
    w->level = (log_level)options->level;
    const log_manner manner = {.format = options->format,
                               .node = slice_of_text(options->node != NULL ? options->node : "")};
    log_render_init(&w->renderer, &manner);

    int error = has_path && w->path == NULL ? -ENOMEM : 0;
    if (error == 0 && w->on_line == NULL)
        error = log_target_open(&w->target, w->path);
    else if (error == 0 && has_path)
        error = -EINVAL;
    w->is_line_torn = w->target.is_torn;
    if (error != 0)
        free_writer(w);
    else
        *out = w;
    return error;
}

void signal_log_options_init(signal_log_options *options, size_t size)
{
    const signal_log_options defaults = {
        .size = size, .level = SIGNAL_LOG_INFO, .format = SIGNAL_LOG_TEXT, .is_private = true};
    assert(size >= sizeof(options->size));
    memset(options, 0, size);
    memcpy(options, &defaults, size < sizeof(defaults) ? size : sizeof(defaults));
}

/* The options of a program of this version or another one. False for a size that can't be, and for options
 * that are not known here. */
static bool take_options(signal_log_options *out, const signal_log_options *given)
{
    enum { MAX_SIZE = 4096 };
    if (given->size < sizeof(given->size) || given->size > MAX_SIZE)
        return false;
    const char *bytes = (const char *)given;
    for (size_t i = sizeof(*out); i < given->size; i++) {
        if (bytes[i] != 0)
            return false;
    }
    signal_log_options_init(out, sizeof(*out));
    memcpy(out, given, given->size < sizeof(*out) ? given->size : sizeof(*out));
    return true;
}

int signal_log_start(const signal_log_options *options)
{
    signal_log_options taken;
    if (shared.writer != NULL)
        return -EALREADY;
    if (!take_options(&taken, options))
        return -EINVAL;

    log_writer *w = NULL;
    int error = make_writer(&taken, &w);
    if (error != 0)
        return error;
    error = log_front_open(&taken);
    if (error != 0)
        goto free_writer;

    atomic_store(&shared.stop_ms, 0);
    atomic_store(&shared.wants_reopen, false);
    error = thread_start(&shared.thread, "hc-log", run, w);
    if (error != 0)
        goto close_front;
    shared.writer = w;
    log_front_set_threshold((log_level)taken.level);
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
    log_rest_wake();
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
    log_rest_wake();
}

uint64_t signal_log_dropped(void)
{
    return log_front_dropped();
}
