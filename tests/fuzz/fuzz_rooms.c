/* Fuzz target for the RoomManager: the input is a script of joins, leaves, losses, signals, answers and ticks
 * by a few peers with a few names in a few rooms, played against a naive model.
 *
 * The model is fed by the callbacks as much as by the script: it knows for each peer whether it is out, in or
 * waiting, and for each room what is queued by whom, and it aborts on whatever must not happen: a signal in
 * another room, to its sender, twice or out of order, a callback for a peer that is out, a queue that
 * outlives its owner, a waiter before a room with a free place or past its deadline, counts or a budget that
 * do not add up.
 *
 * The first five bytes choose the limits; then each operation is two bytes, the peer and what it does. */
#include "rooms/room_manager.h"

#include <errno.h>
#include <stdlib.h>

enum {
    PEERS = 8,
    ROOMS = 3,
    USERS = 5,
    QUEUE_CAP = 16, /* at least the largest pending_max_messages that is chosen below */
    TTL_MS = 200,
    PROBE_MS = 30,
};

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
    place place;
    int room; /* where it is in or waiting */
    int user;
    bool is_ending;
    uint64_t alive_ms;
    uint64_t since_ms; /* while waiting */
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

static const slice room_names[ROOMS] = {{"kitchen", 7}, {"g\n", 2}, {"g\n2", 3}};
static const slice room_jsons[ROOMS] = {{"\"kitchen\"", 9}, {"\"g\\n\"", 5}, {"\"g\\n2\"", 6}};
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
    CHECK(to->user != seen.user);
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
    CHECK(p->place == IN);
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
    CHECK(p->alive_ms + PROBE_MS <= p->m->now_ms);
    if (p->m->rooms[p->room].queued > 0 && p->m->rooms[p->room].queue[0].user == p->user)
        set_away(p->m, p->room);
    p->m->was_lost[p->room][p->user] = true;
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

