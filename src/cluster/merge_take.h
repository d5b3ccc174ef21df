/* The half of a merge that takes: see merge.h, which calls this. */
#ifndef HOMECALL_CLUSTER_MERGE_TAKE_H
#define HOMECALL_CLUSTER_MERGE_TAKE_H

#include "cluster/owned_rooms.h"
#include "rooms/room_moving.h"

enum {
    MERGE_LASTS_MS = 5000,      /* then the room goes on where it is */
    MERGE_RETRY_MS = 500,       /* after a refusal */
    MERGE_MAX_BYTES = 16 << 20, /* of one room that comes */
    MERGE_MAX_SIGNALS = 1024,   /* of its queue that are taken */
    MERGE_MAX_TAKINGS = 1024,   /* rooms that come at the same time */
    MERGE_MAX_GIVINGS = 128,    /* rooms that a worker gives away at the same time: what is said of them fits
                                   into a link, and so does what is said where they are kept */
};

/* A part of a room has come: BEGIN, MEMBER, SIGNAL or END, which is answered; or COMMIT, with which it is
 * taken, or ABORT. A room of the same name is not being given away when COMMIT comes. */
void merge_collect(owner *o, const node_id *from, const wire_message *m);

/* What has come so far from that node will not be completed. */
void merge_forget_from(owner *o, const node_id *node);

/* Free what has come so far. */
void merge_deinit(owner *o);

#endif
