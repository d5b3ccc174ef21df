/* Two servers of one cluster, over a real engine, as their clients see them: as one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "bench/process.h"
#include "support/client.h"
#include "support/member.h"
#include "support/nats_engine.h"
#include "support/server.h"
#include "support/session_2.h"

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SERVERS = 2, ROOMS = 12, NUMBERS = 50 };

typedef struct cluster {
    nats_engine engine;
    signal_server_options options;
    char secret[128]; /* a path */
    signal_server *servers[SERVERS];
    process process; /* or the second one is this */
    uint16_t ports[SERVERS];
} cluster;

static void start_server(cluster *c, int i)
{
    char name[] = {'n', (char)('0' + i), '\0'};
    c->options.cluster_node = name;
    c->servers[i] = server_start(&c->options);
    c->ports[i] = signal_server_port(c->servers[i]);
    c->options.cluster_node = "";
}

static void set_up_options(cluster *c)
{
    c->options = server_options();
    c->options.cluster_url = c->engine.url;
    snprintf(c->secret, sizeof(c->secret), "%s",
             nats_engine_write(&c->engine, "secret", "a secret of more than thirty-two bytes"));
    c->options.cluster_secret_file = c->secret;
}

static int set_up(void **state)
{
    cluster *c = calloc(1, sizeof(*c));
    assert_non_null(c);
    *state = c;
    if (!nats_engine_exists())
        return 0;
    nats_engine_start(&c->engine, "");
    set_up_options(c);
    return 0;
}

static int tear_down(void **state)
{
    cluster *c = *state;
    process_kill(&c->process);
    for (int i = 0; i < SERVERS; i++)
        server_end(c->servers[i]);
    nats_engine_destroy(&c->engine);
    free(c);
    return 0;
}

static cluster *begin(void **state)
{
    cluster *c = *state;
    if (!nats_engine_exists())
        skip();
    for (int i = 0; i < SERVERS; i++)
        start_server(c, i);
    return c;
}

/* ---- Calls ---- */

/* Both hear each other, in order, and nothing else. */
static void expect_pair(client *a, client *b, const char *room)
{
    for (unsigned i = 0; i < NUMBERS; i++) {
        client_send_number(a, i);
        client_send_number(b, 1000 + i);
    }
    for (unsigned i = 0; i < NUMBERS; i++) {
        client_expect_number(b, room, "anna", i);
        client_expect_number(a, room, "bert", 1000 + i);
    }
}

static void two_callers_on_two_servers_hear_each_other(void **state)
{
    const cluster *c = begin(state);
    client *a = client_open_joined(c->ports[0], "room", "anna");
    client *b = client_open_joined(c->ports[1], "room", "bert");
    client_send_offer(a, "\"v=0\"");
    client_expect_signal(b, "offer", "room", "anna", "\"v=0\"");
    client_send_answer(b, "\"v=1\"");
    client_expect_signal(a, "answer", "room", "bert", "\"v=1\"");
    expect_pair(a, b, "room");
    client_expect_nothing(a);
    client_expect_nothing(b);
    client_close(a);
    client_close(b);
}

static void rooms_of_all_workers_span_the_servers(void **state)
{
    const cluster *c = begin(state);
    client *a[ROOMS];
    client *b[ROOMS];
    for (int i = 0; i < ROOMS; i++) {
        char room[32];
        snprintf(room, sizeof(room), "room %d", i);
        a[i] = client_open_joined(c->ports[i % SERVERS], room, "anna");
        b[i] = client_open_joined(c->ports[(i + 1) % SERVERS], room, "bert");
    }
    for (int i = 0; i < ROOMS; i++) {
        char room[32];
        snprintf(room, sizeof(room), "room %d", i);
        expect_pair(a[i], b[i], room);
        client_close(a[i]);
        client_close(b[i]);
    }
}

static void a_session_spans_the_servers(void **state)
{
    const cluster *c = begin(state);
    client *a = member_open_settled(c->ports[0], "s");
    client *b = member_open_settled(c->ports[1], "s");
    member_expect_pair(a, b, "s");
    client_close(a);
    client_close(b);
}

