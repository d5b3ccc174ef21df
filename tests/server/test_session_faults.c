/* protocol/README.md, "The session dialect": what is no message, who sends too many, guesses or is
 * silent, and what the log says of it all. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "support/client.h"
#include "support/log_file.h"
#include "support/member.h"
#include "support/server.h"
#include "support/twins.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ---- Faults ---- */

static void what_is_no_message_gets_the_error_and_harms_nobody(void **state)
{
    (void)state;
    signal_server_options options = server_options();
    signal_server *server = server_start(&options);
    client *a = member_open_settled(signal_server_port(server), "call");
    client *b = member_open_settled(signal_server_port(server), "call");
    char id[601] = {0};
    char *long_id;
    memset(id, 'i', sizeof(id) - 1);
    assert_true(asprintf(&long_id, "{'type':'offer','sdp':'v=0','sessionId':'%s'}", id) >= 0);
    const char *const texts[] = {
        "",
        "null",
        "no JSON",
        "[1]",
        "'offer'",
        "{}",
        "{'type':null}",
        "{'type':'join','room':'call','user':'anna'}",
        "{'type':'leave'}",
        "{'type':'offer'}",
        "{'type':'offer','sdp':''}",
        "{'type':'answer','sdp':7}",
        "{'type':'candidate'}",
        "{'type':'candidate','candidate':null}",
        "{'type':'candidate','candidate':'c'}",
        "{'type':'error'}",
        "{'type':'error','message':''}",
        "{'type':'hangup','sessionId':7}",
        "{'type':'offer','sdp':'v=0','sessionId':{}}",
        long_id,
    };
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        member_say(a, texts[i]);
        member_expect_error(a, "call", "Invalid message");
    }
    free(long_id);
    static const char text[] = "{\"type\":\"hangup\"}";
    client_send_frame(a, &(client_frame){.opcode = CLIENT_BINARY, .payload = text, .len = sizeof(text) - 1});
    member_expect_error(a, "call", "Invalid message");
    client_send_frame(a, &(client_frame){.opcode = CLIENT_BINARY, .payload = "elsewhere", .len = 9});
    member_expect_error(a, "call", "Invalid message");
    client_expect_nothing(b);
    member_expect_pair(a, b, "call");
    SERVER_AWAIT(server, rooms, 1);
    client_close(a);
    client_close(b);
    server_end(server);
}

static void who_keeps_sending_faults_is_closed(void **state)
{
    enum { BURST = 5 };
    (void)state;
    signal_server_options options = server_options();
    options.fault_burst = BURST;
    signal_server *server = server_start(&options);
    client *a = member_open_settled(signal_server_port(server), "call");
    client *b = member_open_settled(signal_server_port(server), "call");
    client_cork(a);
    for (int i = 0; i < 4 * BURST; i++)
        client_send_text(a, "null");
    client_uncork(a);
    for (int i = 0; i < BURST; i++)
        member_expect_error(a, "call", "Invalid message");
    client_expect_close_after_all(a, 1008);
    client_expect_nothing(b);
    client_close(a);
    client_close(b);
    server_end(server);
}

/* A page takes a refused connection for the end of its call, so who may be guessing only waits. */
static void who_may_be_guessing_waits_and_is_not_refused(void **state)
{
    TWINS_SKIP();
    enum { FIRST_HOLD_MS = 100 };
    (void)state;
    signal_server_options options = server_options();
    options.guess_rate = options.guess_burst = 1;
    signal_server *server = server_start(&options);
    uint16_t port = signal_server_port(server);
    client *a = member_open_settled(port, "first");
    uint64_t begun_ms = client_now_ms();
    client *b = member_open(port, "second"); /* is upgraded at once */
    member_say_number(b, 1);
    client_expect_nothing(b);
    assert_in_range(client_now_ms() - begun_ms, FIRST_HOLD_MS - 1, CLIENT_WAIT_MS);
    client *c = member_open(port, "second"); /* which has been tried already */
    member_expect_number(c, "second", 1);

    begun_ms = client_now_ms();
    member_say(a, "{'type':'offer','sessionId':'third','sdp':'v=0'}");
    client_expect_nothing(a);
    assert_in_range(client_now_ms() - begun_ms, 2 * FIRST_HOLD_MS - 1, CLIENT_WAIT_MS);
    client *d = member_open(port, "third");
    member_expect(d, "{'type':'offer','sessionId':'third','sdp':'v=0'}");
    client_close(a);
    client_close(b);
    client_close(c);
    client_close(d);
    server_end(server);
}

