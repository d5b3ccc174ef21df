/* Taking: what the messages of a client do to its session (protocol/README.md, 2.5), but for those that make
 * and end sessions (joining.h). This is where the rooms are: the client may be connected elsewhere. */
#ifndef HOMECALL_DIALECT_2_TAKING_H
#define HOMECALL_DIALECT_2_TAKING_H

#include "dialect_2/message_2.h"
#include "dialect_2/seat.h"

/* A message of a client that has this session has come over its wire, `p`. The session, or the connection,
 * may have ended afterwards. */
dialect_verdict taking_message(participant *p, seat *s, const message_2 *m);

/* One that could not be read but for its number, which it uses up: that is refused for this fault. False
 * where a number is missing before it: then the two do not agree any more, and the wire is closed. */
bool taking_refusal(participant *p, seat *s, uint64_t n, message_2_fault fault);

#endif
