/* Links: two ends and a post between them that loses, doubles and delays what the test says. */
#include "cluster/link.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ENDS = 2, POST = 256, TEXT = 4096, LIMIT = 16384, LANE_LIMIT = 2048 };

typedef struct letter {
    size_t len;
    uint8_t data[1024];
} letter;

typedef struct end {
    struct fixture *f;
    node_link *link;
    letter post[POST]; /* on its way from this end */
    int posted;
    char got[TEXT], lost[TEXT]; /* bodies, one behind the other */
    unsigned ups, losses;
    bool takes_later; /* its workers have not taken what was delivered */
    unsigned not_taken;
} end;

typedef struct fixture {
    end ends[ENDS];
    uint64_t now_ms;
} fixture;

static const node_id ids[ENDS] = {{{1}}, {{2}}};

static void on_send(void *context, node_link *l, const wire_message *packet)
{
    (void)l;
    end *e = context;
    assert_true(e->posted < POST);
    letter *to = &e->post[e->posted++];
    to->len = wire_size(packet);
    assert_true(to->len <= sizeof(to->data));
    wire_write(packet, to->data);
}

static void note(char text[TEXT], slice body)
{
    assert_true(strlen(text) + body.len + 2 < TEXT);
    strncat(text, body.data, body.len);
    strcat(text, " ");
}

static void on_deliver(void *context, node_link *l, uint16_t worker, slice body)
{
    end *e = context;
    assert_int_equal(worker, 3);
    note(e->got, body);
    if (e->takes_later)
        e->not_taken++;
    else
        link_took(l, 1, e->f->now_ms);
}

static void on_up(void *context, node_link *l)
{
    (void)l;
    ((end *)context)->ups++;
}

static void on_lost_message(void *context, node_link *l, slice body)
{
    (void)l;
    note(((end *)context)->lost, body);
}

static void on_lost(void *context, node_link *l)
{
    (void)l;
    ((end *)context)->losses++;
}

static void open_end(fixture *f, int i)
{
    static const link_limits limits = {.bytes = LIMIT, .lane_bytes = LANE_LIMIT};
    const link_events events = {.send = on_send,
                                .deliver = on_deliver,
                                .on_up = on_up,
                                .on_lost_message = on_lost_message,
                                .on_lost = on_lost,
                                .context = &f->ends[i]};
    f->ends[i].f = f;
    assert_int_equal(link_new(&ids[i], &ids[1 - i], &limits, &events, f->now_ms, &f->ends[i].link), 0);
}

static fixture *open_both(void)
{
    fixture *f = calloc(1, sizeof(*f));
    assert_non_null(f);
    f->now_ms = 1000;
    open_end(f, 0);
    open_end(f, 1);
    return f;
}

static void close_both(fixture *f)
{
    link_free(f->ends[0].link);
    link_free(f->ends[1].link);
    free(f);
}

static void bring(fixture *f, int from, int at)
{
    wire_message m;
    const letter *l = &f->ends[from].post[at];
    assert_int_equal(wire_read_packet((slice){(const char *)l->data, l->len}, &m), 0);
    link_on_packet(f->ends[1 - from].link, &m, f->now_ms);
}

/* Carry what is on its way, and what follows, until there is nothing more. */
static void carry(fixture *f)
{
    for (bool has_moved = true; has_moved;) {
        has_moved = false;
        for (int i = 0; i < ENDS; i++) {
            static letter post[POST];
            int count = f->ends[i].posted;
            memcpy(post, f->ends[i].post, sizeof(post));
            f->ends[i].posted = 0;
            for (int at = 0; at < count; at++) {
                wire_message m;
                assert_int_equal(wire_read_packet((slice){(const char *)post[at].data, post[at].len}, &m), 0);
                link_on_packet(f->ends[1 - i].link, &m, f->now_ms);
                has_moved = true;
            }
        }
    }
}

/* What is on its way from there is gone. */
static void lose_post(fixture *f, int from)
{
    f->ends[from].posted = 0;
}

