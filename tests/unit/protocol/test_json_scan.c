/* What the scanner tells about valid objects, and that it refuses everything else. Every text is scanned from
 * a heap block of exactly its size, so that the sanitizers see a read behind its end. */
#include "protocol/json_scan.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

enum { MAX_TOLD = 16, MAX_TEXT = 128 };

/* What a pass told of one member, copied, since the text is gone when a test looks. */
typedef struct told_member {
    char key[MAX_TEXT];
    char value[MAX_TEXT];
    json_type type;
    bool key_has_escapes;
    bool value_has_escapes;
} told_member;

typedef struct told {
    size_t count;
    told_member members[MAX_TOLD];
} told;

static void copy_text(char out[MAX_TEXT], slice text)
{
    assert_true(text.len < MAX_TEXT);
    memcpy(out, text.data, text.len);
    out[text.len] = '\0';
}

static void remember(told *t, const json_member *member)
{
    assert_true(t->count < MAX_TOLD);
    told_member *m = &t->members[t->count++];
    copy_text(m->key, member->key);
    copy_text(m->value, member->value);
    m->type = member->type;
    m->key_has_escapes = member->key_has_escapes;
    m->value_has_escapes = member->value_has_escapes;
}

/* Go over the whole text; without `t` nobody remembers what it tells. */
static int scan_all(slice text, told *t)
{
    json_scan pass = {.rest = text};
    json_member member;
    int result;
    while ((result = json_scan_next(&pass, &member)) > 0) {
        if (t != NULL)
            remember(t, &member);
    }
    return result;
}

static int scan_bytes(const char *text, size_t len, told *t)
{
    char *exact = malloc(len);
    assert_true(exact != NULL || len == 0);
    if (len > 0)
        memcpy(exact, text, len);
    int status = scan_all((slice){exact, len}, t);
    free(exact);
    return status;
}

static int scan(const char *text, told *t)
{
    return scan_bytes(text, strlen(text), t);
}

static void check_verdict(const char *text, int expected)
{
    int status = scan(text, NULL);
    if (status != expected)
        fail_msg("%s: %d", text, status);
}

/* The same value as a member, in an array, in an object in an array, and with blanks around. */
static void check_value(const char *value, int expected)
{
    static const char *const places[] = {"{\"k\":%s}", "{\"k\":[%s]}", "{\"k\":[1,{\"n\":%s,\"m\":[]}]}",
                                         " { \"k\" : %s } "};
    for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
        char text[256];
        size_t before = (size_t)(strstr(places[i], "%s") - places[i]);
        memcpy(text, places[i], before);
        snprintf(text + before, sizeof(text) - before, "%s%s", value, places[i] + before + 2);
        check_verdict(text, expected);
    }
}

static void nothing_and_blanks_are_no_object(void **state)
{
    (void)state;
    assert_int_equal(scan_all((slice){NULL, 0}, NULL), -EINVAL);
    check_verdict("", -EINVAL);
    check_verdict(" \t\r\n", -EINVAL);
}

static void an_empty_object_has_no_members(void **state)
{
    (void)state;
    told t = {0};
    assert_int_equal(scan("{}", &t), 0);
    assert_int_equal(scan(" \t\r\n{ \t\r\n} \t\r\n", &t), 0);
    assert_int_equal(t.count, 0);
}

static void every_member_is_told_with_its_raw_text_and_type(void **state)
{
    (void)state;
    static const struct {
        const char *key;
        const char *value;
        json_type type;
    } expected[] = {
        {"null", "null", JSON_NULL},
        {"false", "false", JSON_FALSE},
        {"true", "true", JSON_TRUE},
        {"number", "-1.50e+3", JSON_NUMBER},
        {"", "\"text\"", JSON_STRING},
        {"object", "{ \"a\" : [ { } , 1 ] }", JSON_OBJECT},
        {"array", "[ [ ] , { \"b\" : 2 } ]", JSON_ARRAY},
        {"empty", "\"\"", JSON_STRING},
    };
    told t = {0};
    assert_int_equal(
        scan("{\"null\" : null , \"false\":false,\"true\":true,\"number\" :\n-1.50e+3\t,\"\":\"text\",\r"
             "\"object\": { \"a\" : [ { } , 1 ] } , \"array\":[ [ ] , { \"b\" : 2 } ],\"empty\":\"\"}",
             &t),
        0);
    assert_int_equal(t.count, sizeof(expected) / sizeof(expected[0]));
    for (size_t i = 0; i < t.count; i++) {
        assert_string_equal(t.members[i].key, expected[i].key);
        assert_string_equal(t.members[i].value, expected[i].value);
        assert_int_equal(t.members[i].type, expected[i].type);
        assert_false(t.members[i].key_has_escapes);
        assert_false(t.members[i].value_has_escapes);
    }
}

