#include "rooms/room_manager.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "support/journal.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

/* The manager talks to scripted peers, and everything that it does outside is written down as one line of
 * text, so a test says what it does and then what must have happened, in order. */

enum { TTL_MS = 120000, PROBE_MS = 3000, START_MS = 1000000 };

typedef struct fixture {
    room_manager *manager;
    journal journal;
    size_t budget;
    size_t reserved;
    uint64_t now_ms;
} fixture;

typedef struct peer {
    room_peer room; /* first: what the manager knows of it */
    fixture *f;
    const char *name;     /* in the log */
    bool is_ending;       /* takes no more signals */
    uint64_t alive_ms;    /* when something was last read from it */
    bool was_read_before; /* its join was read some time before it gets here, by another thread */
} peer;

#define note(f, ...)        journal_note(&(f)->journal, __VA_ARGS__)
#define expect(f, expected) journal_expect(&(f)->journal, (expected))

static peer *peer_of(room_peer *p)
{
    return (peer *)p;
}

static bool send_to(room_peer *to, const room_signal *signal, const room_member *from)
{
    const peer *p = peer_of(to);
    assert_true(room_peer_is_joined(to));
    slice user = room_member_user(from);
    note(p->f, "send %s %.*s:", p->name, (int)user.len, user.data);
    for (int i = 0; i < signal->count; i++)
        note(p->f, "%.*s", (int)signal->parts[i].iov_len, (const char *)signal->parts[i].iov_base);
    note(p->f, "\n");
    return !p->is_ending;
}

static void on_probe(room_peer *asked)
{
    const peer *p = peer_of(asked);
    assert_true(room_peer_is_joined(asked));
    note(p->f, "probe %s\n", p->name);
}

static bool is_alive_since(const room_peer *asked, uint64_t since_ms)
{
    return ((const peer *)asked)->alive_ms > since_ms;
}

static void on_admitted(room_peer *admitted)
{
    const peer *p = peer_of(admitted);
    assert_true(room_peer_is_joined(admitted));
    note(p->f, "admit %s\n", p->name);
}

static void on_refused(room_peer *refused, const room_member *was)
{
    (void)was;
    const peer *p = peer_of(refused);
    assert_null(refused->member);
    note(p->f, "refuse %s\n", p->name);
}

static void on_replaced(room_peer *replaced, const room_member *was)
{
    const peer *p = peer_of(replaced);
    assert_null(replaced->member);
    assert_non_null(was);
    note(p->f, "replace %s\n", p->name);
}

static void on_dropped(room_peer *dropped)
{
    const peer *p = peer_of(dropped);
    assert_null(dropped->member);
    note(p->f, "drop %s\n", p->name);
}

static uint32_t account_of(const room_peer *p)
{
    (void)p;
    return 0;
}

static uint64_t id_of(const room_peer *p)
{
    return (uint64_t)((const peer *)p)->name[0];
}

static const room_peer_face face = {
    .kinds = UINT32_MAX,
    .version = 1,
    .has_users = true,
    .keeps_queue = true,
    .send = send_to,
    .probe = on_probe,
    .is_alive_since = is_alive_since,
    .on_admitted = on_admitted,
    .on_refused = on_refused,
    .on_replaced = on_replaced,
    .on_dropped = on_dropped,
    .account = account_of,
    .id = id_of,
};

static bool reserve(void *context, uint32_t account, size_t bytes)
{
    (void)account;
    fixture *f = context;
    if (bytes > f->budget - f->reserved)
        return false;
    f->reserved += bytes;
    return true;
}

static void release(void *context, uint32_t account, size_t bytes)
{
    (void)account;
    fixture *f = context;
    assert_true(bytes <= f->reserved);
    f->reserved -= bytes;
}

static void on_signal(void *context, const room_signal_report *report)
{
    static const char *const names[] = {"relayed", "queued", "delivered", "refused", "dropped"};
    fixture *f = context;
    slice room = room_member_room(report->from);
    slice from = room_member_user(report->from);
    slice to = report->to == NULL ? SLICE_LITERAL("") : room_member_user(report->to);
    const char *why = room_failure_text(report->failure);
    note(f, "%s %d/%zu %.*s:%.*s>%.*s", names[report->outcome], report->kind, report->bytes, (int)room.len,
         room.data, (int)from.len, from.data, (int)to.len, to.data);
    note(f, why == NULL ? "\n" : " (%s)\n", why);
}

static void open_manager(fixture *f, const room_limits *limits)
{
    static const keyed_hash key = {{7}};
    const room_effects effects = {
        .reserve = reserve,
        .release = release,
        .on_signal = on_signal,
        .context = f,
    };
    memset(f, 0, sizeof(*f));
    f->budget = 1000;
    f->now_ms = START_MS;
    assert_int_equal(room_manager_new(limits, &effects, &key, &f->manager), 0);
}

static void open_rooms_for(fixture *f, uint32_t capacity)
{
    const room_limits limits = {
        .capacity = capacity,
        .pending_max_messages = 4,
        .pending_max_bytes = 20,
        .pending_ttl_ms = TTL_MS,
        .probe_timeout_ms = PROBE_MS,
    };
    open_manager(f, &limits);
}

/* Free the manager; nothing may have been left behind or told on the way. */
static void close_rooms(fixture *f)
{
    expect(f, "");
    room_manager_free(f->manager);
    expect(f, "");
    assert_int_equal(f->reserved, 0);
}

static int join(peer *p, const char *room, const char *user)
{
    char room_json[64], user_json[64];
    slice room_text = {room_json, (size_t)snprintf(room_json, sizeof(room_json), "\"%s\"", room)};
    slice user_text = {user_json, (size_t)snprintf(user_json, sizeof(user_json), "\"%s\"", user)};
    if (!p->was_read_before)
        p->alive_ms = p->f->now_ms; /* the join was read from it */
    const room_join request = {.room = slice_of_text(room),
                               .user = slice_of_text(user),
                               .room_json = room_text,
                               .user_json = user_text,
                               .now_ms = p->f->now_ms};
    return room_manager_join(p->f->manager, &p->room, &request);
}

/* Join where that must succeed at once. */
static void enter(peer *p, const char *room, const char *user)
{
    assert_int_equal(join(p, room, user), ROOM_JOINED);
    assert_true(room_peer_is_joined(&p->room));
    assert_false(room_peer_is_waiting(&p->room));
}

/* Join where the room is full. */
static void wait_for(peer *p, const char *room, const char *user)
{
    assert_int_equal(join(p, room, user), ROOM_WAITING);
    assert_true(room_peer_is_waiting(&p->room));
    assert_false(room_peer_is_joined(&p->room));
}

