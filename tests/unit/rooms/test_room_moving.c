/* Rooms that move: what is told of one that is frozen, and what becomes of it where another one is. */
#include "rooms/room_moving.h"

#include "unit/rooms/rooms_fixture.h"

#include <stdlib.h>

#define KITCHEN SLICE_LITERAL("kitchen")

/* ---- Out ---- */

static void note_place(void *context, const room_member *member, room_place place, uint64_t time_left_ms)
{
    static const char *const places[] = {"member", "line", "lost"};
    fixture *f = context;
    note(f, "%s ", places[place]);
    note_member(f, member);
    if (place == ROOM_PLACE_LOST)
        note(f, " %u ms", (unsigned)time_left_ms);
    note(f, "\n");
}

static void note_queued(void *context, int kind, slice body, uint64_t waited_ms)
{
    note((fixture *)context, "queued %d %.*s for %u ms\n", kind, (int)body.len, body.data,
         (unsigned)waited_ms);
}

static void freeze(fixture *f)
{
    assert_int_equal(room_manager_freeze(f->manager, ROOM_SPACE_ROOMS, KITCHEN), 0);
}

static void thaw(fixture *f)
{
    room_manager_thaw(f->manager, ROOM_SPACE_ROOMS, KITCHEN, f->now_ms);
}

static void discard(fixture *f)
{
    room_manager_discard(f->manager, ROOM_SPACE_ROOMS, KITCHEN);
}

static void tell(fixture *f)
{
    const room_export to = {.on_place = note_place, .on_queued = note_queued, .context = f};
    room_manager_export(f->manager, ROOM_SPACE_ROOMS, KITCHEN, f->now_ms, &to);
}

static void all_that_is_in_a_room_is_told(void **state)
{
    (void)state;
    fixture f;
    open_rooms_for(&f, 1);
    peer a = peer_make(&f, &version_1, "a"), b = peer_make(&f, &version_1, "b");
    enter(&a, "anna");
    say(&a, OFFER, "x");
    pass(&f, 5);
    say(&a, OFFER, "y");
    pass(&f, 5);
    wait_for(&b, "bert");
    journal_clear(&f.journal);
    freeze(&f);
    tell(&f);
    expect(&f, "member anna#1\nqueued 1 x for 10 ms\nqueued 1 y for 5 ms\nline bert#0\n");
    const room_life life = room_manager_frozen_life(f.manager, ROOM_SPACE_ROOMS, KITCHEN);
    assert_int_equal(life.last_order, 1);
    discard(&f);
    assert_null(a.room.member);
    assert_null(b.room.member);
    const room_counts counts = room_manager_counts(f.manager);
    assert_int_equal(counts.rooms + counts.members + counts.waiters + counts.pending_messages, 0);
    assert_int_equal(counts.pending_bytes, 0);
    assert_int_equal(f.reserved, 0);
    assert_int_equal(room_manager_next_due_ms(f.manager), UINT64_MAX);
    close_rooms(&f);
}

static void a_lost_owner_is_told_with_its_time(void **state)
{
    (void)state;
    fixture f;
    open_rooms_for(&f, 2);
    peer a = peer_make(&f, &version_1, "a");
    enter(&a, "anna");
    say(&a, OFFER, "x");
    lose(&a);
    pass(&f, 1000);
    journal_clear(&f.journal);
    freeze(&f);
    tell(&f);
    expect(&f, "lost anna#1 119000 ms\nqueued 1 x for 1000 ms\n");
    discard(&f);
    assert_false(room_manager_has_room(f.manager, ROOM_SPACE_ROOMS, KITCHEN));
    assert_int_equal(room_manager_next_due_ms(f.manager), UINT64_MAX);
    close_rooms(&f);
}

static void there_is_no_room_to_freeze(void **state)
{
    (void)state;
    fixture f;
    open_rooms_for(&f, 2);
    assert_int_equal(room_manager_freeze(f.manager, ROOM_SPACE_ROOMS, KITCHEN), -2 /* ENOENT */);
    close_rooms(&f);
}

