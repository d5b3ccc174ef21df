#include "net/loop.h"

#include "base/clock.h"
#include "base/log.h"

#include <assert.h>
#include <errno.h>
#include <stddef.h>
#include <sys/timerfd.h>
#include <unistd.h>

/* A stall: the machine slept, the process was stopped, or the thread got no processor. Afterwards, what the
 * peers have sent meanwhile is still in the kernel, and one turn reads only a part of it. A peer must not be
 * dropped as silent before that is read. So, when the timer fires more than STALL_MS late, all deadlines are
 * put off once, by CATCH_UP_MS. */
enum { STALL_MS = 250, CATCH_UP_MS = 200 };

/* ---- Making ---- */

/* The loop whose timer this is. */
static net_loop *loop_of_timer(net_watch *timer)
{
    return (net_loop *)(void *)((char *)timer - offsetof(net_loop, timer));
}

static void on_timer(net_watch *timer, uint32_t events)
{
    (void)events;
    net_loop *loop = loop_of_timer(timer);
    uint64_t expirations;
    (void)!read(timer->fd, &expirations, sizeof(expirations)); /* or the descriptor would stay readable */
    loop->timer_was_late = net_loop_now_ms(loop) > loop->timer_due_ms + STALL_MS;
    loop->timer_due_ms = UINT64_MAX; /* not set: the end of the turn does what is due, and sets it again */
}

/* The timer is a timerfd and not a timeout of epoll_wait(). A timeout would have to be computed in each turn.
 * That costs some tenths of a microsecond, even if only one signal comes. */
static int make_timer(net_loop *loop)
{
    loop->timer.fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
    if (loop->timer.fd < 0)
        return -errno;
    return net_watch_change(&loop->epoll, &loop->timer, EPOLLIN);
}

/* The own epoll is ready. It is looked into when the base is done. */
static void on_epoll_ready(evutil_socket_t fd, short what, void *context)
{
    (void)fd;
    (void)what;
    net_loop *loop = context;
    loop->is_epoll_ready = true;
}

/* How many events are on the base. libevent may count some of its own. */
static int count_events(const net_loop *loop)
{
    return event_base_get_num_events(loop->base, EVENT_BASE_COUNT_ADDED | EVENT_BASE_COUNT_ACTIVE);
}

/* Put the own epoll on the base. */
static int watch_epoll(net_loop *loop)
{
    loop->watched = event_new(loop->base, loop->epoll.fd, EV_READ | EV_PERSIST, on_epoll_ready, loop);
    if (loop->watched == NULL || event_add(loop->watched, NULL) != 0)
        return -ENOMEM;
    loop->events_at_rest = count_events(loop);
    return 0;
}

int net_loop_init(net_loop *loop)
{
    *loop = (net_loop){.timer = {.on_ready = on_timer, .fd = -1}, .timer_due_ms = UINT64_MAX};
    STAILQ_INIT(&loop->tickers);
    int error = net_epoll_open(&loop->epoll);
    if (error == 0)
        error = net_event_base_new(&loop->base);
    if (error == 0)
        error = watch_epoll(loop);
    if (error == 0)
        error = make_timer(loop);
    if (error != 0)
        net_loop_deinit(loop);
    return error;
}

void net_loop_deinit(net_loop *loop)
{
    (void)net_watch_change(&loop->epoll, &loop->timer, 0);
    if (loop->timer.fd >= 0)
        close(loop->timer.fd);
    if (loop->watched != NULL)
        event_free(loop->watched);
    if (loop->base != NULL)
        event_base_free(loop->base);
    net_epoll_close(&loop->epoll);
    loop->timer.fd = -1;
    loop->watched = NULL;
    loop->base = NULL;
}

void net_loop_add_ticker(net_loop *loop, net_ticker *ticker)
{
    assert(ticker->next_due_ms != NULL && ticker->on_due != NULL);
    STAILQ_INSERT_TAIL(&loop->tickers, ticker, link);
}

void net_loop_read_clock(net_loop *loop)
{
    loop->now_us = clock_monotonic_us();
    loop->now_ms = loop->now_us / 1000;
    loop->is_now_read = true;
    counter_set(&loop->counters.turn_started_us, loop->now_us);
}

/* ---- Deadlines ---- */

static void set_timer_to(net_loop *loop, uint64_t due_ms)
{
    uint64_t now_ms = net_loop_now_ms(loop);
    uint64_t wait_ms = due_ms > now_ms ? due_ms - now_ms : 1; /* 0 would switch the timer off */
    const struct itimerspec wait = {
        .it_value = {.tv_sec = (time_t)(wait_ms / 1000), .tv_nsec = (long)(wait_ms % 1000) * 1000000}};
    if (timerfd_settime(loop->timer.fd, 0, &wait, NULL) == 0)
        loop->timer_due_ms = due_ms;
}

/* Let the timer fire at the next deadline, but never set it to a later time. When a deadline has moved to
 * later, the timer fires too early and costs one turn without work. To set the timer again whenever a
 * deadline moves would cost more. */
