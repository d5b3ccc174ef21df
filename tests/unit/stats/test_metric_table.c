/* The table of metrics: that each number is the one that its name says, and that names keep what they
 * promise. */
#include "stats/metric_table.h"

#include "unit/stats/hand_made.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

static int make(void **state)
{
    hand_made *h = malloc(sizeof(*h));
    if (h == NULL)
        return -1;
    hand_made_init(h);
    *state = h;
    return 0;
}

static int destroy(void **state)
{
    free(*state);
    return 0;
}

/* What a walk has found: a line for each sample, "name first second number". */
typedef struct listing {
    FILE *out;
    char *text; /* owned */
    size_t len;
    size_t lines;
    bool has_zeros; /* list them as well */
} listing;

static void on_sample(void *context, const metric_family *family, const metric_sample *sample)
{
    listing *l = context;
    l->lines++;
    uint64_t number = sample->histogram != NULL ? counter_get(&sample->histogram->sum) : sample->number;
    if (number == 0 && !l->has_zeros)
        return;
    fputs(family->name, l->out);
    for (int i = 0; i < METRIC_MAX_LABELS && family->labels[i] != NULL; i++)
        fprintf(l->out, " %s", sample->labels[i]);
    fprintf(l->out, " %" PRIu64 "\n", number);
}

static void list(listing *l, const hand_made *h, bool has_zeros)
{
    *l = (listing){.has_zeros = has_zeros};
    l->out = open_memstream(&l->text, &l->len);
    assert_non_null(l->out);
    for (size_t i = 0; i < metric_family_count(&h->snapshot); i++)
        metric_family_walk(metric_family_at(i), &h->source, on_sample, l);
    fclose(l->out);
}

static bool has_line(const listing *l, const char *line)
{
    const char *found = strstr(l->text, line);
    return found != NULL && (found == l->text || found[-1] == '\n');
}

/* What a server tells besides zeros must be these lines and no others. */
static void expect(const hand_made *h, const char *lines)
{
    listing l;
    list(&l, h, false);
    char expected[2048];
    size_t len = 0;
    /* Left out: what is never zero. */
    for (const char *line = l.text; *line != '\0'; line = strchr(line, '\n') + 1)
        if (strncmp(line, "ready ", 6) != 0 && strncmp(line, "build ", 6) != 0)
            len += (size_t)snprintf(expected + len, sizeof(expected) - len, "%.*s",
                                    (int)(strchr(line, '\n') + 1 - line), line);
    expected[len] = '\0';
    assert_string_equal(expected, lines);
    free(l.text);
}

/* ---- Where the numbers come from ---- */

