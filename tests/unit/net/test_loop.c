/* The loop: its turns, its time and its deadlines, with tickers that note what they are told. */
#include "net/loop.h"

#include "base/clock.h"
#include "support/journal.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/timerfd.h>
#include <unistd.h>

typedef struct fixture fixture;

typedef struct noting_ticker {
    net_ticker ticker; /* first */
    fixture *f;
    char name;
    uint64_t due_ms;     /* what it answers when it is asked */
    uint64_t ticked_ms;  /* the time that it was told when it was due, the last time */
    uint64_t took_us;    /* the same at the end of a turn */
    unsigned works_ms;   /* how long its work takes */
    uint64_t started_us; /* what the counter said of the turn while it worked */
} noting_ticker;

struct fixture {
    net_loop loop;
    noting_ticker a, b; /* in this order */
    journal journal;
};

#define expect(f, expected) journal_expect(&(f)->journal, (expected))

static void pass_time(uint64_t ms)
{
    uint64_t since_us = clock_monotonic_us();
    while (clock_monotonic_us() - since_us < ms * 1000)
        continue;
}

/* ---- Tickers ---- */

static uint64_t next_due_ms(const net_ticker *ticker, uint64_t now_ms)
{
    const noting_ticker *t = (const noting_ticker *)(const void *)ticker;
    assert_true(now_ms == net_loop_now_ms(&t->f->loop));
    return t->due_ms;
}

static void on_due(net_ticker *ticker, uint64_t now_ms)
{
    noting_ticker *t = (noting_ticker *)(void *)ticker;
    journal_note(&t->f->journal, "%c is due\n", t->name);
    t->ticked_ms = now_ms;
    t->due_ms = UINT64_MAX;
}

static void on_work(net_ticker *ticker)
{
    noting_ticker *t = (noting_ticker *)(void *)ticker;
    journal_note(&t->f->journal, "%c works\n", t->name);
    t->started_us = counter_get(&t->f->loop.counters.turn_started_us);
    pass_time(t->works_ms);
}

static void on_turn_end(net_ticker *ticker, uint64_t took_us)
{
    noting_ticker *t = (noting_ticker *)(void *)ticker;
    journal_note(&t->f->journal, "%c ends\n", t->name);
    t->took_us = took_us;
}

static void add_ticker(fixture *f, noting_ticker *t, char name)
{
    *t = (noting_ticker){.ticker = {.next_due_ms = next_due_ms,
                                    .on_due = on_due,
                                    .on_work = on_work,
                                    .on_turn_end = on_turn_end},
                         .f = f,
                         .name = name,
                         .due_ms = UINT64_MAX};
    net_loop_add_ticker(&f->loop, &t->ticker);
}

/* ---- The fixture ---- */

static int make(void **state)
{
    fixture *f = calloc(1, sizeof(*f));
    assert_non_null(f);
    assert_int_equal(net_loop_init(&f->loop), 0);
    add_ticker(f, &f->a, 'a');
    add_ticker(f, &f->b, 'b');
    *state = f;
    return 0;
}

static int unmake(void **state)
{
    fixture *f = *state;
    net_loop_deinit(&f->loop);
    free(f);
    return 0;
}

/* A turn that does not wait. */
static void turn(fixture *f)
{
    assert_int_equal(net_loop_pass(&f->loop, false), 0);
    net_loop_end_turn(&f->loop);
}

/* A turn that waits for something to happen. */
static void turn_when_due(fixture *f)
{
    assert_int_equal(net_loop_turn(&f->loop), 0);
}

static bool was_told(const fixture *f, const char *line)
{
    return strstr(f->journal.text, line) != NULL;
}

static void turn_until_told(fixture *f, const char *line)
{
    while (!was_told(f, line))
        turn_when_due(f);
}

static bool timer_is_set(const fixture *f)
{
    struct itimerspec set;
    assert_int_equal(timerfd_gettime(f->loop.timer.fd, &set), 0);
    return set.it_value.tv_sec != 0 || set.it_value.tv_nsec != 0;
}

/* ---- Turns ---- */

static const char idle_turn[] = "a works\nb works\na ends\nb ends\n";

