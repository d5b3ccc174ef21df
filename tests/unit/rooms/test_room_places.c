/* How the kinds of peers differ: what they understand, what they are told, who is away, who doubts whom.
 * What all kinds have in common is tested in test_room_manager.c. */
#include "unit/rooms/rooms_fixture.h"

/* ---- What is understood ---- */

static void a_signal_reaches_only_those_who_understand_it(void **state)
{
    (void)state;
    fixture f;
    open_rooms_for(&f, 3);
    peer a = peer_make(&f, &version_2, "a"), b = peer_make(&f, &version_1, "b");
    peer c = peer_make(&f, &version_2, "c");
    enter(&a, "anna");
    enter(&b, "bert");
    enter(&c, "");
    expect(&f, "enter a: anna#1\ntell a bert#2 v1 joined\n"
               "enter c: anna#1 bert#2 #3\ntell a #3 v2 joined\n");
    say(&a, DATA, "x");
    expect(&f, "dropped 3 of anna (not understood)\nsend c anna#1:x\n");
    say(&a, OFFER, "y");
    expect(&f, "send b anna#1:y\nsend c anna#1:y\n");
    close_rooms(&f);
}

static void what_is_queued_is_dropped_where_it_is_not_understood(void **state)
{
    (void)state;
    fixture f;
    open_rooms_for(&f, 2);
    peer a = peer_make(&f, &version_2, "a"), b = peer_make(&f, &version_1, "b");
    enter(&a, "anna");
    say(&a, DATA, "x");
    say(&a, OFFER, "y");
    enter(&b, "bert");
    expect(&f, "enter a: anna#1\nqueued 3 of anna\nqueued 1 of anna\n"
               "tell a bert#2 v1 joined\ndropped 3 of anna (not understood)\nsend b anna#1:y\n");
    close_rooms(&f);
}

static void a_signal_to_one_member_goes_to_that_alone(void **state)
{
    (void)state;
    fixture f;
    open_rooms_for(&f, 3);
    peer a = peer_make(&f, &version_1, "a"), b = peer_make(&f, &version_1, "b");
    peer c = peer_make(&f, &version_1, "c");
    enter(&a, "anna");
    enter(&b, "bert");
    enter(&c, "carl");
    const struct iovec body = body_of("x");
    room_signal signal = {.kind = OFFER, .count = 1, .parts = &body, .to = c.room.member};
    assert_int_equal(room_manager_signal(f.manager, &a.room, &signal, f.now_ms), 0);
    expect(&f, "send c anna#1:x\n");
    signal.kind = DATA;
    assert_int_equal(room_manager_signal(f.manager, &a.room, &signal, f.now_ms), 0);
    expect(&f, "dropped 3 of anna (not understood)\n");
    close_rooms(&f);
}

static void a_fleeting_signal_is_never_queued(void **state)
{
    (void)state;
    fixture f;
    open_rooms_for(&f, 2);
    peer a = peer_make(&f, &session_kind, "a"), b = peer_make(&f, &session_kind, "b");
    enter(&a, "");
    const struct iovec body = body_of("x");
    const room_signal signal = {.kind = HANGUP, .count = 1, .parts = &body, .is_fleeting = true};
    assert_int_equal(room_manager_signal(f.manager, &a.room, &signal, f.now_ms), 0);
    expect(&f, "dropped 2 of  (nobody there)\n");
    enter(&b, "");
    assert_int_equal(room_manager_signal(f.manager, &a.room, &signal, f.now_ms), 0);
    expect(&f, "send b #1:x\n");
    close_rooms(&f);
}

/* ---- Names and queues ---- */

static void a_name_that_is_no_user_takes_nobody_over(void **state)
{
    (void)state;
    fixture f;
    open_rooms_for(&f, 4);
    peer a = peer_make(&f, &version_1, "a"), b = peer_make(&f, &version_2, "b");
    peer c = peer_make(&f, &version_2, "c"), d = peer_make(&f, &version_1, "d");
    enter(&a, "anna");
    enter(&b, "anna");
    enter(&c, "anna");
    expect(&f, "enter b: anna#1 anna#2\nenter c: anna#1 anna#2 anna#3\ntell b anna#3 v2 joined\n");
    enter(&d, "anna"); /* the one of version 1, and nobody else */
    expect(&f, "tell b anna#1 v1 replaced\ntell c anna#1 v1 replaced\n"
               "tell b anna#4 v1 joined\ntell c anna#4 v1 joined\nreplace a\n");
    close_rooms(&f);
}

