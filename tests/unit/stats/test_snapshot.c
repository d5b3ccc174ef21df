/* Copies and sums of counters, also while somebody counts. */
#include "stats/snapshot.h"

#include <string.h>

#include "unit/stats/hand_made.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <pthread.h>
#include <stdlib.h>

static int make(void **state)
{
    hand_made *h = malloc(sizeof(*h));
    if (h == NULL)
        return -1;
    hand_made_init(h);
    hand_made_fill(h);
    *state = h;
    return 0;
}

static int destroy(void **state)
{
    free(*state);
    return 0;
}

static uint64_t nth(const thread_counters *counters, size_t i)
{
    return counter_get(&((const counter *)counters)[i]);
}

enum { COUNTERS = sizeof(thread_counters) / sizeof(counter) };

static void every_counter_is_summed_over_the_threads(void **state)
{
    hand_made *h = *state;
    snapshot_sum(&h->snapshot);
    for (size_t i = 0; i < COUNTERS; i++) {
        uint64_t sum = 0;
        for (int t = 0; t < HAND_MADE_THREADS; t++)
            sum += nth(&h->threads[t].counters, i);
        assert_true(nth(&h->snapshot.total, i) == sum);
    }
}

static void the_sum_over_no_threads_is_zero(void **state)
{
    hand_made *h = *state;
    h->snapshot.thread_count = 0;
    snapshot_sum(&h->snapshot);
    for (size_t i = 0; i < COUNTERS; i++)
        assert_true(nth(&h->snapshot.total, i) == 0);
}

static void every_counter_is_copied(void **state)
{
    hand_made *h = *state;
    const thread_counters *from = &h->threads[1].counters;
    thread_counters to = {0};
    snapshot_copy_counters(&to, from, sizeof(to));
    for (size_t i = 0; i < COUNTERS; i++)
        assert_true(nth(&to, i) == nth(from, i));
}

static void connections_are_those_of_all_phases(void **state)
{
    hand_made *h = *state;
    memset(h->snapshot.total.net.connections, 0, sizeof(h->snapshot.total.net.connections));
    counter_set(&h->snapshot.total.net.connections[NET_TRANSPORT_PLAIN][NET_PHASE_HANDSHAKE], 1);
    counter_set(&h->snapshot.total.net.connections[NET_TRANSPORT_TLS][NET_PHASE_OPEN], 20);
    counter_set(&h->snapshot.total.net.connections[NET_TRANSPORT_PLAIN][NET_PHASE_CLOSING], 300);
    assert_int_equal(snapshot_connections(&h->snapshot), 321);
}

/* ---- While somebody counts ---- */

enum { STEPS = 100 * 1000 };

static void *count_to_the_end(void *arg)
{
    thread_counters *counters = arg;
    for (int i = 0; i < STEPS; i++) {
        counter_add(&counters->net.messages_in, 1);
        counter_histogram_add(&counters->net.relay_us, 5, 1);
    }
    return NULL;
}

static void a_copy_of_a_running_thread_is_never_ahead_and_never_goes_back(void **state)
{
    (void)state;
    thread_counters running = {0};
    thread_counters copy = {0};
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, count_to_the_end, &running), 0);
    uint64_t last = 0;
    for (int i = 0; i < 200; i++) {
        snapshot_copy_counters(&copy, &running, sizeof(copy));
        uint64_t now = counter_get(&copy.net.messages_in);
        assert_true(now >= last && now <= STEPS);
        last = now;
    }
    pthread_join(thread, NULL);
    snapshot_copy_counters(&copy, &running, sizeof(copy));
    assert_int_equal(counter_get(&copy.net.relay_us.buckets[counter_histogram_bucket(5)]), STEPS);
    assert_int_equal(counter_get(&copy.net.relay_us.sum), 5 * STEPS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(every_counter_is_summed_over_the_threads, make, destroy),
        cmocka_unit_test_setup_teardown(the_sum_over_no_threads_is_zero, make, destroy),
        cmocka_unit_test_setup_teardown(every_counter_is_copied, make, destroy),
        cmocka_unit_test_setup_teardown(connections_are_those_of_all_phases, make, destroy),
        cmocka_unit_test(a_copy_of_a_running_thread_is_never_ahead_and_never_goes_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
