/* Samples: what /stats prints is what is read; anything else is refused or read as nothing. */
#include "top/sample.h"

#include "stats/stats_json.h"
#include "unit/stats/hand_made.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int make(void **state)
{
    *state = malloc(sizeof(sample));
    return *state == NULL;
}

static int destroy(void **state)
{
    free(*state);
    return 0;
}

static int parse(sample *s, const char *text)
{
    return sample_parse(s, text, strlen(text));
}

static void expect_number(double found, double expected)
{
    double difference = found - expected;
    if (difference < -1e-9 || difference > 1e-9)
        fail_msg("%f, and should be %f", found, expected);
}

static const struct sample_word *find_word(const sample_words *words, const char *name)
{
    for (size_t i = 0; i < words->size; i++)
        if (strcmp(words->words[i].name, name) == 0)
            return &words->words[i];
    fail_msg("there is no %s", name);
    return NULL;
}

/* ---- What the server prints ---- */

static void read_hand_made(sample *s, const hand_made *h)
{
    char *text = stats_json_print(&h->source, 1795602030400);
    assert_non_null(text);
    assert_int_equal(parse(s, text), 0);
    free(text);
}

static double in_phase(const thread_counters *t, net_phase phase)
{
    return (double)(t->net.connections[NET_TRANSPORT_PLAIN][phase] +
                    t->net.connections[NET_TRANSPORT_TLS][phase]);
}

static void numbers_are_read_from_what_the_server_prints(void **state)
{
    sample *s = *state;
    hand_made h;
    hand_made_init(&h);
    hand_made_fill(&h);
    h.snapshot.uptime_ms = 12345;
    h.snapshot.budget_limit = 1 << 20;
    h.snapshot.log_lines_dropped = 5;
    h.process = (process_stats){.cpu_us = 1500000,
                                .resident_bytes = 4096,
                                .open_descriptors = 17,
                                .max_descriptors = 1024,
                                .started_utc_ms = 1795602000500};
    read_hand_made(s, &h);

    const thread_counters *t = &h.snapshot.total;
    assert_string_equal(s->version, "0.1.0");
    expect_number(s->uptime_seconds, 12.345);
    expect_number(s->open, in_phase(t, NET_PHASE_OPEN));
    expect_number(s->handshake, in_phase(t, NET_PHASE_HANDSHAKE));
    expect_number(s->closing, in_phase(t, NET_PHASE_CLOSING));
    expect_number(s->accepted, (double)t->session.accepted);
    expect_number(s->rooms, (double)t->session.rooms);
    expect_number(s->members, (double)t->session.members);
    expect_number(s->waiters, (double)t->session.waiters);
    expect_number(s->joined, (double)t->session.joins[SESSION_JOIN_JOINED]);
    expect_number(s->handed_over, (double)t->session.handed_over);
    expect_number(s->queue_messages, (double)t->session.pending_messages);
    expect_number(s->queue_bytes, (double)t->session.pending_bytes);
    expect_number(s->queue_budget_bytes, 1 << 20);
    expect_number(s->backlog_bytes, (double)t->net.backlog_bytes);
    expect_number(s->backlog_connections, (double)t->net.backlog_connections);
    expect_number(s->messages_in, (double)t->net.messages_in);
    expect_number(s->messages_out, (double)t->net.messages_out);
    expect_number(s->bytes_in, (double)t->net.bytes_in);
    expect_number(s->bytes_out, (double)t->net.bytes_out);
    expect_number(s->cpu_seconds, 1.5);
    expect_number(s->memory_bytes, 4096);
    expect_number(s->descriptors, 17);
    expect_number(s->max_descriptors, 1024);
    expect_number(s->started_seconds, 1795602000.5);
    expect_number(s->log_lines_dropped, 5);
    expect_number(s->is_accepting_paused, 1);
    expect_number(s->is_draining, 0);
}

