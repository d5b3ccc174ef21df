/* message_read_usual() against message_decode(), which is the reference: whatever the first reads, the second
 * reads as well. Every text lies in a heap block of exactly its size. */
#include "dialect_1/message_1.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>

#define ROOM "\"blue \\\"fox\\\"\""
#define USER "\"anna\""

enum { MAX_NAME_BYTES = 512 };

/* Each is a signal in its usual form, and `is_whole` says whether both names are there. */
static const struct {
    const char *text;
    message_type type;
    const char *payload;
    bool is_whole;
} usual[] = {
    {"{\"type\":\"offer\",\"room\":" ROOM ",\"from\":" USER ",\"sdp\":\"v=0\\r\\n\"}", MESSAGE_OFFER,
     "\"v=0\\r\\n\"", true},
    {"{\"type\":\"answer\",\"room\":" ROOM ",\"from\":" USER ",\"sdp\":{\"type\":\"answer\"}}",
     MESSAGE_ANSWER, "{\"type\":\"answer\"}", true},
    {"{\"type\":\"candidate\",\"room\":" ROOM ",\"from\":" USER
     ",\"candidate\":{\"sdpMid\":\"0\",\"a\":[1]}}",
     MESSAGE_CANDIDATE, "{\"sdpMid\":\"0\",\"a\":[1]}", true},
    {"{\"type\":\"candidate\",\"room\":" ROOM ",\"candidate\":null}", MESSAGE_CANDIDATE, "null", false},
    {"{\"type\":\"candidate\",\"from\":" USER ",\"candidate\":\"\"}", MESSAGE_CANDIDATE, "\"\"", false},
    {"{\"type\":\"offer\",\"sdp\":\"v\"}", MESSAGE_OFFER, "\"v\"", false},
};

enum { USUAL = sizeof(usual) / sizeof(usual[0]) };

static bool read_usual(slice text, usual_signal *out)
{
    return message_read_usual(text, SLICE_LITERAL(ROOM), SLICE_LITERAL(USER), out);
}

static char *copy_of(slice text)
{
    char *copy = malloc(text.len);
    assert_true(copy != NULL || text.len == 0);
    if (text.len > 0)
        memcpy(copy, text.data, text.len);
    return copy;
}

/* What the server would pass on is what came. */
static void check_whole(slice text, const usual_signal *s)
{
    struct iovec parts[MESSAGE_SIGNAL_PARTS];
    message_encode_signal(parts, s->type, SLICE_LITERAL(ROOM), SLICE_LITERAL(USER), s->payload);
    size_t at = 0;
    for (int i = 0; i < MESSAGE_SIGNAL_PARTS; i++) {
        assert_true(text.len - at >= parts[i].iov_len);
        assert_memory_equal(text.data + at, parts[i].iov_base, parts[i].iov_len);
        at += parts[i].iov_len;
    }
    assert_int_equal(at, text.len);
}

/* Read the text; if it is usual, compare with the reference. Returns whether it is. */
static bool check_both(slice text)
{
    char *copy = copy_of(text);
    slice exact = {copy, text.len};
    usual_signal s;
    bool is_usual = read_usual(exact, &s);
    if (is_usual) {
        message m;
        if (message_decode(exact, MAX_NAME_BYTES, &m) != 0)
            fail_msg("%.*s: the reference refuses it", (int)text.len, text.data);
        assert_int_equal(m.type, s.type);
        assert_true(m.room.len == 0 || slice_equals(m.room, SLICE_LITERAL("blue \"fox\"")));
        assert_true(slice_equals(m.payload, s.payload) && m.payload.data == s.payload.data);
        if (s.is_as_passed_on)
            check_whole(exact, &s);
    }
    free(copy);
    return is_usual;
}

static void a_signal_in_its_usual_form_is_read(void **state)
{
    (void)state;
    for (int i = 0; i < USUAL; i++) {
        slice text = slice_of_text(usual[i].text);
        usual_signal s;
        assert_true(read_usual(text, &s));
        assert_int_equal(s.type, usual[i].type);
        assert_true(slice_equals(s.payload, slice_of_text(usual[i].payload)));
        assert_int_equal(s.is_as_passed_on, usual[i].is_whole);
        assert_true(check_both(text));
    }
}

static void a_text_that_is_cut_off_is_not_usual(void **state)
{
    (void)state;
    for (int i = 0; i < USUAL; i++) {
        slice text = slice_of_text(usual[i].text);
        for (size_t len = 0; len < text.len; len++)
            assert_false(check_both((slice){text.data, len}));
    }
}

