/* The admin port of a whole server: what has happened is what /metrics shows, health follows the server's
 * state, and nobody's name gets out. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "admin/admin_client.h"
#include "admin/admin_options.h"
#include "homecall/signal_log.h"
#include "support/client.h"
#include "support/descriptors.h"
#include "support/free_port.h"
#include "support/server.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { ANSWER_MS = 20 * 1000, RETRY_MS = 10 };

typedef struct fixture {
    signal_server_options options;
    signal_server *server;
    char *metrics; /* owned: the text read last */
} fixture;

static void start(fixture *f)
{
    f->server = server_start(&f->options);
}

static uint16_t port_of(const fixture *f)
{
    return signal_server_port(f->server);
}

static int make(void **state)
{
    fixture *f = calloc(1, sizeof(*f));
    *state = f;
    f->options = server_options();
    f->options.admin_port = free_port();
    return 0;
}

static int destroy(void **state)
{
    fixture *f = *state;
    server_end(f->server);
    free(f->metrics);
    free(f);
    return 0;
}

/* GET a path; the body is owned by the caller. */
static char *get(const fixture *f, const char *path, int expected_status)
{
    admin_answer answer;
    int error = admin_client_get("127.0.0.1", f->options.admin_port, path, ANSWER_MS, &answer);
    if (error != 0)
        fail_msg("GET %s: %s", path, strerror(-error));
    if (answer.status != expected_status)
        fail_msg("GET %s: %d, and should be %d: %s", path, answer.status, expected_status, answer.body);
    return answer.body;
}

/* The value of a sample, named as it stands in the text. */
static double value_in(const char *text, const char *sample)
{
    size_t len = strlen(sample);
    for (const char *line = text; line != NULL; line = strchr(line, '\n')) {
        line += *line == '\n';
        if (strncmp(line, "homecall_signal_", 16) == 0 && strncmp(line + 16, sample, len) == 0 &&
            line[16 + len] == ' ')
            return strtod(line + 16 + len, NULL);
    }
    fail_msg("there is no %s", sample);
    return 0;
}

/* What an answered ping has come after is counted: the counters are written before the turn ends, in which
 * the pong goes out. A connection's end is seen by nobody but the server, so wait for that. */
static void await_value(fixture *f, const char *sample, double expected)
{
    double found = -1;
    for (int waited_ms = 0; waited_ms < CLIENT_WAIT_MS; waited_ms += RETRY_MS) {
        free(f->metrics);
        f->metrics = get(f, "/metrics", 200);
        found = value_in(f->metrics, sample);
        if (found == expected)
            return;
        poll(NULL, 0, RETRY_MS);
    }
    fail_msg("%s is %f, and should be %f", sample, found, expected);
}

/* ---- What is counted ---- */

static void call(uint16_t port)
{
    client *anna = client_open_settled(port, "room", "anna");
    client *bert = client_open_settled(port, "room", "bert");
    client_send_offer(anna, "\"v=0\"");
    client_expect_signal(bert, "offer", "room", "anna", "\"v=0\"");
    client_send_answer(bert, "\"v=0\"");
    client_expect_signal(anna, "answer", "room", "bert", "\"v=0\"");
    for (unsigned i = 0; i < 3; i++) {
        client_send_number(anna, i);
        client_expect_number(bert, "room", "anna", i);
    }
    client_leave(anna);
    client_expect_nothing(anna);
    client_send_close(bert, 1000);
    client_expect_close(bert, 1000);
    client_close(bert);
    client_close(anna);
}

static void a_call_is_counted(void **state)
{
    fixture *f = *state;
    start(f);
    call(port_of(f));
    await_value(f, "connections{state=\"open\",transport=\"plain\"}", 0);
    await_value(f, "connections{state=\"closing\",transport=\"plain\"}", 0);
    await_value(f, "accepted_connections_total", 2);
    await_value(f, "handshakes_total{code=\"101\"}", 2);
    await_value(f, "joins_total{result=\"joined\"}", 2);
    await_value(f, "leaves_total{reason=\"left\"}", 1);
    await_value(f, "leaves_total{reason=\"lost\"}", 1);
    await_value(f, "signals_total{type=\"offer\",outcome=\"relayed\"}", 1);
    await_value(f, "signals_total{type=\"answer\",outcome=\"relayed\"}", 1);
    await_value(f, "signals_total{type=\"candidate\",outcome=\"relayed\"}", 3);
    await_value(f, "relay_latency_seconds_count", 5);
    await_value(f, "call_setup_seconds_count", 1);
    await_value(f, "closes_total{reason=\"by_peer\",code=\"1000\"}", 1);
    await_value(f, "closes_total{reason=\"lost\",code=\"1006\"}", 1);
    await_value(f, "handovers_total", 2);
    await_value(f, "rooms", 0);
    await_value(f, "members", 0);
}

