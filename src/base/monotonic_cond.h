/* Condition variables that are waited for by the monotonic clock: the other one may be set meanwhile. */
#ifndef HOMECALL_BASE_MONOTONIC_COND_H
#define HOMECALL_BASE_MONOTONIC_COND_H

#include <pthread.h>
#include <stdint.h>
#include <time.h>

/* Make one, to be destroyed by pthread_cond_destroy(). 0 or -errno. */
int monotonic_cond_init(pthread_cond_t *out);

/* The time in `ms` milliseconds, for pthread_cond_timedwait(). */
struct timespec monotonic_cond_time(uint64_t ms);

#endif
