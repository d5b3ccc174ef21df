/* The rules of PROTOCOL.md, 1 to 4: joining, relaying, queueing, waiting before a full room. The structs and
 * what always holds for them are in room.h.
 *
 * A takeover does not end one member and begin another: it gives the member that is there to the new peer. So
 * it needs no memory, keeps the queue, and nobody else can notice. A waiter is taken over the same way and
 * keeps its place in the line and its deadline, so that coming again neither loses nor gains anything.
 *
 * A newcomer before a full room has every member probed, except those that still owe an answer to an earlier
 * newcomer, who may have gone since: their answer, when it comes, serves both. A member is judged from the
 * time it was asked, and one who came in while somebody waits owes nothing, for its own join was a sign of
 * life. Each waiter is refused as soon as nobody owes an answer from after its coming; at its deadline, which
 * is the earliest in its room, the silent members are dropped and the line moves up. Both times, the queue's
 * and the waiters', are the same span for all, so plain lists in order of coming are sorted by what is due.
 *
 * Every entry point makes its own change first and ends with settle(), which lets in, refuses and closes what
 * has become due through it. */
#include "rooms/room_manager.h"

#include "rooms/room.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

/* A line longer than this before one room is no family at its door, and would only cost time at each join. */
enum { MAX_WAITERS = 64 };

struct room_manager {
    room_limits limits;
    room_effects effects;
    pending_bounds bounds;              /* the part of both that the queues need */
    room_table rooms;                   /* owned */
    TAILQ_HEAD(, room_backlog) lapsing; /* borrowed from their rooms, the first to lapse first */
    TAILQ_HEAD(, room_waiter) due;      /* borrowed from their rooms, the first due first */
    room_counts counts;
    uint64_t now_ms; /* the time that was told last */
};

/* ---- Signals ---- */

/* A signal on its way, borrowed from the sender's message or from the queue. */
typedef struct parcel {
    int kind;
    size_t bytes;
    uint64_t waited_ms; /* in the queue */
    const struct iovec *parts;
    int count;
} parcel;

static const char *const setbacks[ROOM_SETBACKS] = {
    [ROOM_SETBACK_QUEUE_FULL] = "room queue is full",
    [ROOM_SETBACK_BUDGET_USED_UP] = "server queue budget is used up",
    [ROOM_SETBACK_NO_MEMORY] = "out of memory",
    [ROOM_SETBACK_RECEIVER_ENDING] = "receiver is ending",
    [ROOM_SETBACK_SENDER_LEFT] = "sender left",
    [ROOM_SETBACK_EXPIRED] = "expired",
    [ROOM_SETBACK_SERVER_STOPS] = "server stops",
};

/* Is this the first signal of its kind that reaches somebody in the room? Not any more afterwards. */
static bool mark_passed(room *r, room_outcome outcome, int kind)
{
    uint16_t bit = (uint16_t)(1U << (kind & (ROOM_KINDS - 1)));
    if ((outcome != ROOM_SIGNAL_RELAYED && outcome != ROOM_SIGNAL_DELIVERED) || (r->passed_kinds & bit) != 0)
        return false;
    r->passed_kinds |= bit;
    return true;
}

static void report(const room_manager *manager, room_outcome outcome, const parcel *signal,
                   const room_member *from, const room_member *to, room_setback setback)
{
    room *r = from->room;
    room_signal_report told = {
        .outcome = outcome,
        .kind = signal->kind,
        .bytes = signal->bytes,
        .room = room_name(r),
        .from = room_member_user(from),
        .to = to == NULL ? SLICE_LITERAL("") : room_member_user(to),
        .from_peer = from->peer,
        .to_peer = to == NULL ? NULL : to->peer,
        .setback = setback,
        .why = setbacks[setback],
        .waited_ms = signal->waited_ms,
        .is_first = mark_passed(r, outcome, signal->kind),
        .room_age_ms = (uint32_t)manager->now_ms - r->opened_ms,
    };
    manager->effects.on_signal(manager->effects.context, &told);
}

/* Hand a signal to a present member; `outcome` is what that is called where it succeeds. */
static void hand_over(const room_manager *manager, room_outcome outcome, const parcel *signal,
                      const room_member *from, const room_member *to)
{
    if (manager->effects.send(to->peer, signal->parts, signal->count))
        report(manager, outcome, signal, from, to, ROOM_SETBACK_NONE);
    else
        report(manager, ROOM_SIGNAL_DROPPED, signal, from, to, ROOM_SETBACK_RECEIVER_ENDING);
}

