/* protocol/README.md, 1.3: signals that wait for somebody to come. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "support/client.h"
#include "support/server.h"
#include "support/twins.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Long enough to do something within it on a busy machine, short enough to be waited for. */
enum { SHORT_TTL_MS = 400 };

static int start(void **state)
{
    signal_server_options options = server_options();
    *state = server_start(&options);
    return 0;
}

static int start_with_short_ttl(void **state)
{
    signal_server_options options = server_options();
    options.workers = 1; /* so that the queues of two rooms share one clock */
    options.pending_ttl_ms = SHORT_TTL_MS;
    *state = server_start(&options);
    return 0;
}

static client *join(signal_server *server, const char *room, const char *user)
{
    return client_open_joined(signal_server_port(server), room, user);
}

/* Send numbers, and wait until they are queued. */
static void queue_numbers(client *c, unsigned from, unsigned to)
{
    for (unsigned i = from; i < to; i++)
        client_send_number(c, i);
    client_expect_nothing(c);
}

/* Have the server lose one of so many users who are in a room. */
static void lose(signal_server *server, client *c, unsigned joined)
{
    SERVER_AWAIT(server, joined, joined); /* published a moment after it is so */
    client_abort(c);
    SERVER_AWAIT(server, joined, joined - 1);
}

static void expect_numbers(client *c, const char *from_user, unsigned from, unsigned to)
{
    for (unsigned i = from; i < to; i++)
        client_expect_number(c, "room", from_user, i);
}

static void all_three_types_wait_and_arrive_in_order(void **state)
{
    client *a = join(*state, "room", "anna");
    client_send_offer(a, "\"v=0\"");
    client_send_candidate(a, "{\"x\":1}");
    client_send_answer(a, "{\"y\":2}");
    client_send_candidate(a, "null");
    client_expect_nothing(a);
    client *b = join(*state, "room", "bert");
    client_expect_signal(b, "offer", "room", "anna", "\"v=0\"");
    client_expect_signal(b, "candidate", "room", "anna", "{\"x\":1}");
    client_expect_signal(b, "answer", "room", "anna", "{\"y\":2}");
    client_expect_signal(b, "candidate", "room", "anna", "null");
    client_expect_nothing(b);
    client_expect_nothing(a);
    client_close(a);
    client_close(b);
}

static void the_queue_comes_before_anything_newer(void **state)
{
    TWINS_SKIP(); /* who leaves may still be sent to by the other node */
    enum { ROUNDS = 30 };
    for (unsigned round = 0; round < ROUNDS; round++) {
        client *a = join(*state, "room", "anna");
        queue_numbers(a, 0, 20);
        client *b = client_open(signal_server_port(*state));
        client_join(b, "room", "bert"); /* while a goes on sending */
        for (unsigned i = 20; i < 60; i++)
            client_send_number(a, i);
        expect_numbers(b, "anna", 0, 60);
        client_expect_nothing(b);
        client_leave(a);
        client_leave(b);
        client_expect_nothing(a);
        client_expect_nothing(b);
        client_close(a);
        client_close(b);
    }
}

static void a_delivered_queue_is_gone(void **state)
{
    client *a = join(*state, "room", "anna");
    queue_numbers(a, 0, 3);
    client *b = join(*state, "room", "bert");
    expect_numbers(b, "anna", 0, 3);
    client_leave(b);
    client_expect_nothing(b);
    client *c = join(*state, "room", "cleo");
    client_expect_nothing(c);
    SERVER_AWAIT(*state, pending_messages, 0);
    SERVER_AWAIT(*state, pending_bytes, 0);
    client_close(a);
    client_close(b);
    client_close(c);
}

static void what_is_sent_after_the_peer_has_gone_waits_for_its_return(void **state)
{
    client *a = join(*state, "room", "anna");
    client *b = join(*state, "room", "bert");
    client_expect_nothing(b);
    client_send_number(a, 1);
    client_expect_number(b, "room", "anna", 1);
    lose(*state, b, 2);
    queue_numbers(a, 2, 5);
    b = join(*state, "room", "bert");
    expect_numbers(b, "anna", 2, 5);
    client_close(a);
    client_close(b);
}

static void a_user_never_gets_back_its_own(void **state)
{
    client *a = join(*state, "room", "anna");
    queue_numbers(a, 0, 3);
    lose(*state, a, 1);
    a = join(*state, "room", "anna");
    client_expect_nothing(a);
    queue_numbers(a, 3, 5);
    client *b = join(*state, "room", "bert");
    expect_numbers(b, "anna", 0, 5);
    client_expect_nothing(a);
    client_close(a);
    client_close(b);
}

