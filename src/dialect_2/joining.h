/* Joining: how a client of version 2 gets a session, gets it back, and gives it up (protocol/README.md, 2.1
 * to 4). */
#ifndef HOMECALL_DIALECT_2_JOINING_H
#define HOMECALL_DIALECT_2_JOINING_H

#include "dialect_2/message_2.h"
#include "dialect_2/seat.h"

/* A join from a participant without a session. */
dialect_verdict joining_join(participant *p, const message_2 *m);

/* A client that has seen everything up to `seen` goes on with this session over a new connection, which is
 * its wire already. It has shown the current token, or the former one. */
void joining_go_on(seat *s, bool was_away, bool is_current, uint64_t seen);

/* May it go on, having shown one of these tokens? */
bool joining_can_go_on(const seat *s, seat_former former, bool is_current, uint64_t seen);

/* A leave from one that has one: the session ends, and the connection may join again. */
void joining_leave(participant *p, slice text);

/* Its connection has ended: a loss, unless the server has ended it for a fault of the client. */
void joining_lose(participant *p, bool is_fault);

#endif