static int signal_kind(peer *p, int kind, const char *text)
{
    char copy[64];
    size_t len = strlen(text);
    memcpy(copy, text, len + 1);
    struct iovec parts[2] = {{copy, len / 2}, {copy + len / 2, len - len / 2}};
    const room_signal signal = {.kind = kind, .count = 2, .parts = parts};
    return room_manager_signal(p->f->manager, &p->room, &signal, p->f->now_ms);
}

static void send_signal(peer *p, const char *text)
{
    assert_int_equal(signal_kind(p, 1, text), 0);
}

static void leave(peer *p)
{
    const room_leaving leaving = {.why = ROOM_NEWS_LEFT, .now_ms = p->f->now_ms};
    room_manager_leave(p->f->manager, &p->room, &leaving);
    assert_null(p->room.member);
}

static void lose(peer *p)
{
    room_manager_lose(p->f->manager, &p->room, p->f->now_ms);
    assert_null(p->room.member);
}

static void answer(peer *p)
{
    p->alive_ms = p->f->now_ms;
    room_manager_on_alive(p->f->manager, &p->room, p->f->now_ms);
}

static uint64_t pass(fixture *f, uint64_t ms)
{
    f->now_ms += ms;
    room_manager_tick(f->manager, f->now_ms);
    uint64_t due_ms = room_manager_next_due_ms(f->manager);
    assert_true(due_ms > f->now_ms);
    return due_ms;
}

static void expect_counts(const fixture *f, uint64_t rooms, uint64_t members, uint64_t waiters,
                          uint64_t messages, uint64_t bytes)
{
    room_counts counts = room_manager_counts(f->manager);
    assert_int_equal(counts.rooms, rooms);
    assert_int_equal(counts.members, members);
    assert_int_equal(counts.waiters, waiters);
    assert_int_equal(counts.pending_messages, messages);
    assert_int_equal(counts.pending_bytes, bytes);
    assert_int_equal(f->reserved, bytes);
}

static peer peer_named(fixture *f, const char *name)
{
    return (peer){.room = {.face = &face}, .f = f, .name = name};
}

#define PEERS(f)                                               \
    peer a = peer_named(&(f), "a"), b = peer_named(&(f), "b"); \
    peer c = peer_named(&(f), "c"), d = peer_named(&(f), "d"); \
    (void)a, (void)b, (void)c, (void)d

/* ---- Joining and leaving ---- */

static void a_manager_without_rooms_has_nothing_to_do(void **state)
{
    (void)state;
    fixture f;
    open_rooms_for(&f, 2);
    expect_counts(&f, 0, 0, 0, 0, 0);
    assert_true(room_manager_next_due_ms(f.manager) == UINT64_MAX);
    assert_true(pass(&f, 1) == UINT64_MAX);
    close_rooms(&f);
    room_manager_free(NULL);
}

static void a_room_lives_from_its_first_member_to_its_last(void **state)
{
    (void)state;
    fixture f;
    open_rooms_for(&f, 2);
    PEERS(f);
    enter(&a, "kitchen", "alice");
    expect_counts(&f, 1, 1, 0, 0, 0);
    enter(&b, "kitchen", "bob");
    expect_counts(&f, 1, 2, 0, 0, 0);
    leave(&a);
    expect_counts(&f, 1, 1, 0, 0, 0);
    lose(&b);
    expect_counts(&f, 0, 0, 0, 0, 0);
    assert_true(room_manager_next_due_ms(f.manager) == UINT64_MAX);
    close_rooms(&f);
}

static void a_member_keeps_the_names_that_it_joined_with(void **state)
{
    (void)state;
    fixture f;
    open_rooms_for(&f, 2);
    PEERS(f);
    char room[] = "a\nb", user[] = "x\"y";
    const room_join request = {.room = {room, 3},
                               .user = {user, 3},
                               .room_json = SLICE_LITERAL("\"a\\nb\""),
                               .user_json = SLICE_LITERAL("\"x\\\"y\""),
                               .now_ms = f.now_ms};
    assert_int_equal(room_manager_join(f.manager, &a.room, &request), ROOM_JOINED);
    memset(room, '?', sizeof(room));
    memset(user, '?', sizeof(user));
    assert_true(slice_equals(room_member_room(a.room.member), SLICE_LITERAL("a\nb")));
    assert_true(slice_equals(room_member_user(a.room.member), SLICE_LITERAL("x\"y")));
    assert_true(slice_equals(room_member_room_json(a.room.member), SLICE_LITERAL("\"a\\nb\"")));
    assert_true(slice_equals(room_member_user_json(a.room.member), SLICE_LITERAL("\"x\\\"y\"")));
    close_rooms(&f);
}

static void freeing_a_manager_frees_members_and_waiters_without_touching_peers(void **state)
{
    (void)state;
    fixture f;
    open_rooms_for(&f, 1);
    PEERS(f);
    enter(&a, "kitchen", "alice");
    wait_for(&b, "kitchen", "bob");
    enter(&c, "garden", "carol");
    expect(&f, "probe a\n");
    expect_counts(&f, 2, 2, 1, 0, 0);
    close_rooms(&f);
}

/* ---- Relaying ---- */

static void a_signal_goes_to_the_other_and_not_to_its_sender(void **state)
{
    (void)state;
    fixture f;
    open_rooms_for(&f, 2);
    PEERS(f);
    enter(&a, "kitchen", "alice");
    enter(&b, "kitchen", "bob");
    assert_int_equal(signal_kind(&a, 3, "hello"), 0);
    expect(&f, "send b alice:hello\nrelayed 3/5 kitchen:alice>bob\n");
    assert_int_equal(signal_kind(&b, 4, ""), 0);
    expect(&f, "send a bob:\nrelayed 4/0 kitchen:bob>alice\n");
    expect_counts(&f, 1, 2, 0, 0, 0);
    close_rooms(&f);
}

static void a_signal_in_a_larger_room_goes_to_everyone_else_with_a_report_for_each(void **state)
{
    (void)state;
    fixture f;
    open_rooms_for(&f, 3);
    PEERS(f);
    enter(&a, "kitchen", "alice");
    enter(&b, "kitchen", "bob");
    enter(&c, "kitchen", "carol");
    send_signal(&b, "hi");
    expect(&f, "send a bob:hi\nrelayed 1/2 kitchen:bob>alice\n"
               "send c bob:hi\nrelayed 1/2 kitchen:bob>carol\n");
    close_rooms(&f);
}

static void signals_stay_in_their_room_also_for_the_same_user_names(void **state)
{
    (void)state;
    fixture f;
    open_rooms_for(&f, 2);
    PEERS(f);
    enter(&a, "kitchen", "alice");
    enter(&b, "kitchen", "bob");
    enter(&c, "garden", "alice");
    enter(&d, "garden", "bob");
    send_signal(&c, "x");
    expect(&f, "send d alice:x\nrelayed 1/1 garden:alice>bob\n");
    close_rooms(&f);
}

