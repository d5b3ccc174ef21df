#include "rooms/room_places.h"

#include "rooms/room_events.h"
#include "rooms/room_news.h"
#include "rooms/room_signals.h"
#include "rooms/waiting_line.h"

#include <assert.h>

/* ---- Rooms ---- */

/* It looks random from outside, and differs from one life of a room to the next. No codeword begins with this
 * byte, which is not UTF-8: so it is the hash of none. */
static uint32_t draw_id_base(room_manager *manager)
{
    char bytes[1 + sizeof(manager->opened_rooms)] = {(char)0xFF};
    manager->opened_rooms++;
    memcpy(bytes + 1, &manager->opened_rooms, sizeof(manager->opened_rooms));
    return (uint32_t)keyed_hash_of(&manager->rooms.hash, (slice){bytes, sizeof(bytes)});
}

room *room_places_open(room_manager *manager, room_space space, slice name, slice name_json)
{
    return room_places_open_again(manager, space, name, name_json, draw_id_base(manager));
}

room *room_places_open_again(room_manager *manager, room_space space, slice name, slice name_json,
                             uint32_t id_base)
{
    room *r = room_new(space, name, name_json, id_base, manager->now_ms);
    if (r == NULL)
        return NULL;
    if (room_table_add(&manager->rooms, r) != 0) {
        room_free(r);
        return NULL;
    }
    manager->counts.rooms++;
    room_events_opened(manager, r);
    return r;
}

void room_places_close(room_manager *manager, room *r)
{
    room_table_remove(&manager->rooms, r);
    room_events_freed(manager, r);
    room_free(r);
    manager->counts.rooms--;
}

/* ---- Members ---- */

void room_places_enter(room_manager *manager, room_member *member, bool has_waited)
{
    room *r = member->room;
    room_peer *peer = member->peer;
    assert(!room_manager_is_full(manager, r));
    room_add_member(r, member);
    if (member->has_user)
        former_members_remove(&r->formers, room_user(member)); /* it is back */
    peer->member = member;
    manager->counts.members++;
    if (has_waited)
        peer->face->on_admitted(peer);
    if (peer->face->on_entered != NULL)
        peer->face->on_entered(peer);
    room_news_tell(member, ROOM_NEWS_JOINED, SLICE_LITERAL(""));
    room_events_joined(manager, member);
}

void room_places_take_out(room_manager *manager, room_member *member, room_news_kind why, slice text)
{
    assert(why == ROOM_NEWS_LEFT || why == ROOM_NEWS_LOST || why == ROOM_NEWS_REPLACED);
    room_remove_member(member->room, member);
    manager->counts.members--;
    room_news_tell(member, why, text);
    room_events_left(manager, member, member->peer, why);
    if (member->peer->face->on_gone != NULL)
        member->peer->face->on_gone(member->peer);
    member->peer->member = NULL;
}

void room_places_pass_on(room_manager *manager, room_member *member, room_peer *peer)
{
    room_peer *old = member->peer;
    room_places_take_out(manager, member, ROOM_NEWS_REPLACED, SLICE_LITERAL(""));
    member->peer = peer;
    room_places_enter(manager, member, false);
    old->face->on_replaced(old, member);
}

/* Is there something that keeps the room open when its only member goes? */
static bool outlives_member(const room *r)
{
    return r->member_count > 1 || r->waiter_count > 0 || r->backlog != NULL;
}

/* protocol/README.md, 1.3: what it has queued stays for the TTL. protocol/README.md, 2.7 and S.3: or
 * it is gone. */
void room_places_end_lost(room_manager *manager, room_member *member)
{
    room *r = member->room;
    if (room_signals_has_queue_of(member) && !member->peer->face->keeps_queue)
        room_signals_drop(manager, r, ROOM_FAILURE_SENDER_LOST);
    if (member->has_user && outlives_member(r))
        former_members_add(&r->formers, room_user(member), manager->now_ms, manager->limits.capacity);
    room_places_take_out(manager, member, ROOM_NEWS_LOST, SLICE_LITERAL(""));
    if (room_signals_has_queue_of(member))
        room_signals_lose_owner(manager, member, manager->now_ms);
    else
        room_member_free(member);
}

