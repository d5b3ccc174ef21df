/* Joins that are held because their client may be guessing: a lobby and two shards, as in test_rules.c, whose
 * clock the test sets. So a hold of 25 seconds takes no time, and what must not have happened yet, has not.
 */
#include "session/guessing.h"

#include "base/clock.h"
#include "session/session_host.h"
#include "session/session_life.h"
#include "support/wire.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/timerfd.h>

enum { SHARDS = 2, LOBBY = SHARDS, GROUPS, MAX_CLIENTS = 24, NEVER_MS = 3600 * 1000 };

/* ---- The clock ---- */

static uint64_t now_us;

uint64_t clock_read_us(clockid_t id)
{
    (void)id;
    return now_us;
}

uint64_t clock_monotonic_us(void)
{
    return now_us;
}

uint64_t clock_monotonic_ms(void)
{
    return now_us / 1000;
}

uint64_t clock_utc_ms(void)
{
    return now_us / 1000;
}

/* The timers of the loops fire when turn() says so. */
int timerfd_settime(int fd, int flags, const struct itimerspec *to, struct itimerspec *before)
{
    (void)fd;
    (void)flags;
    (void)to;
    (void)before;
    return 0;
}

/* ---- The groups ---- */

typedef struct fixture {
    session_shared shared;
    net_loop loops[GROUPS];
    session_group groups[GROUPS];
    connection_queue detached; /* handed over and not delivered yet */
    client_account account;    /* of the clients that have one */
    wire_peer clients[MAX_CLIENTS];
    int client_count;
    int gone;         /* places given back */
    int rooms_made;   /* by new_room() */
    char room[8][16]; /* what new_room() has returned last */
} fixture;

static void hand_over(session_group *group, session *s, int shard)
{
    fixture *f = group->shared->context;
    assert_int_equal(shard, s->participant.join.next_shard);
    STAILQ_INSERT_TAIL(&f->detached, &s->connection.entry, queued);
}

static bool admit(session_group *group, session *s, const address *client)
{
    (void)group;
    (void)s;
    (void)client;
    return true;
}

static void on_gone(session_group *group, session *s)
{
    (void)s;
    ((fixture *)group->shared->context)->gone++;
}

static void turn(net_loop *loop)
{
    if (loop->timer_due_ms <= now_us / 1000)
        loop->timer_due_ms = UINT64_MAX; /* as the loop does when its timer has fired */
    wire_turn(loop);
}

static void settle(fixture *f)
{
    for (int round = 0; round < 4; round++) {
        for (connection_entry *entry; (entry = STAILQ_FIRST(&f->detached)) != NULL;) {
            STAILQ_REMOVE_HEAD(&f->detached, queued);
            session *s = session_of(connection_of(entry));
            session_attach(s, &f->groups[s->participant.join.next_shard]);
        }
        for (int i = 0; i < GROUPS; i++)
            turn(&f->loops[i]);
    }
}

static void pass(fixture *f, uint64_t ms)
{
    now_us += ms * 1000;
    settle(f);
}

/* A client may join `burst` new rooms at once, and one more each minute. */
static fixture *make(uint32_t burst)
{
    fixture *f = calloc(1, sizeof(*f));
    assert_non_null(f);
    now_us = 1000 * 1000 * 1000;
    f->shared.net = (net_limits){
        .handshake = {.path = "/signal", .max_head_bytes = 1024},
        .max_message_bytes = 64 * 1024,
        .max_output_bytes = 1024 * 1024,
        .handshake_timeout_ms = NEVER_MS,
        .ping_interval_ms = NEVER_MS,
        .pong_timeout_ms = NEVER_MS,
        .close_timeout_ms = NEVER_MS,
    };
    f->shared.limits = (session_limits){
        .rooms = {.capacity = 2,
                  .pending_max_messages = 8,
                  .pending_max_bytes = 16 * 1024,
                  .pending_ttl_ms = NEVER_MS,
                  .probe_timeout_ms = NEVER_MS},
        .dialects = {.max_name_bytes = 512},
        .guesses = {.per_minute = 1, .burst = burst},
    };
    f->shared.hash = (keyed_hash){{7, 7, 7}};
    f->shared.budget.limit = 1024 * 1024;
    f->account.allowance.is_limited = true;
    STAILQ_INIT(&f->detached);
    return f;
}

