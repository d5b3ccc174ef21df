#include "bench/process.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka.h wants the others before it. */
#include <cmocka.h>

#include "support/client.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { PATIENCE_MS = 60 * 1000, MAX_COMMAND = 4096 };

extern char **environ;

/* Give the child one end of a pipe as its descriptor `as`; returns ours, and the child's in *theirs. */
static int open_pipe(posix_spawn_file_actions_t *actions, int as, int *theirs)
{
    int ends[2];
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    bool child_reads = as == STDIN_FILENO;
    *theirs = ends[child_reads ? 0 : 1];
    posix_spawn_file_actions_adddup2(actions, *theirs, as);
    return ends[child_reads ? 1 : 0];
}

void process_vstart(process *p, const char *format, va_list arguments)
{
    char command[MAX_COMMAND];
    int len = vsnprintf(command, sizeof(command), format, arguments);
    assert_true(len > 0 && (size_t)len < sizeof(command));
    assert_int_equal(p->pid, 0);

    int theirs[3];
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    p->in = open_pipe(&actions, STDIN_FILENO, &theirs[0]);
    p->out = (process_output){.fd = open_pipe(&actions, STDOUT_FILENO, &theirs[1])};
    p->err = (process_output){.fd = open_pipe(&actions, STDERR_FILENO, &theirs[2])};
    char *const argv[] = {"sh", "-c", command, NULL};
    assert_int_equal(posix_spawn(&p->pid, "/bin/sh", &actions, NULL, argv, environ), 0);
    posix_spawn_file_actions_destroy(&actions);
    for (int i = 0; i < 3; i++)
        close(theirs[i]);
}

void process_start(process *p, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    process_vstart(p, format, arguments);
    va_end(arguments);
}

static void read_output(process_output *o)
{
    assert_true(o->len < sizeof(o->text) - 1);
    ssize_t got = read(o->fd, o->text + o->len, sizeof(o->text) - 1 - o->len);
    if (got > 0) {
        o->len += (size_t)got;
        return;
    }
    close(o->fd);
    o->fd = -1;
}

/* Until standard output holds `text`, or, where it is NULL, both streams have ended. */
static void await(process *p, const char *text)
{
    uint64_t deadline_ms = client_now_ms() + PATIENCE_MS;
    while (text == NULL ? p->out.fd >= 0 || p->err.fd >= 0 : strstr(p->out.text, text) == NULL) {
        uint64_t now_ms = client_now_ms();
        struct pollfd both[] = {{.fd = p->out.fd, .events = POLLIN}, {.fd = p->err.fd, .events = POLLIN}};
        bool has_ended = p->out.fd < 0 && p->err.fd < 0;
        if (has_ended || now_ms >= deadline_ms || poll(both, 2, (int)(deadline_ms - now_ms)) <= 0)
            fail_msg("no %s; it said: %s%s", text == NULL ? "end" : text, p->out.text, p->err.text);
        if (both[0].revents != 0)
            read_output(&p->out);
        if (both[1].revents != 0)
            read_output(&p->err);
    }
}

void process_await(process *p, const char *text)
{
    await(p, text);
}

static int reap(process *p)
{
    int status = 0;
    assert_int_equal(waitpid(p->pid, &status, 0), p->pid);
    p->pid = 0;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

int process_finish(process *p)
{
    close(p->in);
    p->in = -1;
    await(p, NULL);
    return reap(p);
}

void process_kill(process *p)
{
    if (p->pid == 0)
        return;
    kill(p->pid, SIGKILL);
    (void)reap(p);
    int *const ends[] = {&p->in, &p->out.fd, &p->err.fd};
    for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
        if (*ends[i] >= 0)
            close(*ends[i]);
        *ends[i] = -1;
    }
}
