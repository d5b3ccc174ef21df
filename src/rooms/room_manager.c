/* The calls of the server: joining, leaving, signals, time. room_places.c does what they have in common.
 *
 * A takeover does not end one member and make another: it gives the member that is there to the new peer. So
 * it needs no memory, and it keeps the queue. The others are told, if they want to hear it, as if one had
 * gone and another had come. A peer that waits is taken over in the same way. It keeps its place in the line
 * and its deadline, so nothing is lost or won by coming again. */
#include "rooms/room_manager.h"

#include "rooms/room_events.h"
#include "rooms/room_manager_parts.h"
#include "rooms/room_news.h"
#include "rooms/room_places.h"
#include "rooms/room_signals.h"
#include "rooms/waiting_line.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

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
    if (room_table_init(&manager->rooms, hash) != 0) {
        free(manager);
        return -ENOMEM;
    }
    TAILQ_INIT(&manager->lapsing);
    TAILQ_INIT(&manager->due);
    *out = manager;
    return 0;
}

/* Free a room with everything in it, telling none of its peers, which may be gone already. */
static void tear_down_room(room_manager *manager, room *r)
{
    room_signals_drop(manager, r, ROOM_FAILURE_SERVER_STOPS);
    room_waiter *waiter;
    while ((waiter = SLIST_FIRST(&r->waiters)) != NULL)
        room_member_free(waiting_line_take(manager, waiter));
    room_member *member;
    while ((member = SLIST_FIRST(&r->members)) != NULL) {
        room_remove_member(r, member);
        room_events_left(manager, member, NULL, ROOM_NEWS_LOST);
        room_member_free(member);
    }
    room_places_close(manager, r);
}

void room_manager_free(room_manager *manager)
{
    if (manager == NULL)
        return;
    room *r;
    while ((r = room_table_first(&manager->rooms)) != NULL)
        tear_down_room(manager, r);
    room_table_deinit(&manager->rooms);
    free(manager);
}

/* ---- Joining ---- */

/* The same for one who waits: nobody knows of it. */
static void pass_on_wait(room_member *member, room_peer *peer)
{
    room_peer *old = member->peer;
    old->member = NULL;
    member->peer = peer;
    peer->member = member;
    old->face->on_replaced(old, member);
}

/* protocol/README.md, 1.1: the same user from a new connection. `member` is present or waits. */
static int take_over(room_manager *manager, room_member *member, room_peer *peer)
{
    room *r = member->room;
    if (member->is_waiting) {
        pass_on_wait(member, peer);
        return ROOM_WAITING;
    }
    if (r->last_order == ROOM_LAST_ORDER)
        return ROOM_FULL;
    room_places_pass_on(manager, member, peer);
    member->owes_answer = false;    /* the join was a sign of life */
    room_places_settle(manager, r); /* it may have been the last whose answer was missing */
    return ROOM_JOINED;
}

/* Into the room, or into the line before it. A room_join_result or -ENOMEM. */
static int let_in(room_manager *manager, room_member *newcomer)
{
    room *r = newcomer->room;
    uint64_t now_ms = manager->now_ms;
    if (!room_manager_is_full(manager, r) && r->waiter_count > 0)
        room_places_settle(manager, r); /* if doubts are over, those who had them come first */
    if (!room_manager_is_full(manager, r) && !waiting_line_doubts(newcomer, now_ms)) {
        room_places_enter(manager, newcomer, false);
        room_signals_receive(manager, newcomer);
        return ROOM_JOINED;
    }
    int err = waiting_line_add(manager, newcomer, now_ms);
    if (err != 0)
        return err == -ENOSPC ? ROOM_FULL : err;
    room_waiter *surplus = waiting_line_surplus(r);
    if (surplus != NULL)
        room_places_refuse(manager, surplus);
    return ROOM_WAITING;
}

/* The ordinary join, by a user who is neither in the room nor in its line. */
static int join_anew(room_manager *manager, room *r, room_peer *peer, const room_join *request)
{
    room_member *newcomer = room_member_new(r, peer, request->user, request->user_json);
    if (newcomer == NULL)
        return -ENOMEM;
    int result = let_in(manager, newcomer);
    if (result != ROOM_JOINED && result != ROOM_WAITING)
        room_member_free(newcomer);
    else if (result == ROOM_JOINED && r->waiter_count > 0)
        room_places_settle(manager, r); /* one who doubted its company has some now */
    return result;
}