static void no_time_passes_for_a_frozen_room(void **state)
{
    (void)state;
    fixture f;
    open_rooms_for(&f, 1);
    peer a = peer_make(&f, &version_1, "a"), b = peer_make(&f, &version_1, "b");
    enter(&a, "anna");
    pass(&f, 1500);
    wait_for(&b, "bert");
    journal_clear(&f.journal);
    freeze(&f);
    assert_int_equal(room_manager_next_due_ms(f.manager), UINT64_MAX);
    pass(&f, PROBE_MS);
    expect(&f, "");
    thaw(&f);
    pass(&f, PROBE_MS - 1);
    expect(&f, "");
    pass(&f, 1); /* the wait has begun anew */
    expect(&f, "drop a\nadmit b\n");
    leave(&b);
    close_rooms(&f);
}

static void queues_lapse_in_order_after_a_thaw(void **state)
{
    (void)state;
    fixture f;
    open_rooms_for(&f, 2);
    peer a = peer_make(&f, &version_1, "a"), b = peer_make(&f, &version_1, "b");
    enter(&a, "anna");
    say(&a, OFFER, "x");
    lose(&a);
    pass(&f, 1000);
    room_join request = request_of(&b, "bert");
    request.room = SLICE_LITERAL("hall");
    assert_int_equal(room_manager_join(f.manager, &b.room, &request), ROOM_JOINED);
    say(&b, OFFER, "y");
    lose(&b);
    journal_clear(&f.journal);
    freeze(&f);
    pass(&f, 1000);
    thaw(&f); /* it is the first again */
    pass(&f, TTL_MS - 2000);
    expect(&f, "dropped 1 of anna (expired)\n");
    pass(&f, 1000);
    expect(&f, "dropped 1 of bert (expired)\n");
    close_rooms(&f);
}

/* ---- In ---- */

/* Who has the later name in the alphabet has joined later. */
static bool is_younger(void *context, const room_peer *a, const room_peer *b)
{
    (void)context;
    return ((const peer *)a)->name[0] > ((const peer *)b)->name[0];
}

static void on_demoted(void *context, room_peer *p)
{
    note((fixture *)context, "demote %s\n", peer_of(p)->name);
}

static room_import begin(fixture *f)
{
    room_import import = {.space = ROOM_SPACE_ROOMS,
                          .room = KITCHEN,
                          .life = {.id_base = 99, .last_order = 7},
                          .now_ms = f->now_ms,
                          .is_younger = is_younger,
                          .on_demoted = on_demoted,
                          .context = f};
    assert_int_equal(room_manager_import_begin(f->manager, &import), 0);
    return import;
}

static void bring(room_import *import, peer *p, const char *user, uint32_t order, bool has_waited)
{
    const room_arrival arrival = {
        .peer = &p->room, .user = slice_of_text(user), .has_waited = has_waited, .order = order};
    assert_int_equal(room_manager_import_member(p->f->manager, import, &arrival), 0);
}

static void bring_queue(fixture *f, room_import *import, peer *owner, const char *user, const char *text)
{
    const room_queued signals[] = {{.kind = OFFER, .body = slice_of_text(text), .waited_ms = 50}};
    const room_import_queue queue = {.owner = owner == NULL ? NULL : &owner->room,
                                     .user = slice_of_text(user),
                                     .time_left_ms = 1000,
                                     .signals = signals,
                                     .count = 1};
    assert_int_equal(room_manager_import_queue(f->manager, import, &queue), 0);
}

static void finish(fixture *f, room_import *import)
{
    room_manager_import_end(f->manager, import);
}

static void a_room_that_is_not_there_is_as_it_was(void **state)
{
    (void)state;
    fixture f;
    open_rooms_for(&f, 2);
    peer a = peer_make(&f, &version_2, "a"), b = peer_make(&f, &version_2, "b");
    peer c = peer_make(&f, &version_2, "c");
    room_import import = begin(&f);
    bring(&import, &a, "anna", 3, false);
    bring(&import, &b, "bert", 6, false);
    bring(&import, &c, "carl", 0, true);
    finish(&f, &import);
    expect(&f, "probe a\nprobe b\n"); /* nobody is told anything, but c waits */
    assert_int_equal(room_member_order(a.room.member), 3);
    assert_int_equal(room_member_order(b.room.member), 6);
    char id[ROOM_PEER_ID_LEN];
    room_member_write_id(a.room.member, id);
    assert_memory_equal(id, "AAAAYwAAAAM", ROOM_PEER_ID_LEN); /* 99 and 3 */
    leave(&a);
    expect(&f,
           "tell b anna#3 v2 left\nadmit c\nenter c: bert#6 carl#8\ntell b carl#8 v2 joined\n"); /* no number
                                                                                                    again */
    leave(&b);
    leave(&c);
    journal_clear(&f.journal);
    close_rooms(&f);
}

