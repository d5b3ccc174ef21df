#include "server/admission.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#define HASH_NONFATAL_OOM 1
#include <uthash.h>

/* How many connections may be busy with receiving their 503 at once. More are closed without an answer: a
 * flood must not keep us busy with refusing it. */
enum { MAX_REFUSED = 256 };

struct admission_place {
    address_key key;
    uint32_t connections; /* from this address; not used in the two places that belong to no address */
    UT_hash_handle hh;
};

struct admission {
    uint32_t max_connections;
    uint32_t max_per_address;
    keyed_hash hash;
    _Atomic uint32_t connections; /* admitted; relaxed, as the next: no other data depends on them */
    _Atomic uint32_t refused;     /* those that are being answered with 503 */
    admission_place anywhere;     /* everybody's place where addresses are not counted; never changed */
    admission_place outside;      /* everybody's place who is being answered with 503; never changed */
    pthread_mutex_t lock;         /* guards the table and its places */
    admission_place *table;
};

int admission_new(uint32_t max_connections, uint32_t max_per_address, const keyed_hash *hash, admission **out)
{
    admission *a = calloc(1, sizeof(*a));
    if (a == NULL)
        return -ENOMEM;
    a->max_connections = max_connections;
    a->max_per_address = max_per_address;
    a->hash = *hash;
    pthread_mutex_init(&a->lock, NULL);
    *out = a;
    return 0;
}

void admission_free(admission *a)
{
    if (a == NULL)
        return;
    pthread_mutex_destroy(&a->lock);
    free(a);
}

/* Find or make the place of an address. NULL when there is no memory. The lock is held. */
static admission_place *place_of(admission *a, address_key key)
{
    unsigned hash = (unsigned)keyed_hash_of(&a->hash, (slice){(const char *)key.bytes, sizeof(key.bytes)});
    admission_place *place;
    HASH_FIND_BYHASHVALUE(hh, a->table, &key, sizeof(key), hash, place);
    if (place != NULL)
        return place;

    place = calloc(1, sizeof(*place));
    if (place == NULL)
        return NULL;
    place->key = key;
    HASH_ADD_BYHASHVALUE(hh, a->table, key, sizeof(place->key), hash, place);
    if (place->hh.tbl == NULL) { /* so uthash tells that it had no memory */
        free(place);
        return NULL;
    }
    return place;
}

const char *admission_refusal_text(admission_refusal refusal)
{
    static const char *const texts[] = {
        [ADMISSION_GRANTED] = "admitted",
        [ADMISSION_OVER_LIMIT] = "too many connections",
        [ADMISSION_OVER_ADDRESS] = "too many connections from one address",
        [ADMISSION_NO_MEMORY] = "out of memory",
    };
    return texts[refusal];
}

static admission_refusal enter_by_address(admission *a, const address *from, admission_place **out)
{
    admission_refusal refusal = ADMISSION_GRANTED;
    pthread_mutex_lock(&a->lock);
    admission_place *place = place_of(a, address_key_of(from));
    if (place == NULL)
        refusal = ADMISSION_NO_MEMORY;
    else if (place->connections >= a->max_per_address)
        refusal = ADMISSION_OVER_ADDRESS;
    else {
        place->connections++;
        *out = place;
    }
    pthread_mutex_unlock(&a->lock);
    return refusal;
}

static admission_refusal enter(admission *a, const address *from, bool is_proxy, admission_place **place)
{
    uint32_t before = atomic_fetch_add_explicit(&a->connections, 1, memory_order_relaxed);
    admission_refusal refusal = ADMISSION_GRANTED;
    if (a->max_connections > 0 && before >= a->max_connections)
        refusal = ADMISSION_OVER_LIMIT;
    else if (a->max_per_address == 0 || is_proxy)
        *place = &a->anywhere;
    else
        refusal = enter_by_address(a, from, place);

    if (refusal != ADMISSION_GRANTED)
        atomic_fetch_sub_explicit(&a->connections, 1, memory_order_relaxed);
    return refusal;
}

admission_refusal admission_claim(admission *a, admission_place **place, const address *client)
{
    if (a->max_per_address == 0 || *place != &a->anywhere)
        return ADMISSION_GRANTED;
    return enter_by_address(a, client, place);
}

admission_refusal admission_enter(admission *a, const address *from, bool is_proxy, admission_place **place)
{
    *place = NULL;
    admission_refusal refusal = enter(a, from, is_proxy, place);
    if (refusal == ADMISSION_GRANTED)
        return refusal;

    uint32_t before = atomic_fetch_add_explicit(&a->refused, 1, memory_order_relaxed);
    if (before < MAX_REFUSED)
        *place = &a->outside;
    else
        atomic_fetch_sub_explicit(&a->refused, 1, memory_order_relaxed);
    return refusal;
}

void admission_leave(admission *a, admission_place *place)
{
    if (place == &a->outside) {
        atomic_fetch_sub_explicit(&a->refused, 1, memory_order_relaxed);
        return;
    }
    atomic_fetch_sub_explicit(&a->connections, 1, memory_order_relaxed);
    if (place == &a->anywhere)
        return;

    pthread_mutex_lock(&a->lock);
    if (--place->connections == 0) {
        HASH_DELETE(hh, a->table, place);
        free(place);
    }
    pthread_mutex_unlock(&a->lock);
}
