/* The rules of PROTOCOL.md, 1 to 4, as far as they are about who is where: joining, waiting before a full
 * room, leaving. room_signals.c and waiting_line.c are the other parts. room.h has the structs, and says what
 * always holds for them.
 *
 * A takeover does not end one member and make another: it gives the member that is there to the new peer. So
 * it needs no memory, it keeps the queue, and nobody else can notice it. One who waits is taken over in the
 * same way. It keeps its place in the line and its deadline, so nothing is lost or won by coming again.
 *
 * Every function that changes a room makes its own change first. Then it calls settle(), which lets in,
 * refuses and closes what has become due by the change. */
#include "rooms/room_manager.h"

#include "rooms/room_manager_parts.h"
#include "rooms/room_signals.h"
#include "rooms/waiting_line.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

/* ---- Members ---- */

static bool is_full(const room_manager *manager, const room *r)
{
    return r->member_count >= manager->limits.capacity;
}

static void add_member(room_manager *manager, room_member *member)
{
    assert(!is_full(manager, member->room));
    room_add_member(member->room, member);
    former_members_remove(&member->room->formers, room_user(member)); /* it is back */
    member->peer->member = member;
    manager->counts.members++;
}

static void remove_member(room_manager *manager, room_member *member)
{
    room_remove_member(member->room, member);
    member->peer->member = NULL;
    manager->counts.members--;
}

/* End a member whose connection is lost. PROTOCOL.md, rule 3: what it has queued stays for the TTL. */
static void end_lost_member(room_manager *manager, room_member *member, uint64_t now_ms)
{
    former_members_add(&member->room->formers, room_user(member), now_ms, manager->limits.capacity);
    remove_member(manager, member);
    if (room_signals_has_queue_of(member))
        room_signals_lose_owner(manager, member, now_ms);
    else
        room_member_free(member);
}

/* PROTOCOL.md, rule 1: a member that was asked and stayed silent for the whole time is dropped. */
static void drop_silent_members(room_manager *manager, room *r, uint64_t now_ms)
{
    room_member *next;
    for (room_member *member = SLIST_FIRST(&r->members); member != NULL; member = next) {
        next = SLIST_NEXT(member, link);
        if (!waiting_line_is_silent(manager, member, now_ms))
            continue;
        room_peer *peer = member->peer;
        end_lost_member(manager, member, now_ms);
        peer->face->on_dropped(peer);
    }
}

/* ---- Who waits ---- */

static void admit(room_manager *manager, room_waiter *waiter)
{
    room_member *member = waiting_line_take(manager, waiter);
    add_member(manager, member);
    member->peer->face->on_admitted(member->peer);
    room_signals_receive(manager, member);
}

/* Take one who waits out of its line, for good. */
static void end_wait(room_manager *manager, room_waiter *waiter)
{
    room_member *member = waiting_line_take(manager, waiter);
    member->peer->member = NULL;
    room_member_free(member);
}

/* PROTOCOL.md, rule 1: otherwise the newcomer gets "Room is full". */
static void refuse(room_manager *manager, room_waiter *waiter)
{
    room_peer *peer = waiter->member->peer;
    end_wait(manager, waiter);
    peer->face->on_refused(peer);
}

/* ---- Rooms ---- */

