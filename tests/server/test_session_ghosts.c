/* protocol/README.md, "The session dialect": who is let into a session beside whom. A member that may be a
 * ghost, because its network has changed, is asked first; a third is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "support/client.h"
#include "support/member.h"
#include "support/server.h"

#include <stdlib.h>
#include <string.h>

/* TRUST_MS: who was heard from within this time is no ghost. */
enum { PROBE_MS = 300, TRUST_MS = 1000 };

static int start_with(void **state, uint32_t probe_timeout_ms)
{
    signal_server_options options = server_options();
    options.probe_timeout_ms = probe_timeout_ms;
    *state = server_start(&options);
    return 0;
}

static int start_with_short_probes(void **state)
{
    return start_with(state, PROBE_MS);
}

/* For the tests that let members answer: no time can be too short. */
static int start_with_endless_probes(void **state)
{
    return start_with(state, 3600 * 1000);
}

static uint16_t port_of(void *server)
{
    return signal_server_port(server);
}

/* Nothing is heard from any client until the server trusts none of them any more: that time is what the tests
 * are about. */
static void outlast_trust(void)
{
    uint64_t begun_ms = client_now_ms();
    while (client_now_ms() <= begun_ms + TRUST_MS)
        client_await_tick();
}

static void answer_probe(client *member)
{
    assert_int_equal(client_receive_frame(member).opcode, CLIENT_PING);
}

/* A newcomer that is held, beside a member that was asked and has not answered. */
static client *open_held(signal_server *server, client *member, const char *first_words)
{
    client_answer_pings(member, false);
    client *c = member_open(signal_server_port(server), "call");
    if (first_words != NULL)
        member_say(c, first_words);
    client_send_ping(c, "held");
    client_expect_ping(member);
    assert_false(client_is_readable(c, 0)); /* not even its ping is answered */
    return c;
}

/* ---- A member who answers ---- */

static void a_member_heard_just_now_is_not_asked(void **state)
{
    client *a = member_open_settled(port_of(*state), "call");
    client_send_ping(a, "alive"); /* within the second before the newcomer, if the machine is not very slow */
    client_expect_pong(a, "alive");
    uint64_t begun_ms = client_now_ms();
    client *b = member_open_settled(port_of(*state), "call");
    client_expect_nothing(a);
    if (client_now_ms() - begun_ms < TRUST_MS)
        assert_int_equal(client_pings(a), 0);
    member_expect_pair(a, b, "call");
    client_close(a);
    client_close(b);
}

static void a_newcomer_is_let_in_at_the_pong_of_a_member_long_silent(void **state)
{
    client *a = member_open_settled(port_of(*state), "call");
    member_say(a, "{'type':'offer','sdp':'v=0'}");
    client_expect_nothing(a);
    outlast_trust();
    client *b = open_held(*state, a, "{'type':'answer','sdp':'v=1'}");
    member_say_number(b, 1);
    client_send_frame(a, &(client_frame){.opcode = CLIENT_PONG});
    member_expect(b, "{'type':'offer','sessionId':'call','sdp':'v=0'}");
    member_expect(a, "{'type':'answer','sessionId':'call','sdp':'v=1'}"); /* what it said while held */
    member_expect_number(a, "call", 1);
    client_expect_pong(b, "held");
    member_expect_pair(a, b, "call");
    assert_int_equal(client_pings(a), 1);
    client_close(a);
    client_close(b);
}

static void one_who_moves_is_held_as_well(void **state)
{
    client *a = member_open_settled(port_of(*state), "call");
    client *b = member_open_settled(port_of(*state), "another");
    outlast_trust();
    client_answer_pings(a, false);
    member_say(b, "{'type':'offer','sessionId':'call','sdp':'v=0'}");
    client_send_ping(b, "held");
    client_expect_ping(a);
    assert_false(client_is_readable(b, 0));
    client_send_frame(a, &(client_frame){.opcode = CLIENT_PONG});
    member_expect(a, "{'type':'offer','sessionId':'call','sdp':'v=0'}");
    client_expect_pong(b, "held");
    member_expect_pair(a, b, "call");
    client_close(a);
    client_close(b);
}

