/* What counts as a message, what it holds then, and how the server's own messages look. Every text is decoded
 * from a heap block of exactly its size, so that the sanitizers see a read behind its end. */
#include "dialect_1/message_1.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <cjson/cJSON.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

enum { MAX_NAME_BYTES = 512, MAX_TEXT_BYTES = 64 * 1024 };

/* A text and the message decoded from it, which points into it. */
typedef struct decoded {
    char *text; /* owned */
    message message;
} decoded;

static int set_up(void **state)
{
    decoded *d = calloc(1, sizeof(*d));
    *state = d;
    return d == NULL ? -1 : 0;
}

static int tear_down(void **state)
{
    decoded *d = *state;
    free(d->text);
    free(d);
    return 0;
}

static int decode_bytes(decoded *d, const char *text, size_t len)
{
    free(d->text);
    d->text = malloc(len);
    assert_true(d->text != NULL || len == 0);
    if (len > 0)
        memcpy(d->text, text, len);
    memset(&d->message, 0xA5, sizeof(d->message)); /* nothing is right by luck */
    return message_decode((slice){d->text, len}, MAX_NAME_BYTES, &d->message);
}

static int decode(decoded *d, const char *text)
{
    return decode_bytes(d, text, strlen(text));
}

static void check_slice(slice actual, const char *expected)
{
    if (!slice_equals(actual, slice_of_text(expected)))
        fail_msg("\"%.*s\" is not \"%s\"", (int)actual.len, actual.data, expected);
}

/* The text is a message with these parts; "" = not given. */
static void check_message(decoded *d, const char *text, message_type type, const char *room, const char *user,
                          const char *payload)
{
    int status = decode(d, text);
    if (status != 0)
        fail_msg("%s: %d", text, status);
    assert_int_equal(d->message.type, type);
    check_slice(d->message.room, room);
    check_slice(d->message.user, user);
    check_slice(type == MESSAGE_ERROR ? d->message.text : d->message.payload, payload);
    assert_int_equal((type == MESSAGE_ERROR ? d->message.payload : d->message.text).len, 0);
}

static void check_invalid(decoded *d, const char *text)
{
    int status = decode(d, text);
    if (status != -EINVAL)
        fail_msg("%s: %d", text, status);
}

static void every_type_is_decoded_with_its_fields(void **state)
{
    decoded *d = *state;
    check_message(d, "{\"type\":\"join\",\"room\":\"r\",\"user\":\"u\"}", MESSAGE_JOIN, "r", "u", "");
    check_message(d, "{\"type\":\"leave\",\"room\":\"r\",\"user\":\"u\"}", MESSAGE_LEAVE, "r", "u", "");
    check_message(d, "{\"type\":\"offer\",\"room\":\"r\",\"from\":\"u\",\"sdp\":\"v=0\\r\\n\"}",
                  MESSAGE_OFFER, "r", "", "\"v=0\\r\\n\"");
    check_message(
        d, "{\"type\":\"answer\",\"room\":\"r\",\"from\":\"u\",\"sdp\":{\"type\":\"answer\" , \"sdp\":\"\"}}",
        MESSAGE_ANSWER, "r", "", "{\"type\":\"answer\" , \"sdp\":\"\"}");
    check_message(d,
                  "{\"type\":\"candidate\",\"room\":\"r\",\"from\":\"u\",\"candidate\": { \"a\" : [ 1 ] } }",
                  MESSAGE_CANDIDATE, "r", "", "{ \"a\" : [ 1 ] }");
    check_message(d, "{\"type\":\"error\",\"message\":\"no \\\"camera\\\"\"}", MESSAGE_ERROR, "", "",
                  "\"no \\\"camera\\\"\"");
}

