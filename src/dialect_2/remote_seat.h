/* Remote seat: a session of a client of any node, in a room of this one (CLUSTER.md). It is a seat like
 * others, held by a remote. Its wire is no connection, but a participant whose host says everything to the
 * edge of the client: so what sessions do is written once.
 *
 * All functions: the thread that has the rooms. */
#ifndef HOMECALL_DIALECT_2_REMOTE_SEAT_H
#define HOMECALL_DIALECT_2_REMOTE_SEAT_H

#include "dialect/remote_client.h"
#include "dialect_2/seat.h"

typedef struct remote_seat {
    remote_client client; /* first: remote_client.h */
    participant wire;     /* the seat's, while it is not away */
    remote *remote;       /* borrowed; this is its `kept` */
    seat *seat;           /* owned */
    seat *next;           /* owned: what replaces the seat as soon as it has left the room; mostly NULL */
    bool has_joined;      /* its client was told "joined" */
    bool may_have_ice;    /* its edge may give it ICE servers */
    bool is_quiet;        /* no lines are logged about it now */
    bool must_end;        /* its wire was closed for a fault */
    /* Of the JOIN that it was found for. */
    bool resumes, is_current;
} remote_seat;

/* Whose seats the house of a cluster's hall has. */
extern const seat_holder remote_seat_holder;

static inline remote_seat *remote_seat_of(const room_peer *peer)
{
    return remote_of_peer(peer)->kept;
}

/* Make one for a remote, without a seat. NULL without memory. */
remote_seat *remote_seat_new(remote *r);

/* Free it, with its seats. The remote has no place. */
void remote_seat_free(remote_seat *rs);

/* The client is there: its wire is given to the seat that it has now. */
void remote_seat_connect(remote_seat *rs);

/* The house of its hall. */
seat_house *remote_seat_house(const remote *r);

#endif
