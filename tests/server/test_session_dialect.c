/* protocol/README.md, "The session dialect": joining at the handshake, what is passed on, the queue, and
 * moving. Who is let in beside whom is in test_session_ghosts.c, and what goes wrong in
 * test_session_faults.c. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "support/client.h"
#include "support/member.h"
#include "support/server.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Two in the session "call". */
typedef struct fixture {
    signal_server *server;
    uint16_t port;
    client *a, *b;
} fixture;

static int start_with(void **state, const signal_server_options *options)
{
    static fixture the;
    the.server = server_start(options);
    the.port = signal_server_port(the.server);
    the.a = member_open_settled(the.port, "call");
    the.b = member_open_settled(the.port, "call");
    *state = &the;
    return 0;
}

static int start(void **state)
{
    signal_server_options options = server_options();
    return start_with(state, &options);
}

static int end(void **state)
{
    fixture *f = *state;
    client_close(f->a);
    client_close(f->b);
    server_end(f->server);
    return 0;
}

/* ---- Joining ---- */

static void a_session_is_joined_by_the_handshake_alone(void **state)
{
    fixture *f = *state;
    SERVER_AWAIT(f->server, joined, 2);
    SERVER_AWAIT(f->server, rooms, 1);
    member_expect_pair(f->a, f->b, "call");
    client_expect_nothing(f->a);
    client_expect_nothing(f->b);
}

static void what_was_sent_with_the_request_is_handled_behind_the_join(void **state)
{
    fixture *f = *state;
    client *c = client_dial(f->port);
    client_cork(c);
    client_send_upgrade_to(c, "/signal?sessionId=early");
    member_say_number(c, 1);
    member_say(c, "{'type':'offer','sdp':'v=0'}");
    client_uncork(c);
    client_expect_upgraded(c);
    client_expect_nothing(c);
    client *d = member_open(f->port, "early");
    member_expect_number(d, "early", 1);
    member_expect(d, "{'type':'offer','sessionId':'early','sdp':'v=0'}");
    client_close(c);
    client_close(d);
}

/* Each is another spelling of one id: both sides of it meet, and its JSON is the same for both. */
static void an_id_is_what_the_query_says_when_it_is_decoded(void **state)
{
    fixture *f = *state;
    static const struct {
        const char *one, *other, *json;
    } ids[] = {
        {"blue%20fox", "blue+fox", "blue fox"},
        {"%62%6Cue%20fox", "++blue%20fox%09%0A", "blue fox"},
        {"blue%2Bfox", "blue%2bfox&sessionId=other", "blue+fox"},
        {"a%26b%3Dc%23d", "a%26b=c%23d", "a&b=c#d"},
        {"100%", "100%25", "100%"},
        {"%D0%B4%D0%BE%D0%BC", "\xD0\xB4\xD0\xBE\xD0\xBC", "\xD0\xB4\xD0\xBE\xD0\xBC"},
        {"%F0%9F%A6%8A", "%C2%A0%F0%9F%A6%8A%E3%80%80", "\xF0\x9F\xA6\x8A"},
        {"say%22hi%22%5C%0A%01x", "say%22hi%22\\%0A%01x", "say\\\"hi\\\"\\\\\\n\\u0001x"},
    };
    for (size_t i = 0; i < sizeof(ids) / sizeof(ids[0]); i++) {
        client *one = member_open_settled(f->port, ids[i].one);
        client *other = member_open_settled(f->port, ids[i].other);
        member_expect_pair(one, other, ids[i].json);
        client_close(one);
        client_close(other);
    }
}

static void the_parameter_is_found_among_others(void **state)
{
    fixture *f = *state;
    client *c = client_dial(f->port);
    client_send_upgrade_to(c, "/signal?x=1&sessionID=no&session%49d=found&sessionId=too+late");
    client_expect_upgraded(c);
    client *d = member_open_settled(f->port, "found");
    member_expect_pair(c, d, "found");
    client_close(c);
    client_close(d);
}

/* A target with an id of this many bytes; the caller frees it. */
static char *target_with_id(size_t len)
{
    char *target = calloc(1, 64 + len);
    assert_non_null(target);
    memset(target + sprintf(target, "/signal?sessionId="), 'x', len);
    return target;
}

static void without_a_usable_id_the_query_means_nothing(void **state)
{
    fixture *f = *state;
    char *too_long = target_with_id(513);
    const char *const targets[] = {
        "/signal?sessionId=",
        "/signal?sessionId",
        "/signal?sessionId=%20+%09%C2%A0",
        "/signal?sessionId=%FF",
        "/signal?SESSIONID=call",
        "/signal?xsessionId=call",
        "/signal?",
        "/signal?%20sessionId=call",
        too_long,
    };
    for (size_t i = 0; i < sizeof(targets) / sizeof(targets[0]); i++) {
        client *c = client_dial(f->port);
        client_send_upgrade_to(c, targets[i]);
        client_expect_upgraded(c);
        client_send_number(c, 1);
        client_expect_error(c, "Join the room first");
        client_join(c, "room", "anna");
        client_expect_nothing(c);
        client *d = client_open_joined(f->port, "room", "bert");
        client_send_number(d, 2);
        client_expect_number(c, "room", "bert", 2);
        client_leave(c);
        client_close(c);
        client_close(d);
    }
    free(too_long);
}

