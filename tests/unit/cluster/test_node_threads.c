/* Two nodes with a courier and two workers each, all on threads of their own, as in a server: many clients
 * talk across them, while the engine comes and goes and links are lost. For the thread sanitizer, and for the
 * order of what comes. */
#include "base/clock.h"
#include "unit/cluster/node_stage.h"

static void set_engine(bool is_there)
{
    for (unsigned i = 0; i < NODES; i++)
        node_core_on_engine(the.fixture.nodes[i].core, is_there, clock_monotonic_ms());
}

static void while_the_engine_comes_and_goes_everything_comes_once_and_in_order(void **state)
{
    (void)state;
    bool is_there = true;
    unsigned changes = 0;
    stage_start(NULL);
    set_engine(true);
    for (int i = 0; the.done < 2 * STAGE_PAIRS && i < 3000; i++) {
        stage_pause(20);
        if (i % 5 != 0 || stage_heard() < 100)
            continue; /* they have not found each other yet */
        is_there = !is_there;
        changes++;
        set_engine(is_there);
    }
    assert_in_range(changes, 4, 3000);
    set_engine(true);
    stage_await_heard();
    stage_expect_order(true);
    stage_end();
    stage_free();
}

static void links_that_are_lost_neither_double_nor_reorder_anything(void **state)
{
    (void)state;
    stage_start(NULL);
    set_engine(true);
    the.loses_links = true;
    stage_await(&the.done, 2 * STAGE_PAIRS);
    the.loses_links = false;
    assert_true(stage_counts(0).links_lost > 0);
    stage_end();
    stage_expect_order(false);
    stage_free();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(while_the_engine_comes_and_goes_everything_comes_once_and_in_order),
        cmocka_unit_test(links_that_are_lost_neither_double_nor_reorder_anything),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
