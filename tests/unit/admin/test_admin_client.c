/* The client against a server that does what the test says. */
#include "admin/admin_client.h"

#include "base/clock.h"
#include "support/fake_resolver.h"
#include "support/listen_host.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

enum { WAIT_MS = 20 * 1000 };

/* A server for one connection. */
typedef struct script {
    const char *answer; /* what it sends */
    size_t len;
    size_t times;    /* how often */
    bool stays_open; /* it does not close before the end of the test */
    int listen_fd;   /* owned */
    int end_fd;      /* owned eventfd: the test ends */
    uint16_t port;
    pthread_t thread;
    char request[256]; /* what came */
} script;

static void *serve(void *arg)
{
    script *s = arg;
    struct pollfd incoming[] = {{.fd = s->listen_fd, .events = POLLIN}, {.fd = s->end_fd, .events = POLLIN}};
    if (poll(incoming, 2, WAIT_MS) < 1 || incoming[0].revents == 0)
        return NULL;
    int fd = accept4(s->listen_fd, NULL, NULL, SOCK_CLOEXEC);
    size_t len = 0;
    while (strstr(s->request, "\r\n\r\n") == NULL) {
        ssize_t got = recv(fd, s->request + len, sizeof(s->request) - 1 - len, 0);
        if (got <= 0)
            break;
        len += (size_t)got;
    }
    for (size_t i = 0; i < s->times; i++)
        if (send(fd, s->answer, s->len, MSG_NOSIGNAL) != (ssize_t)s->len)
            break;
    if (s->stays_open)
        poll(&incoming[1], 1, WAIT_MS);
    close(fd);
    return NULL;
}

static void start(script *s, const char *host)
{
    s->port = 0;
    s->listen_fd = listen_on_host(host, &s->port);
    s->end_fd = eventfd(0, EFD_CLOEXEC);
    assert_true(s->listen_fd >= 0 && s->end_fd >= 0);
    assert_int_equal(listen(s->listen_fd, 1), 0);
    assert_int_equal(pthread_create(&s->thread, NULL, serve, s), 0);
}

static void end(script *s)
{
    assert_int_equal(eventfd_write(s->end_fd, 1), 0);
    pthread_join(s->thread, NULL);
    close(s->listen_fd);
    close(s->end_fd);
}

#define ANSWER(text) .answer = (text), .len = sizeof(text) - 1, .times = 1

/* What the client makes of the script's answer. */
static int get(script *s, admin_answer *answer)
{
    start(s, "127.0.0.1");
    int error = admin_client_get("127.0.0.1", s->port, "/stats", WAIT_MS, answer);
    end(s);
    return error;
}

static void a_whole_answer_is_handed_on(void **state)
{
    (void)state;
    script s = {ANSWER("HTTP/1.0 200 OK\r\nContent-Length: 5\r\nX: y\r\n\r\nhello")};
    admin_answer answer;
    assert_int_equal(get(&s, &answer), 0);
    assert_int_equal(answer.status, 200);
    assert_int_equal(answer.len, 5);
    assert_string_equal(answer.body, "hello");
    free(answer.body);
    assert_string_equal(s.request, "GET /stats HTTP/1.0\r\n\r\n");
}

static void an_answer_without_a_length_ends_with_the_connection(void **state)
{
    (void)state;
    script s = {ANSWER("HTTP/1.1 503 Not Now\r\n\r\nContent-Length: 7")};
    admin_answer answer;
    assert_int_equal(get(&s, &answer), 0);
    assert_int_equal(answer.status, 503);
    assert_string_equal(answer.body, "Content-Length: 7");
    free(answer.body);
}

static void an_empty_body_is_an_answer(void **state)
{
    (void)state;
    script s = {ANSWER("HTTP/1.0 204 No Content\r\ncontent-length:0\r\n\r\n")};
    admin_answer answer;
    assert_int_equal(get(&s, &answer), 0);
    assert_int_equal(answer.status, 204);
    assert_int_equal(answer.len, 0);
    assert_string_equal(answer.body, "");
    free(answer.body);
}

static void an_answer_cut_anywhere_is_no_answer(void **state)
{
    (void)state;
    static const char whole[] = "HTTP/1.0 200 OK\r\nContent-Length: 5\r\n\r\nhello";
    admin_answer answer;
    for (size_t len = 0; len < sizeof(whole) - 1; len++) {
        script s = {.answer = whole, .len = len, .times = 1};
        int error = get(&s, &answer);
        assert_true(error == -ECONNRESET || (error == -EPROTO && len < strlen("HTTP/1.0 200")));
    }
}

