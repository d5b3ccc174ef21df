#include "rooms/room.h"

#include <assert.h>
#include <stdlib.h>

room *room_new(slice name, slice name_json)
{
    stored_name plan = stored_name_plan(name, name_json);
    room *r = malloc(sizeof(*r) + stored_name_size(&plan));
    if (r == NULL)
        return NULL;
    TAILQ_INIT(&r->members);
    TAILQ_INIT(&r->waiters);
    pending_queue_init(&r->pending);
    r->owner = NULL;
    r->member_count = 0;
    r->waiter_count = 0;
    r->name = plan;
    stored_name_write(&plan, r->name_bytes, name, name_json);
    return r;
}

void room_free(room *r)
{
    assert(r == NULL || (TAILQ_EMPTY(&r->members) && TAILQ_EMPTY(&r->waiters) && r->pending.count == 0 &&
                         r->owner == NULL));
    free(r);
}

room_member *room_member_new(room *r, void *peer, slice user, slice user_json)
{
    stored_name plan = stored_name_plan(user, user_json);
    room_member *member = malloc(sizeof(*member) + stored_name_size(&plan));
    if (member == NULL)
        return NULL;
    member->room = r;
    member->peer = peer;
    member->asked_ms = 0;
    member->owes_answer = false;
    member->is_away = false;
    member->user = plan;
    stored_name_write(&plan, member->user_bytes, user, user_json);
    return member;
}

void room_member_free(room_member *member)
{
    free(member);
}

room_waiter *room_waiter_new(room_member *member, uint64_t now_ms)
{
    room_waiter *waiter = malloc(sizeof(*waiter));
    if (waiter == NULL)
        return NULL;
    waiter->member = member;
    waiter->since_ms = now_ms;
    return waiter;
}

void room_waiter_free(room_waiter *waiter)
{
    if (waiter == NULL)
        return;
    room_member_free(waiter->member);
    free(waiter);
}

room_member *room_find_member(const room *r, slice user)
{
    room_member *member;
    TAILQ_FOREACH(member, &r->members, link)
    {
        if (slice_equals(room_member_user(member), user))
            return member;
    }
    return NULL;
}

room_waiter *room_find_waiter(const room *r, slice user)
{
    room_waiter *waiter;
    TAILQ_FOREACH(waiter, &r->waiters, line)
    {
        if (slice_equals(room_member_user(waiter->member), user))
            return waiter;
    }
    return NULL;
}

slice room_member_room(const room_member *member)
{
    return room_name(member->room);
}

slice room_member_user(const room_member *member)
{
    return stored_name_plain(&member->user, member->user_bytes);
}

slice room_member_room_json(const room_member *member)
{
    return stored_name_json(&member->room->name, member->room->name_bytes);
}

slice room_member_user_json(const room_member *member)
{
    return stored_name_json(&member->user, member->user_bytes);
}
