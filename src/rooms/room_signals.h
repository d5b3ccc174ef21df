/* What happens to signals: they are passed on to members, kept for newcomers, and given up
 * (protocol/README.md, 1.2 and 1.3). The part of the RoomManager that reports them. Internal to src/rooms. */
#ifndef HOMECALL_ROOMS_ROOM_SIGNALS_H
#define HOMECALL_ROOMS_ROOM_SIGNALS_H

#include "rooms/room_manager_parts.h"

/* Pass a signal to every other member of the sender's room, or to the one that it is for, or queue a copy if
 * nobody else is there. 0, -ENOSPC or -ENOMEM, as room_manager_signal(). */
int room_signals_pass(room_manager *manager, room_member *from, const room_signal *signal);

/* Queue a copy of a signal that this member had sent to a member that is gone, if it is alone now. Was it
 * queued?
 */
bool room_signals_take_back(room_manager *manager, room_member *from, const room_signal *signal);

/* A member has just come in. It gets what another user has queued, or owns what it has queued itself again.
 */
void room_signals_receive(room_manager *manager, room_member *newcomer);

/* Give up what a room has queued, if anything, for this reason. */
void room_signals_drop(room_manager *manager, room *r, room_failure why);

/* A queue that was collected for a room goes to this member, or to nobody for this reason. The backlog is
 * freed, and its owner where that is lost. */
void room_signals_hand_out(room_manager *manager, room_backlog *backlog, const room_member *to,
                           room_failure failure);

/* The same: it becomes the queue of its room, which has none, or goes behind the one that is there. `owner`
 * is the member that owns it from now on, or NULL if the owner stays a lost member. */
void room_signals_adopt(room_manager *manager, room *r, room_backlog *backlog, room_member *owner);

/* What a room has queued is of no interest here any more: nothing is reported. */
void room_signals_forget(room_manager *manager, room *r);

/* Append a copy to a queue, for this account, as if it had been queued at `since_ms`. What does not fit is
 * reported as refused. */
void room_signals_collect(room_manager *manager, room_backlog *backlog, int kind, slice body,
                          uint32_t account, uint64_t since_ms);

/* The queue of a lost owner does not lapse any more; and it does again. */
void room_signals_suspend(room_manager *manager, room_backlog *backlog);
void room_signals_resume(room_manager *manager, room_backlog *backlog);

/* Why a queue is given up whose owner goes for this reason. */
static inline room_failure room_signals_failure_of_end(room_news_kind why)
{
    return why == ROOM_NEWS_LOST ? ROOM_FAILURE_SENDER_LOST : ROOM_FAILURE_SENDER_LEFT;
}

/* Does the room keep a queue of this member? */
static inline bool room_signals_has_queue_of(const room_member *member)
{
    const room_backlog *backlog = member->room->backlog;
    return backlog != NULL && backlog->owner == member;
}

/* The connection of this member, which is in no list any more and whose queue the room keeps, is lost at
 * `now_ms`. The backlog owns the member from here on, until it lapses or the user comes back. */
void room_signals_lose_owner(room_manager *manager, room_member *member, uint64_t now_ms);

/* The room whose queue lapses first, when that is due at `now_ms`; else NULL. Borrowed. */
room *room_signals_lapsed(const room_manager *manager, uint64_t now_ms);

/* When the first queue lapses, or UINT64_MAX. */
uint64_t room_signals_next_due_ms(const room_manager *manager);

#endif
