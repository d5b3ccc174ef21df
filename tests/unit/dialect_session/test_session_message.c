/* What counts as a message of the session dialect, what it holds then, and how it is passed on. Every text is
 * decoded from a heap block of exactly its size, so that the sanitizers see a read behind its end. */
#include "dialect_session/session_message.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <cjson/cJSON.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#define LENGTH_OF(array) (sizeof(array) / sizeof((array)[0]))

enum { MAX_ID_BYTES = 512, MAX_TEXT_BYTES = 64 * 1024 };

/* A text and the message decoded from it, which points into it. */
typedef struct decoded {
    char *text; /* owned */
    session_message message;
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
    d->text = malloc(len > 0 ? len : 1);
    assert_non_null(d->text);
    memcpy(d->text, text, len);
    memset(&d->message, 0xA5, sizeof(d->message)); /* nothing is right by luck */
    return session_message_decode((slice){d->text, len}, MAX_ID_BYTES, &d->message);
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

static size_t join(const struct iovec *parts, size_t count, char out[MAX_TEXT_BYTES])
{
    size_t len = 0;
    for (size_t i = 0; i < count; i++) {
        assert_true(len + parts[i].iov_len < MAX_TEXT_BYTES);
        memcpy(out + len, parts[i].iov_base, parts[i].iov_len);
        len += parts[i].iov_len;
    }
    out[len] = '\0';
    return len;
}

/* The text is a message of this type and id; and with `body` in its envelope it is passed on. */
static void check_message(decoded *d, const char *text, session_message_type type, const char *id,
                          const char *body)
{
    static char joined[MAX_TEXT_BYTES];
    char expected[1024];
    int status = decode(d, text);
    if (status != 0)
        fail_msg("%s: %d", text, status);
    assert_int_equal(d->message.type, type);
    check_slice(d->message.session_id, id);

    struct iovec parts[SESSION_MESSAGE_BODY_PARTS];
    size_t count = session_message_body(parts, &d->message);
    assert_in_range(count, 0, SESSION_MESSAGE_BODY_PARTS);
    join(parts, count, joined);
    assert_string_equal(joined, body);

    struct iovec whole[SESSION_MESSAGE_PARTS];
    count = session_message_envelope(whole, type, SLICE_LITERAL("\"s\\u0000\""), parts, count);
    assert_in_range(count, 3, SESSION_MESSAGE_PARTS);
    join(whole, count, joined);
    snprintf(expected, sizeof(expected), "{\"type\":\"%s\",\"sessionId\":\"s\\u0000\"%s%s}",
             session_message_type_name(type), *body == '\0' ? "" : ",", body);
    assert_string_equal(joined, expected);
}

static void check_invalid(decoded *d, const char *text)
{
    int status = decode(d, text);
    if (status != -EINVAL)
        fail_msg("%s: %d", text, status);
}

static void every_type_is_passed_on_with_its_fields(void **state)
{
    decoded *d = *state;
    check_message(d, "{\"type\":\"offer\",\"sessionId\":\"a\",\"sdp\":\"v=0\\r\\n\",\"initiator\":true}",
                  SESSION_MESSAGE_OFFER, "a", "\"sdp\":\"v=0\\r\\n\",\"initiator\":true");
    check_message(
        d, "{\"type\":\"answer\",\"sessionId\":\"a\",\"sdp\":{ \"type\" : \"answer\" },\"initiator\":false}",
        SESSION_MESSAGE_ANSWER, "a", "\"sdp\":{ \"type\" : \"answer\" },\"initiator\":false");
    check_message(d, "{\"type\":\"candidate\",\"sessionId\":\"a\",\"candidate\":{ \"a\" : [ 1 ] } }",
                  SESSION_MESSAGE_CANDIDATE, "a", "\"candidate\":{ \"a\" : [ 1 ] }");
    check_message(d, "{\"type\":\"hangup\",\"sessionId\":\"a\",\"initiator\":true,\"reason\":\"done\"}",
                  SESSION_MESSAGE_HANGUP, "a", "\"reason\":\"done\",\"initiator\":true");
    check_message(d, "{\"type\":\"error\",\"sessionId\":\"a\",\"message\":\"no \\\"camera\\\"\",\"code\":7}",
                  SESSION_MESSAGE_ERROR, "a", "\"message\":\"no \\\"camera\\\"\",\"code\":7");
}

static void what_is_optional_may_be_absent(void **state)
{
    decoded *d = *state;
    check_message(d, "{\"type\":\"offer\",\"sdp\":\"s\"}", SESSION_MESSAGE_OFFER, "", "\"sdp\":\"s\"");
    check_message(d, "{\"sdp\":{},\"type\":\"answer\"}", SESSION_MESSAGE_ANSWER, "", "\"sdp\":{}");
    check_message(d, "{\"type\":\"candidate\",\"candidate\":{}}", SESSION_MESSAGE_CANDIDATE, "",
                  "\"candidate\":{}");
    check_message(d, "{\"type\":\"hangup\"}", SESSION_MESSAGE_HANGUP, "", "");
    check_message(d, "{\"type\":\"hangup\",\"reason\":\"r\"}", SESSION_MESSAGE_HANGUP, "",
                  "\"reason\":\"r\"");
    check_message(d, "{\"type\":\"hangup\",\"initiator\":0}", SESSION_MESSAGE_HANGUP, "", "\"initiator\":0");
    check_message(d, "{\"type\":\"error\",\"message\":\"m\"}", SESSION_MESSAGE_ERROR, "",
                  "\"message\":\"m\"");
}

static void what_is_optional_is_passed_on_whatever_it_holds(void **state)
{
    decoded *d = *state;
    static const char *const values[] = {"null",        "true",   "-1.5e3",    "\"\"",
                                         "\"\\ud800\"", "[1, 2]", "{\"a\":{}}"};
    for (size_t i = 0; i < LENGTH_OF(values); i++) {
        char text[256];
        char body[128];
        snprintf(text, sizeof(text), "{\"type\":\"offer\",\"initiator\":%s,\"sdp\":\"s\"}", values[i]);
        snprintf(body, sizeof(body), "\"sdp\":\"s\",\"initiator\":%s", values[i]);
        check_message(d, text, SESSION_MESSAGE_OFFER, "", body);
        snprintf(text, sizeof(text), "{\"type\":\"hangup\",\"reason\":%s,\"initiator\":%s}", values[i],
                 values[i]);
        snprintf(body, sizeof(body), "\"reason\":%s,\"initiator\":%s", values[i], values[i]);
        check_message(d, text, SESSION_MESSAGE_HANGUP, "", body);
        snprintf(text, sizeof(text), "{\"type\":\"error\",\"code\":%s,\"message\":\"m\"}", values[i]);
        snprintf(body, sizeof(body), "\"message\":\"m\",\"code\":%s", values[i]);
        check_message(d, text, SESSION_MESSAGE_ERROR, "", body);
    }
}

static void fields_that_the_type_does_not_take_are_not_passed_on(void **state)
{
    decoded *d = *state;
    check_message(d,
                  "{\"type\":\"offer\",\"sdp\":\"s\",\"reason\":1,\"code\":2,\"candidate\":3,\"message\":4,"
                  "\"from\":5,\"\":6}",
                  SESSION_MESSAGE_OFFER, "", "\"sdp\":\"s\"");
    check_message(
        d, "{\"type\":\"candidate\",\"candidate\":{},\"initiator\":true,\"reason\":1,\"code\":2,\"sdp\":3}",
        SESSION_MESSAGE_CANDIDATE, "", "\"candidate\":{}");
    check_message(d, "{\"type\":\"hangup\",\"sdp\":\"\",\"candidate\":[],\"message\":1,\"code\":2}",
                  SESSION_MESSAGE_HANGUP, "", "");
    check_message(d, "{\"type\":\"error\",\"message\":\"m\",\"initiator\":true,\"reason\":1,\"sdp\":{}}",
                  SESSION_MESSAGE_ERROR, "", "\"message\":\"m\"");
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
        {"candidate", "candidate", "nnnnnnnyn"},
        {"error", "message", "nnnnnynny"},
    };
    static const char *const values[] = {"null",  "true", "false", "0",       "\"\"",
                                         "\" \"", "[]",   "{}",    "\"\\\"\""};
    for (size_t r = 0; r < LENGTH_OF(rows); r++) {
        for (size_t i = 0; i < LENGTH_OF(values); i++) {
            char text[128];
            snprintf(text, sizeof(text), "{\"type\":\"%s\",\"%s\":%s}", rows[r].type, rows[r].field,
                     values[i]);
            int status = decode(d, text);
            if (status != (rows[r].fine[i] == 'y' ? 0 : -EINVAL))
                fail_msg("%s: %d", text, status);
        }
        char text[128];
        snprintf(text, sizeof(text), "{\"type\":\"%s\",\"sessionId\":\"a\",\"x\":{}}", rows[r].type);
        check_invalid(d, text);
    }
}

