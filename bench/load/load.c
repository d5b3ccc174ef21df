#include "load.h"

#include "run.h"
#include "scenario/scenario.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* How many connections a thread makes at the same time before the load. Each listener's backlog is larger. */
enum { CONNECTING_AT_ONCE = 64 };

/* How many connections all threads together make in PHASE_PRIME, before the server's memory is read. */
enum { PRIMERS = 64 };

/* How often a thread looks at the phase even if nothing comes, and how often it publishes its counters. */
enum { LOOK_UP_US = 10 * 1000, PUBLISH_NS = 50 * 1000 * 1000 };

/* ---- Making ---- */

/* This thread's share of `n` users. Returns how many they are, with the number of the first in *first. The
 * two users of a pair belong to the same thread. */
static size_t share_of(uint64_t n, unsigned index, uint64_t threads, size_t *first)
{
    uint64_t pairs = (n + 1) / 2;
    uint64_t from = pairs * index / threads * 2;
    uint64_t to = pairs * (index + 1) / threads * 2;
    *first = (size_t)from;
    return (size_t)((to < n ? to : n) - from);
}

/* For users that only keep a connection: if it ends, that is a fault. */
static const user_events held_events = {0};

/* Make this thread's share of `n` users, at t->users[at] and behind. Their numbers in the run start at
 * `base`. Returns how many they are. */
static size_t add_users(load_thread *t, size_t at, uint64_t n, uint32_t base, const user_events *events)
{
    size_t first;
    size_t count = share_of(n, t->index, t->options->threads, &first);
    for (size_t i = 0; i < count; i++) {
        user *u = &t->users[at + i];
        bool has_peer = (i ^ 1) < count;
        user_init(u, t, base + (uint32_t)(first + i), has_peer ? &t->users[at + (i ^ 1)] : NULL, events);
        u->under_way = &t->in_flight[(at + i) * t->ring_size];
        if (u->dialect->has_sessions) {
            u->two = &t->sessions[at + i];
            session_2_init(u->two, u, &t->unacked[(at + i) * t->unacked_size]);
        }
    }
    return count;
}

/* The answer of a function of the scenario that may be NULL, which means yes. */
static bool ask(bool (*question)(const load_options *o), const load_options *o)
{
    return question == NULL || question(o);
}

static uint32_t power_of_two_from(uint32_t n)
{
    uint32_t power = 1;
    while (power < n)
        power *= 2;
    return power;
}

static int make_users(load_thread *t)
{
    const load_options *o = t->options;
    uint64_t primers = o->server_pids.count > 0 ? PRIMERS : 0;
    uint64_t actors = t->scenario->users(o);
    size_t first;
    size_t count = share_of(primers, t->index, o->threads, &first) +
                   share_of(actors, t->index, o->threads, &first) +
                   share_of(o->beside, t->index, o->threads, &first);
    t->ring_size = power_of_two_from(t->scenario->in_flight(o));
    t->users = calloc(count + 1, sizeof(*t->users));
    t->in_flight = calloc((count + 1) * t->ring_size, sizeof(*t->in_flight));
    if (t->users == NULL || t->in_flight == NULL)
        return -ENOMEM;
    if (options_have_sessions(o)) {
        t->unacked_size = power_of_two_from(session_2_ring_size(t->scenario->in_flight(o)));
        t->sessions = calloc(count + 1, sizeof(*t->sessions));
        t->unacked = calloc((count + 1) * t->unacked_size, sizeof(*t->unacked));
        if (t->sessions == NULL || t->unacked == NULL)
            return -ENOMEM;
    }

    /* An even number, so that no user of the scenario shares its room with one of the others. */
    uint32_t base = (uint32_t)actors + (uint32_t)(actors % 2);
    t->primers = add_users(t, 0, primers, base, &held_events);
    t->actors = add_users(t, t->primers, actors, 0, &t->scenario->events);
    t->user_count = t->primers + t->actors;
    t->user_count += add_users(t, t->user_count, o->beside, base + PRIMERS, &held_events);

    bool joins = ask(t->scenario->joins_first, o);
    for (size_t i = 0; i < t->primers + t->actors; i++)
        t->users[i].joins_first = joins;
    return 0;
}

static void on_wake(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    (void)arg; /* the timer only ends the wait of the loop */
}

static int make_base(load_thread *t)
{
    struct event_config *config = event_config_new();
    if (config == NULL)
        return -ENOMEM;
    event_config_set_flag(config, EVENT_BASE_FLAG_NOLOCK | EVENT_BASE_FLAG_PRECISE_TIMER);
    t->clients.base = event_base_new_with_config(config);
    event_config_free(config);
    t->wake = t->clients.base == NULL ? NULL : evtimer_new(t->clients.base, on_wake, t);
    return t->wake == NULL ? -ENOMEM : 0;
}