static void one_other_byte_is_read_as_the_reference_reads_it(void **state)
{
    (void)state;
    static const char others[] = "\"\\,:{}[] 0-aen.\n\x01\x7F";
    for (int i = 0; i < USUAL; i++) {
        char *text = copy_of(slice_of_text(usual[i].text));
        size_t len = strlen(usual[i].text);
        for (size_t at = 0; at < len; at++) {
            char was = text[at];
            for (size_t o = 0; o < sizeof(others); o++) { /* its NUL, too */
                text[at] = others[o];
                (void)check_both((slice){text, len});
            }
            text[at] = was;
        }
        free(text);
    }
}

static void one_more_byte_is_read_as_the_reference_reads_it(void **state)
{
    (void)state;
    static const char more[] = "\"\\,:{}[] 0a";
    for (int i = 0; i < USUAL; i++) {
        size_t len = strlen(usual[i].text);
        char *text = malloc(len + 1);
        assert_non_null(text);
        for (size_t at = 0; at <= len; at++) {
            memcpy(text, usual[i].text, at);
            memcpy(text + at + 1, usual[i].text + at, len - at);
            for (size_t m = 0; m < sizeof(more); m++) {
                text[at] = more[m];
                (void)check_both((slice){text, len + 1});
            }
        }
        free(text);
    }
}

/* At each length of a name. */
static void each_byte_of_a_name_counts(void **state)
{
    (void)state;
    static const char letters[] =
        "abcdefghijklmnopqrstuvwxyz0123456789ABCDabcdefghijklmnopqrstuvwxyz0123456789";
    for (int len = 1; len <= 76; len++) {
        char room_json[80], text[128];
        int room_len = snprintf(room_json, sizeof(room_json), "\"%.*s\"", len, letters);
        int text_len =
            snprintf(text, sizeof(text), "{\"type\":\"offer\",\"room\":%s,\"sdp\":\"v\"}", room_json);
        const slice room = {room_json, (size_t)room_len};
        for (int changed = 0; changed <= len; changed++) { /* the last time, none is changed */
            char *exact = copy_of((slice){text, (size_t)text_len});
            if (changed < len)
                exact[sizeof("{\"type\":\"offer\",\"room\":\"") - 1 + changed] = '-';
            usual_signal s;
            assert_int_equal(message_read_usual((slice){exact, (size_t)text_len}, room, room, &s),
                             changed == len);
            free(exact);
        }
    }
}

static void all_else_is_left_to_the_reference(void **state)
{
    (void)state;
    static const char *const others[] = {
        "{\"type\":\"join\",\"room\":" ROOM ",\"user\":" USER "}",
        "{\"type\":\"leave\"}",
        "{\"type\":\"error\",\"message\":\"c\"}",
        /* written in another way */
        "{\"type\": \"offer\",\"sdp\":\"v\"}",
        "{\"type\":\"offer\",\"sdp\":\"v\"} ",
        "{\"type\":\"offer\",\"sdp\": \"v\"}",
        "{\"type\":\"offer\",\"sdp\":\"v\" }",
        "{\"sdp\":\"v\",\"type\":\"offer\"}",
        "{\"type\":\"offer\",\"from\":" USER ",\"room\":" ROOM ",\"sdp\":\"v\"}",
        "{\"type\":\"offer\",\"room\":\"blue \\u0022fox\\\"\",\"sdp\":\"v\"}",
        /* with something else in it */
        "{\"type\":\"offer\",\"room\":\"red\",\"sdp\":\"v\"}",
        "{\"type\":\"offer\",\"room\":" ROOM "\"\",\"sdp\":\"v\"}",
        "{\"type\":\"offer\",\"from\":\"boris\",\"sdp\":\"v\"}",
        "{\"type\":\"offer\",\"room\":null,\"sdp\":\"v\"}",
        "{\"type\":\"offer\",\"sdp\":\"v\",\"sdp\":\"w\"}",
        "{\"type\":\"offer\",\"sdp\":\"v\",\"to\":1}",
        /* bad */
        "{\"type\":\"offer\",\"sdp\":\"\"}",
        "{\"type\":\"offer\",\"sdp\":null}",
        "{\"type\":\"offer\",\"sdp\":}",
        "{\"type\":\"offer\",\"sdp\":{}",
        "{\"type\":\"offer\",\"sdp\":\"v\"}}",
        "{\"type\":\"candidate\",\"candidate\":1}",
        "{\"type\":\"candidate\",\"sdp\":\"v\"}",
        "{\"type\":\"offer\",\"candidate\":\"v\"}",
        "{}",
        "}",
    };
    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
        if (check_both(slice_of_text(others[i])))
            fail_msg("%s is not usual", others[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_signal_in_its_usual_form_is_read),
        cmocka_unit_test(a_text_that_is_cut_off_is_not_usual),
        cmocka_unit_test(one_other_byte_is_read_as_the_reference_reads_it),
        cmocka_unit_test(one_more_byte_is_read_as_the_reference_reads_it),
        cmocka_unit_test(each_byte_of_a_name_counts),
        cmocka_unit_test(all_else_is_left_to_the_reference),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
