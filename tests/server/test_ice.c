/* GET /ice: who gets the servers for a call, and how often. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "ice/turn_credentials.h"
#include "support/client.h"
#include "support/server.h"

#include <cjson/cJSON.h>

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static const char secret[] = "a secret that the TURN server knows";
static const char urls[] = "stun:turn.example, turn:turn.example?transport=udp,turns:turn.example:5349";

typedef struct fixture {
    signal_server_options options;
    signal_server *server;
    char answer[4096]; /* the one read last */
} fixture;

static int make(void **state)
{
    fixture *f = calloc(1, sizeof(*f));
    *state = f;
    f->options = server_options();
    f->options.turn_urls = urls;
    f->options.turn_secret = secret;
    f->options.turn_ttl_ms = 600 * 1000;
    return 0;
}

static int destroy(void **state)
{
    fixture *f = *state;
    server_end(f->server);
    free(f);
    return 0;
}

static void start(fixture *f)
{
    f->server = server_start(&f->options);
}

static int dial(uint16_t port)
{
    const struct sockaddr_in target = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr = {htonl(INADDR_LOOPBACK)}};
    const struct timeval patience = {.tv_sec = CLIENT_WAIT_MS / 1000};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(fd >= 0);
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
    assert_int_equal(connect(fd, (const struct sockaddr *)&target, sizeof(target)), 0);
    return fd;
}

/* Send a request and read the answer to the end of TCP, which must come by itself. Returns the status. */
static int ask(fixture *f, const char *request_line, const char *headers)
{
    char request[1024];
    int len = snprintf(request, sizeof(request), "%s HTTP/1.1\r\nHost: call.example\r\n%s\r\n", request_line,
                       headers);
    int fd = dial(signal_server_port(f->server));
    assert_int_equal(send(fd, request, (size_t)len, MSG_NOSIGNAL), len);
    size_t got = 0;
    ssize_t more;
    while ((more = recv(fd, f->answer + got, sizeof(f->answer) - 1 - got, 0)) > 0)
        got += (size_t)more;
    assert_int_equal(more, 0);
    close(fd);
    f->answer[got] = '\0';
    assert_memory_equal(f->answer, "HTTP/1.1 ", 9);
    return atoi(f->answer + 9);
}

static bool answer_has(const fixture *f, const char *line)
{
    return strstr(f->answer, line) != NULL;
}

static cJSON *body_of(const fixture *f)
{
    const char *body = strstr(f->answer, "\r\n\r\n");
    assert_non_null(body);
    cJSON *json = cJSON_Parse(body + 4);
    assert_non_null(json);
    return json;
}

static const char *text_in(const cJSON *object, const char *key)
{
    const char *text = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(object, key));
    assert_non_null(text);
    return text;
}

static void it_tells_the_servers_with_credentials_that_last_for_their_time(void **state)
{
    fixture *f = *state;
    start(f);
    time_t before = time(NULL);
    assert_int_equal(ask(f, "GET /ice", ""), 200);
    assert_true(answer_has(f, "\r\nContent-Type: application/json\r\n"));
    assert_true(answer_has(f, "\r\nCache-Control: no-store\r\n"));
    assert_false(answer_has(f, "Access-Control"));
    assert_false(answer_has(f, secret));

    cJSON *json = body_of(f);
    assert_int_equal(cJSON_GetObjectItemCaseSensitive(json, "ttl")->valueint, 600);
    const cJSON *servers = cJSON_GetObjectItemCaseSensitive(json, "iceServers");
    assert_int_equal(cJSON_GetArraySize(servers), 2);
    assert_null(cJSON_GetObjectItemCaseSensitive(cJSON_GetArrayItem(servers, 0), "username"));
    const cJSON *turn = cJSON_GetArrayItem(servers, 1);
    const char *username = text_in(turn, "username");
    assert_in_range(strtoul(username, NULL, 10), before + 600, time(NULL) + 600);
    char credential[TURN_CREDENTIAL_LEN + 1];
    assert_int_equal(turn_credentials_sign(slice_of_text(secret), slice_of_text(username), credential), 0);
    assert_string_equal(text_in(turn, "credential"), credential);
    cJSON_Delete(json);
}

static void without_urls_there_is_no_such_page(void **state)
{
    fixture *f = *state;
    f->options.turn_urls = "";
    start(f);
    assert_int_equal(ask(f, "GET /ice", ""), 404);
}

static void pages_are_told_international_hosts_in_ascii(void **state)
{
    fixture *f = *state;
    f->options.turn_urls = "stun:домозвон.рф, turn:ДомоЗвон.РФ:3478?transport=udp";
    start(f);
    assert_int_equal(ask(f, "GET /ice", ""), 200);
    assert_true(answer_has(f, "[\"stun:xn--b1adjthcbc.xn--p1ai\"]"));
    assert_true(answer_has(f, "[\"turn:xn--b1adjthcbc.xn--p1ai:3478?transport=udp\"]"));
}

