#include "server/admission.h"

#include "base/cache_line.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#define HASH_NONFATAL_OOM 1
#include <uthash.h>

/* How many connections may be busy with receiving their 503 at once. More are closed without an answer: a
 * flood must not keep us busy with refusing it. */
enum { MAX_REFUSED = 256 };

/* How long a client is kept after its last connection, how many are kept so, and how many that are due are
 * forgotten at each step: more than can come anew. */
enum { KEPT_US = 60 * 1000 * 1000, MAX_KEPT = 65536, FORGET_AT_ONCE = 4 };

/* A client. Its place is held by each of its connections. */
typedef struct client {
    admission_place place; /* first, so that a pointer to it is one to the client */
    address_key key;
    uint32_t connections;
    shared_bucket connects;   /* the connections that it may still open */
    uint64_t left_us;         /* in `kept`: when its last connection ended */
    TAILQ_ENTRY(client) kept; /* while it has no connection */
    UT_hash_handle hh;
} client;

typedef TAILQ_HEAD(client_list, client) client_list;

struct admission {
    admission_limits limits;
    const address_list *exempt;
    keyed_hash hash;
    cache_line_gap before_counts; /* which change with every connection */
    _Atomic uint32_t connections; /* admitted; relaxed, as the next two: no other data depends on them */
    _Atomic uint32_t refused;     /* those that are being answered with 503 */
    _Atomic uint32_t local;       /* those whose place is `loopback` */
    cache_line_gap behind_counts;
    admission_place anywhere;      /* the place of those whose client is not known yet, or is exempt */
    admission_place loopback;      /* the place of the machine's own, where that is no proxy */
    cache_line_gap before_outside; /* the two above are read with every message */
    admission_place outside;       /* the place of all connections that are being answered with 503 */
    cache_line_gap before_lock;
    pthread_mutex_t lock; /* guards all that follows */
    client *clients;      /* owned, each of them */
    client_list kept;     /* those without a connection; who left first is first */
    uint32_t kept_count;
};

static_assert(offsetof(client, place) == 0 && offsetof(admission_place, account) == 0,
              "an allowance, a place and a client are cast to each other");

int admission_new(const admission_limits *limits, const address_list *exempt, const keyed_hash *hash,
                  admission **out)
{
    admission *a = calloc(1, sizeof(*a));
    if (a == NULL)
        return -ENOMEM;
    a->limits = *limits;
    a->exempt = exempt;
    a->hash = *hash;
    a->outside.account.allowance.is_limited = true; /* as one client they are, of whom little is logged */
    TAILQ_INIT(&a->kept);
    int error = pthread_mutex_init(&a->lock, NULL);
    if (error != 0) {
        free(a);
        return -error;
    }
    *out = a;
    return 0;
}

/* ---- The table of clients; its lock is held ---- */

static void forget(admission *a, client *c)
{
    TAILQ_REMOVE(&a->kept, c, kept);
    assert(TAILQ_FIRST(&a->kept) != c);
    a->kept_count--;
    HASH_DELETE(hh, a->clients, c);
    free(c);
}

static void forget_due(admission *a, uint64_t now_us)
{
    for (int i = 0; i < FORGET_AT_ONCE; i++) {
        client *first = TAILQ_FIRST(&a->kept);
        if (first == NULL || (first->left_us + KEPT_US > now_us && a->kept_count <= MAX_KEPT))
            return;
        forget(a, first);
    }
}

void admission_free(admission *a)
{
    if (a == NULL)
        return;
    while (!TAILQ_EMPTY(&a->kept))
        forget(a, TAILQ_FIRST(&a->kept));
    assert(a->clients == NULL);
    (void)pthread_mutex_destroy(&a->lock); /* nobody holds it */
    free(a);
}

/* A client that is kept without a connection. */
static void keep(admission *a, client *c, uint64_t now_us)
{
    c->left_us = now_us;
    TAILQ_INSERT_TAIL(&a->kept, c, kept);
    a->kept_count++;
}

/* Find or make a client. NULL when there is no memory. */
static client *client_with(admission *a, address_key key, uint64_t now_us)
{
    unsigned hash = (unsigned)address_key_hash(&key, &a->hash);
    client *c;
    HASH_FIND_BYHASHVALUE(hh, a->clients, &key, sizeof(key), hash, c);
    if (c != NULL)
        return c;

    c = calloc(1, sizeof(*c));
    if (c == NULL)
        return NULL;
    c->place.account.allowance.is_limited = true;
    c->key = key;
    HASH_ADD_BYHASHVALUE(hh, a->clients, key, sizeof(c->key), hash, c);
    if (c->hh.tbl == NULL) { /* so uthash tells that it had no memory */
        free(c);
        return NULL;
    }
    keep(a, c, now_us);
    return c;
}

