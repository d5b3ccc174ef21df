/* What counts as a message of a client of version 2, what it holds then, and as what it is refused. Every
 * text is decoded from a heap block of exactly its size, so that the sanitizers see a read behind its end. */
#include "dialect_2/message_2.h"

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

#define TOKEN_22 "abcdefghijklmnopqrstuv"
#define TOKEN_64 "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
#define PEER_32  "0123456789abcdef0123456789ABCD-_"

enum { MAX_NAME_BYTES = 512, MAX_TEXT_BYTES = 64 * 1024 };

/* A text and the message decoded from it, which points into it. */
typedef struct decoded {
    char *text; /* owned */
    message_2 message;
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
    return message_2_decode((slice){d->text, len}, MAX_NAME_BYTES, &d->message);
}

static int decode(decoded *d, const char *text)
{
    return decode_bytes(d, text, strlen(text));
}

/* A message as text, in a fixed order, for comparisons: "join room=r user=u". */
static const char *describe(const message_2 *m)
{
    static char out[4096];
    char *at = out + sprintf(out, "%s", m->type == MESSAGE_2_NO_TYPE ? "-" : message_2_type_name(m->type));
    const struct {
        const char *name;
        slice value;
    } slices[] = {{"room", m->room}, {"user", m->user},       {"token", m->token}, {"formerly", m->formerly},
                  {"to", m->to},     {"payload", m->payload}, {"data", m->data},   {"text", m->text}};
    for (size_t i = 0; i < LENGTH_OF(slices); i++) {
        assert_true(slices[i].value.len < 400);
        if (slices[i].value.len > 0)
            at += sprintf(at, " %s=%.*s", slices[i].name, (int)slices[i].value.len, slices[i].value.data);
    }
    if (m->has_n)
        at += sprintf(at, " n=%llu", (unsigned long long)m->n);
    if (m->has_ack)
        at += sprintf(at, " ack=%llu", (unsigned long long)m->ack);
    if (m->has_seen)
        sprintf(at, " seen=%llu", (unsigned long long)m->seen);
    return out;
}

static void check_message(decoded *d, const char *text, const char *expected)
{
    int fault = decode(d, text);
    if (fault != 0)
        fail_msg("%s: fault %d", text, fault);
    if (strcmp(describe(&d->message), expected) != 0)
        fail_msg("%s: %s\nand not %s", text, describe(&d->message), expected);
}

/* It is refused, and this is known of it: "-", "offer n=1". */
static void check_fault(decoded *d, const char *text, int fault, const char *expected)
{
    int got = decode(d, text);
    if (got != fault)
        fail_msg("%s: fault %d and not %d", text, got, fault);
    char known[128];
    int len = snprintf(known, sizeof(known), "%s",
                       d->message.type == MESSAGE_2_NO_TYPE ? "-" : message_2_type_name(d->message.type));
    if (d->message.has_n)
        len +=
            snprintf(known + len, sizeof(known) - (size_t)len, " n=%llu", (unsigned long long)d->message.n);
    if (d->message.has_ack)
        snprintf(known + len, sizeof(known) - (size_t)len, " ack=%llu", (unsigned long long)d->message.ack);
    if (strcmp(known, expected) != 0)
        fail_msg("%s: %s is known and not %s", text, known, expected);
}

/* The same for a form with a %s, for each of the values. */
static void check_faults(decoded *d, const char *form, const char *const values[], size_t count, int fault,
                         const char *expected)
{
    const char *hole = strstr(form, "%s");
    assert_non_null(hole);
    for (size_t i = 0; i < count; i++) {
        char text[512];
        int len = snprintf(text, sizeof(text), "%.*s%s%s", (int)(hole - form), form, values[i], hole + 2);
        assert_true(len > 0 && (size_t)len < sizeof(text));
        check_fault(d, text, fault, expected);
    }
}

