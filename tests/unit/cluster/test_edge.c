/* The edge of one client: what it says to owners, and what its client notices. */
#include "cluster/edge.h"
#include "support/journal.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { SELF = 1, GIVER = 2, TAKER = 3 };

typedef struct fixture {
    edge edge;
    journal journal;
    uint64_t now_ms;
    uint64_t number;  /* of the last message about the binding */
    int say_error;    /* what the next message comes to */
    bool is_unlinked; /* nobody is linked */
    binding *binding;
} fixture;

static int client; /* what the binding belongs to */

static const char *name_of(wire_type type)
{
    static const char *const names[WIRE_TYPES] = {
        [WIRE_JOIN] = "join",   [WIRE_LEAVE] = "leave", [WIRE_SIGNAL] = "signal",
        [WIRE_ALIVE] = "alive", [WIRE_LOST] = "lost",   [WIRE_SWITCH] = "switch"};
    return names[type];
}

static int on_say(void *context, const room_home *to, const wire_message *m, bool is_control)
{
    fixture *f = context;
    assert_int_equal(is_control, m->type != WIRE_SIGNAL && m->type != WIRE_JOIN);
    if (f->say_error != 0)
        return f->say_error;
    f->number = m->binding;
    journal_note(&f->journal, "%s to %d", name_of(m->type), to->node.bytes[0]);
    if (m->type == WIRE_JOIN)
        journal_note(&f->journal, "%s after %u ms", (m->flags & WIRE_IS_REJOIN) != 0 ? " again" : "",
                     (unsigned)m->age_ms);
    if (m->type == WIRE_SIGNAL)
        journal_note(&f->journal, " %.*s", (int)m->payload.len, m->payload.data);
    journal_note(&f->journal, "\n");
    return 0;
}

static bool on_is_linked(void *context, const node_id *id)
{
    (void)id;
    return !((fixture *)context)->is_unlinked;
}

static void on_want(void *context, const room_key *key)
{
    (void)key;
    journal_note(&((fixture *)context)->journal, "want\n");
}

static void on_mistaken(void *context, const room_key *key, const node_id *id)
{
    (void)key;
    journal_note(&((fixture *)context)->journal, "not %d\n", id->bytes[0]);
}

static void on_joined(void *context, void *of, slice extra)
{
    assert_ptr_equal(of, &client);
    (void)extra;
    journal_note(&((fixture *)context)->journal, "client joined\n");
}

static void on_waiting(void *context, void *of)
{
    (void)of;
    journal_note(&((fixture *)context)->journal, "client waits\n");
}

static void on_deliver(void *context, void *of, slice payload)
{
    (void)of;
    journal_note(&((fixture *)context)->journal, "client hears %.*s\n", (int)payload.len, payload.data);
}

static void on_queue_full(void *context, void *of, slice extra, slice payload)
{
    (void)of;
    (void)extra;
    journal_note(&((fixture *)context)->journal, "queue full %.*s\n", (int)payload.len, payload.data);
}

static void on_probe(void *context, void *of, uint64_t number)
{
    (void)of;
    journal_note(&((fixture *)context)->journal, "probe %u\n", (unsigned)number);
}

static void on_full(void *context, void *of)
{
    (void)of;
    journal_note(&((fixture *)context)->journal, "client refused\n");
}

static void on_close(void *context, void *of, wire_end why)
{
    (void)of;
    if (why == WIRE_END_UNREACHABLE)
        journal_note(&((fixture *)context)->journal, "client can't be served\n");
    else
        journal_note(&((fixture *)context)->journal, "client closed %d\n", (int)why);
}

static void on_lost(void *context, void *of)
{
    (void)of;
    journal_note(&((fixture *)context)->journal, "client must come back\n");
}

static void on_loss(void *context, cluster_loss why, slice payload)
{
    journal_note(&((fixture *)context)->journal, "loss %d of %.*s\n", (int)why, (int)payload.len,
                 payload.data);
}

static void open_edge(fixture *f, bool comes_back)
{
    static const uint8_t secret[CLUSTER_SECRET_BYTES] = {1};
    const edge_events events = {.say = on_say,
                                .is_linked = on_is_linked,
                                .want = on_want,
                                .mistaken = on_mistaken,
                                .on_joined = on_joined,
                                .on_waiting = on_waiting,
                                .on_deliver = on_deliver,
                                .on_queue_full = on_queue_full,
                                .on_probe = on_probe,
                                .on_full = on_full,
                                .on_close = on_close,
                                .on_lost = on_lost,
                                .on_loss = on_loss,
                                .context = f};
    memset(f, 0, sizeof(*f));
    f->now_ms = 10000;
    edge_init(&f->edge, &(node_id){{SELF}}, 5, secret, &events);
    const edge_join as = {.client = &client,
                          .comes_back = comes_back,
                          .room = SLICE_LITERAL("red"),
                          .user = SLICE_LITERAL("anna")};
    f->binding = edge_join_room(&f->edge, &as, f->now_ms);
    assert_non_null(f->binding);
    edge_tick(&f->edge, f->now_ms);
}