static void each_counter_is_shown_under_its_name(void **state)
{
    hand_made *h = *state;
    thread_counters *t = &h->snapshot.total;
    const struct {
        counter *counter;
        const char *lines;
    } cells[] = {
        {&t->net.connections[NET_TRANSPORT_PLAIN][NET_PHASE_HANDSHAKE], "connections handshake plain 7\n"},
        {&t->net.connections[NET_TRANSPORT_PLAIN][NET_PHASE_OPEN], "connections open plain 7\n"},
        {&t->net.connections[NET_TRANSPORT_PLAIN][NET_PHASE_CLOSING], "connections closing plain 7\n"},
        {&t->session.accepted, "accepted_connections 7\n"},
        {&t->net.handshakes[NET_HANDSHAKE_101], "handshakes 101 7\n"},
        {&t->net.handshakes[NET_HANDSHAKE_503], "handshakes 503 7\n"},
        {&t->net.handshakes[NET_HANDSHAKE_431], "handshakes 431 7\nlimits_hit max_request_head_bytes 7\n"},
        {&t->net.closes[CLOSE_REASON_BY_PEER][close_code_slot(1000)], "closes by_peer 1000 7\n"},
        {&t->net.closes[CLOSE_REASON_LOST][close_code_slot(1006)], "closes lost 1006 7\n"},
        {&t->net.closes[CLOSE_REASON_PROTOCOL_FAULT][close_code_slot(1007)],
         "closes protocol_fault 1007 7\n"},
        {&t->net.closes[CLOSE_REASON_FLOOD][close_code_slot(1008)],
         "closes flood 1008 7\nlimits_hit message_rate 7\n"},
        {&t->net.closes[CLOSE_REASON_INVALID_MESSAGES][close_code_slot(1008)],
         "closes invalid_messages 1008 7\nlimits_hit fault_burst 7\n"},
        {&t->net.closes[CLOSE_REASON_TOO_BIG][close_code_slot(1009)],
         "closes too_big 1009 7\nlimits_hit max_message_bytes 7\n"},
        {&t->net.closes[CLOSE_REASON_TOO_BIG][close_code_slot(1006)],
         "closes too_big 1006 7\nlimits_hit max_message_bytes 7\n"},
        {&t->net.closes[CLOSE_REASON_NOT_READ][close_code_slot(1006)],
         "closes not_read 1006 7\nlimits_hit max_output_bytes 7\n"},
        {&t->net.closes[CLOSE_REASON_HANDSHAKE_TIMEOUT][close_code_slot(1006)],
         "closes handshake_timeout 1006 7\nlimits_hit handshake_timeout 7\n"},
        {&t->net.closes[CLOSE_REASON_SILENT][close_code_slot(1006)],
         "closes silent 1006 7\nlimits_hit pong_timeout 7\n"},
        {&t->session.joins[SESSION_JOIN_JOINED], "joins joined 7\n"},
        {&t->session.joins[SESSION_JOIN_FULL], "joins full 7\nlimits_hit room_capacity 7\n"},
        {&t->session.joins[SESSION_JOIN_NOT_ALLOWED], "joins not_allowed 7\n"},
        {&t->session.leaves[SESSION_LEAVE_TAKEN_OVER], "takeovers 7\n"},
        {&t->session.leaves[SESSION_LEAVE_LEFT], "leaves left 7\n"},
        {&t->session.leaves[SESSION_LEAVE_MOVED], "leaves moved 7\n"},
        {&t->session.leaves[SESSION_LEAVE_LOST], "leaves lost 7\n"},
        {&t->session.leaves[SESSION_LEAVE_SILENT], "leaves silent 7\n"},
        {&t->session.rooms, "rooms 7\n"},
        {&t->session.members, "members 7\n"},
        {&t->session.waiters, "waiters 7\n"},
        {&t->session.signals[SIGNAL_OFFER][ROOM_SIGNAL_RELAYED], "signals offer relayed 7\n"},
        {&t->session.signals[SIGNAL_ANSWER][ROOM_SIGNAL_DELIVERED], "signals answer delivered 7\n"},
        {&t->session.signals[SIGNAL_CANDIDATE][ROOM_SIGNAL_DROPPED], "signals candidate dropped 7\n"},
        {&t->session.not_in_room, "signal_setbacks not_in_room 7\n"},
        {&t->session.failures[ROOM_FAILURE_QUEUE_FULL],
         "signal_setbacks queue_full 7\nlimits_hit pending_queue 7\n"},
        {&t->session.failures[ROOM_FAILURE_BUDGET_USED_UP],
         "signal_setbacks budget_used_up 7\nlimits_hit pending_total 7\n"},
        {&t->session.failures[ROOM_FAILURE_NO_MEMORY], "signal_setbacks no_memory 7\n"},
        {&t->session.failures[ROOM_FAILURE_RECEIVER_ENDING], "signal_setbacks receiver_ending 7\n"},
        {&t->session.failures[ROOM_FAILURE_SENDER_LEFT], "signal_setbacks sender_left 7\n"},
        {&t->session.failures[ROOM_FAILURE_EXPIRED], "signal_setbacks expired 7\n"},
        {&t->session.failures[ROOM_FAILURE_SERVER_STOPS], "signal_setbacks server_stops 7\n"},
        {&t->session.failures[ROOM_FAILURE_SENDER_LOST], "signal_setbacks sender_lost 7\n"},
        {&t->session.failures[ROOM_FAILURE_NOT_UNDERSTOOD], "signal_setbacks not_understood 7\n"},
        {&t->session.failures[ROOM_FAILURE_NOBODY_THERE], "signal_setbacks nobody_there 7\n"},
        {&t->session.failures[ROOM_FAILURE_MERGED], "signal_setbacks merged 7\n"},
        {&t->session.invalid_messages, "invalid_messages 7\n"},
        {&t->session.client_errors, "client_errors 7\n"},
        {&t->session.pending_messages, "queue_messages 7\n"},
        {&t->session.pending_bytes, "queue_bytes 7\n"},
        {&t->net.relay_us.sum, "relay_latency_seconds 7\n"},
        {&t->session.queue_wait_ms.sum, "queue_wait_seconds 7\n"},
        {&t->session.call_setup_ms.sum, "call_setup_seconds 7\n"},
        {&t->net.ping_rtt_us.sum, "ping_rtt_seconds 7\n"},
        {&t->net.bytes_in, "received_bytes 7\n"},
        {&t->net.bytes_out, "sent_bytes 7\n"},
        {&t->net.messages_in, "received_messages 7\n"},
        {&t->net.messages_out, "sent_messages 7\n"},
        {&t->net.pings, "pings_sent 7\n"},
        {&t->net.backlog_bytes, "output_backlog_bytes 7\n"},
        {&t->net.backlog_connections, "output_backlog_connections 7\n"},
        {&t->loop.lag_us.sum, "loop_lag_seconds 7\n"},
        {&t->session.handed_over, "handovers 7\n"},
        {&t->acceptor.over_limit, "limits_hit max_connections 7\n"},
        {&t->acceptor.over_address, "limits_hit max_connections_per_address 7\n"},
        {&t->acceptor.unanswered, "limits_hit unanswered 7\n"},
        {&t->acceptor.pauses, "limits_hit descriptors 7\n"},
        {&t->acceptor.deaf_sockets, "deaf_sockets 7\n"},
        {&t->acceptor.overload_pauses, "limits_hit overload_accept 7\n"},
        {&t->net.closes[CLOSE_REASON_OVERLOADED][close_code_slot(1013)],
         "closes overloaded 1012-1014 7\nlimits_hit overload_join 7\n"},
        {&t->loop.overloads, "overloads 7\n"},
    };
    for (size_t i = 0; i < sizeof(cells) / sizeof(cells[0]); i++) {
        counter_set(cells[i].counter, 7);
        expect(h, cells[i].lines);
        counter_set(cells[i].counter, 0);
    }
}