static void every_type_is_decoded_with_its_fields(void **state)
{
    decoded *d = *state;
    check_message(d,
                  "{\"type\":\"join\",\"room\":\" r \",\"user\":\"\\u0075\",\"data\":{ \"a\" : 1 "
                  "},\"token\":\"" TOKEN_22 "\",\"seen\":0,\"formerly\":\"p-_\"}",
                  "join room=r user=u token=" TOKEN_22 " formerly=p-_ data={ \"a\" : 1 } seen=0");
    check_message(d, "{\"type\":\"leave\",\"text\":\"by\\u0065\",\"ack\":3}",
                  "leave text=\"by\\u0065\" ack=3");
    check_message(d, "{\"type\":\"offer\",\"n\":1,\"to\":\"p\",\"sdp\":\"v=0\\r\\n\",\"ack\":0}",
                  "offer to=p payload=\"v=0\\r\\n\" n=1 ack=0");
    check_message(d, "{\"type\":\"answer\",\"n\":9007199254740991,\"sdp\":{}}",
                  "answer payload={} n=9007199254740991");
    check_message(d, "{\"type\":\"candidate\",\"n\":2,\"candidate\":null}", "candidate payload=null n=2");
    check_message(d, "{\"type\":\"signal\",\"n\":3,\"to\":\"" PEER_32 "\",\"data\":[1, 2]}",
                  "signal to=" PEER_32 " payload=[1, 2] n=3");
    check_message(d, "{\"type\":\"update\",\"n\":4,\"data\":\"\",\"ack\":9007199254740991}",
                  "update data=\"\" n=4 ack=9007199254740991");
    check_message(d, "{\"type\":\"ack\",\"ack\":7}", "ack ack=7");
    check_message(d, "{\"type\":\"ping\"}", "ping");
    check_message(d, "{\"type\":\"pong\",\"ack\":1}", "pong ack=1");
}

static void what_is_optional_may_be_absent_or_null(void **state)
{
    decoded *d = *state;
    check_message(d, "{\"type\":\"join\",\"room\":\"r\"}", "join room=r");
    check_message(
        d,
        "{\"type\":\"join\",\"room\":\"r\",\"user\":null,\"data\":null,\"token\":null,\"seen\":null,"
        "\"formerly\":null}",
        "join room=r");
    check_message(d, "{\"type\":\"join\",\"room\":\"r\",\"user\":\"\"}", "join room=r");
    check_message(d, "{\"type\":\"join\",\"room\":\"r\",\"user\":\" \\u00a0\\n\"}", "join room=r");
    check_message(d, "{\"type\":\"join\",\"room\":\"r\",\"seen\":5}", "join room=r seen=5");
    check_message(d, "{\"type\":\"leave\"}", "leave");
    check_message(d, "{\"type\":\"leave\",\"text\":null,\"ack\":null}", "leave");
    check_message(d, "{\"type\":\"leave\",\"text\":\"\"}", "leave text=\"\"");
    check_message(d, "{\"type\":\"offer\",\"n\":1,\"sdp\":\"s\",\"to\":null,\"ack\":null}",
                  "offer payload=\"s\" n=1");
    check_message(d, "{\"type\":\"update\",\"n\":1,\"data\":null}", "update n=1");
}

static void fields_that_the_type_does_not_take_are_ignored(void **state)
{
    decoded *d = *state;
    check_message(d,
                  "{\"type\":\"join\",\"room\":\"r\",\"n\":0,\"ack\":-1,\"to\":[],\"sdp\":1,\"candidate\":2,"
                  "\"text\":3}",
                  "join room=r");
    check_message(d,
                  "{\"type\":\"leave\",\"room\":1,\"user\":{},\"data\":2,\"n\":\"x\",\"token\":1,\"seen\":-1,"
                  "\"to\":\"\"}",
                  "leave");
    check_message(d,
                  "{\"type\":\"offer\",\"n\":1,\"sdp\":\"s\",\"room\":1,\"from\":2,\"seq\":3,\"data\":4,"
                  "\"candidate\":5,"
                  "\"text\":6,\"seen\":-1,\"token\":\"\",\"formerly\":\"\"}",
                  "offer payload=\"s\" n=1");
    check_message(d, "{\"type\":\"update\",\"n\":1,\"data\":1,\"to\":\"not a peer\"}", "update data=1 n=1");
    check_message(d, "{\"type\":\"ping\",\"n\":0,\"data\":1,\"to\":2}", "ping");
    check_message(d, "{\"type\":\"ack\",\"ack\":1,\"n\":{}}", "ack ack=1");
}