static room *open_room(room_manager *manager, const room_join *request)
{
    room *r = room_new(request->room, request->room_json, request->now_ms);
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

/* Do what a change has made due, so that what room.h says of every room holds again. First come, first let
 * in. Who can't get in is refused as soon as that is certain. PROTOCOL.md, rule 4: an empty room with an
 * empty queue is freed at once, so `r` may be gone afterwards. */
static void settle(room_manager *manager, room *r)
{
    room_waiter *first;
    while (!is_full(manager, r) && (first = SLIST_FIRST(&r->waiters)) != NULL)
        admit(manager, first);
    room_waiter *next;
    for (room_waiter *waiter = SLIST_FIRST(&r->waiters); waiter != NULL; waiter = next) {
        next = SLIST_NEXT(waiter, line);
        if (waiting_line_all_are_alive(r, waiter))
            refuse(manager, waiter);
    }
    assert(SLIST_EMPTY(&r->waiters) || is_full(manager, r));
    assert(r->backlog == NULL || r->member_count <= 1);
    if (r->member_count == 0 && r->backlog == NULL)
        close_room(manager, r);
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

/* Free a room with everything in it, telling nobody but the log. Its peers may be gone already. */
static void tear_down_room(room_manager *manager, room *r)
{
    room_signals_drop(manager, r, ROOM_FAILURE_SERVER_STOPS);
    room_waiter *waiter;
    while ((waiter = SLIST_FIRST(&r->waiters)) != NULL)
        room_member_free(waiting_line_take(manager, waiter));
    room_member *member;
    while ((member = SLIST_FIRST(&r->members)) != NULL) {
        room_remove_member(r, member);
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

/* ---- Joining ---- */

/* PROTOCOL.md, rule 1: the same user from a new connection. `member` is present or waits. */
static void take_over(room_member *member, room_peer *peer)
{
    room_peer *old = member->peer;
    old->member = NULL;
    peer->member = member;
    member->peer = peer;
    member->owes_answer = false; /* the join was a sign of life */
    old->face->on_replaced(old, member);
}

/* Into the room, or into the line before it. A room_join_result or -ENOMEM. */
static int let_in(room_manager *manager, room_member *newcomer, uint64_t now_ms)
{
    if (!is_full(manager, newcomer->room)) {
        add_member(manager, newcomer);
        room_signals_receive(manager, newcomer);
        return ROOM_JOINED;
    }
    int err = waiting_line_add(manager, newcomer, now_ms);
    if (err != 0)
        return err == -ENOSPC ? ROOM_FULL : err;
    room_waiter *surplus = waiting_line_surplus(newcomer->room);
    if (surplus != NULL)
        refuse(manager, surplus);
    return ROOM_WAITING;
}

/* The ordinary join, by a user who is neither in the room nor before it. */
static int join_anew(room_manager *manager, room *r, room_peer *peer, const room_join *request)
{
    room_member *newcomer = room_member_new(r, peer, request->user, request->user_json);
    if (newcomer == NULL)
        return -ENOMEM;
    int result = let_in(manager, newcomer, request->now_ms);
    if (result != ROOM_JOINED && result != ROOM_WAITING)
        room_member_free(newcomer);
    return result;
}

static int join_new_room(room_manager *manager, room_peer *peer, const room_join *request)
{
    room *r = open_room(manager, request);
    if (r == NULL)
        return -ENOMEM;
    int result = join_anew(manager, r, peer, request);
    if (result < 0)
        close_room(manager, r);
    return result;
}

int room_manager_join(room_manager *manager, room_peer *peer, const room_join *request)
{
    assert(peer->face != NULL && peer->member == NULL);
    assert(request->room.len > 0 && request->user.len > 0);
    manager->now_ms = request->now_ms;
    room *r = room_table_find(&manager->rooms, request->room);
    if (r == NULL)
        return join_new_room(manager, peer, request);

    room_member *present = room_find_member(r, request->user);
    if (present != NULL) {
        take_over(present, peer);
        settle(manager, r); /* it may have been the last whose answer was missing */
        return ROOM_JOINED;
    }
    room_member *waiting = room_find_waiting(r, request->user);
    if (waiting != NULL) {
        take_over(waiting, peer);
        return ROOM_WAITING;
    }
    return join_anew(manager, r, peer, request);
}

/* ---- Leaving ---- */

void room_manager_leave(room_manager *manager, room_peer *peer)
{
    room_member *member = peer->member;
    assert(member != NULL && member->peer == peer);
    if (member->is_waiting) {
        end_wait(manager, room_waiter_of(member)); /* its room is full, so it needs no settling */
        return;
    }
    room *r = member->room;
    if (room_signals_has_queue_of(member)) /* PROTOCOL.md, rule 3 */
        room_signals_drop(manager, r, ROOM_FAILURE_SENDER_LEFT);
    remove_member(manager, member);
    room_member_free(member);
    settle(manager, r);
}

void room_manager_lose(room_manager *manager, room_peer *peer, uint64_t now_ms)
{
    room_member *member = peer->member;
    assert(member != NULL && member->peer == peer);
    manager->now_ms = now_ms;
    if (member->is_waiting) {
        end_wait(manager, room_waiter_of(member));
        return;
    }
    room *r = member->room;
    end_lost_member(manager, member, now_ms);
    settle(manager, r);
}

/* ---- While there ---- */

int room_manager_signal(room_manager *manager, room_peer *from, const room_signal *signal, uint64_t now_ms)
{
    assert(room_peer_is_joined(from));
    manager->now_ms = now_ms;
    return room_signals_pass(manager, from->member, signal);
}

void room_manager_on_alive(room_manager *manager, room_peer *peer, uint64_t now_ms)
{
    room_member *member = peer->member;
    assert(member != NULL && member->peer == peer);
    manager->now_ms = now_ms;
    if (!member->owes_answer || now_ms < member->asked_ms)
        return;
    member->owes_answer = false;
    settle(manager, member->room);
}

/* ---- What is due ---- */

/* Somebody's wait is over: the silent members make way, or the waiter is refused. */
static void decide_wait(room_manager *manager, room_waiter *waiter, uint64_t now_ms)
{
    room *r = waiter->member->room;
    drop_silent_members(manager, r, now_ms);
    if (is_full(manager, r))
        refuse(manager, waiter);
    settle(manager, r);
}

void room_manager_tick(room_manager *manager, uint64_t now_ms)
{
    manager->now_ms = now_ms;
    room_waiter *waiter;
    while ((waiter = waiting_line_due(manager, now_ms)) != NULL)
        decide_wait(manager, waiter, now_ms);

    room *lapsed;
    while ((lapsed = room_signals_lapsed(manager, now_ms)) != NULL) {
        room_signals_drop(manager, lapsed, ROOM_FAILURE_EXPIRED);
        settle(manager, lapsed);
    }
}

uint64_t room_manager_next_due_ms(const room_manager *manager)
{
    uint64_t wait_ends_ms = waiting_line_next_due_ms(manager);
    uint64_t queue_ends_ms = room_signals_next_due_ms(manager);
    return wait_ends_ms < queue_ends_ms ? wait_ends_ms : queue_ends_ms;
}

/* ---- What can be asked ---- */

room_counts room_manager_counts(const room_manager *manager)
{
    return manager->counts;
}

bool room_member_has_company(const room_member *member)
{
    return member->room->member_count > 1;
}

slice room_member_room(const room_member *member)
{
    return room_name(member->room);
}

slice room_member_user(const room_member *member)
{
    return room_user(member);
}

slice room_member_room_json(const room_member *member)
{
    return room_name_json(member->room);
}

slice room_member_user_json(const room_member *member)
{
    return room_user_json(member);
}

bool room_member_is_waiting(const room_member *member)
{
    return member->is_waiting;
}
