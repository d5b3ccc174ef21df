/* How a thread whose ring is full gives way to the writer of the log.
 *
 * Where the threads of the server and the writer share a processor, a flood of signals fills a ring before
 * the writer gets a turn. Then the thread waits until the writer has freed half of the ring. That is bounded
 * in two ways, since a log must not stop a server:
 * - A wait ends after LOG_SPACE_WAIT_MS. If the writer has freed nothing meanwhile (a disk or a reader stands
 *   still), the thread does not wait again before the writer has.
 * - All waits of a thread take at most half of its time. It may take LOG_SPACE_CREDIT_MS in advance, for
 *   example while the processor is busy with other things.
 * Lines that do not fit then are dropped and counted. */
#ifndef HOMECALL_BASE_LOG_SPACE_H
#define HOMECALL_BASE_LOG_SPACE_H

#include "base/log_ring.h"

enum { LOG_SPACE_WAIT_MS = 20, LOG_SPACE_CREDIT_MS = 1000 };

/* The waits of one thread. Zeroed, it has not waited yet. */
typedef struct log_space {
    bool has_waited_in_vain;
    uint64_t consumed; /* of the ring, when it did */
    uint64_t spent_us; /* on waits, less half of the time that has gone by */
    uint64_t spent_at; /* when that was reckoned up, in microseconds of the monotonic clock */
} log_space;

/* Producer: the ring is full. Wait for the writer, or do not: returns whether it is worth trying again. */
bool log_space_wait(log_space *space, log_ring *ring);

/* Writer: records have been consumed, so those who wait look again. */
void log_space_tell(void);

#endif