static void an_id_may_have_512_bytes(void **state)
{
    fixture *f = *state;
    char *target = target_with_id(512);
    const char *id = strchr(target, '=') + 1;
    client *c = member_open_settled(f->port, id);
    client *d = member_open_settled(f->port, id);
    member_expect_pair(c, d, id);
    client_close(c);
    client_close(d);
    free(target);
}

static void a_session_and_a_room_of_the_same_name_do_not_meet(void **state)
{
    fixture *f = *state;
    client *anna = client_open_settled(f->port, "call", "anna");
    client_send_number(anna, 1);
    client_expect_nothing(anna);
    SERVER_AWAIT(f->server, pending_messages, 1); /* she is alone */
    member_expect_pair(f->a, f->b, "call");
    client_expect_nothing(anna);
    client *bert = client_open_joined(f->port, "call", "bert");
    client_expect_number(bert, "call", "anna", 1);
    client_expect_nothing(f->a);
    client_expect_nothing(f->b);
    client_close(anna);
    client_close(bert);
}

/* ---- What is passed on ---- */

static void a_signal_is_passed_on_with_just_the_fields_of_its_type(void **state)
{
    fixture *f = *state;
    static const struct {
        const char *said, *heard;
    } signals[] = {
        {"{'type':'offer','sessionId':'call','sdp':'v=0','initiator':true,'from':'x','room':'y','to':3,"
         "'reason':'r','code':1,'message':'m','candidate':{}}",
         "{'type':'offer','sessionId':'call','sdp':'v=0','initiator':true}"},
        {"{'sdp':'v=1','type':'answer','initiator':false,'sessionId':'  call\\t'}",
         "{'type':'answer','sessionId':'call','sdp':'v=1','initiator':false}"},
        {"{'type':'offer','sdp':{'type':'offer','sdp':'v=2','deep':[1,{'x':null}]}}",
         "{'type':'offer','sessionId':'call','sdp':{'type':'offer','sdp':'v=2','deep':[1,{'x':null}]}}"},
        {"{'type':'candidate','candidate':{'candidate':'c','sdpMid':null,'z':1e2},'initiator':1,'sdp':'s'}",
         "{'type':'candidate','sessionId':'call','candidate':{'candidate':'c','sdpMid':null,'z':1e2}}"},
        {"{'type':'hangup'}", "{'type':'hangup','sessionId':'call'}"},
        {"{'type':'hangup','sessionId':'','reason':'bye','initiator':true,'message':'m','x':1}",
         "{'type':'hangup','sessionId':'call','reason':'bye','initiator':true}"},
        {"{'type':'error','sessionId':null,'message':'no camera','code':'E_CAM','reason':'r','x':1}",
         "{'type':'error','sessionId':'call','message':'no camera','code':'E_CAM'}"},
        {"{'type':'error','message':'m'}", "{'type':'error','sessionId':'call','message':'m'}"},
    };
    for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++) {
        member_say(f->a, signals[i].said);
        member_expect(f->b, signals[i].heard);
        member_say(f->b, signals[i].said);
        member_expect(f->a, signals[i].heard);
    }
    client_expect_nothing(f->a);
    client_expect_nothing(f->b);
}

static void who_is_alone_queues_signals_but_no_hangup_and_no_error(void **state)
{
    fixture *f = *state;
    client *c = member_open_settled(f->port, "other");
    member_say(c, "{'type':'hangup','sessionId':'other','reason':'bye'}");
    member_say(c, "{'type':'offer','sessionId':'other','sdp':'v=0'}");
    member_say(c, "{'type':'error','message':'no camera'}");
    member_say(c, "{'type':'answer','sdp':'v=1'}");
    member_say(c, "{'type':'hangup'}");
    for (unsigned i = 0; i < 20; i++)
        member_say_number(c, i);
    client_expect_nothing(c);
    SERVER_AWAIT(f->server, pending_messages, 22);

    client *d = member_open(f->port, "other");
    member_expect(d, "{'type':'offer','sessionId':'other','sdp':'v=0'}");
    member_expect(d, "{'type':'answer','sessionId':'other','sdp':'v=1'}");
    for (unsigned i = 0; i < 20; i++)
        member_expect_number(d, "other", i);
    member_expect_pair(c, d, "other");
    client_expect_nothing(d);
    SERVER_AWAIT(f->server, pending_messages, 0);
    client_close(c);
    client_close(d);
}