static void a_lost_users_signals_wait_for_the_others(void **state)
{
    client *a = join(*state, "room", "anna");
    queue_numbers(a, 0, 3);
    lose(*state, a, 1);
    assert_int_equal(server_stats(*state).rooms, 1);
    client *b = join(*state, "room", "bert");
    expect_numbers(b, "anna", 0, 3);
    client_send_number(b, 10);
    client_expect_nothing(b);
    a = join(*state, "room", "anna");
    client_expect_number(a, "room", "bert", 10);
    client_close(a);
    client_close(b);
}

static void a_leave_drops_what_its_sender_has_queued(void **state)
{
    client *a = join(*state, "room", "anna");
    queue_numbers(a, 0, 3);
    client_leave(a);
    client_expect_nothing(a);
    SERVER_AWAIT(*state, rooms, 0);
    SERVER_AWAIT(*state, pending_messages, 0);
    SERVER_AWAIT(*state, signals_dropped, 3);
    client *b = join(*state, "room", "bert");
    client_expect_nothing(b);
    client_close(a);
    client_close(b);
}

static void a_join_elsewhere_drops_it_as_well(void **state)
{
    client *a = join(*state, "room", "anna");
    queue_numbers(a, 0, 3);
    client_join(a, "elsewhere", "anna");
    client_expect_nothing(a);
    client *b = join(*state, "room", "bert");
    client_expect_nothing(b);
    SERVER_AWAIT(*state, signals_dropped, 3);
    client_close(a);
    client_close(b);
}

static void a_lost_users_signals_are_dropped_after_their_time(void **state)
{
    client *a = join(*state, "room", "anna");
    queue_numbers(a, 0, 3);
    lose(*state, a, 1);
    SERVER_AWAIT(*state, signals_dropped, 3);
    SERVER_AWAIT(*state, rooms, 0);
    SERVER_AWAIT(*state, pending_bytes, 0);
    client *b = join(*state, "room", "bert");
    client_expect_nothing(b);
    client_close(b);
}

/* The time is that of a lost connection: a user who is there, or there again, has all of it. */
static void a_present_users_signals_wait_without_end(void **state)
{
    client *back = join(*state, "room", "anna");
    queue_numbers(back, 0, 3);
    lose(*state, back, 1);
    back = join(*state, "room", "anna");
    client_expect_nothing(back);

    client *lost = join(*state, "clock", "cleo"); /* whose queue tells when the time is over */
    queue_numbers(lost, 0, 1);
    lose(*state, lost, 2);
    SERVER_AWAIT(*state, signals_dropped, 1);
    client *b = join(*state, "room", "bert");
    expect_numbers(b, "anna", 0, 3);
    client_close(back);
    client_close(b);
}

static void the_time_begins_anew_with_each_loss(void **state)
{
    client *a = NULL;
    for (unsigned i = 0; i < 5; i++) {
        a = join(*state, "room", "anna");
        queue_numbers(a, i, i + 1);
        lose(*state, a, 1);
    }
    client *b = join(*state, "room", "bert");
    expect_numbers(b, "anna", 0, 5);
    client_close(b);
}

/* ---- Bounds ---- */

static void a_room_queues_so_many_signals_and_no_more(void **state)
{
    TWINS_SKIP(); /* who leaves may still be sent to by the other node */
    (void)state;
    signal_server_options options = server_options();
    options.pending_max_messages = 3;
    signal_server *server = server_start(&options);
    client *a = join(server, "room", "anna");
    queue_numbers(a, 0, 3);
    client_send_number(a, 3);
    client_expect_error(a, "Pending queue is full");
    client_send_offer(a, "\"4\"");
    client_expect_error(a, "Pending queue is full");
    client_expect_nothing(a); /* and goes on */

    client *b = join(server, "room", "bert"); /* what is queued already has stayed */
    expect_numbers(b, "anna", 0, 3);
    client_expect_nothing(b);
    client_leave(b);
    client_expect_nothing(b);
    queue_numbers(a, 5, 8); /* there is room again */
    client_join(b, "room", "bert");
    expect_numbers(b, "anna", 5, 8);
    assert_int_equal(server_stats(server).signals_refused, 2);
    client_close(a);
    client_close(b);
    server_end(server);
}

