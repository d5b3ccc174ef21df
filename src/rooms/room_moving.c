#include "rooms/room_moving.h"

#include "rooms/room_manager_parts.h"
#include "rooms/room_places.h"
#include "rooms/room_signals.h"
#include "rooms/waiting_line.h"

#include <assert.h>
#include <errno.h>

/* ---- Out ---- */

bool room_manager_has_room(const room_manager *manager, room_space space, slice name)
{
    return room_table_find(&manager->rooms, space, name) != NULL;
}

int room_manager_freeze(room_manager *manager, room_space space, slice name)
{
    room *r = room_table_find(&manager->rooms, space, name);
    if (r == NULL)
        return -ENOENT;
    assert(!r->is_frozen);
    r->is_frozen = true;
    waiting_line_suspend(manager, r);
    if (r->backlog != NULL)
        room_signals_suspend(manager, r->backlog);
    return 0;
}

static room *find_frozen(const room_manager *manager, room_space space, slice name)
{
    room *r = room_table_find(&manager->rooms, space, name);
    assert(r != NULL && r->is_frozen);
    return r;
}

void room_manager_thaw(room_manager *manager, room_space space, slice name, uint64_t now_ms)
{
    room *r = find_frozen(manager, space, name);
    manager->now_ms = now_ms;
    r->is_frozen = false;
    waiting_line_resume(manager, r, now_ms);
    if (r->backlog != NULL)
        room_signals_resume(manager, r->backlog);
}

static void tell_queue(const room_backlog *backlog, uint64_t now_ms, const room_export *to)
{
    const pending_signal *signal;
    STAILQ_FOREACH(signal, &backlog->signals.signals, link)
    {
        to->on_queued(to->context, signal->kind, (slice){signal->data, signal->len},
                      now_ms - signal->since_ms);
    }
}

room_life room_manager_frozen_life(const room_manager *manager, room_space space, slice name)
{
    const room *r = find_frozen(manager, space, name);
    return (room_life){.id_base = r->id_base, .last_order = r->last_order};
}

void room_manager_export(const room_manager *manager, room_space space, slice name, uint64_t now_ms,
                         const room_export *to)
{
    const room *r = find_frozen(manager, space, name);
    const room_backlog *backlog = r->backlog;
    const room_member *member;
    SLIST_FOREACH(member, &r->members, link)
    {
        to->on_place(to->context, member, ROOM_PLACE_MEMBER, 0);
    }
    if (backlog != NULL && backlog->is_owner_lost)
        to->on_place(to->context, backlog->owner, ROOM_PLACE_LOST,
                     backlog->lapses_ms > now_ms ? backlog->lapses_ms - now_ms : 0);
    if (backlog != NULL)
        tell_queue(backlog, now_ms, to);
    const room_waiter *waiter;
    SLIST_FOREACH(waiter, &r->waiters, line)
    {
        to->on_place(to->context, waiter->member, ROOM_PLACE_LINE, 0);
    }
}

void room_manager_discard(room_manager *manager, room_space space, slice name)
{
    room *r = find_frozen(manager, space, name);
    if (r->backlog != NULL) {
        room_signals_resume(manager, r->backlog);
        room_signals_forget(manager, r);
    }
    waiting_line_resume(manager, r, manager->now_ms);
    room_waiter *waiter;
    while ((waiter = SLIST_FIRST(&r->waiters)) != NULL)
        room_places_end_wait(manager, waiter);
    room_member *member;
    while ((member = SLIST_FIRST(&r->members)) != NULL) {
        room_remove_member(r, member);
        manager->counts.members--;
        member->peer->member = NULL;
        room_member_free(member);
    }
    room_places_close(manager, r);
}

/* ---- In ---- */

int room_manager_import_begin(room_manager *manager, room_import *import)
{
    manager->now_ms = import->now_ms;
    import->into = room_table_find(&manager->rooms, import->space, import->room);
    import->is_whole = import->into == NULL;
    if (import->is_whole)
        import->into = room_places_open_again(manager, import->space, import->room, import->room_json,
                                              import->life.id_base);
    if (import->into == NULL)
        return -ENOMEM;
    assert(!import->into->is_frozen);
    return 0;
}

