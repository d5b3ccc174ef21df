/* What log.c, where the threads log, offers to log_writer.c, where one thread writes. For the writer only:
 * everybody else wants log.h or homecall/signal_log.h. */
#ifndef HOMECALL_BASE_LOG_FRONT_H
#define HOMECALL_BASE_LOG_FRONT_H

#include "base/log_field.h"
#include "base/log_render.h"
#include "base/log_ring.h"
#include "base/log_space.h"

/* A thread that logs. */
typedef struct log_producer {
    log_ring *ring;            /* owned; its lines */
    struct log_producer *next; /* the list of all */
    bool is_taken;             /* a thread has it; under the lock of log.c */

    /* For that thread alone. */
    uint32_t session;  /* that the renderer was made for; 0 = none */
    uint64_t time_ms;  /* of the last line; 0 = not of this turn */
    unsigned time_use; /* by how many lines that time was used again */
    log_space space;   /* its waits for the writer */
    log_renderer renderer;
} log_producer;

/* Begin a session: make the key of the tags (once in a process: `options->tag_key`, or where that is NULL a
 * new one), forget the lines that are left from the last session, and let threads have rings. Nothing is
 * logged yet. 0, or -errno. The writer thread must not run. */
int log_front_open(const signal_log_options *options);

/* Let in the events of this level and above; none with LOG_OFF. */
void log_front_set_threshold(log_level level);

/* End the session and free the rings, except those of other threads that still live. Such a ring is freed
 * when its thread ends, or serves it again in the next session. The writer thread must not run. */
void log_front_close(void);

/* Those that log, newest first, linked by `next`. Until log_front_close() nothing but a new first one comes.
 */
log_producer *log_front_producers(void);

/* Count lines as lost; how many have been lost in this session. Any thread. */
void log_front_count_dropped(uint64_t lines);
uint64_t log_front_dropped(void);

#endif
