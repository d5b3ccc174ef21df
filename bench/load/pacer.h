/* Pacer: says when the next operation is due. In a closed loop that is always now. In an open loop it is at a
 * given rate, whether the server keeps up or not. Pure. */
#ifndef HOMECALL_BENCH_PACER_H
#define HOMECALL_BENCH_PACER_H

#include <stdbool.h>
#include <stdint.h>

typedef struct pacer {
    double interval_ns; /* the average time between two operations; 0 = closed loop */
    bool is_poisson;    /* the times between operations are exponentially distributed, and not all the same */
    double next_due_ns; /* when the next operation is due */
} pacer;

/* Start a pacer of `per_second` operations a second; 0 = a closed loop. The first operation is due one
 * interval after `now_ns`. `random` is as for pacer_take(). */
void pacer_init(pacer *p, double per_second, bool is_poisson, uint64_t now_ns, uint64_t random);

/* Is an operation due? If so, *due_ns is when it was due. That may be long ago, because no operation is left
 * out when the server or this program was slow. `random` is a random number; it is used only if the times are
 * exponentially distributed. */
bool pacer_take(pacer *p, uint64_t now_ns, uint64_t random, uint64_t *due_ns);

/* How long it is until the next operation is due, in ns; 0 if one is due now. */
uint64_t pacer_wait_ns(const pacer *p, uint64_t now_ns);

/* Make an exponentially distributed number with this mean from a random number. */
double pacer_exponential(double mean, uint64_t random);

#endif
