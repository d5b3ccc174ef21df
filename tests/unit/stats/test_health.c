/* Verdicts over snapshots made by hand. */
#include "stats/health.h"

#include "unit/stats/hand_made.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>

typedef struct fixture {
    hand_made made;
    char reasons[512];
} fixture;

static int make(void **state)
{
    fixture *f = calloc(1, sizeof(*f));
    if (f == NULL)
        return -1;
    hand_made_init(&f->made);
    *state = f;
    return 0;
}

static int destroy(void **state)
{
    free(*state);
    return 0;
}

static void on_objection(void *context, const char *reason)
{
    fixture *f = context;
    strcat(strcat(f->reasons, reason), "\n");
}

/* The verdict must go with its reasons, also when nobody asks for them. */
static void expect_live(fixture *f, const char *reasons)
{
    f->reasons[0] = '\0';
    assert_int_equal(health_is_live(&f->made.snapshot, on_objection, f), *reasons == '\0');
    assert_string_equal(f->reasons, reasons);
    assert_int_equal(health_is_live(&f->made.snapshot, NULL, NULL), *reasons == '\0');
}

static void expect_ready(fixture *f, const char *reasons)
{
    f->reasons[0] = '\0';
    assert_int_equal(health_is_ready(&f->made.snapshot, on_objection, f), *reasons == '\0');
    assert_string_equal(f->reasons, reasons);
    assert_int_equal(health_is_ready(&f->made.snapshot, NULL, NULL), *reasons == '\0');
}

/* The turn of a thread began so long before the snapshot. */
static void set_turn_age_us(fixture *f, int thread, uint64_t age_us)
{
    counter_set(&f->made.threads[thread].counters.loop.turn_started_us, f->made.snapshot.taken_us - age_us);
}

static void an_idle_server_is_live_and_ready(void **state)
{
    expect_live(*state, "");
    expect_ready(*state, "");
}

static void a_socket_that_is_not_watched_makes_it_not_ready(void **state)
{
    fixture *f = *state;
    counter_set(&f->made.threads[2].counters.acceptor.sockets, 3);
    counter_set(&f->made.threads[2].counters.acceptor.deaf_sockets, 1);
    expect_ready(f, "acceptor-0 can't watch 1 of its 3 listening sockets\n");
    expect_live(f, "");
}

static void a_server_without_a_socket_is_not_ready(void **state)
{
    fixture *f = *state;
    counter_set(&f->made.snapshot.total.acceptor.sockets, 0);
    expect_ready(f, "nobody listens\n");
    f->made.snapshot.is_draining = true;
    expect_ready(f, "draining\n");
}

static void a_thread_that_is_overloaded_makes_it_not_ready_for_as_long(void **state)
{
    fixture *f = *state;
    counter *until_us = &f->made.threads[1].counters.loop.overloaded_until_us;
    counter_set(until_us, f->made.snapshot.taken_us + 1);
    expect_ready(f, "worker-1 is overloaded: its turns take too long (OVERLOAD_LAG_MS)\n");
    assert_true(health_is_overloaded(&f->made.snapshot));
    expect_live(f, "");
    counter_set(until_us, f->made.snapshot.taken_us);
    expect_ready(f, "");
    assert_false(health_is_overloaded(&f->made.snapshot));
}

static void a_turn_of_a_second_is_still_good_and_a_longer_one_is_behind(void **state)
{
    fixture *f = *state;
    set_turn_age_us(f, 0, 1000000);
    expect_ready(f, "");
    set_turn_age_us(f, 0, 1000001);
    expect_ready(f, "worker-0 is behind: a turn of its loop has taken 1.0 s so far\n");
    expect_live(f, "");
}

static void a_turn_of_five_seconds_is_alive_and_a_longer_one_hangs(void **state)
{
    fixture *f = *state;
    set_turn_age_us(f, 1, 5000000);
    expect_live(f, "");
    set_turn_age_us(f, 1, 5100000);
    expect_live(f, "worker-1 hangs: a turn of its loop has taken 5.1 s so far\n");
    expect_ready(f, "worker-1 is behind: a turn of its loop has taken 5.1 s so far\n");
}

static void a_thread_that_has_failed_makes_it_neither_live_nor_ready(void **state)
{
    fixture *f = *state;
    f->made.threads[1].has_failed = true;
    expect_live(f, "worker-1 has failed and serves nobody\n");
    expect_ready(f, "worker-1 has failed and serves nobody\n");
    set_turn_age_us(f, 0, 6000000);
    expect_live(f, "worker-1 has failed and serves nobody\n"
                   "worker-0 hangs: a turn of its loop has taken 6.0 s so far\n");
}

static void every_thread_that_is_behind_is_named(void **state)
{
    fixture *f = *state;
    set_turn_age_us(f, 0, 2500000);
    set_turn_age_us(f, 2, 60000000);
    expect_ready(f, "worker-0 is behind: a turn of its loop has taken 2.5 s so far\n"
                    "acceptor-0 is behind: a turn of its loop has taken 60.0 s so far\n");
}

static void a_turn_that_began_after_the_snapshot_is_young(void **state)
{
    fixture *f = *state;
    counter_set(&f->made.threads[0].counters.loop.turn_started_us, f->made.snapshot.taken_us + 1);
    expect_live(f, "");
    expect_ready(f, "");
}

static void a_server_that_drains_is_alive_and_not_ready(void **state)
{
    fixture *f = *state;
    f->made.snapshot.is_draining = true;
    expect_live(f, "");
    expect_ready(f, "draining\n");
}

