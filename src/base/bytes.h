/* A byte buffer that exists only while it holds something.
 *
 * The owner keeps one pointer, NULL while nothing waits: an idle connection pays eight bytes for it. The
 * buffer grows by doubling; bytes are appended at its end and consumed from its start without moving the
 * rest. */
#ifndef HOMECALL_BASE_BYTES_H
#define HOMECALL_BASE_BYTES_H

#include <stddef.h>
#include <stdint.h>

typedef struct bytes {
    size_t start;   /* offset of the first byte not yet consumed */
    size_t end;     /* offset behind the last byte */
    size_t cap;     /* size of `data` */
    uint8_t data[]; /* [start, end) is the content */
} bytes;

/* How many bytes wait; 0 for NULL. */
static inline size_t bytes_len(const bytes *b)
{
    return b == NULL ? 0 : b->end - b->start;
}

/* The first byte of the content. `b` must not be NULL. */
static inline uint8_t *bytes_head(bytes *b)
{
    return b->data + b->start;
}

/* Make `more` (at least 1) bytes of room at the end, count them as content, and return where they start, to
 * be filled by the caller. *b is made or moved as needed. NULL when there is no memory; *b is then unchanged.
 */
uint8_t *bytes_extend(bytes **b, size_t more);

/* Append a copy of [data, data + len). 0, or -ENOMEM with *b unchanged. */
int bytes_append(bytes **b, const void *data, size_t len);

/* Drop the first `len` bytes, at most all; a buffer left empty is freed and *b set to NULL. */
void bytes_consume(bytes **b, size_t len);

/* Free the buffer and set *b to NULL. */
void bytes_clear(bytes **b);

#endif
