/* protocol/README.md, 1.1: joining, joining elsewhere, taking over, and waiting before a full room. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "support/client.h"
#include "support/server.h"

#include <stdio.h>
#include <string.h>

/* Short enough to be waited for, long enough for a member that answers to be in time on a busy machine. */
enum { PROBE_MS = 300 };

static int start(void **state)
{
    signal_server_options options = server_options();
    *state = server_start(&options);
    return 0;
}

static int start_with_short_probes(void **state)
{
    signal_server_options options = server_options();
    options.probe_timeout_ms = PROBE_MS;
    *state = server_start(&options);
    return 0;
}

/* For the tests that let members answer: no time can be too short. */
static int start_with_endless_probes(void **state)
{
    signal_server_options options = server_options();
    options.probe_timeout_ms = 3600 * 1000;
    *state = server_start(&options);
    return 0;
}

static client *join(void *server, const char *room, const char *user)
{
    return client_open_joined(signal_server_port(server), room, user);
}

/* Join, and wait until that is done: what other connections do comes after it. */
static client *join_for_sure(signal_server *server, const char *room, const char *user)
{
    return client_open_settled(signal_server_port(server), room, user);
}

static void answer_probe(client *member)
{
    assert_int_equal(client_receive_frame(member).opcode, CLIENT_PING);
}

/* Signals go both ways between the two, and nothing else has come. */
static void expect_connected(client *a, const char *a_name, client *b, const char *b_name, const char *room)
{
    client_send_number(a, 101);
    client_expect_number(b, room, a_name, 101);
    client_send_number(b, 102);
    client_expect_number(a, room, b_name, 102);
}

/* ---- Joining ---- */

static void a_join_is_not_acknowledged(void **state)
{
    client *a = join(*state, "room", "anna");
    client_expect_nothing(a);
    client *b = join(*state, "room", "bert");
    client_expect_nothing(b);
    client_expect_nothing(a);
    client_close(a);
    client_close(b);
}

static void names_are_trimmed_as_javascript_does(void **state)
{
    client *a = client_open(signal_server_port(*state));
    client_send_text(a,
                     "{\"type\":\"join\",\"room\":\" \\t\\r\\n\\u00a0\\ufeff\\u2028blue fox\xe3\x80\x80 \","
                     "\"user\":\"\\u000b\\u000canna\\u3000\"}");
    client *b = join(*state, "blue fox", "bert");
    client_send_number(a, 1);
    client_expect_number(b, "blue fox", "anna", 1);
    client_close(a);
    client_close(b);
}

static void an_empty_name_is_an_invalid_message(void **state)
{
    client *a = client_open(signal_server_port(*state));
    client_join(a, "", "anna");
    client_expect_error(a, "Invalid message");
    client_join(a, " \t\xc2\xa0", "anna");
    client_expect_error(a, "Invalid message");
    client_join(a, "room", "");
    client_expect_error(a, "Invalid message");
    client_join(a, "room", "\xe2\x80\xa8");
    client_expect_error(a, "Invalid message");
    client_send_number(a, 1);
    client_expect_error(a, "Join the room first");
    client_close(a);
}

static void a_name_may_have_512_bytes_and_no_more(void **state)
{
    char longest[513 + 1];
    memset(longest, 'x', sizeof(longest));
    longest[513] = '\0';
    client *a = client_open(signal_server_port(*state));
    client_join(a, longest, "anna");
    client_expect_error(a, "Invalid message");
    client_join(a, "room", longest);
    client_expect_error(a, "Invalid message");

    longest[512] = '\0';
    client_join(a, longest, longest);
    client_send_number(a, 1);
    client *b = join(*state, longest, "bert");
    client_expect_number(b, longest, longest, 1);

    char blanks[513 + 2 + 1]; /* what counts is what remains */
    snprintf(blanks, sizeof(blanks), " %s ", longest);
    client_join(b, blanks, "bert");
    client_send_number(b, 2);
    client_expect_number(a, longest, "bert", 2);
    client_close(a);
    client_close(b);
}

