/* The two clocks: one that only goes forward, for deadlines, and the calendar, for log lines. */
#ifndef HOMECALL_BASE_CLOCK_H
#define HOMECALL_BASE_CLOCK_H

#include <stdint.h>

/* Milliseconds since an arbitrary start, never going back. Any thread. */
uint64_t clock_monotonic_ms(void);

/* Milliseconds since 1970-01-01T00:00:00Z. Any thread. */
uint64_t clock_utc_ms(void);

#endif