static void a_queue_goes_to_another_of_the_same_name_who_is_no_user(void **state)
{
    (void)state;
    fixture f;
    open_rooms_for(&f, 2);
    peer a = peer_make(&f, &version_1, "a"), b = peer_make(&f, &version_2, "b");
    enter(&a, "anna");
    say(&a, OFFER, "x");
    lose(&a);
    enter(&b, "anna");
    expect(&f, "queued 1 of anna\nenter b: anna#2\nsend b anna#1:x\n");
    close_rooms(&f);
}

static void a_queue_that_is_not_kept_ends_with_the_connection(void **state)
{
    (void)state;
    fixture f;
    open_rooms_for(&f, 2);
    peer a = peer_make(&f, &session_kind, "a");
    enter(&a, "");
    say(&a, OFFER, "x");
    lose(&a);
    expect(&f, "queued 1 of \ndropped 1 of  (sender lost)\n");
    assert_int_equal(room_manager_counts(f.manager).rooms, 0);
    close_rooms(&f);
}

static void why_a_queue_ends_is_told_by_how_its_owner_goes(void **state)
{
    (void)state;
    fixture f;
    open_rooms_for(&f, 2);
    peer a = peer_make(&f, &version_2, "a");
    enter(&a, "anna");
    say(&a, OFFER, "x");
    leave_with(&a, ROOM_NEWS_LOST, "");
    enter(&a, "anna");
    say(&a, OFFER, "y");
    leave_with(&a, ROOM_NEWS_LEFT, "");
    expect(&f, "enter a: anna#1\nqueued 1 of anna\ndropped 1 of anna (sender lost)\n"
               "enter a: anna#1\nqueued 1 of anna\ndropped 1 of anna (sender left)\n");
    close_rooms(&f);
}

static void one_name_in_two_spaces_is_two_rooms(void **state)
{
    (void)state;
    fixture f;
    open_rooms_for(&f, 2);
    peer a = peer_make(&f, &session_kind, "a"), b = peer_make(&f, &version_1, "b");
    enter(&a, "");
    enter(&b, "bert");
    assert_int_equal(room_manager_counts(f.manager).rooms, 2);
    assert_ptr_equal(room_manager_find_room_members(f.manager, ROOM_SPACE_SESSIONS, SLICE_LITERAL("kitchen")),
                     a.room.member);
    assert_ptr_equal(room_manager_find_room_members(f.manager, ROOM_SPACE_ROOMS, SLICE_LITERAL("kitchen")),
                     b.room.member);
    assert_null(room_manager_find_room_members(f.manager, ROOM_SPACE_ROOMS, SLICE_LITERAL("garden")));
    close_rooms(&f);
}

static void a_session_holds_two_whatever_rooms_hold(void **state)
{
    for (uint32_t capacity = 1; capacity <= 3; capacity++) {
        (void)state;
        fixture f;
        open_rooms_for(&f, capacity);
        peer a = peer_make(&f, &session_kind, "a"), b = peer_make(&f, &session_kind, "b");
        peer c = peer_make(&f, &session_kind, "c");
        enter(&a, "");
        enter(&b, "");
        pass(&f, 10);
        wait_for(&c, "");
        answer(&a);
        answer(&b);
        expect(&f, "probe a\nprobe b\nrefuse c\n");
        close_rooms(&f);
    }
}

/* ---- News ---- */

static void the_others_hear_of_each_way_to_go_with_what_was_said(void **state)
{
    (void)state;
    fixture f;
    open_rooms_for(&f, 2);
    peer a = peer_make(&f, &version_2, "a"), b = peer_make(&f, &version_2, "b");
    enter(&a, "anna");
    expect(&f, "enter a: anna#1\n");
    static const room_news_kind kinds[] = {ROOM_NEWS_LEFT, ROOM_NEWS_LOST, ROOM_NEWS_REPLACED};
    static const char *const told[] = {"tell a bert#2 v2 left 'bye'\n", "tell a bert#3 v2 lost 'bye'\n",
                                       "tell a bert#4 v2 replaced 'bye'\n"};
    for (int i = 0; i < 3; i++) {
        enter(&b, "bert");
        journal_clear(&f.journal);
        leave_with(&b, kinds[i], "bye");
        expect(&f, told[i]);
    }
    enter(&b, "bert");
    lose(&b);
    expect(&f, "enter b: anna#1 bert#5\ntell a bert#5 v2 joined\ntell a bert#5 v2 lost\n");
    close_rooms(&f);
}

