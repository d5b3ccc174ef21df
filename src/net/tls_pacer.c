#include "net/tls_pacer.h"

#include <assert.h>

void tls_pacer_init(tls_pacer *p)
{
    TAILQ_INIT(&p->begun);
    TAILQ_INIT(&p->fresh);
    p->steps_left = TLS_PACER_STEPS;
}

static tls_line *line_of(tls_pacer *p, const tls_waiter *w)
{
    return w->has_begun ? &p->begun : &p->fresh;
}

static void take_step(tls_pacer *p, tls_waiter *w)
{
    assert(p->steps_left > 0);
    p->steps_left--;
    w->has_begun = true;
}

/* Are the steps that are left for others than `w`? */
static bool must_wait(const tls_pacer *p, const tls_waiter *w)
{
    if (!TAILQ_EMPTY(&p->fresh))
        return !w->has_begun || !TAILQ_EMPTY(&p->begun) || p->steps_left <= TLS_PACER_STEPS / 2;
    return !TAILQ_EMPTY(&p->begun) || p->steps_left == 0;
}

bool tls_pacer_ask(tls_pacer *p, tls_waiter *w)
{
    assert(!w->waits);
    if (must_wait(p, w)) {
        w->waits = true;
        TAILQ_INSERT_TAIL(line_of(p, w), w, link);
        return false;
    }
    take_step(p, w);
    return true;
}

void tls_pacer_leave(tls_pacer *p, tls_waiter *w)
{
    if (!w->waits)
        return;
    w->waits = false;
    TAILQ_REMOVE(line_of(p, w), w, link);
}

void tls_pacer_run(tls_pacer *p)
{
    bool is_for_fresh = false;
    while (p->steps_left > 0 && tls_pacer_is_busy(p)) {
        bool takes_fresh = TAILQ_EMPTY(&p->begun) || (is_for_fresh && !TAILQ_EMPTY(&p->fresh));
        tls_waiter *w = TAILQ_FIRST(takes_fresh ? &p->fresh : &p->begun);
        is_for_fresh = !takes_fresh;
        tls_pacer_leave(p, w);
        take_step(p, w);
        w->on_turn(w);
    }
}

void tls_pacer_end_turn(tls_pacer *p)
{
    p->steps_left = TLS_PACER_STEPS;
}
