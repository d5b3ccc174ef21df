/* The model test of the room rules: random sequences of joins, leaves, takeovers, losses, signals, signs of
 * life and time, by peers of versions 1 and 2 in the same rooms and of the session dialect in one of their
 * own, are played to the RoomManager and to the reference in room_reference.c. After each step, what
 * every peer has heard must be the same, and so must what was reported of the signals of every room, what the
 * manager counts, and when it wants to be called again.
 *
 * A sequence that tells them apart is shrunk, by leaving steps out as long as there is still a difference,
 * and printed with its seed. A failed assertion in the rooms is a difference, too.
 *
 *     ROOM_MODEL_SEQUENCES=1000000    so many sequences, instead of ten thousand
 *     ROOM_MODEL_SEED=123             from this seed, instead of one that the clock gives
 *
 * fuzz_rooms.c plays what libFuzzer thinks of, also with several things in one millisecond, but knows only
 * what must never happen. This test knows what must happen. */
#include "model/room_reference.h"
#include "rooms/room_manager.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { MAX_STEPS = 120, TTL_MS = 200, START_MS = 1000, MAX_SIGNAL = 40, TRUST_MS = 1000 };

/* The number of a signal is told to the rooms above its kind, of which they look at the low bits. */
enum { KINDS_OF_FACE = 32 };

/* ---- Sequences ---- */

typedef enum step_kind {
    JOIN,
    LEAVE,
    LOSE,
    SEND,
    ANSWER,
    END,
    WAIT,
    STALL,
    AWAY,
    BACK,
    CHANGE,
    SUCCEED,
    REQUEUE,
    STEP_KINDS
} step_kind;

typedef struct step {
    step_kind kind;
    int peer;
    int room;
    int user;
    int amount; /* bytes of a signal, or milliseconds */
    int kind_of_signal;
    int other; /* of who is there: for whom the signal is or whose it was; the peer that succeeds; why it
                  leaves */
} step;

typedef struct sequence {
    uint64_t seed;
    reference_limits limits;
    int count;
    step steps[MAX_STEPS];
} sequence;

/* xorshift64*, by Vigna: small, and the same on every machine. */
static uint64_t draw(uint64_t *state)
{
    *state ^= *state >> 12;
    *state ^= *state << 25;
    *state ^= *state >> 27;
    return *state * 0x2545F4914F6CDD1DU;
}

static int draw_below(uint64_t *state, int bound)
{
    return (int)((draw(state) >> 33) % (uint64_t)bound);
}

/* Around the times at which something is due, and between them. Each step takes a millisecond more. */
static int draw_ms(uint64_t *state, int probe_ms)
{
    const int times[] = {
        1,          3,      10,         probe_ms - 2, probe_ms - 1, probe_ms,    probe_ms + 1, 2 * probe_ms,
        TTL_MS - 1, TTL_MS, TTL_MS + 1, TRUST_MS - 4, TRUST_MS - 3, TRUST_MS - 2};
    return times[draw_below(state, sizeof(times) / sizeof(times[0]))];
}

/* Which kinds of peers take part. */
typedef struct cast {
    int first; /* peer */
    int peers; /* from that one on */
} cast;

static cast draw_cast(uint64_t *state)
{
    enum { EACH = MODEL_PEERS / MODEL_KINDS };
    static const cast casts[] = {{0, EACH},    {0, 2 * EACH},    {0, 2 * EACH},
                                 {EACH, EACH}, {2 * EACH, EACH}, {0, MODEL_PEERS}};
    return casts[draw_below(state, sizeof(casts) / sizeof(casts[0]))];
}

