/* What goes over the wire in each dialect: our own as protocol/README.md, "Version 1" has it, and
 * PeerServer's. */
#include "wire/dialect.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "dialect_1/message_1.h"

#include <stdlib.h>
#include <string.h>

#define LENGTH_OF(array) (sizeof(array) / sizeof((array)[0]))

/* The longest names that a user has (user.h: room and name of 40 bytes with their NUL). */
#define NAME_39 "abcdefghijklmnopqrstuvwxyz-0123456789-a"

static const dialect_names names = {
    .room = {"blue-1", 6},
    .from = {"anna", 4},
    .to = {"bert", 4},
};

static const dialect_names longest = {
    .room = {NAME_39, 39},
    .from = {NAME_39, 39},
    .to = {NAME_39, 39},
};

static void expect_text(const char *out, size_t len, const char *expected)
{
    assert_int_equal(len, strlen(expected));
    assert_memory_equal(out, expected, len);
}

/* A whole signal around a payload. */
static size_t write_signal(const load_dialect *d, char *out, load_kind kind, const dialect_names *who,
                           const char *payload)
{
    char *at = out + d->signal_head(out, kind, who);
    at = dialect_put(at, slice_of_text(payload));
    at = dialect_put(at, d->signal_tail);
    return (size_t)(at - out);
}

/* ---- homecall ---- */

static void homecall_joins_and_leaves_by_messages(void **state)
{
    (void)state;
    char out[DIALECT_MAX_TEXT];
    expect_text(out, dialect_homecall.join(out, &names),
                "{\"type\":\"join\",\"room\":\"blue-1\",\"user\":\"anna\"}");
    expect_text(out, dialect_homecall.leave(out, &names),
                "{\"type\":\"leave\",\"room\":\"blue-1\",\"user\":\"anna\"}");
    assert_false(dialect_homecall.joins_by_connecting);
    assert_null(dialect_homecall.request_target);
    assert_null(dialect_homecall.is_notice);
}

static void homecall_signals_look_as_the_server_passes_them_on(void **state)
{
    (void)state;
    char out[DIALECT_MAX_TEXT];
    expect_text(out, write_signal(&dialect_homecall, out, LOAD_OFFER, &names, "\"v=0\""),
                "{\"type\":\"offer\",\"room\":\"blue-1\",\"from\":\"anna\",\"sdp\":\"v=0\"}");
    expect_text(out, write_signal(&dialect_homecall, out, LOAD_ANSWER, &names, "\"v=0\""),
                "{\"type\":\"answer\",\"room\":\"blue-1\",\"from\":\"anna\",\"sdp\":\"v=0\"}");
    expect_text(out, write_signal(&dialect_homecall, out, LOAD_CANDIDATE, &names, "null"),
                "{\"type\":\"candidate\",\"room\":\"blue-1\",\"from\":\"anna\",\"candidate\":null}");
}

static void the_server_takes_every_homecall_message(void **state)
{
    (void)state;
    static const message_type types[] = {MESSAGE_OFFER, MESSAGE_ANSWER, MESSAGE_CANDIDATE};
    char out[DIALECT_MAX_TEXT];
    message *m = malloc(sizeof(*m)); /* its storage is large for a stack */
    assert_non_null(m);

    size_t len = dialect_homecall.join(out, &longest);
    assert_int_equal(message_decode((slice){out, len}, 512, m), 0);
    assert_int_equal(m->type, MESSAGE_JOIN);
    assert_true(slice_equals(m->room, longest.room));
    assert_true(slice_equals(m->user, longest.from));

    len = dialect_homecall.leave(out, &longest);
    assert_int_equal(message_decode((slice){out, len}, 512, m), 0);
    assert_int_equal(m->type, MESSAGE_LEAVE);

    for (int kind = 0; kind < LOAD_HANGUP; kind++) {
        len = write_signal(&dialect_homecall, out, (load_kind)kind, &longest, "\"x\"");
        assert_int_equal(message_decode((slice){out, len}, 512, m), 0);
        assert_int_equal(m->type, types[kind]);
        assert_true(slice_equals(m->payload, SLICE_LITERAL("\"x\"")));
    }
    free(m);
}

/* ---- session ---- */

static void a_session_is_named_in_the_url(void **state)
{
    (void)state;
    char out[DIALECT_MAX_TEXT];
    dialect_homecall_session.request_target(out, "/signal", &names);
    assert_string_equal(out, "/signal?sessionId=blue-1");
    assert_true(dialect_homecall_session.joins_by_connecting);
    assert_null(dialect_homecall_session.join);
    assert_null(dialect_homecall_session.leave);
    assert_null(dialect_homecall_session.subprotocol);
}

