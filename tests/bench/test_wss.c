/* The server's own TLS, loaded by homecall-bench: the same calls through wss://, certificates that change
 * under live ones, and peers that do not get as far as that. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "bench/process.h"
#include "server/server_parts.h"
#include "support/client.h"
#include "support/server.h"
#include "support/tls_files.h"
#include "support/tls_peer.h"

#include <cjson/cJSON.h>

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { MAX_SERVER_THREADS = 16, SWAPS = 100 };

typedef struct fixture {
    signal_server_options options;
    signal_server *server;
    tls_files files;
    process bench;
} fixture;

static int make(void **state)
{
    fixture *f = calloc(1, sizeof(*f));
    *state = f;
    tls_files_init(&f->files);
    tls_files_write(&f->files, "localhost", 0, TLS_FILES_DAY_S);
    f->options = server_options();
    f->options.tls_port = 0;
    f->options.tls_cert_file = f->files.cert;
    f->options.tls_key_file = f->files.key;
    return 0;
}

static int destroy(void **state)
{
    fixture *f = *state;
    process_kill(&f->bench);
    server_end(f->server);
    tls_files_deinit(&f->files);
    free(f);
    return 0;
}

static void start(fixture *f)
{
    f->server = server_start(&f->options);
}

static snapshot_thread threads[MAX_SERVER_THREADS];

/* What the server has counted. */
static thread_counters counted(const fixture *f)
{
    snapshot s = {.threads = threads};
    assert_true(server_thread_count(f->server) <= MAX_SERVER_THREADS);
    server_take_snapshot(f->server, &s, NULL);
    return s.total;
}

static void start_bench(fixture *f, const char *arguments)
{
    process_start(&f->bench,
                  "exec \"$HOMECALL_BENCH_BINARY\" %s --quiet --json - --insecure wss://127.0.0.1:%u/signal",
                  arguments, signal_server_tls_port(f->server));
}

/* The run must end well. Its result, owned by the caller. */
static cJSON *finish_bench(fixture *f)
{
    int code = process_finish(&f->bench);
    if (code != 0)
        fail_msg("exit code %d: %s", code, f->bench.err.text);
    cJSON *json = cJSON_Parse(f->bench.out.text);
    assert_non_null(json);
    return json;
}

static double total(const cJSON *json, const char *name)
{
    return cJSON_GetNumberValue(cJSON_GetObjectItem(cJSON_GetObjectItem(json, "totals"), name));
}

/* ---- Calls ---- */

static void each_scenario_goes_through_tls_as_without(void **state)
{
    fixture *f = *state;
    static const char *const scenarios[] = {
        "relay --pairs 3 --window 2 --count 300",
        "relay --pairs 2 --size 100000 --count 40",
        "call --pairs 3 --candidates 3 --count 30 --reconnect --threads 2",
        "call --pairs 3 --candidates 3 --count 30 --singly --fresh-rooms",
        "rejoin --connections 4 --count 100",
        "connect --connections 5 --count 100 --joined",
    };
    for (size_t i = 0; i < sizeof(scenarios) / sizeof(scenarios[0]); i++) {
        start(f);
        start_bench(f, scenarios[i]);
        cJSON *json = finish_bench(f);
        SERVER_AWAIT(f->server, connections, 0);
        const thread_counters c = counted(f);
        assert_true((double)counter_get(&c.net.tls_handshakes) == total(json, "connects"));
        assert_true((double)counter_get(&c.session.accepted) == total(json, "connects"));
        assert_true((double)counter_get(&c.session.joins[SESSION_JOIN_JOINED]) == total(json, "joins"));
        assert_int_equal(counter_get(&c.net.tls_failures), 0);
        cJSON_Delete(json);
        server_end(f->server);
        f->server = NULL;
    }
}

static void plain_and_tls_meet_in_one_room(void **state)
{
    fixture *f = *state;
    start(f);
    assert_int_not_equal(signal_server_port(f->server), signal_server_tls_port(f->server));
    client *plain = client_open_settled(signal_server_port(f->server), "room", "anna");
    start_bench(f, "idle --connections 10 --joined --seconds 0.2");
    SERVER_AWAIT(f->server, joined, 11);
    const thread_counters c = counted(f);
    assert_int_equal(counter_get(&c.net.connections[NET_TRANSPORT_PLAIN][NET_PHASE_OPEN]), 1);
    cJSON_Delete(finish_bench(f));
    client_close(plain);
}

static void tls_alone_will_do(void **state)
{
    fixture *f = *state;
    f->options.port = -1;
    start(f);
    assert_int_equal(signal_server_port(f->server), 0);
    start_bench(f, "relay --pairs 1 --count 10");
    cJSON_Delete(finish_bench(f));
}

/* Sockets of a service manager stand for the plain port alone. */
static void tls_has_its_port_beside_sockets_that_were_inherited(void **state)
{
    fixture *f = *state;
    struct sockaddr_in target = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t len = sizeof(target);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(fd, (const struct sockaddr *)&target, len), 0);
    assert_int_equal(listen(fd, 16), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&target, &len), 0);
    f->options.listen_fds = &fd;
    f->options.listen_fd_count = 1;
    start(f);
    close(fd);
    assert_int_equal(signal_server_port(f->server), ntohs(target.sin_port));
    client_close(client_open(signal_server_port(f->server)));
    start_bench(f, "relay --pairs 1 --count 10");
    cJSON_Delete(finish_bench(f));
}

