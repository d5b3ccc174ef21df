#include "net/loop.h"

#include "base/clock.h"
#include "net/connection.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/timerfd.h>
#include <unistd.h>

/* One read takes at most this much: a burst of a call's signals in one go, and no more than a fair share of a
 * turn for one peer. An upgrade request must fit as well. */
enum { SCRATCH_BYTES = 64 * 1024, SCRATCH_FOR_FRAMES = 4 * 1024 };

/* After a stall (the machine slept, the process was stopped, the thread got no processor) what the peers have
 * sent meanwhile still waits in the kernel, and the base tells of it batch by batch: deadlines are judged a
 * moment later then. */
enum { STALL_MS = 250, CATCH_UP_MS = 200 };

struct event_base *net_loop_new_base(void)
{
    struct event_config *config = event_config_new();
    if (config == NULL)
        return NULL;
    event_config_set_flag(config, EVENT_BASE_FLAG_NOLOCK);
    struct event_base *base = event_base_new_with_config(config);
    event_config_free(config);
    return base;
}

static void on_timer(evutil_socket_t fd, short what, void *arg)
{
    (void)what;
    net_loop *loop = arg;
    uint64_t expirations;
    (void)!read(fd, &expirations, sizeof(expirations)); /* it is readable no more */
    loop->timer_was_late = net_loop_now_ms(loop) > loop->timer_due_ms + STALL_MS;
    loop->timer_due_ms = UINT64_MAX; /* the end of the turn does what is due, and sets it anew */
}

/* A timer of the kernel's. One of libevent's would be a time-out of each epoll_wait(), to be set and taken
 * back in every turn, which costs a signal that comes alone some tenths of a microsecond. */
static int make_timer(net_loop *loop)
{
    loop->timer_fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
    if (loop->timer_fd < 0)
        return -errno;
    loop->timer = event_new(loop->base, loop->timer_fd, EV_READ | EV_PERSIST, on_timer, loop);
    return loop->timer != NULL && event_add(loop->timer, NULL) == 0 ? 0 : -ENOMEM;
}

int net_loop_init(net_loop *loop, const net_limits *limits)
{
    *loop = (net_loop){.limits = limits, .timer_fd = -1, .timer_due_ms = UINT64_MAX};
    for (int state = 0; state < CONNECTION_STATES; state++)
        TAILQ_INIT(&loop->by_state[state]);
    STAILQ_INIT(&loop->todo);

    loop->duration_ms[CONNECTION_HANDSHAKE] = limits->handshake_timeout_ms;
    loop->duration_ms[CONNECTION_OPEN] = limits->ping_interval_ms;
    loop->duration_ms[CONNECTION_PINGED] = limits->pong_timeout_ms;
    loop->duration_ms[CONNECTION_CLOSING] = limits->pong_timeout_ms;
    loop->duration_ms[CONNECTION_LINGERING] = limits->close_timeout_ms;

    loop->scratch_size = limits->handshake.max_head_bytes + SCRATCH_FOR_FRAMES;
    if (loop->scratch_size < SCRATCH_BYTES)
        loop->scratch_size = SCRATCH_BYTES;
    loop->scratch = malloc(loop->scratch_size);
    loop->base = net_loop_new_base();
    int error = loop->scratch == NULL || loop->base == NULL ? -ENOMEM : make_timer(loop);
    if (error != 0)
        net_loop_deinit(loop);
    return error;
}

void net_loop_deinit(net_loop *loop)
{
    if (loop->timer != NULL)
        event_free(loop->timer);
    if (loop->timer_fd >= 0)
        close(loop->timer_fd);
    if (loop->base != NULL)
        event_base_free(loop->base);
    free(loop->scratch);
    loop->timer = NULL;
    loop->timer_fd = -1;
    loop->base = NULL;
    loop->scratch = NULL;
}

uint64_t net_loop_now_us(net_loop *loop)
{
    if (!loop->is_now_read) {
        loop->now_us = clock_monotonic_us();
        loop->is_now_read = true;
        counter_set(&loop->counters.turn_began_us, loop->now_us);
    }
    return loop->now_us;
}

void net_loop_each(net_loop *loop, void (*visit)(connection *c))
{
    for (int state = 0; state < CONNECTION_STATES; state++) {
        /* A visit may move a connection to the end of a later list, where it is visited again: closing twice
         * is nothing. */
        connection *next;
        for (connection *c = TAILQ_FIRST(&loop->by_state[state]); c != NULL; c = next) {
            next = TAILQ_NEXT(c, link);
            visit(c);
        }
    }
}

static void do_work(net_loop *loop)
{
    connection *c;
    while ((c = STAILQ_FIRST(&loop->todo)) != NULL) {
        STAILQ_REMOVE_HEAD(&loop->todo, todo);
        c->is_todo = false;
        connection_on_turn_end(c);
    }
}