static void escapes_are_noted_where_they_stand(void **state)
{
    (void)state;
    told t = {0};
    assert_int_equal(
        scan("{\"\\u0061\":\"plain\",\"plain\":\"\\\"\",\"b\":{\"\\n\":\"\\n\"},\"c\":\"d\"}", &t), 0);
    assert_int_equal(t.count, 4);
    assert_string_equal(t.members[0].key, "\\u0061");
    assert_true(t.members[0].key_has_escapes);
    assert_false(t.members[0].value_has_escapes);
    assert_false(t.members[1].key_has_escapes);
    assert_true(t.members[1].value_has_escapes);
    assert_string_equal(t.members[1].value, "\"\\\"\"");
    assert_false(t.members[2].value_has_escapes); /* told for strings only */
    assert_false(t.members[3].key_has_escapes);
    assert_false(t.members[3].value_has_escapes);
}

static void duplicates_are_told_in_order(void **state)
{
    (void)state;
    told t = {0};
    assert_int_equal(scan("{\"a\":1,\"b\":2,\"a\":3}", &t), 0);
    assert_int_equal(t.count, 3);
    assert_string_equal(t.members[0].value, "1");
    assert_string_equal(t.members[2].key, "a");
    assert_string_equal(t.members[2].value, "3");
}

static void members_before_a_fault_have_been_told(void **state)
{
    (void)state;
    told t = {0};
    assert_int_equal(scan("{\"a\":1,\"b\":?}", &t), -EINVAL);
    assert_int_equal(t.count, 1);
    assert_string_equal(t.members[0].key, "a");
}

static void every_form_of_the_grammar_is_accepted(void **state)
{
    (void)state;
    static const char *const values[] = {
        "0",
        "-0",
        "7",
        "10",
        "-120",
        "0.0",
        "0.10",
        "1e0",
        "1E9",
        "1e+07",
        "0e-1",
        "12.5E-3",
        "-1.0e+999",
        "123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890",
        "\"\"",
        "\" \"",
        "\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"",
        "\"\\u0000\"",
        "\"\\uABCD\\uabcd\\u0123\"",
        "\"\\ud800\"",
        "\"\\udfff\\ud800\"",
        "\"\x7f\"",
        "\"\xc2\x85\xe2\x80\xa8\xf0\x9f\x98\x80\"",
        "\"\\\\u00\"",
        "[]",
        "{}",
        "[[]]",
        "[{},[]]",
        "{\"\":{}}",
        "[null,true,false,0,\"\",[],{}]",
        "{\"a\":1,\"a\":[2,3]}",
    };
    for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++)
        check_value(values[i], 0);
}

