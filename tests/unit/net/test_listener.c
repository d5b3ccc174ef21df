/* A listener on a loop that the test turns itself, with clients that only connect. */
#include "net/listener.h"

#include "support/descriptors.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <unistd.h>

enum { CLIENTS = 7 };

typedef struct fixture {
    net_listener listener; /* first */
    net_loop loop;
    int clients[CLIENTS]; /* owned */
    int accepted;         /* how many */
    int error;            /* what on_fault was told; 0 = it was not called */
    bool pauses, closes;  /* what the next callback does */
} fixture;

static void do_as_told(fixture *f)
{
    if (f->pauses)
        assert_int_equal(net_listener_accept(&f->listener, false), 0);
    if (f->closes)
        net_listener_close(&f->listener);
}

static void on_accept(net_listener *l, int fd, const struct sockaddr *from, socklen_t len)
{
    fixture *f = (fixture *)(void *)l;
    assert_true(len == sizeof(struct sockaddr_in) && from->sa_family == AF_INET);
    assert_true((fcntl(fd, F_GETFL) & O_NONBLOCK) != 0);
    assert_true((fcntl(fd, F_GETFD) & FD_CLOEXEC) != 0);
    close(fd);
    f->accepted++;
    do_as_told(f);
}

static void on_fault(net_listener *l, int error)
{
    fixture *f = (fixture *)(void *)l;
    f->error = error;
    do_as_told(f);
}

static const net_listener_events events = {.on_accept = on_accept, .on_fault = on_fault};

static int bound_socket(void)
{
    const struct sockaddr_in here = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    assert_true(fd >= 0);
    assert_int_equal(bind(fd, (const struct sockaddr *)&here, sizeof(here)), 0);
    return fd;
}

static int connect_one(const fixture *f)
{
    struct sockaddr_in target;
    socklen_t len = sizeof(target);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(getsockname(f->listener.watch.fd, (struct sockaddr *)&target, &len), 0);
    assert_int_equal(connect(fd, (const struct sockaddr *)&target, len), 0);
    return fd;
}

/* Around each test: everybody has connected, and nobody is accepted yet. */
static int make(void **state)
{
    fixture *f = calloc(1, sizeof(*f));
    assert_non_null(f);
    assert_int_equal(net_loop_init(&f->loop), 0);
    assert_int_equal(net_listener_open(&f->listener, &f->loop, bound_socket(), 16, &events), 0);
    for (int i = 0; i < CLIENTS; i++)
        f->clients[i] = connect_one(f);
    *state = f;
    return 0;
}

static int unmake(void **state)
{
    fixture *f = *state;
    net_listener_close(&f->listener);
    net_listener_close(&f->listener);
    net_loop_deinit(&f->loop);
    for (int i = 0; i < CLIENTS; i++)
        close(f->clients[i]);
    free(f);
    return 0;
}

static void turn(fixture *f)
{
    assert_int_equal(net_loop_pass(&f->loop, false), 0);
    net_loop_end_turn(&f->loop);
}

static void turn_until_accepted(fixture *f, int count)
{
    for (int turns = 0; f->accepted < count; turns++) {
        assert_true(turns < CLIENTS);
        turn(f);
    }
    assert_int_equal(f->accepted, count);
}

static void more_are_accepted_in_each_turn_while_many_wait(void **state)
{
    fixture *f = *state;
    static const int expected[] = {1, 2, 4, 7, 7};
    for (size_t i = 0; i < sizeof(expected) / sizeof(expected[0]); i++) {
        turn(f);
        assert_int_equal(f->accepted, expected[i]);
    }
    assert_int_equal(f->error, 0);
}

/* It is not asked whether there is another: that would be one call more for each. */
static void who_comes_alone_is_accepted_by_one_call(void **state)
{
    fixture *f = *state;
    turn_until_accepted(f, CLIENTS);
    turn(f);
    for (int i = 1; i <= 5; i++) {
        int fd = connect_one(f);
        turn(f);
        turn(f);
        assert_int_equal(f->accepted, CLIENTS + i);
        assert_int_equal(f->listener.batch, 1);
        close(fd);
    }
}

enum { SOME = 4 };

/* As many turns as make the next batch one of several. */
static void accept_some(fixture *f)
{
    turn_until_accepted(f, SOME);
    assert_true(f->listener.batch > 1);
}

static void a_pause_begins_at_once_and_nobody_is_lost_by_it(void **state)
{
    fixture *f = *state;
    accept_some(f);
    f->pauses = true;
    turn(f);
    turn(f);
    assert_int_equal(f->accepted, SOME + 1);
    f->pauses = false;
    assert_int_equal(net_listener_accept(&f->listener, true), 0);
    turn_until_accepted(f, CLIENTS);
}

static void it_may_be_closed_by_its_callback(void **state)
{
    fixture *f = *state;
    accept_some(f);
    f->closes = true;
    turn(f);
    turn(f);
    assert_int_equal(f->accepted, SOME + 1);
    assert_int_equal(f->listener.watch.fd, -1);
}

static void a_fault_is_told_and_is_told_again_until_it_is_over(void **state)
{
    fixture *f = *state;
    descriptors_limit(0);
    turn(f);
    int error = f->error;
    f->error = 0;
    turn(f);
    descriptors_unlimit();
    assert_int_equal(error, EMFILE);
    assert_int_equal(f->error, EMFILE);
    assert_int_equal(f->accepted, 0);
    /* Valgrind accepts above the limit, and closes what it got. So two are lost there. */
    turn_until_accepted(f, 1);
}

static void a_listener_may_be_paused_by_a_fault(void **state)
{
    fixture *f = *state;
    f->pauses = true;
    descriptors_limit(0);
    turn(f);
    f->error = 0;
    turn(f);
    descriptors_unlimit();
    assert_int_equal(f->error, 0);
}

static void what_can_not_listen_is_closed_and_told(void **state)
{
    fixture *f = *state;
    size_t before = descriptors_open();
    net_listener other;
    assert_int_equal(net_listener_open(&other, &f->loop, open("/dev/null", O_RDWR | O_CLOEXEC), 16, &events),
                     -ENOTSOCK);
    assert_int_equal(descriptors_open(), before);
    net_listener_close(&other);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, make, unmake)
    const struct CMUnitTest tests[] = {
        CASE(more_are_accepted_in_each_turn_while_many_wait),
        CASE(who_comes_alone_is_accepted_by_one_call),
        CASE(a_pause_begins_at_once_and_nobody_is_lost_by_it),
        CASE(it_may_be_closed_by_its_callback),
        CASE(a_fault_is_told_and_is_told_again_until_it_is_over),
        CASE(a_listener_may_be_paused_by_a_fault),
        CASE(what_can_not_listen_is_closed_and_told),
    };
#undef CASE
    return cmocka_run_group_tests(tests, NULL, NULL);
}
