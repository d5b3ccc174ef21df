/* The hooks of a program that embeds the server: who is asked about which joins, what a client is told that
 * may not, and which rooms are told of. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "support/member.h"
#include "support/server.h"
#include "support/session_2.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* What the hooks were called with, a line each. Threads of the server write, the test reads. */
typedef struct fixture {
    signal_server_options options;
    signal_server *server;
    uint16_t port;
    pthread_mutex_t lock;
    pthread_cond_t has_grown;
    char lines[4096];
    const char *refusal; /* what a user whose name begins with "no" is told; NULL = nothing is written */
    bool stops;          /* the next event asks the server to stop */
} fixture;

static void note(fixture *f, const char *line)
{
    pthread_mutex_lock(&f->lock);
    size_t used = strlen(f->lines);
    assert_true(used + strlen(line) < sizeof(f->lines));
    memcpy(f->lines + used, line, strlen(line) + 1);
    pthread_cond_broadcast(&f->has_grown);
    pthread_mutex_unlock(&f->lock);
}

static const char *space_name(signal_server_space space)
{
    return space == SIGNAL_SERVER_SPACE_ROOMS ? "rooms" : "sessions";
}

static bool may_join(void *context, const signal_server_join *join, char refusal[SIGNAL_SERVER_REFUSAL_MAX])
{
    fixture *f = context;
    char line[256];
    assert_true(join->connection > 0);
    snprintf(line, sizeof(line), "may %.*s join %.*s (%s, %s) from %s\n", (int)join->user_len, join->user,
             (int)join->room_len, join->room, join->dialect, space_name(join->space), join->client_address);
    note(f, line);
    if (strncmp(join->user, "no", 2) != 0 && strncmp(join->room, "no", 2) != 0)
        return true;
    if (f->refusal != NULL)
        (void)memccpy(refusal, f->refusal, '\0', SIGNAL_SERVER_REFUSAL_MAX);
    return false;
}

static void on_room_event(void *context, const signal_server_room_event *event)
{
    static const char *const kinds[] = {"opened", "joined", "left", "freed"};
    static const char *const reasons[] = {"", " left", " lost", " replaced"};
    fixture *f = context;
    bool is_of_member = event->kind == SIGNAL_SERVER_ROOM_JOINED || event->kind == SIGNAL_SERVER_ROOM_LEFT;
    char line[256];
    assert_true((event->peer[0] != '\0') == is_of_member);
    assert_true(is_of_member || event->connection == 0);
    snprintf(line, sizeof(line), "%s %s %.*s %.*s %u%s\n", kinds[event->kind], space_name(event->space),
             (int)event->room_len, event->room, (int)event->user_len, event->user, event->members,
             reasons[event->reason]);
    note(f, line);
    signal_server_stats stats;
    signal_server_get_stats(f->server, &stats);
    if (f->stops)
        signal_server_request_stop(f->server, false);
}

/* These lines come next. */
static void expect(fixture *f, const char *lines)
{
    size_t len = strlen(lines);
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += CLIENT_WAIT_MS / 1000;
    int error = 0;
    pthread_mutex_lock(&f->lock);
    while (strlen(f->lines) < len && error == 0)
        error = pthread_cond_timedwait(&f->has_grown, &f->lock, &until);
    if (strncmp(f->lines, lines, len) != 0)
        fail_msg("instead of\n%sthere was\n%s", lines, f->lines);
    memmove(f->lines, f->lines + len, strlen(f->lines) - len + 1);
    pthread_mutex_unlock(&f->lock);
}

static int make(void **state)
{
    fixture *f = calloc(1, sizeof(*f));
    assert_non_null(f);
    pthread_mutex_init(&f->lock, NULL);
    pthread_cond_init(&f->has_grown, NULL);
    f->options = server_options();
    f->options.may_join = may_join;
    f->options.on_room_event = on_room_event;
    f->options.context = f;
    *state = f;
    return 0;
}

static fixture *start(void **state)
{
    fixture *f = *state;
    signal_server *server = server_start(&f->options);
    pthread_mutex_lock(&f->lock); /* the hooks take it before they look at the server */
    f->server = server;
    pthread_mutex_unlock(&f->lock);
    f->port = signal_server_port(server);
    return f;
}

static int destroy(void **state)
{
    fixture *f = *state;
    server_end(f->server);
    bool is_empty = f->lines[0] == '\0';
    if (!is_empty)
        print_error("nobody has expected\n%s", f->lines);
    pthread_cond_destroy(&f->has_grown);
    pthread_mutex_destroy(&f->lock);
    free(f);
    return is_empty ? 0 : -1;
}

/* ---- Events ---- */

