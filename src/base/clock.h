/* The clocks: one that only goes forward, for deadlines, the calendar, for log lines, and any other. */
#ifndef HOMECALL_BASE_CLOCK_H
#define HOMECALL_BASE_CLOCK_H

#include <stdint.h>
#include <sys/time.h>
#include <time.h>

/* Milliseconds since some point in the past. This time never goes back. Any thread. */
uint64_t clock_monotonic_ms(void);

/* The same in microseconds. */
uint64_t clock_monotonic_us(void);

/* Milliseconds since 1970-01-01T00:00:00Z. Any thread. */
uint64_t clock_utc_ms(void);

/* What a clock of clock_gettime() says, as that of a thread's processor time, in microseconds; 0 where there
 * is no such clock. Any thread. */
uint64_t clock_read_us(clockid_t id);

/* A span of milliseconds, in the form that libevent's timers take. */
static inline struct timeval clock_span(uint64_t ms)
{
    return (struct timeval){.tv_sec = (time_t)(ms / 1000), .tv_usec = (suseconds_t)(ms % 1000 * 1000)};
}

#endif
