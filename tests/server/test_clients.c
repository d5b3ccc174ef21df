/* What the connections of one client may do together: connect, send, be logged. A client is an address of
 * 127.0.0.0/8 here, none of which is exempt unless a test says so. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "support/client.h"
#include "support/log_file.h"
#include "support/server.h"
#include "support/tls_files.h"

#include <stdlib.h>
#include <string.h>

/* Nothing comes back within a test. */
enum { BURST = 8, SLOWLY = 1 };

static client *open_from(signal_server *server, const char *source)
{
    client *c = client_dial_from(signal_server_port(server), source);
    client_upgrade(c);
    return c;
}

static void expect_refused(signal_server *server, const char *source)
{
    client *c = client_dial_from(signal_server_port(server), source);
    client_send_upgrade(c);
    client_expect_http_fault(c, 503);
    client_close(c);
}

static signal_server_options options_with_rate(void)
{
    signal_server_options options = server_options();
    options.connect_rate = SLOWLY;
    options.connect_burst = BURST;
    return options;
}

/* Has so much time passed that a token may have come back, as on a machine that does other work? */
static bool is_too_late(uint64_t since_ms)
{
    return client_now_ms() - since_ms >= 1000 / SLOWLY;
}

/* Come once more than may be, and be refused. False where that took too long to tell anything. */
static bool is_refused_after_a_burst(const signal_server_options *options)
{
    signal_server *server = server_start(options);
    uint64_t since_ms = client_now_ms();
    for (int i = 0; i < BURST; i++)
        client_close(open_from(server, "127.0.0.2"));
    client *c = client_dial_from(signal_server_port(server), "127.0.0.2");
    client_send_upgrade(c);
    bool tells = !is_too_late(since_ms);
    if (tells)
        client_expect_http_fault(c, 503);
    client_close(c);
    client_close(open_from(server, "127.0.0.3"));
    server_end(server);
    return tells;
}

static void new_connections_of_a_client_have_a_rate(void **state)
{
    (void)state;
    const signal_server_options options = options_with_rate();
    for (int tries = 0; tries < 20; tries++)
        if (is_refused_after_a_burst(&options))
            return;
    skip();
}

/* A TLS handshake costs far more than a connection: whoever has had its share gets none. */
static void with_tls_it_is_not_even_answered(void **state)
{
    (void)state;
    tls_files files;
    tls_files_init(&files);
    tls_files_write(&files, "localhost", -3600, 3600);
    signal_server_options options = options_with_rate();
    options.connect_rate = 0;
    options.max_connections_per_address = BURST;
    options.tls_port = 0;
    options.tls_cert_file = files.cert;
    options.tls_key_file = files.key;
    signal_server *server = server_start(&options);
    const uint16_t port = signal_server_tls_port(server);
    client *held[BURST];
    for (int i = 0; i < BURST; i++)
        held[i] = client_dial_from(port, "127.0.0.2");
    client *c = client_dial_from(port, "127.0.0.2");
    client_expect_end(c);
    client_close(c);
    c = client_dial_from(port, "127.0.0.3");
    assert_false(client_is_readable(c, 0));
    client_close(c);
    for (int i = 0; i < BURST; i++) {
        assert_false(client_is_readable(held[i], 0));
        client_close(held[i]);
    }
    server_end(server);
    tls_files_deinit(&files);
}

static void who_is_exempt_has_no_limits(void **state)
{
    (void)state;
    signal_server_options options = options_with_rate();
    options.max_connections_per_address = 1;
    options.exempt_addresses = "127.0.0.4, 127.0.1.0/24";
    signal_server *server = server_start(&options);
    static const char *const exempt[] = {"127.0.0.4", "127.0.1.9"};
    for (int i = 0; i < 2 * BURST; i++) {
        client *one = open_from(server, exempt[i % 2]);
        client *other = open_from(server, exempt[i % 2]);
        client_close(one);
        client_close(other);
    }
    client *c = open_from(server, "127.0.0.5");
    expect_refused(server, "127.0.0.5");
    client_close(c);
    server_end(server);
}

