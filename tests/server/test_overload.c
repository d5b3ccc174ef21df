/* A server that can't keep up: whoever is new is kept out until it can, and calls that stand go on. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "support/client.h"
#include "support/free_port.h"
#include "support/member.h"
#include "support/server.h"
#include "support/session_2.h"

#include "admin/admin_client.h"

#include <dlfcn.h>
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

enum { LAG_MS = 50, SLOW_MS = 80 };

/* How long a worker takes to write something. */
static _Atomic int slow_ms;

static bool is_worker(void)
{
    char name[16] = "";
    return pthread_getname_np(pthread_self(), name, sizeof(name)) == 0 && strncmp(name, "hc-worker", 9) == 0;
}

/* Stands before the one of the system. */
ssize_t send(int fd, const void *buffer, size_t size, int flags)
{
    ssize_t (*real)(int, const void *, size_t, int);
    void *found = dlsym(RTLD_NEXT, "send");
    memcpy(&real, &found, sizeof(real));
    int ms = atomic_load(&slow_ms);
    if (ms > 0 && is_worker())
        poll(NULL, 0, ms);
    return real(fd, buffer, size, flags);
}

typedef struct fixture {
    signal_server *server;
    uint16_t admin_port;
    client *anna, *bert; /* in a call */
    unsigned sent;
} fixture;

static int start(void **state)
{
    fixture *f = calloc(1, sizeof(*f));
    signal_server_options options = server_options();
    options.workers = 1;
    options.overload_lag_ms = LAG_MS;
    options.admin_port = f->admin_port = free_port();
    f->server = server_start(&options);
    f->anna = client_open_settled(signal_server_port(f->server), "room", "anna");
    f->bert = client_open_settled(signal_server_port(f->server), "room", "bert");
    *state = f;
    return 0;
}

static int end(void **state)
{
    fixture *f = *state;
    atomic_store(&slow_ms, 0);
    client_close(f->anna);
    client_close(f->bert);
    server_end(f->server);
    free(f);
    return 0;
}

/* A signal of the call goes from one end to the other. */
static void signal_once(fixture *f)
{
    client_send_number(f->anna, f->sent);
    client_expect_number(f->bert, "room", "anna", f->sent);
    f->sent++;
}

static bool is_readiness(const fixture *f, int status, const char *wanted)
{
    admin_answer answer;
    if (admin_client_get("127.0.0.1", f->admin_port, "/readyz", CLIENT_WAIT_MS, &answer) != 0)
        return false;
    bool is_it = answer.status == status && strstr(answer.body, wanted) != NULL;
    free(answer.body);
    return is_it;
}

/* The call goes on all the time. */
static void overload(fixture *f)
{
    atomic_store(&slow_ms, SLOW_MS);
    uint64_t begun_ms = client_now_ms();
    while (!is_readiness(f, 503, "worker-0 is overloaded")) {
        assert_in_range(client_now_ms() - begun_ms, 0, CLIENT_WAIT_MS);
        signal_once(f);
    }
}

static void joins_are_closed_with_1013_and_the_call_goes_on(void **state)
{
    fixture *f = *state;
    uint16_t port = signal_server_port(f->server);
    client *in_lobby = client_open(port);
    client *on_worker = client_open_settled(port, "another room", "dora");
    overload(f);
    client_join(in_lobby, "room 3", "carl");
    client_expect_close(in_lobby, 1013);
    client_join(on_worker, "room 4", "dora");
    client_expect_close(on_worker, 1013);
    client_join(f->anna, "room", "anna"); /* nothing new */
    signal_once(f);
    client_close(in_lobby);
    client_close(on_worker);
}

/* protocol/README.md, "The session dialect": a page of it takes an error, and any refused connection, for the
 * end of its call. */
static void who_comes_for_a_session_is_upgraded_and_then_closed_with_1013_and_no_error(void **state)
{
    fixture *f = *state;
    uint16_t port = signal_server_port(f->server);
    client *a = member_open_settled(port, "call");
    client *b = member_open_settled(port, "call");
    client *mover = member_open_settled(port, "another");
    overload(f);
    client *c = member_open(port, "new");
    client_expect_close(c, 1013);
    member_say(mover, "{'type':'hangup','sessionId':'call'}");
    client_expect_close(mover, 1013);
    member_expect_pair(a, b, "call");
    client_expect_nothing(a);
    client_expect_nothing(b);
    client_close(a);
    client_close(b);
    client_close(c);
    client_close(mover);
}

/* protocol/README.md, "Version 2": goaway. Who comes back to a session is not new. */
static void version_2_is_sent_away_in_its_words_and_who_resumes_gets_in(void **state)
{
    fixture *f = *state;
    uint16_t port = signal_server_port(f->server);
    session_2 before, after;
    client *lost = session_2_open_joined(port, "another room", "", &before);
    client *strangers[] = {session_2_open(port), session_2_open(port)};
    client *returning = session_2_open(port);
    overload(f);
    session_2_send_join(strangers[0], "room 3", "");
    session_2_send_join(strangers[1], "room 4", ",\"token\":\"AAAAAAAAAAAAAAAAAAAAAA\",\"seen\":0");
    for (int i = 0; i < 2; i++) {
        client_message goaway = client_receive_text(strangers[i]);
        if (strstr(goaway.data, "{\"type\":\"goaway\",\"reason\":\"overloaded\",\"retryAfterMs\":") == NULL)
            fail_msg("got %s", goaway.data);
        client_expect_close(strangers[i], 1013);
        client_close(strangers[i]);
    }
    char more[128];
    snprintf(more, sizeof(more), ",\"token\":\"%s\",\"seen\":0", before.token);
    session_2_send_join(returning, "another room", more);
    session_2_expect_joined(returning, "another room", &after);
    assert_true(after.is_resumed);
    client_expect_close(lost, 4501);
    client_close(lost);
    client_close(returning);
}

static void nobody_is_accepted_until_it_is_over(void **state)
{
    fixture *f = *state;
    uint16_t port = signal_server_port(f->server);
    overload(f);
    client *first = client_open(port); /* with it the acceptor notices */
    client *waiting = client_dial(port);
    client_send_upgrade(waiting);
    uint64_t begun_ms = client_now_ms();
    while (client_now_ms() - begun_ms < 500) {
        signal_once(f);
        assert_false(client_is_readable(waiting, 0));
    }
    atomic_store(&slow_ms, 0);
    client_expect_upgraded(waiting);
    client_join(waiting, "room 5", "emil");
    client_expect_nothing(waiting);
    while (!is_readiness(f, 200, "ok"))
        assert_in_range(client_now_ms() - begun_ms, 0, CLIENT_WAIT_MS);
    client_close(first);
    client_close(waiting);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(joins_are_closed_with_1013_and_the_call_goes_on, start, end),
        cmocka_unit_test_setup_teardown(
            who_comes_for_a_session_is_upgraded_and_then_closed_with_1013_and_no_error, start, end),
        cmocka_unit_test_setup_teardown(version_2_is_sent_away_in_its_words_and_who_resumes_gets_in, start,
                                        end),
        cmocka_unit_test_setup_teardown(nobody_is_accepted_until_it_is_over, start, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
