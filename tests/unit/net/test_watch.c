/* Watches of an epoll: what they are told, and what they are not told any more. */
#include "net/watch.h"

#include "support/descriptors.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

typedef struct end end;

/* One end of a pair of sockets, which is watched. */
struct end {
    net_watch watch; /* first */
    net_recall recall;
    net_epoll *e;
    int peer; /* owned: the other end; -1 when closed */
    int inputs, outputs;
    void (*does)(end *own); /* when it is told; NULL = nothing */
    end *other;             /* for `does` */
};

static void on_ready(net_watch *watch, uint32_t events)
{
    end *own = (end *)(void *)watch;
    assert_true(events != 0 && (events & ~(uint32_t)(EPOLLIN | EPOLLOUT)) == 0);
    own->inputs += (events & EPOLLIN) != 0;
    own->outputs += (events & EPOLLOUT) != 0;
    if (own->does != NULL)
        own->does(own);
}

static end *open_end(net_epoll *e)
{
    int fds[2];
    end *own = calloc(1, sizeof(*own));
    assert_non_null(own);
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds), 0);
    own->watch = (net_watch){.on_ready = on_ready, .fd = fds[0]};
    own->e = e;
    own->peer = fds[1];
    return own;
}

static void close_end(end *own)
{
    net_watch_take_recall(own->e, &own->watch, &own->recall);
    assert_int_equal(net_watch_change(own->e, &own->watch, 0), 0);
    close(own->watch.fd);
    if (own->peer >= 0)
        close(own->peer);
    free(own);
}

static void watch(end *own, uint32_t interest)
{
    assert_int_equal(net_watch_change(own->e, &own->watch, interest), 0);
    assert_int_equal(own->watch.interest, interest);
}

static void say(end *own)
{
    assert_int_equal(write(own->peer, "x", 1), 1);
}

static void hear(end *own)
{
    char byte;
    assert_int_equal(read(own->watch.fd, &byte, 1), 1);
}

/* The end can be told of it: it was not told for as long as it had to. */
static void expect(const end *own, int inputs, int outputs)
{
    assert_int_equal(own->inputs, inputs);
    assert_int_equal(own->outputs, outputs);
}

static void pass(net_epoll *e)
{
    assert_int_equal(net_epoll_pass(e, 0), 0);
}

static int make(void **state)
{
    net_epoll *e = calloc(1, sizeof(*e));
    assert_non_null(e);
    assert_int_equal(net_epoll_open(e), 0);
    *state = e;
    return 0;
}

static int unmake(void **state)
{
    net_epoll_close(*state);
    net_epoll_close(*state);
    free(*state);
    return 0;
}

/* ---- What is told ---- */

static void only_what_is_of_interest_is_told_and_as_long_as_it_is(void **state)
{
    end *own = open_end(*state);
    say(own);
    pass(*state);
    expect(own, 0, 0);
    watch(own, EPOLLIN);
    pass(*state);
    pass(*state);
    expect(own, 2, 0);
    watch(own, EPOLLIN | EPOLLOUT);
    pass(*state);
    expect(own, 3, 1);
    watch(own, EPOLLOUT);
    pass(*state);
    expect(own, 3, 2);
    watch(own, 0);
    watch(own, 0);
    pass(*state);
    expect(own, 3, 2);
    watch(own, EPOLLIN);
    hear(own);
    pass(*state);
    expect(own, 3, 2);
    close_end(own);
}

static void a_peer_that_is_gone_is_told_as_what_is_of_interest(void **state)
{
    for (uint32_t interest = EPOLLIN; interest <= (EPOLLIN | EPOLLOUT); interest++) {
        if ((interest & ~(uint32_t)(EPOLLIN | EPOLLOUT)) != 0)
            continue;
        end *own = open_end(*state);
        watch(own, interest);
        close(own->peer);
        own->peer = -1;
        pass(*state);
        expect(own, (interest & EPOLLIN) != 0, (interest & EPOLLOUT) != 0);
        close_end(own);
    }
}

static void a_wait_ends_when_something_comes_or_the_time_is_over(void **state)
{
    end *own = open_end(*state);
    watch(own, EPOLLIN);
    assert_int_equal(net_epoll_pass(*state, 1), 0);
    expect(own, 0, 0);
    say(own);
    assert_int_equal(net_epoll_pass(*state, -1), 0);
    expect(own, 1, 0);
    close_end(own);
}

