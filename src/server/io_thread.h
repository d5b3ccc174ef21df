/* IO thread: one thread of a server: its loop, its mailbox, and the session host between them.
 *
 * A worker is one with a shard of the rooms; an acceptor (acceptor.h) is one without, that also listens.
 * Everything in it but the mailbox belongs to the thread while it runs. */
#ifndef HOMECALL_SERVER_IO_THREAD_H
#define HOMECALL_SERVER_IO_THREAD_H

#include "net/loop.h"
#include "server/mailbox.h"
#include "session/session.h"

#include <pthread.h>
#include <stddef.h>
#include <time.h>

typedef struct io_thread io_thread;

struct io_thread {
    pthread_t id;
    const char *kind; /* "worker" or "acceptor": a literal */
    uint8_t number;   /* which one of its kind */
    net_loop loop;
    mailbox mailbox;
    mailbox_list unwoken; /* mailboxes of others that this turn has pushed to */
    session_host host;
    struct event *mail;  /* owned: the mailbox is not empty */
    struct event *grace; /* owned: the time for a drain is over */
    uint32_t shutdown_grace_ms;
    bool is_grace_over;
    bool is_started;                 /* for the starter: join it */
    clockid_t cpu_clock;             /* of its processor time, while it runs */
    counter cpu_at_end_us;           /* that time, once it has ended; 0 before */
    void (*on_drain)(void *context); /* a drain begins: take nothing new; may be NULL */
    void (*on_ended)(void *context); /* the last that the thread does */
    void *context;                   /* borrowed: for on_ended */
    void *drain_context;             /* borrowed: for on_drain */
};

/* Prepare a thread that does not run yet. `host` holds what session_host_init() asks for, but `loop`. 0 or
 * -errno. */
int io_thread_init(io_thread *t, const net_limits *limits, const session_host *host,
                   uint32_t shutdown_grace_ms);

/* Free it. It must not run (any more); sessions left in its mailbox are abandoned. */
void io_thread_deinit(io_thread *t);

/* Run it, with every signal blocked: signals are the embedding program's. 0 or -errno of pthread_create. */
int io_thread_start(io_thread *t);

/* The processor time that it has used, in microseconds. Any thread, while it is started. */
uint64_t io_thread_cpu_us(const io_thread *t);

/* The thread whose host this is. */
static inline io_thread *io_thread_of(session_host *host)
{
    return (io_thread *)(void *)((char *)host - offsetof(io_thread, host));
}

/* Wait for its end. Nothing happens if it was not started. */
void io_thread_join(io_thread *t);

#endif