static void what_is_required_must_be_there(void **state)
{
    decoded *d = *state;
    check_fault(d, "{\"type\":\"join\"}", MESSAGE_2_INVALID, "join");
    check_fault(d, "{\"type\":\"join\",\"room\":null}", MESSAGE_2_INVALID, "join");
    check_fault(d, "{\"type\":\"join\",\"room\":\"\"}", MESSAGE_2_INVALID, "join");
    check_fault(d, "{\"type\":\"join\",\"room\":\" \\n\"}", MESSAGE_2_INVALID, "join");
    check_fault(d, "{\"type\":\"join\",\"user\":\"u\"}", MESSAGE_2_INVALID, "join");
    check_fault(d, "{\"type\":\"offer\",\"n\":1}", MESSAGE_2_INVALID, "offer n=1");
    check_fault(d, "{\"type\":\"answer\",\"n\":1,\"candidate\":\"c\"}", MESSAGE_2_INVALID, "answer n=1");
    check_fault(d, "{\"type\":\"candidate\",\"n\":1,\"sdp\":\"s\"}", MESSAGE_2_INVALID, "candidate n=1");
    check_fault(d, "{\"type\":\"signal\",\"n\":1}", MESSAGE_2_INVALID, "signal n=1");
    check_fault(d, "{\"type\":\"update\",\"n\":1}", MESSAGE_2_INVALID, "update n=1");
    check_fault(d, "{\"type\":\"ack\"}", MESSAGE_2_INVALID, "ack");
    check_fault(d, "{\"type\":\"ack\",\"ack\":null}", MESSAGE_2_INVALID, "ack");
}

static void what_is_counted_needs_its_number(void **state)
{
    decoded *d = *state;
    static const struct {
        const char *type;
        const char *rest;
    } rows[] = {
        {"offer", "\"sdp\":\"s\""}, {"answer", "\"sdp\":{}"},  {"candidate", "\"candidate\":\"\""},
        {"signal", "\"data\":1"},   {"update", "\"data\":{}"},
    };
    static const char *const values[] = {"null",  "0",    "-1",  "1.0", "1e0", "9007199254740992",
                                         "\"1\"", "true", "[1]", "{}"};
    for (size_t r = 0; r < LENGTH_OF(rows); r++) {
        char text[128];
        snprintf(text, sizeof(text), "{\"type\":\"%s\",%s}", rows[r].type, rows[r].rest);
        check_fault(d, text, MESSAGE_2_INVALID, rows[r].type);
        for (size_t i = 0; i < LENGTH_OF(values); i++) {
            snprintf(text, sizeof(text), "{\"type\":\"%s\",%s,\"n\":%s}", rows[r].type, rows[r].rest,
                     values[i]);
            check_fault(d, text, MESSAGE_2_INVALID, rows[r].type);
        }
        snprintf(text, sizeof(text), "{\"type\":\"%s\",%s,\"n\":10}", rows[r].type, rows[r].rest);
        assert_int_equal(decode(d, text), 0);
        assert_int_equal(d->message.n, 10);
    }
}

static void a_refused_message_still_tells_its_number(void **state)
{
    decoded *d = *state;
    check_fault(d, "{\"n\":5,\"type\":\"offer\",\"sdp\":7,\"ack\":2}", MESSAGE_2_INVALID, "offer n=5 ack=2");
    check_fault(d, "{\"n\":5,\"type\":\"offer\",\"sdp\":\"s\",\"ack\":\"x\"}", MESSAGE_2_INVALID,
                "offer n=5");
    check_fault(d, "{\"n\":\"x\",\"type\":\"offer\",\"sdp\":\"s\",\"ack\":2}", MESSAGE_2_INVALID,
                "offer ack=2");
    check_fault(d, "{\"n\":5,\"type\":\"dance\",\"ack\":2}", MESSAGE_2_UNSUPPORTED, "- n=5 ack=2");
    check_fault(d, "{\"n\":5,\"type\":7}", MESSAGE_2_INVALID, "- n=5");
    check_fault(d, "{\"n\":5,\"ack\":[]}", MESSAGE_2_INVALID, "- n=5");
    check_fault(d, "{\"n\":5,\"type\":\"offer\",\"sdp\":\"s\"", MESSAGE_2_INVALID,
                "-"); /* no JSON: nothing is known */
}