static void drop_member(room_manager *manager, room_member *member)
{
    room_peer *peer = member->peer;
    room_places_end_lost(manager, member);
    peer->face->on_dropped(peer);
}

/* protocol/README.md, 1.1: a member that was asked and stayed silent for the whole time is dropped. */
static void drop_silent_members(room_manager *manager, const room *r)
{
    room_member *next;
    for (room_member *member = SLIST_FIRST(&r->members); member != NULL; member = next) {
        next = SLIST_NEXT(member, link);
        if (waiting_line_is_silent(manager, member, manager->now_ms))
            drop_member(manager, member);
    }
}

/* ---- The line ---- */

static void admit(room_manager *manager, room_waiter *waiter)
{
    room_member *member = waiting_line_take(manager, waiter);
    room_places_enter(manager, member, true);
    room_signals_receive(manager, member);
}

void room_places_end_wait(room_manager *manager, room_waiter *waiter)
{
    room_member *member = waiting_line_take(manager, waiter);
    member->peer->member = NULL;
    room_member_free(member);
}

/* protocol/README.md, 1.1: otherwise the newcomer gets "Room is full". */
void room_places_refuse(room_manager *manager, room_waiter *waiter)
{
    room_member *member = waiting_line_take(manager, waiter);
    room_peer *peer = member->peer;
    peer->member = NULL;
    peer->face->on_refused(peer, member);
    room_member_free(member);
}

/* protocol/README.md, 2.8: members who are there and silent go first. Only if that is not enough, those who
 * are away go, and only as many as are needed: a newcomer that is due and still waits comes here again. */
void room_places_decide(room_manager *manager, room_waiter *waiter)
{
    room *r = waiter->member->room;
    drop_silent_members(manager, r);
    bool is_full = room_manager_is_full(manager, r);
    if (is_full || waiting_line_doubts(waiter->member, waiter->since_ms)) {
        room_member *away = waiting_line_longest_away(r);
        if (away != NULL)
            drop_member(manager, away);
        else if (is_full && !waiting_line_has_doubtful(r))
            room_places_refuse(manager, waiter);
        else
            waiting_line_renew(manager, waiter, manager->now_ms);
    }
    room_places_settle(manager, r);
}

/* ---- Settling ---- */

static void refuse_those_who_cannot_get_in(room_manager *manager, const room *r)
{
    room_waiter *next;
    for (room_waiter *waiter = SLIST_FIRST(&r->waiters); waiter != NULL; waiter = next) {
        next = SLIST_NEXT(waiter, line);
        if (waiting_line_all_are_alive(r, waiter))
            room_places_refuse(manager, waiter);
    }
}

/* The first in the line that nothing keeps out. */
static room_waiter *find_admissible(const room_manager *manager, const room *r)
{
    if (room_manager_is_full(manager, r))
        return NULL;
    room_waiter *waiter;
    SLIST_FOREACH(waiter, &r->waiters, line)
    {
        if (!waiting_line_doubts(waiter->member, waiter->since_ms))
            break;
    }
    return waiter;
}

void room_places_settle(room_manager *manager, room *r)
{
    room_waiter *admissible;
    while ((admissible = find_admissible(manager, r)) != NULL)
        admit(manager, admissible);
    if (room_manager_is_full(manager, r))
        refuse_those_who_cannot_get_in(manager, r);
    else if (r->waiter_count > 0) /* they doubt the only member, which may have come in just now */
        waiting_line_probe(manager, r, manager->now_ms);
    assert(r->backlog == NULL || r->member_count <= 1);
    if (r->member_count == 0 && r->backlog == NULL)
        room_places_close(manager, r);
}
