/* IO thread: one thread of a server, with its loop, its mailbox and its session group.
 *
 * A worker is an IO thread with a shard of the rooms. An acceptor (acceptor.h) contains one without rooms,
 * and also listens. While the thread runs, everything here belongs to it alone, except for the mailbox and
 * the counters. */
#ifndef HOMECALL_SERVER_IO_THREAD_H
#define HOMECALL_SERVER_IO_THREAD_H

#include "base/cache_line.h"
#include "net/loop.h"
#include "server/mailbox.h"
#include "server/worker_cluster.h"
#include "session/session_group.h"

#include <pthread.h>
#include <stddef.h>
#include <time.h>

/* How many descriptors a thread keeps open besides connections and listening sockets: those of its loop, and
 * the mailbox's eventfd. */
enum { IO_THREAD_DESCRIPTORS = NET_LOOP_DESCRIPTORS + 1 };

typedef struct io_thread io_thread;

/* What a thread is made from. */
typedef struct io_thread_plan {
    const char *kind;                   /* "worker" or "acceptor": a literal */
    uint8_t number;                     /* among those of its kind, from 0 */
    int shard;                          /* which shard of the rooms it has, or SESSION_NO_SHARD */
    session_shared *shared;             /* borrowed */
    const worker_cluster_plan *cluster; /* NULL, or its core is, without one; borrowed for the making */
    uint32_t drain_ms;                  /* over how long a drain spreads its closes; 0 = all at once */
    const _Atomic bool
        *is_retiring; /* borrowed: another process takes over; set before the order to drain comes */
    bool (*has_connections)(const void *context); /* has any thread of the server one? Any thread may ask */
    const _Atomic uint64_t *drain_until_us;       /* borrowed; monotonic: when a drain drops what is left. Set
                                                     before the order to drain comes, and not changed any more */
    uint32_t overload_lag_ms;        /* turns that take longer are late; 0 = they are not looked at */
    void (*on_ended)(void *context); /* called by the thread, as the last that it does */
    void *context;                   /* borrowed: for on_ended */
} io_thread_plan;

struct io_thread {
    io_thread_plan plan;
    pthread_t id; /* valid while is_started */
    net_loop loop;
    cache_line_gap before_mailbox; /* other threads write into the mailbox, and only there */
    mailbox mailbox;
    cache_line_gap behind_mailbox;
    mailbox_list to_wake; /* mailboxes of other threads whose readers are woken at the end of the turn */
    session_group group;
    worker_cluster *cluster;     /* owned; NULL without one */
    net_watch mail;              /* the mailbox's eventfd is readable */
    struct event *wave;          /* owned: the next connections of a drain are to be closed */
    uint32_t waves_left;         /* of a drain, after the one that was last */
    bool is_draining;            /* the order to stop has come */
    struct event *grace;         /* owned: the time for the drain is over */
    struct event *overload_over; /* owned: time to see whether the overload of this thread is over */
    struct event *wake_again; /* owned: a reader in to_wake could not be woken, and it is time to try again */
    bool is_grace_over;       /* every connection that still comes is dropped */
    bool is_started;     /* it was started and not joined yet; used by the thread that starts and joins it */
    clockid_t cpu_clock; /* the clock of its processor time, while it runs */
    counter has_failed;  /* 1: epoll has failed, and the thread serves no connection any more */
    counter cpu_at_end_us;          /* its processor time in microseconds when it ended; 0 before */
    void (*on_drain)(io_thread *t); /* called when a drain starts, perhaps twice: accept nothing more. May be
                                       NULL. */
    cache_line_gap end;             /* behind it is the next thread */
};

/* Make what the thread needs; it does not run yet. `plan` is copied, and what it points to borrowed. 0; or
 * -EMFILE, -ENFILE, -ENOMEM, or another -errno of the calls that failed: then nothing needs to be freed. */
int io_thread_init(io_thread *t, const io_thread_plan *plan);

/* Free what io_thread_init() made. The thread must not run (any more), and no other thread may push to its
 * mailbox. Sessions that are left in the mailbox are abandoned. */
void io_thread_deinit(io_thread *t);

/* Start the thread. All signals are blocked in it: they belong to the embedding program. 0 or -errno of
 * pthread_create(). */
int io_thread_start(io_thread *t);

/* Wait until the thread has ended. Nothing happens if it was not started. */
void io_thread_join(io_thread *t);

/* The processor time that it has used, in microseconds. Any thread, after io_thread_start(). */
uint64_t io_thread_cpu_us(const io_thread *t);

/* The thread whose group this is. */
static inline io_thread *io_thread_of(session_group *group)
{
    return (io_thread *)(void *)((char *)group - offsetof(io_thread, group));
}

#endif
