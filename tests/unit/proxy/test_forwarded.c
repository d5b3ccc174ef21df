/* Who the client is, for honest proxies, for careless ones, and for clients that lie. */
#include "proxy/forwarded.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "support/same_address.h"

#include <stdio.h>
#include <stdlib.h>

#define LENGTH_OF(array) (sizeof(array) / sizeof((array)[0]))

#define TRUSTED "127.0.0.1, 10.0.0.0/8, fd00::/8"
#define PEER    "127.0.0.1:5000"

enum { MAX_LINES = 4 };

static address address_of(const char *text)
{
    address a = {.family = strcmp(text, "unix") == 0 ? ADDRESS_UNIX : ADDRESS_UNKNOWN};
    if (a.family == ADDRESS_UNKNOWN)
        assert_true(address_parse(slice_of_text(text), &a));
    return a;
}

/* The values of one header, as heap copies of the exact length, so that a read past either end is seen. */
typedef struct header {
    char *copies[MAX_LINES]; /* owned; a byte of lead, then the text */
    slice lines[MAX_LINES];
    size_t count;
} header;

static void add_line(header *h, const char *text, size_t len)
{
    assert_true(h->count < MAX_LINES);
    char *copy = malloc(len + 1);
    assert_non_null(copy);
    memcpy(copy + 1, text, len);
    h->copies[h->count] = copy;
    h->lines[h->count++] = (slice){copy + 1, len};
}

static header header_of(const char *text)
{
    header h = {0};
    if (text != NULL)
        add_line(&h, text, strlen(text));
    return h;
}

static void deinit(header *h)
{
    for (size_t i = 0; i < h->count; i++)
        free(h->copies[i]);
}

static bool find(const char *peer, const char *trusted, const header *x_forwarded_for,
                 const header *forwarded, address *client)
{
    address_list list;
    address_list_fault fault;
    assert_int_equal(address_list_parse(&list, slice_of_text(trusted), &fault), 0);
    address peer_address = address_of(peer);
    return forwarded_find_client(&peer_address, &list,
                                 (forwarded_values){x_forwarded_for->lines, x_forwarded_for->count},
                                 (forwarded_values){forwarded->lines, forwarded->count}, client);
}

/* Hand over one line of each header, or none where it is NULL, and expect this client, at whom the walk ended
 * or who stands for somebody untold. */
static void expect_from(const char *peer, const char *trusted, const char *x_forwarded_for,
                        const char *forwarded, const char *expected, bool is_told)
{
    header plain = header_of(x_forwarded_for);
    header quoted = header_of(forwarded);
    address client;
    bool was_told = find(peer, trusted, &plain, &quoted, &client);
    address wanted = address_of(expected);
    char found[ADDRESS_MAX_TEXT];
    address_format(&client, found);
    if (!same_address(&client, &wanted) || was_told != is_told)
        fail_msg("%s, %s instead of %s for %s | %s", found, was_told ? "told" : "untold", expected,
                 x_forwarded_for == NULL ? "-" : x_forwarded_for, forwarded == NULL ? "-" : forwarded);
    deinit(&plain);
    deinit(&quoted);
}

static void expect_plain(const char *value, const char *expected, bool is_told)
{
    expect_from(PEER, TRUSTED, value, NULL, expected, is_told);
}

static void expect_forwarded(const char *value, const char *expected, bool is_told)
{
    expect_from(PEER, TRUSTED, NULL, value, expected, is_told);
}

/* ---- Whom to believe ---- */

static void an_untrusted_peer_is_the_client_whatever_it_says(void **state)
{
    (void)state;
    expect_from("203.0.113.9:4", TRUSTED, "192.0.2.1", "for=192.0.2.2", "203.0.113.9:4", true);
    expect_from("203.0.113.9:4", TRUSTED, "127.0.0.1", NULL, "203.0.113.9:4", true);
    expect_from("203.0.113.9:4", "", "192.0.2.1", NULL, "203.0.113.9:4", true);
    expect_from("203.0.113.9:4", TRUSTED, "garbage", "garbage", "203.0.113.9:4", true);
    expect_from("unix", TRUSTED, "192.0.2.1", NULL, "unix", true);
}

static void a_trusted_peer_without_headers_is_the_client(void **state)
{
    (void)state;
    expect_from(PEER, TRUSTED, NULL, NULL, PEER, true);
    expect_from("unix", "unix", NULL, NULL, "unix", true);
}

