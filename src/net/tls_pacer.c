#include "net/tls_pacer.h"

#include "base/clock.h"

#include <assert.h>

void tls_pacer_init(tls_pacer *p)
{
    *p = (tls_pacer){.steps_left = TLS_PACER_STEPS, .now_ms = clock_monotonic_ms};
    TAILQ_INIT(&p->begun);
    TAILQ_INIT(&p->fresh);
    TAILQ_INIT(&p->under_way);
}

/* ---- Under way ---- */

static uint32_t patience_ms(const tls_pacer *p)
{
    uint32_t twice_ms = p->usual_us / 500;
    if (twice_ms < TLS_PACER_MIN_PATIENCE_MS)
        return TLS_PACER_MIN_PATIENCE_MS;
    return twice_ms < TLS_PACER_MAX_PATIENCE_MS ? twice_ms : TLS_PACER_MAX_PATIENCE_MS;
}

static void set_out(tls_pacer *p, tls_waiter *w)
{
    w->has_begun = true;
    w->begun_ms = (uint32_t)p->now_ms();
    w->is_under_way = true;
    TAILQ_INSERT_TAIL(&p->under_way, w, way);
    p->under_way_count++;
}

static void leave_way(tls_pacer *p, tls_waiter *w)
{
    if (!w->is_under_way)
        return;
    assert(p->under_way_count > 0);
    w->is_under_way = false;
    TAILQ_REMOVE(&p->under_way, w, way);
    p->under_way_count--;
}

/* In how many ms the first that is under way has been waited for long enough; negative when that is over. */
static int32_t patience_left_ms(const tls_pacer *p, uint64_t now_ms)
{
    return (int32_t)(TAILQ_FIRST(&p->under_way)->begun_ms + patience_ms(p) - (uint32_t)now_ms);
}

/* May another one begin? */
static bool has_way(tls_pacer *p)
{
    if (p->under_way_count < TLS_PACER_UNDER_WAY)
        return true;
    if (patience_left_ms(p, p->now_ms()) > 0)
        return false;
    leave_way(p, TAILQ_FIRST(&p->under_way));
    return true;
}

void tls_pacer_note_done(tls_pacer *p, tls_waiter *w)
{
    enum { MAX_MS = 60 * 1000, WEIGHT = 8 }; /* of a new value in the average: one eighth */
    uint32_t took_ms = (uint32_t)p->now_ms() - w->begun_ms;
    if (took_ms > MAX_MS)
        took_ms = MAX_MS;
    p->usual_us = p->usual_us - p->usual_us / WEIGHT + took_ms * 1000 / WEIGHT;
    tls_pacer_leave(p, w);
}

/* ---- Steps ---- */

static tls_line *line_of(tls_pacer *p, const tls_waiter *w)
{
    return w->has_begun ? &p->begun : &p->fresh;
}

static void take_step(tls_pacer *p, tls_waiter *w)
{
    assert(p->steps_left > 0);
    p->steps_left--;
    if (!w->has_begun)
        set_out(p, w);
}

/* Are the steps that are left for others than `w`? */
static bool must_wait(tls_pacer *p, const tls_waiter *w)
{
    if (p->steps_left == 0 || !TAILQ_EMPTY(&p->begun))
        return true;
    if (!w->has_begun)
        return !TAILQ_EMPTY(&p->fresh) || !has_way(p);
    return !TAILQ_EMPTY(&p->fresh) && p->steps_left <= TLS_PACER_STEPS / 2;
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

static void leave_line(tls_pacer *p, tls_waiter *w)
{
    if (!w->waits)
        return;
    w->waits = false;
    TAILQ_REMOVE(line_of(p, w), w, link);
}

void tls_pacer_leave(tls_pacer *p, tls_waiter *w)
{
    leave_line(p, w);
    leave_way(p, w);
}

bool tls_pacer_run(tls_pacer *p)
{
    bool is_for_fresh = false;
    for (;;) {
        bool has_fresh = !TAILQ_EMPTY(&p->fresh) && has_way(p);
        if (!has_fresh && TAILQ_EMPTY(&p->begun))
            return false;
        if (p->steps_left == 0)
            return true;
        bool takes_fresh = TAILQ_EMPTY(&p->begun) || (is_for_fresh && has_fresh);
        tls_waiter *w = TAILQ_FIRST(takes_fresh ? &p->fresh : &p->begun);
        is_for_fresh = !takes_fresh;
        leave_line(p, w);
        take_step(p, w);
        w->on_turn(w);
    }
}

void tls_pacer_end_turn(tls_pacer *p)
{
    p->steps_left = TLS_PACER_STEPS;
}

uint64_t tls_pacer_due_ms(const tls_pacer *p, uint64_t now_ms)
{
    if (TAILQ_EMPTY(&p->fresh))
        return UINT64_MAX;
    if (p->under_way_count < TLS_PACER_UNDER_WAY)
        return now_ms; /* one that was under way has ended after tls_pacer_run() in this turn */
    int32_t left_ms = patience_left_ms(p, now_ms);
    return left_ms > 0 ? now_ms + (uint32_t)left_ms : now_ms;
}