static fixture *start(fixture *f)
{
    f->shared.shards = SHARDS;
    f->shared.context = f;
    f->shared.hand_over = hand_over;
    f->shared.on_gone = on_gone;
    f->shared.admit = admit;
    for (int i = 0; i < GROUPS; i++) {
        assert_int_equal(net_loop_init(&f->loops[i]), 0);
        int shard = i == LOBBY ? SESSION_NO_SHARD : i;
        assert_int_equal(session_group_init(&f->groups[i], &f->shared, &f->loops[i], &session_events,
                                            &session_host, shard),
                         0);
    }
    return f;
}

static void unmake(fixture *f)
{
    for (int i = 0; i < GROUPS; i++) {
        session_group_drop_all(&f->groups[i]);
        net_loop_end_turn(&f->loops[i]);
        assert_int_equal(f->groups[i].connections.count, 0);
        assert_int_equal(f->groups[i].held.count, 0);
        session_group_deinit(&f->groups[i]);
        net_loop_deinit(&f->loops[i]);
    }
    assert_int_equal(f->gone, f->client_count);
    for (int i = 0; i < f->client_count; i++)
        wire_close(&f->clients[i]);
    free(f);
}

/* ---- What can be seen ---- */

static uint64_t total(const fixture *f, size_t offset)
{
    uint64_t sum = 0;
    for (int i = 0; i < GROUPS; i++)
        sum += counter_get((const counter *)(const void *)((const char *)&f->groups[i].counters + offset));
    return sum;
}

#define TOTAL(f, counter_) total((f), offsetof(session_counters, counter_))

/* How many joins are held now, and how many were held in all. */
static void expect_held(const fixture *f, uint64_t now, uint64_t in_all)
{
    uint64_t held = 0;
    for (int i = 0; i < GROUPS; i++)
        held += f->groups[i].held.count;
    assert_int_equal(held, now);
    assert_int_equal(TOTAL(f, guesses_held), in_all);
}

/* ---- The clients ---- */

static wire_peer *come(fixture *f, client_account *account)
{
    assert_true(f->client_count < MAX_CLIENTS);
    wire_peer *client = &f->clients[f->client_count++];
    int fd = wire_open(client, SOCK_STREAM);
    const session_start start = {.fd = fd, .id = (uint64_t)f->client_count, .client = account};
    assert_int_equal(session_open(&f->groups[LOBBY], &start), 0);
    wire_send(client, wire_request, strlen(wire_request));
    settle(f);
    wire_expect_upgraded(client);
    return client;
}

static void join(fixture *f, wire_peer *client, const char *room, const char *user)
{
    char text[256];
    snprintf(text, sizeof(text), "{\"type\":\"join\",\"room\":\"%s\",\"user\":\"%s\"}", room, user);
    wire_send_text(client, text);
    settle(f);
}

/* A codeword that nobody has joined. Lent until eight more were made. */
static const char *new_room(fixture *f)
{
    char *room = f->room[f->rooms_made % 8];
    snprintf(room, sizeof(f->room[0]), "room %d", f->rooms_made++);
    return room;
}

/* The same on this shard. */
static const char *new_room_of(fixture *f, int shard)
{
    const char *room;
    do
        room = new_room(f);
    while ((int)((keyed_hash_of(&f->shared.hash, slice_of_text(room)) >> 32) * SHARDS >> 32) != shard);
    return room;
}

/* Somebody with the account joins new rooms until the next one will be held. */
static wire_peer *use_up(fixture *f)
{
    wire_peer *client = come(f, &f->account);
    for (uint32_t i = 0; i < f->shared.limits.guesses.burst; i++)
        join(f, client, new_room(f), "first");
    expect_held(f, 0, 0);
    return client;
}

static const char candidate[] = "{\"type\":\"candidate\",\"candidate\":\"%d\"}";

static void expect_candidate(wire_peer *client, const char *room, const char *from, int number)
{
    char text[256];
    snprintf(text, sizeof(text),
             "{\"type\":\"candidate\",\"room\":\"%s\",\"from\":\"%s\",\"candidate\":\"%d\"}", room, from,
             number);
    wire_expect_text(client, text);
}

static void send_candidate(fixture *f, wire_peer *client, int number)
{
    char text[64];
    snprintf(text, sizeof(text), candidate, number);
    wire_send_text(client, text);
    settle(f);
}

