#include "support/server.h"

#include <setjmp.h>
#include <stdarg.h>
/* cmocka.h wants the others before it. */
#include <cmocka.h>

#include "support/client.h"
#include "support/twins.h"

#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

signal_server_options server_options(void)
{
    signal_server_options options;
    signal_server_options_init(&options, sizeof(options));
    options.host = "127.0.0.1";
    options.port = 0;
    options.workers = 2;
    options.max_connections = 0;
    options.max_connections_per_address = 0;
    options.connect_rate = 0;
    options.message_rate_per_address = 0;
    options.byte_rate_per_address = 0;
    options.log_rate_per_address = 0;
    options.guess_rate = 0;
    options.exempt_addresses = ""; /* clients of tests are those of a network */
    options.message_rate = 0;
    options.fault_burst = 0;
    options.overload_lag_ms = 0; /* the machine of a test may be slow */
    return options;
}

static signal_server *start(const signal_server_options *options)
{
    signal_server *server = NULL;
    int error = signal_server_create(options, &server, NULL);
    if (error != 0)
        fail_msg("create a server: %s", strerror(-error));
    signal_server_fault fault;
    error = signal_server_start(server, &fault);
    if (error != 0)
        fail_msg("start a server: %s (%d, %s)", strerror(-error), (int)fault.kind, fault.entry);
    assert_int_equal(fault.kind, SIGNAL_SERVER_FAULT_NONE);
    return server;
}

signal_server *server_start(const signal_server_options *options)
{
    if (!twins_are_wanted(options))
        return start(options);
    signal_server_options of_two = *options;
    twins_join(&of_two);
    of_two.cluster_node = "first";
    signal_server *first = start(&of_two);
    of_two.cluster_node = "second";
    of_two.on_stopped = NULL;
    twins_add(first, start(&of_two));
    return first;
}

signal_server_fault server_start_fault(const signal_server_options *options)
{
    signal_server *server = NULL;
    assert_int_equal(signal_server_create(options, &server, NULL), 0);
    signal_server_fault fault;
    int error = signal_server_start(server, &fault);
    assert_int_not_equal(error, 0);
    assert_int_equal(fault.error, error);
    assert_int_not_equal(fault.kind, SIGNAL_SERVER_FAULT_NONE);
    assert_int_equal(signal_server_port(server), 0);
    assert_int_equal(signal_server_tls_port(server), 0);
    signal_server_destroy(server);
    return fault;
}

void server_end(signal_server *server)
{
    signal_server *second = twins_take(server);
    signal_server_destroy(server);
    signal_server_destroy(second);
}

int server_teardown(void **state)
{
    server_end(*state);
    return 0;
}

signal_server_stats server_stats(const signal_server *server)
{
    signal_server_stats stats;
    signal_server_get_stats(server, &stats);
    const signal_server *second = twins_find(server);
    if (second == NULL)
        return stats;
    uint64_t sums[sizeof(stats) / sizeof(uint64_t)];
    uint64_t more[sizeof(stats) / sizeof(uint64_t)];
    const signal_server_stats of_second = server_stats(second);
    memcpy(sums, &stats, sizeof(sums));
    memcpy(more, &of_second, sizeof(more));
    for (size_t i = 0; i < sizeof(sums) / sizeof(sums[0]); i++)
        sums[i] += more[i];
    memcpy(&stats, sums, sizeof(stats));
    return stats;
}

static uint64_t read_counter(const signal_server *server, size_t offset)
{
    signal_server_stats stats = server_stats(server);
    uint64_t value;
    memcpy(&value, (const char *)&stats + offset, sizeof(value));
    return value;
}

void server_await_counter(const signal_server *server, size_t offset, const char *name, uint64_t value)
{
    uint64_t deadline_ms = client_now_ms() + CLIENT_WAIT_MS;
    uint64_t found;
    while ((found = read_counter(server, offset)) != value) {
        if (client_now_ms() >= deadline_ms)
            fail_msg("%s stays %llu and does not become %llu", name, (unsigned long long)found,
                     (unsigned long long)value);
        poll(NULL, 0, 1); /* counters can only be polled, and the server needs a processor meanwhile */
    }
}

size_t server_raise_descriptor_limit(void)
{
    struct rlimit limit;
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
    limit.rlim_cur = limit.rlim_max;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
    return (size_t)limit.rlim_cur;
}

unsigned server_scale(unsigned count)
{
    const char *percent = getenv("HOMECALL_TEST_SCALE");
    unsigned long factor = percent == NULL ? 100 : strtoul(percent, NULL, 10);
    unsigned long scaled = count * factor / 100;
    return scaled == 0 ? 1 : (unsigned)scaled;
}
