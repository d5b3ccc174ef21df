/* homecall-bench over wss://, with nginx as the end of TLS before the server. Left out where nginx or the
 * openssl command is not installed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "bench/process.h"
#include "support/server.h"

#include <cjson/cJSON.h>

#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define LENGTH_OF(array) (sizeof(array) / sizeof((array)[0]))

/* nginx lies where an ordinary user does not look. */
#define FIND_PROGRAMS "PATH=\"$PATH:/usr/sbin:/sbin\"; "

/* Two certificates that sign themselves, each on a port of its own: the first for our address, the second for
 * another one (RFC 5737). */
enum { OURS, ANOTHER, PORTS };

static const char *const cert_names[PORTS] = {"ours", "another"};
static const char *const cert_addresses[PORTS] = {"127.0.0.1", "192.0.2.1"};

typedef struct fixture {
    char directory[64];
    signal_server *server;
    process nginx;
    uint16_t ports[PORTS];
    process bench; /* and whatever else is run for a moment */
} fixture;

static const char *path_of(const fixture *f, const char *name)
{
    static char path[128];
    snprintf(path, sizeof(path), "%s/%s", f->directory, name);
    return path;
}

/* ---- nginx ---- */

static void make_certificates(fixture *f)
{
    for (int i = 0; i < PORTS; i++) {
        process_start(&f->bench,
                      "exec openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 "
                      "-subj /CN=test -addext subjectAltName=IP:%s -keyout %s/%s.key -out %s/%s.pem",
                      cert_addresses[i], f->directory, cert_names[i], f->directory, cert_names[i]);
        assert_int_equal(process_finish(&f->bench), 0);
    }
}

/* nginx takes over sockets that listen already, as it does from its predecessor when it is upgraded: so it
 * can have free ports, and nobody needs to wait for it. */
static int listen_somewhere(uint16_t *port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof(address);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0); /* to be inherited */
    assert_true(fd >= 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, len), 0);
    assert_int_equal(listen(fd, 64), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &len), 0);
    *port = ntohs(address.sin_port);
    return fd;
}

static void write_configuration(const fixture *f)
{
    FILE *out = fopen(path_of(f, "nginx.conf"), "w");
    assert_non_null(out);
    fprintf(out, "daemon off;\nworker_processes 1;\npid %s/pid;\nerror_log stderr warn;\n", f->directory);
    fprintf(out, "events { worker_connections 128; }\nhttp {\naccess_log off;\n");
    static const char *const temporary[] = {"client_body", "proxy", "fastcgi", "uwsgi", "scgi"};
    for (size_t i = 0; i < LENGTH_OF(temporary); i++)
        fprintf(out, "%s_temp_path %s/temporary;\n", temporary[i], f->directory);
    for (int i = 0; i < PORTS; i++)
        fprintf(out,
                "server {\nlisten 127.0.0.1:%u ssl;\n"
                "ssl_certificate %s/%s.pem;\nssl_certificate_key %s/%s.key;\n"
                "location / {\nproxy_pass http://127.0.0.1:%u;\nproxy_http_version 1.1;\n"
                "proxy_set_header Upgrade $http_upgrade;\nproxy_set_header Connection upgrade;\n}\n}\n",
                f->ports[i], f->directory, cert_names[i], f->directory, cert_names[i],
                signal_server_port(f->server));
    fprintf(out, "}\n");
    assert_int_equal(fclose(out), 0);
}

static int make(void **state)
{
    fixture *f = calloc(1, sizeof(*f));
    *state = f;
    strcpy(f->directory, "/tmp/test_tls.XXXXXX");
    assert_non_null(mkdtemp(f->directory));
    process_start(&f->bench, FIND_PROGRAMS "command -v nginx && command -v openssl");
    if (process_finish(&f->bench) != 0)
        return 0; /* each test leaves itself out */

    make_certificates(f);
    const signal_server_options options = server_options();
    f->server = server_start(&options);
    int sockets[PORTS];
    for (int i = 0; i < PORTS; i++)
        sockets[i] = listen_somewhere(&f->ports[i]);
    write_configuration(f);
    process_start(&f->nginx, FIND_PROGRAMS "NGINX='%d;%d;' exec nginx -e stderr -p %s -c %s", sockets[OURS],
                  sockets[ANOTHER], f->directory, path_of(f, "nginx.conf"));
    for (int i = 0; i < PORTS; i++)
        close(sockets[i]);
    return 0;
}

static int destroy(void **state)
{
    fixture *f = *state;
    if (f->nginx.pid != 0) {
        kill(f->nginx.pid, SIGTERM);
        assert_int_equal(process_finish(&f->nginx), 0);
    }
    server_end(f->server);
    static const char *const names[] = {"nginx.conf", "pid",         "ours.key",
                                        "ours.pem",   "another.key", "another.pem"};
    for (size_t i = 0; i < LENGTH_OF(names); i++)
        unlink(path_of(f, names[i]));
    rmdir(path_of(f, "temporary"));
    int error = rmdir(f->directory);
    free(f);
    return error;
}

static int end_bench(void **state)
{
    fixture *f = *state;
    process_kill(&f->bench);
    return 0;
}

/* ---- Runs ---- */