static void whatever_is_not_in_the_grammar_is_refused(void **state)
{
    (void)state;
    static const char *const values[] = {
        "-",
        "+1",
        "00",
        "01",
        "-01",
        "1.",
        ".5",
        "-.5",
        "1.e3",
        "1e",
        "1e+",
        "1e-",
        "1e+-1",
        "1e1.5",
        "0x10",
        "1 2",
        "Infinity",
        "-Infinity",
        "NaN",
        "--1",
        "1-",
        "1_000",
        "nul",
        "nulll",
        "Null",
        "tru",
        "truee",
        "fals",
        "falsee",
        "undefined",
        "'a'",
        "a",
        "\"",
        "\"\\\"",
        "\"\\\"}",
        "\"\\x41\"",
        "\"\\a\"",
        "\"\\0\"",
        "\"\\'\"",
        "\"\\U0041\"",
        "\"\\u\"",
        "\"\\u1\"",
        "\"\\u12\"",
        "\"\\u123\"",
        "\"\\u123g\"",
        "\"\\u123G\"",
        "\"\\u/123\"",
        "\"\\u:123\"",
        "\"\\u@123\"",
        "\"\\u`123\"",
        "\"\\u 123\"",
        "\"\\u12\\u1234\"",
        "\"\n\"",
        "\"\t\"",
        "\"\x1f\"",
        "\"a\" \"b\"",
        "[",
        "]",
        "{",
        "[}",
        "{]",
        "[1,]",
        "[,1]",
        "[,]",
        "[1 2]",
        "[1;2]",
        "[1,,2]",
        "{\"a\"}",
        "{\"a\":}",
        "{\"a\":1,}",
        "{,}",
        "{,\"a\":1}",
        "{a:1}",
        "{1:1}",
        "{\"a\" 1}",
        "{\"a\"::1}",
        "{\"a\":1 \"b\":2}",
        "{\"a\":1;\"b\":2}",
        "{null:1}",
        "{\"a\":1:2}",
        "{[]:1}",
        "[\"a\":1]",
        "// c\n1",
        "/**/1",
        "1/**/",
        "\xc2\xa0"
        "1",
        "\f1",
        "\v1",
        "\xef\xbb\xbf"
        "1",
    };
    for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++)
        check_value(values[i], -EINVAL);
}

static void only_an_object_may_stand_at_the_top(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "null",
        "true",
        "1",
        "\"a\"",
        "[]",
        "[{}]",
        "\"{}\"",
        "{}{}",
        "{},",
        "{} x",
        "{}1",
        "{}}",
        "{}]",
        "}",
        "x{}",
        ",{}",
        "{",
        "{]",
        "(}",
        "{,}",
        "{\"a\":1,}",
        "{,\"a\":1}",
        "{\"a\"}",
        "{\"a\",1}",
        "{\"a\":1]",
        "{\"a\":1,\"b\"}",
        "{\"a\":1\"b\":2}",
        "\xef\xbb\xbf{}",
        "{}\xef\xbb\xbf",
        "\xff\xfe{}",
    };
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
        check_verdict(texts[i], -EINVAL);
}

static void no_text_cut_short_is_valid(void **state)
{
    (void)state;
    static const char text[] =
        " {\"type\":\"offer\",\"n\":[-1.25e+10,0,[true,false,null,[]],{\"\\u00e9\\n\":{}}],"
        "\"sdp\":\"v=0\\r\\no=- 1 2 IN IP4 127.0.0.1\\r\\n\xc3\xa9\"}";
    size_t len = sizeof(text) - 1;
    for (size_t cut = 0; cut < len; cut++) {
        assert_int_equal(scan_bytes(text, cut, NULL), -EINVAL);
        assert_int_equal(scan_bytes(text + 2 + cut, len - 2 - cut < len ? len - 2 - cut : 0, NULL), -EINVAL);
    }
    assert_int_equal(scan_bytes(text, len, NULL), 0);
}

/* The bytes of a string are read in steps of up to sixteen: each must be seen at each place of a step, and
 * behind the last. */
static void every_byte_is_seen_at_every_place_of_a_string(void **state)
{
    (void)state;
    for (size_t len = 1; len <= 36; len++) {
        for (size_t at = 0; at < len; at++) {
            for (unsigned byte = 0; byte < 256; byte++) {
                char text[64] = "{\"k\":\"";
                size_t start = strlen(text);
                memset(text + start, 'x', len);
                text[start + at] = (char)byte;
                memcpy(text + start + len, "\"}", 2);
                /* A backslash before x is no escape, but before the closing quote it is: then the string has
                 * no end. */
                bool is_plain = byte >= 0x20 && byte != '"' && byte != '\\';
                assert_int_equal(scan_bytes(text, start + len + 2, NULL), is_plain ? 0 : -EINVAL);
            }
        }
    }
}

