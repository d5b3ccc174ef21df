/* A thread whose epoll was closed by somebody else in the process, as a program does that closes every
 * descriptor it does not know. The process goes on, the thread tells that it has failed, and the server can
 * be stopped. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "support/client.h"
#include "support/free_port.h"
#include "support/server.h"

#include "admin/admin_client.h"

#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { MAX_FDS = 64 };

static bool is_epoll(int fd)
{
    char path[32];
    char target[64] = {0};
    snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    return readlink(path, target, sizeof(target) - 1) > 0 && strcmp(target, "anon_inode:[eventpoll]") == 0;
}

/* The epoll descriptors, in the order in which they were opened: workers, acceptors, the admin port. A worker
 * and an acceptor have two each, the loop's own and that of its base. */
static size_t find_epolls(int fds[MAX_FDS])
{
    size_t count = 0;
    for (int fd = 0; fd < 1024 && count < MAX_FDS; fd++) {
        if (is_epoll(fd))
            fds[count++] = fd;
    }
    return count;
}

/* Put another file in its place, as if it had been closed and the number used again: so that nothing else of
 * this test gets the number. */
static void destroy_epoll(size_t index)
{
    int fds[MAX_FDS];
    assert_true(index < find_epolls(fds));
    int other = open("/dev/null", O_RDWR | O_CLOEXEC);
    assert_true(other >= 0);
    assert_int_equal(dup3(other, fds[index], O_CLOEXEC), fds[index]);
    close(other);
}

/* The same with both of a worker or an acceptor. They count from 0; the workers come first. */
static void destroy_loop(size_t thread)
{
    for (int i = 0; i < 2; i++)
        destroy_epoll(2 * thread); /* then the next one has this place */
}

static void await_failure(const signal_server *server)
{
    uint64_t end_ms = client_now_ms() + CLIENT_WAIT_MS;
    while (signal_server_is_live(server)) {
        if (client_now_ms() > end_ms)
            fail_msg("the thread is not known to have failed");
        poll(NULL, 0, 1);
    }
}

static void count_call(void *context)
{
    atomic_fetch_add((_Atomic int *)context, 1);
}

static void a_worker_without_a_loop_drops_its_connections_and_those_that_come(void **state)
{
    (void)state;
    signal_server_options options = server_options();
    options.workers = 1;
    options.admin_port = free_port();
    _Atomic int stops = 0;
    options.on_stopped = count_call;
    options.context = &stops;
    signal_server *server = server_start(&options);
    uint16_t port = signal_server_port(server);
    client *anna = client_open_settled(port, "room", "anna");
    client *bert = client_open_settled(port, "room", "bert");
    destroy_loop(0);
    client_send_text(anna, "{}"); /* wakes the worker, whose wait for more fails */
    client_expect_gone(anna);
    client_expect_gone(bert);
    client_close(anna);
    client_close(bert);
    await_failure(server);

    client *late = client_open(port); /* the acceptor works on */
    client_join(late, "room", "late");
    client_expect_gone(late);
    client_close(late);
    SERVER_AWAIT(server, connections, 0);

    admin_answer answer;
    assert_int_equal(admin_client_get("127.0.0.1", options.admin_port, "/livez", CLIENT_WAIT_MS, &answer), 0);
    assert_int_equal(answer.status, 503);
    assert_non_null(strstr(answer.body, "worker-0 has failed and serves nobody"));
    free(answer.body);
    assert_int_equal(atomic_load(&stops), 0);
    signal_server_stop(server);
    assert_int_equal(atomic_load(&stops), 1);
    server_end(server);
}

/* Is a connection refused? */
static bool is_refused(uint16_t port)
{
    admin_answer answer;
    int error = admin_client_get("127.0.0.1", port, "/", 1000, &answer);
    if (error == 0)
        free(answer.body);
    return error == -ECONNREFUSED;
}

