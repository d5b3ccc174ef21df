/* The producing side of the logger: what every other part calls to say that something happened.
 *
 * A line is an event with typed fields, not a format string. The caller writes it, as text or JSON, into the
 * ring of its own thread. One writer thread collects the lines of all rings, and writes many at once. So a
 * line costs its caller less than a tenth of a microsecond and no system call. When a ring is full, its
 * thread gives way to the writer for some milliseconds (log_space.h). If that does not help, since the disk
 * or the reader of a pipe stands still, the line is dropped and counted, and the writer reports the count.
 *
 * include/homecall/signal_log.h starts, stops and reopens the log. Before the start and after the stop every
 * call here does nothing. All functions: any thread. */
#ifndef HOMECALL_BASE_LOG_H
#define HOMECALL_BASE_LOG_H

#include "base/log_field.h"

#include <stdatomic.h>
#include <stdbool.h>

/* The lowest level that is written; LOG_OFF while the logger does not run. Relaxed: it publishes nothing. */
extern _Atomic int log_threshold;

static inline bool log_is_on(log_level level)
{
    return (int)level >= atomic_load_explicit(&log_threshold, memory_order_relaxed);
}

/* Log a line with `count` fields, at most LOG_MAX_FIELDS. `event` says what happened, in lower case;
 * `namespace_` names the part of the program; both are literals. It waits at most for some milliseconds, and
 * tells no error. */
void log_event(log_level level, const char *namespace_, const char *event, const log_field *fields,
               size_t count);

/* The same for an event of which there are very many. In a thread that works in turns, it does not always
 * read the clock: the time of the line may be that of an earlier one of this turn. */
void log_frequent_event(log_level level, const char *namespace_, const char *event, const log_field *fields,
                        size_t count);

/* A turn of the calling thread is over. */
void log_end_turn(void);

/* From now on every line of this thread has the field `key`=`number`, as "worker=3". The key is a literal in
 * snake_case. */
void log_name_thread(const char *key, unsigned number);

/* log_event with the fields, at least one, as arguments. They are not evaluated when the level is off. */
#define LOG(level, namespace_, event, ...)                           \
    do {                                                             \
        if (log_is_on(level)) {                                      \
            const log_field log_fields_[] = {__VA_ARGS__};           \
            log_event((level), (namespace_), (event), log_fields_,   \
                      sizeof(log_fields_) / sizeof(log_fields_[0])); \
        }                                                            \
    } while (0)

#endif