static void what_is_optional_may_be_absent_or_null(void **state)
{
    decoded *d = *state;
    check_message(d, "{\"type\":\"leave\"}", MESSAGE_LEAVE, "", "", "");
    check_message(d, "{\"type\":\"leave\",\"user\":\"u\"}", MESSAGE_LEAVE, "", "u", "");
    check_message(d, "{\"type\":\"leave\",\"room\":null,\"user\":null}", MESSAGE_LEAVE, "", "", "");
    check_message(d, "{\"type\":\"offer\",\"sdp\":\"s\"}", MESSAGE_OFFER, "", "", "\"s\"");
    check_message(d, "{\"sdp\":\"s\",\"type\":\"answer\",\"from\":null,\"room\":null}", MESSAGE_ANSWER, "",
                  "", "\"s\"");
    check_message(d, "{\"candidate\":null,\"type\":\"candidate\"}", MESSAGE_CANDIDATE, "", "", "null");
}

static void what_is_required_must_be_there(void **state)
{
    decoded *d = *state;
    static const char *const texts[] = {
        "{}",
        "{\"room\":\"r\",\"user\":\"u\"}",
        "{\"type\":\"join\"}",
        "{\"type\":\"join\",\"room\":\"r\"}",
        "{\"type\":\"join\",\"user\":\"u\"}",
        "{\"type\":\"join\",\"room\":\"r\",\"user\":null}",
        "{\"type\":\"join\",\"room\":null,\"user\":\"u\"}",
        "{\"type\":\"join\",\"room\":\"r\",\"from\":\"u\"}",
        "{\"type\":\"join\",\"room\":\"r\",\"User\":\"u\"}",
        "{\"type\":\"offer\"}",
        "{\"type\":\"offer\",\"sdp\":null}",
        "{\"type\":\"offer\",\"candidate\":\"c\"}",
        "{\"type\":\"answer\",\"room\":\"r\"}",
        "{\"type\":\"candidate\"}",
        "{\"type\":\"candidate\",\"sdp\":\"s\"}",
        "{\"type\":\"error\"}",
        "{\"type\":\"error\",\"message\":null}",
    };
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
        check_invalid(d, texts[i]);
}

static void an_unknown_type_is_invalid(void **state)
{
    decoded *d = *state;
    static const char *const types[] = {
        "\"\"",
        "\"Join\"",
        "\"joi\"",
        "\"joinn\"",
        "\" join\"",
        "\"join \"",
        "\"ping\"",
        "\"type\"",
        "\"join\\u0000\"",
        "\"join\\n\"",
        "\"\\ud800\"",
        "null",
        "true",
        "1",
        "[]",
        "{}",
        "[\"join\"]",
        "{\"type\":\"join\"}",
        "\"\\u006a\\u006f\\u0069\\u006e\\u006a\\u006f\\u0069\\u006e\\u006a\\u006f\"",
    };
    for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
        char text[256];
        snprintf(text, sizeof(text), "{\"type\":%s,\"room\":\"r\",\"user\":\"u\",\"sdp\":\"s\"}", types[i]);
        check_invalid(d, text);
    }
}

static void a_name_of_another_type_than_string_is_invalid(void **state)
{
    decoded *d = *state;
    static const char *const values[] = {
        "1",           "true",        "false", "[]",      "{}",
        "[\"a\"]",     "\"\"",        "\" \"", "\"\\n\"", "\"\\u00a0\\ufeff\"",
        "\"\\ud800\"", "\"x\\udc00\""};
    static const char *const forms[] = {
        "{\"type\":\"join\",\"room\":%s,\"user\":\"u\"}",
        "{\"type\":\"join\",\"room\":\"r\",\"user\":%s}",
        "{\"type\":\"leave\",\"room\":%s}",
        "{\"type\":\"leave\",\"user\":%s}",
        "{\"type\":\"offer\",\"sdp\":\"s\",\"room\":%s}",
        "{\"type\":\"answer\",\"sdp\":\"s\",\"room\":%s}",
        "{\"type\":\"candidate\",\"candidate\":null,\"room\":%s}",
    };
    for (size_t f = 0; f < sizeof(forms) / sizeof(forms[0]); f++) {
        for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
            const char *hole = strstr(forms[f], "%s");
            char text[256];
            snprintf(text, sizeof(text), "%.*s%s%s", (int)(hole - forms[f]), forms[f], values[i], hole + 2);
            check_invalid(d, text);
        }
    }
}

