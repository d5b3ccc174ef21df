/* Sessions of groups without threads: a lobby and two shards, each with a loop of its own, which the test
 * turns one after the other. The hand-over from group to group is a list that the test empties, so every
 * order of events is the test's choice, and a shared fact (a counter, the budget, a place) can be looked at
 * in between. */
#include "session/session_host.h"
#include "session/session_life.h"

#include "support/wire.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>

enum { SHARDS = 2, LOBBY = SHARDS, GROUPS, MAX_CLIENTS = 8, NEVER_MS = 3600 * 1000 };

typedef struct fixture {
    session_shared shared;
    net_loop loops[GROUPS];
    session_group groups[GROUPS];
    connection_queue detached; /* handed over and not delivered yet */
    bool is_mail_held;         /* the test delivers them itself */
    wire_peer clients[MAX_CLIENTS];
    int client_count;
    int socket_type;        /* of clients to come */
    int gone;               /* sessions that were told to be gone */
    client_account account; /* of all clients */
    char rooms[SHARDS][2][32];
} fixture;

/* ---- The groups ---- */

static void hand_over(session_group *group, session *s, int shard)
{
    fixture *f = group->shared->context;
    assert_true(shard >= 0 && shard < SHARDS);
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
    fixture *f = group->shared->context;
    assert_ptr_equal(s->connection.allowance, &f->account.allowance);
    f->gone++;
}

static session *take_detached(fixture *f)
{
    connection_entry *entry = STAILQ_FIRST(&f->detached);
    if (entry == NULL)
        return NULL;
    STAILQ_REMOVE_HEAD(&f->detached, queued);
    return session_of(connection_of(entry));
}

/* Turn every loop until nothing more can happen: a session is handed over twice at most, lobby to shard to
 * shard. */
static void settle(fixture *f)
{
    for (int round = 0; round < 4; round++) {
        for (session *s; !f->is_mail_held && (s = take_detached(f)) != NULL;)
            session_attach(s, &f->groups[s->participant.join.next_shard]);
        for (int i = 0; i < GROUPS; i++)
            wire_turn(&f->loops[i]);
    }
}

/* How many signals of any type have had this outcome in a group. */
static uint64_t signals(const fixture *f, int group, room_outcome outcome)
{
    uint64_t count = 0;
    for (int type = 0; type < SIGNAL_KINDS; type++)
        count += counter_get(&f->groups[group].counters.signals[type][outcome]);
    return count;
}

/* Codewords by shard, found by trying: the session's own choice tells where a room lives. */
static void find_rooms(fixture *f)
{
    int found[SHARDS] = {0};
    for (int i = 0; found[0] < 2 || found[1] < 2; i++) {
        char name[32];
        snprintf(name, sizeof(name), "room %d", i);
        uint64_t upper = keyed_hash_of(&f->shared.hash, slice_of_text(name)) >> 32;
        int shard = (int)(upper * SHARDS >> 32);
        if (found[shard] < 2)
            memcpy(f->rooms[shard][found[shard]++], name, sizeof(name));
    }
}

static fixture *make(void)
{
    fixture *f = calloc(1, sizeof(*f));
    assert_non_null(f);
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
    };
    f->socket_type = SOCK_STREAM;
    f->shared.hash = (keyed_hash){{7, 7, 7}};
    f->shared.budget.limit = 1024 * 1024;
    STAILQ_INIT(&f->detached);
    find_rooms(f);
    return f;
}

/* The groups take their limits from here on. */
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
    for (session *s; (s = take_detached(f)) != NULL;)
        session_abandon(s);
    for (int i = 0; i < GROUPS; i++) {
        session_group_drop_all(&f->groups[i]);
        net_loop_end_turn(&f->loops[i]);
        assert_int_equal(f->groups[i].connections.count, 0);
        session_group_deinit(&f->groups[i]);
        net_loop_deinit(&f->loops[i]);
    }
    assert_int_equal(f->gone, f->client_count);
    assert_int_equal(f->shared.budget.taken, 0);
    for (int i = 0; i < f->client_count; i++)
        wire_close(&f->clients[i]);
    free(f);
}

/* ---- The clients ---- */

static wire_peer *dial(fixture *f, const char *refusal)
{
    assert_true(f->client_count < MAX_CLIENTS);
    wire_peer *client = &f->clients[f->client_count++];
    int fd = wire_open(client, f->socket_type);
    const session_start start = {
        .fd = fd, .id = (uint64_t)f->client_count, .client = &f->account, .refusal = refusal};
    assert_int_equal(session_open(&f->groups[LOBBY], &start), 0);
    return client;
}

static wire_peer *come(fixture *f)
{
    wire_peer *client = dial(f, NULL);
    wire_send(client, wire_request, strlen(wire_request));
    settle(f);
    wire_expect_upgraded(client);
    return client;
}

