#include "net/spare_buffers.h"

#include <assert.h>
#include <stdbool.h>
#include <string.h>

bytes *spare_buffers_take(spare_buffers *spares)
{
    if (spares->count == 0)
        return NULL;
    bytes *buffer = spares->buffers[--spares->count];
    assert(bytes_len(buffer) == 0 && spares->footprint >= bytes_footprint(buffer));
    spares->footprint -= bytes_footprint(buffer);
    return buffer;
}

void spare_buffers_put(spare_buffers *spares, bytes *buffer)
{
    bool is_kept = buffer->cap <= SPARE_BUFFERS_MAX_CAP && spares->count < SPARE_BUFFERS_MAX &&
                   spares->footprint + bytes_footprint(buffer) <= SPARE_BUFFERS_MAX_BYTES;
    if (!is_kept) {
        bytes_clear(&buffer);
        return;
    }
    explicit_bzero(buffer->data, buffer->end); /* what was behind that is overwritten already */
    buffer->start = buffer->end = 0;
    spares->buffers[spares->count++] = buffer;
    spares->footprint += bytes_footprint(buffer);
}

void spare_buffers_clear(spare_buffers *spares)
{
    for (bytes *buffer; (buffer = spare_buffers_take(spares)) != NULL;)
        bytes_clear(&buffer);
}
