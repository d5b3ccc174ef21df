/* What becomes of the place of a member that is gone, and of what was said to it
 * (protocol/README.md, 2.2, 2.3 and 7). */
#include "rooms/room_manager.h"

#include "rooms/room_manager_parts.h"
#include "rooms/room_places.h"
#include "rooms/room_signals.h"

#include <assert.h>
#include <errno.h>

int room_manager_succeed(room_manager *manager, room_peer *old_peer, room_peer *new_peer,
                         const room_join *request, room_news_kind why)
{
    assert(room_peer_is_joined(old_peer) && !new_peer->face->has_users);
    assert(new_peer->member == NULL || new_peer == old_peer);
    room_member *old = old_peer->member;
    room *r = old->room;
    if (r->last_order == ROOM_LAST_ORDER)
        return -ENOSPC;
    room_member *successor = room_member_new(r, new_peer, request->user, request->user_json);
    if (successor == NULL)
        return -ENOMEM;

    manager->now_ms = request->now_ms;
    if (room_signals_has_queue_of(old))
        room_signals_drop(manager, r, room_signals_failure_of_end(why));
    room_places_take_out(manager, old, why, SLICE_LITERAL(""));
    room_member_free(old);
    room_places_enter(manager, successor, false);
    room_signals_receive(manager, successor); /* what a member got back just now, alone in between */
    room_places_settle(manager, r); /* the old one may have been the last whose answer was missing */
    return 0;
}

bool room_manager_requeue(room_manager *manager, const room_member *of_room, uint32_t sender_order,
                          const room_signal *signal, uint64_t now_ms)
{
    manager->now_ms = now_ms;
    room_member *sender = SLIST_FIRST(&of_room->room->members);
    if (sender == NULL || sender->order != sender_order || sender->peer->face->version != 1)
        return false;
    return room_signals_take_back(manager, sender, signal);
}
