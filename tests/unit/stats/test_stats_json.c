/* The numbers as JSON, read back by cJSON. */
#include "stats/stats_json.h"

#include "unit/stats/hand_made.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <cjson/cJSON.h>
#include <stdlib.h>

/* 2026-11-25T10:20:30.400Z */
#define NOW_UTC_MS 1795602030400ull

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

/* Print and read back; owned by the caller. */
static cJSON *print(const hand_made *h)
{
    char *text = stats_json_print(&h->source, NOW_UTC_MS);
    assert_non_null(text);
    cJSON *root = cJSON_ParseWithOpts(text, NULL, true);
    assert_non_null(root);
    free(text);
    return root;
}

/* The value behind a path of keys, the last NULL. */
static const cJSON *at(const cJSON *value, const char *const *path)
{
    for (; *path != NULL; path++) {
        value = cJSON_GetObjectItemCaseSensitive(value, *path);
        assert_non_null(value);
    }
    return value;
}

#define AT(value, ...) at((value), (const char *const[]){__VA_ARGS__, NULL})

static void assert_number(const cJSON *value, double expected)
{
    assert_true(cJSON_IsNumber(value));
    assert_true(value->valuedouble == expected);
}

static void the_head_says_who_when_and_how(void **state)
{
    hand_made *h = *state;
    h->snapshot.uptime_ms = 12345;
    cJSON *root = print(h);
    assert_string_equal(cJSON_GetStringValue(AT(root, "version")), "0.1.0");
    assert_number(AT(root, "uptime_seconds"), 12.345);
    assert_string_equal(cJSON_GetStringValue(AT(root, "time")), "2026-11-25T10:20:30.400Z");
    assert_true(cJSON_IsTrue(AT(root, "live")));
    assert_true(cJSON_IsTrue(AT(root, "ready")));
    assert_int_equal(cJSON_GetArraySize(AT(root, "why")), 0);
    cJSON_Delete(root);
}

static void every_reason_against_is_told(void **state)
{
    hand_made *h = *state;
    h->snapshot.is_draining = true;
    h->snapshot.max_connections = 1;
    counter_set(&h->snapshot.total.net.connections[NET_TRANSPORT_PLAIN][NET_PHASE_OPEN], 1);
    cJSON *root = print(h);
    assert_true(cJSON_IsTrue(AT(root, "live")));
    assert_true(cJSON_IsFalse(AT(root, "ready")));
    const cJSON *why = AT(root, "why");
    assert_int_equal(cJSON_GetArraySize(why), 2);
    assert_string_equal(cJSON_GetStringValue(cJSON_GetArrayItem(why, 0)), "draining");
    assert_string_equal(cJSON_GetStringValue(cJSON_GetArrayItem(why, 1)), "MAX_CONNECTIONS is reached");
    cJSON_Delete(root);
}

static void labels_are_nested_objects_in_their_order(void **state)
{
    hand_made *h = *state;
    counter_set(&h->snapshot.total.session.rooms, 3);
    counter_set(&h->snapshot.total.session.joins[SESSION_JOIN_FULL], 4);
    counter_set(&h->snapshot.total.session.signals[SIGNAL_OFFER][ROOM_SIGNAL_RELAYED], 5);
    counter_set(&h->snapshot.total.net.closes[CLOSE_REASON_BY_PEER][close_code_slot(1001)], 6);
    h->threads[0].cpu_us = 1250000;
    h->process.cpu_us = 2500000;
    cJSON *root = print(h);
    const cJSON *metrics = AT(root, "metrics");
    assert_number(AT(metrics, "rooms"), 3);
    assert_number(AT(metrics, "joins_total", "full"), 4);
    assert_number(AT(metrics, "joins_total", "joined"), 0);
    assert_number(AT(metrics, "signals_total", "offer", "relayed"), 5);
    assert_number(AT(metrics, "closes_total", "by_peer", "1001"), 6);
    assert_number(AT(metrics, "connections", "open", "plain"), 0);
    assert_number(AT(metrics, "thread_cpu_seconds_total", "worker-0"), 1.25);
    assert_number(AT(metrics, "thread_cpu_seconds_total", "acceptor-0"), 0);
    assert_number(AT(metrics, "process_cpu_seconds_total"), 2.5);
    assert_int_equal(cJSON_GetArraySize(AT(metrics, "build_info", "0.1.0")), 1);
    assert_int_equal(cJSON_GetArraySize(metrics), metric_family_count(&h->snapshot));
    assert_null(cJSON_GetObjectItemCaseSensitive(root, "nodes"));
    cJSON_Delete(root);
}