static void a_url_that_no_browser_takes_is_told_at_the_start(void **state)
{
    fixture *f = *state;
    f->options.turn_urls = "stun:good.example,turn:bad.example:99999";
    signal_server_fault fault = server_start_fault(&f->options);
    assert_int_equal(fault.error, -EINVAL);
    assert_int_equal(fault.kind, SIGNAL_SERVER_FAULT_TURN_URL);
    assert_string_equal(fault.entry, "turn:bad.example:99999: the port is no number from 1 to 65535");
}

static void only_pages_of_allowed_origins_get_them(void **state)
{
    fixture *f = *state;
    f->options.allowed_origins = "https://call.example,https://*.family.example";
    start(f);
    assert_int_equal(ask(f, "GET /ice", "Origin: https://evil.example\r\n"), 403);
    assert_false(answer_has(f, "turn.example"));
    assert_int_equal(ask(f, "GET /ice", "Origin: https://a.family.example\r\n"), 200);
    assert_true(answer_has(f, "\r\nAccess-Control-Allow-Origin: https://a.family.example\r\n"));
    assert_true(answer_has(f, "\r\nVary: Origin\r\n"));
    assert_int_equal(ask(f, "GET /ice?again=1", ""), 200); /* a browser names no origin to its own host */
}

static void with_require_origin_the_own_page_still_gets_them(void **state)
{
    fixture *f = *state;
    f->options.allowed_origins = "https://call.example";
    f->options.require_origin = true;
    start(f);
    assert_int_equal(ask(f, "GET /ice", ""), 403);
    assert_false(answer_has(f, "turn.example"));
    assert_int_equal(ask(f, "GET /ice", "Sec-Fetch-Site: cross-site\r\n"), 403);
    assert_int_equal(ask(f, "GET /ice", "Sec-Fetch-Site: same-origin\r\n"), 200);
    assert_int_equal(ask(f, "GET /ice", "Origin: https://call.example\r\n"), 200);
}

static void it_is_for_get_alone(void **state)
{
    fixture *f = *state;
    start(f);
    assert_int_equal(ask(f, "POST /ice", "Content-Length: 0\r\n"), 405);
    assert_int_equal(ask(f, "GET /ice", "Content-Length: 5\r\n"), 400);
    assert_int_equal(ask(f, "GET /ice/", ""), 404);
    assert_int_equal(ask(f, "GET /signal", ""), 426);
}

static void a_hundred_callers_behind_one_address_are_served(void **state)
{
    fixture *f = *state;
    f->options.exempt_addresses = "127.0.0.1,198.51.100.0/24";
    f->options.trusted_proxies = "127.0.0.1";
    start(f);
    /* A proxy that does not tell for whom, one on the inner network of a container, and a school. */
    static const char *const headers[] = {"", "X-Forwarded-For: 172.18.0.1\r\n",
                                          "X-Forwarded-For: 198.51.100.7\r\n"};
    for (int i = 0; i < 300; i++)
        assert_int_equal(ask(f, "GET /ice", headers[i % 3]), 200);
}

/* By the /48, whose budget is eight times that of a /64. */
static void the_64s_of_a_48_have_one_limit_and_take_nothing_from_others(void **state)
{
    fixture *f = *state;
    f->options.trusted_proxies = "127.0.0.1";
    start(f);
    char header[80];
    int granted = 0;
    for (unsigned i = 0; i < 2000; i++) {
        snprintf(header, sizeof(header), "X-Forwarded-For: 2001:db8:7:%x::1\r\n", i);
        granted += ask(f, "GET /ice", header) == 200;
    }
    assert_in_range(granted, 160, 1000);
    assert_int_equal(ask(f, "GET /ice", "X-Forwarded-For: 2001:db8:7:ffff::1\r\n"), 429);
    assert_int_equal(ask(f, "GET /ice", "X-Forwarded-For: 2001:db8:8::1\r\n"), 200);
    assert_int_equal(ask(f, "GET /ice", "X-Forwarded-For: 192.0.2.1\r\n"), 200);
}

static void one_address_that_asks_without_end_has_to_wait_and_others_have_not(void **state)
{
    fixture *f = *state;
    f->options.trusted_proxies = "127.0.0.1";
    start(f);
    int status = 200;
    for (int i = 0; i < 5000 && status == 200; i++)
        status = ask(f, "GET /ice", "X-Forwarded-For: 192.0.2.1\r\n");
    assert_int_equal(status, 429);
    assert_int_equal(ask(f, "GET /ice", "X-Forwarded-For: 192.0.2.2\r\n"), 200);
    SERVER_AWAIT(f->server, connections, 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, make, destroy)
    const struct CMUnitTest tests[] = {
        TEST(it_tells_the_servers_with_credentials_that_last_for_their_time),
        TEST(without_urls_there_is_no_such_page),
        TEST(pages_are_told_international_hosts_in_ascii),
        TEST(a_url_that_no_browser_takes_is_told_at_the_start),
        TEST(only_pages_of_allowed_origins_get_them),
        TEST(with_require_origin_the_own_page_still_gets_them),
        TEST(it_is_for_get_alone),
        TEST(a_hundred_callers_behind_one_address_are_served),
        TEST(the_64s_of_a_48_have_one_limit_and_take_nothing_from_others),
        TEST(one_address_that_asks_without_end_has_to_wait_and_others_have_not),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
