#include "base/log_rest.h"

#include "base/monotonic_cond.h"

#include <pthread.h>

static struct {
    pthread_once_t once;
    pthread_mutex_t lock; /* guards nothing but the wait for `wake` */
    pthread_cond_t wake;  /* on the monotonic clock */
    _Atomic int kind;     /* a log_rest_kind */
} shared = {.once = PTHREAD_ONCE_INIT, .lock = PTHREAD_MUTEX_INITIALIZER, .kind = LOG_REST_NONE};

static void init_wake(void)
{
    (void)monotonic_cond_init(&shared.wake); /* a rest must not fail; zeroed, it goes by the other clock */
}

void log_rest_wake(void)
{
    if (atomic_exchange(&shared.kind, LOG_REST_NONE) == LOG_REST_NONE)
        return;
    pthread_mutex_lock(&shared.lock);
    pthread_cond_signal(&shared.wake);
    pthread_mutex_unlock(&shared.lock);
}

void log_rest_on_push(log_ring *ring)
{
    int kind = atomic_load_explicit(&shared.kind, memory_order_relaxed);
    if (kind == LOG_REST_SLEEP || (kind == LOG_REST_NAP && log_ring_is_filling(ring)))
        log_rest_wake();
}

/* Wait until woken, for `at_most_ms` unless that is 0. Returns whether nobody has woken us in that time. */
static bool wait_in_vain(uint64_t at_most_ms)
{
    const struct timespec until = monotonic_cond_time(at_most_ms);
    int error = 0;
    pthread_mutex_lock(&shared.lock);
    while (atomic_load(&shared.kind) != LOG_REST_NONE && error == 0)
        error = at_most_ms > 0 ? pthread_cond_timedwait(&shared.wake, &shared.lock, &until)
                               : pthread_cond_wait(&shared.wake, &shared.lock);
    pthread_mutex_unlock(&shared.lock);
    return error != 0;
}

void log_rest(log_rest_kind kind, uint64_t sleep_ms, bool (*has_work)(log_rest_kind kind))
{
    pthread_once(&shared.once, init_wake);
    atomic_store(&shared.kind, (int)kind);
    if (!has_work(kind) && wait_in_vain(LOG_REST_NAP_MS) && kind == LOG_REST_SLEEP && !has_work(kind))
        (void)wait_in_vain(sleep_ms);
    atomic_store(&shared.kind, LOG_REST_NONE);
}