static void a_signal_to_an_ending_connection_is_dropped_for_it_alone(void **state)
{
    (void)state;
    fixture f;
    open_rooms_for(&f, 3);
    PEERS(f);
    enter(&a, "kitchen", "alice");
    enter(&b, "kitchen", "bob");
    enter(&c, "kitchen", "carol");
    b.is_ending = true;
    send_signal(&a, "x");
    expect(&f, "send b alice:x\ndropped 1/1 kitchen:alice>bob (receiver is ending)\n"
               "send c alice:x\nrelayed 1/1 kitchen:alice>carol\n");
    close_rooms(&f);
}

/* ---- The queue ---- */

static void what_one_alone_sends_is_queued_and_delivered_in_order_before_anything_newer(void **state)
{
    (void)state;
    fixture f;
    open_rooms_for(&f, 2);
    PEERS(f);
    enter(&a, "kitchen", "alice");
    assert_int_equal(signal_kind(&a, 1, "offer"), 0);
    assert_int_equal(signal_kind(&a, 2, "cand"), 0);
    expect(&f, "queued 1/5 kitchen:alice>\nqueued 2/4 kitchen:alice>\n");
    expect_counts(&f, 1, 1, 0, 2, 9);
    assert_true(room_manager_next_due_ms(f.manager) == UINT64_MAX);

    enter(&b, "kitchen", "bob");
    send_signal(&a, "new");
    expect(&f, "send b alice:offer\ndelivered 1/5 kitchen:alice>bob\n"
               "send b alice:cand\ndelivered 2/4 kitchen:alice>bob\n"
               "send b alice:new\nrelayed 1/3 kitchen:alice>bob\n");
    expect_counts(&f, 1, 2, 0, 0, 0);
    close_rooms(&f);
}

static void a_queue_is_delivered_once(void **state)
{
    (void)state;
    fixture f;
    open_rooms_for(&f, 3);
    PEERS(f);
    enter(&a, "kitchen", "alice");
    send_signal(&a, "x");
    enter(&b, "kitchen", "bob");
    expect(&f, "queued 1/1 kitchen:alice>\nsend b alice:x\ndelivered 1/1 kitchen:alice>bob\n");
    enter(&c, "kitchen", "carol");
    leave(&a);
    leave(&b);
    leave(&c);
    expect_counts(&f, 0, 0, 0, 0, 0);
    close_rooms(&f);
}

static void the_one_who_stays_behind_queues_again_under_its_own_name(void **state)
{
    (void)state;
    fixture f;
    open_rooms_for(&f, 2);
    PEERS(f);
    enter(&a, "kitchen", "alice");
    enter(&b, "kitchen", "bob");
    leave(&a);
    send_signal(&b, "x");
    expect(&f, "queued 1/1 kitchen:bob>\n");
    enter(&c, "kitchen", "carol");
    expect(&f, "send c bob:x\ndelivered 1/1 kitchen:bob>carol\n");
    close_rooms(&f);
}

static void a_queue_for_an_ending_connection_is_dropped_and_gone(void **state)
{
    (void)state;
    fixture f;
    open_rooms_for(&f, 2);
    PEERS(f);
    enter(&a, "kitchen", "alice");
    send_signal(&a, "x");
    send_signal(&a, "y");
    b.is_ending = true;
    enter(&b, "kitchen", "bob");
    expect(&f, "queued 1/1 kitchen:alice>\nqueued 1/1 kitchen:alice>\n"
               "send b alice:x\ndropped 1/1 kitchen:alice>bob (receiver is ending)\n"
               "send b alice:y\ndropped 1/1 kitchen:alice>bob (receiver is ending)\n");
    expect_counts(&f, 1, 2, 0, 0, 0);
    close_rooms(&f);
}

static void a_full_queue_refuses_by_bytes_and_by_messages_and_keeps_what_it_has(void **state)
{
    (void)state;
    fixture f;
    open_rooms_for(&f, 2);
    PEERS(f);
    enter(&a, "kitchen", "alice");
    assert_int_equal(signal_kind(&a, 1, "123456789012345678901"), -ENOSPC);
    expect_counts(&f, 1, 1, 0, 0, 0);
    send_signal(&a, "12345678901234567890");
    assert_int_equal(signal_kind(&a, 1, "x"), -ENOSPC);
    expect(&f, "refused 1/21 kitchen:alice> (room queue is full)\n"
               "queued 1/20 kitchen:alice>\n"
               "refused 1/1 kitchen:alice> (room queue is full)\n");
    for (int i = 0; i < 3; i++)
        send_signal(&a, "");
    assert_int_equal(signal_kind(&a, 1, ""), -ENOSPC);
    expect(&f, "queued 1/0 kitchen:alice>\nqueued 1/0 kitchen:alice>\nqueued 1/0 kitchen:alice>\n"
               "refused 1/0 kitchen:alice> (room queue is full)\n");
    expect_counts(&f, 1, 1, 0, 4, 20);
    leave(&a);
    journal_clear(&f.journal);
    expect_counts(&f, 0, 0, 0, 0, 0);
    close_rooms(&f);
}

static void a_refused_first_signal_leaves_no_queue_behind(void **state)
{
    (void)state;
    fixture f;
    open_rooms_for(&f, 2);
    PEERS(f);
    f.budget = 0;
    enter(&a, "kitchen", "alice");
    assert_int_equal(signal_kind(&a, 1, "x"), -ENOSPC);
    expect(&f, "refused 1/1 kitchen:alice> (server queue budget is used up)\n");
    lose(&a);
    expect_counts(&f, 0, 0, 0, 0, 0);
    close_rooms(&f);
}

static void rooms_share_the_server_wide_budget(void **state)
{
    (void)state;
    fixture f;
    open_rooms_for(&f, 2);
    PEERS(f);
    f.budget = 5;
    enter(&a, "kitchen", "alice");
    enter(&b, "garden", "bob");
    send_signal(&a, "123");
    assert_int_equal(signal_kind(&b, 1, "123"), -ENOSPC);
    enter(&c, "kitchen", "carol");
    send_signal(&b, "123");
    expect(&f, "queued 1/3 kitchen:alice>\n"
               "refused 1/3 garden:bob> (server queue budget is used up)\n"
               "send c alice:123\ndelivered 1/3 kitchen:alice>carol\n"
               "queued 1/3 garden:bob>\n");
    leave(&b);
    expect(&f, "dropped 1/3 garden:bob> (sender left)\n");
    close_rooms(&f);
}

static void a_leave_drops_what_its_sender_has_queued(void **state)
{
    (void)state;
    fixture f;
    open_rooms_for(&f, 2);
    PEERS(f);
    enter(&a, "kitchen", "alice");
    send_signal(&a, "x");
    leave(&a);
    expect(&f, "queued 1/1 kitchen:alice>\ndropped 1/1 kitchen:alice> (sender left)\n");
    expect_counts(&f, 0, 0, 0, 0, 0);
    enter(&b, "kitchen", "bob");
    close_rooms(&f);
}

