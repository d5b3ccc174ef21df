/* When the next operation is due: at once (closed loop), or at a rate that does not wait for the server (open
 * loop). Pure. */
#ifndef HOMECALL_BENCH_PACER_H
#define HOMECALL_BENCH_PACER_H

#include <stdbool.h>
#include <stdint.h>

typedef struct pacer {
    double interval_ns; /* between two operations on average; 0 = closed loop */
    bool is_poisson;    /* exponential gaps instead of even ones */
    double next_due_ns;
} pacer;

/* `per_second` 0 makes a closed loop. The first operation is due one gap after `now_ns`. `random` as for
 * pacer_take(). */
void pacer_init(pacer *p, double per_second, bool is_poisson, uint64_t now_ns, uint64_t random);

/* Is an operation due? Then *due_ns is when it was, which may be long ago: no operation is forgiven because
 * the server or we were slow. `random` is any number, looked at where gaps are exponential. */
bool pacer_take(pacer *p, uint64_t now_ns, uint64_t random, uint64_t *due_ns);

/* How long until the next one is due; 0 when it is. */
uint64_t pacer_wait_ns(const pacer *p, uint64_t now_ns);

/* An exponentially distributed time with this mean, out of a random number. */
double pacer_exponential(double mean, uint64_t random);

#endif