/* ---- The queue of a room ---- */

static room_setback setback_of(int err)
{
    if (err == -ENOSPC)
        return ROOM_SETBACK_QUEUE_FULL;
    return err == -EDQUOT ? ROOM_SETBACK_BUDGET_USED_UP : ROOM_SETBACK_NO_MEMORY;
}

/* Put a signal behind what waits; the first one begins the backlog. */
static int push(const room_manager *manager, room_member *from, const parcel *signal)
{
    room *r = from->room;
    room_backlog *backlog = r->backlog != NULL ? r->backlog : room_backlog_new(from);
    if (backlog == NULL)
        return -ENOMEM;
    int err = pending_queue_push(&backlog->signals, &manager->bounds, signal->kind, signal->parts,
                                 signal->count, manager->now_ms);
    if (err == 0)
        r->backlog = backlog;
    else if (r->backlog == NULL)
        room_backlog_free(backlog);
    return err;
}

static int enqueue(room_manager *manager, room_member *from, const parcel *signal)
{
    int err = push(manager, from, signal);
    if (err != 0) { /* PROTOCOL.md, rule 3: what is queued already stays */
        report(manager, ROOM_SIGNAL_REFUSED, signal, from, NULL, setback_of(err));
        return err == -ENOMEM ? -ENOMEM : -ENOSPC;
    }
    manager->counts.pending_messages++;
    manager->counts.pending_bytes += signal->bytes;
    report(manager, ROOM_SIGNAL_QUEUED, signal, from, NULL, ROOM_SETBACK_NONE);
    return 0;
}

static pending_signal *dequeue(room_manager *manager, room_backlog *backlog)
{
    pending_signal *signal = pending_queue_take(&backlog->signals, &manager->bounds);
    if (signal != NULL) {
        manager->counts.pending_messages--;
        manager->counts.pending_bytes -= signal->len;
    }
    return signal;
}

static bool owns_backlog(const room_member *member)
{
    const room_backlog *backlog = member->room->backlog;
    return backlog != NULL && backlog->owner == member;
}

/* The backlog gets another owner, or none: an owner who was away is not needed any more. */
static void set_owner(room_manager *manager, room_backlog *backlog, room_member *owner)
{
    if (backlog->is_owner_away) {
        TAILQ_REMOVE(&manager->lapsing, backlog, lapse);
        room_member_free(backlog->owner);
    }
    backlog->is_owner_away = false;
    backlog->owner = owner;
}

/* Empty a room's queue: to a member, or to nobody, for which `setback` is the reason. */
static void empty_queue(room_manager *manager, room *r, const room_member *to, room_setback setback)
{
    room_backlog *backlog = r->backlog;
    pending_signal *queued;
    while ((queued = dequeue(manager, backlog)) != NULL) {
        struct iovec part = {.iov_base = queued->data, .iov_len = queued->len};
        parcel signal = {.kind = queued->kind,
                         .bytes = queued->len,
                         .waited_ms = manager->now_ms - queued->since_ms,
                         .parts = &part,
                         .count = 1};
        if (to != NULL)
            hand_over(manager, ROOM_SIGNAL_DELIVERED, &signal, backlog->owner, to);
        else
            report(manager, ROOM_SIGNAL_DROPPED, &signal, backlog->owner, NULL, setback);
        pending_signal_free(queued);
    }
    set_owner(manager, backlog, NULL);
    room_backlog_free(backlog);
    r->backlog = NULL;
}

static void drop_queue(room_manager *manager, room *r, room_setback setback)
{
    empty_queue(manager, r, NULL, setback);
}

/* PROTOCOL.md, rule 3: a newcomer gets the queue of another user at once, and owns again the one that it
 * left. */
static void receive_queue(room_manager *manager, room_member *newcomer)
{
    room *r = newcomer->room;
    if (r->backlog == NULL)
        return;
    if (slice_equals(room_member_user(r->backlog->owner), room_member_user(newcomer)))
        set_owner(manager, r->backlog, newcomer);
    else
        empty_queue(manager, r, newcomer, ROOM_SETBACK_NONE);
}

/* ---- Members ---- */

static bool is_full(const room_manager *manager, const room *r)
{
    return r->member_count >= manager->limits.capacity;
}

static void add_member(room_manager *manager, room_member *member)
{
    room_add_member(member->room, member);
    manager->counts.members++;
}

