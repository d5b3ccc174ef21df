/* Two nodes with their cores and workers, in one thread and in virtual time: what the core tells its workers,
 * and what they can say when. test_node_threads.c has the threads. */
#include "homecall/signal_log.h"
#include "unit/cluster/node_fixture.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { UP_MS = 3000 };

static int set_up(void **state)
{
    static fixture f;
    memset(&f, 0, sizeof(f));
    fixture_start(&f, 100000, NULL, NULL);
    *state = &f;
    return 0;
}

static int tear_down(void **state)
{
    fixture_stop(*state);
    return 0;
}

static void set_engine(fixture *f, bool is_there)
{
    for (unsigned i = 0; i < NODES; i++)
        node_core_on_engine(f->nodes[i].core, is_there, f->now_ms);
}

/* Both nodes know each other. */
static void begin(fixture *f)
{
    set_engine(f, true);
    fixture_pass(f, UP_MS);
}

static node_core_counts counts_of(fixture *f, unsigned i)
{
    node_core_counts counts;
    node_core_get_counts(f->nodes[i].core, f->now_ms, &counts);
    return counts;
}

/* What the worker of a client counts of others' clients, and of its own that are elsewhere. */
static void expect_counters(const test_client *c, uint64_t members_from_elsewhere,
                            uint64_t bindings_elsewhere)
{
    cluster_counters counters = {.misdirected = 0};
    cluster_worker_get_counters(&c->worker->cluster, &counters);
    assert_int_equal(counter_get(&counters.members_from_elsewhere), members_from_elsewhere);
    assert_int_equal(counter_get(&counters.bindings_elsewhere), bindings_elsewhere);
}

/* A client on each node, in one room; the first one's node owns it. */
static void join_both(fixture *f, test_client *a, test_client *b, const char *room)
{
    client_join(a, fixture_worker_of(&f->nodes[0], room), room, "anna", f->now_ms);
    fixture_pass(f, 200);
    client_join(b, fixture_worker_of(&f->nodes[1], room), room, "boris", f->now_ms);
    fixture_pass(f, 200);
    assert_int_equal(a->state, CLIENT_IN);
    assert_int_equal(b->state, CLIENT_IN);
}

static void leave_both(fixture *f, test_client *a, test_client *b)
{
    test_client *all[] = {a, b};
    for (int i = 0; i < 2; i++) {
        if (all[i]->binding != NULL)
            client_leave(all[i], f->now_ms);
    }
    fixture_pass(f, 500);
    client_free(a);
    client_free(b);
}

/* It heard what was said, all of it, once and in order. */
static void expect_heard(test_client *c, uint32_t first, unsigned count)
{
    assert_int_equal(c->heard_count, count);
    for (unsigned i = 0; i < count; i++)
        assert_int_equal(c->heard[i], first + i);
    c->heard_count = 0;
}

static void say_some(fixture *f, test_client *c, uint32_t first, unsigned count)
{
    for (unsigned i = 0; i < count; i++)
        assert_int_equal(client_say(c, first + i, f->now_ms), 0);
}

/* ---- Members and links ---- */

static void two_nodes_find_each_other(void **state)
{
    fixture *f = *state;
    begin(f);
    for (unsigned i = 0; i < NODES; i++) {
        assert_int_equal(counts_of(f, i).members[MEMBER_LIVE], 1);
        assert_int_equal(counts_of(f, i).links_up, 1);
        assert_true(counts_of(f, i).has_engine);
    }
}

static void who_says_bye_is_gone_at_once(void **state)
{
    fixture *f = *state;
    begin(f);
    node_core_say_bye(f->nodes[1].core);
    fixture_settle(f);
    assert_int_equal(counts_of(f, 0).members[MEMBER_LIVE], 0);
    assert_int_equal(counts_of(f, 0).links_up, 0);
    assert_int_equal(counts_of(f, 0).nodes_lost, 0);
}

static void who_is_silent_is_doubtful_and_then_lost_and_that_is_counted(void **state)
{
    fixture *f = *state;
    begin(f);
    f->is_cut = true;
    fixture_pass(f, MEMBERS_DOUBT_MS);
    assert_int_equal(counts_of(f, 0).members[MEMBER_DOUBTFUL], 1);
    assert_int_equal(counts_of(f, 0).nodes_lost, 0);
    fixture_pass(f, MEMBERS_LOST_MS - MEMBERS_DOUBT_MS + MEMBERS_BEAT_MS);
    assert_int_equal(counts_of(f, 0).members[MEMBER_DOUBTFUL], 0);
    assert_int_equal(counts_of(f, 0).nodes_lost, 1);
    assert_int_equal(counts_of(f, 0).links_lost, 1);
}

