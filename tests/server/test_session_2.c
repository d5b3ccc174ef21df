/* Version 2 of the protocol (protocol/README.md, "Version 2") through real sockets: each message and each
 * rule once. What happens when connections break at any byte is for tests/model2. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "support/server.h"
#include "support/session_2.h"
#include "support/twins.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct fixture {
    signal_server *server;
    uint16_t port;
    client *anna, *bert;
    session_2 a, b;
} fixture;

static fixture *start_with(const signal_server_options *options)
{
    fixture *f = calloc(1, sizeof(*f));
    assert_non_null(f);
    f->server = server_start(options);
    f->port = signal_server_port(f->server);
    return f;
}

static int start(void **state)
{
    signal_server_options options = server_options();
    options.room_capacity = 3;
    *state = start_with(&options);
    return 0;
}

/* Anna is in the room, then Bert comes, and she is told. */
static int start_pair(void **state)
{
    start(state);
    fixture *f = *state;
    f->anna = session_2_open_joined(f->port, "room", ",\"user\":\"anna\"", &f->a);
    f->bert = session_2_open_joined(f->port, "room", ",\"user\":\"bert\",\"data\":{\"muted\":true}", &f->b);
    session_2_expect(
        f->anna,
        "{\"type\":\"peer-joined\",\"seq\":1,\"peer\":\"%s\",\"user\":\"bert\",\"data\":{\"muted\":"
        "true},\"order\":2,\"v\":2}",
        f->b.peer);
    return 0;
}

static int stop(void **state)
{
    fixture *f = *state;
    client_close(f->anna);
    client_close(f->bert);
    server_end(f->server);
    free(f);
    return 0;
}

/* ---- Joining ---- */

static void a_joiner_is_told_who_is_there(void **state)
{
    fixture *f = *state;
    assert_int_equal(f->a.order, 1);
    assert_int_equal(f->b.order, 2);
    assert_int_equal(f->a.peers, 0);
    assert_int_equal(f->b.peers, 1);
    assert_string_not_equal(f->a.peer, f->b.peer);
    assert_int_equal(f->a.received, 0);
    assert_int_equal(strlen(f->a.token), 22);
}

static void nothing_but_a_join_may_be_sent_before_joined(void **state)
{
    const fixture *f = *state;
    client *c = session_2_open(f->port);
    session_2_send_number(c, 1, 1);
    session_2_expect(
        c, "{\"type\":\"error\",\"code\":\"not-joined\",\"message\":\"Join a room first\",\"fatal\":"
           "false}");
    client_send_text(c, "{\"type\":\"ping\"}");
    session_2_expect(c, "{\"type\":\"pong\"}");
    client_send_text(c, "{\"type\":\"pong\"}");
    client_expect_nothing(c);
    client_close(c);
}

static void a_second_join_is_fatal(void **state)
{
    fixture *f = *state;
    session_2_send_join(f->bert, "other", "");
    session_2_expect(
        f->bert, "{\"type\":\"error\",\"code\":\"invalid\",\"message\":\"Invalid message\",\"fatal\":true}");
    client_expect_close(f->bert, 1008);
    session_2_expect(
        f->anna,
        "{\"type\":\"peer-left\",\"seq\":2,\"peer\":\"%s\",\"user\":\"bert\",\"data\":{\"muted\":true},"
        "\"order\":2,\"v\":2,\"reason\":\"lost\"}",
        f->b.peer);
}

static void who_leaves_may_say_why_and_join_again(void **state)
{
    fixture *f = *state;
    client_send_text(f->bert, "{\"type\":\"leave\",\"text\":\"bye\"}");
    session_2_expect(f->bert, "{\"type\":\"left\"}");
    session_2_expect(
        f->anna,
        "{\"type\":\"peer-left\",\"seq\":2,\"peer\":\"%s\",\"user\":\"bert\",\"data\":{\"muted\":true},"
        "\"order\":2,\"v\":2,\"reason\":\"left\",\"text\":\"bye\"}",
        f->b.peer);
    session_2_send_join(f->bert, "room", "");
    session_2 again;
    session_2_expect_joined(f->bert, "room", &again);
    assert_int_equal(again.order, 3);
    assert_string_not_equal(again.peer, f->b.peer);
    session_2_expect(
        f->anna,
        "{\"type\":\"peer-joined\",\"seq\":3,\"peer\":\"%s\",\"user\":\"\",\"data\":null,\"order\":3,"
        "\"v\":2}",
        again.peer);
}

