/* The signals of the process, and the end that a stop must have.
 *
 * A thread that does nothing else waits for the signals. So it keeps the time of a stop however busy all
 * other threads are: SHUTDOWN_GRACE from the first signal to stop. If the process has not ended by then, it
 * calls `on_overdue`, which must end it. Everything else that signals ask for is done by the main loop, to
 * which each signal is passed on through a descriptor. */
#ifndef HOMECALL_APP_SIGNAL_WATCH_H
#define HOMECALL_APP_SIGNAL_WATCH_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

/* How long after the grace the process is ended: an orderly end takes some time as well. And how long after a
 * second signal, which asks for an end at once. */
enum { SIGNAL_WATCH_MARGIN_MS = 400, SIGNAL_WATCH_AT_ONCE_MS = 500 };

typedef struct signal_watch {
    pthread_t id;      /* valid while fds are open */
    int signal_fd;     /* owned: a signalfd, used by the thread alone */
    int end_fd;        /* owned: an eventfd that has the thread look at the two last but one */
    int fds[2];        /* owned: a pipe with a byte for each signal, its number. Main loop reads fds[0] */
    uint32_t grace_ms; /* from the first signal to stop */
    _Atomic uint64_t until_ms; /* monotonic: when the process must have ended; UINT64_MAX before a stop */
    _Atomic bool is_over;      /* the thread is to end; relaxed, as until_ms */
    void (*on_overdue)(void);  /* ends the process */
} signal_watch;

/* Block the signals of the program in the calling thread, and so in all threads that it starts from now on,
 * and start the thread. SIGPIPE is ignored. To be called before any other thread is started. `on_overdue` is
 * called by the thread. 0; or -errno of signalfd(), pipe2(), eventfd() or thread_start(), and then nothing
 * needs to be stopped. */
int signal_watch_start(signal_watch *w, uint32_t grace_ms, void (*on_overdue)(void));

/* The next signal that has come: its number; 0 when none waits. The main thread, when fds[0] is readable. */
int signal_watch_take(signal_watch *w);

/* A stop begins that no signal has asked for: its time counts from now. The main thread. */
void signal_watch_note_stop(signal_watch *w);

/* End the thread, and close everything. Signals stay blocked. Nothing happens where it was not started and is
 * all zero but for signal_fd, which is -1. */
void signal_watch_stop(signal_watch *w);

#endif
