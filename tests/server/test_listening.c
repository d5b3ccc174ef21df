/* Where a server listens: several addresses, IPv6, Unix sockets. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "admin/admin_client.h"
#include "homecall/signal_log.h"
#include "support/client.h"
#include "support/fake_resolver.h"
#include "support/free_port.h"
#include "support/server.h"
#include "support/tls_files.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

/* As /etc/hosts may have them. 203.0.113.0/24 is nobody's (RFC 5737). */
static const fake_name names[] = {{"localhost", "::1 127.0.0.1"},
                                  {"three.example", "127.0.0.1 127.0.0.2 127.0.0.3 127.0.0.2"},
                                  {"half.example", "203.0.113.1 127.0.0.1"},
                                  {"elsewhere.example", "203.0.113.1 203.0.113.2"},
                                  {NULL, NULL}};

typedef struct fixture {
    signal_server_options options;
    signal_server *server;
    char directory[64];
    char path[80];  /* of a Unix socket */
    char host[256]; /* for options.host */
} fixture;

static int make(void **state)
{
    fixture *f = calloc(1, sizeof(*f));
    *state = f;
    fake_resolver_set(names);
    f->options = server_options();
    strcpy(f->directory, "/tmp/test_listening.XXXXXX");
    if (mkdtemp(f->directory) == NULL)
        return -1;
    snprintf(f->path, sizeof(f->path), "%s/socket", f->directory);
    return 0;
}

static int destroy(void **state)
{
    fixture *f = *state;
    server_end(f->server);
    unlink(f->path);
    int error = rmdir(f->directory);
    free(f);
    return error;
}

