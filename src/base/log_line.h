/* The line that a record becomes, while it is written. Internal to log_render.c. */
#ifndef HOMECALL_BASE_LOG_LINE_H
#define HOMECALL_BASE_LOG_LINE_H

#include <assert.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* The line that is being written. Once something did not fit, nothing more is added. */
typedef struct line {
    char *data;
    size_t len;
    size_t cap;
    bool has_overflowed;
} line;

static inline void put(line *out, const char *data, size_t len)
{
    if (out->has_overflowed || len > out->cap - out->len) {
        out->has_overflowed = true;
        return;
    }
    memcpy(out->data + out->len, data, len);
    out->len += len;
}

static inline void put_text(line *out, const char *text)
{
    put(out, text, strlen(text));
}

/* Numbers are written by hand here. With printf the numbers of a line take more than twice as long as all the
 * rest of it. */
static inline void put_decimal(line *out, uint64_t number)
{
    char digits[20]; /* of 2^64 - 1 */
    size_t at = sizeof(digits);
    do {
        digits[--at] = (char)('0' + number % 10);
        number /= 10;
    } while (number > 0);
    put(out, digits + at, sizeof(digits) - at);
}

/* The lowest `count` digits, at most 8. */
static inline void put_hex(line *out, uint32_t number, size_t count)
{
    char digits[8];
    assert(count <= sizeof(digits));
    for (size_t at = count; at > 0; number >>= 4)
        digits[--at] = "0123456789abcdef"[number & 0xF];
    put(out, digits, count);
}

#endif
