/* A server on sockets that somebody else has opened, and holds while one server follows another. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "support/client.h"
#include "support/free_port.h"
#include "support/server.h"

#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { CALLERS = 4, RESTARTS = 20 };

/* ---- The holder of the sockets ---- */

static int open_bound(uint16_t *port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof(address);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(fd >= 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, len), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &len), 0);
    *port = ntohs(address.sin_port);
    return fd;
}

static int open_listening(uint16_t *port)
{
    int fd = open_bound(port);
    assert_int_equal(listen(fd, SOMAXCONN), 0);
    return fd;
}

static signal_server *start_on(const int *fds, size_t count, uint32_t acceptor_threads)
{
    signal_server_options options = server_options();
    options.listen_fds = fds;
    options.listen_fd_count = count;
    options.acceptor_threads = acceptor_threads;
    return server_start(&options);
}

static int try_start_on(int fd)
{
    signal_server_options options = server_options();
    options.listen_fds = &fd;
    options.listen_fd_count = 1;
    signal_server_fault fault = server_start_fault(&options);
    char number[16];
    snprintf(number, sizeof(number), "%d", fd);
    assert_int_equal(fault.kind, SIGNAL_SERVER_FAULT_SOCKET);
    assert_string_equal(fault.entry, number);
    return fault.error;
}

/* ---- One server ---- */

static void the_socket_is_served_instead_of_host_and_port(void **state)
{
    (void)state;
    uint16_t port;
    int fd = open_listening(&port);
    signal_server *server = start_on(&fd, 1, 1);
    assert_int_equal(signal_server_port(server), port);
    assert_true(signal_server_is_live(server));
    client_close(client_open_joined(port, "room", "anna"));
    server_end(server);
    close(fd);
}

static void fewer_sockets_than_acceptors_are_shared(void **state)
{
    (void)state;
    uint16_t port;
    int fd = open_listening(&port);
    signal_server *server = start_on(&fd, 1, 3);
    for (int i = 0; i < 20; i++)
        client_close(client_open_joined(port, "room", "anna"));
    server_end(server);
    close(fd);
}

static void more_sockets_than_acceptors_are_all_served(void **state)
{
    (void)state;
    uint16_t ports[5];
    int fds[5];
    for (int i = 0; i < 5; i++)
        fds[i] = open_listening(&ports[i]);
    signal_server *server = start_on(fds, 5, 2);
    for (int i = 0; i < 5; i++)
        client_close(client_open_joined(ports[i], "room", "anna"));
    server_end(server);
    for (int i = 0; i < 5; i++)
        close(fds[i]);
}

static void what_can_not_be_accepted_from_makes_the_start_fail(void **state)
{
    (void)state;
    uint16_t port;
    int ends[2];
    int bound = open_bound(&port);
    int datagrams = socket(AF_INET, SOCK_DGRAM, 0);
    assert_int_equal(pipe(ends), 0);
    assert_int_equal(try_start_on(bound), -EINVAL);
    assert_int_equal(try_start_on(datagrams), -EINVAL);
    assert_int_equal(try_start_on(ends[0]), -ENOTSOCK);
    close(ends[0]);
    close(ends[1]);
    close(datagrams);
    close(bound);
    assert_int_equal(try_start_on(-1), -EBADF);
}

/* ---- One server after another ---- */

static void who_comes_between_two_servers_is_served_by_the_second(void **state)
{
    (void)state;
    uint16_t port;
    int fd = open_listening(&port);
    server_end(start_on(&fd, 1, 1));
    client *early = client_dial(port);
    signal_server *server = start_on(&fd, 1, 1);
    client_upgrade(early);
    client_close(early);
    server_end(server);
    close(fd);
}

/* Callers of the load: they connect, ask for an upgrade, and go, until they are told to end. */
typedef struct load {
    struct sockaddr_in address;
    _Atomic bool is_over;
    _Atomic unsigned connected;
    _Atomic unsigned refused;
    _Atomic unsigned welcome;
    _Atomic unsigned unanswered; /* by neither a 101 nor the 503 of a server that stops */
} load;

static void call_once(load *l)
{
    static const char request[] = "GET /signal HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\n"
                                  "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
                                  "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
    const struct timeval patience = {.tv_sec = CLIENT_WAIT_MS / 1000};
    char status[12] = {0};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
    if (connect(fd, (const struct sockaddr *)&l->address, sizeof(l->address)) != 0) {
        atomic_fetch_add(&l->refused, 1);
    } else {
        atomic_fetch_add(&l->connected, 1);
        (void)send(fd, request, sizeof(request) - 1, MSG_NOSIGNAL);
        (void)recv(fd, status, sizeof(status), MSG_WAITALL);
        if (memcmp(status, "HTTP/1.1 101", sizeof(status)) == 0)
            atomic_fetch_add(&l->welcome, 1);
        else if (memcmp(status, "HTTP/1.1 503", sizeof(status)) != 0)
            atomic_fetch_add(&l->unanswered, 1);
    }
    const struct linger at_once = {.l_onoff = 1}; /* or the ports of this machine are soon used up */
    setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
    close(fd);
}