static void close_edge(fixture *f)
{
    edge_deinit(&f->edge);
    journal_expect(&f->journal, "");
}

static void expect(fixture *f, const char *text)
{
    journal_expect(&f->journal, text);
}

static void pass(fixture *f, uint64_t ms)
{
    f->now_ms += ms;
    edge_tick(&f->edge, f->now_ms);
}

static void own(fixture *f, uint8_t node)
{
    const room_home home = {.node = {{node}}};
    edge_on_owner(&f->edge, &f->binding->key, &home, f->now_ms);
}

static void hear_of(fixture *f, uint8_t node, wire_type type, uint64_t number)
{
    const wire_message m = {
        .type = type, .binding = number, .number = 7, .other = {{TAKER}}, .payload = SLICE_LITERAL("hello")};
    edge_on_message(&f->edge, &(node_id){{node}}, &m, f->now_ms);
}

static void hear(fixture *f, uint8_t node, wire_type type)
{
    hear_of(f, node, type, f->number);
}

static int say(fixture *f, const char *text)
{
    return edge_signal(f->binding, 1, false, SLICE_LITERAL(""), slice_of_text(text), f->now_ms);
}

static void bind_to(fixture *f, uint8_t node)
{
    own(f, node);
    hear(f, node, WIRE_JOINED);
    journal_clear(&f->journal);
}

/* ---- */

static void input_is_held_from_the_join_to_its_answer(void **state)
{
    (void)state;
    fixture f;
    open_edge(&f, false);
    assert_int_equal(say(&f, "a"), 0);
    own(&f, GIVER);
    assert_int_equal(say(&f, "b"), 0);
    expect(&f, "want\njoin to 2 after 0 ms\n");
    assert_true(f.number >> 48 == 5); /* the worker */
    hear(&f, GIVER, WIRE_JOINED);
    expect(&f, "client joined\nsignal to 2 a\nsignal to 2 b\n");
    assert_int_equal(say(&f, "c"), 0);
    hear(&f, GIVER, WIRE_DELIVER);
    hear(&f, GIVER, WIRE_PROBE);
    edge_alive(f.binding, 7, f.now_ms);
    expect(&f, "signal to 2 c\nclient hears hello\nprobe 7\nalive to 2\n");
    edge_leave(f.binding, f.now_ms);
    expect(&f, "leave to 2\n");
    close_edge(&f);
}

static void who_waits_says_nothing_and_may_be_refused(void **state)
{
    (void)state;
    fixture f;
    open_edge(&f, false);
    own(&f, GIVER);
    hear(&f, GIVER, WIRE_WAITING);
    assert_int_equal(say(&f, "a"), 0);
    expect(&f, "want\njoin to 2 after 0 ms\nclient waits\n");
    hear(&f, GIVER, WIRE_FULL);
    expect(&f, "loss 4 of a\nclient refused\n");
    close_edge(&f);
}

static void one_that_is_not_the_owner_is_asked_for_once(void **state)
{
    (void)state;
    fixture f;
    open_edge(&f, false);
    own(&f, GIVER);
    hear(&f, GIVER, WIRE_NOT_OWNER);
    pass(&f, 0);
    own(&f, TAKER);
    expect(&f, "want\njoin to 2 after 0 ms\nnot 2\nwant\njoin to 3 after 0 ms\n");
    hear(&f, GIVER, WIRE_JOINED); /* of the former one */
    expect(&f, "");
    edge_deinit(&f.edge);
}

static void an_owner_that_cannot_be_reached_is_tried_again(void **state)
{
    (void)state;
    fixture f;
    open_edge(&f, false);
    f.say_error = -ENOTCONN;
    own(&f, GIVER);
    f.say_error = 0;
    pass(&f, EDGE_TRY_AGAIN_MS - 1);
    expect(&f, "want\n");
    pass(&f, 1);
    own(&f, GIVER);
    expect(&f, "want\njoin to 2 after 50 ms\n");
    edge_deinit(&f.edge);
}

