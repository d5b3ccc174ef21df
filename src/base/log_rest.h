/* How the writer of the logger rests, and how a thread that logs wakes it.
 *
 * While lines come the writer naps between two rounds, so that a busy process pays for no wake-up at all.
 * Only a thread whose ring is a quarter full cuts the nap short. When there was nothing to write, it sleeps
 * until the next line. A thread that logs finds out with one load whether there is anybody to wake.
 *
 * The commit of a record and that load are not ordered by a barrier, which would cost as much as the rest of
 * a line: so a thread may look just too early to see that the writer goes to sleep, while the writer looks
 * too early to see the record. A sleep therefore begins with a nap, and after that the writer looks once
 * more: by then each of the two has long seen what the other did before. */
#ifndef HOMECALL_BASE_LOG_REST_H
#define HOMECALL_BASE_LOG_REST_H

#include "base/log_ring.h"

typedef enum log_rest_kind {
    LOG_REST_NONE, /* the writer is awake */
    LOG_REST_NAP,  /* only a ring that fills up wakes it */
    LOG_REST_SLEEP /* every record wakes it */
} log_rest_kind;

enum {
    LOG_REST_NAP_MS = 20
}; /* a human reads along without noticing, and fifty rounds a second cost nothing */

/* A record was committed to `ring`: wake the writer if it must know. Also legal when no writer runs. Any
 * thread. */
void log_rest_on_push(log_ring *ring);

/* End the rest of the writer, if it rests. Any thread. */
void log_rest_wake(void);

/* Writer: rest until woken: at most for LOG_REST_NAP_MS, or asleep for `sleep_ms`, where 0 has no end.
 * `has_work` is asked after the rest has been announced, and once more early in a sleep. When it says true,
 * the rest is over. */
void log_rest(log_rest_kind kind, uint64_t sleep_ms, bool (*has_work)(log_rest_kind kind));

#endif