static void set_timer(net_loop *loop)
{
    uint64_t now_ms = net_loop_now_ms(loop);
    uint64_t due_ms = loop->timer_due_ms;
    const net_ticker *ticker;
    STAILQ_FOREACH(ticker, &loop->tickers, link)
    {
        uint64_t ticker_due_ms = ticker->next_due_ms(ticker, now_ms);
        if (ticker_due_ms < due_ms)
            due_ms = ticker_due_ms;
    }
    if (due_ms < loop->timer_due_ms)
        set_timer_to(loop, due_ms);
}

/* The timer is not set, because it has fired or never was set: do what is due. After a stall, put that off
 * once. */
static void do_deadlines(net_loop *loop)
{
    assert(loop->timer_due_ms == UINT64_MAX);
    bool puts_off = loop->timer_was_late && !loop->is_catching_up;
    uint64_t now_ms = net_loop_now_ms(loop);
    loop->timer_was_late = false;
    loop->is_catching_up = puts_off;
    if (puts_off) {
        set_timer_to(loop, now_ms + CATCH_UP_MS);
        return;
    }
    net_ticker *ticker;
    STAILQ_FOREACH(ticker, &loop->tickers, link)
    {
        if (ticker->next_due_ms(ticker, now_ms) <= now_ms)
            ticker->on_due(ticker, now_ms);
    }
}

/* ---- The turn ---- */

enum { LAG_SPAN_US = 10 * 1000000 };

static void note_longest_turn(net_loop *loop, uint64_t now_us, uint64_t took_us)
{
    net_lag_window *w = &loop->lag;
    if (now_us - w->started_us >= LAG_SPAN_US) {
        w->older_us = now_us - w->started_us < 2 * LAG_SPAN_US ? w->newer_us : 0;
        w->newer_us = 0;
        w->started_us = now_us;
    }
    if (took_us > w->newer_us)
        w->newer_us = took_us;
    counter_set(&loop->counters.lag_max_us, w->newer_us > w->older_us ? w->newer_us : w->older_us);
}

/* A turn was late. */
static void note_late_turn(net_loop *loop, uint64_t started_us, uint64_t now_us)
{
    net_overload *o = &loop->overload;
    /* Was the turn before it late as well, or one that ended just before? Else the lag was gone meanwhile. */
    bool goes_on = o->late_since_us != 0 && started_us - o->late_until_us <= o->limit_us;
    o->late_until_us = now_us;
    if (!goes_on) {
        o->late_since_us = started_us + o->limit_us;
        return;
    }
    if (now_us - o->late_since_us < NET_OVERLOAD_US)
        return;
    if (counter_get(&loop->counters.overloaded_until_us) < started_us)
        counter_add(&loop->counters.overloads, 1);
    counter_set(&loop->counters.overloaded_until_us, now_us + NET_OVERLOAD_US);
    o->on_overload(o->context, now_us + NET_OVERLOAD_US);
}

/* Count the turn. What became ready after its start had to wait until now, so the lag is how long the turn
 * took. */
static void finish_turn(net_loop *loop)
{
    uint64_t started_us = net_loop_now_us(loop);
    uint64_t now_us = clock_monotonic_us();
    assert(now_us >= started_us);
    uint64_t took_us = now_us - started_us;
    net_ticker *ticker;
    STAILQ_FOREACH(ticker, &loop->tickers, link)
    {
        if (ticker->on_turn_end != NULL)
            ticker->on_turn_end(ticker, took_us);
    }
    counter_add(&loop->counters.turns, 1);
    counter_histogram_add(&loop->counters.lag_us, took_us, 1);
    note_longest_turn(loop, now_us, took_us);
    if (took_us > loop->overload.limit_us && loop->overload.limit_us != 0)
        note_late_turn(loop, started_us, now_us);
    counter_set(&loop->counters.turn_started_us, 0);
    loop->is_now_read = false;
    log_end_turn();
}

void net_loop_end_turn(net_loop *loop)
{
    if (loop->timer_due_ms == UINT64_MAX)
        do_deadlines(loop);
    net_ticker *ticker;
    STAILQ_FOREACH(ticker, &loop->tickers, link)
    {
        if (ticker->on_work != NULL)
            ticker->on_work(ticker);
    }
    if (!loop->is_catching_up)
        set_timer(loop);
    finish_turn(loop);
}

/* Wait in the base, which knows everything, and handle what is on it. */
static int pass_base(net_loop *loop, bool waits)
{
    int how = EVLOOP_ONCE | (waits ? 0 : EVLOOP_NONBLOCK);
    return event_base_loop(loop->base, how) < 0 ? -EIO : 0;
}

int net_loop_pass(net_loop *loop, bool waits)
{
    bool has_recalled = net_epoll_has_recalled(&loop->epoll);
    if (count_events(loop) != loop->events_at_rest) {
        loop->is_epoll_ready = false;
        if (pass_base(loop, waits && !has_recalled) != 0)
            return -EIO;
        if (!loop->is_epoll_ready && !has_recalled)
            return 0;
        waits = false;
    }
    return net_epoll_pass(&loop->epoll, waits ? -1 : 0) == 0 ? 0 : -EIO;
}

int net_loop_turn(net_loop *loop)
{
    bool waits = !loop->has_more;
    loop->has_more = false;
    int error = net_loop_pass(loop, waits);
    if (error == 0)
        net_loop_end_turn(loop);
    return error;
}