static step draw_step(uint64_t *state, cast who, int rooms, int users, int probe_ms)
{
    /* How often each kind of step comes, of 40. */
    static const int shares[STEP_KINDS] = {
        [JOIN] = 11, [LEAVE] = 2, [LOSE] = 4, [SEND] = 8,   [ANSWER] = 3,  [END] = 1,    [WAIT] = 3,
        [STALL] = 1, [AWAY] = 2,  [BACK] = 1, [CHANGE] = 1, [SUCCEED] = 1, [REQUEUE] = 2};
    int chosen = draw_below(state, 40);
    int kind = 0;
    while (chosen >= shares[kind])
        chosen -= shares[kind++];
    int peer = who.first + draw_below(state, who.peers);
    int room = draw_below(state, rooms);
    return (step){
        .kind = (step_kind)kind,
        .peer = peer,
        .room = model_kind_of(peer) == OF_SESSION ? MODEL_SESSION : room,
        .user = draw_below(state, users),
        .amount = kind == SEND || kind == REQUEUE ? (int)sizeof(int) + draw_below(state, MAX_SIGNAL)
                                                  : draw_ms(state, probe_ms),
        .kind_of_signal = draw_below(state, 3) > 0 ? MODEL_OFFER : draw_below(state, MODEL_SIGNALS),
        .other = draw_below(state, 12),
    };
}

static sequence make_sequence(uint64_t seed)
{
    uint64_t state = seed * 0x9E3779B97F4A7C15U + 1;
    sequence s = {.seed = seed, .count = 1 + draw_below(&state, MAX_STEPS)};
    s.limits = (reference_limits){
        .capacity = 1 + draw_below(&state, 4),
        .max_messages = draw_below(&state, REFERENCE_QUEUE + 1),
        .max_bytes = (uint64_t)draw_below(&state, 8 * MAX_SIGNAL),
        .budget = (uint64_t)draw_below(&state, 12 * MAX_SIGNAL),
        .ttl_ms = TTL_MS,
        .probe_ms = draw_below(&state, 3) > 0 ? 30 : 2 * TRUST_MS,
    };
    /* With few rooms and users they meet more often. */
    int rooms = 1 + draw_below(&state, MODEL_ROOMS - 1);
    int users = 2 + draw_below(&state, MODEL_USERS - 1);
    cast who = draw_cast(&state);
    for (int i = 0; i < s.count; i++)
        s.steps[i] = draw_step(&state, who, rooms, users, (int)s.limits.probe_ms);
    return s;
}

static void print_sequence(const sequence *s)
{
    static const char *const names[STEP_KINDS] = {
        "joins", "leaves",    "is lost",    "sends",   "answers",      "is ending",         "wait",
        "stall", "goes away", "comes back", "changes", "is succeeded", "gets back a signal"};
    static const char *const kinds[MODEL_KINDS] = {"1", "2", "session"};
    print_message("seed %" PRIu64 ": rooms of %d; queues of %d signals, %" PRIu64 " bytes, %" PRIu64
                  " in all; a TTL of %" PRIu64 " ms, %" PRIu64 " ms to answer\n",
                  s->seed, s->limits.capacity, s->limits.max_messages, s->limits.max_bytes, s->limits.budget,
                  s->limits.ttl_ms, s->limits.probe_ms);
    for (int i = 0; i < s->count; i++) {
        const step *at = &s->steps[i];
        print_message("%3d. ", i + 1);
        if (at->kind == WAIT || at->kind == STALL)
            print_message("%s %d ms\n", names[at->kind], at->amount);
        else if (at->kind == JOIN)
            print_message("peer %d (%s) joins room %d as %c\n", at->peer, kinds[model_kind_of(at->peer)],
                          at->room, "abcde"[at->user]);
        else if (at->kind == SEND || at->kind == REQUEUE)
            print_message("peer %d %s: %d bytes of kind %d, %d\n", at->peer, names[at->kind], at->amount,
                          at->kind_of_signal, at->other);
        else if (at->kind == LEAVE || at->kind == SUCCEED)
            print_message("peer %d %s (%d)\n", at->peer, names[at->kind], at->other);
        else
            print_message("peer %d %s\n", at->peer, names[at->kind]);
    }
}

/* ---- The real rooms ---- */

typedef struct world world;

typedef struct real_peer {
    room_peer peer; /* first: what the manager knows of it */
    world *w;
    bool is_ending;
    uint64_t alive_ms;
    uint64_t asked_ms;
    uint64_t away_ms; /* 0 = it is there */
} real_peer;

struct world {
    room_manager *manager; /* owned */
    real_peer peers[MODEL_PEERS];
    transcript heard;
    uint64_t now_ms;
    uint64_t budget;
    uint64_t probe_ms;
    uint64_t reserved;
    int numbers;        /* given to signals so far */
    const char *broken; /* what must never happen has happened */
};