static void signals_reasons_and_limits_are_read_from_what_the_server_prints(void **state)
{
    static const int outcomes[SAMPLE_OUTCOMES] = {
        [SAMPLE_RELAYED] = ROOM_SIGNAL_RELAYED,     [SAMPLE_QUEUED] = ROOM_SIGNAL_QUEUED,
        [SAMPLE_DELIVERED] = ROOM_SIGNAL_DELIVERED, [SAMPLE_REFUSED] = ROOM_SIGNAL_REFUSED,
        [SAMPLE_DROPPED] = ROOM_SIGNAL_DROPPED,
    };
    sample *s = *state;
    hand_made h;
    hand_made_init(&h);
    hand_made_fill(&h);
    read_hand_made(s, &h);

    const thread_counters *t = &h.snapshot.total;
    for (int type = 0; type < SAMPLE_SIGNALS; type++)
        for (int outcome = 0; outcome < SAMPLE_OUTCOMES; outcome++)
            expect_number(s->signals[type][outcome], (double)t->session.signals[type][outcomes[outcome]]);
    assert_int_equal(s->closes.size, CLOSE_REASONS);
    double by_peer = 0;
    for (int slot = 0; slot < CLOSE_CODE_SLOTS; slot++)
        by_peer += (double)t->net.closes[CLOSE_REASON_BY_PEER][slot];
    expect_number(find_word(&s->closes, "by_peer")->count, by_peer);
    expect_number(find_word(&s->limits, "max_connections")->count, (double)t->acceptor.over_limit);
    expect_number(find_word(&s->limits, "descriptors")->count, (double)t->acceptor.pauses);
}

static void latencies_are_read_from_what_the_server_prints(void **state)
{
    sample *s = *state;
    hand_made h;
    hand_made_init(&h);
    thread_counters *t = &h.snapshot.total;
    counter_histogram_add(&t->net.relay_us, 3, 1);
    counter_histogram_add(&t->session.queue_wait_ms, 3, 2);
    counter_histogram_add(&t->session.call_setup_ms, 3, 3);
    counter_histogram_add(&t->net.ping_rtt_us, 3, 4);
    counter_histogram_add(&t->loop.lag_us, 1 << 25, 5);
    read_hand_made(s, &h);

    for (int i = 0; i < SAMPLE_LATENCIES; i++) {
        assert_int_equal(s->latencies[i].size, HISTOGRAM_BOUNDS);
        expect_number(s->latencies[i].count, i + 1);
        expect_number(s->latencies[i].within[1], 0);
        expect_number(s->latencies[i].within[2], i == SAMPLE_LOOP_LAG ? 0 : i + 1);
        bool is_ms = i == SAMPLE_QUEUE_WAIT || i == SAMPLE_CALL_SETUP;
        expect_number(s->latencies[i].bounds[2], is_ms ? 4e-3 : 4e-6);
    }
    expect_number(s->latencies[SAMPLE_LOOP_LAG].within[HISTOGRAM_BOUNDS - 1], 0);
}

static void threads_are_read_from_what_the_server_prints(void **state)
{
    sample *s = *state;
    hand_made h;
    hand_made_init(&h);
    h.threads[1].cpu_us = 1500000;
    counter_set(&h.threads[1].counters.loop.lag_max_us, 2000);
    counter_set(&h.threads[2].counters.mailbox.pushed, 7);
    read_hand_made(s, &h);

    assert_int_equal(s->thread_count, HAND_MADE_THREADS);
    assert_string_equal(s->threads[0].name, "worker-0");
    assert_string_equal(s->threads[2].name, "acceptor-0");
    expect_number(s->threads[1].cpu_seconds, 1.5);
    expect_number(s->threads[1].lag_max_seconds, 0.002);
    expect_number(s->threads[2].mailbox_depth, 7);
}

static void health_and_its_reasons_are_read_from_what_the_server_prints(void **state)
{
    sample *s = *state;
    hand_made h;
    hand_made_init(&h);
    read_hand_made(s, &h);
    assert_true(s->is_live);
    assert_true(s->is_ready);
    assert_string_equal(s->why, "");

    h.snapshot.is_draining = true;
    counter_set(&h.snapshot.total.acceptor.is_short, 1);
    read_hand_made(s, &h);
    assert_true(s->is_live);
    assert_false(s->is_ready);
    expect_number(s->is_draining, 1);
    assert_string_equal(s->why, "draining; accepting pauses: descriptors or memory are used up");
}