static void say(wire_peer *client, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void say(wire_peer *client, const char *format, ...)
{
    char text[1024];
    va_list arguments;
    va_start(arguments, format);
    int len = vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    assert_true(len >= 0 && (size_t)len < sizeof(text));
    wire_send_frame(client, WIRE_TEXT, text, (size_t)len);
}

static void join(wire_peer *client, const char *room, const char *user)
{
    say(client, "{\"type\":\"join\",\"room\":\"%s\",\"user\":\"%s\"}", room, user);
}

static wire_peer *come_and_join(fixture *f, const char *room, const char *user)
{
    wire_peer *client = come(f);
    join(client, room, user);
    settle(f);
    return client;
}

/* A candidate with a number in it, for tests of order. */
static void signal_number(wire_peer *client, int number)
{
    say(client, "{\"type\":\"candidate\",\"candidate\":\"%d\"}", number);
}

static void expect_number(wire_peer *client, const char *room, const char *from, int number)
{
    char text[256];
    snprintf(text, sizeof(text),
             "{\"type\":\"candidate\",\"room\":\"%s\",\"from\":\"%s\",\"candidate\":\"%d\"}", room, from,
             number);
    wire_expect_text(client, text);
}

static void expect_error(wire_peer *client, const char *message)
{
    char text[128];
    snprintf(text, sizeof(text), "{\"type\":\"error\",\"message\":\"%s\"}", message);
    wire_expect_text(client, text);
}

/* ---- Joining and moving ---- */

static void a_session_waits_in_the_lobby_and_moves_to_the_shard_of_its_room(void **state)
{
    (void)state;
    for (int shard = 0; shard < SHARDS; shard++) {
        fixture *f = start(make());
        wire_peer *anna = come(f);
        assert_int_equal(f->groups[LOBBY].connections.count, 1);
        join(anna, f->rooms[shard][0], "anna");
        settle(f);
        wire_expect_nothing(anna);
        assert_int_equal(f->groups[LOBBY].connections.count, 0);
        assert_int_equal(f->groups[shard].connections.count, 1);
        assert_int_equal(counter_get(&f->groups[LOBBY].counters.handed_over), 1);
        assert_int_equal(f->groups[shard].connections.count, 1);
        assert_int_equal(counter_get(&f->groups[shard].counters.members), 1);
        assert_int_equal(counter_get(&f->groups[shard].counters.rooms), 1);
        assert_int_equal(f->groups[LOBBY].connections.count, 0);
        unmake(f);
    }
}

static void rooms_spread_over_the_shards(void **state)
{
    (void)state;
    fixture *f = start(make());
    f->is_mail_held = true;
    int met[SHARDS] = {0};
    for (int i = 0; i < MAX_CLIENTS; i++) {
        char room[32];
        snprintf(room, sizeof(room), "%s", f->rooms[i % SHARDS][i / SHARDS % 2]);
        join(come(f), room, "anna");
        settle(f);
        session *s = take_detached(f);
        assert_non_null(s);
        met[s->participant.join.next_shard]++;
        session_abandon(s);
    }
    assert_int_equal(met[0], MAX_CLIENTS / 2);
    assert_int_equal(met[1], MAX_CLIENTS / 2);
    unmake(f);
}

static void what_follows_the_first_join_is_handled_behind_it(void **state)
{
    (void)state;
    fixture *f = start(make());
    wire_peer *anna = come(f);
    join(anna, f->rooms[0][0], "anna");
    for (int i = 0; i < 5; i++)
        signal_number(anna, i);
    f->is_mail_held = true;
    settle(f);
    signal_number(anna, 5);
    settle(f);
    wire_expect_nothing(anna);
    f->is_mail_held = false;
    settle(f);
    wire_expect_nothing(anna);
    assert_int_equal(counter_get(&f->groups[0].counters.pending_messages), 6);

    /* The whole queue goes out by one write, which this kind of socket shows. */
    f->socket_type = SOCK_SEQPACKET;
    wire_peer *bert = come_and_join(f, f->rooms[0][0], "bert");
    assert_true(wire_read_once(bert) > 0);
    assert_int_equal(wire_read_once(bert), -EAGAIN);
    for (int i = 0; i < 6; i++)
        expect_number(bert, f->rooms[0][0], "anna", i);
    wire_expect_nothing(bert);
    wire_expect_nothing(anna);
    assert_int_equal(signals(f, 0, ROOM_SIGNAL_DELIVERED), 6);
    unmake(f);
}

static void a_join_to_another_shard_leaves_the_room_and_moves(void **state)
{
    (void)state;
    fixture *f = start(make());
    wire_peer *anna = come_and_join(f, f->rooms[0][0], "anna");
    wire_peer *bert = come_and_join(f, f->rooms[0][0], "bert");
    wire_peer *carl = come_and_join(f, f->rooms[1][0], "carl");
    bytes *out = NULL;
    char text[128];
    int len =
        snprintf(text, sizeof(text), "{\"type\":\"join\",\"room\":\"%s\",\"user\":\"anna\"}", f->rooms[1][0]);
    wire_add_text(&out, "{\"type\":\"candidate\",\"candidate\":\"1\"}");
    wire_add_frame(&out, WIRE_TEXT, text, (size_t)len);
    wire_add_text(&out, "{\"type\":\"candidate\",\"candidate\":\"2\"}");
    wire_send_gathered(anna, &out);
    settle(f);
    expect_number(bert, f->rooms[0][0], "anna", 1);
    wire_expect_nothing(bert);
    expect_number(carl, f->rooms[1][0], "anna", 2);
    wire_expect_nothing(carl);
    wire_expect_nothing(anna);
    assert_int_equal(f->groups[0].connections.count, 1);
    assert_int_equal(f->groups[1].connections.count, 2);
    assert_int_equal(counter_get(&f->groups[0].counters.handed_over), 1);
    assert_int_equal(counter_get(&f->groups[0].counters.members), 1);
    unmake(f);
}

static void a_join_on_the_same_shard_moves_nowhere(void **state)
{
    (void)state;
    fixture *f = start(make());
    wire_peer *anna = come_and_join(f, f->rooms[0][0], "anna");
    signal_number(anna, 1);
    join(anna, f->rooms[0][1], "anna");
    settle(f);
    assert_int_equal(counter_get(&f->groups[0].counters.handed_over), 0);
    assert_int_equal(counter_get(&f->groups[0].counters.rooms), 1);
    assert_int_equal(signals(f, 0, ROOM_SIGNAL_DROPPED), 1);
    unmake(f);
}

static void the_same_join_again_changes_nothing(void **state)
{
    (void)state;
    fixture *f = start(make());
    wire_peer *anna = come_and_join(f, f->rooms[0][0], "anna");
    signal_number(anna, 1);
    join(anna, f->rooms[0][0], "anna");
    settle(f);
    wire_expect_nothing(anna);
    assert_int_equal(counter_get(&f->groups[0].counters.pending_messages), 1);
    unmake(f);
}

static void a_join_under_another_name_is_another_user(void **state)
{
    (void)state;
    fixture *f = start(make());
    wire_peer *anna = come_and_join(f, f->rooms[0][0], "anna");
    wire_peer *bert = come_and_join(f, f->rooms[0][0], "bert");
    join(anna, f->rooms[0][0], "anne");
    signal_number(anna, 1);
    settle(f);
    expect_number(bert, f->rooms[0][0], "anne", 1);
    wire_expect_nothing(anna);
    assert_int_equal(counter_get(&f->groups[0].counters.members), 2);
    unmake(f);
}

static void a_session_stays_where_it_is_after_its_leave(void **state)
{
    (void)state;
    fixture *f = start(make());
    wire_peer *anna = come_and_join(f, f->rooms[1][0], "anna");
    say(anna, "{\"type\":\"leave\"}");
    settle(f);
    assert_int_equal(f->groups[1].connections.count, 1);
    assert_int_equal(counter_get(&f->groups[1].counters.rooms), 0);
    signal_number(anna, 1);
    settle(f);
    expect_error(anna, "Join the room first");
    unmake(f);
}

static void a_takeover_closes_the_old_connection_whose_late_end_removes_nobody(void **state)
{
    (void)state;
    fixture *f = start(make());
    wire_peer *old = come_and_join(f, f->rooms[0][0], "anna");
    wire_peer *bert = come_and_join(f, f->rooms[0][0], "bert");
    wire_peer *new = come_and_join(f, f->rooms[0][0], "anna");
    wire_expect_close(old, WS_CLOSE_TAKEN_OVER);
    wire_expect_end(old);
    say(old, "{\"type\":\"leave\"}");
    settle(f);
    wire_close(old);
    settle(f);
    assert_int_equal(f->gone, 1);
    signal_number(bert, 1);
    settle(f);
    expect_number(new, f->rooms[0][0], "bert", 1);
    assert_int_equal(counter_get(&f->groups[0].counters.members), 2);
    unmake(f);
}

/* ---- Signals ---- */

static void each_kind_goes_to_the_peer_as_it_was_sent(void **state)
{
    (void)state;
    fixture *f = start(make());
    const char *room = f->rooms[0][0];
    wire_peer *anna = come_and_join(f, room, "anna");
    wire_peer *bert = come_and_join(f, room, "bert");
    say(anna, "{\"type\":\"offer\",\"sdp\":\"v=0\\r\\n\",\"from\":\"eve\",\"to\":\"x\",\"room\":\"%s\"}",
        room);
    say(anna, "{ \"candidate\" : null , \"type\" : \"candidate\" , \"more\" : [1] }");
    say(bert, "{\"type\":\"answer\",\"sdp\":{\"b\":1,\"a\":[2]}}");
    settle(f);
    char text[256];
    snprintf(text, sizeof(text),
             "{\"type\":\"offer\",\"room\":\"%s\",\"from\":\"anna\",\"sdp\":\"v=0\\r\\n\"}", room);
    wire_expect_text(bert, text);
    snprintf(text, sizeof(text),
             "{\"type\":\"candidate\",\"room\":\"%s\",\"from\":\"anna\",\"candidate\":null}", room);
    wire_expect_text(bert, text);
    snprintf(text, sizeof(text),
             "{\"type\":\"answer\",\"room\":\"%s\",\"from\":\"bert\",\"sdp\":{\"b\":1,\"a\":[2]}}", room);
    wire_expect_text(anna, text);
    wire_expect_nothing(anna);
    wire_expect_nothing(bert);
    assert_int_equal(signals(f, 0, ROOM_SIGNAL_RELAYED), 3);
    unmake(f);
}

static void a_signal_from_outside_its_room_is_refused_and_counted(void **state)
{
    (void)state;
    fixture *f = start(make());
    wire_peer *eve = come(f);
    signal_number(eve, 1);
    settle(f);
    expect_error(eve, "Join the room first");
    assert_int_equal(signals(f, LOBBY, ROOM_SIGNAL_REFUSED), 1);

    wire_peer *anna = come_and_join(f, f->rooms[0][0], "anna");
    join(eve, f->rooms[0][1], "eve");
    say(eve, "{\"type\":\"candidate\",\"candidate\":\"x\",\"room\":\"%s\"}", f->rooms[0][0]);
    settle(f);
    expect_error(eve, "Join the room first");
    wire_expect_nothing(anna);
    assert_int_equal(signals(f, 0, ROOM_SIGNAL_REFUSED), 1);
    assert_int_equal(counter_get(&f->groups[0].counters.pending_messages), 0);
    unmake(f);
}

static void a_full_queue_refuses_what_comes_and_keeps_what_is_there(void **state)
{
    (void)state;
    fixture *f = start(make());
    wire_peer *anna = come_and_join(f, f->rooms[0][0], "anna");
    for (int i = 0; i < 10; i++)
        signal_number(anna, i);
    settle(f);
    expect_error(anna, "Pending queue is full");
    expect_error(anna, "Pending queue is full");
    wire_expect_nothing(anna);
    assert_int_equal(signals(f, 0, ROOM_SIGNAL_QUEUED), 8);
    assert_int_equal(signals(f, 0, ROOM_SIGNAL_REFUSED), 2);
    wire_peer *bert = come_and_join(f, f->rooms[0][0], "bert");
    for (int i = 0; i < 8; i++)
        expect_number(bert, f->rooms[0][0], "anna", i);
    wire_expect_nothing(bert);
    unmake(f);
}

static void the_budget_of_all_queues_is_shared_by_the_shards_and_given_back(void **state)
{
    (void)state;
    fixture *f = start(make());
    wire_peer *anna = come_and_join(f, f->rooms[0][0], "anna");
    wire_peer *carl = come_and_join(f, f->rooms[1][0], "carl");
    signal_number(anna, 1);
    settle(f);
    assert_true(f->shared.budget.taken > 0);
    assert_int_equal(f->shared.budget.taken, counter_get(&f->groups[0].counters.pending_bytes));
    f->shared.budget.limit = 2 * f->shared.budget.taken - 1; /* a second one misses by one byte */
    signal_number(carl, 2);
    settle(f);
    expect_error(carl, "Pending queue is full");
    assert_int_equal(f->shared.budget.taken, counter_get(&f->groups[0].counters.pending_bytes));

    wire_peer *bert = come_and_join(f, f->rooms[0][0], "bert");
    expect_number(bert, f->rooms[0][0], "anna", 1);
    signal_number(carl, 7);
    settle(f);
    wire_expect_nothing(carl);
    assert_int_equal(f->shared.budget.taken, counter_get(&f->groups[1].counters.pending_bytes));
    say(carl, "{\"type\":\"leave\"}");
    settle(f);
    assert_int_equal(f->shared.budget.taken, 0);
    unmake(f);
}

static void a_peer_whose_connection_is_ending_takes_no_signal(void **state)
{
    (void)state;
    fixture *f = make();
    f->shared.net.max_output_bytes = f->shared.net.max_message_bytes;
    start(f);
    const char *room = f->rooms[0][0];
    wire_peer *anna = come_and_join(f, room, "anna");
    come_and_join(f, room, "bert");
    char sdp[901];
    memset(sdp, 'x', sizeof(sdp) - 1);
    sdp[sizeof(sdp) - 1] = '\0';
    for (int i = 0; i < 10000 && f->gone == 0; i++) { /* bert never reads */
        say(anna, "{\"type\":\"offer\",\"sdp\":\"%s\"}", sdp);
        settle(f);
    }
    assert_int_equal(f->gone, 1);
    assert_int_equal(counter_get(&f->groups[0].counters.members), 1);
    assert_int_equal(signals(f, 0, ROOM_SIGNAL_DROPPED), 1);
    signal_number(anna, 1);
    settle(f);
    assert_int_equal(counter_get(&f->groups[0].counters.pending_messages), 1);
    wire_expect_nothing(anna);
    unmake(f);
}

/* ---- Leaving and ending ---- */

static void a_leave_drops_the_queue_and_one_from_elsewhere_does_nothing(void **state)
{
    (void)state;
    fixture *f = start(make());
    wire_peer *anna = come(f);
    say(anna, "{\"type\":\"leave\"}");
    join(anna, f->rooms[0][0], "anna");
    signal_number(anna, 1);
    say(anna, "{\"type\":\"leave\",\"room\":\"another\"}");
    settle(f);
    wire_expect_nothing(anna);
    assert_int_equal(counter_get(&f->groups[0].counters.pending_messages), 1);
    say(anna, "{\"type\":\"leave\",\"room\":\"%s\",\"user\":\"somebody\"}", f->rooms[0][0]);
    say(anna, "{\"type\":\"leave\"}");
    settle(f);
    wire_expect_nothing(anna);
    assert_int_equal(counter_get(&f->groups[0].counters.pending_messages), 0);
    assert_int_equal(counter_get(&f->groups[0].counters.rooms), 0);
    unmake(f);
}

static void a_lost_connection_keeps_its_queue_for_its_time(void **state)
{
    (void)state;
    fixture *f = make();
    f->shared.limits.rooms.pending_ttl_ms = 10;
    start(f);
    wire_peer *anna = come_and_join(f, f->rooms[0][0], "anna");
    signal_number(anna, 1);
    settle(f);
    wire_close(anna);
    wire_turn(&f->loops[0]);
    assert_int_equal(counter_get(&f->groups[0].counters.members), 0);
    assert_int_equal(f->groups[0].connections.count, 0);
    while (counter_get(&f->groups[0].counters.rooms) > 0)
        assert_int_equal(net_loop_turn(&f->loops[0]), 0); /* waits for the ticker */
    assert_int_equal(signals(f, 0, ROOM_SIGNAL_DROPPED), 1);
    unmake(f);
}

static void whoever_comes_back_within_that_time_has_its_queue_again(void **state)
{
    (void)state;
    fixture *f = start(make());
    wire_peer *anna = come_and_join(f, f->rooms[0][0], "anna");
    signal_number(anna, 1);
    settle(f);
    wire_close(anna);
    settle(f);
    anna = come_and_join(f, f->rooms[0][0], "anna");
    wire_expect_nothing(anna); /* a user never gets back its own */
    wire_peer *bert = come_and_join(f, f->rooms[0][0], "bert");
    expect_number(bert, f->rooms[0][0], "anna", 1);
    unmake(f);
}

/* ---- The full room ---- */

static void a_newcomer_to_a_full_room_waits_for_the_answers_of_its_members(void **state)
{
    (void)state;
    fixture *f = start(make());
    const char *room = f->rooms[0][0];
    wire_peer *anna = come_and_join(f, room, "anna");
    wire_peer *bert = come_and_join(f, room, "bert");
    wire_peer *carl = come(f);
    join(carl, room, "carl");
    signal_number(carl, 1);
    settle(f);
    wire_expect_nothing(carl);
    wire_expect_frame(anna, WIRE_PING, NULL, 0);
    wire_expect_frame(bert, WIRE_PING, NULL, 0);
    wire_send_frame(anna, WIRE_PONG, NULL, 0);
    settle(f);
    wire_expect_nothing(carl);
    wire_send_frame(bert, WIRE_PONG, NULL, 0);
    settle(f);
    expect_error(carl, "Room is full");
    expect_error(carl, "Join the room first"); /* the signal that it sent in hope */
    wire_expect_nothing(anna);
    wire_expect_nothing(bert);
    unmake(f);
}

static void a_newcomer_gets_the_place_of_one_who_goes_and_what_it_sent_meanwhile_counts(void **state)
{
    (void)state;
    fixture *f = start(make());
    const char *room = f->rooms[0][0];
    wire_peer *anna = come_and_join(f, room, "anna");
    wire_peer *bert = come_and_join(f, room, "bert");
    wire_peer *carl = come(f);
    join(carl, room, "carl");
    for (int i = 0; i < 5; i++)
        signal_number(carl, i);
    settle(f);
    wire_expect_frame(anna, WIRE_PING, NULL, 0);
    say(bert, "{\"type\":\"leave\"}");
    settle(f);
    for (int i = 0; i < 5; i++)
        expect_number(anna, room, "carl", i);
    signal_number(anna, 9);
    settle(f);
    expect_number(carl, room, "anna", 9);
    wire_expect_nothing(carl);
    assert_int_equal(counter_get(&f->groups[0].counters.members), 2);
    unmake(f);
}

static void a_silent_member_is_dropped_for_the_newcomer(void **state)
{
    (void)state;
    fixture *f = make();
    f->shared.limits.rooms.probe_timeout_ms = 10;
    start(f);
    const char *room = f->rooms[0][0];
    wire_peer *anna = come_and_join(f, room, "anna");
    wire_peer *bert = come_and_join(f, room, "bert");
    wire_peer *carl = come_and_join(f, room, "carl");
    wire_expect_frame(anna, WIRE_PING, NULL, 0);
    wire_expect_frame(bert, WIRE_PING, NULL, 0);
    while (f->gone < 2)
        assert_int_equal(net_loop_turn(&f->loops[0]), 0); /* waits for the ticker */
    wire_expect_end(anna);
    wire_expect_end(bert);
    wire_expect_nothing(carl);
    signal_number(carl, 1);
    settle(f);
    assert_int_equal(counter_get(&f->groups[0].counters.members), 1);
    assert_int_equal(counter_get(&f->groups[0].counters.pending_messages), 1);
    unmake(f);
}

static void a_newcomer_who_goes_away_or_is_replaced_while_it_waits_is_forgotten(void **state)
{
    (void)state;
    fixture *f = start(make());
    const char *room = f->rooms[0][0];
    wire_peer *anna = come_and_join(f, room, "anna");
    wire_peer *bert = come_and_join(f, room, "bert");
    wire_peer *carl = come_and_join(f, room, "carl");
    wire_peer *again = come_and_join(f, room, "carl");
    wire_expect_close(carl, WS_CLOSE_TAKEN_OVER);
    wire_close(again);
    settle(f);
    wire_send_frame(anna, WIRE_PONG, NULL, 0);
    wire_send_frame(bert, WIRE_PONG, NULL, 0);
    settle(f);
    assert_int_equal(f->gone, 1);
    assert_int_equal(counter_get(&f->groups[0].counters.members), 2);
    unmake(f);
}

/* ---- Faults ---- */

static void data_that_is_no_message_is_answered_and_the_connection_goes_on(void **state)
{
    (void)state;
    static const char *const faults[] = {
        "",
        "x",
        "[]",
        "{}",
        "{\"type\":\"joi\"}",
        "{\"type\":\"join\"}",
        "{\"type\":\"join\",\"room\":\"r\",\"user\":\" \"}",
        "{\"type\":\"join\",\"room\":7,\"user\":\"u\"}",
        "{\"type\":\"offer\"}",
        "{\"type\":\"offer\",\"sdp\":7}",
        "{\"type\":\"candidate\"}",
        "{\"type\":\"error\"}",
    };
    fixture *f = start(make());
    wire_peer *anna = come(f);
    for (size_t i = 0; i < sizeof(faults) / sizeof(faults[0]); i++) {
        wire_send_text(anna, faults[i]);
        settle(f);
        expect_error(anna, "Invalid message");
    }
    wire_send_frame(anna, WIRE_BINARY, "{\"type\":\"leave\"}", 16);
    settle(f);
    expect_error(anna, "Invalid message");
    join(anna, f->rooms[0][0], "anna");
    settle(f);
    wire_expect_nothing(anna);
    assert_int_equal(counter_get(&f->groups[0].counters.members), 1);
    unmake(f);
}

static void a_name_may_be_as_long_as_its_limit(void **state)
{
    (void)state;
    fixture *f = make();
    f->shared.limits.dialects.max_name_bytes = 8;
    start(f);
    wire_peer *anna = come(f);
    join(anna, "12345678", "12345678");
    settle(f);
    wire_expect_nothing(anna);
    join(anna, "12345678", "123456789");
    settle(f);
    expect_error(anna, "Invalid message");
    unmake(f);
}

static void a_client_that_keeps_sending_faults_is_closed(void **state)
{
    (void)state;
    fixture *f = make();
    f->shared.limits.dialects.faults = (token_bucket_rate){.per_second = 1, .burst = 3};
    start(f);
    wire_peer *anna = come(f);
    bytes *out = NULL;
    for (int i = 0; i < 6; i++)
        wire_add_text(&out, "x");
    wire_send_gathered(anna, &out);
    settle(f);
    for (int i = 0; i < 4; i++)
        expect_error(anna, "Invalid message");
    wire_expect_close(anna, WS_CLOSE_POLICY);
    wire_expect_end(anna);
    unmake(f);
}

static void a_client_that_reports_faults_is_not_answered(void **state)
{
    (void)state;
    fixture *f = make();
    f->shared.limits.dialects.faults = (token_bucket_rate){.per_second = 1, .burst = 3};
    start(f);
    wire_peer *anna = come(f);
    for (int i = 0; i < 10; i++)
        say(anna, "{\"type\":\"error\",\"message\":\"no camera\"}");
    settle(f);
    wire_expect_nothing(anna);
    unmake(f);
}

/* ---- The group ---- */

static void a_refused_session_is_answered_with_503_and_gives_its_place_back(void **state)
{
    (void)state;
    fixture *f = start(make());
    wire_peer *anna = dial(f, "too many connections");
    settle(f);
    wire_expect_fault(anna, "503");
    assert_int_equal(counter_get(&f->groups[LOBBY].counters.accepted), 1);
    assert_int_equal(counter_get(&f->groups[LOBBY].connections.counters.handshakes[NET_HANDSHAKE_503]), 1);
    assert_int_equal(f->gone, 0);
    wire_close(anna);
    settle(f);
    assert_int_equal(f->gone, 1);
    unmake(f);
}

static void a_session_that_comes_to_a_group_that_drains_is_told_to_go(void **state)
{
    (void)state;
    fixture *f = start(make());
    wire_peer *anna = come(f);
    join(anna, f->rooms[0][0], "anna");
    f->is_mail_held = true;
    settle(f);
    f->groups[0].is_draining = true;
    f->is_mail_held = false;
    settle(f);
    wire_expect_close(anna, WS_CLOSE_GOING_AWAY);
    wire_expect_end(anna);
    assert_int_equal(counter_get(&f->groups[0].counters.members), 0);
    unmake(f);
}

static void a_session_that_nobody_takes_any_more_comes_back_and_is_closed(void **state)
{
    (void)state;
    fixture *f = start(make());
    wire_peer *anna = come(f);
    join(anna, f->rooms[0][0], "anna");
    f->is_mail_held = true;
    settle(f);
    session_take_back(take_detached(f), &f->groups[LOBBY]);
    assert_true(f->groups[LOBBY].is_draining);
    settle(f);
    wire_expect_close(anna, WS_CLOSE_GOING_AWAY);
    wire_close(anna);
    settle(f);
    assert_int_equal(f->gone, 1);
    assert_int_equal(f->groups[LOBBY].connections.count, 0);
    unmake(f);
}

static void a_session_that_is_abandoned_gives_its_place_back(void **state)
{
    (void)state;
    fixture *f = start(make());
    wire_peer *anna = come(f);
    join(anna, f->rooms[0][0], "anna");
    f->is_mail_held = true;
    settle(f);
    session_abandon(take_detached(f));
    assert_int_equal(f->gone, 1);
    wire_expect_end(anna);
    unmake(f);
}

static void a_session_out_of_a_mailbox_does_not_take_its_link_for_a_waiter(void **state)
{
    (void)state;
    fixture *f = start(make());
    wire_peer *anna = come(f);
    wire_peer *bert = come(f);
    wire_peer *carl = come(f);
    join(anna, f->rooms[0][0], "anna");
    f->is_mail_held = true;
    settle(f);
    join(bert, f->rooms[0][0], "bert");
    settle(f);
    join(carl, f->rooms[0][0], "carl");
    settle(f);

    session_abandon(take_detached(f)); /* its link still tells of the next one */
    wire_expect_end(anna);
    session_attach(take_detached(f), &f->groups[0]);
    wire_close(bert);
    settle(f);
    f->is_mail_held = false;
    settle(f);
    assert_int_equal(f->gone, 2);
    assert_int_equal(counter_get(&f->groups[0].counters.members), 1);
    unmake(f);
}

static void closing_all_reaches_members_waiters_and_the_lobby(void **state)
{
    (void)state;
    fixture *f = start(make());
    const char *room = f->rooms[0][0];
    wire_peer *members[] = {come_and_join(f, room, "anna"), come_and_join(f, room, "bert"),
                            come_and_join(f, room, "carl")};
    wire_peer *idle = come(f);
    wire_peer *silent = dial(f, NULL);
    settle(f);
    wire_expect_frame(members[0], WIRE_PING, NULL, 0);
    wire_expect_frame(members[1], WIRE_PING, NULL, 0);
    for (int i = 0; i < GROUPS; i++)
        session_close_all(&f->groups[i]);
    settle(f);
    for (int i = 0; i < 3; i++)
        wire_expect_close(members[i], WS_CLOSE_GOING_AWAY);
    wire_expect_close(idle, WS_CLOSE_GOING_AWAY);
    wire_expect_fault(silent, "503");
    assert_int_equal(counter_get(&f->groups[0].counters.members), 0);
    assert_int_equal(counter_get(&f->groups[0].counters.rooms), 0);
    unmake(f);
}

static void a_descriptor_that_can_not_be_watched_is_refused_without_a_session(void **state)
{
    (void)state;
    fixture *f = start(make());
    int fd = open("/dev/null", O_RDWR | O_CLOEXEC);
    const session_start start_of_it = {.fd = fd, .id = 1, .client = &f->account};
    assert_true(session_open(&f->groups[LOBBY], &start_of_it) < 0);
    assert_int_equal(fcntl(fd, F_GETFD), -1);
    assert_int_equal(counter_get(&f->groups[LOBBY].counters.accepted), 0);
    assert_int_equal(f->gone, 0); /* the place is still the caller's */
    unmake(f);
}

/* A server holds thousands that are idle: a change here is one to decide, not to discover. */
static void a_session_stays_small(void **state)
{
    (void)state;
    assert_true(sizeof(session) <= 328); /* 336 with malloc's own eight bytes: nothing lost by its rounding */
}

static void be_silent(int severity, const char *message)
{
    (void)severity;
    (void)message;
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(a_session_waits_in_the_lobby_and_moves_to_the_shard_of_its_room),
    cmocka_unit_test(rooms_spread_over_the_shards),
    cmocka_unit_test(what_follows_the_first_join_is_handled_behind_it),
    cmocka_unit_test(a_join_to_another_shard_leaves_the_room_and_moves),
    cmocka_unit_test(a_join_on_the_same_shard_moves_nowhere),
    cmocka_unit_test(the_same_join_again_changes_nothing),
    cmocka_unit_test(a_join_under_another_name_is_another_user),
    cmocka_unit_test(a_session_stays_where_it_is_after_its_leave),
    cmocka_unit_test(a_takeover_closes_the_old_connection_whose_late_end_removes_nobody),
    cmocka_unit_test(each_kind_goes_to_the_peer_as_it_was_sent),
    cmocka_unit_test(a_signal_from_outside_its_room_is_refused_and_counted),
    cmocka_unit_test(a_full_queue_refuses_what_comes_and_keeps_what_is_there),
    cmocka_unit_test(the_budget_of_all_queues_is_shared_by_the_shards_and_given_back),
    cmocka_unit_test(a_peer_whose_connection_is_ending_takes_no_signal),
    cmocka_unit_test(a_leave_drops_the_queue_and_one_from_elsewhere_does_nothing),
    cmocka_unit_test(a_lost_connection_keeps_its_queue_for_its_time),
    cmocka_unit_test(whoever_comes_back_within_that_time_has_its_queue_again),
    cmocka_unit_test(a_newcomer_to_a_full_room_waits_for_the_answers_of_its_members),
    cmocka_unit_test(a_newcomer_gets_the_place_of_one_who_goes_and_what_it_sent_meanwhile_counts),
    cmocka_unit_test(a_silent_member_is_dropped_for_the_newcomer),
    cmocka_unit_test(a_newcomer_who_goes_away_or_is_replaced_while_it_waits_is_forgotten),
    cmocka_unit_test(data_that_is_no_message_is_answered_and_the_connection_goes_on),
    cmocka_unit_test(a_name_may_be_as_long_as_its_limit),
    cmocka_unit_test(a_client_that_keeps_sending_faults_is_closed),
    cmocka_unit_test(a_client_that_reports_faults_is_not_answered),
    cmocka_unit_test(a_refused_session_is_answered_with_503_and_gives_its_place_back),
    cmocka_unit_test(a_session_that_comes_to_a_group_that_drains_is_told_to_go),
    cmocka_unit_test(a_session_that_nobody_takes_any_more_comes_back_and_is_closed),
    cmocka_unit_test(a_session_that_is_abandoned_gives_its_place_back),
    cmocka_unit_test(a_session_out_of_a_mailbox_does_not_take_its_link_for_a_waiter),
    cmocka_unit_test(closing_all_reaches_members_waiters_and_the_lobby),
    cmocka_unit_test(a_descriptor_that_can_not_be_watched_is_refused_without_a_session),
    cmocka_unit_test(a_session_stays_small),
};

int main(void)
{
    event_set_log_callback(be_silent); /* a refused wait is what one of the tests is about */
    return cmocka_run_group_tests(tests, NULL, NULL);
}
