/* Fuzz target for the RoomManager: the input is a script of joins, leaves, losses, signals, answers and ticks
 * by a few peers of all kinds with a few names in a few rooms, played against a naive model.
 *
 * The model is fed by the callbacks as much as by the script: it knows for each peer whether it is out, in or
 * waiting, and for each room what is queued by whom, and it aborts on whatever must not happen: a signal in
 * another room, to its sender, twice or out of order, a callback for a peer that is out, a queue that
 * outlives its owner, a waiter before a room with a free place or past its deadline, news that do not add up
 * to who is there, counts or a budget that do not add up.
 *
 * The first five bytes choose the limits; then each operation is two bytes, the peer and what it does. */
#include "rooms/room_manager.h"

#include <errno.h>
#include <stdlib.h>

enum {
    PEERS = 16, /* eight of version 1, four of version 2, four of the session dialect */
    ROOMS = 4,
    SESSION = 3, /* of the rooms */
    USERS = 5,
    QUEUE_CAP = 16, /* at least the largest pending_max_messages that is chosen below */
    TTL_MS = 200,
    PROBE_MS = 30,
    TRUST_MS = 1000, /* longer than anybody waits: so no wait begins anew */
    NUMBER = 32,     /* the number of a signal is told above its kind, of which the low bits count */
};

typedef enum kind { VERSION_1, VERSION_2, OF_SESSION, KINDS } kind;

/* The kinds of signals: all peers know the first, those of version 1 no other, the last only version 2. */
enum { OFFER, HANGUP, DATA, SIGNALS };

#define CHECK(condition)  \
    do {                  \
        if (!(condition)) \
            abort();      \
    } while (0)

typedef enum place { OUT, IN, WAITING } place;

typedef struct model model;

typedef struct peer {
    room_peer room_peer; /* first: what the manager knows of it */
    model *m;
    kind kind;
    place place;
    int room; /* where it is in or waiting */
    int user;
    bool is_ending;
    uint64_t alive_ms;
    uint64_t away_ms;  /* since when it is away; 0 = it is there */
    uint64_t since_ms; /* while waiting */
    int others;        /* of version 2, while it is in: how many others there are by what it was told */
    uint32_t last_seen[ROOMS]
                      [PEERS]; /* the number of the last signal that came from each peer in each room */
} peer;

/* What is sent: who sent it where under which name, and its number. */
typedef struct stamp {
    uint32_t number;
    uint8_t sender;
    uint8_t room;
    uint8_t user;
} stamp;

typedef struct model_room {
    stamp queue[QUEUE_CAP];
    size_t queued;
    size_t bytes;
    bool is_away;        /* its owner is lost */
    uint64_t expires_ms; /* while is_away */
} model_room;

struct model {
    room_manager *manager;
    room_limits limits;
    uint64_t now_ms;
    size_t budget;
    size_t reserved;
    uint32_t numbers;            /* given to signals so far */
    int sends;                   /* of the current operation */
    int attempts;                /* reports of the current operation */
    stamp last_sent;             /* by the last send */
    size_t sent_bytes;           /* by the last send */
    const peer *receiver;        /* of the last send */
    bool took_it;                /* what the last send returned */
    bool was_lost[ROOMS][USERS]; /* a connection of this user was lost in that room */
    bool was_late;               /* a tick did not come when it was due */
    peer peers[PEERS];
    model_room rooms[ROOMS];
};

static const slice room_names[ROOMS] = {{"kitchen", 7}, {"g\n", 2}, {"g\n2", 3}, {"kitchen", 7}};
static const slice room_jsons[ROOMS] = {
    {"\"kitchen\"", 9}, {"\"g\\n\"", 5}, {"\"g\\n2\"", 6}, {"\"kitchen\"", 9}};