static int make_texts(load_thread *t)
{
    const load_options *o = t->options;
    t->texts = (signal_texts){.dialect = o->dialect};
    if (o->second_dialect != NULL && o->dialect->has_sessions)
        t->texts.dialect = o->second_dialect; /* the one of the two whose signals are written by itself */
    if (options_have_sessions(o))
        t->texts.head_bytes = dialect_homecall_2.head_bytes;
    for (int kind = 0; kind < LOAD_KINDS; kind++)
        t->texts.size[kind] = t->scenario->signal_size(t->options, (load_kind)kind);
    if (signal_texts_init(&t->texts) != 0)
        return -ENOMEM;
    t->text = malloc(signal_texts_longest(&t->texts) + DIALECT_MAX_TEXT);
    return t->text == NULL ? -ENOMEM : 0;
}

int load_thread_init(load_thread *t, const load_options *options, struct run *r, unsigned index)
{
    *t = (load_thread){.options = options, .scenario = options->scenario, .run = r, .index = index};
    t->servers = run_servers(r);
    t->clients.sources = options->sources > 1 ? (unsigned)options->sources : 0;
    t->clients.next_source = index;
    t->clients.random = ws_client_clock_ns() * 2 + 1 + (uint64_t)index * UINT64_C(0x9E3779B97F4A7C15);
    t->quota = UINT64_MAX;
    TAILQ_INIT(&t->resting);
    TAILQ_INIT(&t->speaking);
    TAILQ_INIT(&t->owing);
    pthread_mutex_init(&t->lock, NULL);
    for (int kind = 0; kind < LATENCY_KINDS; kind++)
        histogram_init(&t->measured.latency[kind]);
    t->published = t->measured;

    int error = make_base(t);
    if (error == 0)
        error = ws_client_loop_init(&t->clients);
    if (error == 0)
        error = make_texts(t);
    if (error == 0)
        error = make_users(t);
    if (error == 0 && t->scenario->init != NULL)
        error = t->scenario->init(t);
    return error;
}

void load_thread_deinit(load_thread *t)
{
    if (t->scenario == NULL) /* zeroed: it was never made */
        return;
    if (t->scenario->deinit != NULL)
        t->scenario->deinit(t);
    for (size_t i = 0; i < t->user_count; i++)
        ws_client_drop(&t->users[i].client);
    free(t->users);
    free(t->in_flight);
    free(t->sessions);
    free(t->unacked);
    free(t->text);
    signal_texts_deinit(&t->texts);
    ws_client_loop_deinit(&t->clients);
    if (t->wake != NULL)
        event_free(t->wake);
    if (t->clients.base != NULL)
        event_base_free(t->clients.base);
    pthread_mutex_destroy(&t->lock);
}

/* ---- Counting ---- */

void load_fault(load_thread *t, const char *format, ...)
{
    char text[512];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    for (char *c = text; *c != '\0'; c++)
        if ((unsigned char)*c < 0x20)
            *c = ' '; /* so that it is one line */
    run_fault(t->run, text);
}

void load_time(load_thread *t, latency_kind kind, uint64_t since_ns)
{
    if (t->is_measuring)
        histogram_record(&t->measured.latency[kind],
                         t->clients.now_ns > since_ns ? t->clients.now_ns - since_ns : 0);
}

void load_end(load_thread *t, uint64_t due_ns)
{
    t->active--;
    LOAD_COUNT(t, operations, 1);
    load_time(t, LATENCY_OPERATION, due_ns);
}

static void publish(load_thread *t, uint64_t now_ns)
{
    t->published_ns = now_ns;
    pthread_mutex_lock(&t->lock);
    t->published = t->measured;
    t->published_open = t->clients.open;
    t->published_total = t->total;
    pthread_mutex_unlock(&t->lock);
}

/* ---- Operations ---- */

void load_rest(user *u)
{
    if (u->is_resting)
        return;
    u->is_resting = true;
    TAILQ_INSERT_TAIL(&u->thread->resting, u, link);
}

void load_speak(user *u)
{
    TAILQ_INSERT_TAIL(&u->thread->speaking, u, link);
}

/* May one more operation be started now? If so it is counted as started, and was due at *due_ns. */
static bool may_begin(load_thread *t, uint64_t *due_ns)
{
    if (t->quota == 0 || !pacer_take(&t->pacer, t->clients.now_ns, ws_client_random(&t->clients), due_ns))
        return false;
    if (t->quota != UINT64_MAX)
        t->quota--;
    t->active++;
    return true;
}

/* Start all operations that are due, as far as there are users for them. */
static void begin_operations(load_thread *t)
{
    if (!t->is_loaded || t->scenario->begin == NULL)
        return;
    user *u;
    uint64_t due_ns;
    while ((u = TAILQ_FIRST(&t->resting)) != NULL && may_begin(t, &due_ns)) {
        TAILQ_REMOVE(&t->resting, u, link);
        u->is_resting = false;
        t->scenario->begin(u, due_ns);
    }
}

/* One message of each user on the list `speaking`. A user that is put on the list meanwhile waits until the
 * next turn. */
static void speak(load_thread *t)
{
    struct user_list speaking = TAILQ_HEAD_INITIALIZER(speaking);
    TAILQ_CONCAT(&speaking, &t->speaking, link);
    user *u;
    while ((u = TAILQ_FIRST(&speaking)) != NULL) {
        TAILQ_REMOVE(&speaking, u, link);
        if (t->scenario->speak(u))
            load_speak(u);
    }
}