static void the_end_of_a_turn_has_an_order(void **state)
{
    fixture *f = *state;
    turn(f);
    expect(f, idle_turn);
    f->a.due_ms = f->b.due_ms = net_loop_now_ms(&f->loop);
    turn(f); /* what is gathered by one that is due is done in the same turn */
    expect(f, "a is due\nb is due\na works\nb works\na ends\nb ends\n");
    turn(f);
    expect(f, idle_turn);
}

static void the_end_of_a_turn_can_be_had_by_itself(void **state)
{
    fixture *f = *state;
    net_loop_end_turn(&f->loop);
    expect(f, idle_turn);
    assert_int_equal(counter_get(&f->loop.counters.turns), 1);
}

static void a_ticker_without_work_is_not_asked_for_any(void **state)
{
    fixture *f = *state;
    f->a.ticker.on_work = NULL;
    turn(f);
    expect(f, "b works\na ends\nb ends\n");
}

static void on_readable(evutil_socket_t fd, short what, void *context)
{
    (void)what;
    fixture *f = context;
    char byte;
    assert_int_equal(read(fd, &byte, 1), 1);
    journal_note(&f->journal, "read %c\n", byte);
}

static void what_is_ready_is_handled_before_the_end_of_its_turn(void **state)
{
    fixture *f = *state;
    int pipes[2][2];
    struct event *events[2];
    for (int i = 0; i < 2; i++) {
        assert_int_equal(pipe2(pipes[i], O_CLOEXEC | O_NONBLOCK), 0);
        events[i] = event_new(f->loop.base, pipes[i][0], EV_READ | EV_PERSIST, on_readable, f);
        assert_int_equal(event_add(events[i], NULL), 0);
        assert_int_equal(write(pipes[i][1], "xy", 2), 2);
    }
    for (int byte = 0; byte < 2; byte++) {
        turn_when_due(f);
        expect(f, byte == 0 ? "read x\nread x\na works\nb works\na ends\nb ends\n"
                            : "read y\nread y\na works\nb works\na ends\nb ends\n");
    }
    for (int i = 0; i < 2; i++) {
        event_free(events[i]);
        close(pipes[i][0]);
        close(pipes[i][1]);
    }
}

/* ---- The base and the watches ---- */

/* A watch that is told of a byte, and an event on the base that is. */
typedef struct noting_watch {
    net_watch watch; /* first */
    fixture *f;
    int pipe[2];
} noting_watch;

static void on_watch(net_watch *watch, uint32_t events)
{
    assert_int_equal(events, EPOLLIN);
    char byte;
    assert_int_equal(read(watch->fd, &byte, 1), 1);
    journal_note(&((noting_watch *)(void *)watch)->f->journal, "watch %c\n", byte);
}

static void open_watch(fixture *f, noting_watch *w)
{
    *w = (noting_watch){.f = f};
    assert_int_equal(pipe2(w->pipe, O_CLOEXEC | O_NONBLOCK), 0);
    w->watch = (net_watch){.on_ready = on_watch, .fd = w->pipe[0]};
    assert_int_equal(net_watch_change(&f->loop.epoll, &w->watch, EPOLLIN), 0);
}

static void close_watch(noting_watch *w)
{
    assert_int_equal(net_watch_change(&w->f->loop.epoll, &w->watch, 0), 0);
    close(w->pipe[0]);
    close(w->pipe[1]);
}

static void say(noting_watch *w)
{
    assert_int_equal(write(w->pipe[1], "w", 1), 1);
}

static void a_turn_waits_for_watches_and_for_events_alike(void **state)
{
    fixture *f = *state;
    noting_watch w;
    open_watch(f, &w);
    say(&w); /* nothing is on the base */
    turn_when_due(f);
    expect(f, "watch w\na works\nb works\na ends\nb ends\n");

    int ends[2];
    assert_int_equal(pipe2(ends, O_CLOEXEC | O_NONBLOCK), 0);
    struct event *event = event_new(f->loop.base, ends[0], EV_READ | EV_PERSIST, on_readable, f);
    assert_int_equal(event_add(event, NULL), 0);
    say(&w); /* the watch alone is ready */
    turn_when_due(f);
    expect(f, "watch w\na works\nb works\na ends\nb ends\n");
    assert_int_equal(write(ends[1], "x", 1), 1); /* the event alone */
    turn_when_due(f);
    expect(f, "read x\na works\nb works\na ends\nb ends\n");
    assert_int_equal(write(ends[1], "y", 1), 1); /* both: in the same turn */
    say(&w);
    turn_when_due(f);
    expect(f, "read y\nwatch w\na works\nb works\na ends\nb ends\n");
    turn(f);
    expect(f, idle_turn);

    event_free(event);
    close(ends[0]);
    close(ends[1]);
    say(&w); /* the base is empty again */
    turn_when_due(f);
    expect(f, "watch w\na works\nb works\na ends\nb ends\n");
    close_watch(&w);
}

