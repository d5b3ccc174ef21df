#include "app/memory_reserve.h"

#include <errno.h>
#include <event2/event.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdlib.h>

/* The admin port has few connections (ADMIN_MAX_CONNECTIONS), and a request of evhttp takes some KiB. */
enum { RESERVE_BYTES = 256 * 1024 };

static _Atomic(void *) reserve; /* owned; NULL while it is given up */

static void refill(void)
{
    void *none = NULL;
    void *fresh = malloc(RESERVE_BYTES);
    if (fresh != NULL && !atomic_compare_exchange_strong(&reserve, &none, fresh))
        free(fresh); /* another thread was faster */
}

static void *allocate(size_t size)
{
    if (atomic_load_explicit(&reserve, memory_order_relaxed) == NULL)
        refill();
    void *made = malloc(size);
    if (made != NULL || size == 0)
        return made;
    free(atomic_exchange(&reserve, NULL));
    return malloc(size);
}

static void *reallocate(void *old, size_t size)
{
    if (atomic_load_explicit(&reserve, memory_order_relaxed) == NULL)
        refill();
    void *made = realloc(old, size);
    if (made != NULL || size == 0)
        return made;
    free(atomic_exchange(&reserve, NULL));
    return realloc(old, size);
}

int memory_reserve_make(void)
{
    refill();
    if (atomic_load(&reserve) == NULL)
        return -ENOMEM;
    event_set_mem_functions(allocate, reallocate, free);
    return 0;
}

void memory_reserve_free(void)
{
    free(atomic_exchange(&reserve, NULL));
}