static void an_unknown_type_is_not_supported(void **state)
{
    decoded *d = *state;
    static const char *const unknown[] = {"\"\"",        "\"Join\"",       "\" join\"", "\"joined\"",
                                          "\"hangup\"",  "\"error\"",      "\"tick\"",  "\"join\\u0000\"",
                                          "\"\\ud800\"", "\"peer-joined\""};
    check_faults(d, "{\"room\":\"r\",\"type\":%s}", unknown, LENGTH_OF(unknown), MESSAGE_2_UNSUPPORTED, "-");
    static const char *const none[] = {"null", "true", "1", "[]", "{}", "[\"join\"]"};
    check_faults(d, "{\"room\":\"r\",\"type\":%s}", none, LENGTH_OF(none), MESSAGE_2_INVALID, "-");
    check_fault(d, "{}", MESSAGE_2_INVALID, "-");
}

static void what_is_no_object_is_invalid(void **state)
{
    decoded *d = *state;
    static const char *const texts[] = {"",
                                        " ",
                                        "null",
                                        "1",
                                        "\"ping\"",
                                        "[]",
                                        "[{\"type\":\"ping\"}]",
                                        "{\"type\":\"ping\"",
                                        "{\"type\":\"ping\"}}",
                                        "{\"type\":\"ping\",}",
                                        "{\"type\":\"ping\",\"x\":01}"};
    for (size_t i = 0; i < LENGTH_OF(texts); i++)
        check_fault(d, texts[i], MESSAGE_2_INVALID, "-");
}

static void a_name_of_another_type_than_string_is_invalid(void **state)
{
    decoded *d = *state;
    static const char *const values[] = {"1", "true", "[]", "{}", "[\"a\"]", "\"\\ud800\"", "\"x\\udc00\""};
    check_faults(d, "{\"type\":\"join\",\"room\":%s}", values, LENGTH_OF(values), MESSAGE_2_INVALID, "join");
    check_faults(d, "{\"type\":\"join\",\"room\":\"r\",\"user\":%s}", values, LENGTH_OF(values),
                 MESSAGE_2_INVALID, "join");
}

static void a_payload_of_a_wrong_type_is_invalid(void **state)
{
    decoded *d = *state;
    static const struct {
        const char *type;
        const char *field;
        const char *fine; /* one letter for each value below: y, or n */
    } rows[] = {
        {"offer", "sdp", "nnnnnynyy"},           {"answer", "sdp", "nnnnnynyy"},
        {"candidate", "candidate", "ynnnyynyy"}, {"signal", "data", "yyyyyyyyy"},
        {"update", "data", "yyyyyyyyy"},
    };
    static const char *const values[] = {"null",  "true", "false", "0",       "\"\"",
                                         "\" \"", "[]",   "{}",    "\"\\\"\""};
    for (size_t r = 0; r < LENGTH_OF(rows); r++) {
        for (size_t i = 0; i < LENGTH_OF(values); i++) {
            char text[128];
            snprintf(text, sizeof(text), "{\"type\":\"%s\",\"n\":1,\"%s\":%s}", rows[r].type, rows[r].field,
                     values[i]);
            int fault = decode(d, text);
            if (fault != (rows[r].fine[i] == 'y' ? 0 : MESSAGE_2_INVALID))
                fail_msg("%s: %d", text, fault);
        }
    }
}