static void on_time(evutil_socket_t fd, short what, void *context)
{
    (void)fd;
    (void)what;
    fixture *f = context;
    journal_note(&f->journal, "time\n");
}

static void a_turn_waits_for_timers_of_the_base(void **state)
{
    static const struct timeval soon = {.tv_usec = 2000};
    fixture *f = *state;
    struct event *timer = evtimer_new(f->loop.base, on_time, f);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(evtimer_add(timer, &soon), 0);
        turn_when_due(f);
        expect(f, "time\na works\nb works\na ends\nb ends\n");
    }
    event_active(timer, EV_TIMEOUT, 1); /* it is not added, but active */
    turn_when_due(f);
    expect(f, "time\na works\nb works\na ends\nb ends\n");
    event_free(timer);
}

/* An event whose callback takes back what the epoll has. */
static void stop_watch(evutil_socket_t fd, short what, void *context)
{
    (void)fd;
    (void)what;
    noting_watch *w = context;
    assert_int_equal(net_watch_change(&w->f->loop.epoll, &w->watch, 0), 0);
}

static void a_turn_does_not_wait_twice(void **state)
{
    fixture *f = *state;
    noting_watch w;
    open_watch(f, &w);
    struct event *event = event_new(f->loop.base, w.pipe[0], EV_READ | EV_PERSIST, stop_watch, &w);
    assert_int_equal(event_add(event, NULL), 0);
    say(&w);
    turn_when_due(f);
    expect(f, idle_turn);
    event_free(event);
    close_watch(&w);
}

/* With something on the base as well as without. */
static void a_turn_does_not_wait_where_a_watch_is_recalled(void **state)
{
    static const struct timeval late = {.tv_sec = 3600};
    fixture *f = *state;
    noting_watch w;
    net_recall recall = {.watch = NULL};
    struct event *timer = evtimer_new(f->loop.base, on_time, f);
    open_watch(f, &w);
    for (int i = 0; i < 2; i++) {
        say(&w);
        turn(f);
        say(&w);
        assert_int_equal(net_watch_change(&f->loop.epoll, &w.watch, 0), 0); /* as if it was read already */
        journal_clear(&f->journal);
        net_watch_recall(&f->loop.epoll, &w.watch, &recall);
        turn_when_due(f);
        expect(f, "watch w\na works\nb works\na ends\nb ends\n");
        assert_int_equal(net_watch_change(&f->loop.epoll, &w.watch, EPOLLIN), 0);
        assert_int_equal(evtimer_add(timer, &late), 0);
    }
    event_free(timer);
    close_watch(&w);
}

static void be_silent(int severity, const char *message)
{
    (void)severity;
    (void)message;
}

/* Put another file in the place of an epoll, as if somebody had closed it. */
static void destroy(int epoll)
{
    int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
    assert_true(null >= 0 && epoll >= 0);
    assert_int_equal(dup3(null, epoll, O_CLOEXEC), epoll);
    close(null);
}

static void an_epoll_that_can_not_be_waited_on_is_told_and_no_work_is_done(void **state)
{
    fixture *f = *state;
    destroy(f->loop.epoll.fd);
    assert_int_equal(net_loop_turn(&f->loop), -EIO);
    expect(f, "");
}

/* The epoll of the base. */
static int find_epoll(const fixture *f)
{
    for (int fd = 0; fd < 1024; fd++) {
        char link[32];
        char target[32] = "";
        snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
        if (fd != f->loop.epoll.fd && readlink(link, target, sizeof(target) - 1) > 0 &&
            strcmp(target, "anon_inode:[eventpoll]") == 0)
            return fd;
    }
    return -1;
}