/* ---- Signals ---- */

static void signals_are_numbered_on_both_sides(void **state)
{
    fixture *f = *state;
    client_send_text(f->anna, "{\"type\":\"offer\",\"n\":1,\"sdp\":\"v=0\"}");
    session_2_expect(f->bert, "{\"type\":\"offer\",\"seq\":1,\"from\":\"%s\",\"sdp\":\"v=0\"}", f->a.peer);
    client_send_textf(f->bert, "{\"type\":\"answer\",\"n\":1,\"to\":\"%s\",\"sdp\":{\"x\":[1]}}", f->a.peer);
    session_2_expect(f->anna, "{\"type\":\"answer\",\"seq\":2,\"from\":\"%s\",\"sdp\":{\"x\":[1]},\"ack\":1}",
                     f->b.peer);
    client_send_text(f->anna, "{\"type\":\"signal\",\"n\":2,\"data\":null,\"ack\":2}");
    session_2_expect(f->bert, "{\"type\":\"signal\",\"seq\":2,\"from\":\"%s\",\"data\":null,\"ack\":1}",
                     f->a.peer);
}

static void eight_messages_are_acknowledged_at_once_and_fewer_within_a_second(void **state)
{
    fixture *f = *state;
    for (unsigned n = 1; n <= 8; n++)
        session_2_send_number(f->anna, n, n);
    session_2_expect(f->anna, "{\"type\":\"ack\",\"ack\":8}");
    session_2_send_number(f->anna, 9, 9);
    session_2_expect(f->anna, "{\"type\":\"ack\",\"ack\":9}");
    for (unsigned n = 1; n <= 9; n++)
        session_2_expect_number(f->bert, n, f->a.peer, n);
}

static void a_message_that_comes_twice_is_taken_once(void **state)
{
    fixture *f = *state;
    session_2_send_number(f->anna, 1, 7);
    session_2_send_number(f->anna, 1, 7);
    session_2_expect(f->anna, "{\"type\":\"ack\",\"ack\":1}");
    session_2_expect_number(f->bert, 1, f->a.peer, 7);
    client_expect_nothing(f->bert);
}

static void a_gap_ends_the_session(void **state)
{
    fixture *f = *state;
    session_2_send_number(f->bert, 2, 7);
    session_2_expect(
        f->bert, "{\"type\":\"error\",\"code\":\"invalid\",\"message\":\"Invalid message\",\"fatal\":true}");
    client_expect_close(f->bert, 1008);
    client_receive_text(f->anna); /* peer-left */
    session_2 again;
    client *c = session_2_open_resumed(f->port, "room", &f->b, 0, &again);
    assert_false(again.is_resumed);
    client_close(c);
}

static void refused_messages_use_their_number_up(void **state)
{
    fixture *f = *state;
    client_send_text(f->anna, "{\"type\":\"offer\",\"n\":1,\"to\":\"nobody\",\"sdp\":\"x\"}");
    session_2_expect(
        f->anna,
        "{\"type\":\"error\",\"seq\":2,\"code\":\"no-such-peer\",\"message\":\"Nobody in the room has "
        "this id\",\"fatal\":false,\"n\":1,\"ack\":1}");
    client_send_text(f->anna, "{\"type\":\"offer\",\"n\":2,\"sdp\":\"\"}");
    session_2_expect(
        f->anna,
        "{\"type\":\"error\",\"seq\":3,\"code\":\"invalid\",\"message\":\"Invalid message\",\"fatal\":"
        "false,\"n\":2,\"ack\":2}");
    client_send_text(f->anna, "{\"type\":\"dance\",\"n\":3}");
    session_2_expect(f->anna,
                     "{\"type\":\"error\",\"seq\":4,\"code\":\"unsupported\",\"message\":\"Unknown type of "
                     "message\",\"fatal\":false,\"n\":3,\"ack\":3}");
    char data[1200];
    memset(data, 'x', sizeof(data));
    client_send_textf(f->anna, "{\"type\":\"update\",\"n\":4,\"data\":\"%.*s\"}", (int)sizeof(data), data);
    session_2_expect(
        f->anna,
        "{\"type\":\"error\",\"seq\":5,\"code\":\"too-large\",\"message\":\"Too large\",\"fatal\":false,"
        "\"n\":4,\"ack\":4}");
    session_2_send_number(f->anna, 5, 5);
    session_2_expect_number(f->bert, 1, f->a.peer, 5);
}

