/* Loop: what one thread runs. It has an epoll for its watches, a libevent base, a clock that stands still for
 * a turn, one timer, and a short list of tickers.
 *
 * A turn is one pass over the descriptors that are ready. During the turn, callbacks only collect work. The
 * tickers do that work at the end of the turn. A loop does not know what its tickers are: the connections of
 * a thread are one ticker, its rooms are another.
 *
 * What there are thousands of, and what is ready often, is a net_watch in the loop's own epoll. For the rest
 * there is the base: timers, and whatever else libevent does for us. The own epoll is one event of the base.
 * So while anything else is on the base, the loop waits in the base, and then looks into its own epoll. While
 * nothing is, which is the rule, it waits in its own epoll at once, and saves that call.
 *
 * A deadline needs no timer of its own. Each ticker says when its next deadline is, and one timer of the
 * kernel serves them all.
 *
 * All functions: the thread that runs the loop, or any thread while none does. Only the counters may be read
 * by other threads at any time. */
#ifndef HOMECALL_NET_LOOP_H
#define HOMECALL_NET_LOOP_H

#include "net/event_base.h"
#include "net/loop_counters.h"
#include "net/watch.h"

#include <event2/event.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

/* Something that has deadlines, and work to do at the end of a turn. Its owner embeds this struct and fills
 * in the functions. Each function gets the ticker as its first argument. */
typedef struct net_ticker net_ticker;
struct net_ticker {
    STAILQ_ENTRY(net_ticker) link; /* in its loop's list */

    /* The time of the ticker's next deadline, in monotonic ms; UINT64_MAX = none. Called once or twice a
     * turn, so it must be cheap. */
    uint64_t (*next_due_ms)(const net_ticker *ticker, uint64_t now_ms);
    /* The deadline has come: do everything that is due at `now_ms`. Called before on_work, which then does
     * the work that this makes. */
    void (*on_due)(net_ticker *ticker, uint64_t now_ms);
    /* Do the work that was collected during the turn. May be NULL. */
    void (*on_work)(net_ticker *ticker);
    /* The turn is over: it took `took_us` microseconds. Set the counters that show the current state. May be
     * NULL. */
    void (*on_turn_end)(net_ticker *ticker, uint64_t took_us);
};

/* The longest turn of the last two spans of ten seconds each: the current span and the one before it. */
typedef struct net_lag_window {
    uint64_t started_us;         /* monotonic: when the current span started */
    uint64_t newer_us, older_us; /* how long the longest turn of the current and of the earlier span took */
} net_lag_window;

/* Overload: for a second now turns have been late, which means that they took longer than `limit_us`. A turn
 * that was stalled (the machine slept) is late as well, so one alone is none. The overload is over when no
 * turn has been late for a second. The owner fills in the first three; all zero: late turns are not looked
 * at. */
enum { NET_OVERLOAD_US = 1000 * 1000 };

typedef struct net_overload {
    uint64_t limit_us;                                     /* 0 = off */
    void (*on_overload)(void *context, uint64_t until_us); /* at the end of a late turn while the loop is
                                                              overloaded: it is until then, at least */
    void *context;                                         /* borrowed: for on_overload */
    uint64_t late_since_us; /* monotonic: when the first of the late turns became late; 0 = none was */
    uint64_t late_until_us; /* when the last of them ended */
} net_overload;

/* How many descriptors a loop keeps open: those of its epoll and its base, and the timer. */
enum { NET_LOOP_DESCRIPTORS = NET_EPOLL_DESCRIPTORS + NET_EVENT_BASE_DESCRIPTORS + 1 };

typedef struct net_loop {
    net_epoll epoll;                   /* for the watches of this thread */
    struct event_base *base;           /* owned */
    struct event *watched;             /* owned, on the base: the epoll has something */
    int events_at_rest;                /* how many events the base has while nothing else is on it */
    STAILQ_HEAD(, net_ticker) tickers; /* borrowed; in the order in which they were added */
    net_watch timer;                   /* its owned timerfd is readable when the next deadline has come */
    uint64_t timer_due_ms;             /* monotonic: when it fires; UINT64_MAX while it is not set */
    bool is_epoll_ready;               /* the base has told so in this pass */
    bool timer_was_late;               /* it fired long after that time, because the thread was stalled */
    bool is_catching_up;               /* deadlines wait until the timer fires again; see loop.c, on stalls */
    bool has_more;                     /* a ticker has work left for the next turn, which must not wait */
    bool is_now_read;                  /* the clock was read in this turn: the next two are valid */
    uint64_t now_us;                   /* monotonic: the time of this turn */
    uint64_t now_ms;                   /* the same in milliseconds */
    net_lag_window lag;
    net_overload overload;
    loop_counters counters;
} net_loop;

/* Make the epoll, the base and the timer. The loop must stay where it is. 0, or -errno: as net_epoll_open()
 * and net_event_base_new() return it, of timerfd_create() or epoll_ctl(), or -ENOMEM. Nothing needs to be
 * freed after a failure. */
int net_loop_init(net_loop *loop);

/* Free what net_loop_init() made. Every watch must have been stopped before, and every event on the base
 * freed or taken back. The tickers are not touched. */
void net_loop_deinit(net_loop *loop);

/* Call this ticker as well, after those that were added before. It is borrowed until the loop's end, and its
 * functions may be called from now on. */
void net_loop_add_ticker(net_loop *loop, net_ticker *ticker);

/* One turn: net_loop_pass(), which waits unless a ticker has set has_more, and net_loop_end_turn(). 0, or
 * -EIO when epoll fails; then the end of the turn has not been done. */
int net_loop_turn(net_loop *loop);

/* The first half of a turn: tell what is ready. With `waits`, first wait until there is something. 0, or -EIO
 * when epoll fails. */
int net_loop_pass(net_loop *loop, bool waits);

/* Do the end of a turn alone, without waiting for events: for a caller who has ended connections after
 * net_loop_turn() failed, or without calling it. */
void net_loop_end_turn(net_loop *loop);

/* Read the clock for this turn. Only for the two functions below. */
void net_loop_read_clock(net_loop *loop);

/* The monotonic time of this turn in microseconds. The clock is read at the first call in a turn, and all
 * later calls in the same turn return the same. */
static inline uint64_t net_loop_now_us(net_loop *loop)
{
    if (!loop->is_now_read)
        net_loop_read_clock(loop);
    return loop->now_us;
}

/* The same in milliseconds. */
static inline uint64_t net_loop_now_ms(net_loop *loop)
{
    if (!loop->is_now_read)
        net_loop_read_clock(loop);
    return loop->now_ms;
}

#endif