static void start(fixture *f, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Start a server on these hosts. */
static void start(fixture *f, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(f->host, sizeof(f->host), format, arguments);
    va_end(arguments);
    f->options.host = f->host;
    f->server = server_start(&f->options);
}

/* Send an upgrade request, which must be answered with 101. Returns the descriptor, for the caller to close.
 */
static int open_welcome(const struct sockaddr *address, socklen_t len)
{
    static const char request[] = "GET /signal HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\n"
                                  "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
                                  "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
    const struct timeval patience = {.tv_sec = CLIENT_WAIT_MS / 1000};
    int fd = socket(address->sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(fd >= 0);
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
    if (connect(fd, address, len) != 0)
        fail_msg("connect: %s", strerror(errno));
    assert_int_equal(send(fd, request, sizeof(request) - 1, MSG_NOSIGNAL), sizeof(request) - 1);
    char answer[16] = {0};
    assert_int_equal(recv(fd, answer, sizeof(answer) - 1, MSG_WAITALL), sizeof(answer) - 1);
    assert_memory_equal(answer, "HTTP/1.1 101 ", 13);
    return fd;
}

static void expect_welcome(const struct sockaddr *address, socklen_t len)
{
    close(open_welcome(address, len));
}

static int open_welcome_at_path(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
    return open_welcome((struct sockaddr *)&address, sizeof(address));
}

static void expect_welcome_at_path(const char *path)
{
    close(open_welcome_at_path(path));
}

static void expect_welcome_at_ipv4(const char *host, uint16_t port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};
    assert_int_equal(inet_pton(AF_INET, host, &address.sin_addr), 1);
    expect_welcome((const struct sockaddr *)&address, sizeof(address));
}

static void expect_welcome_at_ipv6(uint16_t port)
{
    const struct sockaddr_in6 address = {
        .sin6_family = AF_INET6, .sin6_port = htons(port), .sin6_addr = IN6ADDR_LOOPBACK_INIT};
    expect_welcome((const struct sockaddr *)&address, sizeof(address));
}

/* The start of a second server fails for this entry of `host`, and leaves the first alone. */
static void expect_fault(fixture *f, const char *host, signal_server_fault_kind kind, int error,
                         const char *entry)
{
    signal_server_options options = f->options;
    options.host = host;
    signal_server_fault fault = server_start_fault(&options);
    assert_int_equal(fault.kind, kind);
    assert_int_equal(fault.error, error);
    assert_string_equal(fault.entry, entry);
}

static void it_listens_on_every_address_of_the_list_at_one_port(void **state)
{
    fixture *f = *state;
    f->options.acceptor_threads = 2;
    start(f, "127.0.0.1, ::1,,unix:%s", f->path);
    uint16_t port = signal_server_port(f->server);
    for (int i = 0; i < 8; i++) { /* whichever acceptor the kernel chooses */
        client_close(client_open(port));
        expect_welcome_at_ipv6(port);
        expect_welcome_at_path(f->path);
    }
    SERVER_AWAIT(f->server, accepted, 24);
    SERVER_AWAIT(f->server, connections, 0);
}

/* A network of our own, which has a loopback and nothing else: so a wildcard is reached by nobody. -1 where
 * that is not allowed; or a descriptor to come back by. */
static int enter_own_network(void)
{
    int before = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
    if (before < 0 || unshare(CLONE_NEWNET) != 0) {
        close(before);
        return -1;
    }
    struct ifreq loopback = {.ifr_name = "lo", .ifr_flags = IFF_UP};
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    assert_int_equal(ioctl(fd, SIOCSIFFLAGS, &loopback), 0);
    close(fd);
    return before;
}

static void leave_own_network(int before)
{
    assert_int_equal(setns(before, CLONE_NEWNET), 0);
    close(before);
}

static void serve_both_families(fixture *f, const char *hosts)
{
    start(f, "%s", hosts);
    client_close(client_open(signal_server_port(f->server)));
    expect_welcome_at_ipv6(signal_server_port(f->server));
    server_end(f->server);
    f->server = NULL;
}

static void both_wildcards_listen_side_by_side(void **state)
{
    fixture *f = *state;
    int before = enter_own_network();
    if (before < 0)
        skip();
    for (uint32_t acceptors = 1; acceptors <= 2; acceptors++) {
        f->options.acceptor_threads = acceptors;
        serve_both_families(f, "0.0.0.0,::");
        serve_both_families(f, "::,0.0.0.0");
        serve_both_families(f, "::,127.0.0.1");
    }
    leave_own_network(before);
}

static void the_wildcard_of_ipv6_alone_takes_ipv4_as_well(void **state)
{
    int before = enter_own_network();
    if (before < 0)
        skip();
    serve_both_families(*state, "::");
    leave_own_network(before);
}

static void what_the_list_has_twice_does_not_stand_in_its_own_way(void **state)
{
    fixture *f = *state;
    start(f, "127.0.0.1,localhost,127.0.0.1,::1,::1,unix:%s,unix:%s", f->path, f->path);
    client_close(client_open(signal_server_port(f->server)));
    expect_welcome_at_ipv6(signal_server_port(f->server));
    expect_welcome_at_path(f->path);
}

static void a_name_is_listened_on_at_all_its_addresses(void **state)
{
    fixture *f = *state;
    f->options.acceptor_threads = 2;
    start(f, "localhost");
    assert_string_equal(signal_server_hosts(f->server), "::1,127.0.0.1");
    for (int i = 0; i < 8; i++) { /* whichever acceptor the kernel chooses */
        expect_welcome_at_ipv4("127.0.0.1", signal_server_port(f->server));
        expect_welcome_at_ipv6(signal_server_port(f->server));
    }
    server_end(f->server);

    start(f, "three.example,unix:%s", f->path);
    char expected[160];
    snprintf(expected, sizeof(expected), "127.0.0.1,127.0.0.2,127.0.0.3,unix:%s", f->path);
    assert_string_equal(signal_server_hosts(f->server), expected);
    expect_welcome_at_ipv4("127.0.0.1", signal_server_port(f->server));
    expect_welcome_at_ipv4("127.0.0.2", signal_server_port(f->server));
    expect_welcome_at_ipv4("127.0.0.3", signal_server_port(f->server));
    expect_welcome_at_path(f->path);
}

static void a_name_is_listened_on_with_tls_at_all_its_addresses(void **state)
{
    fixture *f = *state;
    tls_files files;
    tls_files_init(&files);
    tls_files_write(&files, "localhost", 0, TLS_FILES_DAY_S);
    f->options.tls_cert_file = files.cert;
    f->options.tls_key_file = files.key;
    f->options.port = -1;
    f->options.tls_port = 0;
    start(f, "three.example");
    assert_int_equal(signal_server_port(f->server), 0);
    for (int last = 1; last <= 3; last++) {
        char host[24];
        struct sockaddr_in address = {.sin_family = AF_INET,
                                      .sin_port = htons(signal_server_tls_port(f->server))};
        snprintf(host, sizeof(host), "127.0.0.%d", last);
        assert_int_equal(inet_pton(AF_INET, host, &address.sin_addr), 1);
        int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        assert_int_equal(connect(fd, (const struct sockaddr *)&address, sizeof(address)), 0);
        close(fd);
    }
    tls_files_deinit(&files);
}

/* What the log says from the start to the end of a server on these hosts; owned by the caller. */
static char *log_of(fixture *f, const char *host)
{
    char file[] = "/tmp/test_listening.log.XXXXXX";
    int fd = mkstemp(file);
    assert_true(fd >= 0);
    const signal_log_options log = {
        .size = sizeof(signal_log_options), .file = file, .level = SIGNAL_LOG_INFO, .is_private = true};
    assert_int_equal(signal_log_start(&log), 0);
    start(f, "%s", host);
    server_end(f->server);
    f->server = NULL;
    signal_log_stop();
    char *text = calloc(1, 64 * 1024);
    assert_non_null(text);
    assert_true(read(fd, text, 64 * 1024 - 1) >= 0);
    close(fd);
    unlink(file);
    return text;
}

static void an_address_of_a_name_that_is_not_here_is_passed_over_with_a_warning(void **state)
{
    fixture *f = *state;
    start(f, "half.example");
    assert_string_equal(signal_server_hosts(f->server), "127.0.0.1");
    expect_welcome_at_ipv4("127.0.0.1", signal_server_port(f->server));
    server_end(f->server);
    f->server = NULL;
    expect_fault(f, "127.0.0.1,elsewhere.example", SIGNAL_SERVER_FAULT_ADDRESS, -EADDRNOTAVAIL,
                 "elsewhere.example");
    expect_fault(f, "half.example,203.0.113.1", SIGNAL_SERVER_FAULT_ADDRESS, -EADDRNOTAVAIL, "203.0.113.1");

    char *text = log_of(f, "half.example");
    assert_non_null(
        strstr(text, "[WARN] [HomeCall_Signal_Server] one address of a name is not available option=host "
                     "name=\"half.example\" address=\"203.0.113.1\" reason=\""));
    free(text);
    text = log_of(f, "three.example");
    assert_null(strstr(text, "[WARN]"));
    free(text);
}

/* Whoever has the port at one address of the name would answer half of those who come by it. */
static void an_address_of_a_name_that_is_in_use_is_told(void **state)
{
    fixture *f = *state;
    start(f, "127.0.0.2");
    signal_server_options options = f->options;
    options.port = signal_server_port(f->server);
    options.host = "three.example";
    signal_server_fault fault = server_start_fault(&options);
    assert_int_equal(fault.kind, SIGNAL_SERVER_FAULT_ADDRESS);
    assert_int_equal(fault.error, -EADDRINUSE);
    assert_string_equal(fault.entry, "three.example");
    assert_int_equal(fault.port, options.port);
}

static void expect_admin(const char *host, uint16_t port, int expected)
{
    admin_answer answer;
    int error = admin_client_get(host, port, "/livez", CLIENT_WAIT_MS, &answer);
    assert_int_equal(error, expected);
    if (error == 0)
        free(answer.body);
}

static void the_admin_port_is_at_all_addresses_of_its_name(void **state)
{
    fixture *f = *state;
    uint16_t port = free_port();
    f->options.admin_host = "three.example";
    f->options.admin_port = port;
    start(f, "127.0.0.1");
    assert_string_equal(signal_server_admin_hosts(f->server), "127.0.0.1,127.0.0.2,127.0.0.3");
    expect_admin("127.0.0.1", port, 0);
    expect_admin("127.0.0.2", port, 0);
    expect_admin("127.0.0.3", port, 0);
    expect_admin("127.0.0.4", port, -ECONNREFUSED);
    server_end(f->server);

    f->options.admin_host = "half.example";
    start(f, "127.0.0.1");
    assert_string_equal(signal_server_admin_hosts(f->server), "127.0.0.1");
    expect_admin("half.example", port, 0); /* it asks the other one in vain */
    server_end(f->server);

    f->options.admin_host = "elsewhere.example";
    signal_server_options options = f->options;
    signal_server_fault fault = server_start_fault(&options);
    assert_int_equal(fault.kind, SIGNAL_SERVER_FAULT_ADMIN);
    assert_int_equal(fault.error, -EADDRNOTAVAIL);
    assert_string_equal(fault.entry, "elsewhere.example");

    f->options.admin_port = 0;
    start(f, "127.0.0.1");
    assert_string_equal(signal_server_admin_hosts(f->server), "");
}

static void a_unix_socket_alone_will_do_and_goes_with_the_server(void **state)
{
    fixture *f = *state;
    start(f, "unix:%s", f->path);
    assert_int_equal(signal_server_port(f->server), 0);
    expect_welcome_at_path(f->path);
    server_end(f->server);
    f->server = NULL;
    assert_int_equal(access(f->path, F_OK), -1);
}

/* ---- What the kernel keeps of the output of a connection ---- */

/* Is it an accepted socket of this server, and not one of those that listen? */
static bool is_accepted(int fd, const fixture *f)
{
    union {
        struct sockaddr any;
        struct sockaddr_in ipv4;
        struct sockaddr_un path;
    } own = {.any.sa_family = AF_UNSPEC};
    socklen_t len = sizeof(own);
    int listens = 1;
    socklen_t listens_len = sizeof(listens);
    if (getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listens, &listens_len) != 0 || listens != 0 ||
        getsockname(fd, &own.any, &len) != 0)
        return false;
    return own.any.sa_family == AF_UNIX
               ? len > offsetof(struct sockaddr_un, sun_path) && strcmp(own.path.sun_path, f->path) == 0
               : own.any.sa_family == AF_INET && own.ipv4.sin_port == htons(signal_server_port(f->server));
}

