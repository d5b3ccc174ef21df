/* Loop: what one thread runs: a libevent base, a clock that stands still for a turn, a timer, and a short
 * list of tickers.
 *
 * A turn is one pass of the base over the descriptors that are ready. While it lasts, handlers only gather;
 * what they have gathered is done at the end of the turn, by the tickers. A loop knows nothing of what its
 * tickers do: the connections of a thread are one, its rooms are another.
 *
 * Deadlines cost no timer of their own: each ticker says when it is due next, and one timer of the kernel
 * serves the thread.
 *
 * Everything here belongs to the thread that runs the loop. Only the counters may be read by others. */
#ifndef HOMECALL_NET_LOOP_H
#define HOMECALL_NET_LOOP_H

#include "net/event_base.h"
#include "net/loop_counters.h"

#include <event2/event.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

/* Something that has work at the end of a turn, and deadlines. Its owner embeds it and fills in the
 * functions; each gets the ticker back. */
typedef struct net_ticker net_ticker;
struct net_ticker {
    STAILQ_ENTRY(net_ticker) link; /* in its loop */

    /* When on_due is wanted next, in monotonic ms; UINT64_MAX = never. Asked once a turn: cheap. */
    uint64_t (*next_due_ms)(const net_ticker *ticker, uint64_t now_ms);
    /* Something is due. Called before on_work, so that what it gathers is done in the same turn. */
    void (*on_due)(net_ticker *ticker, uint64_t now_ms);
    /* Do what the turn has gathered. May be NULL. */
    void (*on_work)(net_ticker *ticker);
    /* All work is done, `took_us` after the turn began: publish what is here now. */
    void (*on_turn_end)(net_ticker *ticker, uint64_t took_us);
};

/* The longest turn, of the last two spans of ten seconds. */
typedef struct net_lag_window {
    uint64_t started_us;         /* when the newer span started */
    uint64_t newer_us, older_us; /* the longest turn of each */
} net_lag_window;

/* What a loop keeps open: its base, and the timer. */
enum { NET_LOOP_DESCRIPTORS = NET_EVENT_BASE_DESCRIPTORS + 1 };

typedef struct net_loop {
    struct event_base *base;           /* owned */
    STAILQ_HEAD(, net_ticker) tickers; /* borrowed */
    struct event *timer;               /* owned: the next deadline has come */
    int timer_fd;                      /* owned: readable then */
    uint64_t timer_due_ms;             /* when it fires; UINT64_MAX = not set */
    bool timer_was_late;               /* it fired long after its time: the thread was stalled */
    bool is_catching_up; /* deadlines were put off because of that, until the timer fires again: once */
    bool is_now_read;    /* now_us and now_ms are of this turn */
    uint64_t now_us;     /* the time of this turn */
    uint64_t now_ms;     /* the same */
    net_lag_window lag;
    loop_counters counters;
} net_loop;

/* Make the base (without locks: no other thread touches it) and the timer. 0, or -errno of
 * net_event_base_new() or of the timer. */
int net_loop_init(net_loop *loop);

/* Free what net_loop_init() made. The tickers are not touched. */
void net_loop_deinit(net_loop *loop);

/* Serve this ticker as well, after those that are there. It is borrowed for the loop's life. */
void net_loop_add_ticker(net_loop *loop, net_ticker *ticker);

/* One turn: wait until something happens, handle it, do the work of the end of the turn. 0, or -EIO when the
 * base fails. */
int net_loop_turn(net_loop *loop);

/* The end of a turn by itself, for whoever ends connections outside of one. */
void net_loop_end_turn(net_loop *loop);

/* For the two below: read the clock. */
void net_loop_read_clock(net_loop *loop);

/* Monotonic time in microseconds, read once a turn, when it is first asked for. */
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