static void the_base_is_asked_only_while_something_is_on_it(void **state)
{
    static const struct timeval soon = {.tv_usec = 2000};
    fixture *f = *state;
    noting_watch w;
    struct event *timer = evtimer_new(f->loop.base, on_time, f);
    open_watch(f, &w);
    destroy(find_epoll(f));
    say(&w);
    turn_when_due(f);
    expect(f, "watch w\na works\nb works\na ends\nb ends\n");
    assert_int_equal(evtimer_add(timer, &soon), 0);
    assert_int_equal(net_loop_turn(&f->loop), -EIO);
    expect(f, "");
    event_free(timer);
    close_watch(&w);
}

static void what_is_freed_is_forgotten(void **state)
{
    fixture *f = *state;
    net_loop_deinit(&f->loop);
    net_loop_deinit(&f->loop);
}

/* ---- Time ---- */

static void the_time_stands_still_within_a_turn_and_goes_on_in_the_next(void **state)
{
    fixture *f = *state;
    uint64_t before_us = clock_monotonic_us();
    uint64_t now_us = net_loop_now_us(&f->loop);
    assert_true(now_us >= before_us);
    pass_time(2);
    assert_true(net_loop_now_us(&f->loop) == now_us);
    assert_true(net_loop_now_ms(&f->loop) == now_us / 1000);
    turn(f);
    assert_true(net_loop_now_us(&f->loop) >= now_us + 2000);
    assert_true(net_loop_now_ms(&f->loop) == net_loop_now_us(&f->loop) / 1000);
}

/* ---- Deadlines ---- */

static void a_ticker_comes_when_it_is_due_and_not_before(void **state)
{
    fixture *f = *state;
    uint64_t due_ms = net_loop_now_ms(&f->loop) + 10;
    f->a.due_ms = due_ms;
    net_loop_end_turn(&f->loop);
    expect(f, idle_turn);
    turn_until_told(f, "a is due\n");
    assert_true(f->a.ticked_ms >= due_ms);
    assert_false(was_told(f, "b is due\n"));
    journal_clear(&f->journal);
    turn(f);
    expect(f, idle_turn);
}

static void where_nobody_is_ever_due_there_is_no_timer(void **state)
{
    fixture *f = *state;
    turn(f);
    turn(f);
    assert_false(timer_is_set(f));
    f->b.due_ms = net_loop_now_ms(&f->loop) + 3600 * 1000;
    turn(f);
    assert_true(timer_is_set(f));
    f->b.due_ms = net_loop_now_ms(&f->loop) + 1;
    turn(f);
    turn_until_told(f, "b is due\n");
    assert_false(timer_is_set(f)); /* it rests again */
}

static void the_nearest_deadline_of_all_comes_first(void **state)
{
    fixture *f = *state;
    uint64_t now_ms = net_loop_now_ms(&f->loop);
    f->a.due_ms = now_ms + 40;
    f->b.due_ms = now_ms + 10;
    turn(f);
    turn_until_told(f, "b is due\n");
    assert_true(f->b.ticked_ms >= now_ms + 10);
    turn_until_told(f, "a is due\n");
    assert_true(f->a.ticked_ms >= now_ms + 40);
}

static void a_deadline_may_move_to_the_front(void **state)
{
    fixture *f = *state;
    f->b.due_ms = net_loop_now_ms(&f->loop) + 3600 * 1000; /* and the timer is set for it */
    turn(f);
    f->a.due_ms = net_loop_now_ms(&f->loop) + 1;
    turn(f);
    turn_until_told(f, "a is due\n");
    assert_false(was_told(f, "b is due\n"));
    assert_true(timer_is_set(f));
}

static void a_deadline_may_move_away(void **state)
{
    fixture *f = *state;
    f->a.due_ms = net_loop_now_ms(&f->loop) + 1;
    turn(f);
    f->a.due_ms = UINT64_MAX;
    journal_clear(&f->journal);
    turn_when_due(f); /* the timer fires for nothing */
    expect(f, idle_turn);
    assert_false(timer_is_set(f));
}

static void a_deadline_that_is_over_already_comes_at_once(void **state)
{
    fixture *f = *state;
    f->b.due_ms = net_loop_now_ms(&f->loop) + 3600 * 1000;
    turn(f);
    f->a.due_ms = 1;
    turn(f);
    turn_until_told(f, "a is due\n");
    assert_false(was_told(f, "b is due\n"));
}

static void a_ticker_may_want_to_be_due_again_and_again(void **state)
{
    fixture *f = *state;
    for (int i = 0; i < 5; i++) {
        uint64_t due_ms = net_loop_now_ms(&f->loop) + 3;
        f->a.due_ms = due_ms;
        turn(f);
        turn_until_told(f, "a is due\n");
        assert_true(f->a.ticked_ms >= due_ms);
        journal_clear(&f->journal);
    }
}