/* What a load balancer does to see whether a port is open. */
static void a_connection_without_a_request_is_no_lost_one(void **state)
{
    fixture *f = *state;
    start(f);
    static const char *const says[] = {"", "GET /sig"};
    for (size_t i = 0; i < 2; i++) {
        client *balancer = client_dial(port_of(f));
        client_send_bytes(balancer, says[i], strlen(says[i]));
        client_close(balancer);
    }
    await_value(f, "closes_total{reason=\"no_request\",code=\"1006\"}", 2);
    await_value(f, "closes_total{reason=\"lost\",code=\"1006\"}", 0);
}

static void a_queue_is_counted(void **state)
{
    fixture *f = *state;
    f->options.pending_max_messages = 2;
    start(f);
    client *anna = client_open_joined(port_of(f), "room", "anna");
    client_send_offer(anna, "\"v=0\"");
    client_send_number(anna, 1);
    client_send_number(anna, 2);
    client_expect_error(anna, "Pending queue is full");
    await_value(f, "queue_messages", 2);
    await_value(f, "signals_total{type=\"offer\",outcome=\"queued\"}", 1);
    await_value(f, "signals_total{type=\"candidate\",outcome=\"refused\"}", 1);
    await_value(f, "signal_setbacks_total{cause=\"queue_full\"}", 1);
    await_value(f, "limits_hit_total{limit=\"pending_queue\"}", 1);

    client *bert = client_open_joined(port_of(f), "room", "bert");
    client_expect_signal(bert, "offer", "room", "anna", "\"v=0\"");
    client_expect_number(bert, "room", "anna", 1);
    await_value(f, "queue_messages", 0);
    await_value(f, "queue_bytes", 0);
    await_value(f, "signals_total{type=\"offer\",outcome=\"delivered\"}", 1);
    await_value(f, "queue_wait_seconds_count", 2);
    await_value(f, "call_setup_seconds_count", 0);
    client_close(bert);
    client_close(anna);
}

static void a_takeover_and_a_full_room_are_counted(void **state)
{
    fixture *f = *state;
    start(f);
    client *anna = client_open_settled(port_of(f), "room", "anna");
    client *again = client_open_settled(port_of(f), "room", "anna");
    client_expect_close(anna, 4001);
    await_value(f, "takeovers_total", 1);
    await_value(f, "closes_total{reason=\"taken_over\",code=\"4001\"}", 1);

    client *bert = client_open_settled(port_of(f), "room", "bert");
    client *cleo = client_open_joined(port_of(f), "room", "cleo");
    await_value(f, "waiters", 1);
    client_expect_nothing(again); /* both answer the pings that ask whether they are alive */
    client_expect_nothing(bert);
    client_expect_error(cleo, "Room is full");
    await_value(f, "joins_total{result=\"full\"}", 1);
    await_value(f, "limits_hit_total{limit=\"room_capacity\"}", 1);
    await_value(f, "members", 2);
    await_value(f, "waiters", 0);
    await_value(f, "ping_rtt_seconds_count", 2);
    client_close(anna);
    client_close(again);
    client_close(bert);
    client_close(cleo);
}

static void faults_are_counted(void **state)
{
    fixture *f = *state;
    start(f);
    client *c = client_open(port_of(f));
    client_send_text(c, "{}");
    client_expect_error(c, "Invalid message");
    client_send_offer(c, "\"v=0\"");
    client_expect_error(c, "Join the room first");
    client_send_text(c, "{\"type\":\"error\",\"message\":\"no camera\"}");
    client_expect_nothing(c);
    client_send_frame(c,
                      &(client_frame){.opcode = CLIENT_TEXT, .payload = "x", .len = 1, .is_unmasked = true});
    client_expect_close(c, 1002);
    client_close(c);
    c = client_dial(port_of(f));
    client_send_bytes(c, "GET /nowhere HTTP/1.1\r\nHost: x\r\n\r\n", 35);
    client_expect_http_fault(c, 404);
    client_close(c);

    await_value(f, "invalid_messages_total", 1);
    await_value(f, "signal_setbacks_total{cause=\"not_in_room\"}", 1);
    await_value(f, "client_errors_total", 1);
    await_value(f, "closes_total{reason=\"protocol_fault\",code=\"1002\"}", 1);
    await_value(f, "handshakes_total{code=\"404\"}", 1);
    await_value(f, "closes_total{reason=\"handshake_fault\",code=\"1006\"}", 1);
}

