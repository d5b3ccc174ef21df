#include "server/io_thread.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/thread.h"
#include "session/session_host.h"
#include "session/session_life.h"

#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>

static const char log_namespace[] = "HomeCall_Signal_Server";

/* ---- The drain ---- */

/* A drain closes its connections in waves. Some at a time are no burden for anybody when they come back. */
enum { WAVE_MS = 100, WAVE_LEAST = 50 };

/* End without waiting for anybody: drop what is here, and what still comes. */
static void end_now(io_thread *t)
{
    t->is_grace_over = true;
    t->waves_left = 0;
    t->group.is_draining = true;
    session_group_drop_all(&t->group);
}

/* Close some connections, as many as make the rest last for the waves that are left. The last wave closes
 * what there is. Where no thread of the server has a connection any more, it is this one. */
static void close_wave(io_thread *t)
{
    static const struct timeval wave_time = {.tv_usec = WAVE_MS * 1000L};
    if (t->waves_left == 0 || !t->plan.has_connections(t->plan.context) ||
        evtimer_add(t->wave, &wave_time) != 0) {
        t->waves_left = 0;
        t->group.is_draining = true;
        session_close_all(&t->group);
        return;
    }
    size_t share = t->group.connections.count / (t->waves_left + 1) + 1;
    bool is_retiring = atomic_load_explicit(t->plan.is_retiring, memory_order_relaxed);
    session_close_some(&t->group, share > WAVE_LEAST ? share : WAVE_LEAST,
                       is_retiring ? SESSION_CLOSING_UPGRADED : SESSION_CLOSING_ALL);
    t->waves_left--;
}

static void on_wave(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    io_thread *t = arg;
    if (!t->is_grace_over)
        close_wave(t);
}

/* The order to stop has come: close every connection, and have what is left after the grace time dropped. If
 * it is ordered twice, the first time counts. */
static void begin_drain(io_thread *t)
{
    if (t->is_draining)
        return;
    t->is_draining = true;
    if (t->on_drain != NULL)
        t->on_drain(t);
    t->waves_left = t->plan.drain_ms / WAVE_MS;
    close_wave(t);

    /* The grace counts from the request, however late it is noticed here. */
    uint64_t until_us = atomic_load_explicit(t->plan.drain_until_us, memory_order_relaxed);
    uint64_t now_us = clock_monotonic_us();
    uint64_t left_us = until_us > now_us ? until_us - now_us : 0;
    const struct timeval grace = {.tv_sec = (time_t)(left_us / 1000000),
                                  .tv_usec = (suseconds_t)(left_us % 1000000)};
    if (left_us == 0 || evtimer_add(t->grace, &grace) != 0) /* without the timer, the drain might never end */
        end_now(t);
}

static void on_grace_over(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    end_now(arg);
}

/* The mailbox has something: attach the sessions that were handed over, and carry out the commands. */
static void on_mail(net_watch *mail, uint32_t events)
{
    (void)events;
    io_thread *t = (io_thread *)(void *)((char *)mail - offsetof(io_thread, mail));
    connection_queue arrived = STAILQ_HEAD_INITIALIZER(arrived);
    unsigned commands = mailbox_take(&t->mailbox, &arrived);

    connection_entry *entry;
    while ((entry = STAILQ_FIRST(&arrived)) != NULL) {
        STAILQ_REMOVE_HEAD(&arrived, queued);
        session_attach(session_of(connection_of(entry)), &t->group);
    }
    if (commands != 0)
        begin_drain(t);
    if ((commands & MAILBOX_END) != 0 || t->is_grace_over)
        end_now(t);
}

/* Can the thread end? It drains, it has no connection, and no other thread can push one any more. */
static bool has_ended(io_thread *t)
{
    return t->group.is_draining && t->group.connections.count == 0 &&
           (t->cluster == NULL || t->is_grace_over || worker_cluster_may_end(t->cluster)) &&
           mailbox_close_if_empty(&t->mailbox);
}

/* ---- Overload ---- */

/* The end of a late turn, while this thread is overloaded: it tells all threads. The first time is logged. */
static void on_overload(void *context, uint64_t until_us)
{
    static const struct timeval overload_time = {.tv_sec = 1};
    io_thread *t = context;
    if (!evtimer_pending(t->overload_over, NULL))
        LOG(LOG_WARN, log_namespace, "overloaded: joins and new connections are refused",
            LOG_LITERAL("kind", t->plan.kind), LOG_NUMBER("number", t->plan.number),
            LOG_NUMBER("lag_max_us", counter_get(&t->loop.counters.lag_max_us)),
            LOG_NUMBER("limit_us", t->loop.overload.limit_us));
    atomic_store_explicit(&t->plan.shared->overloaded_until_us, until_us, memory_order_relaxed);
    (void)evtimer_add(t->overload_over,
                      &overload_time); /* its place was reserved; it only has the end logged */
}