static room_member *find_youngest(const room_import *import)
{
    room_member *youngest = NULL;
    room_member *member;
    SLIST_FOREACH(member, &import->into->members, link)
    {
        if (youngest == NULL || import->is_younger(import->context, member->peer, youngest->peer))
            youngest = member;
    }
    return youngest;
}

/* Into the line, or away. */
static void queue_up(room_manager *manager, room_member *member)
{
    if (waiting_line_add(manager, member, manager->now_ms) == 0)
        return;
    room_peer *peer = member->peer;
    peer->member = NULL;
    peer->face->on_refused(peer, member);
    room_member_free(member);
}

/* It makes way; what it has queued is lost. */
static void take_out_youngest(room_manager *manager, room_member *youngest)
{
    if (room_signals_has_queue_of(youngest))
        room_signals_drop(manager, youngest->room, ROOM_FAILURE_MERGED);
    room_places_take_out(manager, youngest, ROOM_NEWS_LOST, SLICE_LITERAL(""));
    youngest->asked_ms = 0;
    youngest->owes_answer = false;
}

/* As it was elsewhere: nobody is told. */
static void enter_silently(room_manager *manager, room_member *member, uint32_t order)
{
    room *r = member->room;
    if (order > r->last_order && order < ROOM_LAST_ORDER)
        r->last_order = order - 1;
    room_add_member(r, member);
    member->peer->member = member;
    manager->counts.members++;
}

/* Into a room of others, where those who joined first have the places. */
static void enter(room_manager *manager, const room_import *import, room_member *member, bool has_waited)
{
    room *r = import->into;
    room_member *youngest = room_manager_is_full(manager, r) ? find_youngest(import) : NULL;
    if (r->last_order == ROOM_LAST_ORDER ||
        (youngest != NULL && !import->is_younger(import->context, youngest->peer, member->peer))) {
        queue_up(manager, member);
        return;
    }
    if (youngest != NULL)
        take_out_youngest(manager, youngest);
    room_places_enter(manager, member, has_waited);
    room_signals_receive(manager, member);
    if (youngest == NULL)
        return;
    import->on_demoted(import->context, youngest->peer);
    queue_up(manager, youngest);
}

static void turn_away(room_member *member)
{
    member->peer->face->on_replaced(member->peer, member);
    room_member_free(member);
}

/* The same user is there, as a member. */
static void meet_member(room_manager *manager, const room_import *import, room_member *present,
                        room_member *member)
{
    room_peer *younger = member->peer;
    room_peer *older = present->peer;
    if (!import->is_younger(import->context, younger, older) ||
        present->room->last_order == ROOM_LAST_ORDER) {
        turn_away(member);
        return;
    }
    room_places_pass_on(manager, present, younger);
    present->owes_answer = false;
    room_member_free(member);
}

/* The same user waits there. One of the two stays; if either has been a member, that one becomes one. */
static void meet_waiting(room_manager *manager, const room_import *import, room_member *waiting,
                         room_member *member, bool has_waited)
{
    room_peer *other = waiting->peer;
    bool is_younger = import->is_younger(import->context, member->peer, other);
    if (has_waited && !is_younger) {
        turn_away(member);
        return;
    }
    waiting = waiting_line_take(manager, room_waiter_of(waiting));
    other->member = NULL;
    if (is_younger) {
        turn_away(waiting);
        enter(manager, import, member, has_waited);
    } else {
        turn_away(member);
        enter(manager, import, waiting, true);
    }
}

int room_manager_import_member(room_manager *manager, room_import *import, const room_arrival *arrival)
{
    assert(arrival->peer->member == NULL);
    room *r = import->into;
    room_member *member = room_member_new(r, arrival->peer, arrival->user, arrival->user_json);
    if (member == NULL)
        return -ENOMEM;
    room_member *same = member->has_user ? room_find_member(r, arrival->user) : NULL;
    room_member *waiting = member->has_user ? room_find_waiting(r, arrival->user) : NULL;
    bool is_full = room_manager_is_full(manager, r);
    if (same != NULL)
        meet_member(manager, import, same, member);
    else if (waiting != NULL)
        meet_waiting(manager, import, waiting, member, arrival->has_waited);
    else if (arrival->has_waited && is_full)
        queue_up(manager, member);
    else if (import->is_whole && !arrival->has_waited && !is_full)
        enter_silently(manager, member, arrival->order);
    else
        enter(manager, import, member, arrival->has_waited);
    return 0;
}

