/* The quick ways of the scanner against the plain ones. Strings are scanned in blocks and steps: here is the
 * plain form, byte by byte, and both must find the same end of every string. Flat objects are scanned by
 * themselves: within an array they are scanned as all containers are. Each text lies in a heap block of
 * exactly its size. */
#include "protocol/json_scan.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <ctype.h>
#include <stdlib.h>

enum { MAX_TEXT = 512 };

/* Where the string ends that begins at the start of the text; 0 if it is not valid (RFC 8259, 7). */
static size_t plain_end(const char *text, size_t len)
{
    for (size_t at = 1; at < len;) {
        unsigned char byte = (unsigned char)text[at];
        if (byte == '"')
            return at + 1;
        if (byte < 0x20)
            return 0;
        size_t size = 1;
        if (byte == '\\') {
            if (at + 1 == len || text[at + 1] == '\0' || strchr("\"\\/bfnrtu", text[at + 1]) == NULL)
                return 0;
            size = text[at + 1] == 'u' ? 6 : 2;
            for (size_t i = at + 2; i < at + size; i++) {
                if (i >= len || !isxdigit((unsigned char)text[i]))
                    return 0;
            }
        }
        at += size;
    }
    return 0;
}

/* A quote, the body, and the bracket that ends the object around it. */
static void check_body(const char *body, size_t len)
{
    char *text = malloc(len + 2);
    assert_non_null(text);
    text[0] = '"';
    memcpy(text + 1, body, len);
    text[len + 1] = '}';
    json_type type;
    const char *end = json_scan_value(text, text + len + 2, &type);
    size_t expected = plain_end(text, len + 2);
    size_t found = end == NULL ? 0 : (size_t)(end - text);
    if (found != expected)
        fail_msg("%.*s ends at %zu, not at %zu", (int)len + 2, text, expected, found);
    free(text);
}

/* Each at each place, also where a block ends within it. */
static const char *const pieces[] = {
    "\\r\\n", "\\n", "\\\\", "\\\"", "\"",       "\\/", "\\u00e9", "\\ud83d", "\\u00g0", "\\x",
    "\\\\\\", "\n",  "\x1f", "\x7f", "\xc3\xa9", " ",   "!",       "\\",      "}",
};

enum { PIECES = sizeof(pieces) / sizeof(pieces[0]) };

static size_t put(char *body, size_t len, const char *text)
{
    memcpy(body + len, text, strlen(text));
    return len + strlen(text);
}

/* What begins with an escape is scanned in blocks from there on, and the rest in steps at first. */
static const char *const starts[] = {"", "\\t"};

static void each_piece_is_seen_at_each_place_of_a_block(void **state)
{
    (void)state;
    char body[MAX_TEXT];
    for (size_t before = 0; before < 2 * 140; before++) {
        for (size_t pair = 0; pair < (size_t)PIECES * PIECES; pair++) {
            size_t len = put(body, 0, starts[before % 2]);
            memset(body + len, 'a', before / 2);
            len += before / 2;
            len = put(body, len, pieces[pair / PIECES]);
            len = put(body, len, pieces[pair % PIECES]);
            memset(body + len, 'b', 70);
            len += 70;
            body[len++] = '"';
            check_body(body, len);
        }
    }
}

static void every_byte_is_seen_at_every_place_of_a_block(void **state)
{
    (void)state;
    char body[MAX_TEXT];
    for (int i = 0; i < 2; i++) {
        size_t start = put(body, 0, starts[i]);
        memset(body + start, 'a', 140);
        body[start + 140] = '"';
        for (size_t at = start; at < start + 140; at++) {
            for (unsigned byte = 0; byte < 256; byte++) {
                body[at] = (char)byte;
                check_body(body, start + 141);
            }
            body[at] = 'a';
        }
    }
}

/* The same numbers in every run. */
static uint32_t next_number(uint32_t *seed)
{
    *seed = *seed * 1664525 + 1013904223;
    return *seed >> 16;
}

static void strings_of_many_pieces_end_where_they_should(void **state)
{
    (void)state;
    uint32_t seed = 16;
    for (int round = 0; round < 20000; round++) {
        char body[MAX_TEXT];
        size_t len = 0;
        size_t most = next_number(&seed) % (MAX_TEXT - 80);
        while (len < most) {
            uint32_t run = next_number(&seed) % 40;
            memset(body + len, 'c', run);
            len += run;
            /* Mostly what does not end the string, or few were long. */
            const char *piece = pieces[next_number(&seed) % (next_number(&seed) % 32 == 0 ? PIECES : 4)];
            memcpy(body + len, piece, strlen(piece));
            len += strlen(piece);
        }
        body[len++] = '"';
        check_body(body, len);
    }
}