/* ---- Held and let go on ---- */

static void a_join_over_the_budget_waits_for_its_time(void **state)
{
    (void)state;
    fixture *f = start(make(3));
    wire_peer *anna = use_up(f);
    join(f, anna, new_room(f), "anna");
    expect_held(f, 1, 1);
    assert_int_equal(TOTAL(f, joins[SESSION_JOIN_JOINED]), 3);
    pass(f, 99);
    expect_held(f, 1, 1);
    assert_int_equal(TOTAL(f, joins[SESSION_JOIN_JOINED]), 3);
    pass(f, 1);
    expect_held(f, 0, 1);
    assert_int_equal(TOTAL(f, joins[SESSION_JOIN_JOINED]), 4);
    assert_int_equal(TOTAL(f, members), 1);
    wire_expect_nothing(anna);
    unmake(f);
}

static void what_comes_behind_a_held_join_is_handled_behind_it(void **state)
{
    (void)state;
    for (int shard = 0; shard < SHARDS; shard++) {
        fixture *f = start(make(1));
        (void)use_up(f);
        wire_peer *anna = come(f, &f->account);
        const char *room = new_room_of(f, shard);
        bytes *out = NULL;
        char text[128];
        snprintf(text, sizeof(text), "{\"type\":\"join\",\"room\":\"%s\",\"user\":\"anna\"}", room);
        wire_add_text(&out, text);
        wire_add_text(&out, "{\"type\":\"offer\",\"sdp\":\"v=0\"}");
        for (int i = 0; i < 3; i++) {
            snprintf(text, sizeof(text), candidate, i);
            wire_add_text(&out, text);
        }
        wire_send_gathered(anna, &out);
        settle(f);
        expect_held(f, 1, 1);
        send_candidate(f, anna, 3);
        wire_send_frame(anna, WIRE_PING, "p", 1);
        settle(f);
        wire_expect_nothing(anna);
        assert_int_equal(TOTAL(f, pending_messages), 0);

        pass(f, 100);
        assert_int_equal(TOTAL(f, pending_messages), 5);
        wire_expect_frame(anna, WIRE_PONG, "p", 1);
        wire_peer *bert = come(f, NULL);
        join(f, bert, room, "bert");
        snprintf(text, sizeof(text), "{\"type\":\"offer\",\"room\":\"%s\",\"from\":\"anna\",\"sdp\":\"v=0\"}",
                 room);
        wire_expect_text(bert, text);
        for (int i = 0; i < 4; i++)
            expect_candidate(bert, room, "anna", i);
        wire_expect_nothing(bert);
        unmake(f);
    }
}

/* The guess that hits waits as the one that misses does: neither has an answer before its time is over. */
static void a_right_and_a_wrong_guess_take_the_same_way(void **state)
{
    (void)state;
    fixture *f = start(make(1));
    wire_peer *anna = come(f, NULL);
    const char *right = new_room(f);
    join(f, anna, right, "anna");
    send_candidate(f, anna, 1);

    (void)use_up(f);
    wire_peer *guesses[] = {come(f, &f->account), come(f, &f->account), come(f, &f->account)};
    join(f, guesses[0], new_room(f), "mallory");
    join(f, guesses[1], right, "mallory");
    join(f, guesses[2], new_room(f), "mallory");
    expect_held(f, 3, 3);
    static const uint64_t steps_ms[] = {100, 100, 200}; /* from one end of a hold to the next */
    for (int i = 0; i < 3; i++) {
        pass(f, steps_ms[i] - 1);
        for (int j = i; j < 3; j++)
            wire_expect_nothing(guesses[j]);
        expect_held(f, (uint64_t)(3 - i), 3);
        pass(f, 1);
        expect_held(f, (uint64_t)(2 - i), 3);
        if (i == 1)
            expect_candidate(guesses[1], right, "anna", 1);
        wire_expect_nothing(guesses[i]);
    }
    unmake(f);
}

static void a_join_is_held_once_only(void **state)
{
    (void)state;
    fixture *f = start(make(1));
    wire_peer *anna = use_up(f);
    for (uint64_t i = 1; i <= 3; i++) {
        join(f, anna, new_room(f), "anna");
        expect_held(f, 1, i);
        pass(f, 400);
        expect_held(f, 0, i);
    }
    unmake(f);
}