/* When the first of the connections in this state is due. */
static uint64_t next_due_in_state(net_loop *loop, int state)
{
    const connection *first = TAILQ_FIRST(&loop->by_state[state]);
    if (first == NULL || loop->duration_ms[state] == 0)
        return UINT64_MAX;
    /* A connection keeps the low half of the time, which is near enough to tell the whole. */
    uint64_t now_ms = net_loop_now_ms(loop);
    return now_ms + (uint64_t)(int32_t)(first->due_ms - (uint32_t)now_ms);
}

static uint64_t next_due_ms(net_loop *loop)
{
    uint64_t due_ms = UINT64_MAX;
    if (loop->ticker.next_due_ms != NULL)
        due_ms = loop->ticker.next_due_ms(loop->ticker.context);
    for (int state = 0; state < CONNECTION_STATES; state++) {
        uint64_t state_due_ms = next_due_in_state(loop, state);
        if (state_due_ms < due_ms)
            due_ms = state_due_ms;
    }
    return due_ms;
}

static void do_what_is_due(net_loop *loop)
{
    uint64_t now_ms = net_loop_now_ms(loop);
    for (int state = 0; state < CONNECTION_STATES; state++)
        while (next_due_in_state(loop, state) <= now_ms)
            connection_on_due(
                TAILQ_FIRST(&loop->by_state[state])); /* leaves the list, or its head at least */
    if (loop->ticker.next_due_ms != NULL && loop->ticker.next_due_ms(loop->ticker.context) <= now_ms)
        loop->ticker.on_due(loop->ticker.context, now_ms);
}

static void set_timer_to(net_loop *loop, uint64_t due_ms)
{
    uint64_t now_ms = net_loop_now_ms(loop);
    uint64_t wait_ms = due_ms > now_ms ? due_ms - now_ms : 1; /* a timer of 0 would never fire */
    const struct itimerspec wait = {
        .it_value = {.tv_sec = (time_t)(wait_ms / 1000), .tv_nsec = (long)(wait_ms % 1000) * 1000000}};
    if (timerfd_settime(loop->timer_fd, 0, &wait, NULL) == 0)
        loop->timer_due_ms = due_ms;
}

/* Let the timer fire at the next deadline. One that fires too early costs a turn; setting it anew for each
 * connection that moves would cost more. */
static void set_timer(net_loop *loop)
{
    uint64_t due_ms = next_due_ms(loop);
    if (due_ms < loop->timer_due_ms)
        set_timer_to(loop, due_ms);
}

/* The timer is not set: do what is due, or put it off once, after a stall. */
static void do_deadlines(net_loop *loop)
{
    bool puts_off = loop->timer_was_late && !loop->is_catching_up;
    loop->timer_was_late = false;
    loop->is_catching_up = puts_off;
    if (puts_off) {
        set_timer_to(loop, net_loop_now_ms(loop) + CATCH_UP_MS);
        return;
    }
    do_what_is_due(loop);
    do_work(loop);
    set_timer(loop);
}

enum { LAG_SPAN_US = 10 * 1000000 };

static void note_lag(net_loop *loop, uint64_t now_us, uint64_t lag_us)
{
    net_lag_window *w = &loop->lag;
    if (now_us - w->begun_us >= LAG_SPAN_US) {
        w->older_us = now_us - w->begun_us < 2 * LAG_SPAN_US ? w->newer_us : 0;
        w->newer_us = 0;
        w->begun_us = now_us;
    }
    if (lag_us > w->newer_us)
        w->newer_us = lag_us;
    counter_set(&loop->counters.lag_max_us, w->newer_us > w->older_us ? w->newer_us : w->older_us);
}

/* What became ready when the turn had begun had to wait for its end; and whatever was read in it and could be
 * written at once has been written. */
static void count_turn(net_loop *loop)
{
    net_counters *counters = &loop->counters;
    uint64_t now_us = clock_monotonic_us();
    uint64_t took_us = now_us - net_loop_now_us(loop);
    counter_add(&counters->turns, 1);
    counter_histogram_add(&counters->lag_us, took_us, 1);
    note_lag(loop, now_us, took_us);
    if (loop->written_signals > 0)
        counter_histogram_add(&counters->relay_us, took_us, loop->written_signals);
    loop->written_signals = 0;
    counter_set(&counters->backlog_bytes, loop->output_bytes);
    counter_set(&counters->turn_began_us, 0);
    loop->is_now_read = false;
}

void net_loop_end_turn(net_loop *loop)
{
    do_work(loop);
    if (loop->timer_due_ms == UINT64_MAX)
        do_deadlines(loop);
    else if (!loop->is_catching_up)
        set_timer(loop);
    if (loop->ticker.on_turn_end != NULL)
        loop->ticker.on_turn_end(loop->ticker.context);
    count_turn(loop);
}

int net_loop_turn(net_loop *loop)
{
    if (event_base_loop(loop->base, EVLOOP_ONCE) < 0)
        return -EIO;
    net_loop_end_turn(loop);
    return 0;
}