static void each_number_of_a_thread_is_shown_with_its_name(void **state)
{
    hand_made *h = *state;
    counter_set(&h->threads[0].counters.loop.lag_max_us, 11);
    counter_set(&h->threads[1].counters.loop.turns, 12);
    counter_set(&h->threads[2].counters.loop.lag_us.sum, 13);
    h->threads[1].cpu_us = 14;
    counter_set(&h->threads[0].counters.mailbox.pushed, 20);
    counter_set(&h->threads[0].counters.mailbox.taken, 5);
    expect(h, "thread_lag_max_seconds worker-0 11\n"
              "thread_turns worker-1 12\n"
              "thread_busy_seconds acceptor-0 13\n"
              "thread_cpu_seconds worker-1 14\n"
              "mailbox_depth worker-0 15\n");
}

static void a_mailbox_of_which_more_was_taken_than_pushed_is_empty(void **state)
{
    hand_made *h = *state;
    counter_set(&h->threads[0].counters.mailbox.pushed, 5);
    counter_set(&h->threads[0].counters.mailbox.taken, 6);
    expect(h, "");
}

static void what_concerns_the_whole_server_is_shown(void **state)
{
    hand_made *h = *state;
    h->snapshot.budget_limit = 1000;
    h->snapshot.log_lines_dropped = 3;
    expect(h, "queue_budget_bytes 1000\nlog_lines_dropped 3\n");
}

static void draining_and_a_pause_are_told_and_nobody_is_ready_then(void **state)
{
    hand_made *h = *state;
    listing l;
    list(&l, h, true);
    assert_true(has_line(&l, "ready 1\n"));
    free(l.text);

    h->snapshot.is_draining = true;
    counter_set(&h->snapshot.total.acceptor.is_short, 2); /* of two acceptors */
    list(&l, h, true);
    assert_true(has_line(&l, "ready 0\n"));
    assert_true(has_line(&l, "draining 1\n"));
    assert_true(has_line(&l, "accepting_paused 1\n"));
    free(l.text);
}

static void the_numbers_of_the_process_are_shown(void **state)
{
    hand_made *h = *state;
    h->process = (process_stats){.cpu_us = 1,
                                 .resident_bytes = 2,
                                 .virtual_bytes = 3,
                                 .threads = 4,
                                 .open_descriptors = 5,
                                 .max_descriptors = 6,
                                 .started_utc_ms = 7};
    expect(h, "process_cpu_seconds 1\n"
              "process_resident_memory_bytes 2\n"
              "process_virtual_memory_bytes 3\n"
              "process_open_fds 5\n"
              "process_max_fds 6\n"
              "process_threads 4\n"
              "process_start_time_seconds 7\n");
}

/* ---- A cluster ---- */