static void a_join_by_way_of_another_shard_is_held_there(void **state)
{
    (void)state;
    fixture *f = start(make(1));
    wire_peer *anna = come(f, &f->account);
    join(f, anna, new_room_of(f, 0), "anna");
    const char *room = new_room_of(f, 1);
    join(f, anna, room, "anna");
    assert_int_equal(f->groups[1].held.count, 1);
    send_candidate(f, anna, 1);
    pass(f, 100);
    expect_held(f, 0, 1);
    assert_int_equal(counter_get(&f->groups[1].counters.pending_messages), 1);
    unmake(f);
}

static void who_is_held_has_left_the_room_before(void **state)
{
    (void)state;
    fixture *f = start(make(1));
    wire_peer *anna = come(f, &f->account);
    const char *room = new_room(f);
    join(f, anna, room, "anna");
    wire_peer *bert = come(f, NULL);
    join(f, bert, room, "bert");
    join(f, anna, new_room(f), "anna");
    expect_held(f, 1, 1);
    assert_int_equal(TOTAL(f, members), 1);
    send_candidate(f, bert, 1);
    wire_peer *carl = come(f, NULL);
    join(f, carl, room, "carl");
    assert_int_equal(TOTAL(f, joins[SESSION_JOIN_JOINED]), 3);
    expect_candidate(carl, room, "bert", 1);
    wire_expect_nothing(anna);
    unmake(f);
}

static void a_full_room_answers_behind_the_hold(void **state)
{
    (void)state;
    fixture *f = make(1);
    f->shared.limits.rooms.probe_timeout_ms = 300;
    start(f);
    const char *room = new_room(f);
    wire_peer *members[] = {come(f, NULL), come(f, NULL)};
    join(f, members[0], room, "anna");
    join(f, members[1], room, "bert");
    wire_peer *carl = use_up(f);
    join(f, carl, room, "carl");
    wire_expect_nothing(members[0]); /* no probe, before the time is over */
    pass(f, 100);
    for (int i = 0; i < 2; i++) {
        wire_expect_frame(members[i], WIRE_PING, "", 0);
        wire_send_frame(members[i], WIRE_PONG, "", 0);
    }
    pass(f, 1);
    wire_expect_text(carl, "{\"type\":\"error\",\"message\":\"Room is full\"}");
    expect_held(f, 0, 1);
    unmake(f);
}

/* ---- Ends ---- */

static void the_end_of_a_held_client_is_noticed(void **state)
{
    (void)state;
    fixture *f = start(make(1));
    (void)use_up(f);
    wire_peer *guesses[3];
    for (int i = 0; i < 3; i++) {
        guesses[i] = come(f, &f->account);
        join(f, guesses[i], new_room(f), "mallory");
    }
    expect_held(f, 3, 3);
    wire_close(guesses[1]);
    settle(f);
    expect_held(f, 2, 3);
    assert_int_equal(f->gone, 1);
    pass(f, 10000);
    expect_held(f, 0, 3);
    assert_int_equal(TOTAL(f, joins[SESSION_JOIN_JOINED]), 3); /* the first client, and two guesses */
    unmake(f);
}

static void a_server_that_stops_closes_who_is_held(void **state)
{
    (void)state;
    fixture *f = start(make(1));
    wire_peer *anna = use_up(f);
    join(f, anna, new_room(f), "anna");
    send_candidate(f, anna, 1);
    expect_held(f, 1, 1);
    for (int i = 0; i < GROUPS; i++)
        session_close_all(&f->groups[i]);
    settle(f);
    wire_expect_close(anna, 1001);
    expect_held(f, 0, 1);
    pass(f, 1000);
    assert_int_equal(TOTAL(f, joins[SESSION_JOIN_JOINED]), 1);
    unmake(f);
}

static void who_is_held_is_not_taken_for_silent(void **state)
{
    (void)state;
    fixture *f = make(1);
    f->shared.net.ping_interval_ms = 40;
    f->shared.net.pong_timeout_ms = 20;
    start(f);
    wire_peer *anna = use_up(f);
    join(f, anna, new_room(f), "anna");
    for (int i = 0; i < 9; i++) {
        pass(f, 10);
        wire_expect_nothing(anna);
    }
    pass(f, 10);
    expect_held(f, 0, 1);
    pass(f, 40);
    wire_expect_frame(anna, WIRE_PING, "", 0);
    assert_int_equal(f->gone, 0);
    pass(f, 20);
    assert_int_equal(f->gone, 1);
    unmake(f);
}