static const slice user_names[USERS] = {{"a", 1}, {"b", 1}, {"a\0", 2}, {"\"", 1}, {"eve", 3}};
static const slice user_jsons[USERS] = {
    {"\"a\"", 3}, {"\"b\"", 3}, {"\"a\\u0000\"", 9}, {"\"\\\"\"", 4}, {"\"eve\"", 5}};

static int find(const slice *names, int count, slice name)
{
    for (int i = 0; i < count; i++) {
        if (slice_equals(names[i], name))
            return i;
    }
    abort();
}

static int count_peers(const model *m, int room, place where)
{
    int count = 0;
    for (int i = 0; i < PEERS; i++)
        count += m->peers[i].place == where && m->peers[i].room == room;
    return count;
}

static int capacity_of(const model *m, int room)
{
    return room == SESSION ? 2 : (int)m->limits.capacity;
}

static bool understands(const peer *p, int kind)
{
    return kind == OFFER || (kind == HANGUP && p->kind != VERSION_1) || p->kind == VERSION_2;
}

/* Is the queue of its room its own? In version 1 it is that of the user. */
static bool owns_queue(const peer *p)
{
    const model_room *r = &p->m->rooms[p->room];
    if (r->queued == 0)
        return false;
    const stamp *first = &r->queue[0];
    if (p->kind == VERSION_1)
        return p->m->peers[first->sender].kind == VERSION_1 && first->user == p->user;
    return first->sender == p - p->m->peers;
}

/* ---- Callbacks ---- */

static peer *peer_of(room_peer *p)
{
    return (peer *)p;
}

static bool on_send(room_peer *receiver, const room_signal *signal, const room_member *from)
{
    peer *to = peer_of(receiver);
    stamp seen;
    char bytes[sizeof(seen)];
    size_t len = 0;
    to->m->sent_bytes = 0;
    for (int i = 0; i < signal->count; i++) {
        const struct iovec *part = &signal->parts[i];
        to->m->sent_bytes += part->iov_len;
        for (size_t k = 0; k < part->iov_len && len < sizeof(bytes); k++)
            bytes[len++] = ((const char *)part->iov_base)[k];
    }
    CHECK(len == sizeof(seen)); /* of the filling behind it only the length matters */
    memcpy(&seen, bytes, sizeof(seen));

    CHECK(to->place == IN && room_peer_is_joined(receiver));
    CHECK(to->room == seen.room);
    CHECK(to->kind == VERSION_1 || to != &to->m->peers[seen.sender]);
    CHECK(to->user != seen.user || to->kind != VERSION_1 || to->m->peers[seen.sender].kind != VERSION_1);
    CHECK(understands(to, signal->kind % NUMBER));
    CHECK(slice_equals(room_member_user(from), user_names[seen.user]));
    CHECK(seen.number > to->last_seen[seen.room][seen.sender]); /* at most once, and in order */
    to->last_seen[seen.room][seen.sender] = seen.number;
    to->m->sends++;
    to->m->last_sent = seen;
    to->m->receiver = to;
    to->m->took_it = !to->is_ending;
    return to->m->took_it;
}

static void put_out(peer *p)
{
    p->place = OUT;
    p->away_ms = 0;
    CHECK(p->room_peer.member == NULL);
}

static void on_replaced(room_peer *replaced, const room_member *was)
{
    peer *p = peer_of(replaced);
    CHECK(p->place == (room_member_is_waiting(was) ? WAITING : IN));
    CHECK(slice_equals(room_member_user(was), user_names[p->user]));
    put_out(p);
}

static void on_probe(room_peer *asked)
{
    const peer *p = peer_of(asked);
    CHECK(p->place == IN && p->away_ms == 0);
}

static uint64_t away_since_ms(const room_peer *asked)
{
    const peer *p = (const peer *)asked;
    CHECK(p->place == IN);
    return p->away_ms;
}

static void on_entered(room_peer *entered)
{
    peer *p = peer_of(entered);
    CHECK(p->place == IN && room_peer_is_joined(entered));
    p->others = -1;
    const room_member *member = NULL;
    while ((member = room_member_next(entered->member, member)) != NULL)
        p->others++;
}