static admission_refusal take_place(admission *a, client *c, uint64_t now_us)
{
    if (a->limits.max_per_address > 0 && c->connections >= a->limits.max_per_address)
        return ADMISSION_OVER_ADDRESS;
    if (!shared_bucket_take(&c->connects, a->limits.connects, 1, now_us))
        return ADMISSION_OVER_RATE;
    if (c->connections++ == 0) {
        TAILQ_REMOVE(&a->kept, c, kept);
        a->kept_count--;
    }
    return ADMISSION_GRANTED;
}

/* ---- Coming and going ---- */

const char *admission_refusal_text(admission_refusal refusal)
{
    static const char *const texts[] = {
        [ADMISSION_GRANTED] = "admitted",
        [ADMISSION_OVER_LIMIT] = "too many connections",
        [ADMISSION_OVER_ADDRESS] = "too many connections from one address",
        [ADMISSION_OVER_RATE] = "too many new connections from one address",
        [ADMISSION_NO_MEMORY] = "out of memory",
    };
    return texts[refusal];
}

static admission_refusal enter_as_client(admission *a, const address *from, uint64_t now_us,
                                         admission_place **out)
{
    admission_refusal refusal = ADMISSION_NO_MEMORY;
    pthread_mutex_lock(&a->lock);
    forget_due(a, now_us);
    client *c = client_with(a, address_key_of(from), now_us);
    if (c != NULL)
        refusal = take_place(a, c, now_us);
    if (refusal == ADMISSION_GRANTED)
        *out = &c->place;
    pthread_mutex_unlock(&a->lock);
    return refusal;
}

/* Is no limit of an address for it? What is unknown is no client's. */
static bool is_exempt(const admission *a, const address *from)
{
    return from->family == ADDRESS_UNKNOWN || address_list_has(a->exempt, from);
}

static admission_refusal enter(admission *a, const address *from, bool is_proxy, uint64_t now_us,
                               admission_place **place)
{
    uint32_t before = atomic_fetch_add_explicit(&a->connections, 1, memory_order_relaxed);
    admission_refusal refusal = ADMISSION_GRANTED;
    if (a->limits.max_connections > 0 && before >= a->limits.max_connections)
        refusal = ADMISSION_OVER_LIMIT;
    else if (is_proxy)
        *place = &a->anywhere;
    else if (is_exempt(a, from))
        *place = address_is_loopback(from) ? &a->loopback : &a->anywhere;
    else
        refusal = enter_as_client(a, from, now_us, place);

    if (refusal != ADMISSION_GRANTED)
        atomic_fetch_sub_explicit(&a->connections, 1, memory_order_relaxed);
    else if (*place == &a->loopback)
        atomic_fetch_add_explicit(&a->local, 1, memory_order_relaxed);
    return refusal;
}

admission_refusal admission_claim(admission *a, admission_place **place, const address *from, uint64_t now_us)
{
    if (*place != &a->anywhere || is_exempt(a, from))
        return ADMISSION_GRANTED;
    admission_refusal refusal = enter_as_client(a, from, now_us, place);
    if (refusal != ADMISSION_GRANTED) {
        atomic_fetch_sub_explicit(&a->connections, 1, memory_order_relaxed);
        atomic_fetch_add_explicit(&a->refused, 1, memory_order_relaxed);
        *place = &a->outside;
    }
    return refusal;
}

admission_refusal admission_enter(admission *a, const address *from, bool is_proxy, uint64_t now_us,
                                  admission_place **place)
{
    *place = NULL;
    admission_refusal refusal = enter(a, from, is_proxy, now_us, place);
    if (refusal == ADMISSION_GRANTED)
        return refusal;

    uint32_t before = atomic_fetch_add_explicit(&a->refused, 1, memory_order_relaxed);
    if (before < MAX_REFUSED)
        *place = &a->outside;
    else
        atomic_fetch_sub_explicit(&a->refused, 1, memory_order_relaxed);
    return refusal;
}

static void leave_as_client(admission *a, client *c, uint64_t now_us)
{
    pthread_mutex_lock(&a->lock);
    if (--c->connections == 0)
        keep(a, c, now_us);
    forget_due(a, now_us);
    pthread_mutex_unlock(&a->lock);
}

void admission_leave(admission *a, admission_place *place, uint64_t now_us)
{
    if (place == &a->outside) {
        atomic_fetch_sub_explicit(&a->refused, 1, memory_order_relaxed);
        return;
    }
    atomic_fetch_sub_explicit(&a->connections, 1, memory_order_relaxed);
    if (place == &a->loopback)
        atomic_fetch_sub_explicit(&a->local, 1, memory_order_relaxed);
    else if (place != &a->anywhere)
        leave_as_client(a, (client *)place, now_us);
}

bool admission_has_untold_proxy(const admission *a)
{
    uint32_t most = a->limits.max_per_address;
    return most > 0 && atomic_load_explicit(&a->local, memory_order_relaxed) > most;
}