static void tokens_and_peer_ids_have_their_alphabet_and_length(void **state)
{
    decoded *d = *state;
    static const char *const no_tokens[] = {
        "\"\"",
        "\"abcdefghijklmnopqrstu\"",
        "\"" TOKEN_64 "x\"",
        "\"abcdefghijklmnopqrstu \"",
        "\"abcdefghijklmnopqrstu=\"",
        "\"abcdefghijklmnopqrst\xd1\x8f\"",
        "\"abcdefghijklmnopqrst\\u044f\"",
        "\"abcdefghijklmnopqrstu\\n\"",
        "\"abcdefghijklmnopqrstuv\\u0000\"",
        "\" " TOKEN_22 "\"",
        "\"" TOKEN_64 "\\u0061\"",
        "1",
        "true",
        "[]",
        "{}",
    };
    check_faults(d, "{\"type\":\"join\",\"room\":\"r\",\"token\":%s}", no_tokens, LENGTH_OF(no_tokens),
                 MESSAGE_2_INVALID, "join");
    static const char *const no_peers[] = {
        "\"\"",    "\"" PEER_32 "x\"", "\"a b\"", "\"a.b\"", "\"\xd1\x8f\"", "\"\\n\"",
        "\"\\/\"", "\" p\"",           "0",       "false",   "[\"p\"]",      "{}"};
    check_faults(d, "{\"type\":\"join\",\"room\":\"r\",\"formerly\":%s}", no_peers, LENGTH_OF(no_peers),
                 MESSAGE_2_INVALID, "join");
    check_faults(d, "{\"type\":\"offer\",\"n\":1,\"sdp\":\"s\",\"to\":%s}", no_peers, LENGTH_OF(no_peers),
                 MESSAGE_2_INVALID, "offer n=1");
    check_message(
        d, "{\"type\":\"join\",\"room\":\"r\",\"token\":\"" TOKEN_64 "\",\"formerly\":\"" PEER_32 "\"}",
        "join room=r token=" TOKEN_64 " formerly=" PEER_32);
}

static void identifiers_may_be_written_with_escapes(void **state)
{
    decoded *d = *state;
    check_message(
        d,
        "{\"type\":\"join\",\"room\":\"r\",\"token\":\"\\u0061bcdefghijklmnopqrstu\\u002d\",\"formerly\":"
        "\"\\u0070\"}",
        "join room=r token=abcdefghijklmnopqrstu- formerly=p");
    check_message(d, "{\"type\":\"signal\",\"n\":1,\"data\":0,\"to\":\"p\\u0031\"}",
                  "signal to=p1 payload=0 n=1");
    check_message(d, "{\"\\u0074ype\":\"\\u0070ing\",\"\\u0061ck\":4}", "ping ack=4");
}

static void the_last_seen_number_is_an_integer(void **state)
{
    decoded *d = *state;
    static const char *const values[] = {"-1", "0.5", "1e1", "9007199254740992", "\"0\"", "true", "[]", "{}"};
    check_faults(d, "{\"type\":\"join\",\"room\":\"r\",\"seen\":%s}", values, LENGTH_OF(values),
                 MESSAGE_2_INVALID, "join");
    check_faults(d, "{\"type\":\"pong\",\"ack\":%s}", values, LENGTH_OF(values), MESSAGE_2_INVALID, "pong");
    check_message(d, "{\"type\":\"join\",\"room\":\"r\",\"seen\":9007199254740991}",
                  "join room=r seen=9007199254740991");
}

/* <head><count times unit><tail> */
static int decode_long(decoded *d, const char *head, const char *unit, size_t count, const char *tail)
{
    static char text[MAX_TEXT_BYTES];
    assert_true(strlen(head) + count * strlen(unit) + strlen(tail) < sizeof(text));
    char *at = text + sprintf(text, "%s", head);
    for (size_t i = 0; i < count; i++)
        at += sprintf(at, "%s", unit);
    sprintf(at, "%s", tail);
    return decode(d, text);
}