static void a_payload_of_a_wrong_type_is_invalid(void **state)
{
    decoded *d = *state;
    static const struct {
        const char *type;
        const char *field;
        const char *fine; /* one letter for each value below: y, or n */
    } rows[] = {
        {"offer", "sdp", "nnnnnynyy"},
        {"answer", "sdp", "nnnnnynyy"},
        {"candidate", "candidate", "ynnnyynyy"},
        {"error", "message", "nnnnnynny"},
    };
    static const char *const values[] = {"null",  "true", "false", "0",       "\"\"",
                                         "\" \"", "[]",   "{}",    "\"\\\"\""};
    for (size_t r = 0; r < sizeof(rows) / sizeof(rows[0]); r++) {
        for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
            char text[128];
            snprintf(text, sizeof(text), "{\"type\":\"%s\",\"%s\":%s}", rows[r].type, rows[r].field,
                     values[i]);
            int status = decode(d, text);
            if (status != (rows[r].fine[i] == 'y' ? 0 : -EINVAL))
                fail_msg("%s: %d", text, status);
        }
    }
}

static void what_is_no_object_is_invalid(void **state)
{
    decoded *d = *state;
    static const char *const texts[] = {
        "",
        " ",
        "null",
        "1",
        "\"join\"",
        "[]",
        "[{\"type\":\"leave\"}]",
        "{\"type\":\"leave\"",
        "{\"type\":\"leave\"}}",
        "{\"type\":\"leave\",}",
        "{'type':'leave'}",
        "{type:\"leave\"}",
        "{\"type\":\"leave\"}{\"type\":\"leave\"}",
        "{\"type\":\"leave\"}\x01",
        "\xef\xbb\xbf{\"type\":\"leave\"}",
        "{\"type\":\"leave\",\"x\":\"\n\"}",
        "{\"type\":\"leave\",\"x\":01}",
        "{\"type\":\"candidate\",\"candidate\":{\"a\":.5}}",
    };
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
        check_invalid(d, texts[i]);
    assert_int_equal(decode_bytes(d, "{\"type\":\"leave\"}\0", 17), -EINVAL);
}

static void fields_that_the_type_does_not_take_are_ignored(void **state)
{
    decoded *d = *state;
    check_message(d,
                  "{\"type\":\"join\",\"room\":\"r\",\"user\":\"u\",\"sdp\":7,\"candidate\":false,\"from\":[]"
                  ",\"to\":{},"
                  "\"message\":0,\"\":1,\"typ\":2,\"types\":3}",
                  MESSAGE_JOIN, "r", "u", "");
    check_message(
        d, "{\"type\":\"offer\",\"sdp\":\"s\",\"user\":3,\"candidate\":[],\"message\":{},\"to\":\"x\"}",
        MESSAGE_OFFER, "", "", "\"s\"");
    check_message(d, "{\"type\":\"candidate\",\"candidate\":\"c\",\"user\":\"\",\"sdp\":false}",
                  MESSAGE_CANDIDATE, "", "", "\"c\"");
    check_message(d, "{\"type\":\"error\",\"message\":\"m\",\"room\":1,\"user\":{},\"from\":\"\",\"sdp\":[]}",
                  MESSAGE_ERROR, "", "", "\"m\"");
    check_message(d, "{\"type\":\"leave\",\"from\":12,\"sdp\":null}", MESSAGE_LEAVE, "", "", "");
}

static void members_of_nested_objects_are_not_fields(void **state)
{
    decoded *d = *state;
    check_invalid(d, "{\"x\":{\"type\":\"leave\"}}");
    check_message(d, "{\"x\":{\"type\":\"join\",\"room\":\"y\"},\"type\":\"leave\",\"z\":[{\"room\":\"q\"}]}",
                  MESSAGE_LEAVE, "", "", "");
}