static void freeing_a_manager_drops_its_queues(void **state)
{
    (void)state;
    fixture f;
    open_rooms_for(&f, 2);
    PEERS(f);
    enter(&a, "kitchen", "alice");
    send_signal(&a, "x");
    enter(&b, "garden", "bob");
    send_signal(&b, "y");
    lose(&b);
    expect(&f, "queued 1/1 kitchen:alice>\nqueued 1/1 garden:bob>\n");
    room_manager_free(f.manager);
    expect(&f, "dropped 1/1 kitchen:alice> (server stops)\ndropped 1/1 garden:bob> (server stops)\n");
    assert_int_equal(f.reserved, 0);
}

/* ---- A lost owner ---- */

static void a_lost_owners_queue_is_delivered_to_another_user_within_the_ttl(void **state)
{
    (void)state;
    fixture f;
    open_rooms_for(&f, 2);
    PEERS(f);
    enter(&a, "kitchen", "alice");
    send_signal(&a, "x");
    lose(&a);
    expect_counts(&f, 1, 0, 0, 1, 1);
    assert_int_equal(room_manager_next_due_ms(f.manager), f.now_ms + TTL_MS);
    pass(&f, TTL_MS - 1);
    expect(&f, "queued 1/1 kitchen:alice>\n");
    enter(&b, "kitchen", "bob");
    expect(&f, "send b alice:x\ndelivered 1/1 kitchen:alice>bob\n");
    expect_counts(&f, 1, 1, 0, 0, 0);
    assert_true(pass(&f, 1) == UINT64_MAX);
    close_rooms(&f);
}

static void a_lost_owners_queue_expires_with_its_ttl_and_its_room(void **state)
{
    (void)state;
    fixture f;
    open_rooms_for(&f, 2);
    PEERS(f);
    enter(&a, "kitchen", "alice");
    send_signal(&a, "x");
    send_signal(&a, "y");
    lose(&a);
    pass(&f, TTL_MS - 1);
    expect_counts(&f, 1, 0, 0, 2, 2);
    pass(&f, 1);
    expect(&f, "queued 1/1 kitchen:alice>\nqueued 1/1 kitchen:alice>\n"
               "dropped 1/1 kitchen:alice> (expired)\ndropped 1/1 kitchen:alice> (expired)\n");
    expect_counts(&f, 0, 0, 0, 0, 0);
    close_rooms(&f);
}

static void queues_expire_each_at_its_own_time(void **state)
{
    (void)state;
    fixture f;
    open_rooms_for(&f, 2);
    PEERS(f);
    enter(&a, "kitchen", "alice");
    enter(&b, "garden", "bob");
    send_signal(&a, "x");
    send_signal(&b, "y");
    lose(&b);
    uint64_t first_ms = f.now_ms;
    pass(&f, 10);
    lose(&a);
    expect(&f, "queued 1/1 kitchen:alice>\nqueued 1/1 garden:bob>\n");
    assert_int_equal(room_manager_next_due_ms(f.manager), first_ms + TTL_MS);
    assert_int_equal(pass(&f, TTL_MS - 10), first_ms + 10 + TTL_MS);
    expect(&f, "dropped 1/1 garden:bob> (expired)\n");
    assert_true(pass(&f, 10) == UINT64_MAX);
    expect(&f, "dropped 1/1 kitchen:alice> (expired)\n");
    close_rooms(&f);
}

static void an_owner_who_comes_back_owns_its_queue_again_and_does_not_get_it(void **state)
{
    (void)state;
    fixture f;
    open_rooms_for(&f, 2);
    PEERS(f);
    enter(&a, "kitchen", "alice");
    send_signal(&a, "x");
    lose(&a);
    pass(&f, TTL_MS - 1);
    enter(&b, "kitchen", "alice");
    expect_counts(&f, 1, 1, 0, 1, 1);
    assert_true(pass(&f, TTL_MS) == UINT64_MAX);
    send_signal(&b, "y");
    enter(&c, "kitchen", "carol");
    expect(&f, "queued 1/1 kitchen:alice>\nqueued 1/1 kitchen:alice>\n"
               "send c alice:x\ndelivered 1/1 kitchen:alice>carol\n"
               "send c alice:y\ndelivered 1/1 kitchen:alice>carol\n");
    close_rooms(&f);
}

static void an_owner_who_came_back_can_be_lost_again_for_a_whole_ttl_or_leave(void **state)
{
    (void)state;
    fixture f;
    open_rooms_for(&f, 2);
    PEERS(f);
    enter(&a, "kitchen", "alice");
    send_signal(&a, "x");
    lose(&a);
    pass(&f, TTL_MS - 1);
    enter(&a, "kitchen", "alice");
    lose(&a);
    assert_int_equal(room_manager_next_due_ms(f.manager), f.now_ms + TTL_MS);
    pass(&f, TTL_MS - 1);
    enter(&a, "kitchen", "alice");
    leave(&a);
    expect(&f, "queued 1/1 kitchen:alice>\ndropped 1/1 kitchen:alice> (sender left)\n");
    expect_counts(&f, 0, 0, 0, 0, 0);
    close_rooms(&f);
}

static void a_ttl_of_zero_ends_a_lost_owners_queue_with_the_next_tick(void **state)
{
    (void)state;
    fixture f;
    const room_limits limits = {.capacity = 2, .pending_max_messages = 1, .pending_max_bytes = 1};
    open_manager(&f, &limits);
    PEERS(f);
    enter(&a, "kitchen", "alice");
    send_signal(&a, "x");
    lose(&a);
    assert_int_equal(room_manager_next_due_ms(f.manager), f.now_ms);
    pass(&f, 0);
    expect(&f, "queued 1/1 kitchen:alice>\ndropped 1/1 kitchen:alice> (expired)\n");
    close_rooms(&f);
}

/* ---- Takeover ---- */

static void a_user_who_comes_from_a_new_connection_takes_over_unnoticed(void **state)
{
    (void)state;
    fixture f;
    open_rooms_for(&f, 2);
    PEERS(f);
    enter(&a, "kitchen", "alice");
    enter(&b, "kitchen", "bob");
    enter(&c, "kitchen", "alice"); /* though the room is full */
    expect(&f, "replace a\n");
    expect_counts(&f, 1, 2, 0, 0, 0);
    send_signal(&b, "x");
    send_signal(&c, "y");
    expect(&f,
           "send c bob:x\nrelayed 1/1 kitchen:bob>alice\nsend b alice:y\nrelayed 1/1 kitchen:alice>bob\n");
    leave(&c);
    expect_counts(&f, 1, 1, 0, 0, 0);
    close_rooms(&f);
}

