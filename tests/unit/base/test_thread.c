/* Starting a thread. */
#include "base/thread.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <sched.h>
#include <signal.h>

typedef struct report {
    sigset_t blocked;
    char name[64];
} report;

static void *look_around(void *argument)
{
    report *r = argument;
    pthread_sigmask(SIG_SETMASK, NULL, &r->blocked);
    return r;
}

static void every_signal_is_blocked_there_and_none_more_here(void **state)
{
    (void)state;
    sigset_t before;
    sigset_t after;
    report r = {0};
    pthread_t id;
    pthread_sigmask(SIG_SETMASK, NULL, &before);
    assert_int_equal(thread_start(&id, "name", look_around, &r), 0);
    pthread_sigmask(SIG_SETMASK, NULL, &after);
    void *returned;
    pthread_join(id, &returned);
    assert_ptr_equal(returned, &r);
    static const int some[] = {SIGTERM, SIGINT, SIGPIPE, SIGCHLD, SIGUSR1, SIGALRM};
    for (size_t i = 0; i < sizeof(some) / sizeof(some[0]); i++) {
        assert_int_equal(sigismember(&r.blocked, some[i]), 1);
        assert_int_equal(sigismember(&after, some[i]), sigismember(&before, some[i]));
    }
}

static pthread_mutex_t gate = PTHREAD_MUTEX_INITIALIZER;

static void *wait_at_gate(void *argument)
{
    pthread_mutex_lock(&gate);
    pthread_mutex_unlock(&gate);
    return argument;
}

static void it_has_its_name_as_far_as_the_kernel_takes_it(void **state)
{
    (void)state;
    pthread_t id;
    char name[64];
    pthread_mutex_lock(&gate);
    assert_int_equal(thread_start(&id, "a-name-longer-than-fifteen", wait_at_gate, NULL), 0);
    assert_int_equal(pthread_getname_np(id, name, sizeof(name)), 0);
    pthread_mutex_unlock(&gate);
    pthread_join(id, NULL);
    assert_string_equal(name, "a-name-longer-t");
}

static void a_thread_that_can_not_be_is_told(void **state)
{
    (void)state;
    pthread_attr_t usual;
    pthread_attr_t huge;
    assert_int_equal(pthread_getattr_default_np(&usual), 0);
    assert_int_equal(pthread_attr_init(&huge), 0);
    const size_t all = SIZE_MAX & ~(size_t)0xFFFFF; /* nearly all addresses that there are */
    assert_int_equal(pthread_attr_setstacksize(&huge, all), 0);
    assert_int_equal(pthread_setattr_default_np(&huge), 0);
    pthread_t id;
    int error = thread_start(&id, "name", look_around, NULL);
    assert_int_equal(pthread_setattr_default_np(&usual), 0);
    pthread_attr_destroy(&huge);
    pthread_attr_destroy(&usual);
    assert_true(error == -EAGAIN || error == -EINVAL || error == -ENOMEM);
}

static void *note_policy(void *argument)
{
    int *policy = argument;
    struct sched_param param = {0};
    if (*policy != SCHED_OTHER)
        (void)pthread_setschedparam(pthread_self(), *policy, &param);
    thread_give_way();
    pthread_getschedparam(pthread_self(), policy, &param);
    return NULL;
}

static int policy_after(int policy)
{
    pthread_t id;
    assert_int_equal(thread_start(&id, "policy", note_policy, &policy), 0);
    pthread_join(id, NULL);
    return policy;
}

static void one_that_gives_way_does_so_alone_and_only_if_it_has_the_usual_policy(void **state)
{
    (void)state;
    struct sched_param param;
    int own;
    assert_int_equal(pthread_getschedparam(pthread_self(), &own, &param), 0);
    if (own != SCHED_OTHER)
        skip(); /* threads inherit it */
    assert_int_equal(policy_after(SCHED_OTHER), SCHED_BATCH);
    assert_int_equal(policy_after(SCHED_IDLE), SCHED_IDLE);
    assert_int_equal(pthread_getschedparam(pthread_self(), &own, &param), 0);
    assert_int_equal(own, SCHED_OTHER);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_that_gives_way_does_so_alone_and_only_if_it_has_the_usual_policy),
        cmocka_unit_test(every_signal_is_blocked_there_and_none_more_here),
        cmocka_unit_test(it_has_its_name_as_far_as_the_kernel_takes_it),
        cmocka_unit_test(a_thread_that_can_not_be_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