static void on_overload_over(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    const io_thread *t = arg;
    LOG(LOG_WARN, log_namespace, "no longer overloaded", LOG_LITERAL("kind", t->plan.kind),
        LOG_NUMBER("number", t->plan.number));
}

/* ---- Waking others ---- */

/* How long after a wake-up of another thread has failed it is tried again. */
static const struct timeval wake_again_time = {.tv_usec = 10L * 1000};

/* Nothing to do: the turn that this starts wakes the others at its end. */
static void on_wake_again(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    (void)arg;
}

/* The end of a turn: tell the threads that this one has given something to. */
static void wake_others(io_thread *t)
{
    if (!mailbox_wake_all(&t->to_wake))
        (void)evtimer_add(t->wake_again, &wake_again_time); /* its place was reserved, so it can't fail */
}

/* The thread ends: no turn of its own will try again. */
static void wake_others_at_last(io_thread *t)
{
    enum { TRIES = 100, PAUSE_MS = 1 };
    for (int i = 0; i < TRIES && !mailbox_wake_all(&t->to_wake); i++)
        poll(NULL, 0, PAUSE_MS);
    SLIST_INIT(&t->to_wake);
}

uint64_t io_thread_cpu_us(const io_thread *t)
{
    uint64_t at_end_us = counter_get(&t->cpu_at_end_us);
    return at_end_us > 0 ? at_end_us : clock_read_us(t->cpu_clock);
}

/* End sessions that were taken out of the mailbox and can't be attached. */
static void abandon_all(connection_queue *connections)
{
    connection_entry *entry;
    while ((entry = STAILQ_FIRST(connections)) != NULL) {
        STAILQ_REMOVE_HEAD(connections, queued);
        session_abandon(session_of(connection_of(entry)));
    }
}

/* What the thread does after epoll has failed. That happens only when other code in this process has closed
 * the descriptor of epoll. This thread can serve no connection any more, and only a restart of the program
 * helps; signal_server_is_live() is false from now on. Until the order to stop comes, end every connection at
 * once: those of this thread, and those that other threads still hand over. The mailbox's eventfd may be
 * closed as well, so do not wait for it, but look into the mailbox every PAUSE_MS. */
static void outlive_loop(io_thread *t)
{
    enum { PAUSE_MS = 100 };
    LOG(LOG_ERROR, log_namespace, "event loop failed", LOG_LITERAL("kind", t->plan.kind),
        LOG_NUMBER("number", t->plan.number));
    counter_set(&t->has_failed, 1);
    if (t->on_drain != NULL)
        t->on_drain(t);
    session_group_drop_all(&t->group);
    net_loop_end_turn(&t->loop);
    wake_others_at_last(t);

    /* The order to stop may have come before epoll failed. */
    unsigned commands = t->is_draining ? MAILBOX_DRAIN : 0;
    while (commands == 0 || !mailbox_close_if_empty(&t->mailbox)) {
        connection_queue arrived = STAILQ_HEAD_INITIALIZER(arrived);
        commands |= mailbox_take(&t->mailbox, &arrived);
        abandon_all(&arrived);
        if (commands == 0)
            poll(NULL, 0, PAUSE_MS);
    }
}

/* What the thread runs. */
static void *run(void *arg)
{
    io_thread *t = arg;
    log_name_thread(t->plan.kind, t->plan.number);
    /* The calls of others go on before newcomers are let in. And what an acceptor does together costs less:
     * where it shares a processor with a worker, it would otherwise stop that one for each newcomer. */
    if (t->plan.shard == SESSION_NO_SHARD)
        thread_give_way();
    int error = 0;
    while (error == 0 && !has_ended(t)) {
        error = net_loop_turn(&t->loop);
        wake_others(t);
    }
    if (error != 0)
        outlive_loop(t);
    wake_others_at_last(t);
    counter_set(&t->cpu_at_end_us, clock_read_us(CLOCK_THREAD_CPUTIME_ID));
    t->plan.on_ended(t->plan.context);
    return NULL;
}

/* Let libevent allocate what it needs for the timers of this thread, so that none of them fails when it is
 * needed. libevent keeps the space. */
