/* One thread of the load generator: its loop, its users, what it may begin and what it has counted.
 *
 * A run goes through phases that all threads enter together (run.h decides when). A thread says when it has
 * done its part of one: the users have connected, the operations have come to their end, the connections are
 * closed. */
#ifndef HOMECALL_BENCH_LOAD_H
#define HOMECALL_BENCH_LOAD_H

#include "measure/result.h"
#include "options.h"
#include "pacer.h"
#include "user.h"
#include "wire/signal_text.h"

#include <event2/event.h>
#include <pthread.h>
#include <stdatomic.h>

typedef struct scenario scenario;
struct run;

/* What the run is at. Each thread is told, and tells when it has done its part. */
typedef enum load_phase {
    PHASE_PRIME,   /* a few connections make the server touch what it touches once */
    PHASE_SETUP,   /* everybody connects who is to be there before the load */
    PHASE_WARMUP,  /* load, not recorded */
    PHASE_MEASURE, /* load, recorded */
    PHASE_DRAIN,   /* what is under way comes to its end */
    PHASE_CLOSE,   /* connections are closed in order */
    PHASE_END,     /* the thread ends; what is open is dropped */
} load_phase;

/* What is recorded, while measuring and in all. */
typedef struct load_record {
    load_counts counts;
    histogram latency[LATENCY_KINDS];
} load_record;

struct load_thread {
    ws_client_loop clients;
    const load_options *options; /* borrowed, as are the next two */
    const scenario *scenario;
    struct run *run;
    unsigned index; /* among the threads */
    pthread_t id;
    struct event *wake; /* owned: fires when the next operation is due, or to look at the phase */
    signal_texts texts;
    char *text; /* owned: where a signal is written */
    pacer pacer;
    void *data; /* the scenario's */

    user *users; /* owned array: those that prime, then the scenario's, then those beside */
    size_t primers, actors, user_count;
    size_t started;                      /* of them, that connect before the load */
    size_t starting;                     /* those whose connection does not stand yet */
    sent_signal *in_flight;              /* owned: the rings of all users */
    uint32_t ring_size;                  /* a power of two */
    TAILQ_HEAD(user_list, user) resting; /* borrowed: those that may begin an operation */
    struct user_list speaking; /* borrowed: those in the middle of something to say, one piece a turn */

    load_phase phase;   /* that it has entered */
    bool has_done_part; /* and done its part of, and said so */
    bool is_loaded;     /* operations begin */
    bool is_measuring;  /* they are recorded */
    uint64_t quota;     /* operations still to begin; UINT64_MAX = no end */
    uint64_t active;    /* under way */
    load_record measured;
    load_counts total;

    pthread_mutex_t lock;        /* guards the next three, which others read */
    load_record published;       /* `measured` as it was a moment ago */
    uint64_t published_open;     /* connections */
    load_counts published_total; /* `total` likewise */
    uint64_t published_ns;       /* when that was; this thread's */
};

/* Prepare a thread with its share of the users. 0 or -errno. */
int load_thread_init(load_thread *t, const load_options *options, struct run *r, unsigned index);
void load_thread_deinit(load_thread *t);

/* The thread itself; `arg` is the load_thread. */
void *load_thread_run(void *arg);

/* ---- For scenarios ---- */

/* This user may begin an operation when one is due. */
void load_rest(user *u);

/* Let the user speak one piece in each turn: scenario.speak. */
void load_speak(user *u);

/* An operation has come to its end: it is counted, and timed from `due_ns`. */
void load_end(load_thread *t, uint64_t due_ns);

/* Count something; `counter` is a member of load_counts. */
#define LOAD_COUNT(thread, counter, n)                \
    do {                                              \
        (thread)->total.counter += (n);               \
        if ((thread)->is_measuring)                   \
            (thread)->measured.counts.counter += (n); \
    } while (0)

/* Time something. */
void load_time(load_thread *t, latency_kind kind, uint64_t since_ns);

/* The server (or we) did what must not be: end the run with this line. */
void load_fault(load_thread *t, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