static void a_unix_peer_is_believed_where_the_list_says_so(void **state)
{
    (void)state;
    expect_from("unix", "unix", "192.0.2.1", NULL, "192.0.2.1", true);
    expect_from("unix", "unix", NULL, "for=192.0.2.1", "192.0.2.1", true);
}

static void the_first_address_from_the_right_that_is_not_trusted_is_the_client(void **state)
{
    (void)state;
    expect_plain("192.0.2.1", "192.0.2.1", true);
    expect_plain("192.0.2.1, 10.0.0.1", "192.0.2.1", true);
    expect_plain("198.51.100.7, 192.0.2.1, 10.0.0.1, 10.2.2.2", "192.0.2.1", true);
    expect_plain("10.0.0.3, 192.0.2.1, 10.0.0.1", "192.0.2.1", true);
    expect_plain("127.0.0.1, 192.0.2.1", "192.0.2.1", true);
    expect_forwarded("for=198.51.100.7, for=192.0.2.1, for=10.0.0.1", "192.0.2.1", true);
}

static void where_all_are_trusted_the_leftmost_is_the_client(void **state)
{
    (void)state;
    expect_plain("10.0.0.3, 10.0.0.2, 10.0.0.1", "10.0.0.3", true);
    expect_forwarded("for=10.0.0.3, for=10.0.0.2", "10.0.0.3", true);
}

static void what_an_element_does_not_tell_ends_the_walk_at_the_hop_before(void **state)
{
    (void)state;
    static const char *const untold[] = {"unknown", "_hidden",   "garbage",
                                         "192.0.2", "fe80::1%1", "\"192.0.2.1\""};
    for (size_t i = 0; i < LENGTH_OF(untold); i++) {
        char value[128];
        expect_plain(untold[i], PEER, false);
        snprintf(value, sizeof(value), "192.0.2.1, %s", untold[i]);
        expect_plain(value, PEER, false);
        snprintf(value, sizeof(value), "192.0.2.1, %s, 10.0.0.1", untold[i]);
        expect_plain(value, "10.0.0.1", false);
        snprintf(value, sizeof(value), "%s, 192.0.2.1, 10.0.0.1", untold[i]);
        expect_plain(value, "192.0.2.1", true);
    }
    expect_forwarded("for=192.0.2.1, for=unknown, for=10.0.0.1", "10.0.0.1", false);
    expect_forwarded("for=192.0.2.1, for=_hidden", PEER, false);
    expect_forwarded("for=192.0.2.1, for=\"_hidden:_port\"", PEER, false);
    expect_forwarded("for=192.0.2.1, proto=https;by=10.0.0.1", PEER, false);
}

static void x_forwarded_for_wins_where_both_are_there(void **state)
{
    (void)state;
    expect_from(PEER, TRUSTED, "192.0.2.1", "for=198.51.100.7", "192.0.2.1", true);
    expect_from(PEER, TRUSTED, "garbage", "for=198.51.100.7", PEER, false);
    expect_from(PEER, TRUSTED, "", "for=198.51.100.7", PEER, true);
}

static void several_lines_are_one_list_in_their_order(void **state)
{
    (void)state;
    header plain = {0};
    header none = {0};
    add_line(&plain, "198.51.100.7", 12);
    add_line(&plain, "192.0.2.1, 10.0.0.2", 19);
    add_line(&plain, "", 0);
    add_line(&plain, "10.0.0.1", 8);
    address client;
    address wanted = address_of("192.0.2.1");
    assert_true(find(PEER, TRUSTED, &plain, &none, &client));
    assert_true(same_address(&client, &wanted));
    deinit(&plain);

    header quoted = {0};
    add_line(&quoted, "for=\"", 5); /* a client's, which the proxy's own line stands behind */
    add_line(&quoted, "for=192.0.2.1", 13);
    assert_true(find(PEER, TRUSTED, &none, &quoted, &client));
    assert_true(same_address(&client, &wanted));
    deinit(&quoted);

    assert_true(forwarded_find_client(&wanted, &(address_list){0}, (forwarded_values){NULL, 0},
                                      (forwarded_values){NULL, 0}, &client));
}

static void empty_elements_and_blanks_do_not_count(void **state)
{
    (void)state;
    expect_plain(" \t192.0.2.1 ,\t, 10.0.0.1 ,,", "192.0.2.1", true);
    expect_plain(",192.0.2.1", "192.0.2.1", true);
    expect_plain(",", PEER, true);
    expect_plain(" ", PEER, true);
    expect_forwarded(", ,for=192.0.2.1,, for=10.0.0.1 ,", "192.0.2.1", true);
}

/* ---- How elements are written ---- */