static void signals_of_a_session_look_as_the_server_passes_them_on(void **state)
{
    (void)state;
    const load_dialect *d = &dialect_homecall_session;
    char out[DIALECT_MAX_TEXT];
    expect_text(out, write_signal(d, out, LOAD_OFFER, &names, "\"v=0\""),
                "{\"type\":\"offer\",\"sessionId\":\"blue-1\",\"sdp\":\"v=0\"}");
    expect_text(out, write_signal(d, out, LOAD_ANSWER, &names, "\"v=0\""),
                "{\"type\":\"answer\",\"sessionId\":\"blue-1\",\"sdp\":\"v=0\"}");
    expect_text(out, write_signal(d, out, LOAD_CANDIDATE, &names, "{}"),
                "{\"type\":\"candidate\",\"sessionId\":\"blue-1\",\"candidate\":{}}");
    expect_text(out, write_signal(d, out, LOAD_HANGUP, &names, "\"bye\""),
                "{\"type\":\"hangup\",\"sessionId\":\"blue-1\",\"reason\":\"bye\"}");
}

/* ---- peerjs ---- */

static void peerjs_joins_by_the_url(void **state)
{
    (void)state;
    char out[DIALECT_MAX_TEXT];
    dialect_peerjs.request_target(out, "/peerjs", &names);
    assert_string_equal(out, "/peerjs?key=peerjs&id=anna&token=anna");
    assert_true(dialect_peerjs.joins_by_connecting);
    assert_null(dialect_peerjs.join);
    assert_null(dialect_peerjs.leave);
}

static void peerjs_signals_look_as_the_server_passes_them_on(void **state)
{
    (void)state;
    char out[DIALECT_MAX_TEXT];
    expect_text(out, write_signal(&dialect_peerjs, out, LOAD_OFFER, &names, "\"v=0\""),
                "{\"type\":\"OFFER\",\"src\":\"anna\",\"dst\":\"bert\",\"payload\":\"v=0\"}");
    expect_text(out, write_signal(&dialect_peerjs, out, LOAD_ANSWER, &names, "\"v=0\""),
                "{\"type\":\"ANSWER\",\"src\":\"anna\",\"dst\":\"bert\",\"payload\":\"v=0\"}");
    expect_text(out, write_signal(&dialect_peerjs, out, LOAD_CANDIDATE, &names, "{}"),
                "{\"type\":\"CANDIDATE\",\"src\":\"anna\",\"dst\":\"bert\",\"payload\":{}}");
}

static void only_the_welcome_of_peerjs_is_no_signal(void **state)
{
    (void)state;
    static const char *const others[] = {
        "",
        "{\"type\":\"OPEN\"",
        "{\"type\":\"OPEN\"} ",
        "{\"type\":\"OPEN\",\"x\":1}",
        "{\"type\":\"ERROR\",\"payload\":{\"msg\":\"Invalid key provided\"}}",
        "{\"type\":\"ID-TAKEN\",\"payload\":{\"msg\":\"ID is taken\"}}",
        "{\"type\":\"EXPIRE\",\"src\":\"a\",\"dst\":\"b\"}",
        "{\"type\":\"LEAVE\",\"src\":\"a\",\"dst\":\"b\"}",
    };
    assert_true(dialect_peerjs.is_notice(SLICE_LITERAL("{\"type\":\"OPEN\"}")));
    for (size_t i = 0; i < LENGTH_OF(others); i++)
        assert_false(dialect_peerjs.is_notice(slice_of_text(others[i])));
}

/* ---- Both ---- */

static void the_longest_names_and_paths_fit(void **state)
{
    (void)state;
    char out[DIALECT_MAX_TEXT];
    char path[1024];
    memset(path, 'p', sizeof(path) - 1);
    path[sizeof(path) - 1] = '\0';
    assert_true(dialect_homecall.join(out, &longest) < sizeof(out));
    assert_true(dialect_homecall.leave(out, &longest) < sizeof(out));
    for (int kind = 0; kind < LOAD_HANGUP; kind++) {
        assert_true(dialect_homecall.signal_head(out, (load_kind)kind, &longest) < sizeof(out));
        assert_true(dialect_peerjs.signal_head(out, (load_kind)kind, &longest) < sizeof(out));
    }
    dialect_peerjs.request_target(out, path, &longest); /* the path is cut, the name is not */
    assert_non_null(strstr(out, "&id=" NAME_39 "&token=" NAME_39));
}

static void dialects_are_found_by_their_names(void **state)
{
    (void)state;
    assert_ptr_equal(dialect_find("homecall"), &dialect_homecall);
    assert_ptr_equal(dialect_find("peerjs"), &dialect_peerjs);
    assert_ptr_equal(dialect_find("session"), &dialect_homecall_session);
    assert_ptr_equal(dialect_find("2"), &dialect_homecall_2);
    assert_null(dialect_find(""));
    assert_null(dialect_find("Homecall"));
    assert_null(dialect_find("peerjs "));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(homecall_joins_and_leaves_by_messages),
        cmocka_unit_test(homecall_signals_look_as_the_server_passes_them_on),
        cmocka_unit_test(the_server_takes_every_homecall_message),
        cmocka_unit_test(a_session_is_named_in_the_url),
        cmocka_unit_test(signals_of_a_session_look_as_the_server_passes_them_on),
        cmocka_unit_test(peerjs_joins_by_the_url),
        cmocka_unit_test(peerjs_signals_look_as_the_server_passes_them_on),
        cmocka_unit_test(only_the_welcome_of_peerjs_is_no_signal),
        cmocka_unit_test(the_longest_names_and_paths_fit),
        cmocka_unit_test(dialects_are_found_by_their_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