static void an_unknown_type_is_invalid(void **state)
{
    decoded *d = *state;
    static const char *const types[] = {
        "\"\"", "\"Offer\"", "\" offer\"", "\"join\"", "\"leave\"",   "\"hangups\"",      "null",
        "true", "1",         "[]",         "{}",       "[\"offer\"]", "\"hangup\\u0000\""};
    for (size_t i = 0; i < LENGTH_OF(types); i++) {
        char text[256];
        snprintf(text, sizeof(text), "{\"type\":%s,\"sessionId\":\"a\",\"sdp\":\"s\"}", types[i]);
        check_invalid(d, text);
    }
    check_invalid(d, "{}");
    check_invalid(d, "{\"sessionId\":\"a\",\"sdp\":\"s\"}");
}

static void what_is_no_object_is_invalid(void **state)
{
    decoded *d = *state;
    static const char *const texts[] = {
        "",
        " ",
        "null",
        "1",
        "true",
        "\"offer\"",
        "[]",
        "[{\"type\":\"hangup\"}]",
        "{\"type\":\"hangup\"",
        "{\"type\":\"hangup\"}}",
        "{\"type\":\"hangup\",}",
        "{\"type\":\"hangup\",\"x\":01}",
    };
    for (size_t i = 0; i < LENGTH_OF(texts); i++)
        check_invalid(d, texts[i]);
}