static void pass(fixture *f, uint64_t ms)
{
    f->now_ms += ms;
    for (int i = 0; i < ENDS; i++)
        link_tick(f->ends[i].link, f->now_ms);
}

static void come_up(fixture *f)
{
    pass(f, 0);
    carry(f);
    assert_true(link_is_up(f->ends[0].link) && link_is_up(f->ends[1].link));
}

static int say_in(fixture *f, int from, uint64_t lane, bool is_control, const char *text)
{
    const link_lane in = {.number = lane, .is_control = is_control};
    return link_send(f->ends[from].link, 3, &in, slice_of_text(text), f->now_ms);
}

static void say(fixture *f, int from, const char *text)
{
    assert_int_equal(say_in(f, from, 1, false, text), 0);
}

static void expect(char got[TEXT], const char *text)
{
    assert_string_equal(got, text);
    got[0] = '\0';
}

/* ---- */

static void nothing_is_said_before_it_is_up(void **state)
{
    (void)state;
    fixture *f = open_both();
    assert_int_equal(say_in(f, 0, 1, false, "a"), -ENOTCONN);
    come_up(f);
    assert_int_equal(f->ends[0].ups, 1);
    assert_int_equal(f->ends[1].ups, 1);
    say(f, 0, "a");
    carry(f);
    expect(f->ends[1].got, "a ");
    close_both(f);
}

static void hello_is_said_until_it_is_up_and_then_no_more(void **state)
{
    (void)state;
    fixture *f = open_both();
    for (int i = 0; i < 5; i++) {
        pass(f, LINK_HELLO_MS);
        assert_int_equal(f->ends[0].posted, 1);
        lose_post(f, 0);
        lose_post(f, 1);
    }
    pass(f, LINK_HELLO_MS);
    carry(f);
    assert_true(link_is_up(f->ends[0].link) && link_is_up(f->ends[1].link));
    assert_int_equal(link_next_due_ms(f->ends[0].link), UINT64_MAX);
    pass(f, 10000);
    assert_int_equal(f->ends[0].posted + f->ends[1].posted, 0);
    close_both(f);
}

static void what_is_lost_is_said_again_and_what_is_doubled_is_dropped(void **state)
{
    (void)state;
    fixture *f = open_both();
    come_up(f);
    say(f, 0, "a");
    say(f, 0, "b");
    say(f, 0, "c");
    bring(f, 0, 0);
    bring(f, 0, 0);
    bring(f, 0, 2); /* b is missing */
    lose_post(f, 0);
    expect(f->ends[1].got, "a ");
    pass(f, LINK_RESEND_MS - 1);
    assert_int_equal(link_resends(f->ends[0].link), 0);
    carry(f); /* the acknowledgement of a: the time begins anew */
    pass(f, LINK_RESEND_MS - 1);
    assert_int_equal(link_resends(f->ends[0].link), 0);
    pass(f, 1);
    assert_int_equal(link_resends(f->ends[0].link), 2);
    carry(f);
    expect(f->ends[1].got, "b c ");
    pass(f, LINK_ACK_MS);
    carry(f);
    assert_int_equal(link_held(f->ends[0].link), 0);
    close_both(f);
}

static void a_lost_acknowledgement_is_said_again(void **state)
{
    (void)state;
    fixture *f = open_both();
    come_up(f);
    say(f, 0, "a");
    carry(f);
    pass(f, LINK_ACK_MS);
    lose_post(f, 1);
    pass(f, LINK_RESEND_MS);
    carry(f);
    expect(f->ends[1].got, "a ");
    pass(f, LINK_ACK_MS);
    carry(f);
    assert_int_equal(link_held(f->ends[0].link), 0);
    assert_int_equal(link_next_due_ms(f->ends[0].link), UINT64_MAX);
    close_both(f);
}

