/* Closing what may not be open. Any thread. */
#ifndef HOMECALL_BASE_DESCRIPTOR_H
#define HOMECALL_BASE_DESCRIPTOR_H

#include <unistd.h>

/* Close a descriptor unless it is negative, and forget it: it is -1 afterwards. */
static inline void descriptor_close(int *fd)
{
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}

#endif
