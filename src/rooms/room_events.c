#include "rooms/room_events.h"

static void tell(const room_manager *manager, const room *r, room_event *event)
{
    event->space = (room_space)r->space;
    event->room = room_name(r);
    event->members = r->member_count;
    manager->effects.on_event(manager->effects.context, event);
}

static void tell_of_room(const room_manager *manager, const room *r, room_event_kind kind)
{
    room_event event = {.kind = kind};
    if (manager->effects.on_event != NULL)
        tell(manager, r, &event);
}

void room_events_opened(const room_manager *manager, const room *r)
{
    tell_of_room(manager, r, ROOM_EVENT_OPENED);
}

void room_events_freed(const room_manager *manager, const room *r)
{
    tell_of_room(manager, r, ROOM_EVENT_FREED);
}

static void tell_of_member(const room_manager *manager, const room_member *member, room_event *event)
{
    char id[ROOM_PEER_ID_LEN];
    room_write_id(member, id);
    event->id = (slice){id, sizeof(id)};
    event->user = room_user(member);
    tell(manager, member->room, event);
}

void room_events_joined(const room_manager *manager, const room_member *member)
{
    room_event event = {.kind = ROOM_EVENT_JOINED, .peer = member->peer};
    if (manager->effects.on_event != NULL)
        tell_of_member(manager, member, &event);
}

void room_events_left(const room_manager *manager, const room_member *member, const room_peer *peer,
                      room_news_kind why)
{
    room_event event = {.kind = ROOM_EVENT_LEFT, .peer = peer, .why = why};
    if (manager->effects.on_event != NULL)
        tell_of_member(manager, member, &event);
}