/* The session has the name of a room, in another space. */
static const slice room_names[MODEL_ROOMS] = {{"kitchen", 7}, {"g\n", 2}, {"g\n2", 3}, {"kitchen", 7}};
static const slice room_jsons[MODEL_ROOMS] = {
    {"\"kitchen\"", 9}, {"\"g\\n\"", 5}, {"\"g\\n2\"", 6}, {"\"kitchen\"", 9}};
static const slice user_names[MODEL_USERS] = {{"a", 1}, {"b", 1}, {"c", 1}, {"d", 1}, {"e", 1}};
static const slice user_jsons[MODEL_USERS] = {
    {"\"a\"", 3}, {"\"b\"", 3}, {"\"c\"", 3}, {"\"d\"", 3}, {"\"e\"", 3}};

static int find(const slice *names, int count, slice name)
{
    for (int i = 0; i < count; i++) {
        if (slice_equals(names[i], name))
            return i;
    }
    abort();
}

static real_peer *peer_of(room_peer *p)
{
    return (real_peer *)p;
}

static transcript_text *text_of(const real_peer *p)
{
    return &p->w->heard.peers[p - p->w->peers];
}

/* A signal is its number and a filling that tells its length. */
static bool on_send(room_peer *receiver, const room_signal *signal, const room_member *from)
{
    const real_peer *to = peer_of(receiver);
    char bytes[sizeof(int) + MAX_SIGNAL] = {0};
    int len = 0, number = 0;
    for (int i = 0; i < signal->count; i++) {
        const struct iovec *part = &signal->parts[i];
        for (size_t k = 0; k < part->iov_len && len < (int)sizeof(bytes); k++)
            bytes[len++] = ((const char *)part->iov_base)[k];
    }
    memcpy(&number, bytes, sizeof(number));
    transcript_note(text_of(to), "signal %d of %d bytes from %c#%u\n", number, len,
                    "abcde"[find(user_names, MODEL_USERS, room_member_user(from))], room_member_order(from));
    for (int i = (int)sizeof(number); i < len; i++) {
        if (bytes[i] != (char)number)
            to->w->broken = "a signal was changed on its way";
    }
    return !to->is_ending;
}

static void on_probe(room_peer *asked)
{
    real_peer *p = peer_of(asked);
    p->asked_ms = p->w->now_ms;
}

static bool is_alive_since(const room_peer *asked, uint64_t since_ms)
{
    return ((const real_peer *)asked)->alive_ms > since_ms;
}

static uint64_t away_since_ms(const room_peer *asked)
{
    return ((const real_peer *)asked)->away_ms;
}

static void on_entered(room_peer *entered)
{
    transcript_note(text_of(peer_of(entered)), "entered\n");
}

static void on_news(room_peer *told, const room_news *news)
{
    static const char *const kinds[] = {
        [ROOM_NEWS_JOINED] = "joined",    [ROOM_NEWS_CHANGED] = "changed", [ROOM_NEWS_AWAY] = "away",
        [ROOM_NEWS_BACK] = "back",        [ROOM_NEWS_LEFT] = "left",       [ROOM_NEWS_LOST] = "lost",
        [ROOM_NEWS_REPLACED] = "replaced"};
    transcript_note(text_of(peer_of(told)), "%c#%u %s\n",
                    "abcde"[find(user_names, MODEL_USERS, room_member_user(news->about))],
                    room_member_order(news->about), kinds[news->kind]);
}

static void on_admitted(room_peer *admitted)
{
    transcript_note(text_of(peer_of(admitted)), "admitted\n");
}

static void on_refused(room_peer *refused, const room_member *was)
{
    (void)was;
    transcript_note(text_of(peer_of(refused)), "refused\n");
}

static void on_replaced(room_peer *replaced, const room_member *was)
{
    (void)was;
    transcript_note(text_of(peer_of(replaced)), "replaced\n");
}

/* protocol/README.md, 1.1: only who was pinged, and was silent for the whole time since. Or who is away. */
static void on_dropped(room_peer *dropped)
{
    const real_peer *p = peer_of(dropped);
    transcript_note(text_of(p), "dropped\n");
    if (p->away_ms == 0 && (p->asked_ms < p->alive_ms || p->w->now_ms < p->asked_ms + p->w->probe_ms))
        p->w->broken = "a member was dropped that was not silent to a ping for long enough";
}

