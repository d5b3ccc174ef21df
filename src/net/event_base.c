#include "net/event_base.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/epoll.h>
#include <unistd.h>

/* libevent 2.1.12 calls exit() when it gets no pipe for the signals of a new base (evsig_init_), and every
 * base gets one, also where nobody asks for signals. A library can't prevent that by a fatal callback: it
 * would be the one of the whole process, and libevent exits after it all the same. So we look first whether
 * the descriptors can be had. Between our look and libevent's call another thread may take some: the spare
 * pipes are for those. */
enum { LOOKED_FOR = NET_EVENT_BASE_DESCRIPTORS + NET_EVENT_BASE_SPARE };
static_assert(LOOKED_FOR % 2 == 1, "an epoll and pipes");

/* 0, or -errno of what can't be opened. */
static int look_for_descriptors(void)
{
    int fds[LOOKED_FOR];
    int count = 0;
    int error = 0;
    fds[count] = epoll_create1(EPOLL_CLOEXEC);
    if (fds[count] >= 0)
        count++;
    else
        error = -errno;
    while (error == 0 && count < LOOKED_FOR) {
        if (pipe2(&fds[count], O_CLOEXEC | O_NONBLOCK) == 0)
            count += 2;
        else
            error = -errno;
    }
    while (count > 0)
        close(fds[--count]);
    return error;
}

int net_event_base_new(struct event_base **out)
{
    int error = look_for_descriptors();
    if (error != 0)
        return error;
    struct event_config *config = event_config_new();
    if (config == NULL)
        return -ENOMEM;
    event_config_set_flag(config, EVENT_BASE_FLAG_NOLOCK);
    event_config_set_flag(config, EVENT_BASE_FLAG_IGNORE_ENV);
    /* Nothing but epoll has it: without one there shall be no base rather than one with poll(). */
    event_config_require_features(config, EV_FEATURE_ET);
    *out = event_base_new_with_config(config);
    event_config_free(config);
    return *out == NULL ? -ENOMEM : 0;
}
