#include "rooms/room.h"

#include "base/wipe.h"

#include <assert.h>
#include <stdlib.h>

/* The bytes at the end begin where the other fields end, and not at the size of the struct, which is rounded
 * up. */
static size_t size_with(size_t bytes_at, const stored_name *name, size_t struct_size)
{
    size_t size = bytes_at + stored_name_size(name);
    return size < struct_size ? struct_size : size;
}

static size_t room_size(const stored_name *name)
{
    return size_with(offsetof(room, name_bytes), name, sizeof(room));
}

static size_t member_size(const stored_name *user)
{
    return size_with(offsetof(room_member, user_bytes), user, sizeof(room_member));
}

room *room_new(room_space space, slice name, slice name_json, uint32_t id_base, uint64_t now_ms)
{
    stored_name plan = stored_name_plan(name, name_json);
    room *r = malloc(room_size(&plan));
    if (r == NULL)
        return NULL;
    SLIST_INIT(&r->members);
    SLIST_INIT(&r->waiters);
    SLIST_INIT(&r->formers);
    r->backlog = NULL;
    r->opened_ms = (uint32_t)now_ms;
    r->id_base = id_base;
    r->last_order = 0;
    r->member_count = 0;
    r->waiter_count = 0;
    r->passed_kinds = 0;
    r->space = (uint8_t)space & 0x7F;
    r->is_frozen = false;
    r->table.key = r->name_bytes + plan.plain_at;
    r->table.keylen = plan.plain_len;
    stored_name_write(&plan, r->name_bytes, name, name_json);
    return r;
}

void room_free(room *r)
{
    assert(r == NULL || (SLIST_EMPTY(&r->members) && SLIST_EMPTY(&r->waiters) && r->backlog == NULL));
    if (r == NULL)
        return;
    former_members_clear(&r->formers);
    stored_name name = room_stored_name(r);
    wipe_and_free(r, room_size(&name));
}

room_member *room_member_new(room *r, room_peer *peer, slice user, slice user_json)
{
    stored_name plan = stored_name_plan(user, user_json);
    room_member *member = malloc(member_size(&plan));
    if (member == NULL)
        return NULL;
    member->room = r;
    member->peer = peer;
    member->asked_ms = 0;
    member->order = 0;
    member->owes_answer = false;
    member->is_waiting = false;
    member->has_user = peer != NULL && peer->face->has_users;
    member->user = plan;
    stored_name_write(&plan, member->user_bytes, user, user_json);
    return member;
}

void room_member_free(room_member *member)
{
    if (member != NULL)
        wipe_and_free(member, member_size(&member->user));
}

void room_add_member(room *r, room_member *member)
{
    assert(r->last_order < ROOM_LAST_ORDER);
    member->order = ++r->last_order;
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
    backlog->is_owner_lost = false;
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
        if (member->has_user && slice_equals(room_user(member), user))
            return member;
    }
    return NULL;
}

room_member *room_find_waiting(const room *r, slice user)
{
    const room_waiter *waiter;
    SLIST_FOREACH(waiter, &r->waiters, line)
    {
        if (waiter->member->has_user && slice_equals(room_user(waiter->member), user))
            return waiter->member;
    }
    return NULL;
}

/* RFC 4648, 5. Ten characters of six bits, and one with the last four. */
void room_write_id(const room_member *member, char out[ROOM_PEER_ID_LEN])
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    static_assert(ROOM_PEER_ID_LEN == (64 + 5) / 6, "all bits of the number");
    uint64_t number = (uint64_t)member->room->id_base << 32 | member->order;
    for (int i = 0; i < ROOM_PEER_ID_LEN - 1; i++)
        out[i] = digits[number >> (58 - 6 * i) & 63];
    out[ROOM_PEER_ID_LEN - 1] = digits[number << 2 & 63];
}

room_member *room_find_by_id(const room *r, slice id)
{
    char written[ROOM_PEER_ID_LEN];
    room_member *member;
    SLIST_FOREACH(member, &r->members, link)
    {
        room_write_id(member, written);
        if (slice_equals((slice){written, sizeof(written)}, id))
            break;
    }
    return member;
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