static uint32_t account_of(const room_peer *p)
{
    (void)p;
    return 0;
}

static uint64_t id_of(const room_peer *p)
{
    return (uint64_t)(((const real_peer *)p) - ((const real_peer *)p)->w->peers);
}

#define WHAT_ALL_FACES_DO                                                                                  \
    .send = on_send, .probe = on_probe, .is_alive_since = is_alive_since, .on_admitted = on_admitted,      \
    .on_refused = on_refused, .on_replaced = on_replaced, .on_dropped = on_dropped, .account = account_of, \
    .id = id_of

static const room_peer_face faces[MODEL_KINDS] = {
    [OF_VERSION_1] =
        {.kinds = 1U << MODEL_OFFER, .version = 1, .has_users = true, .keeps_queue = true, WHAT_ALL_FACES_DO},
    [OF_VERSION_2] = {.kinds = 1U << MODEL_OFFER | 1U << MODEL_HANGUP | 1U << MODEL_DATA,
                      .version = 2,
                      .away_since_ms = away_since_ms,
                      .on_entered = on_entered,
                      .on_news = on_news,
                      WHAT_ALL_FACES_DO},
    [OF_SESSION] = {.kinds = 1U << MODEL_OFFER | 1U << MODEL_HANGUP,
                    .version = 1,
                    .doubts_company = true,
                    WHAT_ALL_FACES_DO},
};

static bool on_reserve(void *context, uint32_t account, size_t bytes)
{
    (void)account;
    world *w = context;
    if (bytes > w->budget - w->reserved)
        return false;
    w->reserved += bytes;
    return true;
}

static void on_release(void *context, uint32_t account, size_t bytes)
{
    (void)account;
    world *w = context;
    w->reserved -= bytes;
}

static void on_signal(void *context, const room_signal_report *told)
{
    static const char *const outcomes[ROOM_OUTCOMES] = {
        [ROOM_SIGNAL_RELAYED] = "relayed",     [ROOM_SIGNAL_QUEUED] = "queued",
        [ROOM_SIGNAL_DELIVERED] = "delivered", [ROOM_SIGNAL_REFUSED] = "refused",
        [ROOM_SIGNAL_DROPPED] = "dropped",
    };
    world *w = context;
    int to = told->to == NULL ? -1 : find(user_names, MODEL_USERS, room_member_user(told->to));
    const real_peer *from = (const real_peer *)room_member_peer(told->from);
    const char *why = room_failure_text(told->failure);
    bool is_session = from != NULL && model_kind_of((int)(from - w->peers)) == OF_SESSION;
    int room = is_session ? MODEL_SESSION : find(room_names, MODEL_ROOMS, room_member_room(told->from));
    transcript_note(&w->heard.rooms[room], "%s %d from %c to %c%s%s\n", outcomes[told->outcome],
                    told->kind / KINDS_OF_FACE,
                    "abcde"[find(user_names, MODEL_USERS, room_member_user(told->from))],
                    to < 0 ? '-' : "abcde"[to], why == NULL ? "" : ": ", why == NULL ? "" : why);
}

static void open_world(world *w, const reference_limits *limits)
{
    static const keyed_hash key = {{1}};
    *w = (world){.now_ms = START_MS, .budget = limits->budget, .probe_ms = limits->probe_ms};
    const room_effects effects = {
        .reserve = on_reserve, .release = on_release, .on_signal = on_signal, .context = w};
    const room_limits of_rooms = {
        .capacity = (uint32_t)limits->capacity,
        .pending_max_messages = (uint32_t)limits->max_messages,
        .pending_max_bytes = limits->max_bytes,
        .pending_ttl_ms = (uint32_t)limits->ttl_ms,
        .probe_timeout_ms = (uint32_t)limits->probe_ms,
    };
    for (int i = 0; i < MODEL_PEERS; i++)
        w->peers[i] = (real_peer){.peer = {.face = &faces[model_kind_of(i)]}, .w = w};
    if (room_manager_new(&of_rooms, &effects, &key, &w->manager) != 0)
        abort();
}

