/* A RoomManager and scripted peers of the three kinds that the server has: of version 1, of version 2, and of
 * the session dialect. Everything that the manager does outside is written down as one line of text, so a
 * test says what it does and then what must have happened, in order.
 *
 * A member is written as its user and its number, as in anna#1. */
#ifndef HOMECALL_TESTS_ROOMS_FIXTURE_H
#define HOMECALL_TESTS_ROOMS_FIXTURE_H

#include "rooms/room_manager.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "support/journal.h"

#include <stdio.h>

enum { TTL_MS = 120000, PROBE_MS = 3000, START_MS = 1000000 };

/* The kinds of signals. Version 1 knows the first only, version 2 all, the sessions all but DATA. */
enum { OFFER = 1, HANGUP = 2, DATA = 3 };

typedef struct fixture {
    room_manager *manager;
    journal journal;
    size_t reserved;
    uint64_t now_ms;
} fixture;

typedef struct peer {
    room_peer room; /* first: what the manager knows of it */
    fixture *f;
    const char *name;  /* in the journal */
    uint64_t alive_ms; /* when something was last read from it */
    uint64_t away_ms;  /* since when it is away; 0 = it is there */
} peer;

#define note(f, ...)        journal_note(&(f)->journal, __VA_ARGS__)
#define expect(f, expected) journal_expect(&(f)->journal, (expected))

static inline peer *peer_of(room_peer *p)
{
    return (peer *)p;
}

/* "anna#1" */
static inline void note_member(fixture *f, const room_member *member)
{
    slice user = room_member_user(member);
    note(f, "%.*s#%u", (int)user.len, user.data, room_member_order(member));
}

static inline bool on_send(room_peer *to, const room_signal *signal, const room_member *from)
{
    const peer *p = peer_of(to);
    assert_true(room_peer_is_joined(to));
    note(p->f, "send %s ", p->name);
    note_member(p->f, from);
    note(p->f, ":");
    for (int i = 0; i < signal->count; i++)
        note(p->f, "%.*s", (int)signal->parts[i].iov_len, (const char *)signal->parts[i].iov_base);
    note(p->f, "\n");
    return true;
}

static inline void on_probe(room_peer *asked)
{
    assert_true(room_peer_is_joined(asked));
    assert_int_equal(peer_of(asked)->away_ms, 0);
    note(peer_of(asked)->f, "probe %s\n", peer_of(asked)->name);
}

static inline bool is_alive_since(const room_peer *asked, uint64_t since_ms)
{
    return ((const peer *)asked)->alive_ms > since_ms;
}

static inline uint64_t away_since_ms(const room_peer *asked)
{
    return ((const peer *)asked)->away_ms;
}

static inline void on_admitted(room_peer *admitted)
{
    assert_true(room_peer_is_joined(admitted));
    note(peer_of(admitted)->f, "admit %s\n", peer_of(admitted)->name);
}

/* It is told who is there already. */
static inline void on_entered(room_peer *entered)
{
    const peer *p = peer_of(entered);
    assert_true(room_peer_is_joined(entered));
    note(p->f, "enter %s:", p->name);
    const room_member *member = NULL;
    while ((member = room_member_next(entered->member, member)) != NULL) {
        note(p->f, " ");
        note_member(p->f, member);
    }
    note(p->f, "\n");
}

static inline void on_news(room_peer *told, const room_news *news)
{
    static const char *const kinds[] = {
        [ROOM_NEWS_JOINED] = "joined",    [ROOM_NEWS_CHANGED] = "changed", [ROOM_NEWS_AWAY] = "away",
        [ROOM_NEWS_BACK] = "back",        [ROOM_NEWS_LEFT] = "left",       [ROOM_NEWS_LOST] = "lost",
        [ROOM_NEWS_REPLACED] = "replaced"};
    const peer *p = peer_of(told);
    assert_true(room_peer_is_joined(told));
    assert_ptr_not_equal(told->member, news->about);
    note(p->f, "tell %s ", p->name);
    note_member(p->f, news->about);
    note(p->f, " v%d %s", room_member_peer(news->about)->face->version, kinds[news->kind]);
    note(p->f, news->text.len == 0 ? "\n" : " '%.*s'\n", (int)news->text.len, news->text.data);
}

static inline void on_refused(room_peer *refused, const room_member *was)
{
    (void)was;
    assert_null(refused->member);
    note(peer_of(refused)->f, "refuse %s\n", peer_of(refused)->name);
}

static inline void on_replaced(room_peer *replaced, const room_member *was)
{
    (void)was;
    assert_null(replaced->member);
    note(peer_of(replaced)->f, "replace %s\n", peer_of(replaced)->name);
}

static inline void on_dropped(room_peer *dropped)
{
    assert_null(dropped->member);
    note(peer_of(dropped)->f, "drop %s\n", peer_of(dropped)->name);
}

static inline uint32_t account_of(const room_peer *p)
{
    (void)p;
    return 0;
}

static inline uint64_t id_of(const room_peer *p)
{
    (void)p;
    return 0;
}

#define WHAT_ALL_FACES_DO                                                                                  \
    .send = on_send, .probe = on_probe, .is_alive_since = is_alive_since, .on_admitted = on_admitted,      \
    .on_refused = on_refused, .on_replaced = on_replaced, .on_dropped = on_dropped, .account = account_of, \
    .id = id_of

static const room_peer_face version_1 = {
    .kinds = 1U << OFFER,
    .version = 1,
    .has_users = true,
    .keeps_queue = true,
    WHAT_ALL_FACES_DO,
};