static void names_are_compared_after_decoding_and_byte_for_byte(void **state)
{
    client *a = client_open(signal_server_port(*state));
    client_send_text(a, "{\"type\":\"join\",\"room\":\"\\u0062lue\",\"user\":\"\\uD83E\\uDD8A\"}");
    client *b = join_for_sure(*state, "blue", "bert");
    client *other_case = join_for_sure(*state, "Blue", "cleo");
    client_send_number(a, 1);
    client_expect_number(b, "blue", "\xf0\x9f\xa6\x8a", 1);
    client_expect_nothing(other_case);

    /* One letter or a letter with an accent behind it: the same to a reader, not to a server. */
    client_join(a, "caf\xc3\xa9", "anna");
    client_join(b, "cafe\xcc\x81", "bert");
    client_send_number(a, 2);
    client_expect_nothing(a);
    client_expect_nothing(b);
    client_close(a);
    client_close(b);
    client_close(other_case);
}

static void the_same_join_again_changes_nothing(void **state)
{
    client *a = join(*state, "room", "anna");
    client_send_number(a, 1);
    client_join(a, "room", "anna");
    client_join(a, " room ", " anna ");
    client_send_number(a, 2);
    client_expect_nothing(a);
    client *b = join(*state, "room", "bert");
    client_expect_number(b, "room", "anna", 1);
    client_expect_number(b, "room", "anna", 2);
    client_join(b, "room", "bert");
    client_expect_nothing(b);
    expect_connected(a, "anna", b, "bert", "room");
    client_close(a);
    client_close(b);
}

static void a_join_elsewhere_leaves_the_first_room(void **state)
{
    signal_server *server = *state;
    client *a = join_for_sure(server, "first", "anna");
    client *b = join_for_sure(server, "first", "bert");
    client_join(a, "second", "anna");
    client_expect_nothing(a);
    client_send_number(b, 1); /* queued, since nobody else is there now */
    client_expect_nothing(b);
    client_expect_nothing(a);
    client *c = join(server, "first", "cleo");
    client_expect_number(c, "first", "bert", 1);
    client *d = join_for_sure(server, "second", "dora");
    expect_connected(a, "anna", d, "dora", "second");
    client_close(a);
    client_close(b);
    client_close(c);
    client_close(d);
}

static void a_join_under_another_name_is_a_leave_and_a_join(void **state)
{
    client *a = join(*state, "room", "anna");
    client_send_number(a, 1); /* given up by the leave */
    client_join(a, "room", "amy");
    client_send_number(a, 2);
    client_expect_nothing(a);
    client *b = join(*state, "room", "bert");
    client_expect_number(b, "room", "amy", 2);
    expect_connected(a, "amy", b, "bert", "room");
    client_close(a);
    client_close(b);
}

/* ---- Taking over ---- */

static void a_join_from_a_new_connection_takes_over(void **state)
{
    client *old = join_for_sure(*state, "room", "anna");
    client *b = join_for_sure(*state, "room", "bert");
    client *new_one = join_for_sure(*state, "room", "anna");
    client_expect_close(old, 4001);
    expect_connected(new_one, "anna", b, "bert", "room");
    client_expect_nothing(b); /* who has noticed nothing */
    client_close(old);
    client_close(new_one);
    client_close(b);
}

static void the_late_end_of_the_old_connection_removes_nobody(void **state)
{
    signal_server_options options = server_options();
    options.close_timeout_ms = 60 * 1000; /* the old connection stays until it is closed by its client */
    signal_server *server = server_start(&options);
    (void)state;
    client *old = join_for_sure(server, "room", "anna");
    client *b = join_for_sure(server, "room", "bert");
    client *new_one = join_for_sure(server, "room", "anna");
    expect_connected(new_one, "anna", b, "bert", "room");
    SERVER_AWAIT(server, connections, 3);
    client_send_number(old, 7); /* it is no member any more */
    client_leave(old);
    client_expect_close(old, 4001);
    client_close(old);
    SERVER_AWAIT(server, connections, 2);
    expect_connected(new_one, "anna", b, "bert", "room");
    SERVER_AWAIT(server, joined, 2);
    client_close(new_one);
    client_close(b);
    server_end(server);
}

static void whoever_takes_over_owns_what_the_old_connection_has_queued(void **state)
{
    client *old = join(*state, "room", "anna");
    client_send_number(old, 1);
    client_expect_nothing(old);
    client *new_one = join_for_sure(*state, "room", "anna"); /* gets nothing of its own */
    client_expect_close(old, 4001);
    client_send_number(new_one, 2);
    client_expect_nothing(new_one);
    client *b = join(*state, "room", "bert");
    client_expect_number(b, "room", "anna", 1);
    client_expect_number(b, "room", "anna", 2);
    client_close(old);
    client_close(new_one);
    client_close(b);
}