static void an_id_is_decoded_and_trimmed(void **state)
{
    decoded *d = *state;
    check_message(d,
                  "{\"type\":\"hangup\",\"sessionId\":\" \xc2\xa0"
                  "a b\xe3\x80\x80\"}",
                  SESSION_MESSAGE_HANGUP, "a b", "");
    check_message(d, "{\"type\":\"hangup\",\"sessionId\":\"\\n\\u043a\\u043e\\u0434\\t\"}",
                  SESSION_MESSAGE_HANGUP, "\xd0\xba\xd0\xbe\xd0\xb4", "");
    check_message(d, "{\"type\":\"hangup\",\"session\\u0049d\":\"a\"}", SESSION_MESSAGE_HANGUP, "a", "");
    check_message(d, "{\"type\":\"hangup\",\"sessionid\":\"a\",\"SessionId\":\"b\"}", SESSION_MESSAGE_HANGUP,
                  "", "");
}

static void an_id_of_nothing_is_none(void **state)
{
    decoded *d = *state;
    static const char *const values[] = {"null", "\"\"", "\"  \"", "\"\\u00a0\\n\""};
    for (size_t i = 0; i < LENGTH_OF(values); i++) {
        char text[128];
        snprintf(text, sizeof(text), "{\"type\":\"hangup\",\"sessionId\":%s}", values[i]);
        check_message(d, text, SESSION_MESSAGE_HANGUP, "", "");
    }
}

static void an_id_of_another_type_than_string_is_invalid(void **state)
{
    decoded *d = *state;
    static const char *const values[] = {"1",  "true",    "false",       "[]",
                                         "{}", "[\"a\"]", "\"\\ud800\"", "\"x\\udc00\""};
    for (size_t i = 0; i < LENGTH_OF(values); i++) {
        char text[128];
        snprintf(text, sizeof(text), "{\"type\":\"hangup\",\"sessionId\":%s}", values[i]);
        check_invalid(d, text);
    }
}

/* {"type":"hangup","sessionId":"<count times unit>"} */
static int decode_long_id(decoded *d, const char *unit, size_t count)
{
    static char text[MAX_TEXT_BYTES];
    char *at = text + sprintf(text, "{\"type\":\"hangup\",\"sessionId\":\"");
    assert_true(count * strlen(unit) + 64 < sizeof(text));
    for (size_t i = 0; i < count; i++)
        at += sprintf(at, "%s", unit);
    sprintf(at, "\"}");
    return decode(d, text);
}

static void the_longest_id_is_accepted_and_one_byte_more_is_not(void **state)
{
    decoded *d = *state;
    assert_int_equal(decode_long_id(d, "a", MAX_ID_BYTES), 0);
    assert_int_equal(d->message.session_id.len, MAX_ID_BYTES);
    assert_int_equal(decode_long_id(d, "a", MAX_ID_BYTES + 1), -EINVAL);
    assert_int_equal(decode_long_id(d, "\\u0061", MAX_ID_BYTES), 0);
    assert_int_equal(d->message.session_id.len, MAX_ID_BYTES);
    assert_int_equal(decode_long_id(d, "\\u0061", MAX_ID_BYTES + 1), -EINVAL);
    assert_int_equal(decode_long_id(d, "\\u0061", FIELDS_MAX_NAME_BYTES + 1), -EINVAL);
}

static void of_duplicates_the_last_counts(void **state)
{
    decoded *d = *state;
    check_message(
        d,
        "{\"type\":7,\"sdp\":\"a\",\"sessionId\":[],\"initiator\":1,\"type\":\"offer\",\"sdp\":\"b\","
        "\"sessionId\":\"s\",\"initiator\":2}",
        SESSION_MESSAGE_OFFER, "s", "\"sdp\":\"b\",\"initiator\":2");
    check_invalid(d, "{\"type\":\"offer\",\"sdp\":\"a\",\"sdp\":null}");
    check_invalid(d, "{\"type\":\"hangup\",\"sessionId\":\"a\",\"sessionId\":1}");
}