static void the_others_hear_who_is_away_and_back_and_changed(void **state)
{
    (void)state;
    fixture f;
    open_rooms_for(&f, 3);
    peer a = peer_make(&f, &version_2, "a"), b = peer_make(&f, &version_2, "b");
    peer c = peer_make(&f, &version_1, "c");
    enter(&a, "anna");
    enter(&b, "bert");
    enter(&c, "carl");
    journal_clear(&f.journal);
    go_away(&a);
    expect(&f, "tell b anna#1 v2 away\n");
    say(&c, OFFER, "x"); /* who is away is there */
    expect(&f, "send a carl#3:x\nsend b carl#3:x\n");
    come_back(&a);
    room_manager_changed(f.manager, &a.room);
    expect(&f, "tell b anna#1 v2 back\ntell b anna#1 v2 changed\n");
    close_rooms(&f);
}

static void who_waits_hears_nothing_and_is_not_heard_of(void **state)
{
    (void)state;
    fixture f;
    open_rooms_for(&f, 1);
    peer a = peer_make(&f, &version_2, "a"), b = peer_make(&f, &version_2, "b");
    enter(&a, "anna");
    pass(&f, 10);
    wait_for(&b, "bert");
    room_manager_changed(f.manager, &a.room);
    room_manager_changed(f.manager, &b.room);
    go_away(&b);
    come_back(&b);
    expect(&f, "enter a: anna#1\nprobe a\n");
    leave(&a);
    expect(&f, "admit b\nenter b: bert#2\n");
    close_rooms(&f);
}

static void a_newcomer_is_told_of_before_it_gets_what_was_queued(void **state)
{
    (void)state;
    fixture f;
    open_rooms_for(&f, 2);
    peer a = peer_make(&f, &version_2, "a"), b = peer_make(&f, &version_2, "b");
    enter(&a, "anna");
    say(&a, DATA, "x");
    enter(&b, "bert");
    expect(&f, "enter a: anna#1\nqueued 3 of anna\n"
               "enter b: anna#1 bert#2\ntell a bert#2 v2 joined\nsend b anna#1:x\n");
    close_rooms(&f);
}

/* ---- Who is away ---- */

static void who_is_away_gives_way_to_a_newcomer_after_its_time(void **state)
{
    (void)state;
    fixture f;
    open_rooms_for(&f, 2);
    peer a = peer_make(&f, &version_2, "a"), b = peer_make(&f, &version_2, "b");
    peer c = peer_make(&f, &version_2, "c");
    enter(&a, "anna");
    enter(&b, "bert");
    pass(&f, 10);
    go_away(&b);
    wait_for(&c, "carl");
    journal_clear(&f.journal);
    answer(&a); /* that one is there is no answer of the other */
    pass(&f, PROBE_MS - 1);
    expect(&f, "");
    pass(&f, 1);
    expect(&f, "tell a bert#2 v2 lost\ndrop b\nadmit c\nenter c: anna#1 carl#3\ntell a carl#3 v2 joined\n");
    close_rooms(&f);
}

static void who_comes_back_in_time_keeps_its_place(void **state)
{
    (void)state;
    fixture f;
    open_rooms_for(&f, 2);
    peer a = peer_make(&f, &version_2, "a"), b = peer_make(&f, &version_2, "b");
    peer c = peer_make(&f, &version_2, "c");
    enter(&a, "anna");
    enter(&b, "bert");
    pass(&f, 10);
    go_away(&b);
    wait_for(&c, "carl");
    pass(&f, 10);
    answer(&a);
    journal_clear(&f.journal);
    come_back(&b);
    expect(&f, "tell a bert#2 v2 back\nrefuse c\n");
    close_rooms(&f);
}

