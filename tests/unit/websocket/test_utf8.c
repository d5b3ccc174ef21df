/* The validator is held against a plain decoder that computes code points (RFC 3629, 3), over every code
 * point and every short sequence that could go wrong, and is fed in every cut. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "websocket/utf8.h"

#include <stdlib.h>
#include <string.h>

#define LENGTH_OF(array) (sizeof(array) / sizeof((array)[0]))

static bool is_valid(const uint8_t *data, size_t len)
{
    utf8_state state = {0};
    return utf8_check(&state, data, len) && utf8_is_complete(&state);
}

static size_t encode(uint32_t code_point, uint8_t out[4])
{
    if (code_point < 0x80) {
        out[0] = (uint8_t)code_point;
        return 1;
    }
    size_t len = code_point < 0x800 ? 2 : code_point < 0x10000 ? 3 : 4;
    static const uint8_t begins[] = {0, 0, 0xC0, 0xE0, 0xF0};
    for (size_t i = len - 1; i > 0; i--) {
        out[i] = (uint8_t)(0x80 | (code_point & 0x3F));
        code_point >>= 6;
    }
    out[0] = (uint8_t)(begins[len] | code_point);
    return len;
}

/* Is this exactly one character? By the way back: what decodes and encodes to itself is one. */
static bool is_one_character(const uint8_t *data, size_t len)
{
    uint32_t code_point = len == 1 ? data[0] : data[0] & (0xFFu >> (len + 1));
    for (size_t i = 1; i < len; i++)
        code_point = code_point << 6 | (data[i] & 0x3F);

    uint8_t again[4];
    bool is_scalar = code_point <= 0x10FFFF && (code_point < 0xD800 || code_point > 0xDFFF);
    return is_scalar && encode(code_point, again) == len && memcmp(again, data, len) == 0;
}

static void no_bytes_at_all_are_complete_text(void **unused)
{
    (void)unused;
    utf8_state state = {0};
    assert_true(utf8_check(&state, NULL, 0));
    assert_true(utf8_is_complete(&state));
}

static void every_code_point_is_accepted_but_surrogates(void **unused)
{
    (void)unused;
    for (uint32_t code_point = 0; code_point <= 0x10FFFF; code_point++) {
        uint8_t bytes[4];
        size_t len = encode(code_point, bytes);
        bool is_surrogate = code_point >= 0xD800 && code_point <= 0xDFFF;
        if (is_valid(bytes, len) == is_surrogate)
            fail_msg("U+%04X is judged wrong", (unsigned)code_point);
    }
}

static void every_two_bytes_are_judged_like_a_decoder_does(void **unused)
{
    (void)unused;
    for (unsigned pair = 0; pair <= 0xFFFF; pair++) {
        const uint8_t bytes[] = {(uint8_t)(pair >> 8), (uint8_t)pair};
        bool are_two = is_one_character(bytes, 1) && is_one_character(bytes + 1, 1);
        if (is_valid(bytes, 2) != (are_two || is_one_character(bytes, 2)))
            fail_msg("%02X %02X is judged wrong", bytes[0], bytes[1]);
    }
}

static void every_begin_with_edges_behind_it_is_judged_like_a_decoder_does(void **unused)
{
    (void)unused;
    static const uint8_t edges[] = {0x00, 0x7F, 0x80, 0x8F, 0x90, 0x9F, 0xA0, 0xBF, 0xC0, 0xFF};

    for (unsigned first = 0x80; first <= 0xFF; first++) {
        for (unsigned second = 0; second <= 0xFF; second++) {
            for (size_t i = 0; i < LENGTH_OF(edges) * LENGTH_OF(edges); i++) {
                const uint8_t bytes[] = {(uint8_t)first, (uint8_t)second, edges[i / LENGTH_OF(edges)],
                                         edges[i % LENGTH_OF(edges)]};
                bool two_and_two = is_one_character(bytes, 2) &&
                                   (is_one_character(bytes + 2, 2) ||
                                    (is_one_character(bytes + 2, 1) && is_one_character(bytes + 3, 1)));
                bool three_and_one = is_one_character(bytes, 3) && is_one_character(bytes + 3, 1);
                bool expected = is_one_character(bytes, 4) || three_and_one || two_and_two;
                if (is_valid(bytes, 4) != expected)
                    fail_msg("%02X %02X %02X %02X is judged wrong", bytes[0], bytes[1], bytes[2], bytes[3]);
            }
        }
    }
}

