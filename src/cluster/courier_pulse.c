#include "cluster/courier_pulse.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/monotonic_cond.h"
#include "base/thread.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>

struct courier_pulse {
    pthread_t thread;
    bool is_started;
    pthread_mutex_t lock; /* guards the next three; not held while the engine is asked */
    pthread_cond_t changed;
    natsConnection *connection; /* borrowed; NULL = none */
    bool is_asking;
    bool must_end;
    counter_histogram round_trips;
};

/* ---- The thread ---- */

/* Returns with the lock, as it was called. */
static void ask(courier_pulse *p)
{
    natsConnection *connection = p->connection;
    p->is_asking = true;
    pthread_mutex_unlock(&p->lock);
    uint64_t asked_us = clock_monotonic_us();
    natsStatus status = natsConnection_FlushTimeout(connection, COURIER_PULSE_LONGEST_MS);
    if (status == NATS_OK)
        counter_histogram_add(&p->round_trips, clock_monotonic_us() - asked_us, 1);
    pthread_mutex_lock(&p->lock);
    p->is_asking = false;
    pthread_cond_broadcast(&p->changed);
}

static void rest(courier_pulse *p)
{
    const struct timespec until = monotonic_cond_time(COURIER_PULSE_EVERY_MS);
    int error = 0;
    while (!p->must_end && error == 0)
        error = pthread_cond_timedwait(&p->changed, &p->lock, &until);
}

static void *run(void *context)
{
    courier_pulse *p = context;
    log_name_thread("courier_pulse", 0);
    pthread_mutex_lock(&p->lock);
    while (!p->must_end) {
        if (p->connection != NULL)
            ask(p);
        rest(p);
    }
    pthread_mutex_unlock(&p->lock);
    return NULL;
}

/* ---- Life ---- */

int courier_pulse_new(courier_pulse **out)
{
    courier_pulse *p = calloc(1, sizeof(*p));
    if (p == NULL)
        return -ENOMEM;
    int error = monotonic_cond_init(&p->changed);
    if (error == 0) {
        error = -pthread_mutex_init(&p->lock, NULL);
        if (error != 0)
            pthread_cond_destroy(&p->changed);
    }
    if (error != 0) {
        free(p);
        return error;
    }
    *out = p;
    return 0;
}

int courier_pulse_start(courier_pulse *p)
{
    int error = thread_start(&p->thread, "hc-pulse", run, p);
    p->is_started = error == 0;
    return error;
}

void courier_pulse_watch(courier_pulse *p, natsConnection *connection)
{
    pthread_mutex_lock(&p->lock);
    p->connection = connection;
    while (connection == NULL && p->is_asking)
        pthread_cond_wait(&p->changed, &p->lock);
    pthread_mutex_unlock(&p->lock);
}

void courier_pulse_stop(courier_pulse *p)
{
    if (!p->is_started)
        return;
    pthread_mutex_lock(&p->lock);
    p->must_end = true;
    pthread_cond_broadcast(&p->changed);
    pthread_mutex_unlock(&p->lock);
    pthread_join(p->thread, NULL);
    p->is_started = false;
}

void courier_pulse_free(courier_pulse *p)
{
    if (p == NULL)
        return;
    courier_pulse_stop(p);
    pthread_cond_destroy(&p->changed);
    pthread_mutex_destroy(&p->lock);
    free(p);
}

const counter_histogram *courier_pulse_round_trips(const courier_pulse *p)
{
    return &p->round_trips;
}
