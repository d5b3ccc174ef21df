/* What clients notice of a cluster, and what they do not: lost owners, rooms that become one, links that are
 * full, and nodes that say what nobody says. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "halls/script.h"
#include "support/run_fail.h"

#include <limits.h>
#include <stdio.h>

static site s;

static int open_site(void **state)
{
    (void)state;
    if (sigsetjmp(fail_jump, 0) != 0)
        fail_msg("%s", fail_text);
    return site_open(&s, true, 2) ? 0 : -1;
}

static int close_site(void **state)
{
    (void)state;
    site_close(&s);
    return 0;
}

/* What a caller was told since this was asked last. */
static const char *told(unsigned who)
{
    static char text[MAX_TOLD];
    caller *c = &s.callers[who];
    memcpy(text, c->told, c->told_len);
    text[c->told_len] = '\0';
    c->told_len = 0;
    return text;
}

static void expect_has(unsigned who, const char *part)
{
    const char *text = told(who);
    if (strstr(text, part) == NULL)
        fail_msg("not told \"%s\", but:\n%s", part, text);
}

static void say(unsigned who, const char *text)
{
    site_say(&s, who, text);
}

static void join_1(unsigned who, int node, const char *user)
{
    char text[128];
    site_connect(&s, who, CAST_1, node, NULL);
    snprintf(text, sizeof(text), "{\"type\":\"join\",\"room\":\"anna\",\"user\":\"%s\"}", user);
    say(who, text);
    (void)told(who);
}

static void join_2(unsigned who, int node)
{
    site_connect(&s, who, CAST_2, node, NULL);
    say(who, "{\"type\":\"join\",\"room\":\"anna\",\"user\":\"ann\"}");
    expect_has(who, "\"resumed\":false");
}

static void come_back(unsigned who, int node, const char *expected)
{
    char text[256];
    const caller *c = &s.callers[who];
    site_connect(&s, who, CAST_2, node, NULL);
    snprintf(text, sizeof(text), "{\"type\":\"join\",\"room\":\"anna\",\"token\":\"%s\",\"seen\":%u}",
             c->token, (unsigned)c->seen);
    say(who, text);
    expect_has(who, expected);
}

#define OFFER_1   "{\"type\":\"offer\",\"sdp\":\"v\"}"
#define GOES_AWAY "{\"type\":\"goaway\",\"reason\":\"restart\""
#define RESTARTS  " end 7\n" /* PARTICIPANT_RESTARTS */

/* "anna" is a room of node 0, unless a test says otherwise. */

static void a_client_of_version_1_joins_again_unnoticed_where_its_owner_is_lost(void **state)
{
    (void)state;
    join_1(0, 1, "ann");
    join_1(1, 1, "bob");
    site_lose_node(&s, 0);
    say(0, OFFER_1); /* held until it is in again */
    site_pass(&s, 2000);
    assert_string_equal(told(0), "");
    expect_has(1, "{\"type\":\"offer\",\"room\":\"anna\",\"from\":\"ann\",\"sdp\":\"v\"}");
}

static void a_session_joins_again_unnoticed_where_its_owner_is_lost(void **state)
{
    (void)state;
    s.owners[HALL_ROOMS - 1] = 0;
    site_connect(&s, 0, CAST_SESSION, 1, "a session");
    site_connect(&s, 1, CAST_SESSION, 1, "a session");
    (void)told(0);
    (void)told(1);
    site_lose_node(&s, 0);
    say(1, OFFER_1);
    site_pass(&s, 2000);
    assert_string_equal(told(1), "");
    expect_has(0, "{\"type\":\"offer\",\"sessionId\":\"a session\",\"sdp\":\"v\"}");
}

static void a_client_of_version_2_is_told_to_come_back_where_its_owner_is_lost(void **state)
{
    (void)state;
    join_2(0, 1);
    site_lose_node(&s, 0);
    const char *text = told(0);
    assert_non_null(strstr(text, GOES_AWAY));
    assert_non_null(strstr(text, RESTARTS));
    site_pass(&s, 1500);
    come_back(0, 1, "\"resumed\":false");
}

static void a_session_of_version_2_outlives_the_node_that_its_client_was_connected_to(void **state)
{
    (void)state;
    join_2(0, 1);
    join_2(1, 0);
    (void)told(0);
    site_lose_node(&s, 1);
    expect_has(1, "\"type\":\"peer-away\"");
    site_lose_node(&s, 1); /* its links may be lost more than once */
    site_pass(&s, 2000);
    assert_string_equal(told(1), "");
    say(1, "{\"type\":\"offer\",\"n\":1,\"sdp\":\"v\"}");
    memcpy(s.callers[2].token, s.callers[0].token, sizeof(s.callers[0].token));
    s.callers[2].seen = s.callers[0].seen; /* its client, by another connection */
    come_back(2, 0, "\"type\":\"offer\",\"seq\":2");
    expect_has(1, "\"type\":\"peer-back\"");
}

