/* The front of the logger: from log_event() into the ring of the calling thread.
 *
 * A thread becomes a producer with its first line: it gets a ring and a renderer, and finds them again
 * through a thread-local pointer. When the thread ends, they go back to the list, and the next new thread
 * takes them over, with whatever is still in the ring. A mutex guards the list and which of them is taken; a
 * thread locks it twice in its life, and once in each session. The writer reads the list without the mutex:
 * while it runs, producers are only added, in front of the others.
 *
 * A thread may still be inside log_event() while another one stops the logger. So a producer is freed only by
 * its own thread, when that ends or stops the logger, or when no thread has it. */
#include "base/log.h"

#include "base/clock.h"
#include "base/keyed_hash.h"
#include "base/log_front.h"
#include "base/log_rest.h"

#include <assert.h>
#include <pthread.h>
#include <stdlib.h>

/* This holds some 13,000 lines of signals, at about 160 bytes each. The writer comes every 20 ms, and sooner
 * when a quarter is used. The rest lasts for some milliseconds of the fastest relaying, while the writer may
 * have to wait for a processor. Pages that are never used take no memory. */
enum { RING_BYTES = 2 * 1024 * 1024 };

/* What a line must find free, since its length is known only when it is there. */
enum { RESERVED_BYTES = LOG_RENDER_MAX_LINE };

static_assert((int)RESERVED_BYTES <= RING_BYTES / 16, "the longest line takes a small part of a ring");

/* By how many lines of a turn a time is used before the clock is read again. Even in the longest of turns
 * these take less than a tenth of a millisecond. */
enum { TIME_USES = 32 };

_Atomic int log_threshold = LOG_OFF;

/* The one logger of the process. */
static struct {
    pthread_mutex_t lock;     /* guards all that is no atomic, and is_taken and next of every producer */
    bool is_open;             /* between log_front_open() and log_front_close() */
    bool has_key;             /* tags and thread_key are made, for the life of the process */
    keyed_hash tags;          /* read without the lock by threads that have locked it since has_key */
    pthread_key_t thread_key; /* its destructor is called when a thread ends */
    bool is_private;          /* names are written as tags */
    signal_log_format format; /* of the lines of this session */
    char
        node[SIGNAL_LOG_NODE_MAX + 2]; /* or its beginning: one byte more, so that the renderer sees it cut */
    _Atomic(log_producer *) first;     /* owned; changed under the lock, read by the writer without */
    _Atomic uint32_t session;          /* number of the last one that was opened; changed under the lock */
    _Atomic uint64_t dropped;          /* lines lost in this session */
} front = {.lock = PTHREAD_MUTEX_INITIALIZER};

static _Thread_local log_producer *own; /* borrowed from the list; NULL before the first line */
static _Thread_local bool has_turns;    /* log_end_turn() is called when one is over */

/* For log_name_thread(). */
static _Thread_local const char *own_key;
static _Thread_local uint32_t own_number;

void log_name_thread(const char *key, unsigned number)
{
    own_key = key;
    own_number = number;
    if (own != NULL)
        own->session = 0;
}

static void free_producer(log_producer *p)
{
    if (p == NULL)
        return;
    log_ring_free(p->ring);
    free(p);
}

/* Take a producer out of the list and free it. Under the lock, without a writer. */
static void discard(log_producer *p)
{
    log_producer *first = atomic_load_explicit(&front.first, memory_order_relaxed);
    if (first == p) {
        atomic_store_explicit(&front.first, p->next, memory_order_relaxed);
    } else {
        while (first->next != p)
            first = first->next;
        first->next = p->next;
    }
    free_producer(p);
}

static void on_thread_end(void *producer)
{
    log_producer *p = producer;
    own = NULL;
    pthread_mutex_lock(&front.lock);
    if (front.is_open)
        p->is_taken = false;
    else
        discard(p);
    pthread_mutex_unlock(&front.lock);
}

static log_producer *find_free(void)
{
    log_producer *p = atomic_load_explicit(&front.first, memory_order_relaxed);
    while (p != NULL && p->is_taken)
        p = p->next;
    return p;
}

static log_producer *add_producer(void)
{
    log_producer *p = calloc(1, sizeof(*p));
    if (p == NULL || (p->ring = log_ring_new(RING_BYTES)) == NULL) {
        free_producer(p);
        return NULL;
    }
    p->next = atomic_load_explicit(&front.first, memory_order_relaxed);
    atomic_store_explicit(&front.first, p, memory_order_release); /* publishes the empty ring to the writer */
    return p;
}

/* Make the calling thread a producer. NULL when there is no memory. Under the lock. */
static log_producer *take_producer(void)
{
    log_producer *p = find_free();
    if (p == NULL)
        p = add_producer();
    if (p != NULL && pthread_setspecific(front.thread_key, p) != 0)
        p = NULL; /* nobody would be told of this thread's end; it stays in the list, free */
    if (p != NULL)
        p->is_taken = true;
    return p;
}