static void what_the_system_refuses_is_an_error_and_changes_nothing(void **state)
{
    net_watch w = {.on_ready = on_ready, .fd = open("/dev/null", O_RDWR | O_CLOEXEC)};
    assert_int_equal(net_watch_change(*state, &w, EPOLLIN), -EPERM); /* it is always ready */
    assert_int_equal(w.interest, 0);
    close(w.fd);
    assert_int_equal(net_watch_change(*state, &w, EPOLLIN), -EBADF);
    assert_int_equal(w.interest, 0);
    assert_int_equal(net_watch_change(*state, &w, 0), 0);
}

static void an_epoll_that_was_closed_by_others_is_an_error(void **state)
{
    net_epoll *e = *state;
    end *own = open_end(e);
    watch(own, EPOLLIN);
    int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
    assert_int_equal(dup3(null, e->fd, O_CLOEXEC), e->fd);
    close(null);
    assert_int_equal(net_epoll_pass(e, -1), -EINVAL);
    assert_int_equal(net_watch_change(e, &own->watch, EPOLLIN | EPOLLOUT), -EINVAL);
    close_end(own); /* to stop never fails */
}

static void without_descriptors_there_is_none(void **state)
{
    (void)state;
    net_epoll e;
    size_t before = descriptors_open();
    descriptors_limit(0);
    int error = net_epoll_open(&e);
    descriptors_unlimit();
    assert_int_equal(error, -EMFILE);
    net_epoll_close(&e);
    assert_int_equal(net_epoll_open(&e), 0);
    assert_int_equal(descriptors_open(), before + NET_EPOLL_DESCRIPTORS);
    net_epoll_close(&e);
    assert_int_equal(descriptors_open(), before);
}

/* ---- Within a pass ---- */

static void stop_other(end *own)
{
    own->other->does = NULL;
    watch(own->other, 0);
}

static void who_is_stopped_by_another_is_not_told_any_more(void **state)
{
    end *a = open_end(*state);
    end *b = open_end(*state);
    a->other = b;
    b->other = a;
    a->does = b->does = stop_other;
    say(a);
    say(b);
    watch(a, EPOLLIN);
    watch(b, EPOLLIN);
    pass(*state);
    pass(*state);
    assert_int_equal((a->inputs == 0) + (b->inputs == 0), 1); /* one was told and has stopped the other */
    close_end(a);
    close_end(b);
}

static void free_other(end *own)
{
    close_end(own->other);
    own->does = NULL;
}

/* Whether the memory is looked at is for AddressSanitizer to see. */
static void who_is_freed_by_another_is_not_told_any_more(void **state)
{
    end *a = open_end(*state);
    end *b = open_end(*state);
    a->other = b;
    b->other = a;
    a->does = b->does = free_other;
    say(a);
    say(b);
    watch(a, EPOLLIN);
    watch(b, EPOLLIN | EPOLLOUT);
    end *left = NULL;
    pass(*state);
    left = a->does == NULL ? a : b;
    assert_int_equal(left->inputs, 1);
    close_end(left);
}

static void free_itself(end *own)
{
    close_end(own);
}

static void who_frees_itself_is_not_touched_any_more(void **state)
{
    end *own = open_end(*state);
    own->does = free_itself;
    say(own);
    watch(own, EPOLLIN | EPOLLOUT);
    pass(*state);
    pass(*state);
}

static void want_no_input_of_other(end *own)
{
    watch(own->other, EPOLLOUT);
}

static void a_part_of_what_is_ready_may_be_taken_back(void **state)
{
    end *a = open_end(*state);
    end *b = open_end(*state);
    a->other = b;
    b->other = a;
    a->does = b->does = want_no_input_of_other;
    say(a);
    say(b);
    watch(a, EPOLLIN | EPOLLOUT);
    watch(b, EPOLLIN | EPOLLOUT);
    pass(*state);
    assert_int_equal(a->inputs + b->inputs, 1);
    assert_int_equal(a->outputs + b->outputs, 2);
    close_end(a);
    close_end(b);
}

