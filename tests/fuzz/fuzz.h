/* What the fuzz targets share that play a script or check what they are told. */
#ifndef HOMECALL_TESTS_FUZZ_FUZZ_H
#define HOMECALL_TESTS_FUZZ_FUZZ_H

#include "base/slice.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define REQUIRE(condition)                                                  \
    do {                                                                    \
        if (!(condition)) {                                                 \
            fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition); \
            abort();                                                        \
        }                                                                   \
    } while (0)

/* The input, which is taken from its front; what is not there is 0. */
typedef struct fuzz_input {
    const uint8_t *data;
    size_t left;
} fuzz_input;

static inline uint8_t fuzz_take_byte(fuzz_input *in)
{
    if (in->left == 0)
        return 0;
    in->left--;
    return *in->data++;
}

/* A byte that tells a length, and as many bytes; fewer where the input ends. Borrowed. */
static inline slice fuzz_take_bytes(fuzz_input *in)
{
    size_t len = fuzz_take_byte(in);
    if (len > in->left)
        len = in->left;
    slice taken = {(const char *)in->data, len};
    in->data += len;
    in->left -= len;
    return taken;
}

/* An exact copy with a NUL behind it, so that the sanitizers see a byte read too many. Owned by the caller.
 */
static inline char *fuzz_copy(const void *data, size_t size)
{
    char *copy = malloc(size + 1);
    REQUIRE(copy != NULL);
    if (size > 0)
        memcpy(copy, data, size);
    copy[size] = '\0';
    return copy;
}

#endif
