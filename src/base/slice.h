/* A borrowed run of bytes: pointer plus length, never a C string, since what a peer sends may hold NUL. */
#ifndef HOMECALL_BASE_SLICE_H
#define HOMECALL_BASE_SLICE_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

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

/* Are the two byte for byte the same? */
static inline bool slice_equals(slice a, slice b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.data, b.data, a.len) == 0);
}

/* Are they the same but for the case of ASCII letters? */
bool slice_equals_in_any_case(slice a, slice b);

/* The bytes without the spaces and tabs around them (RFC 9110, 5.6.3). */
slice slice_trim(slice text);

/* Take what stands in *rest before the next separator, which is dropped, or else all of it. */
slice slice_take_until(slice *rest, char separator);

/* Take the next entry of a list with commas, without the spaces around it; empty ones are passed over.
 * False at the list's end. */
bool slice_take_entry(slice *list, slice *entry);

#endif