static void a_takeover_keeps_the_queue_with_the_user(void **state)
{
    (void)state;
    fixture f;
    open_rooms_for(&f, 2);
    PEERS(f);
    enter(&a, "kitchen", "alice");
    send_signal(&a, "x");
    enter(&b, "kitchen", "alice");
    expect(&f, "queued 1/1 kitchen:alice>\nreplace a\n");
    expect_counts(&f, 1, 1, 0, 1, 1);
    enter(&c, "kitchen", "carol");
    expect(&f, "send c alice:x\ndelivered 1/1 kitchen:alice>carol\n");
    close_rooms(&f);
}

static void a_takeover_in_a_room_for_one_never_waits(void **state)
{
    (void)state;
    fixture f;
    open_rooms_for(&f, 1);
    PEERS(f);
    enter(&a, "kitchen", "alice");
    enter(&b, "kitchen", "alice");
    enter(&a, "kitchen", "alice");
    expect(&f, "replace a\nreplace b\n");
    expect_counts(&f, 1, 1, 0, 0, 0);
    close_rooms(&f);
}

static void a_takeover_of_the_last_silent_member_refuses_the_waiter_at_once(void **state)
{
    (void)state;
    fixture f;
    open_rooms_for(&f, 2);
    PEERS(f);
    enter(&a, "kitchen", "alice");
    enter(&b, "kitchen", "bob");
    pass(&f, 10);
    wait_for(&c, "kitchen", "carol");
    answer(&a);
    expect(&f, "probe a\nprobe b\n");
    enter(&d, "kitchen", "bob");
    expect(&f, "replace b\nrefuse c\n");
    close_rooms(&f);
}

static void a_takeover_is_a_sign_of_life_also_when_the_join_was_read_before(void **state)
{
    (void)state;
    fixture f;
    open_rooms_for(&f, 1);
    PEERS(f);
    enter(&a, "kitchen", "alice");
    pass(&f, 10);
    wait_for(&b, "kitchen", "bob");
    pass(&f, 10);
    c.was_read_before = true;
    enter(&c, "kitchen", "alice");
    expect(&f, "probe a\nreplace a\nrefuse b\n");
    close_rooms(&f);
}

/* ---- Waiting before a full room ---- */

static void a_waiter_is_refused_as_soon_as_every_member_has_answered(void **state)
{
    (void)state;
    fixture f;
    open_rooms_for(&f, 2);
    PEERS(f);
    enter(&a, "kitchen", "alice");
    enter(&b, "kitchen", "bob");
    pass(&f, 10);
    wait_for(&c, "kitchen", "carol");
    expect(&f, "probe a\nprobe b\n");
    expect_counts(&f, 1, 2, 1, 0, 0);
    assert_int_equal(room_manager_next_due_ms(f.manager), f.now_ms + PROBE_MS);
    pass(&f, 10);
    answer(&b);
    answer(&b);
    expect(&f, "");
    answer(&a);
    expect(&f, "refuse c\n");
    expect_counts(&f, 1, 2, 0, 0, 0);
    assert_true(room_manager_next_due_ms(f.manager) == UINT64_MAX);
    close_rooms(&f);
}

static void a_silent_member_is_dropped_at_the_deadline_and_the_waiter_let_in(void **state)
{
    (void)state;
    fixture f;
    open_rooms_for(&f, 2);
    PEERS(f);
    enter(&a, "kitchen", "alice");
    enter(&b, "kitchen", "bob");
    pass(&f, 10);
    wait_for(&c, "kitchen", "carol");
    answer(&a);
    pass(&f, PROBE_MS - 1);
    expect(&f, "probe a\nprobe b\n");
    pass(&f, 1);
    expect(&f, "drop b\nadmit c\n");
    expect_counts(&f, 1, 2, 0, 0, 0);
    send_signal(&c, "x");
    expect(&f, "send a carol:x\nrelayed 1/1 kitchen:carol>alice\n");
    close_rooms(&f);
}

static void any_sign_of_life_saves_a_member_at_the_deadline(void **state)
{
    (void)state;
    fixture f;
    open_rooms_for(&f, 2);
    PEERS(f);
    enter(&a, "kitchen", "alice");
    enter(&b, "kitchen", "bob");
    pass(&f, 10);
    wait_for(&c, "kitchen", "carol");
    a.alive_ms = b.alive_ms = f.now_ms + 5; /* data, not a pong: the manager is not told */
    pass(&f, PROBE_MS);
    expect(&f, "probe a\nprobe b\nrefuse c\n");
    expect_counts(&f, 1, 2, 0, 0, 0);
    close_rooms(&f);
}

static void an_answer_of_one_and_another_sign_of_life_of_the_other_refuse_at_once(void **state)
{
    (void)state;
    fixture f;
    open_rooms_for(&f, 2);
    PEERS(f);
    enter(&a, "kitchen", "alice");
    enter(&b, "kitchen", "bob");
    pass(&f, 10);
    wait_for(&c, "kitchen", "carol");
    pass(&f, 10);
    a.alive_ms = f.now_ms;
    answer(&b);
    expect(&f, "probe a\nprobe b\nrefuse c\n");
    close_rooms(&f);
}

static void an_answer_from_before_the_question_counts_for_nothing(void **state)
{
    (void)state;
    fixture f;
    open_rooms_for(&f, 1);
    PEERS(f);
    enter(&a, "kitchen", "alice");
    pass(&f, 10);
    wait_for(&b, "kitchen", "bob");
    room_manager_on_alive(f.manager, &a.room, f.now_ms - 1);
    expect(&f, "probe a\n");
    pass(&f, PROBE_MS);
    expect(&f, "drop a\nadmit b\n");
    close_rooms(&f);
}

static void all_members_silent_make_room_for_as_many_waiters_in_order(void **state)
{
    (void)state;
    fixture f;
    open_rooms_for(&f, 2);
    PEERS(f);
    peer e = peer_named(&f, "e");
    enter(&a, "kitchen", "alice");
    enter(&b, "kitchen", "bob");
    pass(&f, 10);
    wait_for(&c, "kitchen", "carol");
    wait_for(&d, "kitchen", "dave");
    wait_for(&e, "kitchen", "eve");
    expect(&f, "probe a\nprobe b\n"); /* asked once for all */
    pass(&f, PROBE_MS);
    expect(&f, "drop a\ndrop b\nadmit c\nadmit d\nrefuse e\n");
    expect_counts(&f, 1, 2, 0, 0, 0);
    close_rooms(&f);
}