static void many_takeovers_in_a_row_leave_the_last(void **state)
{
    client *b = join_for_sure(*state, "room", "bert");
    client *last = join_for_sure(*state, "room", "anna");
    for (int i = 0; i < 50; i++) {
        client *next = join_for_sure(*state, "room", "anna");
        client_expect_close(last, 4001);
        client_close(last);
        last = next;
    }
    expect_connected(last, "anna", b, "bert", "room");
    client_close(last);
    client_close(b);
}

static void the_same_user_in_two_rooms_is_two_users(void **state)
{
    client *one = join_for_sure(*state, "one", "anna");
    client *two = join_for_sure(*state, "two", "anna");
    client_expect_nothing(one);
    client_expect_nothing(two);
    client_close(one);
    client_close(two);
}

/* ---- Before a full room ---- */

static void a_newcomer_to_a_room_of_answering_members_is_told_that_it_is_full(void **state)
{
    client *a = join_for_sure(*state, "room", "anna");
    client *b = join_for_sure(*state, "room", "bert");
    client *c = join(*state, "room", "cleo");
    answer_probe(a);
    answer_probe(b);
    client_expect_error(c, "Room is full");
    expect_connected(a, "anna", b, "bert", "room");

    /* It is not in, goes on, and may try again. */
    client_send_number(c, 1);
    client_expect_error(c, "Join the room first");
    client_leave(a);
    client_expect_nothing(a);
    client_join(c, "room", "cleo");
    client_expect_nothing(c);
    expect_connected(c, "cleo", b, "bert", "room");
    client_close(a);
    client_close(b);
    client_close(c);
}

static void a_silent_member_is_dropped_for_a_newcomer(void **state)
{
    client *a = join_for_sure(*state, "room", "anna");
    client *silent = join_for_sure(*state, "room", "bert");
    client *c = join(*state, "room", "cleo");
    answer_probe(a);
    client_expect_nothing(c); /* answered only when it is in: until then its input waits */
    client_expect_gone(silent);
    expect_connected(a, "anna", c, "cleo", "room");
    client_close(a);
    client_close(silent);
    client_close(c);
}

static void all_members_may_be_silent(void **state)
{
    client *a = join_for_sure(*state, "room", "anna");
    client *b = join_for_sure(*state, "room", "bert");
    client *c = join(*state, "room", "cleo");
    client_expect_gone(a);
    client_expect_gone(b);
    client_send_number(c, 1);
    client *d = join(*state, "room", "dora");
    client_expect_number(d, "room", "cleo", 1);
    client_close(a);
    client_close(b);
    client_close(c);
    client_close(d);
}

/* Having been heard a moment before the newcomer came is no answer to the question that came after it, even
 * where the clock shows the same millisecond. */
static void a_member_heard_just_before_the_newcomer_came_is_still_asked(void **state)
{
    enum { ROOMS = 30 };
    client *silent[ROOMS][2];
    client *newcomers[ROOMS];
    for (int i = 0; i < ROOMS; i++) {
        char room[32];
        snprintf(room, sizeof(room), "room %d", i);
        silent[i][0] = join_for_sure(*state, room, "anna");
        silent[i][1] = join_for_sure(*state, room, "bert");
        newcomers[i] = join(*state, room, "cleo");
    }
    for (int i = 0; i < ROOMS; i++) {
        client_expect_nothing(newcomers[i]);
        client_expect_gone(silent[i][0]);
        client_expect_gone(silent[i][1]);
        client_close(silent[i][0]);
        client_close(silent[i][1]);
        client_close(newcomers[i]);
    }
}

static void any_byte_is_a_sign_of_life(void **state)
{
    client *a = join_for_sure(*state, "room", "anna");
    client *b = join_for_sure(*state, "room", "bert");
    client_answer_pings(a, false);
    client_answer_pings(b, false);
    client *c = join(*state, "room", "cleo");
    client_expect_ping(a); /* so c waits now */
    client_expect_ping(b);
    client_await_tick();      /* what comes in the millisecond of the question may have come before it */
    client_send_number(a, 1); /* no pong, but alive */
    client_send_number(b, 2);
    client_expect_error(c, "Room is full");
    client_expect_number(b, "room", "anna", 1);
    client_expect_number(a, "room", "bert", 2);
    client_close(a);
    client_close(b);
    client_close(c);
}

