/* Seat house: the sessions of version 2 of one thread, with what is due for them: the end of those that are
 * away for too long, and acknowledgements.
 *
 * All functions: the thread of its hall, or any thread while that does not run. */
#ifndef HOMECALL_DIALECT_2_SEAT_HOUSE_H
#define HOMECALL_DIALECT_2_SEAT_HOUSE_H

#include "dialect_2/seat.h"

/* See dialect: make the house of a hall, for clients of this node or for a holder that is borrowed, free it
 * with all its seats, and do what is due. */
void *seat_house_open(const dialect *d, dialect_hall *hall);
void *seat_house_open_for(const seat_holder *holder, const dialect *d, dialect_hall *hall);
void seat_house_close(void *kept);
uint64_t seat_house_next_due_ms(const void *kept);
void seat_house_tick(void *kept, uint64_t now_ms);

/* The house of a participant's hall. */
seat_house *seat_house_of(const participant *p);

/* End a session: it leaves its room, which is told why, and is freed. */
void seat_house_end(seat *s, session_leave counted, room_news_kind why, slice text);

/* A session has lost its place in the room: what a member of version 1 has sent to it, and it has not
 * acknowledged, is queued again for whoever comes next, where that member is alone now. */
void seat_house_give_back(seat *s);

#endif
