/* What the program says when it can't start. */
#include "app/start_report.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <string.h>

static void expect_report(const signal_server_fault *fault, const char *expected)
{
    char report[START_REPORT_CAP];
    start_report_write(fault, report, sizeof(report));
    assert_string_equal(report, expected);
}

static void an_address_is_named_with_its_options_and_its_port(void **state)
{
    (void)state;
    expect_report(
        &(signal_server_fault){
            .kind = SIGNAL_SERVER_FAULT_ADDRESS, .error = -EADDRINUSE, .port = 8888, .entry = "127.0.0.1"},
        "WS_HOST, WS_PORT: 127.0.0.1:8888 is already in use; stop the program that uses it (ss -ltnp shows "
        "which), or "
        "choose another port");
    expect_report(&(signal_server_fault){.kind = SIGNAL_SERVER_FAULT_ADDRESS,
                                         .error = -EACCES,
                                         .port = 443,
                                         .is_tls = true,
                                         .entry = "::1"},
                  "WS_HOST, WSS_PORT: [::1]:443 is not permitted; a port below 1024 needs root or "
                  "CAP_NET_BIND_SERVICE");
    expect_report(
        &(signal_server_fault){.kind = SIGNAL_SERVER_FAULT_ADMIN,
                               .error = -EADDRNOTAVAIL,
                               .port = 9888,
                               .entry = "call.example"},
        "ADMIN_HOST, ADMIN_PORT: call.example:9888 is not available here; it must be an address of this "
        "machine (ip address lists them), or a name for one");
}

static void a_path_is_named_as_it_stands_in_its_option(void **state)
{
    (void)state;
    expect_report(
        &(signal_server_fault){
            .kind = SIGNAL_SERVER_FAULT_PATH, .error = -ENOENT, .entry = "unix:/nowhere/x"},
        "WS_HOST: unix:/nowhere/x is in a directory that does not exist; make it, or choose another path");
}

static void what_may_be_over_soon_is_told_with_how_long_it_is_waited_for(void **state)
{
    (void)state;
    char report[START_REPORT_CAP];
    start_report_write_patient(&(signal_server_fault){.kind = SIGNAL_SERVER_FAULT_PATH,
                                                      .error = -EADDRINUSE,
                                                      .entry = "unix:/run/x"},
                               5250, report, sizeof(report));
    assert_string_equal(
        report, "WS_HOST: unix:/run/x is already in use; trying again for 5.2 s (BIND_RETRY), in case "
                "it is ending");
}

static void a_thread_and_a_socket_are_named(void **state)
{
    (void)state;
    expect_report(
        &(signal_server_fault){.kind = SIGNAL_SERVER_FAULT_THREADS, .error = -EAGAIN, .entry = "worker-3"},
        "WORKERS, ACCEPTOR_THREADS: thread worker-3 could not be started; raise the limits on threads "
        "(ulimit -u, TasksMax= of the unit) or memory, or ask for fewer");
    expect_report(&(signal_server_fault){.kind = SIGNAL_SERVER_FAULT_SOCKET, .error = -EINVAL, .entry = "3"},
                  "socket 3 of the service manager can't be used; it must be a stream socket that listens");
}

static void a_limit_is_named_with_what_it_should_be(void **state)
{
    (void)state;
    expect_report(&(signal_server_fault){.kind = SIGNAL_SERVER_FAULT_DESCRIPTORS,
                                         .error = -EMFILE,
                                         .limit = "RLIMIT_NOFILE",
                                         .limit_value = 1024,
                                         .needed = 1321},
                  "WORKERS, ACCEPTOR_THREADS: RLIMIT_NOFILE is 1024 and must be at least 1321 for so many "
                  "threads; raise "
                  "it (LimitNOFILE= of the unit, ulimit -n), or ask for fewer threads");
    expect_report(
        &(signal_server_fault){.kind = SIGNAL_SERVER_FAULT_DESCRIPTORS,
                               .error = -EMFILE,
                               .limit = "RLIMIT_NOFILE",
                               .limit_value = 1024},
        "WORKERS, ACCEPTOR_THREADS: RLIMIT_NOFILE, which is 1024, allows no more descriptors; raise it "
        "(LimitNOFILE= of the unit, ulimit -n), or ask for fewer threads");
    expect_report(&(signal_server_fault){.kind = SIGNAL_SERVER_FAULT_DESCRIPTORS,
                                         .error = -ENFILE,
                                         .limit = "fs.file-max"},
                  "WORKERS, ACCEPTOR_THREADS: fs.file-max allows no more descriptors; raise it "
                  "(sysctl), or stop programs that have many open");
}

static void an_error_without_words_of_its_own_has_those_of_the_system(void **state)
{
    (void)state;
    expect_report(
        &(signal_server_fault){.kind = SIGNAL_SERVER_FAULT_SOCKET, .error = -ENOTSOCK, .entry = "3"},
        "socket 3 of the service manager can't be used: Socket operation on non-socket");
    expect_report(&(signal_server_fault){.kind = SIGNAL_SERVER_FAULT_CERTIFICATE,
                                         .error = -EINVAL,
                                         .entry = "/c.pem: no start line"},
                  "TLS_CERT_FILE, TLS_KEY_FILE: /c.pem: no start line");
    expect_report(&(signal_server_fault){.kind = SIGNAL_SERVER_FAULT_ORIGIN,
                                         .error = -EINVAL,
                                         .entry = "https://a/: without even a slash"},
                  "ALLOWED_ORIGINS: https://a/: without even a slash");
}

static void every_fault_has_a_report_and_the_longest_entry_fits(void **state)
{
    (void)state;
    static const int errors[] = {-EADDRINUSE, -EADDRNOTAVAIL, -EACCES, -EINVAL,
                                 -ENOMEM,     -EMFILE,        -EAGAIN, -EIO};
    for (int kind = SIGNAL_SERVER_FAULT_NONE; kind <= SIGNAL_SERVER_FAULT_MEMORY; kind++) {
        for (size_t i = 0; i < sizeof(errors) / sizeof(errors[0]); i++) {
            signal_server_fault fault = {
                .kind = (signal_server_fault_kind)kind, .error = errors[i], .port = 65535};
            memset(fault.entry, 'x', sizeof(fault.entry) - 1);
            char report[START_REPORT_CAP];
            start_report_write(&fault, report, sizeof(report));
            assert_in_range(strlen(report), 20, sizeof(report) - 2);
        }
    }
    char cut[8];
    start_report_write(&(signal_server_fault){.kind = SIGNAL_SERVER_FAULT_MEMORY, .error = -ENOMEM}, cut,
                       sizeof(cut));
    assert_int_equal(strlen(cut), sizeof(cut) - 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_address_is_named_with_its_options_and_its_port),
        cmocka_unit_test(a_path_is_named_as_it_stands_in_its_option),
        cmocka_unit_test(what_may_be_over_soon_is_told_with_how_long_it_is_waited_for),
        cmocka_unit_test(a_thread_and_a_socket_are_named),
        cmocka_unit_test(a_limit_is_named_with_what_it_should_be),
        cmocka_unit_test(an_error_without_words_of_its_own_has_those_of_the_system),
        cmocka_unit_test(every_fault_has_a_report_and_the_longest_entry_fits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