/* A client came by TCP and one by the Unix socket: the send buffer of both is between these bounds. */
static void expect_send_buffers(const fixture *f, int least, int most)
{
    struct rlimit limit;
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
    int found = 0;
    for (int fd = 0; fd < (int)limit.rlim_cur && found < 2; fd++) {
        if (!is_accepted(fd, f))
            continue;
        int size = 0;
        socklen_t len = sizeof(size);
        assert_int_equal(getsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, &len), 0);
        assert_in_range(size, least, most);
        found++;
    }
    assert_int_equal(found, 2);
}

static void the_kernel_keeps_no_more_output_than_it_is_told_however_a_client_has_come(void **state)
{
    enum { BYTES = 20000 };
    fixture *f = *state;
    for (int is_bounded = 0; is_bounded < 2; is_bounded++) {
        f->options.send_buffer_bytes = is_bounded ? BYTES : 0;
        start(f, "127.0.0.1,unix:%s", f->path);
        client *by_tcp = client_open(signal_server_port(f->server));
        int by_path = open_welcome_at_path(f->path);
        if (is_bounded)
            expect_send_buffers(f, 2 * BYTES, 2 * BYTES); /* the kernel doubles it */
        else
            expect_send_buffers(f, 2 * BYTES + 1, INT_MAX);
        client_close(by_tcp);
        close(by_path);
        server_end(f->server);
        f->server = NULL;
    }
}