/* ---- Stalls ---- */

enum { STALL_MS = 300 }; /* over the 250 ms from which on the loop knows that its thread has been stopped */

static void after_a_stall_deadlines_are_put_off(void **state)
{
    fixture *f = *state;
    f->a.due_ms = net_loop_now_ms(&f->loop) + 5;
    turn(f);
    pass_time(5 + STALL_MS);
    uint64_t resumed_ms = clock_monotonic_ms();
    turn_when_due(f);
    assert_false(was_told(f, "due"));
    f->b.due_ms = resumed_ms; /* one that comes meanwhile waits as well */
    turn(f);
    turn_until_told(f, "a is due\n");
    assert_true(was_told(f, "b is due\n"));
    assert_true(f->a.ticked_ms - resumed_ms >= 100);
    assert_true(f->b.ticked_ms == f->a.ticked_ms);
}

static void after_a_stall_deadlines_are_put_off_once(void **state)
{
    fixture *f = *state;
    f->a.due_ms = net_loop_now_ms(&f->loop) + 5;
    turn(f);
    pass_time(5 + STALL_MS);
    turn_when_due(f);
    assert_false(was_told(f, "due"));
    pass_time(2 * STALL_MS); /* it stalls again, for longer than they were put off */
    turn_when_due(f);
    assert_true(was_told(f, "a is due\n"));

    /* The next stall is another one. */
    journal_clear(&f->journal);
    f->a.due_ms = net_loop_now_ms(&f->loop) + 5;
    turn(f);
    pass_time(5 + STALL_MS);
    turn_when_due(f);
    assert_false(was_told(f, "due"));
    turn_until_told(f, "a is due\n");
}

/* ---- What is counted ---- */

static void turns_are_counted_with_what_they_took(void **state)
{
    fixture *f = *state;
    turn(f);
    f->a.works_ms = 4;
    uint64_t before_us = clock_monotonic_us();
    turn(f);
    uint64_t most_us = clock_monotonic_us() - before_us;
    assert_in_range(f->a.took_us, 4000, most_us);
    assert_true(f->b.took_us == f->a.took_us);

    const loop_counters *counters = &f->loop.counters;
    assert_int_equal(counter_get(&counters->turns), 2);
    uint64_t turns = 0;
    for (int i = 0; i < HISTOGRAM_BUCKETS; i++)
        turns += counter_get(&counters->lag_us.buckets[i]);
    assert_int_equal(turns, 2);
    assert_true(counter_get(&counters->lag_us.sum) >= 4000);
}

static void a_turn_under_way_is_known_by_its_start(void **state)
{
    fixture *f = *state;
    assert_int_equal(counter_get(&f->loop.counters.turn_started_us), 0);
    uint64_t before_us = clock_monotonic_us();
    turn(f);
    assert_in_range(f->a.started_us, before_us, clock_monotonic_us());
    assert_int_equal(counter_get(&f->loop.counters.turn_started_us), 0);
}

/* Ten seconds and more can't be waited for. */
static void let_seconds_pass(fixture *f, uint64_t seconds)
{
    f->loop.lag.started_us -= seconds * 1000000;
}

static uint64_t lag_max_us(const fixture *f)
{
    return counter_get(&f->loop.counters.lag_max_us);
}

/* A turn of at least so many ms. Returns how long it took, or `longest_us` if that was longer. */
/* ---- Overload ---- */

static void note_overload(void *context, uint64_t until_us)
{
    fixture *f = context;
    assert_true(until_us == counter_get(&f->loop.counters.overloaded_until_us));
    journal_note(&f->journal, "overloaded\n");
}

static void late_turn(fixture *f, unsigned ms)
{
    f->a.works_ms = ms;
    turn(f);
    f->a.works_ms = 0;
}

