#include "net/event_base.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/epoll.h>
#include <unistd.h>

/* Every base of libevent 2.1.12 opens a pipe for signals, even if it never handles one, and libevent calls
 * exit() when it gets none (evsig_init_). A fatal callback does not help a library: there is one for the
 * whole process, and libevent exits after it anyway. So we first try to open as many descriptors ourselves,
 * and close them again. Another thread may take some between our try and libevent's call, so we try for a few
 * more than a base needs. */
enum { TRIED = NET_EVENT_BASE_DESCRIPTORS + NET_EVENT_BASE_SPARE };
static_assert(TRIED % 2 == 1, "one epoll, and the rest are pipes of two descriptors");

/* 0, or -errno of the first that can't be opened. */
static int try_descriptors(void)
{
    int fds[TRIED];
    int count = 0;
    int error = 0;
    fds[count] = epoll_create1(EPOLL_CLOEXEC);
    if (fds[count] >= 0)
        count++;
    else
        error = -errno;
    while (error == 0 && count < TRIED) {
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
    int error = try_descriptors();
    if (error != 0)
        return error;
    struct event_config *config = event_config_new();
    if (config == NULL)
        return -ENOMEM;
    event_config_set_flag(config, EVENT_BASE_FLAG_NOLOCK);
    event_config_set_flag(config, EVENT_BASE_FLAG_IGNORE_ENV);
    /* Only epoll has this feature: a base with poll() would be worse than none. */
    event_config_require_features(config, EV_FEATURE_ET);
    *out = event_base_new_with_config(config);
    event_config_free(config);
    return *out == NULL ? -ENOMEM : 0;
}