/* protocol/README.md, "Version 1": `from` is ignored, whatever it holds. */
static void what_from_holds_is_no_fault(void **state)
{
    decoded *d = *state;
    char too_long[MAX_NAME_BYTES + 3];
    memset(too_long, 'u', sizeof(too_long));
    too_long[0] = too_long[sizeof(too_long) - 2] = '"';
    too_long[sizeof(too_long) - 1] = '\0';
    const char *const values[] = {
        "\"somebody\"",
        "\"some\\u0062ody\"",
        "\"\"",
        "\"  \"",
        "\"\\u00a0\\ufeff\"",
        "\"\\ud800\"",
        too_long,
        "null",
        "0",
        "-1.5e3",
        "true",
        "[]",
        "{}",
        "{\"from\":\"u\"}",
    };
    for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
        char text[128 + sizeof(too_long)];
        snprintf(text, sizeof(text), "{\"type\":\"offer\",\"from\":%s,\"sdp\":\"s\",\"room\":\"\\u0072\"}",
                 values[i]);
        check_message(d, text, MESSAGE_OFFER, "r", "", "\"s\"");
        snprintf(text, sizeof(text), "{\"type\":\"answer\",\"sdp\":{},\"from\":%s}", values[i]);
        check_message(d, text, MESSAGE_ANSWER, "", "", "{}");
        snprintf(text, sizeof(text), "{\"type\":\"candidate\",\"from\":%s,\"candidate\":null}", values[i]);
        check_message(d, text, MESSAGE_CANDIDATE, "", "", "null");
    }
}

static void a_from_that_is_no_json_breaks_its_message_all_the_same(void **state)
{
    decoded *d = *state;
    static const char *const values[] = {"", "somebody", "\"u", "01", "\"\\x\"", "[", "{]", "\"\n\""};
    for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
        char text[128];
        snprintf(text, sizeof(text), "{\"type\":\"offer\",\"from\":%s,\"sdp\":\"s\"}", values[i]);
        check_invalid(d, text);
    }
}

static void of_duplicates_the_last_counts(void **state)
{
    decoded *d = *state;
    check_message(d, "{\"type\":\"join\",\"room\":\"a\",\"user\":\"u\",\"room\":\"b\",\"type\":\"leave\"}",
                  MESSAGE_LEAVE, "b", "u", "");
    check_message(d, "{\"type\":7,\"room\":[],\"type\":\"join\",\"user\":\"u\",\"room\":\"r\"}", MESSAGE_JOIN,
                  "r", "u", "");
    check_message(d, "{\"type\":\"offer\",\"sdp\":\"a\",\"\\u0073dp\":\"b\"}", MESSAGE_OFFER, "", "",
                  "\"b\"");
    check_message(d, "{\"type\":\"offer\",\"sdp\":\"a\",\"room\":\"r\",\"room\":null}", MESSAGE_OFFER, "", "",
                  "\"a\"");
    check_invalid(d, "{\"type\":\"join\",\"room\":\"r\",\"user\":\"u\",\"room\":1}");
    check_invalid(d, "{\"type\":\"offer\",\"sdp\":\"a\",\"sdp\":null}");
}

static void keys_and_types_may_be_written_with_escapes(void **state)
{
    decoded *d = *state;
    check_message(
        d, "{\"\\u0074ype\":\"j\\u006fin\",\"roo\\u006d\":\"r\",\"\\u0075\\u0073\\u0065\\u0072\":\"u\"}",
        MESSAGE_JOIN, "r", "u", "");
    check_message(d,
                  "{\"type\":\"\\u0063\\u0061\\u006e\\u0064\\u0069\\u0064\\u0061\\u0074\\u0065\","
                  "\"\\u0063\\u0061\\u006E\\u0064\\u0069\\u0064\\u0061\\u0074\\u0065\":\"\"}",
                  MESSAGE_CANDIDATE, "", "", "\"\"");
    /* Keys that decode to something else, to nothing at all, or that only begin like ours. */
    check_message(
        d,
        "{\"type\":\"leave\",\"c\\u0061ndidates\":0,\"\\u0074ype\\u0000\":1,\"\\ud800\":2,\"\\n\":3,"
        "\"type\\\\\":4,"
        "\"\\\\u0074ype\":5,\"\\u0063\\u0061\\u006e\\u0064\\u0069\\u0064\\u0061\\u0074\\u0065s\":6}",
        MESSAGE_LEAVE, "", "", "");
}

