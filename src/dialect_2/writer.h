/* Writer: a JSON text that is put together piece by piece. The first piece that there is no memory for fails
 * it, and is asked for once, at the end. */
#ifndef HOMECALL_DIALECT_2_WRITER_H
#define HOMECALL_DIALECT_2_WRITER_H

#include "base/bytes.h"
#include "base/slice.h"

#include <stdbool.h>
#include <stdint.h>

/* Zeroed, it is empty. */
typedef struct writer {
    bytes *text; /* owned; NULL = empty */
    bool has_failed;
} writer;

/* Append text as it is. */
void writer_put(writer *w, slice text);

/* Append a literal. */
#define WRITER_PUT(w, literal) writer_put((w), SLICE_LITERAL(literal))

/* Append a number in digits. */
void writer_put_number(writer *w, uint64_t number);

/* What was written, borrowed; empty when there was no memory for all of it. */
slice writer_text(const writer *w);

/* Free it, overwriting what was written. */
void writer_clear(writer *w);

/* The longest number in digits. */
enum { WRITER_MAX_DIGITS = 20 };

/* Write a number in digits at the end of `digits`, and return where they are. */
slice writer_digits(uint64_t number, char digits[WRITER_MAX_DIGITS]);

#endif