static void others_are_told_of_new_data(void **state)
{
    fixture *f = *state;
    client_send_text(f->bert, "{\"type\":\"update\",\"n\":1,\"data\":{\"muted\":false}}");
    session_2_expect(
        f->anna,
        "{\"type\":\"peer-changed\",\"seq\":2,\"peer\":\"%s\",\"user\":\"bert\",\"data\":{\"muted\":"
        "false},\"order\":2,\"v\":2}",
        f->b.peer);
}

static void with_nobody_there_signals_wait_and_the_queue_is_bounded(void **state)
{
    (void)state;
    signal_server_options options = server_options();
    options.pending_max_messages = 2;
    fixture *f = start_with(&options);
    f->anna = session_2_open_joined(f->port, "room", "", &f->a);
    for (unsigned n = 1; n <= 3; n++)
        session_2_send_number(f->anna, n, n);
    session_2_expect(
        f->anna,
        "{\"type\":\"error\",\"seq\":1,\"code\":\"queue-full\",\"message\":\"The queue of the room is "
        "full\",\"fatal\":false,\"n\":3,\"ack\":3}");
    f->bert = session_2_open_joined(f->port, "room", "", &f->b);
    session_2_expect_number(f->bert, 1, f->a.peer, 1);
    session_2_expect_number(f->bert, 2, f->a.peer, 2);
    client_expect_nothing(f->bert);
    void *to_stop = f;
    stop(&to_stop);
}

/* ---- Coming back ---- */

static void who_comes_back_has_lost_nothing(void **state)
{
    fixture *f = *state;
    session_2_send_number(f->bert, 1, 100);
    session_2_expect_number(f->anna, 2, f->b.peer, 100);
    session_2_send_number(f->anna, 1, 1);
    session_2_expect(f->bert,
                     "{\"type\":\"candidate\",\"seq\":1,\"from\":\"%s\",\"candidate\":{\"n\":1},\"ack\":1}",
                     f->a.peer);
    client_abort(f->bert);
    f->bert = NULL;
    session_2_expect(
        f->anna,
        "{\"type\":\"peer-away\",\"seq\":3,\"peer\":\"%s\",\"user\":\"bert\",\"data\":{\"muted\":true},"
        "\"order\":2,\"v\":2,\"ack\":1}",
        f->b.peer);
    for (unsigned n = 2; n <= 5; n++)
        session_2_send_number(f->anna, n, n);
    session_2 again;
    f->bert = session_2_open_resumed(f->port, "room", &f->b, 1, &again);
    assert_true(again.is_resumed);
    assert_string_equal(again.peer, f->b.peer);
    assert_string_not_equal(again.token, f->b.token);
    assert_int_equal(again.order, 2);
    assert_int_equal(again.received, 1);
    for (unsigned n = 2; n <= 5; n++)
        session_2_expect_number(f->bert, n, f->a.peer, n);
    session_2_expect(
        f->anna,
        "{\"type\":\"peer-back\",\"seq\":4,\"peer\":\"%s\",\"user\":\"bert\",\"data\":{\"muted\":true},"
        "\"order\":2,\"v\":2,\"ack\":5}",
        f->b.peer);
    session_2_send_number(f->bert, 2, 200);
    session_2_expect(f->anna, "{\"type\":\"candidate\",\"seq\":5,\"from\":\"%s\",\"candidate\":{\"n\":200}}",
                     f->b.peer);
}