/* Two nodes have "anna": each with one client. */
static void open_twice(void (*join_first)(unsigned, int), void (*join_second)(unsigned, int))
{
    join_first(0, 0);
    s.owners[0] = 1;
    join_second(1, 1);
    s.owners[0] = 0;
}

static void join_as_ann(unsigned who, int node)
{
    join_1(who, node, "ann");
}

static void join_as_bob(unsigned who, int node)
{
    join_1(who, node, "bob");
}

static void clients_of_version_1_notice_nothing_where_two_rooms_become_one(void **state)
{
    (void)state;
    open_twice(join_as_ann, join_as_bob);
    say(0, OFFER_1); /* queued: nobody is there */
    site_heal(&s, 0);
    assert_string_equal(told(0), "");
    expect_has(1, "\"from\":\"ann\",\"sdp\":\"v\"");
    say(1, OFFER_1);
    expect_has(0, "\"from\":\"bob\",\"sdp\":\"v\"");
}

static void a_session_of_version_2_is_sent_back_where_two_rooms_become_one(void **state)
{
    (void)state;
    open_twice(join_2, join_2);
    site_heal(&s, 0);
    const char *text = told(1);
    assert_non_null(strstr(text, GOES_AWAY));
    assert_non_null(strstr(text, RESTARTS));
    expect_has(0, "\"type\":\"peer-joined\",\"seq\":1");
    come_back(1, 1, "\"resumed\":false,\"received\":0");
    text = told(0);
    assert_non_null(strstr(text, "\"type\":\"peer-left\",\"seq\":2"));
    assert_non_null(strstr(text, "\"reason\":\"lost\""));
    assert_non_null(strstr(text, "\"type\":\"peer-joined\",\"seq\":3"));
    say(1, "{\"type\":\"offer\",\"n\":1,\"sdp\":\"v\"}");
    expect_has(0, "\"type\":\"offer\",\"seq\":4");
}

static void a_session_that_was_sent_back_and_does_not_come_ends_in_time(void **state)
{
    (void)state;
    open_twice(join_2, join_2);
    site_heal(&s, 0);
    (void)told(0);
    say(0, "{\"type\":\"offer\",\"n\":1,\"sdp\":\"v\"}");
    site_pass(&s, 900);
    assert_int_equal(s.lost, 0); /* it is kept for who comes back, and not sent to where nobody is */
    site_pass(&s, 28100);
    expect_has(0, "{\"type\":\"ack\",\"ack\":1}");
    site_pass(&s, 2000);
    expect_has(0, "\"reason\":\"lost\"");
}

static void a_full_link_is_told_as_a_full_queue_in_version_1(void **state)
{
    (void)state;
    join_1(0, 1, "ann");
    s.refusals = UINT_MAX;
    for (int i = 0; i < EDGE_MAX_HELD; i++)
        say(0, OFFER_1);
    assert_string_equal(told(0), "");
    say(0, OFFER_1);
    expect_has(0, "Pending queue is full");
    s.refusals = 0;
    assert_true(s.callers[0].is_open);
}

static void a_full_link_sends_a_client_of_version_2_back_to_say_it_again(void **state)
{
    (void)state;
    join_2(0, 1);
    join_2(1, 0);
    (void)told(0);
    s.refusals = UINT_MAX;
    for (unsigned n = 1; n <= EDGE_MAX_HELD + 1; n++) {
        char text[64];
        snprintf(text, sizeof(text), "{\"type\":\"offer\",\"n\":%u,\"sdp\":\"v\"}", n);
        say(0, text);
    }
    expect_has(0, "given up");
    s.refusals = 0;
    (void)told(1);
    come_back(0, 0, "\"resumed\":true,\"received\":0");
    say(0, "{\"type\":\"offer\",\"n\":1,\"sdp\":\"v\"}");
    expect_has(1, "\"type\":\"offer\"");
}

