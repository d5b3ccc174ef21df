/* The set with simple entries and hooks of the test's own: no sockets, and a clock that the test sets. */
#include "net/connection_set.h"

#include "support/journal.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

enum { HANDSHAKE_MS = 10, PING_MS = 20, PONG_MS = 5, CLOSE_MS = 40, MANY = 8 };

typedef struct fixture fixture;

/* What stands for a connection. */
typedef struct named {
    connection_entry entry; /* first */
    fixture *f;
    char name;
    connection_state next;  /* where its deadline takes it */
    connection_entry *puts; /* its work, done once, is to put work for this one */
} named;

struct fixture {
    net_limits limits;
    net_loop loop;
    connection_set set;
    named all[MANY];
    int count;
    journal journal;
};

#define note(f, ...)        journal_note(&(f)->journal, __VA_ARGS__)
#define expect(f, expected) journal_expect(&(f)->journal, (expected))

/* ---- The hooks ---- */

static named *named_of(connection_entry *entry)
{
    return (named *)(void *)entry;
}

static void on_due(connection_entry *entry)
{
    named *n = named_of(entry);
    note(n->f, "%c is due\n", n->name);
    connection_set_move(entry, n->next);
}

static void on_work(connection_entry *entry, unsigned work)
{
    named *n = named_of(entry);
    note(n->f, "%c works %u\n", n->name, work);
    assert_int_equal(entry->work, 0);
    if (n->puts != NULL)
        connection_set_put_work(n->puts, 64);
    n->puts = NULL;
}

static const connection_hooks hooks = {.on_due = on_due, .on_work = on_work};

/* ---- The fixture ---- */

/* The time of the turn that begins. */
static void set_time(fixture *f, uint64_t now_ms)
{
    f->loop.now_ms = now_ms;
    f->loop.now_us = now_ms * 1000;
    f->loop.is_now_read = true;
}

/* The end of a turn at this time, as the loop has its tickers do it. */
static void turn_at(fixture *f, uint64_t now_ms)
{
    net_ticker *ticker = STAILQ_FIRST(&f->loop.tickers);
    set_time(f, now_ms);
    if (ticker->next_due_ms(ticker, now_ms) <= now_ms)
        ticker->on_due(ticker, now_ms);
    ticker->on_work(ticker);
    ticker->on_turn_end(ticker, 100);
}

static uint64_t next_due_at(fixture *f, uint64_t now_ms)
{
    const net_ticker *ticker = STAILQ_FIRST(&f->loop.tickers);
    return ticker->next_due_ms(ticker, now_ms);
}

static int make(void **state)
{
    fixture *f = calloc(1, sizeof(*f));
    assert_non_null(f);
    f->limits = (net_limits){
        .handshake = {.max_head_bytes = 1024},
        .handshake_timeout_ms = HANDSHAKE_MS,
        .ping_interval_ms = PING_MS,
        .pong_timeout_ms = PONG_MS,
        .close_timeout_ms = CLOSE_MS,
    };
    assert_int_equal(net_loop_init(&f->loop), 0);
    assert_int_equal(connection_set_init(&f->set, &f->loop, &f->limits, &hooks, NULL, f), 0);
    set_time(f, 1000);
    *state = f;
    return 0;
}

static int unmake(void **state)
{
    fixture *f = *state;
    connection_set_deinit(&f->set);
    net_loop_deinit(&f->loop);
    free(f);
    return 0;
}

/* One more in this state, by the time that is set. Its deadline takes it out of the set. */
static named *enter(fixture *f, connection_state state)
{
    assert_true(f->count < MANY);
    named *n = &f->all[f->count];
    *n = (named){.entry = {.set = &f->set, .state = CONNECTION_DETACHED},
                 .f = f,
                 .name = (char)('a' + f->count),
                 .next = CONNECTION_DETACHED};
    f->count++;
    connection_set_move(&n->entry, state);
    return n;
}