static void a_string_that_is_cut_off_has_no_end(void **state)
{
    (void)state;
    char body[MAX_TEXT];
    size_t len = 0;
    while (len < 200) {
        memcpy(body + len, "a=rtpmap:96 VP8/90000\\r\\n", 25);
        len += 25;
    }
    for (; len > 0; len--)
        check_body(body, len);
}

/* Scan this text, and the bracket that ends the object around it. True if the value is all of it. */
static bool is_value(const char *before, const char *text, size_t len, const char *behind)
{
    char all[MAX_TEXT];
    size_t whole = 0;
    memcpy(all, before, strlen(before));
    whole += strlen(before);
    memcpy(all + whole, text, len);
    whole += len;
    memcpy(all + whole, behind, strlen(behind));
    whole += strlen(behind);
    all[whole++] = '}';
    char *exact = malloc(whole);
    assert_non_null(exact);
    memcpy(exact, all, whole);
    json_type type;
    const char *end = json_scan_value(exact, exact + whole, &type);
    assert_true(end == NULL || end < exact + whole); /* the bracket is not its own */
    bool is_all = end == exact + whole - 1;
    free(exact);
    return is_all;
}

static void check_object(const char *text, size_t len)
{
    if (is_value("", text, len, "") != is_value("[", text, len, "]"))
        fail_msg("%.*s is not read as in an array", (int)len, text);
}

static void a_flat_object_is_read_as_any_other(void **state)
{
    (void)state;
    static const char *const objects[] = {
        "{\"candidate\":\"candidate:1 1 udp 2122260223 192.0.2.57 56143\",\"line\":0,\"u\":null}",
        "{\"a\":true,\"b\":-1.5e3,\"\":\"\",\"c\":false}",
        "{\"a\":{\"b\":[1]},\"c\":\"\\n\",\"\\u0061\":1}",
        "{}",
        ("{\"candidate\":\"candidate:842163049 1 udp 1677729535 192.0.2.57 56143 typ srflx raddr 0.0.0.0 "
         "rport 0 generation 0 ufrag hX8S network-cost 999\",\"sdpMid\":\"0\",\"sdpMLineIndex\":0,"
         "\"usernameFragment\":\"hX8S\"}"),
        ("{\"type\":\"offer\",\"sdp\":\"v=0\\r\\no=- 1 2 IN IP4 127.0.0.1\\r\\ns=-\\r\\nt=0 "
         "0\\r\\n\",\"a\":\"\","
         "\"b\":\"\\\"\",\"c\":\"\\u00e9\",\"d\":12345678901234567890123456789012345678901234567890}"),
        ("{\"\":\"\",\"\":\"\",\"\":\"\",\"\":\"\",\"\":\"\",\"\":\"\",\"\":\"\",\"\":\"\",\"\":\"\","
         "\"\":\"\",\"\":\"\"}"),
    };
    static const char others[] = "\"\\,:{}[] 0-aen.\n\x01\x7F";
    for (size_t i = 0; i < sizeof(objects) / sizeof(objects[0]); i++) {
        size_t len = strlen(objects[i]);
        assert_true(is_value("", objects[i], len, ""));
        for (size_t cut = 1; cut < len; cut++)
            check_object(objects[i], cut);
        for (size_t at = 1; at < len; at++) { /* it stays an object */
            char text[MAX_TEXT];
            memcpy(text, objects[i], len);
            for (size_t o = 0; o < sizeof(others); o++) { /* its NUL, too */
                text[at] = others[o];
                check_object(text, len);
            }
        }
    }
}

/* Its strings begin and end at each place of a block, and its text ends at each place of its last one. */
static void a_flat_object_is_read_wherever_its_blocks_end(void **state)
{
    (void)state;
    static const char start[] = "{\"first\":\"", behind[] = "\",\"second\":\"";
    static const char *const ends[] = {"\",\"third\":0}", "\\\"\",\"third\":null}", "\",\"third\":[]}",
                                       "\",\"third\":0", "\",\"th\nrd\":0}"};
    for (size_t first = 0; first < 70; first++) {
        for (size_t second = 0; second < 140; second += 1 + first % 3) {
            for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
                char text[MAX_TEXT];
                size_t len = put(text, 0, start);
                memset(text + len, 'a', first);
                len = put(text, len + first, behind);
                memset(text + len, 'b', second);
                len = put(text, len + second, ends[i]);
                check_object(text, len);
                assert_int_equal(is_value("", text, len, ""), i < 3);
            }
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_piece_is_seen_at_each_place_of_a_block),
        cmocka_unit_test(every_byte_is_seen_at_every_place_of_a_block),
        cmocka_unit_test(strings_of_many_pieces_end_where_they_should),
        cmocka_unit_test(a_string_that_is_cut_off_has_no_end),
        cmocka_unit_test(a_flat_object_is_read_as_any_other),
        cmocka_unit_test(a_flat_object_is_read_wherever_its_blocks_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
