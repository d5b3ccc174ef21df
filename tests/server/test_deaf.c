/* A server that some call of the system leaves without an ear: it must not say that all is well, and must
 * listen again as soon as it can. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "support/client.h"
#include "support/failing_call.h"
#include "support/free_port.h"
#include "support/server.h"

#include "admin/admin_client.h"

#include <errno.h>
#include <event2/event.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

/* Many: for as long as the test does not take it back. */
enum { FOREVER = 1000 * 1000 };

static int mend_all(void **state)
{
    (void)state;
    for (int which = 0; which < FAILING_CALLS; which++)
        failing_call_set((failing_call)which, 0, 0);
    return 0;
}

static signal_server *start_with_admin(signal_server_options *options)
{
    *options = server_options();
    options->workers = 1;
    options->admin_port = free_port();
    return server_start(options);
}

/* What /readyz says: its status, and whether `wanted` is in it. */
static bool is_readiness(uint16_t admin_port, int status, const char *wanted)
{
    admin_answer answer;
    if (admin_client_get("127.0.0.1", admin_port, "/readyz", CLIENT_WAIT_MS, &answer) != 0)
        return false;
    bool is_it = answer.status == status && strstr(answer.body, wanted) != NULL;
    free(answer.body);
    return is_it;
}

static void await_readiness(uint16_t admin_port, int status, const char *wanted)
{
    uint64_t end_ms = client_now_ms() + CLIENT_WAIT_MS;
    while (!is_readiness(admin_port, status, wanted)) {
        if (client_now_ms() > end_ms)
            fail_msg("/readyz does not say %d %s", status, wanted);
        poll(NULL, 0, 1);
    }
}

static void expect_serving(const signal_server *server)
{
    client *c = client_open_settled(signal_server_port(server), "room", "anna");
    client_close(c);
}

static void a_server_that_can_not_watch_its_port_does_not_start(void **state)
{
    (void)state;
    signal_server_options options = server_options();
    failing_call_set(FAILING_LISTENER_ADD, 1, ENOSPC);
    signal_server *server;
    signal_server_fault fault;
    assert_int_equal(signal_server_create(&options, &server, NULL), 0);
    int error = signal_server_start(server, &fault);
    assert_int_equal(failing_call_left(FAILING_LISTENER_ADD), 0);
    assert_true(error < 0);
    assert_int_equal(fault.kind, SIGNAL_SERVER_FAULT_ADDRESS);
    assert_int_equal(signal_server_start(server, &fault), 0); /* and may try it again */
    expect_serving(server);
    signal_server_destroy(server);
}

static void an_admin_port_that_can_not_be_watched_fails_the_start(void **state)
{
    (void)state;
    signal_server_options options = server_options();
    options.workers = 1;
    options.admin_port = free_port();
    signal_server *server;
    signal_server_fault fault;
    assert_int_equal(signal_server_create(&options, &server, NULL), 0);
    for (int calls = 1; calls <= 2; calls++) { /* the port, then the admin port */
        failing_call_set(FAILING_LISTENER_ADD, 0, 0);
        failing_call_set(FAILING_LISTENER_ADD, 1, ENOSPC);
        options.port = calls == 1 ? 0 : -1;
        assert_true(signal_server_start(server, &fault) < 0);
    }
    failing_call_set(FAILING_LISTENER_ADD, 0, 0);
    assert_int_equal(signal_server_start(server, &fault), 0);
    await_readiness(options.admin_port, 200, "ok");
    signal_server_destroy(server);
}

/* Descriptors are used up, and when the pause is over, the kernel lets the socket not be watched for some
 * time. */
static void after_a_pause_every_socket_is_watched_again(void **state)
{
    (void)state;
    signal_server_options options = server_options();
    options.workers = 1;
    options.host = "127.0.0.1,127.0.0.2";
    options.admin_port = free_port();
    signal_server *server = server_start(&options);
    failing_call_set(FAILING_LISTENER_ADD, FOREVER, ENOSPC);
    failing_call_set(FAILING_ACCEPT, 1, EMFILE);
    client *waiting = client_dial(signal_server_port(server));
    while (failing_call_left(FAILING_ACCEPT) > 0) /* or the admin port would be the one to pause */
        poll(NULL, 0, 1);
    await_readiness(options.admin_port, 503, "acceptor-0 can't watch 2 of its 2 listening sockets");

    failing_call_set(FAILING_LISTENER_ADD, 0, 0);
    await_readiness(options.admin_port, 200, "ok");
    client_close(waiting);
    expect_serving(server);
    server_end(server);
}