/* Of neighbours that both end a run of plain bytes the first one counts. */
static void the_first_of_two_special_bytes_is_seen(void **state)
{
    (void)state;
    static const char *const specials[] = {"\\\"", "\\\\", "\\n", "\\u0022", "\x7f",
                                           "\xff", " ",    "!",   "#",       "]"};
    enum { SPECIALS = sizeof(specials) / sizeof(specials[0]) };
    for (size_t before = 0; before <= 17; before++) {
        for (size_t pair = 0; pair < (size_t)SPECIALS * SPECIALS; pair++) {
            char text[64];
            int len = snprintf(text, sizeof(text), "{\"k\":\"%.*s%s%s\",\"l\":\"\"}", (int)before,
                               "aaaaaaaaaaaaaaaaa", specials[pair / SPECIALS], specials[pair % SPECIALS]);
            told t = {0};
            assert_int_equal(scan_bytes(text, (size_t)len, &t), 0);
            assert_int_equal(t.count, 2);
            assert_int_equal(strlen(t.members[0].value), (size_t)len - strlen("{\"k\":,\"l\":\"\"}"));
        }
    }
}

/* Texts that stop within each construct, at each place of a step: as they are, and with a last bracket that
 * looks like the end of the object at the top. */
static void nothing_behind_the_text_is_read(void **state)
{
    (void)state;
    static const char *const ends[] = {
        "\"",        "\"a",     "\"a\\",    "\"a\\u",  "\"a\\u00", "\"a\\u000", "\"a\\u0000",     "\"a\"",
        "\"a\" ",    "\"a\":",  "\"a\":1",  "\"a\":-", "\"a\":1.", "\"a\":1e",  "\"a\":1e+",      "\"a\":n",
        "\"a\":nul", "\"a\":t", "\"a\":fa", "\"a\":[", "\"a\":{",  "\"a\":[{",  "\"a\":{\"b\":{", "\"a\":[1,",
        "\"a\":1,",  "",        " ",
    };
    for (size_t padding = 0; padding <= 34; padding++) {
        for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
            char text[128];
            int len = snprintf(text, sizeof(text), "{\"%.*s\":0,%s", (int)padding,
                               "pppppppppppppppppppppppppppppppppp", ends[i]);
            assert_int_equal(scan_bytes(text, (size_t)len, NULL), -EINVAL);
            text[len++] = '}';
            bool is_whole = strcmp(ends[i], "\"a\":1") == 0;
            assert_int_equal(scan_bytes(text, (size_t)len, NULL), is_whole ? 0 : -EINVAL);
            text[len++] = '\n';
            assert_int_equal(scan_bytes(text, (size_t)len, NULL), is_whole ? 0 : -EINVAL);
        }
    }
}

static void an_escape_is_read_at_every_place_of_a_string(void **state)
{
    (void)state;
    for (size_t before = 0; before <= 17; before++) {
        for (size_t behind = 0; behind <= 17; behind++) {
            char text[64];
            int len =
                snprintf(text, sizeof(text), "{\"k\":\"%.*s\\\"%.*s\"}", (int)before, "aaaaaaaaaaaaaaaaa",
                         (int)behind, "\xc2\x80\xc2\x80\xc2\x80\xc2\x80\xc2\x80\xc2\x80\xc2\x80\xc2\x80 ");
            told t = {0};
            assert_int_equal(scan_bytes(text, (size_t)len, &t), 0);
            assert_true(t.members[0].value_has_escapes);
            assert_int_equal(strlen(t.members[0].value), before + behind + 4);
        }
    }
}

static void only_four_bytes_are_blanks(void **state)
{
    (void)state;
    static const char *const parts[] = {"", "{", "\"a\"", ":", "[", "1", ",", "2", "]", "}", ""};
    enum { PARTS = sizeof(parts) / sizeof(parts[0]) };
    for (size_t gap = 0; gap + 1 < PARTS; gap++) {
        for (unsigned byte = 0; byte < 256; byte++) {
            if (byte >= '0' && byte <= '9')
                continue; /* a digit beside a digit is no blank, but it is valid */
            char text[64];
            size_t len = 0;
            for (size_t i = 0; i < PARTS; i++) {
                memcpy(text + len, parts[i], strlen(parts[i]));
                len += strlen(parts[i]);
                if (i == gap)
                    text[len++] = (char)byte;
            }
            bool is_blank = byte == ' ' || byte == '\t' || byte == '\r' || byte == '\n';
            bool is_sign = byte == '-' && (gap == 4 || gap == 6); /* before 1 and before 2 */
            assert_int_equal(scan_bytes(text, len, NULL), is_blank || is_sign ? 0 : -EINVAL);
        }
    }
}