static void signals_behind_a_waiting_join_keep_their_order(void **state)
{
    enum { SIGNALS = 100 };
    client *a = join_for_sure(*state, "room", "anna");
    client *silent = join_for_sure(*state, "room", "bert");
    client *c = client_open(signal_server_port(*state));
    client_cork(c);
    client_join(c, "room", "cleo");
    for (unsigned i = 0; i < SIGNALS / 2; i++)
        client_send_number(c, i);
    client_uncork(c);
    answer_probe(a); /* c waits, and sends more */
    for (unsigned i = SIGNALS / 2; i < SIGNALS; i++)
        client_send_number(c, i);
    for (unsigned i = 0; i < SIGNALS; i++)
        client_expect_number(a, "room", "cleo", i);
    client_expect_nothing(c);
    client_close(a);
    client_close(silent);
    client_close(c);
}

/* More than the server reads of one that waits: the rest has to wait in the kernel, and none of it is lost.
 */
static void a_waiting_newcomer_may_send_much(void **state)
{
    enum { SIGNALS = 40, BYTES = 10 * 1024 };
    char sdp[BYTES + 3];
    memset(sdp, 'x', sizeof(sdp));
    sdp[0] = sdp[BYTES + 1] = '"';
    sdp[BYTES + 2] = '\0';
    client *a = join_for_sure(*state, "room", "anna");
    client *silent = join_for_sure(*state, "room", "bert");
    client *c = join(*state, "room", "cleo");
    answer_probe(a);
    for (unsigned i = 0; i < SIGNALS; i++) {
        client_send_number(c, i);
        client_send_offer(c, sdp);
    }
    for (unsigned i = 0; i < SIGNALS; i++) {
        client_expect_number(a, "room", "cleo", i);
        client_expect_signal(a, "offer", "room", "cleo", sdp);
    }
    client_close(a);
    client_close(silent);
    client_close(c);
}

static void what_a_refused_newcomer_sent_meanwhile_is_refused(void **state)
{
    client *a = join_for_sure(*state, "room", "anna");
    client *b = join_for_sure(*state, "room", "bert");
    client *c = client_open(signal_server_port(*state));
    client_cork(c);
    client_join(c, "room", "cleo");
    client_send_number(c, 1);
    client_uncork(c);
    answer_probe(a);
    answer_probe(b);
    client_expect_error(c, "Room is full");
    client_expect_error(c, "Join the room first");
    client_expect_nothing(a);
    client_expect_nothing(b);
    client_close(a);
    client_close(b);
    client_close(c);
}

static void a_place_that_becomes_free_goes_to_the_newcomer_who_waits(void **state)
{
    client *a = join_for_sure(*state, "room", "anna");
    client *b = join_for_sure(*state, "room", "bert");
    client_answer_pings(a, false);
    client *c = join(*state, "room", "cleo");
    client_expect_ping(a);
    client_leave(b);
    expect_connected(c, "cleo", a, "anna", "room");
    client_close(a);
    client_close(b);
    client_close(c);
}

static void a_lost_member_makes_room_as_well(void **state)
{
    client *a = join_for_sure(*state, "room", "anna");
    client *b = join_for_sure(*state, "room", "bert");
    client_answer_pings(a, false);
    client *c = join(*state, "room", "cleo");
    client_expect_ping(a);
    client_abort(b);
    expect_connected(c, "cleo", a, "anna", "room");
    client_close(a);
    client_close(c);
}

static void several_newcomers_are_let_in_in_their_order(void **state)
{
    signal_server *server = *state;
    client *a = join_for_sure(server, "room", "anna");
    client *b = join_for_sure(server, "room", "bert");
    client_answer_pings(a, false);
    client *c = join(server, "room", "cleo");
    client_expect_ping(a); /* c waits */
    client *d = join(server, "room", "dora");
    SERVER_AWAIT(server, handed_over, 4); /* d waits behind it, or is about to */
    client_leave(b);
    client_expect_nothing(c); /* c is in, and a has still not said a word: d waits on */
    client_leave(c);
    expect_connected(d, "dora", a, "anna", "room");
    client_close(a);
    client_close(b);
    client_close(c);
    client_close(d);
}