/* protocol/README.md, 2.4: `joined` may be lost on its way. */
static void the_former_token_stays_good_until_the_new_one_has_come(void **state)
{
    TWINS_SKIP(); /* an acknowledgement may come after a join by the other node */
    fixture *f = *state;
    session_2 second, third, fourth;
    client *c = session_2_open_resumed(f->port, "room", &f->b, 0, &second);
    assert_true(second.is_resumed);
    client_expect_close(f->bert, 4501);
    client_close(f->bert);
    f->bert = c;
    c = session_2_open_resumed(f->port, "room", &f->b, 0, &third); /* as if the second had not come */
    assert_true(third.is_resumed);
    client_expect_close(f->bert, 4501);
    client_close(f->bert);
    f->bert = c;
    client_send_text(f->bert, "{\"type\":\"ack\",\"ack\":0}");
    client_expect_nothing(f->bert);
    c = session_2_open_resumed(f->port, "room", &f->b, 0, &fourth); /* the first token is good no more */
    assert_false(fourth.is_resumed);
    assert_int_equal(fourth.peers, 2);
    client_close(c);
    c = session_2_open_resumed(f->port, "room", &third, 0, &fourth);
    assert_true(fourth.is_resumed);
    client_close(c);
}

static void a_reload_replaces_the_session(void **state)
{
    fixture *f = *state;
    char more[160];
    snprintf(more, sizeof(more), ",\"token\":\"%s\",\"formerly\":\"%s\"", f->b.token, f->b.peer);
    client *c = session_2_open(f->port);
    session_2_send_join(c, "room", more);
    session_2 again;
    session_2_expect_joined(c, "room", &again);
    assert_false(again.is_resumed);
    assert_int_equal(again.peers, 1);
    client_expect_close(f->bert, 4501);
    session_2_expect(
        f->anna,
        "{\"type\":\"peer-left\",\"seq\":2,\"peer\":\"%s\",\"user\":\"bert\",\"data\":{\"muted\":true},"
        "\"order\":2,\"v\":2,\"reason\":\"replaced\"}",
        f->b.peer);
    session_2_expect(
        f->anna,
        "{\"type\":\"peer-joined\",\"seq\":3,\"peer\":\"%s\",\"user\":\"\",\"data\":null,\"order\":3,"
        "\"v\":2,\"formerly\":\"%s\"}",
        again.peer, f->b.peer);
    client_close(c);
}

static void what_does_not_fit_into_the_outbox_makes_resuming_fail(void **state)
{
    (void)state;
    signal_server_options options = server_options();
    options.outbox_max_messages = 2;
    void *made = start_with(&options);
    fixture *f = made;
    f->anna = session_2_open_joined(f->port, "room", "", &f->a);
    client *c = session_2_open_joined(f->port, "room", "", &f->b);
    client_abort(c);
    client_receive_text(f->anna); /* peer-joined */
    client_receive_text(f->anna); /* peer-away */
    for (unsigned n = 1; n <= 3; n++)
        session_2_send_number(f->anna, n, n);
    client_send_text(f->anna, "{\"type\":\"ping\"}");
    client_receive_text(f->anna);
    session_2 again;
    f->bert = session_2_open_resumed(f->port, "room", &f->b, 0, &again);
    assert_false(again.is_resumed);
    stop(&made);
}

static void who_is_away_for_too_long_is_lost(void **state)
{
    (void)state;
    signal_server_options options = server_options();
    options.resume_for_ms = 100;
    void *made = start_with(&options);
    fixture *f = made;
    f->anna = session_2_open_joined(f->port, "room", "", &f->a);
    client_abort(session_2_open_joined(f->port, "room", "", &f->b));
    static const char description[] = "\"peer\":\"%s\",\"user\":\"\",\"data\":null,\"order\":2,\"v\":2";
    char peer[128];
    snprintf(peer, sizeof(peer), description, f->b.peer);
    session_2_expect(f->anna, "{\"type\":\"peer-joined\",\"seq\":1,%s}", peer);
    session_2_expect(f->anna, "{\"type\":\"peer-away\",\"seq\":2,%s}", peer);
    session_2_expect(f->anna, "{\"type\":\"peer-left\",\"seq\":3,%s,\"reason\":\"lost\"}", peer);
    stop(&made);
}

