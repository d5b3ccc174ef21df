/* A room and the people at it: the structs that the RoomManager's rules work on, and what can be said about
 * one room alone. Internal to src/rooms.
 *
 * What always holds between two calls of the manager, written once:
 *
 * - No two among the members and waiters of a room have the same user name.
 * - Somebody waits only while the room is full.
 * - A room has a backlog only while at most one member is there. The backlog then has an owner: that member,
 * or, when nobody is there, a member who is away. An away member is what is left of a lost connection whose
 * queue lives on; keeping its struct means that losing a connection needs no memory.
 * - A backlog holds at least one signal.
 * - A room without members and without a backlog doesn't exist.
 *
 * Most rooms are calls for two that nobody waits for, and a server holds very many: what such a room does
 * without costs it one pointer, and its lists, which are short, are linked in one direction only. */
#ifndef HOMECALL_ROOMS_ROOM_H
#define HOMECALL_ROOMS_ROOM_H

#include "rooms/pending_queue.h"
#include "rooms/room_peer.h"
#include "rooms/room_table_link.h"
#include "rooms/stored_name.h"

typedef struct room room;

struct room_member {
    SLIST_ENTRY(room_member) link; /* in its room's members, unless it waits */
    room *room;                    /* borrowed */
    room_peer *peer;               /* borrowed; NULL while away */
    uint64_t asked_ms;             /* while owes_answer: when it was probed */
    stored_name user;              /* of user_bytes */
    bool owes_answer;              /* probed, and no answer was reported; counts only while somebody waits */
    bool is_waiting;               /* in the line before its room, behind a room_waiter */
    char user_bytes[];
};

/* A place in the line before a full room. */
typedef struct room_waiter {
    SLIST_ENTRY(room_waiter) line; /* in its room's waiters */
    TAILQ_ENTRY(room_waiter) due;  /* in the manager's waiters */
    room_member *member;           /* owned: what it becomes, made in time so that getting in can't fail */
    uint64_t since_ms;             /* when it came */
} room_waiter;

/* What waits in a room for somebody to come, while anything does. */
typedef struct room_backlog {
    pending_queue signals;           /* owned, not empty */
    room_member *owner;              /* of the signals. Owned while away, borrowed otherwise. */
    TAILQ_ENTRY(room_backlog) lapse; /* in the manager's backlogs to lapse, while the owner is away */
    uint64_t lapses_ms;              /* while the owner is away: when it is given up */
    bool is_owner_away;              /* see above */
} room_backlog;

struct room {
    room_table_link table;             /* in the manager's table */
    SLIST_HEAD(, room_member) members; /* owned, in order of joining */
    SLIST_HEAD(, room_waiter) waiters; /* owned, first come first */
    room_backlog *backlog;             /* owned; NULL while nothing waits */
    uint32_t opened_ms;                /* when the first user joined, low 32 bits */
    uint16_t member_count;             /* in `members` */
    uint16_t waiter_count;             /* in `waiters` */
    uint16_t passed_kinds;             /* of signals, each a bit, that have reached somebody */
    stored_name name;                  /* of name_bytes */
    char name_bytes[];
};

/* A room with nobody in it, and its end. `name` is the codeword; both forms are copied. NULL without memory.
 * A room is empty (no member, waiter or backlog) and in no table when it is freed. */
room *room_new(slice name, slice name_json, uint64_t now_ms);
void room_free(room *r);

/* A member of `r` that is in no list yet, and its end. NULL without memory; freeing NULL is legal. */
room_member *room_member_new(room *r, room_peer *peer, slice user, slice user_json);
void room_member_free(room_member *member);

/* Put a member behind the others of its room, and take it out. */
void room_add_member(room *r, room_member *member);
void room_remove_member(room *r, room_member *member);

/* A waiter that owns `member` and is in no list yet; on NULL (no memory) the caller still owns `member`.
 * Freeing frees the member with it, unless it was taken out of the field. */
room_waiter *room_waiter_new(room_member *member, uint64_t now_ms);
void room_waiter_free(room_waiter *waiter);

/* Put a waiter at the end of the line before its room, and take it out. Its member is_waiting meanwhile. */
void room_add_waiter(room *r, room_waiter *waiter);
void room_remove_waiter(room *r, room_waiter *waiter);

/* A backlog of this present member without a signal yet, and its end, when it is empty. NULL without memory;
 * freeing NULL is legal. */
room_backlog *room_backlog_new(room_member *owner);
void room_backlog_free(room_backlog *backlog);

/* Who of that name is present, or waits? Borrowed; NULL for nobody. */
room_member *room_find_member(const room *r, slice user);
room_member *room_find_waiting(const room *r, slice user);

/* The place in the line of a member that waits. Borrowed. */
room_waiter *room_waiter_of(const room_member *member);

/* The codeword, plain and as JSON. Borrowed. */
static inline slice room_name(const room *r)
{
    return stored_name_plain(&r->name, r->name_bytes);
}

static inline slice room_name_json(const room *r)
{
    return stored_name_json(&r->name, r->name_bytes);
}

/* A member's user name, plain and as JSON. Borrowed. */
static inline slice room_user(const room_member *member)
{
    return stored_name_plain(&member->user, member->user_bytes);
}

static inline slice room_user_json(const room_member *member)
{
    return stored_name_json(&member->user, member->user_bytes);
}

#endif