static void a_cluster_is_read_from_what_the_server_prints(void **state)
{
    sample *s = *state;
    hand_made h;
    hand_made_init(&h);
    read_hand_made(s, &h);
    assert_int_equal(s->node_count, 0);
    hand_made_enter_cluster(&h);
    node_view *other = hand_made_add_node(&h, "b");
    other->is_draining = true;
    other->link = NODE_LINK_IN_DOUBT;
    other->held_bytes = 9;
    h.cluster.counts.owned = 5;
    h.cluster.counts.claims_said = 6;
    h.cluster.counts.resends = 7;
    h.cluster.counts.signals_lost = 8;
    counter_set(&h.snapshot.total.cluster.bindings_elsewhere, 10);
    counter_set(&h.snapshot.total.cluster.members_from_elsewhere, 11);
    counter_set(&h.snapshot.total.cluster.losses[CLUSTER_LOSS_GONE], 12);
    read_hand_made(s, &h);
    assert_int_equal(s->node_count, 2);
    assert_string_equal(s->nodes[0].name, "a");
    assert_string_equal(s->nodes[0].link, "");
    assert_false(s->nodes[0].is_draining);
    assert_string_equal(s->nodes[1].name, "b");
    assert_string_equal(s->nodes[1].state, "live");
    assert_string_equal(s->nodes[1].link, "in doubt");
    assert_true(s->nodes[1].is_draining);
    expect_number(s->nodes[1].held_bytes, 9);
    expect_number(s->has_engine, 1);
    expect_number(s->rooms_owned, 5);
    expect_number(s->claims, 6);
    expect_number(s->resends, 7);
    expect_number(s->bindings_elsewhere, 10);
    expect_number(s->members_from_elsewhere, 11);
    expect_number(find_word(&s->losses, "link")->count, 8);
    expect_number(find_word(&s->losses, "gone")->count, 12);
}

/* ---- What it does not print ---- */

static void what_is_no_page_of_numbers_is_refused_and_changes_nothing(void **state)
{
    static const char *const pages[] = {
        "",     "ok", "{", "null", "7", "[]", "{}", "{\"metrics\":7}", "{\"metrics\":[]}", "{\"metrics\":{}",
        "\xff",
    };
    sample *s = *state;
    memset(s, 0x5a, sizeof(*s));
    sample *copy = malloc(sizeof(*copy));
    assert_non_null(copy);
    memcpy(copy, s, sizeof(*s));
    for (size_t i = 0; i < sizeof(pages) / sizeof(pages[0]); i++)
        assert_int_equal(parse(s, pages[i]), -EINVAL);
    assert_memory_equal(s, copy, sizeof(*s));
    free(copy);
}

static void a_page_that_was_cut_off_is_refused_wherever_that_was(void **state)
{
    hand_made h;
    hand_made_init(&h);
    char *text = stats_json_print(&h.source, 0);
    assert_non_null(text);
    size_t len = strlen(text);
    for (size_t cut = 0; cut < len; cut += 7)
        assert_int_equal(sample_parse(*state, text, cut), -EINVAL);
    free(text);
}

static void what_is_missing_is_nothing(void **state)
{
    sample *s = *state;
    memset(s, 0x5a, sizeof(*s));
    assert_int_equal(parse(s, "{\"metrics\":{}}"), 0);
    assert_string_equal(s->version, "");
    assert_false(s->is_ready);
    assert_int_equal(s->thread_count, 0);
    assert_int_equal(s->closes.size, 0);
    assert_int_equal(s->latencies[SAMPLE_RELAY].size, 0);
    expect_number(s->uptime_seconds, 0);
    expect_number(s->log_lines_dropped, 0);
}

static void values_of_another_type_are_nothing(void **state)
{
    sample *s = *state;
    assert_int_equal(parse(s, "{\"version\":1,\"uptime_seconds\":\"1\",\"ready\":1,\"why\":[3,null,\"so\"],"
                              "\"metrics\":{\"rooms\":-1,\"members\":1e999,\"waiters\":[7],\"joins_total\":3,"
                              "\"connections\":{\"open\":{\"plain\":{\"deeper\":{\"still\":1}}}},"
                              "\"signals_total\":[],\"closes_total\":7,\"limits_hit_total\":[1],"
                              "\"thread_cpu_seconds_total\":{\"worker-0\":\"x\"},\"mailbox_depth\":[1],"
                              "\"relay_latency_seconds\":{\"count\":2,\"buckets\":[[0.1],7,[1,2]]},"
                              "\"ping_rtt_seconds\":{\"buckets\":{}}}}"),
                     0);
    assert_string_equal(s->why, "so");
    expect_number(s->rooms, 0);
    expect_number(s->members, 0);
    expect_number(s->waiters, 0);
    expect_number(s->joined, 0);
    expect_number(s->open, 0);
    assert_int_equal(s->closes.size, 0);
    assert_int_equal(s->limits.size, 0);
    assert_int_equal(s->thread_count, 1);
    expect_number(s->threads[0].cpu_seconds, 0);
    assert_int_equal(s->latencies[SAMPLE_RELAY].size, 1);
}