static void reopen_other(end *own)
{
    end *other = own->other;
    own->does = other->does = NULL;
    watch(other, 0);
    int fds[2];
    close(other->peer);
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds), 0);
    assert_int_equal(dup3(fds[0], other->watch.fd, O_CLOEXEC), other->watch.fd);
    close(fds[0]);
    other->peer = fds[1];
    watch(other, EPOLLIN);
}

static void what_was_ready_is_not_told_of_the_next_descriptor_with_that_number(void **state)
{
    end *a = open_end(*state);
    end *b = open_end(*state);
    a->other = b;
    b->other = a;
    a->does = b->does = reopen_other;
    say(a);
    say(b);
    watch(a, EPOLLIN);
    watch(b, EPOLLIN);
    pass(*state);
    assert_int_equal(a->inputs + b->inputs, 1);
    close_end(a);
    close_end(b);
}

/* A child that was forked has every descriptor until it executes a program. What was stopped and closed is
 * not told, although the socket is still open there. */
static void a_copy_of_the_descriptor_is_not_watched(void **state)
{
    end *own = open_end(*state);
    watch(own, EPOLLIN);
    int copy = dup(own->watch.fd);
    say(own);
    close_end(own);
    pass(*state);
    close(copy);
}

/* ---- Many at once ---- */

static void all_of_many_are_told_and_more_in_each_pass(void **state)
{
    enum { MANY = 200 };
    net_epoll *e = *state;
    end *ends[MANY];
    for (int i = 0; i < MANY; i++) {
        ends[i] = open_end(e);
        say(ends[i]);
        watch(ends[i], EPOLLIN);
    }
    uint32_t first = e->ready_cap;
    assert_true(first < MANY);
    int told = 0;
    int passes = 0;
    for (; told < MANY; passes++) {
        uint32_t cap = e->ready_cap;
        pass(e);
        told = 0;
        for (int i = 0; i < MANY; i++)
            told += ends[i]->inputs > 0;
        assert_true(e->ready_cap >= cap && e->ready_cap <= 2 * cap);
    }
    assert_in_range(passes, 2, 4); /* 32, 64, 128 */
    assert_true(e->ready_cap > first);
    for (int i = 0; i < MANY; i++)
        close_end(ends[i]);
}

/* ---- Recalled ---- */

static void recall(end *own)
{
    net_watch_recall(own->e, &own->watch, &own->recall);
}

static void who_is_recalled_is_told_once_without_a_wait(void **state)
{
    end *own = open_end(*state);
    recall(own);
    recall(own);
    assert_true(net_epoll_has_recalled(*state));
    assert_int_equal(net_epoll_pass(*state, -1), 0);
    expect(own, 1, 0);
    assert_false(net_epoll_has_recalled(*state));
    pass(*state);
    expect(own, 1, 0);
    close_end(own);
}

static void who_is_recalled_and_ready_is_told_once(void **state)
{
    end *own = open_end(*state);
    watch(own, EPOLLIN | EPOLLOUT);
    say(own);
    recall(own);
    pass(*state);
    expect(own, 1, 1);
    watch(own, EPOLLOUT);
    recall(own);
    pass(*state);
    expect(own, 2, 2);
    close_end(own);
}

static void a_recall_can_be_taken_back(void **state)
{
    end *own = open_end(*state);
    recall(own);
    net_watch_take_recall(*state, &own->watch, &own->recall);
    net_watch_take_recall(*state, &own->watch, &own->recall);
    assert_false(net_epoll_has_recalled(*state));
    pass(*state);
    expect(own, 0, 0);
    recall(own);
    pass(*state);
    expect(own, 1, 0);
    close_end(own);
}

static void take_back_other(end *own)
{
    net_watch_take_recall(own->e, &own->other->watch, &own->other->recall);
}

static void a_recall_can_be_taken_back_by_another_in_its_pass(void **state)
{
    end *a = open_end(*state);
    end *b = open_end(*state);
    a->other = b;
    a->does = take_back_other;
    recall(a);
    recall(b);
    pass(*state);
    expect(a, 1, 0);
    expect(b, 0, 0);
    close_end(a);
    close_end(b);
}

static void recall_again(end *own)
{
    recall(own);
}

static void who_is_recalled_by_its_callback_is_told_in_the_next_pass(void **state)
{
    end *own = open_end(*state);
    own->does = recall_again;
    recall(own);
    pass(*state);
    expect(own, 1, 0);
    own->does = NULL;
    pass(*state);
    pass(*state);
    expect(own, 2, 0);
    close_end(own);
}