static void nobody_is_named_and_nothing_grows(void **state)
{
    fixture *f = *state;
    start(f);
    call(port_of(f));
    await_value(f, "members", 0);
    size_t lines_before = 0;
    for (const char *at = f->metrics; (at = strchr(at, '\n')) != NULL; at++)
        lines_before++;

    for (unsigned i = 0; i < server_scale(200); i++) {
        char name[32];
        snprintf(name, sizeof(name), "secret %u", i);
        client *c = client_open_settled(port_of(f), name, name);
        if (i % 50 == 0) {
            char *stats = get(f, "/stats", 200);
            assert_null(strstr(stats, "secret"));
            free(stats);
        }
        client_close(c);
    }
    await_value(f, "members", 0);
    assert_null(strstr(f->metrics, "secret"));
    size_t lines = 0;
    for (const char *at = f->metrics; (at = strchr(at, '\n')) != NULL; at++)
        lines++;
    assert_int_equal(lines, lines_before);
}

/* ---- Health ---- */

static void expect_ready(const fixture *f, int status, const char *reason)
{
    char *body = get(f, "/readyz", status);
    if (strstr(body, reason) == NULL)
        fail_msg("/readyz says \"%s\", and should say \"%s\"", body, reason);
    free(body);
    free(get(f, "/livez", 200));
}

static void a_full_server_is_not_ready(void **state)
{
    fixture *f = *state;
    f->options.max_connections = 1;
    start(f);
    expect_ready(f, 200, "ok");
    client *c = client_open(port_of(f));
    expect_ready(f, 503, "MAX_CONNECTIONS");
    client *refused = client_dial(port_of(f));
    client_expect_http_fault(refused, 503);
    await_value(f, "limits_hit_total{limit=\"max_connections\"}", 1);
    await_value(f, "handshakes_total{code=\"503\"}", 1);
    client_close(refused);
    client_close(c);
    await_value(f, "connections{state=\"open\",transport=\"plain\"}", 0);
    await_value(f, "connections{state=\"closing\",transport=\"plain\"}", 0);
    expect_ready(f, 200, "ok");
}

/* The admin port answers until the last connection is gone. */
static void a_draining_server_is_not_ready(void **state)
{
    fixture *f = *state;
    f->options.close_timeout_ms = 60 * 1000;
    f->options.shutdown_grace_ms = 60 * 1000;
    start(f);
    client *c = client_open(port_of(f));
    signal_server_request_stop(f->server, false);
    expect_ready(f, 503, "draining");
    await_value(f, "draining", 1);
    await_value(f, "connections{state=\"closing\",transport=\"plain\"}", 1);
    client_expect_close(c, 1001);
    client_close(c);
}

static void a_stop_before_the_start_leaves_it_ready(void **state)
{
    fixture *f = *state;
    assert_int_equal(signal_server_create(&f->options, &f->server, NULL), 0);
    signal_server_request_stop(f->server, false);
    signal_server_request_stop(f->server, true);
    signal_server_stop(f->server);
    assert_int_equal(signal_server_start(f->server, NULL), 0);
    expect_ready(f, 200, "ok");
    await_value(f, "draining", 0);
}

/* A start that fails late tells the threads that run already to end. */
static void a_start_after_one_that_failed_is_ready(void **state)
{
    fixture *f = *state;
    pthread_attr_t usual;
    pthread_attr_t huge;
    assert_int_equal(pthread_getattr_default_np(&usual), 0);
    assert_int_equal(pthread_attr_init(&huge), 0);
    const size_t all = SIZE_MAX & ~(size_t)0xFFFFF; /* nearly all addresses that there are */
    assert_int_equal(pthread_attr_setstacksize(&huge, all), 0);
    assert_int_equal(signal_server_create(&f->options, &f->server, NULL), 0);
    assert_int_equal(pthread_setattr_default_np(&huge), 0);
    assert_int_equal(signal_server_start(f->server, NULL), -EAGAIN);
    assert_int_equal(pthread_setattr_default_np(&usual), 0);
    assert_int_equal(signal_server_start(f->server, NULL), 0);
    expect_ready(f, 200, "ok");
    pthread_attr_destroy(&huge);
    pthread_attr_destroy(&usual);
}

/* ---- The port ---- */

