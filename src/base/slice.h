/* Borrowed bytes: a pointer and a length. What a peer sends is never a C string, since it may hold NUL. */
#ifndef HOMECALL_BASE_SLICE_H
#define HOMECALL_BASE_SLICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/uio.h>

typedef struct slice {
    const char *data; /* borrowed; may be NULL where len is 0 */
    size_t len;       /* bytes */
} slice;

/* The slice over a string literal, without its NUL. */
#define SLICE_LITERAL(text) ((slice){(text), sizeof(text) - 1})

/* The slice over a string that ends with NUL, without its NUL. */
static inline slice slice_of_text(const char *text)
{
    return (slice){text, strlen(text)};
}

/* A slice as a part of what is written. Writing only reads, but its struct is shared with reading and so not
 * const. */
static inline struct iovec slice_to_iovec(slice s)
{
    return (struct iovec){.iov_base = (void *)(uintptr_t)s.data, .iov_len = s.len};
}

/* Are these `len` bytes the same? For names and other short texts: a call of memcmp() would cost more than a
 * few words do. The last word may overlap the one before. Where `len` is 0, the pointers may be NULL. */
static inline bool slice_same_bytes(const char *a, const char *b, size_t len)
{
    enum { WORD = 8, HALF = 4, MAX_WORDS = 8 };
    if (len < HALF || len > MAX_WORDS * WORD)
        return len == 0 || memcmp(a, b, len) == 0;
    if (len < WORD)
        return memcmp(a, b, HALF) == 0 && memcmp(a + len - HALF, b + len - HALF, HALF) == 0;
    for (size_t at = 0; at < len - WORD; at += WORD) {
        if (memcmp(a + at, b + at, WORD) != 0)
            return false;
    }
    return memcmp(a + len - WORD, b + len - WORD, WORD) == 0;
}

/* Are the two the same, byte for byte? */
static inline bool slice_equals(slice a, slice b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.data, b.data, a.len) == 0);
}

/* Are they the same, apart from the case of ASCII letters? */
bool slice_equals_in_any_case(slice a, slice b);

/* The slice without the spaces and tabs around it (RFC 9110, 5.6.3). */
slice slice_trim(slice text);

/* Take from *rest all that comes before the next separator, which is dropped. Without one, take it all. */
slice slice_take_until(slice *rest, char separator);

/* Take the next entry of a list with commas, without the blanks around it. Empty entries are skipped. False
 * at the end of the list. */
bool slice_take_entry(slice *list, slice *entry);

#endif