static void on_news(room_peer *told, const room_news *news)
{
    peer *p = peer_of(told);
    CHECK(p->place == IN && room_peer_is_joined(told));
    CHECK(news->about != told->member && room_member_order(news->about) > 0);
    CHECK(slice_equals(room_member_room(news->about), room_names[p->room]));
    CHECK(room_member_peer(news->about)->face->version != 0);
    p->others += news->kind == ROOM_NEWS_JOINED;
    p->others -= news->kind >= ROOM_NEWS_LEFT;
}

static bool is_alive_since(const room_peer *asked, uint64_t since_ms)
{
    const peer *p = (const peer *)asked;
    CHECK(p->place == IN && since_ms <= p->m->now_ms);
    return p->alive_ms > since_ms;
}

static void set_away(model *m, int room)
{
    m->rooms[room].is_away = m->rooms[room].queued > 0;
    m->rooms[room].expires_ms = m->now_ms + TTL_MS;
}

static void on_dropped(room_peer *dropped)
{
    peer *p = peer_of(dropped);
    CHECK(p->place == IN);
    CHECK(p->away_ms != 0 || p->alive_ms + PROBE_MS <= p->m->now_ms);
    CHECK(p->kind == VERSION_1 || !owns_queue(p));
    if (p->kind == VERSION_1 && owns_queue(p))
        set_away(p->m, p->room);
    p->m->was_lost[p->room][p->user] |= p->kind == VERSION_1;
    put_out(p);
}

static void on_admitted(room_peer *admitted)
{
    peer *p = peer_of(admitted);
    CHECK(p->place == WAITING);
    for (int i = 0; i < PEERS; i++) { /* first come, first served, but for those whom the room has lost */
        const peer *other = &p->m->peers[i];
        CHECK(p->m->was_lost[p->room][p->user] || other->place != WAITING || other->room != p->room ||
              other->since_ms >= p->since_ms);
    }
    p->place = IN;
    CHECK(room_peer_is_joined(admitted));
}

static void on_refused(room_peer *refused, const room_member *was)
{
    (void)was;
    peer *p = peer_of(refused);
    CHECK(p->place == WAITING);
    CHECK(count_peers(p->m, p->room, IN) == capacity_of(p->m, p->room));
    for (int i = 0; i < PEERS; i++) {
        /* Nobody is refused for the sake of the silent. A member may have waited itself, which is at most one
         * probe's time without a sign of life, unless the clock ran on without ticks. */
        const peer *other = &p->m->peers[i];
        CHECK(other->place != IN || other->room != p->room || other->alive_ms + PROBE_MS >= p->since_ms ||
              p->m->was_late);
        CHECK(other->place != IN || other->room != p->room || other->away_ms == 0);
    }
    put_out(p);
}

static uint32_t account_of(const room_peer *p)
{
    (void)p;
    return 0;
}

static uint64_t id_of(const room_peer *p)
{
    return (uint64_t)(((const peer *)p) - ((const peer *)p)->m->peers);
}

#define WHAT_ALL_FACES_DO                                                                                  \
    .send = on_send, .probe = on_probe, .is_alive_since = is_alive_since, .on_admitted = on_admitted,      \
    .on_refused = on_refused, .on_replaced = on_replaced, .on_dropped = on_dropped, .account = account_of, \
    .id = id_of

static const room_peer_face faces[KINDS] = {
    [VERSION_1] =
        {.kinds = 1U << OFFER, .version = 1, .has_users = true, .keeps_queue = true, WHAT_ALL_FACES_DO},
    [VERSION_2] = {.kinds = 1U << OFFER | 1U << HANGUP | 1U << DATA,
                   .version = 2,
                   .away_since_ms = away_since_ms,
                   .on_entered = on_entered,
                   .on_news = on_news,
                   WHAT_ALL_FACES_DO},
    [OF_SESSION] = {.kinds = 1U << OFFER | 1U << HANGUP,
                    .version = 1,
                    .doubts_company = true,
                    WHAT_ALL_FACES_DO},
};