static void a_label_that_comes_on_top_is_summed_up(void **state)
{
    sample *s = *state;
    assert_int_equal(
        parse(s, "{\"metrics\":{\"connections\":{\"open\":{\"plain\":2,\"tls\":3}},\"rooms\":{\"x\":4}}}"),
        0);
    expect_number(s->open, 5);
    expect_number(s->rooms, 4);
}

/* An object of `count` members, each named by its number and some padding. */
static size_t print_members(char *text, size_t size, size_t count, const char *padding)
{
    size_t len = (size_t)snprintf(text, size, "{");
    for (size_t i = 0; i < count; i++)
        len += (size_t)snprintf(text + len, size - len, "%s\"%s%zu\":1", i > 0 ? "," : "", padding, i);
    return len + (size_t)snprintf(text + len, size - len, "}");
}

static void more_than_there_is_room_for_is_left_out(void **state)
{
    enum { SIZE = 256 * 1024 };
    sample *s = *state;
    char *text = malloc(SIZE);
    assert_non_null(text);
    size_t len = (size_t)snprintf(text, SIZE,
                                  "{\"version\":\"%0200d\",\"why\":[\"%0200d\",\"%0200d\",\"x\"],"
                                  "\"metrics\":{\"closes_total\":",
                                  0, 0, 0);
    len += print_members(text + len, SIZE - len, 100, "a_reason_with_a_name_that_is_far_too_long_");
    len += (size_t)snprintf(text + len, SIZE - len, ",\"thread_cpu_seconds_total\":");
    len += print_members(text + len, SIZE - len, 1000, "a_thread_with_a_long_name_");
    len += (size_t)snprintf(text + len, SIZE - len, ",\"relay_latency_seconds\":{\"buckets\":[");
    for (int i = 0; i < 100; i++)
        len += (size_t)snprintf(text + len, SIZE - len, "%s[%d,1]", i > 0 ? "," : "", i);
    snprintf(text + len, SIZE - len, "]}}}");

    assert_int_equal(parse(s, text), 0);
    free(text);
    assert_int_equal(strlen(s->version), sizeof(s->version) - 1);
    assert_int_equal(strlen(s->why), sizeof(s->why) - 1);
    assert_int_equal(s->closes.size, SAMPLE_MAX_WORDS);
    assert_int_equal(s->thread_count, SAMPLE_MAX_THREADS);
    assert_int_equal(strlen(s->threads[0].name), sizeof(s->threads[0].name) - 1);
    assert_int_equal(s->latencies[SAMPLE_RELAY].size, SAMPLE_MAX_BOUNDS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(numbers_are_read_from_what_the_server_prints, make, destroy),
        cmocka_unit_test_setup_teardown(signals_reasons_and_limits_are_read_from_what_the_server_prints, make,
                                        destroy),
        cmocka_unit_test_setup_teardown(latencies_are_read_from_what_the_server_prints, make, destroy),
        cmocka_unit_test_setup_teardown(threads_are_read_from_what_the_server_prints, make, destroy),
        cmocka_unit_test_setup_teardown(health_and_its_reasons_are_read_from_what_the_server_prints, make,
                                        destroy),
        cmocka_unit_test_setup_teardown(a_cluster_is_read_from_what_the_server_prints, make, destroy),
        cmocka_unit_test_setup_teardown(what_is_no_page_of_numbers_is_refused_and_changes_nothing, make,
                                        destroy),
        cmocka_unit_test_setup_teardown(a_page_that_was_cut_off_is_refused_wherever_that_was, make, destroy),
        cmocka_unit_test_setup_teardown(what_is_missing_is_nothing, make, destroy),
        cmocka_unit_test_setup_teardown(values_of_another_type_are_nothing, make, destroy),
        cmocka_unit_test_setup_teardown(a_label_that_comes_on_top_is_summed_up, make, destroy),
        cmocka_unit_test_setup_teardown(more_than_there_is_room_for_is_left_out, make, destroy),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