static void what_is_no_http_is_refused(void **state)
{
    (void)state;
    admin_answer answer;
    script ssh = {ANSWER("SSH-2.0-OpenSSH_9.2p1\r\n\r\n")};
    assert_int_equal(get(&ssh, &answer), -EPROTO);
    script nul = {ANSWER("\0\0\0\0")};
    assert_int_equal(get(&nul, &answer), -EPROTO);
    script binary = {ANSWER("HTTP/2.0 200 OK\r\n\r\n")};
    assert_int_equal(get(&binary, &answer), -EPROTO);
    script negative = {ANSWER("HTTP/1.1 -50 OK\r\n\r\n")};
    assert_int_equal(get(&negative, &answer), -EPROTO);
    script small = {ANSWER("HTTP/1.1 20 OK\r\n\r\n")};
    assert_int_equal(get(&small, &answer), -EPROTO);
}

static void an_answer_without_end_is_given_up(void **state)
{
    (void)state;
    static char filler[64 * 1024];
    memset(filler, 'x', sizeof(filler));
    script s = {.answer = filler, .len = sizeof(filler), .times = SIZE_MAX};
    admin_answer answer;
    assert_int_equal(get(&s, &answer), -EMSGSIZE);
}

static void a_server_that_says_nothing_costs_the_timeout(void **state)
{
    (void)state;
    script s = {ANSWER("HTTP/1.0 200 OK\r\n\r\nhal"), .stays_open = true};
    start(&s, "127.0.0.1");
    admin_answer answer;
    uint64_t before_ms = clock_monotonic_ms();
    assert_int_equal(admin_client_get("127.0.0.1", s.port, "/", 100, &answer), -ETIMEDOUT);
    uint64_t took_ms = clock_monotonic_ms() - before_ms;
    end(&s);
    assert_in_range(took_ms, 99, WAIT_MS / 2);
}

static void nobody_there_refuses(void **state)
{
    (void)state;
    uint16_t port = 0;
    int fd = listen_on_host("127.0.0.1", &port); /* bound, and nobody listens */
    admin_answer answer;
    assert_int_equal(admin_client_get("127.0.0.1", port, "/", WAIT_MS, &answer), -ECONNREFUSED);
    assert_int_equal(admin_client_get("no host", port, "/", WAIT_MS, &answer), -EADDRNOTAVAIL);
    close(fd);
}

static const fake_name names[] = {{"both.example", "::1 127.0.0.1"},
                                  {"four.example", "127.0.0.2 127.0.0.3 127.0.0.1 127.0.0.4"},
                                  {"xn--d1aqf.xn--p1ai", "127.0.0.1"},
                                  {NULL, NULL}};

/* The server is at the last address that is tried; nobody is at the others. */
static void every_address_of_a_name_is_asked(void **state)
{
    (void)state;
    static const char *const hosts[] = {"both.example", "four.example", "дом.рф"};
    fake_resolver_set(names);
    for (size_t i = 0; i < sizeof(hosts) / sizeof(hosts[0]); i++) {
        script s = {ANSWER("HTTP/1.0 200 OK\r\n\r\n")};
        start(&s, "127.0.0.1");
        admin_answer answer;
        assert_int_equal(admin_client_get(hosts[i], s.port, "/", WAIT_MS, &answer), 0);
        free(answer.body);
        end(&s);
    }
    uint16_t port = 0;
    int fd = listen_on_host("127.0.0.1", &port);
    admin_answer answer;
    assert_int_equal(admin_client_get("four.example", port, "/", WAIT_MS, &answer), -ECONNREFUSED);
    close(fd);
}

/* Two servers at one port, of which the first one never answers. */
static void a_silent_address_leaves_time_for_the_next(void **state)
{
    (void)state;
    fake_resolver_set(names);
    script s = {ANSWER("HTTP/1.0 200 OK\r\n\r\n")};
    start(&s, "127.0.0.1");
    uint16_t port = s.port;
    int silent = listen_on_host("127.0.0.2", &port);
    assert_true(silent >= 0);
    assert_int_equal(listen(silent, 8), 0);
    admin_answer answer;
    assert_int_equal(admin_client_get("four.example", s.port, "/", 2000, &answer), 0);
    free(answer.body);
    end(&s);
    assert_int_equal(admin_client_get("four.example", port, "/", 200, &answer), -ETIMEDOUT);
    close(silent);
}