/* ---- A ghost ---- */

static void a_ghost_is_dropped_after_the_time_of_a_probe_with_its_queue(void **state)
{
    signal_server *server = *state;
    client *ghost = member_open_settled(port_of(server), "call");
    member_say(ghost, "{'type':'offer','sdp':'v=0'}");
    client_expect_nothing(ghost);
    outlast_trust();
    uint64_t begun_ms = client_now_ms();
    client *again = open_held(server, ghost, NULL); /* the same caller, from another network */
    client_expect_pong(again, "held");
    assert_in_range(client_now_ms() - begun_ms, PROBE_MS - 1, CLIENT_WAIT_MS);
    client_expect_nothing(again); /* its own offer did not come */
    SERVER_AWAIT(server, pending_messages, 0);
    client_expect_gone(ghost);
    SERVER_AWAIT(server, joined, 1);

    member_say(again, "{'type':'offer','sdp':'v=0'}");
    client_expect_nothing(again);
    client *callee = member_open(port_of(server), "call");
    member_expect(callee, "{'type':'offer','sessionId':'call','sdp':'v=0'}");
    member_expect_pair(again, callee, "call");
    client_close(ghost);
    client_close(again);
    client_close(callee);
}

static void what_a_held_newcomer_said_is_for_the_next_when_the_ghost_is_gone(void **state)
{
    signal_server *server = *state;
    client *ghost = member_open_settled(port_of(server), "call");
    outlast_trust();
    client *a = open_held(server, ghost, "{'type':'offer','sdp':'v=0'}");
    client_expect_gone(ghost);
    client_expect_pong(a, "held");
    client *b = member_open(port_of(server), "call");
    member_expect(b, "{'type':'offer','sessionId':'call','sdp':'v=0'}");
    member_expect_pair(a, b, "call");
    client_close(ghost);
    client_close(a);
    client_close(b);
}

static void two_who_wait_for_the_same_ghost_find_each_other(void **state)
{
    signal_server *server = *state;
    client *ghost = member_open_settled(port_of(server), "call");
    outlast_trust();
    client *a = open_held(server, ghost, "{'type':'offer','sdp':'v=0'}");
    client *b = member_open(port_of(server), "call");
    client_expect_pong(a, "held");
    while (!client_is_readable(b, 0)) /* a may be asked in turn, and answers */
        client_expect_nothing(a);
    member_expect(b, "{'type':'offer','sessionId':'call','sdp':'v=0'}");
    member_expect_pair(a, b, "call");
    client_expect_gone(ghost);
    client_close(ghost);
    client_close(a);
    client_close(b);
}

static void a_newcomer_that_goes_while_held_has_said_nothing(void **state)
{
    signal_server *server = *state;
    client *a = member_open_settled(port_of(server), "call");
    outlast_trust();
    client *b = open_held(server, a, "{'type':'hangup'}");
    client_close(b);
    SERVER_AWAIT(server, connections, 1);
    client_send_frame(a, &(client_frame){.opcode = CLIENT_PONG});
    client_expect_nothing(a);
    client *c = member_open_settled(port_of(server), "call");
    member_expect_pair(a, c, "call");
    client_close(a);
    client_close(c);
}

/* ---- A third ---- */

