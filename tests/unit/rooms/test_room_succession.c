#include "unit/rooms/rooms_fixture.h"

#include "rooms/room_manager_parts.h"

#include <errno.h>

static int succeed(peer *old, peer *successor, const char *user, room_news_kind why)
{
    const room_join request = request_of(successor, user);
    return room_manager_succeed(old->f->manager, &old->room, &successor->room, &request, why);
}

/* ---- Places ---- */

static void a_place_passes_on_in_a_full_room_and_before_all_who_wait(void **state)
{
    (void)state;
    fixture f;
    open_rooms_for(&f, 2);
    peer a = peer_make(&f, &version_2, "a"), b = peer_make(&f, &version_2, "b");
    peer c = peer_make(&f, &version_1, "c"), d = peer_make(&f, &version_2, "d");
    enter(&a, "anna");
    enter(&b, "bert");
    pass(&f, 10);
    wait_for(&c, "carl");
    journal_clear(&f.journal);
    assert_int_equal(succeed(&b, &d, "dora", ROOM_NEWS_REPLACED), 0);
    assert_null(b.room.member);
    assert_int_equal(room_member_order(d.room.member), 3);
    expect(&f, "tell a bert#2 v2 replaced\nenter d: anna#1 dora#3\ntell a dora#3 v2 joined\n");
    answer(&a); /* the successor has just shown that it is there */
    expect(&f, "refuse c\n");
    close_rooms(&f);
}

static void the_successor_answers_for_the_last_who_owed_it(void **state)
{
    (void)state;
    fixture f;
    open_rooms_for(&f, 1);
    peer a = peer_make(&f, &version_2, "a"), b = peer_make(&f, &version_2, "b");
    peer c = peer_make(&f, &version_1, "c");
    enter(&a, "anna");
    pass(&f, 10);
    wait_for(&c, "carl");
    journal_clear(&f.journal);
    assert_int_equal(succeed(&a, &b, "anna", ROOM_NEWS_LOST), 0);
    expect(&f, "enter b: anna#2\nrefuse c\n");
    close_rooms(&f);
}

static void the_queue_does_not_pass_on(void **state)
{
    (void)state;
    fixture f;
    open_rooms_for(&f, 2);
    peer a = peer_make(&f, &version_2, "a"), b = peer_make(&f, &version_2, "b");
    enter(&a, "anna");
    say(&a, OFFER, "x");
    assert_int_equal(succeed(&a, &b, "anna", ROOM_NEWS_LOST), 0);
    say(&b, OFFER, "y");
    assert_int_equal(succeed(&b, &b, "anna", ROOM_NEWS_REPLACED), 0); /* to the same peer */
    expect(&f, "enter a: anna#1\nqueued 1 of anna\ndropped 1 of anna (sender lost)\nenter b: anna#2\n"
               "queued 1 of anna\ndropped 1 of anna (sender left)\nenter b: anna#3\n");
    const room_counts counts = room_manager_counts(f.manager);
    assert_int_equal(counts.members, 1);
    assert_int_equal(counts.pending_messages, 0);
    close_rooms(&f);
}

/* ---- Numbers and ids ---- */

static void a_number_is_never_given_again_in_the_life_of_a_room(void **state)
{
    (void)state;
    fixture f;
    open_rooms_for(&f, 3);
    peer a = peer_make(&f, &version_1, "a"), b = peer_make(&f, &version_1, "b");
    peer c = peer_make(&f, &version_1, "c");
    enter(&a, "anna");
    enter(&b, "bert");
    leave(&b);
    enter(&b, "bert");
    assert_int_equal(room_member_order(b.room.member), 3);
    enter(&c, "anna"); /* a takeover */
    assert_int_equal(room_member_order(c.room.member), 4);
    assert_ptr_equal(room_member_next(c.room.member, NULL), b.room.member); /* the lowest number first */
    assert_ptr_equal(room_member_next(c.room.member, b.room.member), c.room.member);
    assert_null(room_member_next(c.room.member, c.room.member));
    expect(&f, "replace a\n");
    leave(&b);
    leave(&c);
    enter(&a, "anna"); /* another life */
    assert_int_equal(room_member_order(a.room.member), 1);
    close_rooms(&f);
}

static void a_room_that_has_no_number_left_lets_nobody_in(void **state)
{
    (void)state;
    fixture f;
    open_rooms_for(&f, 3);
    peer a = peer_make(&f, &version_1, "a"), b = peer_make(&f, &version_2, "b");
    peer c = peer_make(&f, &version_1, "c"), d = peer_make(&f, &version_2, "d");
    enter(&a, "anna");
    room_table_first(&f.manager->rooms)->last_order = ROOM_LAST_ORDER - 1;
    enter(&b, "bert");
    assert_int_equal(room_member_order(b.room.member), ROOM_LAST_ORDER);
    journal_clear(&f.journal);
    const room_join request = request_of(&c, "anna");
    assert_int_equal(room_manager_join(f.manager, &c.room, &request), ROOM_FULL);
    assert_int_equal(succeed(&b, &d, "dora", ROOM_NEWS_LOST), -ENOSPC);
    assert_true(room_peer_is_joined(&a.room) && room_peer_is_joined(&b.room));
    pass(&f, 10);
    wait_for(&c, "carl");
    answer(&a);
    answer(&b);
    expect(&f, "probe a\nprobe b\nrefuse c\n");
    close_rooms(&f);
}

