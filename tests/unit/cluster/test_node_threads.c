/* Two nodes with a courier and two workers each, all on threads of their own, as in a server: many clients
 * talk across them, while the engine comes and goes and links are lost. For the thread sanitizer, and for the
 * order of what comes. */
#include "base/clock.h"
#include "base/thread.h"
#include "unit/cluster/node_fixture.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PAIRS = 16, SIGNALS = 200, SIGNAL_EVERY_MS = 8, PATIENCE_MS = 60000, MAX_PAUSE_MS = 20 };

/* What a thread waits for. */
typedef struct bell {
    pthread_mutex_t lock; /* guards the next two */
    pthread_cond_t rung;
    bool is_rung;
} bell;

typedef struct side {
    node *node;
    bell courier, workers[WORKERS];
    pthread_t threads[1 + WORKERS];
} side;

/* Two people who talk: `a` on one node, `b` on the other. */
typedef struct pair {
    test_client a, b;
    struct saying {
        bool has_come;
        uint32_t said;
        uint64_t next_ms;
    } a_says, b_says;
} pair;

typedef struct stage {
    fixture fixture;
    side sides[NODES];
    pair pairs[PAIRS];
    atomic_bool is_over, must_leave, loses_links;
    atomic_uint done; /* people who have said everything */
    atomic_uint gone; /* who have left */
} stage;

static stage the;

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
static void act(test_client *c, struct saying *s, const char *room, const char *user, test_worker *w,
                uint64_t now_ms)
{
    if (!s->has_come) {
        client_join(c, w, room, user, now_ms);
        s->has_come = true;
    }
    if (c->state == CLIENT_IN && s->said < SIGNALS && now_ms >= s->next_ms &&
        client_say(c, s->said + 1, now_ms) == 0) {
        s->next_ms = now_ms + SIGNAL_EVERY_MS;
        if (++s->said == SIGNALS)
            the.done++;
    }
    if (the.must_leave && c->binding != NULL) {
        client_leave(c, now_ms);
        the.gone++;
    }
}

static void act_all(test_worker *w, uint64_t now_ms)
{
    for (int i = 0; i < PAIRS; i++) {
        pair *p = &the.pairs[i];
        char room[16];
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

static void start_all(void)
{
    memset(&the, 0, sizeof(the));
    fixture_start(&the.fixture, clock_monotonic_ms(), wake_worker, wake_courier);
    for (unsigned i = 0; i < NODES; i++) {
        side *s = &the.sides[i];
        s->node = &the.fixture.nodes[i];
        bell_init(&s->courier);
        for (unsigned w = 0; w < WORKERS; w++)
            bell_init(&s->workers[w]);
    }
    for (unsigned i = 0; i < NODES; i++) {
        side *s = &the.sides[i];
        assert_int_equal(thread_start(&s->threads[0], "courier", run_courier, s), 0);
        for (unsigned w = 0; w < WORKERS; w++)
            assert_int_equal(thread_start(&s->threads[1 + w], "worker", run_worker, &s->node->workers[w]), 0);
    }
}

static void stop_all(void)
{
    the.is_over = true;
    for (unsigned i = 0; i < NODES; i++) {
        for (unsigned t = 0; t < 1 + WORKERS; t++)
            pthread_join(the.sides[i].threads[t], NULL);
    }
    fixture_stop(&the.fixture);
    for (int i = 0; i < PAIRS; i++) {
        client_free(&the.pairs[i].a);
        client_free(&the.pairs[i].b);
    }
}

static void set_engine(bool is_there)
{
    for (unsigned i = 0; i < NODES; i++)
        node_core_on_engine(the.fixture.nodes[i].core, is_there, clock_monotonic_ms());
}

static void pause_ms(uint64_t ms)
{
    bell nobody = {.is_rung = false};
    bell_init(&nobody);
    bell_wait(&nobody, ms);
}

static unsigned heard_by_all(void)
{
    unsigned sum = 0;
    for (int i = 0; i < PAIRS; i++)
        sum += the.pairs[i].a.heard_count + the.pairs[i].b.heard_count;
    return sum;
}

/* Wait until a counter has come so far. */
static void await(atomic_uint *counter, unsigned wanted)
{
    uint64_t until_ms = clock_monotonic_ms() + PATIENCE_MS;
    while (*counter < wanted && clock_monotonic_ms() < until_ms)
        pause_ms(5);
    assert_int_equal(*counter, wanted);
}

static void expect_in_order(const test_client *c, bool all)
{
    if (all)
        assert_int_equal(c->heard_count, SIGNALS);
    for (unsigned i = 0; i < c->heard_count; i++) {
        if (all)
            assert_int_equal(c->heard[i], i + 1);
        else if (i > 0)
            assert_true(c->heard[i] > c->heard[i - 1]);
    }
}

static void all_leave(void)
{
    the.must_leave = true;
    await(&the.gone, 2 * PAIRS);
}

static void while_the_engine_comes_and_goes_everything_comes_once_and_in_order(void **state)
{
    (void)state;
    start_all();
    set_engine(true);
    bool is_there = true;
    unsigned changes = 0;
    for (int i = 0; the.done < 2 * PAIRS && i < 3000; i++) {
        pause_ms(20);
        if (i % 5 != 0 || heard_by_all() < 100)
            continue; /* they have not found each other yet */
        is_there = !is_there;
        changes++;
        set_engine(is_there);
    }
    assert_in_range(changes, 4, 3000);
    set_engine(true);
    await(&the.done, 2 * PAIRS);
    uint64_t until_ms = clock_monotonic_ms() + PATIENCE_MS;
    while (heard_by_all() < 2 * PAIRS * SIGNALS && clock_monotonic_ms() < until_ms)
        pause_ms(5);
    for (int i = 0; i < PAIRS; i++) {
        expect_in_order(&the.pairs[i].a, true);
        expect_in_order(&the.pairs[i].b, true);
    }
    all_leave();
    stop_all();
}

static void links_that_are_lost_neither_double_nor_reorder_anything(void **state)
{
    (void)state;
    start_all();
    set_engine(true);
    the.loses_links = true;
    await(&the.done, 2 * PAIRS);
    the.loses_links = false;
    for (int i = 0; i < PAIRS; i++) {
        expect_in_order(&the.pairs[i].a, false);
        expect_in_order(&the.pairs[i].b, false);
    }
    node_core_counts counts;
    node_core_get_counts(the.fixture.nodes[0].core, clock_monotonic_ms(), &counts);
    assert_true(counts.links_lost > 0);
    all_leave();
    stop_all();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(while_the_engine_comes_and_goes_everything_comes_once_and_in_order),
        cmocka_unit_test(links_that_are_lost_neither_double_nor_reorder_anything),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
