#include "app/signal_watch.h"

#include "base/clock.h"
#include "base/descriptor.h"
#include "base/thread.h"
#include "base/wake_up.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <unistd.h>

/* ---- The thread ---- */

static uint64_t earlier(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

/* The first signal to stop starts the grace, the second one ends it. */
static void note_stop(signal_watch *w)
{
    uint64_t now_ms = clock_monotonic_ms();
    bool is_first = w->until_ms == UINT64_MAX;
    uint64_t span_ms = is_first ? (uint64_t)w->grace_ms + SIGNAL_WATCH_MARGIN_MS : SIGNAL_WATCH_AT_ONCE_MS;
    w->until_ms = earlier(w->until_ms, now_ms + span_ms);
}

/* The kernel may have no memory for the byte: a signal is not to be lost for that, so it is tried for a
 * while. If the pipe is full, the main loop has thousands of signals to go through, and this one is lost in
 * the end. The time of a stop is kept anyway. */
static void pass_on(signal_watch *w, unsigned number)
{
    enum { TRIES = 20, PAUSE_MS = 1 };
    const unsigned char byte = (unsigned char)number;
    for (int i = 0; i < TRIES && write(w->fds[1], &byte, 1) != 1; i++) {
        if (errno != EINTR)
            poll(NULL, 0, PAUSE_MS);
    }
}

static void take_signals(signal_watch *w)
{
    struct signalfd_siginfo info;
    while (read(w->signal_fd, &info, sizeof(info)) == (ssize_t)sizeof(info)) {
        if (info.ssi_signo == SIGTERM || info.ssi_signo == SIGINT)
            note_stop(w);
        pass_on(w, info.ssi_signo);
    }
}

/* How long to wait: at most a second, so that a poll() that fails for some reason does no harm. */
static int wait_ms(const signal_watch *w)
{
    enum { LONGEST_MS = 1000 };
    if (w->until_ms == UINT64_MAX)
        return -1;
    uint64_t now_ms = clock_monotonic_ms();
    return w->until_ms > now_ms ? (int)earlier(w->until_ms - now_ms, LONGEST_MS) : 0;
}

static void *run(void *arg)
{
    signal_watch *w = arg;
    enum { SIGNALS, END, FDS };
    struct pollfd fds[FDS] = {
        [SIGNALS] = {.fd = w->signal_fd, .events = POLLIN}, [END] = {.fd = w->end_fd, .events = POLLIN}};
    for (;;) {
        int ready = poll(fds, FDS, wait_ms(w));
        eventfd_t value;
        if (ready > 0 && fds[END].revents != 0)
            (void)eventfd_read(w->end_fd, &value);
        if (atomic_load(&w->is_over))
            return NULL;
        if (ready > 0)
            take_signals(w);
        if (clock_monotonic_ms() >= w->until_ms)
            w->on_overdue();
    }
}

/* ---- Its life ---- */

static void close_all(signal_watch *w)
{
    descriptor_close(&w->signal_fd);
    descriptor_close(&w->end_fd);
    descriptor_close(&w->fds[0]);
    descriptor_close(&w->fds[1]);
}

static int open_all(signal_watch *w)
{
    static const int numbers[] = {SIGTERM, SIGINT, SIGHUP, SIGUSR1, SIGUSR2};
    sigset_t signals;
    sigemptyset(&signals);
    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
        sigaddset(&signals, numbers[i]);
    int error = -pthread_sigmask(SIG_BLOCK, &signals, NULL);
    if (error != 0)
        return error;
    if (signal(SIGPIPE, SIG_IGN) == SIG_ERR)
        return -errno;
    w->signal_fd = signalfd(-1, &signals, SFD_NONBLOCK | SFD_CLOEXEC);
    if (w->signal_fd < 0)
        return -errno;
    w->end_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (w->end_fd < 0 || pipe2(w->fds, O_NONBLOCK | O_CLOEXEC) != 0)
        return -errno;
    return 0;
}

int signal_watch_start(signal_watch *w, uint32_t grace_ms, void (*on_overdue)(void))
{
    *w = (signal_watch){.signal_fd = -1,
                        .end_fd = -1,
                        .fds = {-1, -1},
                        .grace_ms = grace_ms,
                        .until_ms = UINT64_MAX,
                        .on_overdue = on_overdue};
    int error = open_all(w);
    if (error == 0)
        error = thread_start(&w->id, "hc-signals", run, w);
    if (error != 0)
        close_all(w);
    return error;
}

void signal_watch_note_stop(signal_watch *w)
{
    note_stop(w);
    (void)wake_up_patiently(w->end_fd);
}

int signal_watch_take(signal_watch *w)
{
    unsigned char number;
    return read(w->fds[0], &number, 1) == 1 ? number : 0;
}

void signal_watch_stop(signal_watch *w)
{
    if (w->signal_fd < 0)
        return;
    atomic_store(&w->is_over, true);
    if (wake_up_patiently(w->end_fd) == 0)
        pthread_join(w->id, NULL);
    close_all(w);
}
