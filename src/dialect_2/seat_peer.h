/* What the rooms do with a seat: its room_peer_face. */
#ifndef HOMECALL_DIALECT_2_SEAT_PEER_H
#define HOMECALL_DIALECT_2_SEAT_PEER_H

#include "dialect/signal_kind.h"
#include "dialect_2/seat.h"

/* What version 2 understands: room_peer_face.kinds. */
#define SEAT_PEER_KINDS                                                                    \
    (SIGNAL_BIT(SIGNAL_OFFER) | SIGNAL_BIT(SIGNAL_ANSWER) | SIGNAL_BIT(SIGNAL_CANDIDATE) | \
     SIGNAL_BIT(SIGNAL_DATA))

/* A session gets a signal of another member. As room_peer_face.send(). */
bool seat_hear(seat *s, const room_signal *signal, const room_member *from);

/* See room_peer_face. */
bool seat_peer_send(room_peer *peer, const room_signal *signal, const room_member *from);
void seat_peer_probe(room_peer *peer);
bool seat_peer_is_alive_since(const room_peer *peer, uint64_t since_ms);
uint64_t seat_peer_away_since_ms(const room_peer *peer);
void seat_peer_on_entered(room_peer *peer);
void seat_peer_on_admitted(room_peer *peer);
void seat_peer_on_refused(room_peer *peer, const room_member *was);
void seat_peer_on_dropped(room_peer *peer);
void seat_peer_on_gone(room_peer *peer);
void seat_peer_on_news(room_peer *peer, const room_news *news);
uint32_t seat_peer_account(const room_peer *peer);
uint64_t seat_peer_id(const room_peer *peer);

#endif
