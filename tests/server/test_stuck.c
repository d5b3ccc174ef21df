/* A stop while a thread of the server does not come back from its turn. Its read hangs for as long as the
 * test wants, which stands for all work that takes too long. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "support/client.h"
#include "support/server.h"

#include <dlfcn.h>
#include <errno.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>

enum { GRACE_MS = 300 };

/* What hangs a thread when it reads it, and for how long. */
static const char poison[] = "hang!";
static _Atomic bool is_poisonous;
static _Atomic int hanging;

static bool holds_poison(const char *bytes, ssize_t len)
{
    return len > 0 && memmem(bytes, (size_t)len, poison, sizeof(poison) - 1) != NULL;
}

/* Stands before the one of the system. */
ssize_t recv(int fd, void *buffer, size_t size, int flags)
{
    ssize_t (*real)(int, void *, size_t, int);
    void *found = dlsym(RTLD_NEXT, "recv");
    memcpy(&real, &found, sizeof(real));
    ssize_t len = real(fd, buffer, size, flags);
    int error = errno;
    if (holds_poison(buffer, len)) {
        atomic_fetch_add(&hanging, 1);
        while (atomic_load(&is_poisonous))
            poll(NULL, 0, 1);
        atomic_fetch_sub(&hanging, 1);
    }
    errno = error;
    return len;
}

static signal_server *start_with_grace(uint32_t grace_ms)
{
    signal_server_options options = server_options();
    options.shutdown_grace_ms = grace_ms;
    options.close_timeout_ms = 60 * 1000;
    options.pong_timeout_ms = 60 * 1000;
    return server_start(&options);
}

/* A connection that hangs the acceptor. */
static client *hang_acceptor(const signal_server *server)
{
    atomic_store(&is_poisonous, true);
    client *c = client_dial(signal_server_port(server));
    client_send_bytes(c, poison, sizeof(poison) - 1);
    while (atomic_load(&hanging) == 0)
        poll(NULL, 0, 1);
    return c;
}

static void a_stop_tells_in_time_that_a_thread_has_not_ended(void **state)
{
    (void)state;
    signal_server *server = start_with_grace(GRACE_MS);
    client *on_worker = client_open_settled(signal_server_port(server), "room", "anna");
    client *poisonous = hang_acceptor(server);
    uint64_t begun_ms = client_now_ms();
    assert_int_equal(signal_server_stop_within(server, GRACE_MS + 100), -ETIMEDOUT);
    assert_in_range(client_now_ms() - begun_ms, GRACE_MS + 100, GRACE_MS + CLIENT_WAIT_MS);
    client_expect_close(on_worker, 1001); /* the others have ended in order */
    assert_int_equal(signal_server_stop_within(server, 1), -ETIMEDOUT);

    atomic_store(&is_poisonous, false);
    assert_int_equal(signal_server_stop_within(server, CLIENT_WAIT_MS), 0);
    assert_int_equal(signal_server_stop_within(server, 0), 0);
    client_close(on_worker);
    client_close(poisonous);
    server_end(server);
}

/* When the thread comes back, its grace is over already: it waits for nobody. */
static void the_grace_counts_from_the_request(void **state)
{
    (void)state;
    enum { LONG_MS = 1500 };
    signal_server *server = start_with_grace(LONG_MS);
    client *in_lobby = client_open(signal_server_port(server)); /* would stay for a minute */
    client *poisonous = hang_acceptor(server);
    signal_server_request_stop(server, false);
    uint64_t begun_ms = client_now_ms();
    while (client_now_ms() - begun_ms < LONG_MS)
        poll(NULL, 0, 10);
    atomic_store(&is_poisonous, false);
    assert_int_equal(signal_server_stop_within(server, CLIENT_WAIT_MS), 0);
    assert_in_range(client_now_ms() - begun_ms, LONG_MS, 2 * LONG_MS - 1); /* and not a second grace */
    client_close(in_lobby);
    client_close(poisonous);
    server_end(server);
}

static void a_server_that_does_not_run_has_ended(void **state)
{
    (void)state;
    signal_server_options options = server_options();
    signal_server *server;
    assert_int_equal(signal_server_create(&options, &server, NULL), 0);
    assert_int_equal(signal_server_stop_within(server, 0), 0);
    assert_int_equal(signal_server_start(server, NULL), 0);
    assert_int_equal(signal_server_stop_within(server, CLIENT_WAIT_MS), 0);
    signal_server_destroy(server);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_stop_tells_in_time_that_a_thread_has_not_ended),
        cmocka_unit_test(the_grace_counts_from_the_request),
        cmocka_unit_test(a_server_that_does_not_run_has_ended),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
