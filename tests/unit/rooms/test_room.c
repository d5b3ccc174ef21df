#include "rooms/room.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdbool.h>

static bool same(slice got, const char *expected)
{
    return slice_equals(got, (slice){expected, strlen(expected)});
}

static room_member *enter(room *r, slice user, slice user_json)
{
    room_member *member = room_member_new(r, NULL, user, user_json);
    assert_non_null(member);
    TAILQ_INSERT_TAIL(&r->members, member, link);
    return member;
}

static void end(room *r, room_member *member)
{
    TAILQ_REMOVE(&r->members, member, link);
    room_member_free(member);
}

static void freeing_nothing_is_legal(void **state)
{
    (void)state;
    room_free(NULL);
    room_member_free(NULL);
    room_waiter_free(NULL);
}

static void an_empty_room_has_its_name_and_nobody(void **state)
{
    (void)state;
    room *r = room_new(SLICE_LITERAL("a\nb"), SLICE_LITERAL("\"a\\nb\""));
    assert_non_null(r);
    assert_true(same(room_name(r), "a\nb"));
    assert_null(room_find_member(r, SLICE_LITERAL("alice")));
    assert_null(room_find_waiter(r, SLICE_LITERAL("alice")));
    assert_int_equal(r->member_count, 0);
    room_free(r);
}

static void a_member_has_the_names_of_its_room_and_its_own_in_both_forms(void **state)
{
    (void)state;
    room *r = room_new(SLICE_LITERAL("kitchen"), SLICE_LITERAL("\"kitchen\""));
    room_member *member = enter(r, SLICE_LITERAL("o\"hara"), SLICE_LITERAL("\"o\\\"hara\""));
    assert_true(same(room_member_room(member), "kitchen"));
    assert_true(same(room_member_room_json(member), "\"kitchen\""));
    assert_true(same(room_member_user(member), "o\"hara"));
    assert_true(same(room_member_user_json(member), "\"o\\\"hara\""));
    end(r, member);
    room_free(r);
}

static void users_are_found_by_their_whole_name(void **state)
{
    (void)state;
    room *r = room_new(SLICE_LITERAL("r"), SLICE_LITERAL("\"r\""));
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

static void a_waiter_is_found_apart_from_the_members_and_has_them_probed(void **state)
{
    (void)state;
    room *r = room_new(SLICE_LITERAL("r"), SLICE_LITERAL("\"r\""));
    room_member *ann = enter(r, SLICE_LITERAL("ann"), SLICE_LITERAL("\"ann\""));
    room_waiter *waiter =
        room_waiter_new(room_member_new(r, NULL, SLICE_LITERAL("bob"), SLICE_LITERAL("\"bob\"")), 77);
    assert_non_null(waiter);
    assert_int_equal(waiter->since_ms, 77);
    TAILQ_INSERT_TAIL(&r->waiters, waiter, line);

    assert_ptr_equal(room_find_waiter(r, SLICE_LITERAL("bob")), waiter);
    assert_null(room_find_member(r, SLICE_LITERAL("bob")));
    assert_null(room_find_waiter(r, SLICE_LITERAL("ann")));

    TAILQ_REMOVE(&r->waiters, waiter, line);
    room_waiter_free(waiter); /* and the member in it */
    end(r, ann);
    room_free(r);
}

/* A server holds as many of these as it has calls: a change here is one to decide, not to discover. */
static void a_call_for_two_stays_small(void **state)
{
    (void)state;
    assert_true(sizeof(room_member) <= 64);
    assert_true(sizeof(room) <= 160);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(freeing_nothing_is_legal),
        cmocka_unit_test(an_empty_room_has_its_name_and_nobody),
        cmocka_unit_test(a_member_has_the_names_of_its_room_and_its_own_in_both_forms),
        cmocka_unit_test(users_are_found_by_their_whole_name),
        cmocka_unit_test(a_waiter_is_found_apart_from_the_members_and_has_them_probed),
        cmocka_unit_test(a_call_for_two_stays_small),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