/* ---- Playing a step to both ---- */

static room_join request_of(const world *w, int room, int user)
{
    return (room_join){.space = room == MODEL_SESSION ? ROOM_SPACE_SESSIONS : ROOM_SPACE_ROOMS,
                       .room = room_names[room],
                       .user = user_names[user],
                       .room_json = room_jsons[room],
                       .user_json = user_jsons[user],
                       .now_ms = w->now_ms};
}

static void join(world *w, reference *r, const step *s)
{
    real_peer *p = &w->peers[s->peer];
    p->alive_ms = w->now_ms;
    p->away_ms = 0;
    const room_join request = request_of(w, s->room, s->user);
    int result = room_manager_join(w->manager, &p->peer, &request);
    if (result == ROOM_FULL)
        on_refused(&p->peer, NULL);
    else if (result != ROOM_JOINED && result != ROOM_WAITING)
        w->broken = "a join has failed";
    reference_join(r, s->peer, s->room, s->user);
}

static const struct {
    room_news_kind kind;
    const char *text;
} ways_to_go[] = {{ROOM_NEWS_LEFT, "left"}, {ROOM_NEWS_LOST, "lost"}, {ROOM_NEWS_REPLACED, "replaced"}};

static void leave(world *w, reference *r, int peer, int way)
{
    const room_leaving leaving = {.why = ways_to_go[way].kind, .now_ms = w->now_ms};
    room_manager_leave(w->manager, &w->peers[peer].peer, &leaving);
    reference_leave(r, peer, ways_to_go[way].text);
}

/* A signal of a step, as both know it. Its body is its number, and a filling that tells its length. */
typedef struct both_signals {
    reference_signal expected;
    room_signal real;
    struct iovec parts[3];
    char bytes[MAX_SIGNAL + sizeof(int)];
} both_signals;

static void make_signal(world *w, const step *s, both_signals *out)
{
    int number = ++w->numbers;
    memset(out->bytes, (char)number, sizeof(out->bytes));
    memcpy(out->bytes, &number, sizeof(number));
    out->parts[0] = (struct iovec){out->bytes, sizeof(number)};
    out->parts[1] = (struct iovec){NULL, 0};
    out->parts[2] = (struct iovec){out->bytes + sizeof(number), (size_t)s->amount - sizeof(number)};
    out->expected = (reference_signal){.number = number,
                                       .kind = s->kind_of_signal,
                                       .bytes = (uint64_t)s->amount,
                                       .is_fleeting = s->kind_of_signal == MODEL_HANGUP};
    out->real = (room_signal){.kind = number * KINDS_OF_FACE + s->kind_of_signal,
                              .count = 3,
                              .parts = out->parts,
                              .is_fleeting = out->expected.is_fleeting};
}

/* To all others, or to one of them. */
static void send_signal(world *w, reference *r, const step *s, const reference_room *room)
{
    real_peer *p = &w->peers[s->peer];
    both_signals signal;
    make_signal(w, s, &signal);
    int to = s->other < room->member_count ? room->members[s->other].peer : -1;
    if (to == s->peer)
        to = -1;
    signal.real.to = to < 0 ? NULL : w->peers[to].peer.member;
    if (room_manager_signal(w->manager, &p->peer, &signal.real, w->now_ms) != 0)
        transcript_note(text_of(p), "Pending queue is full\n");
    reference_send(r, s->peer, signal.expected, to);
}

/* A signal of one who is in the room of this peer, or was there, comes back. */
static void requeue(world *w, reference *r, const step *s, const reference_room *room)
{
    both_signals signal;
    make_signal(w, s, &signal);
    unsigned order = room->members[0].order - (s->other == 0 ? 1U : 0);
    if (room_manager_requeue(w->manager, w->peers[s->peer].peer.member, order, &signal.real, w->now_ms) !=
        reference_requeue(r, s->peer, order, signal.expected))
        w->broken = "a signal comes back that must not, or the other way round";
}

