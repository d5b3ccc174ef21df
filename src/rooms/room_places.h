/* The places in rooms: members come in and go, and what follows from that is done. The part of the
 * RoomManager that the calls of the server stand on. Internal to src/rooms.
 *
 * Every call that changes a room makes its own change first. Then it calls room_places_settle(), which lets
 * in and refuses whom the change concerns. */
#ifndef HOMECALL_ROOMS_ROOM_PLACES_H
#define HOMECALL_ROOMS_ROOM_PLACES_H

#include "rooms/room_manager_parts.h"

/* Open a room that is not there yet, and free one that has nobody and nothing in it. NULL without memory;
 * names are copied. */
room *room_places_open(room_manager *manager, room_space space, slice name, slice name_json);
void room_places_close(room_manager *manager, room *r);

/* The same for a room that has lived elsewhere: with the first half of its ids. */
room *room_places_open_again(room_manager *manager, room_space space, slice name, slice name_json,
                             uint32_t id_base);

/* A member comes in, at once or after it has waited, to a room that is not full: it is told, and then the
 * others are. Next comes room_signals_receive(). */
void room_places_enter(room_manager *manager, room_member *member, bool has_waited);

/* Take a member out, and tell the others that it is gone, and why. Its queue is left as it is. It is in no
 * list any more, and its peer has no place; the caller owns it. */
void room_places_take_out(room_manager *manager, room_member *member, room_news_kind why, slice text);

/* The member of a room goes to another peer of the same user, under a new number. The old one is told. */
void room_places_pass_on(room_manager *manager, room_member *member, room_peer *peer);

/* End a member whose connection is lost, or who was dropped; what it has queued stays for its time, if its
 * kind of peer keeps that. */
void room_places_end_lost(room_manager *manager, room_member *member);

/* Take a waiter out of its line, for good. */
void room_places_end_wait(room_manager *manager, room_waiter *waiter);

/* The same, and tell it that it did not get in. */
void room_places_refuse(room_manager *manager, room_waiter *waiter);

/* The time of a waiter is over: members make way for it, or it is refused, or it goes on waiting for the
 * answer of one who was asked later. Settles. */
void room_places_decide(room_manager *manager, room_waiter *waiter);

/* Do what a change has made due, so that what room.h says of every room holds again. First come, first let
 * in. Who can't get in is refused as soon as that is certain. protocol/README.md, 1.4: an empty room with an
 * empty queue is freed at once, so `r` may be gone afterwards. */
void room_places_settle(room_manager *manager, room *r);

#endif