static bool on_reserve(void *context, uint32_t account, size_t bytes)
{
    (void)account;
    model *m = context;
    if (bytes > m->budget - m->reserved)
        return false;
    m->reserved += bytes;
    return true;
}

static void on_release(void *context, uint32_t account, size_t bytes)
{
    (void)account;
    model *m = context;
    CHECK(bytes <= m->reserved);
    m->reserved -= bytes;
}

/* The oldest of a room's queue goes, and its report tells so. */
static void pop(model *m, int room, const room_signal_report *report)
{
    model_room *r = &m->rooms[room];
    CHECK(r->queued > 0);
    CHECK(slice_equals(room_member_user(report->from), user_names[r->queue[0].user]));
    CHECK(r->queue[0].number == (uint32_t)report->kind / NUMBER);
    memmove(r->queue, r->queue + 1, (r->queued - 1) * sizeof(r->queue[0]));
    r->queued--;
    r->bytes -= report->bytes;
}

static void on_signal(void *context, const room_signal_report *report)
{
    model *m = context;
    const peer *sender = (const peer *)room_member_peer(report->from);
    int room = sender != NULL && sender->kind == OF_SESSION
                   ? SESSION
                   : find(room_names, ROOMS, room_member_room(report->from));
    int from = find(user_names, USERS, room_member_user(report->from));
    m->attempts++;

    bool has_receiver = report->to != NULL;
    bool is_sent = has_receiver && report->failure != ROOM_FAILURE_NOT_UNDERSTOOD;
    CHECK(!has_receiver ||
          is_sent == understands((const peer *)room_member_peer(report->to), report->kind % NUMBER));
    if (is_sent) {
        CHECK(m->last_sent.number == (uint32_t)report->kind / NUMBER && m->last_sent.room == room);
        CHECK(m->sent_bytes == report->bytes);
        CHECK(m->last_sent.user == from &&
              slice_equals(room_member_user(report->to), user_names[m->receiver->user]));
        CHECK(m->took_it == (report->outcome != ROOM_SIGNAL_DROPPED));
    }
    bool is_given_up = report->outcome == ROOM_SIGNAL_DROPPED || report->outcome == ROOM_SIGNAL_REFUSED;
    CHECK((room_failure_text(report->failure) != NULL) == is_given_up);

    model_room *r = &m->rooms[room];
    switch (report->outcome) {
    case ROOM_SIGNAL_RELAYED:
        CHECK(is_sent && r->queued == 0);
        break;
    case ROOM_SIGNAL_QUEUED:
        CHECK(!is_sent && r->queued < m->limits.pending_max_messages);
        r->queue[r->queued++] = (stamp){.number = (uint32_t)report->kind / NUMBER,
                                        .sender = (uint8_t)(sender - m->peers),
                                        .user = (uint8_t)from};
        r->bytes += report->bytes;
        CHECK(r->bytes <= m->limits.pending_max_bytes);
        break;
    case ROOM_SIGNAL_DELIVERED:
        CHECK(is_sent);
        pop(m, room, report);
        break;
    case ROOM_SIGNAL_REFUSED:
        CHECK(!is_sent);
        break;
    case ROOM_SIGNAL_DROPPED:
        if (report->failure != ROOM_FAILURE_NOBODY_THERE && (!has_receiver || r->queued > 0))
            pop(m, room, report);
        break;
    case ROOM_OUTCOMES:
        CHECK(!"an outcome");
    }
    if (r->queued == 0)
        r->is_away = false;
}

/* ---- Operations ---- */

/* Would it be beside one who may be a ghost? */
static bool has_doubts(const peer *p, int room)
{
    const model *m = p->m;
    if (p->kind != OF_SESSION || count_peers(m, room, IN) != 1)
        return false;
    for (int i = 0; i < PEERS; i++) {
        if (m->peers[i].place == IN && m->peers[i].room == room)
            return m->peers[i].alive_ms + TRUST_MS <= m->now_ms;
    }
    abort();
}