/* ---- A set ---- */

static void a_new_set_has_nothing_to_do(void **state)
{
    fixture *f = *state;
    assert_true(next_due_at(f, 1000) == UINT64_MAX);
    turn_at(f, 1000);
    expect(f, "");
    assert_int_equal(f->set.count, 0);
    assert_ptr_equal(f->set.owner, f);
}

static void the_read_buffer_takes_a_large_request_and_more(void **state)
{
    fixture *f = *state;
    assert_true(f->set.scratch_size >= 64 * 1024);
    f->limits.handshake.max_head_bytes = 1024 * 1024;
    connection_set large;
    assert_int_equal(connection_set_init(&large, &f->loop, &f->limits, &hooks, NULL, f), 0);
    assert_true(large.scratch_size > 1024 * 1024);
    memset(large.scratch, 0, large.scratch_size);
    connection_set_deinit(&large);
}

/* ---- Deadlines ---- */

static void each_state_has_its_time_and_some_have_none(void **state)
{
    fixture *f = *state;
    static const struct {
        connection_state state;
        uint64_t lasts_ms;
    } cases[] = {
        {CONNECTION_HANDSHAKE, HANDSHAKE_MS}, {CONNECTION_OPEN, PING_MS},       {CONNECTION_PINGED, PONG_MS},
        {CONNECTION_CLOSING, PONG_MS},        {CONNECTION_LINGERING, CLOSE_MS}, {CONNECTION_HELD, PING_MS},
        {CONNECTION_LEAVING, UINT64_MAX},     {CONNECTION_CLOSED, UINT64_MAX},
    };
    named *n = enter(f, CONNECTION_HANDSHAKE);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        connection_set_move(&n->entry, cases[i].state);
        bool is_endless = cases[i].lasts_ms == UINT64_MAX;
        assert_true(next_due_at(f, 1000) == (is_endless ? UINT64_MAX : 1000 + cases[i].lasts_ms));
        if (is_endless) {
            turn_at(f, 1000 + 24 * 3600 * 1000);
            expect(f, "");
            set_time(f, 1000);
        }
    }
    connection_set_move(&n->entry, CONNECTION_DETACHED);
    assert_true(next_due_at(f, 1000) == UINT64_MAX);
}

static void a_set_without_deadlines_is_never_due(void **state)
{
    fixture *f = *state;
    f->limits = (net_limits){.handshake = {.max_head_bytes = 1024}};
    connection_set endless;
    assert_int_equal(connection_set_init(&endless, &f->loop, &f->limits, &hooks, NULL, f), 0);
    named n = {.entry = {.set = &endless, .state = CONNECTION_DETACHED}};
    for (int s = 0; s < CONNECTION_STATES; s++) {
        connection_set_move(&n.entry, (connection_state)s);
        assert_true(endless.ticker.next_due_ms(&endless.ticker, 1000) == UINT64_MAX);
    }
    connection_set_move(&n.entry, CONNECTION_DETACHED);
    connection_set_deinit(&endless);
}

static void entries_are_due_in_the_order_in_which_they_came(void **state)
{
    fixture *f = *state;
    for (uint64_t i = 0; i < 4; i++) {
        set_time(f, 1000 + i / 2); /* two in each ms */
        enter(f, CONNECTION_HANDSHAKE);
    }
    turn_at(f, 1000 + HANDSHAKE_MS - 1);
    expect(f, "");
    turn_at(f, 1000 + HANDSHAKE_MS);
    expect(f, "a is due\nb is due\n");
    assert_true(next_due_at(f, 1000 + HANDSHAKE_MS) == 1001 + HANDSHAKE_MS);
    turn_at(f, 1005 + HANDSHAKE_MS); /* later than it should be */
    expect(f, "c is due\nd is due\n");
    assert_true(next_due_at(f, 1005 + HANDSHAKE_MS) == UINT64_MAX);
}