static void say_beat(fixture *f, uint8_t from, const char *name)
{
    uint8_t packet[256];
    wire_message beat = {.type = WIRE_BEAT, .name = slice_of_text(name), .version = slice_of_text("0.2.0")};
    memset(beat.from.bytes, from, sizeof(beat.from.bytes));
    wire_write(&beat, packet);
    node_core_on_packet(f->nodes[0].core, (slice){(const char *)packet, wire_size(&beat)}, f->now_ms);
}

static void nodes_are_listed_and_those_of_one_name_are_counted(void **state)
{
    fixture *f = *state;
    node_view self;
    node_view seen[MEMBERS_MAX];
    begin(f);
    node_core_view_self(f->nodes[0].core, &self);
    assert_int_equal(node_core_list_nodes(f->nodes[0].core, f->now_ms, seen), 1);
    assert_true(node_id_equals(&self.id, &f->nodes[0].id));
    assert_true(node_id_equals(&seen[0].id, &f->nodes[1].id));
    assert_int_equal(seen[0].state, MEMBER_LIVE);
    assert_int_equal(seen[0].link, NODE_LINK_UP);
    unsigned same = (unsigned)counts_of(f, 0).same_names;
    say_beat(f, 0x77, self.name);
    assert_int_equal(counts_of(f, 0).same_names, same + 1);
    say_beat(f, 0x78, "of its own");
    assert_int_equal(counts_of(f, 0).same_names, same + 1);
    say_beat(f, 0x79, "of its own");
    assert_int_equal(counts_of(f, 0).same_names, same + 3);
    assert_int_equal(node_core_list_nodes(f->nodes[0].core, f->now_ms, seen), 4);
    assert_string_equal(seen[3].name, "of its own");
    assert_string_equal(seen[3].version, "0.2.0");
    assert_int_equal(seen[3].link, NODE_LINK_DOWN);
}

static void a_node_that_drains_says_so(void **state)
{
    fixture *f = *state;
    begin(f);
    node_core_drain(f->nodes[1].core, f->now_ms);
    fixture_settle(f);
    assert_true(node_core_is_draining(f->nodes[0].core, &f->nodes[1].id));
    assert_true(node_core_is_draining(f->nodes[1].core, &f->nodes[1].id));
    assert_false(node_core_is_draining(f->nodes[1].core, &f->nodes[0].id));
}

/* ---- Clients ---- */

static void two_clients_meet_across_nodes(void **state)
{
    fixture *f = *state;
    test_client a = {0};
    test_client b = {0};
    begin(f);
    join_both(f, &a, &b, "word");
    assert_int_equal(counts_of(f, 0).owned + counts_of(f, 1).owned, 1);
    say_some(f, &a, 100, 50);
    say_some(f, &b, 500, 50);
    fixture_settle(f);
    expect_heard(&b, 100, 50);
    expect_heard(&a, 500, 50);
    expect_counters(&a, 1, 0);
    expect_counters(&b, 0, 1);
    assert_int_equal(counts_of(f, 0).engine_joined, 1);
    test_worker *workers[] = {a.worker, b.worker};
    leave_both(f, &a, &b);
    for (int i = 0; i < 2; i++) {
        cluster_counters left = {.misdirected = 0};
        cluster_worker_get_counters(&workers[i]->cluster, &left);
        assert_int_equal(left.members_from_elsewhere + left.bindings_elsewhere, 0);
    }
    assert_int_equal(counts_of(f, 0).owned, 0);
}

/* How many lines there were of lost signals. */
static void count_losses(void *context, signal_log_level level, const char *text, size_t len)
{
    unsigned *lines = context;
    (void)level;
    (void)len;
    *lines += strstr(text, "signals are lost: the counters tell how many cause=gone") != NULL;
}

static void lost_signals_are_counted_and_logged_once_for_a_while(void **state)
{
    fixture *f = *state;
    test_client a = {0};
    test_client b = {0};
    unsigned lines = 0;
    signal_log_options options;
    begin(f);
    join_both(f, &a, &b, "word");
    test_worker *of_b = b.worker;
    signal_log_options_init(&options, sizeof(options));
    options.on_line = count_losses;
    options.context = &lines;
    assert_int_equal(signal_log_start(&options), 0);
    say_some(f, &a, 100, 5);
    client_leave(&b, f->now_ms); /* before they have come */
    fixture_settle(f);
    signal_log_stop();
    cluster_counters counters = {.misdirected = 0};
    cluster_worker_get_counters(&of_b->cluster, &counters);
    assert_int_equal(counters.losses[CLUSTER_LOSS_GONE], 5);
    assert_int_equal(lines, 1);
    leave_both(f, &a, &b);
}

