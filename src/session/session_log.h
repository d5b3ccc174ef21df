/* Log lines about one session: each begins with the connection's id, and the room and the user where it is in
 * a room, so that one call can be followed from its join to its end. Which thread it is on, the logger adds.
 *
 * All functions: the thread of the session. */
#ifndef HOMECALL_SESSION_SESSION_LOG_H
#define HOMECALL_SESSION_SESSION_LOG_H

#include "base/log.h"
#include "session/session.h"

/* Fields that a line may have besides. */
enum { SESSION_LOG_MAX_FIELDS = LOG_MAX_FIELDS - 3 };

/* Log `event` with `count` fields, at most SESSION_LOG_MAX_FIELDS. */
void session_log(log_level level, const char *namespace_, const char *event, const session *s,
                 const log_field *fields, size_t count);

/* session_log with the fields, at least one, as arguments, which are not evaluated when the level is off. */
#define LOG_SESSION(level, namespace_, event, s, ...)                     \
    do {                                                                  \
        if (log_is_on(level)) {                                           \
            const log_field log_fields_[] = {__VA_ARGS__};                \
            session_log((level), (namespace_), (event), (s), log_fields_, \
                        sizeof(log_fields_) / sizeof(log_fields_[0]));    \
        }                                                                 \
    } while (0)

#endif