static void what_workers_of_a_cluster_count_is_shown_in_a_cluster_alone(void **state)
{
    hand_made *h = *state;
    cluster_counters *c = &h->snapshot.total.cluster;
    const struct {
        counter *counter;
        const char *line;
    } cells[] = {
        {&c->losses[CLUSTER_LOSS_UNBOUND], "cluster_signals_lost unbound 7\n"},
        {&c->losses[CLUSTER_LOSS_MERGE], "cluster_signals_lost merge 7\n"},
        {&c->losses[CLUSTER_LOSS_GONE], "cluster_signals_lost gone 7\n"},
        {&c->losses[CLUSTER_LOSS_EDGE], "cluster_signals_lost edge 7\n"},
        {&c->misdirected, "cluster_misdirected 7\n"},
        {&c->bindings_elsewhere, "cluster_bindings_elsewhere 7\n"},
        {&c->members_from_elsewhere, "cluster_members_from_elsewhere 7\n"},
        {&c->owner.given, "cluster_merges given 7\n"},
        {&c->owner.taken, "cluster_merges taken 7\n"},
        {&c->owner.refused, "cluster_merges refused 7\n"},
        {&c->owner.pushed_out, "cluster_merge_setbacks pushed_out 7\n"},
        {&c->owner.unlinked, "cluster_merge_setbacks unreachable 7\n"},
    };
    for (size_t i = 0; i < sizeof(cells) / sizeof(cells[0]); i++) {
        hand_made_init(h);
        counter_set(cells[i].counter, 7);
        expect(h, "");
        hand_made_enter_cluster(h);
        h->cluster.counts.has_engine = false;
        expect(h, cells[i].line);
    }
}

static void what_the_node_knows_is_shown(void **state)
{
    hand_made *h = *state;
    node_core_counts *c = &h->cluster.counts;
    hand_made_enter_cluster(h);
    hand_made_add_node(h, "b")->held_bytes = 30;
    node_view *other = hand_made_add_node(h, "c");
    other->held_bytes = 1;
    strcpy(other->version, "0.2.0");
    *c = (node_core_counts){.members = {0, 1, 2},
                            .draining = 3,
                            .nodes_lost = 4,
                            .links_up = 5,
                            .links_in_doubt = 6,
                            .owned = 7,
                            .claims_said = 8,
                            .claims_answered = 9,
                            .conflicts = 10,
                            .links_lost = 11,
                            .resends = 12,
                            .windows_full = 13,
                            .signals_lost = 14,
                            .packets_in = 15,
                            .packets_out = 16,
                            .packets_bad = 17,
                            .packets_left_out = 18,
                            .gaps = 19,
                            .engine_joined = 21,
                            .engine_away_ms = 22,
                            .same_names = 23,
                            .has_engine = true,
                            .is_hold_over = true};
    counter_histogram_add(&c->claim_ms, 24, 1);
    counter_histogram_add(&h->cluster.engine_rtt_us, 25, 1);
    expect(h, "cluster_engine_connected 1\n"
              "cluster_engine_away_seconds 22\n"
              "cluster_engine_reconnects 20\n"
              "cluster_engine_rtt_seconds 25\n"
              "cluster_hold_over 1\n"
              "cluster_gaps 19\n"
              "cluster_packets received 15\n"
              "cluster_packets sent 16\n"
              "cluster_packets bad 17\n"
              "cluster_packets left_out 18\n"
              "cluster_nodes live 1\n"
              "cluster_nodes doubtful 2\n"
              "cluster_nodes_draining 3\n"
              "cluster_nodes_same_name 23\n"
              "cluster_nodes_other_version 1\n"
              "cluster_nodes_lost 4\n"
              "cluster_links up 5\n"
              "cluster_links in_doubt 6\n"
              "cluster_links_lost 11\n"
              "cluster_link_resends 12\n"
              "cluster_link_windows_full 13\n"
              "cluster_link_held_bytes 31\n"
              "cluster_rooms_owned 7\n"
              "cluster_claims_said 8\n"
              "cluster_claims_answered 9\n"
              "cluster_claim_seconds 24\n"
              "cluster_conflicts 10\n"
              "cluster_signals_lost link 14\n");
}

/* ---- What names promise ---- */

static bool ends_with(const char *text, const char *end)
{
    size_t len = strlen(text);
    size_t end_len = strlen(end);
    return len >= end_len && strcmp(text + len - end_len, end) == 0;
}

static bool is_snake_case(const char *text)
{
    if (!islower((unsigned char)*text))
        return false;
    for (; *text != '\0'; text++)
        if (!islower((unsigned char)*text) && !isdigit((unsigned char)*text) && *text != '_')
            return false;
    return true;
}