static void a_server_that_can_not_accept_is_not_ready(void **state)
{
    fixture *f = *state;
    counter_set(&f->made.snapshot.total.acceptor.is_short, 1);
    expect_ready(f, "accepting pauses: descriptors or memory are used up\n");
}

static void a_server_whose_queues_are_nearly_full_is_alive_and_not_ready(void **state)
{
    fixture *f = *state;
    f->made.snapshot.budget_limit = 1600;
    f->made.snapshot.budget_used = 1500;
    expect_ready(f, "");
    f->made.snapshot.budget_used = 1501;
    expect_live(f, "");
    expect_ready(f, "PENDING_MAX_TOTAL_BYTES is nearly used up\n");
    f->made.snapshot.budget_limit = 0; /* nothing may be queued at all */
    expect_ready(f, "");
}

static void the_last_place_taken_is_full_whatever_the_phases(void **state)
{
    fixture *f = *state;
    f->made.snapshot.max_connections = 10;
    counter_set(&f->made.snapshot.total.net.connections[NET_TRANSPORT_PLAIN][NET_PHASE_HANDSHAKE], 2);
    counter_set(&f->made.snapshot.total.net.connections[NET_TRANSPORT_PLAIN][NET_PHASE_OPEN], 4);
    counter_set(&f->made.snapshot.total.net.connections[NET_TRANSPORT_PLAIN][NET_PHASE_CLOSING], 3);
    expect_ready(f, "");
    counter_set(&f->made.snapshot.total.net.connections[NET_TRANSPORT_PLAIN][NET_PHASE_OPEN], 5);
    expect_ready(f, "MAX_CONNECTIONS is reached\n");
    f->made.snapshot.max_connections = 0; /* no limit */
    expect_ready(f, "");
}

static void all_reasons_come_together(void **state)
{
    fixture *f = *state;
    f->made.snapshot.is_draining = true;
    f->made.snapshot.max_connections = 1;
    counter_set(&f->made.snapshot.total.net.connections[NET_TRANSPORT_PLAIN][NET_PHASE_OPEN], 1);
    counter_set(&f->made.snapshot.total.acceptor.is_short, 1);
    set_turn_age_us(f, 0, 1500000);
    expect_ready(f, "draining\n"
                    "accepting pauses: descriptors or memory are used up\n"
                    "MAX_CONNECTIONS is reached\n"
                    "worker-0 is behind: a turn of its loop has taken 1.5 s so far\n");
}

/* ---- In a cluster ---- */

static void a_node_is_not_ready_before_the_engine_was_there(void **state)
{
    fixture *f = *state;
    node_core_counts *c = &f->made.cluster.counts;
    hand_made_enter_cluster(&f->made);
    expect_ready(f, "");
    *c = (node_core_counts){.engine_away_ms = 1000};
    expect_ready(f, "the engine of the cluster has not been there yet\n");
    expect_live(f, "");
    c->opens_rooms = true; /* CLUSTER_WITHOUT_ENGINE=serve */
    expect_ready(f, "");
}

static void a_node_whose_engine_is_away_is_ready_until_the_hold_is_over(void **state)
{
    fixture *f = *state;
    node_core_counts *c = &f->made.cluster.counts;
    hand_made_enter_cluster(&f->made);
    c->has_engine = false;
    c->engine_away_ms = 119999;
    expect_ready(f, "");
    c->is_hold_over = true;
    expect_ready(f, "the engine of the cluster is away for CLUSTER_HOLD\n");
    expect_live(f, "");
    c->opens_rooms = true;
    expect_ready(f, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(an_idle_server_is_live_and_ready, make, destroy),
        cmocka_unit_test_setup_teardown(a_socket_that_is_not_watched_makes_it_not_ready, make, destroy),
        cmocka_unit_test_setup_teardown(a_thread_that_is_overloaded_makes_it_not_ready_for_as_long, make,
                                        destroy),
        cmocka_unit_test_setup_teardown(a_server_without_a_socket_is_not_ready, make, destroy),
        cmocka_unit_test_setup_teardown(a_turn_of_a_second_is_still_good_and_a_longer_one_is_behind, make,
                                        destroy),
        cmocka_unit_test_setup_teardown(a_turn_of_five_seconds_is_alive_and_a_longer_one_hangs, make,
                                        destroy),
        cmocka_unit_test_setup_teardown(a_thread_that_has_failed_makes_it_neither_live_nor_ready, make,
                                        destroy),
        cmocka_unit_test_setup_teardown(every_thread_that_is_behind_is_named, make, destroy),
        cmocka_unit_test_setup_teardown(a_turn_that_began_after_the_snapshot_is_young, make, destroy),
        cmocka_unit_test_setup_teardown(a_server_that_drains_is_alive_and_not_ready, make, destroy),
        cmocka_unit_test_setup_teardown(a_server_that_can_not_accept_is_not_ready, make, destroy),
        cmocka_unit_test_setup_teardown(a_server_whose_queues_are_nearly_full_is_alive_and_not_ready, make,
                                        destroy),
        cmocka_unit_test_setup_teardown(the_last_place_taken_is_full_whatever_the_phases, make, destroy),
        cmocka_unit_test_setup_teardown(a_node_is_not_ready_before_the_engine_was_there, make, destroy),
        cmocka_unit_test_setup_teardown(a_node_whose_engine_is_away_is_ready_until_the_hold_is_over, make,
                                        destroy),
        cmocka_unit_test_setup_teardown(all_reasons_come_together, make, destroy),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