static void a_call_is_told_from_its_first_join_to_its_end(void **state)
{
    fixture *f = start(state);
    client *a = client_open_settled(f->port, "call", "anna");
    expect(f, "may anna join call (1, rooms) from 127.0.0.1\n"
              "opened rooms call  0\njoined rooms call anna 1\n");
    client *b = client_open_settled(f->port, "call", "boris");
    expect(f, "may boris join call (1, rooms) from 127.0.0.1\njoined rooms call boris 2\n");
    client_join(a, "call", "anna"); /* nothing new */
    client_leave(a);
    expect(f, "left rooms call anna 1 left\n");
    client_close(b);
    expect(f, "left rooms call boris 0 lost\nfreed rooms call  0\n");
    client_close(a);
}

static void who_takes_a_place_over_is_another_member(void **state)
{
    fixture *f = start(state);
    client *a = client_open_settled(f->port, "call", "anna");
    client *again = client_open_settled(f->port, "call", "anna");
    client_expect_close(a, 4001);
    expect(f, "may anna join call (1, rooms) from 127.0.0.1\n"
              "opened rooms call  0\njoined rooms call anna 1\n"
              "may anna join call (1, rooms) from 127.0.0.1\n"
              "left rooms call anna 0 replaced\njoined rooms call anna 1\n");
    client_close(a);
    client_close(again);
    expect(f, "left rooms call anna 0 lost\nfreed rooms call  0\n");
}

static void a_room_with_a_queue_is_freed_with_it(void **state)
{
    fixture *f = start(state);
    client *a = client_open_settled(f->port, "call", "anna");
    client_send_number(a, 1);
    client_expect_nothing(a);
    client_close(a);
    expect(f, "may anna join call (1, rooms) from 127.0.0.1\n"
              "opened rooms call  0\njoined rooms call anna 1\nleft rooms call anna 0 lost\n");
    server_end(f->server);
    f->server = NULL;
    expect(f, "freed rooms call  0\n");
}

static void a_session_that_is_away_leaves_with_the_server(void **state)
{
    fixture *f = start(state);
    session_2 s;
    client_close(session_2_open_joined(f->port, "call", ",\"user\":\"anna\"", &s));
    expect(f, "may anna join call (2, rooms) from 127.0.0.1\n"
              "opened rooms call  0\njoined rooms call anna 1\n");
    SERVER_AWAIT(f->server, connections, 0);
    server_end(f->server);
    f->server = NULL;
    expect(f, "left rooms call anna 0 lost\nfreed rooms call  0\n");
}

static void a_hook_may_ask_the_server_to_stop(void **state)
{
    fixture *f = *state;
    f->stops = true;
    start(state);
    client *a = client_open_joined(f->port, "call", "anna");
    client_expect_close_after_all(a, 1001);
    client_close(a);
    assert_int_equal(signal_server_stop_within(f->server, CLIENT_WAIT_MS), 0);
    expect(f, "may anna join call (1, rooms) from 127.0.0.1\n"
              "opened rooms call  0\njoined rooms call anna 1\n"
              "left rooms call anna 0 lost\nfreed rooms call  0\n");
}

/* ---- Joins that are not allowed ---- */

static void version_1_gets_an_error_and_goes_on(void **state)
{
    fixture *f = *state;
    f->refusal = "Ask \"anna\" first";
    start(state);
    client *c = client_open_joined(f->port, "call", "nobody");
    client_expect_error(c, "Ask \"anna\" first");
    expect(f, "may nobody join call (1, rooms) from 127.0.0.1\n");
    client_send_offer(c, "\"v=0\"");
    client_expect_error(c, "Join the room first");
    client_join(c, "call", "boris");
    client_expect_nothing(c);
    expect(f, "may boris join call (1, rooms) from 127.0.0.1\n"
              "opened rooms call  0\njoined rooms call boris 1\n");
    client_join(c, "nowhere", "boris"); /* a join elsewhere leaves first, as before a full room */
    client_expect_error(c, "Ask \"anna\" first");
    expect(f, "left rooms call boris 0 left\nfreed rooms call  0\n"
              "may boris join nowhere (1, rooms) from 127.0.0.1\n");
    client_close(c);
}

static void expect_refusal(fixture *f, const char *refusal, const char *told)
{
    pthread_mutex_lock(&f->lock);
    f->refusal = refusal;
    pthread_mutex_unlock(&f->lock);
    client *c = client_open_joined(f->port, "call", "nobody");
    client_expect_error(c, told);
    expect(f, "may nobody join call (1, rooms) from 127.0.0.1\n");
    client_close(c);
}

static void a_refusal_that_can_t_be_sent_is_replaced(void **state)
{
    fixture *f = start(state);
    char longest[SIGNAL_SERVER_REFUSAL_MAX];
    char longer[2 * SIGNAL_SERVER_REFUSAL_MAX] = "";
    memset(longest, 'x', sizeof(longest) - 1);
    longest[sizeof(longest) - 1] = '\0';
    memset(longer, 'x', sizeof(longer) - 1);
    expect_refusal(f, NULL, "Not allowed");
    expect_refusal(f, "", "Not allowed");
    expect_refusal(f, "\xC3\x28", "Not allowed");
    expect_refusal(f, "half \xD0", "Not allowed");
    expect_refusal(f, "line\nand\ttab", "line\nand\ttab");
    expect_refusal(f, longest, longest);
    expect_refusal(f, longer, longest); /* without an end: it is cut */
}

