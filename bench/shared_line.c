/* shared_line: what a locked addition costs a thread while another thread does the same, on a cache line that
 * both use, and on lines of their own. Each of the two threads is bound to a processor of its own, and its
 * processor time is what counts. It prints both in ns, of rounds in turn: for the shared line the median,
 * since a round is too cheap where the other thread did not run; for their own lines the least. */
#include "base/cache_line.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { TIMES = 20 * 1000, ROUNDS = 101, FAR = 4 * CACHE_LINE / sizeof(uint64_t) };

static _Atomic uint64_t lines[3 * FAR];

typedef struct runner {
    pthread_t id;
    _Atomic int *ready; /* how many of the two run */
    _Atomic uint64_t *sum;
    int processor;
    double ns_each;
} runner;

static uint64_t cpu_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

static void *run(void *arg)
{
    runner *r = arg;
    cpu_set_t only;
    CPU_ZERO(&only);
    CPU_SET(r->processor, &only);
    pthread_setaffinity_np(pthread_self(), sizeof(only), &only);
    atomic_fetch_add(r->ready, 1);
    while (atomic_load(r->ready) < 2) { /* not asleep, so both run when it begins */
    }
    uint64_t begun_ns = cpu_ns();
    for (int i = 0; i < TIMES; i++)
        atomic_fetch_add_explicit(r->sum, 1, memory_order_relaxed);
    r->ns_each = (double)(cpu_ns() - begun_ns) / TIMES;
    return NULL;
}

/* One round. Returns what an addition has cost the thread that has waited longer. */
static double measure(const int processors[2], int apart)
{
    _Atomic int ready = 0;
    runner runners[2];
    for (int i = 0; i < 2; i++) {
        runners[i] = (runner){.ready = &ready, .sum = &lines[FAR + i * apart], .processor = processors[i]};
        if (pthread_create(&runners[i].id, NULL, run, &runners[i]) != 0)
            exit(EXIT_FAILURE);
    }
    for (int i = 0; i < 2; i++)
        pthread_join(runners[i].id, NULL);
    return runners[0].ns_each > runners[1].ns_each ? runners[0].ns_each : runners[1].ns_each;
}

static int by_size(const void *a, const void *b)
{
    double one = *(const double *)a;
    double other = *(const double *)b;
    return (one > other) - (one < other);
}

int main(void)
{
    cpu_set_t allowed;
    int processors[2];
    int count = 0;
    if (sched_getaffinity(0, sizeof(allowed), &allowed) != 0)
        return EXIT_FAILURE;
    for (int i = 0; i < CPU_SETSIZE && count < 2; i++)
        if (CPU_ISSET(i, &allowed))
            processors[count++] = i;
    if (count < 2) {
        fprintf(stderr, "shared_line: there is only one processor\n");
        return EXIT_FAILURE;
    }
    double shared[ROUNDS];
    double own[ROUNDS];
    for (int i = 0; i < ROUNDS; i++) {
        shared[i] = measure(processors, 0);
        own[i] = measure(processors, FAR);
    }
    qsort(shared, ROUNDS, sizeof(shared[0]), by_size);
    qsort(own, ROUNDS, sizeof(own[0]), by_size);
    printf("%.1f %.1f\n", shared[ROUNDS / 2], own[0]);
    return EXIT_SUCCESS;
}