static void rooms_are_spread_over_workers_and_each_message_finds_its_own(void **state)
{
    enum { ROOMS = 40 };
    fixture *f = *state;
    test_client a[ROOMS] = {0};
    test_client b[ROOMS] = {0};
    unsigned on_first = 0;
    begin(f);
    for (int i = 0; i < ROOMS; i++) {
        char room[32];
        snprintf(room, sizeof(room), "room %d", i);
        on_first += fixture_worker_of(&f->nodes[0], room)->number == 0;
        join_both(f, &a[i], &b[i], room);
    }
    assert_in_range(on_first, 10, ROOMS - 10);
    for (int i = 0; i < ROOMS; i++)
        say_some(f, &a[i], (uint32_t)i * 100, 3);
    fixture_settle(f);
    for (int i = 0; i < ROOMS; i++) {
        expect_heard(&b[i], (uint32_t)i * 100, 3);
        leave_both(f, &a[i], &b[i]);
    }
    assert_int_equal(counts_of(f, 0).packets_bad, 0);
    for (unsigned w = 0; w < WORKERS; w++)
        assert_int_equal(f->nodes[0].workers[w].cluster.counts.misdirected, 0);
}

static void a_join_that_names_the_share_of_another_room_is_not_let_in(void **state)
{
    fixture *f = *state;
    test_client a = {0};
    test_client b = {0};
    begin(f);
    test_worker *w = fixture_worker_of(&f->nodes[0], "word");
    client_join(&a, w, "word", "anna", f->now_ms);
    /* The other worker of this node has the binding of a room that is not its own. */
    client_join(&b, &f->nodes[0].workers[1 - w->number], "word", "boris", f->now_ms);
    cluster_worker *wrong = &f->nodes[0].workers[1 - w->number].cluster;
    const wire_message join = {.type = WIRE_JOIN,
                               .binding = b.binding->number ^ UINT64_C(0x800000000000),
                               .room = SLICE_LITERAL("word"),
                               .user = SLICE_LITERAL("eve")};
    assert_true(held_messages_add(&wrong->local, &f->nodes[0].id, &join));
    fixture_pass(f, 200);
    assert_int_equal(wrong->counts.misdirected, 1);
    assert_null(wrong->owner.rooms);
    leave_both(f, &a, &b);
}

/* ---- Losses ---- */

/* Say more than a link takes: it can't go on. */
static void burst_link(fixture *f, test_worker *from, const node_id *to)
{
    static char big[64 * 1024];
    const wire_message m = {.type = WIRE_SIGNAL, .binding = 1, .payload = {big, sizeof(big)}};
    const link_lane control = {.is_control = true};
    int error = 0;
    for (int i = 0; i < 100 && error == 0; i++)
        error = node_core_say(from->node->core, &from->cluster.ear, to, &control, &m, f->now_ms);
    assert_int_equal(error, -ENOBUFS);
}

static void after_a_link_is_lost_clients_join_again_and_go_on(void **state)
{
    fixture *f = *state;
    test_client a = {0};
    test_client b = {0};
    begin(f);
    join_both(f, &a, &b, "word");
    f->is_cut = true;
    burst_link(f, a.worker, &f->nodes[1].id);
    fixture_settle(f);
    assert_int_equal(counts_of(f, 0).links_lost, 1);
    assert_in_range(counts_of(f, 0).signals_lost, 10, 100);
    f->is_cut = false;
    fixture_pass(f, 2000);
    assert_int_equal(counts_of(f, 1).links_lost, 1);
    assert_int_equal(b.joins, 2);
    assert_int_equal(a.joins, 1);
    say_some(f, &b, 1, 10);
    say_some(f, &a, 1, 10);
    fixture_settle(f);
    expect_heard(&a, 1, 10);
    expect_heard(&b, 1, 10);
    leave_both(f, &a, &b);
}

