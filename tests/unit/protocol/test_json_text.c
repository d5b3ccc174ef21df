/* Strings there and back. Inputs are copied to heap blocks of exactly their size, so that the sanitizers see
 * a read behind their end. */
#include "protocol/json_text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <cjson/cJSON.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#define TEXT(literal)                  \
    {                                  \
        (literal), sizeof(literal) - 1 \
    }

static long decode(slice raw, char *out, size_t cap)
{
    char *exact = malloc(raw.len);
    assert_true(exact != NULL || raw.len == 0);
    if (raw.len > 0)
        memcpy(exact, raw.data, raw.len);
    long len = json_text_decode((slice){exact, raw.len}, out, cap);
    free(exact);
    return len;
}

static char *encode(slice text, size_t *len)
{
    char *exact = malloc(text.len);
    assert_true(exact != NULL || text.len == 0);
    if (text.len > 0)
        memcpy(exact, text.data, text.len);
    char *json = json_text_encode((slice){exact, text.len}, len);
    free(exact);
    assert_non_null(json);
    assert_int_equal(json[*len], '\0');
    assert_int_equal(strlen(json), *len);
    return json;
}

/* encode, then decode, gives the same bytes. */
static void check_round_trip(slice text)
{
    size_t json_len;
    char *json = encode(text, &json_len);
    assert_int_equal(json[0], '"');
    assert_int_equal(json[json_len - 1], '"');

    char *back = malloc(text.len + 1);
    assert_non_null(back);
    assert_int_equal(decode((slice){json + 1, json_len - 2}, back, text.len), text.len);
    assert_memory_equal(back, text.data, text.len);
    free(back);
    free(json);
}

static const struct {
    slice raw;
    slice text;
} pairs[] = {
    {TEXT(""), TEXT("")},
    {TEXT("a"), TEXT("a")},
    {TEXT("plain text"), TEXT("plain text")},
    {TEXT("\\\"\\\\\\/\\b\\f\\n\\r\\t"), TEXT("\"\\/\b\f\n\r\t")},
    {TEXT("\\u0041\\u00e9\\u20AC\\ud83d\\uDE00"), TEXT("A\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80")},
    {TEXT("\\uDBFF\\uDFFF\\ud800\\udc00"), TEXT("\xf4\x8f\xbf\xbf\xf0\x90\x80\x80")},
    {TEXT("\x7f\\u007f\\u2028\\u2029\xe2\x80\xa8"), TEXT("\x7f\x7f\xe2\x80\xa8\xe2\x80\xa9\xe2\x80\xa8")},
    {TEXT("\\ud7ff\\ue000\\uffff"), TEXT("\xed\x9f\xbf\xee\x80\x80\xef\xbf\xbf")},
    /* NUL: alone, at both ends, side by side, and what only looks like it. */
    {TEXT("\\u0000"), TEXT("\0")},
    {TEXT("\\u0000\\u0000\\u0000"), TEXT("\0\0\0")},
    {TEXT("a\\u0000b"), TEXT("a\0b")},
    {TEXT("\\u0000a\\u0000"), TEXT("\0a\0")},
    {TEXT("\\\\u0000"), TEXT("\\u0000")},
    {TEXT("\\\\\\u0000"), TEXT("\\\0")},
    {TEXT("\\\\\\\\u0000\\u00000"), TEXT("\\\\u0000\0"
                                         "0")},
    {TEXT("\\u0001\\u0010\\u0100\\u1000"), TEXT("\x01\x10\xc4\x80\xe1\x80\x80")},
    {TEXT("\\\"\\u0000\\\""), TEXT("\"\0\"")},
    {TEXT("\\ud83d\\ude00\\u0000\\ud83d\\ude00"), TEXT("\xf0\x9f\x98\x80\0\xf0\x9f\x98\x80")},
};

enum { PAIRS = sizeof(pairs) / sizeof(pairs[0]) };

