#include "rooms/room.h"

#include "base/wipe.h"

#include <assert.h>
#include <stdlib.h>

room *room_new(slice name, slice name_json, uint64_t now_ms)
{
    stored_name plan = stored_name_plan(name, name_json);
    room *r = malloc(sizeof(*r) + stored_name_size(&plan));
    if (r == NULL)
        return NULL;
    SLIST_INIT(&r->members);
    SLIST_INIT(&r->waiters);
    SLIST_INIT(&r->formers);
    r->backlog = NULL;
    r->opened_ms = (uint32_t)now_ms;
    r->member_count = 0;
    r->waiter_count = 0;
    r->passed_kinds = 0;
    r->name = plan;
    stored_name_write(&plan, r->name_bytes, name, name_json);
    return r;
}

void room_free(room *r)
{
    assert(r == NULL || (SLIST_EMPTY(&r->members) && SLIST_EMPTY(&r->waiters) && r->backlog == NULL));
    if (r == NULL)
        return;
    former_members_clear(&r->formers);
    wipe_and_free(r, sizeof(*r) + stored_name_size(&r->name));
}

room_member *room_member_new(room *r, room_peer *peer, slice user, slice user_json)
{
    stored_name plan = stored_name_plan(user, user_json);
    room_member *member = malloc(sizeof(*member) + stored_name_size(&plan));
    if (member == NULL)
        return NULL;
    member->room = r;
    member->peer = peer;
    member->asked_ms = 0;
    member->owes_answer = false;
    member->is_waiting = false;
    member->user = plan;
    stored_name_write(&plan, member->user_bytes, user, user_json);
    return member;
}

void room_member_free(room_member *member)
{
    if (member != NULL)
        wipe_and_free(member, sizeof(*member) + stored_name_size(&member->user));
}

void room_add_member(room *r, room_member *member)
{
    room_member **end = &SLIST_FIRST(&r->members);
    while (*end != NULL)
        end = &SLIST_NEXT(*end, link);
    *end = member;
    SLIST_NEXT(member, link) = NULL;
    r->member_count++;
}

void room_remove_member(room *r, room_member *member)
{
    SLIST_REMOVE(&r->members, member, room_member, link);
    r->member_count--;
}

room_waiter *room_waiter_new(room_member *member, bool was_member, uint64_t now_ms)
{
    room_waiter *waiter = malloc(sizeof(*waiter));
    if (waiter == NULL)
        return NULL;
    waiter->member = member;
    waiter->since_ms = now_ms;
    waiter->was_member = was_member;
    return waiter;
}

void room_waiter_free(room_waiter *waiter)
{
    if (waiter == NULL)
        return;
    room_member_free(waiter->member);
    free(waiter);
}

void room_add_waiter(room *r, room_waiter *waiter)
{
    room_waiter **place = &SLIST_FIRST(&r->waiters);
    while (*place != NULL && (!waiter->was_member || (*place)->was_member))
        place = &SLIST_NEXT(*place, line);
    SLIST_NEXT(waiter, line) = *place;
    *place = waiter;
    r->waiter_count++;
    waiter->member->is_waiting = true;
}

void room_remove_waiter(room *r, room_waiter *waiter)
{
    SLIST_REMOVE(&r->waiters, waiter, room_waiter, line);
    r->waiter_count--;
    waiter->member->is_waiting = false;
}

room_backlog *room_backlog_new(room_member *owner)
{
    room_backlog *backlog = malloc(sizeof(*backlog));
    if (backlog == NULL)
        return NULL;
    pending_queue_init(&backlog->signals);
    backlog->owner = owner;
    backlog->lapses_ms = 0;
    backlog->is_owner_away = false;
    return backlog;
}

void room_backlog_free(room_backlog *backlog)
{
    assert(backlog == NULL || backlog->signals.count == 0);
    free(backlog);
}

room_member *room_find_member(const room *r, slice user)
{
    room_member *member;
    SLIST_FOREACH(member, &r->members, link)
    {
        if (slice_equals(room_user(member), user))
            return member;
    }
    return NULL;
}

room_member *room_find_waiting(const room *r, slice user)
{
    const room_waiter *waiter;
    SLIST_FOREACH(waiter, &r->waiters, line)
    {
        if (slice_equals(room_user(waiter->member), user))
            return waiter->member;
    }
    return NULL;
}

room_waiter *room_waiter_of(const room_member *member)
{
    room_waiter *waiter;
    SLIST_FOREACH(waiter, &member->room->waiters, line)
    {
        if (waiter->member == member)
            break;
    }
    assert(waiter != NULL);
    return waiter;
}