/* ---- The queue ---- */

static void a_queue_dies_with_its_connection(void **state)
{
    fixture *f = *state;
    client *caller = member_open_settled(f->port, "other");
    member_say(caller, "{'type':'offer','sdp':'v=0'}");
    client_expect_nothing(caller);
    SERVER_AWAIT(f->server, pending_messages, 1);
    client_abort(caller);
    SERVER_AWAIT(f->server, joined, 2);
    SERVER_AWAIT(f->server, pending_messages, 0);
    SERVER_AWAIT(f->server, rooms, 1); /* and with it the session: nothing is left of it */
    SERVER_AWAIT(f->server, pending_bytes, 0);

    caller = member_open_settled(f->port, "other"); /* it does not get its own offer */
    client *callee = member_open_settled(f->port, "other");
    member_expect_pair(caller, callee, "other");
    client_close(caller);
    client_close(callee);
}

static void a_queue_that_is_full_is_a_fault_of_that_session(void **state)
{
    (void)state;
    signal_server_options options = server_options();
    options.pending_max_messages = 2;
    signal_server *server = server_start(&options);
    client *c = member_open(signal_server_port(server), "call");
    for (unsigned i = 0; i < 3; i++)
        member_say_number(c, i);
    member_expect_error(c, "call", "Pending queue is full");
    client *d = member_open(signal_server_port(server), "call");
    member_expect_number(d, "call", 0);
    member_expect_number(d, "call", 1);
    member_expect_pair(c, d, "call");
    client_close(c);
    client_close(d);
    server_end(server);
}

/* ---- Moving ---- */

/* The sessions are many enough to be in both shards. */
static void another_id_in_a_message_moves_and_drops_the_own_queue(void **state)
{
    enum { SESSIONS = 32 };
    fixture *f = *state;
    uint64_t handed_over = server_stats(f->server).handed_over;
    client *mover = member_open_settled(f->port, "session");
    for (unsigned i = 0; i < SESSIONS; i++) {
        char id[32];
        snprintf(id, sizeof(id), "session%u", i);
        client *there = member_open_settled(f->port, id);
        member_say_number(mover, i); /* is queued where it is alone */
        client_send_textf(mover, "{\"type\":\"offer\",\"sessionId\":\" %s \",\"sdp\":\"v=%u\"}", id, i);
        member_say_number(mover, 1000 + i);
        client_send_textf(there, "{\"type\":\"candidate\",\"candidate\":{\"number\":%u}}", 2000 + i);
        char *expected;
        assert_true(asprintf(&expected, "{'type':'offer','sessionId':'%s','sdp':'v=%u'}", id, i) >= 0);
        member_expect(there, expected);
        free(expected);
        member_expect_number(there, id, 1000 + i);
        member_expect_number(mover, id, 2000 + i);
        client_expect_nothing(there);
        client_close(there);
        SERVER_AWAIT(f->server, joined, 3);
    }
    client_expect_nothing(mover);
    SERVER_AWAIT(f->server, pending_messages, 0);
    assert_true(server_stats(f->server).handed_over - handed_over > SESSIONS + 1);
    client_close(mover);
}

static void who_was_left_is_alone_and_told_nothing(void **state)
{
    fixture *f = *state;
    member_say(f->a, "{'type':'hangup','sessionId':'elsewhere'}");
    client_expect_nothing(f->a);
    client_expect_nothing(f->b);
    member_say_number(f->b, 1);
    client_expect_nothing(f->b);
    SERVER_AWAIT(f->server, rooms, 2);
    client *c = member_open(f->port, "call");
    member_expect_number(c, "call", 1);
    member_expect_pair(c, f->b, "call");
    client_expect_nothing(f->a);
    client_close(c);
}

#define ON_A_CALL(test) cmocka_unit_test_setup_teardown(test, start, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        ON_A_CALL(a_session_is_joined_by_the_handshake_alone),
        ON_A_CALL(what_was_sent_with_the_request_is_handled_behind_the_join),
        ON_A_CALL(an_id_is_what_the_query_says_when_it_is_decoded),
        ON_A_CALL(the_parameter_is_found_among_others),
        ON_A_CALL(without_a_usable_id_the_query_means_nothing),
        ON_A_CALL(an_id_may_have_512_bytes),
        ON_A_CALL(a_session_and_a_room_of_the_same_name_do_not_meet),
        ON_A_CALL(a_signal_is_passed_on_with_just_the_fields_of_its_type),
        ON_A_CALL(who_is_alone_queues_signals_but_no_hangup_and_no_error),
        ON_A_CALL(a_queue_dies_with_its_connection),
        cmocka_unit_test(a_queue_that_is_full_is_a_fault_of_that_session),
        ON_A_CALL(another_id_in_a_message_moves_and_drops_the_own_queue),
        ON_A_CALL(who_was_left_is_alone_and_told_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