static void every_escape_becomes_its_character(void **state)
{
    (void)state;
    for (size_t i = 0; i < PAIRS; i++) {
        char out[64];
        assert_int_equal(decode(pairs[i].raw, out, sizeof(out)), pairs[i].text.len);
        assert_memory_equal(out, pairs[i].text.data, pairs[i].text.len);
    }
}

static void what_was_decoded_encodes_to_an_equal_string(void **state)
{
    (void)state;
    for (size_t i = 0; i < PAIRS; i++)
        check_round_trip(pairs[i].text);
}

static void a_text_fits_exactly_or_not_at_all(void **state)
{
    (void)state;
    for (size_t i = 0; i < PAIRS; i++) {
        size_t len = pairs[i].text.len;
        for (size_t cap = 0; cap <= len; cap++) {
            char *out = malloc(cap);
            assert_true(out != NULL || cap == 0);
            assert_int_equal(decode(pairs[i].raw, out, cap), cap < len ? -ENOSPC : (long)len);
            free(out);
        }
    }
}

static void half_a_surrogate_pair_is_refused(void **state)
{
    (void)state;
    static const slice raws[] = {
        TEXT("\\ud83d"),
        TEXT("\\ude00"),
        TEXT("\\ude00\\ud83d"),
        TEXT("\\ud83d\\ud83d\\ude00"),
        TEXT("\\ud83d\\ude00\\ude00"),
        TEXT("\\uD83D\\u0041"),
        TEXT("\\ud83d\\n"),
        TEXT("\\ud83d\\\\ude00"),
        TEXT("\\ud83dxude00"),
        TEXT("abc\\uDBFF"),
        TEXT("\\uDC00abc"),
        TEXT("\\\\\\udfff"),
        TEXT("\\ud83d\\u0000\\ude00"), /* a NUL between them does not join them */
        TEXT("fine\\u0000\\udfff"),
        TEXT("\\ud800\\u0000fine"),
    };
    for (size_t i = 0; i < sizeof(raws) / sizeof(raws[0]); i++) {
        char out[64];
        assert_int_equal(decode(raws[i], out, sizeof(out)), -EINVAL);
    }
}

static void letters_after_an_escaped_backslash_are_no_surrogate(void **state)
{
    (void)state;
    char out[64];
    assert_int_equal(decode((slice)TEXT("\\\\ud83d"), out, sizeof(out)), 6);
    assert_memory_equal(out, "\\ud83d", 6);
}

static void an_encoded_string_holds_only_what_json_allows(void **state)
{
    (void)state;
    char text[128];
    for (size_t i = 0; i < sizeof(text); i++)
        text[i] = (char)i;
    size_t len;
    char *json = encode((slice){text, sizeof(text)}, &len);
    for (size_t i = 0; i < len; i++)
        assert_true((unsigned char)json[i] >= 0x20);
    assert_memory_equal(json, "\"\\u0000\\u0001", 13);
    assert_non_null(strstr(json, "\\b\\t\\n"));
    assert_non_null(strstr(json, "\\\""));
    assert_non_null(strstr(json, "[\\\\]"));
    assert_non_null(strchr(json, 0x7f));
    free(json);
}

/* Most texts need no escape, and do not go through cJSON. */
static void every_character_of_ascii_is_encoded_as_by_cjson(void **state)
{
    (void)state;
    for (int c = 1; c < 0x80; c++) {
        char text[] = {'a', (char)c, 'b', '\0'};
        size_t len;
        char *json = encode((slice){text, 3}, &len);
        cJSON string = {.type = cJSON_String, .valuestring = text};
        char expected[32];
        assert_true(cJSON_PrintPreallocated(&string, expected, sizeof(expected), false));
        assert_string_equal(json, expected);
        free(json);
    }
}

static void an_empty_text_is_two_quotes(void **state)
{
    (void)state;
    size_t len = 0;
    char *json = json_text_encode((slice){NULL, 0}, &len);
    assert_string_equal(json, "\"\"");
    assert_int_equal(len, 2);
    free(json);

    char out[1];
    assert_int_equal(json_text_decode((slice){NULL, 0}, out, sizeof(out)), 0);
    assert_int_equal(json_text_decode((slice){NULL, 0}, out, 0), 0);
}

