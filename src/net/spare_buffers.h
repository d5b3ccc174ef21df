/* Spare buffers: the buffers of outputs that are written, for the next outputs of the same thread.
 *
 * In a busy turn many connections have output at once, and all of it is written at its end. Without spares
 * each of them would begin with a small buffer, and let it grow by moving what is in it, in every turn.
 *
 * What was in a buffer is overwritten when it becomes a spare: no message is kept longer than its output.
 * Not synchronised: one thread uses them. */
#ifndef HOMECALL_NET_SPARE_BUFFERS_H
#define HOMECALL_NET_SPARE_BUFFERS_H

#include "base/bytes.h"

#include <stddef.h>

/* Bounds of what a thread keeps. Each buffer holds all with which a call begins. */
enum {
    SPARE_BUFFERS_MAX = 64,
    SPARE_BUFFERS_MAX_CAP = 16 * 1024,    /* bytes of one buffer */
    SPARE_BUFFERS_MAX_BYTES = 512 * 1024, /* of all of them */
};

/* Zeroed = there are none. */
typedef struct spare_buffers {
    bytes *buffers[SPARE_BUFFERS_MAX]; /* owned: [0, count), each without content */
    size_t count;
    size_t footprint; /* bytes that they take */
} spare_buffers;

/* Take one: the one that was put there last, which the caches may still hold. The caller owns it. NULL where
 * there are none. */
bytes *spare_buffers_take(spare_buffers *spares);

/* Take this buffer over, whose content has no use any more. It is overwritten, and kept or freed. */
void spare_buffers_put(spare_buffers *spares, bytes *buffer);

/* Free them all. */
void spare_buffers_clear(spare_buffers *spares);

#endif
