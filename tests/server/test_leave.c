/* protocol/README.md, 1.4: leaving, and the end of a connection as a leave. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "support/pair.h"

static void who_has_left_gets_and_sends_nothing(void **state)
{
    pair *p = *state;
    client_leave(p->anna);
    client_expect_nothing(p->anna);
    client_send_number(p->bert, 1);
    client_expect_nothing(p->bert);
    client_expect_nothing(p->anna);
    client_send_number(p->anna, 2);
    client_expect_error(p->anna, "Join the room first");
}

static void the_one_who_stays_is_not_told(void **state)
{
    pair *p = *state;
    client_leave(p->anna);
    client_expect_nothing(p->anna);
    client_expect_nothing(p->bert);
}

static void whoever_left_may_come_back(void **state)
{
    pair *p = *state;
    for (unsigned i = 0; i < 20; i++) {
        client_leave(p->anna);
        client_send_number(p->anna, i);
        client_expect_error(p->anna, "Join the room first");
        client_join(p->anna, "room", "anna");
        client_send_number(p->anna, i);
        client_expect_number(p->bert, "room", "anna", i);
    }
}

static void a_leave_may_name_its_room_and_user(void **state)
{
    pair *p = *state;
    client_send_text(p->anna, "{\"type\":\"leave\",\"room\":\" r\\u006fom \",\"user\":\"anna\"}");
    client_expect_nothing(p->anna);
    SERVER_AWAIT(p->server, joined, 1);
    client_send_text(p->bert, "{\"type\":\"leave\",\"room\":null}");
    client_expect_nothing(p->bert);
    SERVER_AWAIT(p->server, joined, 0);
}

static void a_leave_of_another_room_does_nothing(void **state)
{
    pair *p = *state;
    client_send_text(p->anna, "{\"type\":\"leave\",\"room\":\"other\"}");
    client_send_text(p->anna, "{\"type\":\"leave\",\"room\":\"Room\",\"user\":\"anna\"}");
    client_expect_nothing(p->anna);
    client_send_number(p->anna, 1);
    client_expect_number(p->bert, "room", "anna", 1);
}

static void a_leave_by_one_who_is_in_no_room_does_nothing(void **state)
{
    pair *p = *state;
    client *cleo = client_open(signal_server_port(p->server));
    client_leave(cleo);
    client_send_text(cleo, "{\"type\":\"leave\",\"room\":\"room\",\"user\":\"anna\"}");
    client_expect_nothing(cleo);
    client_leave(p->anna);
    client_leave(p->anna);
    client_leave(p->anna);
    client_expect_nothing(p->anna);
    SERVER_AWAIT(p->server, joined, 1);
    client_close(cleo);
}

static void a_leave_with_a_broken_name_is_an_invalid_message(void **state)
{
    pair *p = *state;
    client_send_text(p->anna, "{\"type\":\"leave\",\"room\":17}");
    client_expect_error(p->anna, "Invalid message");
    client_send_text(p->anna, "{\"type\":\"leave\",\"user\":[]}");
    client_expect_error(p->anna, "Invalid message");
    client_send_number(p->anna, 1); /* still there */
    client_expect_number(p->bert, "room", "anna", 1);
}

static void an_empty_room_is_freed_at_once(void **state)
{
    pair *p = *state;
    SERVER_AWAIT(p->server, rooms, 1);
    client_leave(p->anna);
    client_expect_nothing(p->anna);
    SERVER_AWAIT(p->server, joined, 1);
    assert_int_equal(server_stats(p->server).rooms, 1);
    client_leave(p->bert);
    client_expect_nothing(p->bert);
    SERVER_AWAIT(p->server, rooms, 0);
    SERVER_AWAIT(p->server, joined, 0);
}

/* What anna's end was must not matter to bert, who goes on and has what he sends kept for her return. */
static void expect_anna_gone(pair *p)
{
    SERVER_AWAIT(p->server, connections, 1);
    SERVER_AWAIT(p->server, joined, 1);
    client_send_number(p->bert, 5);
    client_expect_nothing(p->bert);
    p->anna = client_open_joined(signal_server_port(p->server), "room", "anna");
    client_expect_number(p->anna, "room", "bert", 5);
}