static void numbers_that_are_none_are_not_believed(void **state)
{
    (void)state;
    fixture f;
    open_rooms_for(&f, 4);
    peer a = peer_make(&f, &version_1, "a"), b = peer_make(&f, &version_1, "b"),
         c = peer_make(&f, &version_1, "c");
    room_import import = begin(&f);
    import.life.last_order = 0;
    bring(&import, &a, "anna", 5, false);
    bring(&import, &b, "bert", 5, false);
    bring(&import, &c, "carl", UINT32_MAX, false);
    finish(&f, &import);
    assert_int_equal(room_member_order(a.room.member), 5);
    assert_int_equal(room_member_order(b.room.member), 6);
    assert_int_equal(room_member_order(c.room.member), 7);
    leave(&a);
    leave(&b);
    leave(&c);
    close_rooms(&f);
}

static void two_rooms_become_one(void **state)
{
    (void)state;
    fixture f;
    open_rooms_for(&f, 2);
    peer a = peer_make(&f, &version_2, "a"), b = peer_make(&f, &version_2, "b");
    enter(&a, "anna");
    journal_clear(&f.journal);
    room_import import = begin(&f);
    bring(&import, &b, "bert", 1, false);
    finish(&f, &import);
    expect(&f, "enter b: anna#1 bert#2\ntell a bert#2 v2 joined\n");
    leave(&a);
    leave(&b);
    journal_clear(&f.journal);
    close_rooms(&f);
}

static void who_joined_first_keeps_its_place(void **state)
{
    (void)state;
    fixture f;
    open_rooms_for(&f, 2);
    peer a = peer_make(&f, &version_1, "a"), b = peer_make(&f, &version_1, "b");
    peer c = peer_make(&f, &version_1, "c"), d = peer_make(&f, &version_1, "d");
    enter(&b, "bert");
    enter(&c, "carl");
    pass(&f, 5000);
    journal_clear(&f.journal);
    room_import import = begin(&f);
    bring(&import, &a, "anna", 1, false);
    bring(&import, &d, "dora", 2, false);
    finish(&f, &import);
    expect(&f, "demote c\nprobe b\nprobe a\n");
    assert_true(room_peer_is_joined(&a.room) && room_peer_is_joined(&b.room));
    assert_true(room_peer_is_waiting(&c.room) && room_peer_is_waiting(&d.room));
    answer(&a);
    answer(&b);
    expect(&f, "refuse c\nrefuse d\n");
    leave(&a);
    leave(&b);
    close_rooms(&f);
}

static void of_the_same_user_the_younger_stays(void **state)
{
    (void)state;
    for (int is_newer = 0; is_newer < 2; is_newer++) {
        fixture f;
        open_rooms_for(&f, 2);
        peer there = peer_make(&f, &version_1, is_newer ? "a" : "b");
        peer comes = peer_make(&f, &version_1, is_newer ? "b" : "a");
        enter(&there, "anna");
        room_import import = begin(&f);
        bring(&import, &comes, "anna", 1, false);
        finish(&f, &import);
        expect(&f, "replace a\n");
        assert_true(room_peer_is_joined(is_newer ? &comes.room : &there.room));
        assert_null(is_newer ? there.room.member : comes.room.member);
        leave(is_newer ? &comes : &there);
        close_rooms(&f);
    }
}

static void one_of_a_user_that_waits_and_is_a_member_gets_the_place(void **state)
{
    (void)state;
    for (int is_newer = 0; is_newer < 2; is_newer++) {
        fixture f;
        open_rooms_for(&f, 1);
        peer first = peer_make(&f, &version_1, "x");
        peer waits = peer_make(&f, &version_1, is_newer ? "b" : "c");
        peer comes = peer_make(&f, &version_1, is_newer ? "c" : "b");
        enter(&first, "xena");
        pass(&f, 5000);
        wait_for(&waits, "anna");
        journal_clear(&f.journal);
        room_import import = begin(&f);
        bring(&import, &comes, "anna", 1, false);
        finish(&f, &import);
        expect(&f, is_newer ? "replace b\ndemote x\nprobe c\n" : "replace b\nadmit c\ndemote x\nprobe c\n");
        peer *stays = is_newer ? &comes : &waits;
        assert_true(room_peer_is_joined(&stays->room));
        leave(stays);
        expect(&f, "admit x\n");
        leave(&first);
        close_rooms(&f);
    }
}