static void who_goes_away_after_its_answer_owes_another(void **state)
{
    (void)state;
    fixture f;
    open_rooms_for(&f, 2);
    peer a = peer_make(&f, &version_2, "a"), b = peer_make(&f, &version_2, "b");
    peer c = peer_make(&f, &version_2, "c");
    enter(&a, "anna");
    enter(&b, "bert");
    pass(&f, 10);
    wait_for(&c, "carl");
    pass(&f, 10);
    answer(&b);
    go_away(&b);
    answer(&a);
    journal_clear(&f.journal);
    pass(&f, PROBE_MS - 10);
    expect(&f, "tell a bert#2 v2 lost\ndrop b\nadmit c\nenter c: anna#1 carl#3\ntell a carl#3 v2 joined\n");
    close_rooms(&f);
}

static void silent_members_go_before_those_who_are_away(void **state)
{
    (void)state;
    fixture f;
    open_rooms_for(&f, 2);
    peer a = peer_make(&f, &version_1, "a"), b = peer_make(&f, &version_2, "b");
    peer c = peer_make(&f, &version_1, "c");
    enter(&a, "anna");
    enter(&b, "bert");
    pass(&f, 10);
    go_away(&b);
    wait_for(&c, "carl");
    journal_clear(&f.journal);
    pass(&f, PROBE_MS);
    expect(&f, "tell b anna#1 v1 lost\ndrop a\nadmit c\ntell b carl#3 v1 joined\n");
    close_rooms(&f);
}

static void the_longest_away_goes_first_and_one_for_each_place(void **state)
{
    (void)state;
    fixture f;
    open_rooms_for(&f, 3);
    peer a = peer_make(&f, &version_2, "a"), b = peer_make(&f, &version_2, "b");
    peer c = peer_make(&f, &version_2, "c"), d = peer_make(&f, &version_1, "d");
    peer e = peer_make(&f, &version_1, "e"), g = peer_make(&f, &version_1, "g");
    enter(&a, "anna");
    enter(&b, "bert");
    enter(&c, "carl");
    pass(&f, 10);
    go_away(&b);
    pass(&f, 10);
    go_away(&a);
    wait_for(&d, "dora");
    pass(&f, 10);
    wait_for(&e, "emil");
    pass(&f, 10);
    answer(&c);
    journal_clear(&f.journal);
    pass(&f, PROBE_MS - 20);
    expect(&f, "tell a bert#2 v2 lost\ntell c bert#2 v2 lost\ndrop b\n"
               "admit d\ntell a dora#4 v1 joined\ntell c dora#4 v1 joined\n");
    pass(&f, 10);
    expect(&f, "tell c anna#1 v2 lost\ndrop a\nadmit e\ntell c emil#5 v1 joined\n");
    pass(&f, 10);
    wait_for(&g, "gerd"); /* now all who are in the room are there */
    answer(&c);
    answer(&d);
    answer(&e);
    expect(&f, "probe c\nprobe d\nprobe e\nrefuse g\n");
    close_rooms(&f);
}

/* ---- Doubts ---- */

static void a_newcomer_beside_one_who_was_heard_lately_comes_in_at_once(void **state)
{
    (void)state;
    fixture f;
    open_rooms_for(&f, 2);
    peer a = peer_make(&f, &session_kind, "a"), b = peer_make(&f, &session_kind, "b");
    enter(&a, "");
    pass(&f, 999);
    enter(&b, "");
    close_rooms(&f);
}

static void a_newcomer_beside_a_silent_member_waits_for_its_sign_of_life(void **state)
{
    (void)state;
    fixture f;
    open_rooms_for(&f, 2);
    peer a = peer_make(&f, &session_kind, "a"), b = peer_make(&f, &session_kind, "b");
    enter(&a, "");
    say(&a, OFFER, "x");
    pass(&f, 1000);
    wait_for(&b, "");
    expect(&f, "queued 1 of \nprobe a\n");
    pass(&f, 20);
    say(&a, OFFER, "y"); /* the other is not there yet */
    expect(&f, "queued 1 of \n");
    answer(&a);
    expect(&f, "admit b\nsend b #1:x\nsend b #1:y\n");
    close_rooms(&f);
}

