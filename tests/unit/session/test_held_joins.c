/* Held joins go on when they are due, whoever is taken out before; the test tells the time. */
#include "session/held_joins.h"

#include "net/connection.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>

enum { JOINS = 300 };

typedef struct waiter {
    connection connection;
    join_progress join;
    uint64_t due_ms;
} waiter;

typedef struct fixture {
    net_loop loop; /* never turned: it only has the ticker on its list */
    connection_set set;
    held_joins held;
    waiter waiters[JOINS];
} fixture;

static int make(void **state)
{
    fixture *f = calloc(1, sizeof(*f));
    assert_non_null(f);
    STAILQ_INIT(&f->loop.tickers);
    STAILQ_INIT(&f->set.queue);
    held_joins_init(&f->held, &f->loop);
    for (int i = 0; i < JOINS; i++)
        f->waiters[i].connection.entry = (connection_entry){.set = &f->set, .state = CONNECTION_HELD};
    *state = f;
    return 0;
}

static int destroy(void **state)
{
    fixture *f = *state;
    held_joins_deinit(&f->held);
    free(f);
    return 0;
}

static void add(fixture *f, int i, uint64_t due_ms)
{
    f->waiters[i].due_ms = due_ms;
    assert_int_equal(held_joins_add(&f->held, &f->waiters[i].join, &f->waiters[i].connection, due_ms), 0);
}

static uint64_t next_due_ms(const fixture *f)
{
    return f->held.ticker.next_due_ms(&f->held.ticker, 0);
}

static void tick(fixture *f, uint64_t now_ms)
{
    f->held.ticker.on_due(&f->held.ticker, now_ms);
}

/* The next one that goes on, which is taken out of the queue of its set; NULL = there is none. */
static waiter *take_resumed(fixture *f)
{
    connection_entry *entry = STAILQ_FIRST(&f->set.queue);
    if (entry == NULL)
        return NULL;
    STAILQ_REMOVE_HEAD(&f->set.queue, queued);
    assert_int_equal(entry->work, CONNECTION_WORK_RESUME);
    entry->work = 0;
    waiter *w = (waiter *)(void *)connection_of(entry);
    assert_int_equal(w->join.held_at, 0);
    assert_true(w->join.has_waited);
    w->join.has_waited = false;
    return w;
}

static void expect_places(const fixture *f)
{
    for (uint32_t at = 1; at <= f->held.count; at++) {
        assert_int_equal(f->held.heap[at].join->held_at, at);
        assert_true(at == 1 || f->held.heap[at / 2].due_ms <= f->held.heap[at].due_ms);
    }
}

static void nothing_is_due_where_nothing_is_held(void **state)
{
    fixture *f = *state;
    assert_true(next_due_ms(f) == UINT64_MAX);
    tick(f, 1000);
    held_joins_remove(&f->held, &f->waiters[0].join);
    assert_null(take_resumed(f));
}

static void each_goes_on_when_it_is_due_and_not_before(void **state)
{
    fixture *f = *state;
    add(f, 0, 300);
    add(f, 1, 100);
    add(f, 2, 200);
    assert_int_equal(next_due_ms(f), 100);
    tick(f, 99);
    assert_null(take_resumed(f));
    tick(f, 200);
    assert_ptr_equal(take_resumed(f), &f->waiters[1]);
    assert_ptr_equal(take_resumed(f), &f->waiters[2]);
    assert_null(take_resumed(f));
    assert_int_equal(next_due_ms(f), 300);
    tick(f, 300);
    assert_ptr_equal(take_resumed(f), &f->waiters[0]);
}

static void one_that_is_taken_out_does_not_go_on(void **state)
{
    fixture *f = *state;
    for (int i = 0; i < 3; i++)
        add(f, i, 100);
    held_joins_remove(&f->held, &f->waiters[1].join);
    held_joins_remove(&f->held, &f->waiters[1].join);
    assert_int_equal(f->waiters[1].join.held_at, 0);
    assert_false(f->waiters[1].join.has_waited);
    tick(f, 100);
    assert_ptr_equal(take_resumed(f), &f->waiters[0]);
    assert_ptr_equal(take_resumed(f), &f->waiters[2]);
    assert_null(take_resumed(f));
}

static void there_is_no_memory_while_nothing_is_held(void **state)
{
    fixture *f = *state;
    add(f, 0, 100);
    assert_non_null(f->held.heap);
    held_joins_remove(&f->held, &f->waiters[0].join);
    assert_null(f->held.heap);
    add(f, 0, 100);
    tick(f, 100);
    assert_non_null(take_resumed(f));
    assert_null(f->held.heap);
}

static void a_connection_that_is_ending_is_not_resumed(void **state)
{
    fixture *f = *state;
    add(f, 0, 100);
    f->waiters[0].connection.entry.state = CONNECTION_CLOSING;
    tick(f, 100);
    assert_null(take_resumed(f));
    assert_int_equal(f->waiters[0].join.held_at, 0);
}

/* In an order that is no order, with every third one taken out. */
static void many_go_on_in_order_whoever_is_taken_out(void **state)
{
    fixture *f = *state;
    uint64_t number = 1;
    for (int i = 0; i < JOINS; i++) {
        number = number * 6364136223846793005 + 1442695040888963407;
        add(f, i, 1000 + (number >> 33) % 500);
    }
    expect_places(f);
    for (int i = 0; i < JOINS; i += 3) {
        held_joins_remove(&f->held, &f->waiters[i].join);
        expect_places(f);
    }
    int resumed = 0;
    for (uint64_t now_ms = 1000; now_ms < 1500; now_ms++) {
        tick(f, now_ms);
        expect_places(f);
        for (const waiter *w; (w = take_resumed(f)) != NULL; resumed++)
            assert_int_equal(w->due_ms, now_ms);
    }
    assert_int_equal(resumed, JOINS - JOINS / 3);
    assert_int_equal(f->held.count, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(nothing_is_due_where_nothing_is_held, make, destroy),
        cmocka_unit_test_setup_teardown(each_goes_on_when_it_is_due_and_not_before, make, destroy),
        cmocka_unit_test_setup_teardown(one_that_is_taken_out_does_not_go_on, make, destroy),
        cmocka_unit_test_setup_teardown(there_is_no_memory_while_nothing_is_held, make, destroy),
        cmocka_unit_test_setup_teardown(a_connection_that_is_ending_is_not_resumed, make, destroy),
        cmocka_unit_test_setup_teardown(many_go_on_in_order_whoever_is_taken_out, make, destroy),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