static void remove_member(room_manager *manager, room_member *member)
{
    room_remove_member(member->room, member);
    manager->counts.members--;
}

/* End a member whose connection is lost. PROTOCOL.md, rule 3: what it has queued stays for the TTL. */
static void end_lost_member(room_manager *manager, room_member *member, uint64_t now_ms)
{
    remove_member(manager, member);
    if (!owns_backlog(member)) {
        room_member_free(member);
        return;
    }
    member->peer = NULL;
    room_backlog *backlog = member->room->backlog;
    backlog->is_owner_away = true;
    backlog->lapses_ms = now_ms + manager->limits.pending_ttl_ms;
    TAILQ_INSERT_TAIL(&manager->lapsing, backlog, lapse);
}

/* ---- Waiters and probes ---- */

static bool owes_answer(const room_manager *manager, const room_member *member)
{
    return member->owes_answer && !manager->effects.is_alive_since(member->peer, member->asked_ms);
}

/* Was this member asked so long ago, for somebody who has gone since, that nobody will judge it by that
 * question? */
static bool is_stale(const room_manager *manager, const room *r, const room_member *member, uint64_t now_ms)
{
    return r->waiter_count == 0 && now_ms >= member->asked_ms + manager->limits.probe_timeout_ms;
}

/* Ask the members of a full room for a sign of life, in the name of a waiter that is not in the line yet. Who
 * has been asked and still has time to answer is not asked again: otherwise newcomers who come and go could
 * have a member pinged as often as they like. */
static void probe_members(const room_manager *manager, room *r, uint64_t now_ms)
{
    room_member *member;
    SLIST_FOREACH(member, &r->members, link)
    {
        if (owes_answer(manager, member) && !is_stale(manager, r, member, now_ms))
            continue;
        member->owes_answer = true;
        member->asked_ms = now_ms;
        manager->effects.probe(member->peer);
    }
}

/* Have all members shown that they are alive since this waiter came? */
static bool all_are_alive(const room_manager *manager, const room *r, const room_waiter *waiter)
{
    const room_member *member;
    SLIST_FOREACH(member, &r->members, link)
    {
        if (member->owes_answer && !manager->effects.is_alive_since(member->peer, waiter->since_ms))
            return false;
    }
    return true;
}

static uint64_t deadline_of(const room_manager *manager, const room_waiter *waiter)
{
    return waiter->since_ms + manager->limits.probe_timeout_ms;
}

static room_waiter *add_waiter(room_manager *manager, room_member *newcomer, uint64_t now_ms)
{
    room *r = newcomer->room;
    room_waiter *waiter = room_waiter_new(newcomer, now_ms);
    if (waiter == NULL)
        return NULL;
    probe_members(manager, r, now_ms);
    room_add_waiter(r, waiter);
    TAILQ_INSERT_TAIL(&manager->due, waiter, due);
    manager->counts.waiters++;
    return waiter;
}

/* End a waiter and give away the member that it was to become. */
static room_member *take_member(room_manager *manager, room_waiter *waiter)
{
    room_member *member = waiter->member;
    room_remove_waiter(member->room, waiter);
    TAILQ_REMOVE(&manager->due, waiter, due);
    manager->counts.waiters--;
    waiter->member = NULL;
    room_waiter_free(waiter);
    return member;
}

static void admit(room_manager *manager, room_waiter *waiter)
{
    room_member *member = take_member(manager, waiter);
    add_member(manager, member);
    manager->effects.on_admitted(member->peer, member);
    receive_queue(manager, member);
}

/* PROTOCOL.md, rule 1: otherwise the newcomer gets "Room is full". */
static void refuse(room_manager *manager, room_waiter *waiter)
{
    room_member *member = take_member(manager, waiter);
    manager->effects.on_refused(member->peer);
    room_member_free(member);
}

/* PROTOCOL.md, rule 1: a member that was asked and stayed silent for the whole time is dropped. */
static void drop_silent_members(room_manager *manager, room *r, uint64_t now_ms)
{
    room_member *next;
    for (room_member *member = SLIST_FIRST(&r->members); member != NULL; member = next) {
        next = SLIST_NEXT(member, link);
        if (!owes_answer(manager, member) || now_ms < member->asked_ms + manager->limits.probe_timeout_ms)
            continue;
        void *peer = member->peer;
        end_lost_member(manager, member, now_ms);
        manager->effects.drop(peer);
    }
}

