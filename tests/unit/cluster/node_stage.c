#include "unit/cluster/node_stage.h"

#include "base/clock.h"
#include "base/thread.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_PAUSE_MS = 20 };

stage the;

/* ---- Waiting ---- */

static void bell_init(bell *b)
{
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    assert_int_equal(pthread_mutex_init(&b->lock, NULL), 0);
    assert_int_equal(pthread_cond_init(&b->rung, &attributes), 0);
    pthread_condattr_destroy(&attributes);
}

static void bell_ring(bell *b)
{
    pthread_mutex_lock(&b->lock);
    b->is_rung = true;
    pthread_cond_signal(&b->rung);
    pthread_mutex_unlock(&b->lock);
}

/* Until it rings, or for so long. */
static void bell_wait(bell *b, uint64_t ms)
{
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_nsec += (long)(ms < MAX_PAUSE_MS ? ms : MAX_PAUSE_MS) * 1000000;
    until.tv_sec += until.tv_nsec / 1000000000;
    until.tv_nsec %= 1000000000;
    pthread_mutex_lock(&b->lock);
    while (!b->is_rung && pthread_cond_timedwait(&b->rung, &b->lock, &until) == 0)
        continue;
    b->is_rung = false;
    pthread_mutex_unlock(&b->lock);
}

static void wake_worker(void *context, unsigned worker)
{
    bell_ring(&the.sides[((node *)context)->index].workers[worker]);
}

static void wake_courier(void *context)
{
    bell_ring(&the.sides[((node *)context)->index].courier);
}

/* ---- The threads ---- */

static void *run_courier(void *of)
{
    side *s = of;
    while (!the.is_over) {
        uint64_t now_ms = clock_monotonic_ms();
        uint64_t due_ms = fixture_run_courier(s->node, now_ms);
        bell_wait(&s->courier, due_ms > now_ms ? due_ms - now_ms : 0);
    }
    return NULL;
}

/* What a client does in a turn: it comes, says some numbers, and goes at the end. */
static void act(test_client *c, saying *s, const char *room, const char *user, test_worker *w,
                uint64_t now_ms)
{
    if (!s->has_come) {
        client_join(c, w, room, user, now_ms);
        s->has_come = true;
    }
    if (c->state == CLIENT_IN && s->said < STAGE_SIGNALS && now_ms >= s->next_ms &&
        client_say(c, s->said + 1, now_ms) == 0) {
        s->next_ms = now_ms + STAGE_SIGNAL_EVERY_MS;
        if (++s->said == STAGE_SIGNALS)
            the.done++;
    }
    if (the.must_leave && c->binding != NULL) {
        client_leave(c, now_ms);
        the.gone++;
    }
}

static void act_all(test_worker *w, uint64_t now_ms)
{
    for (int i = 0; i < STAGE_PAIRS; i++) {
        pair *p = &the.pairs[i];
        char room[32];
        snprintf(room, sizeof(room), "pair %d", i);
        if (fixture_worker_of(w->node, room) != w)
            continue;
        if (w->node->index == (unsigned)i % NODES)
            act(&p->a, &p->a_says, room, "anna", w, now_ms);
        else
            act(&p->b, &p->b_says, room, "boris", w, now_ms);
    }
}

/* Overfill the link to the other node. */
static void lose_link(test_worker *w, uint64_t now_ms)
{
    static const char big[64 * 1024];
    const node_id *other = &the.fixture.nodes[1 - w->node->index].id;
    const wire_message m = {.type = WIRE_SIGNAL, .binding = 1, .payload = {big, sizeof(big)}};
    const link_lane control = {.is_control = true};
    for (int i = 0; i < 100; i++) {
        if (node_core_say(w->node->core, &w->cluster.ear, other, &control, &m, now_ms) != 0)
            break;
    }
    node_core_end_turn(w->node->core, now_ms);
}

