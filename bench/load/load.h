/* One thread of the load generator, with its loop, its users and its counters.
 *
 * A run goes through phases. run.c decides when the next one starts, and each thread enters it soon after. In
 * some phases a thread reports when its part is done: its users have connected, its operations have ended,
 * its connections are closed. */
#ifndef HOMECALL_BENCH_LOAD_H
#define HOMECALL_BENCH_LOAD_H

#include "measure/result.h"
#include "options.h"
#include "pacer.h"
#include "session_2.h"
#include "wire/signal_text.h"

#include <event2/event.h>
#include <pthread.h>
#include <stdatomic.h>

typedef struct scenario scenario;
struct run;

/* The phases of a run, in this order. */
typedef enum load_phase {
    PHASE_PRIME,   /* a few users connect first, so that the server allocates what it allocates only once */
    PHASE_SETUP,   /* all other users connect that are to be connected before the load starts */
    PHASE_WARMUP,  /* there is load, but it is not recorded */
    PHASE_MEASURE, /* there is load, and it is recorded */
    PHASE_DRAIN,   /* no operation is started any more; those under way end */
    PHASE_CLOSE,   /* the connections are closed in order */
    PHASE_END,     /* the threads end, and drop what is still open */
} load_phase;

/* What one thread records while it measures. */
typedef struct load_record {
    load_counts counts;
    histogram latency[LATENCY_KINDS];
} load_record;

struct load_thread {
    ws_client_loop clients;
    const load_options *options; /* borrowed, as are the next three */
    const scenario *scenario;
    const server_list *servers;
    struct run *run;
    unsigned index; /* among the threads, from 0 */
    pthread_t id;
    struct event *wake; /* owned timer: ends a wait of the loop, so that due operations are started and the
                           phase is looked at */
    signal_texts texts;
    char *text; /* owned: the buffer in which a signal is written */
    pacer pacer;
    void *data; /* for the scenario */

    user *users; /* owned array: first those of PHASE_PRIME, then those of the scenario, then the idle ones */
    size_t primers;            /* how many of them are for PHASE_PRIME */
    size_t actors;             /* how many belong to the scenario */
    size_t user_count;         /* how many there are in all */
    size_t started;            /* how many have started to connect before the load */
    size_t starting;           /* how many of these are not settled yet */
    sent_signal *in_flight;    /* owned: the rings of all users */
    uint32_t ring_size;        /* of each ring; a power of two */
    session_2 *sessions;       /* owned array: one for each user; NULL if no dialect has sessions */
    session_2_signal *unacked; /* owned: the rings of all sessions */
    uint32_t unacked_size;     /* of each of these; a power of two */
    TAILQ_HEAD(session_2_list, session_2)
    owing; /* borrowed: sessions that owe an acknowledgement, who owes it for the longest time first */
    TAILQ_HEAD(user_list, user) resting; /* borrowed: users that may start an operation */
    struct user_list speaking; /* borrowed: users that send their messages one by one, one in each turn */

    load_phase phase;   /* the phase that this thread has entered */
    bool has_done_part; /* it has done its part of the phase, and has reported that */
    bool is_loaded;     /* operations are started */
    bool is_measuring;  /* what happens is recorded in `measured` */
    uint64_t quota;     /* how many operations are still to be started; UINT64_MAX = no limit */
    uint64_t active;    /* operations that have started and not ended */
    load_record measured;
    load_counts total; /* of the whole run */
    refusals refusals; /* the same: by their status. The main thread reads it when this one has ended */

    pthread_mutex_t lock;        /* guards the next three, which the main thread reads */
    load_record published;       /* a copy of `measured`, some milliseconds old */
    uint64_t published_open;     /* how many connections were open then */
    load_counts published_total; /* a copy of `total` */
    uint64_t published_ns;       /* when they were copied; only for this thread */
};

/* Make a thread with its share of the users; it does not run yet. Everything given is borrowed. 0 or -errno;
 * load_thread_deinit() is necessary also after a failure. */
int load_thread_init(load_thread *t, const load_options *options, struct run *r, unsigned index);

/* Free it; the thread must not run (any more). A zeroed one is legal. */
void load_thread_deinit(load_thread *t);

/* What the thread runs, for pthread_create(); `arg` is the load_thread. */
void *load_thread_run(void *arg);

/* ---- For scenarios: on the thread ---- */

/* From now on this user may start an operation when one is due. */
void load_rest(user *u);

/* Have scenario.speak called for this user in each turn, until it returns false. */
void load_speak(user *u);

/* An operation has ended: count it, and record how long it took since `due_ns`. */
void load_end(load_thread *t, uint64_t due_ns);

/* Add `n` to a counter, which is a member of load_counts. */
#define LOAD_COUNT(thread, counter, n)                \
    do {                                              \
        (thread)->total.counter += (n);               \
        if ((thread)->is_measuring)                   \
            (thread)->measured.counts.counter += (n); \
    } while (0)

/* Record a latency: from `since_ns` until now. */
void load_time(load_thread *t, latency_kind kind, uint64_t since_ns);

/* The server has made a fault, or this program can't go on: end the run with this message. */
void load_fault(load_thread *t, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