static int reserve_timers(io_thread *t)
{
    static const struct timeval some_time = {.tv_sec = 1};
    struct event *const timers[] = {t->grace, t->wave, t->wake_again, t->overload_over};
    int error = 0;
    for (size_t i = 0; i < sizeof(timers) / sizeof(timers[0]); i++)
        error = evtimer_add(timers[i], &some_time) == 0 ? error : -ENOMEM;
    for (size_t i = 0; i < sizeof(timers) / sizeof(timers[0]); i++)
        (void)evtimer_del(timers[i]);
    return error;
}

static int make_events(io_thread *t)
{
    t->grace = evtimer_new(t->loop.base, on_grace_over, t);
    t->wake_again = evtimer_new(t->loop.base, on_wake_again, t);
    t->overload_over = evtimer_new(t->loop.base, on_overload_over, t);
    t->wave = evtimer_new(t->loop.base, on_wave, t);
    if (t->grace == NULL || t->wave == NULL || t->wake_again == NULL || t->overload_over == NULL)
        return -ENOMEM;
    int error = reserve_timers(t);
    if (error != 0)
        return error;
    t->mail = (net_watch){.on_ready = on_mail, .fd = t->mailbox.wake_fd};
    return net_watch_wake_ups(&t->loop.epoll, &t->mail);
}

static void free_events(io_thread *t)
{
    if (t->wave != NULL)
        event_free(t->wave);
    if (t->overload_over != NULL)
        event_free(t->overload_over);
    if (t->wake_again != NULL)
        event_free(t->wake_again);
    if (t->grace != NULL)
        event_free(t->grace);
    (void)net_watch_change(&t->loop.epoll, &t->mail, 0);
}

/* The group of sessions, and in a worker of a cluster what that needs. */
static int make_group(io_thread *t)
{
    const io_thread_plan *plan = &t->plan;
    const worker_cluster_plan *cluster = plan->cluster;
    bool is_in_cluster = cluster != NULL && cluster->core != NULL;
    int error = is_in_cluster ? worker_cluster_new(&t->loop, &t->cluster) : 0;
    if (error == 0)
        error = session_group_init(&t->group, plan->shared, &t->loop, &session_events, &session_host,
                                   plan->shard);
    if (error == 0 && is_in_cluster) {
        error = worker_cluster_enter(t->cluster, cluster, &t->group, plan->number);
        if (error != 0)
            session_group_deinit(&t->group);
    }
    t->plan.cluster = NULL;
    if (error != 0) {
        worker_cluster_free(t->cluster);
        t->cluster = NULL;
    }
    return error;
}

int io_thread_init(io_thread *t, const io_thread_plan *plan)
{
    *t = (io_thread){.plan = *plan};
    SLIST_INIT(&t->to_wake);
    int error = net_loop_init(&t->loop);
    if (error != 0)
        return error;
    t->loop.overload = (net_overload){
        .limit_us = (uint64_t)plan->overload_lag_ms * 1000, .on_overload = on_overload, .context = t};
    error = mailbox_init(&t->mailbox);
    if (error != 0)
        goto deinit_loop;
    error = make_events(t);
    if (error == 0)
        error = make_group(t);
    if (error == 0)
        return 0;

    free_events(t);
    mailbox_deinit(&t->mailbox);
deinit_loop:
    net_loop_deinit(&t->loop);
    return error;
}

void io_thread_deinit(io_thread *t)
{
    assert(!t->is_started && SLIST_EMPTY(&t->to_wake));
    connection_queue left = STAILQ_HEAD_INITIALIZER(left);
    (void)mailbox_take(&t->mailbox, &left);
    abandon_all(&left);
    worker_cluster_free(t->cluster);
    session_group_deinit(&t->group);
    free_events(t);
    mailbox_deinit(&t->mailbox);
    net_loop_deinit(&t->loop);
}

int io_thread_start(io_thread *t)
{
    assert(!t->is_started && t->plan.on_ended != NULL);
    char name[THREAD_NAME_CAP];
    snprintf(name, sizeof(name), "hc-%s-%u", t->plan.kind, t->plan.number);
    int error = thread_start(&t->id, name, run, t);
    if (error != 0)
        return error;
    t->is_started = true;
    /* It fails only when the thread has ended already, and then cpu_at_end_us is set. */
    (void)pthread_getcpuclockid(t->id, &t->cpu_clock);
    return 0;
}

void io_thread_join(io_thread *t)
{
    if (t->is_started)
        pthread_join(t->id, NULL);
    t->is_started = false;
}