static void a_close_frame_is_a_leave(void **state)
{
    pair *p = *state;
    client_send_close(p->anna, 1001);
    client_expect_close(p->anna, 1001);
    client_close(p->anna);
    expect_anna_gone(p);
}

static void a_close_frame_without_a_code_is_answered_in_kind(void **state)
{
    pair *p = *state;
    client_send_frame(p->anna, &(client_frame){.opcode = CLIENT_CLOSE});
    client_expect_close(p->anna, CLIENT_NO_CODE);
    client_close(p->anna);
    expect_anna_gone(p);
}

static void the_end_of_tcp_is_a_leave(void **state)
{
    pair *p = *state;
    client_close(p->anna);
    expect_anna_gone(p);
}

static void who_only_stops_sending_has_left_as_well(void **state)
{
    pair *p = *state;
    client_end_output(p->anna);
    client_expect_end(p->anna);
    client_close(p->anna);
    expect_anna_gone(p);
}

static void a_reset_is_a_leave(void **state)
{
    pair *p = *state;
    client_abort(p->anna);
    expect_anna_gone(p);
}

static void what_came_before_the_end_is_still_relayed(void **state)
{
    pair *p = *state;
    for (unsigned i = 0; i < 100; i++)
        client_send_number(p->anna, i);
    client_close(p->anna);
    for (unsigned i = 0; i < 100; i++)
        client_expect_number(p->bert, "room", "anna", i);
    expect_anna_gone(p);
}

static void rooms_of_lost_connections_are_freed(void **state)
{
    pair *p = *state;
    client_abort(p->anna);
    client_close(p->bert);
    SERVER_AWAIT(p->server, rooms, 0);
    SERVER_AWAIT(p->server, connections, 0);
    p->anna = p->bert = NULL;
}

static void many_rooms_come_and_go_without_a_trace(void **state)
{
    enum { ROOMS = 200 };
    pair *p = *state;
    for (unsigned i = 0; i < ROOMS; i++)
        client_send_textf(p->anna, "{\"type\":\"join\",\"room\":\"room %u\",\"user\":\"anna\"}", i);
    client_expect_nothing(p->anna);
    SERVER_AWAIT(p->server, rooms, 2); /* the last one, and bert's */
    client_leave(p->anna);
    client_expect_nothing(p->anna);
    SERVER_AWAIT(p->server, rooms, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(who_has_left_gets_and_sends_nothing, pair_start, pair_end),
        cmocka_unit_test_setup_teardown(the_one_who_stays_is_not_told, pair_start, pair_end),
        cmocka_unit_test_setup_teardown(whoever_left_may_come_back, pair_start, pair_end),
        cmocka_unit_test_setup_teardown(a_leave_may_name_its_room_and_user, pair_start, pair_end),
        cmocka_unit_test_setup_teardown(a_leave_of_another_room_does_nothing, pair_start, pair_end),
        cmocka_unit_test_setup_teardown(a_leave_by_one_who_is_in_no_room_does_nothing, pair_start, pair_end),
        cmocka_unit_test_setup_teardown(a_leave_with_a_broken_name_is_an_invalid_message, pair_start,
                                        pair_end),
        cmocka_unit_test_setup_teardown(an_empty_room_is_freed_at_once, pair_start, pair_end),
        cmocka_unit_test_setup_teardown(a_close_frame_is_a_leave, pair_start, pair_end),
        cmocka_unit_test_setup_teardown(a_close_frame_without_a_code_is_answered_in_kind, pair_start,
                                        pair_end),
        cmocka_unit_test_setup_teardown(the_end_of_tcp_is_a_leave, pair_start, pair_end),
        cmocka_unit_test_setup_teardown(who_only_stops_sending_has_left_as_well, pair_start, pair_end),
        cmocka_unit_test_setup_teardown(a_reset_is_a_leave, pair_start, pair_end),
        cmocka_unit_test_setup_teardown(what_came_before_the_end_is_still_relayed, pair_start, pair_end),
        cmocka_unit_test_setup_teardown(rooms_of_lost_connections_are_freed, pair_start, pair_end),
        cmocka_unit_test_setup_teardown(many_rooms_come_and_go_without_a_trace, pair_start, pair_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
