/* What the kernel knows of processes, as the server's: CPU time, memory, system calls. Any thread. */
#ifndef HOMECALL_BENCH_SERVER_PROCESS_H
#define HOMECALL_BENCH_SERVER_PROCESS_H

#include <stdint.h>

enum { PROCESS_LIST_MAX = 8 };

/* The processes of a server: one, or those of several nodes together. */
typedef struct process_list {
    unsigned count;
    long pids[PROCESS_LIST_MAX];
} process_list;

/* What they use together. */
typedef struct process_usage {
    double cpu_seconds;    /* of all their threads, exact to the nanosecond */
    double user_seconds;   /* the part of it in user mode, only exact to a clock tick */
    double system_seconds; /* the part of it in the kernel, the same */
    uint64_t rss_bytes;    /* resident memory; the kernel's quick count, which may lack some pages */
    uint64_t threads;      /* how many they have */
} process_usage;

/* Read the usage of processes; without any, all is 0. 0; -ESRCH when there is no such process (any more); or
 * another -errno. */
int process_usage_read(const process_list *processes, process_usage *out);

/* The resident memory of processes, exactly; that takes the kernel some time. 0 for one whose memory can't be
 * read. */
uint64_t process_memory_bytes(const process_list *processes);

typedef struct syscall_counter syscall_counter;

/* Count the system calls of a process, in all its threads, from now on. A tracepoint of the kernel counts
 * them, which makes each call a little slower. 0 and the counter, owned by the caller; -EACCES or -EPERM:
 * root is needed; -ENOENT: tracefs is not mounted at /sys/kernel/tracing; or another -errno. */
int syscall_counter_open(long pid, syscall_counter **out);

/* How many calls there were so far. */
uint64_t syscall_counter_read(const syscall_counter *c);

/* Stop counting, and free the counter. NULL is legal. */
void syscall_counter_close(syscall_counter *c);

#endif