/* ---- Rooms ---- */

static room *open_room(room_manager *manager, slice name, slice name_json)
{
    room *r = room_new(name, name_json, manager->now_ms);
    if (r == NULL)
        return NULL;
    if (room_table_add(&manager->rooms, r) != 0) {
        room_free(r);
        return NULL;
    }
    manager->counts.rooms++;
    return r;
}

static void close_room(room_manager *manager, room *r)
{
    room_table_remove(&manager->rooms, r);
    room_free(r);
    manager->counts.rooms--;
}

/* Make true again what always holds, after a change: first come, first let in; who can't get in is told as
 * soon as that is certain; PROTOCOL.md, rule 4: an empty room with an empty queue is freed at once. Ends `r`
 * perhaps. */
static void settle(room_manager *manager, room *r)
{
    room_waiter *first;
    while (!is_full(manager, r) && (first = SLIST_FIRST(&r->waiters)) != NULL)
        admit(manager, first);
    while ((first = SLIST_FIRST(&r->waiters)) != NULL && all_are_alive(manager, r, first))
        refuse(manager, first);
    if (r->member_count == 0 && r->backlog == NULL)
        close_room(manager, r);
}

/* PROTOCOL.md, rule 1: the same user from a new connection. `member` is present or stands behind a waiter. */
static void take_over(room_manager *manager, room_member *member, void *peer)
{
    void *old = member->peer;
    member->peer = peer;
    member->owes_answer = false; /* the join was a sign of life */
    manager->effects.replace(old);
}

/* ---- The manager ---- */

int room_manager_new(const room_limits *limits, const room_effects *effects, const keyed_hash *hash,
                     room_manager **out)
{
    assert(limits->capacity >= 1);
    room_manager *manager = calloc(1, sizeof(*manager));
    if (manager == NULL)
        return -ENOMEM;
    manager->limits = *limits;
    manager->effects = *effects;
    manager->bounds = (pending_bounds){
        .max_messages = limits->pending_max_messages,
        .max_bytes = limits->pending_max_bytes,
        .reserve = effects->reserve,
        .release = effects->release,
        .context = effects->context,
    };
    room_table_init(&manager->rooms, hash);
    TAILQ_INIT(&manager->lapsing);
    TAILQ_INIT(&manager->due);
    *out = manager;
    return 0;
}

/* Free a room with everything in it, telling nobody but the log. */
static void tear_down_room(room_manager *manager, room *r)
{
    if (r->backlog != NULL)
        drop_queue(manager, r, ROOM_SETBACK_SERVER_STOPS);
    room_waiter *waiter;
    while ((waiter = SLIST_FIRST(&r->waiters)) != NULL)
        room_member_free(take_member(manager, waiter));
    room_member *member;
    while ((member = SLIST_FIRST(&r->members)) != NULL) {
        remove_member(manager, member);
        room_member_free(member);
    }
    close_room(manager, r);
}

void room_manager_free(room_manager *manager)
{
    if (manager == NULL)
        return;
    room *r;
    while ((r = room_table_first(&manager->rooms)) != NULL)
        tear_down_room(manager, r);
    free(manager);
}

/* The ordinary join, by a user who is neither in the room nor before it. */
static int let_in(room_manager *manager, room_member *newcomer, uint64_t now_ms, room_member **member,
                  room_waiter **waiter)
{
    if (!is_full(manager, newcomer->room)) {
        add_member(manager, newcomer);
        receive_queue(manager, newcomer);
        *member = newcomer;
        return ROOM_JOINED;
    }
    if (newcomer->room->waiter_count >= MAX_WAITERS)
        return ROOM_FULL;
    room_waiter *made = add_waiter(manager, newcomer, now_ms);
    if (made == NULL)
        return -ENOMEM;
    *waiter = made;
    return ROOM_WAITING;
}

static int join_anew(room_manager *manager, room *r, void *peer, slice user, slice user_json, uint64_t now_ms,
                     room_member **member, room_waiter **waiter)
{
    room_member *newcomer = room_member_new(r, peer, user, user_json);
    if (newcomer == NULL)
        return -ENOMEM;
    int result = let_in(manager, newcomer, now_ms, member, waiter);
    if (result != ROOM_JOINED && result != ROOM_WAITING)
        room_member_free(newcomer);
    return result;
}

