/* What a node's core tells its workers: a list of events for each worker, in order, and what worker and core
 * count in it. */
#ifndef HOMECALL_CLUSTER_NODE_EVENT_H
#define HOMECALL_CLUSTER_NODE_EVENT_H

#include "cluster/members.h"

#include <stddef.h>
#include <sys/queue.h>

typedef enum node_event_type {
    NODE_MESSAGE,  /* that node has said something to this worker: `data` is a link message */
    NODE_OWNER,    /* what node_core_want() has asked for: `key` is owned by `owner` */
    NODE_CONFLICT, /* `node` owns the room of `key`, and so does this worker */
    NODE_UP,       /* the link to that node is up: it is of this generation */
    NODE_DOWN,     /* it is lost */
} node_event_type;

typedef struct node_event {
    STAILQ_ENTRY(node_event) link;
    node_event_type type;
    bool is_dead;        /* DOWN: because that node is not there any more */
    uint8_t slot;        /* MESSAGE, UP, DOWN: of the member */
    uint64_t generation; /* MESSAGE, UP, DOWN: of the link */
    node_id node;        /* MESSAGE, UP, DOWN, CONFLICT */
    room_key key;        /* OWNER, CONFLICT */
    room_home owner;     /* OWNER */
    size_t len;          /* of the next */
    uint8_t data[];
} node_event;

typedef STAILQ_HEAD(node_events, node_event) node_events;

/* Free an event: what clients have said is in it. */
void node_event_free(node_event *event);
void node_events_clear(node_events *events);

/* Which generation of each link a worker has been told of; 0 = it is down. Only the worker writes it. What it
 * says goes by that generation or not at all: so nothing that belongs to a link that is lost can come into
 * the next one, before the worker has noticed. */
typedef struct node_ear {
    uint64_t generations[MEMBERS_MAX];
} node_ear;

/* What a worker has taken of the messages of one link: of this generation. */
typedef struct node_taken {
    uint64_t generation;
    unsigned count;
    size_t bytes;
} node_taken;

#endif