static void what_is_taken_is_acknowledged_and_nothing_else(void **state)
{
    (void)state;
    fixture *f = open_both();
    come_up(f);
    f->ends[1].takes_later = true;
    for (int i = 0; i < LINK_ACK_COUNT; i++)
        assert_int_equal(say_in(f, 0, 1, true, "a"), 0);
    carry(f);
    pass(f, LINK_ACK_MS);
    assert_int_equal(f->ends[1].posted, 0);
    link_took(f->ends[1].link, LINK_ACK_COUNT - 1, f->now_ms);
    assert_int_equal(f->ends[1].posted, 0);
    link_took(f->ends[1].link, 5, f->now_ms); /* there is one more only */
    assert_int_equal(f->ends[1].posted, 1);
    carry(f);
    assert_int_equal(link_held(f->ends[0].link), 0);
    close_both(f);
}

static void a_lost_link_does_not_resume(void **state)
{
    (void)state;
    fixture *f = open_both();
    come_up(f);
    say(f, 0, "a");
    lose_post(f, 0);
    say(f, 1, "x");
    letter late = f->ends[1].post[0];
    lose_post(f, 1);
    link_lose(f->ends[0].link, f->now_ms);
    expect(f->ends[0].lost, "a ");
    assert_int_equal(f->ends[0].losses, 1);
    link_lose(f->ends[0].link, f->now_ms); /* it is not up */
    assert_int_equal(f->ends[0].losses, 1);
    pass(f, 0);
    carry(f); /* the other end hears of it by HELLO */
    expect(f->ends[1].lost, "x ");
    assert_int_equal(f->ends[1].losses, 1);
    assert_int_equal(f->ends[0].ups, 2);
    assert_int_equal(f->ends[1].ups, 2);
    f->ends[1].post[0] = late;
    bring(f, 1, 0); /* of the old epoch */
    expect(f->ends[0].got, "");
    say(f, 0, "b");
    say(f, 1, "y");
    carry(f);
    expect(f->ends[0].got, "y ");
    expect(f->ends[1].got, "b ");
    assert_int_equal(f->ends[0].losses + f->ends[1].losses, 2);
    close_both(f);
}

static void both_may_lose_it_at_the_same_time(void **state)
{
    (void)state;
    fixture *f = open_both();
    come_up(f);
    for (int i = 0; i < 20; i++) {
        link_lose(f->ends[0].link, f->now_ms);
        link_lose(f->ends[1].link, f->now_ms);
        pass(f, 0);
        if (i % 2 == 0)
            lose_post(f, i / 2 % 2);
        carry(f);
        pass(f, LINK_HELLO_MS);
        carry(f);
        assert_true(link_is_up(f->ends[0].link) && link_is_up(f->ends[1].link));
    }
    assert_int_equal(f->ends[0].losses, 20);
    close_both(f);
}

static void one_that_is_made_again_is_newer(void **state)
{
    (void)state;
    fixture *f = open_both();
    come_up(f);
    link_free(f->ends[0].link); /* the other end does not know */
    f->now_ms += 5000;
    open_end(f, 0);
    pass(f, 0);
    carry(f);
    assert_int_equal(f->ends[1].losses, 1);
    assert_true(link_is_up(f->ends[0].link) && link_is_up(f->ends[1].link));
    close_both(f);
}

static void a_late_hello_changes_nothing(void **state)
{
    (void)state;
    fixture *f = open_both();
    pass(f, 0);
    letter late = f->ends[0].post[0];
    carry(f);
    link_lose(f->ends[0].link, f->now_ms);
    pass(f, 0);
    carry(f);
    f->ends[0].post[0] = late;
    bring(f, 0, 0);
    carry(f);
    assert_true(link_is_up(f->ends[1].link));
    assert_int_equal(f->ends[1].losses, 1);
    close_both(f);
}