static void more_are_recalled_than_one_pass_tells(void **state)
{
    enum { MANY = 100 };
    net_epoll *e = *state;
    end *ends[MANY];
    for (int i = 0; i < MANY; i++) {
        ends[i] = open_end(e);
        recall(ends[i]);
    }
    int passes = 0;
    for (; net_epoll_has_recalled(e); passes++)
        pass(e);
    assert_in_range(passes, 2, 3);
    for (int i = 0; i < MANY; i++) {
        expect(ends[i], 1, 0);
        close_end(ends[i]);
    }
}

static void who_is_recalled_is_told_also_where_more_are_ready_than_a_pass_tells(void **state)
{
    enum { MANY = 100 };
    net_epoll *e = *state;
    end *ends[MANY];
    for (int i = 0; i < MANY; i++) {
        ends[i] = open_end(e);
        watch(ends[i], EPOLLOUT);
    }
    end *own = open_end(e);
    recall(own);
    pass(e);
    expect(own, 1, 0);
    int told = 0;
    for (int i = 0; i < MANY; i++)
        told += ends[i]->outputs;
    assert_in_range(told, 1, MANY - 1);
    close_end(own);
    for (int i = 0; i < MANY; i++)
        close_end(ends[i]);
}

/* An eventfd that nobody reads is told for each time that it was written to, and not again. */
static void wake_ups_are_told_once_without_being_read(void **state)
{
    (void)state;
    net_epoll e;
    assert_int_equal(net_epoll_open(&e), 0);
    end *sleeper = open_end(&e);
    close(sleeper->watch.fd);
    sleeper->watch.fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    assert_int_equal(net_watch_wake_ups(&e, &sleeper->watch), 0);
    assert_int_equal(net_epoll_pass(&e, 0), 0);
    assert_int_equal(sleeper->inputs, 0);
    for (int writes = 1; writes <= 3; writes++) {
        int told = sleeper->inputs;
        for (int i = 0; i < writes; i++)
            assert_int_equal(eventfd_write(sleeper->watch.fd, 1), 0);
        assert_int_equal(net_epoll_pass(&e, -1), 0);
        assert_int_equal(net_epoll_pass(&e, 0), 0);
        assert_int_equal(sleeper->inputs, told + 1);
    }
    assert_int_equal(net_watch_change(&e, &sleeper->watch, 0), 0);
    assert_int_equal(eventfd_write(sleeper->watch.fd, 1), 0);
    assert_int_equal(net_epoll_pass(&e, 0), 0);
    assert_int_equal(sleeper->inputs, 3);
    close_end(sleeper);
    net_epoll_close(&e);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, make, unmake)
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(wake_ups_are_told_once_without_being_read),
        CASE(only_what_is_of_interest_is_told_and_as_long_as_it_is),
        CASE(a_peer_that_is_gone_is_told_as_what_is_of_interest),
        CASE(a_wait_ends_when_something_comes_or_the_time_is_over),
        CASE(what_the_system_refuses_is_an_error_and_changes_nothing),
        CASE(an_epoll_that_was_closed_by_others_is_an_error),
        CASE(without_descriptors_there_is_none),
        CASE(who_is_stopped_by_another_is_not_told_any_more),
        CASE(who_is_freed_by_another_is_not_told_any_more),
        CASE(who_frees_itself_is_not_touched_any_more),
        CASE(a_part_of_what_is_ready_may_be_taken_back),
        CASE(what_was_ready_is_not_told_of_the_next_descriptor_with_that_number),
        CASE(a_copy_of_the_descriptor_is_not_watched),
        CASE(all_of_many_are_told_and_more_in_each_pass),
        CASE(who_is_recalled_is_told_once_without_a_wait),
        CASE(who_is_recalled_and_ready_is_told_once),
        CASE(a_recall_can_be_taken_back),
        CASE(a_recall_can_be_taken_back_by_another_in_its_pass),
        CASE(who_is_recalled_by_its_callback_is_told_in_the_next_pass),
        CASE(more_are_recalled_than_one_pass_tells),
        CASE(who_is_recalled_is_told_also_where_more_are_ready_than_a_pass_tells),
    };
#undef CASE
    return cmocka_run_group_tests(tests, NULL, NULL);
}