/* protocol/README.md, 2.8. */
static void before_a_full_room_who_is_away_gives_way(void **state)
{
    (void)state;
    signal_server_options options = server_options();
    options.probe_timeout_ms = 200;
    void *made = start_with(&options);
    fixture *f = made;
    f->anna = session_2_open_joined(f->port, "room", "", &f->a);
    client_abort(session_2_open_joined(f->port, "room", "", &f->b));
    client_receive_text(f->anna); /* peer-joined */
    client_receive_text(f->anna); /* peer-away */
    f->bert = session_2_open(f->port);
    session_2_send_join(f->bert, "room", ",\"user\":\"carl\"");
    session_2 carl;
    client_answer_pings(f->anna, true);
    client_message left = client_receive_text(f->anna); /* answers the probe meanwhile */
    assert_non_null(strstr(left.data, "\"peer-left\""));
    session_2_expect_joined(f->bert, "room", &carl);
    assert_int_equal(carl.order, 3);
    assert_int_equal(carl.peers, 1);
    stop(&made);
}

/* ---- With version 1 ---- */

static void versions_share_rooms(void **state)
{
    fixture *f = *state;
    client *old = client_open_settled(f->port, "room", "anna");
    f->bert = session_2_open_joined(f->port, "room", ",\"user\":\"anna\"", &f->b); /* no takeover */
    assert_int_equal(f->b.peers, 1);
    client_send_offer(old, "\"v=0\"");
    client_message offer = client_receive_text(f->bert);
    assert_non_null(strstr(offer.data, "{\"type\":\"offer\",\"seq\":1,\"from\":\""));
    client_send_text(f->bert, "{\"type\":\"answer\",\"n\":1,\"sdp\":\"v=1\"}");
    client_expect_signal(old, "answer", "room", "anna", "\"v=1\"");
    client_send_text(f->bert, "{\"type\":\"signal\",\"n\":2,\"data\":1}");
    session_2_send_number(f->bert, 3, 1);
    client_expect_signal(old, "candidate", "room", "anna", "{\"n\":1}");
    client_send_text(f->bert, "{\"type\":\"leave\",\"ack\":1}"); /* else it would come back to the queue */
    session_2_expect(f->bert, "{\"type\":\"left\"}");
    session_2_send_join(f->bert, "room", "");
    session_2_expect_joined(f->bert, "room", &f->b);
    session_2_send_number(f->bert, 1, 2); /* who has no name is called by its id */
    client_expect_signal(old, "candidate", "room", f->b.peer, "{\"n\":2}");
    client_expect_nothing(old);
    client_close(old);
    client_message lost = client_receive_text(f->bert);
    if (strstr(lost.data, "\"peer-left\"") == NULL || strstr(lost.data, "\"v\":1") == NULL)
        fail_msg("got %s", lost.data);
}

/* protocol/README.md, 2.7. */
static void what_a_lost_session_has_not_acknowledged_goes_back_to_the_queue(void **state)
{
    (void)state;
    signal_server_options options = server_options();
    options.resume_for_ms = 100;
    void *made = start_with(&options);
    fixture *f = made;
    client *old = client_open_settled(f->port, "room", "anna");
    client *c = session_2_open_joined(f->port, "room", "", &f->b);
    client_send_number(old, 1);
    client_send_number(old, 2);
    client_receive_text(c);
    client_receive_text(c);
    client_send_text(c, "{\"type\":\"ack\",\"ack\":1}");
    client_expect_nothing(c);
    client_abort(c);
    SERVER_AWAIT(f->server, pending_messages, 1);
    client *callee = client_open_joined(f->port, "room", "bert");
    client_expect_number(callee, "room", "anna", 2);
    client_close(callee);
    client_close(old);
    stop(&made);
}

/* ---- The server ---- */

static void the_server_says_goodbye(void **state)
{
    TWINS_SKIP();
    fixture *f = *state;
    signal_server_request_stop(f->server, false);
    client_message goaway = client_receive_text(f->anna);
    assert_non_null(strstr(goaway.data, "{\"type\":\"goaway\",\"reason\":\"restart\",\"retryAfterMs\":"));
    client_expect_close_after_all(f->anna, 1012);
    client_expect_close_after_all(f->bert, 1012);
}