static void start_bench(fixture *f, int port, const char *arguments)
{
    if (f->nginx.pid == 0)
        skip();
    process_start(&f->bench,
                  "cd %s && exec \"$HOMECALL_BENCH_BINARY\" %s --quiet --json - wss://127.0.0.1:%u/signal",
                  f->directory, arguments, f->ports[port]);
}

/* Every operation is done, and every signal and connection went through the server. */
static void expect_run(fixture *f, int port, const char *arguments, unsigned signals, unsigned accepted)
{
    signal_server_stats before = {0};
    if (f->server != NULL)
        before = server_stats(f->server);
    start_bench(f, port, arguments);
    int code = process_finish(&f->bench);
    if (code != 0 || f->bench.err.len > 0)
        fail_msg("%s: exit code %d: %s", arguments, code, f->bench.err.text);
    cJSON *json = cJSON_Parse(f->bench.out.text);
    const cJSON *counts = cJSON_GetObjectItem(json, "counts");
    assert_true(cJSON_GetNumberValue(cJSON_GetObjectItem(counts, "signals")) == signals);
    cJSON_Delete(json);

    const signal_server_stats after = server_stats(f->server);
    assert_int_equal(after.signals_relayed + after.signals_delivered - before.signals_relayed -
                         before.signals_delivered,
                     signals);
    assert_int_equal(after.accepted - before.accepted, accepted);
}

static void expect_fault(fixture *f, int port, const char *arguments, const char *why)
{
    start_bench(f, port, arguments);
    assert_int_equal(process_finish(&f->bench), 1);
    const char *line = f->bench.err.text;
    if (strncmp(line, "homecall-bench: ", 16) != 0 || strstr(line, why) == NULL ||
        strchr(line, '\n') != line + f->bench.err.len - 1)
        fail_msg("%s: \"%s\" is not one line that says \"%s\"", arguments, line, why);
}

static void a_certificate_of_a_trusted_authority_is_taken(void **state)
{
    fixture *f = *state;
    expect_run(f, OURS, "relay --ca-file ours.pem --pairs 2 --window 2 --count 100", 100, 4);
    expect_run(f, OURS, "call --ca-file ours.pem --pairs 2 --candidates 3 --count 10 --reconnect --threads 2",
               80, 20);
    expect_run(f, OURS, "connect --ca-file ours.pem --connections 4 --joined --count 20", 0, 20);
}

/* Longer than a record of TLS, and than a read. */
static void large_signals_pass(void **state)
{
    fixture *f = *state;
    expect_run(f, OURS, "relay --ca-file ours.pem --pairs 2 --window 4 --size 100000 --count 40", 40, 4);
}

static void any_certificate_is_taken_where_that_is_asked_for(void **state)
{
    fixture *f = *state;
    expect_run(f, OURS, "relay --insecure --pairs 1 --count 10", 10, 2);
    expect_run(f, ANOTHER, "relay --insecure --pairs 1 --count 10", 10, 2);
}

static void a_certificate_that_nobody_has_signed_is_refused(void **state)
{
    fixture *f = *state;
    expect_fault(f, OURS, "relay --pairs 1 --count 10", "self-signed certificate (close code 0)");
    expect_fault(f, OURS, "relay --pairs 1 --count 10 --ca-file another.pem",
                 "self-signed certificate (close code 0)");
}

static void a_certificate_for_another_host_is_refused(void **state)
{
    fixture *f = *state;
    expect_fault(f, ANOTHER, "relay --pairs 1 --count 10 --ca-file another.pem",
                 "IP address mismatch (close code 0)");
}

static void a_file_without_authorities_is_told(void **state)
{
    fixture *f = *state;
    expect_fault(f, OURS, "relay --ca-file missing.pem", "missing.pem: no authorities to trust were found");
    expect_fault(f, OURS, "relay --ca-file nginx.conf", "nginx.conf: no authorities to trust were found");
}

static void the_wrong_kind_of_url_is_told(void **state)
{
    fixture *f = *state;
    if (f->nginx.pid == 0)
        skip();
    process_start(&f->bench, "exec \"$HOMECALL_BENCH_BINARY\" idle --quiet ws://127.0.0.1:%u/signal",
                  f->ports[OURS]);
    assert_int_equal(process_finish(&f->bench), 1);
    assert_non_null(strstr(f->bench.err.text, "with HTTP status 400 (see the URL: ws:// or wss://)"));
    process_start(&f->bench,
                  "exec \"$HOMECALL_BENCH_BINARY\" idle --quiet --insecure wss://127.0.0.1:%u/signal",
                  signal_server_port(f->server));
    assert_int_equal(process_finish(&f->bench), 1);
    assert_non_null(strstr(f->bench.err.text, "wrong version number"));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_teardown(name, end_bench)
    const struct CMUnitTest tests[] = {
        TEST(a_certificate_of_a_trusted_authority_is_taken),
        TEST(large_signals_pass),
        TEST(any_certificate_is_taken_where_that_is_asked_for),
        TEST(a_certificate_that_nobody_has_signed_is_refused),
        TEST(a_certificate_for_another_host_is_refused),
        TEST(a_file_without_authorities_is_told),
        TEST(the_wrong_kind_of_url_is_told),
    };
    return cmocka_run_group_tests(tests, make, destroy);
}
