/* Link: what one node says to another one, once and in order, over an engine that loses, doubles and delays
 * (CLUSTER.md, between nodes).
 *
 * Messages are numbered, acknowledged when their worker has taken them, and said again after a while. What is
 * not acknowledged is bounded: a link holds so many bytes, a lane (a binding) a part of them, and a quarter
 * is for control messages alone. So one flooding room stops no other.
 *
 * Both ends have an epoch, a number that they count up. HELLO tells it, and the link is up when each knows
 * that of the other. A link that is lost does not resume: its end counts its epoch up, so nothing of the old
 * one is accepted any more, and what was not acknowledged is told as lost. The other end notices by the
 * HELLO, and does the same. While the engine is away a link is not lost; it waits.
 *
 * Pure, and owned by one thread. */
#ifndef HOMECALL_CLUSTER_LINK_H
#define HOMECALL_CLUSTER_LINK_H

#include "cluster/wire.h"

enum {
    LINK_HELLO_MS = 200,    /* said so often until the link is up */
    LINK_RESEND_MS = 200,   /* what is not acknowledged is said again */
    LINK_ACK_MS = 20,       /* an acknowledgement waits for others at most so long, */
    LINK_ACK_COUNT = 32,    /* or until so many messages were taken */
    LINK_RESEND_COUNT = 64, /* so many of those that are said again are under way at a time */
    LINK_DOUBT_MS = 1000, /* for who was asked by it: so long after it was in doubt nobody is called silent */
    LINK_OVERHEAD = 128,  /* bytes that a message counts for besides its body */
};

typedef struct link_limits {
    size_t bytes;      /* of messages that are not acknowledged; a quarter is for control messages alone */
    size_t lane_bytes; /* of those in one lane */
} link_limits;

typedef struct node_link node_link;

typedef struct link_events {
    /* Say this packet to the other node. It may be lost. */
    void (*send)(void *context, node_link *l, const wire_message *packet);
    /* The next message has come, for that worker of ours. Borrowed for the call. link_took() is called when
     * it was taken. */
    void (*deliver)(void *context, node_link *l, uint16_t worker, slice body);
    /* The link is up: messages can be said. */
    void (*on_up)(void *context, node_link *l);
    /* This message was not acknowledged when the link was lost; it may have come or not. */
    void (*on_lost_message)(void *context, node_link *l, slice body);
    /* The link was up, and is lost: whatever stood on it is over. Not called from within link_send(). */
    void (*on_lost)(void *context, node_link *l);
    void *context; /* borrowed, for all */
} link_events;

/* A link that is not up. `limits` and `events` are copied. The first epoch is the time, so that a link that
 * is made again between the same two has a higher one. 0 and the link in *out, owned by the caller, or
 * -ENOMEM. */
int link_new(const node_id *self, const node_id *peer, const link_limits *limits, const link_events *events,
             uint64_t now_ms, node_link **out);

/* Free it; nothing is told. NULL is legal. */
void link_free(node_link *l);

/* Which messages a message may make wait. */
typedef struct link_lane {
    uint64_t number; /* of a binding */
    bool is_control; /* it may use what is kept for such messages, and needs no lane */
} link_lane;

/* Say `body`, which is copied, to that worker of the other node. 0; -ENOTCONN where the link is not up;
 * -EAGAIN where the lane or the link is full; -ENOBUFS where even a control message finds no place: then the
 * link can't go on, and the caller loses it; or -ENOMEM. Nothing changes on failure. */
int link_send(node_link *l, uint16_t worker, const link_lane *in, slice body, uint64_t now_ms);

/* A packet of the other node has come: HELLO, DATA or ACK, whose `other` is this node. */
void link_on_packet(node_link *l, const wire_message *packet, uint64_t now_ms);

/* So many of the delivered messages were taken by their workers: of this epoch, since on_lost ends what was
 * delivered before. */
void link_took(node_link *l, unsigned count, uint64_t now_ms);

/* It is lost, if it was up. It begins anew, with HELLO, at the next tick. */
void link_lose(node_link *l, uint64_t now_ms);

/* The engine is there, or away: then nothing is said again. */
void link_on_engine(node_link *l, bool is_there, uint64_t now_ms);

/* Do what is due, and when that is next; UINT64_MAX = nothing is. */
void link_tick(node_link *l, uint64_t now_ms);
uint64_t link_next_due_ms(const node_link *l);

bool link_is_up(const node_link *l);

/* Has something been said again, and not been acknowledged, or only just now? Then nobody can say that who is
 * at the other end had the time to answer. */
bool link_is_in_doubt(const node_link *l, uint64_t now_ms);
const node_id *link_peer(const node_link *l);

/* Bytes that are not acknowledged, with their overhead. */
size_t link_held(const node_link *l);

/* Messages that were said again, so far. */
uint64_t link_resends(const node_link *l);

#endif