static void a_worker_that_has_not_noticed_a_loss_says_nothing_into_the_next_epoch(void **state)
{
    fixture *f = *state;
    const node_id *other = &f->nodes[1].id;
    const wire_message m = {.type = WIRE_LEAVE, .binding = 1};
    const link_lane control = {.is_control = true};
    begin(f);
    node_core *core = f->nodes[0].core;
    node_ear before = f->nodes[0].workers[0].cluster.ear;
    assert_int_equal(node_core_say(core, &before, other, &control, &m, f->now_ms), 0);
    burst_link(f, &f->nodes[0].workers[0], other);
    fixture_pass(f, 2000);
    const node_ear *now = &f->nodes[0].workers[0].cluster.ear;
    assert_int_equal(counts_of(f, 0).links_up, 1);
    assert_int_equal(node_core_say(core, now, other, &control, &m, f->now_ms), 0);
    assert_int_equal(node_core_say(core, &before, other, &control, &m, f->now_ms), -ENOTCONN);
    assert_false(node_core_is_linked(core, &before, other));
    assert_true(node_core_is_linked(core, now, other));
}

static void while_the_engine_is_away_nothing_is_lost_and_who_joins_waits(void **state)
{
    fixture *f = *state;
    test_client a = {0};
    test_client b = {0};
    test_client c = {0};
    begin(f);
    join_both(f, &a, &b, "word");
    set_engine(f, false);
    say_some(f, &a, 1, 20);
    client_join(&c, fixture_worker_of(&f->nodes[1], "other"), "other", "carl", f->now_ms);
    fixture_pass(f, 3000);
    assert_int_equal(b.heard_count, 0);
    assert_int_equal(c.state, CLIENT_JOINING);
    set_engine(f, true);
    fixture_pass(f, 3000);
    expect_heard(&b, 1, 20);
    assert_int_equal(c.state, CLIENT_IN);
    assert_int_equal(counts_of(f, 0).links_lost, 0);
    client_leave(&c, f->now_ms);
    client_free(&c);
    leave_both(f, &a, &b);
}

static void who_serves_alone_opens_rooms_without_the_engine(void **state)
{
    fixture *f = *state;
    test_client a = {0};
    test_client b = {0};
    fixture_pass(f, CLAIMS_ALONE_AFTER_MS + 100);
    client_join(&a, fixture_worker_of(&f->nodes[0], "word"), "word", "anna", f->now_ms);
    client_join(&b, fixture_worker_of(&f->nodes[1], "word"), "word", "boris", f->now_ms);
    fixture_pass(f, 200);
    assert_int_equal(a.state, CLIENT_IN);
    assert_int_equal(b.state, CLIENT_IN);
    set_engine(f, true);
    fixture_pass(f, 3000);
    assert_int_equal(counts_of(f, 0).owned, 1);
    assert_int_equal(counts_of(f, 1).owned, 0);
    say_some(f, &b, 1, 5);
    fixture_settle(f);
    expect_heard(&a, 1, 5);
    leave_both(f, &a, &b);
}

static void a_node_that_drains_gives_its_rooms_away(void **state)
{
    fixture *f = *state;
    test_client a = {0};
    test_client b = {0};
    begin(f);
    join_both(f, &a, &b, "word");
    assert_int_equal(counts_of(f, 0).owned, 1);
    node_core_drain(f->nodes[0].core, f->now_ms);
    fixture_pass(f, 1000);
    assert_int_equal(counts_of(f, 0).owned, 0);
    assert_int_equal(counts_of(f, 1).owned, 1);
    say_some(f, &a, 1, 5);
    say_some(f, &b, 1, 5);
    fixture_settle(f);
    expect_heard(&a, 1, 5);
    expect_heard(&b, 1, 5);
    leave_both(f, &a, &b);
}

static void a_node_with_many_rooms_drains_without_filling_its_link(void **state)
{
    enum { ROOMS = 4000 };
    fixture *f = *state;
    test_client *all = calloc(ROOMS, sizeof(*all));
    assert_non_null(all);
    begin(f);
    for (int i = 0; i < ROOMS; i++) {
        char room[16];
        snprintf(room, sizeof(room), "room %d", i % 10000);
        client_join(&all[i], fixture_worker_of(&f->nodes[0], room), room, "anna", f->now_ms);
    }
    fixture_pass(f, 500);
    assert_int_equal(counts_of(f, 0).owned, ROOMS);
    node_core_drain(f->nodes[0].core, f->now_ms);
    fixture_pass(f, 4000);
    assert_int_equal(counts_of(f, 0).links_lost, 0);
    assert_int_equal(counts_of(f, 0).owned, 0);
    assert_int_equal(counts_of(f, 1).owned, ROOMS);
    for (int i = 0; i < ROOMS; i++) {
        assert_int_equal(all[i].joins, 1);
        client_leave(&all[i], f->now_ms);
        client_free(&all[i]);
    }
    fixture_pass(f, 500);
    free(all);
}

