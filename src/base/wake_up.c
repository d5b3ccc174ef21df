#include "base/wake_up.h"

#include <errno.h>
#include <poll.h>
#include <stddef.h>
#include <sys/eventfd.h>

enum { TRIES = 4, PATIENT_TRIES = 20 };

int wake_up(int eventfd)
{
    int error = 0;
    for (int i = 0; i < TRIES; i++) {
        if (eventfd_write(eventfd, 1) == 0 || errno == EAGAIN) /* its counter is full: it is readable */
            return 0;
        error = -errno;
    }
    return error;
}

int wake_up_patiently(int eventfd)
{
    int error = wake_up(eventfd);
    for (int i = 0; error != 0 && i < PATIENT_TRIES; i++) {
        poll(NULL, 0, 1);
        error = wake_up(eventfd);
    }
    return error;
}