/* Until something has come for it. The others answer the pings by which they are asked whether they are
 * there. */
static void await_answer(client *waiting, client *a, client *b)
{
    struct pollfd answer = {.fd = client_fd(waiting), .events = POLLIN};
    for (int i = 0; i < 1000 && poll(&answer, 1, 10) == 0; i++) {
        client_expect_nothing(a);
        client_expect_nothing(b);
    }
}

static void sessions_of_version_2_span_the_servers_and_are_resumed_on_the_other(void **state)
{
    const cluster *c = begin(state);
    session_2 a;
    session_2 b;
    session_2 again;
    client *anna = session_2_open_joined(c->ports[0], "room", "", &a);
    client *bert = session_2_open_joined(c->ports[1], "room", "", &b);
    session_2_expect(anna,
                     "{\"type\":\"peer-joined\",\"seq\":1,\"peer\":\"%s\",\"user\":\"\",\"data\":null,"
                     "\"order\":2,\"v\":2}",
                     b.peer);
    session_2_send_number(anna, 1, 11);
    session_2_expect_number(bert, 1, a.peer, 11);
    client_abort(anna);
    client_receive_text(bert); /* peer-away */
    anna = session_2_open_resumed(c->ports[1], "room", &a, 1, &again);
    assert_true(again.is_resumed);
    assert_string_equal(again.peer, a.peer);
    client_receive_text(bert); /* peer-back */
    session_2_send_number(anna, 2, 12);
    session_2_expect_number(bert, 4, a.peer, 12);
    client_close(anna);
    client_close(bert);
}

static void a_third_is_refused_on_whichever_server(void **state)
{
    const cluster *c = begin(state);
    client *a = client_open_settled(c->ports[0], "room", "anna");
    client *b = client_open_settled(c->ports[1], "room", "bert");
    for (int i = 0; i < SERVERS; i++) {
        client *third = client_open_joined(c->ports[i], "room", "carl");
        await_answer(third, a, b);
        client_expect_error(third, "Room is full");
        client_close(third);
    }
    expect_pair(a, b, "room");
    client_close(a);
    client_close(b);
}

static void who_comes_later_on_the_other_server_gets_what_was_said(void **state)
{
    const cluster *c = begin(state);
    client *a = client_open_settled(c->ports[0], "room", "anna");
    client_send_offer(a, "\"v=0\"");
    client_send_number(a, 1);
    client *b = client_open_joined(c->ports[1], "room", "bert");
    client_expect_signal(b, "offer", "room", "anna", "\"v=0\"");
    client_expect_number(b, "room", "anna", 1);
    client_close(a);
    client_close(b);
}

/* ---- What happens to the engine and to servers ---- */

static void a_call_goes_on_while_the_engine_is_started_again(void **state)
{
    cluster *c = begin(state);
    client *a = client_open_settled(c->ports[0], "room", "anna");
    client *b = client_open_settled(c->ports[1], "room", "bert");
    for (int i = 0; i < 3; i++) {
        nats_engine_end(&c->engine, SIGKILL);
        client_send_number(a, 7);
        nats_engine_start_again(&c->engine);
        client_expect_number(b, "room", "anna", 7);
        expect_pair(a, b, "room");
    }
    client_expect_nothing(a);
    client_expect_nothing(b);
    client_close(a);
    client_close(b);
}

static void a_server_that_stops_gives_its_rooms_to_the_other(void **state)
{
    cluster *c = begin(state);
    client *a = client_open_settled(c->ports[0], "room", "anna");
    client *b = client_open_settled(c->ports[1], "room", "bert");
    expect_pair(a, b, "room");
    signal_server_request_stop(c->servers[0], false);
    client_expect_close(a, 1001);
    client_close(a);
    client_send_offer(b, "\"v=2\""); /* there is nobody: it is queued, by whoever has the room now */
    a = client_open_joined(c->ports[1], "room", "anna");
    client_expect_signal(a, "offer", "room", "bert", "\"v=2\"");
    expect_pair(a, b, "room");
    client_expect_nothing(b);
    client_close(a);
    client_close(b);
}

