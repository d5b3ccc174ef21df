/* What the parts of the RoomManager share: its struct. Internal to src/rooms.
 *
 * room_signals.c passes signals on and keeps them; waiting_line.c has the newcomers before rooms; room_news.c
 * tells the members of each other. room_places.c uses these: it lets members in and takes them out, and does
 * what follows from that. room_manager.c and room_succession.c are what the server calls. */
#ifndef HOMECALL_ROOMS_ROOM_MANAGER_PARTS_H
#define HOMECALL_ROOMS_ROOM_MANAGER_PARTS_H

#include "rooms/pending_queue.h"
#include "rooms/room.h"
#include "rooms/room_effects.h"
#include "rooms/room_table.h"

typedef struct room_manager room_manager;

struct room_manager {
    room_limits limits;
    room_effects effects;
    pending_bounds bounds;              /* the part of both that the queues need */
    room_table rooms;                   /* owned */
    TAILQ_HEAD(, room_backlog) lapsing; /* borrowed from their rooms, the first to lapse first */
    TAILQ_HEAD(, room_waiter) due;      /* borrowed from their rooms, the first due first */
    room_counts counts;
    uint64_t now_ms;       /* the time that was told last */
    uint64_t opened_rooms; /* so many so far: room.id_base */
};

/* How many a session of protocol/README.md, "The session dialect" holds, whatever the limits are for rooms.
 */
enum { ROOM_SESSION_CAPACITY = 2 };

/* Can nobody come in any more? A room that has no number left for a member is full, too. */
static inline bool room_manager_is_full(const room_manager *manager, const room *r)
{
    uint32_t capacity = r->space == ROOM_SPACE_SESSIONS ? ROOM_SESSION_CAPACITY : manager->limits.capacity;
    return r->member_count >= capacity || r->last_order == ROOM_LAST_ORDER;
}

#endif
