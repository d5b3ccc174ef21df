/* To be loaded into a program with LD_PRELOAD: the FAIL_NTH-th call of one class, FAIL_CALL, fails, and all
 * others are what they always are. The classes are in the table below; calls are counted over all threads,
 * each class apart. The environment says what is to be done:
 *
 * - FAIL_CALL and FAIL_NTH: the class, and which of its calls. Without them nothing fails.
 * - FAIL_ERRNO: the number of the error. 0: the call moves less than it was asked to move.
 * - FAIL_HOW: "once"; or "burst": eight calls in a row. And to see whether a test notices it: "always", which
 * is all calls from there on; "crash": the process dies there; "leak": it goes well, and some memory is lost.
 * - FAIL_REPORT: a file to which the process writes when it ends in order: for each class its name and how
 * many calls there were, and "reached" with 1 or 0.
 * - FAIL_TRACE: if set, the stack of the call that fails is written to standard error.
 *
 * Only what the kernel can refuse is counted: epoll_ctl() fails for a new descriptor only, fcntl() when it
 * makes one. Calls that glibc makes inside of itself are not seen. The functions behind these are found by
 * dlsym(), so those of a sanitizer are called when it is loaded behind this file. */
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <execinfo.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/random.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <sys/uio.h>
#include <unistd.h>

typedef enum call_class {
    MALLOC,          /* malloc, calloc, realloc, aligned_alloc, posix_memalign */
    ACCEPT4,         /* accept4 */
    RECV,            /* recv, readv: the second is how libevent reads */
    SEND,            /* send, sendto, writev: the last is how libevent writes */
    READ,            /* read, pread, eventfd_read */
    WRITE,           /* write */
    EVENTFD_WRITE,   /* eventfd_write */
    EPOLL_CTL,       /* epoll_ctl for a new descriptor */
    EVENTFD,         /* eventfd */
    TIMERFD_CREATE,  /* timerfd_create */
    TIMERFD_SETTIME, /* timerfd_settime */
    PTHREAD_CREATE,  /* pthread_create */
    SOCKET,          /* socket */
    DESCRIPTOR,      /* what else makes descriptors: epoll_create1, pipe2, signalfd, fcntl that duplicates */
    OPEN,            /* open, fopen, opendir */
    GETRANDOM,       /* getrandom */
    CLASSES
} call_class;

static const char *const names[CLASSES] = {
    [MALLOC] = "malloc",
    [ACCEPT4] = "accept4",
    [RECV] = "recv",
    [SEND] = "send",
    [READ] = "read",
    [WRITE] = "write",
    [EVENTFD_WRITE] = "eventfd_write",
    [EPOLL_CTL] = "epoll_ctl",
    [EVENTFD] = "eventfd",
    [TIMERFD_CREATE] = "timerfd_create",
    [TIMERFD_SETTIME] = "timerfd_settime",
    [PTHREAD_CREATE] = "pthread_create",
    [SOCKET] = "socket",
    [DESCRIPTOR] = "descriptor",
    [OPEN] = "open",
    [GETRANDOM] = "getrandom",
};

typedef enum how { ONCE, BURST, ALWAYS, CRASH, LEAK, HOWS } how;

static const char *const how_names[HOWS] = {"once", "burst", "always", "crash", "leak"};

/* What begin() has read, and the counts. */
static struct {
    call_class failing; /* CLASSES = none */
    unsigned long nth;
    int error; /* 0 = a short count */
    how how;
    bool traces;
    _Atomic bool is_reached;
    _Atomic unsigned long counts[CLASSES];
} state = {.failing = CLASSES};

/* ---- What fails ---- */

static const char *setting(const char *name, const char *otherwise)
{
    const char *text = getenv(name);
    return text == NULL ? otherwise : text;
}

