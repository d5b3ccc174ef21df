#include "dialect_2/extra_2.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>

/* ---- Joins ---- */

static bool take_join(slice text, extra_2_join *join)
{
    extra_reader from = {.rest = text};
    return extra_2_take_join(&from, join);
}

static void a_join_comes_as_it_was_put(void **state)
{
    (void)state;
    const token shown = {{1, 2, 3, 250}};
    char text[TOKEN_CHARS];
    token_write(&shown, text);
    const message_2 m = {.token = {text, sizeof(text)},
                         .has_seen = true,
                         .seen = FIELDS_MAX_INTEGER,
                         .formerly = SLICE_LITERAL("me-before"),
                         .data = SLICE_LITERAL("{\"a\":[1]}")};
    extra_writer w = {.len = 0};
    extra_2_join join;
    extra_2_put_join(&w, &m, true);
    assert_true(take_join(extra_written(&w), &join));
    assert_true(join.has_token && join.has_shown && join.has_seen && join.may_have_ice);
    assert_true(token_equals(&join.token, &shown));
    assert_true(join.seen == FIELDS_MAX_INTEGER);
    assert_true(slice_equals(join.formerly, m.formerly) && slice_equals(join.data, m.data));
}

static void a_token_that_no_server_gives_is_only_noted(void **state)
{
    (void)state;
    const message_2 m = {.token = SLICE_LITERAL("abcdefghijklmnopqrstuvwxyz")};
    extra_writer w = {.len = 0};
    extra_2_join join;
    extra_2_put_join(&w, &m, false);
    assert_true(take_join(extra_written(&w), &join));
    assert_true(join.has_shown);
    assert_false(join.has_token || join.has_seen || join.may_have_ice);
}

static void a_join_that_is_cut_or_longer_is_refused(void **state)
{
    (void)state;
    const message_2 m = {.has_seen = true, .seen = 7, .data = SLICE_LITERAL("null")};
    extra_writer w = {.len = 0};
    extra_2_join join;
    extra_2_put_join(&w, &m, false);
    for (size_t len = 0; len < w.len; len++)
        assert_false(take_join((slice){(const char *)w.data, len}, &join));
    extra_put(&w, 0, 1);
    assert_false(take_join(extra_written(&w), &join));
}

static void what_a_client_could_not_say_is_refused_in_a_join(void **state)
{
    (void)state;
    static const slice unsound[] = {
        {"\20\0\0\0\0", 5},                                 /* an unknown flag */
        {"\1\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 21}, /* a token that was not shown */
        {"\4\0\40\0\0\0\0\0\0\0\0\0\0", 13},                /* seen: 2^53 */
        {"\0\0\1\"\0\0", 6},                                /* formerly: a quote */
        {"\0\0\0\0\2{]", 7},                                /* data: not JSON */
        {"\0\0\0\0\3"
         "1,2",
         8}, /* two values */
        {"\0\0\0\0\7"
         "1,\"a\":2",
         12},                      /* a member more */
        {"\0\0\0\0\2\"\xFF", 7},   /* not UTF-8, and not a string */
        {"\0\0\0\0\3\"\xFF\"", 8}, /* not UTF-8 */
    };
    extra_2_join join;
    for (unsigned i = 0; i < sizeof(unsound) / sizeof(unsound[0]); i++) {
        if (take_join(unsound[i], &join))
            fail_msg("number %u is accepted", i);
    }
    assert_true(take_join((slice){"\0\0\0\0\0", 5}, &join));
}

/* ---- Other messages ---- */

static bool read_said(slice extra, slice payload, extra_2_said *said)
{
    return extra_2_read_said(extra, payload, said);
}

static void a_signal_comes_as_it_was_put(void **state)
{
    (void)state;
    static extra_2_said said;
    const message_2 m = {.type = MESSAGE_2_CANDIDATE,
                         .has_n = true,
                         .n = 9,
                         .has_ack = true,
                         .ack = 0,
                         .to = SLICE_LITERAL("peer_1"),
                         .payload = SLICE_LITERAL("null")};
    extra_writer w = {.len = 0};
    extra_2_put_said(&w, &m, 0, true);
    assert_true(slice_equals(extra_2_payload_of(&m), m.payload));
    assert_true(read_said(extra_written(&w), m.payload, &said));
    assert_int_equal(said.m.type, MESSAGE_2_CANDIDATE);
    assert_true(said.is_quiet && said.m.has_n && said.m.has_ack);
    assert_int_equal(said.m.n, 9);
    assert_int_equal(said.m.ack, 0);
    assert_true(slice_equals(said.m.to, m.to) && slice_equals(said.m.payload, m.payload));
    for (size_t len = 0; len < w.len; len++)
        assert_false(read_said((slice){(const char *)w.data, len}, m.payload, &said));
}

typedef struct said_row {
    message_2_type type;
    bool has_n;
    const char *to, *payload;
    bool is_sound;
} said_row;

static void each_type_has_what_it_must_have_and_nothing_else(void **state)
{
    (void)state;
    static const said_row rows[] = {
        {MESSAGE_2_OFFER, true, "", "\"v\"", true},    {MESSAGE_2_OFFER, true, "p", "\"v\"", true},
        {MESSAGE_2_OFFER, false, "", "\"v\"", false},  {MESSAGE_2_OFFER, true, "", "", false},
        {MESSAGE_2_OFFER, true, "p p", "1", false},    {MESSAGE_2_UPDATE, true, "", "", true},
        {MESSAGE_2_UPDATE, true, "", "[1]", true},     {MESSAGE_2_UPDATE, true, "", "[1", false},
        {MESSAGE_2_UPDATE, true, "p", "[1]", false},   {MESSAGE_2_UPDATE, false, "", "[1]", false},
        {MESSAGE_2_LEAVE, false, "", "\"bye\"", true}, {MESSAGE_2_LEAVE, false, "", "", true},
        {MESSAGE_2_LEAVE, false, "", "7", false},      {MESSAGE_2_LEAVE, true, "", "", false},
        {MESSAGE_2_ACK, false, "", "", true},          {MESSAGE_2_ACK, false, "", "1", false},
        {MESSAGE_2_PING, false, "", "", true},         {MESSAGE_2_JOIN, false, "", "", true},
        {MESSAGE_2_NO_TYPE, false, "", "", false},     {MESSAGE_2_NO_TYPE, true, "", "", false},
    };
    static extra_2_said said;
    for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const message_2 m = {
            .type = rows[i].type, .has_n = rows[i].has_n, .n = 1, .to = slice_of_text(rows[i].to)};
        extra_writer w = {.len = 0};
        extra_2_put_said(&w, &m, 0, false);
        if (read_said(extra_written(&w), slice_of_text(rows[i].payload), &said) != rows[i].is_sound)
            fail_msg("row %u", i);
    }
}

