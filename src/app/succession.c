#include "app/succession.h"

#include "base/descriptor.h"
#include "base/memory_text.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* sd_listen_fds(3): the first socket that is passed on. */
enum { FIRST_FD = 3 };

static const char ready_variable[] = "HOMECALL_READY_FD";

extern char **environ;

/* ---- What the successor gets ---- */

/* Everything is made before fork(), since between that and exec only few functions may be called. */
typedef struct heritage {
    char **argv;         /* borrowed */
    char **environment;  /* owned array; the first four strings are the next four, the others are borrowed */
    char listen_pid[32]; /* its number is filled in by the successor */
    char listen_fds[32];
    char *listen_names; /* owned */
    char ready[48];
    int *fds; /* owned array: duplicates whose numbers are above all that the successor gets; owned; -1 = none
               */
    size_t count; /* of fds: the sockets, and our pipe's other end as the last */
} heritage;

static const char *name_of(const signal_server_socket *socket, bool owns_paths)
{
    switch (socket->kind) {
    case SIGNAL_SERVER_SOCKET_TLS:
        return "wss";
    case SIGNAL_SERVER_SOCKET_ADMIN:
        return "admin";
    case SIGNAL_SERVER_SOCKET_PLAIN:
        break;
    }
    return owns_paths ? "ws-own" : "ws";
}

static char *write_names(const signal_server_socket *sockets, size_t count, bool owns_paths)
{
    char *text = NULL;
    size_t len = 0;
    FILE *out = open_memstream(&text, &len);
    if (out == NULL)
        return NULL;
    fputs("LISTEN_FDNAMES=", out);
    for (size_t i = 0; i < count; i++)
        fprintf(out, "%s%s", i == 0 ? "" : ":", name_of(&sockets[i], owns_paths));
    return memory_text_close(out, &text) ? text : NULL;
}

static bool is_variable(const char *text, const char *name)
{
    size_t len = strlen(name);
    return strncmp(text, name, len) == 0 && text[len] == '=';
}

/* WATCHDOG_PID names this process, and the successor gives the signs of life from now on. */
static bool is_replaced(const char *text)
{
    return is_variable(text, "LISTEN_PID") || is_variable(text, "LISTEN_FDS") ||
           is_variable(text, "LISTEN_FDNAMES") || is_variable(text, "WATCHDOG_PID") ||
           is_variable(text, ready_variable);
}

static int make_environment(heritage *h)
{
    size_t count = 0;
    while (environ[count] != NULL)
        count++;
    h->environment = calloc(count + 5, sizeof(*h->environment));
    if (h->environment == NULL)
        return -ENOMEM;
    size_t used = 0;
    h->environment[used++] = h->listen_pid;
    h->environment[used++] = h->listen_fds;
    h->environment[used++] = h->listen_names;
    h->environment[used++] = h->ready;
    for (size_t i = 0; i < count; i++) {
        if (!is_replaced(environ[i]))
            h->environment[used++] = environ[i];
    }
    return 0;
}

static int duplicate(heritage *h, int fd)
{
    int lowest = FIRST_FD + (int)h->count + 1;
    for (size_t i = 0; i < h->count; i++) {
        if (h->fds[i] >= 0)
            continue;
        h->fds[i] = fcntl(fd, F_DUPFD_CLOEXEC, lowest);
        return h->fds[i] < 0 ? -errno : 0;
    }
    return -ENOSPC;
}

static void free_heritage(heritage *h)
{
    for (size_t i = 0; h->fds != NULL && i < h->count; i++)
        descriptor_close(&h->fds[i]);
    free(h->fds);
    free(h->environment);
    free(h->listen_names);
}