static void a_lane_that_is_full_stops_no_other(void **state)
{
    (void)state;
    static char text[600 + 1];
    fixture *f = open_both();
    memset(text, 'x', sizeof(text) - 1);
    come_up(f);
    int said = 0;
    while (say_in(f, 0, 7, false, text) == 0)
        said++;
    assert_int_equal(said, LANE_LIMIT / (600 + LINK_OVERHEAD));
    assert_int_equal(say_in(f, 0, 7, false, text), -EAGAIN);
    assert_int_equal(say_in(f, 0, 8, false, text), 0);
    close_both(f);
}

static void a_lane_takes_one_message_of_any_size(void **state)
{
    (void)state;
    static char text[LANE_LIMIT + 1];
    fixture *f = open_both();
    memset(text, 'x', sizeof(text) - 1);
    come_up(f);
    f->ends[0].posted = POST - 1; /* its packet is longer than the post takes */
    const link_lane in = {.number = 7};
    assert_int_equal(link_send(f->ends[0].link, 3, &in, (slice){text, 800}, f->now_ms), 0);
    lose_post(f, 0);
    assert_int_equal(link_send(f->ends[0].link, 3, &in, (slice){text, LANE_LIMIT - 800}, f->now_ms), -EAGAIN);
    close_both(f);
}

static void a_full_link_still_takes_control_messages(void **state)
{
    (void)state;
    static char text[600 + 1];
    fixture *f = open_both();
    memset(text, 'x', sizeof(text) - 1);
    come_up(f);
    uint64_t lane = 100;
    while (say_in(f, 0, lane, false, text) == 0) {
        lane++;
        lose_post(f, 0);
    }
    assert_true(link_held(f->ends[0].link) <= LIMIT - LIMIT / 4);
    int said = 0;
    while (say_in(f, 0, 0, true, "c") == 0) {
        said++;
        lose_post(f, 0);
    }
    assert_true(said >= LIMIT / 4 / (LINK_OVERHEAD + 1));
    assert_int_equal(say_in(f, 0, 0, true, "c"), -ENOBUFS);
    assert_true(link_held(f->ends[0].link) <= LIMIT);
    close_both(f);
}

static void while_the_engine_is_away_it_waits(void **state)
{
    (void)state;
    fixture *f = open_both();
    come_up(f);
    say(f, 0, "a");
    lose_post(f, 0);
    assert_false(link_is_in_doubt(f->ends[0].link, f->now_ms));
    link_on_engine(f->ends[0].link, false, f->now_ms);
    assert_int_equal(link_next_due_ms(f->ends[0].link), UINT64_MAX);
    pass(f, 60000);
    assert_int_equal(f->ends[0].posted, 0);
    link_on_engine(f->ends[0].link, true, f->now_ms);
    pass(f, 0);
    assert_true(link_is_in_doubt(f->ends[0].link, f->now_ms));
    carry(f);
    expect(f->ends[1].got, "a ");
    pass(f, LINK_ACK_MS);
    carry(f);
    assert_true(link_is_in_doubt(f->ends[0].link, f->now_ms + LINK_DOUBT_MS - 1));
    assert_false(link_is_in_doubt(f->ends[0].link, f->now_ms + LINK_DOUBT_MS));
    assert_int_equal(f->ends[0].losses + f->ends[1].losses, 0);
    close_both(f);
}

/* What has been said meanwhile is many times what is said again at a time, and there is no pause between. */
static void all_that_was_lost_while_the_engine_was_away_follows_at_once(void **state)
{
    enum { LOST = LINK_RESEND_COUNT / 2 * 3, SAID_MEANWHILE = 3 };
    (void)state;
    fixture *f = open_both();
    char expected[TEXT] = "";
    come_up(f);
    link_on_engine(f->ends[0].link, false, f->now_ms);
    for (int i = 0; i < LOST + SAID_MEANWHILE; i++) {
        char text[8];
        snprintf(text, sizeof(text), "%d", i);
        note(expected, slice_of_text(text));
        if (i == LOST) { /* it is back, and the first ones are on their way */
            lose_post(f, 0);
            link_on_engine(f->ends[0].link, true, f->now_ms);
            pass(f, 0);
            assert_int_equal(f->ends[0].posted, LINK_RESEND_COUNT);
        }
        assert_int_equal(say_in(f, 0, 1, true, text), 0);
    }
    assert_int_equal(f->ends[0].posted, LINK_RESEND_COUNT); /* what would be dropped is not said */
    carry(f);
    expect(f->ends[1].got, expected);
    pass(f, LINK_ACK_MS);
    carry(f);
    assert_int_equal(link_held(f->ends[0].link), 0);
    say(f, 0, "next");
    assert_int_equal(f->ends[0].posted, 1);
    carry(f);
    expect(f->ends[1].got, "next ");
    close_both(f);
}

