/* A byte buffer that exists only while it holds something.
 *
 * The owner keeps one pointer, which is NULL while the buffer is empty: an idle connection pays eight bytes
 * for it. The buffer grows by doubling. Bytes are appended at its end and consumed from its start, without
 * moving the rest. */
#ifndef HOMECALL_BASE_BYTES_H
#define HOMECALL_BASE_BYTES_H

#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

typedef struct bytes {
    size_t start;   /* offset of the first byte that is not consumed yet */
    size_t end;     /* offset behind the last byte */
    size_t cap;     /* size of `data` */
    uint8_t data[]; /* [start, end) is the content */
} bytes;

/* How many bytes it holds; 0 for NULL. */
static inline size_t bytes_len(const bytes *b)
{
    return b == NULL ? 0 : b->end - b->start;
}

/* How much memory it takes; 0 for NULL. */
static inline size_t bytes_footprint(const bytes *b)
{
    return b == NULL ? 0 : sizeof(*b) + b->cap;
}

/* The first byte of the content. `b` must not be NULL. */
static inline uint8_t *bytes_head(bytes *b)
{
    return b->data + b->start;
}

/* Make the content longer by `more` bytes, at least 1, and return where they start: the caller fills them. *b
 * is made or moved as needed. NULL without memory; *b is then unchanged. */
uint8_t *bytes_extend(bytes **b, size_t more);

/* The same, but only where the buffer is there and has space for it; else NULL. */
static inline uint8_t *bytes_extend_in_place(bytes *b, size_t more)
{
    if (b == NULL || b->cap - b->end < more)
        return NULL;
    uint8_t *added = b->data + b->end;
    b->end += more;
    return added;
}

/* Append a copy of [data, data + len). 0, or -ENOMEM with *b unchanged. */
int bytes_append(bytes **b, const void *data, size_t len);

/* The same with a copy of all these parts, one behind the other. */
int bytes_append_parts(bytes **b, const struct iovec *parts, int count);

/* Drop the first `len` bytes, or all if there are fewer. A buffer that becomes empty is freed, and *b set to
 * NULL. */
void bytes_consume(bytes **b, size_t len);

/* Overwrite the content, free the buffer and set *b to NULL. */
void bytes_clear(bytes **b);

#endif