static void a_newcomer_who_goes_away_while_waiting_is_forgotten(void **state)
{
    signal_server *server = *state;
    client *a = join_for_sure(server, "room", "anna");
    client *b = join_for_sure(server, "room", "bert");
    client *c = join(server, "room", "cleo");
    answer_probe(a);
    client_close(c); /* b has not answered yet */
    SERVER_AWAIT(server, connections, 2);
    answer_probe(b);
    expect_connected(a, "anna", b, "bert", "room");
    client_close(a);
    client_close(b);
}

/* Nobody wants the place any more when the time is over. */
static void a_silent_member_stays_when_the_newcomer_has_gone(void **state)
{
    (void)state;
    signal_server_options options = server_options();
    options.workers = 1;
    options.probe_timeout_ms = PROBE_MS;
    signal_server *server = server_start(&options);
    client *a = join_for_sure(server, "room", "anna");
    client *b = join_for_sure(server, "room", "bert");
    client *c = join(server, "room", "cleo");
    client_answer_pings(a, false);
    client_answer_pings(b, false);
    client_expect_ping(a);
    client_abort(c);
    SERVER_AWAIT(server, connections, 2);

    /* A later wait, on the same thread, tells that the time of the first one is over. */
    client *d = join_for_sure(server, "clock", "dora");
    client *e = join_for_sure(server, "clock", "emil");
    client *f = join(server, "clock", "fred");
    client_expect_gone(d);
    client_expect_gone(e);
    client_expect_nothing(f);
    expect_connected(a, "anna", b, "bert", "room");
    client_close(a);
    client_close(b);
    client_close(d);
    client_close(e);
    client_close(f);
    server_end(server);
}

static void a_waiting_newcomer_is_replaced_by_its_own_reconnect(void **state)
{
    client *a = join_for_sure(*state, "room", "anna");
    client *b = join_for_sure(*state, "room", "bert");
    client_answer_pings(b, false);
    client *old = join(*state, "room", "cleo");
    client_expect_ping(b); /* the first waits now */
    client *new_one = join(*state, "room", "cleo");
    client_expect_close(old, 4001);
    client_leave(b);
    expect_connected(new_one, "cleo", a, "anna", "room");
    client_close(a);
    client_close(b);
    client_close(old);
    client_close(new_one);
}

static void a_member_who_reconnects_while_somebody_waits_is_alive(void **state)
{
    client *a = join_for_sure(*state, "room", "anna");
    client *b = join_for_sure(*state, "room", "bert"); /* silent: its network changed */
    client *c = join(*state, "room", "cleo");
    answer_probe(a);
    client *again = join(*state, "room", "bert");
    client_expect_error(c, "Room is full");
    client_expect_ping(b);
    client_expect_close(b, 4001);
    expect_connected(a, "anna", again, "bert", "room");
    client_close(a);
    client_close(b);
    client_close(c);
    client_close(again);
}

static void a_room_of_three_holds_three(void **state)
{
    (void)state;
    signal_server_options options = server_options();
    options.room_capacity = 3;
    options.probe_timeout_ms = 3600 * 1000;
    signal_server *server = server_start(&options);
    client *a = join_for_sure(server, "room", "anna");
    client *b = join_for_sure(server, "room", "bert");
    client *c = join_for_sure(server, "room", "cleo");
    client_send_number(a, 1);
    client_expect_number(b, "room", "anna", 1);
    client_expect_number(c, "room", "anna", 1);
    client_send_number(c, 2);
    client_expect_number(a, "room", "cleo", 2);
    client_expect_number(b, "room", "cleo", 2);

    client *d = join(server, "room", "dora");
    answer_probe(a);
    answer_probe(b);
    answer_probe(c);
    client_expect_error(d, "Room is full");
    client_expect_nothing(a);
    client_close(a);
    client_close(b);
    client_close(c);
    client_close(d);
    server_end(server);
}

