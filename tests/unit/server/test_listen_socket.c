/* Listening sockets on loopback. */
#include "server/listen_socket.h"
#include "support/listen_host.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

static int open_alone(uint16_t *port)
{
    return listen_on_host("127.0.0.1", port);
}

static int open_shared(uint16_t *port, bool is_first)
{
    listen_addresses found;
    assert_int_equal(listen_address_resolve("127.0.0.1", &found), 0);
    return listen_socket_open(&found.all[0], port, is_first ? LISTEN_SHARED | LISTEN_FIRST : LISTEN_SHARED);
}

static int option_of(int fd, int level, int name)
{
    int value = -1;
    socklen_t len = sizeof(value);
    assert_int_equal(getsockopt(fd, level, name, &value, &len), 0);
    return value;
}

static int dial(uint16_t port)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(fd >= 0);
    struct sockaddr_in to = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr = {htonl(INADDR_LOOPBACK)}};
    assert_int_equal(connect(fd, (const struct sockaddr *)&to, sizeof(to)), 0);
    return fd;
}

static int accept_one(int listen_fd)
{
    struct pollfd incoming = {.fd = listen_fd, .events = POLLIN};
    assert_int_equal(poll(&incoming, 1, 10 * 1000), 1);
    int fd = accept4(listen_fd, NULL, NULL, SOCK_CLOEXEC);
    assert_true(fd >= 0);
    return fd;
}

static void port_0_takes_a_free_one_and_tells_it(void **state)
{
    (void)state;
    uint16_t first = 0;
    uint16_t second = 0;
    int a = open_alone(&first);
    int b = open_alone(&second);
    assert_true(a >= 0);
    assert_true(b >= 0);
    assert_int_not_equal(first, 0);
    assert_int_not_equal(second, 0);
    assert_int_not_equal(first, second);
    close(a);
    close(b);
}

static void the_socket_is_bound_to_the_host_that_was_asked_for(void **state)
{
    (void)state;
    uint16_t port = 0;
    int fd = open_alone(&port);
    assert_true(fd >= 0);
    struct sockaddr_in bound;
    socklen_t len = sizeof(bound);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&bound, &len), 0);
    assert_int_equal(bound.sin_family, AF_INET);
    assert_int_equal(ntohl(bound.sin_addr.s_addr), INADDR_LOOPBACK);
    assert_int_equal(ntohs(bound.sin_port), port);
    close(fd);
}

static void the_socket_is_non_blocking_and_close_on_exec_and_does_not_listen_yet(void **state)
{
    (void)state;
    uint16_t port = 0;
    int fd = open_alone(&port);
    assert_true(fd >= 0);
    assert_true((fcntl(fd, F_GETFL) & O_NONBLOCK) != 0);
    assert_true((fcntl(fd, F_GETFD) & FD_CLOEXEC) != 0);
    assert_int_equal(option_of(fd, SOL_SOCKET, SO_ACCEPTCONN), 0);
    close(fd);
}

static void an_accepted_socket_sends_without_delay(void **state)
{
    (void)state;
    uint16_t port = 0;
    int fd = open_alone(&port);
    assert_true(fd >= 0);
    assert_int_equal(listen(fd, 1), 0);
    int client = dial(port);
    int accepted = accept_one(fd);
    assert_int_not_equal(option_of(accepted, IPPROTO_TCP, TCP_NODELAY), 0);
    close(accepted);
    close(client);
    close(fd);
}

/* So the server bounds the buffers of its connections once, and not at each of them. */
static void an_accepted_tcp_socket_inherits_the_bound_of_the_send_buffer(void **state)
{
    (void)state;
    uint16_t port = 0;
    int fd = open_alone(&port);
    assert_true(fd >= 0);
    assert_true(listen_socket_hands_down(fd));
    assert_int_equal(listen_socket_set_send_buffer(fd, 20000), 0);
    assert_int_equal(listen(fd, 1), 0);
    int client = dial(port);
    int accepted = accept_one(fd);
    assert_int_equal(option_of(accepted, SOL_SOCKET, SO_SNDBUF), 2 * 20000);
    close(accepted);
    close(client);
    close(fd);
}

static void a_descriptor_that_is_no_socket_hands_nothing_down(void **state)
{
    (void)state;
    int fd = eventfd(0, EFD_CLOEXEC);
    assert_true(fd >= 0);
    assert_false(listen_socket_hands_down(fd));
    assert_int_equal(listen_socket_set_send_buffer(fd, 20000), -ENOTSOCK);
    close(fd);
}

static void a_port_that_somebody_listens_on_is_in_use(void **state)
{
    (void)state;
    uint16_t port = 0;
    int fd = open_alone(&port);
    assert_true(fd >= 0);
    assert_int_equal(listen(fd, 1), 0);
    uint16_t same = port;
    assert_int_equal(open_alone(&same), -EADDRINUSE);
    assert_int_equal(open_shared(&same, true), -EADDRINUSE);
    assert_int_equal(same, port);
    close(fd);
}