/* To the first peer of version 2 that has no place. */
static void succeed(world *w, reference *r, const step *s, int room)
{
    for (int i = 0; i < MODEL_PEERS; i++) {
        real_peer *successor = &w->peers[i];
        if (model_kind_of(i) != OF_VERSION_2 || successor->peer.member != NULL)
            continue;
        int way = 1 + s->other % 2;
        successor->alive_ms = w->now_ms;
        successor->away_ms = 0;
        const room_join request = request_of(w, room, s->user);
        if (room_manager_succeed(w->manager, &w->peers[s->peer].peer, &successor->peer, &request,
                                 ways_to_go[way].kind) != 0)
            w->broken = "a succession has failed";
        reference_succeed(r, s->peer, i, s->user, ways_to_go[way].text);
        return;
    }
}

static void answer(world *w, reference *r, int peer)
{
    w->peers[peer].alive_ms = w->now_ms;
    room_manager_on_alive(w->manager, &w->peers[peer].peer, w->now_ms);
    reference_answer(r, peer);
}

static void go_away(world *w, reference *r, int peer)
{
    w->peers[peer].away_ms = w->now_ms;
    room_manager_away(w->manager, &w->peers[peer].peer);
    reference_go_away(r, peer);
}

static void come_back(world *w, reference *r, int peer)
{
    w->peers[peer].away_ms = 0;
    w->peers[peer].alive_ms = w->now_ms;
    room_manager_back(w->manager, &w->peers[peer].peer, w->now_ms);
    reference_come_back(r, peer);
}

/* A thread that comes back late from something else does all that was due meanwhile at once. */
static void stall(world *w, reference *r, uint64_t ms)
{
    w->now_ms += ms;
    reference_set_time(r, w->now_ms);
    room_manager_tick(w->manager, w->now_ms);
    reference_tick(r);
}

static void wait(world *w, reference *r, uint64_t ms)
{
    uint64_t end_ms = w->now_ms + ms;
    uint64_t due_ms;
    while ((due_ms = reference_due_ms(r)) <= end_ms)
        stall(w, r, due_ms > w->now_ms ? due_ms - w->now_ms : 0);
    w->now_ms = end_ms;
    reference_set_time(r, end_ms);
}

/* The steps of one who is in a room. */
static void play_inside(world *w, reference *r, const step *s, int room)
{
    bool is_of_version_2 = model_kind_of(s->peer) == OF_VERSION_2;
    bool is_away = w->peers[s->peer].away_ms != 0;
    switch (s->kind) {
    case SEND:
        if (!is_away)
            send_signal(w, r, s, &r->rooms[room]);
        return;
    case AWAY:
        if (is_of_version_2 && !is_away)
            go_away(w, r, s->peer);
        return;
    case BACK:
        if (is_away)
            come_back(w, r, s->peer);
        return;
    case CHANGE:
        room_manager_changed(w->manager, &w->peers[s->peer].peer);
        reference_change(r, s->peer);
        return;
    case SUCCEED:
        if (is_of_version_2)
            succeed(w, r, s, room);
        return;
    case REQUEUE:
        requeue(w, r, s, &r->rooms[room]);
        return;
    default:
        abort();
    }
}

/* The step, as the session of a connection would do it: one that is in a room leaves it to join another, and
 * from one that waits nothing is handled but its end. */
static void play_step(world *w, reference *r, const step *s)
{
    int room;
    const reference_place *place;
    reference_where where = reference_find(r, s->peer, &room, &place);
    switch (s->kind) {
    case JOIN:
        if (where == REFERENCE_WAITING ||
            (where == REFERENCE_IN && room == s->room && place->user == s->user))
            return;
        if (where == REFERENCE_IN)
            leave(w, r, s->peer, 0);
        join(w, r, s);
        return;
    case LEAVE:
        if (where != REFERENCE_OUT)
            leave(w, r, s->peer, s->other % 3);
        return;
    case LOSE:
        if (where == REFERENCE_OUT)
            return;
        room_manager_lose(w->manager, &w->peers[s->peer].peer, w->now_ms);
        reference_lose(r, s->peer);
        return;
    case ANSWER:
        if (where != REFERENCE_OUT && w->peers[s->peer].away_ms == 0)
            answer(w, r, s->peer);
        return;
    case END:
        w->peers[s->peer].is_ending = r->is_ending[s->peer] = !r->is_ending[s->peer];
        return;
    case WAIT:
        wait(w, r, (uint64_t)s->amount);
        return;
    case STALL:
        stall(w, r, (uint64_t)s->amount);
        return;
    default:
        if (where == REFERENCE_IN)
            play_inside(w, r, s, room);
        else if (where == REFERENCE_WAITING && s->kind == CHANGE) /* which is no news to anybody */
            room_manager_changed(w->manager, &w->peers[s->peer].peer);
    }
}

