/* A room, its members, and those who wait before it: the structs that the RoomManager's rules work on, and
 * what can be asked about one room alone. Internal to src/rooms.
 *
 * This always holds between two calls of the manager:
 *
 * - No two of the members and waiters of a room who are known by their user names have the same.
 * - The members stand in the order of their numbers, which begin at 1. A number is given once in the life of
 * a room.
 * - A newcomer waits because the room is full, or because it doubts that the only member is alive: that
 * member was asked for a sign of life and has not answered, or it is away.
 * - A room has a backlog only while it has one member or none. The owner of the backlog is that one member,
 * or else a member that is lost.
 * - A backlog holds at least one signal.
 * - A room without members and without a backlog doesn't exist.
 * - A frozen room is in the table, and nothing of it is in a list of what becomes due.
 *
 * A member is lost when its connection is, and its queue is still kept. Its struct is kept with the queue, so
 * losing a connection needs no memory. (A member that is away, which a face can say, is a member like
 * others.)
 *
 * A server holds very many rooms, and most of them are calls for two without a queue and without waiters. So
 * what most rooms don't need costs them one pointer, and the lists, which are short, are linked in one
 * direction only. */
#ifndef HOMECALL_ROOMS_ROOM_H
#define HOMECALL_ROOMS_ROOM_H

#include "rooms/former_members.h"
#include "rooms/pending_queue.h"
#include "rooms/room_hash.h"
#include "rooms/room_peer.h"
#include "rooms/room_table_link.h"
#include "rooms/stored_name.h"

typedef struct room room;

struct room_member {
    SLIST_ENTRY(room_member) link; /* in its room's members, unless it waits or is lost */
    room *room;                    /* borrowed: where it is, or what it waits for */
    room_peer *peer;               /* borrowed; NULL once lost */
    uint64_t asked_ms;             /* when it was probed last; 0 = never */
    uint32_t order;                /* its number, from 1 on; 0 as long as it has never been in the room */
    stored_name user;              /* of user_bytes */
    bool owes_answer : 1;          /* it was probed, and no answer was reported since */
    bool is_waiting : 1;           /* in the line before its room, behind a room_waiter */
    bool has_user : 1;             /* it is known by its user name: room_peer_face.has_users */
    char user_bytes[];
};

/* A place in the line before a room. */
typedef struct room_waiter {
    SLIST_ENTRY(room_waiter) line; /* in its room's waiters */
    TAILQ_ENTRY(room_waiter) due;  /* in the manager's waiters */
    room_member *member;           /* owned: what it becomes. Made at its join, so getting in can't fail. */
    uint64_t since_ms;             /* when it came, or when its wait began anew */
    bool was_member;               /* it was in the room lately, and goes before those who were not */
} room_waiter;

/* The queue of a room, while anything is in it. */
typedef struct room_backlog {
    pending_queue signals;           /* owned, not empty */
    room_member *owner;              /* who sent the signals. Owned while lost, borrowed otherwise. */
    TAILQ_ENTRY(room_backlog) lapse; /* while the owner is lost: in the manager's list of them */
    uint64_t lapses_ms;              /* while the owner is lost: when the queue is given up */
    bool is_owner_lost;              /* the connection of the owner is lost */
} room_backlog;

struct room {
    room_table_link table;             /* in the manager's table; its key is the codeword in name_bytes */
    SLIST_HEAD(, room_member) members; /* owned, the lowest number first */
    SLIST_HEAD(, room_waiter) waiters; /* owned: those who were members, then the others; first come first */
    former_members formers;            /* owned: the members that were lost lately */
    room_backlog *backlog;             /* owned; NULL while nothing is queued */
    uint32_t opened_ms;                /* when the first user joined, low 32 bits */
    uint32_t id_base;                  /* the first half of the ids of its members */
    uint32_t last_order;               /* the number that was given last */
    uint16_t member_count;             /* in `members` */
    uint16_t passed_kinds;             /* a bit for each kind of signals of which one has reached somebody */
    uint8_t waiter_count;              /* in `waiters` */
    uint8_t space : 7;                 /* a room_space: where its name belongs to */
    uint8_t is_frozen : 1;             /* it moves to another manager: room_moving.h */
    char name_bytes[];
};

/* The highest number of a member. A room that has given it lets nobody in any more. */
enum { ROOM_LAST_ORDER = INT32_MAX };

/* Make a room with nobody in it. `name` is the codeword; both forms are copied. NULL without memory. */
room *room_new(room_space space, slice name, slice name_json, uint32_t id_base, uint64_t now_ms);

/* Free a room that has no member, waiter or backlog any more and is in no table. NULL is legal. */
void room_free(room *r);

/* Make a member of `r` that is in no list yet, and free one that is in none any more. NULL without memory;
 * freeing NULL is legal. */
room_member *room_member_new(room *r, room_peer *peer, slice user, slice user_json);
void room_member_free(room_member *member);

/* Put a member behind the others of its room, with the next number, and take it out. Until ROOM_LAST_ORDER.
 */
void room_add_member(room *r, room_member *member);
void room_remove_member(room *r, room_member *member);

/* Make a waiter that owns `member` and is in no list yet. NULL without memory: then the caller still owns
 * `member`. Freeing frees the member with it, unless its field was set to NULL. */
room_waiter *room_waiter_new(room_member *member, bool was_member, uint64_t now_ms);
void room_waiter_free(room_waiter *waiter);

/* Put a waiter in the line before its room, at its end, or behind the last of those who were members if it
 * was one, and take it out. Its member is_waiting meanwhile. */
void room_add_waiter(room *r, room_waiter *waiter);
void room_remove_waiter(room *r, room_waiter *waiter);

/* Make a backlog of this present member, without a signal yet, and free one that is empty. NULL without
 * memory; freeing NULL is legal. */
room_backlog *room_backlog_new(room_member *owner);
void room_backlog_free(room_backlog *backlog);

/* The member that is known by that user name, or the one who waits. Borrowed; NULL if there is none. */
room_member *room_find_member(const room *r, slice user);
room_member *room_find_waiting(const room *r, slice user);

/* Write the id of a member that has a number: base64url of 8 bytes, id_base and the number. */
void room_write_id(const room_member *member, char out[ROOM_PEER_ID_LEN]);

/* The member of that id. Borrowed; NULL if there is none. */
room_member *room_find_by_id(const room *r, slice id);

/* The place in the line of a member that waits. Borrowed. */
room_waiter *room_waiter_of(const room_member *member);

/* Where the codeword lies in name_bytes. The key of the table says it, so it is stored once. */
static inline stored_name room_stored_name(const room *r)
{
    return (stored_name){.plain_at = (uint16_t)((const char *)r->table.key - r->name_bytes),
                         .plain_len = (uint16_t)r->table.keylen};
}

/* The codeword, plain and as JSON. Borrowed. */
static inline slice room_name(const room *r)
{
    return (slice){r->table.key, r->table.keylen};
}

static inline slice room_name_json(const room *r)
{
    stored_name name = room_stored_name(r);
    return stored_name_json(&name, r->name_bytes);
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