static void *run_worker(void *of)
{
    test_worker *w = of;
    bell *b = &the.sides[w->node->index].workers[w->number];
    unsigned turns = 0;
    while (!the.is_over) {
        uint64_t now_ms = clock_monotonic_ms();
        act_all(w, now_ms);
        if (the.loses_links && ++turns % 40 == 0)
            lose_link(w, now_ms);
        bool has_more = cluster_worker_turn(&w->cluster, now_ms);
        bell_wait(b, has_more ? 0 : MAX_PAUSE_MS / 4);
    }
    return NULL;
}

/* ---- The play ---- */

void stage_start(void (*of_caller)(void *context))
{
    memset(&the, 0, sizeof(the));
    the.has_couriers = of_caller == NULL;
    fixture_start(&the.fixture, clock_monotonic_ms(), wake_worker,
                  of_caller == NULL ? wake_courier : of_caller);
    for (unsigned i = 0; i < NODES; i++) {
        side *s = &the.sides[i];
        s->node = &the.fixture.nodes[i];
        bell_init(&s->courier);
        for (unsigned w = 0; w < WORKERS; w++)
            bell_init(&s->workers[w]);
    }
    for (unsigned i = 0; i < NODES; i++) {
        side *s = &the.sides[i];
        if (the.has_couriers)
            assert_int_equal(thread_start(&s->threads[0], "courier", run_courier, s), 0);
        for (unsigned w = 0; w < WORKERS; w++)
            assert_int_equal(thread_start(&s->threads[1 + w], "worker", run_worker, &s->node->workers[w]), 0);
    }
}

void stage_end(void)
{
    the.must_leave = true;
    stage_await(&the.gone, 2 * STAGE_PAIRS);
    the.is_over = true;
    for (unsigned i = 0; i < NODES; i++) {
        for (unsigned t = the.has_couriers ? 0 : 1; t < 1 + WORKERS; t++)
            pthread_join(the.sides[i].threads[t], NULL);
    }
}

void stage_free(void)
{
    for (int i = 0; i < STAGE_PAIRS; i++) {
        client_free(&the.pairs[i].a);
        client_free(&the.pairs[i].b);
    }
    fixture_stop(&the.fixture);
}

void stage_pause(uint64_t ms)
{
    bell nobody = {.is_rung = false};
    bell_init(&nobody);
    bell_wait(&nobody, ms);
}

void stage_await(atomic_uint *count, unsigned wanted)
{
    uint64_t until_ms = clock_monotonic_ms() + STAGE_PATIENCE_MS;
    while (*count < wanted && clock_monotonic_ms() < until_ms)
        stage_pause(5);
    assert_int_equal(*count, wanted);
}

unsigned stage_heard(void)
{
    unsigned sum = 0;
    for (int i = 0; i < STAGE_PAIRS; i++)
        sum += the.pairs[i].a.heard_count + the.pairs[i].b.heard_count;
    return sum;
}

void stage_await_heard(void)
{
    uint64_t until_ms = clock_monotonic_ms() + STAGE_PATIENCE_MS;
    while (stage_heard() < 2 * STAGE_PAIRS * STAGE_SIGNALS && clock_monotonic_ms() < until_ms)
        stage_pause(5);
    assert_int_equal(stage_heard(), 2 * STAGE_PAIRS * STAGE_SIGNALS);
}

static void expect_order(const test_client *c, bool all)
{
    if (all)
        assert_int_equal(c->heard_count, STAGE_SIGNALS);
    for (unsigned i = 0; i < c->heard_count; i++) {
        if (all)
            assert_int_equal(c->heard[i], i + 1);
        else if (i > 0)
            assert_true(c->heard[i] > c->heard[i - 1]);
    }
}

void stage_expect_order(bool all)
{
    for (int i = 0; i < STAGE_PAIRS; i++) {
        expect_order(&the.pairs[i].a, all);
        expect_order(&the.pairs[i].b, all);
    }
}

node_core_counts stage_counts(unsigned i)
{
    node_core_counts counts;
    node_core_get_counts(the.fixture.nodes[i].core, clock_monotonic_ms(), &counts);
    return counts;
}
