/* Parts that are written one behind the other: how long they are together, and a copy in one piece. */
#ifndef HOMECALL_BASE_PARTS_H
#define HOMECALL_BASE_PARTS_H

#include <stddef.h>
#include <string.h>
#include <sys/uio.h>

/* The bytes of all parts together. Most signals have a single part, for which compilers would still prepare
 * to add up many at a time. */
static inline size_t parts_len(const struct iovec *parts, int count)
{
    if (count == 1)
        return parts[0].iov_len;
    size_t len = 0;
    for (int i = 0; i < count; i++)
        len += parts[i].iov_len;
    return len;
}

/* Copy them to `to`, which has space for parts_len() bytes. */
static inline void parts_copy(void *to, const struct iovec *parts, int count)
{
    char *at = to;
    for (int i = 0; i < count; i++) {
        if (parts[i].iov_len > 0) /* memcpy must not see the NULL of an empty part */
            memcpy(at, parts[i].iov_base, parts[i].iov_len);
        at += parts[i].iov_len;
    }
}

#endif