static void of_a_large_outbox_the_newest_part_moves_with_its_room(void **state)
{
    (void)state;
    char sdp[3000], text[3100];
    join_2(0, 1);
    join_2(1, 0);
    site_cut(&s, 0, false);
    memset(sdp, 'v', sizeof(sdp) - 1);
    sdp[sizeof(sdp) - 1] = '\0';
    for (unsigned n = 1; n <= 4; n++) {
        snprintf(text, sizeof(text), "{\"type\":\"offer\",\"n\":%u,\"sdp\":\"%s\"}", n, sdp);
        say(1, text);
    }
    site_drain(&s, 0);
    assert_int_equal(s.moved, 1);
    s.callers[0].seen = 3; /* its peer, and two of the offers */
    come_back(0, 1, "\"resumed\":true");
    site_cut(&s, 0, false);
    s.callers[0].seen = 1;
    come_back(0, 1, "\"resumed\":false");
}

/* ---- What nobody says ---- */

static void from_node(int node, const wire_message *m)
{
    owner_on_message(&s.places[0].owner, &s.places[node].id, m, s.now_ms);
}

static void an_unsound_join_is_refused(void **state)
{
    (void)state;
    static const char *const extras[] = {"", "x", "eleven byte", "thirteen byte"};
    for (unsigned i = 0; i < 12; i++) {
        const wire_message m = {.type = WIRE_JOIN,
                                .code = (uint8_t)(i % 3),
                                .space = i % 3 == CAST_SESSION ? ROOM_SPACE_SESSIONS : ROOM_SPACE_ROOMS,
                                .binding = 77,
                                .room = i % 3 == CAST_SESSION ? SLICE_LITERAL("a session")
                                                              : SLICE_LITERAL("anna"),
                                .user = SLICE_LITERAL("ann"),
                                .extra = slice_of_text(extras[i / 3])};
        s.owners[HALL_ROOMS - 1] = 0;
        from_node(1, &m);
        assert_null(remotes_find(&s.places[0].owner.all, &s.places[1].id, 77));
        site_settle(&s);
    }
}

static void an_unsound_signal_is_not_passed_on(void **state)
{
    (void)state;
    join_2(0, 1);
    join_2(1, 0);
    (void)told(1);
    uint64_t number = s.places[1].edge.table->number;
    static const char *const extras[] = {"", "\3\0\1\0\0\0\0\0\0\0\1", "\3\0\1\0\0\0\0\0\0\0\0\0\0"};
    static const size_t lens[] = {0, 11, 13}; /* nothing; `to` is missing; the number is 0 */
    for (unsigned i = 0; i < 3; i++) {
        const wire_message m = {.type = WIRE_SIGNAL,
                                .binding = number,
                                .extra = {extras[i], lens[i]},
                                .payload = SLICE_LITERAL("1")};
        from_node(1, &m);
    }
    const wire_message unknown_kind = {.type = WIRE_SIGNAL, .code = 31, .binding = number};
    from_node(1, &unknown_kind);
    site_settle(&s);
    assert_string_equal(told(1), "");
}

static void a_signal_of_an_unknown_kind_is_not_passed_on_in_version_1(void **state)
{
    (void)state;
    join_1(0, 1, "ann");
    join_1(1, 0, "bob");
    const wire_message m = {.type = WIRE_SIGNAL,
                            .code = SIGNAL_KINDS,
                            .binding = s.places[1].edge.table->number,
                            .payload = SLICE_LITERAL("1")};
    from_node(1, &m);
    site_settle(&s);
    assert_string_equal(told(1), "");
}

int main(void)
{
#define TEST(function) cmocka_unit_test_setup_teardown(function, open_site, close_site)
    const struct CMUnitTest tests[] = {
        TEST(a_client_of_version_1_joins_again_unnoticed_where_its_owner_is_lost),
        TEST(a_session_joins_again_unnoticed_where_its_owner_is_lost),
        TEST(a_client_of_version_2_is_told_to_come_back_where_its_owner_is_lost),
        TEST(a_session_of_version_2_outlives_the_node_that_its_client_was_connected_to),
        TEST(clients_of_version_1_notice_nothing_where_two_rooms_become_one),
        TEST(a_session_of_version_2_is_sent_back_where_two_rooms_become_one),
        TEST(a_session_that_was_sent_back_and_does_not_come_ends_in_time),
        TEST(a_full_link_is_told_as_a_full_queue_in_version_1),
        TEST(a_full_link_sends_a_client_of_version_2_back_to_say_it_again),
        TEST(of_a_large_outbox_the_newest_part_moves_with_its_room),
        TEST(an_unsound_join_is_refused),
        TEST(an_unsound_signal_is_not_passed_on),
        TEST(a_signal_of_an_unknown_kind_is_not_passed_on_in_version_1),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