/* After a failure it must be freed as well. */
static int make_heritage(heritage *h, const signal_server_socket *sockets, size_t count, bool owns_paths,
                         int ready_fd)
{
    h->count = count + 1;
    h->fds = malloc(h->count * sizeof(*h->fds));
    if (h->fds == NULL)
        return -ENOMEM;
    for (size_t i = 0; i < h->count; i++)
        h->fds[i] = -1;
    h->listen_names = write_names(sockets, count, owns_paths);
    if (h->listen_names == NULL)
        return -ENOMEM;
    snprintf(h->listen_pid, sizeof(h->listen_pid), "LISTEN_PID=");
    snprintf(h->listen_fds, sizeof(h->listen_fds), "LISTEN_FDS=%zu", count);
    snprintf(h->ready, sizeof(h->ready), "%s=%zu", ready_variable, FIRST_FD + count);
    int error = make_environment(h);
    for (size_t i = 0; i < count && error == 0; i++)
        error = duplicate(h, sockets[i].fd);
    return error != 0 ? error : duplicate(h, ready_fd);
}

/* ---- The successor, between fork and exec ---- */

/* sprintf() is none of the functions that may be called here. */
static void append_number(char *text, unsigned number)
{
    char digits[12];
    size_t count = 0;
    do
        digits[count++] = (char)('0' + number % 10);
    while ((number /= 10) > 0);
    text += strlen(text);
    while (count > 0)
        *text++ = digits[--count];
    *text = '\0';
}

static void become(heritage *h)
{
    sigset_t none;
    sigemptyset(&none);
    append_number(h->listen_pid, (unsigned)getpid());
    signal(SIGPIPE, SIG_DFL);
    for (size_t i = 0; i < h->count; i++) {
        if (dup2(h->fds[i], FIRST_FD + (int)i) < 0)
            _exit(127);
    }
    sigprocmask(SIG_SETMASK, &none, NULL);
    execvpe(h->argv[0], h->argv, h->environment);
    _exit(127);
}

/* ---- This process ---- */

int succession_start(succession *s, char *const argv[], const signal_server_socket *sockets, size_t count,
                     bool owns_paths)
{
    int ends[2];
    if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) != 0)
        return -errno;
    heritage h = {.argv = (char **)(uintptr_t)argv};
    int error = make_heritage(&h, sockets, count, owns_paths, ends[1]);
    if (error == 0) {
        pid_t pid = fork();
        if (pid == 0)
            become(&h);
        error = pid < 0 ? -errno : 0;
        s->pid = pid;
    }
    free_heritage(&h);
    close(ends[1]);
    s->ready_fd = ends[0];
    if (error != 0) {
        s->pid = 0;
        descriptor_close(&s->ready_fd);
    }
    return error;
}

void succession_abandon(succession *s)
{
    descriptor_close(&s->ready_fd);
    if (s->pid <= 0)
        return;
    (void)kill(s->pid, SIGKILL); /* it serves nobody yet */
    while (waitpid(s->pid, NULL, 0) < 0 && errno == EINTR)
        continue;
    s->pid = 0;
}

bool succession_conclude(succession *s)
{
    char byte;
    bool serves = read(s->ready_fd, &byte, 1) == 1;
    descriptor_close(&s->ready_fd);
    if (!serves)
        succession_abandon(s);
    return serves;
}

/* ---- The other side ---- */

int succession_take_ready_fd(void)
{
    const char *text = getenv(ready_variable);
    char *end = NULL;
    long fd = text == NULL ? -1 : strtol(text, &end, 10);
    bool is_fd =
        text != NULL && *text >= '0' && *text <= '9' && *end == '\0' && fd >= FIRST_FD && fd <= 65535;
    unsetenv(ready_variable);
    return is_fd && fcntl((int)fd, F_SETFD, FD_CLOEXEC) == 0 ? (int)fd : -1;
}

void succession_tell_ready(int ready_fd)
{
    if (ready_fd < 0)
        return;
    while (write(ready_fd, "", 1) < 0 && errno == EINTR)
        continue; /* if it fails otherwise, the predecessor goes on, and this process is ended */
    close(ready_fd);
}