static void a_queue_outlives_the_server_that_has_it(void **state)
{
    cluster *c = begin(state);
    client *a = client_open_settled(c->ports[0], "room", "anna");
    client *b = client_open_settled(c->ports[1], "another room", "bert"); /* so the two have met */
    client_send_offer(a, "\"v=0\"");
    client_expect_nothing(a);
    signal_server_request_stop(c->servers[0], false);
    client_expect_close(a, 1001);
    client_close(a);
    assert_int_equal(signal_server_stop_within(c->servers[0], CLIENT_WAIT_MS), 0);
    client_join(b, "room", "bert");
    client_expect_signal(b, "offer", "room", "anna", "\"v=0\"");
    client_close(b);
}

static void a_server_without_an_engine_serves_alone_and_finds_the_other_later(void **state)
{
    cluster *c = *state;
    if (!nats_engine_exists())
        skip();
    nats_engine_end(&c->engine, SIGKILL);
    for (int i = 0; i < SERVERS; i++)
        start_server(c, i);
    client *a = client_open_settled(c->ports[0], "room", "anna");
    client *b = client_open_settled(c->ports[1], "room", "bert");
    client_send_offer(a, "\"v=0\"");
    nats_engine_start_again(&c->engine);
    client_expect_signal(b, "offer", "room", "anna", "\"v=0\"");
    expect_pair(a, b, "room");
    client_close(a);
    client_close(b);
}

/* ---- A server that is another process ---- */

/* Start the program as the second server, and wait until it serves. */
static void start_program(cluster *c)
{
    process_start(
        &c->process,
        "exec env CLUSTER_URL=%s CLUSTER_SECRET_FILE=%s CLUSTER_NODE=program WS_PORT=0 ADMIN_PORT=off "
        "WORKERS=3 ROOM_CAPACITY=3 EXEMPT_ADDRESSES=127.0.0.0/8 \"$HOMECALL_SIGNAL_BINARY\" --env-file "
        "/dev/null",
        c->engine.url, c->secret);
    process_await(&c->process, "started");
    process_await(&c->process, " tls_port=");
    const char *port = strstr(c->process.out.text, " port=");
    assert_non_null(port);
    c->ports[1] = (uint16_t)strtoul(port + strlen(" port="), NULL, 10);
}

/* Three in a room: each hears what the others say. */
static void expect_three(client *all[3], const char *const names[3])
{
    for (unsigned i = 0; i < 3; i++) {
        client_send_number(all[i], i);
        for (unsigned other = 0; other < 3; other++) {
            if (other != i)
                client_expect_number(all[other], "room", names[i], i);
        }
    }
}

static bool has_come(const client *c, int wait_ms)
{
    struct pollfd input = {.fd = client_fd(c), .events = POLLIN};
    return poll(&input, 1, wait_ms) > 0;
}

/* One says numbers until the two others hear it; then all of that has been read. */
static void await_heard(client *from, client *a, client *b)
{
    enum { TRIES = 400, PAUSE_MS = 50, LAST = 9999 };
    client *const others[] = {a, b};
    for (unsigned i = 0; i < TRIES && !(has_come(a, PAUSE_MS) && has_come(b, PAUSE_MS)); i++)
        client_send_number(from, i);
    client_send_number(from, LAST);
    for (int i = 0; i < 2; i++) {
        while (strstr(client_receive_text(others[i]).data, "9999") == NULL)
            continue;
    }
}

static cluster *begin_with_program(void **state)
{
    cluster *c = *state;
    if (!nats_engine_exists())
        skip();
    c->options.room_capacity = 3;
    start_server(c, 0);
    start_program(c);
    return c;
}

