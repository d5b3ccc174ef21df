/* IO thread: one thread of a server: its loop, its mailbox, and the session group between them.
 *
 * A worker is one with a shard of the rooms; an acceptor (acceptor.h) is one without, that also listens.
 * Everything in it but the mailbox belongs to the thread while it runs. */
#ifndef HOMECALL_SERVER_IO_THREAD_H
#define HOMECALL_SERVER_IO_THREAD_H

#include "net/loop.h"
#include "server/mailbox.h"
#include "session/session_group.h"

#include <pthread.h>
#include <stddef.h>
#include <time.h>

/* What a thread keeps open besides connections and sockets that listen: its loop, and the mailbox's wake-up.
 */
enum { IO_THREAD_DESCRIPTORS = NET_LOOP_DESCRIPTORS + 1 };

typedef struct io_thread io_thread;

/* What a thread is made from. */
typedef struct io_thread_plan {
    const char *kind;                /* "worker" or "acceptor": a literal */
    uint8_t number;                  /* which one of its kind */
    int shard;                       /* of the rooms, or SESSION_NO_SHARD */
    session_shared *shared;          /* borrowed */
    uint32_t shutdown_grace_ms;      /* for a drain */
    void (*on_ended)(void *context); /* the last that the thread does */
    void *context;                   /* borrowed: for on_ended */
} io_thread_plan;

struct io_thread {
    io_thread_plan plan;
    pthread_t id;
    net_loop loop;
    mailbox mailbox;
    mailbox_list to_wake; /* mailboxes of others that this turn has pushed to */
    session_group group;
    struct event *mail;  /* owned: the mailbox is not empty */
    struct event *grace; /* owned: the time for a drain is over */
    bool is_grace_over;
    bool is_started;                /* for the starter: join it */
    clockid_t cpu_clock;            /* of its processor time, while it runs */
    counter has_failed;             /* 1: its loop can't be waited on, and it serves nobody */
    counter cpu_at_end_us;          /* that time, once it has ended; 0 before */
    void (*on_drain)(io_thread *t); /* a drain begins: take nothing new; may be NULL */
};

/* Prepare a thread that does not run yet. 0 or -errno. */
int io_thread_init(io_thread *t, const io_thread_plan *plan);

/* Free it. It must not run (any more); sessions left in its mailbox are abandoned. */
void io_thread_deinit(io_thread *t);

/* Run it, with every signal blocked: signals are the embedding program's. 0 or -errno of pthread_create. */
int io_thread_start(io_thread *t);

/* The processor time that it has used, in microseconds. Any thread, while it is started. */
uint64_t io_thread_cpu_us(const io_thread *t);

/* The thread whose group this is. */
static inline io_thread *io_thread_of(session_group *group)
{
    return (io_thread *)(void *)((char *)group - offsetof(io_thread, group));
}

/* Wait for its end. Nothing happens if it was not started. */
void io_thread_join(io_thread *t);

#endif
