/* To be loaded into a program with LD_PRELOAD: its FAIL_NTH-th allocation fails, counted over all threads,
 * and all others are what they always are. When the program ends in order, it writes to FAIL_COUNT_FILE, if
 * that is set, how many allocations there were. */
#include <dlfcn.h>
#include <errno.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The names by which glibc gives its own functions to whoever stands before them. */
extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t count, size_t size);
extern void *__libc_realloc(void *old, size_t size);

static _Atomic unsigned long allocations;
static unsigned long failing; /* 0 = none */

__attribute__((constructor)) static void begin(void)
{
    const char *nth = getenv("FAIL_NTH");
    failing = nth == NULL ? 0 : strtoul(nth, NULL, 10);
    atomic_store(&allocations, 0); /* those of the dynamic linker are not counted */
}

__attribute__((destructor)) static void end(void)
{
    unsigned long count = atomic_load(&allocations);
    const char *path = getenv("FAIL_COUNT_FILE");
    FILE *file = path == NULL ? NULL : fopen(path, "w");
    if (file == NULL)
        return;
    fprintf(file, "%lu\n", count);
    fclose(file);
}

static bool must_fail(void)
{
    if (atomic_fetch_add(&allocations, 1) + 1 != failing)
        return false;
    errno = ENOMEM;
    return true;
}

void *malloc(size_t size)
{
    return must_fail() ? NULL : __libc_malloc(size);
}

void *calloc(size_t count, size_t size)
{
    return must_fail() ? NULL : __libc_calloc(count, size);
}

void *realloc(void *old, size_t size)
{
    return must_fail() ? NULL : __libc_realloc(old, size);
}