static void a_ghost_is_dropped_with_its_queue_and_the_newcomer_comes_in(void **state)
{
    (void)state;
    fixture f;
    open_rooms_for(&f, 2);
    peer a = peer_make(&f, &session_kind, "a"), b = peer_make(&f, &session_kind, "b");
    enter(&a, "");
    say(&a, OFFER, "x");
    pass(&f, 1000);
    wait_for(&b, "");
    pass(&f, PROBE_MS - 1);
    expect(&f, "queued 1 of \nprobe a\n");
    pass(&f, 1);
    expect(&f, "dropped 1 of  (sender lost)\ndrop a\nadmit b\n");
    assert_true(room_manager_next_due_ms(f.manager) == UINT64_MAX);
    close_rooms(&f);
}

static void a_newcomer_comes_in_when_the_doubtful_member_has_gone(void **state)
{
    (void)state;
    fixture f;
    open_rooms_for(&f, 2);
    peer a = peer_make(&f, &session_kind, "a"), b = peer_make(&f, &session_kind, "b");
    enter(&a, "");
    pass(&f, 1000);
    wait_for(&b, "");
    lose(&a);
    expect(&f, "probe a\nadmit b\n");
    close_rooms(&f);
}

static void of_several_newcomers_the_first_is_let_in_by_an_answer(void **state)
{
    (void)state;
    fixture f;
    open_rooms_for(&f, 2);
    peer a = peer_make(&f, &session_kind, "a"), b = peer_make(&f, &session_kind, "b");
    peer c = peer_make(&f, &session_kind, "c");
    enter(&a, "");
    pass(&f, 1000);
    wait_for(&b, "");
    pass(&f, 10);
    wait_for(&c, "");
    answer(&a);
    expect(&f, "probe a\nadmit b\nrefuse c\n");
    close_rooms(&f);
}

static void two_newcomers_beside_a_ghost_find_each_other(void **state)
{
    (void)state;
    fixture f;
    open_rooms_for(&f, 2);
    peer a = peer_make(&f, &session_kind, "a"), b = peer_make(&f, &session_kind, "b");
    peer c = peer_make(&f, &session_kind, "c");
    enter(&a, "");
    pass(&f, 1000);
    wait_for(&b, "");
    pass(&f, 10);
    wait_for(&c, "");
    pass(&f, PROBE_MS - 10);
    expect(&f, "probe a\ndrop a\nadmit b\nadmit c\n");
    close_rooms(&f);
}

/* A page that changed its network twice has left two ghosts. */
static void a_newcomer_beside_two_ghosts_meets_neither(void **state)
{
    (void)state;
    fixture f;
    open_rooms_for(&f, 2);
    peer a = peer_make(&f, &session_kind, "a"), b = peer_make(&f, &session_kind, "b");
    peer c = peer_make(&f, &session_kind, "c");
    enter(&a, "");
    pass(&f, 1000);
    wait_for(&b, "");
    pass(&f, 1500);
    wait_for(&c, "");
    pass(&f, PROBE_MS - 1500);
    expect(&f, "probe a\ndrop a\nadmit b\nprobe b\n"); /* not heard for a second before the third came */
    pass(&f, 1500);
    expect(&f, ""); /* the time of the third is over, but not that of the second */
    pass(&f, PROBE_MS);
    expect(&f, "drop b\nadmit c\n");
    close_rooms(&f);
}

static void who_leaves_while_it_doubts_is_not_missed(void **state)
{
    (void)state;
    fixture f;
    open_rooms_for(&f, 2);
    peer a = peer_make(&f, &session_kind, "a"), b = peer_make(&f, &session_kind, "b");
    enter(&a, "");
    pass(&f, 1000);
    wait_for(&b, "");
    lose(&b);
    answer(&a);
    expect(&f, "probe a\n");
    assert_true(room_manager_next_due_ms(f.manager) == UINT64_MAX);
    close_rooms(&f);
}

/* Something else than a pong is read, which nobody tells the rooms of, and then another newcomer comes. */
static void those_who_waited_come_before_a_newcomer_without_doubts(void **state)
{
    (void)state;
    fixture f;
    open_rooms_for(&f, 2);
    peer a = peer_make(&f, &session_kind, "a"), b = peer_make(&f, &session_kind, "b");
    peer c = peer_make(&f, &session_kind, "c");
    enter(&a, "");
    pass(&f, 1000);
    wait_for(&b, "");
    pass(&f, 10);
    a.alive_ms = f.now_ms;
    const room_join request = request_of(&c, "");
    assert_int_equal(room_manager_join(f.manager, &c.room, &request), ROOM_WAITING);
    expect(&f, "probe a\nadmit b\nprobe b\n");
    close_rooms(&f);
}

