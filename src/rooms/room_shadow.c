#include "rooms/room_shadow.h"

#include "rooms/room.h"

room_member *room_shadow_new(room_peer *peer, const room_join *names)
{
    room *r = room_new(names->space, names->room, names->room_json, 0, names->now_ms);
    if (r == NULL)
        return NULL;
    room_member *shadow = room_member_new(r, peer, names->user, names->user_json);
    if (shadow == NULL) {
        room_free(r);
        return NULL;
    }
    shadow->is_waiting = true;
    return shadow;
}

void room_shadow_enter(room_member *shadow)
{
    enum { NOT_ALONE = 2 };
    shadow->is_waiting = false;
    shadow->room->member_count = NOT_ALONE;
}

void room_shadow_free(room_member *shadow)
{
    room *r = shadow->room;
    room_member_free(shadow);
    room_free(r);
}