static void a_tick_comes_beside_each_ping(void **state)
{
    TWINS_SKIP();
    (void)state;
    signal_server_options options = server_options();
    options.ping_interval_ms = 50;
    void *made = start_with(&options);
    fixture *f = made;
    f->anna = session_2_open_joined(f->port, "room", "", &f->a);
    for (int i = 0; i < 3; i++)
        session_2_expect(f->anna, "{\"type\":\"tick\"}");
    assert_true(client_pings(f->anna) >= 2);
    stop(&made);
}

static void ice_servers_come_with_a_fresh_session(void **state)
{
    (void)state;
    signal_server_options options = server_options();
    options.turn_urls = "stun:turn.example,turn:turn.example";
    options.turn_secret = "secret";
    void *made = start_with(&options);
    fixture *f = made;
    f->anna = session_2_open(f->port);
    session_2_send_join(f->anna, "room", "");
    client_message joined = client_receive_text(f->anna);
    assert_non_null(
        strstr(joined.data, ",\"iceServers\":[{\"urls\":[\"stun:turn.example\"]},{\"urls\":[\"turn:"));
    assert_non_null(strstr(joined.data, "\"credential\":\""));
    stop(&made);
}

static void a_session_that_is_away_counts_as_a_connection(void **state)
{
    TWINS_SKIP();
    (void)state;
    signal_server_options options = server_options();
    options.max_connections_per_address = 2;
    options.resume_for_ms = 60 * 1000;
    void *made = start_with(&options);
    fixture *f = made;
    client_abort(session_2_open_joined(f->port, "room", "", &f->a));
    f->bert = session_2_open_joined(f->port, "other", "", &f->b);
    SERVER_AWAIT(f->server, connections, 1);
    client *third = client_dial(f->port);
    client_send_upgrade(third);
    client_expect_http_fault(third, 503);
    client_close(third);
    client_send_text(f->bert, "{\"type\":\"leave\"}");
    session_2_expect(f->bert, "{\"type\":\"left\"}");
    char more[128];
    snprintf(more, sizeof(more), ",\"token\":\"%s\",\"seen\":0", f->a.token);
    session_2_send_join(f->bert, "room", more);
    session_2_expect_joined(f->bert, "room", &f->a);
    assert_true(f->a.is_resumed);
    f->anna = session_2_open_joined(f->port, "third", "", &f->b); /* the place is free again */
    stop(&made);
}

#define WITH_PAIR(test) cmocka_unit_test_setup_teardown((test), start_pair, stop)
#define ALONE(test)     cmocka_unit_test_setup_teardown((test), start, stop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_PAIR(a_joiner_is_told_who_is_there),
        ALONE(nothing_but_a_join_may_be_sent_before_joined),
        WITH_PAIR(a_second_join_is_fatal),
        WITH_PAIR(who_leaves_may_say_why_and_join_again),
        WITH_PAIR(signals_are_numbered_on_both_sides),
        WITH_PAIR(eight_messages_are_acknowledged_at_once_and_fewer_within_a_second),
        WITH_PAIR(a_message_that_comes_twice_is_taken_once),
        WITH_PAIR(a_gap_ends_the_session),
        WITH_PAIR(refused_messages_use_their_number_up),
        WITH_PAIR(others_are_told_of_new_data),
        cmocka_unit_test(with_nobody_there_signals_wait_and_the_queue_is_bounded),
        WITH_PAIR(who_comes_back_has_lost_nothing),
        WITH_PAIR(the_former_token_stays_good_until_the_new_one_has_come),
        WITH_PAIR(a_reload_replaces_the_session),
        cmocka_unit_test(what_does_not_fit_into_the_outbox_makes_resuming_fail),
        cmocka_unit_test(who_is_away_for_too_long_is_lost),
        cmocka_unit_test(before_a_full_room_who_is_away_gives_way),
        ALONE(versions_share_rooms),
        cmocka_unit_test(what_a_lost_session_has_not_acknowledged_goes_back_to_the_queue),
        WITH_PAIR(the_server_says_goodbye),
        cmocka_unit_test(a_tick_comes_beside_each_ping),
        cmocka_unit_test(ice_servers_come_with_a_fresh_session),
        cmocka_unit_test(a_session_that_is_away_counts_as_a_connection),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