static void a_path_that_is_too_long_is_invalid(void **state)
{
    (void)state;
    char path[600];
    memset(path, 'a', sizeof(path) - 1);
    path[sizeof(path) - 1] = '\0';
    script s = {.times = 0};
    start(&s, "127.0.0.1");
    admin_answer answer;
    assert_int_equal(admin_client_get("127.0.0.1", s.port, path, WAIT_MS, &answer), -EINVAL);
    end(&s);
}

static void an_address_of_all_interfaces_asks_the_loopback(void **state)
{
    (void)state;
    script s = {ANSWER("HTTP/1.0 200 OK\r\n\r\n")};
    start(&s, "127.0.0.1");
    admin_answer answer;
    assert_int_equal(admin_client_get("0.0.0.0", s.port, "/", WAIT_MS, &answer), 0);
    free(answer.body);
    end(&s);
    uint16_t port = 0;
    int probe = listen_on_host("::1", &port);
    if (probe < 0)
        return; /* a machine without IPv6 */
    close(probe);
    static const char *const all[] = {"::", "0:0:0:0:0:0:0:0"};
    for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
        s = (script){ANSWER("HTTP/1.0 200 OK\r\n\r\n")};
        start(&s, "::1");
        assert_int_equal(admin_client_get(all[i], s.port, "/", WAIT_MS, &answer), 0);
        free(answer.body);
        end(&s);
    }
}

/* ---- The health check ---- */

/* The exit code and the report for an answer. */
static int check(script *s, char *report, size_t size)
{
    memset(report, 0, size);
    FILE *reports = fmemopen(report, size, "w");
    start(s, "127.0.0.1");
    int code = admin_healthcheck("127.0.0.1", s->port, reports);
    end(s);
    fclose(reports);
    return code;
}

static void a_ready_server_is_healthy(void **state)
{
    (void)state;
    script s = {ANSWER("HTTP/1.0 200 OK\r\n\r\nok\n")};
    char report[256];
    assert_int_equal(check(&s, report, sizeof(report)), 0);
    assert_string_equal(report, "homecall-signal: ready\n");
    assert_memory_equal(s.request, "GET /readyz ", strlen("GET /readyz "));
}

static void the_reasons_of_one_that_is_not_stand_in_one_line(void **state)
{
    (void)state;
    script s = {ANSWER("HTTP/1.0 503 No\r\n\r\ndraining\nMAX_CONNECTIONS is reached\n")};
    char report[256];
    assert_int_equal(check(&s, report, sizeof(report)), 1);
    assert_string_equal(report, "homecall-signal: not ready: draining; MAX_CONNECTIONS is reached\n");
}

/* Whoever answers at that port need not be our server. */
static void an_answer_can_not_command_the_terminal(void **state)
{
    (void)state;
    script s = {ANSWER("HTTP/1.0 503 No\r\n\r\n\x1b[2J\tdraining\xc2\x9b\r\nlate\n")};
    char report[256];
    assert_int_equal(check(&s, report, sizeof(report)), 1);
    assert_string_equal(report, "homecall-signal: not ready: ?[2J?draining???; late\n");
}

static void no_answer_is_not_healthy(void **state)
{
    (void)state;
    script s = {.times = 0};
    char report[256];
    assert_int_equal(check(&s, report, sizeof(report)), 1);
    char expected[256];
    snprintf(expected, sizeof(expected),
             "homecall-signal: no answer from 127.0.0.1, port %u: Connection reset by peer\n", s.port);
    assert_string_equal(report, expected);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_whole_answer_is_handed_on),
        cmocka_unit_test(an_answer_without_a_length_ends_with_the_connection),
        cmocka_unit_test(an_empty_body_is_an_answer),
        cmocka_unit_test(an_answer_cut_anywhere_is_no_answer),
        cmocka_unit_test(what_is_no_http_is_refused),
        cmocka_unit_test(an_answer_without_end_is_given_up),
        cmocka_unit_test(a_server_that_says_nothing_costs_the_timeout),
        cmocka_unit_test(nobody_there_refuses),
        cmocka_unit_test(every_address_of_a_name_is_asked),
        cmocka_unit_test(a_silent_address_leaves_time_for_the_next),
        cmocka_unit_test(a_path_that_is_too_long_is_invalid),
        cmocka_unit_test(an_address_of_all_interfaces_asks_the_loopback),
        cmocka_unit_test(a_ready_server_is_healthy),
        cmocka_unit_test(the_reasons_of_one_that_is_not_stand_in_one_line),
        cmocka_unit_test(an_answer_can_not_command_the_terminal),
        cmocka_unit_test(no_answer_is_not_healthy),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