static void a_port_that_is_taken_is_told_from_the_other(void **state)
{
    fixture *f = *state;
    start(f);
    signal_server_fault fault = server_start_fault(&f->options);
    assert_int_equal(fault.error, -EADDRINUSE);
    assert_int_equal(fault.kind, SIGNAL_SERVER_FAULT_ADMIN);
    assert_int_equal(fault.port, f->options.admin_port);
    assert_string_equal(fault.entry, f->options.admin_host);

    signal_server_options same = f->options;
    same.port = port_of(f);
    same.admin_port = 0;
    fault = server_start_fault(&same);
    assert_int_equal(fault.error, -EADDRINUSE);
    assert_int_equal(fault.kind, SIGNAL_SERVER_FAULT_ADDRESS);
    assert_int_equal(fault.port, same.port);
    free(get(f, "/livez", 200)); /* the first goes on */
}

static void there_is_none_unless_it_is_asked_for(void **state)
{
    fixture *f = *state;
    uint16_t port = f->options.admin_port;
    f->options.admin_port = 0;
    start(f);
    admin_answer answer;
    assert_int_equal(admin_client_get("127.0.0.1", port, "/livez", ANSWER_MS, &answer), -ECONNREFUSED);
}

/* ---- By which names it is asked ---- */

/* GET / by this Host. The status must be this; `c` is to be closed. */
static client *ask_by(const fixture *f, const char *host, int status)
{
    char request[256];
    int len =
        snprintf(request, sizeof(request), "GET / HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n\r\n", host);
    client *c = client_dial(f->options.admin_port);
    client_send_bytes(c, request, (size_t)len);
    client_expect_http_fault(c, status); /* how a 200 with Connection: close looks, too */
    return c;
}

/* A page whose name was turned to 127.0.0.1 asks by that name. */
static void a_name_that_nobody_has_allowed_is_not_answered(void **state)
{
    fixture *f = *state;
    f->options.admin_allowed_hosts = "signal, watch.example";
    start(f);
    static const char *const good[] = {"signal:9888", "watch.example", "localhost", "127.0.0.1:9888",
                                       "[::1]"};
    static const char *const bad[] = {"evil.example", "evil.example:9888", "127.0.0.1.evil.example",
                                      "192.0.2.1"};
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
        client_close(ask_by(f, good[i], 200));
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        client_close(ask_by(f, bad[i], 421));
    free(get(f, "/livez", 200)); /* without a Host */
}

static size_t count_in(const char *text, const char *word)
{
    size_t count = 0;
    for (const char *at = text; (at = strstr(at, word)) != NULL; at++)
        count++;
    return count;
}

static void names_that_are_refused_are_logged_and_do_not_fill_the_log(void **state)
{
    fixture *f = *state;
    char file[] = "/tmp/test_admin.XXXXXX";
    int fd = mkstemp(file);
    assert_true(fd >= 0);
    const signal_log_options log = {
        .size = sizeof(signal_log_options), .file = file, .level = SIGNAL_LOG_WARN, .is_private = true};
    assert_int_equal(signal_log_start(&log), 0);
    start(f);
    for (int i = 0; i < 50; i++)
        client_close(ask_by(f, "evil.example\x1b[2J", 421));
    server_end(f->server);
    f->server = NULL;
    signal_log_stop();

    static char text[16 * 1024];
    ssize_t len = read(fd, text, sizeof(text) - 1);
    assert_true(len > 0);
    text[len] = '\0';
    assert_non_null(strstr(text, "ADMIN_ALLOWED_HOSTS"));
    assert_non_null(strstr(text, "host=\"evil.example"));
    assert_null(strchr(text, '\x1b'));
    assert_in_range(count_in(text, "ADMIN_ALLOWED_HOSTS"), 1, 3); /* one in ten seconds */
    close(fd);
    unlink(file);
}

static void a_list_of_hosts_that_no_request_can_name_is_refused(void **state)
{
    fixture *f = *state;
    f->options.admin_allowed_hosts = "signal, signal:9888";
    assert_int_equal(signal_server_create(&f->options, &f->server, NULL), -EINVAL);
}

/* ---- Those who would take it from others ---- */

static void idle_connections_keep_nobody_from_an_answer(void **state)
{
    enum { MANY = 80 };
    fixture *f = *state;
    start(f);
    client *idle[MANY];
    for (int i = 0; i < MANY; i++) {
        idle[i] = client_dial(f->options.admin_port);
        client_send_bytes(idle[i], "GET /livez HT", i % 14);
    }
    uint64_t before_ms = client_now_ms();
    free(get(f, "/livez", 200));
    free(get(f, "/metrics", 200));
    assert_in_range(client_now_ms() - before_ms, 0, ADMIN_REQUEST_TIMEOUT_MS / 2);
    for (int i = 0; i < MANY; i++)
        client_close(idle[i]);
}