static size_t put_utf8(char *out, uint32_t c)
{
    if (c < 0x80) {
        out[0] = (char)c;
        return 1;
    }
    size_t len = c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
    static const unsigned char heads[] = {0, 0, 0xC0, 0xE0, 0xF0};
    for (size_t i = len - 1; i > 0; i--, c >>= 6)
        out[i] = (char)(0x80 | (c & 0x3F));
    out[0] = (char)(heads[len] | c);
    return len;
}

static void every_character_of_unicode_survives_the_round_trip(void **state)
{
    (void)state;
    enum { CHUNK = 8192 };
    char *text = malloc(CHUNK);
    assert_non_null(text);
    size_t len = 0;
    for (uint32_t c = 0; c <= 0x10FFFF; c++) {
        if (c >= 0xD800 && c <= 0xDFFF)
            continue;
        len += put_utf8(text + len, c);
        if (len > CHUNK - 4 || c == 0x10FFFF) {
            check_round_trip((slice){text, len});
            len = 0;
        }
    }
    free(text);
}

static void every_escape_of_four_digits_is_decoded(void **state)
{
    (void)state;
    for (unsigned c = 0; c <= 0xFFFF; c++) {
        if (c >= 0xD800 && c <= 0xDFFF)
            continue;
        char raw[8], out[4], expected[4];
        snprintf(raw, sizeof(raw), c & 1 ? "\\u%04x" : "\\u%04X", c);
        size_t len = put_utf8(expected, c);
        assert_int_equal(json_text_decode((slice){raw, 6}, out, sizeof(out)), len);
        assert_memory_equal(out, expected, len);
    }
}

static void a_long_text_of_the_longest_escapes_is_encoded(void **state)
{
    (void)state;
    for (size_t len = 4000; len <= 4096; len += 32) {
        char *text = malloc(len);
        assert_non_null(text);
        memset(text, 0x1f, len);
        check_round_trip((slice){text, len});
        memset(text, 0, len);
        check_round_trip((slice){text, len});
        text[len / 2] = 'x';
        check_round_trip((slice){text, len});
        free(text);
    }
}

static void *refuse(size_t size)
{
    (void)size;
    return NULL;
}

static void a_lack_of_memory_is_told_from_a_broken_string(void **state)
{
    (void)state;
    cJSON_Hooks hooks = {.malloc_fn = refuse, .free_fn = free};
    cJSON_InitHooks(&hooks);
    char out[16];
    long fine = json_text_decode((slice)TEXT("\\n\\ud83d\\ude00\\\\ude00"), out, sizeof(out));
    long broken = json_text_decode((slice)TEXT("\\n\\ud83d"), out, sizeof(out));
    cJSON_InitHooks(NULL);
    assert_int_equal(fine, -ENOMEM);
    assert_int_equal(broken, -EINVAL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_escape_becomes_its_character),
        cmocka_unit_test(what_was_decoded_encodes_to_an_equal_string),
        cmocka_unit_test(a_text_fits_exactly_or_not_at_all),
        cmocka_unit_test(half_a_surrogate_pair_is_refused),
        cmocka_unit_test(letters_after_an_escaped_backslash_are_no_surrogate),
        cmocka_unit_test(an_encoded_string_holds_only_what_json_allows),
        cmocka_unit_test(every_character_of_ascii_is_encoded_as_by_cjson),
        cmocka_unit_test(an_empty_text_is_two_quotes),
        cmocka_unit_test(every_character_of_unicode_survives_the_round_trip),
        cmocka_unit_test(every_escape_of_four_digits_is_decoded),
        cmocka_unit_test(a_long_text_of_the_longest_escapes_is_encoded),
        cmocka_unit_test(a_lack_of_memory_is_told_from_a_broken_string),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