static void a_queue_may_be_switched_off(void **state)
{
    (void)state;
    signal_server_options options = server_options();
    options.pending_max_messages = 0;
    signal_server *server = server_start(&options);
    client *a = join(server, "room", "anna");
    client_send_number(a, 0);
    client_expect_error(a, "Pending queue is full");
    client *b = join(server, "room", "bert");
    client_expect_nothing(b);
    client_send_number(a, 1);
    client_expect_number(b, "room", "anna", 1);
    client_close(a);
    client_close(b);
    server_end(server);
}

/* An offer whose sdp has so many letters. */
static void send_long_offer(client *c, size_t letters)
{
    char *sdp = malloc(letters + 3);
    assert_non_null(sdp);
    memset(sdp, 'v', letters + 2);
    sdp[0] = sdp[letters + 1] = '"';
    sdp[letters + 2] = '\0';
    client_send_offer(c, sdp);
    free(sdp);
}

static void a_room_queues_so_many_bytes_and_no_more(void **state)
{
    (void)state;
    signal_server_options options = server_options();
    options.pending_max_bytes = 10 * 1000;
    signal_server *server = server_start(&options);
    client *a = join(server, "room", "anna");
    send_long_offer(a, 9 * 1000);
    client_expect_nothing(a);
    send_long_offer(a, 1000); /* with its quotes, one byte or more too many */
    client_expect_error(a, "Pending queue is full");
    client_send_number(a, 1); /* a smaller one still fits */
    client_expect_nothing(a);
    client *b = join(server, "room", "bert");
    assert_int_equal(client_receive_text(b).len,
                     9 * 1000 +
                         strlen("{\"type\":\"offer\",\"room\":\"room\",\"from\":\"anna\",\"sdp\":\"\"}"));
    client_expect_number(b, "room", "anna", 1);
    client_expect_nothing(b);
    client_close(a);
    client_close(b);
    server_end(server);
}

static void a_signal_that_fits_to_the_byte_is_queued(void **state)
{
    enum { QUOTES = 2 }; /* of the sdp: what is queued is its JSON, without the message around it */
    (void)state;
    signal_server_options options = server_options();
    options.pending_max_bytes = 2 * (QUOTES + 500);
    signal_server *server = server_start(&options);
    client *a = join(server, "room", "anna");
    send_long_offer(a, 500);
    send_long_offer(a, 501);
    client_expect_error(a, "Pending queue is full");
    send_long_offer(a, 500);
    client_expect_nothing(a);
    SERVER_AWAIT(server, pending_bytes, options.pending_max_bytes);
    client_close(a);
    server_end(server);
}

/* The bound over the whole server is shared by all threads: rooms of four of them fill it together, and what
 * one of them gives back serves another. */
static void the_whole_server_queues_so_many_bytes_and_no_more(void **state)
{
    TWINS_SKIP();
    enum { ROOMS = 16, FITTING = 10, LETTERS = 950 };
    (void)state;
    signal_server_options options = server_options();
    options.workers = 4;
    options.pending_max_total_bytes = FITTING * 1000;
    options.exempt_addresses = "127.0.0.1"; /* the last quarter is for all */
    signal_server *server = server_start(&options);

    client *senders[ROOMS];
    char room[32];
    for (int i = 0; i < ROOMS; i++) {
        snprintf(room, sizeof(room), "room %02d", i);
        senders[i] = join(server, room, "anna");
        send_long_offer(senders[i], LETTERS); /* below 1,000 bytes with its quotes */
        if (i < FITTING)
            client_expect_nothing(senders[i]);
        else
            client_expect_error(senders[i], "Pending queue is full");
    }
    SERVER_AWAIT(server, pending_messages, FITTING);
    assert_true(server_stats(server).pending_bytes <= options.pending_max_total_bytes);

    for (int i = 0; i < FITTING; i++) {
        snprintf(room, sizeof(room), "room %02d", i);
        client *receiver = join(server, room, "bert");
        assert_int_equal(client_receive_text(receiver).opcode, CLIENT_TEXT);
        client_close(receiver);
        int other = ROOMS - 1 - i % (ROOMS - FITTING);
        send_long_offer(senders[other], LETTERS);
        client_expect_nothing(senders[other]);
    }
    SERVER_AWAIT(server, pending_messages, FITTING);
    for (int i = 0; i < ROOMS; i++) {
        client_leave(senders[i]);
        client_expect_nothing(senders[i]);
        client_close(senders[i]);
    }
    SERVER_AWAIT(server, pending_bytes, 0);
    SERVER_AWAIT(server, rooms, 0);
    server_end(server);
}

