/* URLs of the server under load: what stands in which part of the request, and what is no such URL. No name
 * is looked up here but "localhost". */
#include "wire/target.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <unistd.h>

#define LENGTH_OF(array) (sizeof(array) / sizeof((array)[0]))

static void a_url_falls_into_its_parts(void **state)
{
    (void)state;
    static const struct {
        const char *url;
        bool is_tls;
        const char *host;
        const char *authority;
        uint16_t port;
        const char *path;
    } cases[] = {
        {"ws://127.0.0.1:8080/signal", false, "127.0.0.1", "127.0.0.1:8080", 8080, "/signal"},
        {"wss://127.0.0.1:8443/signal", true, "127.0.0.1", "127.0.0.1:8443", 8443, "/signal"},
        {"ws://127.0.0.1/signal", false, "127.0.0.1", "127.0.0.1", 80, "/signal"},
        {"wss://127.0.0.1/signal", true, "127.0.0.1", "127.0.0.1", 443, "/signal"},
        {"ws://127.0.0.1", false, "127.0.0.1", "127.0.0.1", 80, "/"},
        {"ws://127.0.0.1:1", false, "127.0.0.1", "127.0.0.1:1", 1, "/"},
        {"ws://127.0.0.1:65535/", false, "127.0.0.1", "127.0.0.1:65535", 65535, "/"},
        {"ws://127.0.0.1:9?a=b", false, "127.0.0.1", "127.0.0.1:9", 9, "/?a=b"},
        {"ws://127.0.0.1:9/a/b?c=/d&e=%20:x", false, "127.0.0.1", "127.0.0.1:9", 9, "/a/b?c=/d&e=%20:x"},
        {"ws://[::1]:8080/signal", false, "::1", "[::1]:8080", 8080, "/signal"},
        {"wss://[::1]", true, "::1", "[::1]", 443, "/"},
        {"ws://localhost:8080/", false, "localhost", "localhost:8080", 8080, "/"},
    };
    for (size_t i = 0; i < LENGTH_OF(cases); i++) {
        target t;
        const char *why = NULL;
        if (target_parse(cases[i].url, &t, &why) != 0)
            fail_msg("%s: %s", cases[i].url, why);
        assert_int_equal(t.is_tls, cases[i].is_tls);
        assert_string_equal(t.host, cases[i].host);
        assert_string_equal(t.authority, cases[i].authority);
        assert_string_equal(t.path, cases[i].path);
        const struct sockaddr_in *v4 = (const struct sockaddr_in *)&t.address;
        const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)&t.address;
        bool is_v4 = t.address.ss_family == AF_INET;
        assert_int_equal(ntohs(is_v4 ? v4->sin_port : v6->sin6_port), cases[i].port);
        assert_int_equal(t.address_len, is_v4 ? sizeof(*v4) : sizeof(*v6));
    }
}

static void an_ipv6_address_is_one_of_ipv6(void **state)
{
    (void)state;
    target t;
    const char *why;
    assert_int_equal(target_parse("ws://[::1]:5/", &t, &why), 0);
    assert_int_equal(t.address.ss_family, AF_INET6);
    const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)&t.address;
    assert_memory_equal(&v6->sin6_addr, &in6addr_loopback, sizeof(in6addr_loopback));
    assert_false(target_is_loopback_v4(&t));
}

/* ---- Which address of several ---- */

/* A socket on the loopback; *at is filled in as getaddrinfo() would do. */
static int open_loopback(bool listens, struct sockaddr_in *address, struct addrinfo *at)
{
    *address = (struct sockaddr_in){.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t len = sizeof(*address);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    assert_true(fd >= 0);
    assert_int_equal(bind(fd, (const struct sockaddr *)address, len), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)address, &len), 0);
    if (listens)
        assert_int_equal(listen(fd, 1), 0);
    *at = (struct addrinfo){.ai_family = AF_INET,
                            .ai_socktype = SOCK_STREAM,
                            .ai_addr = (struct sockaddr *)address,
                            .ai_addrlen = len};
    return fd;
}

/* As on a machine whose localhost is ::1 and 127.0.0.1, where a server listens at one of them. */
static void the_address_that_answers_is_taken(void **state)
{
    (void)state;
    struct sockaddr_in addresses[3];
    struct addrinfo found[3];
    for (int listening = 0; listening < 3; listening++) {
        int fds[3];
        for (int i = 0; i < 3; i++) {
            fds[i] = open_loopback(i == listening, &addresses[i], &found[i]);
            found[i].ai_next = i < 2 ? &found[i + 1] : NULL;
        }
        target t = {0};
        target_choose_address(&t, found);
        assert_int_equal(t.address_len, sizeof(addresses[0]));
        assert_memory_equal(&t.address, &addresses[listening], sizeof(addresses[0]));
        for (int i = 0; i < 3; i++)
            close(fds[i]);
    }
}

/* The run that follows says how it is refused. */
static void where_nobody_answers_it_is_the_first(void **state)
{
    (void)state;
    struct sockaddr_in addresses[2];
    struct addrinfo found[2];
    int first = open_loopback(false, &addresses[0], &found[0]);
    int second = open_loopback(false, &addresses[1], &found[1]);
    found[0].ai_next = &found[1];
    target t = {0};
    target_choose_address(&t, found);
    assert_memory_equal(&t.address, &addresses[0], sizeof(addresses[0]));
    close(first);
    close(second);
}

