/* The loop: its turns, its deadlines and its ticker. Connections are real ones over pairs of sockets, since
 * they are what the loop's lists hold; what they do is test_connection.c's business. */
#include "net/connection.h"
#include "net/loop.h"

#include "support/wire.h"

#include <stdlib.h>

enum { NEVER_MS = 3600 * 1000, MAX_NOTES = 64 };

typedef struct fixture {
    net_limits limits;
    net_loop loop;
    char notes[MAX_NOTES + 1]; /* a letter for each thing that happened, in order */
    uint64_t ticker_due_ms;
    uint64_t ticked_ms;
    int turn_ends;
} fixture;

typedef struct named {
    connection connection; /* first */
    fixture *f;
    wire_peer peer;
    char name;
} named;

static void note(fixture *f, char letter)
{
    size_t len = strlen(f->notes);
    assert_true(len < MAX_NOTES);
    f->notes[len] = letter;
}

static void expect(fixture *f, const char *notes)
{
    assert_string_equal(f->notes, notes);
    memset(f->notes, 0, sizeof(f->notes));
}

/* ---- Connections that note their end by their name ---- */

static int on_handshake(connection *c, const ws_handshake *handshake)
{
    (void)c;
    return handshake->status;
}

static connection_verdict on_message(connection *c, bool is_text, slice data)
{
    (void)is_text;
    (void)data;
    note(((named *)c)->f, 'm');
    return CONNECTION_GO_ON;
}

static void on_pong(connection *c)
{
    (void)c;
}

static void on_end(connection *c, const connection_end *end)
{
    (void)end;
    note(((named *)c)->f, ((named *)c)->name);
}

static void on_hand_over(connection *c)
{
    (void)c;
}

static void on_free(connection *c)
{
    wire_close(&((named *)c)->peer);
    free(c);
}

static const connection_events events = {on_handshake, on_message, on_pong, on_end, on_hand_over, on_free};

static named *open_named(fixture *f, char name)
{
    named *n = calloc(1, sizeof(*n));
    assert_non_null(n);
    int fd = wire_open(&n->peer, SOCK_STREAM);
    assert_int_equal(connection_open(&n->connection, fd, 0, &f->loop), 0);
    n->f = f;
    n->name = name;
    return n;
}

/* ---- The fixture ---- */

static fixture *make(uint32_t handshake_timeout_ms)
{
    fixture *f = calloc(1, sizeof(*f));
    assert_non_null(f);
    f->limits = (net_limits){
        .handshake = {.max_head_bytes = 1024},
        .max_message_bytes = 1024,
        .max_output_bytes = 1024,
        .handshake_timeout_ms = handshake_timeout_ms,
        .ping_interval_ms = NEVER_MS,
        .pong_timeout_ms = NEVER_MS,
        .close_timeout_ms = NEVER_MS,
    };
    assert_int_equal(net_loop_init(&f->loop, &f->limits), 0);
    f->loop.events = &events;
    f->ticker_due_ms = UINT64_MAX;
    return f;
}

static void drop_one(connection *c)
{
    connection_drop(c, CLOSE_REASON_LOST, "the test is over");
}

static void unmake(fixture *f)
{
    net_loop_each(&f->loop, drop_one);
    net_loop_end_turn(&f->loop);
    assert_int_equal(f->loop.connections, 0);
    net_loop_deinit(&f->loop);
    free(f);
}

static void turn_when_due(fixture *f)
{
    assert_int_equal(net_loop_turn(&f->loop), 0);
}

/* ---- The ticker ---- */

static uint64_t next_due_ms(void *context)
{
    return ((fixture *)context)->ticker_due_ms;
}

static void on_due(void *context, uint64_t now_ms)
{
    fixture *f = context;
    note(f, '!');
    f->ticked_ms = now_ms;
    f->ticker_due_ms = UINT64_MAX;
}

static void on_turn_end(void *context)
{
    ((fixture *)context)->turn_ends++;
}

static void give_ticker(fixture *f)
{
    f->loop.ticker = (net_ticker){next_due_ms, on_due, on_turn_end, f};
}

/* ---- Turns ---- */