static void names_are_compared_after_decoding(void **state)
{
    decoded *d = *state;
    check_message(
        d, "{\"type\":\"join\",\"room\":\"\\u043a\\u043e\\u0434\",\"user\":\"\\\"\\\\\\/\\ud83d\\ude00\"}",
        MESSAGE_JOIN, "\xd0\xba\xd0\xbe\xd0\xb4", "\"\\/\xf0\x9f\x98\x80", "");
    check_message(d,
                  "{\"type\":\"join\",\"room\":\"\xd0\xba\xd0\xbe\xd0\xb4\",\"user\":\"\xf0\x9f\x98\x80\"}",
                  MESSAGE_JOIN, "\xd0\xba\xd0\xbe\xd0\xb4", "\xf0\x9f\x98\x80", "");
}

static void a_nul_is_a_character_of_a_name(void **state)
{
    decoded *d = *state;
    assert_int_equal(decode(d, "{\"type\":\"join\",\"room\":\" \\u0000a\\u0000 \",\"user\":\"\\u0000\"}"), 0);
    assert_true(slice_equals(d->message.room, SLICE_LITERAL("\0a\0")));
    assert_true(slice_equals(d->message.user, SLICE_LITERAL("\0")));
}

static void a_name_without_escapes_lies_in_the_text(void **state)
{
    decoded *d = *state;
    assert_int_equal(decode(d, "{\"type\":\"join\",\"room\":\" r \",\"user\":\"\\u0075\"}"), 0);
    assert_ptr_equal(d->message.room.data, strchr(d->text, 'r') + strlen("room\":\" "));
    assert_ptr_equal(d->message.user.data, d->message.storage[1]);
}

/* ECMAScript's WhiteSpace and LineTerminator. */
static const uint16_t blanks[] = {0x09,   0x0A,   0x0B,   0x0C,   0x0D,   0x20,   0xA0,   0x1680, 0x2000,
                                  0x2001, 0x2002, 0x2003, 0x2004, 0x2005, 0x2006, 0x2007, 0x2008, 0x2009,
                                  0x200A, 0x2028, 0x2029, 0x202F, 0x205F, 0x3000, 0xFEFF};

static bool is_blank(unsigned c)
{
    for (size_t i = 0; i < sizeof(blanks) / sizeof(blanks[0]); i++) {
        if (blanks[i] == c)
            return true;
    }
    return false;
}

static void names_are_trimmed_of_what_javascript_calls_blank_and_of_nothing_else(void **state)
{
    decoded *d = *state;
    for (unsigned c = 0; c <= 0xFFFF; c++) {
        if (c >= 0xD800 && c <= 0xDFFF)
            continue;
        char text[128];
        snprintf(text, sizeof(text), "{\"type\":\"leave\",\"room\":\"\\u%04xa\\u%04xb\\u%04x\"}", c, c, c);
        assert_int_equal(decode(d, text), 0);
        size_t c_bytes = c < 0x80 ? 1 : c < 0x800 ? 2 : 3;
        if (d->message.room.len != strlen("ab") + c_bytes * (is_blank(c) ? 1 : 3))
            fail_msg("U+%04X: trimmed to %zu bytes", c, d->message.room.len);

        snprintf(text, sizeof(text), "{\"type\":\"leave\",\"room\":\"\\u%04x\"}", c);
        int status = decode(d, text);
        if (status != (is_blank(c) ? -EINVAL : 0))
            fail_msg("U+%04X: %d", c, status);
    }
}

