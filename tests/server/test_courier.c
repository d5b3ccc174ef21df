/* Two nodes whose couriers speak over a real engine: what it loses when it is killed, stands still or is
 * overfilled, nobody notices. */
#include "base/clock.h"
#include "cluster/courier.h"
#include "support/nats_engine.h"
#include "unit/cluster/node_stage.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

static nats_engine engine;
static courier *couriers[NODES];
static _Atomic(courier *) woken[NODES]; /* the same, for threads that run before it is there */
static cluster_settings settings;
static cluster_secrets secrets;

static void wake(void *context)
{
    courier *c = woken[((const node *)context)->index];
    if (c != NULL)
        courier_wake(c);
}

static void use_engine(const char *lines)
{
    if (!nats_engine_exists())
        skip();
    nats_engine_start(&engine, lines);
    settings = (cluster_settings){{"", "homecall", "", "", "", "", "", "", "", ""}};
    settings.texts[CLUSTER_URL] = engine.url;
}

static void start_couriers(void)
{
    stage_start(wake);
    for (unsigned i = 0; i < NODES; i++) {
        assert_int_equal(courier_new(the.fixture.nodes[i].core, &settings, &secrets, &couriers[i]), 0);
        woken[i] = couriers[i];
        assert_int_equal(courier_start(couriers[i]), 0);
    }
}

static void stop_couriers(void)
{
    stage_end();
    for (unsigned i = 0; i < NODES; i++) {
        courier_stop(couriers[i]);
        woken[i] = NULL;
        courier_free(couriers[i]);
        couriers[i] = NULL;
    }
    stage_free();
}

static int tear_down(void **state)
{
    (void)state;
    nats_engine_destroy(&engine);
    return 0;
}

/* Until the nodes think so of the engine. */
static void await_engine(bool is_there)
{
    uint64_t until_ms = clock_monotonic_ms() + STAGE_PATIENCE_MS;
    for (unsigned i = 0; i < NODES; i++) {
        while (stage_counts(i).has_engine != is_there && clock_monotonic_ms() < until_ms)
            stage_pause(5);
        assert_int_equal(stage_counts(i).has_engine, is_there);
    }
}

static void await_heard_some(unsigned more)
{
    unsigned wanted = stage_heard() + more;
    uint64_t until_ms = clock_monotonic_ms() + STAGE_PATIENCE_MS;
    while (stage_heard() < wanted && clock_monotonic_ms() < until_ms)
        stage_pause(5);
    assert_true(stage_heard() >= wanted);
}

/* Everything has come, once and in order, and no link was lost. */
static void expect_nothing_lost(void)
{
    stage_await(&the.done, 2 * STAGE_PAIRS);
    stage_await_heard();
    stage_expect_order(true);
    for (unsigned i = 0; i < NODES; i++) {
        assert_int_equal(stage_counts(i).links_lost, 0);
        assert_int_equal(stage_counts(i).signals_lost, 0);
        assert_int_equal(stage_counts(i).packets_bad, 0);
    }
}

static void two_nodes_meet_over_an_engine(void **state)
{
    (void)state;
    use_engine("");
    start_couriers();
    expect_nothing_lost();
    assert_int_equal(stage_counts(0).owned + stage_counts(1).owned, STAGE_PAIRS);
    stop_couriers();
}

static void an_engine_that_is_killed_and_started_again_loses_nothing(void **state)
{
    (void)state;
    use_engine("");
    start_couriers();
    for (int i = 0; i < 3; i++) {
        await_heard_some(200);
        nats_engine_end(&engine, SIGKILL);
        await_engine(false);
        nats_engine_start_again(&engine);
        await_engine(true);
    }
    expect_nothing_lost();
    stop_couriers();
}

static void an_engine_that_comes_later_is_found(void **state)
{
    (void)state;
    use_engine("");
    nats_engine_end(&engine, SIGKILL);
    start_couriers();
    stage_pause(20);
    assert_false(stage_counts(0).has_engine);
    nats_engine_start_again(&engine);
    expect_nothing_lost();
    stop_couriers();
}

static void an_engine_that_stands_still_loses_nothing(void **state)
{
    (void)state;
    use_engine("");
    start_couriers();
    await_heard_some(200);
    nats_engine_pause(&engine);
    await_engine(false); /* it is asked each second, and may miss two answers */
    nats_engine_go_on(&engine);
    expect_nothing_lost();
    stop_couriers();
}

static void who_is_refused_by_the_engine_is_let_in_when_it_may(void **state)
{
    (void)state;
    use_engine("authorization { user: u, password: other }");
    settings.texts[CLUSTER_USER] = "u";
    snprintf(secrets.password, sizeof(secrets.password), "right");
    start_couriers();
    for (int i = 0; i < 50; i++) /* the library gives up after two refusals, and the courier does not */
        stage_pause(20);
    assert_false(stage_counts(0).has_engine);
    nats_engine_end(&engine, SIGTERM);
    (void)nats_engine_write(&engine, "nats.conf", "authorization { user: u, password: right }");
    nats_engine_start_again(&engine);
    await_engine(true);
    expect_nothing_lost();
    stop_couriers();
}

static uint64_t count_others(unsigned of)
{
    const node_core_counts counts = stage_counts(of);
    return counts.members[MEMBER_LIVE] + counts.members[MEMBER_DOUBTFUL];
}

static void a_node_that_stops_says_bye(void **state)
{
    (void)state;
    use_engine("");
    start_couriers();
    expect_nothing_lost();
    courier_stop(couriers[1]);
    uint64_t until_ms = clock_monotonic_ms() + MEMBERS_DOUBT_MS; /* silence would be noticed later */
    while (count_others(0) > 0 && clock_monotonic_ms() < until_ms)
        stage_pause(5);
    assert_int_equal(count_others(0), 0);
    stop_couriers();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(two_nodes_meet_over_an_engine, tear_down),
        cmocka_unit_test_teardown(an_engine_that_is_killed_and_started_again_loses_nothing, tear_down),
        cmocka_unit_test_teardown(an_engine_that_comes_later_is_found, tear_down),
        cmocka_unit_test_teardown(an_engine_that_stands_still_loses_nothing, tear_down),
        cmocka_unit_test_teardown(who_is_refused_by_the_engine_is_let_in_when_it_may, tear_down),
        cmocka_unit_test_teardown(a_node_that_stops_says_bye, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