/* ---- Phases ---- */

/* Connect the users before `end` that are to be connected before the load, CONNECTING_AT_ONCE at a time. */
static void connect_starters(load_thread *t, size_t end)
{
    while (t->started < end && t->starting < CONNECTING_AT_ONCE) {
        user *u = &t->users[t->started++];
        bool is_actor = t->started > t->primers && t->started <= t->primers + t->actors;
        if (is_actor && !ask(t->scenario->connects_first, t->options))
            continue;
        u->is_starting = true;
        t->starting++;
        if (!user_connect(u))
            return;
    }
}

static void start_load(load_thread *t)
{
    const load_options *o = t->options;
    double rate = o->rate > 0 || t->scenario->default_rate == NULL ? o->rate : t->scenario->default_rate(o);
    pacer_init(&t->pacer, rate / (double)o->threads, t->scenario->has_poisson_arrivals, t->clients.now_ns,
               ws_client_random(&t->clients));
    t->is_loaded = true;
    if (t->scenario->begin == NULL)
        return;
    for (size_t i = 0; i < t->actors; i++)
        if (t->scenario->may_rest(&t->users[t->primers + i]))
            load_rest(&t->users[t->primers + i]);
}

static void start_measuring(load_thread *t)
{
    if (!t->is_loaded)
        start_load(t);
    t->is_measuring = true;
    uint64_t count = t->scenario->count(t->options);
    if (count > 0)
        t->quota = count * (t->index + 1) / t->options->threads - count * t->index / t->options->threads;
}

static void close_all(load_thread *t)
{
    for (size_t i = 0; i < t->user_count; i++) {
        user *u = &t->users[i];
        if (u->client.state == WS_CLIENT_OPEN) {
            user_close(u);
            LOAD_COUNT(t, closes, 1);
        } else if (u->client.state != WS_CLIENT_CLOSING) {
            ws_client_drop(&u->client);
        }
    }
}

static void enter(load_thread *t, load_phase phase)
{
    t->phase = phase;
    t->has_done_part = false;
    switch (phase) {
    case PHASE_PRIME:
    case PHASE_SETUP:
        break;
    case PHASE_WARMUP:
        start_load(t);
        break;
    case PHASE_MEASURE:
        start_measuring(t);
        break;
    case PHASE_DRAIN:
        t->is_measuring = false;
        t->is_loaded = false;
        break;
    case PHASE_CLOSE:
        close_all(t);
        break;
    case PHASE_END:
        break;
    }
}

/* Is this thread's part of the phase done? */
static bool is_done(load_thread *t)
{
    switch (t->phase) {
    case PHASE_PRIME:
        connect_starters(t, t->primers);
        return t->started == t->primers && t->starting == 0;
    case PHASE_SETUP:
        connect_starters(t, t->user_count);
        return t->started == t->user_count && t->starting == 0;
    case PHASE_MEASURE:
        return t->quota == 0 && t->active == 0;
    case PHASE_DRAIN:
        return t->active == 0;
    case PHASE_CLOSE:
        return t->clients.alive == 0;
    case PHASE_WARMUP:
    case PHASE_END:
        return false;
    }
    return false;
}

/* Enter the phase of the run, and report when this thread's part of it is done. */
static void look_at_phase(load_thread *t)
{
    load_phase wanted = run_phase(t->run);
    if (wanted != t->phase)
        enter(t, wanted);
    if (!t->has_done_part && is_done(t)) {
        t->has_done_part = true;
        publish(t, t->clients.now_ns);
        run_part_done(t->run, t->phase);
    }
}

/* Let the loop wait at most until the next operation is due. */
static void set_wake(load_thread *t)
{
    uint64_t wait_us = LOOK_UP_US;
    if (t->is_loaded && !TAILQ_EMPTY(&t->resting) && t->quota > 0) {
        uint64_t due_us = pacer_wait_ns(&t->pacer, t->clients.now_ns) / 1000 + 1;
        wait_us = due_us < wait_us ? due_us : wait_us;
    } else if (evtimer_pending(t->wake, NULL)) {
        return; /* it fires soon enough, and to set it again would cost a system call */
    }
    struct timeval wait = {.tv_usec = (suseconds_t)wait_us};
    evtimer_add(t->wake, &wait);
}

void *load_thread_run(void *arg)
{
    load_thread *t = arg;
    while (t->phase != PHASE_END) {
        t->clients.now_ns = ws_client_clock_ns();
        look_at_phase(t);
        begin_operations(t);
        speak(t);
        session_2_acknowledge_due(t);
        ws_client_loop_flush(&t->clients);
        if (t->clients.now_ns - t->published_ns > PUBLISH_NS)
            publish(t, t->clients.now_ns);
        set_wake(t);
        event_base_loop(t->clients.base, EVLOOP_ONCE | (TAILQ_EMPTY(&t->speaking) ? 0 : EVLOOP_NONBLOCK));
    }
    publish(t, t->clients.now_ns);
    return NULL;
}
