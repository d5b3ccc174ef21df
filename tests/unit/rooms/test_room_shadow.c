#include "rooms/room_shadow.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void a_shadow_waits_and_is_in_the_room_then(void **state)
{
    (void)state;
    static const room_peer_face face = {.version = 1};
    room_peer peer = {.face = &face};
    const room_join names = {.space = ROOM_SPACE_ROOMS,
                             .room = SLICE_LITERAL("a \"room\""),
                             .room_json = SLICE_LITERAL("\"a \\\"room\\\"\""),
                             .user = SLICE_LITERAL("ann"),
                             .user_json = SLICE_LITERAL("\"ann\"")};
    room_member *shadow = room_shadow_new(&peer, &names);
    assert_non_null(shadow);
    assert_null(peer.member); /* that is for who holds it */
    assert_ptr_equal(room_member_peer(shadow), &peer);
    assert_true(room_member_is_waiting(shadow));
    assert_false(room_member_has_company(shadow));
    assert_true(slice_equals(room_member_room(shadow), names.room));
    assert_true(slice_equals(room_member_room_json(shadow), names.room_json));
    assert_true(slice_equals(room_member_user(shadow), names.user));
    assert_true(slice_equals(room_member_user_json(shadow), names.user_json));

    room_shadow_enter(shadow);
    assert_false(room_member_is_waiting(shadow));
    assert_true(room_member_has_company(shadow));
    room_shadow_free(shadow);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(a_shadow_waits_and_is_in_the_room_then)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
