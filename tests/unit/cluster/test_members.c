/* Who lives: beats, doubt, loss, and what must not be taken for silence. */
#include "cluster/members.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>

enum { START_MS = 10000 };

typedef struct fixture {
    members m;
    uint64_t now_ms;
    unsigned beats, changes;
    member_state last_before;
} fixture;

static void beat(void *context)
{
    ((fixture *)context)->beats++;
}

static void on_change(void *context, unsigned slot, member_state before)
{
    fixture *f = context;
    (void)slot;
    f->changes++;
    f->last_before = before;
}

static void open_members(fixture *f)
{
    *f = (fixture){.now_ms = START_MS};
    const members_events events = {.beat = beat, .on_change = on_change, .context = f};
    const node_id self = {{9}};
    members_init(&f->m, &self, &events, f->now_ms);
    members_on_engine(&f->m, true, f->now_ms);
}

static wire_message beat_of(uint8_t id)
{
    return (wire_message){
        .type = WIRE_BEAT, .from = {{id}}, .name = SLICE_LITERAL("n"), .version = SLICE_LITERAL("1")};
}

static int hear(fixture *f, uint8_t id)
{
    const wire_message m = beat_of(id);
    return members_on_beat(&f->m, &m, f->now_ms);
}

/* With the ticks that are due. */
static void pass(fixture *f, uint64_t ms)
{
    uint64_t end_ms = f->now_ms + ms;
    while (f->now_ms < end_ms) {
        uint64_t due_ms = members_next_due_ms(&f->m);
        assert_true(due_ms != UINT64_MAX);
        due_ms = due_ms > f->now_ms ? due_ms : f->now_ms + 1;
        f->now_ms = due_ms < end_ms ? due_ms : end_ms;
        members_tick(&f->m, f->now_ms);
    }
}

static member_state state_of(const fixture *f, uint8_t id)
{
    const node_id node = {{id}};
    int slot = members_find(&f->m, &node);
    return slot < 0 ? MEMBER_LOST : f->m.slots[slot].state;
}

static void silence_is_doubt_after_3_s_and_loss_after_5(void **state)
{
    (void)state;
    fixture f;
    open_members(&f);
    assert_int_equal(hear(&f, 1), 0);
    assert_int_equal(f.changes, 1);
    assert_int_equal(members_present(&f.m), 1);
    pass(&f, MEMBERS_DOUBT_MS - 1);
    assert_int_equal(state_of(&f, 1), MEMBER_LIVE);
    pass(&f, 1);
    assert_int_equal(state_of(&f, 1), MEMBER_DOUBTFUL);
    assert_int_equal(members_present(&f.m), 1); /* it is still waited for */
    pass(&f, MEMBERS_LOST_MS - MEMBERS_DOUBT_MS - 1);
    assert_int_equal(state_of(&f, 1), MEMBER_DOUBTFUL);
    pass(&f, 1);
    assert_int_equal(state_of(&f, 1), MEMBER_LOST);
    assert_int_equal(members_present(&f.m), 0);
    assert_int_equal(f.changes, 3);
    assert_int_equal(f.last_before, MEMBER_DOUBTFUL);
}

static void a_beat_ends_doubt(void **state)
{
    (void)state;
    fixture f;
    open_members(&f);
    hear(&f, 1);
    pass(&f, 4000);
    hear(&f, 1);
    assert_int_equal(state_of(&f, 1), MEMBER_LIVE);
    pass(&f, 2999);
    assert_int_equal(state_of(&f, 1), MEMBER_LIVE);
}

static void beats_are_said_each_second_while_the_engine_is_there(void **state)
{
    (void)state;
    fixture f;
    open_members(&f);
    members_tick(&f.m, f.now_ms);
    assert_int_equal(f.beats, 1);
    pass(&f, 10 * MEMBERS_BEAT_MS);
    assert_int_equal(f.beats, 11);
    members_on_engine(&f.m, false, f.now_ms);
    pass(&f, 10 * MEMBERS_BEAT_MS);
    assert_int_equal(f.beats, 11);
}

static void nobody_is_silent_while_we_hear_nothing(void **state)
{
    (void)state;
    fixture f;
    open_members(&f);
    hear(&f, 1);
    pass(&f, 2000);
    members_on_engine(&f.m, false, f.now_ms);
    pass(&f, 60000);
    assert_int_equal(state_of(&f, 1), MEMBER_LIVE);
    members_on_engine(&f.m, true, f.now_ms);
    pass(&f, MEMBERS_DOUBT_MS - 1);
    assert_int_equal(state_of(&f, 1), MEMBER_LIVE); /* the whole time again */
    pass(&f, 1);
    assert_int_equal(state_of(&f, 1), MEMBER_DOUBTFUL);
}