static void leave_a_stale_socket(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
    close(fd);
}

static void a_socket_that_a_crash_has_left_behind_is_replaced(void **state)
{
    fixture *f = *state;
    leave_a_stale_socket(f->path);
    start(f, "unix:%s", f->path);
    expect_welcome_at_path(f->path);
}

static void expect_path_fault(fixture *f, const char *host, int error, const char *path)
{
    char entry[256];
    snprintf(entry, sizeof(entry), "unix:%s", path);
    expect_fault(f, host, SIGNAL_SERVER_FAULT_PATH, error, entry);
}

static void a_socket_that_somebody_serves_is_left_alone(void **state)
{
    fixture *f = *state;
    start(f, "unix:%s", f->path);
    expect_path_fault(f, f->host, -EADDRINUSE, f->path);
    expect_welcome_at_path(f->path);
}

static void what_is_no_socket_is_left_alone(void **state)
{
    fixture *f = *state;
    char host[128];
    FILE *file = fopen(f->path, "w");
    assert_non_null(file);
    fclose(file);
    snprintf(host, sizeof(host), "127.0.0.1,unix:%s", f->path);
    expect_path_fault(f, host, -EEXIST, f->path);
    struct stat found;
    assert_int_equal(stat(f->path, &found), 0);
    assert_true(S_ISREG(found.st_mode));
}