static void where_the_owner_is_lost_it_joins_again_and_the_client_notices_nothing(void **state)
{
    (void)state;
    fixture f;
    open_edge(&f, false);
    bind_to(&f, GIVER);
    uint64_t before = f.number;
    f.say_error = -ENOTCONN;
    assert_int_equal(say(&f, "a"), 0); /* held */
    edge_on_node_lost(&f.edge, &(node_id){{TAKER}}, true, f.now_ms);
    expect(&f, "");
    edge_on_node_lost(&f.edge, &(node_id){{GIVER}}, true, f.now_ms);
    f.say_error = 0;
    pass(&f, 1); /* before newcomers */
    own(&f, TAKER);
    assert_int_not_equal(f.number, before);
    hear_of(&f, TAKER, WIRE_DELIVER, before); /* of the old binding */
    hear_of(&f, TAKER, WIRE_JOINED, f.binding->number);
    expect(&f, "want\njoin to 3 again after 1 ms\nloss 3 of hello\nlost to 3\nclient joined\n"
               "signal to 3 a\n");
    edge_deinit(&f.edge);
}

static void newcomers_wait_after_the_loss_of_a_node(void **state)
{
    (void)state;
    fixture f;
    open_edge(&f, false);
    own(&f, GIVER);
    journal_clear(&f.journal);
    edge_on_node_lost(&f.edge, &(node_id){{GIVER}}, true, f.now_ms);
    journal_clear(&f.journal);
    pass(&f, EDGE_NEWCOMERS_WAIT_MS - 1);
    expect(&f, "");
    pass(&f, 1);
    expect(&f, "want\n");
    edge_deinit(&f.edge);
}

static void who_can_come_back_is_told_to(void **state)
{
    (void)state;
    fixture f;
    open_edge(&f, true);
    bind_to(&f, GIVER);
    hear(&f, GIVER, WIRE_UNBOUND);
    expect(&f, "lost to 2\nclient must come back\n");
    close_edge(&f);
}

static void when_the_room_moves_input_is_held_until_the_new_owner_has_answered(void **state)
{
    (void)state;
    fixture f;
    open_edge(&f, false);
    bind_to(&f, GIVER);
    hear(&f, GIVER, WIRE_MOVED);
    assert_int_equal(say(&f, "a"), 0);
    hear(&f, GIVER, WIRE_SWITCHED); /* it is not its to say */
    expect(&f, "switch to 2\n");
    hear(&f, TAKER, WIRE_SWITCHED);
    expect(&f, "signal to 3 a\n");
    hear(&f, TAKER, WIRE_DELIVER);
    hear(&f, GIVER, WIRE_DELIVER);
    expect(&f, "client hears hello\nloss 3 of hello\n");
    edge_deinit(&f.edge);
}

static void who_goes_while_the_room_moves_says_so_to_the_new_owner(void **state)
{
    (void)state;
    for (int leaves = 0; leaves < 2; leaves++) {
        fixture f;
        open_edge(&f, false);
        bind_to(&f, GIVER);
        hear(&f, GIVER, WIRE_MOVED);
        if (leaves != 0)
            edge_leave(f.binding, f.now_ms);
        else
            edge_lose(f.binding, false, f.now_ms);
        expect(&f, "switch to 2\n");
        hear(&f, TAKER, WIRE_SWITCHED);
        expect(&f, leaves != 0 ? "leave to 3\n" : "lost to 3\n");
        close_edge(&f);
    }
}

static void a_new_owner_that_does_not_answer_is_given_up(void **state)
{
    (void)state;
    fixture f;
    open_edge(&f, false);
    bind_to(&f, GIVER);
    hear(&f, GIVER, WIRE_MOVED);
    pass(&f, EDGE_SWITCH_MS - 1);
    expect(&f, "switch to 2\n");
    pass(&f, 1);
    expect(&f, "lost to 3\n");
    pass(&f, 1);
    expect(&f, "want\n");
    edge_deinit(&f.edge);

    open_edge(&f, false); /* or one that can't be reached from here */
    bind_to(&f, GIVER);
    f.is_unlinked = true;
    hear(&f, GIVER, WIRE_MOVED);
    expect(&f, "switch to 2\nlost to 3\n");
    edge_deinit(&f.edge);
}