static void a_node_of_a_cluster_tells_of_itself_and_of_the_others(void **state)
{
    hand_made *h = *state;
    hand_made_enter_cluster(h);
    node_view *other = hand_made_add_node(h, "b \"quoted\"");
    other->state = MEMBER_DOUBTFUL;
    other->link = NODE_LINK_IN_DOUBT;
    other->held_bytes = 77;
    other->is_draining = true;
    h->cluster.counts.owned = 5;
    cJSON *root = print(h);
    const cJSON *nodes = AT(root, "nodes");
    assert_int_equal(cJSON_GetArraySize(nodes), 2);
    const cJSON *self = cJSON_GetArrayItem(nodes, 0);
    assert_string_equal(AT(self, "name")->valuestring, "a");
    assert_string_equal(AT(self, "state")->valuestring, "live");
    assert_true(cJSON_IsFalse(AT(self, "draining")));
    assert_null(cJSON_GetObjectItemCaseSensitive(self, "link"));
    const cJSON *seen = cJSON_GetArrayItem(nodes, 1);
    assert_string_equal(AT(seen, "name")->valuestring, "b \"quoted\"");
    assert_string_equal(AT(seen, "incarnation")->valuestring, "a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1");
    assert_string_equal(AT(seen, "version")->valuestring, "0.1.0");
    assert_string_equal(AT(seen, "state")->valuestring, "doubtful");
    assert_string_equal(AT(seen, "link")->valuestring, "in doubt");
    assert_true(cJSON_IsTrue(AT(seen, "draining")));
    assert_number(AT(seen, "held_bytes"), 77);
    assert_number(AT(root, "metrics", "cluster_rooms_owned"), 5);
    assert_int_equal(cJSON_GetArraySize(AT(root, "metrics")), metric_family_count(&h->snapshot));
    cJSON_Delete(root);
}

static void a_histogram_has_its_finite_bounds_and_counts_all(void **state)
{
    hand_made *h = *state;
    counter_histogram *wait = &h->snapshot.total.session.queue_wait_ms;
    counter_histogram_add(wait, 3, 2);
    counter_histogram_add(wait, UINT32_MAX, 1);
    cJSON *root = print(h);
    const cJSON *made = AT(root, "metrics", "queue_wait_seconds");
    assert_number(AT(made, "count"), 3);
    assert_number(AT(made, "sum"), (UINT32_MAX + 6.0) / 1000);
    const cJSON *buckets = AT(made, "buckets");
    assert_int_equal(cJSON_GetArraySize(buckets), HISTOGRAM_BOUNDS);
    const cJSON *second = cJSON_GetArrayItem(buckets, 1);
    assert_number(cJSON_GetArrayItem(second, 0), 0.002);
    assert_number(cJSON_GetArrayItem(second, 1), 0);
    const cJSON *last = cJSON_GetArrayItem(buckets, HISTOGRAM_BOUNDS - 1);
    assert_number(cJSON_GetArrayItem(last, 0), 16777.216);
    assert_number(cJSON_GetArrayItem(last, 1), 2);
    cJSON_Delete(root);
}

/* ---- Without memory ---- */

static size_t allocations_left;
static size_t allocations_made;
static size_t blocks;

static void *allocate(size_t size)
{
    allocations_made++;
    if (allocations_left == 0)
        return NULL;
    allocations_left--;
    blocks++;
    return malloc(size);
}

static void release(void *block)
{
    blocks -= block != NULL;
    free(block);
}

/* How many allocations a print makes; -1 when it fails. Whatever happens, all is given back. */
static int print_within(const hand_made *h, size_t allocations)
{
    allocations_left = allocations;
    allocations_made = 0;
    char *text = stats_json_print(&h->source, NOW_UTC_MS);
    bool is_good = text != NULL;
    cJSON_free(text);
    assert_int_equal(blocks, 0);
    return is_good ? (int)allocations_made : -1;
}

static void without_memory_nothing_is_printed_and_nothing_is_lost(void **state)
{
    hand_made *h = *state;
    h->snapshot.is_draining = true;
    hand_made_enter_cluster(h);
    hand_made_add_node(h, "b");
    cJSON_Hooks hooks = {.malloc_fn = allocate, .free_fn = release};
    cJSON_InitHooks(&hooks);
    int needed = print_within(h, SIZE_MAX);
    assert_true(needed > 0);
    for (int allocations = 0; allocations < needed; allocations += allocations < 200 ? 1 : 23)
        assert_int_equal(print_within(h, (size_t)allocations), -1);
    cJSON_InitHooks(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_head_says_who_when_and_how, make, destroy),
        cmocka_unit_test_setup_teardown(every_reason_against_is_told, make, destroy),
        cmocka_unit_test_setup_teardown(labels_are_nested_objects_in_their_order, make, destroy),
        cmocka_unit_test_setup_teardown(a_node_of_a_cluster_tells_of_itself_and_of_the_others, make, destroy),
        cmocka_unit_test_setup_teardown(a_histogram_has_its_finite_bounds_and_counts_all, make, destroy),
        cmocka_unit_test_setup_teardown(without_memory_nothing_is_printed_and_nothing_is_lost, make, destroy),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
