/* The producing side of the logger: what every other part calls to say that something happened.
 *
 * A line is an event with typed fields, not a format string: the caller copies a small binary record into the
 * ring of its own thread, and one writer thread turns records into text or JSON and writes them in batches.
 * So a line costs its caller some tens of nanoseconds and no system call, and a stalled log pipe never stalls
 * a call. A full ring drops the record and counts it; the writer reports the count.
 *
 * The controlling side (start, stop, reopen) is include/homecall/signal_log.h. Before its start and after its
 * stop every call here does nothing. All functions: any thread. */
#ifndef HOMECALL_BASE_LOG_H
#define HOMECALL_BASE_LOG_H

#include "base/log_field.h"

#include <stdatomic.h>
#include <stdbool.h>

/* The lowest level that is written; LOG_OFF while the logger is not running. Relaxed: it publishes nothing.
 */
extern _Atomic int log_threshold;

static inline bool log_is_on(log_level level)
{
    return (int)level >= atomic_load_explicit(&log_threshold, memory_order_relaxed);
}

/* Record `event` (a literal, lower case, what happened) in `namespace_` (a literal, the part that says so)
 * with `count` fields, at most LOG_MAX_FIELDS. Never blocks, never fails visibly. */
void log_event(log_level level, const char *namespace_, const char *event, const log_field *fields,
               size_t count);

/* From now on every line of this thread has a field `key` (a literal, snake_case, as "worker") that says
 * which one of its kind it is. */
void log_name_thread(const char *key, unsigned number);

/* log_event with the fields as arguments; they are not even evaluated when the level is off. At least one
 * field. */
#define LOG(level, namespace_, event, ...)                           \
    do {                                                             \
        if (log_is_on(level)) {                                      \
            const log_field log_fields_[] = {__VA_ARGS__};           \
            log_event((level), (namespace_), (event), log_fields_,   \
                      sizeof(log_fields_) / sizeof(log_fields_[0])); \
        }                                                            \
    } while (0)

#endif
