#include "rooms/room_member.h"

#include "rooms/room.h"

#include <assert.h>

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

void room_member_names_json(const room_member *member, slice *room_json, slice *user_json)
{
    *room_json = room_name_json(member->room);
    *user_json = room_user_json(member);
}

bool room_member_is_waiting(const room_member *member)
{
    return member->is_waiting;
}

bool room_member_has_company(const room_member *member)
{
    return member->room->member_count > 1;
}

room_peer *room_member_peer(const room_member *member)
{
    return member->peer;
}

uint32_t room_member_order(const room_member *member)
{
    return member->order;
}

void room_member_write_id(const room_member *member, char out[ROOM_PEER_ID_LEN])
{
    assert(member->order > 0);
    room_write_id(member, out);
}

room_member *room_member_next(const room_member *of_room, const room_member *after)
{
    return after == NULL ? SLIST_FIRST(&of_room->room->members) : SLIST_NEXT(after, link);
}