/* Have a producer whose renderer is of this session and knows the name of the thread. False when there is no
 * memory, or when the logger has just been stopped. */
static bool prepare(void)
{
    pthread_mutex_lock(&front.lock);
    if (front.is_open && own == NULL)
        own = take_producer();
    bool is_ready = front.is_open && own != NULL;
    if (is_ready) {
        const log_manner manner = {.format = front.format,
                                   .tags = front.is_private ? &front.tags : NULL,
                                   .node = slice_of_text(front.node),
                                   .thread_key = own_key,
                                   .thread_number = own_number};
        log_render_init(&own->renderer, &manner);
        own->session = atomic_load_explicit(&front.session, memory_order_relaxed);
        own->space = (log_space){0};
        own->time_ms = 0;
    }
    pthread_mutex_unlock(&front.lock);
    return is_ready;
}

static char *reserve_line(log_producer *p)
{
    char *line = log_ring_reserve(p->ring, RESERVED_BYTES);
    if (line == NULL && log_space_wait(&p->space, p->ring))
        line = log_ring_reserve(p->ring, RESERVED_BYTES);
    return line;
}

/* The time for a line; `is_frequent` allows for that of an earlier one. */
static uint64_t time_for(log_producer *p, bool is_frequent)
{
    if (!is_frequent || !has_turns || p->time_ms == 0 || ++p->time_use >= TIME_USES) {
        p->time_ms = clock_utc_ms();
        p->time_use = 0;
    }
    return p->time_ms;
}

/* Log a line with this head, but for its time, which is set. */
static void log_line_of(log_event_head *head, bool is_frequent, const log_field *fields, size_t count)
{
    if (head->level >= LOG_OFF || !log_is_on(head->level))
        return;
    bool is_ready = own != NULL && own->session == atomic_load_explicit(&front.session, memory_order_relaxed);
    if (!is_ready && !prepare()) {
        log_front_count_dropped(1);
        return;
    }
    log_producer *p = own;
    char *line = reserve_line(p);
    if (line == NULL) {
        log_front_count_dropped(1);
        return;
    }
    head->time_ms = time_for(p, is_frequent);
    size_t len =
        log_render_line(&p->renderer, head, fields, count < LOG_MAX_FIELDS ? count : LOG_MAX_FIELDS, line);
    log_ring_commit(p->ring, len, head->time_ms, (uint32_t)head->level);
    log_rest_on_push(p->ring);
}

void log_event(log_level level, const char *namespace_, const char *event, const log_field *fields,
               size_t count)
{
    log_event_head head = {.namespace_ = namespace_, .event = event, .level = level};
    log_line_of(&head, false, fields, count);
}

void log_frequent_event(log_level level, const char *namespace_, const char *event, const log_field *fields,
                        size_t count)
{
    log_event_head head = {.namespace_ = namespace_, .event = event, .level = level};
    log_line_of(&head, true, fields, count);
}

void log_end_turn(void)
{
    has_turns = true;
    if (own != NULL && own->time_ms != 0) {
        own->time_ms = 0;
        log_render_end_turn(&own->renderer);
    }
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

static void forget_lines(log_ring *ring)
{
    log_ring_look(ring);
    for (size_t len; (len = log_ring_lines(ring, UINT64_MAX).len) > 0;)
        log_ring_consume(ring, len);
}

int log_front_open(const signal_log_options *options)
{
    pthread_mutex_lock(&front.lock);
    int error = make_key(options->tag_key);
    if (error == 0) {
        for (log_producer *p = log_front_producers(); p != NULL; p = p->next)
            forget_lines(p->ring);
        const char *node = options->node != NULL ? options->node : "";
        size_t node_len = strnlen(node, sizeof(front.node) - 1);
        memcpy(front.node, node, node_len);
        front.node[node_len] = '\0';
        front.format = options->format;
        front.is_private = options->is_private;
        atomic_store_explicit(&front.dropped, 0, memory_order_relaxed);
        atomic_fetch_add_explicit(&front.session, 1, memory_order_relaxed);
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
    if (own != NULL) {
        own->is_taken = false;
        own = NULL;
        pthread_setspecific(front.thread_key, NULL);
    }
    for (log_producer *p = find_free(); p != NULL; p = find_free())
        discard(p);
    pthread_mutex_unlock(&front.lock);
}

log_producer *log_front_producers(void)
{
    return atomic_load_explicit(&front.first, memory_order_acquire);
}

void log_front_count_dropped(uint64_t lines)
{
    atomic_fetch_add_explicit(&front.dropped, lines, memory_order_relaxed);
}

uint64_t log_front_dropped(void)
{
    return atomic_load_explicit(&front.dropped, memory_order_relaxed);
}
