/* Room access: how a participant gets at its room. Without a cluster that is in the RoomManager of its hall;
 * with one it is wherever its owner is, and the way there is the edge of the hall (edge_client.h), also where
 * the owner is this node. This is the only place that knows the difference.
 *
 * `peer` is what the rooms of the hall know of the participant: its own, or another that its dialect has for
 * it. Over an edge it is not used. `hall` is that of the participant. All functions: the thread of the hall.
 */
#ifndef HOMECALL_DIALECT_ROOM_ACCESS_H
#define HOMECALL_DIALECT_ROOM_ACCESS_H

#include "dialect/edge_client.h"

/* As room_manager_join(). In a cluster never ROOM_JOINED or ROOM_FULL: those come later. */
static inline int room_access_join(participant *p, const dialect_hall *hall, room_peer *peer,
                                   const room_join *names, slice extra)
{
    return hall->edge == NULL ? room_manager_join(hall->manager, peer, names)
                              : edge_client_join(p, names, extra);
}

/* The participant leaves, or its connection is lost; it has a place. */
static inline void room_access_leave(participant *p, const dialect_hall *hall, const room_leaving *how)
{
    if (hall->edge == NULL)
        room_manager_leave(hall->manager, &p->peer, how);
    else
        edge_client_leave(p);
}

static inline void room_access_lose(participant *p, const dialect_hall *hall, bool is_fault)
{
    if (hall->edge == NULL)
        room_manager_lose(hall->manager, &p->peer, hall->now_ms(hall));
    else
        edge_client_lose(p, is_fault);
}

/* As room_manager_signal(), from a participant that is in a room. */
static inline int room_access_signal(participant *p, const dialect_hall *hall, room_peer *peer,
                                     const room_signal *signal)
{
    return hall->edge == NULL ? room_manager_signal(hall->manager, peer, signal, hall->now_ms(hall))
                              : edge_client_signal(p, signal, (slice){NULL, 0});
}

/* As room_manager_on_alive(), of one that is in a room. */
static inline void room_access_alive(participant *p, const dialect_hall *hall)
{
    if (hall->edge == NULL)
        room_manager_on_alive(hall->manager, &p->peer, hall->now_ms(hall));
    else
        edge_client_alive(p);
}

#endif