static void a_session_client_gets_an_error_and_1008(void **state)
{
    fixture *f = *state;
    f->refusal = "Closed today";
    start(state);
    client *c = member_open(f->port, "no-1");
    member_expect(c, "{'type':'error','sessionId':'no-1','message':'Closed today'}");
    client_expect_close(c, 1008);
    expect(f, "may  join no-1 (session, sessions) from 127.0.0.1\n");
    client_close(c);

    c = member_open_settled(f->port, "call");
    member_say(c, "{'type':'hangup','sessionId':'no-2'}"); /* which moves it there */
    member_expect(c, "{'type':'error','sessionId':'no-2','message':'Closed today'}");
    client_expect_close(c, 1008);
    client_close(c);
    expect(f, "may  join call (session, sessions) from 127.0.0.1\n"
              "opened sessions call  0\njoined sessions call  1\n"
              "left sessions call  0 left\nfreed sessions call  0\n"
              "may  join no-2 (session, sessions) from 127.0.0.1\n");
}

static void version_2_gets_a_code_of_its_own(void **state)
{
    fixture *f = *state;
    f->refusal = "Closed today";
    start(state);
    client *c = session_2_open(f->port);
    session_2_send_join(c, "call", ",\"user\":\"nobody\"");
    session_2_expect(c, "{\"type\":\"error\",\"code\":\"not-allowed\",\"message\":\"Closed today\",\"fatal\":"
                        "false}");
    expect(f, "may nobody join call (2, rooms) from 127.0.0.1\n");
    session_2 s;
    session_2_send_join(c, "call", "");
    session_2_expect_joined(c, "call", &s);
    expect(f, "may  join call (2, rooms) from 127.0.0.1\n"
              "opened rooms call  0\njoined rooms call  1\n");
    client_send_text(c, "{\"type\":\"leave\"}");
    expect(f, "left rooms call  0 left\nfreed rooms call  0\n");
    client_close(c);
}

/* A session that goes on was asked for already. One that is replaced makes a new member, and that may be
 * refused; then the old one is as it was. */
static void resuming_is_not_asked_for_and_replacing_is(void **state)
{
    fixture *f = start(state);
    session_2 s, resumed;
    client *c = session_2_open_joined(f->port, "call", ",\"user\":\"anna\"", &s);
    expect(f, "may anna join call (2, rooms) from 127.0.0.1\n"
              "opened rooms call  0\njoined rooms call anna 1\n");
    client *d = session_2_open_resumed(f->port, "call", &s, 0, &resumed);
    assert_true(resumed.is_resumed);
    client_expect_close(c, 4501);
    client_close(c);

    char more[128];
    c = session_2_open(f->port);
    snprintf(more, sizeof(more), ",\"user\":\"nobody\",\"token\":\"%s\"", resumed.token);
    session_2_send_join(c, "call", more);
    session_2_expect(c, "{\"type\":\"error\",\"code\":\"not-allowed\",\"message\":\"Not allowed\",\"fatal\":"
                        "false}");
    expect(f, "may nobody join call (2, rooms) from 127.0.0.1\n");
    client_expect_nothing(d);

    snprintf(more, sizeof(more), ",\"user\":\"anna\",\"token\":\"%s\"", resumed.token);
    session_2_send_join(c, "call", more);
    session_2_expect_joined(c, "call", &s);
    client_expect_close(d, 4501);
    expect(f, "may anna join call (2, rooms) from 127.0.0.1\n"
              "left rooms call anna 0 replaced\njoined rooms call anna 1\n");
    client_send_text(c, "{\"type\":\"leave\"}");
    expect(f, "left rooms call anna 0 left\nfreed rooms call  0\n");
    client_close(c);
    client_close(d);
}

/* ---- Whose join it is ---- */

static void behind_a_proxy_it_is_the_client_who_asks(void **state)
{
    fixture *f = *state;
    f->options.trusted_proxies = "127.0.0.1";
    start(state);
    client *c = client_open_for(f->port, "2001:db8::7");
    client_join(c, "call", "nobody");
    client_expect_error(c, "Not allowed");
    expect(f, "may nobody join call (1, rooms) from 2001:db8::7\n");
    client_close(c);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, make, destroy)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(a_call_is_told_from_its_first_join_to_its_end),
        CASE(who_takes_a_place_over_is_another_member),
        CASE(a_room_with_a_queue_is_freed_with_it),
        CASE(a_session_that_is_away_leaves_with_the_server),
        CASE(a_hook_may_ask_the_server_to_stop),
        CASE(version_1_gets_an_error_and_goes_on),
        CASE(a_refusal_that_can_t_be_sent_is_replaced),
        CASE(a_session_client_gets_an_error_and_1008),
        CASE(version_2_gets_a_code_of_its_own),
        CASE(resuming_is_not_asked_for_and_replacing_is),
        CASE(behind_a_proxy_it_is_the_client_who_asks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