/* The first of two paths is bound, the second is not ours. */
static void a_start_that_fails_removes_what_it_has_bound_and_nothing_else(void **state)
{
    fixture *f = *state;
    char host[256];
    char first[96];
    FILE *file = fopen(f->path, "w");
    assert_non_null(file);
    fclose(file);
    snprintf(first, sizeof(first), "%s.first", f->path);
    snprintf(host, sizeof(host), "unix:%s,unix:%s", first, f->path);
    expect_path_fault(f, host, -EEXIST, f->path);
    assert_int_equal(access(f->path, F_OK), 0);
    assert_int_equal(access(first, F_OK), -1);
}

/* The old server has stopped to listen and still drains; its successor takes the path over. */
static void a_server_that_ends_leaves_its_successor_the_path(void **state)
{
    fixture *f = *state;
    f->options.close_timeout_ms = 60 * 1000;
    f->options.shutdown_grace_ms = 60 * 1000;
    start(f, "127.0.0.1,unix:%s", f->path);
    client *stays = client_open(signal_server_port(f->server));
    signal_server_request_stop(f->server, false);
    client_expect_close(stays, 1001);

    signal_server_options options = f->options;
    char host[128];
    snprintf(host, sizeof(host), "unix:%s", f->path);
    options.host = host;
    signal_server *successor = server_start(&options);
    client_close(stays);
    server_end(f->server);
    f->server = NULL;
    expect_welcome_at_path(f->path);
    server_end(successor);
}

static void nowhere_is_no_place_to_listen(void **state)
{
    fixture *f = *state;
    expect_fault(f, " , ", SIGNAL_SERVER_FAULT_HOST, -EINVAL, "");
}

static void an_entry_that_is_nowhere_is_told(void **state)
{
    fixture *f = *state;
    expect_fault(f, "127.0.0.1,notunix:/x", SIGNAL_SERVER_FAULT_ADDRESS, -EINVAL, "notunix:/x");
    expect_fault(f, "127.0.0.1:80", SIGNAL_SERVER_FAULT_ADDRESS, -EINVAL, "127.0.0.1:80");
    expect_fault(f, "203.0.113.1,127.0.0.1", SIGNAL_SERVER_FAULT_ADDRESS, -EADDRNOTAVAIL, "203.0.113.1");
    char host[4096] = "127.0.0.1";
    for (size_t i = 2; i <= 17; i++)
        snprintf(host + strlen(host), sizeof(host) - strlen(host), ", 127.0.0.%zu", i);
    expect_fault(f, host, SIGNAL_SERVER_FAULT_HOST, -E2BIG, "");
    char cut[512] = {0};
    memset(host, 'x', sizeof(host) - 1);
    host[sizeof(host) - 1] = '\0';
    memset(cut, 'x', sizeof(cut) - 1);
    expect_fault(f, host, SIGNAL_SERVER_FAULT_ADDRESS, -EINVAL, cut);
}