static void the_only_address_is_not_asked(void **state)
{
    (void)state;
    struct sockaddr_in address;
    struct addrinfo found;
    int fd = open_loopback(true, &address, &found);
    target t = {0};
    target_choose_address(&t, &found);
    assert_memory_equal(&t.address, &address, sizeof(address));
    assert_int_equal(accept(fd, NULL, NULL), -1);
    assert_int_equal(errno, EAGAIN);
    close(fd);
}

static void what_is_no_url_is_refused_with_a_word(void **state)
{
    (void)state;
    static const char *const urls[] = {
        "",
        "127.0.0.1:8080",
        "http://127.0.0.1/",
        "WS:/127.0.0.1/",
        "ws:/127.0.0.1/",
        "wsss://127.0.0.1/",
        "ws://",
        "wss://",
        "ws:///signal",
        "ws://:80/",
        "ws://127.0.0.1:/",
        "ws://127.0.0.1:0/",
        "ws://127.0.0.1:65536/",
        "ws://127.0.0.1:99999/",
        "ws://127.0.0.1:123456789/",
        "ws://127.0.0.1:-1/",
        "ws://127.0.0.1:+80/",
        "ws://127.0.0.1:80x/",
        "ws://127.0.0.1:http/",
        "ws://127.0.0.1:80:80/",
        "ws://::1/",
        "ws://[::1/",
        "ws://[]/",
        "ws://[::1]x/",
        "ws://[::1]:/",
        "ws://127.0.0.1/#fragment",
        "ws://127.0.0.1#fragment",
        "ws://127.0.0.1/a?b#c",
    };
    for (size_t i = 0; i < LENGTH_OF(urls); i++) {
        target t;
        const char *why = NULL;
        if (target_parse(urls[i], &t, &why) != -EINVAL)
            fail_msg("%s: not refused", urls[i]);
        assert_non_null(strstr(why, "ws://host:port/path"));
    }
}

static void a_host_that_is_not_there_is_told_so(void **state)
{
    (void)state;
    static const char *const urls[] = {"ws://no-such-host.invalid/", "ws://127.0.0.1.5:80/"};
    for (size_t i = 0; i < LENGTH_OF(urls); i++) {
        target t;
        const char *why = NULL;
        if (target_parse(urls[i], &t, &why) != -ENOENT)
            fail_msg("%s: resolved", urls[i]);
        assert_string_equal(why, "the host or port is not known");
    }
}

/* A URL whose part from `at` on is filled with so many letters. */
static int parse_with_filling(const char *begin, size_t letters, const char *end)
{
    static char url[4096];
    size_t len = strlen(begin);
    memcpy(url, begin, len);
    memset(url + len, 'x', letters);
    strcpy(url + len + letters, end);
    target t;
    const char *why;
    return target_parse(url, &t, &why);
}

static void parts_that_do_not_fit_are_refused(void **state)
{
    (void)state;
    target t;
    assert_int_equal(parse_with_filling("ws://127.0.0.1/", sizeof(t.path) - 2, ""), 0);
    assert_int_equal(parse_with_filling("ws://127.0.0.1/", sizeof(t.path) - 1, ""), -EINVAL);
    assert_int_equal(parse_with_filling("ws://127.0.0.1?", sizeof(t.path) - 3, ""), 0);
    assert_int_equal(parse_with_filling("ws://127.0.0.1?", sizeof(t.path) - 2, ""), -EINVAL);
    assert_int_equal(parse_with_filling("ws://", sizeof(t.host), "/"), -EINVAL);
    assert_int_equal(parse_with_filling("ws://", 3000, "/"), -EINVAL);
}

static void loopback_is_all_of_127(void **state)
{
    (void)state;
    static const struct {
        const char *url;
        bool is_loopback;
    } cases[] = {
        {"ws://127.0.0.1/", true},  {"ws://127.255.255.254/", true}, {"ws://126.255.255.255/", false},
        {"ws://128.0.0.1/", false}, {"ws://192.0.2.127/", false},    {"ws://[::ffff:127.0.0.1]/", false},
    };
    for (size_t i = 0; i < LENGTH_OF(cases); i++) {
        target t;
        const char *why;
        assert_int_equal(target_parse(cases[i].url, &t, &why), 0);
        assert_int_equal(target_is_loopback_v4(&t), cases[i].is_loopback);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_url_falls_into_its_parts),
        cmocka_unit_test(an_ipv6_address_is_one_of_ipv6),
        cmocka_unit_test(the_address_that_answers_is_taken),
        cmocka_unit_test(where_nobody_answers_it_is_the_first),
        cmocka_unit_test(the_only_address_is_not_asked),
        cmocka_unit_test(what_is_no_url_is_refused_with_a_word),
        cmocka_unit_test(a_host_that_is_not_there_is_told_so),
        cmocka_unit_test(parts_that_do_not_fit_are_refused),
        cmocka_unit_test(loopback_is_all_of_127),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
