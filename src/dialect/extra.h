/* Extra: what a dialect adds to messages between nodes (wire_message.extra), as bytes. Integers are
 * big-endian, texts have two bytes of length before them, and fields stand one behind the other in an order
 * that both ends know.
 *
 * What is read is as little trusted as a message of a client: whatever is too short, too long or has
 * something behind it is bad as a whole. Pure. */
#ifndef HOMECALL_DIALECT_EXTRA_H
#define HOMECALL_DIALECT_EXTRA_H

#include "cluster/wire.h"

/* One that is written. Zero `len` and `is_bad` before the first call. */
typedef struct extra_writer {
    size_t len;
    bool is_bad; /* something did not fit: then the text is of no use */
    uint8_t data[WIRE_MAX_EXTRA];
} extra_writer;

/* Append an integer in that many bytes, 1 to 8, or a text of less than 64 KiB. */
void extra_put(extra_writer *w, uint64_t number, unsigned bytes);
void extra_put_text(extra_writer *w, slice text);

/* Append bytes as they are, without a length. */
void extra_put_raw(extra_writer *w, const void *data, size_t len);

/* What was written. Borrowed. */
static inline slice extra_written(const extra_writer *w)
{
    return (slice){(const char *)w->data, w->len};
}

/* One that is read. */
typedef struct extra_reader {
    slice rest;
    bool is_bad; /* it ended too early, or a text was too long */
} extra_reader;

/* Take an integer of that many bytes, 1 to 8, or a text of at most `max` bytes, borrowed. Once bad: 0, or
 * empty. */
uint64_t extra_take(extra_reader *r, unsigned bytes);
slice extra_take_text(extra_reader *r, size_t max);

/* Take `len` bytes as they are; NULL once bad. Borrowed. */
const uint8_t *extra_take_raw(extra_reader *r, size_t len);

/* Was everything there, and is nothing left? */
static inline bool extra_is_whole(const extra_reader *r)
{
    return !r->is_bad && r->rest.len == 0;
}

#endif