static void late_turns_for_a_second_are_an_overload(void **state)
{
    fixture *f = *state;
    f->loop.overload = (net_overload){.limit_us = 40 * 1000, .on_overload = note_overload, .context = f};
    uint64_t begun_us = clock_monotonic_us();
    while (!was_told(f, "overloaded"))
        late_turn(f, 60);
    assert_true(clock_monotonic_us() - begun_us >= NET_OVERLOAD_US);
    late_turn(f, 60);
    assert_int_equal(counter_get(&f->loop.counters.overloads), 1); /* one, however long it goes on */
    uint64_t until_us = counter_get(&f->loop.counters.overloaded_until_us);
    assert_true(until_us > clock_monotonic_us() && until_us <= clock_monotonic_us() + NET_OVERLOAD_US);
}

static void one_turn_that_was_stalled_is_no_overload(void **state)
{
    fixture *f = *state;
    f->loop.overload = (net_overload){.limit_us = 40 * 1000, .on_overload = note_overload, .context = f};
    late_turn(f, 1300);
    assert_int_equal(counter_get(&f->loop.counters.overloads), 0);
    pass_time(50); /* the lag is gone */
    late_turn(f, 60);
    assert_int_equal(counter_get(&f->loop.counters.overloads), 0);
}

static void without_a_limit_no_turn_is_late(void **state)
{
    fixture *f = *state;
    late_turn(f, 700);
    late_turn(f, 700);
    assert_int_equal(counter_get(&f->loop.counters.overloads), 0);
}

static uint64_t turn_for(fixture *f, unsigned ms, uint64_t longest_us)
{
    f->a.works_ms = ms;
    turn(f);
    return f->a.took_us > longest_us ? f->a.took_us : longest_us;
}

static void the_longest_turn_is_remembered_for_ten_to_twenty_seconds(void **state)
{
    fixture *f = *state;
    uint64_t first_us = turn_for(f, 30, turn_for(f, 0, 0));
    assert_true(lag_max_us(f) == first_us);
    first_us = turn_for(f, 0, first_us);
    assert_true(lag_max_us(f) == first_us);

    let_seconds_pass(f, 10);
    uint64_t second_us = turn_for(f, 5, turn_for(f, 0, 0));
    assert_true(lag_max_us(f) == (first_us > second_us ? first_us : second_us));
    let_seconds_pass(f, 10);
    assert_true(turn_for(f, 0, second_us) == lag_max_us(f)); /* the first span is forgotten */

    (void)turn_for(f, 5, 0);
    let_seconds_pass(f, 20); /* nothing happened for so long: both spans are */
    assert_true(turn_for(f, 0, 0) == lag_max_us(f));
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, make, unmake)
    const struct CMUnitTest tests[] = {
        CASE(the_end_of_a_turn_has_an_order),
        CASE(the_end_of_a_turn_can_be_had_by_itself),
        CASE(a_ticker_without_work_is_not_asked_for_any),
        CASE(what_is_ready_is_handled_before_the_end_of_its_turn),
        CASE(a_turn_waits_for_watches_and_for_events_alike),
        CASE(a_turn_waits_for_timers_of_the_base),
        CASE(a_turn_does_not_wait_twice),
        CASE(a_turn_does_not_wait_where_a_watch_is_recalled),
        CASE(an_epoll_that_can_not_be_waited_on_is_told_and_no_work_is_done),
        CASE(the_base_is_asked_only_while_something_is_on_it),
        CASE(what_is_freed_is_forgotten),
        CASE(the_time_stands_still_within_a_turn_and_goes_on_in_the_next),
        CASE(a_ticker_comes_when_it_is_due_and_not_before),
        CASE(where_nobody_is_ever_due_there_is_no_timer),
        CASE(the_nearest_deadline_of_all_comes_first),
        CASE(a_deadline_may_move_to_the_front),
        CASE(a_deadline_may_move_away),
        CASE(a_deadline_that_is_over_already_comes_at_once),
        CASE(a_ticker_may_want_to_be_due_again_and_again),
        CASE(after_a_stall_deadlines_are_put_off),
        CASE(after_a_stall_deadlines_are_put_off_once),
        CASE(turns_are_counted_with_what_they_took),
        CASE(a_turn_under_way_is_known_by_its_start),
        CASE(the_longest_turn_is_remembered_for_ten_to_twenty_seconds),
        CASE(late_turns_for_a_second_are_an_overload),
        CASE(one_turn_that_was_stalled_is_no_overload),
        CASE(without_a_limit_no_turn_is_late),
    };
#undef CASE
    event_set_log_callback(be_silent); /* a base that fails is what one of the tests is about */
    return cmocka_run_group_tests(tests, NULL, NULL);
}