/* ---- Liveness ---- */

static void members_are_pinged_and_the_silent_one_is_dropped_with_its_queue(void **state)
{
    (void)state;
    signal_server_options options = server_options();
    options.ping_interval_ms = 50;
    options.pong_timeout_ms = 1000; /* long enough for a busy machine */
    signal_server *server = server_start(&options);
    client *silent = member_open_settled(signal_server_port(server), "silent");
    client *c = member_open_settled(signal_server_port(server), "call");
    client_answer_pings(silent, false);
    member_say_number(silent, 1);
    while (client_pings(c) < 10 || server_stats(server).joined == 2)
        assert_int_equal(client_receive_frame(c).opcode, CLIENT_PING);
    client_expect_gone(silent);
    SERVER_AWAIT(server, joined, 1);
    SERVER_AWAIT(server, pending_messages, 0);
    client_close(silent);
    client_close(c);
    server_end(server);
}

/* ---- Logs ---- */

/* All that a session does, with ids that any trace of would be found. */
static void live_a_life(uint16_t port)
{
    client *a = member_open_settled(port, "hush%2Dhush%20one");
    member_say_number(a, 1);
    client *b = member_open(port, "hush-hush+one");
    member_expect_number(b, "hush-hush one", 1);
    client *third = member_open(port, "hush-hush+one");
    assert_int_equal(client_receive_frame(a).opcode, CLIENT_PING);
    assert_int_equal(client_receive_frame(b).opcode, CLIENT_PING);
    client_expect_close_after_all(third, 1008);
    member_say(b, "{'type':'error','message':'of hush-hush one'}");
    member_expect(a, "{'type':'error','sessionId':'hush-hush one','message':'of hush-hush one'}");
    member_say(b, "{'type':'hush-hush one'}");
    member_expect_error(b, "hush-hush one", "Invalid message");
    member_say(b, "{'type':'hangup','sessionId':'hush-hush two'}");
    client_expect_nothing(b);
    client_close(a);
    client_close(b);
    client_close(third);
}

static unsigned lines_with_id(bool is_private)
{
    char path[LOG_FILE_PATH] = "/tmp/homecall_log_XXXXXX";
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    close(fd);
    const signal_log_options log = {.size = sizeof(signal_log_options),
                                    .file = path,
                                    .level = SIGNAL_LOG_DEBUG,
                                    .is_private = is_private};
    assert_int_equal(signal_log_start(&log), 0);
    signal_server_options options = server_options();
    signal_server *server = server_start(&options);
    live_a_life(signal_server_port(server));
    SERVER_AWAIT(server, connections, 0);
    server_end(server);
    signal_log_stop();
    assert_true(log_file_count(path, "] joined ") >= 2);
    assert_true(log_file_count(path, "upgraded") >= 3);
    unsigned lines = log_file_count(path, "hush");
    unlink(path);
    return lines;
}

static void no_log_line_has_an_id_unless_it_is_asked_for(void **state)
{
    (void)state;
    assert_int_equal(lines_with_id(true), 0);
    assert_true(lines_with_id(false) > 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_no_message_gets_the_error_and_harms_nobody),
        cmocka_unit_test(who_keeps_sending_faults_is_closed),
        cmocka_unit_test(who_may_be_guessing_waits_and_is_not_refused),
        cmocka_unit_test(members_are_pinged_and_the_silent_one_is_dropped_with_its_queue),
        cmocka_unit_test(no_log_line_has_an_id_unless_it_is_asked_for),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