static void one_that_goes_in_between_does_not_disturb_the_others(void **state)
{
    fixture *f = *state;
    enter(f, CONNECTION_OPEN);
    named *b = enter(f, CONNECTION_OPEN);
    enter(f, CONNECTION_OPEN);
    connection_set_move(&b->entry, CONNECTION_DETACHED);
    turn_at(f, 1000 + PING_MS);
    expect(f, "a is due\nc is due\n");
}

static void the_first_of_all_states_is_the_next_and_states_are_due_in_order(void **state)
{
    fixture *f = *state;
    enter(f, CONNECTION_LINGERING);
    assert_true(next_due_at(f, 1000) == 1000 + CLOSE_MS);
    enter(f, CONNECTION_OPEN);
    assert_true(next_due_at(f, 1000) == 1000 + PING_MS);
    enter(f, CONNECTION_PINGED);
    assert_true(next_due_at(f, 1000) == 1000 + PONG_MS);
    turn_at(f, 1000 + PONG_MS);
    expect(f, "c is due\n");
    turn_at(f, 1000 + CLOSE_MS);
    expect(f, "b is due\na is due\n");
}

static void entering_a_state_anew_begins_its_time_anew_at_the_end_of_the_line(void **state)
{
    fixture *f = *state;
    named *a = enter(f, CONNECTION_HANDSHAKE);
    enter(f, CONNECTION_HANDSHAKE);
    set_time(f, 1005);
    connection_set_move(&a->entry, CONNECTION_HANDSHAKE);
    turn_at(f, 1000 + HANDSHAKE_MS);
    expect(f, "b is due\n");
    turn_at(f, 1005 + HANDSHAKE_MS);
    expect(f, "a is due\n");
}

static void a_deadline_may_lead_to_the_same_state_and_to_another_with_a_deadline(void **state)
{
    fixture *f = *state;
    named *a = enter(f, CONNECTION_OPEN);
    named *b = enter(f, CONNECTION_OPEN);
    a->next = CONNECTION_OPEN;
    b->next = CONNECTION_PINGED;
    turn_at(f, 1000 + PING_MS);
    expect(f, "a is due\nb is due\n");
    b->next = CONNECTION_DETACHED;
    turn_at(f, 1000 + PING_MS + PONG_MS);
    expect(f, "b is due\n");
    a->next = CONNECTION_DETACHED;
    turn_at(f, 1000 + 2 * PING_MS);
    expect(f, "a is due\n");
}

/* An entry keeps the low half of its time, which is over after 49 days. */
static void the_end_of_32_bits_of_time_is_no_event(void **state)
{
    fixture *f = *state;
    uint64_t end_ms = (uint64_t)1 << 32;
    set_time(f, end_ms - 3);
    enter(f, CONNECTION_HANDSHAKE);
    assert_true(next_due_at(f, end_ms - 3) == end_ms - 3 + HANDSHAKE_MS);
    turn_at(f, end_ms - 1);
    expect(f, "");
    set_time(f, end_ms + 1);
    enter(f, CONNECTION_HANDSHAKE);
    turn_at(f, end_ms - 3 + HANDSHAKE_MS);
    expect(f, "a is due\n");
    turn_at(f, end_ms + 1 + HANDSHAKE_MS);
    expect(f, "b is due\n");
}

/* ---- Work ---- */

static void work_is_done_once_at_the_end_of_the_turn_in_the_order_in_which_it_came(void **state)
{
    fixture *f = *state;
    named *a = enter(f, CONNECTION_OPEN);
    named *b = enter(f, CONNECTION_OPEN);
    connection_set_put_work(&b->entry, 1);
    connection_set_put_work(&a->entry, 1);
    connection_set_put_work(&b->entry, 4); /* it keeps its place */
    connection_set_put_work(&b->entry, 1);
    expect(f, "");
    turn_at(f, 1000);
    expect(f, "b works 5\na works 1\n");
    turn_at(f, 1000);
    expect(f, "");
    connection_set_put_work(&b->entry, 2);
    turn_at(f, 1000);
    expect(f, "b works 2\n");
}