/* ---- Certificates ---- */

static void a_hundred_new_certificates_drop_no_call(void **state)
{
    fixture *f = *state;
    start(f);
    start_bench(f, "relay --pairs 100 --rate 500 --seconds 12 --warmup 0");
    SERVER_AWAIT(f->server, joined, 200);
    for (int i = 0; i < SWAPS; i++) {
        tls_files_write(&f->files, i % 2 == 0 ? "one" : "other", 0, TLS_FILES_DAY_S);
        assert_int_equal(signal_server_reload_certificate(f->server), 0);
    }
    assert_int_equal(server_stats(f->server).joined, 200);
    cJSON *json = finish_bench(f);
    assert_true(total(json, "signals") > 1000);
    cJSON_Delete(json);
}

static void a_broken_pair_is_not_taken(void **state)
{
    fixture *f = *state;
    start(f);
    tls_files_write_text(f->files.key, "no key");
    assert_int_equal(signal_server_reload_certificate(f->server), -EINVAL);
    start_bench(f, "relay --pairs 1 --count 10");
    cJSON_Delete(finish_bench(f));
}

static void without_a_certificate_there_is_no_start(void **state)
{
    fixture *f = *state;
    f->options.tls_cert_file = "/nowhere/cert.pem";
    signal_server_fault fault = server_start_fault(&f->options);
    assert_int_equal(fault.kind, SIGNAL_SERVER_FAULT_CERTIFICATE);
    assert_int_equal(fault.error, -EINVAL);
    assert_non_null(strstr(fault.entry, "/nowhere/cert.pem"));
}

/* ---- Peers that are no clients ---- */

static int dial(uint16_t port)
{
    const struct sockaddr_in target = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr = {htonl(INADDR_LOOPBACK)}};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(fd >= 0);
    assert_int_equal(connect(fd, (const struct sockaddr *)&target, sizeof(target)), 0);
    return fd;
}

/* Shake hands with this version alone; returns whether that succeeds. */
static bool speaks(const fixture *f, int version)
{
    SSL_CTX *context = SSL_CTX_new(TLS_client_method());
    assert_non_null(context);
    SSL_CTX_set_security_level(context, 0);
    SSL_CTX_set_min_proto_version(context, version);
    SSL_CTX_set_max_proto_version(context, version);
    int fd = dial(signal_server_tls_port(f->server));
    SSL *ssl = SSL_new(context);
    SSL_set_fd(ssl, fd);
    bool is_done = SSL_connect(ssl) == 1;
    if (is_done)
        assert_int_equal(SSL_version(ssl), version);
    SSL_free(ssl);
    SSL_CTX_free(context);
    close(fd);
    return is_done;
}

static void old_versions_are_refused(void **state)
{
    fixture *f = *state;
    start(f);
    assert_true(speaks(f, TLS1_3_VERSION));
    assert_true(speaks(f, TLS1_2_VERSION));
    assert_false(speaks(f, TLS1_1_VERSION));
    assert_false(speaks(f, TLS1_VERSION));
    SERVER_AWAIT(f->server, connections, 0);
    const thread_counters c = counted(f);
    assert_int_equal(counter_get(&c.net.tls_handshakes), 2);
    assert_int_equal(counter_get(&c.net.tls_failures), 2);
}

static void a_slow_handshake_delays_nobody(void **state)
{
    fixture *f = *state;
    start(f);
    int slow[20];
    for (size_t i = 0; i < 20; i++) {
        slow[i] = dial(signal_server_tls_port(f->server));
        assert_int_equal(send(slow[i], "\x16\x03\x01", 3, MSG_NOSIGNAL), 3); /* the begin of a record */
    }
    start_bench(f, "connect --connections 5 --count 200");
    cJSON_Delete(finish_bench(f));
    for (size_t i = 0; i < 20; i++)
        close(slow[i]);
    SERVER_AWAIT(f->server, connections, 0);
}

static void plain_text_on_the_tls_port_ends_the_connection(void **state)
{
    fixture *f = *state;
    start(f);
    client *c = client_dial(signal_server_tls_port(f->server));
    client_send_bytes(c, "GET /signal HTTP/1.1\r\nHost: x\r\n\r\n", 34);
    SERVER_AWAIT(f->server, accepted, 1);
    SERVER_AWAIT(f->server, connections, 0);
    const thread_counters counters = counted(f);
    assert_int_equal(counter_get(&counters.net.tls_failures), 1);
    client_close(c);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, make, destroy)
    const struct CMUnitTest tests[] = {
        TEST(each_scenario_goes_through_tls_as_without),
        TEST(plain_and_tls_meet_in_one_room),
        TEST(tls_alone_will_do),
        TEST(tls_has_its_port_beside_sockets_that_were_inherited),
        TEST(a_hundred_new_certificates_drop_no_call),
        TEST(a_broken_pair_is_not_taken),
        TEST(without_a_certificate_there_is_no_start),
        TEST(old_versions_are_refused),
        TEST(a_slow_handshake_delays_nobody),
        TEST(plain_text_on_the_tls_port_ends_the_connection),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
