#include "cluster/kinds.h"

#include "support/run_fail.h"

#include <stdlib.h>

uint64_t sim_last_token;
void (*sim_on_passed)(const sim_signal *signal);
void (*sim_on_relayed)(const sim_signal *signal);

static bool note_passed(const wire_message *m)
{
    sim_signal signal;
    REQUIRE(m->payload.len == sizeof(signal));
    memcpy(&signal, m->payload.data, sizeof(signal));
    sim_on_passed(&signal);
    return true;
}

static sim_signal signal_of(const room_signal *signal)
{
    sim_signal s;
    REQUIRE(signal->count == 1 && signal->parts[0].iov_len == sizeof(s));
    memcpy(&s, signal->parts[0].iov_base, sizeof(s));
    return s;
}

/* ---- Version 1, and sessions ---- */

static bool write_1(remote *r, const room_signal *signal, const room_member *from, bytes **out)
{
    (void)r;
    (void)from;
    const sim_signal s = signal_of(signal);
    sim_on_relayed(&s);
    return bytes_append(out, &s, sizeof(s)) == 0;
}

static bool on_signal_1(remote *r, const wire_message *m)
{
    (void)r;
    return note_passed(m);
}

#define FACE                                                                              \
    .kinds = 1U << SIM_OFFER, .send = remote_face_send, .probe = remote_face_probe,       \
    .is_alive_since = remote_face_is_alive_since, .is_in_doubt = remote_face_is_in_doubt, \
    .on_admitted = remote_face_on_admitted, .on_entered = remote_face_on_entered,         \
    .on_refused = remote_face_on_refused, .on_replaced = remote_face_on_replaced,         \
    .on_dropped = remote_face_on_dropped, .account = remote_face_account, .id = remote_face_id

static const remote_kind kind_1 = {
    .face = {FACE, .version = 1, .has_users = true, .keeps_queue = true},
    .space = ROOM_SPACE_ROOMS,
    .write = write_1,
    .on_signal = on_signal_1,
};

static const remote_kind kind_session = {
    .face = {FACE, .version = 1, .doubts_company = true},
    .space = ROOM_SPACE_SESSIONS,
    .write = write_1,
    .on_signal = on_signal_1,
};

/* ---- Version 2 ---- */

typedef struct told {
    STAILQ_ENTRY(told) link;
    sim_told what;
} told;

typedef struct seat {
    uint64_t token, last_seq, received;
    bool was_joined;
    STAILQ_HEAD(, told) outbox; /* owned */
} seat;

static seat *seat_of(const remote *r)
{
    return r->kept;
}

static void keep(seat *s, const sim_told *what)
{
    told *t = malloc(sizeof(*t));
    REQUIRE(t != NULL);
    t->what = *what;
    STAILQ_INSERT_TAIL(&s->outbox, t, link);
}

static void drop_until(seat *s, uint64_t seq)
{
    told *first;
    while ((first = STAILQ_FIRST(&s->outbox)) != NULL && first->what.seq <= seq) {
        STAILQ_REMOVE_HEAD(&s->outbox, link);
        free(first);
    }
}

static bool write_2(remote *r, const room_signal *signal, const room_member *from, bytes **out)
{
    (void)from;
    const sim_told what = {.seq = ++seat_of(r)->last_seq, .signal = signal_of(signal)};
    keep(seat_of(r), &what);
    return bytes_append(out, &what, sizeof(what)) == 0;
}

static bool stay(remote *r, bool is_fault)
{
    (void)r;
    return !is_fault;
}

static void tell_joined(const remote *r, bytes **extra)
{
    seat *s = seat_of(r);
    const sim_joined joined = {.token = s->token, .received = s->received, .is_resumed = s->was_joined};
    s->was_joined = true;
    REQUIRE(bytes_append(extra, &joined, sizeof(joined)) == 0);
}

