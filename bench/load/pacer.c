#include "pacer.h"

#include <math.h>

double pacer_exponential(double mean, uint64_t random)
{
    /* A double holds 52 random bits and the half behind them, so `uniform` is never 0 or 1. */
    double uniform = ((double)(random >> 12) + 0.5) / 4503599627370496.0;
    return -log(uniform) * mean;
}

static void advance(pacer *p, uint64_t random)
{
    p->next_due_ns += p->is_poisson ? pacer_exponential(p->interval_ns, random) : p->interval_ns;
}

void pacer_init(pacer *p, double per_second, bool is_poisson, uint64_t now_ns, uint64_t random)
{
    *p = (pacer){
        .interval_ns = per_second > 0 ? 1e9 / per_second : 0,
        .is_poisson = is_poisson,
        .next_due_ns = (double)now_ns,
    };
    advance(p, random);
}

bool pacer_take(pacer *p, uint64_t now_ns, uint64_t random, uint64_t *due_ns)
{
    if (p->interval_ns <= 0) {
        *due_ns = now_ns;
        return true;
    }
    if (p->next_due_ns > (double)now_ns)
        return false;
    *due_ns = (uint64_t)p->next_due_ns;
    advance(p, random);
    return true;
}

uint64_t pacer_wait_ns(const pacer *p, uint64_t now_ns)
{
    double wait = p->next_due_ns - (double)now_ns;
    return wait > 0 ? (uint64_t)wait : 0;
}
