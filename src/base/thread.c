#include "base/thread.h"

#include <sched.h>
#include <signal.h>
#include <stdio.h>

int thread_start(pthread_t *id, const char *name, void *(*run)(void *argument), void *argument)
{
    /* A new thread inherits what is blocked in the one that starts it. */
    sigset_t all;
    sigset_t before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int error = pthread_create(id, NULL, run, argument);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (error != 0)
        return -error;

    char fitting[THREAD_NAME_CAP];
    snprintf(fitting, sizeof(fitting), "%s", name);
    (void)pthread_setname_np(*id, fitting); /* a name is a help and no more */
    return 0;
}

void thread_give_way(void)
{
    int policy;
    struct sched_param param;
    if (pthread_getschedparam(pthread_self(), &policy, &param) == 0 && policy == SCHED_OTHER)
        (void)pthread_setschedparam(pthread_self(), SCHED_BATCH, &param); /* a sandbox may refuse it */
}
