/* What can be said about a server before it runs; all the rest is in tests/server. */
#include "homecall/signal_server.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static int try_create(const signal_server_options *options)
{
    signal_server *server = NULL;
    int error = signal_server_create(options, &server);
    signal_server_destroy(server);
    return error;
}

static void the_defaults_make_a_server_that_has_no_port_yet(void **state)
{
    (void)state;
    signal_server_options options;
    signal_server_options_init(&options);
    signal_server *server;
    assert_int_equal(signal_server_create(&options, &server), 0);
    assert_int_equal(signal_server_port(server), 0);
    signal_server_stats stats;
    signal_server_get_stats(server, &stats);
    assert_int_equal(stats.connections, 0);
    assert_true(stats.workers >= 1);
    signal_server_destroy(server);
    signal_server_destroy(NULL);
}

#define ASSERT_REFUSED(field, value)                      \
    do {                                                  \
        signal_server_options options_;                   \
        signal_server_options_init(&options_);            \
        options_.field = (value);                         \
        assert_int_equal(try_create(&options_), -EINVAL); \
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
    ASSERT_REFUSED(acceptor_threads, 0);
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_defaults_make_a_server_that_has_no_port_yet),
        cmocka_unit_test(options_that_the_code_can_not_work_with_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
