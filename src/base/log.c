/* The front of the logger: from log_event() into the ring of the calling thread.
 *
 * A thread gets its ring with its first line and finds it again through a thread-local pointer. When the
 * thread ends, the ring goes back to the list, and the next new thread takes it over, with whatever is still
 * in it. A mutex guards the list and which ring is taken; a thread locks it twice in its life. The writer
 * reads the list without the mutex: while it runs, rings are only added, in front of the others.
 *
 * A thread may still be inside log_event() while another one stops the logger. So a ring is freed only by its
 * own thread, when that ends or stops the logger, or when no thread has it. */
#include "base/log.h"

#include "base/clock.h"
#include "base/keyed_hash.h"
#include "base/log_front.h"
#include "base/log_render.h"
#include "base/log_rest.h"

#include <assert.h>
#include <pthread.h>

/* This holds 8,400 lines of signals, at 248 bytes each. The writer comes every 20 ms, and sooner when half is
 * used. The other half lasts for some milliseconds of the fastest relaying, while the writer may have to wait
 * for a processor. With a quarter of this size one line in twenty was lost on a machine with no processor
 * time to spare. Pages that are never used take no memory. */
enum { RING_BYTES = 2 * 1024 * 1024 };

static_assert(LOG_RENDER_MAX_RECORD <= RING_BYTES / 4, "the longest record fits into a ring");

_Atomic int log_threshold = LOG_OFF;

/* The one logger of the process. */
static struct {
    pthread_mutex_t lock;      /* guards all that is no atomic, and is_taken and next of every ring */
    bool is_open;              /* between log_front_open() and log_front_close() */
    bool has_key;              /* tags and thread_key are made, for the life of the process */
    keyed_hash tags;           /* read without the lock by threads that have locked it since has_key */
    pthread_key_t thread_key;  /* its destructor is called when a thread ends */
    _Atomic(log_ring *) rings; /* owned; changed under the lock, read by the writer without */
    _Atomic bool is_private;   /* names are written as tags */
    _Atomic uint64_t dropped;  /* lines lost in this session */
} front = {.lock = PTHREAD_MUTEX_INITIALIZER};

static _Thread_local log_ring *own_ring; /* borrowed from the list; NULL before the first line */

/* For log_name_thread(). */
static _Thread_local const char *own_key;
static _Thread_local uint32_t own_number;

void log_name_thread(const char *key, unsigned number)
{
    own_key = key;
    own_number = number;
}

/* Take a ring out of the list and free it. Under the lock, without a writer. */
static void discard(log_ring *ring)
{
    log_ring *first = atomic_load_explicit(&front.rings, memory_order_relaxed);
    if (first == ring) {
        atomic_store_explicit(&front.rings, ring->next, memory_order_relaxed);
    } else {
        while (first->next != ring)
            first = first->next;
        first->next = ring->next;
    }
    log_ring_free(ring);
}

static void on_thread_end(void *ring)
{
    own_ring = NULL;
    pthread_mutex_lock(&front.lock);
    if (front.is_open)
        ((log_ring *)ring)->is_taken = false;
    else
        discard(ring);
    pthread_mutex_unlock(&front.lock);
}

static log_ring *find_free(void)
{
    log_ring *ring = atomic_load_explicit(&front.rings, memory_order_relaxed);
    while (ring != NULL && ring->is_taken)
        ring = ring->next;
    return ring;
}

static log_ring *add_ring(void)
{
    log_ring *ring = log_ring_new(RING_BYTES);
    if (ring == NULL)
        return NULL;
    ring->next = atomic_load_explicit(&front.rings, memory_order_relaxed);
    atomic_store_explicit(&front.rings, ring,
                          memory_order_release); /* publishes the empty ring to the writer */
    return ring;
}