static void *call_again_and_again(void *context)
{
    load *l = context;
    while (!atomic_load(&l->is_over))
        call_once(l);
    return NULL;
}

static void a_restart_under_load_refuses_nobody(void **state)
{
    (void)state;
    uint16_t port;
    int fd = open_listening(&port);
    load l = {.address = {
                  .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK), .sin_port = htons(port)}};
    pthread_t callers[CALLERS];
    for (int i = 0; i < CALLERS; i++)
        assert_int_equal(pthread_create(&callers[i], NULL, call_again_and_again, &l), 0);
    for (unsigned i = 0; i < server_scale(RESTARTS); i++) {
        unsigned before = atomic_load(&l.welcome);
        signal_server *server = start_on(&fd, 1, 2);
        while (atomic_load(&l.welcome) < before + 50)
            poll(NULL, 0, 1); /* counters can only be polled */
        server_end(server);
    }
    atomic_store(&l.is_over, true);
    signal_server *last = start_on(&fd, 1, 1);
    for (int i = 0; i < CALLERS; i++)
        pthread_join(callers[i], NULL);
    server_end(last);
    close(fd);
    print_message("%u connected, %u welcome, %u refused, %u unanswered\n", l.connected, l.welcome, l.refused,
                  l.unanswered);
    assert_int_equal(l.refused, 0);
    assert_int_equal(l.unanswered, 0);
}

/* Start a server on the sockets of one that runs. */
static signal_server *start_after(const signal_server *server, const signal_server_options *options)
{
    enum { MOST = 16 };
    signal_server_socket sockets[MOST];
    int plain[MOST];
    int admin[MOST];
    signal_server_options next = *options;
    next.listen_fds = plain;
    next.listen_admin_fds = admin;
    next.listen_fd_count = next.listen_admin_fd_count = 0;
    size_t count = signal_server_get_sockets(server, sockets, MOST);
    assert_in_range(count, 1, MOST);
    assert_int_equal(signal_server_get_sockets(server, NULL, 0), count);
    for (size_t i = 0; i < count; i++) {
        if (sockets[i].kind == SIGNAL_SERVER_SOCKET_ADMIN)
            admin[next.listen_admin_fd_count++] = sockets[i].fd;
        else
            plain[next.listen_fd_count++] = sockets[i].fd;
    }
    assert_int_equal(next.listen_admin_fd_count, 1);
    return server_start(&next);
}

/* Unlike a server that is stopped, one that retires answers nobody with 503. */
static void a_succession_under_load_answers_everybody(void **state)
{
    (void)state;
    signal_server_options options = server_options();
    options.acceptor_threads = 2;
    options.admin_port = free_port();
    signal_server *server = server_start(&options);
    load l = {.address = {.sin_family = AF_INET,
                          .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
                          .sin_port = htons(signal_server_port(server))}};
    pthread_t callers[CALLERS];
    for (int i = 0; i < CALLERS; i++)
        assert_int_equal(pthread_create(&callers[i], NULL, call_again_and_again, &l), 0);
    for (unsigned i = 0; i < server_scale(RESTARTS); i++) {
        unsigned before = atomic_load(&l.welcome);
        while (atomic_load(&l.welcome) < before + 50)
            poll(NULL, 0, 1);
        signal_server *next = start_after(server, &options);
        assert_int_equal(signal_server_port(next), signal_server_port(server));
        signal_server_retire(server);
        server_end(server);
        server = next;
    }
    atomic_store(&l.is_over, true);
    for (int i = 0; i < CALLERS; i++)
        pthread_join(callers[i], NULL);
    server_end(server);
    print_message("%u connected, %u welcome, %u refused, %u unanswered\n", l.connected, l.welcome, l.refused,
                  l.unanswered);
    assert_int_equal(l.refused, 0);
    assert_int_equal(l.welcome, l.connected);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_socket_is_served_instead_of_host_and_port),
        cmocka_unit_test(fewer_sockets_than_acceptors_are_shared),
        cmocka_unit_test(more_sockets_than_acceptors_are_all_served),
        cmocka_unit_test(what_can_not_be_accepted_from_makes_the_start_fail),
        cmocka_unit_test(who_comes_between_two_servers_is_served_by_the_second),
        cmocka_unit_test(a_restart_under_load_refuses_nobody),
        cmocka_unit_test(a_succession_under_load_answers_everybody),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