static void await_not_ready(const fixture *f, const char *reason)
{
    admin_answer answer = {.status = 200};
    for (int waited_ms = 0; answer.status == 200 && waited_ms < CLIENT_WAIT_MS; waited_ms += RETRY_MS) {
        poll(NULL, 0, RETRY_MS);
        free(answer.body);
        assert_int_equal(admin_client_get("127.0.0.1", f->options.admin_port, "/readyz", ANSWER_MS, &answer),
                         0);
    }
    assert_int_equal(answer.status, 503);
    assert_non_null(strstr(answer.body, reason));
    free(answer.body);
}

/* The sockets of clients are there before, since they belong to the same process. */
static void clients_leave_descriptors_for_it(void **state)
{
    enum { MANY = 150, MOST = 120, OTHERS = 28, WINDOW_MS = 350 };
    fixture *f = *state;
    client *clients[MANY];
    for (int i = 0; i < MANY; i++)
        clients[i] = client_new();
    f->options.acceptor_threads = 2;
    descriptors_limit(MOST);
    start(f);
    for (int i = 0; i < MANY; i++)
        client_connect(clients[i], port_of(f));
    await_not_ready(f, "accepting pauses: descriptors");
    assert_in_range(server_stats(f->server).connections, 20, MOST - 32);

    uint64_t accepted = server_stats(f->server).accepted;
    assert_true(accepted < MANY);
    assert_false(client_is_readable(clients[MANY - 1], WINDOW_MS)); /* meanwhile it is tried again */
    assert_in_range(server_stats(f->server).accepted, accepted, accepted + 1); /* the other acceptor's last */

    int fds[OTHERS]; /* what else the process may want to open meanwhile */
    for (int i = 0; i < OTHERS; i++)
        assert_true((fds[i] = fcntl(client_fd(clients[0]), F_DUPFD_CLOEXEC, 0)) >= 0);
    free(get(f, "/livez", 200));
    for (int i = 0; i < OTHERS; i++)
        close(fds[i]);

    /* who waits comes in as others leave */
    for (int i = 0; i < MANY / 2; i++) {
        client_close(clients[i]);
        clients[i] = NULL;
    }
    SERVER_AWAIT(f->server, accepted, MANY);
    descriptors_unlimit();
    for (int i = 0; i < MANY; i++)
        client_close(clients[i]);
    SERVER_AWAIT(f->server, connections, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_call_is_counted, make, destroy),
        cmocka_unit_test_setup_teardown(a_connection_without_a_request_is_no_lost_one, make, destroy),
        cmocka_unit_test_setup_teardown(a_queue_is_counted, make, destroy),
        cmocka_unit_test_setup_teardown(a_takeover_and_a_full_room_are_counted, make, destroy),
        cmocka_unit_test_setup_teardown(faults_are_counted, make, destroy),
        cmocka_unit_test_setup_teardown(nobody_is_named_and_nothing_grows, make, destroy),
        cmocka_unit_test_setup_teardown(a_full_server_is_not_ready, make, destroy),
        cmocka_unit_test_setup_teardown(a_draining_server_is_not_ready, make, destroy),
        cmocka_unit_test_setup_teardown(a_stop_before_the_start_leaves_it_ready, make, destroy),
        cmocka_unit_test_setup_teardown(a_start_after_one_that_failed_is_ready, make, destroy),
        cmocka_unit_test_setup_teardown(a_port_that_is_taken_is_told_from_the_other, make, destroy),
        cmocka_unit_test_setup_teardown(there_is_none_unless_it_is_asked_for, make, destroy),
        cmocka_unit_test_setup_teardown(a_name_that_nobody_has_allowed_is_not_answered, make, destroy),
        cmocka_unit_test_setup_teardown(names_that_are_refused_are_logged_and_do_not_fill_the_log, make,
                                        destroy),
        cmocka_unit_test_setup_teardown(idle_connections_keep_nobody_from_an_answer, make, destroy),
        cmocka_unit_test_setup_teardown(clients_leave_descriptors_for_it, make, destroy),
        cmocka_unit_test_setup_teardown(a_list_of_hosts_that_no_request_can_name_is_refused, make, destroy),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