static void a_refused_message_has_its_number_and_nothing_else(void **state)
{
    (void)state;
    static extra_2_said said;
    message_2 m = {.type = MESSAGE_2_NO_TYPE, .has_n = true, .n = 3};
    extra_writer w = {.len = 0};
    extra_2_put_said(&w, &m, MESSAGE_2_UNSUPPORTED, false);
    assert_true(read_said(extra_written(&w), (slice){NULL, 0}, &said));
    assert_int_equal(said.fault, MESSAGE_2_UNSUPPORTED);
    assert_int_equal(said.m.n, 3);
    assert_false(read_said(extra_written(&w), SLICE_LITERAL("1"), &said));
    w.len = 0;
    extra_2_put_said(&w, &m, MESSAGE_2_NO_MEMORY + 1, false);
    assert_false(read_said(extra_written(&w), (slice){NULL, 0}, &said));
    m.has_n = false;
    w.len = 0;
    extra_2_put_said(&w, &m, MESSAGE_2_INVALID, false);
    assert_false(read_said(extra_written(&w), (slice){NULL, 0}, &said));
}

static void numbers_are_those_of_clients(void **state)
{
    (void)state;
    static const uint64_t bad[] = {0, FIELDS_MAX_INTEGER + 1, UINT64_MAX};
    static extra_2_said said;
    for (unsigned i = 0; i < 3; i++) {
        message_2 m = {.type = MESSAGE_2_UPDATE, .has_n = true, .n = bad[i]};
        extra_writer w = {.len = 0};
        extra_2_put_said(&w, &m, 0, false);
        assert_false(read_said(extra_written(&w), (slice){NULL, 0}, &said));
        m = (message_2){.type = MESSAGE_2_ACK, .has_ack = true, .ack = bad[i]};
        w.len = 0;
        extra_2_put_said(&w, &m, 0, false);
        assert_int_equal(read_said(extra_written(&w), (slice){NULL, 0}, &said), i == 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_join_comes_as_it_was_put),
        cmocka_unit_test(a_token_that_no_server_gives_is_only_noted),
        cmocka_unit_test(a_join_that_is_cut_or_longer_is_refused),
        cmocka_unit_test(what_a_client_could_not_say_is_refused_in_a_join),
        cmocka_unit_test(a_signal_comes_as_it_was_put),
        cmocka_unit_test(each_type_has_what_it_must_have_and_nothing_else),
        cmocka_unit_test(a_refused_message_has_its_number_and_nothing_else),
        cmocka_unit_test(numbers_are_those_of_clients),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