static void a_port_is_free_again_right_after_its_server_has_ended(void **state)
{
    (void)state;
    uint16_t port = 0;
    int fd = open_alone(&port);
    assert_true(fd >= 0);
    assert_int_equal(listen(fd, 1), 0);
    int client = dial(port);
    int accepted = accept_one(fd);
    close(accepted); /* the server's side goes first and stays behind in TIME_WAIT */
    char byte;
    assert_int_equal(read(client, &byte, 1), 0);
    close(client);
    close(fd);

    fd = open_alone(&port);
    assert_true(fd >= 0);
    assert_int_equal(listen(fd, 1), 0);
    close(fd);
}

static void those_that_share_a_port_all_listen_on_it(void **state)
{
    (void)state;
    uint16_t port = 0;
    int first = open_shared(&port, true);
    assert_true(first >= 0);
    assert_int_equal(listen(first, 8), 0);
    uint16_t same = port;
    int second = open_shared(&same, false);
    assert_true(second >= 0);
    assert_int_equal(listen(second, 8), 0);
    assert_int_equal(same, port);
    close(first);
    close(second);
}

static void the_first_to_share_a_port_does_not_share_it_with_a_stranger(void **state)
{
    (void)state;
    uint16_t port = 0;
    int stranger = open_shared(&port, true);
    assert_true(stranger >= 0);
    assert_int_equal(listen(stranger, 1), 0);
    assert_int_equal(open_shared(&port, true), -EADDRINUSE);
    close(stranger);

    int fd = open_shared(&port, true); /* a known port that nobody has */
    assert_true(fd >= 0);
    close(fd);
}

/* Nobody is reached by a socket that is bound and does not listen. */
static void an_ipv6_wildcard_leaves_the_port_to_ipv4_where_that_is_asked_for(void **state)
{
    (void)state;
    listen_addresses ipv6;
    listen_addresses ipv4;
    uint16_t port = 0;
    assert_int_equal(listen_address_resolve("::", &ipv6), 0);
    assert_int_equal(listen_address_resolve("0.0.0.0", &ipv4), 0);
    int fd = listen_socket_open(&ipv6.all[0], &port, LISTEN_IPV6_ONLY);
    if (fd == -EADDRNOTAVAIL || fd == -EAFNOSUPPORT)
        skip(); /* a machine without IPv6 */
    assert_true(fd >= 0);
    assert_int_equal(option_of(fd, IPPROTO_IPV6, IPV6_V6ONLY), 1);
    int other = listen_socket_open(&ipv4.all[0], &port, 0);
    assert_true(other >= 0);
    close(other);
    close(fd);

    fd = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int usual = option_of(fd, IPPROTO_IPV6, IPV6_V6ONLY);
    close(fd);
    fd = listen_socket_open(&ipv6.all[0], &port, 0); /* else it is as the system has it */
    assert_true(fd >= 0);
    assert_int_equal(option_of(fd, IPPROTO_IPV6, IPV6_V6ONLY), usual);
    close(fd);
}

static void an_address_that_is_not_ours_is_not_available(void **state)
{
    (void)state;
    uint16_t port = 0;
    assert_int_equal(listen_on_host("192.0.2.1", &port), -EADDRNOTAVAIL);
    assert_int_equal(port, 0);
}

static void an_ipv6_address_is_listened_on_as_well(void **state)
{
    (void)state;
    uint16_t port = 0;
    int fd = listen_on_host("::1", &port);
    if (fd == -EADDRNOTAVAIL || fd == -EAFNOSUPPORT)
        skip(); /* a machine without IPv6 */
    assert_true(fd >= 0);
    assert_int_not_equal(port, 0);
    close(fd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(port_0_takes_a_free_one_and_tells_it),
        cmocka_unit_test(the_socket_is_bound_to_the_host_that_was_asked_for),
        cmocka_unit_test(the_socket_is_non_blocking_and_close_on_exec_and_does_not_listen_yet),
        cmocka_unit_test(an_accepted_socket_sends_without_delay),
        cmocka_unit_test(an_accepted_tcp_socket_inherits_the_bound_of_the_send_buffer),
        cmocka_unit_test(a_descriptor_that_is_no_socket_hands_nothing_down),
        cmocka_unit_test(a_port_that_somebody_listens_on_is_in_use),
        cmocka_unit_test(a_port_is_free_again_right_after_its_server_has_ended),
        cmocka_unit_test(those_that_share_a_port_all_listen_on_it),
        cmocka_unit_test(the_first_to_share_a_port_does_not_share_it_with_a_stranger),
        cmocka_unit_test(an_ipv6_wildcard_leaves_the_port_to_ipv4_where_that_is_asked_for),
        cmocka_unit_test(an_address_that_is_not_ours_is_not_available),
        cmocka_unit_test(an_ipv6_address_is_listened_on_as_well),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
