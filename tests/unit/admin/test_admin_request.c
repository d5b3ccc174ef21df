/* Each request is read whole and at every shorter length, each time in a block of just its size: there is no
 * verdict before the head is whole. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "admin/admin_request.h"

#include <stdlib.h>

#define LENGTH_OF(array) (sizeof(array) / sizeof((array)[0]))

static bool parse(const char *bytes, size_t len, admin_request *out)
{
    for (size_t part = 0; part < len; part++) {
        char *block = malloc(part > 0 ? part : 1);
        assert_non_null(block);
        memcpy(block, bytes, part);
        admin_request early;
        if (admin_request_parse((slice){block, part}, &early)) {
            assert_true(early.fault != 0 || early.len <= part);
            assert_true(admin_request_parse((slice){bytes, len}, out));
            assert_int_equal(out->fault, early.fault);
            assert_int_equal(out->len, early.len);
        }
        free(block);
    }
    return admin_request_parse((slice){bytes, len}, out);
}

/* A request without a fault. */
static admin_request good(const char *text)
{
    admin_request r;
    assert_true(parse(text, strlen(text), &r));
    if (r.fault != 0)
        fail_msg("%d: %s", r.fault, text);
    return r;
}

static int fault_of(const char *text)
{
    admin_request r;
    if (!parse(text, strlen(text), &r))
        fail_msg("not whole: %s", text);
    return r.fault;
}

static void assert_slice(slice s, const char *text)
{
    assert_int_equal(s.len, strlen(text));
    assert_memory_equal(s.data, text, s.len);
}

static void a_request_ends_with_its_empty_line(void **state)
{
    (void)state;
    static const char text[] = "GET /metrics?x=1 HTTP/1.1\r\nHost: a:1\r\naccept:  x/y \r\n\r\nGET";
    admin_request r = good(text);
    assert_int_equal(r.len, sizeof(text) - 1 - 3);
    assert_true(r.only_reads && !r.is_head && !r.has_body && r.stays && r.has_host);
    assert_slice(r.host, "a:1");
    assert_slice(r.path, "/metrics");
    assert_slice(r.accept, "x/y");
    admin_request unused;
    for (size_t len = 0; len < r.len; len++)
        assert_false(admin_request_parse((slice){text, len}, &unused));
}

static void a_bare_line_feed_ends_a_line_as_well(void **state)
{
    (void)state;
    admin_request r = good("GET / HTTP/1.1\nHost: a\n\n");
    assert_slice(r.host, "a");
    assert_slice(r.path, "/");
}

static void methods_that_read_are_told_from_others(void **state)
{
    (void)state;
    assert_true(good("HEAD / HTTP/1.1\r\n\r\n").is_head);
    assert_true(good("HEAD / HTTP/1.1\r\n\r\n").only_reads);
    static const char *const others[] = {"PUT / HTTP/1.1\r\n\r\n", "get / HTTP/1.1\r\n\r\n",
                                         "OPTIONS * HTTP/1.1\r\n\r\n", "CONNECT a:80 HTTP/1.1\r\n\r\n"};
    for (size_t i = 0; i < LENGTH_OF(others); i++)
        assert_false(good(others[i]).only_reads);
}

static void the_host_of_a_url_wins(void **state)
{
    (void)state;
    admin_request r = good("GET HTTP://a.example:1/x/y?z HTTP/1.1\r\nHost: b\r\n\r\n");
    assert_slice(r.host, "a.example:1");
    assert_slice(r.path, "/x/y");
    r = good("GET https://a.example?z HTTP/1.1\r\n\r\n");
    assert_true(r.has_host);
    assert_slice(r.host, "a.example");
    assert_slice(r.path, "/");
    r = good("GET http:///x HTTP/1.1\r\n\r\n");
    assert_true(r.has_host); /* and it is no name */
    assert_slice(r.host, "");
}

static void without_a_host_there_is_none(void **state)
{
    (void)state;
    assert_false(good("GET / HTTP/1.0\r\n\r\n").has_host);
    admin_request r = good("GET / HTTP/1.1\r\nHost:\r\n\r\n");
    assert_true(r.has_host);
    assert_int_equal(r.host.len, 0);
}