static void packets_of_another_are_not_its_own(void **state)
{
    (void)state;
    fixture *f = open_both();
    come_up(f);
    const wire_message strange = {
        .type = WIRE_ACK, .from = ids[1], .other = {{77}}, .epoch = 1001, .peer_epoch = 1001};
    link_on_packet(f->ends[0].link, &strange, f->now_ms);
    wire_message ack = {
        .type = WIRE_ACK, .from = ids[1], .other = ids[0], .epoch = 1001, .peer_epoch = 1001, .number = 9};
    say(f, 0, "a");
    link_on_packet(f->ends[0].link, &ack, f->now_ms); /* of what was never said */
    assert_true(link_held(f->ends[0].link) > 0);
    close_both(f);
}

/* xorshift64*, by Vigna. */
static unsigned draw(uint64_t *r, unsigned bound)
{
    *r ^= *r >> 12;
    *r ^= *r << 25;
    *r ^= *r >> 27;
    return (unsigned)(((*r * 0x2545F4914F6CDD1DU) >> 33) % bound);
}

/* Within an epoch each message arrives once and in order, whatever the post does. */
static void everything_arrives_once_and_in_order(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 200; seed++) {
        fixture *f = open_both();
        uint64_t r = seed * 0x9E3779B97F4A7C15U;
        char expected[TEXT] = "";
        come_up(f);
        for (int i = 0; i < 100; i++) {
            char text[16];
            snprintf(text, sizeof(text), "%d", i);
            if (say_in(f, 0, 1, false, text) == 0)
                note(expected, slice_of_text(text));
            for (int e = 0; e < ENDS; e++) {
                for (int at = 0; at < f->ends[e].posted; at++) {
                    for (unsigned copies = draw(&r, 3); copies > 0; copies--)
                        bring(f, e, at);
                }
                lose_post(f, e);
            }
            pass(f, draw(&r, 100));
        }
        for (int i = 0; i < 20; i++) {
            carry(f);
            pass(f, LINK_RESEND_MS);
        }
        expect(f->ends[1].got, expected);
        assert_int_equal(link_held(f->ends[0].link), 0);
        close_both(f);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_is_said_before_it_is_up),
        cmocka_unit_test(hello_is_said_until_it_is_up_and_then_no_more),
        cmocka_unit_test(what_is_lost_is_said_again_and_what_is_doubled_is_dropped),
        cmocka_unit_test(a_lost_acknowledgement_is_said_again),
        cmocka_unit_test(what_is_taken_is_acknowledged_and_nothing_else),
        cmocka_unit_test(a_lost_link_does_not_resume),
        cmocka_unit_test(both_may_lose_it_at_the_same_time),
        cmocka_unit_test(one_that_is_made_again_is_newer),
        cmocka_unit_test(a_late_hello_changes_nothing),
        cmocka_unit_test(a_lane_that_is_full_stops_no_other),
        cmocka_unit_test(a_lane_takes_one_message_of_any_size),
        cmocka_unit_test(a_full_link_still_takes_control_messages),
        cmocka_unit_test(while_the_engine_is_away_it_waits),
        cmocka_unit_test(all_that_was_lost_while_the_engine_was_away_follows_at_once),
        cmocka_unit_test(packets_of_another_are_not_its_own),
        cmocka_unit_test(everything_arrives_once_and_in_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
