/* Which events of rooms the server around a RoomManager is told of, and in which order with everything else.
 */
#include "rooms_fixture.h"

static void on_event(void *context, const room_event *event)
{
    static const char *const kinds[] = {"opened", "joined", "left", "freed"};
    static const char *const reasons[] = {
        [ROOM_NEWS_LEFT] = " left", [ROOM_NEWS_LOST] = " lost", [ROOM_NEWS_REPLACED] = " replaced"};
    fixture *f = context;
    bool is_of_member = event->kind == ROOM_EVENT_JOINED || event->kind == ROOM_EVENT_LEFT;
    assert_true(slice_equals(event->room, SLICE_LITERAL("kitchen")));
    assert_int_equal(event->id.len, is_of_member ? ROOM_PEER_ID_LEN : 0);
    note(f, "event %s", kinds[event->kind]);
    if (is_of_member)
        note(f, " %.*s %s", (int)event->user.len, event->user.data,
             event->peer == NULL ? "nobody" : ((const peer *)event->peer)->name);
    note(f, " of %u%s%s\n", event->members, event->space == ROOM_SPACE_SESSIONS ? " session" : "",
         event->kind == ROOM_EVENT_LEFT ? reasons[event->why] : "");
}

static void a_room_is_opened_before_its_first_member_and_freed_after_its_last(void **state)
{
    (void)state;
    fixture f;
    open_rooms_with(&f, 2, on_event);
    peer a = peer_make(&f, &version_1, "a"), b = peer_make(&f, &version_2, "b");
    enter(&a, "anna");
    expect(&f, "event opened of 0\nevent joined anna a of 1\n");
    enter(&b, "");
    expect(&f, "enter b: anna#1 #2\nevent joined  b of 2\n");
    leave(&a);
    expect(&f, "tell b anna#1 v1 left\nevent left anna a of 1 left\n");
    lose(&b);
    expect(&f, "event left  b of 0 lost\nevent freed of 0\n");
    close_rooms(&f);
}

static void who_waits_has_joined_when_it_is_let_in(void **state)
{
    (void)state;
    fixture f;
    open_rooms_with(&f, 1, on_event);
    peer a = peer_make(&f, &version_1, "a"), b = peer_make(&f, &version_1, "b");
    peer c = peer_make(&f, &version_1, "c");
    enter(&a, "anna");
    wait_for(&b, "boris");
    wait_for(&c, "carl");
    expect(&f, "event opened of 0\nevent joined anna a of 1\nprobe a\n");
    leave(&c); /* of the line: nobody knows of it */
    pass(&f, PROBE_MS);
    expect(&f, "event left anna a of 0 lost\ndrop a\nadmit b\nevent joined boris b of 1\n");
    leave(&b);
    expect(&f, "event left boris b of 0 left\nevent freed of 0\n");
    close_rooms(&f);
}

static void a_place_that_passes_on_is_one_who_left_and_one_who_joined(void **state)
{
    (void)state;
    fixture f;
    open_rooms_with(&f, 2, on_event);
    peer a = peer_make(&f, &version_1, "a"), again = peer_make(&f, &version_1, "again");
    enter(&a, "anna");
    enter(&again, "anna");
    expect(&f, "event opened of 0\nevent joined anna a of 1\n"
               "event left anna a of 0 replaced\nevent joined anna again of 1\nreplace a\n");
    leave(&again);
    expect(&f, "event left anna again of 0 left\nevent freed of 0\n");
    close_rooms(&f);
}

static void a_room_lives_on_as_long_as_its_queue(void **state)
{
    (void)state;
    fixture f;
    open_rooms_with(&f, 2, on_event);
    peer a = peer_make(&f, &version_1, "a");
    enter(&a, "anna");
    say(&a, OFFER, "x");
    lose(&a);
    expect(&f,
           "event opened of 0\nevent joined anna a of 1\nqueued 1 of anna\nevent left anna a of 0 lost\n");
    pass(&f, TTL_MS);
    expect(&f, "dropped 1 of anna (expired)\nevent freed of 0\n");
    close_rooms(&f);
}

/* The peers may be gone by then. */
static void what_is_left_at_the_end_is_told_of_without_its_peers(void **state)
{
    (void)state;
    fixture f;
    open_rooms_with(&f, 2, on_event);
    peer a = peer_make(&f, &session_kind, "a");
    enter(&a, "");
    expect(&f, "event opened of 0 session\nevent joined  a of 1 session\n");
    room_manager_free(f.manager);
    expect(&f, "event left  nobody of 0 session lost\nevent freed of 0 session\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_room_is_opened_before_its_first_member_and_freed_after_its_last),
        cmocka_unit_test(who_waits_has_joined_when_it_is_let_in),
        cmocka_unit_test(a_place_that_passes_on_is_one_who_left_and_one_who_joined),
        cmocka_unit_test(a_room_lives_on_as_long_as_its_queue),
        cmocka_unit_test(what_is_left_at_the_end_is_told_of_without_its_peers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