static void a_full_link_is_a_full_queue_and_what_was_accepted_waits_for_it(void **state)
{
    (void)state;
    fixture f;
    open_edge(&f, false);
    for (int i = 0; i < EDGE_MAX_HELD; i++)
        assert_int_equal(say(&f, "a"), 0);
    assert_int_equal(say(&f, "b"), -EAGAIN);
    edge_deinit(&f.edge);
    journal_clear(&f.journal);

    open_edge(&f, false);
    bind_to(&f, GIVER);
    f.say_error = -EAGAIN;
    for (int i = 0; i < EDGE_MAX_HELD; i++)
        assert_int_equal(say(&f, "a"), 0);
    assert_int_equal(say(&f, "b"), -EAGAIN);
    edge_deinit(&f.edge);
    journal_clear(&f.journal);

    open_edge(&f, false);
    const slice large = {calloc(1, EDGE_MAX_HELD_BYTES), EDGE_MAX_HELD_BYTES};
    assert_non_null(large.data);
    assert_int_equal(edge_signal(f.binding, 0, false, (slice){0}, large, f.now_ms), 0);
    assert_int_equal(say(&f, "b"), -EAGAIN);
    free((char *)(uintptr_t)large.data);
    edge_deinit(&f.edge);
    journal_clear(&f.journal);

    open_edge(&f, false);
    assert_int_equal(say(&f, "a"), 0);
    own(&f, GIVER);
    journal_clear(&f.journal);
    f.say_error = -EAGAIN;
    hear(&f, GIVER, WIRE_JOINED);
    assert_int_equal(say(&f, "b"), 0);
    expect(&f, "client joined\n");
    f.say_error = 0;
    pass(&f, EDGE_TRY_AGAIN_MS);
    expect(&f, "signal to 2 a\nsignal to 2 b\n");
    edge_leave(f.binding, f.now_ms);
    expect(&f, "leave to 2\n");
    close_edge(&f);
}

static void an_owner_of_somebody_who_is_gone_is_told_so(void **state)
{
    (void)state;
    fixture f;
    open_edge(&f, false);
    bind_to(&f, GIVER);
    uint64_t number = f.number;
    edge_leave(f.binding, f.now_ms);
    journal_clear(&f.journal);
    hear_of(&f, TAKER, WIRE_DELIVER, number);
    hear_of(&f, TAKER, WIRE_CLOSE, number);
    hear_of(&f, TAKER, WIRE_UNBOUND, number);
    expect(&f, "loss 3 of hello\nlost to 3\n");
    close_edge(&f);
}

static void without_the_engine_only_those_whose_room_is_elsewhere_are_ended(void **state)
{
    (void)state;
    fixture f;
    open_edge(&f, false);
    bind_to(&f, GIVER);
    edge_end_unreachable(&f.edge, true, f.now_ms);
    expect(&f, "lost to 2\nclient can't be served\n");
    close_edge(&f);

    open_edge(&f, true);
    own(&f, GIVER); /* it joins there */
    journal_clear(&f.journal);
    edge_end_unreachable(&f.edge, true, f.now_ms);
    expect(&f, "lost to 2\nclient can't be served\n");
    close_edge(&f);

    open_edge(&f, false);
    bind_to(&f, SELF);
    edge_end_unreachable(&f.edge, false, f.now_ms);
    expect(&f, "");
    edge_deinit(&f.edge);

    open_edge(&f, false); /* it has no room yet */
    journal_clear(&f.journal);
    edge_end_unreachable(&f.edge, true, f.now_ms);
    expect(&f, "");
    edge_end_unreachable(&f.edge, false, f.now_ms);
    expect(&f, "client can't be served\n");
    close_edge(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(input_is_held_from_the_join_to_its_answer),
        cmocka_unit_test(who_waits_says_nothing_and_may_be_refused),
        cmocka_unit_test(one_that_is_not_the_owner_is_asked_for_once),
        cmocka_unit_test(an_owner_that_cannot_be_reached_is_tried_again),
        cmocka_unit_test(where_the_owner_is_lost_it_joins_again_and_the_client_notices_nothing),
        cmocka_unit_test(newcomers_wait_after_the_loss_of_a_node),
        cmocka_unit_test(who_can_come_back_is_told_to),
        cmocka_unit_test(when_the_room_moves_input_is_held_until_the_new_owner_has_answered),
        cmocka_unit_test(who_goes_while_the_room_moves_says_so_to_the_new_owner),
        cmocka_unit_test(a_new_owner_that_does_not_answer_is_given_up),
        cmocka_unit_test(a_full_link_is_a_full_queue_and_what_was_accepted_waits_for_it),
        cmocka_unit_test(an_owner_of_somebody_who_is_gone_is_told_so),
        cmocka_unit_test(without_the_engine_only_those_whose_room_is_elsewhere_are_ended),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