static void work_that_comes_up_meanwhile_is_done_in_the_same_turn(void **state)
{
    fixture *f = *state;
    named *a = enter(f, CONNECTION_OPEN);
    named *b = enter(f, CONNECTION_OPEN);
    named *c = enter(f, CONNECTION_OPEN);
    a->puts = &a->entry; /* itself */
    b->puts = &c->entry; /* another one, which has not asked for any */
    connection_set_put_work(&a->entry, 1);
    connection_set_put_work(&b->entry, 1);
    turn_at(f, 1000);
    expect(f, "a works 1\nb works 1\na works 64\nc works 64\n");
}

static void put_work(connection_entry *entry)
{
    note(named_of(entry)->f, "%c is due\n", named_of(entry)->name);
    connection_set_move(entry, CONNECTION_DETACHED);
    connection_set_move(entry, CONNECTION_CLOSED);
    connection_set_put_work(entry, 1);
}

static void work_that_a_deadline_makes_is_done_in_the_same_turn(void **state)
{
    fixture *f = *state;
    static const connection_hooks deadline_hooks = {.on_due = put_work, .on_work = on_work};
    f->set.hooks = &deadline_hooks;
    named *a = enter(f, CONNECTION_PINGED);
    enter(f, CONNECTION_OPEN);
    connection_set_put_work(&a->entry, 2);
    turn_at(f, 1000 + PONG_MS);
    expect(f, "a is due\na works 3\n");
}

static void free_entry(connection_entry *entry, unsigned work)
{
    (void)work;
    note(named_of(entry)->f, "%c is gone\n", named_of(entry)->name);
    connection_set_move(entry, CONNECTION_DETACHED);
    free(entry);
}

static void an_entry_may_be_gone_after_its_work(void **state)
{
    fixture *f = *state;
    static const connection_hooks freeing_hooks = {.on_due = on_due, .on_work = free_entry};
    f->set.hooks = &freeing_hooks;
    for (char name = 'a'; name <= 'c'; name++) {
        named *n = malloc(sizeof(*n));
        assert_non_null(n);
        *n = (named){.entry = {.set = &f->set, .state = CONNECTION_DETACHED}, .f = f, .name = name};
        connection_set_move(&n->entry, CONNECTION_CLOSED);
        connection_set_put_work(&n->entry, 1);
    }
    turn_at(f, 1000);
    expect(f, "a is gone\nb is gone\nc is gone\n");
    assert_true(STAILQ_EMPTY(&f->set.queue));
}

/* ---- All of them ---- */

static void visit(connection_entry *entry)
{
    note(named_of(entry)->f, "%c\n", named_of(entry)->name);
}

static void visit_and_close(connection_entry *entry)
{
    visit(entry);
    if (entry->state != CONNECTION_CLOSED)
        connection_set_move(entry, CONNECTION_CLOSED);
}

static void visit_and_detach(connection_entry *entry)
{
    visit(entry);
    connection_set_move(entry, CONNECTION_DETACHED);
}

static void each_one_is_visited_whatever_its_state(void **state)
{
    fixture *f = *state;
    for (int s = 0; s < CONNECTION_STATES; s++)
        enter(f, (connection_state)s);
    connection_set_each(&f->set, visit);
    expect(f, "a\nb\nc\nd\ne\nf\ng\nh\n");
    connection_set_each(&f->set, visit_and_detach);
    expect(f, "a\nb\nc\nd\ne\nf\ng\nh\n");
    connection_set_each(&f->set, visit);
    expect(f, "");
}

