/* Guessing: whether the join of a session has to wait, because its client may be guessing codewords. What
 * guess_limit says about the client is done here: the join is counted, logged, and put among the held ones.
 * Internal to src/session. The thread of the session's group, which has the room. */
#ifndef HOMECALL_SESSION_GUESSING_H
#define HOMECALL_SESSION_GUESSING_H

#include "session/session.h"

/* The session joins this room. 0 = handle the join
 * now. 1 = it is held: the same join must come here again when its connection goes on, and will not be held a
 * second time. -ENOMEM: it can't be held. */
int guessing_hold(session *s, room_space space, slice codeword);

#endif