static void a_new_loop_has_nothing_to_do(void **state)
{
    (void)state;
    fixture *f = make(NEVER_MS);
    wire_turn(&f->loop);
    assert_true(f->loop.timer_due_ms == UINT64_MAX);
    assert_int_equal(f->loop.connections, 0);
    assert_true(f->loop.scratch_size >= 64 * 1024);
    unmake(f);
}

static void the_read_buffer_has_room_for_a_large_request_and_more(void **state)
{
    (void)state;
    net_limits limits = {.handshake = {.max_head_bytes = 1024 * 1024}};
    net_loop loop;
    assert_int_equal(net_loop_init(&loop, &limits), 0);
    loop.events = &events;
    assert_true(loop.scratch_size > 1024 * 1024);
    net_loop_deinit(&loop);
    net_loop_deinit(&loop); /* what is freed is forgotten */
}

static void the_time_stands_still_within_a_turn_and_never_goes_back(void **state)
{
    (void)state;
    fixture *f = make(NEVER_MS);
    uint64_t before_ms = net_loop_now_ms(&f->loop);
    for (int i = 0; i < 1000; i++)
        assert_true(net_loop_now_ms(&f->loop) == before_ms);
    wire_turn(&f->loop);
    assert_false(f->loop.is_now_read);
    assert_true(net_loop_now_ms(&f->loop) >= before_ms);
    unmake(f);
}

static void what_is_put_on_the_list_at_the_end_of_a_turn_is_done_in_the_same_turn(void **state)
{
    (void)state;
    fixture *f = make(NEVER_MS);
    named *a = open_named(f, 'a');
    connection_refuse(&a->connection, 503, CLOSE_REASON_NO_PLACE, "full");
    wire_turn(&f->loop);
    expect(f, "a");
    assert_true(STAILQ_EMPTY(&f->loop.todo));
    wire_expect_fault(&a->peer, "503");

    connection_drop(&a->connection, CLOSE_REASON_LOST, "again");
    net_loop_end_turn(&f->loop);
    assert_true(STAILQ_EMPTY(&f->loop.todo));
    assert_int_equal(f->loop.connections, 0);
    unmake(f);
}

static void each_connection_is_visited_and_may_be_closed(void **state)
{
    (void)state;
    fixture *f = make(NEVER_MS);
    for (char name = 'a'; name <= 'e'; name++)
        open_named(f, name);
    assert_int_equal(f->loop.connections, 5);
    net_loop_each(&f->loop, drop_one);
    expect(f, "abcde");
    assert_int_equal(f->loop.connections, 5);
    net_loop_end_turn(&f->loop);
    assert_int_equal(f->loop.connections, 0);
    unmake(f);
}

/* ---- Deadlines ---- */

static void connections_are_due_in_the_order_in_which_they_came(void **state)
{
    (void)state;
    fixture *f = make(10);
    uint64_t since_ms = net_loop_now_ms(&f->loop);
    for (char name = 'a'; name <= 'c'; name++)
        open_named(f, name);
    wire_turn(&f->loop);
    expect(f, "");
    while (f->loop.connections == 3)
        turn_when_due(f);
    assert_true(net_loop_now_ms(&f->loop) - since_ms >= 10);

    /* Those of one turn are due together. */
    expect(f, "abc");
    assert_int_equal(f->loop.connections, 0);

    /* Nothing is due any more: the timer rests. */
    wire_turn(&f->loop);
    assert_true(f->loop.timer_due_ms == UINT64_MAX);
    unmake(f);
}

static void one_that_goes_in_between_does_not_disturb_the_others(void **state)
{
    (void)state;
    fixture *f = make(10);
    open_named(f, 'a');
    named *b = open_named(f, 'b');
    open_named(f, 'c');
    wire_turn(&f->loop);
    connection_drop(&b->connection, CLOSE_REASON_LOST, "early");
    expect(f, "b");
    while (f->loop.connections > 0)
        turn_when_due(f);
    expect(f, "ac");
    unmake(f);
}

static void the_nearest_deadline_of_all_states_comes_first(void **state)
{
    (void)state;
    fixture *f = make(NEVER_MS);
    open_named(f, 'a'); /* due in an hour, and the timer is set for it */
    wire_turn(&f->loop);
    assert_true(f->loop.timer_due_ms != UINT64_MAX);

    f->loop.duration_ms[CONNECTION_LINGERING] = 10;
    named *b = open_named(f, 'b');
    connection_refuse(&b->connection, 503, CLOSE_REASON_NO_PLACE, "full");
    wire_turn(&f->loop);
    expect(f, "b");
    while (f->loop.connections > 1)
        turn_when_due(f);
    expect(f, ""); /* it had ended for its owner before */
    assert_true(f->loop.timer_due_ms != UINT64_MAX);
    unmake(f);
}