static void a_full_queue_of_the_default_size_is_delivered_at_once(void **state)
{
    client *a = join(*state, "room", "anna");
    for (unsigned i = 0; i < 256; i++) {
        if (i % 64 == 0)
            send_long_offer(a, 50 * 1000);
        else
            client_send_number(a, i);
    }
    client_expect_nothing(a);
    client_send_number(a, 256);
    client_expect_error(a, "Pending queue is full");
    client *b = join(*state, "room", "bert");
    for (unsigned i = 0; i < 256; i++) {
        if (i % 64 == 0)
            assert_true(client_receive_text(b).len > 50 * 1000);
        else
            client_expect_number(b, "room", "anna", i);
    }
    client_expect_nothing(b);
    client_close(a);
    client_close(b);
}

/* With the messages and frames around it, it is more than may wait for one client: what the socket takes does
 * not wait. */
static void a_queue_as_large_as_the_output_bound_is_delivered(void **state)
{
    enum { BYTES = 128 * 1024, OFFERS = 1000 };
    (void)state;
    signal_server_options options = server_options();
    options.max_output_bytes = BYTES;
    options.pending_max_bytes = BYTES;
    options.pending_max_messages = OFFERS;
    signal_server *server = server_start(&options);
    client *a = join(server, "room", "anna");
    for (int i = 0; i < OFFERS; i++)
        send_long_offer(a, 129); /* 131 bytes with its quotes */
    client_expect_nothing(a);
    SERVER_AWAIT(server, pending_bytes, OFFERS * 131);
    client *b = join(server, "room", "bert");
    for (int i = 0; i < OFFERS; i++)
        assert_int_equal(client_receive(b).opcode, CLIENT_TEXT);
    client_expect_nothing(b);
    client_close(a);
    client_close(b);
    server_end(server);
}

static void the_counters_tell_what_became_of_each(void **state)
{
    client *a = join(*state, "room", "anna");
    queue_numbers(a, 0, 4);
    SERVER_AWAIT(*state, signals_queued, 4);
    SERVER_AWAIT(*state, pending_messages, 4);
    client *b = join(*state, "room", "bert");
    expect_numbers(b, "anna", 0, 4);
    SERVER_AWAIT(*state, signals_delivered, 4);
    SERVER_AWAIT(*state, pending_messages, 0);
    assert_int_equal(server_stats(*state).signals_relayed, 0);
    client_close(a);
    client_close(b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(all_three_types_wait_and_arrive_in_order, start, server_teardown),
        cmocka_unit_test_setup_teardown(the_queue_comes_before_anything_newer, start, server_teardown),
        cmocka_unit_test_setup_teardown(a_delivered_queue_is_gone, start, server_teardown),
        cmocka_unit_test_setup_teardown(what_is_sent_after_the_peer_has_gone_waits_for_its_return, start,
                                        server_teardown),
        cmocka_unit_test_setup_teardown(a_user_never_gets_back_its_own, start, server_teardown),
        cmocka_unit_test_setup_teardown(a_lost_users_signals_wait_for_the_others, start, server_teardown),
        cmocka_unit_test_setup_teardown(a_leave_drops_what_its_sender_has_queued, start, server_teardown),
        cmocka_unit_test_setup_teardown(a_join_elsewhere_drops_it_as_well, start, server_teardown),
        cmocka_unit_test_setup_teardown(a_lost_users_signals_are_dropped_after_their_time,
                                        start_with_short_ttl, server_teardown),
        cmocka_unit_test_setup_teardown(a_present_users_signals_wait_without_end, start_with_short_ttl,
                                        server_teardown),
        cmocka_unit_test_setup_teardown(the_time_begins_anew_with_each_loss, start_with_short_ttl,
                                        server_teardown),
        cmocka_unit_test(a_room_queues_so_many_signals_and_no_more),
        cmocka_unit_test(a_queue_may_be_switched_off),
        cmocka_unit_test(a_room_queues_so_many_bytes_and_no_more),
        cmocka_unit_test(a_signal_that_fits_to_the_byte_is_queued),
        cmocka_unit_test(the_whole_server_queues_so_many_bytes_and_no_more),
        cmocka_unit_test_setup_teardown(a_full_queue_of_the_default_size_is_delivered_at_once, start,
                                        server_teardown),
        cmocka_unit_test(a_queue_as_large_as_the_output_bound_is_delivered),
        cmocka_unit_test_setup_teardown(the_counters_tell_what_became_of_each, start, server_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
