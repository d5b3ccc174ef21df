#include "lines/heap.h"

#include "base/cache_line.h"

#include <errno.h>
#include <malloc.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { RECORDS = 1 << 16, PLAIN = 16 };

/* Of the GNU C library, whose heap this stands on. */
extern void *__libc_memalign(size_t alignment, size_t size);
extern void __libc_free(void *memory);

typedef struct record {
    void *at;
    size_t size;
    const void *caller; /* where it was allocated */
} record;

/* Not a line of the server: shared_lines.py leaves it out by its name. */
static struct heap_records {
    record all[RECORDS];
    cache_line_gap gap;
    atomic_uint count;
    cache_line_gap behind;
} heap_records;

static bool is_asked, is_plain; /* LINES_PLAIN_HEAP; only read once there are threads */

/* Whole lines, or as the C library does it. */
static void *allocate(size_t alignment, size_t size, const void *caller)
{
    if (size > SIZE_MAX - 2 * CACHE_LINE) {
        errno = ENOMEM;
        return NULL;
    }
    if (!is_asked) { /* at the first call of all, so long before there are threads */
        is_plain = getenv("LINES_PLAIN_HEAP") != NULL;
        is_asked = true;
    }
    size_t unit = is_plain ? PLAIN : CACHE_LINE;
    size_t whole = (size + unit - 1) / unit * unit;
    void *at = __libc_memalign(alignment > unit ? alignment : unit, whole > 0 ? whole : unit);
    if (at != NULL)
        heap_records.all[atomic_fetch_add(&heap_records.count, 1) % RECORDS] =
            (record){.at = at, .size = whole, .caller = caller};
    return at;
}

void *malloc(size_t size)
{
    return allocate(PLAIN, size, __builtin_return_address(0));
}

void *calloc(size_t number, size_t size)
{
    if (size != 0 && number > SIZE_MAX / size) {
        errno = ENOMEM;
        return NULL;
    }
    void *at = allocate(PLAIN, number * size, __builtin_return_address(0));
    return at == NULL ? NULL : memset(at, 0, number * size);
}

void *realloc(void *before, size_t size)
{
    void *at = allocate(PLAIN, size, __builtin_return_address(0));
    if (at == NULL || before == NULL)
        return at;
    size_t old_size = malloc_usable_size(before);
    memcpy(at, before, old_size < size ? old_size : size);
    __libc_free(before);
    return at;
}

void *aligned_alloc(size_t alignment, size_t size)
{
    return allocate(alignment, size, __builtin_return_address(0));
}

int posix_memalign(void **out, size_t alignment, size_t size)
{
    void *at = allocate(alignment, size, __builtin_return_address(0));
    if (at == NULL)
        return ENOMEM;
    *out = at;
    return 0;
}

void free(void *memory)
{
    __libc_free(memory);
}

void heap_print(void)
{
    unsigned all = atomic_load(&heap_records.count);
    unsigned known = all < RECORDS ? all : RECORDS;
    printf("heap %u\n", known);
    fflush(stdout);
    for (unsigned i = 0; i < known;) { /* where there are more, the first may be newer than the last */
        ssize_t put = write(STDOUT_FILENO, &heap_records.all[i], (known - i) * sizeof(record));
        if (put <= 0)
            return;
        i += (unsigned)((size_t)put / sizeof(record));
    }
}
