/* What the rooms do with a participant that is in a room by its own peer: the functions of a room_peer_face
 * that are the same in each dialect that has no sessions of its own beside its connections. */
#ifndef HOMECALL_DIALECT_PARTICIPANT_PEER_H
#define HOMECALL_DIALECT_PARTICIPANT_PEER_H

#include "dialect/dialect.h"

/* See room_peer_face. */
void participant_peer_probe(room_peer *peer);
bool participant_peer_is_alive_since(const room_peer *peer, uint64_t since_ms);
void participant_peer_on_admitted(room_peer *peer);
void participant_peer_on_dropped(room_peer *peer);
uint32_t participant_peer_account(const room_peer *peer);
uint64_t participant_peer_id(const room_peer *peer);

/* See dialect: a pong is a sign of life, and the end of the connection is a loss. */
void participant_peer_on_pong(participant *p);
void participant_peer_on_end(participant *p, bool is_fault);

#endif