__attribute__((constructor)) static void begin(void)
{
    const char *name = setting("FAIL_CALL", "");
    const char *how = setting("FAIL_HOW", "once");
    state.nth = strtoul(setting("FAIL_NTH", "0"), NULL, 10);
    state.error = atoi(setting("FAIL_ERRNO", "0"));
    for (int i = 0; i < HOWS; i++)
        state.how = strcmp(how, how_names[i]) == 0 ? (enum how)i : state.how;
    state.traces = getenv("FAIL_TRACE") != NULL;
    if (state.traces) {
        void *frame;
        backtrace(&frame, 1); /* its first call allocates */
    }
    for (int i = 0; i < CLASSES; i++)
        atomic_store(&state.counts[i], 0); /* what the dynamic linker did is not counted */
    for (int i = 0; i < CLASSES && state.nth > 0; i++)
        state.failing = strcmp(name, names[i]) == 0 ? (call_class)i : state.failing;
}

__attribute__((destructor)) static void end(void)
{
    unsigned long counts[CLASSES];
    for (int i = 0; i < CLASSES; i++)
        counts[i] = atomic_load(&state.counts[i]);
    state.failing = CLASSES;
    const char *path = getenv("FAIL_REPORT");
    FILE *file = path == NULL ? NULL : fopen(path, "w");
    if (file == NULL)
        return;
    for (int i = 0; i < CLASSES; i++)
        fprintf(file, "%s %lu\n", names[i], counts[i]);
    fprintf(file, "reached %d\n", atomic_load(&state.is_reached));
    fclose(file);
}

/* The call that fails is here. */
static void reach(void)
{
    enum { FRAMES = 40 };
    void *frames[FRAMES];
    atomic_store(&state.is_reached, true);
    if (state.how == CRASH)
        abort();
    if (state.how == LEAK) {
        void *volatile lost = malloc(1000);
        lost = NULL;
        (void)lost;
    }
    if (state.traces)
        backtrace_symbols_fd(frames, backtrace(frames, FRAMES), STDERR_FILENO);
}

/* Count a call of this class. Is it to fail, or to be short? */
static bool is_hit(call_class class)
{
    enum { IN_A_BURST = 8 };
    unsigned long now = atomic_fetch_add(&state.counts[class], 1) + 1;
    unsigned long last = state.how == ALWAYS  ? now
                         : state.how == BURST ? state.nth + IN_A_BURST - 1
                                              : state.nth;
    if (class != state.failing || now < state.nth || now > last)
        return false;
    reach();
    return state.how != LEAK;
}

/* The same for calls that can't be short. */
static bool must_fail(call_class class)
{
    if (!is_hit(class))
        return false;
    errno = state.error;
    return true;
}

/* The same for calls that can be short: -1 if it is to fail, else how much it may move of `len`. */
static ssize_t allow(call_class class, size_t len)
{
    if (!is_hit(class))
        return (ssize_t)len;
    errno = state.error;
    return state.error != 0 ? -1 : (ssize_t)(len > 1 ? (len + 1) / 2 : len);
}

/* The function behind this file. `out` is a pointer to a pointer to a function. */
static void find_next(const char *name, void *out)
{
    void *found = dlsym(RTLD_NEXT, name);
    memcpy(out, &found, sizeof(found));
}

/* NEXT(type, name, parameters): declares `next`, the function of that name behind this file. */
#define NEXT(type, name, ...)         \
    static type (*next)(__VA_ARGS__); \
    if (next == NULL)                 \
    find_next(name, &next)

/* ---- Memory ---- */

void *malloc(size_t size)
{
    NEXT(void *, "malloc", size_t);
    return must_fail(MALLOC) ? NULL : next(size);
}

void *calloc(size_t count, size_t size)
{
    NEXT(void *, "calloc", size_t, size_t);
    return must_fail(MALLOC) ? NULL : next(count, size);
}

void *realloc(void *old, size_t size)
{
    NEXT(void *, "realloc", void *, size_t);
    return must_fail(MALLOC) ? NULL : next(old, size);
}