static const room_peer_face version_2 = {
    .kinds = 1U << OFFER | 1U << HANGUP | 1U << DATA,
    .version = 2,
    .away_since_ms = away_since_ms,
    .on_entered = on_entered,
    .on_news = on_news,
    WHAT_ALL_FACES_DO,
};

static const room_peer_face session_kind = {
    .kinds = 1U << OFFER | 1U << HANGUP,
    .version = 1,
    .doubts_company = true,
    WHAT_ALL_FACES_DO,
};

static inline bool reserve(void *context, uint32_t account, size_t bytes)
{
    (void)account;
    ((fixture *)context)->reserved += bytes;
    return true;
}

static inline void release(void *context, uint32_t account, size_t bytes)
{
    (void)account;
    ((fixture *)context)->reserved -= bytes;
}

/* That a signal was passed on is seen by the receiver. */
static inline void on_signal(void *context, const room_signal_report *report)
{
    static const char *const names[] = {"relayed", "queued", "delivered", "refused", "dropped"};
    fixture *f = context;
    if (report->outcome == ROOM_SIGNAL_RELAYED || report->outcome == ROOM_SIGNAL_DELIVERED)
        return;
    slice from = room_member_user(report->from);
    const char *why = room_failure_text(report->failure);
    note(f, "%s %d of %.*s", names[report->outcome], report->kind, (int)from.len, from.data);
    note(f, why == NULL ? "\n" : " (%s)\n", why);
}

/* Rooms of which on_event is told; NULL = nobody is. */
static inline void open_rooms_with(fixture *f, uint32_t capacity,
                                   void (*on_event)(void *context, const room_event *event))
{
    static const keyed_hash key = {{7}};
    const room_effects effects = {
        .reserve = reserve, .release = release, .on_signal = on_signal, .on_event = on_event, .context = f};
    const room_limits limits = {
        .capacity = capacity,
        .pending_max_messages = 4,
        .pending_max_bytes = 20,
        .pending_ttl_ms = TTL_MS,
        .probe_timeout_ms = PROBE_MS,
    };
    memset(f, 0, sizeof(*f));
    f->now_ms = START_MS;
    assert_int_equal(room_manager_new(&limits, &effects, &key, &f->manager), 0);
}

static inline void open_rooms_for(fixture *f, uint32_t capacity)
{
    open_rooms_with(f, capacity, NULL);
}

/* Free the manager; nothing may have been left behind or told on the way. */
static inline void close_rooms(fixture *f)
{
    expect(f, "");
    room_manager_free(f->manager);
    expect(f, "");
    assert_int_equal(f->reserved, 0);
}

static inline peer peer_make(fixture *f, const room_peer_face *face, const char *name)
{
    return (peer){.room = {.face = face}, .f = f, .name = name};
}

static inline room_join request_of(peer *p, const char *user)
{
    p->alive_ms = p->f->now_ms; /* the join was read from it */
    return (room_join){.space = p->room.face == &session_kind ? ROOM_SPACE_SESSIONS : ROOM_SPACE_ROOMS,
                       .room = SLICE_LITERAL("kitchen"),
                       .user = slice_of_text(user),
                       .now_ms = p->f->now_ms};
}

static inline void enter(peer *p, const char *user)
{
    const room_join request = request_of(p, user);
    assert_int_equal(room_manager_join(p->f->manager, &p->room, &request), ROOM_JOINED);
}

static inline void wait_for(peer *p, const char *user)
{
    const room_join request = request_of(p, user);
    assert_int_equal(room_manager_join(p->f->manager, &p->room, &request), ROOM_WAITING);
    assert_true(room_peer_is_waiting(&p->room));
}

static inline void leave_with(peer *p, room_news_kind why, const char *text)
{
    const room_leaving how = {.why = why, .text = slice_of_text(text), .now_ms = p->f->now_ms};
    room_manager_leave(p->f->manager, &p->room, &how);
    assert_null(p->room.member);
}

static inline void leave(peer *p)
{
    leave_with(p, ROOM_NEWS_LEFT, "");
}

static inline void lose(peer *p)
{
    room_manager_lose(p->f->manager, &p->room, p->f->now_ms);
    assert_null(p->room.member);
}

static inline void go_away(peer *p)
{
    p->away_ms = p->f->now_ms;
    room_manager_away(p->f->manager, &p->room);
}

static inline void come_back(peer *p)
{
    p->away_ms = 0;
    p->alive_ms = p->f->now_ms;
    room_manager_back(p->f->manager, &p->room, p->f->now_ms);
}

static inline void answer(peer *p)
{
    p->alive_ms = p->f->now_ms;
    room_manager_on_alive(p->f->manager, &p->room, p->f->now_ms);
}

/* A body of a literal. */
static inline struct iovec body_of(const char *text)
{
    return (struct iovec){.iov_base = (void *)(uintptr_t)text, .iov_len = strlen(text)};
}

static inline void say(peer *p, int kind, const char *text)
{
    const struct iovec body = body_of(text);
    const room_signal signal = {.kind = kind, .count = 1, .parts = &body};
    assert_int_equal(room_manager_signal(p->f->manager, &p->room, &signal, p->f->now_ms), 0);
}

static inline void pass(fixture *f, uint64_t ms)
{
    f->now_ms += ms;
    room_manager_tick(f->manager, f->now_ms);
    assert_true(room_manager_next_due_ms(f->manager) > f->now_ms);
}

#endif