static void an_acceptor_without_a_loop_listens_no_longer(void **state)
{
    (void)state;
    signal_server_options options = server_options();
    options.workers = 2; /* of one worker, the lobby has nobody who sends */
    signal_server *server = server_start(&options);
    uint16_t port = signal_server_port(server);
    client *anna = client_open_settled(port, "room", "anna");
    client *lobby = client_open(port);
    destroy_loop(2);
    client_send_text(lobby, "{}");
    client_expect_gone(lobby);
    client_close(lobby);
    await_failure(server);
    assert_true(is_refused(port));

    client_expect_nothing(anna); /* on the worker calls go on */
    signal_server_request_stop(server, false);
    client_expect_close(anna, 1001);
    client_close(anna);
    server_end(server);
}

static void every_thread_may_fail_and_the_server_still_ends(void **state)
{
    (void)state;
    for (int now = 0; now <= 1; now++) {
        signal_server_options options = server_options();
        options.workers = 2;
        options.acceptor_threads = 2;
        options.admin_port = free_port();
        signal_server *server = server_start(&options);
        client *clients[8];
        for (size_t i = 0; i < 8; i++) {
            char room[32];
            snprintf(room, sizeof(room), "room %zu", i);
            clients[i] = client_open_settled(signal_server_port(server), room, "anna");
        }
        for (size_t i = 0; i < 4; i++)
            destroy_loop(0); /* the next is the first now */
        destroy_epoll(0);    /* the admin port's */
        for (size_t i = 0; i < 8; i++) {
            client_send_text(clients[i], "{}");
            client_expect_gone(clients[i]);
            client_close(clients[i]);
        }
        await_failure(server);
        signal_server_request_stop(server, now);
        server_end(server);
    }
}

static void a_thread_that_fails_in_the_middle_of_a_stop_still_ends(void **state)
{
    (void)state;
    signal_server_options options = server_options();
    options.workers = 1;
    _Atomic int stops = 0;
    options.on_stopped = count_call;
    options.context = &stops;
    signal_server *server = server_start(&options);
    client *anna = client_open_settled(signal_server_port(server), "room", "anna");
    signal_server_request_stop(server, false);
    assert_int_equal(client_receive_frame(anna).opcode, CLIENT_CLOSE); /* the order has come */
    destroy_loop(0);
    client_send_text(anna, "{}");
    client_expect_gone(anna);
    client_close(anna);
    uint64_t end_ms = client_now_ms() + CLIENT_WAIT_MS;
    while (atomic_load(&stops) == 0) { /* without a second order */
        assert_true(client_now_ms() < end_ms);
        poll(NULL, 0, 1);
    }
    server_end(server);
}

static void an_admin_port_without_a_loop_is_closed(void **state)
{
    (void)state;
    signal_server_options options = server_options();
    options.workers = 1;
    options.admin_port = free_port();
    signal_server *server = server_start(&options);
    assert_false(is_refused(options.admin_port));
    destroy_epoll(4);
    uint64_t end_ms = client_now_ms() + CLIENT_WAIT_MS;
    while (!is_refused(options.admin_port)) /* the first of them wakes it */
        assert_true(client_now_ms() < end_ms);
    client_close(client_open_settled(signal_server_port(server), "room", "anna"));
    server_end(server);
}

static void say_nothing(int severity, const char *message)
{
    (void)severity;
    (void)message;
}

int main(void)
{
    event_set_log_callback(say_nothing); /* it tells of each event that it can't take back */
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_worker_without_a_loop_drops_its_connections_and_those_that_come),
        cmocka_unit_test(an_acceptor_without_a_loop_listens_no_longer),
        cmocka_unit_test(every_thread_may_fail_and_the_server_still_ends),
        cmocka_unit_test(a_thread_that_fails_in_the_middle_of_a_stop_still_ends),
        cmocka_unit_test(an_admin_port_without_a_loop_is_closed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