static void blanks_are_trimmed_from_the_raw_text_too(void **state)
{
    decoded *d = *state;
    check_message(d,
                  "{\"type\":\"join\",\"room\":\"  r  \",\"user\":\"\xc2\xa0\xe2\x80\xa8 u v "
                  "\xe3\x80\x80\xef\xbb\xbf\"}",
                  MESSAGE_JOIN, "r", "u v", "");
    check_message(d, "{\"type\":\"join\",\"room\":\"\xc2\x85\",\"user\":\"\xe1\xa0\x8e\"}", MESSAGE_JOIN,
                  "\xc2\x85", "\xe1\xa0\x8e", "");
    check_message(d, "{\"type\":\"join\",\"room\":\"\xc3\xa0\",\"user\":\"\xf0\x9f\x98\x80 \"}", MESSAGE_JOIN,
                  "\xc3\xa0", "\xf0\x9f\x98\x80", "");
    check_invalid(d, "{\"type\":\"join\",\"room\":\"\xe2\x80\x80 \xe1\x9a\x80\",\"user\":\"u\"}");
}

/* {"type":"join","room":"u","user":"<count times unit><tail>"} */
static char *join_of(const char *unit, size_t count, const char *tail)
{
    char *text = malloc(MAX_TEXT_BYTES);
    assert_non_null(text);
    char *at = text + sprintf(text, "{\"type\":\"join\",\"room\":\"u\",\"user\":\"");
    assert_true(count * strlen(unit) + strlen(tail) + 64 < MAX_TEXT_BYTES);
    for (size_t i = 0; i < count; i++)
        at += sprintf(at, "%s", unit);
    sprintf(at, "%s\"}", tail);
    return text;
}

static void check_join(decoded *d, const char *unit, size_t count, const char *tail, int expected,
                       size_t expected_len)
{
    char *text = join_of(unit, count, tail);
    int status = decode(d, text);
    free(text);
    assert_int_equal(status, expected);
    if (status == 0)
        assert_int_equal(d->message.user.len, expected_len);
}

static void the_longest_name_is_accepted_and_one_byte_more_is_not(void **state)
{
    decoded *d = *state;
    check_join(d, "a", MAX_NAME_BYTES, "", 0, MAX_NAME_BYTES);
    check_join(d, "a", MAX_NAME_BYTES, "   ", 0, MAX_NAME_BYTES);
    check_join(d, "a", MAX_NAME_BYTES + 1, "", -EINVAL, 0);
    check_join(d, "\\u0061", MAX_NAME_BYTES, "", 0, MAX_NAME_BYTES);
    check_join(d, "\\u0061", MAX_NAME_BYTES, "\\n\\t ", 0, MAX_NAME_BYTES);
    check_join(d, "\\u0061", MAX_NAME_BYTES + 1, "", -EINVAL, 0);
    check_join(d, "\\u0061", MESSAGE_MAX_NAME_BYTES + 1, "", -EINVAL, 0); /* more than its storage holds */
    check_join(d, "\\u0061", 2 * MESSAGE_MAX_NAME_BYTES, "", -EINVAL, 0);
    check_join(d, "\xd1\x8f", MAX_NAME_BYTES / 2, "", 0, MAX_NAME_BYTES); /* bytes count, not characters */
    check_join(d, "\xd1\x8f", MAX_NAME_BYTES / 2, "a", -EINVAL, 0);
    check_join(d, "\\u044f", MAX_NAME_BYTES / 2, "", 0, MAX_NAME_BYTES);
    check_join(d, "\\u0000", MAX_NAME_BYTES, "", 0, MAX_NAME_BYTES);
    check_join(d, "\\u0000", MAX_NAME_BYTES + 1, "", -EINVAL, 0);
}