int room_manager_join(room_manager *manager, void *peer, slice codeword, slice user, slice codeword_json,
                      slice user_json, uint64_t now_ms, room_member **member, room_waiter **waiter)
{
    manager->now_ms = now_ms;
    room *r = room_table_find(&manager->rooms, codeword);
    if (r == NULL) {
        r = open_room(manager, codeword, codeword_json);
        if (r == NULL)
            return -ENOMEM;
        int result = join_anew(manager, r, peer, user, user_json, now_ms, member, waiter);
        if (result < 0)
            close_room(manager, r);
        return result;
    }

    room_member *present = room_find_member(r, user);
    if (present != NULL) {
        take_over(manager, present, peer);
        *member = present;
        settle(manager, r); /* it may have been the last whose answer was missing */
        return ROOM_JOINED;
    }
    room_waiter *waiting = room_find_waiter(r, user);
    if (waiting != NULL) {
        take_over(manager, waiting->member, peer);
        *waiter = waiting;
        return ROOM_WAITING;
    }
    return join_anew(manager, r, peer, user, user_json, now_ms, member, waiter);
}

void room_manager_leave(room_manager *manager, room_member *member)
{
    room *r = member->room;
    if (owns_backlog(member)) /* PROTOCOL.md, rule 3 */
        drop_queue(manager, r, ROOM_SETBACK_SENDER_LEFT);
    remove_member(manager, member);
    room_member_free(member);
    settle(manager, r);
}

void room_manager_lose(room_manager *manager, room_member *member, uint64_t now_ms)
{
    manager->now_ms = now_ms;
    room *r = member->room;
    end_lost_member(manager, member, now_ms);
    settle(manager, r);
}

void room_manager_cancel(room_manager *manager, room_waiter *waiter)
{
    room_member_free(take_member(manager, waiter)); /* its room is full, so it needs no settling */
}

int room_manager_signal(room_manager *manager, room_member *member, int kind, const struct iovec *parts,
                        int count, uint64_t now_ms)
{
    manager->now_ms = now_ms;
    parcel signal = {
        .kind = kind,
        .bytes = pending_parts_len(parts, count),
        .parts = parts,
        .count = count,
    };
    const room *r = member->room;
    if (r->member_count == 1)
        return enqueue(manager, member, &signal);

    /* PROTOCOL.md, rule 2: to every other user of the room. */
    const room_member *to;
    SLIST_FOREACH(to, &r->members, link)
    {
        if (to != member)
            hand_over(manager, ROOM_SIGNAL_RELAYED, &signal, member, to);
    }
    return 0;
}

void room_manager_on_alive(room_manager *manager, room_member *member, uint64_t now_ms)
{
    manager->now_ms = now_ms;
    if (!member->owes_answer || now_ms < member->asked_ms)
        return;
    member->owes_answer = false;
    settle(manager, member->room);
}

/* A waiter's time is over. It is the first of its line, for those before it had less time. */
static void end_wait(room_manager *manager, room_waiter *waiter, uint64_t now_ms)
{
    room *r = waiter->member->room;
    assert(waiter == SLIST_FIRST(&r->waiters));
    drop_silent_members(manager, r, now_ms);
    if (is_full(manager, r))
        refuse(manager, waiter);
    settle(manager, r);
}

void room_manager_tick(room_manager *manager, uint64_t now_ms)
{
    manager->now_ms = now_ms;
    room_waiter *waiter;
    while ((waiter = TAILQ_FIRST(&manager->due)) != NULL && deadline_of(manager, waiter) <= now_ms)
        end_wait(manager, waiter, now_ms);

    const room_backlog *lapsing;
    while ((lapsing = TAILQ_FIRST(&manager->lapsing)) != NULL && lapsing->lapses_ms <= now_ms) {
        room *r = lapsing->owner->room;
        drop_queue(manager, r, ROOM_SETBACK_EXPIRED);
        settle(manager, r);
    }
}

uint64_t room_manager_next_due_ms(const room_manager *manager)
{
    const room_waiter *waiter = TAILQ_FIRST(&manager->due);
    const room_backlog *lapsing = TAILQ_FIRST(&manager->lapsing);
    uint64_t wait_ends_ms = waiter == NULL ? UINT64_MAX : deadline_of(manager, waiter);
    uint64_t queue_ends_ms = lapsing == NULL ? UINT64_MAX : lapsing->lapses_ms;
    return wait_ends_ms < queue_ends_ms ? wait_ends_ms : queue_ends_ms;
}

room_counts room_manager_counts(const room_manager *manager)
{
    return manager->counts;
}
