/* The end of writing to a stream. Not each print is checked, because a stream remembers a failure. */
#ifndef HOMECALL_BENCH_STREAM_H
#define HOMECALL_BENCH_STREAM_H

#include <errno.h>
#include <stdio.h>

/* Flush the stream. 0, or -errno if this or any write before has failed. */
static inline int stream_flush(FILE *out)
{
    errno = 0;
    if (fflush(out) == 0 && !ferror(out))
        return 0;
    return errno != 0 ? -errno : -EIO;
}

#endif