static void a_queue_goes_to_who_is_there(void **state)
{
    (void)state;
    fixture f;
    open_rooms_for(&f, 3);
    peer a = peer_make(&f, &version_1, "a"), b = peer_make(&f, &version_1, "b");
    enter(&a, "anna");
    say(&a, OFFER, "mine");
    journal_clear(&f.journal);
    room_import import = begin(&f);
    bring(&import, &b, "bert", 1, false);
    bring_queue(&f, &import, &b, "bert", "his");
    finish(&f, &import);
    expect(&f, "send b anna#1:mine\nsend a bert#2:his\n");
    leave(&a);
    leave(&b);
    close_rooms(&f);
}

static void a_queue_stays_one_where_its_owner_is_alone(void **state)
{
    (void)state;
    fixture f;
    open_rooms_for(&f, 2);
    peer a = peer_make(&f, &version_1, "a"), b = peer_make(&f, &version_1, "b");
    room_import import = begin(&f);
    bring(&import, &a, "anna", 1, false);
    bring_queue(&f, &import, &a, "anna", "x");
    finish(&f, &import);
    expect(&f, "");
    assert_int_equal(room_manager_counts(f.manager).pending_messages, 1);
    enter(&b, "bert");
    expect(&f, "send b anna#1:x\n");
    leave(&a);
    leave(&b);
    close_rooms(&f);
}

static void the_queue_of_a_lost_owner_keeps_its_time(void **state)
{
    (void)state;
    fixture f;
    open_rooms_for(&f, 2);
    room_import import = begin(&f);
    bring_queue(&f, &import, NULL, "anna", "x");
    finish(&f, &import);
    assert_int_equal(room_manager_next_due_ms(f.manager), f.now_ms + 1000);
    pass(&f, 1000);
    expect(&f, "dropped 1 of anna (expired)\n");
    close_rooms(&f);
}

static void a_lost_owner_that_is_back_has_its_queue_again_in_order(void **state)
{
    (void)state;
    fixture f;
    open_rooms_for(&f, 2);
    peer a = peer_make(&f, &version_1, "a"), b = peer_make(&f, &version_1, "b");
    enter(&a, "anna");
    say(&a, OFFER, "new"); /* 50 ms after the other one */
    room_import import = begin(&f);
    bring_queue(&f, &import, NULL, "anna", "old");
    finish(&f, &import);
    journal_clear(&f.journal);
    enter(&b, "bert");
    expect(&f, "send b anna#1:old\nsend b anna#1:new\n");
    leave(&a);
    leave(&b);
    close_rooms(&f);
}

static void a_queue_of_a_lost_owner_goes_to_who_is_there(void **state)
{
    (void)state;
    fixture f;
    open_rooms_for(&f, 2);
    peer a = peer_make(&f, &version_1, "a"), b = peer_make(&f, &version_1, "b");
    enter(&a, "anna");
    enter(&b, "bert");
    room_import import = begin(&f);
    bring_queue(&f, &import, NULL, "anna", "x");
    finish(&f, &import);
    expect(&f, "send b anna#3:x\n"); /* not to herself; the lost owner has a number of its own */
    leave(&a);
    leave(&b);
    close_rooms(&f);
}

static void of_two_lost_owners_one_queue_stays(void **state)
{
    (void)state;
    fixture f;
    open_rooms_for(&f, 2);
    peer a = peer_make(&f, &version_1, "a");
    enter(&a, "anna");
    say(&a, OFFER, "x");
    lose(&a);
    journal_clear(&f.journal);
    room_import import = begin(&f);
    bring_queue(&f, &import, NULL, "bert", "y");
    finish(&f, &import);
    expect(&f, "dropped 1 of bert (rooms were merged)\n");
    assert_int_equal(room_manager_counts(f.manager).pending_messages, 1);
    pass(&f, TTL_MS);
    expect(&f, "dropped 1 of anna (expired)\n");
    close_rooms(&f);
}