void *aligned_alloc(size_t alignment, size_t size)
{
    NEXT(void *, "aligned_alloc", size_t, size_t);
    return must_fail(MALLOC) ? NULL : next(alignment, size);
}

int posix_memalign(void **out, size_t alignment, size_t size)
{
    NEXT(int, "posix_memalign", void **, size_t, size_t);
    return must_fail(MALLOC) ? state.error : next(out, alignment, size);
}

/* ---- Sockets ---- */

int socket(int family, int type, int protocol)
{
    NEXT(int, "socket", int, int, int);
    return must_fail(SOCKET) ? -1 : next(family, type, protocol);
}

int accept4(int fd, struct sockaddr *address, socklen_t *len, int flags)
{
    NEXT(int, "accept4", int, struct sockaddr *, socklen_t *, int);
    return must_fail(ACCEPT4) ? -1 : next(fd, address, len, flags);
}

ssize_t recv(int fd, void *data, size_t len, int flags)
{
    NEXT(ssize_t, "recv", int, void *, size_t, int);
    ssize_t allowed = allow(RECV, len);
    return allowed < 0 ? -1 : next(fd, data, allowed < (ssize_t)len ? 1 : len, flags); /* short: a byte */
}

ssize_t readv(int fd, const struct iovec *parts, int count)
{
    NEXT(ssize_t, "readv", int, const struct iovec *, int);
    ssize_t allowed = allow(RECV, 2);
    if (allowed == 2 || count == 0)
        return next(fd, parts, count);
    const struct iovec first = {.iov_base = parts[0].iov_base, .iov_len = 1};
    return allowed < 0 ? -1 : next(fd, &first, 1);
}

ssize_t send(int fd, const void *data, size_t len, int flags)
{
    NEXT(ssize_t, "send", int, const void *, size_t, int);
    ssize_t allowed = allow(SEND, len);
    return allowed < 0 ? -1 : next(fd, data, (size_t)allowed, flags);
}

ssize_t sendto(int fd, const void *data, size_t len, int flags, const struct sockaddr *to, socklen_t to_len)
{
    NEXT(ssize_t, "sendto", int, const void *, size_t, int, const struct sockaddr *, socklen_t);
    ssize_t allowed = allow(SEND, len);
    return allowed < 0 ? -1 : next(fd, data, len, flags, to, to_len); /* a datagram is never short */
}

ssize_t writev(int fd, const struct iovec *parts, int count)
{
    NEXT(ssize_t, "writev", int, const struct iovec *, int);
    ssize_t allowed = allow(SEND, 2);
    if (allowed == 2 || count == 0)
        return next(fd, parts, count);
    const struct iovec first = {.iov_base = parts[0].iov_base, .iov_len = (parts[0].iov_len + 1) / 2};
    return allowed < 0 ? -1 : next(fd, &first, 1);
}

/* ---- Other descriptors ---- */

/* What is read has a size of its own in eventfds, timerfds and signalfds: a short count is nothing of theirs,
 * and there the next smaller thing comes, EAGAIN. */
static bool is_whole(size_t len)
{
    return len <= sizeof(eventfd_t) || len == sizeof(struct signalfd_siginfo);
}

ssize_t read(int fd, void *data, size_t len)
{
    NEXT(ssize_t, "read", int, void *, size_t);
    ssize_t allowed = allow(READ, len);
    if (allowed < (ssize_t)len && allowed >= 0 && is_whole(len)) {
        errno = EAGAIN;
        return -1;
    }
    return allowed < 0 ? -1 : next(fd, data, (size_t)allowed);
}

ssize_t pread64(int fd, void *data, size_t len, off64_t offset)
{
    NEXT(ssize_t, "pread64", int, void *, size_t, off64_t);
    ssize_t allowed = allow(READ, len);
    return allowed < 0 ? -1 : next(fd, data, (size_t)allowed, offset);
}

