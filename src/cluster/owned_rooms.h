/* The rooms that a worker of this node owns: beside what the RoomManager has of each, who is in it by which
 * edge, and whether it is being given away. What merge.c and owner.c share. */
#ifndef HOMECALL_CLUSTER_OWNED_ROOMS_H
#define HOMECALL_CLUSTER_OWNED_ROOMS_H

#include "cluster/claims.h"
#include "cluster/remote.h"

struct owned_room {
    room_table_link table;
    room_key key;
    remote_list remotes; /* owned */
    /* While it is given away: */
    bool is_given;      /* frozen, until the other node has answered */
    room_home to;       /* that node */
    uint64_t number;    /* of the merge */
    uint64_t since_ms;  /* when it began */
    held_messages held; /* what comes for it meanwhile */
    /* Another node owns it as well, or we drain: */
    node_id rival;     /* nobody = none that we know of */
    uint64_t retry_ms; /* not before */
    uint8_t space;     /* a room_space */
    size_t name_len;
    char name[]; /* the codeword */
};

/* A room that comes from another node: what has come of it so far. */
typedef struct taking {
    TAILQ_ENTRY(taking) link;
    node_id from;
    uint64_t number;
    size_t bytes;
    bool is_ready;          /* all has come, and was not refused */
    uint64_t time_left_ms;  /* of the queue of a lost owner */
    held_messages messages; /* BEGIN, and what follows */
} taking;

typedef struct owner_events {
    /* Of the claims of this node: is the room ours? May a JOIN for it be let in? */
    claims_standing (*standing)(void *context, const room_key *key);
    claims_standing (*admit)(void *context, const room_key *key);
    /* It will be ours, given by that node; it will not; and it is. */
    int (*promise)(void *context, const room_key *key, const node_id *giver);
    void (*break_promise)(void *context, const room_key *key);
    int (*take)(void *context, const room_key *key);
    /* It is that node's. */
    void (*give)(void *context, const room_key *key, const room_home *to);
    /* Does anybody else own it? Then we are told of a conflict. */
    void (*check)(void *context, const room_key *key);
    /* Nobody needs it any more. */
    void (*release)(void *context, const room_key *key);
    /* Does this node, or that one, drain? */
    bool (*is_draining)(void *context, const node_id *node);
    /* Who may have the rooms of a node that drains; false where there is nobody. */
    bool (*find_heir)(void *context, node_id *heir);
    void *context; /* borrowed, for all */
} owner_events;

typedef struct owner {
    remotes all;
    owner_events events;
    node_id self;
    uint16_t worker;
    uint8_t secret[CLUSTER_SECRET_BYTES];
    owned_room *rooms;       /* uthash's head; owned */
    held_messages undecided; /* JOINs for rooms that we claim */
    TAILQ_HEAD(, taking) takings;
    unsigned giving;        /* rooms that are being given away */
    uint32_t last_serial;   /* of the number of a merge: cluster_number() */
    uint64_t away_bindings; /* who is away has no binding; these are told apart by it */
    owner_counts counts;
} owner;

/* The record of a room, or NULL; and one for a room that has none yet, NULL without memory. */
owned_room *owned_rooms_find(const owner *o, const room_key *key);
owned_room *owned_rooms_add(owner *o, const room_key *key, room_space space, slice name);

/* Free a record without remotes. */
void owned_rooms_remove(owner *o, owned_room *room);

/* A line of the log: it has moved from or to the other node, and so many people have lost their place. */
void owned_rooms_log_move(const owned_room *room, const node_id *other, const char *event,
                          uint64_t pushed_out);

static inline slice owned_room_name(const owned_room *room)
{
    return (slice){room->name, room->name_len};
}

#endif