static void a_later_waiter_asks_again_only_those_who_have_answered(void **state)
{
    (void)state;
    fixture f;
    open_rooms_for(&f, 2);
    PEERS(f);
    enter(&a, "kitchen", "alice");
    enter(&b, "kitchen", "bob");
    pass(&f, 10);
    wait_for(&c, "kitchen", "carol");
    pass(&f, 10);
    answer(&a);
    expect(&f, "probe a\nprobe b\n");
    pass(&f, 1000);
    wait_for(&d, "kitchen", "dave");
    expect(&f, "probe a\n");
    pass(&f, PROBE_MS - 1010);
    /* Alice answered Carol's question and still has time for Dave's. Bob, who never did, makes room for
     * Carol. */
    expect(&f, "drop b\nadmit c\n");
    answer(&a);
    expect(&f, "refuse d\n");
    close_rooms(&f);
}

static void an_answer_after_both_came_serves_both_waiters(void **state)
{
    (void)state;
    fixture f;
    open_rooms_for(&f, 1);
    PEERS(f);
    enter(&a, "kitchen", "alice");
    pass(&f, 10);
    wait_for(&b, "kitchen", "bob");
    pass(&f, 10);
    wait_for(&c, "kitchen", "carol");
    pass(&f, 10);
    expect(&f, "probe a\n");
    answer(&a);
    expect(&f, "refuse b\nrefuse c\n");
    close_rooms(&f);
}

static void a_member_let_in_meanwhile_is_not_dropped_for_those_who_still_wait(void **state)
{
    (void)state;
    fixture f;
    open_rooms_for(&f, 1);
    PEERS(f);
    enter(&a, "kitchen", "alice");
    pass(&f, 10);
    wait_for(&b, "kitchen", "bob");
    pass(&f, 10);
    wait_for(&c, "kitchen", "carol");
    expect(&f, "probe a\n");
    pass(&f, PROBE_MS - 10);
    expect(&f, "drop a\nadmit b\nrefuse c\n");
    close_rooms(&f);
}

static void a_new_round_asks_everyone_whatever_an_old_one_left_open(void **state)
{
    (void)state;
    fixture f;
    open_rooms_for(&f, 1);
    PEERS(f);
    enter(&a, "kitchen", "alice");
    pass(&f, 10);
    wait_for(&b, "kitchen", "bob");
    leave(&b);
    expect_counts(&f, 1, 1, 0, 0, 0);
    assert_true(pass(&f, PROBE_MS) == UINT64_MAX);
    expect(&f, "probe a\n");
    wait_for(&c, "kitchen", "carol");
    expect(&f, "probe a\n");
    pass(&f, PROBE_MS - 1);
    expect(&f, "");
    answer(&a);
    expect(&f, "refuse c\n");
    close_rooms(&f);
}

static void newcomers_who_come_and_go_have_a_member_asked_once_in_its_time(void **state)
{
    (void)state;
    fixture f;
    open_rooms_for(&f, 1);
    PEERS(f);
    enter(&a, "kitchen", "alice");
    for (int i = 0; i < 10; i++) {
        pass(&f, 10);
        wait_for(&b, "kitchen", "bob");
        leave(&b);
    }
    expect(&f, "probe a\n");

    /* The question that was asked for the first of them serves the last as well, whichever way it goes. */
    pass(&f, 10);
    wait_for(&b, "kitchen", "bob");
    answer(&a);
    expect(&f, "refuse b\n");
    pass(&f, 1000);
    wait_for(&b, "kitchen", "bob");
    pass(&f, PROBE_MS);
    expect(&f, "probe a\ndrop a\nadmit b\n");
    close_rooms(&f);
}

static void an_answer_counts_also_while_nobody_waits(void **state)
{
    (void)state;
    fixture f;
    open_rooms_for(&f, 1);
    PEERS(f);
    enter(&a, "kitchen", "alice");
    pass(&f, 10);
    wait_for(&b, "kitchen", "bob");
    leave(&b);
    room_manager_on_alive(f.manager, &a.room, f.now_ms);
    assert_int_equal(join(&c, "kitchen", "carol"), ROOM_FULL); /* she has answered just now */
    expect(&f, "probe a\n");
    pass(&f, 1000);
    wait_for(&c, "kitchen", "carol");
    expect(&f, "probe a\n");
    answer(&a);
    expect(&f, "refuse c\n");
    close_rooms(&f);
}

static void a_member_is_asked_once_a_second_however_many_newcomers_come(void **state)
{
    (void)state;
    fixture f;
    open_rooms_for(&f, 1);
    PEERS(f);
    enter(&a, "kitchen", "alice");
    for (int i = 0; i < 3000; i++) { /* for three seconds */
        int result = join(&b, "kitchen", "bob");
        if (result == ROOM_WAITING)
            answer(&a);
        else
            assert_int_equal(result, ROOM_FULL);
        assert_null(b.room.member);
        pass(&f, 1);
    }
    expect(&f, "probe a\nrefuse b\nprobe a\nrefuse b\nprobe a\nrefuse b\n");
    close_rooms(&f);
}

/* ---- Those who were members ---- */

static void one_who_was_lost_goes_before_strangers(void **state)
{
    (void)state;
    fixture f;
    open_rooms_for(&f, 2);
    PEERS(f);
    enter(&a, "kitchen", "alice");
    enter(&b, "kitchen", "bob");
    pass(&f, 10);
    wait_for(&c, "kitchen", "carol");
    lose(&b);
    expect(&f, "probe a\nprobe b\nadmit c\n");
    wait_for(&d, "kitchen", "dave");
    wait_for(&b, "kitchen", "bob");
    journal_clear(&f.journal);
    leave(&c);
    expect(&f, "admit b\n");
    close_rooms(&f);
}

static void a_line_of_strangers_makes_place_for_one_who_was_lost(void **state)
{
    enum { LINE = 64 };
    (void)state;
    fixture f;
    open_rooms_for(&f, 2);
    PEERS(f);
    enter(&a, "kitchen", "alice");
    enter(&b, "kitchen", "bob");
    pass(&f, 10);
    wait_for(&c, "kitchen", "carol");
    lose(&b);
    peer line[LINE];
    char names[LINE][16];
    for (int i = 0; i < LINE; i++) {
        line[i] = peer_named(&f, i == LINE - 1 ? "last" : "waiter");
        snprintf(names[i], sizeof(names[i]), "w%d", i);
        wait_for(&line[i], "kitchen", names[i]);
    }
    journal_clear(&f.journal);
    wait_for(&b, "kitchen", "bob");
    expect(&f, "refuse last\n");
    expect_counts(&f, 1, 2, LINE, 0, 0);
    assert_int_equal(join(&d, "kitchen", "dave"), ROOM_FULL);
    pass(&f, PROBE_MS);
    assert_non_null(
        strstr(f.journal.text, "admit b\n")); /* nobody has answered: b is the first who gets in */
    assert_true(strstr(f.journal.text, "admit b\n") < strstr(f.journal.text, "admit waiter\n"));
    journal_clear(&f.journal);
    close_rooms(&f);
}

