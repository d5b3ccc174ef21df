/* What can be said about a server before it runs; all the rest is in tests/server. */
#include "homecall/signal_server.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "server/server_options.h"

#include <string.h>

static signal_server_fault fault; /* of the last try_create() */

static int try_create(const signal_server_options *options)
{
    signal_server *server = NULL;
    int error = signal_server_create(options, &server, &fault);
    signal_server_destroy(server);
    assert_int_equal(fault.error, error);
    return error;
}

static void the_defaults_make_a_server_that_has_no_port_yet(void **state)
{
    (void)state;
    signal_server_options options;
    signal_server_options_init(&options, sizeof(options));
    signal_server *server;
    assert_int_equal(signal_server_create(&options, &server, NULL), 0);
    assert_int_equal(signal_server_port(server), 0);
    signal_server_stats stats;
    signal_server_get_stats(server, &stats);
    assert_int_equal(stats.connections, 0);
    assert_true(stats.workers >= 1);
    signal_server_destroy(server);
    signal_server_destroy(NULL);
}

/* The fault names the option, and says more than that. */
static void expect_told(const char *name)
{
    assert_int_equal(fault.kind, SIGNAL_SERVER_FAULT_OPTION);
    assert_memory_equal(fault.entry, name, strlen(name));
    assert_int_equal(fault.entry[strlen(name)], ' ');
    assert_true(strstr(fault.entry, ": ") != NULL || strstr(fault.entry, " has ") != NULL);
}

#define ASSERT_REFUSED(field, value)                             \
    do {                                                         \
        signal_server_options options_;                          \
        signal_server_options_init(&options_, sizeof(options_)); \
        options_.field = (value);                                \
        assert_int_equal(try_create(&options_), -EINVAL);        \
        expect_told(#field);                                     \
    } while (0)

static void options_that_the_code_can_not_work_with_are_refused(void **state)
{
    (void)state;
    ASSERT_REFUSED(host, NULL);
    ASSERT_REFUSED(allowed_origins, NULL);
    ASSERT_REFUSED(require_origin, true);
    ASSERT_REFUSED(admin_allowed_hosts, NULL);
    ASSERT_REFUSED(admin_allowed_hosts, "*.example");
    ASSERT_REFUSED(workers, 257);
    ASSERT_REFUSED(acceptor_threads, 65);
    ASSERT_REFUSED(room_capacity, 0);
    ASSERT_REFUSED(max_name_bytes, 0);
    ASSERT_REFUSED(max_name_bytes, 4097);
    ASSERT_REFUSED(max_message_bytes, 0);
    ASSERT_REFUSED(max_output_bytes, 1);
    ASSERT_REFUSED(max_request_head_bytes, 0);
    ASSERT_REFUSED(message_burst, 0);
    ASSERT_REFUSED(message_burst, 1000001);
    ASSERT_REFUSED(fault_burst, 1000001);
    ASSERT_REFUSED(guess_burst, 0);
    ASSERT_REFUSED(guess_burst, 60001);
    ASSERT_REFUSED(ping_interval_ms, 0);
    ASSERT_REFUSED(pong_timeout_ms, 0);
    ASSERT_REFUSED(handshake_timeout_ms, 0);
    ASSERT_REFUSED(close_timeout_ms, 0);
}

static void what_is_allowed_is_told(void **state)
{
    (void)state;
    ASSERT_REFUSED(room_capacity, 70000);
    assert_string_equal(fault.entry, "room_capacity is 70000: 1 to 65535 is allowed");
    ASSERT_REFUSED(max_output_bytes, 5);
    assert_string_equal(fault.entry, "max_output_bytes is 5: max_message_bytes, 131072, or more is allowed");
    ASSERT_REFUSED(port, -2);
    assert_string_equal(fault.entry, "port is -2: -1 to 65535 is allowed");
    ASSERT_REFUSED(turn_secret, NULL);
    assert_string_equal(fault.entry, "turn_secret is NULL: a string is expected, which may be empty");
    ASSERT_REFUSED(listen_tls_fd_count, 1);
    ASSERT_REFUSED(message_timeout_ms, UINT32_MAX);
}

/* A program that was compiled when the struct ended before ping_interval_ms. */
static void an_older_program_gets_the_defaults_for_the_rest(void **state)
{
    (void)state;
    enum { OLD = offsetof(signal_server_options, ping_interval_ms) };
    signal_server_options options;
    memset(&options, 0xA5, sizeof(options)); /* what it does not own must not be read, nor written */
    signal_server_options_init(&options, OLD);
    assert_int_equal(options.size, OLD);
    assert_int_equal(options.ping_interval_ms, 0xA5A5A5A5);
    assert_int_equal(options.fault_burst, 20);
    assert_int_equal(try_create(&options), 0);
    options.fault_burst = UINT32_MAX;
    assert_int_equal(try_create(&options), -EINVAL);
    expect_told("fault_burst");
}

/* A program that was compiled with options that this library does not have. */
static void a_newer_program_is_refused_where_it_sets_what_is_not_known(void **state)
{
    (void)state;
    struct {
        signal_server_options known;
        uint64_t unknown;
    } newer;
    memset(&newer, 0xA5, sizeof(newer));
    signal_server_options_init(&newer.known, sizeof(newer));
    assert_int_equal(newer.unknown, 0);
    assert_int_equal(try_create(&newer.known), 0);
    newer.unknown = 1;
    assert_int_equal(try_create(&newer.known), -EINVAL);
    expect_told("size");
}

static void a_struct_that_nobody_has_initialised_is_refused(void **state)
{
    (void)state;
    signal_server_options options = {0};
    assert_int_equal(try_create(&options), -EINVAL);
    assert_string_equal(fault.entry, "size is 0: signal_server_options_init() sets it");
    memset(&options, 0xA5, sizeof(options));
    assert_int_equal(try_create(&options), -EINVAL);
    expect_told("size");
}

static void acceptors_are_one_or_with_tls_a_quarter_of_the_processors(void **state)
{
    (void)state;
    signal_server_options options;
    signal_server_options_init(&options, sizeof(options));
    assert_int_equal(options.acceptor_threads, 0);
    assert_int_equal(server_options_acceptors(&options, 256), 1);
    options.tls_port = 0;
    static const uint32_t cases[][2] = {{1, 1}, {3, 1}, {4, 1}, {7, 1}, {8, 2}, {64, 16}, {256, 64}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        assert_int_equal(server_options_acceptors(&options, cases[i][0]), cases[i][1]);
    options.acceptor_threads = 3; /* what somebody asks for counts */
    assert_int_equal(server_options_acceptors(&options, 64), 3);
    options.tls_port = -1;
    assert_int_equal(server_options_acceptors(&options, 64), 3);
    assert_in_range(server_options_processors(), 1, SERVER_MAX_WORKERS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_defaults_make_a_server_that_has_no_port_yet),
        cmocka_unit_test(acceptors_are_one_or_with_tls_a_quarter_of_the_processors),
        cmocka_unit_test(what_is_allowed_is_told),
        cmocka_unit_test(an_older_program_gets_the_defaults_for_the_rest),
        cmocka_unit_test(a_newer_program_is_refused_where_it_sets_what_is_not_known),
        cmocka_unit_test(a_struct_that_nobody_has_initialised_is_refused),
        cmocka_unit_test(options_that_the_code_can_not_work_with_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