/* Who connects anew does not begin anew: a flood is one, by however many connections. */
static void messages_of_a_client_count_over_its_connections(void **state)
{
    (void)state;
    signal_server_options options = server_options();
    options.message_rate_per_address = SLOWLY;
    options.message_burst_per_address = 1000;
    signal_server *server = server_start(&options);
    for (int i = 0; i < 2; i++) {
        client *c = open_from(server, i == 0 ? "127.0.0.2" : "127.0.0.3");
        for (int j = 0; j < 90; j++)
            client_expect_nothing(c); /* a ping each */
        client_close(c);
    }
    /* All but a hundred, by one connection after another. */
    for (int i = 0; i < 9; i++) {
        client *c = open_from(server, "127.0.0.2");
        for (int j = 0; j < 90; j++)
            client_expect_nothing(c);
        client_close(c);
    }
    client *c = open_from(server, "127.0.0.2");
    for (int j = 0; j < 500; j++)
        client_send_ping(c, "");
    client_expect_close_after_all(c, 1008);
    client_close(c);
    c = open_from(server, "127.0.0.3");
    client_expect_nothing(c);
    client_close(c);
    server_end(server);
}

/* ---- The log ---- */

/* One client floods the log, and another one's lines are all there. */
static void lines_about_a_client_have_a_rate(void **state)
{
    (void)state;
    char path[LOG_FILE_PATH];
    log_file_start(path, SIGNAL_LOG_INFO);
    signal_server_options options = server_options();
    options.log_rate_per_address = 10;
    signal_server *server = server_start(&options);
    client *flooder = open_from(server, "127.0.0.2");
    client *other = open_from(server, "127.0.0.3");
    enum { LINES = 3000, OTHERS = 20 };
    const uint64_t since_ms = client_now_ms();
    for (int i = 0; i < LINES; i++) {
        client_send_text(flooder, "no message");
        client_expect_error(flooder, "Invalid message");
        if (i % (LINES / OTHERS) == 0) {
            client_send_text(other, "no message");
            client_expect_error(other, "Invalid message");
        }
    }
    const uint64_t took_ms = client_now_ms() - since_ms;
    client_close(other);
    client_close(flooder);
    server_end(server);
    signal_log_stop();
    unsigned lines = log_file_count(path, "invalid message");
    assert_in_range(lines, OTHERS + 90, OTHERS + 101 + took_ms / 1000 * 10 + 10);
    unlink(path);
}

/* Each of them would be two lines. */
static void of_those_who_are_refused_little_is_logged(void **state)
{
    (void)state;
    char path[LOG_FILE_PATH];
    log_file_start(path, SIGNAL_LOG_INFO);
    signal_server_options options = server_options();
    options.log_rate_per_address = 1;
    options.max_connections_per_address = 1;
    signal_server *server = server_start(&options);
    client *first = open_from(server, "127.0.0.2");
    enum { REFUSED = 200 };
    const uint64_t since_ms = client_now_ms();
    for (int i = 0; i < REFUSED; i++)
        expect_refused(server, "127.0.0.2");
    const uint64_t took_s = (client_now_ms() - since_ms) / 1000;
    client_close(first);
    server_end(server);
    signal_log_stop();
    assert_in_range(log_file_count(path, "ended"), 1, 20 + took_s);
    assert_in_range(log_file_count(path, "connections are refused"), 1, 1 + took_s / 60);
    unlink(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(new_connections_of_a_client_have_a_rate),
        cmocka_unit_test(with_tls_it_is_not_even_answered),
        cmocka_unit_test(who_is_exempt_has_no_limits),
        cmocka_unit_test(messages_of_a_client_count_over_its_connections),
        cmocka_unit_test(lines_about_a_client_have_a_rate),
        cmocka_unit_test(of_those_who_are_refused_little_is_logged),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