static void a_name_over_its_bound_is_too_large(void **state)
{
    decoded *d = *state;
    static const char room[] = "{\"type\":\"join\",\"room\":\"";
    static const char user[] = "{\"type\":\"join\",\"room\":\"r\",\"user\":\"";
    assert_int_equal(decode_long(d, room, "a", MAX_NAME_BYTES, " \"}"), 0);
    assert_int_equal(d->message.room.len, MAX_NAME_BYTES);
    assert_int_equal(decode_long(d, room, "a", MAX_NAME_BYTES + 1, "\"}"), MESSAGE_2_TOO_LARGE);
    assert_int_equal(d->message.type, MESSAGE_2_JOIN);
    assert_int_equal(decode_long(d, user, "\\u0061", MAX_NAME_BYTES, "\"}"), 0);
    assert_int_equal(d->message.user.len, MAX_NAME_BYTES);
    assert_int_equal(decode_long(d, user, "\\u0061", MAX_NAME_BYTES + 1, "\"}"), MESSAGE_2_TOO_LARGE);
    assert_int_equal(decode_long(d, user, "\\u0061", FIELDS_MAX_NAME_BYTES + 1, "\"}"), MESSAGE_2_TOO_LARGE);
}

static void data_over_its_bound_is_too_large_but_not_in_a_signal(void **state)
{
    decoded *d = *state;
    enum { INNER = MESSAGE_2_MAX_DATA_BYTES - 2 /* quotes */ };
    static const char join[] = "{\"type\":\"join\",\"room\":\"r\",\"data\":\"";
    static const char update[] = "{\"type\":\"update\",\"n\":1,\"data\":\"";
    static const char signal[] = "{\"type\":\"signal\",\"n\":1,\"data\":\"";
    assert_int_equal(decode_long(d, join, "x", INNER, "\"}"), 0);
    assert_int_equal(d->message.data.len, MESSAGE_2_MAX_DATA_BYTES);
    assert_int_equal(decode_long(d, join, "x", INNER + 1, "\"}"), MESSAGE_2_TOO_LARGE);
    assert_int_equal(decode_long(d, update, "x", INNER, "\"}"), 0);
    assert_int_equal(decode_long(d, update, "x", INNER + 1, "\"}"), MESSAGE_2_TOO_LARGE);
    assert_true(d->message.has_n);
    assert_int_equal(decode_long(d, update, "\\n", INNER / 2 + 1, "\"}"),
                     MESSAGE_2_TOO_LARGE); /* raw bytes count */
    assert_int_equal(decode_long(d, signal, "x", 8 * INNER, "\"}"), 0);
    assert_int_equal(d->message.payload.len, 8 * INNER + 2);
    assert_int_equal(d->message.data.len, 0);
}

static void a_text_over_its_bound_is_too_large(void **state)
{
    decoded *d = *state;
    static const char leave[] = "{\"type\":\"leave\",\"text\":\"";
    enum { MAX = MESSAGE_2_MAX_TEXT_BYTES };
    assert_int_equal(decode_long(d, leave, "a", MAX, "\"}"), 0);
    assert_int_equal(d->message.text.len, MAX + 2);
    assert_int_equal(decode_long(d, leave, "a", MAX + 1, "\"}"), MESSAGE_2_TOO_LARGE);
    assert_int_equal(decode_long(d, leave, "\\u0061", MAX, "\"}"), 0); /* decoded bytes count */
    assert_int_equal(decode_long(d, leave, "\\u0061", MAX + 1, "\"}"), MESSAGE_2_TOO_LARGE);
    assert_int_equal(decode_long(d, leave, "\\n", MAX, "\"}"), 0);
    assert_int_equal(decode_long(d, leave, "\\n", MAX + 1, "\"}"), MESSAGE_2_TOO_LARGE);
    assert_int_equal(decode_long(d, leave, "\\u0000", MAX, "\"}"), 0);
    assert_int_equal(decode_long(d, leave, "\xd1\x8f", MAX / 2, "\"}"), 0);
    assert_int_equal(decode_long(d, leave, "\xd1\x8f", MAX / 2, "a\"}"), MESSAGE_2_TOO_LARGE);
    assert_int_equal(decode_long(d, leave, "\\ud83d\\ude00", MAX / 4, "\"}"), 0);
    static const char *const values[] = {"1", "true", "[]", "{}", "\"\\ud800\"", "\"x\\udc00y\""};
    check_faults(d, "{\"type\":\"leave\",\"text\":%s}", values, LENGTH_OF(values), MESSAGE_2_INVALID,
                 "leave");
}