static void one_without_doubts_does_not_wait_behind_one_who_has_them(void **state)
{
    (void)state;
    fixture f;
    open_rooms_for(&f, 3);
    static const room_peer_face doubting_face = {
        .kinds = 1U << OFFER, .doubts_company = true, WHAT_ALL_FACES_DO};
    peer a = peer_make(&f, &version_1, "a"), b = peer_make(&f, &doubting_face, "b");
    peer c = peer_make(&f, &version_1, "c");
    enter(&a, "anna");
    pass(&f, 1000);
    wait_for(&b, "");
    enter(&c, "carl");
    expect(&f, "probe a\nadmit b\n"); /* it has company now, whoever is there */
    close_rooms(&f);
}

/* A newcomer who doubts one that is away has no answer to wait for. */
static void who_is_away_is_doubted_and_gives_way(void **state)
{
    (void)state;
    fixture f;
    open_rooms_for(&f, 2);
    static const room_peer_face doubting_face = {
        .kinds = 1U << OFFER, .doubts_company = true, WHAT_ALL_FACES_DO};
    peer a = peer_make(&f, &version_2, "a"), b = peer_make(&f, &doubting_face, "b");
    enter(&a, "anna");
    go_away(&a);
    wait_for(&b, "");
    pass(&f, PROBE_MS);
    expect(&f, "enter a: anna#1\ndrop a\nadmit b\n");
    close_rooms(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_signal_reaches_only_those_who_understand_it),
        cmocka_unit_test(what_is_queued_is_dropped_where_it_is_not_understood),
        cmocka_unit_test(a_signal_to_one_member_goes_to_that_alone),
        cmocka_unit_test(a_fleeting_signal_is_never_queued),
        cmocka_unit_test(a_name_that_is_no_user_takes_nobody_over),
        cmocka_unit_test(a_queue_goes_to_another_of_the_same_name_who_is_no_user),
        cmocka_unit_test(a_queue_that_is_not_kept_ends_with_the_connection),
        cmocka_unit_test(why_a_queue_ends_is_told_by_how_its_owner_goes),
        cmocka_unit_test(one_name_in_two_spaces_is_two_rooms),
        cmocka_unit_test(a_session_holds_two_whatever_rooms_hold),
        cmocka_unit_test(the_others_hear_of_each_way_to_go_with_what_was_said),
        cmocka_unit_test(the_others_hear_who_is_away_and_back_and_changed),
        cmocka_unit_test(who_waits_hears_nothing_and_is_not_heard_of),
        cmocka_unit_test(a_newcomer_is_told_of_before_it_gets_what_was_queued),
        cmocka_unit_test(who_is_away_gives_way_to_a_newcomer_after_its_time),
        cmocka_unit_test(who_comes_back_in_time_keeps_its_place),
        cmocka_unit_test(who_goes_away_after_its_answer_owes_another),
        cmocka_unit_test(silent_members_go_before_those_who_are_away),
        cmocka_unit_test(the_longest_away_goes_first_and_one_for_each_place),
        cmocka_unit_test(a_newcomer_beside_one_who_was_heard_lately_comes_in_at_once),
        cmocka_unit_test(a_newcomer_beside_a_silent_member_waits_for_its_sign_of_life),
        cmocka_unit_test(a_ghost_is_dropped_with_its_queue_and_the_newcomer_comes_in),
        cmocka_unit_test(a_newcomer_comes_in_when_the_doubtful_member_has_gone),
        cmocka_unit_test(of_several_newcomers_the_first_is_let_in_by_an_answer),
        cmocka_unit_test(two_newcomers_beside_a_ghost_find_each_other),
        cmocka_unit_test(a_newcomer_beside_two_ghosts_meets_neither),
        cmocka_unit_test(who_leaves_while_it_doubts_is_not_missed),
        cmocka_unit_test(those_who_waited_come_before_a_newcomer_without_doubts),
        cmocka_unit_test(one_without_doubts_does_not_wait_behind_one_who_has_them),
        cmocka_unit_test(who_is_away_is_doubted_and_gives_way),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
