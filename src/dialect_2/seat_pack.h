/* A session on its way to another owner of its room, as bytes (dialect/extra.h): its tokens, its numbers,
 * what the others are told about it, and of its outbox the newest messages, as many as fit. Where some do not
 * fit, its client can't resume if it has not seen them, and is told so then, as after an overflow.
 *
 * The thread of its hall. */
#ifndef HOMECALL_DIALECT_2_SEAT_PACK_H
#define HOMECALL_DIALECT_2_SEAT_PACK_H

#include "dialect/extra.h"
#include "dialect_2/seat.h"

/* Append a session. At `now_ms` it has been away for so long, or is not. */
void seat_pack(const seat *s, uint64_t now_ms, extra_writer *w);

/* Make a seat of the rest of a text, without a wire; `peer` as in seat_new(). One that was away still is,
 * counted from `now_ms` back. NULL without memory, or where the text is not sound. */
seat *seat_unpack(seat_house *house, room_peer *peer, uint64_t now_ms, extra_reader *from);

#endif