/* A ring for a thread without one. NULL when there is no memory, or when the logger has just been stopped. */
static log_ring *take_ring(void)
{
    log_ring *ring = NULL;
    pthread_mutex_lock(&front.lock);
    if (front.is_open) {
        ring = find_free();
        if (ring == NULL)
            ring = add_ring();
        if (ring != NULL && pthread_setspecific(front.thread_key, ring) != 0)
            ring = NULL; /* nobody would be told of this thread's end; the ring stays in the list, free */
        if (ring != NULL)
            ring->is_taken = true;
    }
    pthread_mutex_unlock(&front.lock);
    return ring;
}

void log_event(log_level level, const char *namespace_, const char *event, const log_field *fields,
               size_t count)
{
    if (level >= LOG_OFF || !log_is_on(level))
        return;
    if (own_ring == NULL && (own_ring = take_ring()) == NULL) {
        log_front_count_dropped(1);
        return;
    }
    if (count > LOG_MAX_FIELDS)
        count = LOG_MAX_FIELDS;

    const keyed_hash *tags =
        atomic_load_explicit(&front.is_private, memory_order_relaxed) ? &front.tags : NULL;
    void *record = log_ring_reserve(own_ring, log_render_measure(fields, count, tags));
    if (record == NULL) {
        log_front_count_dropped(1);
        return;
    }
    const log_record head = {.time_ms = clock_utc_ms(),
                             .namespace_ = namespace_,
                             .event = event,
                             .thread_key = own_key,
                             .thread_number = own_number,
                             .level = (uint16_t)level,
                             .count = (uint16_t)count};
    log_render_pack(record, &head, fields, tags);
    log_ring_commit(own_ring);
    log_rest_on_push(own_ring);
}

static int make_key(const uint8_t *tag_key)
{
    if (front.has_key)
        return 0;
    int error = keyed_hash_init(&front.tags);
    if (error == 0 && tag_key != NULL)
        memcpy(front.tags.key, tag_key, sizeof(front.tags.key));
    if (error == 0)
        error = -pthread_key_create(&front.thread_key, on_thread_end);
    front.has_key = error == 0;
    return error;
}

static void forget_records(log_ring *ring)
{
    uint64_t end = log_ring_published(ring);
    while (log_ring_peek(ring, end) != NULL)
        log_ring_consume(ring);
}

int log_front_open(bool is_private, const uint8_t *tag_key)
{
    pthread_mutex_lock(&front.lock);
    int error = make_key(tag_key);
    if (error == 0) {
        for (log_ring *ring = log_front_rings(); ring != NULL; ring = ring->next)
            forget_records(ring);
        atomic_store_explicit(&front.is_private, is_private, memory_order_relaxed);
        atomic_store_explicit(&front.dropped, 0, memory_order_relaxed);
        front.is_open = true;
    }
    pthread_mutex_unlock(&front.lock);
    return error;
}

void log_front_set_threshold(log_level level)
{
    /* The lock orders it: a thread that sees the new threshold and then takes its first ring sees the key,
     * too. */
    pthread_mutex_lock(&front.lock);
    atomic_store_explicit(&log_threshold, (int)level, memory_order_relaxed);
    pthread_mutex_unlock(&front.lock);
}

void log_front_close(void)
{
    pthread_mutex_lock(&front.lock);
    front.is_open = false;
    if (own_ring != NULL) {
        own_ring->is_taken = false;
        own_ring = NULL;
        pthread_setspecific(front.thread_key, NULL);
    }
    for (log_ring *ring = find_free(); ring != NULL; ring = find_free())
        discard(ring);
    pthread_mutex_unlock(&front.lock);
}

log_ring *log_front_rings(void)
{
    return atomic_load_explicit(&front.rings, memory_order_acquire);
}

void log_front_count_dropped(uint64_t lines)
{
    atomic_fetch_add_explicit(&front.dropped, lines, memory_order_relaxed);
}

uint64_t log_front_dropped(void)
{
    return atomic_load_explicit(&front.dropped, memory_order_relaxed);
}