static void of_duplicates_the_last_counts(void **state)
{
    decoded *d = *state;
    check_message(
        d,
        "{\"type\":7,\"n\":0,\"sdp\":\"a\",\"to\":1,\"type\":\"offer\",\"sdp\":\"b\",\"n\":2,\"to\":\"p\"}",
        "offer to=p payload=\"b\" n=2");
    check_fault(d, "{\"type\":\"offer\",\"sdp\":\"a\",\"n\":1,\"n\":0}", MESSAGE_2_INVALID, "offer");
    check_fault(d, "{\"type\":\"offer\",\"n\":1,\"sdp\":\"a\",\"sdp\":null}", MESSAGE_2_INVALID, "offer n=1");
    check_message(d, "{\"type\":\"join\",\"room\":\"a\",\"user\":1,\"user\":null,\"room\":\"b\"}",
                  "join room=b");
}

static void no_message_cut_short_is_valid(void **state)
{
    decoded *d = *state;
    static const char text[] =
        "{\"typ\\u0065\":\"join\",\"room\":\"\xc2\xa0\\u0061\xe3\x80\x80\",\"token\":\"" TOKEN_22
        "\",\"data\":{\"a\":[-1.5e3,null]},\"formerly\":\"\\u0070\",\"seen\":10}";
    for (size_t cut = 0; cut < strlen(text); cut++)
        assert_int_equal(decode_bytes(d, text, cut), MESSAGE_2_INVALID);
    assert_int_equal(decode(d, text), 0);
}

static void *refuse(size_t size)
{
    (void)size;
    return NULL;
}

static void only_names_and_texts_with_escapes_need_memory(void **state)
{
    decoded *d = *state;
    cJSON_Hooks hooks = {.malloc_fn = refuse, .free_fn = free};
    cJSON_InitHooks(&hooks);
    int signal =
        decode(d, "{\"typ\\u0065\":\"\\u006fffer\",\"n\":1,\"to\":\"\\u0070\",\"sdp\":\"v=0\\r\\n\"}");
    int join =
        decode(d, "{\"type\":\"join\",\"room\":\" r \",\"token\":\"" TOKEN_22 "\\u0061\",\"data\":\"\\n\"}");
    int leave = decode(d, "{\"type\":\"leave\",\"text\":\"bye\"}");
    int room = decode(d, "{\"type\":\"join\",\"room\":\"\\u0072\"}");
    int text = decode(d, "{\"type\":\"leave\",\"ack\":1,\"text\":\"\\u0072\"}");
    cJSON_InitHooks(NULL);
    assert_int_equal(signal, 0);
    assert_int_equal(join, 0);
    assert_int_equal(leave, 0);
    assert_int_equal(room, MESSAGE_2_NO_MEMORY);
    assert_int_equal(text, MESSAGE_2_NO_MEMORY);
    assert_true(d->message.has_ack);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(every_type_is_decoded_with_its_fields),
        TEST(what_is_optional_may_be_absent_or_null),
        TEST(fields_that_the_type_does_not_take_are_ignored),
        TEST(what_is_required_must_be_there),
        TEST(what_is_counted_needs_its_number),
        TEST(a_refused_message_still_tells_its_number),
        TEST(an_unknown_type_is_not_supported),
        TEST(what_is_no_object_is_invalid),
        TEST(a_name_of_another_type_than_string_is_invalid),
        TEST(a_payload_of_a_wrong_type_is_invalid),
        TEST(tokens_and_peer_ids_have_their_alphabet_and_length),
        TEST(identifiers_may_be_written_with_escapes),
        TEST(the_last_seen_number_is_an_integer),
        TEST(a_name_over_its_bound_is_too_large),
        TEST(data_over_its_bound_is_too_large_but_not_in_a_signal),
        TEST(a_text_over_its_bound_is_too_large),
        TEST(of_duplicates_the_last_counts),
        TEST(no_message_cut_short_is_valid),
        TEST(only_names_and_texts_with_escapes_need_memory),
    };
#undef TEST
    return cmocka_run_group_tests(tests, NULL, NULL);
}
