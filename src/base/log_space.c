#include "base/log_space.h"

#include "base/clock.h"
#include "base/log_rest.h"
#include "base/monotonic_cond.h"

#include <pthread.h>

static struct {
    pthread_once_t once;
    pthread_mutex_t lock; /* guards nothing but the waits for `freed` */
    pthread_cond_t freed; /* on the monotonic clock */
    _Atomic int waiting;  /* threads */
} shared = {.once = PTHREAD_ONCE_INIT, .lock = PTHREAD_MUTEX_INITIALIZER};

static void init_freed(void)
{
    (void)monotonic_cond_init(&shared.freed); /* a wait must not fail; zeroed, it goes by the other clock */
}

/* Has the writer stood still since the last wait, or has this thread waited for too long already? */
static bool may_wait(log_space *s, const log_ring *ring, uint64_t now_us)
{
    if (s->has_waited_in_vain && s->consumed == log_ring_consumed(ring))
        return false;
    uint64_t earned_us = (now_us - s->spent_at) / 2;
    s->spent_us -= earned_us < s->spent_us ? earned_us : s->spent_us;
    s->spent_at = now_us;
    return s->spent_us < (uint64_t)LOG_SPACE_CREDIT_MS * 1000;
}

/* Producer and writer each change `waiting` by one instruction that reads and writes, and one of the two
 * comes first. If it is the producer, the writer sees that somebody waits. If it is the writer, the producer
 * sees what was consumed before. */
static bool wait_for_half(log_ring *ring)
{
    pthread_once(&shared.once, init_freed);
    const struct timespec until = monotonic_cond_time(LOG_SPACE_WAIT_MS);
    int error = 0;
    pthread_mutex_lock(&shared.lock);
    atomic_fetch_add(&shared.waiting, 1);
    while (!log_ring_has_half(ring) && error == 0)
        error = pthread_cond_timedwait(&shared.freed, &shared.lock, &until);
    atomic_fetch_sub(&shared.waiting, 1);
    pthread_mutex_unlock(&shared.lock);
    return error == 0;
}

bool log_space_wait(log_space *space, log_ring *ring)
{
    uint64_t now_us = clock_monotonic_us();
    if (!may_wait(space, ring, now_us))
        return false;
    uint64_t consumed = log_ring_consumed(ring);
    log_rest_wake();
    bool has_half = wait_for_half(ring);
    space->spent_us += clock_monotonic_us() - now_us;
    space->consumed = log_ring_consumed(ring);
    space->has_waited_in_vain = !has_half && space->consumed == consumed;
    return !space->has_waited_in_vain;
}

void log_space_tell(void)
{
    if (atomic_fetch_add(&shared.waiting, 0) == 0)
        return;
    pthread_mutex_lock(&shared.lock);
    pthread_cond_broadcast(&shared.freed);
    pthread_mutex_unlock(&shared.lock);
}