/* ---- Comparing ---- */

/* What told them apart, for a message. */
typedef struct difference {
    int step; /* -1 if there is none */
    char text[4096];
} difference;

static bool is_same_text(const transcript_text *a, const transcript_text *b)
{
    return a->len == b->len && memcmp(a->text, b->text, a->len) == 0;
}

static bool compare_texts(const char *what, const transcript_text *real, const transcript_text *expected,
                          int count, difference *found)
{
    for (int i = 0; i < count; i++) {
        if (is_same_text(&real[i], &expected[i]))
            continue;
        snprintf(found->text, sizeof(found->text), "%s %d: the rooms say\n%.*sby the rules it is\n%.*s", what,
                 i, (int)real[i].len, real[i].text, (int)expected[i].len, expected[i].text);
        return false;
    }
    return true;
}

/* The member is where it should be, and is found by its id. */
static bool compare_member(room_member *member, int room, const reference_place *place)
{
    if (!slice_equals(room_member_room(member), room_names[room]) ||
        !slice_equals(room_member_user(member), user_names[place->user]) ||
        room_member_order(member) != place->order)
        return false;
    char id[ROOM_PEER_ID_LEN];
    if (room_member_is_waiting(member))
        return true;
    room_member_write_id(member, id);
    return room_manager_find_peer(member, (slice){id, sizeof(id)}) == member;
}

static bool compare_places(world *w, const reference *r)
{
    for (int i = 0; i < MODEL_PEERS; i++) {
        int room;
        const reference_place *place;
        reference_where where = reference_find(r, i, &room, &place);
        const room_peer *p = &w->peers[i].peer;
        if (room_peer_is_joined(p) != (where == REFERENCE_IN) ||
            room_peer_is_waiting(p) != (where == REFERENCE_WAITING))
            return false;
        if (where != REFERENCE_OUT && !compare_member(p->member, room, place))
            return false;
    }
    return true;
}

static bool compare_counts(const world *w, const reference *r)
{
    room_counts expected = {0};
    for (int i = 0; i < MODEL_ROOMS; i++) {
        const reference_room *room = &r->rooms[i];
        expected.rooms += room->member_count > 0 || room->queued > 0; /* protocol/README.md, 1.4 */
        expected.members += (uint64_t)room->member_count;
        expected.waiters += (uint64_t)room->line_count;
        expected.pending_messages += (uint64_t)room->queued;
        for (int k = 0; k < room->queued; k++)
            expected.pending_bytes += room->queue[k].bytes;
    }
    const room_counts real = room_manager_counts(w->manager);
    return real.rooms == expected.rooms && real.members == expected.members &&
           real.waiters == expected.waiters && real.pending_messages == expected.pending_messages &&
           real.pending_bytes == expected.pending_bytes && w->reserved == expected.pending_bytes;
}

static bool compare_transcripts(world *w, const reference *r, difference *found)
{
    return compare_texts("peer", w->heard.peers, r->heard.peers, MODEL_PEERS, found) &&
           compare_texts("the signals of room", w->heard.rooms, r->heard.rooms, MODEL_ROOMS, found);
}

static bool compare(world *w, const reference *r, difference *found)
{
    if (!compare_transcripts(w, r, found))
        return false;
    const char *why = w->broken;
    if (why == NULL && !compare_places(w, r))
        why = "the peers are in other places than by the rules";
    if (why == NULL && !compare_counts(w, r))
        why = "the counts are others than by the rules";
    if (why == NULL && room_manager_next_due_ms(w->manager) != reference_due_ms(r))
        why = "something is due at another time than by the rules";
    if (why == NULL)
        return true;
    snprintf(found->text, sizeof(found->text), "%s\n", why);
    return false;
}