static void write_id(const peer *p, char out[ROOM_PEER_ID_LEN + 1])
{
    room_member_write_id(p->room.member, out);
    out[ROOM_PEER_ID_LEN] = '\0';
    for (int i = 0; i < ROOM_PEER_ID_LEN; i++)
        assert_non_null(strchr("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_", out[i]));
}

static void members_are_found_by_their_ids_and_by_nothing_else(void **state)
{
    (void)state;
    fixture f;
    open_rooms_for(&f, 2);
    peer a = peer_make(&f, &version_1, "a"), b = peer_make(&f, &version_1, "b");
    peer c = peer_make(&f, &session_kind, "c");
    enter(&a, "anna");
    enter(&b, "bert");
    enter(&c, "");
    char of_a[ROOM_PEER_ID_LEN + 1], of_b[ROOM_PEER_ID_LEN + 1], of_c[ROOM_PEER_ID_LEN + 1];
    write_id(&a, of_a);
    write_id(&b, of_b);
    write_id(&c, of_c);
    const room_member *me = a.room.member;
    assert_ptr_equal(room_manager_find_peer(me, slice_of_text(of_a)), me);
    assert_ptr_equal(room_manager_find_peer(me, slice_of_text(of_b)), b.room.member);
    assert_null(room_manager_find_peer(me, slice_of_text(of_c))); /* of another room */
    assert_null(room_manager_find_peer(me, (slice){of_b, ROOM_PEER_ID_LEN - 1}));
    assert_null(room_manager_find_peer(me, SLICE_LITERAL("")));
    assert_memory_equal(of_a, of_b, 5); /* what the room has drawn */
    assert_memory_not_equal(of_a, of_c, 5);
    leave(&b);
    assert_null(room_manager_find_peer(me, slice_of_text(of_b)));
    leave(&a);
    enter(&a, "anna");
    write_id(&a, of_b);
    assert_string_not_equal(of_a, of_b); /* another life of the room */
    close_rooms(&f);
}

/* ---- Signals that come back ---- */

static bool requeue(const peer *of_room, uint32_t order, const char *text)
{
    const struct iovec body = body_of(text);
    const room_signal signal = {.kind = OFFER, .count = 1, .parts = &body};
    return room_manager_requeue(of_room->f->manager, of_room->room.member, order, &signal,
                                of_room->f->now_ms);
}

static void what_was_not_taken_goes_back_to_the_queue_of_one_who_is_alone_now(void **state)
{
    (void)state;
    fixture f;
    open_rooms_for(&f, 2);
    peer a = peer_make(&f, &version_1, "a"), b = peer_make(&f, &version_2, "b");
    peer c = peer_make(&f, &version_1, "c");
    enter(&a, "anna");
    enter(&b, "bert");
    assert_false(requeue(&a, 1, "x")); /* somebody is there */
    leave_with(&b, ROOM_NEWS_LOST, "");
    expect(&f, "enter b: anna#1 bert#2\n");
    assert_true(requeue(&a, 1, "x"));
    assert_true(requeue(&a, 1, "y"));
    assert_false(requeue(&a, 2, "z")); /* the sender is gone */
    assert_false(requeue(&a, 1, "what is more than a queue holds"));
    expect(&f, "queued 1 of anna\nqueued 1 of anna\nrefused 1 of anna (room queue is full)\n");
    enter(&c, "carl");
    expect(&f, "send c anna#1:x\nsend c anna#1:y\n");
    close_rooms(&f);
}

static void nothing_goes_back_to_one_of_version_2(void **state)
{
    (void)state;
    fixture f;
    open_rooms_for(&f, 2);
    peer a = peer_make(&f, &version_2, "a");
    enter(&a, "anna");
    assert_false(requeue(&a, 1, "x"));
    expect(&f, "enter a: anna#1\n");
    close_rooms(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_place_passes_on_in_a_full_room_and_before_all_who_wait),
        cmocka_unit_test(the_successor_answers_for_the_last_who_owed_it),
        cmocka_unit_test(the_queue_does_not_pass_on),
        cmocka_unit_test(a_number_is_never_given_again_in_the_life_of_a_room),
        cmocka_unit_test(a_room_that_has_no_number_left_lets_nobody_in),
        cmocka_unit_test(members_are_found_by_their_ids_and_by_nothing_else),
        cmocka_unit_test(what_was_not_taken_goes_back_to_the_queue_of_one_who_is_alone_now),
        cmocka_unit_test(nothing_goes_back_to_one_of_version_2),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