static void a_connection_stays_as_the_version_and_the_client_say(void **state)
{
    (void)state;
    assert_true(good("GET / HTTP/1.1\r\nConnection: keep-alive\r\n\r\n").stays);
    assert_true(good("GET / HTTP/1.9\r\n\r\n").stays);
    assert_false(good("GET / HTTP/1.1\r\nConnection: close\r\n\r\n").stays);
    assert_false(good("GET / HTTP/1.1\r\nConnection: x, Close\r\nConnection: y\r\n\r\n").stays);
    assert_false(good("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n").stays);
}

static void a_body_is_noticed(void **state)
{
    (void)state;
    assert_false(good("GET / HTTP/1.1\r\nContent-Length: 0\r\n\r\n").has_body);
    assert_true(good("GET / HTTP/1.1\r\nContent-Length: 1\r\n\r\nx").has_body);
    assert_true(good("GET / HTTP/1.1\r\nContent-Length: 0\r\nContent-Length: 5\r\n\r\n").has_body);
    assert_true(good("GET / HTTP/1.1\r\nContent-Length: -5\r\n\r\n").has_body);
    assert_true(good("GET / HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\n").has_body);
}

static void what_is_no_request_is_a_fault(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "\r\n",
        "\n",
        "hello\r\n\r\n",
        "GET\r\n\r\n",
        "GET /\r\n\r\n",
        "GET  / HTTP/1.1\r\n\r\n",
        "GET / HTTP/1.1 \r\n\r\n",
        "GET /a b HTTP/1.1\r\n\r\n",
        "GET /\x01 HTTP/1.1\r\n\r\n",
        "GET /\xd0\xb4 HTTP/1.1\r\n\r\n",
        "G@T / HTTP/1.1\r\n\r\n",
        "GET / HTTP/1.x\r\n\r\n",
        "GET / HTTPS/1.1\r\n\r\n",
        "GET / HTTP/11\r\n\r\n",
        "GET / HTTP/1.1\r\nno colon\r\n\r\n",
        "GET / HTTP/1.1\r\n: no name\r\n\r\n",
        "GET / HTTP/1.1\r\nHost : a\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\n folded\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n",
        "GET / HTTP/1.1\r\nX: a\rb\r\n\r\n",
    };
    for (size_t i = 0; i < LENGTH_OF(bad); i++)
        if (fault_of(bad[i]) != 400)
            fail_msg("%d: %s", fault_of(bad[i]), bad[i]);
    assert_int_equal(fault_of("GET / HTTP/2.0\r\n\r\n"), 505);
    assert_int_equal(fault_of("GET / HTTP/0.9\r\n\r\n"), 505);
}

static void a_head_has_a_bound(void **state)
{
    (void)state;
    enum { MOST = ADMIN_REQUEST_MAX_HEAD };
    static char text[2 * MOST];
    memset(text, 'a', sizeof(text));
    memcpy(text, "GET / HTTP/1.1\r\nX: ", 19);
    admin_request r;
    assert_false(admin_request_parse((slice){text, MOST - 1}, &r));
    assert_true(admin_request_parse((slice){text, MOST}, &r));
    assert_int_equal(r.fault, 431);
    memcpy(text + MOST - 4, "\r\n\r\n", 4);
    assert_true(admin_request_parse((slice){text, sizeof(text)}, &r));
    assert_int_equal(r.fault, 0);
    assert_int_equal(r.len, MOST);
    memcpy(text + MOST - 4, "a\r\n\r\n", 5);
    assert_true(admin_request_parse((slice){text, sizeof(text)}, &r));
    assert_int_equal(r.fault, 431);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_request_ends_with_its_empty_line),
        cmocka_unit_test(a_bare_line_feed_ends_a_line_as_well),
        cmocka_unit_test(methods_that_read_are_told_from_others),
        cmocka_unit_test(the_host_of_a_url_wins),
        cmocka_unit_test(without_a_host_there_is_none),
        cmocka_unit_test(a_connection_stays_as_the_version_and_the_client_say),
        cmocka_unit_test(a_body_is_noticed),
        cmocka_unit_test(what_is_no_request_is_a_fault),
        cmocka_unit_test(a_head_has_a_bound),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