static void a_third_is_refused_and_what_it_sent_reaches_nobody(void **state)
{
    signal_server *server = *state;
    client *a = member_open_settled(port_of(server), "call");
    client *b = member_open_settled(port_of(server), "call");
    member_expect_pair(a, b, "call");
    client *c = client_dial(port_of(server));
    client_cork(c);
    client_send_upgrade_to(c, "/signal?sessionId=call");
    member_say(c, "{'type':'hangup','sessionId':'call'}");
    member_say(c, "{'type':'offer','sdp':'v=0'}");
    member_say(c, "{'type':'offer','sessionId':'elsewhere','sdp':'v=0'}");
    client_uncork(c);
    client_expect_upgraded(c);
    answer_probe(a);
    member_say(c, "{'type':'error','message':'m'}");
    answer_probe(b);
    member_expect_error(c, "call", "The session is full");
    client_message close = client_receive(c);
    assert_int_equal(close.opcode, CLIENT_CLOSE);
    assert_int_equal(close.len, 2 + strlen("the session is full"));
    assert_memory_equal(close.data, "\x03\xf0the session is full", close.len);
    client_send_close(c, 1008);
    client_expect_end(c);
    client_expect_nothing(a);
    client_expect_nothing(b);
    member_expect_pair(a, b, "call");
    SERVER_AWAIT(server, connections, 2);
    SERVER_AWAIT(server, rooms, 1);
    client_close(a);
    client_close(b);
    client_close(c);
}

static void one_who_moves_into_a_full_session_is_refused_as_well(void **state)
{
    signal_server *server = *state;
    client *a = member_open_settled(port_of(server), "call");
    client *b = member_open_settled(port_of(server), "call");
    client *c = member_open_settled(port_of(server), "another");
    member_say(c, "{'type':'hangup','sessionId':'call'}");
    answer_probe(a);
    answer_probe(b);
    member_expect_error(c, "call", "The session is full");
    client_expect_close(c, 1008);
    client_expect_nothing(a);
    client_expect_nothing(b);
    client_close(a);
    client_close(b);
    client_close(c);
}

static void a_third_takes_the_place_of_a_ghost(void **state)
{
    signal_server *server = *state;
    client *a = member_open_settled(port_of(server), "call");
    client *ghost = member_open_settled(port_of(server), "call");
    client *again = member_open(port_of(server), "call");
    answer_probe(a);
    client_expect_gone(ghost);
    member_expect_pair(a, again, "call");
    client_close(a);
    client_close(ghost);
    client_close(again);
}

static void the_place_of_one_who_goes_is_for_the_one_who_waits(void **state)
{
    signal_server *server = *state;
    client *a = member_open_settled(port_of(server), "call");
    client *b = member_open_settled(port_of(server), "call");
    client_answer_pings(b, false);
    client *c = member_open(port_of(server), "call");
    member_say_number(c, 1);
    answer_probe(a);
    client_expect_ping(b);
    client_close(b);
    member_expect_number(a, "call", 1);
    member_expect_pair(a, c, "call");
    client_close(a);
    client_close(c);
}

#define WITH_SHORT_PROBES(test) \
    cmocka_unit_test_setup_teardown(test, start_with_short_probes, server_teardown)
#define WITH_ENDLESS_PROBES(test) \
    cmocka_unit_test_setup_teardown(test, start_with_endless_probes, server_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_ENDLESS_PROBES(a_member_heard_just_now_is_not_asked),
        WITH_ENDLESS_PROBES(a_newcomer_is_let_in_at_the_pong_of_a_member_long_silent),
        WITH_ENDLESS_PROBES(one_who_moves_is_held_as_well),
        WITH_SHORT_PROBES(a_ghost_is_dropped_after_the_time_of_a_probe_with_its_queue),
        WITH_SHORT_PROBES(what_a_held_newcomer_said_is_for_the_next_when_the_ghost_is_gone),
        WITH_SHORT_PROBES(two_who_wait_for_the_same_ghost_find_each_other),
        WITH_ENDLESS_PROBES(a_newcomer_that_goes_while_held_has_said_nothing),
        WITH_ENDLESS_PROBES(a_third_is_refused_and_what_it_sent_reaches_nobody),
        WITH_ENDLESS_PROBES(one_who_moves_into_a_full_session_is_refused_as_well),
        WITH_SHORT_PROBES(a_third_takes_the_place_of_a_ghost),
        WITH_ENDLESS_PROBES(the_place_of_one_who_goes_is_for_the_one_who_waits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
