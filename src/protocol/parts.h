/* A message that goes out is a list of parts, which are written one behind the other: literals, and what is
 * passed on as it came. Nothing is copied. */
#ifndef HOMECALL_PROTOCOL_PARTS_H
#define HOMECALL_PROTOCOL_PARTS_H

#include "base/slice.h"

#include <stdint.h>
#include <sys/uio.h>

/* A part that borrows these bytes. Sending only reads, but its struct is shared with receiving and so not
 * const. */
static inline struct iovec part_of(slice bytes)
{
    return (struct iovec){.iov_base = (void *)(uintptr_t)bytes.data, .iov_len = bytes.len};
}

#endif