static void on_refused(room_peer *refused)
{
    peer *p = peer_of(refused);
    CHECK(p->place == WAITING);
    CHECK(count_peers(p->m, p->room, IN) == (int)p->m->limits.capacity);
    for (int i = 0; i < PEERS; i++) {
        /* Nobody is refused for the sake of the silent. A member may have waited itself, which is at most one
         * probe's time without a sign of life, unless the clock ran on without ticks. */
        const peer *other = &p->m->peers[i];
        CHECK(other->place != IN || other->room != p->room || other->alive_ms + PROBE_MS >= p->since_ms ||
              p->m->was_late);
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

static const room_peer_face face = {
    .kinds = UINT32_MAX,
    .version = 1,
    .has_users = true,
    .keeps_queue = true,
    .send = on_send,
    .probe = on_probe,
    .is_alive_since = is_alive_since,
    .on_admitted = on_admitted,
    .on_refused = on_refused,
    .on_replaced = on_replaced,
    .on_dropped = on_dropped,
    .account = account_of,
    .id = id_of,
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
    CHECK(slice_equals(report->from, user_names[r->queue[0].user]));
    CHECK(r->queue[0].number == (uint32_t)report->kind);
    memmove(r->queue, r->queue + 1, (r->queued - 1) * sizeof(r->queue[0]));
    r->queued--;
    r->bytes -= report->bytes;
}

static void on_signal(void *context, const room_signal_report *report)
{
    model *m = context;
    int room = find(room_names, ROOMS, report->room);
    int from = find(user_names, USERS, report->from);
    m->attempts++;

    bool is_sent = report->to.len > 0;
    if (is_sent) {
        CHECK(m->last_sent.number == (uint32_t)report->kind && m->last_sent.room == room);
        CHECK(m->sent_bytes == report->bytes);
        CHECK(m->last_sent.user == from && slice_equals(report->to, user_names[m->receiver->user]));
        CHECK(m->took_it == (report->outcome != ROOM_SIGNAL_DROPPED));
    }
    bool is_given_up = report->outcome == ROOM_SIGNAL_DROPPED || report->outcome == ROOM_SIGNAL_REFUSED;
    CHECK((report->why != NULL) == is_given_up);

    model_room *r = &m->rooms[room];
    switch (report->outcome) {
    case ROOM_SIGNAL_RELAYED:
        CHECK(is_sent && r->queued == 0);
        break;
    case ROOM_SIGNAL_QUEUED:
        CHECK(!is_sent && r->queued < m->limits.pending_max_messages);
        r->queue[r->queued++] = (stamp){.number = (uint32_t)report->kind, .user = (uint8_t)from};
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
        if (!is_sent || r->queued > 0)
            pop(m, room, report);
        break;
    case ROOM_OUTCOMES:
        CHECK(!"an outcome");
    }
    if (r->queued == 0)
        r->is_away = false;
}

/* ---- Operations ---- */

static void do_join(peer *p, int room, int user)
{
    model *m = p->m;
    if (p->place != OUT)
        return;
    p->since_ms = m->now_ms;
    bool is_present = false;
    for (int i = 0; i < PEERS; i++) {
        const peer *other = &m->peers[i];
        if (other->room != room || other->user != user)
            continue;
        is_present |= other->place == IN;
        if (other->place == WAITING)
            p->since_ms = other->since_ms; /* it takes over the place in the line */
    }
    bool is_free = count_peers(m, room, IN) < (int)m->limits.capacity;

    /* Before the call, since the queue is sent before it returns. */
    p->place = is_present || is_free ? IN : WAITING;
    p->room = room;
    p->user = user;
    p->alive_ms = m->now_ms;
    if (m->rooms[room].queued > 0 && m->rooms[room].queue[0].user == user)
        m->rooms[room].is_away = false;

    const room_join request = {.room = room_names[room],
                               .user = user_names[user],
                               .room_json = room_jsons[room],
                               .user_json = user_jsons[user],
                               .now_ms = m->now_ms};
    int result = room_manager_join(m->manager, &p->room_peer, &request);
    if (result == ROOM_FULL) { /* all members have answered within the last second */
        CHECK(p->place == WAITING && p->room_peer.member == NULL);
        p->place = OUT;
        return;
    }
    CHECK(result == (p->place == IN ? ROOM_JOINED : ROOM_WAITING));
    CHECK(p->place == IN ? room_peer_is_joined(&p->room_peer) : room_peer_is_waiting(&p->room_peer));
    const model_room *r = &m->rooms[room];
    CHECK(p->place != IN || r->queued == 0 || r->queue[0].user == user); /* delivered at once */
}

/* The signals of a user who leaves go with it; one who waits has none. */
static void do_leave(peer *p)
{
    if (p->place == OUT)
        return;
    model *m = p->m;
    bool was_in = p->place == IN;
    p->place = OUT; /* before the call: somebody may get in through it */
    const room_leaving leaving = {.why = ROOM_NEWS_LEFT, .now_ms = m->now_ms};
    room_manager_leave(m->manager, &p->room_peer, &leaving);
    CHECK(p->room_peer.member == NULL);
    const model_room *r = &m->rooms[p->room];
    CHECK(!was_in || r->queued == 0 || r->queue[0].user != p->user);
}

static void do_lose(peer *p)
{
    if (p->place == OUT)
        return;
    model *m = p->m;
    const model_room *r = &m->rooms[p->room];
    if (p->place == IN && r->queued > 0 && r->queue[0].user == p->user)
        set_away(m, p->room);
    m->was_lost[p->room][p->user] |= p->place == IN;
    p->place = OUT;
    room_manager_lose(m->manager, &p->room_peer, m->now_ms);
    CHECK(p->room_peer.member == NULL);
}

static void do_signal(peer *p, size_t filling)
{
    if (p->place != IN)
        return;
    model *m = p->m;
    stamp sent = {
        .number = ++m->numbers,
        .sender = (uint8_t)(p - m->peers),
        .room = (uint8_t)p->room,
        .user = (uint8_t)p->user,
    };
    char bytes[sizeof(sent)], padding[32] = {0};
    memcpy(bytes, &sent, sizeof(sent));
    const struct iovec parts[] = {{bytes, 3}, {NULL, 0}, {bytes + 3, sizeof(sent) - 3}, {padding, filling}};
    int others = count_peers(m, p->room, IN) - 1;
    size_t queued = m->rooms[p->room].queued;
    size_t held = m->rooms[p->room].bytes;
    size_t reserved = m->reserved;

    const room_signal signal = {.kind = (int)sent.number, .count = 4, .parts = parts};
    int err = room_manager_signal(m->manager, &p->room_peer, &signal, m->now_ms);
    if (others > 0) {
        CHECK(err == 0 && m->sends == others && m->attempts == others);
        return;
    }
    size_t len = sizeof(sent) + filling;
    bool fits = queued < m->limits.pending_max_messages && held + len <= m->limits.pending_max_bytes &&
                reserved + len <= m->budget;
    CHECK(err == (fits ? 0 : -ENOSPC) && m->sends == 0 && m->attempts == 1);
    CHECK(m->rooms[p->room].queued == queued + fits);
}

static void do_answer(peer *p)
{
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
    CHECK(members <= (int)m->limits.capacity);
    CHECK(waiters == 0 || members == (int)m->limits.capacity);
    CHECK(r->queued == 0 || members == (r->is_away ? 0 : 1));
    expected->rooms += members > 0 || r->queued > 0;
    expected->members += (uint64_t)members;
    expected->waiters += (uint64_t)waiters;
    expected->pending_messages += r->queued;
    expected->pending_bytes += r->bytes;
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
            CHECK(slice_equals(room_member_user_json(p->room_peer.member), user_jsons[p->user]) &&
                  slice_equals(room_member_room_json(p->room_peer.member), room_jsons[p->room]));
    }
    for (int i = 0; i < ROOMS; i++) {
        if (m->rooms[i].is_away && m->rooms[i].expires_ms < due_ms)
            due_ms = m->rooms[i].expires_ms;
    }
    CHECK(room_manager_next_due_ms(m->manager) == due_ms);
}

static void play(model *m, uint8_t who, uint8_t what)
{
    peer *p = &m->peers[who % PEERS];
    int choice = what >> 3;
    m->sends = 0;
    m->attempts = 0;
    switch (what & 7) {
    case 0:
    case 1:
        do_join(p, choice % ROOMS, (choice / ROOMS) % USERS);
        break;
    case 2:
        do_leave(p);
        break;
    case 3:
        do_lose(p);
        break;
    case 4:
        do_signal(p, (size_t)choice);
        break;
    case 5:
        do_answer(p);
        break;
    case 6:
        do_tick(m, (uint64_t)choice * (who >= 128 ? 10 : 1), (who & 64) != 0);
        break;
    case 7:
        p->is_ending = !p->is_ending;
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
        m->peers[i] = (peer){.room_peer = {.face = &face}, .m = m};
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