static void nobody_is_silent_while_we_stand_still(void **state)
{
    (void)state;
    fixture f;
    open_members(&f);
    hear(&f, 1);
    f.now_ms += 30000;
    members_tick(&f.m, f.now_ms);
    assert_int_equal(state_of(&f, 1), MEMBER_LIVE);
    pass(&f, MEMBERS_LOST_MS);
    assert_int_equal(state_of(&f, 1), MEMBER_LOST);
}

static void who_has_said_bye_is_lost_at_once_and_for_good(void **state)
{
    (void)state;
    fixture f;
    open_members(&f);
    const node_id one = {{1}};
    hear(&f, 1);
    assert_int_equal(members_on_bye(&f.m, &one), 0);
    assert_int_equal(state_of(&f, 1), MEMBER_LOST);
    assert_int_equal(hear(&f, 1), -EALREADY); /* late, or doubled */
    assert_int_equal(members_on_bye(&f.m, &one), -EALREADY);
    assert_int_equal(state_of(&f, 1), MEMBER_LOST);
}

static void what_we_say_ourselves_means_nothing(void **state)
{
    (void)state;
    fixture f;
    open_members(&f);
    const node_id self = {{9}};
    assert_int_equal(hear(&f, 9), -EALREADY);
    assert_int_equal(members_on_bye(&f.m, &self), -EALREADY);
    assert_int_equal(f.changes, 0);
}

static void there_are_only_so_many(void **state)
{
    (void)state;
    fixture f;
    open_members(&f);
    for (uint8_t id = 10; id < 10 + MEMBERS_MAX; id++)
        assert_int_equal(hear(&f, id), 0);
    assert_int_equal(hear(&f, 200), -ENOSPC);
    assert_true(members_present(&f.m) == UINT64_MAX);
    const node_id first = {{10}};
    assert_int_equal(members_on_bye(&f.m, &first), 0);
    assert_int_equal(hear(&f, 200), 0); /* in its slot */
    assert_int_equal(members_find(&f.m, &(node_id){{200}}), 0);
}

static void claims_wait_until_we_have_listened(void **state)
{
    (void)state;
    fixture f;
    open_members(&f);
    pass(&f, MEMBERS_LISTEN_MS - 1);
    assert_false(members_may_claim(&f.m, f.now_ms));
    pass(&f, 1);
    assert_true(members_may_claim(&f.m, f.now_ms));
    members_on_engine(&f.m, false, f.now_ms);
    assert_false(members_may_claim(&f.m, f.now_ms));
    members_on_engine(&f.m, true, f.now_ms);
    assert_false(members_may_claim(&f.m, f.now_ms));
}

static void who_drains_says_so(void **state)
{
    (void)state;
    fixture f;
    open_members(&f);
    hear(&f, 1);
    wire_message m = beat_of(1);
    m.flags = WIRE_IS_DRAINING;
    members_on_beat(&f.m, &m, f.now_ms);
    assert_true(f.m.slots[0].is_draining);
    assert_int_equal(f.changes, 2);
    assert_int_equal(f.last_before, MEMBER_LIVE);
    members_on_beat(&f.m, &m, f.now_ms);
    assert_int_equal(f.changes, 2);
}

static void two_of_one_name_are_noticed(void **state)
{
    (void)state;
    fixture f;
    open_members(&f);
    hear(&f, 1);
    assert_false(members_shares_name(&f.m, 0));
    hear(&f, 2);
    assert_true(members_shares_name(&f.m, 0));
    assert_true(members_shares_name(&f.m, 1));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(silence_is_doubt_after_3_s_and_loss_after_5),
        cmocka_unit_test(a_beat_ends_doubt),
        cmocka_unit_test(beats_are_said_each_second_while_the_engine_is_there),
        cmocka_unit_test(nobody_is_silent_while_we_hear_nothing),
        cmocka_unit_test(nobody_is_silent_while_we_stand_still),
        cmocka_unit_test(who_has_said_bye_is_lost_at_once_and_for_good),
        cmocka_unit_test(what_we_say_ourselves_means_nothing),
        cmocka_unit_test(there_are_only_so_many),
        cmocka_unit_test(claims_wait_until_we_have_listened),
        cmocka_unit_test(who_drains_says_so),
        cmocka_unit_test(two_of_one_name_are_noticed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
