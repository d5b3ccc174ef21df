#include "measure/server_process.h"

#include <dirent.h>
#include <errno.h>
#include <linux/perf_event.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

/* The fields of /proc/PID/stat that are read here, counted from 1 as in proc(5). */
enum { STAT_UTIME = 14, STAT_STIME = 15, STAT_THREADS = 20, STAT_RSS = 24, STAT_FIELDS = 25 };

/* The name of the program, in brackets, may contain anything. The fields are behind the last bracket. */
static int parse_stat(char *line, unsigned long long fields[STAT_FIELDS])
{
    char *rest = strrchr(line, ')');
    if (rest == NULL)
        return -EIO;
    int number = 3; /* the first field behind the bracket: the state, which is a letter */
    char *saved = NULL;
    for (char *word = strtok_r(rest + 1, " ", &saved); word != NULL && number < STAT_FIELDS;
         word = strtok_r(NULL, " ", &saved))
        fields[number++] = strtoull(word, NULL, 10);
    return number == STAT_FIELDS ? 0 : -EIO;
}

static int read_stat(long pid, unsigned long long fields[STAT_FIELDS])
{
    char path[64];
    char line[1024];
    snprintf(path, sizeof(path), "/proc/%ld/stat", pid);
    FILE *file = fopen(path, "re");
    if (file == NULL)
        return errno == ENOENT ? -ESRCH : -errno;
    bool is_read = fgets(line, sizeof(line), file) != NULL;
    fclose(file);
    return is_read ? parse_stat(line, fields) : -ESRCH;
}

/* Add the usage of one process. */
static int add_usage(long pid, process_usage *to)
{
    unsigned long long fields[STAT_FIELDS];
    int error = read_stat(pid, fields);
    if (error != 0)
        return error;

    clockid_t clock;
    struct timespec cpu;
    if (clock_getcpuclockid((pid_t)pid, &clock) != 0 || clock_gettime(clock, &cpu) != 0)
        return -ESRCH;
    double tick = 1.0 / (double)sysconf(_SC_CLK_TCK);
    to->cpu_seconds += (double)cpu.tv_sec + (double)cpu.tv_nsec / 1e9;
    to->user_seconds += (double)fields[STAT_UTIME] * tick;
    to->system_seconds += (double)fields[STAT_STIME] * tick;
    to->rss_bytes += fields[STAT_RSS] * (uint64_t)sysconf(_SC_PAGESIZE);
    to->threads += fields[STAT_THREADS];
    return 0;
}

int process_usage_read(const process_list *processes, process_usage *out)
{
    *out = (process_usage){0};
    int error = 0;
    for (unsigned i = 0; i < processes->count && error == 0; i++)
        error = add_usage(processes->pids[i], out);
    return error;
}

static uint64_t memory_bytes(long pid)
{
    char path[64];
    char line[256];
    unsigned long long kib = 0;
    snprintf(path, sizeof(path), "/proc/%ld/smaps_rollup", pid);
    FILE *file = fopen(path, "re");
    if (file == NULL)
        return 0;
    while (fgets(line, sizeof(line), file) != NULL)
        if (sscanf(line, "Rss: %llu kB", &kib) == 1)
            break;
    fclose(file);
    return kib * 1024;
}

uint64_t process_memory_bytes(const process_list *processes)
{
    uint64_t bytes = 0;
    for (unsigned i = 0; i < processes->count; i++)
        bytes += memory_bytes(processes->pids[i]);
    return bytes;
}

enum { MAX_THREADS = 1024 };

struct syscall_counter {
    int count;           /* of the descriptors */
    int fd[MAX_THREADS]; /* owned: one for each thread that there was at the start */
};

static int find_tracepoint(uint64_t *id)
{
    FILE *file = fopen("/sys/kernel/tracing/events/raw_syscalls/sys_enter/id", "re");
    if (file == NULL)
        return -errno;
    unsigned long long found = 0;
    int matched = fscanf(file, "%llu", &found);
    fclose(file);
    *id = found;
    return matched == 1 ? 0 : -EIO;
}

static int count_thread(syscall_counter *c, uint64_t tracepoint, long thread)
{
    struct perf_event_attr wanted = {
        .type = PERF_TYPE_TRACEPOINT,
        .size = sizeof(wanted),
        .config = tracepoint,
        .inherit = 1, /* counts in the threads as well that this one starts later */
    };
    int fd = (int)syscall(SYS_perf_event_open, &wanted, (pid_t)thread, -1, -1, PERF_FLAG_FD_CLOEXEC);
    if (fd < 0)
        return errno == ESRCH ? 0 : -errno; /* ESRCH: the thread has just ended */
    c->fd[c->count++] = fd;
    return 0;
}

static int count_threads(syscall_counter *c, uint64_t tracepoint, long pid)
{
    char path[64];
    snprintf(path, sizeof(path), "/proc/%ld/task", pid);
    DIR *threads = opendir(path);
    if (threads == NULL)
        return -errno;
    int error = 0;
    struct dirent *entry;
    while (error == 0 && c->count < MAX_THREADS && (entry = readdir(threads)) != NULL)
        if (entry->d_name[0] != '.')
            error = count_thread(c, tracepoint, strtol(entry->d_name, NULL, 10));
    closedir(threads);
    return error;
}

int syscall_counter_open(long pid, syscall_counter **out)
{
    uint64_t tracepoint = 0;
    int error = find_tracepoint(&tracepoint);
    if (error != 0)
        return error;
    syscall_counter *c = calloc(1, sizeof(*c));
    if (c == NULL)
        return -ENOMEM;
    error = count_threads(c, tracepoint, pid);
    if (error != 0)
        syscall_counter_close(c);
    else
        *out = c;
    return error;
}

uint64_t syscall_counter_read(const syscall_counter *c)
{
    uint64_t sum = 0;
    for (int i = 0; i < c->count; i++) {
        uint64_t value;
        if (read(c->fd[i], &value, sizeof(value)) == sizeof(value))
            sum += value;
    }
    return sum;
}

void syscall_counter_close(syscall_counter *c)
{
    if (c == NULL)
        return;
    for (int i = 0; i < c->count; i++)
        close(c->fd[i]);
    free(c);
}