static room_join request_of(const model *m, int room, int user)
{
    return (room_join){.space = room == SESSION ? ROOM_SPACE_SESSIONS : ROOM_SPACE_ROOMS,
                       .room = room_names[room],
                       .user = user_names[user],
                       .room_json = room_jsons[room],
                       .user_json = user_jsons[user],
                       .now_ms = m->now_ms};
}

static void do_join(peer *p, int room, int user)
{
    model *m = p->m;
    if (p->place != OUT)
        return;
    p->since_ms = m->now_ms;
    bool is_present = false;
    for (int i = 0; i < PEERS; i++) {
        const peer *other = &m->peers[i];
        if (other->room != room || other->user != user || other->kind != VERSION_1 || p->kind != VERSION_1)
            continue;
        is_present |= other->place == IN;
        if (other->place == WAITING)
            p->since_ms = other->since_ms; /* it takes over the place in the line */
    }
    bool is_free = count_peers(m, room, IN) < capacity_of(m, room) && !has_doubts(p, room);

    /* Before the call, since the queue is sent before it returns. */
    p->place = is_present || is_free ? IN : WAITING;
    p->room = room;
    p->user = user;
    p->alive_ms = m->now_ms;
    if (owns_queue(p))
        m->rooms[room].is_away = false;

    const room_join request = request_of(m, room, user);
    int result = room_manager_join(m->manager, &p->room_peer, &request);
    if (result == ROOM_FULL) { /* all members have answered within the last second */
        CHECK(p->place == WAITING && p->room_peer.member == NULL);
        p->place = OUT;
        return;
    }
    CHECK(result == (p->place == IN ? ROOM_JOINED : ROOM_WAITING));
    CHECK(p->place == IN ? room_peer_is_joined(&p->room_peer) : room_peer_is_waiting(&p->room_peer));
    CHECK(p->place != IN || m->rooms[room].queued == 0 || owns_queue(p)); /* delivered at once */
}

/* The signals of one who leaves go with it; one who waits has none. */
static void do_leave(peer *p, room_news_kind why)
{
    if (p->place == OUT)
        return;
    model *m = p->m;
    bool was_in = p->place == IN;
    p->place = OUT; /* before the call: somebody may get in through it */
    p->away_ms = 0;
    const room_leaving leaving = {.why = why, .now_ms = m->now_ms};
    room_manager_leave(m->manager, &p->room_peer, &leaving);
    CHECK(p->room_peer.member == NULL);
    CHECK(!was_in || !owns_queue(p));
}

static void do_lose(peer *p)
{
    if (p->place == OUT)
        return;
    model *m = p->m;
    bool was_in = p->place == IN;
    if (was_in && p->kind == VERSION_1 && owns_queue(p))
        set_away(m, p->room);
    m->was_lost[p->room][p->user] |= was_in && p->kind == VERSION_1;
    p->place = OUT;
    p->away_ms = 0;
    room_manager_lose(m->manager, &p->room_peer, m->now_ms);
    CHECK(p->room_peer.member == NULL);
    CHECK(!was_in || p->kind == VERSION_1 || !owns_queue(p));
}

/* A signal as it is sent by a peer: its stamp, and a filling. */
typedef struct outgoing {
    room_signal signal;
    struct iovec parts[4];
    char bytes[sizeof(stamp)];
    size_t len;
} outgoing;

