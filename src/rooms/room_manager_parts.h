/* What the parts of the RoomManager share: its struct. Internal to src/rooms.
 *
 * room_manager.c has the rules of joining and leaving; room_signals.c passes signals on and keeps them;
 * waiting_line.c has the newcomers before full rooms. The parts don't call room_manager.c. */
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
    uint64_t now_ms; /* the time that was told last */
};

#endif