static void a_join_that_was_held_is_refused_when_the_server_is_overloaded_then(void **state)
{
    (void)state;
    fixture *f = start(make(1));
    wire_peer *anna = use_up(f);
    join(f, anna, new_room(f), "anna");
    f->shared.overloaded_until_us = now_us + 1000000;
    pass(f, 100);
    wire_expect_close(anna, 1013);
    unmake(f);
}

/* ---- Who is not held ---- */

static void a_family_that_comes_again_and_again_is_not_held(void **state)
{
    (void)state;
    fixture *f = start(make(1));
    const char *room = new_room(f);
    for (int call = 0; call < 10; call++) {
        wire_peer *anna = come(f, &f->account);
        wire_peer *bert = come(f, &f->account);
        join(f, anna, room, "anna");
        join(f, bert, room, "bert");
        assert_int_equal(TOTAL(f, members), 2);
        wire_close(anna);
        wire_send_text(bert, "{\"type\":\"leave\"}");
        join(f, bert, room, "bert");
        wire_close(bert);
        settle(f);
    }
    expect_held(f, 0, 0);
    unmake(f);
}

static void a_room_whose_join_was_held_is_known_afterwards(void **state)
{
    (void)state;
    fixture *f = start(make(1));
    wire_peer *anna = use_up(f);
    const char *room = new_room(f);
    join(f, anna, room, "anna");
    pass(f, 100);
    wire_peer *bert = come(f, &f->account);
    join(f, bert, room, "bert");
    expect_held(f, 0, 1);
    assert_int_equal(TOTAL(f, members), 2);
    unmake(f);
}

static void a_long_codeword_is_not_held(void **state)
{
    (void)state;
    fixture *f = start(make(1));
    wire_peer *anna = use_up(f);
    join(f, anna, "0123456789012345678901", "anna");            /* 22 characters */
    join(f, anna, "0123456789\\u00e9123456789\\u00e9", "anna"); /* escapes count as what they stand for */
    expect_held(f, 1, 1);
    unmake(f);
}

static void who_has_no_account_is_not_held(void **state)
{
    (void)state;
    fixture *f = start(make(1));
    client_account exempt = {.allowance = {.is_limited = false}};
    for (int i = 0; i < 2; i++) {
        wire_peer *client = come(f, i == 0 ? NULL : &exempt);
        for (int j = 0; j < 20; j++)
            join(f, client, new_room(f), "anna");
    }
    expect_held(f, 0, 0);
    assert_int_equal(TOTAL(f, joins[SESSION_JOIN_JOINED]), 40);
    unmake(f);
}

static void a_rate_of_zero_holds_nobody(void **state)
{
    (void)state;
    fixture *f = make(1);
    f->shared.limits.guesses.per_minute = 0;
    start(f);
    wire_peer *anna = come(f, &f->account);
    for (int i = 0; i < 20; i++)
        join(f, anna, new_room(f), "anna");
    expect_held(f, 0, 0);
    unmake(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_join_over_the_budget_waits_for_its_time),
        cmocka_unit_test(what_comes_behind_a_held_join_is_handled_behind_it),
        cmocka_unit_test(a_right_and_a_wrong_guess_take_the_same_way),
        cmocka_unit_test(a_join_is_held_once_only),
        cmocka_unit_test(a_join_by_way_of_another_shard_is_held_there),
        cmocka_unit_test(who_is_held_has_left_the_room_before),
        cmocka_unit_test(a_full_room_answers_behind_the_hold),
        cmocka_unit_test(the_end_of_a_held_client_is_noticed),
        cmocka_unit_test(a_server_that_stops_closes_who_is_held),
        cmocka_unit_test(who_is_held_is_not_taken_for_silent),
        cmocka_unit_test(a_join_that_was_held_is_refused_when_the_server_is_overloaded_then),
        cmocka_unit_test(a_family_that_comes_again_and_again_is_not_held),
        cmocka_unit_test(a_room_whose_join_was_held_is_known_afterwards),
        cmocka_unit_test(a_long_codeword_is_not_held),
        cmocka_unit_test(who_has_no_account_is_not_held),
        cmocka_unit_test(a_rate_of_zero_holds_nobody),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