static void make_signal(peer *p, int kind, size_t filling, outgoing *out)
{
    static char padding[32];
    const stamp sent = {
        .number = ++p->m->numbers,
        .sender = (uint8_t)(p - p->m->peers),
        .room = (uint8_t)p->room,
        .user = (uint8_t)p->user,
    };
    memcpy(out->bytes, &sent, sizeof(sent));
    out->parts[0] = (struct iovec){out->bytes, 3};
    out->parts[1] = (struct iovec){NULL, 0};
    out->parts[2] = (struct iovec){out->bytes + 3, sizeof(sent) - 3};
    out->parts[3] = (struct iovec){padding, filling};
    out->len = sizeof(sent) + filling;
    out->signal = (room_signal){.kind = (int)sent.number * NUMBER + kind,
                                .count = 4,
                                .parts = out->parts,
                                .is_fleeting = kind == HANGUP};
}

static bool fits(const model *m, int room, size_t len)
{
    const model_room *r = &m->rooms[room];
    return r->queued < m->limits.pending_max_messages && r->bytes + len <= m->limits.pending_max_bytes &&
           m->reserved + len <= m->budget;
}

/* Another member of its room, or NULL. */
static const peer *find_other(const peer *p, int choice)
{
    const peer *other = &p->m->peers[(p - p->m->peers + choice) % PEERS];
    return other != p && other->place == IN && other->room == p->room ? other : NULL;
}

static void do_signal(peer *p, int kind, int choice, size_t filling)
{
    if (p->place != IN || p->away_ms != 0)
        return;
    model *m = p->m;
    outgoing out;
    make_signal(p, kind, filling, &out);
    const peer *to = find_other(p, choice);
    out.signal.to = to == NULL ? NULL : to->room_peer.member;
    int receivers = 0, others = 0;
    for (int i = 0; i < PEERS; i++) {
        const peer *other = &m->peers[i];
        if (other == p || other->place != IN || other->room != p->room || (to != NULL && other != to))
            continue;
        others++;
        receivers += understands(other, kind);
    }
    size_t queued = m->rooms[p->room].queued;
    bool is_queued = !out.signal.is_fleeting && fits(m, p->room, out.len);

    int err = room_manager_signal(m->manager, &p->room_peer, &out.signal, m->now_ms);
    if (others > 0) {
        CHECK(err == 0 && m->sends == receivers && m->attempts == others);
        return;
    }
    CHECK(err == (is_queued || out.signal.is_fleeting ? 0 : -ENOSPC) && m->sends == 0 && m->attempts == 1);
    CHECK(m->rooms[p->room].queued == queued + is_queued);
}

/* A signal of this member, or of one who is gone, comes back. */
static void do_requeue(peer *p, bool is_gone)
{
    if (p->place != IN)
        return;
    model *m = p->m;
    outgoing out;
    make_signal(p, OFFER, 0, &out);
    bool is_queued =
        count_peers(m, p->room, IN) == 1 && p->kind != VERSION_2 && !is_gone && fits(m, p->room, out.len);
    uint32_t order = room_member_order(p->room_peer.member) - is_gone;
    CHECK(room_manager_requeue(m->manager, p->room_peer.member, order, &out.signal, m->now_ms) == is_queued);
}

static void do_go_away(peer *p)
{
    if (p->place != IN || p->kind != VERSION_2 || p->away_ms != 0)
        return;
    p->away_ms = p->m->now_ms;
    room_manager_away(p->m->manager, &p->room_peer);
}

static void do_come_back(peer *p)
{
    if (p->away_ms == 0)
        return;
    p->away_ms = 0;
    p->alive_ms = p->m->now_ms;
    room_manager_back(p->m->manager, &p->room_peer, p->m->now_ms);
}

static void do_change(peer *p)
{
    if (p->place != OUT)
        room_manager_changed(p->m->manager, &p->room_peer);
}

/* The place passes to the next peer, if that is of version 2 and has none. */
static void do_succeed(peer *p, room_news_kind why)
{
    model *m = p->m;
    peer *next = &m->peers[(p - m->peers + 1) % PEERS];
    if (p->place != IN || p->kind != VERSION_2 || next->place != OUT || next->kind != VERSION_2)
        return;
    p->place = OUT;
    p->away_ms = 0;
    next->place = IN;
    next->room = p->room;
    next->user = p->user;
    next->alive_ms = m->now_ms;
    const room_join request = request_of(m, p->room, p->user);
    CHECK(room_manager_succeed(m->manager, &p->room_peer, &next->room_peer, &request, why) == 0);
    CHECK(p->room_peer.member == NULL && room_peer_is_joined(&next->room_peer));
    CHECK(m->rooms[p->room].queued == 0);
}