static void a_name_that_is_long_only_before_trimming_is_accepted(void **state)
{
    decoded *d = *state;
    check_join(d, " ", 3 * MESSAGE_MAX_NAME_BYTES, "name", 0, 4);
    check_join(d, " ", MESSAGE_MAX_NAME_BYTES - 2, "\\n", -EINVAL, 0);
    for (size_t blank_count = MESSAGE_MAX_NAME_BYTES - 20; blank_count <= MESSAGE_MAX_NAME_BYTES + 2;
         blank_count++)
        check_join(d, " ", blank_count, "\\u006eame", 0, 4);
    check_join(d, "\\n", 3 * MESSAGE_MAX_NAME_BYTES, "\\u006eame\\r", 0, 4);
    check_slice(d->message.user, "name");
    check_join(d, "\\u3000", 2 * MESSAGE_MAX_NAME_BYTES, "name", 0, 4);
    check_join(d, "\\u3000", 2 * MESSAGE_MAX_NAME_BYTES, "", -EINVAL, 0);
    check_join(d, "\\n", 3 * MESSAGE_MAX_NAME_BYTES, "\\ud800", -EINVAL, 0);
}

static void both_names_may_fill_their_storage(void **state)
{
    decoded *d = *state;
    enum { LEN = MESSAGE_MAX_NAME_BYTES };
    char *text = malloc(MAX_TEXT_BYTES);
    assert_non_null(text);
    char *at = text + sprintf(text, "{\"type\":\"join\",\"room\":\"");
    for (int i = 0; i < LEN; i++)
        at += sprintf(at, "\\u%04x", 'r');
    at += sprintf(at, "\",\"user\":\"");
    for (int i = 0; i < LEN; i++)
        at += sprintf(at, "\\u%04x", 'u');
    sprintf(at, "\"}");

    assert_int_equal(message_decode(slice_of_text(text), LEN, &d->message), 0);
    assert_int_equal(d->message.room.len, LEN);
    assert_int_equal(d->message.user.len, LEN);
    assert_int_equal(d->message.room.data[LEN - 1], 'r');
    assert_int_equal(d->message.user.data[0], 'u');
    assert_int_equal(message_decode(slice_of_text(text), LEN - 1, &d->message), -EINVAL);
    free(text);
}

static void no_message_cut_short_is_valid(void **state)
{
    decoded *d = *state;
    static const char *const texts[] = {
        "{\"type\":\"join\",\"room\":\"\\u0072\",\"user\":\" u \"}",
        "{\"\\u0074ype\":\"offer\",\"sdp\":{\"sdp\":[\"v=0\\r\\n\",-1.5e3,null]},\"from\":"
        "\"\xc2\xa0u\xe3\x80\x80\"}",
    };
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        size_t len = strlen(texts[i]);
        for (size_t cut = 0; cut < len; cut++)
            assert_int_equal(decode_bytes(d, texts[i], cut), -EINVAL);
        assert_int_equal(decode_bytes(d, texts[i], len), 0);
    }
}

static void *refuse(size_t size)
{
    (void)size;
    return NULL;
}

static void only_escapes_in_values_need_cjson(void **state)
{
    decoded *d = *state;
    cJSON_Hooks hooks = {.malloc_fn = refuse, .free_fn = free};
    cJSON_InitHooks(&hooks);
    int plain =
        decode(d, "{\"type\":\"offer\",\"room\":\"r\",\"from\":\"u\",\"sdp\":\"v=0\\r\\n\",\"x\":\"\\n\"}");
    int key = decode(d, "{\"type\":\"leave\",\"\\u0072oom\":\"r\"}");
    int type = decode(d, "{\"type\":\"le\\u0061ve\"}");
    int name = decode(d, "{\"type\":\"leave\",\"user\":\"\\u0072\"}");
    cJSON_InitHooks(NULL);
    assert_int_equal(plain, 0);
    assert_int_equal(key, 0); /* or each of twenty thousand keys in a message would cost an allocation */
    assert_int_equal(type, 0);
    assert_int_equal(name, -ENOMEM);
}