static void a_crowd_that_joins_at_once_does_not_fill_the_link(void **state)
{
    enum { ROOMS = 9000 };
    fixture *f = *state;
    test_client *all = calloc(2 * ROOMS, sizeof(*all));
    assert_non_null(all);
    begin(f);
    for (unsigned n = 0; n < NODES; n++) { /* first those whose node owns the rooms */
        for (int i = 0; i < ROOMS; i++) {
            char room[16];
            snprintf(room, sizeof(room), "room %d", i % 10000);
            client_join(&all[n * ROOMS + (unsigned)i], fixture_worker_of(&f->nodes[n], room), room,
                        n == 0 ? "anna" : "bert", f->now_ms);
        }
        fixture_pass(f, 1500);
    }
    assert_int_equal(counts_of(f, 0).links_lost, 0);
    assert_int_equal(counts_of(f, 0).owned, ROOMS);
    for (int i = 0; i < 2 * ROOMS; i++) {
        assert_int_equal(all[i].joins, 1);
        client_leave(&all[i], f->now_ms);
        client_free(&all[i]);
        if (i % 1000 == 0)
            fixture_settle(f);
    }
    fixture_pass(f, 500);
    free(all);
}

static void a_claim_that_was_won_for_nobody_is_given_up(void **state)
{
    fixture *f = *state;
    test_client a = {0};
    begin(f);
    client_join(&a, fixture_worker_of(&f->nodes[0], "word"), "word", "anna", f->now_ms);
    (void)cluster_worker_turn(&a.worker->cluster, f->now_ms); /* it is asked for */
    client_leave(&a, f->now_ms);
    fixture_pass(f, 500);
    assert_int_equal(counts_of(f, 0).claims_said, 1);
    assert_int_equal(counts_of(f, 0).owned, 0);
    client_free(&a);
}

static void what_can_not_be_read_or_is_for_nobody_is_counted(void **state)
{
    fixture *f = *state;
    begin(f);
    node_core_on_packet(f->nodes[0].core, SLICE_LITERAL("rubbish"), f->now_ms);
    assert_int_equal(counts_of(f, 0).packets_bad, 1);
    /* A binding of a worker that node 0 does not have. */
    const wire_message m = {.type = WIRE_PROBE, .binding = UINT64_C(9) << 48 | 1, .number = 1};
    const link_lane control = {.is_control = true};
    const node_ear *ear = &f->nodes[1].workers[0].cluster.ear;
    assert_int_equal(node_core_say(f->nodes[1].core, ear, &f->nodes[0].id, &control, &m, f->now_ms), 0);
    fixture_pass(f, 500);
    assert_int_equal(counts_of(f, 0).packets_bad, 2);
    assert_int_equal(counts_of(f, 1).links_lost, 0);
    assert_int_equal(counts_of(f, 1).resends, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(two_nodes_find_each_other, set_up, tear_down),
        cmocka_unit_test_setup_teardown(who_says_bye_is_gone_at_once, set_up, tear_down),
        cmocka_unit_test_setup_teardown(who_is_silent_is_doubtful_and_then_lost_and_that_is_counted, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(nodes_are_listed_and_those_of_one_name_are_counted, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_node_that_drains_says_so, set_up, tear_down),
        cmocka_unit_test_setup_teardown(two_clients_meet_across_nodes, set_up, tear_down),
        cmocka_unit_test_setup_teardown(lost_signals_are_counted_and_logged_once_for_a_while, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(rooms_are_spread_over_workers_and_each_message_finds_its_own, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_join_that_names_the_share_of_another_room_is_not_let_in, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(after_a_link_is_lost_clients_join_again_and_go_on, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_worker_that_has_not_noticed_a_loss_says_nothing_into_the_next_epoch,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(while_the_engine_is_away_nothing_is_lost_and_who_joins_waits, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(who_serves_alone_opens_rooms_without_the_engine, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_node_that_drains_gives_its_rooms_away, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_node_with_many_rooms_drains_without_filling_its_link, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_crowd_that_joins_at_once_does_not_fill_the_link, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_claim_that_was_won_for_nobody_is_given_up, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_can_not_be_read_or_is_for_nobody_is_counted, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