int eventfd_read(int fd, eventfd_t *value)
{
    NEXT(int, "eventfd_read", int, eventfd_t *);
    if (!must_fail(READ))
        return next(fd, value);
    errno = EAGAIN; /* without a wait there is no other */
    return -1;
}

ssize_t write(int fd, const void *data, size_t len)
{
    NEXT(ssize_t, "write", int, const void *, size_t);
    ssize_t allowed = allow(WRITE, len);
    return allowed < 0 ? -1 : next(fd, data, (size_t)allowed);
}

int eventfd_write(int fd, eventfd_t value)
{
    NEXT(int, "eventfd_write", int, eventfd_t);
    return must_fail(EVENTFD_WRITE) ? -1 : next(fd, value);
}

int epoll_ctl(int epoll, int what, int fd, struct epoll_event *event)
{
    NEXT(int, "epoll_ctl", int, int, int, struct epoll_event *);
    return what == EPOLL_CTL_ADD && must_fail(EPOLL_CTL) ? -1 : next(epoll, what, fd, event);
}

int eventfd(unsigned value, int flags)
{
    NEXT(int, "eventfd", unsigned, int);
    return must_fail(EVENTFD) ? -1 : next(value, flags);
}

int timerfd_create(clockid_t clock, int flags)
{
    NEXT(int, "timerfd_create", clockid_t, int);
    return must_fail(TIMERFD_CREATE) ? -1 : next(clock, flags);
}

int timerfd_settime(int fd, int flags, const struct itimerspec *value, struct itimerspec *old)
{
    NEXT(int, "timerfd_settime", int, int, const struct itimerspec *, struct itimerspec *);
    return must_fail(TIMERFD_SETTIME) ? -1 : next(fd, flags, value, old);
}

int epoll_create1(int flags)
{
    NEXT(int, "epoll_create1", int);
    return must_fail(DESCRIPTOR) ? -1 : next(flags);
}

int pipe2(int fds[2], int flags)
{
    NEXT(int, "pipe2", int *, int);
    return must_fail(DESCRIPTOR) ? -1 : next(fds, flags);
}

int signalfd(int fd, const sigset_t *signals, int flags)
{
    NEXT(int, "signalfd", int, const sigset_t *, int);
    return must_fail(DESCRIPTOR) ? -1 : next(fd, signals, flags);
}

int fcntl64(int fd, int command, ...)
{
    NEXT(int, "fcntl64", int, int, ...);
    va_list list;
    va_start(list, command);
    void *argument = va_arg(list, void *); /* as glibc does: a number is passed in the same way */
    va_end(list);
    return command == F_DUPFD_CLOEXEC && must_fail(DESCRIPTOR) ? -1 : next(fd, command, argument);
}

/* ---- Files, threads, random numbers ---- */

int open64(const char *path, int flags, ...)
{
    NEXT(int, "open64", const char *, int, ...);
    va_list list;
    va_start(list, flags);
    mode_t mode = (flags & O_CREAT) != 0 ? va_arg(list, mode_t) : 0;
    va_end(list);
    return must_fail(OPEN) ? -1 : next(path, flags, mode);
}

FILE *fopen64(const char *path, const char *mode)
{
    NEXT(FILE *, "fopen64", const char *, const char *);
    return must_fail(OPEN) ? NULL : next(path, mode);
}

DIR *opendir(const char *path)
{
    NEXT(DIR *, "opendir", const char *);
    return must_fail(OPEN) ? NULL : next(path);
}

int pthread_create(pthread_t *id, const pthread_attr_t *attributes, void *(*run)(void *), void *argument)
{
    NEXT(int, "pthread_create", pthread_t *, const pthread_attr_t *, void *(*)(void *), void *);
    return must_fail(PTHREAD_CREATE) ? state.error : next(id, attributes, run, argument);
}

ssize_t getrandom(void *data, size_t len, unsigned flags)
{
    NEXT(ssize_t, "getrandom", void *, size_t, unsigned);
    return must_fail(GETRANDOM) ? -1 : next(data, len, flags);
}