static void the_queue_of_a_lone_user_goes_to_the_next_only(void **state)
{
    (void)state;
    signal_server_options options = server_options();
    options.room_capacity = 3;
    signal_server *server = server_start(&options);
    client *a = join(server, "room", "anna");
    client_send_number(a, 1);
    client_expect_nothing(a);
    client *b = join(server, "room", "bert");
    client_expect_number(b, "room", "anna", 1);
    client *c = join(server, "room", "cleo");
    client_expect_nothing(c);
    client_close(a);
    client_close(b);
    client_close(c);
    server_end(server);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_join_is_not_acknowledged, start, server_teardown),
        cmocka_unit_test_setup_teardown(names_are_trimmed_as_javascript_does, start, server_teardown),
        cmocka_unit_test_setup_teardown(an_empty_name_is_an_invalid_message, start, server_teardown),
        cmocka_unit_test_setup_teardown(a_name_may_have_512_bytes_and_no_more, start, server_teardown),
        cmocka_unit_test_setup_teardown(names_are_compared_after_decoding_and_byte_for_byte, start,
                                        server_teardown),
        cmocka_unit_test_setup_teardown(the_same_join_again_changes_nothing, start, server_teardown),
        cmocka_unit_test_setup_teardown(a_join_elsewhere_leaves_the_first_room, start, server_teardown),
        cmocka_unit_test_setup_teardown(a_join_under_another_name_is_a_leave_and_a_join, start,
                                        server_teardown),
        cmocka_unit_test_setup_teardown(a_join_from_a_new_connection_takes_over, start, server_teardown),
        cmocka_unit_test(the_late_end_of_the_old_connection_removes_nobody),
        cmocka_unit_test_setup_teardown(whoever_takes_over_owns_what_the_old_connection_has_queued, start,
                                        server_teardown),
        cmocka_unit_test_setup_teardown(many_takeovers_in_a_row_leave_the_last, start, server_teardown),
        cmocka_unit_test_setup_teardown(the_same_user_in_two_rooms_is_two_users, start, server_teardown),
        cmocka_unit_test_setup_teardown(a_newcomer_to_a_room_of_answering_members_is_told_that_it_is_full,
                                        start_with_endless_probes, server_teardown),
        cmocka_unit_test_setup_teardown(a_silent_member_is_dropped_for_a_newcomer, start_with_short_probes,
                                        server_teardown),
        cmocka_unit_test_setup_teardown(all_members_may_be_silent, start_with_short_probes, server_teardown),
        cmocka_unit_test_setup_teardown(a_member_heard_just_before_the_newcomer_came_is_still_asked,
                                        start_with_short_probes, server_teardown),
        cmocka_unit_test_setup_teardown(any_byte_is_a_sign_of_life, start_with_short_probes, server_teardown),
        cmocka_unit_test_setup_teardown(signals_behind_a_waiting_join_keep_their_order,
                                        start_with_short_probes, server_teardown),
        cmocka_unit_test_setup_teardown(a_waiting_newcomer_may_send_much, start_with_short_probes,
                                        server_teardown),
        cmocka_unit_test_setup_teardown(what_a_refused_newcomer_sent_meanwhile_is_refused,
                                        start_with_endless_probes, server_teardown),
        cmocka_unit_test_setup_teardown(a_place_that_becomes_free_goes_to_the_newcomer_who_waits,
                                        start_with_endless_probes, server_teardown),
        cmocka_unit_test_setup_teardown(a_lost_member_makes_room_as_well, start_with_endless_probes,
                                        server_teardown),
        cmocka_unit_test_setup_teardown(several_newcomers_are_let_in_in_their_order,
                                        start_with_endless_probes, server_teardown),
        cmocka_unit_test_setup_teardown(a_newcomer_who_goes_away_while_waiting_is_forgotten,
                                        start_with_endless_probes, server_teardown),
        cmocka_unit_test(a_silent_member_stays_when_the_newcomer_has_gone),
        cmocka_unit_test_setup_teardown(a_waiting_newcomer_is_replaced_by_its_own_reconnect,
                                        start_with_endless_probes, server_teardown),
        cmocka_unit_test_setup_teardown(a_member_who_reconnects_while_somebody_waits_is_alive,
                                        start_with_endless_probes, server_teardown),
        cmocka_unit_test(a_room_of_three_holds_three),
        cmocka_unit_test(the_queue_of_a_lone_user_goes_to_the_next_only),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
