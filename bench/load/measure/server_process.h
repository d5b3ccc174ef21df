/* The server's process as the kernel accounts for it: CPU time, memory, system calls. */
#ifndef HOMECALL_BENCH_SERVER_PROCESS_H
#define HOMECALL_BENCH_SERVER_PROCESS_H

#include <stdint.h>

typedef struct process_usage {
    double cpu_seconds;  /* of all its threads, to the nanosecond */
    double user_seconds; /* in clock ticks, as is the next: a rough split of the same */
    double system_seconds;
    uint64_t rss_bytes; /* resident memory, as the kernel counts along: some pages late */
    uint64_t threads;
} process_usage;

/* Look at a process. 0, or -ESRCH when it is not there (any more), or another -errno. */
int process_usage_read(long pid, process_usage *out);

/* Its resident memory, summed up exactly, which takes the kernel a while; 0 when it can't be told. */
uint64_t process_memory_bytes(long pid);

typedef struct syscall_counter syscall_counter;

/* Count the system calls of a process, in all its threads, from now on: by the kernel's tracepoint, which
 * costs each call a little and changes nothing else. 0 and the counter, owned by the caller; or -errno
 * (-EACCES and -EPERM: it takes root; -ENOENT: the kernel's tracefs is not mounted at /sys/kernel/tracing).
 */
int syscall_counter_open(long pid, syscall_counter **out);

/* How many so far. */
uint64_t syscall_counter_read(const syscall_counter *c);

/* NULL is legal. */
void syscall_counter_close(syscall_counter *c);

#endif