static void x_forwarded_for_has_addresses_with_and_without_ports(void **state)
{
    (void)state;
    expect_plain("192.0.2.1:1234, 10.0.0.1:80", "192.0.2.1:1234", true);
    expect_plain("2001:db8::1, fd00::1", "2001:db8::1", true);
    expect_plain("[2001:db8::1]", "2001:db8::1", true);
    expect_plain("[2001:db8::1]:1234, [fd00::1]:80", "[2001:db8::1]:1234", true);
    expect_plain("::ffff:192.0.2.1, ::ffff:10.0.0.1", "192.0.2.1", true);
}

static void forwarded_has_tokens_and_quoted_strings(void **state)
{
    (void)state;
    static const struct {
        const char *element;
        const char *client;
    } cases[] = {
        {"for=192.0.2.1", "192.0.2.1"},
        {"For=192.0.2.1", "192.0.2.1"},
        {"FOR=\"192.0.2.1\"", "192.0.2.1"},
        {"for=\"192.0.2.1:1234\"", "192.0.2.1:1234"},
        {"for=\"192.0.2.1:_gazonk\"", "192.0.2.1"},
        {"for=\"[2001:db8:cafe::17]\"", "2001:db8:cafe::17"},
        {"For=\"[2001:db8:cafe::17]:4711\"", "[2001:db8:cafe::17]:4711"},
        {"for=\"[2001:db8:cafe::17]:_p\"", "2001:db8:cafe::17"},
        {"for=192.0.2.1;proto=http;by=203.0.113.43", "192.0.2.1"},
        {"proto=http ; by=\"[::1]:80\" ; for=192.0.2.1", "192.0.2.1"},
        {";;for=192.0.2.1;", "192.0.2.1"},
        {"for=192.0.2.1;host=\"a, b; for=198.51.100.7\"", "192.0.2.1"},
        {"host=\"a\\\", for=198.51.100.7\\\\\";for=192.0.2.1", "192.0.2.1"},
        {"x=\"\";for=192.0.2.1", "192.0.2.1"},
        {"x=\"\\\"\";for=192.0.2.1;y=\"\\\\\"", "192.0.2.1"},
        {"before=198.51.100.7;for=192.0.2.1", "192.0.2.1"},
    };
    for (size_t i = 0; i < LENGTH_OF(cases); i++) {
        char value[256];
        expect_forwarded(cases[i].element, cases[i].client, true);
        snprintf(value, sizeof(value), "for=198.51.100.7,%s,for=10.0.0.1;x=\"a,b\"", cases[i].element);
        expect_forwarded(value, cases[i].client, true);
    }
}

static void what_breaks_the_grammar_of_forwarded_is_not_believed(void **state)
{
    (void)state;
    static const char *const elements[] = {
        "192.0.2.1",
        "for",
        "for=",
        "for=\"\"",
        "=192.0.2.1",
        "for =192.0.2.1",
        "for= 192.0.2.1",
        "for=192.0.2.1:80",
        "for=[2001:db8::1]",
        "for=\"2001:db8::1\"",
        "for=\"2001:db8::1:80\"",
        "for=\"::ffff:192.0.2.1\"",
        "for=\"[192.0.2.1]\"",
        "for=\"[2001:db8::1\"",
        "for=\"192.0.2.1:_\"",
        "for=\"192.0.2.1:_a~\"",
        "for=\"192.0.2.1:65536\"",
        "for=\":_a\"",
        "for=\"192\\.0.2.1\"",
        "for=\" 192.0.2.1\"",
        "for=192.0.2.1 proto=http",
        "for=192.0.2.1=",
        "for=192.0.2.1\"\"",
        "for=\"192.0.2.1\"x",
        "for='192.0.2.1'",
        "for=192.0.2.1;for=192.0.2.1",
        "for=192.0.2.1;by",
        "for=192.0.2.1;by=",
        "for=192.0.2.1;b@=1",
        "for=192.0.2.1;by=\"a",
        "for=192.0.2.1;by=\"a\\\"",
        "for=192.0.2.1;\"a\"",
        "by=192.0.2.1",
    };
    for (size_t i = 0; i < LENGTH_OF(elements); i++) {
        char value[256];
        expect_forwarded(elements[i], PEER, false);
        snprintf(value, sizeof(value), "%s, for=10.0.0.1", elements[i]);
        expect_forwarded(value, "10.0.0.1", false);
    }
}

/* ---- Clients that lie ---- */