static void names_are_snake_case_end_with_their_unit_and_come_once(void **state)
{
    hand_made *h = *state;
    hand_made_enter_cluster(h);
    for (size_t i = 0; i < metric_family_count(&h->snapshot); i++) {
        const metric_family *family = metric_family_at(i);
        const char *unit = metric_unit_name(family->unit);
        assert_true(is_snake_case(family->name));
        assert_int_equal(ends_with(family->name, "_seconds"), unit != NULL && strcmp(unit, "seconds") == 0);
        assert_int_equal(ends_with(family->name, "_bytes"), unit != NULL && strcmp(unit, "bytes") == 0);
        static const char *const reserved[] = {"_total", "_info", "_sum", "_count", "_bucket", "_created"};
        for (size_t end = 0; end < sizeof(reserved) / sizeof(reserved[0]); end++)
            assert_false(ends_with(family->name, reserved[end]));
        for (size_t other = 0; other < i; other++)
            assert_string_not_equal(family->name, metric_family_at(other)->name);
    }
}

static void help_is_one_sentence_that_needs_no_escapes(void **state)
{
    hand_made *h = *state;
    hand_made_enter_cluster(h);
    for (size_t i = 0; i < metric_family_count(&h->snapshot); i++) {
        assert_null(strpbrk(metric_family_at(i)->help, "\\\n\""));
        assert_true(ends_with(metric_family_at(i)->help, "."));
    }
}

static void only_what_every_process_has_goes_without_our_prefix(void **state)
{
    hand_made *h = *state;
    hand_made_enter_cluster(h);
    for (size_t i = 0; i < metric_family_count(&h->snapshot); i++) {
        bool is_process = strncmp(metric_family_at(i)->name, "process_", strlen("process_")) == 0;
        assert_string_equal(metric_family_prefix(metric_family_at(i)), is_process ? "" : "homecall_signal_");
    }
}

static int compare(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static void no_labels_come_twice(void **state)
{
    hand_made *h = *state;
    hand_made_enter_cluster(h);
    listing l;
    list(&l, h, true); /* all but a few numbers are zero, so equal labels make equal lines */
    char **lines = calloc(l.lines, sizeof(*lines));
    size_t count = 0;
    for (char *line = strtok(l.text, "\n"); line != NULL; line = strtok(NULL, "\n"))
        lines[count++] = line;
    assert_int_equal(count, l.lines);
    qsort(lines, count, sizeof(*lines), compare);
    for (size_t i = 1; i < count; i++)
        assert_string_not_equal(lines[i - 1], lines[i]);
    free(lines);
    free(l.text);
}

static void the_size_does_not_depend_on_the_numbers(void **state)
{
    hand_made *h = *state;
    listing idle;
    listing busy;
    list(&idle, h, true);
    hand_made_fill(h);
    list(&busy, h, true);
    assert_int_equal(idle.lines, busy.lines);
    free(idle.text);
    free(busy.text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(each_counter_is_shown_under_its_name, make, destroy),
        cmocka_unit_test_setup_teardown(each_number_of_a_thread_is_shown_with_its_name, make, destroy),
        cmocka_unit_test_setup_teardown(a_mailbox_of_which_more_was_taken_than_pushed_is_empty, make,
                                        destroy),
        cmocka_unit_test_setup_teardown(what_concerns_the_whole_server_is_shown, make, destroy),
        cmocka_unit_test_setup_teardown(draining_and_a_pause_are_told_and_nobody_is_ready_then, make,
                                        destroy),
        cmocka_unit_test_setup_teardown(the_numbers_of_the_process_are_shown, make, destroy),
        cmocka_unit_test_setup_teardown(what_workers_of_a_cluster_count_is_shown_in_a_cluster_alone, make,
                                        destroy),
        cmocka_unit_test_setup_teardown(what_the_node_knows_is_shown, make, destroy),
        cmocka_unit_test_setup_teardown(names_are_snake_case_end_with_their_unit_and_come_once, make,
                                        destroy),
        cmocka_unit_test_setup_teardown(help_is_one_sentence_that_needs_no_escapes, make, destroy),
        cmocka_unit_test_setup_teardown(only_what_every_process_has_goes_without_our_prefix, make, destroy),
        cmocka_unit_test_setup_teardown(no_labels_come_twice, make, destroy),
        cmocka_unit_test_setup_teardown(the_size_does_not_depend_on_the_numbers, make, destroy),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
