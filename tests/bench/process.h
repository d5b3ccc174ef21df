/* Programs that a test runs by the shell, with what they say caught. */
#ifndef HOMECALL_TESTS_BENCH_PROCESS_H
#define HOMECALL_TESTS_BENCH_PROCESS_H

#include <stdarg.h>
#include <sys/types.h>

enum { PROCESS_MAX_OUTPUT = 64 * 1024 };

/* One of the streams of a process. */
typedef struct process_output {
    int fd; /* our end of the pipe; -1 when it has ended */
    size_t len;
    char text[PROCESS_MAX_OUTPUT]; /* ends with NUL */
} process_output;

/* Zeroed = nothing has run. */
typedef struct process {
    pid_t pid; /* 0 = nothing runs */
    int in;    /* our end of its standard input; closed at the finish */
    process_output out, err;
} process;

/* Start a shell command; a last `exec` in it makes the program itself the process. Its environment is ours.
 * The test fails where that fails. */
void process_start(process *p, const char *format, ...) __attribute__((format(printf, 2, 3)));
void process_vstart(process *p, const char *format, va_list arguments) __attribute__((format(printf, 2, 0)));

/* Wait until its standard output holds `text`. The test fails when that does not come. */
void process_await(process *p, const char *text);

/* End its standard input, wait for its end, and return its exit code, or 128 and the number of the signal
 * that ended it. The test fails when it does not end. */
int process_finish(process *p);

/* End it in any way: for teardowns. */
void process_kill(process *p);

#endif