static const char *const lies[] = {
    "198.51.100.7",
    "10.0.0.1",
    "garbage",
    "for=198.51.100.7",
    "for=10.0.0.1",
    "\"",
    "\\",
    "\"\\",
    "for=\"",
    "for=\"a\\",
    "for=198.51.100.7;x=\"",
    "for=198.51.100.7;x=\"\\\"",
    "x=\"\", for=198.51.100.7, \"",
    "for=198.51.100.7;",
    ",,,",
    "[",
    "for=\"[",
};

static void what_a_client_makes_up_does_not_change_what_its_proxy_appends(void **state)
{
    (void)state;
    for (size_t i = 0; i < LENGTH_OF(lies); i++) {
        char value[256];
        snprintf(value, sizeof(value), "%s, 192.0.2.1", lies[i]);
        expect_plain(value, "192.0.2.1", true);
        snprintf(value, sizeof(value), "%s, for=192.0.2.1", lies[i]);
        expect_forwarded(value, "192.0.2.1", true);
        snprintf(value, sizeof(value),
                 "%s,for=\"192.0.2.1:80\";by=\"[fd00::1]\", for=\"[fd00::1]:2\";x=\"a,\\\"\"", lies[i]);
        expect_forwarded(value, "192.0.2.1:80", true);
    }
}

/* Cut a header that is fine at every offset from the left: what is left of the proxies' words still leads to
 * the client or, once these are cut, to nobody but a hop that is trusted or a part of an address. */
static void a_header_cut_anywhere_from_the_left_still_names_the_client(void **state)
{
    (void)state;
    static const char plain[] = "198.51.100.7, 192.0.2.1, 10.0.0.1";
    static const char quoted[] =
        "for=\"[2001:db8::1]:4\", for=192.0.2.1;by=\"[fd00::1]\", for=\"10.0.0.1:2\"";
    for (const char *from = plain; from <= strstr(plain, "192.0.2.1"); from++)
        expect_plain(from, "192.0.2.1", true);
    for (const char *from = quoted; from <= strstr(quoted, "for=192.0.2.1"); from++)
        expect_forwarded(from, "192.0.2.1", true);
}

static void a_header_cut_anywhere_from_the_right_is_read_within_its_bounds(void **state)
{
    (void)state;
    static const char quoted[] = "for=192.0.2.1;x=\"\\\\\\\"\" , for=\"10.0.0.1:_p\";by=\"[fd00::1]\"";
    for (size_t len = 0; len < strlen(quoted); len++) {
        header cut = {0};
        header none = {0};
        add_line(&cut, quoted, len);
        address client;
        (void)find(PEER, TRUSTED, &none, &cut, &client);
        assert_int_equal(client.family, ADDRESS_IPV4);
        (void)find(PEER, TRUSTED, &cut, &none, &client);
        assert_int_equal(client.family, ADDRESS_IPV4);
        deinit(&cut);
    }
}

static void a_nul_does_not_end_a_value(void **state)
{
    (void)state;
    header plain = {0};
    header none = {0};
    add_line(&plain, "192.0.2.1\0", 10);
    address client;
    address peer = address_of(PEER);
    assert_false(find(PEER, TRUSTED, &plain, &none, &client));
    assert_true(same_address(&client, &peer));
    assert_false(find(PEER, TRUSTED, &none, &plain, &client));
    deinit(&plain);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_untrusted_peer_is_the_client_whatever_it_says),
        cmocka_unit_test(a_trusted_peer_without_headers_is_the_client),
        cmocka_unit_test(a_unix_peer_is_believed_where_the_list_says_so),
        cmocka_unit_test(the_first_address_from_the_right_that_is_not_trusted_is_the_client),
        cmocka_unit_test(where_all_are_trusted_the_leftmost_is_the_client),
        cmocka_unit_test(what_an_element_does_not_tell_ends_the_walk_at_the_hop_before),
        cmocka_unit_test(x_forwarded_for_wins_where_both_are_there),
        cmocka_unit_test(several_lines_are_one_list_in_their_order),
        cmocka_unit_test(empty_elements_and_blanks_do_not_count),
        cmocka_unit_test(x_forwarded_for_has_addresses_with_and_without_ports),
        cmocka_unit_test(forwarded_has_tokens_and_quoted_strings),
        cmocka_unit_test(what_breaks_the_grammar_of_forwarded_is_not_believed),
        cmocka_unit_test(what_a_client_makes_up_does_not_change_what_its_proxy_appends),
        cmocka_unit_test(a_header_cut_anywhere_from_the_left_still_names_the_client),
        cmocka_unit_test(a_header_cut_anywhere_from_the_right_is_read_within_its_bounds),
        cmocka_unit_test(a_nul_does_not_end_a_value),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