static void do_answer(peer *p)
{
    if (p->away_ms != 0)
        return;
    p->alive_ms = p->m->now_ms;
    if (p->place != OUT)
        room_manager_on_alive(p->m->manager, &p->room_peer, p->m->now_ms);
}

static void tick(model *m)
{
    room_manager_tick(m->manager, m->now_ms);
    CHECK(room_manager_next_due_ms(m->manager) > m->now_ms);
}

/* Let time pass, with a tick whenever one is due, or with a single late one at the end. */
static void do_tick(model *m, uint64_t ms, bool is_late)
{
    uint64_t end_ms = m->now_ms + ms;
    uint64_t due_ms;
    while (!is_late && (due_ms = room_manager_next_due_ms(m->manager)) < end_ms) {
        m->now_ms = due_ms;
        tick(m);
    }
    m->was_late |= room_manager_next_due_ms(m->manager) < end_ms;
    m->now_ms = end_ms;
    tick(m);
    for (int i = 0; i < PEERS; i++)
        CHECK(m->peers[i].place != WAITING || m->peers[i].since_ms + PROBE_MS > m->now_ms);
    for (int i = 0; i < ROOMS; i++)
        CHECK(!m->rooms[i].is_away || m->rooms[i].expires_ms > m->now_ms);
}

/* ---- What always holds ---- */

static void check_room(const model *m, int room, room_counts *expected)
{
    const model_room *r = &m->rooms[room];
    int members = count_peers(m, room, IN);
    int waiters = count_peers(m, room, WAITING);
    int capacity = capacity_of(m, room);
    CHECK(members <= capacity);
    CHECK(waiters == 0 || members == capacity || (room == SESSION && members == 1));
    CHECK(r->queued == 0 || members == (r->is_away ? 0 : 1));
    expected->rooms += members > 0 || r->queued > 0;
    expected->members += (uint64_t)members;
    expected->waiters += (uint64_t)waiters;
    expected->pending_messages += r->queued;
    expected->pending_bytes += r->bytes;
}

/* A member knows how many others there are, and the members stand in the order of their numbers. */
static void check_member(const peer *p)
{
    const room_member *me = p->room_peer.member;
    CHECK(slice_equals(room_member_user_json(me), user_jsons[p->user]));
    CHECK(slice_equals(room_member_room_json(me), room_jsons[p->room]));
    int members = count_peers(p->m, p->room, IN);
    CHECK(p->kind != VERSION_2 || p->others == members - 1);
    uint32_t last = 0;
    const room_member *member = NULL;
    for (int i = 0; i < members; i++) {
        member = room_member_next(me, member);
        CHECK(member != NULL && room_member_order(member) > last);
        last = room_member_order(member);
    }
    CHECK(room_member_next(me, member) == NULL);
    char id[ROOM_PEER_ID_LEN];
    room_member_write_id(me, id);
    CHECK(room_manager_find_peer(me, (slice){id, sizeof(id)}) == me);
}

static void check_model(const model *m)
{
    room_counts expected = {0};
    for (int i = 0; i < ROOMS; i++)
        check_room(m, i, &expected);
    room_counts counts = room_manager_counts(m->manager);
    CHECK(memcmp(&counts, &expected, sizeof(counts)) == 0);
    CHECK(m->reserved == counts.pending_bytes);

    uint64_t due_ms = UINT64_MAX;
    for (int i = 0; i < PEERS; i++) {
        const peer *p = &m->peers[i];
        if (p->place == WAITING && p->since_ms + PROBE_MS < due_ms)
            due_ms = p->since_ms + PROBE_MS;
        if (p->place == IN)
            check_member(p);
    }
    for (int i = 0; i < ROOMS; i++) {
        if (m->rooms[i].is_away && m->rooms[i].expires_ms < due_ms)
            due_ms = m->rooms[i].expires_ms;
    }
    CHECK(room_manager_next_due_ms(m->manager) == due_ms);
}

