/* What a server of version 2 says, as the load generator reads it: whole messages are taken, and those that
 * lack something or have something of a wrong type are refused. */
#include "wire/message_2_in.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#define LENGTH_OF(array) (sizeof(array) / sizeof((array)[0]))

#define TOKEN "abcdefghijklmnopqrstuv"

static bool read_text(const char *text, message_2_in *out)
{
    return message_2_read(slice_of_text(text), out);
}

static void a_signal_has_a_number_a_sender_and_a_payload(void **state)
{
    (void)state;
    message_2_in m;
    assert_true(read_text("{\"type\":\"offer\",\"seq\":7,\"from\":\"p1\",\"sdp\":\"v=0\",\"ack\":3}", &m));
    assert_int_equal(m.type, MESSAGE_2_IN_OFFER);
    assert_true(m.has_seq && m.seq == 7 && m.has_ack && m.ack == 3);
    assert_true(slice_equals(m.from, SLICE_LITERAL("p1")));
    assert_true(slice_equals(m.payload, SLICE_LITERAL("\"v=0\"")));

    static const char *const wrong[] = {
        "",
        "null",
        "{\"seq\":7}",
        "{\"type\":\"bye\"}",
        "{\"type\":\"offer\",\"from\":\"p1\",\"sdp\":\"v=0\"}",
        "{\"type\":\"offer\",\"seq\":0,\"from\":\"p1\",\"sdp\":\"v=0\"}",
        "{\"type\":\"offer\",\"seq\":\"7\",\"from\":\"p1\",\"sdp\":\"v=0\"}",
        "{\"type\":\"offer\",\"seq\":7,\"sdp\":\"v=0\"}",
        "{\"type\":\"offer\",\"seq\":7,\"from\":1,\"sdp\":\"v=0\"}",
        "{\"type\":\"offer\",\"seq\":7,\"from\":\"p1\",\"candidate\":{}}",
        "{\"type\":\"candidate\",\"seq\":7,\"from\":\"p1\",\"sdp\":\"v=0\"}",
    };
    for (size_t i = 0; i < LENGTH_OF(wrong); i++)
        if (read_text(wrong[i], &m))
            fail_msg("this was taken: %s", wrong[i]);
}

static void presence_and_some_errors_are_numbered_and_nothing_else_is(void **state)
{
    (void)state;
    message_2_in m;
    assert_true(read_text("{\"type\":\"peer-left\",\"seq\":1}", &m) && m.has_seq);
    assert_false(read_text("{\"type\":\"peer-left\"}", &m));
    assert_true(read_text("{\"type\":\"error\",\"code\":\"busy\"}", &m) && !m.has_seq);
    assert_true(read_text("{\"type\":\"error\",\"code\":\"busy\",\"seq\":2,\"n\":1}", &m) && m.has_seq);
    assert_true(read_text("{\"type\":\"tick\"}", &m) && m.type == MESSAGE_2_IN_TICK);
    assert_false(read_text("{\"type\":\"tick\",\"seq\":1}", &m));
    assert_false(read_text("{\"type\":\"ack\"}", &m));
    assert_true(read_text("{\"type\":\"goaway\",\"reason\":\"restart\",\"retryAfterMs\":5}", &m));
    assert_int_equal(m.retry_after_ms, 5);
    assert_false(read_text("{\"type\":\"goaway\",\"reason\":\"restart\"}", &m));
}

static const char *read_joined(const char *text, message_2_joined *m)
{
    return message_2_read_joined(slice_of_text(text), m);
}

#define JOINED(token, order, rest)                                                               \
    "{\"type\":\"joined\",\"room\":\"r\",\"peer\":\"me\",\"order\":" order ",\"token\":\"" token \
    "\",\"received\":4,\"tick\":25,\"resumeFor\":30," rest "}"

static void joined_tells_who_is_there(void **state)
{
    (void)state;
    message_2_joined m;
    assert_null(
        read_joined(JOINED(TOKEN, "3",
                           "\"resumed\":false,\"peers\":[{\"peer\":\"p2\",\"user\":\"bert\",\"order\":1,"
                           "\"data\":null,\"away\":true,\"v\":2}]"),
                    &m));
    assert_string_equal(m.room, "r");
    assert_string_equal(m.peer, "me");
    assert_string_equal(m.token, TOKEN);
    assert_true(m.order == 3 && m.received == 4 && !m.is_resumed && m.other_is_away);
    assert_string_equal(m.other, "p2");
    assert_string_equal(m.other_user, "bert");
    assert_null(read_joined(JOINED(TOKEN, "3", "\"resumed\":true"), &m));
    assert_true(m.is_resumed && m.other[0] == '\0');
}

static void a_joined_that_lacks_something_is_refused(void **state)
{
    (void)state;
    message_2_joined m;
    assert_non_null(read_joined("", &m));
    assert_non_null(read_joined("{\"type\":\"joined\"}", &m));
    assert_non_null(read_joined(JOINED("short", "3", "\"resumed\":true"), &m));
    assert_non_null(read_joined(JOINED("abcdefghijklmnopqrstu.", "3", "\"resumed\":true"), &m));
    assert_non_null(read_joined(JOINED(TOKEN, "0", "\"resumed\":true"), &m));
    assert_non_null(read_joined(JOINED(TOKEN, "2147483648", "\"resumed\":true"), &m));
    assert_non_null(read_joined(JOINED(TOKEN, "3", "\"resumed\":1"), &m));
    assert_non_null(read_joined(JOINED(TOKEN, "3", "\"resumed\":true,\"peers\":[]"), &m));
    assert_non_null(read_joined(JOINED(TOKEN, "3", "\"resumed\":false"), &m));
    assert_non_null(read_joined(JOINED(TOKEN, "3", "\"resumed\":false,\"peers\":[{},{}]"), &m));
    assert_non_null(read_joined(JOINED(TOKEN, "3", "\"resumed\":false,\"peers\":[{}]"), &m));
}

static const char *read_presence(const char *text, message_2_presence *m)
{
    return message_2_read_presence(slice_of_text(text), m);
}

static void presence_says_who_and_why(void **state)
{
    (void)state;
    message_2_presence m;
    assert_null(read_presence("{\"peer\":\"p\",\"user\":\"anna\",\"order\":1,\"v\":1}", &m));
    assert_true(strcmp(m.peer, "p") == 0 && strcmp(m.user, "anna") == 0 && m.v == 1 && !m.has_reason);
    assert_null(
        read_presence("{\"peer\":\"p\",\"user\":\"anna\",\"order\":1,\"v\":2,\"reason\":\"lost\"}", &m));
    assert_true(m.has_reason);
    assert_non_null(
        read_presence("{\"peer\":\"p\",\"user\":\"anna\",\"order\":1,\"v\":2,\"reason\":\"x\"}", &m));
    assert_non_null(read_presence("{\"peer\":\"p\",\"user\":\"anna\",\"order\":1,\"v\":3}", &m));
    assert_non_null(read_presence("{\"peer\":\"p\",\"order\":1,\"v\":2}", &m));
    assert_non_null(read_presence("{\"user\":\"anna\",\"order\":1,\"v\":2}", &m));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_signal_has_a_number_a_sender_and_a_payload),
        cmocka_unit_test(presence_and_some_errors_are_numbered_and_nothing_else_is),
        cmocka_unit_test(joined_tells_who_is_there),
        cmocka_unit_test(a_joined_that_lacks_something_is_refused),
        cmocka_unit_test(presence_says_who_and_why),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