static void a_visit_may_end_its_connection_which_may_be_visited_again(void **state)
{
    fixture *f = *state;
    enter(f, CONNECTION_OPEN);
    enter(f, CONNECTION_OPEN);
    enter(f, CONNECTION_HELD);
    enter(f, CONNECTION_CLOSED);
    connection_set_each(&f->set, visit_and_close);
    expect(f, "a\nb\nc\nd\na\nb\nc\n");
    connection_set_each(&f->set, visit);
    expect(f, "d\na\nb\nc\n");
}

static void two_sets_of_a_loop_have_their_own_entries_and_deadlines(void **state)
{
    fixture *f = *state;
    connection_set other;
    assert_int_equal(connection_set_init(&other, &f->loop, &f->limits, &hooks, NULL, f), 0);
    enter(f, CONNECTION_PINGED);
    named n = {.entry = {.set = &other, .state = CONNECTION_DETACHED}, .f = f, .name = 'n'};
    set_time(f, 1001);
    connection_set_move(&n.entry, CONNECTION_PINGED);
    connection_set_put_work(&n.entry, 1);
    turn_at(f, 1000 + PONG_MS);
    expect(f, "a is due\n");
    assert_true(other.ticker.next_due_ms(&other.ticker, 1000) == 1001 + PONG_MS);

    /* From one to the other. */
    other.ticker.on_work(&other.ticker);
    expect(f, "n works 1\n");
    connection_set_move(&n.entry, CONNECTION_DETACHED);
    n.entry.set = &f->set;
    connection_set_move(&n.entry, CONNECTION_OPEN);
    connection_set_each(&f->set, visit_and_detach);
    connection_set_each(&other, visit);
    expect(f, "n\n");
    connection_set_deinit(&other);
}

/* ---- What is counted at the end of a turn ---- */

static void what_waits_and_what_was_relayed_is_published_at_the_end_of_a_turn(void **state)
{
    fixture *f = *state;
    f->set.output_bytes = 1234;
    f->set.relays_written = 3;
    turn_at(f, 1000); /* it took 100 us */
    assert_int_equal(counter_get(&f->set.counters.backlog_bytes), 1234);
    assert_int_equal(counter_get(&f->set.counters.relay_us.sum), 300);
    assert_int_equal(counter_get(&f->set.counters.relay_us.buckets[counter_histogram_bucket(100)]), 3);
    f->set.output_bytes = 0;
    turn_at(f, 1000);
    assert_int_equal(counter_get(&f->set.counters.backlog_bytes), 0);
    assert_int_equal(counter_get(&f->set.counters.relay_us.sum), 300); /* each is counted once */
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, make, unmake)
    const struct CMUnitTest tests[] = {
        CASE(a_new_set_has_nothing_to_do),
        CASE(the_read_buffer_takes_a_large_request_and_more),
        CASE(each_state_has_its_time_and_some_have_none),
        CASE(a_set_without_deadlines_is_never_due),
        CASE(entries_are_due_in_the_order_in_which_they_came),
        CASE(one_that_goes_in_between_does_not_disturb_the_others),
        CASE(the_first_of_all_states_is_the_next_and_states_are_due_in_order),
        CASE(entering_a_state_anew_begins_its_time_anew_at_the_end_of_the_line),
        CASE(a_deadline_may_lead_to_the_same_state_and_to_another_with_a_deadline),
        CASE(the_end_of_32_bits_of_time_is_no_event),
        CASE(work_is_done_once_at_the_end_of_the_turn_in_the_order_in_which_it_came),
        CASE(work_that_comes_up_meanwhile_is_done_in_the_same_turn),
        CASE(work_that_a_deadline_makes_is_done_in_the_same_turn),
        CASE(an_entry_may_be_gone_after_its_work),
        CASE(each_one_is_visited_whatever_its_state),
        CASE(a_visit_may_end_its_connection_which_may_be_visited_again),
        CASE(two_sets_of_a_loop_have_their_own_entries_and_deadlines),
        CASE(what_waits_and_what_was_relayed_is_published_at_the_end_of_a_turn),
    };
#undef CASE
    return cmocka_run_group_tests(tests, NULL, NULL);
}