/* ---- A queue ---- */

static bool is_same_user(const room_member *a, const room_member *b)
{
    return a->has_user && b->has_user && slice_equals(room_user(a), room_user(b));
}

/* It has no member in the room: whose is it, or who gets it? */
static void adopt_of_lost(room_manager *manager, room *r, room_backlog *backlog)
{
    room_member *first = SLIST_FIRST(&r->members);
    const room_backlog *there = r->backlog;
    if (first != NULL && !is_same_user(first, backlog->owner))
        room_signals_hand_out(manager, backlog, first, ROOM_FAILURE_NONE);
    else if (first != NULL && r->member_count == 1)
        room_signals_adopt(manager, r, backlog, first);
    else if (first != NULL)
        room_signals_hand_out(manager, backlog, SLIST_NEXT(first, link), ROOM_FAILURE_NONE);
    else if (there == NULL || is_same_user(there->owner, backlog->owner))
        room_signals_adopt(manager, r, backlog, NULL);
    else
        room_signals_hand_out(manager, backlog, NULL, ROOM_FAILURE_MERGED);
}

static void adopt_of_member(room_manager *manager, room *r, room_backlog *backlog)
{
    room_member *owner = backlog->owner;
    room_member *first = SLIST_FIRST(&r->members);
    if (r->member_count == 1)
        room_signals_adopt(manager, r, backlog, owner);
    else
        room_signals_hand_out(manager, backlog, first != owner ? first : SLIST_NEXT(first, link),
                              ROOM_FAILURE_NONE);
}

static void fill(room_manager *manager, room_backlog *backlog, const room_import_queue *queue)
{
    for (unsigned i = 0; i < queue->count; i++) {
        const room_queued *signal = &queue->signals[i];
        uint64_t waited_ms = signal->waited_ms < manager->now_ms ? signal->waited_ms : manager->now_ms;
        room_signals_collect(manager, backlog, signal->kind, signal->body, queue->account,
                             manager->now_ms - waited_ms);
    }
}

/* The number of a lost owner, by which receivers may call it. */
static uint32_t order_of_lost(room *r, const room_import *import, uint32_t order)
{
    if (import->is_whole && order >= 1 && order <= ROOM_LAST_ORDER)
        return order;
    return r->last_order < ROOM_LAST_ORDER ? ++r->last_order : ROOM_LAST_ORDER;
}

int room_manager_import_queue(room_manager *manager, room_import *import, const room_import_queue *queue)
{
    room *r = import->into;
    bool is_member = queue->owner != NULL && room_peer_is_joined(queue->owner);
    room_member *sender =
        is_member ? queue->owner->member : room_member_new(r, NULL, queue->user, queue->user_json);
    room_backlog *backlog = sender == NULL ? NULL : room_backlog_new(sender);
    if (backlog == NULL) {
        if (!is_member)
            room_member_free(sender);
        return -ENOMEM;
    }
    fill(manager, backlog, queue);
    if (!is_member) {
        sender->has_user = true; /* only such peers keep a queue */
        sender->order = order_of_lost(r, import, queue->order);
        backlog->is_owner_lost = true;
        backlog->lapses_ms = manager->now_ms + queue->time_left_ms;
        room_signals_resume(manager, backlog);
    }
    if (backlog->signals.count == 0)
        room_signals_hand_out(manager, backlog, NULL, ROOM_FAILURE_NONE);
    else if (is_member)
        adopt_of_member(manager, r, backlog);
    else if (queue->owner == NULL)
        adopt_of_lost(manager, r, backlog);
    else
        room_signals_hand_out(manager, backlog, NULL, ROOM_FAILURE_MERGED);
    return 0;
}

void room_manager_import_end(room_manager *manager, room_import *import)
{
    room *r = import->into;
    if (import->is_whole && import->life.last_order > r->last_order &&
        import->life.last_order <= ROOM_LAST_ORDER)
        r->last_order = import->life.last_order;
    room_places_settle(manager, r);
}
