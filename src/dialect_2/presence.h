/* Presence: what a session is told of the others in its room (protocol/README.md, "Version 2"). */
#ifndef HOMECALL_DIALECT_2_PRESENCE_H
#define HOMECALL_DIALECT_2_PRESENCE_H

#include "dialect_2/seat.h"
#include "dialect_2/writer.h"

/* Tell a session what has happened to another peer of its room. */
void presence_tell(seat *s, const room_news *news);

/* Write the peers of a session's room but itself, as a JSON array. */
void presence_write_peers(writer *w, const seat *s);

#endif