/* ---- Playing a sequence ---- */

static sigjmp_buf out_of_fall;

static void on_fall(int signal_number)
{
    (void)signal_number;
    siglongjmp(out_of_fall, 1);
}

/* At the end the server stops, and all signals that are queued are accounted for. */
static bool stop(world *w, reference *r, difference *found)
{
    transcript_clear(&w->heard);
    transcript_clear(&r->heard);
    room_manager *manager = w->manager;
    w->manager = NULL;
    room_manager_free(manager);
    reference_stop(r);
    if (!compare_transcripts(w, r, found))
        return false;
    if (w->reserved == 0)
        return true;
    snprintf(found->text, sizeof(found->text), "bytes of the budget are still taken after the stop\n");
    return false;
}

/* Play a sequence from its start. What a failed assertion leaves behind is lost. */
static void play(const sequence *s, difference *found)
{
    static world w; /* static, to be told from what a jump out of a signal may have spoilt */
    static reference r;
    static volatile int at;
    open_world(&w, &s->limits);
    reference_init(&r, &s->limits);
    found->step = -1;
    if (sigsetjmp(out_of_fall, 1) != 0) {
        found->step = at;
        snprintf(found->text, sizeof(found->text), "an assertion has failed, or a pointer was wrong\n");
        return;
    }
    for (at = 0; at < s->count; at++) {
        w.now_ms++; /* so that two signs of life are never at the same time */
        reference_set_time(&r, w.now_ms);
        transcript_clear(&w.heard);
        transcript_clear(&r.heard);
        play_step(&w, &r, &s->steps[at]);
        if (!compare(&w, &r, found)) {
            found->step = at;
            break;
        }
    }
    if (found->step < 0 && !stop(&w, &r, found))
        found->step = s->count;
    room_manager_free(w.manager);
}

/* Leave out steps, many at once first, as long as there is still a difference. */
static void shrink(sequence *s, difference *found)
{
    if (found->step < s->count)
        s->count = found->step + 1;
    for (int len = s->count; len > 0; len = len > 1 ? (len + 1) / 2 : 0) {
        for (int from = 0; from < s->count;) {
            sequence shorter = *s;
            int left_out = from + len < s->count ? len : s->count - from;
            memmove(&shorter.steps[from], &shorter.steps[from + left_out],
                    (size_t)(s->count - from - left_out) * sizeof(shorter.steps[0]));
            shorter.count -= left_out;
            difference again;
            play(&shorter, &again);
            if (again.step < 0) {
                from += len;
                continue;
            }
            *s = shorter;
            *found = again;
        }
    }
}

/* ---- The test ---- */

static uint64_t number_from(const char *variable, uint64_t otherwise)
{
    const char *text = getenv(variable);
    return text == NULL ? otherwise : strtoull(text, NULL, 10);
}

static void every_peer_hears_what_the_rules_say(void **state)
{
    (void)state;
    struct timespec now;
    assert_int_equal(clock_gettime(CLOCK_REALTIME, &now), 0);
    uint64_t seed = number_from("ROOM_MODEL_SEED", (uint64_t)now.tv_sec * 1000000);
    uint64_t count = number_from("ROOM_MODEL_SEQUENCES", 10000);
    print_message("%" PRIu64 " sequences from seed %" PRIu64 "\n", count, seed);

    const struct sigaction falling = {.sa_handler = on_fall};
    struct sigaction on_abrt, on_segv;
    assert_int_equal(sigaction(SIGABRT, &falling, &on_abrt), 0);
    assert_int_equal(sigaction(SIGSEGV, &falling, &on_segv), 0);
    difference found = {.step = -1};
    sequence s = {0};
    for (uint64_t i = 0; i < count && found.step < 0; i++) {
        s = make_sequence(seed + i);
        play(&s, &found);
    }
    if (found.step >= 0)
        shrink(&s, &found);
    assert_int_equal(sigaction(SIGABRT, &on_abrt, NULL), 0);
    assert_int_equal(sigaction(SIGSEGV, &on_segv, NULL), 0);
    if (found.step < 0)
        return;
    print_sequence(&s);
    fail_msg("after step %d, %s", found.step + 1, found.text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_peer_hears_what_the_rules_say),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