static void every_type_has_its_name(void **state)
{
    (void)state;
    assert_string_equal(message_type_name(MESSAGE_JOIN), "join");
    assert_string_equal(message_type_name(MESSAGE_LEAVE), "leave");
    assert_string_equal(message_type_name(MESSAGE_OFFER), "offer");
    assert_string_equal(message_type_name(MESSAGE_ANSWER), "answer");
    assert_string_equal(message_type_name(MESSAGE_CANDIDATE), "candidate");
    assert_string_equal(message_type_name(MESSAGE_ERROR), "error");
}

static void a_signal_has_four_members_in_order_and_nothing_else(void **state)
{
    (void)state;
    static const struct {
        message_type type;
        const char *payload;
        const char *expected;
    } cases[] = {
        {MESSAGE_OFFER, "\"v=0\"",
         "{\"type\":\"offer\",\"room\":\"r\",\"from\":\"\\u0000\",\"sdp\":\"v=0\"}"},
        {MESSAGE_ANSWER, "{ \"b\":1, \"a\":2 }",
         "{\"type\":\"answer\",\"room\":\"r\",\"from\":\"\\u0000\",\"sdp\":{ \"b\":1, \"a\":2 }}"},
        {MESSAGE_CANDIDATE, "null",
         "{\"type\":\"candidate\",\"room\":\"r\",\"from\":\"\\u0000\",\"candidate\":null}"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct iovec parts[MESSAGE_SIGNAL_PARTS];
        message_encode_signal(parts, cases[i].type, SLICE_LITERAL("\"r\""), SLICE_LITERAL("\"\\u0000\""),
                              slice_of_text(cases[i].payload));
        char text[256];
        size_t len = 0;
        for (size_t p = 0; p < MESSAGE_SIGNAL_PARTS; p++) {
            memcpy(text + len, parts[p].iov_base, parts[p].iov_len);
            len += parts[p].iov_len;
        }
        check_slice((slice){text, len}, cases[i].expected);
        assert_ptr_equal(parts[5].iov_base, cases[i].payload); /* borrowed, not copied */
    }
}

static void an_error_has_a_type_and_a_message(void **state)
{
    (void)state;
    check_slice(MESSAGE_ERROR_JSON("Say hi"), "{\"type\":\"error\",\"message\":\"Say hi\"}");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(every_type_is_decoded_with_its_fields),
        TEST(what_is_optional_may_be_absent_or_null),
        TEST(what_is_required_must_be_there),
        TEST(an_unknown_type_is_invalid),
        TEST(a_name_of_another_type_than_string_is_invalid),
        TEST(a_payload_of_a_wrong_type_is_invalid),
        TEST(what_is_no_object_is_invalid),
        TEST(fields_that_the_type_does_not_take_are_ignored),
        TEST(members_of_nested_objects_are_not_fields),
        TEST(what_from_holds_is_no_fault),
        TEST(a_from_that_is_no_json_breaks_its_message_all_the_same),
        TEST(of_duplicates_the_last_counts),
        TEST(keys_and_types_may_be_written_with_escapes),
        TEST(names_are_compared_after_decoding),
        TEST(a_nul_is_a_character_of_a_name),
        TEST(a_name_without_escapes_lies_in_the_text),
        TEST(names_are_trimmed_of_what_javascript_calls_blank_and_of_nothing_else),
        TEST(blanks_are_trimmed_from_the_raw_text_too),
        TEST(the_longest_name_is_accepted_and_one_byte_more_is_not),
        TEST(a_name_that_is_long_only_before_trimming_is_accepted),
        TEST(both_names_may_fill_their_storage),
        TEST(no_message_cut_short_is_valid),
        TEST(only_escapes_in_values_need_cjson),
        TEST(every_type_has_its_name),
        TEST(a_signal_has_four_members_in_order_and_nothing_else),
        TEST(an_error_has_a_type_and_a_message),
    };
#undef TEST
    return cmocka_run_group_tests(tests, NULL, NULL);
}