/* Each number is taken once. */
static bool on_signal_2(remote *r, const wire_message *m)
{
    seat *s = seat_of(r);
    sim_numbers numbers;
    REQUIRE(m->extra.len == sizeof(numbers));
    memcpy(&numbers, m->extra.data, sizeof(numbers));
    drop_until(s, numbers.ack);
    if (numbers.n <= s->received)
        return false;
    if (numbers.n != s->received + 1)
        run_fail("a gap: %u after %u", (unsigned)numbers.n, (unsigned)s->received);
    s->received = numbers.n;
    return note_passed(m);
}

static remote *find_former(const room_member *first, const wire_message *join)
{
    sim_resume wanted;
    if (join->extra.len != sizeof(wanted))
        return NULL;
    memcpy(&wanted, join->extra.data, sizeof(wanted));
    for (const room_member *member = first; member != NULL; member = room_member_next(first, member)) {
        remote *r = remote_of_peer(room_member_peer(member));
        if (remote_kind_of(r) == sim_kinds[KIND_2] && seat_of(r)->token == wanted.token)
            return r;
    }
    return NULL;
}

static bool resume(remote *r, const wire_message *join)
{
    sim_resume wanted;
    memcpy(&wanted, join->extra.data, sizeof(wanted));
    drop_until(seat_of(r), wanted.seen);
    const told *t;
    STAILQ_FOREACH(t, &seat_of(r)->outbox, link)
    {
        wire_message m = {.type = WIRE_DELIVER, .payload = {(const char *)&t->what, sizeof(t->what)}};
        remote_tell(r, &m);
    }
    return true;
}

/* A moved seat is its numbers, and what is in its outbox. */
static bool open_2(remote *r, slice extra, bool is_moved)
{
    seat *s = calloc(1, sizeof(*s));
    REQUIRE(s != NULL);
    STAILQ_INIT(&s->outbox);
    r->kept = s;
    s->token = ++sim_last_token;
    if (!is_moved)
        return true;
    uint64_t numbers[3];
    REQUIRE(extra.len >= sizeof(numbers) && (extra.len - sizeof(numbers)) % sizeof(sim_told) == 0);
    memcpy(numbers, extra.data, sizeof(numbers));
    s->token = numbers[0];
    s->last_seq = numbers[1];
    s->received = numbers[2];
    s->was_joined = true;
    for (size_t at = sizeof(numbers); at < extra.len; at += sizeof(sim_told)) {
        sim_told what;
        memcpy(&what, extra.data + at, sizeof(what));
        keep(s, &what);
    }
    return true;
}

static void close_2(remote *r)
{
    if (r->kept != NULL)
        drop_until(r->kept, UINT64_MAX);
    free(r->kept);
}

static void pack(const remote *r, bytes **extra)
{
    const seat *s = seat_of(r);
    const uint64_t numbers[3] = {s->token, s->last_seq, s->received};
    REQUIRE(bytes_append(extra, numbers, sizeof(numbers)) == 0);
    const told *t;
    STAILQ_FOREACH(t, &s->outbox, link)
    {
        REQUIRE(bytes_append(extra, &t->what, sizeof(t->what)) == 0);
    }
}

bool sim_is_over(const remote *r)
{
    return r->away_ms != 0 && r->all->now_ms >= r->away_ms + SIM_RESUME_FOR_MS;
}

static const remote_kind kind_2 = {
    .face = {FACE, .version = 2, .away_since_ms = remote_face_away_since_ms},
    .space = ROOM_SPACE_ROOMS,
    .write = write_2,
    .stay = stay,
    .tell_joined = tell_joined,
    .on_signal = on_signal_2,
    .find_former = find_former,
    .resume = resume,
    .open = open_2,
    .close = close_2,
    .pack = pack,
};

const remote_kind *const sim_kinds[KINDS] = {
    [KIND_1] = &kind_1, [KIND_SESSION] = &kind_session, [KIND_2] = &kind_2};
