/* Behind a proxy: whose address a connection is counted for. Every test comes from 127.0.0.1; with more than
 * one connection allowed to nobody, who is taken for whom shows in who is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "support/client.h"
#include "support/server.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_CLIENTS = 8 };

typedef struct fixture {
    signal_server_options options;
    signal_server *server;
    client *clients[MAX_CLIENTS]; /* that stay until the end */
    int client_count;
} fixture;

static int make(void **state)
{
    fixture *f = calloc(1, sizeof(*f));
    *state = f;
    f->options = server_options();
    f->options.max_connections_per_address = 1;
    return 0;
}

static int destroy(void **state)
{
    fixture *f = *state;
    while (f->client_count > 0)
        client_close(f->clients[--f->client_count]);
    server_end(f->server);
    free(f);
    return 0;
}

static void start(fixture *f, const char *trusted, bool has_proxy_protocol)
{
    f->options.trusted_proxies = trusted;
    f->options.proxy_protocol = has_proxy_protocol;
    f->server = server_start(&f->options);
}

/* Connect, send `ahead` and an upgrade request with these header lines more. */
static client *come(fixture *f, const char *ahead, const char *headers)
{
    assert_true(f->client_count < MAX_CLIENTS);
    client *c = client_dial(signal_server_port(f->server));
    f->clients[f->client_count++] = c;
    char request[1024];
    int len = snprintf(request, sizeof(request),
                       "%sGET /signal HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                       "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: %s\r\n%s\r\n",
                       ahead, client_key, headers);
    client_send_bytes(c, request, (size_t)len);
    return c;
}

static void expect_welcome(fixture *f, const char *ahead, const char *headers)
{
    client *c = come(f, ahead, headers);
    client_expect_upgraded(c);
    client_send_ping(c, "there");
    client_expect_pong(c, "there");
}

static void expect_refusal(fixture *f, const char *ahead, const char *headers)
{
    client_expect_http_fault(come(f, ahead, headers), 503);
}

static void a_header_of_somebody_who_is_not_trusted_says_nothing(void **state)
{
    fixture *f = *state;
    start(f, "192.0.2.0/24", false);
    expect_welcome(f, "", "X-Forwarded-For: 198.51.100.1\r\n");
    expect_refusal(f, "", "X-Forwarded-For: 198.51.100.2\r\n");
}

static void clients_behind_a_trusted_proxy_are_told_apart(void **state)
{
    fixture *f = *state;
    start(f, "127.0.0.0/8", false);
    expect_welcome(f, "", "X-Forwarded-For: 198.51.100.1\r\n");
    expect_welcome(f, "", "X-Forwarded-For: 198.51.100.2\r\n");
    expect_refusal(f, "", "X-Forwarded-For: 198.51.100.1\r\n");
    expect_welcome(f, "", "Forwarded: for=\"[2001:db8::1]:4711\";proto=https\r\n");
    expect_refusal(f, "", "Forwarded: for=\"[2001:db8::2]\"\r\n"); /* of the same /64 */
}

/* What stands to the left of the last untrusted address anybody may have written. */
static void the_list_is_walked_from_the_right(void **state)
{
    fixture *f = *state;
    start(f, "127.0.0.1, 10.0.0.0/8", false);
    expect_welcome(f, "", "X-Forwarded-For: 203.0.113.1, 198.51.100.1, 10.1.1.1\r\n");
    expect_refusal(f, "", "X-Forwarded-For: 203.0.113.2, 198.51.100.1, 10.2.2.2\r\n");
    expect_refusal(f, "", "X-Forwarded-For: 203.0.113.3\r\nX-Forwarded-For: 198.51.100.1, 10.2.2.2\r\n");
    expect_welcome(f, "", "X-Forwarded-For: 203.0.113.1, 10.1.1.1\r\n");
}

static void a_proxy_that_tells_nobody_counts_itself(void **state)
{
    fixture *f = *state;
    start(f, "127.0.0.1", false);
    expect_welcome(f, "", "");
    expect_refusal(f, "", "");
    expect_refusal(f, "", "X-Forwarded-For: unknown\r\n");
}

static void a_refusal_is_counted_and_its_place_given_back(void **state)
{
    fixture *f = *state;
    f->options.max_connections = 3;
    start(f, "127.0.0.1", false);
    expect_welcome(f, "", "X-Forwarded-For: 198.51.100.1\r\n");
    for (int i = 0; i < 4; i++) {
        expect_refusal(f, "", "X-Forwarded-For: 198.51.100.1\r\n");
        client_close(f->clients[--f->client_count]);
        SERVER_AWAIT(f->server, connections, 1);
    }
    expect_welcome(f, "", "X-Forwarded-For: 198.51.100.2\r\n");
    assert_int_equal(server_stats(f->server).refused, 4);
}

static void a_proxy_header_tells_the_client(void **state)
{
    fixture *f = *state;
    start(f, "127.0.0.1", true);
    expect_welcome(f, "PROXY TCP4 198.51.100.1 127.0.0.1 4711 8888\r\n", "");
    expect_refusal(f, "PROXY TCP4 198.51.100.1 127.0.0.1 4712 8888\r\n", "");
    expect_welcome(f, "PROXY TCP6 2001:db8::1 ::1 4711 8888\r\n", "");
    expect_welcome(f, "PROXY UNKNOWN\r\n", ""); /* the proxy itself */
}

/* In pieces, as TCP may bring them. */
static void a_proxy_header_may_come_byte_by_byte(void **state)
{
    fixture *f = *state;
    start(f, "127.0.0.1", true);
    client *c = client_dial(signal_server_port(f->server));
    f->clients[f->client_count++] = c;
    static const char header[] = "PROXY TCP4 198.51.100.1 127.0.0.1 4711 8888\r\n";
    for (size_t i = 0; i < sizeof(header) - 1; i++)
        client_send_bytes(c, header + i, 1);
    client_upgrade(c);
    expect_refusal(f, header, "");
}

static void a_trusted_proxy_must_not_leave_the_header_out(void **state)
{
    fixture *f = *state;
    start(f, "127.0.0.1", true);
    client_expect_end(come(f, "", ""));
    client_expect_end(come(f, "PROXY TCP4 nonsense\r\n", ""));
}

static void who_is_not_trusted_may_not_send_one(void **state)
{
    fixture *f = *state;
    start(f, "10.0.0.0/8", true);
    client_expect_http_fault(come(f, "PROXY TCP4 198.51.100.1 127.0.0.1 4711 8888\r\n", ""), 400);
    SERVER_AWAIT(f->server, connections, 0);
    expect_welcome(f, "", "");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, make, destroy)
    const struct CMUnitTest tests[] = {
        TEST(a_header_of_somebody_who_is_not_trusted_says_nothing),
        TEST(clients_behind_a_trusted_proxy_are_told_apart),
        TEST(the_list_is_walked_from_the_right),
        TEST(a_proxy_that_tells_nobody_counts_itself),
        TEST(a_refusal_is_counted_and_its_place_given_back),
        TEST(a_proxy_header_tells_the_client),
        TEST(a_proxy_header_may_come_byte_by_byte),
        TEST(a_trusted_proxy_must_not_leave_the_header_out),
        TEST(who_is_not_trusted_may_not_send_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