static void no_message_cut_short_is_valid(void **state)
{
    decoded *d = *state;
    static const char text[] =
        "{\"\\u0074ype\":\"offer\",\"sdp\":{\"sdp\":[\"v=0\\r\\n\",-1.5e3,null]},\"sessionId\":"
        "\"\xc2\xa0\\u0061\xe3\x80\x80\",\"initiator\":true}";
    for (size_t cut = 0; cut < strlen(text); cut++)
        assert_int_equal(decode_bytes(d, text, cut), -EINVAL);
    assert_int_equal(decode(d, text), 0);
}

static void *refuse(size_t size)
{
    (void)size;
    return NULL;
}

static void only_an_id_with_escapes_needs_memory(void **state)
{
    decoded *d = *state;
    cJSON_Hooks hooks = {.malloc_fn = refuse, .free_fn = free};
    cJSON_InitHooks(&hooks);
    int plain = decode(d, "{\"typ\\u0065\":\"\\u006fffer\",\"sdp\":\"v=0\\r\\n\",\"sessionId\":\" a \"}");
    int escaped = decode(d, "{\"type\":\"hangup\",\"sessionId\":\"\\u0061\"}");
    cJSON_InitHooks(NULL);
    assert_int_equal(plain, 0);
    assert_int_equal(escaped, -ENOMEM);
}

static void a_body_may_be_one_piece(void **state)
{
    (void)state;
    char joined[MAX_TEXT_BYTES];
    struct iovec whole[SESSION_MESSAGE_PARTS];
    char piece[] = "\"sdp\":\"s\",\"initiator\":true";
    struct iovec body = {piece, strlen(piece)};
    size_t count = session_message_envelope(whole, SESSION_MESSAGE_ANSWER, SLICE_LITERAL("\"a\""), &body, 1);
    join(whole, count, joined);
    assert_string_equal(joined, "{\"type\":\"answer\",\"sessionId\":\"a\",\"sdp\":\"s\",\"initiator\":true}");
    assert_ptr_equal(whole[3].iov_base, piece); /* borrowed, not copied */

    body.iov_len = 0;
    count = session_message_envelope(whole, SESSION_MESSAGE_HANGUP, SLICE_LITERAL("\"a\""), &body, 1);
    join(whole, count, joined);
    assert_string_equal(joined, "{\"type\":\"hangup\",\"sessionId\":\"a\"}");
    count = session_message_envelope(whole, SESSION_MESSAGE_HANGUP, SLICE_LITERAL("\"a\""), NULL, 0);
    join(whole, count, joined);
    assert_string_equal(joined, "{\"type\":\"hangup\",\"sessionId\":\"a\"}");
}

static void an_error_names_its_session(void **state)
{
    (void)state;
    char joined[MAX_TEXT_BYTES];
    struct iovec parts[SESSION_MESSAGE_ERROR_PARTS];
    session_message_error(parts, SLICE_LITERAL("\"a\\\"b\""), SESSION_MESSAGE_IS_FULL);
    join(parts, SESSION_MESSAGE_ERROR_PARTS, joined);
    assert_string_equal(joined,
                        "{\"type\":\"error\",\"sessionId\":\"a\\\"b\",\"message\":\"The session is full\"}");
}

static void every_type_has_its_name(void **state)
{
    (void)state;
    assert_string_equal(session_message_type_name(SESSION_MESSAGE_OFFER), "offer");
    assert_string_equal(session_message_type_name(SESSION_MESSAGE_ANSWER), "answer");
    assert_string_equal(session_message_type_name(SESSION_MESSAGE_CANDIDATE), "candidate");
    assert_string_equal(session_message_type_name(SESSION_MESSAGE_HANGUP), "hangup");
    assert_string_equal(session_message_type_name(SESSION_MESSAGE_ERROR), "error");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(every_type_is_passed_on_with_its_fields),
        TEST(what_is_optional_may_be_absent),
        TEST(what_is_optional_is_passed_on_whatever_it_holds),
        TEST(fields_that_the_type_does_not_take_are_not_passed_on),
        TEST(a_payload_of_a_wrong_type_is_invalid),
        TEST(an_unknown_type_is_invalid),
        TEST(what_is_no_object_is_invalid),
        TEST(an_id_is_decoded_and_trimmed),
        TEST(an_id_of_nothing_is_none),
        TEST(an_id_of_another_type_than_string_is_invalid),
        TEST(the_longest_id_is_accepted_and_one_byte_more_is_not),
        TEST(of_duplicates_the_last_counts),
        TEST(no_message_cut_short_is_valid),
        TEST(only_an_id_with_escapes_needs_memory),
        TEST(a_body_may_be_one_piece),
        TEST(an_error_names_its_session),
        TEST(every_type_has_its_name),
    };
#undef TEST
    return cmocka_run_group_tests(tests, NULL, NULL);
}