/* Whatever keeps its room open, company, a newcomer or its queue. */
static void one_who_was_lost_is_known_as_long_as_its_room_lasts(void **state)
{
    enum { COMPANY, NEWCOMER, QUEUE, WAYS };
    (void)state;
    for (int way = 0; way < WAYS; way++) {
        fixture f;
        open_rooms_for(&f, way == COMPANY ? 2 : 1);
        PEERS(f);
        peer first = peer_named(&f, "first");
        enter(&a, "kitchen", "alice");
        pass(&f, 10);
        if (way == COMPANY)
            enter(&d, "kitchen", "dave");
        if (way == NEWCOMER)
            wait_for(&b, "kitchen", "bob");
        if (way == QUEUE)
            send_signal(&a, "x");
        lose(&a);
        if (way != NEWCOMER)
            enter(&b, "kitchen", "bob");
        pass(&f, 10);
        wait_for(&first, "kitchen", "carol");
        wait_for(&a, "kitchen", "alice");
        journal_clear(&f.journal);
        leave(&b);
        assert_non_null(strstr(f.journal.text, "admit a\n"));
        journal_clear(&f.journal);
        close_rooms(&f);
    }
}

static void one_who_has_left_or_was_lost_long_ago_is_a_stranger(void **state)
{
    for (int has_left = 0; has_left < 2; has_left++) {
        (void)state;
        fixture f;
        open_rooms_for(&f, 1);
        PEERS(f);
        enter(&a, "kitchen", "alice");
        pass(&f, 10);
        wait_for(&b, "kitchen", "bob");
        if (has_left)
            leave(&a);
        else
            lose(&a);
        expect(&f, "probe a\nadmit b\n");
        if (!has_left)
            pass(&f, TTL_MS + 1);
        wait_for(&c, "kitchen", "carol");
        wait_for(&a, "kitchen", "alice");
        expect(&f, "probe b\n");
        leave(&b);
        expect(&f, "admit c\nrefuse a\n");
        close_rooms(&f);
    }
}

static void the_line_before_a_room_is_bounded(void **state)
{
    enum { LINE = 64 };
    (void)state;
    fixture f;
    open_rooms_for(&f, 1);
    PEERS(f);
    enter(&a, "kitchen", "alice");
    peer line[LINE];
    char names[LINE][16];
    for (int i = 0; i < LINE; i++) {
        line[i] = peer_named(&f, "waiter");
        snprintf(names[i], sizeof(names[i]), "w%d", i);
        wait_for(&line[i], "kitchen", names[i]);
    }
    assert_int_equal(join(&b, "kitchen", "bob"), ROOM_FULL);
    assert_null(b.room.member);
    expect_counts(&f, 1, 1, LINE, 0, 0);

    /* One goes, and one more fits. */
    lose(&line[7]);
    wait_for(&b, "kitchen", "bob");
    expect(&f, "probe a\n");
    close_rooms(&f);
}

static void a_leave_lets_the_first_waiter_in_at_once(void **state)
{
    (void)state;
    fixture f;
    open_rooms_for(&f, 2);
    PEERS(f);
    enter(&a, "kitchen", "alice");
    enter(&b, "kitchen", "bob");
    pass(&f, 10);
    wait_for(&c, "kitchen", "carol");
    wait_for(&d, "kitchen", "dave");
    leave(&a);
    expect(&f, "probe a\nprobe b\nadmit c\n");
    lose(&b);
    expect(&f, "admit d\n");
    expect_counts(&f, 1, 2, 0, 0, 0);
    assert_true(room_manager_next_due_ms(f.manager) == UINT64_MAX);
    close_rooms(&f);
}

static void a_leave_of_the_last_silent_member_decides_for_the_others_who_wait(void **state)
{
    (void)state;
    fixture f;
    open_rooms_for(&f, 2);
    PEERS(f);
    enter(&a, "kitchen", "alice");
    enter(&b, "kitchen", "bob");
    pass(&f, 10);
    wait_for(&c, "kitchen", "carol");
    wait_for(&d, "kitchen", "dave");
    answer(&a);
    leave(&b);
    expect(&f, "probe a\nprobe b\nadmit c\nrefuse d\n");
    close_rooms(&f);
}

static void one_who_leaves_the_line_loses_its_place_and_is_never_called(void **state)
{
    (void)state;
    fixture f;
    open_rooms_for(&f, 1);
    PEERS(f);
    enter(&a, "kitchen", "alice");
    pass(&f, 10);
    wait_for(&b, "kitchen", "bob");
    wait_for(&c, "kitchen", "carol");
    leave(&b);
    leave(&a);
    expect(&f, "probe a\nadmit c\n");
    close_rooms(&f);
}

static void a_waiter_who_comes_again_is_replaced_and_keeps_place_and_deadline(void **state)
{
    (void)state;
    fixture f;
    open_rooms_for(&f, 1);
    PEERS(f);
    enter(&a, "kitchen", "alice");
    pass(&f, 10);
    wait_for(&b, "kitchen", "bob");
    wait_for(&c, "kitchen", "carol");
    uint64_t due_ms = room_manager_next_due_ms(f.manager);
    pass(&f, 10);
    wait_for(&d, "kitchen", "bob");
    expect(&f, "probe a\nreplace b\n");
    expect_counts(&f, 1, 1, 2, 0, 0);
    assert_int_equal(room_manager_next_due_ms(f.manager), due_ms);
    leave(&a);
    expect(&f, "admit d\nrefuse c\n");
    close_rooms(&f);
}

static void the_members_go_on_signalling_while_somebody_waits(void **state)
{
    (void)state;
    fixture f;
    open_rooms_for(&f, 2);
    PEERS(f);
    enter(&a, "kitchen", "alice");
    enter(&b, "kitchen", "bob");
    pass(&f, 10);
    wait_for(&c, "kitchen", "carol");
    send_signal(&a, "x");
    expect(&f, "probe a\nprobe b\nsend b alice:x\nrelayed 1/1 kitchen:alice>bob\n");
    close_rooms(&f);
}

static void waiting_before_one_room_does_not_touch_another(void **state)
{
    (void)state;
    fixture f;
    open_rooms_for(&f, 1);
    PEERS(f);
    enter(&a, "kitchen", "alice");
    enter(&b, "garden", "bob");
    pass(&f, 10);
    wait_for(&c, "kitchen", "carol");
    pass(&f, 10);
    wait_for(&d, "garden", "dave");
    expect(&f, "probe a\nprobe b\n");
    answer(&b);
    expect(&f, "refuse d\n");
    pass(&f, PROBE_MS - 10);
    expect(&f, "drop a\nadmit c\n");
    close_rooms(&f);
}

