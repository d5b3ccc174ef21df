/* What version 2 does with a connection whatever it speaks for, wherever its room is. */
#ifndef HOMECALL_DIALECT_2_UNJOINED_H
#define HOMECALL_DIALECT_2_UNJOINED_H

#include "dialect/dialect.h"
#include "dialect_2/message_2.h"

/* A message of a client that has no session. `join` handles a join. */
dialect_verdict unjoined_message(participant *p, const message_2 *m,
                                 dialect_verdict (*join)(participant *p, const message_2 *m));

/* Does the program that embeds the server refuse this join? Its client is told. */
bool unjoined_is_refused(participant *p, const message_2 *m);

/* See dialect.say_goodbye. */
void unjoined_goodbye(participant *p, participant_end end, const char *text);

#endif
