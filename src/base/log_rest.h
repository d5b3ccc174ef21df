/* How the writer of the logger rests, and how a thread that logs wakes it.
 *
 * While lines come the writer naps between two rounds, so that a busy process pays for no wake-up at all.
 * Only a thread whose ring is half full cuts the nap short. When there was nothing to write, it sleeps until
 * the next line. A thread that logs finds out with one load whether there is anybody to wake. */
#ifndef HOMECALL_BASE_LOG_REST_H
#define HOMECALL_BASE_LOG_REST_H

#include "base/log_ring.h"

typedef enum log_rest_kind {
    LOG_REST_NONE, /* the writer is awake */
    LOG_REST_NAP,  /* only a ring that fills up wakes it */
    LOG_REST_SLEEP /* every record wakes it */
} log_rest_kind;

/* A record was committed to `ring`: wake the writer if it must know. Also legal when no writer runs. Any
 * thread. */
void log_rest_on_push(log_ring *ring);

/* End the rest of the writer, if it rests. Any thread. */
void log_rest_wake(void);

/* Writer: rest until woken, at most for `at_most_ms` unless that is 0. `has_work` is asked after the rest has
 * been announced, so that no wake-up is missed (see log_ring_commit()). When it says true, there is none. */
void log_rest(log_rest_kind kind, uint64_t at_most_ms, bool (*has_work)(log_rest_kind kind));

#endif
