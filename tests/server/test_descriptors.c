/* A server whose process may open few descriptors. libevent would end the process where they run out while a
 * base is made: then this test ends without a word. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "support/client.h"
#include "support/descriptors.h"
#include "support/free_port.h"
#include "support/server.h"

#include "admin/admin.h"
#include "server/io_thread.h"

#include <errno.h>

/* How many descriptors a server with these options keeps open. */
static size_t count_of(const signal_server_options *options)
{
    size_t before = descriptors_open();
    signal_server *server = server_start(options);
    size_t opened = descriptors_open() - before;
    server_end(server);
    assert_int_equal(descriptors_open(), before);
    return opened;
}

static void each_thread_keeps_as_many_as_it_says(void **state)
{
    (void)state;
    signal_server_options options = server_options();
    for (uint32_t threads = 1; threads <= 4; threads++) {
        options.workers = threads;
        options.acceptor_threads = 1;
        assert_int_equal(count_of(&options), IO_THREAD_DESCRIPTORS * (threads + 1) + 1);
        options.workers = 1;
        options.acceptor_threads = threads;
        assert_int_equal(count_of(&options), IO_THREAD_DESCRIPTORS * (threads + 1) + threads);
    }
    options.acceptor_threads = 1;
    options.admin_port = free_port();
    /* the second file of /proc is opened where the kernel is older than 6.2 only */
    size_t most = IO_THREAD_DESCRIPTORS * 2 + 1 + ADMIN_DESCRIPTORS + 1;
    assert_in_range(count_of(&options), most - 1, most);
}

/* With every limit up to the one that will do the start fails and says which that is. */
static void expect_limit_told(const signal_server_options *options)
{
    size_t before = descriptors_open();
    signal_server *server;
    assert_int_equal(signal_server_create(options, &server, NULL), 0);
    int error = -EMFILE;
    for (size_t more = 0; error != 0; more++) {
        signal_server_fault fault;
        size_t limit = descriptors_limit(more);
        error = signal_server_start(server, &fault);
        descriptors_unlimit();
        if (error == 0)
            break;
        assert_int_equal(error, -EMFILE);
        assert_int_equal(fault.error, -EMFILE);
        assert_int_equal(fault.kind, SIGNAL_SERVER_FAULT_DESCRIPTORS);
        assert_string_equal(fault.limit, "RLIMIT_NOFILE");
        assert_int_equal(fault.limit_value, limit);
        assert_true(fault.needed == 0 || fault.needed > limit);
        assert_int_equal(descriptors_open(), before);
    }
    client_close(client_open(signal_server_port(server)));
    signal_server_destroy(server);
    assert_int_equal(descriptors_open(), before);
}

static void a_limit_that_is_too_low_is_told_and_ends_nothing(void **state)
{
    (void)state;
    signal_server_options options = server_options();
    expect_limit_told(&options);
    options.workers = 3;
    options.acceptor_threads = 2;
    options.host = "127.0.0.1,127.0.0.2";
    options.admin_port = free_port();
    expect_limit_told(&options);
}

static void the_limit_that_is_told_will_do(void **state)
{
    (void)state;
    signal_server_options options = server_options();
    options.workers = 64;
    options.acceptor_threads = 3;
    options.admin_port = free_port();
    signal_server *server;
    signal_server_fault fault;
    assert_int_equal(signal_server_create(&options, &server, NULL), 0);
    size_t limit = descriptors_limit(60);
    assert_int_equal(signal_server_start(server, &fault), -EMFILE);
    descriptors_unlimit();
    size_t needed = fault.needed;
    assert_true(needed > limit);

    descriptors_limit(60 + needed - limit - 1);
    assert_int_equal(signal_server_start(server, &fault), -EMFILE);
    descriptors_unlimit();
    assert_int_equal(fault.needed, needed);

    descriptors_limit(60 + needed - limit);
    int error = signal_server_start(server, &fault);
    descriptors_unlimit();
    assert_int_equal(error, 0);
    signal_server_destroy(server);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_thread_keeps_as_many_as_it_says),
        cmocka_unit_test(a_limit_that_is_too_low_is_told_and_ends_nothing),
        cmocka_unit_test(the_limit_that_is_told_will_do),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