static void a_duration_of_0_is_for_ever(void **state)
{
    (void)state;
    fixture *f = make(0);
    open_named(f, 'a');
    wire_turn(&f->loop);
    wire_turn(&f->loop);
    expect(f, "");
    assert_true(f->loop.timer_due_ms == UINT64_MAX);
    unmake(f);
}

/* ---- The ticker ---- */

static void the_ticker_comes_when_it_is_due_and_not_before(void **state)
{
    (void)state;
    fixture *f = make(NEVER_MS);
    give_ticker(f);
    uint64_t due_ms = net_loop_now_ms(&f->loop) + 10;
    f->ticker_due_ms = due_ms;
    net_loop_end_turn(&f->loop);
    expect(f, "");
    while (f->notes[0] == '\0')
        turn_when_due(f);
    expect(f, "!");
    assert_true(f->ticked_ms >= due_ms);
    wire_turn(&f->loop);
    expect(f, "");
    unmake(f);
}

static void a_ticker_that_is_never_due_needs_no_timer(void **state)
{
    (void)state;
    fixture *f = make(NEVER_MS);
    give_ticker(f);
    wire_turn(&f->loop);
    wire_turn(&f->loop);
    assert_true(f->loop.timer_due_ms == UINT64_MAX);
    expect(f, "");
    unmake(f);
}

static void the_ticker_and_the_connections_share_the_timer(void **state)
{
    (void)state;
    fixture *f = make(20);
    give_ticker(f);
    open_named(f, 'a');
    f->ticker_due_ms = net_loop_now_ms(&f->loop) + 10;
    net_loop_end_turn(&f->loop);
    while (f->ticked_ms == 0 || f->loop.connections > 0)
        turn_when_due(f);
    assert_int_equal(strlen(f->notes), 2);
    unmake(f);
}

static void the_time_of_the_ticker_may_move_to_the_front(void **state)
{
    (void)state;
    fixture *f = make(NEVER_MS);
    give_ticker(f);
    open_named(f, 'a');
    wire_turn(&f->loop); /* the timer is set for the connection's hour */
    f->ticker_due_ms = net_loop_now_ms(&f->loop) + 1;
    wire_turn(&f->loop);
    while (f->ticked_ms == 0)
        turn_when_due(f);
    expect(f, "!");
    unmake(f);
}

static void the_ticker_hears_of_the_end_of_each_turn_after_its_work(void **state)
{
    (void)state;
    fixture *f = make(NEVER_MS);
    give_ticker(f);
    wire_turn(&f->loop);
    wire_turn(&f->loop);
    assert_int_equal(f->turn_ends, 2);
    unmake(f);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(a_new_loop_has_nothing_to_do),
    cmocka_unit_test(the_read_buffer_has_room_for_a_large_request_and_more),
    cmocka_unit_test(the_time_stands_still_within_a_turn_and_never_goes_back),
    cmocka_unit_test(what_is_put_on_the_list_at_the_end_of_a_turn_is_done_in_the_same_turn),
    cmocka_unit_test(each_connection_is_visited_and_may_be_closed),
    cmocka_unit_test(connections_are_due_in_the_order_in_which_they_came),
    cmocka_unit_test(one_that_goes_in_between_does_not_disturb_the_others),
    cmocka_unit_test(the_nearest_deadline_of_all_states_comes_first),
    cmocka_unit_test(a_duration_of_0_is_for_ever),
    cmocka_unit_test(the_ticker_comes_when_it_is_due_and_not_before),
    cmocka_unit_test(a_ticker_that_is_never_due_needs_no_timer),
    cmocka_unit_test(the_ticker_and_the_connections_share_the_timer),
    cmocka_unit_test(the_time_of_the_ticker_may_move_to_the_front),
    cmocka_unit_test(the_ticker_hears_of_the_end_of_each_turn_after_its_work),
};

int main(void)
{
    return cmocka_run_group_tests(tests, NULL, NULL);
}