static void in_a_room_for_one_the_next_waiter_gets_the_queue_that_was_left(void **state)
{
    (void)state;
    fixture f;
    open_rooms_for(&f, 1);
    PEERS(f);
    enter(&a, "kitchen", "alice");
    send_signal(&a, "x");
    pass(&f, 10);
    wait_for(&b, "kitchen", "bob");
    lose(&a);
    expect(&f, "queued 1/1 kitchen:alice>\nprobe a\n"
               "admit b\nsend b alice:x\ndelivered 1/1 kitchen:alice>bob\n");
    expect_counts(&f, 1, 1, 0, 0, 0);
    close_rooms(&f);
}

static void a_dropped_member_is_lost_and_its_queue_goes_to_the_waiter(void **state)
{
    (void)state;
    fixture f;
    open_rooms_for(&f, 1);
    PEERS(f);
    enter(&a, "kitchen", "alice");
    send_signal(&a, "x");
    pass(&f, 10);
    wait_for(&b, "kitchen", "bob");
    pass(&f, PROBE_MS);
    expect(&f, "queued 1/1 kitchen:alice>\nprobe a\n"
               "drop a\nadmit b\nsend b alice:x\ndelivered 1/1 kitchen:alice>bob\n");
    close_rooms(&f);
}

static void a_leave_in_a_room_for_one_drops_the_queue_before_the_waiter_comes_in(void **state)
{
    (void)state;
    fixture f;
    open_rooms_for(&f, 1);
    PEERS(f);
    enter(&a, "kitchen", "alice");
    send_signal(&a, "x");
    pass(&f, 10);
    wait_for(&b, "kitchen", "bob");
    leave(&a);
    expect(&f, "queued 1/1 kitchen:alice>\nprobe a\n"
               "dropped 1/1 kitchen:alice> (sender left)\nadmit b\n");
    close_rooms(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_manager_without_rooms_has_nothing_to_do),
        cmocka_unit_test(a_room_lives_from_its_first_member_to_its_last),
        cmocka_unit_test(a_member_keeps_the_names_that_it_joined_with),
        cmocka_unit_test(freeing_a_manager_frees_members_and_waiters_without_touching_peers),
        cmocka_unit_test(a_signal_goes_to_the_other_and_not_to_its_sender),
        cmocka_unit_test(a_signal_in_a_larger_room_goes_to_everyone_else_with_a_report_for_each),
        cmocka_unit_test(signals_stay_in_their_room_also_for_the_same_user_names),
        cmocka_unit_test(a_signal_to_an_ending_connection_is_dropped_for_it_alone),
        cmocka_unit_test(what_one_alone_sends_is_queued_and_delivered_in_order_before_anything_newer),
        cmocka_unit_test(a_queue_is_delivered_once),
        cmocka_unit_test(the_one_who_stays_behind_queues_again_under_its_own_name),
        cmocka_unit_test(a_queue_for_an_ending_connection_is_dropped_and_gone),
        cmocka_unit_test(a_full_queue_refuses_by_bytes_and_by_messages_and_keeps_what_it_has),
        cmocka_unit_test(a_refused_first_signal_leaves_no_queue_behind),
        cmocka_unit_test(rooms_share_the_server_wide_budget),
        cmocka_unit_test(a_leave_drops_what_its_sender_has_queued),
        cmocka_unit_test(freeing_a_manager_drops_its_queues),
        cmocka_unit_test(a_lost_owners_queue_is_delivered_to_another_user_within_the_ttl),
        cmocka_unit_test(a_lost_owners_queue_expires_with_its_ttl_and_its_room),
        cmocka_unit_test(queues_expire_each_at_its_own_time),
        cmocka_unit_test(an_owner_who_comes_back_owns_its_queue_again_and_does_not_get_it),
        cmocka_unit_test(an_owner_who_came_back_can_be_lost_again_for_a_whole_ttl_or_leave),
        cmocka_unit_test(a_ttl_of_zero_ends_a_lost_owners_queue_with_the_next_tick),
        cmocka_unit_test(a_user_who_comes_from_a_new_connection_takes_over_unnoticed),
        cmocka_unit_test(a_takeover_keeps_the_queue_with_the_user),
        cmocka_unit_test(a_takeover_in_a_room_for_one_never_waits),
        cmocka_unit_test(a_takeover_of_the_last_silent_member_refuses_the_waiter_at_once),
        cmocka_unit_test(a_takeover_is_a_sign_of_life_also_when_the_join_was_read_before),
        cmocka_unit_test(a_waiter_is_refused_as_soon_as_every_member_has_answered),
        cmocka_unit_test(a_silent_member_is_dropped_at_the_deadline_and_the_waiter_let_in),
        cmocka_unit_test(any_sign_of_life_saves_a_member_at_the_deadline),
        cmocka_unit_test(an_answer_of_one_and_another_sign_of_life_of_the_other_refuse_at_once),
        cmocka_unit_test(an_answer_from_before_the_question_counts_for_nothing),
        cmocka_unit_test(all_members_silent_make_room_for_as_many_waiters_in_order),
        cmocka_unit_test(a_later_waiter_asks_again_only_those_who_have_answered),
        cmocka_unit_test(an_answer_after_both_came_serves_both_waiters),
        cmocka_unit_test(a_member_let_in_meanwhile_is_not_dropped_for_those_who_still_wait),
        cmocka_unit_test(a_new_round_asks_everyone_whatever_an_old_one_left_open),
        cmocka_unit_test(newcomers_who_come_and_go_have_a_member_asked_once_in_its_time),
        cmocka_unit_test(an_answer_counts_also_while_nobody_waits),
        cmocka_unit_test(a_member_is_asked_once_a_second_however_many_newcomers_come),
        cmocka_unit_test(one_who_was_lost_goes_before_strangers),
        cmocka_unit_test(a_line_of_strangers_makes_place_for_one_who_was_lost),
        cmocka_unit_test(one_who_was_lost_is_known_as_long_as_its_room_lasts),
        cmocka_unit_test(one_who_has_left_or_was_lost_long_ago_is_a_stranger),
        cmocka_unit_test(the_line_before_a_room_is_bounded),
        cmocka_unit_test(a_leave_lets_the_first_waiter_in_at_once),
        cmocka_unit_test(a_leave_of_the_last_silent_member_decides_for_the_others_who_wait),
        cmocka_unit_test(one_who_leaves_the_line_loses_its_place_and_is_never_called),
        cmocka_unit_test(a_waiter_who_comes_again_is_replaced_and_keeps_place_and_deadline),
        cmocka_unit_test(the_members_go_on_signalling_while_somebody_waits),
        cmocka_unit_test(waiting_before_one_room_does_not_touch_another),
        cmocka_unit_test(in_a_room_for_one_the_next_waiter_gets_the_queue_that_was_left),
        cmocka_unit_test(a_dropped_member_is_lost_and_its_queue_goes_to_the_waiter),
        cmocka_unit_test(a_leave_in_a_room_for_one_drops_the_queue_before_the_waiter_comes_in),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
