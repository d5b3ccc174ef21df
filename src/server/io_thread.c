#include "server/io_thread.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/thread.h"
#include "session/session_life.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>

static const char log_namespace[] = "HomeCall_Signal_Server";

static void end_now(io_thread *t)
{
    t->is_grace_over = true;
    session_group_drop_all(&t->group);
}

static void begin_drain(io_thread *t)
{
    t->group.is_draining = true;
    if (t->on_drain != NULL)
        t->on_drain(t);
    session_group_close_all(&t->group);

    if (evtimer_pending(t->grace, NULL)) /* told twice: the first time counts */
        return;
    struct timeval grace = clock_span(t->plan.shutdown_grace_ms);
    if (evtimer_add(t->grace, &grace) != 0) { /* better a stop without its grace than one without an end */
        log_event(LOG_WARN, log_namespace, "no memory for the grace of a stop", NULL, 0);
        end_now(t);
    }
}

static void on_grace_over(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    end_now(arg);
}

static void on_mail(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    io_thread *t = arg;
    connection_queue arrived = STAILQ_HEAD_INITIALIZER(arrived);
    unsigned commands = mailbox_take(&t->mailbox, &arrived);

    connection_entry *entry;
    while ((entry = STAILQ_FIRST(&arrived)) != NULL) {
        STAILQ_REMOVE_HEAD(&arrived, queued);
        session_attach(session_of(connection_of(entry)), &t->group);
    }
    /* A session that came back (session_take_back) may have told of the drain already; the order is still
     * carried out. */
    if (commands != 0)
        begin_drain(t);
    if ((commands & MAILBOX_END) != 0 || t->is_grace_over)
        end_now(t);
}

/* It drains, nobody is left, and nobody can come any more. */
static bool has_ended(io_thread *t)
{
    return t->group.is_draining && t->group.connections.count == 0 && mailbox_close_if_empty(&t->mailbox);
}

uint64_t io_thread_cpu_us(const io_thread *t)
{
    uint64_t at_end_us = counter_get(&t->cpu_at_end_us);
    return at_end_us > 0 ? at_end_us : clock_read_us(t->cpu_clock);
}

static void abandon_all(connection_queue *connections)
{
    connection_entry *entry;
    while ((entry = STAILQ_FIRST(connections)) != NULL) {
        STAILQ_REMOVE_HEAD(connections, queued);
        session_abandon(session_of(connection_of(entry)));
    }
}

/* epoll itself fails: somebody in this process has closed its descriptor. Nobody can be served here any more,
 * and only a restart helps, which is for whoever asks signal_server_is_live(). Until the order to stop comes,
 * end every connection at once: those that are here, and those that others still hand over. The mailbox's
 * descriptor may be gone as well, so that is only looked at from time to time. */
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
    mailbox_wake_all(&t->to_wake);

    unsigned commands = t->group.is_draining ? MAILBOX_DRAIN : 0; /* the order may have come before */
    while (commands == 0 || !mailbox_close_if_empty(&t->mailbox)) {
        connection_queue arrived = STAILQ_HEAD_INITIALIZER(arrived);
        commands |= mailbox_take(&t->mailbox, &arrived);
        abandon_all(&arrived);
        if (commands == 0)
            poll(NULL, 0, PAUSE_MS);
    }
}

static void *run(void *arg)
{
    io_thread *t = arg;
    log_name_thread(t->plan.kind, t->plan.number);
    int error = 0;
    while (error == 0 && !has_ended(t)) {
        error = net_loop_turn(&t->loop);
        mailbox_wake_all(&t->to_wake);
    }
    if (error != 0)
        outlive_loop(t);
    counter_set(&t->cpu_at_end_us, clock_read_us(CLOCK_THREAD_CPUTIME_ID));
    t->plan.on_ended(t->plan.context);
    return NULL;
}

static int make_events(io_thread *t)
{
    t->mail = event_new(t->loop.base, t->mailbox.wake_fd, EV_READ | EV_PERSIST, on_mail, t);
    t->grace = evtimer_new(t->loop.base, on_grace_over, t);
    return t->mail != NULL && t->grace != NULL && event_add(t->mail, NULL) == 0 ? 0 : -ENOMEM;
}

static void free_events(io_thread *t)
{
    if (t->grace != NULL)
        event_free(t->grace);
    if (t->mail != NULL)
        event_free(t->mail);
}

int io_thread_init(io_thread *t, const io_thread_plan *plan)
{
    *t = (io_thread){.plan = *plan};
    SLIST_INIT(&t->to_wake);
    int error = net_loop_init(&t->loop);
    if (error != 0)
        return error;
    error = mailbox_init(&t->mailbox);
    if (error != 0)
        goto deinit_loop;
    error = make_events(t);
    if (error == 0)
        error = session_group_init(&t->group, plan->shared, &t->loop, &session_events, plan->shard);
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
    connection_queue left = STAILQ_HEAD_INITIALIZER(left);
    (void)mailbox_take(&t->mailbox, &left);
    abandon_all(&left);
    session_group_deinit(&t->group);
    free_events(t);
    mailbox_deinit(&t->mailbox);
    net_loop_deinit(&t->loop);
}

int io_thread_start(io_thread *t)
{
    char name[THREAD_NAME_CAP];
    snprintf(name, sizeof(name), "hc-%s-%u", t->plan.kind, t->plan.number);
    int error = thread_start(&t->id, name, run, t);
    if (error != 0)
        return error;
    t->is_started = true;
    pthread_getcpuclockid(t->id, &t->cpu_clock);
    return 0;
}

void io_thread_join(io_thread *t)
{
    if (t->is_started)
        pthread_join(t->id, NULL);
    t->is_started = false;
}