static void a_fault_is_seen_at_the_first_byte_that_can_not_stand_there(void **unused)
{
    (void)unused;
    static const struct {
        const char *bytes;
        size_t good; /* bytes before the offending one */
    } cases[] = {
        {"\x80", 0},             /* a continuation without a begin */
        {"\xC0\x80", 0},         /* over-long NUL */
        {"\xC1\xBF", 0},         /* over-long DEL */
        {"\xE0\x9F\xBF", 1},     /* over-long U+07FF */
        {"\xF0\x8F\xBF\xBF", 1}, /* over-long U+FFFF */
        {"\xED\xA0\x80", 1},     /* the first surrogate */
        {"\xF4\x90\x80\x80", 1}, /* U+110000 */
        {"\xF5\x80\x80\x80", 0}, /* above all planes */
        {"\xFF", 0},             /* never in UTF-8 */
        {"\xE2\x82!", 2},        /* ASCII inside a character */
        {"\xF0\x9F\x98\xC3", 3}, /* a begin inside a character */
        {"ab\xC3\xA4\xA4", 4},   /* one continuation too many */
    };

    for (size_t i = 0; i < LENGTH_OF(cases); i++) {
        const uint8_t *bytes = (const uint8_t *)cases[i].bytes;
        utf8_state state = {0};
        assert_true(utf8_check(&state, bytes, cases[i].good));
        assert_false(utf8_check(&state, bytes + cases[i].good, 1));
        assert_false(is_valid(bytes, strlen(cases[i].bytes)));
    }
}

static void text_that_ends_within_a_character_is_not_complete(void **unused)
{
    (void)unused;
    static const char *const characters[] = {"\xC3\xA4", "\xE2\x82\xAC", "\xF0\x9F\x98\x80"};

    for (size_t i = 0; i < LENGTH_OF(characters); i++) {
        utf8_state state = {0};
        size_t len = strlen(characters[i]);
        for (size_t at = 0; at < len; at++) {
            assert_true(utf8_check(&state, (const uint8_t *)characters[i] + at, 1));
            assert_int_equal(state.needed, len - 1 - at);
            assert_int_equal(utf8_is_complete(&state), at == len - 1);
        }
    }
}

static void a_text_in_two_or_three_parts_is_the_same_text(void **unused)
{
    (void)unused;
    static const char text[] = "plain text, long enough for words: \xC3\xA4\xE2\x82\xAC "
                               "12345678\xF0\x9F\x98\x80"
                               "1234567\xED\x9F\xBF\xEE\x80\x80\xF4\x8F\xBF\xBF the end";
    const uint8_t *bytes = (const uint8_t *)text;
    size_t len = sizeof(text) - 1;

    for (size_t a = 0; a <= len; a++) {
        for (size_t b = a; b <= len; b++) {
            utf8_state state = {0};
            assert_true(utf8_check(&state, bytes, a));
            assert_true(utf8_check(&state, bytes + a, b - a));
            assert_true(utf8_check(&state, bytes + b, len - b));
            assert_true(utf8_is_complete(&state));
        }
    }
}

/* ASCII is skipped in steps: each byte must be seen at each place of a step, and behind the last. The text
 * lies at the end of a block of its own, so that the sanitizers see a read behind it. */
static void a_bad_byte_is_found_wherever_it_hides_in_ascii(void **unused)
{
    (void)unused;
    enum { LONGEST = 75 };

    for (size_t len = 1; len <= LONGEST; len++) {
        uint8_t *bytes = malloc(len);
        assert_non_null(bytes);
        memset(bytes, 'x', len);
        assert_true(is_valid(bytes, len));
        for (size_t at = 0; at < len; at++) {
            bytes[at] = 0x80;
            assert_false(is_valid(bytes, len));
            bytes[at] = 'x';
        }
        free(bytes);
    }
}

static void a_character_is_read_wherever_it_stands_in_ascii(void **unused)
{
    (void)unused;
    enum { LONGEST = 75 };

    for (size_t len = 4; len <= LONGEST; len++) {
        for (size_t at = 0; at + 4 <= len; at++) {
            uint8_t bytes[LONGEST];
            memset(bytes, 'x', len);
            memcpy(bytes + at, "\xF0\x9F\x98\x80", 4);
            assert_true(is_valid(bytes, len));
            utf8_state cut = {0};
            assert_true(utf8_check(&cut, bytes, at + 3));
            assert_false(utf8_is_complete(&cut));
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_bytes_at_all_are_complete_text),
        cmocka_unit_test(every_code_point_is_accepted_but_surrogates),
        cmocka_unit_test(every_two_bytes_are_judged_like_a_decoder_does),
        cmocka_unit_test(every_begin_with_edges_behind_it_is_judged_like_a_decoder_does),
        cmocka_unit_test(a_fault_is_seen_at_the_first_byte_that_can_not_stand_there),
        cmocka_unit_test(text_that_ends_within_a_character_is_not_complete),
        cmocka_unit_test(a_text_in_two_or_three_parts_is_the_same_text),
        cmocka_unit_test(a_bad_byte_is_found_wherever_it_hides_in_ascii),
        cmocka_unit_test(a_character_is_read_wherever_it_stands_in_ascii),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
