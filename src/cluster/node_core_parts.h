/* What the parts of the node core share. Internal to node_core*.c: node_core_packets.c has packets
 * and time, node_core_links.c members and links, node_core_calls.c the claims, and what workers call. */
#ifndef HOMECALL_CLUSTER_NODE_CORE_PARTS_H
#define HOMECALL_CLUSTER_NODE_CORE_PARTS_H

#include "cluster/node_core.h"

#include <pthread.h>
#include <stdatomic.h>

/* The link to the member of a slot. */
typedef struct node_peer {
    node_link *link;     /* owned; NULL where there is no member, or no memory */
    uint64_t generation; /* while workers know that it is up: counted up; 0 = it is down */
    bool must_lose;      /* it can't go on */
    size_t inbox_bytes;  /* of its messages that workers have not taken */
    node_events last;    /* DOWN for each worker, made in advance: a loss must be told */
} node_peer;

/* What a worker is told. */
typedef struct node_inbox {
    node_events events;
    bool has_missed; /* decisions of the claims, for want of memory */
    bool must_wake;
} node_inbox;

struct node_core {
    pthread_mutex_t lock; /* guards all but the next eight, which do not change */
    unsigned workers;
    void (*wake_worker)(void *context, unsigned worker);
    void (*wake_courier)(void *context);
    void *context;
    char name[NODE_NAME_CAP], version[NODE_NAME_CAP];
    uint64_t hold_ms;
    link_limits limits;
    uint64_t now_ms;
    members members;
    claims *claims; /* owned */
    node_peer peers[MEMBERS_MAX];
    uint64_t last_generation;
    uint64_t resends;     /* of links that are gone */
    uint64_t losses_told; /* of counts.signals_lost: those that the log has */
    node_packets packets;
    size_t packet_bytes;
    uint64_t due_ms; /* when the courier calls the next time */
    bool must_wake_courier;
    bool is_draining;
    _Atomic bool is_hold_over; /* changed under the mutex */
    node_core_counts counts;   /* what has happened */
    node_inbox inboxes[];
};

/* Take the mutex, and note the time. */
void node_core_enter(node_core *c, uint64_t now_ms);

/* Give it back; with `wakes` call who must be woken. */
void node_core_leave(node_core *c, bool wakes);

/* All that follows: the mutex is held. */

/* Something is due at that time: the courier is woken where it would sleep for longer. */
void node_core_hurry(node_core *c, uint64_t due_ms);

/* Have a packet said. `m->from` is set here. */
void node_core_publish(node_core *c, node_subject subject, const node_id *to, const wire_message *m);

/* An event for a worker, with a copy of `data`. NULL without memory. */
node_event *node_core_make_event(node_event_type type, slice data);
void node_core_post(node_core *c, unsigned worker, node_event *event);

/* Members and links: their events, and what they need. */
void node_core_beat(void *context);
void node_core_on_member(void *context, unsigned slot, member_state before);
void node_core_tick_links(node_core *c);
void node_core_lose_links(node_core *c); /* those that can't go on */

/* The link to that node, or NULL. */
node_peer *node_core_peer(node_core *c, const node_id *id);

/* Say something by it. */
int node_core_say_to(node_core *c, node_peer *peer, const link_lane *lane, const wire_message *m);

/* The events of the claims. */
extern const claims_events node_core_claims_events;

#endif