/* An object with `levels` levels in all; the nested ones are arrays and objects by the bits of `pattern`, in
 * turn. */
static char *nest(unsigned levels, uint32_t pattern, size_t *len)
{
    char *text = malloc(levels * 6 + 16);
    assert_non_null(text);
    char *at = text + sprintf(text, "{\"k\":");
    for (unsigned i = 1; i < levels; i++)
        at += sprintf(at, "%s", pattern >> i % 32 & 1 ? "{\"\":" : "[");
    *at++ = '0';
    for (unsigned i = levels - 1; i >= 1; i--)
        *at++ = pattern >> i % 32 & 1 ? '}' : ']';
    *at++ = '}';
    *len = (size_t)(at - text);
    return text;
}

static void the_deepest_text_is_accepted_and_one_level_more_is_not(void **state)
{
    (void)state;
    static const uint32_t patterns[] = {0, UINT32_MAX, 0x55555555, 0xDEADBEEF, 0x00FF0F33};
    for (size_t i = 0; i < sizeof(patterns) / sizeof(patterns[0]); i++) {
        for (unsigned levels = JSON_MAX_DEPTH - 1; levels <= JSON_MAX_DEPTH + 1; levels++) {
            size_t len;
            char *text = nest(levels, patterns[i], &len);
            assert_int_equal(scan_bytes(text, len, NULL), levels <= JSON_MAX_DEPTH ? 0 : -EINVAL);
            free(text);
        }
    }
}

static void a_container_is_closed_by_its_own_bracket_at_every_level(void **state)
{
    (void)state;
    size_t len;
    char *text = nest(200, 0x6B3A95C1, &len);
    for (size_t at = len - 200; at < len; at++) {
        char right = text[at];
        text[at] = right == '}' ? ']' : '}';
        assert_int_equal(scan_bytes(text, len, NULL), -EINVAL);
        text[at] = right;
    }
    assert_int_equal(scan_bytes(text, len, NULL), 0);
    free(text);
}

static void siblings_do_not_count_as_depth(void **state)
{
    (void)state;
    enum { SIBLINGS = 2 * JSON_MAX_DEPTH };
    char *text = malloc(SIBLINGS * 6 + 32);
    assert_non_null(text);
    char *at = text + sprintf(text, "{\"k\":[");
    for (int i = 0; i < SIBLINGS; i++)
        at += sprintf(at, "[{}],");
    sprintf(at - 1, "]}");
    assert_int_equal(scan(text, NULL), 0);
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_and_blanks_are_no_object),
        cmocka_unit_test(an_empty_object_has_no_members),
        cmocka_unit_test(every_member_is_told_with_its_raw_text_and_type),
        cmocka_unit_test(escapes_are_noted_where_they_stand),
        cmocka_unit_test(duplicates_are_told_in_order),
        cmocka_unit_test(members_before_a_fault_have_been_told),
        cmocka_unit_test(every_form_of_the_grammar_is_accepted),
        cmocka_unit_test(whatever_is_not_in_the_grammar_is_refused),
        cmocka_unit_test(only_an_object_may_stand_at_the_top),
        cmocka_unit_test(no_text_cut_short_is_valid),
        cmocka_unit_test(every_byte_is_seen_at_every_place_of_a_string),
        cmocka_unit_test(the_first_of_two_special_bytes_is_seen),
        cmocka_unit_test(nothing_behind_the_text_is_read),
        cmocka_unit_test(an_escape_is_read_at_every_place_of_a_string),
        cmocka_unit_test(only_four_bytes_are_blanks),
        cmocka_unit_test(the_deepest_text_is_accepted_and_one_level_more_is_not),
        cmocka_unit_test(a_container_is_closed_by_its_own_bracket_at_every_level),
        cmocka_unit_test(siblings_do_not_count_as_depth),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