static void who_gets_no_place_loses_its_queue(void **state)
{
    (void)state;
    fixture f;
    open_rooms_for(&f, 1);
    peer a = peer_make(&f, &version_1, "a"), b = peer_make(&f, &version_1, "b"),
         c = peer_make(&f, &version_1, "c");
    enter(&b, "bert");
    say(&b, OFFER, "x");
    pass(&f, 5000);
    journal_clear(&f.journal);
    room_import import = begin(&f);
    bring(&import, &c, "carl", 1, false);
    bring_queue(&f, &import, &c, "carl", "y");
    finish(&f, &import);
    expect(&f, "probe b\ndropped 1 of carl (rooms were merged)\n");
    import = begin(&f);
    bring(&import, &a, "anna", 1, false);
    finish(&f, &import);
    expect(&f, "dropped 1 of bert (rooms were merged)\ndemote b\nprobe a\n");
    leave(&a);
    expect(&f, "admit c\nrefuse b\n"); /* who is let in has just shown that it is there */
    leave(&c);
    close_rooms(&f);
}

static void what_does_not_fit_in_the_queue_is_refused(void **state)
{
    (void)state;
    fixture f;
    open_rooms_for(&f, 2);
    peer a = peer_make(&f, &version_1, "a");
    room_import import = begin(&f);
    bring(&import, &a, "anna", 1, false);
    bring_queue(&f, &import, &a, "anna", "much too long for a queue");
    finish(&f, &import);
    expect(&f, "refused 1 of anna (room queue is full)\n");
    assert_int_equal(room_manager_counts(f.manager).pending_messages, 0);
    leave(&a);
    close_rooms(&f);
}

/* ---- Doubt ---- */

static bool yes(const room_peer *p)
{
    (void)p;
    return true;
}

static void while_a_member_is_in_doubt_who_waits_goes_on_waiting(void **state)
{
    (void)state;
    fixture f;
    open_rooms_for(&f, 2);
    room_peer_face doubtful = version_1;
    doubtful.is_in_doubt = yes;
    room_peer_face known = version_1;
    peer a = peer_make(&f, &doubtful, "a"), b = peer_make(&f, &known, "b"), c = peer_make(&f, &known, "c");
    enter(&a, "anna");
    enter(&b, "bert");
    pass(&f, 5000);
    wait_for(&c, "carl");
    answer(&b);
    expect(&f, "probe a\nprobe b\n"); /* not refused, though all who can be asked have answered */
    pass(&f, PROBE_MS);
    expect(&f, ""); /* nor is anybody dropped */
    doubtful.is_in_doubt = NULL;
    pass(&f, PROBE_MS);
    expect(&f, "drop a\nadmit c\n");
    leave(&b);
    leave(&c);
    close_rooms(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_that_is_in_a_room_is_told),
        cmocka_unit_test(a_lost_owner_is_told_with_its_time),
        cmocka_unit_test(there_is_no_room_to_freeze),
        cmocka_unit_test(no_time_passes_for_a_frozen_room),
        cmocka_unit_test(queues_lapse_in_order_after_a_thaw),
        cmocka_unit_test(a_room_that_is_not_there_is_as_it_was),
        cmocka_unit_test(numbers_that_are_none_are_not_believed),
        cmocka_unit_test(two_rooms_become_one),
        cmocka_unit_test(who_joined_first_keeps_its_place),
        cmocka_unit_test(of_the_same_user_the_younger_stays),
        cmocka_unit_test(one_of_a_user_that_waits_and_is_a_member_gets_the_place),
        cmocka_unit_test(a_queue_goes_to_who_is_there),
        cmocka_unit_test(a_queue_stays_one_where_its_owner_is_alone),
        cmocka_unit_test(the_queue_of_a_lost_owner_keeps_its_time),
        cmocka_unit_test(a_lost_owner_that_is_back_has_its_queue_again_in_order),
        cmocka_unit_test(a_queue_of_a_lost_owner_goes_to_who_is_there),
        cmocka_unit_test(of_two_lost_owners_one_queue_stays),
        cmocka_unit_test(who_gets_no_place_loses_its_queue),
        cmocka_unit_test(what_does_not_fit_in_the_queue_is_refused),
        cmocka_unit_test(while_a_member_is_in_doubt_who_waits_goes_on_waiting),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
