#include "server/io_thread.h"

#include "base/clock.h"
#include "base/log.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

static void begin_drain(io_thread *t)
{
    t->host.is_draining = true;
    if (t->on_drain != NULL)
        t->on_drain(t->drain_context);
    session_host_close_all(&t->host);

    if (evtimer_pending(t->grace, NULL)) /* told twice: the first time counts */
        return;
    struct timeval grace = clock_span(t->shutdown_grace_ms);
    evtimer_add(t->grace, &grace);
}

static void end_now(io_thread *t)
{
    t->is_grace_over = true;
    session_host_drop_all(&t->host);
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
    struct session_list sessions = STAILQ_HEAD_INITIALIZER(sessions);
    unsigned commands = mailbox_take(&t->mailbox, &sessions);

    session *s;
    while ((s = STAILQ_FIRST(&sessions)) != NULL) {
        STAILQ_REMOVE_HEAD(&sessions, mail);
        session_attach(s, &t->host);
    }
    /* An order to drain that a session's return has already anticipated (session_take_back) is still carried
     * out. */
    if (commands != 0)
        begin_drain(t);
    if ((commands & MAILBOX_END) != 0 || t->is_grace_over)
        end_now(t);
}

/* It drains, nobody is left, and nobody can come any more. */
static bool has_ended(io_thread *t)
{
    return t->host.is_draining && t->loop.connections == 0 && mailbox_close_if_empty(&t->mailbox);
}

static uint64_t read_cpu_us(clockid_t clock)
{
    struct timespec used;
    if (clock_gettime(clock, &used) != 0)
        return 0;
    return (uint64_t)used.tv_sec * 1000000 + (uint64_t)used.tv_nsec / 1000;
}

uint64_t io_thread_cpu_us(const io_thread *t)
{
    uint64_t at_end_us = counter_get(&t->cpu_at_end_us);
    return at_end_us > 0 ? at_end_us : read_cpu_us(t->cpu_clock);
}

static void *run(void *arg)
{
    io_thread *t = arg;
    log_name_thread(t->kind, t->number);
    while (!has_ended(t)) {
        if (net_loop_turn(&t->loop) != 0)
            abort(); /* epoll itself fails, so its descriptor was closed behind our back: nothing can go on */
        mailbox_wake_all(&t->unwoken);
    }
    counter_set(&t->cpu_at_end_us, read_cpu_us(CLOCK_THREAD_CPUTIME_ID));
    t->on_ended(t->context);
    return NULL;
}

int io_thread_init(io_thread *t, const net_limits *limits, const session_host *host,
                   uint32_t shutdown_grace_ms)
{
    int error = net_loop_init(&t->loop, limits);
    if (error != 0)
        return error;
    error = mailbox_init(&t->mailbox);
    if (error != 0)
        goto deinit_loop;

    SLIST_INIT(&t->unwoken);
    t->host = *host;
    t->host.loop = &t->loop;
    t->shutdown_grace_ms = shutdown_grace_ms;
    error = -ENOMEM;
    t->mail = event_new(t->loop.base, t->mailbox.wake_fd, EV_READ | EV_PERSIST, on_mail, t);
    t->grace = evtimer_new(t->loop.base, on_grace_over, t);
    if (t->mail == NULL || t->grace == NULL || event_add(t->mail, NULL) != 0)
        goto free_events;
    error = session_host_init(&t->host);
    if (error != 0)
        goto free_events;
    return 0;

free_events:
    if (t->grace != NULL)
        event_free(t->grace);
    if (t->mail != NULL)
        event_free(t->mail);
    mailbox_deinit(&t->mailbox);
deinit_loop:
    net_loop_deinit(&t->loop);
    return error;
}

void io_thread_deinit(io_thread *t)
{
    struct session_list left = STAILQ_HEAD_INITIALIZER(left);
    (void)mailbox_take(&t->mailbox, &left);
    session *s;
    while ((s = STAILQ_FIRST(&left)) != NULL) {
        STAILQ_REMOVE_HEAD(&left, mail);
        session_abandon(s);
    }
    session_host_deinit(&t->host);
    event_free(t->grace);
    event_free(t->mail);
    mailbox_deinit(&t->mailbox);
    net_loop_deinit(&t->loop);
}

int io_thread_start(io_thread *t)
{
    sigset_t all;
    sigset_t before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int error = pthread_create(&t->id, NULL, run, t);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (error != 0)
        return -error;
    t->is_started = true;
    pthread_getcpuclockid(t->id, &t->cpu_clock);
    char name[16]; /* the kernel's bound */
    snprintf(name, sizeof(name), "hc-%s-%u", t->kind, t->number);
    pthread_setname_np(t->id, name);
    return 0;
}

void io_thread_join(io_thread *t)
{
    if (t->is_started)
        pthread_join(t->id, NULL);
    t->is_started = false;
}
