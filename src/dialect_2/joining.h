/* Joining: how a client of version 2 gets a session, gets it back, and gives it up (protocol/README.md, 2.1
 * to 4). */
#ifndef HOMECALL_DIALECT_2_JOINING_H
#define HOMECALL_DIALECT_2_JOINING_H

#include "dialect_2/message_2.h"
#include "dialect_2/seat.h"

/* A join from a participant without a session. */
dialect_verdict joining_join(participant *p, const message_2 *m);

/* A leave from one that has one: the session ends, and the connection may join again. */
void joining_leave(participant *p, slice text);

/* Its connection has ended: a loss, unless the server has ended it for a fault of the client. */
void joining_lose(participant *p, bool is_fault);

#endif