static void a_port_in_use_is_told_with_its_number_and_whether_it_is_for_tls(void **state)
{
    fixture *f = *state;
    start(f, "127.0.0.1");
    tls_files files;
    tls_files_init(&files);
    tls_files_write(&files, "localhost", 0, TLS_FILES_DAY_S);
    signal_server_options options = f->options;
    options.tls_cert_file = files.cert;
    options.tls_key_file = files.key;
    options.tls_port = signal_server_port(f->server);
    signal_server_fault fault = server_start_fault(&options);
    assert_int_equal(fault.kind, SIGNAL_SERVER_FAULT_ADDRESS);
    assert_int_equal(fault.error, -EADDRINUSE);
    assert_int_equal(fault.port, options.tls_port);
    assert_true(fault.is_tls);

    options.port = options.tls_port;
    fault = server_start_fault(&options);
    assert_int_equal(fault.port, options.port);
    assert_false(fault.is_tls);
    tls_files_deinit(&files);
}

static void a_path_must_be_possible(void **state)
{
    fixture *f = *state;
    expect_path_fault(f, "unix:/nowhere/at/all", -ENOENT, "/nowhere/at/all");
    expect_fault(f, "unix:", SIGNAL_SERVER_FAULT_ADDRESS, -EINVAL, "unix:");
    char host[200] = "unix:/";
    memset(host + 6, 'x', sizeof(host) - 7);
    expect_fault(f, host, SIGNAL_SERVER_FAULT_ADDRESS, -EINVAL, host);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(it_listens_on_every_address_of_the_list_at_one_port, make, destroy),
        cmocka_unit_test_setup_teardown(both_wildcards_listen_side_by_side, make, destroy),
        cmocka_unit_test_setup_teardown(the_wildcard_of_ipv6_alone_takes_ipv4_as_well, make, destroy),
        cmocka_unit_test_setup_teardown(what_the_list_has_twice_does_not_stand_in_its_own_way, make, destroy),
        cmocka_unit_test_setup_teardown(a_name_is_listened_on_at_all_its_addresses, make, destroy),
        cmocka_unit_test_setup_teardown(a_name_is_listened_on_with_tls_at_all_its_addresses, make, destroy),
        cmocka_unit_test_setup_teardown(an_address_of_a_name_that_is_not_here_is_passed_over_with_a_warning,
                                        make, destroy),
        cmocka_unit_test_setup_teardown(an_address_of_a_name_that_is_in_use_is_told, make, destroy),
        cmocka_unit_test_setup_teardown(the_admin_port_is_at_all_addresses_of_its_name, make, destroy),
        cmocka_unit_test_setup_teardown(a_unix_socket_alone_will_do_and_goes_with_the_server, make, destroy),
        cmocka_unit_test_setup_teardown(
            the_kernel_keeps_no_more_output_than_it_is_told_however_a_client_has_come, make, destroy),
        cmocka_unit_test_setup_teardown(a_socket_that_a_crash_has_left_behind_is_replaced, make, destroy),
        cmocka_unit_test_setup_teardown(a_socket_that_somebody_serves_is_left_alone, make, destroy),
        cmocka_unit_test_setup_teardown(what_is_no_socket_is_left_alone, make, destroy),
        cmocka_unit_test_setup_teardown(a_path_must_be_possible, make, destroy),
        cmocka_unit_test_setup_teardown(a_start_that_fails_removes_what_it_has_bound_and_nothing_else, make,
                                        destroy),
        cmocka_unit_test_setup_teardown(a_server_that_ends_leaves_its_successor_the_path, make, destroy),
        cmocka_unit_test_setup_teardown(nowhere_is_no_place_to_listen, make, destroy),
        cmocka_unit_test_setup_teardown(an_entry_that_is_nowhere_is_told, make, destroy),
        cmocka_unit_test_setup_teardown(a_port_in_use_is_told_with_its_number_and_whether_it_is_for_tls, make,
                                        destroy),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