/* What is rarer than the rest. */
static void play_rarity(peer *p, int choice)
{
    switch (choice) {
    case 2:
        do_go_away(p);
        break;
    case 3:
        do_come_back(p);
        break;
    case 4:
        do_change(p);
        break;
    case 5:
        do_succeed(p, ROOM_NEWS_LOST);
        break;
    case 6:
        do_succeed(p, ROOM_NEWS_REPLACED);
        break;
    case 7:
    case 8:
        do_requeue(p, choice == 8);
        break;
    case 9:
        do_leave(p, ROOM_NEWS_LOST);
        break;
    default:
        p->is_ending = !p->is_ending;
    }
}

static void play(model *m, uint8_t who, uint8_t what)
{
    peer *p = &m->peers[who % PEERS];
    int choice = what >> 3;
    int more = who / PEERS;
    m->sends = 0;
    m->attempts = 0;
    switch (what & 7) {
    case 0:
    case 1:
        do_join(p, p->kind == OF_SESSION ? SESSION : choice % SESSION, (choice / SESSION) % USERS);
        break;
    case 2:
        do_leave(p, ROOM_NEWS_LEFT);
        break;
    case 3:
        do_lose(p);
        break;
    case 4:
        do_signal(p, more % SIGNALS, more / SIGNALS, (size_t)choice);
        break;
    case 5:
        do_answer(p);
        break;
    case 6:
        do_tick(m, (uint64_t)choice * (who >= 128 ? 10 : 1), (who & 64) != 0);
        break;
    case 7:
        play_rarity(p, choice);
        break;
    }
}

static void open_model(model *m, const uint8_t limits[5])
{
    static const keyed_hash key = {{1}};
    const room_effects effects = {
        .reserve = on_reserve,
        .release = on_release,
        .on_signal = on_signal,
        .context = m,
    };
    memset(m, 0, sizeof(*m));
    m->limits = (room_limits){
        .capacity = 1 + limits[0] % 4,
        .pending_max_messages = limits[1] % (QUEUE_CAP + 1),
        .pending_max_bytes = limits[2],
        .pending_ttl_ms = TTL_MS,
        .probe_timeout_ms = PROBE_MS,
    };
    m->budget = limits[3] * 2u;
    m->now_ms = 1000 + limits[4];
    for (int i = 0; i < PEERS; i++)
        m->peers[i] = (peer){.kind = i < 8 ? VERSION_1 : i < 12 ? VERSION_2 : OF_SESSION, .m = m};
    for (int i = 0; i < PEERS; i++)
        m->peers[i].room_peer.face = &faces[m->peers[i].kind];
    CHECK(room_manager_new(&m->limits, &effects, &key, &m->manager) == 0);
}

static void close_model(model *m)
{
    do_tick(m, TTL_MS + PROBE_MS, false); /* time enough for everything that waits */
    check_model(m);
    for (int i = 0; i < PEERS; i++)
        CHECK(m->peers[i].place != WAITING);
    CHECK(room_manager_next_due_ms(m->manager) == UINT64_MAX);
    room_manager_free(m->manager);
    for (int i = 0; i < ROOMS; i++)
        CHECK(m->rooms[i].queued == 0 && m->rooms[i].bytes == 0);
    CHECK(m->reserved == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 5)
        return 0;
    model m;
    open_model(&m, data);
    for (size_t i = 5; i + 1 < size; i += 2) {
        play(&m, data[i], data[i + 1]);
        check_model(&m);
    }
    close_model(&m);
    return 0;
}