static void after_a_pause_the_admin_port_is_watched_again(void **state)
{
    (void)state;
    signal_server_options options;
    signal_server *server = start_with_admin(&options);
    for (int failures = 1; failures <= 3; failures++) {
        failing_call_set(FAILING_LISTENER_ADD, failures, ENOSPC);
        failing_call_set(FAILING_ACCEPT, 1, EMFILE);
        await_readiness(options.admin_port, 200, "ok");
        assert_int_equal(failing_call_left(FAILING_LISTENER_ADD), 0);
    }
    server_end(server);
}

/* Send a request that leaves the connection open. */
static void send_admin_request(client *c)
{
    static const char request[] = "HEAD /livez HTTP/1.1\r\nHost: localhost\r\n\r\n";
    client_send_bytes(c, request, sizeof(request) - 1);
}

static void expect_admin_answer(client *c)
{
    char answer[1024];
    assert_true(client_is_readable(c, CLIENT_WAIT_MS));
    ssize_t len = recv(client_fd(c), answer, sizeof(answer) - 1, 0);
    assert_true(len > 0);
    answer[len] = '\0';
    assert_non_null(strstr(answer, " 200 OK"));
}

/* It is closed at once. */
static void who_can_not_be_watched_by_the_admin_port_is_not_left_waiting(void **state)
{
    (void)state;
    signal_server_options options;
    signal_server *server = start_with_admin(&options);
    await_readiness(options.admin_port, 200, "ok");
    failing_call_set(FAILING_CONNECTION_ADD, 1, ENOSPC);
    client *c = client_dial(options.admin_port);
    client_expect_end(c);
    client_close(c);
    assert_int_equal(failing_call_left(FAILING_CONNECTION_ADD), 0);
    await_readiness(options.admin_port, 200, "ok");
    server_end(server);
}

/* A connection is watched anew before an answer is written, and after that. */
static void whom_the_admin_port_can_not_watch_any_more_is_not_left_waiting(void **state)
{
    (void)state;
    signal_server_options options;
    signal_server *server = start_with_admin(&options);
    await_readiness(options.admin_port, 200, "ok");
    client *c = client_dial(options.admin_port);
    for (int i = 0; i < 2; i++) {
        send_admin_request(c);
        expect_admin_answer(c);
    }
    failing_call_set(FAILING_CONNECTION_ADD, 1, ENOMEM);
    send_admin_request(c);
    client_expect_gone(c); /* perhaps before it has read the request */
    client_close(c);
    assert_int_equal(failing_call_left(FAILING_CONNECTION_ADD), 0);
    await_readiness(options.admin_port, 200, "ok");
    server_end(server);
}

/* The session is in the mailbox of the worker, and the worker is told as soon as that can be done. */
static void a_wake_up_that_is_lost_loses_no_session(void **state)
{
    (void)state;
    signal_server_options options;
    signal_server *server = start_with_admin(&options);
    for (int lost = 1; lost <= 200; lost *= 3) {
        failing_call_set(FAILING_EVENTFD_WRITE, lost, ENOMEM);
        client *anna = client_open(signal_server_port(server));
        client_join(anna, "room", "anna");
        SERVER_AWAIT(server, joined, 1);
        assert_int_equal(failing_call_left(FAILING_EVENTFD_WRITE), 0);
        client_close(anna);
        SERVER_AWAIT(server, connections, 0);
    }
    server_end(server);
}

static void a_wake_up_that_is_lost_loses_no_order_to_stop(void **state)
{
    (void)state;
    for (int lost = 1; lost <= 12; lost++) {
        signal_server_options options;
        signal_server *server = start_with_admin(&options);
        expect_serving(server);
        failing_call_set(FAILING_EVENTFD_WRITE, lost, ENOMEM);
        server_end(server);
        failing_call_set(FAILING_EVENTFD_WRITE, 0, 0);
    }
}

static void say_nothing(int severity, const char *message)
{
    (void)severity;
    (void)message;
}

int main(void)
{
    event_set_log_callback(say_nothing); /* it tells of each descriptor that it can't watch */
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(a_server_that_can_not_watch_its_port_does_not_start, mend_all),
        cmocka_unit_test_teardown(an_admin_port_that_can_not_be_watched_fails_the_start, mend_all),
        cmocka_unit_test_teardown(after_a_pause_every_socket_is_watched_again, mend_all),
        cmocka_unit_test_teardown(after_a_pause_the_admin_port_is_watched_again, mend_all),
        cmocka_unit_test_teardown(who_can_not_be_watched_by_the_admin_port_is_not_left_waiting, mend_all),
        cmocka_unit_test_teardown(whom_the_admin_port_can_not_watch_any_more_is_not_left_waiting, mend_all),
        cmocka_unit_test_teardown(a_wake_up_that_is_lost_loses_no_session, mend_all),
        cmocka_unit_test_teardown(a_wake_up_that_is_lost_loses_no_order_to_stop, mend_all),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
