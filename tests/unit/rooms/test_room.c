#include "rooms/room.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdbool.h>

static const room_peer_face face = {.has_users = true};
static room_peer somebody = {.face = &face};

static bool same(slice got, const char *expected)
{
    return slice_equals(got, slice_of_text(expected));
}

static room_member *enter(room *r, slice user, slice user_json)
{
    room_member *member = room_member_new(r, &somebody, user, user_json);
    assert_non_null(member);
    room_add_member(r, member);
    return member;
}

static void end(room *r, room_member *member)
{
    room_remove_member(r, member);
    room_member_free(member);
}

static void freeing_nothing_is_legal(void **state)
{
    (void)state;
    room_free(NULL);
    room_member_free(NULL);
    room_waiter_free(NULL);
    room_backlog_free(NULL);
}

static void an_empty_room_has_its_name_and_nobody(void **state)
{
    (void)state;
    room *r = room_new(ROOM_SPACE_ROOMS, SLICE_LITERAL("a\nb"), SLICE_LITERAL("\"a\\nb\""), 0, 0);
    assert_non_null(r);
    assert_true(same(room_name(r), "a\nb"));
    assert_null(room_find_member(r, SLICE_LITERAL("alice")));
    assert_null(room_find_waiting(r, SLICE_LITERAL("alice")));
    assert_int_equal(r->member_count, 0);
    room_free(r);
}

static void a_member_has_the_names_of_its_room_and_its_own_in_both_forms(void **state)
{
    (void)state;
    room *r = room_new(ROOM_SPACE_ROOMS, SLICE_LITERAL("kitchen"), SLICE_LITERAL("\"kitchen\""), 0, 0);
    room_member *member = enter(r, SLICE_LITERAL("o\"hara"), SLICE_LITERAL("\"o\\\"hara\""));
    assert_true(same(room_name(member->room), "kitchen"));
    assert_true(same(room_name_json(member->room), "\"kitchen\""));
    assert_true(same(room_user(member), "o\"hara"));
    assert_true(same(room_user_json(member), "\"o\\\"hara\""));
    end(r, member);
    room_free(r);
}

static void users_are_found_by_their_whole_name(void **state)
{
    (void)state;
    room *r = room_new(ROOM_SPACE_ROOMS, SLICE_LITERAL("r"), SLICE_LITERAL("\"r\""), 0, 0);
    room_member *ann = enter(r, SLICE_LITERAL("ann"), SLICE_LITERAL("\"ann\""));
    room_member *anna = enter(r, SLICE_LITERAL("anna"), SLICE_LITERAL("\"anna\""));
    assert_ptr_equal(room_find_member(r, SLICE_LITERAL("ann")), ann);
    assert_ptr_equal(room_find_member(r, SLICE_LITERAL("anna")), anna);
    assert_null(room_find_member(r, SLICE_LITERAL("an")));
    assert_null(room_find_member(r, SLICE_LITERAL("Anna")));
    end(r, ann);
    end(r, anna);
    room_free(r);
}

static void a_waiter_is_found_apart_from_the_members(void **state)
{
    (void)state;
    room *r = room_new(ROOM_SPACE_ROOMS, SLICE_LITERAL("r"), SLICE_LITERAL("\"r\""), 0, 0);
    room_member *ann = enter(r, SLICE_LITERAL("ann"), SLICE_LITERAL("\"ann\""));
    room_waiter *waiter = room_waiter_new(
        room_member_new(r, &somebody, SLICE_LITERAL("bob"), SLICE_LITERAL("\"bob\"")), false, 77);
    assert_non_null(waiter);
    assert_int_equal(waiter->since_ms, 77);
    room_add_waiter(r, waiter);

    assert_ptr_equal(room_find_waiting(r, SLICE_LITERAL("bob")), waiter->member);
    assert_ptr_equal(room_waiter_of(waiter->member), waiter);
    assert_true(waiter->member->is_waiting);
    assert_false(ann->is_waiting);
    assert_null(room_find_member(r, SLICE_LITERAL("bob")));
    assert_null(room_find_waiting(r, SLICE_LITERAL("ann")));

    room_remove_waiter(r, waiter);
    assert_false(waiter->member->is_waiting);
    room_waiter_free(waiter); /* and the member in it */
    end(r, ann);
    room_free(r);
}

static room_waiter *wait_before(room *r, slice user)
{
    room_waiter *waiter = room_waiter_new(room_member_new(r, &somebody, user, SLICE_LITERAL("")), false, 0);
    assert_non_null(waiter);
    room_add_waiter(r, waiter);
    return waiter;
}

static void members_and_waiters_stand_in_the_order_of_their_coming_whoever_goes(void **state)
{
    (void)state;
    room *r = room_new(ROOM_SPACE_ROOMS, SLICE_LITERAL("r"), SLICE_LITERAL("\"r\""), 0, 0);
    static const slice names[] = {{"a", 1}, {"b", 1}, {"c", 1}};
    room_member *members[3];
    room_waiter *waiters[3];
    for (int i = 0; i < 3; i++) {
        members[i] = enter(r, names[i], SLICE_LITERAL(""));
        waiters[i] = wait_before(r, names[i]);
    }
    assert_int_equal(r->member_count, 3);
    assert_int_equal(r->waiter_count, 3);

    static const int leaving[] = {1, 0, 2}; /* from the middle, the start and the end */
    static const int first[] = {0, 2, -1};
    for (int i = 0; i < 3; i++) {
        end(r, members[leaving[i]]);
        room_remove_waiter(r, waiters[leaving[i]]);
        room_waiter_free(waiters[leaving[i]]);
        assert_ptr_equal(SLIST_FIRST(&r->members), first[i] < 0 ? NULL : members[first[i]]);
        assert_ptr_equal(SLIST_FIRST(&r->waiters), first[i] < 0 ? NULL : waiters[first[i]]);
        assert_int_equal(r->member_count, 2 - i);
        assert_int_equal(r->waiter_count, 2 - i);
    }
    room_free(r);
}

static void a_new_backlog_is_empty_and_its_owner_is_there(void **state)
{
    (void)state;
    room *r = room_new(ROOM_SPACE_ROOMS, SLICE_LITERAL("r"), SLICE_LITERAL("\"r\""), 0, 0);
    room_member *ann = enter(r, SLICE_LITERAL("ann"), SLICE_LITERAL("\"ann\""));
    room_backlog *backlog = room_backlog_new(ann);
    assert_non_null(backlog);
    assert_ptr_equal(backlog->owner, ann);
    assert_false(backlog->is_owner_lost);
    assert_int_equal(backlog->signals.count, 0);
    room_backlog_free(backlog);
    end(r, ann);
    room_free(r);
}

/* A server holds as many of these as it has calls: a change here is one to decide, not to discover. */
static void a_call_for_two_stays_small(void **state)
{
    (void)state;
    assert_true(offsetof(room_member, user_bytes) <= 41);
    assert_true(offsetof(room, name_bytes) <= 106);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(freeing_nothing_is_legal),
        cmocka_unit_test(an_empty_room_has_its_name_and_nobody),
        cmocka_unit_test(a_member_has_the_names_of_its_room_and_its_own_in_both_forms),
        cmocka_unit_test(users_are_found_by_their_whole_name),
        cmocka_unit_test(a_waiter_is_found_apart_from_the_members),
        cmocka_unit_test(members_and_waiters_stand_in_the_order_of_their_coming_whoever_goes),
        cmocka_unit_test(a_new_backlog_is_empty_and_its_owner_is_there),
        cmocka_unit_test(a_call_for_two_stays_small),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
