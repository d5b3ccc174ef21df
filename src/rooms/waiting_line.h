/* The lines before rooms: who waits, who was asked for a sign of life, and who still owes it
 * (protocol/README.md, 1.1, 2.8 and S.2). The part of the RoomManager that judges; room_places.c acts on it.
 * Internal to src/rooms.
 *
 * A newcomer before a full room has every member probed, except those that still owe an answer to an earlier
 * newcomer. That newcomer may have gone since; the answer, when it comes, serves both. A member is judged
 * from the time when it was asked. One that came in while somebody waits owes nothing, for its own join was a
 * sign of life. A waiter can be refused as soon as nobody owes an answer from after its coming. A member
 * that is away can't be asked, and owes an answer until it is back.
 *
 * A newcomer who doubts its company waits before a room that has one member and is not full. Nothing but that
 * member decides: it is probed, and shows that it is there, or goes. If another takes its place meanwhile,
 * which has not been read lately either, that one is asked in turn, and the wait begins anew.
 *
 * The wait is the same span for all, so a list in order of coming is sorted by what is due. */
#ifndef HOMECALL_ROOMS_WAITING_LINE_H
#define HOMECALL_ROOMS_WAITING_LINE_H

#include "rooms/room_manager_parts.h"

/* Does this newcomer, who has come or begun to wait at `since_ms`, doubt that the only member of the room is
 * there? */
bool waiting_line_doubts(const room_member *newcomer, uint64_t since_ms);

/* Put a newcomer in the line before its room, and probe the members: at its end, or before all strangers if
 * it was lost from that room not longer than PENDING_TTL ago. It owns `newcomer` on 0; on -ENOSPC (the
 * line is full, or all members have answered within the last second) or -ENOMEM no newcomer is there. Where
 * one who was a member finds a full line, the line becomes too long: see waiting_line_surplus(). */
int waiting_line_add(room_manager *manager, room_member *newcomer, uint64_t now_ms);

/* The last of a line that has become too long, to be refused; NULL for all other lines. Borrowed. */
room_waiter *waiting_line_surplus(const room *r);

/* Take a waiter out of its line, and give away the member that it was to become. The waiter is gone. */
room_member *waiting_line_take(room_manager *manager, room_waiter *waiter);

/* Ask the members of a room for a sign of life, as far as they need to be asked. How many owe one. */
unsigned waiting_line_probe(const room_manager *manager, room *r, uint64_t now_ms);

/* The wait of this waiter begins anew. */
void waiting_line_renew(room_manager *manager, room_waiter *waiter, uint64_t now_ms);

/* Nobody in the line of this room becomes due any more; and their waits begin anew. */
void waiting_line_suspend(room_manager *manager, const room *r);
void waiting_line_resume(room_manager *manager, const room *r, uint64_t now_ms);

/* The member of a room that has been away for the longest time, or NULL. Borrowed. */
room_member *waiting_line_longest_away(const room *r);

/* Can nobody say of a member of the room whether it is there? */
bool waiting_line_has_doubtful(const room *r);

/* Was this member asked so long ago, without a sign of life since, that it must go? A member that is away
 * or in doubt is not silent. */
bool waiting_line_is_silent(const room_manager *manager, const room_member *member, uint64_t now_ms);

/* Have all members shown that they are alive since this waiter came? */
bool waiting_line_all_are_alive(const room *r, const room_waiter *waiter);

/* The waiter whose time is over first, when it is over at `now_ms`; else NULL. Borrowed. */
room_waiter *waiting_line_due(const room_manager *manager, uint64_t now_ms);

/* When the first wait is over, or UINT64_MAX. */
uint64_t waiting_line_next_due_ms(const room_manager *manager);

#endif