static void after_a_server_is_killed_the_others_clients_go_on(void **state)
{
    static const char *const names[] = {"anna", "bert", "carl"};
    cluster *c = begin_with_program(state);
    client *all[3];
    all[1] = client_open_settled(c->ports[1], "room", "bert"); /* it has the room */
    all[0] = client_open_settled(c->ports[0], "room", "anna");
    all[2] = client_open_settled(c->ports[0], "room", "carl");
    expect_three(all, names);
    uint64_t killed_ms = client_now_ms();
    process_kill(&c->process);
    client_close(all[1]);
    all[1] = client_open_settled(c->ports[0], "room", "bert");
    assert_in_range(client_now_ms() - killed_ms, 1000,
                    10000); /* 5 s until it is lost, and 1 s for those before */
    expect_three(all, names);
    for (int i = 0; i < 3; i++)
        client_close(all[i]);
}

static void a_server_that_stood_still_comes_back_and_its_room_becomes_one_with_the_other(void **state)
{
    static const char *const names[] = {"anna", "bert", "carl"};
    cluster *c = begin_with_program(state);
    client *all[3];
    all[1] = client_open_settled(c->ports[1], "room", "bert");
    all[0] = client_open_settled(c->ports[0], "room", "anna");
    assert_int_equal(kill(c->process.pid, SIGSTOP), 0);
    all[2] = client_open_settled(c->ports[0], "room", "carl"); /* held until the other one is lost */
    client_send_number(all[0], 1);
    client_expect_number(all[2], "room", "anna", 1);
    assert_int_equal(kill(c->process.pid, SIGCONT), 0);
    await_heard(all[1], all[0], all[2]);
    await_heard(all[0], all[1], all[2]); /* what anna said meanwhile may have come to bert, too */
    expect_three(all, names);
    for (int i = 0; i < 3; i++)
        client_close(all[i]);
}

/* ---- Starts that fail ---- */

static void expect_refusal(cluster *c, const char *part)
{
    signal_server_fault fault = server_start_fault(&c->options);
    assert_int_equal(fault.kind, SIGNAL_SERVER_FAULT_CLUSTER);
    if (strstr(fault.entry, part) == NULL)
        fail_msg("%s is not in: %s", part, fault.entry);
}

static void an_engine_that_refuses_us_or_takes_too_little_fails_the_start(void **state)
{
    cluster *c = *state;
    if (!nats_engine_exists())
        skip();
    nats_engine_end(&c->engine, SIGTERM);
    (void)nats_engine_write(&c->engine, "nats.conf", "authorization { user: u, password: right }\n");
    nats_engine_start_again(&c->engine);
    expect_refusal(c, "does not let us in");
    nats_engine_end(&c->engine, SIGTERM);
    (void)nats_engine_write(&c->engine, "nats.conf", "max_payload: 100000\n");
    nats_engine_start_again(&c->engine);
    expect_refusal(c, "max_payload is 100000");
    c->options.cluster_secret_file = "/nowhere";
    expect_refusal(c, "/nowhere: there is no such file");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(two_callers_on_two_servers_hear_each_other, set_up, tear_down),
        cmocka_unit_test_setup_teardown(rooms_of_all_workers_span_the_servers, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_session_spans_the_servers, set_up, tear_down),
        cmocka_unit_test_setup_teardown(sessions_of_version_2_span_the_servers_and_are_resumed_on_the_other,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_third_is_refused_on_whichever_server, set_up, tear_down),
        cmocka_unit_test_setup_teardown(who_comes_later_on_the_other_server_gets_what_was_said, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_call_goes_on_while_the_engine_is_started_again, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_server_that_stops_gives_its_rooms_to_the_other, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_queue_outlives_the_server_that_has_it, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_server_without_an_engine_serves_alone_and_finds_the_other_later,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(after_a_server_is_killed_the_others_clients_go_on, set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            a_server_that_stood_still_comes_back_and_its_room_becomes_one_with_the_other, set_up, tear_down),
        cmocka_unit_test_setup_teardown(an_engine_that_refuses_us_or_takes_too_little_fails_the_start, set_up,
                                        tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
