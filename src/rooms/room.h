/* A room and the people at it: the structs that the RoomManager's rules work on, and what can be said about
 * one room alone. Internal to src/rooms.
 *
 * What always holds between two calls of the manager, written once:
 *
 * - No two among the members and waiters of a room have the same user name.
 * - Somebody waits only while the room is full.
 * - `pending` holds something only while at most one member is there. It then has an owner: that member, or,
 * when nobody is there, a member who is away. An away member is what is left of a lost connection whose queue
 * lives on; keeping its struct means that losing a connection needs no memory.
 * - A room without members and with an empty queue doesn't exist. */
#ifndef HOMECALL_ROOMS_ROOM_H
#define HOMECALL_ROOMS_ROOM_H

#include "rooms/pending_queue.h"
#include "rooms/room_manager.h"
#include "rooms/room_table.h"
#include "rooms/stored_name.h"

typedef TAILQ_HEAD(room_member_list, room_member) room_member_list;
typedef TAILQ_HEAD(room_waiter_list, room_waiter) room_waiter_list;

struct room_member {
    TAILQ_ENTRY(room_member) link; /* in its room's members; in the manager's away list while away */
    room *room;                    /* borrowed */
    void *peer;                    /* borrowed; meaningless while away */
    union {
        uint64_t asked_ms;   /* present, while owes_answer: when it was probed */
        uint64_t expires_ms; /* away: when its queue is given up */
    };
    stored_name user; /* of user_bytes */
    bool owes_answer; /* probed, and no answer was reported; counts only while somebody waits */
    bool is_away;     /* see above */
    char user_bytes[];
};

struct room_waiter {
    TAILQ_ENTRY(room_waiter) line; /* in its room's waiters */
    TAILQ_ENTRY(room_waiter) due;  /* in the manager's waiters */
    room_member *member;           /* owned: what it becomes, made in time so that getting in can't fail */
    uint64_t since_ms;             /* when it came */
};

struct room {
    room_table_link table;    /* in the manager's table */
    room_member_list members; /* owned, in order of joining */
    room_waiter_list waiters; /* owned, first come first */
    pending_queue pending;    /* owned */
    room_member *owner;    /* of `pending`; NULL while that is empty. Owned while away, borrowed otherwise. */
    uint32_t member_count; /* in `members` */
    uint32_t waiter_count; /* in `waiters` */
    stored_name name;      /* of name_bytes */
    char name_bytes[];
};

/* A room with nobody in it, and its end. `name` is the codeword; both forms are copied. NULL without memory.
 * A room is empty (no member, waiter, signal or owner) and in no table when it is freed. */
room *room_new(slice name, slice name_json);
void room_free(room *r);

/* A member of `r` that is in no list yet, and its end. NULL without memory; freeing NULL is legal. */
room_member *room_member_new(room *r, void *peer, slice user, slice user_json);
void room_member_free(room_member *member);

/* A waiter that owns `member` and is in no list yet; on NULL (no memory) the caller still owns `member`.
 * Freeing frees the member with it, unless it was taken out of the field. */
room_waiter *room_waiter_new(room_member *member, uint64_t now_ms);
void room_waiter_free(room_waiter *waiter);

/* Who of that name is present, or waits? Borrowed; NULL for nobody. */
room_member *room_find_member(const room *r, slice user);
room_waiter *room_find_waiter(const room *r, slice user);

/* The codeword. Borrowed. */
static inline slice room_name(const room *r)
{
    return stored_name_plain(&r->name, r->name_bytes);
}

#endif