static int join_new_room(room_manager *manager, room_peer *peer, const room_join *request)
{
    room *r = room_places_open(manager, request->space, request->room, request->room_json);
    if (r == NULL)
        return -ENOMEM;
    int result = join_anew(manager, r, peer, request);
    if (result < 0)
        room_places_close(manager, r);
    return result;
}

int room_manager_join(room_manager *manager, room_peer *peer, const room_join *request)
{
    bool has_user = peer->face->has_users;
    assert(peer->member == NULL);
    assert(request->room.len > 0 && (request->user.len > 0 || !has_user));
    manager->now_ms = request->now_ms;
    room *r = room_table_find(&manager->rooms, request->space, request->room);
    if (r == NULL)
        return join_new_room(manager, peer, request);

    assert(!r->is_frozen);
    room_member *same = has_user ? room_find_member(r, request->user) : NULL;
    if (same == NULL && has_user)
        same = room_find_waiting(r, request->user);
    return same != NULL ? take_over(manager, same, peer) : join_anew(manager, r, peer, request);
}

/* ---- Leaving ---- */

void room_manager_leave(room_manager *manager, room_peer *peer, const room_leaving *how)
{
    room_member *member = peer->member;
    assert(member != NULL && member->peer == peer);
    manager->now_ms = how->now_ms;
    if (member->is_waiting) {
        room_places_end_wait(manager, room_waiter_of(member)); /* no other waits because of it */
        return;
    }
    room *r = member->room;
    if (room_signals_has_queue_of(member)) /* protocol/README.md, 1.3 */
        room_signals_drop(manager, r, room_signals_failure_of_end(how->why));
    room_places_take_out(manager, member, how->why, how->text);
    room_member_free(member);
    room_places_settle(manager, r);
}

void room_manager_lose(room_manager *manager, room_peer *peer, uint64_t now_ms)
{
    room_member *member = peer->member;
    assert(member != NULL && member->peer == peer);
    manager->now_ms = now_ms;
    if (member->is_waiting) {
        room_places_end_wait(manager, room_waiter_of(member)); /* no other waits because of it */
        return;
    }
    room *r = member->room;
    room_places_end_lost(manager, member);
    room_places_settle(manager, r);
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
    room_places_settle(manager, member->room);
}

static void tell(const room_peer *peer, room_news_kind kind)
{
    const room_member *member = peer->member;
    assert(member != NULL && member->peer == peer);
    if (!member->is_waiting)
        room_news_tell(member, kind, SLICE_LITERAL(""));
}

void room_manager_away(room_manager *manager, room_peer *peer)
{
    (void)manager;
    tell(peer, ROOM_NEWS_AWAY);
}

void room_manager_back(room_manager *manager, room_peer *peer, uint64_t now_ms)
{
    tell(peer, ROOM_NEWS_BACK);
    manager->now_ms = now_ms;
    if (peer->member->is_waiting)
        return;
    peer->member->owes_answer = false;
    room_places_settle(manager, peer->member->room);
}

void room_manager_changed(room_manager *manager, room_peer *peer)
{
    (void)manager;
    tell(peer, ROOM_NEWS_CHANGED);
}

/* ---- What is due ---- */

void room_manager_tick(room_manager *manager, uint64_t now_ms)
{
    manager->now_ms = now_ms;
    room_waiter *waiter;
    while ((waiter = waiting_line_due(manager, now_ms)) != NULL)
        room_places_decide(manager, waiter);

    room *lapsed;
    while ((lapsed = room_signals_lapsed(manager, now_ms)) != NULL) {
        room_signals_drop(manager, lapsed, ROOM_FAILURE_EXPIRED);
        room_places_settle(manager, lapsed);
    }
}

uint64_t room_manager_next_due_ms(const room_manager *manager)
{
    uint64_t wait_ends_ms = waiting_line_next_due_ms(manager);
    uint64_t queue_ends_ms = room_signals_next_due_ms(manager);
    return wait_ends_ms < queue_ends_ms ? wait_ends_ms : queue_ends_ms;
}

/* ---- What can be asked ---- */

room_member *room_manager_find_room_members(const room_manager *manager, room_space space, slice name)
{
    const room *r = room_table_find(&manager->rooms, space, name);
    return r == NULL ? NULL : SLIST_FIRST(&r->members);
}

room_member *room_manager_find_peer(const room_member *me, slice id)
{
    return room_find_by_id(me->room, id);
}

room_counts room_manager_counts(const room_manager *manager)
{
    return manager->counts;
}
